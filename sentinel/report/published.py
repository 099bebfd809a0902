"""Publications of a unit in; by which public address its inside hosts are reached, as lines and words, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sentinel.model.facts import UnitFacts
from sentinel.model.publication import Mapping as Ends
from sentinel.model.publication import Publication
from sentinel.model.rule import Severity
from sentinel.model.unit import OUTSIDE, IPAddress
from sentinel.report.clean import clean
from sentinel.report.values import Text

SOURCES: Final = {
    "declared": "登记",
    "fortinet": "FortiGate",
    "iptables": "iptables",
    "nat-server": "nat server",
    "nginx": "nginx",
    "sheet": "表格",
    "certificate": "证书相同",
    "title": "标题相同",
}
"""Where publications come from, for people."""

Severities = Mapping[IPAddress, Severity]
_OPEN: Final = Text("开放", "open")
_ABSENT: Final = Text("地图上没有", "not on the map")


@dataclass(frozen=True, slots=True)
class PublicationLine:
    """A publication in force, and what is known of the host behind it.

    Attributes:
        outside: public address and ports, or `任意` where only the name leads in.
        name: domain name, or empty.
        inside: inside address and ports.
        via: what stands between.
        owner: department that answers for the inside host by the register; empty: none is known.
        seen: whether an open port behind it is on the map.
        worst: worst live finding on the inside host.
        until: when it ends; None: it has no end.
    """

    outside: Text
    name: str
    inside: Text
    via: Text
    owner: str
    seen: Text
    worst: Severity | None
    until: datetime | None


def outside_words(mapping: Ends) -> Text:
    """Write the public end: `203.0.113.5:443/tcp`."""
    where = str(mapping.outside) if mapping.outside is not None else ""
    return _place(where, mapping.first_port, mapping.last_port, mapping.proto)


def inside_words(mapping: Ends) -> Text:
    """Write the inside end: `10.0.0.5:8443/tcp`."""
    first = (mapping.inside_port or mapping.first_port) if mapping.first_port else 0
    return _place(str(mapping.inside), first, first + mapping.last_port - mapping.first_port, mapping.proto)


def _place(where: str, first: int, last: int, proto: str) -> Text:
    host = f"[{where}]" if ":" in where and first else where
    known = Text(host, host) if host else Text("任意", "any")
    end = Text(" 全部端口", " all ports")
    if first:
        ports = f":{first}{f'-{last}' if last > first else ''}/{proto}"
        end = Text(ports, ports)
    return Text(known.zh + end.zh, known.en + end.en)


def ways_in(facts: UnitFacts) -> dict[IPAddress, tuple[Text, ...]]:
    """Give for each inside address by which public ends it is reached, each with its name."""
    found: defaultdict[IPAddress, list[Text]] = defaultdict(list)
    for one in facts.published:
        name = clean(one.mapping.name, 60)
        end = outside_words(one.mapping)
        tail = f" {name}" if name else ""
        known = one.mapping.outside is not None
        found[one.mapping.inside].append(Text(end.zh + tail, end.en + tail) if known else Text(name, name))
    return {address: tuple(dict.fromkeys(ends)) for address, ends in found.items()}


def publication_lines(facts: UnitFacts, worst: Severities) -> tuple[PublicationLine, ...]:
    """List the publications in force; those that lead to the worst findings first.

    `worst` is the worst live finding on each host and its ports, where there is any.
    """
    seen = seen_words(facts)
    owners = {
        host.address: clean(host.entry.department, 40)
        for host in facts.standing.hosts
        if host.entry and host.entry.department
    }
    lines = [
        _line(one, seen[one.id], owners.get(one.mapping.inside, ""), worst.get(one.mapping.inside))
        for one in facts.published
    ]
    return tuple(sorted(lines, key=lambda line: line.worst.rank if line.worst else 9))


def seen_words(facts: UnitFacts) -> dict[int, Text]:
    """Tell of each publication, by row id, whether an open port behind it is on the map."""
    ports: defaultdict[IPAddress, set[tuple[str, int]]] = defaultdict(set)
    for row in facts.rows:
        key = row.endpoint.key
        if key.vantage != OUTSIDE:
            ports[key.address].add((key.proto, key.port))
    found = {}
    for one in facts.published:
        there = ports.get(one.mapping.inside, ())
        leads = any(one.mapping.outside_of(proto, port) is not None for proto, port in there)
        found[one.id] = _OPEN if leads else _ABSENT
    return found


def _line(one: Publication, seen: Text, owner: str, worst: Severity | None) -> PublicationLine:
    name, via = clean(one.mapping.name, 60), Text(one.mapping.via.zh, one.mapping.via.value)
    ends = outside_words(one.mapping), inside_words(one.mapping)
    return PublicationLine(ends[0], name, ends[1], via, owner, seen, worst, one.valid_to)
