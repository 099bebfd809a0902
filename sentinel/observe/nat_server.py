"""`nat server` and `nat static` lines of Huawei and H3C configurations in; what is published out.

Source: made from the published command references of Huawei USG and AR and of H3C Comware 7; not yet held against the
export of a real device.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sentinel.model.plain import read_plain_address
from sentinel.model.publication import Mapping
from sentinel.model.unit import IPAddress
from sentinel.observe.published import (
    Found,
    Unread,
    count_mask,
    count_range,
    is_address,
    numbered,
    read_port,
    read_proto,
    shift,
    spread,
)

_LINE = re.compile(r"(?:undo\s+)?nat\s+(server|static)\s", re.IGNORECASE)
_PAIRS = frozenset({"zone", "vpn-instance", "vrrp", "rule", "acl", "description", "track", "type"})
_SIDES = frozenset({"global", "inside", "local"})
_OF_INTERFACE = "the public address is that of an interface: give it with --outside"


def is_nat_server(text: str) -> bool:
    """Tell whether a text holds such lines."""
    return any(_LINE.match(line.strip()) for line in text.splitlines())


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a rule: its addresses and ports as written; without an address it is an interface's."""

    low: str = ""
    high: str = ""
    ports: tuple[str, ...] = ()


def parse_nat_server(lines: Iterable[str], outside: IPAddress | None = None) -> Found:
    """Yield what each line publishes; `outside` stands for the address of an interface."""
    for number, line in numbered(lines):
        found = _LINE.match(line)
        if found is None or line.lower().startswith("undo"):
            continue
        words = line.split()[2:]
        if "disable" in (word.lower() for word in words):
            continue
        try:
            read = _read_server if found[1].lower() == "server" or "global" in words else _read_static
            yield from read(words, number, outside)
        except ValueError as error:
            yield Unread(number, str(error) if str(error).islower() else "an address or port that cannot be read")


def _read_server(words: Sequence[str], number: int, outside: IPAddress | None) -> Iterator[Mapping]:
    proto, note, count = "", [], 0
    sides: dict[str, _Side] = {}
    place = 0
    while place < len(words):
        word = words[place].lower()
        if word == "protocol":
            proto = read_proto(words[place + 1] if place + 1 < len(words) else "-")
            place += 2
        elif word in _SIDES:
            sides[word], place = _read_side(words, place + 1)
        elif word == "netmask" and place + 1 < len(words):
            count, place = count_mask(words[place + 1]), place + 2
        elif word in _PAIRS:
            place += 2
        else:
            if not sides and not proto:
                note.append(words[place])
            place += 1
    inner = sides.get("inside") or sides.get("local")
    if "global" not in sides or inner is None:
        raise ValueError("no address outside and inside in it")
    if not inner.low:
        raise ValueError("it leads to a group of servers: enter them one by one")
    yield from _map(sides["global"], inner, proto, count, " ".join(note)[:60], number, outside)


def _read_side(words: Sequence[str], place: int) -> tuple[_Side, int]:
    """Read addresses and ports from a place on; gives where they end."""
    if place < len(words) and words[place].lower() == "current-interface":
        ports, place = _take_ports(words, place + 1)
        return _Side(ports=ports), place
    if place < len(words) and words[place].lower() == "interface":
        place += 2 + bool(re.fullmatch(r"[A-Za-z-]+", words[place + 1] if place + 1 < len(words) else ""))
        ports, place = _take_ports(words, place)
        return _Side(ports=ports), place
    if place < len(words) and words[place].lower() == "server-group":
        return _Side(), place + 2
    addresses: list[str] = []
    while place < len(words) and len(addresses) < 2 and is_address(words[place]):
        addresses.append(words[place])
        place += 1
    if not addresses:
        raise ValueError("no address where one should stand")
    ports, place = _take_ports(words, place)
    return _Side(addresses[0], addresses[1] if len(addresses) > 1 else "", ports), place


def _take_ports(words: Sequence[str], place: int) -> tuple[tuple[str, ...], int]:
    """Take up to two ports; 0 is any, and what begins like a number and is no port is a mistake.

    Raises:
        ValueError: there is one.
    """
    ports: list[str] = []
    while place < len(words) and len(ports) < 2:
        if words[place] == "0":
            return tuple(ports), place + 1
        try:
            read_port(words[place])
        except ValueError:
            if words[place][0].isdigit():
                raise
            break
        ports.append(words[place])
        place += 1
    return tuple(ports), place


def _map(
    outer: _Side, inner: _Side, proto: str, count: int, note: str, number: int, outside: IPAddress | None
) -> Iterator[Mapping]:
    public = read_plain_address(outer.low) if outer.low else outside
    if public is None:
        raise ValueError(_OF_INTERFACE)
    ports = [read_port(port) for port in outer.ports]
    first, last = (ports[0], ports[-1]) if ports else (0, 0)
    own = read_port(inner.ports[0]) if inner.ports else 0
    inside = read_plain_address(inner.low)
    hosts = count_range(inner.low, inner.high)
    if not proto and first:
        raise ValueError("ports without a protocol")
    if hosts > 1 and not outer.high:
        if last - first + 1 != hosts:
            raise ValueError("as many ports outside as hosts inside are wanted")
        for step in range(hosts):
            yield Mapping(public, proto, first + step, first + step, shift(inside, step), own, note=note, line=number)
        return
    whole = count_range(outer.low, outer.high) if outer.low else 1
    if whole != hosts:
        raise ValueError("as many addresses outside as inside are wanted")
    one = Mapping(public, proto, first, last, inside, own if first else 0, note=note, line=number)
    yield from spread(one, max(whole, count))


def _read_static(words: Sequence[str], number: int, outside: IPAddress | None) -> Iterator[Mapping]:
    """Read Comware's `outbound LOCAL GLOBAL` and `inbound GLOBAL LOCAL`, each for a whole address."""
    if outside is not None and not words:
        raise ValueError("nothing in it")
    way = words[0].lower() if words else ""
    addresses = [word for word in words[1:] if is_address(word)]
    if way not in {"outbound", "inbound"} or len(addresses) != 2 or "net-to-net" in words:
        raise ValueError("a static mapping of another kind: enter it by hand")
    inner, outer = addresses if way == "outbound" else addresses[::-1]
    yield Mapping(read_plain_address(outer), "", 0, 0, read_plain_address(inner), line=number)
