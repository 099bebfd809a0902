"""Observations of a run in; sightings and marks joined with those stored, and the times the log speaks of, out.

Neither takes part in the intervals of endpoints: they depend on what was ever seen, not on the order it came in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sentinel.inventory.joining import GAP_US, LATEST_US, MARK_GAP_US, Busy, Stretch, join, read_stretch
from sentinel.inventory.marks import read_holding_marks, read_host_marks
from sentinel.log import warning
from sentinel.model.asset import MarkName
from sentinel.model.moment import EARLIEST, to_microseconds, to_optional
from sentinel.model.observation import HostObservation, Observation
from sentinel.model.sighting import AttachmentObservation, HoldingObservation, HoldingSource, TranslationObservation
from sentinel.model.trace import Holder, LogKind, Told
from sentinel.model.unit import IPAddress, Network, Zone, choose_network
from sentinel.schedule.context import Context
from sentinel.store import sightings as store
from sentinel.store.database import Transaction
from sentinel.store.marks import PERSON_MARKS, set_stale, write_marks
from sentinel.store.stretches import Key, Span

PHONE_ZONES = frozenset({Zone.DORMITORY, Zone.WIRELESS})
"""Where phones come and go: cards are counted and kept for traces, and are no assets."""

BATCH = 20_000
"""Sightings kept in memory before they are written."""

_SCAN = "scan"
_TABLES = frozenset({HoldingSource.ARP, HoldingSource.NEIGHBOUR})
_LOGS = {
    HoldingSource.RADIUS: LogKind.RADIUS,
    HoldingSource.PORTAL: LogKind.PORTAL,
    HoldingSource.DHCP: LogKind.DHCP,
    HoldingSource.ARP: LogKind.ARP,
    HoldingSource.NEIGHBOUR: LogKind.NEIGHBOUR,
}

_Named = tuple[int, bytes, Told, Holder, str, Stretch]
"""Network, address, how told, holder without its account, account name, stretch."""


class SightingTaker:
    """Takes the sightings and marks of one run, batch by batch, inside one transaction; nothing of a known one.

    Attributes:
        undated: rows that were not taken because their time is not told or impossible.
    """

    def __init__(
        self,
        context: Context,
        transaction: Transaction,
        networks: tuple[Network, ...],
        run: int,
        time: datetime,
        *,
        known: bool = False,
    ) -> None:
        self._known = known
        self._context = context
        self._transaction = transaction
        self._networks = networks
        self._space = store.space_of(networks)
        self._run = run
        self._time = time
        self._now = to_microseconds(transaction.now)
        self._latest = transaction.now + timedelta(days=1)
        self._places: dict[IPAddress, Network] = {}
        self._horizons = store.read_horizons(context.database)
        self._holdings: list[_Named] = []
        self._attachments: defaultdict[Key, list[Span]] = defaultdict(list)
        self._translations: list[store.TranslationRow] = []
        self._marks: defaultdict[tuple[int, bytes, str, str, str], list[Span]] = defaultdict(list)
        self._busy: defaultdict[tuple[LogKind, str, bytes], Busy] = defaultdict(Busy)
        self._count = 0
        self.undated = 0

    def take(self, batch: Iterable[Observation]) -> None:
        """Take some observations; those that are no sightings and mark nothing are passed over."""
        for one in () if self._known else batch:
            match one:
                case HostObservation():
                    self._take_host(one)
                case HoldingObservation():
                    self._take_holding(one)
                case AttachmentObservation():
                    self._take_attachment(one)
                case TranslationObservation():
                    self._take_translation(one)
        if self._count >= BATCH:
            self._write()

    def finish(self) -> None:
        """Write what is left, and which times the log speaks of."""
        self._write()
        if self.undated:
            warning("sightings without a possible time were not kept", run=self._run, rows=self.undated)
        spans = {key: busy.stretches(key[0], self._run) for key, busy in self._busy.items()}
        store.write_log_spans(self._transaction, self._space, spans)

    def _take_host(self, seen: HostObservation) -> None:
        if not (seen.up and (seen.answered or seen.endpoints)):
            return
        moment, network, source = to_microseconds(self._time), self._place(seen.address), _source_of(seen)
        if source != _SCAN and (network.zone in PHONE_ZONES or moment < self._horizons.get(PERSON_MARKS, 0)):
            return
        self._mark(network, seen.address, read_host_marks(seen), source, Stretch(moment, moment))

    def _take_holding(self, seen: HoldingObservation) -> None:
        told = read_stretch(seen, self._time, self._transaction.now)
        if told is None:
            self.undated += 1
            return
        how, since, until = told
        is_promise = seen.source is HoldingSource.DHCP and how is Told.HELD  # no line was written when the lease ends
        self._note(_LOGS[seen.source], seen.device, b"", (since,) if is_promise else (since, until))
        kind = "neighbour_holding" if seen.source in _TABLES else "person_holding"
        if until < max(self._horizons.get("holding", 0), self._horizons.get(kind, 0)):
            return
        network = self._place(seen.address)
        holder = Holder(seen.source, seen.mac, seen.name, seen.client_id, seen.device, seen.port, seen.vlan)
        stretch = Stretch(since, until, self._run)
        self._holdings.append((network.id, store.pack_address(seen.address), how, holder, seen.user, stretch))
        self._count += 1
        if network.zone not in PHONE_ZONES:
            seen_until = min(until, max(since, self._now))  # a lease ends in the future
            if seen_until >= self._horizons.get(PERSON_MARKS, 0):
                stretch = Stretch(since, seen_until)
                self._mark(network, seen.address, read_holding_marks(seen), seen.source.value, stretch)

    def _take_attachment(self, seen: AttachmentObservation) -> None:
        moment = self._moment(seen.time or self._time)
        if moment is None:
            self.undated += 1
            return
        self._note(LogKind.MAC, seen.device, b"", (moment,))
        if moment >= self._horizons.get("attachment", 0):
            key = (self._space, seen.mac, seen.device, seen.port, seen.vlan)
            self._attachments[key].append(Stretch(moment, moment, self._run))
            self._count += 1

    def _take_translation(self, seen: TranslationObservation) -> None:
        low, high = seen.ports
        whole = (low, high) == (0, 65_535)
        since = self._moment(seen.since or seen.until or (self._time if whole else None))
        if since is None or not 0 <= low <= high <= 65_535:
            self.undated += 1  # when nobody knows when, a session proves nothing
            return
        until = to_optional(seen.until)
        until = None if until is None else min(max(since, until), LATEST_US)
        outside = store.pack_address(seen.outside)
        self._note(LogKind.NAT, seen.device, outside, (since,) if until is None else (since, until))
        if (until or since) < self._horizons.get("translation", 0):
            return
        self._translations.append(
            store.TranslationRow(
                outside=outside,
                width=high - low + 1,
                port_low=low,
                since=since,
                until=until,
                proto=seen.proto,
                network=self._place(seen.inside).id,
                inside=store.pack_address(seen.inside),
                inside_port=seen.inside_port,
                peer=store.pack_address(seen.peer) if seen.peer is not None else b"",
                peer_port=seen.peer_port,
                device=seen.device,
            )
        )
        self._count += 1

    def _moment(self, moment: datetime | None) -> int | None:
        if moment is None or not EARLIEST <= moment <= self._latest:
            return None
        return to_microseconds(moment)

    def _place(self, address: IPAddress) -> Network:
        network = self._places.get(address)
        if network is None:
            network = self._places[address] = choose_network(self._networks, address)[0]
        return network

    def _note(self, kind: LogKind, device: str, subject: bytes, moments: Sequence[int]) -> None:
        busy = self._busy[kind, device, subject]
        for moment in moments:
            if moment <= self._now:
                busy.add(moment)

    def _mark(
        self, network: Network, address: IPAddress, names: Iterable[MarkName], source: str, stretch: Stretch
    ) -> None:
        packed = store.pack_address(address)
        for name in names:
            key = (network.id, packed, name.kind.value, name.value, source)
            self._marks[key].append(Stretch(stretch.since, stretch.until, self._run))
            self._count += 1

    def _write(self) -> None:
        self._write_holdings()
        store.write_attachments(self._transaction, self._attachments, _join_seen, GAP_US[Told.SEEN])
        store.write_translations(self._transaction, self._space, self._run, self._translations)
        write_marks(self._transaction, self._space, self._marks, _join_marks, MARK_GAP_US)
        self._attachments.clear()
        self._translations.clear()
        self._marks.clear()
        self._places.clear()
        self._count = 0

    def _write_holdings(self) -> None:
        accounts = store.intern_accounts(
            self._transaction,
            self._space,
            (user for *_, user, _ in self._holdings if user),
            self._context.make_seal,
        )
        named = [
            (network, address, told, _with_account(holder, accounts.get(user)), stretch)
            for network, address, told, holder, user, stretch in self._holdings
        ]
        holders = store.intern_holders(self._transaction, self._space, (holder for _, _, _, holder, _ in named))
        rows: defaultdict[tuple[int, int, bytes, str], list[Span]] = defaultdict(list)
        for network, address, told, holder, stretch in named:
            rows[holders[holder], network, address, told.value].append(stretch)
        store.write_holdings(self._transaction, rows, _join_holdings, max(GAP_US.values()))
        self._holdings.clear()


def replace_sightings(transaction: Transaction, networks: tuple[Network, ...]) -> None:
    """Put the sightings of a unit into its networks as they are declared now; its assets have to be made anew."""
    store.rehome_sightings(transaction, networks, lambda address: choose_network(networks, address)[0])
    set_stale(transaction, store.space_of(networks), stale=True)


def _with_account(one: Holder, account: int | None) -> Holder:
    if account is None:
        return one
    return Holder(one.source, one.mac, one.name, one.client_id, one.device, one.port, one.vlan, account)


def _join_holdings(key: Key, stretches: Sequence[Span]) -> Sequence[Span]:
    return join((Stretch(*one) for one in stretches), GAP_US[Told(key[3])])


def _join_seen(_: Key, stretches: Sequence[Span]) -> Sequence[Span]:
    return join((Stretch(*one) for one in stretches), GAP_US[Told.SEEN])


def _source_of(seen: HostObservation) -> str:
    """Tell who told of a host: a log of who held its address, whose marks are deleted on time, or a look at itself."""
    kind = "" if seen.endpoints else seen.reason.partition("-")[0]
    return kind if kind in {HoldingSource.DHCP, HoldingSource.ARP} else _SCAN


def _join_marks(_: Key, stretches: Sequence[Span]) -> Sequence[Span]:
    return join((Stretch(*one) for one in stretches), MARK_GAP_US)
