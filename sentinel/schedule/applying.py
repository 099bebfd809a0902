"""A run's observations in, batch by batch; endpoints, hosts and names of the map as they are after it out."""

from __future__ import annotations

from dataclasses import replace

from sentinel.inventory.addresses import AddressSet
from sentinel.inventory.apply import Look, Update, apply_host, apply_silence
from sentinel.model.endpoint import AddressRanges, Endpoint, EndpointState
from sentinel.model.moment import to_microseconds
from sentinel.model.observation import HostObservation, NameObservation, Observation
from sentinel.model.probe import ProbeObservation
from sentinel.model.unit import DEFAULT_NETWORK, Network, choose_network
from sentinel.schedule.context import Context
from sentinel.store import endpoints as store
from sentinel.store import runs as run_store
from sentinel.store.database import Transaction
from sentinel.store.probes import write_probes


class Applier:
    """Applies a run's observations to the map, batch by batch, inside one transaction.

    Attributes:
        events: changes of the map so far.
        changes: ids of the intervals the run saw, opened and closed.
    """

    def __init__(self, context: Context, transaction: Transaction, networks: tuple[Network, ...], look: Look) -> None:
        self._database = context.database
        self._transaction = transaction
        self._networks = networks
        self._look = look
        self._next_id = store.next_endpoint_id(transaction)
        self._finished = AddressSet()
        self.events = 0
        self.changes = run_store.RunChanges()

    def take(self, batch: list[Observation]) -> None:
        """Apply some observations; the same address may come again, in this batch or a later one."""
        hosts = [one for one in batch if isinstance(one, HostObservation)]
        placed = [(one, *choose_network(self._networks, one.address)) for one in hosts]
        self._write_hosts(placed)
        current = self._read_current(placed)
        for seen, network, in_scope in placed:
            first = seen.complete and self._finished.add(seen.address)
            key = (network.id, seen.address)
            update = apply_host(
                self._look,
                network.id,
                seen,
                current.get(key, {}).values(),
                in_scope=in_scope,
                finished=first,
                seen_before=self.changes.confirmed,
            )
            self._write(update, current.setdefault(key, {}))
        self._write_names([one for one in batch if isinstance(one, NameObservation)])
        self._write_probes([one for one in batch if isinstance(one, ProbeObservation)])

    def take_silence(self, silent: AddressRanges) -> None:
        """Apply that these finished addresses gave no sign."""
        if not len(silent):
            return
        ids = [network.id for network in self._networks]
        quiet = [
            one
            for one in store.read_current(self._database, ids, self._look.vantage)
            if one.key.address in silent and one.key.address not in self._finished
        ]
        self._write(apply_silence(self._look, quiet), {})

    def _read_current(
        self, placed: list[tuple[HostObservation, Network, bool]]
    ) -> dict[tuple[int, object], dict[int, Endpoint]]:
        wanted: dict[int, list[str]] = {}
        for seen, network, _ in placed:
            wanted.setdefault(network.id, []).append(str(seen.address))
        current: dict[tuple[int, object], dict[int, Endpoint]] = {}
        for network_id, addresses in wanted.items():
            unique = list(dict.fromkeys(addresses))
            for one in store.read_current(self._database, [network_id], self._look.vantage, unique):
                current.setdefault((network_id, one.key.address), {})[one.id] = one
        return current

    def _write(self, update: Update, current: dict[int, Endpoint]) -> None:
        opened = []
        for one in update.opened:
            stored = replace(one, id=self._next_id)
            self._next_id += 1
            opened.append(stored)
            current[stored.id] = stored
            if stored.state is EndpointState.OPEN:
                self.changes.confirmed.add(stored.id)
        for closed, _ in update.closed:
            current.pop(closed.id, None)
        current.update({one.id: one for one in update.amended})
        store.write_closed(
            self._transaction, self._look.time, self._look.run, [(one.id, why) for one, why in update.closed]
        )
        store.write_opened(self._transaction, opened)
        store.write_amended(self._transaction, update.amended)
        self.changes.confirmed.update(update.confirmed)
        self.changes.opened.update(one.id for one in opened)
        self.changes.closed.update(one.id for one, _ in update.closed)
        self.events += update.events

    def _write_hosts(self, placed: list[tuple[HostObservation, Network, bool]]) -> None:
        moment = to_microseconds(self._look.time)
        alive = [
            (seen, network, in_scope)
            for seen, network, in_scope in placed
            if seen.up and (seen.answered or any(port.state == "open" for port in seen.endpoints))
        ]
        store.write_hosts(
            self._transaction,
            [
                (network.id, str(seen.address), seen.mac, seen.vendor, seen.os, in_scope, moment)
                for seen, network, in_scope in alive
            ],
        )
        store.write_names(
            self._transaction,
            [
                (network.id, str(seen.address), name, "host", moment)
                for seen, network, _ in alive
                for name in seen.names
            ],
        )

    def _write_names(self, names: list[NameObservation]) -> None:
        rows = []
        for one in names:
            if one.address is None:
                continue
            network, in_scope = choose_network(self._networks, one.address)
            if in_scope or store.was_host(self._database, network.id, str(one.address), self._look.time):
                rows.append((network.id, str(one.address), one.name, one.source, to_microseconds(self._look.time)))
        store.write_names(self._transaction, rows)

    def _write_probes(self, looks: list[ProbeObservation]) -> None:
        home = next(network.id for network in self._networks if network.name == DEFAULT_NETWORK)
        placed = [
            (
                choose_network(self._networks, one.address)[0].id if one.address else home,
                replace(one, time=min(one.time, self._look.time)),
            )
            for one in looks
        ]
        self.events += write_probes(self._transaction, self._look.run, self._look.vantage, placed)
