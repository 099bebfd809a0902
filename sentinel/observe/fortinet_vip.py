"""`config firewall vip` of a FortiGate configuration in; what is published out.

Source: made from the published CLI reference of FortiOS 6 and 7; not yet held against the export of a real device.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sentinel.model.plain import read_plain_address
from sentinel.model.publication import Mapping, Via
from sentinel.model.unit import IPAddress
from sentinel.observe.published import Found, Unread, count_range, numbered, read_ports, read_proto, spread

_START = re.compile(r"config\s+firewall\s+vip6?\s*\Z", re.IGNORECASE)
_ANY = frozenset({"0.0.0.0", "::"})  # noqa: S104  what FortiOS writes for the address of the interface
_BALANCED = frozenset({"server-load-balance", "load-balance"})


def is_fortinet_vip(text: str) -> bool:
    """Tell whether a text holds such a section."""
    return any(_START.match(line.strip()) for line in text.splitlines())


@dataclass(slots=True)
class _Entry:
    """One `edit` of the section."""

    line: int
    name: str
    sets: dict[str, list[str]] = field(default_factory=dict)
    servers: list[dict[str, list[str]]] = field(default_factory=list)

    def first(self, key: str) -> str:
        return next(iter(self.sets.get(key, ())), "")


def parse_fortinet_vip(lines: Iterable[str], outside: IPAddress | None = None) -> Found:
    """Yield what each entry publishes; `outside` stands for the address of an interface."""
    for entry in _read_entries(lines):
        if entry.first("status").lower() == "disable":
            continue
        try:
            yield from _map(entry, outside)
        except ValueError as error:
            told = str(error)
            yield Unread(entry.line, told if told.islower() else "an address or port that cannot be read")


def _read_entries(lines: Iterable[str]) -> Iterator[_Entry]:
    entry: _Entry | None = None
    depth = 0
    for number, line in numbered(lines):
        if not depth:
            depth = int(bool(_START.match(line)))
            continue
        words = _split(line)
        word = words[0].lower() if words else ""
        if word == "config":
            depth += 1
        elif word == "end":
            depth -= 1
            if not depth and entry:
                yield entry
                entry = None
        elif word == "edit" and depth == 1:
            entry = _Entry(number, words[1][:60] if len(words) > 1 else "")
        elif word == "edit" and entry:
            entry.servers.append({})
        elif word == "next" and depth == 1 and entry:
            yield entry
            entry = None
        elif word == "set" and entry and len(words) > 2:
            target = entry.sets if depth == 1 else entry.servers[-1] if depth == 2 and entry.servers else {}
            target[words[1].lower()] = words[2:]
    if entry:
        yield entry


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.replace('"', " ").split()


def _map(entry: _Entry, outside: IPAddress | None) -> Iterator[Mapping]:
    low, _, high = entry.first("extip").partition("-")
    public = outside if not low or low in _ANY else read_plain_address(low)
    if public is None:
        raise ValueError("the public address is that of an interface: give it with --outside")
    forwards = entry.first("portforward").lower() == "enable" or entry.first("type").lower() in _BALANCED
    proto = read_proto(entry.first("protocol") or "tcp") if forwards else ""
    first, last = read_ports(entry.first("extport")) if forwards and entry.first("extport") else (0, 0)
    if entry.first("type").lower() in _BALANCED or entry.servers:
        yield from _map_servers(entry, public, proto, first, last)
        return
    mapped = entry.first("mappedip")
    if not mapped:
        raise ValueError("no inside address in it")
    inner, _, until = mapped.partition("-")
    if low and low not in _ANY and count_range(low, high) != count_range(inner, until):
        raise ValueError("as many addresses outside as inside are wanted")
    own = read_ports(entry.first("mappedport"))[0] if forwards and entry.first("mappedport") else 0
    one = Mapping(
        public, proto if first else "", first, last, read_plain_address(inner), own if first else 0, note=entry.name,
        line=entry.line,
    )  # fmt: skip
    yield from spread(one, count_range(inner, until))


def _map_servers(entry: _Entry, public: IPAddress, proto: str, first: int, last: int) -> Iterator[Mapping]:
    if not entry.servers:
        raise ValueError("no servers behind it")
    for server in entry.servers:
        if server.get("status", [""])[0].lower() == "disable":
            continue
        inside = read_plain_address(server.get("ip", [""])[0])
        own = read_ports(server["port"][0])[0] if "port" in server and first else 0
        yield Mapping(
            public, proto if first else "", first, last, inside, own, via=Via.BALANCER, note=entry.name, line=entry.line
        )
