"""All observations of one run in; its counts, time, coverage and losses out, before anything touches the map."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sentinel.inventory.addresses import AddressSet
from sentinel.model.endpoint import AddressRanges, Coverage
from sentinel.model.moment import is_possible
from sentinel.model.observation import (
    CLOSED,
    OPEN,
    HostObservation,
    Loss,
    NameObservation,
    Observation,
    RunEnd,
    RunObservation,
)
from sentinel.model.ports import PortSet
from sentinel.model.probe import ProbeObservation
from sentinel.model.sighting import AttachmentObservation, HoldingObservation, HoldingSource, TranslationObservation


@dataclass(frozen=True, slots=True)
class SightingCounts:
    """How many sightings a run has: who held an address, on which port a card was, what a NAT made of a connection."""

    holdings: int = 0
    attachments: int = 0
    translations: int = 0


NO_SIGHTINGS = SightingCounts()


@dataclass(frozen=True, slots=True)
class Summary:
    """What one run amounts to.

    Attributes:
        tool: tool and version, e.g. `nmap 7.93`.
        arguments: its command line.
        time: when the looking ended; where the source does not tell, the time of arrival or the earlier one the file
            must have been written before.
        time_is_stated: the source told the time.
        hosts_stated_up: distinct addresses the source calls up.
        hosts_answered: distinct addresses with an open or closed port or a layer-2 answer.
        endpoints_open: distinct (address, protocol, port) in state exactly open.
        observations: rows read: hosts, names and sightings.
        coverage: ports asked and addresses finished, those that stayed silent among them.
        answered: addresses that answered.
        silent: addresses finished without any row.
        lost: what could not be read; empty when nothing.
        probes: packets sent, when the source tells.
        sightings: what there is for a trace: who held an address, where a card was, what a NAT did.
        passed_over: what was read and says nothing of hosts, by kind, with how many.
        accounts: the source names accounts of persons.
    """

    tool: str
    arguments: str
    time: datetime
    time_is_stated: bool
    hosts_stated_up: int
    hosts_answered: int
    endpoints_open: int
    observations: int
    coverage: Coverage
    answered: AddressRanges
    silent: AddressRanges
    lost: str
    probes: int | None
    sightings: SightingCounts = NO_SIGHTINGS
    passed_over: tuple[tuple[str, int], ...] = ()
    accounts: bool = False

    @property
    def is_log(self) -> bool:
        """It tells nothing else, so it changes no endpoint."""
        told = self.sightings.holdings + self.sightings.attachments + self.sightings.translations
        return 0 < told == self.observations and not len(self.coverage.addresses)


def summarise(observations: Iterable[Observation], arrived: datetime) -> Summary:
    """Read a whole run once; memory grows with the number of addresses, not of rows."""
    counter = _Counter()
    for one in observations:
        counter.take(one, arrived)
    return counter.build(arrived)


def has_answered(seen: HostObservation) -> bool:
    """Tell whether a host gave a sign of its own: an open or closed port, or a layer-2 answer."""
    return (
        seen.layer2
        or any(port.state in {OPEN, CLOSED} for port in seen.endpoints)
        or any(state == CLOSED for _, state in seen.rest)
        or any(ports for _, ports in seen.rest_closed)
    )


class _Counter:
    def __init__(self) -> None:
        self.run = RunObservation(tool="")
        self.end: RunEnd | None = None
        self.losses: list[Loss] = []
        self.up = AddressSet()
        self.signs = AddressSet()
        self.answered = AddressSet()
        self.complete = AddressSet()
        self.opens: defaultdict[tuple[str, int], AddressSet] = defaultdict(AddressSet)
        self.rows = 0
        self.holdings = self.attachments = self.translations = self.undated = 0
        self.accounts = False
        self.newest: datetime | None = None

    def take(self, one: Observation, arrived: datetime) -> None:
        match one:
            case HostObservation():
                self._host(one)
                self._moment(one.time, arrived)
            case NameObservation() | ProbeObservation():
                self.rows += 1
                self._moment(one.time, arrived)
            case TranslationObservation():
                self.translations += 1
                self.undated += one.since is None and one.until is None and one.ports != (0, 65_535)
                self._span(one.since, one.until, arrived)
            case HoldingObservation():
                self.holdings += 1
                self.accounts = self.accounts or bool(one.user)
                self._span(one.since, None if one.source is HoldingSource.DHCP else one.until, arrived)
            case AttachmentObservation():
                self.attachments += 1
                self._span(one.time, None, arrived)
            case RunObservation():
                self.run = one
            case RunEnd():
                self.end = one
            case Loss():
                self.losses.append(one)

    def _host(self, seen: HostObservation) -> None:
        self.rows += 1
        if seen.up:
            self.up.add(seen.address)
        if has_answered(seen):
            self.signs.add(seen.address)
        if seen.answered:
            self.answered.add(seen.address)
        if seen.complete:
            self.complete.add(seen.address)
        for port in seen.endpoints:
            if port.state == OPEN:
                self.opens[port.proto, port.port].add(seen.address)

    def _span(self, since: datetime | None, until: datetime | None, arrived: datetime) -> None:
        """Take the times of a sighting; when a lease will end says nothing of when the file was written."""
        self.rows += 1
        self._moment(since, arrived)
        self._moment(until, arrived)

    def _moment(self, moment: datetime | None, arrived: datetime) -> None:
        if moment is not None and is_possible(moment, arrived) and (self.newest is None or moment > self.newest):
            self.newest = moment

    def build(self, arrived: datetime) -> Summary:
        end = self.end or RunEnd()
        stated = next(
            (
                moment
                for moment in (end.finished, self.newest, self.run.started)
                if moment is not None and is_possible(moment, arrived)
            ),
            None,
        )
        silent = AddressRanges(end.silent)
        complete = self.complete.build_ranges()
        return Summary(
            tool=f"{self.run.tool} {self.run.version}".strip(),
            arguments=self.run.arguments,
            time=stated or _bound(end.before, arrived),
            time_is_stated=stated is not None,
            hosts_stated_up=len(self.up),
            hosts_answered=len(self.signs),
            endpoints_open=sum(map(len, self.opens.values())),
            observations=self.rows,
            coverage=_coverage(self.run.ports, complete | silent),
            answered=self.answered.build_ranges(),
            silent=silent,
            lost="; ".join([*map(_loss_text, self.losses), *self._undated_text()]),
            probes=end.probes,
            sightings=SightingCounts(self.holdings, self.attachments, self.translations),
            passed_over=end.passed_over,
            accounts=self.accounts or end.accounts,
        )

    def _undated_text(self) -> list[str]:
        return [f"{self.undated} NAT rows without a time were not kept"] if self.undated else []


def _bound(before: datetime | None, arrived: datetime) -> datetime:
    return min(before, arrived) if before is not None and is_possible(before, arrived) else arrived


def _coverage(ports: tuple[tuple[str, PortSet], ...], addresses: AddressRanges) -> Coverage:
    asked = tuple((proto, one) for proto, one in ports if one)
    return Coverage(asked if len(addresses) else (), addresses)


def _loss_text(loss: Loss) -> str:
    return f"{loss.where}: {loss.what}" if loss.where else loss.what
