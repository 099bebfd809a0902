"""Whitelist entries as people write them in, values out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from ipaddress import summarize_address_range

from sentinel.errors import UsageError
from sentinel.model.plain import read_plain_address, read_plain_prefix
from sentinel.model.ports import PortSet, parse_ranges
from sentinel.model.unit import IPNetwork
from sentinel.model.whitelist import EVERYWHERE, Direction, PeerKind, WhitelistAction, WhitelistEntry, WhitelistKind
from sentinel.model.whitelist_request import WhitelistRequest
from sentinel.schedule.persons import hide_persons

_PORT = re.compile(r"(?P<address>\[[^\]]+\](?:/\d+)?|[^:\[\]]+):(?P<ports>[\d,-]+)(?:/(?P<proto>tcp|udp))?\Z")
_DOMAIN = re.compile(r"(?:[a-z0-9*?](?:[a-z0-9*?-]{0,62})\.)+[a-z0-9-]{2,63}\Z")


def read_entry(
    kind: str,
    value: str,
    *,
    unit: str,
    service: str,
    reason: str,
    approved_by: str,
    document: str,
    valid_from: datetime | None,
    valid_to: datetime | None,
    action: WhitelistAction = WhitelistAction.ALLOW,
    direction: str = Direction.IN,
    peer: str = "",
    below: bool = False,
) -> WhitelistEntry:
    """Read one entry: a domain glob, a host, prefix or range, or `10.0.0.5:443/tcp` (`[2001:db8::5]:443`).

    `peer` is any, campus, internet or prefixes divided by commas; only a prohibition may speak of any address (`*`).

    Raises:
        UsageError: the kind is unknown or the value cannot be read as it.
    """
    if kind not in set(WhitelistKind):
        raise UsageError(f"no such kind: {kind!r} ({', '.join(WhitelistKind)})")
    for text, option in ((reason, "--reason"), (approved_by, "--approved-by")):
        if not text.strip():
            raise UsageError(f"{option}: may not be empty")
    if direction not in set(Direction):
        raise UsageError(f"--direction: no such direction: {direction!r} ({', '.join(Direction)})")
    try:
        peer_kind, peers = parse_peer(peer)
    except ValueError as error:
        raise UsageError(f"--peer: {peer!r}: {error}") from error
    place = _read_place(WhitelistKind(kind), value, unit, wide=action is WhitelistAction.DENY)
    return replace(
        place,
        service=service.strip().lower(),
        reason=hide_persons(reason.strip()),
        approved_by=hide_persons(approved_by.strip()),
        document=hide_persons(document.strip()),
        valid_from=valid_from,
        valid_to=valid_to,
        action=action,
        direction=Direction(direction),
        peer=peer_kind,
        peers=peers,
        below=below,
    )


def _read_place(kind: WhitelistKind, value: str, unit: str, *, wide: bool) -> WhitelistEntry:
    """Read what an entry speaks of, into one that says nothing of it yet."""
    place = WhitelistEntry(0, unit, kind)
    try:
        if kind is WhitelistKind.DOMAIN:
            return replace(place, domain=parse_domain(value))
        if kind is WhitelistKind.HOST:
            return replace(place, addresses=parse_addresses(value))
        addresses, proto, ports = _parse_place(value, wide=wide)
        return replace(place, addresses=addresses, proto=proto, ports=ports)
    except ValueError as error:
        raise UsageError(f"{value!r}: {error}") from error


def parse_domain(text: str) -> str:
    """Read a domain name, in which `*` and `?` may stand, into lower case.

    Raises:
        ValueError: it is none; the message does not repeat it.
    """
    name = text.strip().lower().rstrip(".")
    if not _DOMAIN.match(name):
        raise ValueError("no domain (write www.school.example or *.school.example)")
    return name


_WIDEST = {4: 8, 6: 32}
"""Shortest prefix an entry may have: 10.0.0.0/8 is the widest network a school can own."""


def parse_prefix(text: str) -> IPNetwork:
    """Read an address or a prefix.

    Raises:
        ValueError: it is neither; the message does not repeat it.
    """
    try:
        if "%" in text:
            raise ValueError("a zone behind an address is a matter of one machine")
        prefix = read_plain_prefix(text.strip().strip("[]"))
    except ValueError as error:
        raise ValueError("no address or prefix (write 10.0.0.5 or 10.0.0.0/24)") from error
    if prefix.prefixlen < _WIDEST[prefix.version]:
        raise ValueError(f"too wide for an entry: at most a /{_WIDEST[prefix.version]}; write the networks you mean")
    return prefix


_RANGE = re.compile(r"([0-9A-Fa-f.:]+)-([0-9A-Fa-f.:]+)\Z")
MAX_RANGE = 65_536
"""Addresses of one range; a longer one is a slip of the keyboard."""


def parse_addresses(text: str, *, wide: bool = False) -> tuple[IPNetwork, ...]:
    """Read an address, a prefix, or a range (`10.0.0.5-10.0.0.9`, `10.0.0.5-9`) into prefixes; `*` when `wide`.

    Raises:
        ValueError: it is none of these; the message does not repeat it.
    """
    plain = text.strip().strip("[]")
    if wide and plain in {"*", "any"}:
        return EVERYWHERE
    found = _RANGE.match(plain)
    if found is None:
        return (parse_prefix(plain),)
    first, last = found[1], found[2]
    try:
        if last.isdecimal() and "." in first:
            last = f"{first.rpartition('.')[0]}.{last}"
        low, high = read_plain_address(first), read_plain_address(last)
        if low.version != high.version or not 0 <= int(high) - int(low) < MAX_RANGE:
            raise ValueError("not a range")
        return tuple(summarize_address_range(low, high))
    except ValueError as error:
        raise ValueError(f"no range of at most {MAX_RANGE} addresses (write 10.0.0.5-10.0.0.9)") from error


_PEERS = {
    "": PeerKind.ANY,
    "any": PeerKind.ANY,
    "任意": PeerKind.ANY,
    "campus": PeerKind.CAMPUS,
    "校内": PeerKind.CAMPUS,
    "internet": PeerKind.INTERNET,
    "互联网": PeerKind.INTERNET,
}


def parse_peer(text: str) -> tuple[PeerKind, tuple[IPNetwork, ...]]:
    """Read the other side of an entry: any, campus, internet, or addresses divided by commas.

    Raises:
        ValueError: it is none of these; the message does not repeat it.
    """
    word = text.strip().lower()
    if word in _PEERS:
        return _PEERS[word], ()
    try:
        prefixes = [prefix for piece in re.split("[,，、;；]", word) for prefix in parse_addresses(piece)]
    except ValueError as error:
        raise ValueError("write any, campus, internet, or prefixes as 10.9.0.0/24,10.8.0.5") from error
    return PeerKind.PREFIX, tuple(dict.fromkeys(prefixes))


def parse_port_list(text: str) -> PortSet:
    """Read ports of one protocol: `22,80-90`.

    Raises:
        ValueError: it is no such list; the message does not repeat it.
    """
    ports = PortSet()
    with suppress(ValueError):
        ports = parse_ranges(text)
    if not ports:
        raise ValueError("no ports (write 443 or 22,80-90; ports run from 0 to 65535)")
    return ports


def _parse_place(text: str, *, wide: bool) -> tuple[tuple[IPNetwork, ...], str, PortSet]:
    match = _PORT.match(text.strip())
    if not match:
        raise ValueError("no port of a host (write 10.0.0.5:443/tcp or 10.0.0.0/24:22,80-90)")
    ports = parse_port_list(match["ports"])
    address = match["address"].replace("[", "").replace("]", "")
    return parse_addresses(address, wide=wide), match["proto"] or "tcp", ports


def read_request_places(
    request: WhitelistRequest, addresses: Sequence[str], ports: Sequence[str], domains: Sequence[str], peer: str
) -> WhitelistRequest:
    """Read what a request asks for: addresses, `80,443/tcp`, names, and from where.

    Raises:
        UsageError: one of them cannot be read.
    """
    try:
        places = tuple(dict.fromkeys(prefix for text in addresses for prefix in parse_addresses(text)))
    except ValueError as error:
        raise UsageError(f"--address: {error}") from error
    by_proto: dict[str, PortSet] = {}
    try:
        for text in ports:
            numbers, _, proto = text.strip().lower().partition("/")
            if proto not in {"", "tcp", "udp"}:
                raise ValueError("no protocol (write 443/tcp or 53/udp)")
            by_proto[proto or "tcp"] = by_proto.get(proto or "tcp", PortSet()) | parse_port_list(numbers)
    except ValueError as error:
        raise UsageError(f"--port: {error}") from error
    try:
        names = tuple(dict.fromkeys(map(parse_domain, domains)))
    except ValueError as error:
        raise UsageError(f"--domain: {error}") from error
    try:
        side, peers = parse_peer(peer)
    except ValueError as error:
        raise UsageError(f"--peer: {error}") from error
    listed = tuple(sorted(by_proto.items(), key=lambda pair: pair[0]))
    return replace(request, addresses=places, ports=listed, domains=names, peer=side, peers=peers)
