"""A unit and a moment in; its map, its changes, and all the facts a report needs out."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from sentinel.inventory.diff import diff_maps, sort_rows
from sentinel.model.blanket import NO_BLANKETS, Blankets
from sentinel.model.endpoint import (
    Change,
    Coverage,
    Endpoint,
    EndpointKey,
    EndpointState,
    Host,
    MapRow,
    Run,
    answers_everything,
)
from sentinel.model.facts import NetworkCoverage
from sentinel.model.unit import IPAddress, IPNetwork, Network, Unit
from sentinel.schedule.context import Context
from sentinel.store import endpoints as store
from sentinel.store import runs as run_store
from sentinel.store.idset import IdSet
from sentinel.store.points import read_blankets
from sentinel.store.units import read_networks

LARGEST_COUNTED = 1 << 20
"""Prefixes with more addresses (an IPv6 /64) are never swept, so a share of them would say nothing."""

Span = tuple[int, int, int]
"""Version, first and last address as integers."""

_BLOCK_BITS = 8
_MANY_BLOCKS = 256

LIVE_STATES = frozenset({EndpointState.OPEN, EndpointState.UNKNOWN})


def iterate_map(
    context: Context,
    unit: Unit,
    at: datetime | None = None,
    states: Iterable[EndpointState] = (EndpointState.OPEN,),
) -> Iterator[MapRow]:
    """Give the unit's endpoints at a moment (None: now) one by one, by network; all rows of an address together."""
    wanted = frozenset(states)
    confirmations = Confirmations(run_store.read_confirmed(context.database, unit.code, at))
    for network in read_networks(context.database, unit.code):
        names = store.Beside(store.read_names(context.database, network.id, at))
        for endpoint in store.read_as_of(context.database, [network.id], at):
            if endpoint.state in wanted:
                known = names.at(str(endpoint.key.address))
                confirmed = confirmations.complete(endpoint)
                yield MapRow(unit.code, network.name, network.zone, confirmed, known)


def read_map(
    context: Context,
    unit: Unit,
    at: datetime | None = None,
    states: Iterable[EndpointState] = (EndpointState.OPEN,),
) -> tuple[MapRow, ...]:
    """Give the unit's endpoints at a moment (None: now), in the order of network, address, protocol, port."""
    return sort_rows(iterate_map(context, unit, at, states))


def find_blankets(context: Context, unit: Unit, at: datetime | None = None) -> Blankets:
    """Find the ports on which whole blocks of a unit's addresses answer at a moment (None: now)."""
    return read_blankets(context.database, [one.id for one in read_networks(context.database, unit.code)], at)


def leave_out_answering(rows: Iterable[MapRow], blankets: Blankets = NO_BLANKETS) -> tuple[list[MapRow], list[MapRow]]:
    """Part the endpoints that mean something from those of boxes that answer on whatever they are asked.

    Of a host that answers on every port only the ports where a service spoke mean something; of a block that answers on
    every address only what can be told from the box in front. Rows of one address must stand together.
    """
    meant: list[MapRow] = []
    left_out: list[MapRow] = []
    for _, group in groupby(rows, key=lambda row: (row.network, row.endpoint.key.address)):
        of_host = list(group)
        everything = answers_everything(of_host)
        for row in of_host:
            mute = everything and not row.endpoint.fingerprint.is_identified
            (left_out if mute or blankets.covers(row.endpoint) else meant).append(row)
    return meant, left_out


def leave_out_ghosts(rows: Iterable[MapRow], blankets: Blankets) -> Iterator[MapRow]:
    """Leave out the addresses at which only a blanket answers; its box is listed under the block's first address."""
    for _, group in groupby(rows, key=lambda row: (row.network, row.endpoint.key.address)):
        of_host = list(group)
        if not all(blankets.covers(row.endpoint) for row in of_host) or blankets.is_first(of_host[0].endpoint.key):
            yield from of_host


