"""What a page or a redirect points to, as written, in; scheme, host, port and path out."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ABSOLUTE = re.compile(r"(?:([a-z][a-z0-9+.-]{0,20}):)?//([^/?#]{0,300})([^?#]{0,2000})", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,20}):", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:[^@]*@)?(\[[0-9a-f:.]{2,45}\]|[^:\[\]]{1,253})(?::(\d{1,5}))?", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9._:-]{1,253}")
_PARAMETERS = re.compile(r";[^/]*")
"""As in `/index.do;jsessionid=1A2B`. Source: RFC 3986 section 3.3."""

_PORTS = {"http": 80, "https": 443}
_SECOND_LEVELS = frozenset({"ac", "co", "com", "edu", "gov", "mil", "net", "org"})


@dataclass(frozen=True, slots=True)
class Link:
    """Where something points to.

    Attributes:
        scheme: `http` or `https`.
        host: lower case; an IPv6 address without brackets.
        port: number.
        path: with its query, ASCII, beginning with a slash.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def text(self) -> str:
        """Write it without its query and the parameters of its path, which may hold a session."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{_PARAMETERS.sub('', self.path.partition('?')[0])}"


def read_link(text: str, base: Link) -> Link | None:
    """Read what is written on the page `base`; None for what leads to no page (mail, scripts) or cannot be read."""
    text = "".join(char for char in text.strip() if char.isprintable()).replace("\\", "/")
    if found := _ABSOLUTE.match(text):
        return _absolute((found[1] or base.scheme).lower(), found[2], text[found.start(3) :])
    if _SCHEME.match(text) or not text or text.startswith("#"):
        return None
    if text.startswith("/"):
        path = text
    elif text.startswith("?"):
        path = base.path.partition("?")[0] + text
    else:
        path = base.path.partition("?")[0].rpartition("/")[0] + "/" + text
    return Link(base.scheme, base.host, base.port, _clean_path(path))


def _absolute(scheme: str, authority: str, path: str) -> Link | None:
    found = _AUTHORITY.fullmatch(authority)
    if scheme not in _PORTS or not found:
        return None
    host = found[1].lower().strip("[]").rstrip(".")
    try:
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return None
    port = int(found[2] or _PORTS[scheme])
    if not _HOST.fullmatch(host) or not 0 < port < 65_536:
        return None
    return Link(scheme, host, port, _clean_path(path))


def _clean_path(path: str) -> str:
    path = path.partition("#")[0][:2000]
    if not path.startswith("/"):
        path = f"/{path}"
    return "".join(char if "!" <= char <= "~" else "".join(f"%{byte:02X}" for byte in char.encode()) for char in path)


def site_of(host: str) -> str:
    """Give the part of a name one owner registers: `school.edu.cn` of `www.school.edu.cn`; an address as it is."""
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit():
        return host
    count = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS else 2
    return ".".join(labels[-count:])


def is_host(text: str) -> bool:
    """Tell whether a text can be the name or the address of a host."""
    return bool(_HOST.fullmatch(text))


def is_foreign(link: Link, host: str, own: frozenset[str] = frozenset()) -> bool:
    """Tell whether a link leads to somebody else's site."""
    return site_of(link.host) not in own | {site_of(host)}
