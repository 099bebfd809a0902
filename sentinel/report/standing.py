"""Facts of a unit in, the register against what was seen out: lines by department, hosts by network, who is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sentinel.model.endpoint import MapRow
from sentinel.model.facts import UnitFacts
from sentinel.model.register import RegisterEntry
from sentinel.model.standing import HostStanding, Standing
from sentinel.model.unit import IPAddress
from sentinel.model.upkeep import Mark, PlaceKind, PlaceState
from sentinel.report.clean import clean, clean_all
from sentinel.report.findings import live_findings
from sentinel.report.hosts import service_name
from sentinel.report.values import Bar, Chart, Segment, Text
from sentinel.report.words import term, text

SHOWN_PORTS: Final = 10
"""Ports of a host that are printed; how many more there are stands beside them."""

_BARS: Final = 8
Rows = Mapping[tuple[str, IPAddress], Sequence[MapRow]]


def planned_lines(facts: UnitFacts) -> dict[int, Mark]:
    """Give the lines of which nothing is seen because they are off by plan, by row id, with the plan."""
    return {
        one.id: one.mark for one in facts.places if one.kind is PlaceKind.LINE and one.mark.state is PlaceState.OFFLINE
    }


def count_unseen(facts: UnitFacts) -> int:
    """Count the lines that were looked for and not seen, without those that are off by plan."""
    planned = planned_lines(facts)
    return sum(line.standing is Standing.UNSEEN and line.entry.id not in planned for line in facts.standing.lines)


@dataclass(frozen=True, slots=True)
class DepartmentLine:
    """What a department registered, and what was seen of it; `named` is false where lines name no department."""

    name: str
    named: bool
    lines: int
    seen: int
    expired: int
    unseen: int
    unchecked: int
    findings: int


@dataclass(frozen=True, slots=True)
class NetworkStanding:
    """The hosts seen in a network by what the register says of them."""

    name: str
    zone: Text
    hosts: int
    registered: int
    unregistered: int
    unchecked: int


@dataclass(frozen=True, slots=True)
class UnseenLine:
    """A line of the register of which nothing was seen where a finished scan looked, or which has ended."""

    source: str
    row: int
    system: str
    places: tuple[str, ...]
    department: str
    standing: Text
    reason: Text


@dataclass(frozen=True, slots=True)
class UnknownHost:
    """A host no line in force holds, with its open ports."""

    address: IPAddress
    network: str
    names: tuple[str, ...]
    ports: tuple[str, ...]
    more: int
    outside: bool


def build_departments(facts: UnitFacts) -> tuple[DepartmentLine, ...]:
    """Count the lines of each department by what was seen of them; most lines first, those without department last."""
    lines: defaultdict[str, Counter[Standing]] = defaultdict(Counter)
    for line in facts.standing.lines:
        lines[line.entry.department][line.standing] += 1
    findings = Counter(facts.owners.get(finding.id, "") for finding in live_findings(facts.findings))
    order = sorted(lines, key=lambda name: (not name, -sum(lines[name].values()), name))
    return tuple(_department(name, lines[name], findings[name]) for name in order)


def _department(name: str, counts: Mapping[Standing, int], findings: int) -> DepartmentLine:
    return DepartmentLine(
        name=clean(name, 40),
        named=bool(name),
        lines=sum(counts.values()),
        seen=counts[Standing.SEEN],
        expired=counts[Standing.EXPIRED],
        unseen=counts[Standing.UNSEEN] + counts[Standing.RETIRED],
        unchecked=counts[Standing.UNCHECKED],
        findings=findings,
    )


def build_networks(facts: UnitFacts) -> tuple[NetworkStanding, ...]:
    """Count the hosts of each network by what the register says of them."""
    counts: defaultdict[str, Counter[Standing]] = defaultdict(Counter)
    for host in facts.standing.hosts:
        counts[host.network][host.standing] += 1
    zones = {network.name: network.zone for network in facts.networks}
    order = [*(name for name in zones if name in counts), *sorted(set(counts) - set(zones))]
    return tuple(
        NetworkStanding(
            name=clean(name, 40),
            zone=term(zones[name]) if name in zones else text("zone_unknown"),
            hosts=sum(counts[name].values()),
            registered=counts[name][Standing.SEEN],
            unregistered=counts[name][Standing.UNREGISTERED] + counts[name][Standing.EXPIRED],
            unchecked=counts[name][Standing.UNCHECKED],
        )
        for name in order
    )


def line_chart(departments: Sequence[DepartmentLine]) -> Chart:
    """Draw the lines of the register by department; what was not checked is hatched."""
    bars = [
        Bar(
            Text(one.name, one.name) if one.named else text("no_department"),
            (
                Segment("accent", one.seen),
                Segment("medium", one.expired),
                Segment("muted", one.unseen),
                Segment("unknown", one.unchecked),
            ),
            text("count", n=one.lines),
        )
        for one in departments
    ]
    legend = (
        ("accent", text("standing_seen")),
        ("medium", text("standing_expired_but_seen")),
        ("muted", text("standing_registered_not_seen")),
        ("unknown", text("not_checked")),
    )
    total = [sum(getattr(one, name) for one in departments) for name in ("lines", "seen", "unseen", "unchecked")]
    alt = text("alt_register", lines=total[0], seen=total[1], unseen=total[2], unchecked=total[3])
    bars = _fold(bars)
    return Chart(tuple(bars or [_nothing_known()]), text("axis_lines"), alt, legend)


def host_chart(networks: Sequence[NetworkStanding]) -> Chart:
    """Draw the hosts seen by network; what could not be compared is hatched."""
    bars = [
        Bar(
            Text(f"{one.name} {one.zone.zh}", f"{one.name} {one.zone.en}"),
            (Segment("accent", one.registered), Segment("high", one.unregistered), Segment("unknown", one.unchecked)),
            text("count", n=one.hosts),
        )
        for one in networks
    ]
    legend = (
        ("accent", text("standing_seen")),
        ("high", text("standing_unregistered")),
        ("unknown", text("not_compared")),
    )
    total = [sum(getattr(one, name) for one in networks) for name in ("hosts", "registered", "unregistered")]
    alt = text("alt_hosts_standing", hosts=total[0], registered=total[1], unregistered=total[2])
    return Chart(tuple(_fold(bars) or [_nothing_known()]), text("axis_hosts"), alt, legend)


def _nothing_known() -> Bar:
    return Bar(text("not_checked"), (), text("not_checked"), unknown=True)


def _fold(bars: Sequence[Bar]) -> list[Bar]:
    """Sum up what does not fit as one last bar."""
    if len(bars) <= _BARS:
        return list(bars)
    rest = bars[_BARS - 1 :]
    pieces = zip(*(bar.segments for bar in rest), strict=True)
    segments = tuple(Segment(column[0].tone, sum(one.value for one in column)) for column in pieces)
    total = sum(bar.total for bar in rest)
    return [*bars[: _BARS - 1], Bar(text("rest_of", n=len(rest)), segments, text("count", n=total))]


def rows_by_host(facts: UnitFacts) -> dict[tuple[str, IPAddress], list[MapRow]]:
    """Give the open endpoints of each host."""
    rows: defaultdict[tuple[str, IPAddress], list[MapRow]] = defaultdict(list)
    for row in facts.rows:
        rows[row.network, row.endpoint.key.address].append(row)
    return rows


def port_words(rows: Sequence[MapRow]) -> list[str]:
    """Write the ports of a host as `443/tcp https`, once each, by number."""
    known = {(row.endpoint.key.port, row.endpoint.key.proto): service_name(row.endpoint) for row in rows}
    return [clean(f"{port}/{proto} {service}", 40) for (port, proto), service in sorted(known.items())]


def known_names(rows: Sequence[MapRow]) -> tuple[str, ...]:
    """Give the first names known for a host."""
    return clean_all(tuple(sorted({name for row in rows for name in row.names})), 60, 3)


def unknown_hosts(facts: UnitFacts, rows: Rows) -> tuple[UnknownHost, ...]:
    """List the unregistered hosts, those seen from outside first, then those with most open ports."""
    found = [host for host in facts.standing.hosts if host.standing is Standing.UNREGISTERED]
    found.sort(key=lambda host: (not host.outside, -len(rows.get((host.network, host.address), ()))))
    return tuple(_unknown_host(host, rows.get((host.network, host.address), ())) for host in found)


def _unknown_host(host: HostStanding, rows: Sequence[MapRow]) -> UnknownHost:
    ports = port_words(rows)
    shown = tuple(ports[:SHOWN_PORTS])
    return UnknownHost(
        host.address, clean(host.network, 40), known_names(rows), shown, len(ports) - len(shown), host.outside
    )


def place_words(entry: RegisterEntry) -> tuple[str, ...]:
    """Write the addresses, prefixes and names of a line; a single address without its length."""
    prefixes = (str(one.network_address if one.prefixlen == one.max_prefixlen else one) for one in entry.addresses)
    return (*prefixes, *entry.domains)


def unseen_lines(facts: UnitFacts) -> tuple[UnseenLine, ...]:
    """List the lines that ended and are still seen, then those that nothing was seen of where somebody looked.

    What is off by plan is left out.
    """
    order = {Standing.EXPIRED: 0, Standing.UNSEEN: 1, Standing.RETIRED: 2}
    planned = planned_lines(facts)
    lines = [one for one in facts.standing.lines if one.standing in order and one.entry.id not in planned]
    found = sorted(lines, key=lambda line: order[line.standing])
    return tuple(
        UnseenLine(
            source=clean(line.entry.source, 60),
            row=line.entry.row,
            system=clean(line.entry.system, 60),
            places=clean_all(place_words(line.entry), 60, 3),
            department=clean(line.entry.department, 40),
            standing=text(f"standing_{line.standing.value}"),
            reason=text(f"reason_{line.reason.value}"),
        )
        for line in found
    )