class Confirmations:
    """The newest run that saw each interval; four bytes for each id up to the greatest."""

    def __init__(self, confirmed: Iterable[tuple[Run, IdSet]]) -> None:
        told = IdSet()
        self._runs: list[Run] = []
        self._newest = array("I")
        for run, ids in confirmed:
            if fresh := told.join(ids):
                self._runs.append(run)
                self._note(fresh, len(self._runs))

    def _note(self, ids: IdSet, place: int) -> None:
        for one in ids:
            if one >= len(self._newest):
                self._newest.extend([0] * (one + 1 - len(self._newest) + (len(self._newest) >> 3)))
            self._newest[one] = place

    def complete(self, endpoint: Endpoint) -> Endpoint:
        """Give an interval with when it was last confirmed, and by which evidence."""
        place = self._newest[endpoint.id] if endpoint.id < len(self._newest) else 0
        if not place:
            return endpoint
        run = self._runs[place - 1]
        return replace(endpoint, last_confirmed=run.time, evidence=run.evidence)


def read_diff(context: Context, unit: Unit, start: datetime, end: datetime) -> tuple[Change, ...]:
    """Give the differences of the unit's map between two moments; only endpoints that changed are read."""
    networks = [network.id for network in read_networks(context.database, unit.code)]
    before, after = store.read_touched(context.database, networks, start, end)
    ends = store.read_closings(context.database, networks, start, end)
    looked = Lookout(context, unit, start, end)
    return diff_maps(
        _complete(context, unit, before, start),
        _complete(context, unit, after, end),
        was_covered=looked.was_covered,
        closed_at=ends.get,
    )


def _complete(context: Context, unit: Unit, touched: Iterable[Endpoint], at: datetime) -> Iterator[MapRow]:
    """Give the rows `iterate_map` gives of some endpoints."""
    live = [one for one in touched if one.state in LIVE_STATES]
    confirmations = Confirmations(run_store.read_confirmed(context.database, unit.code, at)) if live else None
    networks = {network.id: network for network in read_networks(context.database, unit.code)}
    names: dict[tuple[int, str], tuple[str, ...]] = {}
    for number in networks:
        addresses = sorted({str(one.key.address) for one in live if one.key.network == number})
        told = store.read_names_at(context.database, number, addresses, at)
        names |= {(number, address): each for address, each in told}
    for one in live:
        network = networks[one.key.network]
        known = names.get((network.id, str(one.key.address)), ())
        full = confirmations.complete(one) if confirmations else one
        yield MapRow(unit.code, network.name, network.zone, full, known)


class Lookout:
    """Tells whether anybody had looked at an endpoint before it was first seen open in a span."""

    def __init__(self, context: Context, unit: Unit, start: datetime, end: datetime) -> None:
        self._database = context.database
        self._start = start
        self._runs: dict[str, list[Run]] = {}
        for run in run_store.read_runs(context.database, unit.code, until=end):
            self._runs.setdefault(run.vantage, []).append(run)
        self._places = {run.id: place for runs in self._runs.values() for place, run in enumerate(runs)}
        self._looks: dict[str, _Looks] = {}

    def was_covered(self, key: EndpointKey) -> bool:
        """Tell whether a finished scan from this vantage had the endpoint in its scope before that."""
        runs = self._runs.get(key.vantage, [])
        opener = store.find_opener(self._database, key, self._start)
        before = self._places.get(opener, len(runs)) if opener is not None else len(runs)
        if key.vantage not in self._looks:
            self._looks[key.vantage] = _Looks(run_store.read_coverage(self._database, run.id) for run in runs)
        return any(
            place < before and coverage.holds(key.address, key.proto, key.port)
            for place, coverage in self._looks[key.vantage].near(key.address)
        )


