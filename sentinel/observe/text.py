"""Foreign text in, bounded printable values out; nothing here raises on bad input, it answers None or cuts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from sentinel.model.moment import EARLIEST, SHANGHAI, from_epoch
from sentinel.model.plain import plain_address
from sentinel.model.unit import IPAddress

MAX_NAME = 253
"""Characters of a host or domain name. Source: RFC 1035, 2.3.4."""

MAX_WORD = 200
"""Characters of a service name, product, version, vendor, title, CPE and the like."""

MAX_SCRIPT = 4_000
"""Characters kept of one script's output, and of a command line."""

LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""A later timestamp is impossible, whatever the clock of the reader says."""

BROADCAST = IPv4Address("255.255.255.255")

# C0, C1, line and paragraph separators, marks that reorder text on a page, lone surrogates, the byte order mark.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_UNPRINTABLE_BUT_LINES = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_ESCAPE = re.compile(r"\\x([0-9A-Fa-f]{2})")
_C_TIME = re.compile(r"(?:[A-Z][a-z]{2} +)?([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4})")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
_MAC_SIGNS = re.compile(r"[:.-]")
_TWELVE = re.compile(r"[0-9a-f]{12}")
_NO_CARD = "00:00:00:00:00:00"
_HEX_PAIRS = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}", re.ASCII)


def cut_text(text: str, limit: int = MAX_WORD) -> str:
    """Give one printable line of at most `limit` characters; control characters become spaces."""
    if len(text) <= limit and text.isprintable():
        return text
    return _UNPRINTABLE.sub(" ", text[:limit]).strip()


def cut_lines(text: str, limit: int = MAX_SCRIPT) -> str:
    """Give printable lines of at most `limit` characters; tabs and line feeds stay."""
    if len(text) <= limit and text.isprintable():
        return text
    return _UNPRINTABLE_BUT_LINES.sub(" ", text[:limit].replace("\r\n", "\n"))


def clean_name(text: str) -> str:
    """Give a host or domain name in lower case without the final dot, at most 253 characters."""
    return cut_text(text.strip().rstrip("."), MAX_NAME).lower()


def clean_mac(text: str) -> str:
    """Give `aa:bb:cc:dd:ee:ff`, or nothing where the text is no such address."""
    lower = text.lower()
    return lower.replace("-", ":") if _HEX_PAIRS.fullmatch(lower) else ""


def read_mac(text: str) -> str:
    """Read a card's address as any system writes it: `0:1c:2:3:4:5`, `001c-0203-0405`, `001c.0203.0405`.

    Nothing for other texts, and for what is no card's: all zero, broadcast, multicast.
    """
    lower = text.lower()
    if _HEX_PAIRS.fullmatch(lower):  # as most write it, three times as fast
        digits = lower.replace("-", ":")
        return digits if digits != _NO_CARD and not int(digits[1], 16) & 1 else ""
    pieces = _MAC_SIGNS.split(lower)
    widths = {6: 2, 3: 4, 1: 12}
    width = widths.get(len(pieces), 0)
    if not width or not all(piece and len(piece) <= width for piece in pieces):
        return ""
    digits = "".join(piece.zfill(width) for piece in pieces)
    if not _TWELVE.fullmatch(digits) or not int(digits, 16) or int(digits[:2], 16) & 1:
        return ""
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def plain_text(value: object) -> str:
    """Give the text of a JSON string or number; nothing for anything else, which no field we read may be."""
    return str(value) if isinstance(value, (str, int, float)) else ""


def parse_address(text: str) -> IPAddress | None:
    """Read an address of either version; a scope such as `%eth0` is dropped; None for anything else."""
    try:
        if ":" in text:
            return plain_address(IPv6Address(text.partition("%")[0]))
        return IPv4Address(text)
    except AddressValueError:
        return None


def parse_port(text: str) -> int | None:
    """Read a port number, 0 to 65535; None for anything else."""
    if len(text) > 5 or not text.isascii() or not text.isdigit():
        return None
    port = int(text)
    return port if port <= 65535 else None


def parse_time(seconds: str | float | None) -> datetime | None:
    """Read seconds since 1970; None for what is masked, before 1995 or after 2100."""
    moment = from_epoch(seconds)
    return moment if moment is not None and moment < LATEST else None


def parse_c_time(text: str) -> datetime | None:
    """Read `Mon Jun 29 14:39:43 2020` or the same without its weekday, in Asia/Shanghai; None for anything else."""
    found = _C_TIME.fullmatch(text.strip())
    if found is None or found[1] not in _MONTHS:
        return None
    day, hour, minute, second, year = (int(piece) for piece in found.groups()[1:])
    try:
        moment = datetime(year, _MONTHS[found[1]], day, hour, minute, second, tzinfo=SHANGHAI).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if EARLIEST <= moment < LATEST else None


def parse_utc(text: str) -> datetime | None:
    """Read an ISO 8601 time that means UTC when it names no zone; None for anything else.

    Unlike a run's time, the validity of a certificate may lie in any year.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def decode_escapes(text: str) -> str:
    r"""Read text in which `\xNN`, or a character below 256, stands for a byte, as `decode_bytes` does."""
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "\\x" in text else text
    if plain.isascii():
        return plain
    try:
        return decode_bytes(plain.encode("latin-1"))
    except UnicodeEncodeError:
        return plain


def decode_bytes(raw: bytes) -> str:
    """Read bytes as UTF-8, also when a tool cut one character in two, else as GB 18030 (older Chinese pages)."""
    text = raw.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if not broken:
        return text
    if broken == 1 and sum(character > "\u07ff" for character in text) > 2:  # two whole ones and the mark of the break
        return text.replace("\ufffd", "")
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return text


def is_host(address: IPAddress) -> bool:
    """Tell whether an address can belong to one machine: not unspecified, broadcast or multicast."""
    return not (address.is_unspecified or address.is_multicast or address == BROADCAST)
