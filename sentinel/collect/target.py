"""Target text in, a validated Target or a reason out; the only reader of what people type as a target."""

from __future__ import annotations

import encodings.idna
import re
import unicodedata
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from sentinel.model.plain import plain_address, plain_prefix
from sentinel.model.scope import Target
from sentinel.model.unit import IPAddress, IPNetwork

MAX_SHOWN = 200
"""Characters of a refused target that are kept for people."""

_MAX_NAME = 253
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_ADDRESS_LIKE = re.compile(r"[0-9.]+\Z")
_BITS = re.compile(r"(?:0|[1-9][0-9]{0,2})\Z")


def printable(text: str, limit: int = MAX_SHOWN) -> str:
    """Cut foreign text to `limit` characters and replace what a terminal must not see by U+FFFD."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:limit])


def parse_target(text: str) -> Target:
    """Read an address, a prefix or a domain name, and nothing else.

    A prefix with host bits set (`192.0.2.5/24`) is refused rather than widened: it may mean one address or 256, and an
    authorisation must not grow by a guess. `*.school.example` stands for the names below `school.example`; it is a
    target of authorisations and exclusions only. Names outside ASCII become their `xn--` form; a name must be in
    Unicode's NFKC form, so no look-alike digit or dot turns into another target. The last label starts with a letter,
    because system resolvers read `127.1` and `0x7f.1` as addresses.

    Raises:
        ValueError: the text is none of these; the message says why, in lower case.

    Source: RFC 1123 section 2.1 (names), RFC 3490 (IDNA), RFC 3696 section 2 (last label).
    """
    if not text:
        raise ValueError("empty target")
    if any(char.isspace() or not char.isprintable() for char in text):
        raise ValueError("whitespace or a control character in the target")
    if text.startswith("-"):
        raise ValueError("a target does not start with a dash")
    if len(text) > _MAX_NAME + 1:
        raise ValueError(f"longer than {_MAX_NAME} characters")
    if "/" in text:
        return _of_network(plain_prefix(_parse_prefix(text)))
    if ":" in text or _ADDRESS_LIKE.match(text):
        return _of_network(ip_network(plain_address(_parse_address(text))))
    wildcard = text.startswith("*.")
    name = _parse_name(text.removeprefix("*."))
    if wildcard and "." not in name:
        raise ValueError("a wildcard needs a name of at least two labels, e.g. *.school.example")
    whole = f"*.{name}" if wildcard else name
    if len(whole) > _MAX_NAME:
        raise ValueError(f"longer than {_MAX_NAME} characters")
    return Target(text=whole, name=whole)


def _of_network(network: IPNetwork) -> Target:
    single = network.prefixlen == network.max_prefixlen
    return Target(text=str(network.network_address if single else network), network=network)


def _parse_address(text: str) -> IPAddress:
    if not text.isascii() or "%" in text:
        raise ValueError("no address: only ASCII, without a zone id")
    try:
        return IPv6Address(text) if ":" in text else IPv4Address(text)
    except ValueError as error:
        raise ValueError("no IPv4 or IPv6 address, and no range of addresses: write a prefix") from error


def _parse_prefix(text: str) -> IPNetwork:
    head, _, bits = text.partition("/")
    address = _parse_address(head)
    if not _BITS.match(bits) or int(bits) > address.max_prefixlen:
        raise ValueError(f"no prefix length from 0 to {address.max_prefixlen} after the slash")
    kind: type[IPv4Network | IPv6Network] = IPv4Network if address.version == 4 else IPv6Network
    network = kind((int(address), int(bits)), strict=False)
    if network.network_address != address:
        raise ValueError(f"host bits are set: write {network} for the prefix or {address} for the address")
    return network


def _parse_name(text: str) -> str:
    labels = [_parse_label(label) for label in text.removesuffix(".").split(".")]
    if not labels[-1][0].isalpha():
        raise ValueError("no address, prefix or domain name: the last label of a name starts with a letter")
    return ".".join(labels)


def _parse_label(label: str) -> str:
    lower = label.lower()
    if not lower.isascii():
        lower = _to_ascii(lower)
    if not _LABEL.match(lower):
        raise ValueError("no address, prefix or domain name: labels hold letters, digits and inner dashes, 63 at most")
    return lower


def _to_ascii(label: str) -> str:
    alphabetic = all(unicodedata.category(char)[0] in "LM" for char in label if not char.isascii())
    if not alphabetic or unicodedata.normalize("NFKC", label) != label:
        raise ValueError("no domain name: characters that stand for others are refused")
    try:
        return encodings.idna.ToASCII(label).decode("ascii")
    except UnicodeError as error:
        raise ValueError("no domain name: a label has no IDNA form") from error
