"""Facts of a unit in, the grid of its map out: a row for each segment of addresses, a column for each use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from sentinel.model.endpoint import MapRow
from sentinel.model.facts import NetworkCoverage, UnitFacts
from sentinel.model.finding import Finding
from sentinel.model.flow import FlowClass
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress, Network, Zone
from sentinel.report.clean import clean
from sentinel.report.hosts import Panel, block_of, subjects_of
from sentinel.report.uses import Use, use_of
from sentinel.report.values import Text
from sentinel.report.words import term, text

SEGMENTS_DRAWN: Final = 34
"""So many rows fill a printed page; of more the worst and fullest are drawn and the rest is one row."""

_GRAVE: Final = {Severity.CRITICAL, Severity.HIGH}
Block = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Cell:
    """Endpoints of one use in one segment; for mining, hosts.

    Attributes:
        count: how many.
        guessed: of these named by their port number alone.
        worst: worst live finding on one of them.
        grave: of these with a critical or high finding.
    """

    count: int = 0
    guessed: int = 0
    worst: Severity | None = None
    grave: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """A row: a /24 (IPv6: a /64) of a network, or a declared range in which no host was seen.

    Attributes:
        network: name of the network; empty for the row of the rest.
        zone: what the network serves.
        block: the addresses; empty for the row of the rest.
        state: covered, partial, unknown (nobody looked), logs, or undeclared: what an empty cell means.
        hosts: hosts seen.
        ports: open endpoints.
        cells: one for each use of the grid.
    """

    network: str
    zone: Text
    block: str
    state: str
    hosts: int
    ports: int
    cells: tuple[Cell, ...]

    @property
    def grave(self) -> int:
        """Endpoints with a critical or high finding."""
        return sum(cell.grave for cell in self.cells)


@dataclass(frozen=True, slots=True)
class UseGrid:
    """The grid.

    Attributes:
        uses: the columns: the uses that were seen.
        segments: all segments, in the order of networks and addresses.
        drawn: those a picture shows, in the same order.
        rest: the others as one row; None: all are drawn.
        rest_count: how many these are.
        mining_looked: captures were analysed; else an empty cell of mining means nothing.
        alt: what the picture says.
    """

    uses: tuple[Use, ...]
    segments: tuple[Segment, ...]
    drawn: tuple[Segment, ...]
    rest: Segment | None
    rest_count: int
    mining_looked: bool
    alt: Text

    def filled(self, segment: Segment) -> tuple[tuple[Use, Cell], ...]:
        """Give the cells of a row in which there is something, each with its use."""
        return tuple((use, cell) for use, cell in zip(self.uses, segment.cells, strict=True) if cell.count)

    @property
    def unseen(self) -> tuple[Use, ...]:
        """Uses no endpoint had."""
        return tuple(use for use in Use if use not in self.uses)


@dataclass(slots=True)
class _Tally:
    """What is counted while rows go by."""

    counts: defaultdict[Use, int] = field(default_factory=lambda: defaultdict(int))
    guessed: defaultdict[Use, int] = field(default_factory=lambda: defaultdict(int))
    grave: defaultdict[Use, int] = field(default_factory=lambda: defaultdict(int))
    worst: dict[Use, Severity] = field(default_factory=dict)
    hosts: int = 0
    ports: int = 0
    miners: dict[IPAddress, Severity] = field(default_factory=dict)

    def add(self, use: Use, severity: Severity | None, *, guessed: bool) -> None:
        self.counts[use] += 1
        self.guessed[use] += guessed
        if severity is not None:
            self.grave[use] += severity in _GRAVE
            known = self.worst.get(use)
            self.worst[use] = severity if known is None or severity.rank < known.rank else known

    def note_miner(self, address: IPAddress, severity: Severity) -> None:
        known = self.miners.get(address)
        self.miners[address] = severity if known is None or severity.rank < known.rank else known


Place = tuple[str, Block]


def build_grid(facts: UnitFacts, panels: Iterable[Panel]) -> UseGrid:
    """Build the grid; a port seen from several vantages counts once."""
    tallies = _count(facts)
    for panel in panels:
        for host in panel.hosts:
            tallies[panel.network, block_of(host.address)].hosts += 1
    miners = _place_miners(facts, tallies)
    uses = tuple(use for use in Use if any(tally.counts.get(use) for tally in tallies.values()))
    segments = tuple(_segments(facts, tallies, uses))
    drawn = _choose(segments)
    left = [segment for segment in segments if segment not in drawn]
    worst = sum(cell.grave > 0 for segment in segments for cell in segment.cells)
    ports = sum(segment.ports for segment in segments)
    return UseGrid(
        uses=uses,
        segments=segments,
        drawn=tuple(segment for segment in segments if segment in drawn),
        rest=_sum(left, len(uses)) if left else None,
        rest_count=len(left),
        mining_looked=facts.captures_analysed > 0 or miners,
        alt=text("alt_grid", segments=len(segments), uses=len(uses), ports=ports, worst=worst),
    )


def worst_on(findings: Iterable[Finding]) -> Mapping[tuple[int, str], Severity]:
    """Give the worst live finding on each subject, by network and subject."""
    worst: dict[tuple[int, str], Severity] = {}
    for one in findings:
        if one.state.is_live:
            place = (one.key.network, one.key.subject)
            known = worst.get(place)
            worst[place] = one.severity if known is None or one.severity.rank < known.rank else known
    return worst


def severity_of(row: MapRow, worst: Mapping[tuple[int, str], Severity]) -> Severity | None:
    """Give the worst finding on an endpoint, whichever way its address is written."""
    key = row.endpoint.key
    found = [worst.get((key.network, subject)) for subject in subjects_of(key.address, key.proto, key.port)]
    return min((one for one in found if one is not None), key=lambda one: one.rank, default=None)


def _count(facts: UnitFacts) -> defaultdict[Place, _Tally]:
    worst = worst_on(facts.findings)
    concerned = {network for network, _ in worst}
    tallies: defaultdict[Place, _Tally] = defaultdict(_Tally)
    blocks: dict[IPAddress, Block] = {}
    names = {network: clean(network, 40) for network in {row.network for row in facts.rows}}
    last: tuple[object, ...] = ()
    for row in facts.rows:
        key = row.endpoint.key
        this = (row.network, key.address, key.proto, key.port)
        if this == last:
            continue
        last = this
        if key.address not in blocks:
            blocks[key.address] = block_of(key.address)
        severity = severity_of(row, worst) if key.network in concerned else None
        tally = tallies[names[row.network], blocks[key.address]]
        tally.ports += 1
        use = use_of(row.endpoint)
        if use is Use.MINING:
            tally.note_miner(key.address, severity or Severity.MEDIUM)
        else:
            tally.add(use, severity, guessed=row.endpoint.fingerprint.guessed)
    return tallies


def _place_miners(facts: UnitFacts, tallies: defaultdict[Place, _Tally]) -> bool:
    """Put hosts that traffic shows mining in their segments; an address in several networks counts in the first."""
    networks: dict[Block, str] = {}
    for network, block in tallies:
        networks.setdefault(block, network)
    for flow in facts.flows:
        address = _read_address(flow.host) if flow.flow_class in {FlowClass.MINING, FlowClass.SUSPECT} else None
        if address is not None:
            block = block_of(address)
            name = networks.get(block) or next((n.name for n in facts.networks if n.contains(address)), "")
            if name:
                proven = flow.flow_class is FlowClass.MINING
                tallies[clean(name, 40), block].note_miner(address, Severity.CRITICAL if proven else Severity.MEDIUM)
    for tally in tallies.values():
        for severity in tally.miners.values():
            tally.add(Use.MINING, severity, guessed=False)
    return any(tally.miners for tally in tallies.values())


def _read_address(words: str) -> IPAddress | None:
    try:
        return ip_address(words)
    except ValueError:
        return None


def _segments(facts: UnitFacts, tallies: Mapping[Place, _Tally], uses: tuple[Use, ...]) -> Iterable[Segment]:
    declared = {clean(network.name, 40): network for network in facts.networks}
    coverage = {clean(line.network, 40): line for line in facts.coverage}
    told = {row.network: row.zone for row in facts.rows} | {host.network: host.zone for host in facts.hosts}
    zones = {clean(network, 40): zone for network, zone in told.items()}
    by_network: defaultdict[str, list[Block]] = defaultdict(list)
    for network, block in tallies:
        by_network[network].append(block)
    for name in [*declared, *sorted(set(by_network) - set(declared))]:
        network_ = declared.get(name)
        zone = network_.zone if network_ else zones.get(name, Zone.UNKNOWN)
        state = _state(network_, coverage.get(name))
        for block in sorted(by_network[name], key=lambda one: (one.version, int(one.network_address))):
            yield _segment(name, zone, _shown(block, network_), state, tallies[name, block], uses)
        for prefix in network_.prefixes if network_ else ():
            if not any(prefix.version == block.version and _meets(prefix, block) for block in by_network[name]):
                yield _segment(name, zone, str(prefix), state, _Tally(), uses)


def _meets(prefix: Block, block: Block) -> bool:
    return prefix.overlaps(block) if prefix.version == block.version else False


def _shown(block: Block, network: Network | None) -> str:
    """Name a block by the declared range inside it when there is just one: `10.20.0.0/27`, not `10.20.0.0/24`."""
    inside = [
        prefix
        for prefix in (network.prefixes if network else ())
        if prefix.version == block.version and prefix.prefixlen > block.prefixlen and _meets(prefix, block)
    ]
    return str(ip_network(inside[0])) if len(inside) == 1 else str(block)


def _state(network: Network | None, known: NetworkCoverage | None) -> str:
    if network is None or not network.prefixes:
        return "undeclared"
    if not network.scannable:
        return "logs"
    if known is None or known.covered == 0:
        return "unknown"
    return "covered" if known.covered >= known.planned else "partial"


def _segment(name: str, zone: Zone, block: str, state: str, tally: _Tally, uses: tuple[Use, ...]) -> Segment:
    cells = tuple(
        Cell(tally.counts.get(use, 0), tally.guessed.get(use, 0), tally.worst.get(use), tally.grave.get(use, 0))
        for use in uses
    )
    return Segment(name, term(zone), block, state, tally.hosts, tally.ports, cells)


def _choose(segments: tuple[Segment, ...]) -> set[Segment]:
    ranked = sorted(segments, key=lambda one: (-one.grave, -one.ports, -one.hosts))
    return set(ranked if len(ranked) <= SEGMENTS_DRAWN else ranked[: SEGMENTS_DRAWN - 1])


def _sum(segments: Iterable[Segment], width: int) -> Segment:
    kept = list(segments)
    states = {segment.state for segment in kept}
    return Segment(
        network="",
        zone=Text("", ""),
        block="",
        state=states.pop() if len(states) == 1 else "partial",
        hosts=sum(segment.hosts for segment in kept),
        ports=sum(segment.ports for segment in kept),
        cells=tuple(_sum_cells([segment.cells[column] for segment in kept]) for column in range(width)),
    )


def _sum_cells(cells: list[Cell]) -> Cell:
    worst = min((cell.worst for cell in cells if cell.worst), key=lambda one: one.rank, default=None)
    return Cell(
        sum(cell.count for cell in cells),
        sum(cell.guessed for cell in cells),
        worst,
        sum(cell.grave for cell in cells),
    )
