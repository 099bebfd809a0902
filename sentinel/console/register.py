"""The unit's register in; what it says of an address, and who answers for it, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sentinel.inventory.systems import join_lines
from sentinel.model.register import RegisterEntry
from sentinel.model.unit import IPNetwork, Network
from sentinel.schedule.context import Context
from sentinel.store.assets import read_name_places
from sentinel.store.keys import address_key
from sentinel.store.register import read_register
from sentinel.store.systems import read_systems


class RegisterIndex:
    """Lines of a register by address; persons are not even opened.

    Attributes:
        size: lines in use; 0: there is no register, and nothing can be called unregistered.
        owners: departments named, sorted.
    """

    def __init__(
        self, entries: Iterable[RegisterEntry], places: Iterable[tuple[str, str]], names: Mapping[int, str]
    ) -> None:
        self._names = names  # what else the systems of lines are called, by row id of the line
        self._exact: defaultdict[str, list[RegisterEntry]] = defaultdict(list)
        self._wide: list[tuple[bytes, bytes, RegisterEntry]] = []
        by_name: defaultdict[str, list[RegisterEntry]] = defaultdict(list)
        self.size = 0
        owners = set()
        for entry in entries:
            self.size += 1
            owners.add(entry.department)
            for prefix in entry.addresses:
                self._place(prefix, entry)
            for name in entry.domains:
                by_name[name.lower()].append(entry)
        self.owners = tuple(sorted(owners - {""}))
        for name, address in places:
            known = self._exact[address]
            known += [entry for entry in by_name[name] if entry not in known]

    def _place(self, prefix: IPNetwork, entry: RegisterEntry) -> None:
        if prefix.num_addresses == 1:
            self._exact[str(prefix.network_address)].append(entry)
        else:
            low, high = str(prefix.network_address), str(prefix.broadcast_address)
            self._wide.append((address_key(low), address_key(high), entry))

    def find(self, address: str) -> Sequence[RegisterEntry]:
        """Give the lines an address stands in, those that name it before those of a prefix."""
        known = self._exact.get(address, [])
        if not self._wide:
            return known
        key = address_key(address) if address[:1].isdigit() or ":" in address else b""
        return [*known, *(entry for low, high, entry in self._wide if low <= key <= high)]

    def words(self, address: str) -> str | None:
        """Give what the register says of an address in lower case; None when it does not stand there."""
        found = self.find(address)
        if not found:
            return None
        return " ".join(
            f"{one.system} {self._names.get(one.id, '')} {one.department} {one.kind} {one.place} {one.filing}"
            for one in found
        ).casefold()

    def owner(self, address: str) -> str:
        """Give the department that answers for an address; empty when none is named."""
        return next((entry.department for entry in self.find(address) if entry.department), "")


def read_index(context: Context, unit: str, networks: Sequence[Network], now: datetime) -> RegisterIndex:
    """Read the lines of a unit's register that are in use."""
    lines, owners = join_lines(read_register(context.database, unit), read_systems(context.database, unit))
    entries = [entry for entry in lines if entry.is_valid(now)]
    wanted = frozenset(name.lower() for entry in entries for name in entry.domains)
    places = read_name_places(context.database, [network.id for network in networks], wanted) if wanted else ()
    return RegisterIndex(entries, places, {number: " ".join(one.names) for number, one in owners.items()})