class _Looks:
    """What runs covered, found by the block an address lies in: of thousands of runs a few looked near it."""

    def __init__(self, coverages: Iterable[Coverage]) -> None:
        self._near: dict[tuple[int, int], list[tuple[int, Coverage]]] = {}
        self._wide: list[tuple[int, Coverage]] = []
        for place, coverage in enumerate(coverages):
            blocks = self._blocks(coverage)
            for block in blocks or ():
                self._near.setdefault(block, []).append((place, coverage))
            if blocks is None:
                self._wide.append((place, coverage))

    def near(self, address: IPAddress) -> Iterator[tuple[int, Coverage]]:
        """Give the runs, by their place, that may have covered an address."""
        yield from self._near.get((address.version, int(address) >> _BLOCK_BITS), ())
        yield from self._wide

    def _blocks(self, coverage: Coverage) -> set[tuple[int, int]] | None:
        found: set[tuple[int, int]] = set()
        for version, low, high in coverage.addresses.ranges:
            first, last = low >> _BLOCK_BITS, high >> _BLOCK_BITS
            if len(found) + last - first > _MANY_BLOCKS:
                return None
            found.update((version, block) for block in range(first, last + 1))
        return found


def read_unit_hosts(context: Context, networks: Iterable[Network]) -> tuple[Host, ...]:
    """Give the hosts of networks, by network and address."""
    hosts = [host for network in networks for host in store.read_hosts(context.database, network)]
    return tuple(sorted(hosts, key=lambda host: (host.network, *store.sort_key(host.address))))


def read_network_coverage(
    context: Context, unit: Unit, networks: Iterable[Network], start: datetime, end: datetime
) -> tuple[NetworkCoverage, ...]:
    """Give how much of each network finished scans looked at in a span."""
    looked = _read_looks(context, unit, start, end)
    return tuple(_network_coverage(network, looked) for network in networks)


def read_coverages(context: Context, unit: Unit, start: datetime, end: datetime) -> tuple[Coverage, ...]:
    """Give what each run of a span that asked ports finished."""
    return tuple(coverage for _, coverage in _read_looks(context, unit, start, end))


def _read_looks(context: Context, unit: Unit, start: datetime, end: datetime) -> list[tuple[Run, Coverage]]:
    runs = run_store.read_runs(context.database, unit.code, after=start, until=end)
    looked = [(run, run_store.read_coverage(context.database, run.id)) for run in runs]
    return [(run, coverage) for run, coverage in looked if coverage.ports]


def _network_coverage(network: Network, looked: list[tuple[Run, Coverage]]) -> NetworkCoverage:
    planned = planned_spans((network,))
    declared = [span_of(prefix) for prefix in network.prefixes]
    covered: list[Span] = []
    newest: Run | None = None
    ports: dict[str, int] = {}
    for run, coverage in looked:
        if clip_spans(coverage.addresses.ranges, declared):
            covered += clip_spans(coverage.addresses.ranges, planned)
            newest = run if newest is None or run.time >= newest.time else newest
            for proto, asked in coverage.ports:
                ports[proto] = max(len(asked), ports.get(proto, 0))
    return NetworkCoverage(
        network=network.name,
        planned=count_addresses(planned),
        covered=count_addresses(covered),
        ports="，".join(f"{proto} {count}" for proto, count in sorted(ports.items())),
        newest=newest.time if newest else None,
        prefixes=len(network.prefixes),
    )


def planned_spans(networks: Iterable[Network]) -> list[Span]:
    """Give what of declared prefixes hosts can have: not network and broadcast address, nor a whole IPv6 /64."""
    return [
        span_of(prefix)
        for network in networks
        for prefix in network.prefixes
        if prefix.num_addresses <= LARGEST_COUNTED
    ]


def span_of(prefix: IPNetwork) -> Span:
    """Give a prefix as a range, without the network's own and the broadcast address."""
    edge = int(prefix.version == 4 and prefix.prefixlen < 31)
    return prefix.version, int(prefix.network_address) + edge, int(prefix.broadcast_address) - edge


def clip_spans(spans: Iterable[Span], limits: Iterable[Span]) -> list[Span]:
    """Give the parts of spans that lie inside limits; they may overlap."""
    return [
        (version, max(low, first), min(high, last))
        for limit, first, last in limits
        for version, low, high in spans
        if version == limit and low <= last and high >= first
    ]


def count_addresses(spans: Iterable[Span]) -> int:
    """Count the addresses in spans that may overlap."""
    total = 0
    end = (0, -1)
    for version, low, high in sorted(spans):
        start = low if end[0] != version else max(low, end[1] + 1)
        if high >= start:
            total += high - start + 1
            end = (version, high)
    return total
