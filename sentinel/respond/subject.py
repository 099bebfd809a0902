"""What somebody wrote a finding is about in; its kind and its one canonical text out, so that it is found again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import urlsplit

from sentinel.model.finding import SubjectKind
from sentinel.model.links import CUT
from sentinel.model.unit import IPAddress

LONGEST = 500

_ENDPOINT = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<four>[\d.]+)):(?P<port>\d{1,5})(?:/(?P<proto>tcp|udp))?\Z")
_NAME = re.compile(r"(?=.{1,253}\Z)(?:\*\.)?(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_](?:[\w-]{0,61}[^\W_])?\Z")
_CHECK = re.compile(r"[\s\"'“”‘’，。、；：（）()【】\[\]<>《》]+")


@dataclass(frozen=True, slots=True)
class ToldSubject:
    """A subject as it is stored.

    Attributes:
        kind: what it is.
        text: `10.0.0.5:443/tcp`, `10.0.0.5`, `www.school.example`, `https://www.school.example/a`, a name of a system,
            or a unit's code.
        address: the address in it, of a URL too; None where there is none.
    """

    kind: SubjectKind
    text: str
    address: IPAddress | None = None

    @property
    def has_network(self) -> bool:
        """It lies in a network, which is part of its key."""
        return self.kind in {SubjectKind.ENDPOINT, SubjectKind.HOST}


def read_subject(text: str, kind: SubjectKind | None = None) -> ToldSubject:
    """Read a subject, of a kind or of whichever it looks like; names of systems and units are never guessed.

    Raises:
        ValueError: it is not what it is said to be, or cannot be told.
    """
    bare = " ".join(text.split())
    if not bare or len(bare) > LONGEST or not bare.isprintable():
        raise ValueError(f"a subject is 1 to {LONGEST} printable characters")
    if kind in {SubjectKind.SYSTEM, SubjectKind.UNIT}:
        return ToldSubject(kind, bare)
    found = _guess(bare)
    if found is None or kind not in (None, found.kind):
        wanted = kind or "address, address:port, domain or URL; for a system write `--kind system`"
        raise ValueError(f"{bare[:80]!r} is no {wanted}")
    return found


def build_check(title: str) -> str:
    """Give the short form of a title that makes two tellings of one weakness the same: no case, blanks or quotes."""
    return _CHECK.sub("", title.casefold())[:80]


def _guess(text: str) -> ToldSubject | None:
    if "://" in text:
        return _read_url(text)
    if match := _ENDPOINT.match(text):
        address = _address(match["six"] or match["four"])
        port = int(match["port"])
        if address is None or not 0 < port < 1 << 16:
            return None
        place = f"[{address}]" if address.version == 6 else str(address)
        return ToldSubject(SubjectKind.ENDPOINT, f"{place}:{port}/{match['proto'] or 'tcp'}", address)
    if (address := _address(text)) is not None:
        return ToldSubject(SubjectKind.HOST, str(address), address)
    name = text.rstrip(".").lower()
    if _NAME.match(name) and not name.rpartition(".")[2].isdigit():
        return ToldSubject(SubjectKind.DOMAIN, name)
    return None


def _read_url(text: str) -> ToldSubject | None:
    """Read a web address: scheme and host in lower case, no account, no default port; a mark for query and fragment."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").rstrip(".")
    address = _address(host)
    if parts.scheme not in {"http", "https", "ftp"} or not (address or _NAME.match(host) or host.isalnum()):
        return None
    place = f"[{address}]" if address and address.version == 6 else str(address or host)
    usual = {"http": 80, "https": 443, "ftp": 21}[parts.scheme]
    where = place if port in (None, usual) else f"{place}:{port}"
    query = CUT if parts.query or parts.fragment else ""  # a token or an account may stand there
    return ToldSubject(SubjectKind.URL, f"{parts.scheme}://{where}{parts.path or '/'}{query}", address)


def _address(text: str) -> IPAddress | None:
    try:
        if ":" not in text:
            return IPv4Address(text)
        six = IPv6Address(text.partition("%")[0])  # a link's name says nothing outside the machine that wrote it
    except AddressValueError:
        return None
    return six.ipv4_mapped or six
