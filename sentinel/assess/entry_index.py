"""Whitelist entries in; those that cover an address, a port of it, or a name, found without asking every entry, out.

Addresses and ports are both cut into blocks whose sizes are powers of two, as prefixes are: a question looks once into
a dictionary for each block size in use, of which there are at most 33 (129 with IPv6) and 17.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sentinel.model.unit import IPAddress
from sentinel.model.whitelist import WhitelistEntry

_PORT_BITS = 16


class EntryIndex:
    """Host and port entries by address block, protocol and port block; entries are given in no order, each once."""

    __slots__ = ("_lengths", "_table")

    def __init__(self, entries: Iterable[WhitelistEntry]) -> None:
        self._table: dict[tuple[int, int, int], _Ports] = {}
        for entry in entries:
            for prefix in dict.fromkeys(entry.addresses):
                key = (prefix.version, prefix.prefixlen, int(prefix.network_address))
                held = self._table.get(key)
                if held is None:
                    held = self._table[key] = _Ports()
                held.add(entry)
        self._lengths = sorted({(version, length) for version, length, _ in self._table})

    def __bool__(self) -> bool:
        return bool(self._table)

    def holds(self, address: IPAddress) -> bool:
        """Tell whether an entry's addresses hold the address."""
        return any(True for _ in self._blocks(address))

    def covering(self, address: IPAddress) -> Iterator[WhitelistEntry]:
        """Yield the entries whose addresses hold the address, whatever their ports."""
        yield from _once(entry for block in self._blocks(address) for entry in block.entries)

    def covering_port(self, address: IPAddress, proto: str, port: int) -> Iterator[WhitelistEntry]:
        """Yield the entries whose addresses and ports hold the pair."""
        yield from _once(entry for block in self._blocks(address) for entry in block.at(proto, port))

    def _blocks(self, address: IPAddress) -> Iterator[_Ports]:
        value, bits, table = int(address), address.max_prefixlen, self._table
        for version, length in self._lengths:
            if version == address.version:
                block = table.get((version, length, value >> (bits - length) << (bits - length)))
                if block is not None:
                    yield block


class _Ports:
    """The entries of one address block by protocol and port block."""

    __slots__ = ("_sizes", "_table", "entries")

    def __init__(self) -> None:
        self.entries: list[WhitelistEntry] = []
        self._table: dict[tuple[str, int, int], list[WhitelistEntry]] = {}
        self._sizes: dict[str, list[int]] = {}

    def add(self, entry: WhitelistEntry) -> None:
        """Add an entry under every block of its ports."""
        self.entries.append(entry)
        proto = entry.proto.lower()
        sizes = self._sizes.setdefault(proto, [])
        for low, high in entry.ports.ranges:
            for size, block in cut_ports(low, high):
                self._table.setdefault((proto, size, block), []).append(entry)
                if size not in sizes:
                    sizes.append(size)

    def at(self, proto: str, port: int) -> Iterator[WhitelistEntry]:
        """Yield the entries that hold a port."""
        for size in self._sizes.get(proto, ()):
            yield from self._table.get((proto, size, port >> size), ())


class NameIndex:
    """Domain entries by name: plain names and `*.name` by dictionary, any other glob one by one."""

    __slots__ = ("_exact", "_globs", "_suffixes")

    def __init__(self, entries: Iterable[WhitelistEntry]) -> None:
        self._exact: dict[str, list[WhitelistEntry]] = {}
        self._suffixes: dict[str, list[WhitelistEntry]] = {}
        self._globs: list[WhitelistEntry] = []
        for entry in entries:
            name = entry.domain.lower()
            if not set(name) & set("*?["):
                self._exact.setdefault(name, []).append(entry)
            elif name.startswith("*.") and not set(name[2:]) & set("*?["):
                self._suffixes.setdefault(name[2:], []).append(entry)
            else:
                self._globs.append(entry)

    def __bool__(self) -> bool:
        return bool(self._exact or self._suffixes or self._globs)

    def covering(self, name: str) -> Iterator[WhitelistEntry]:
        """Yield the entries that cover a name, which a final dot does not change."""
        lower = name.lower().rstrip(".")
        yield from self._exact.get(lower, ())
        _, _, rest = lower.partition(".")
        while rest:
            yield from self._suffixes.get(rest, ())
            _, _, rest = rest.partition(".")
        yield from (entry for entry in self._globs if entry.allows_domain(lower))


def cut_ports(low: int, high: int) -> Iterator[tuple[int, int]]:
    """Cut a range of ports into the fewest aligned blocks: (size in bits, number of the block)."""
    while low <= high:
        size = (low & -low).bit_length() - 1 if low else _PORT_BITS
        while (1 << size) > high - low + 1:
            size -= 1
        yield size, low >> size
        low += 1 << size


def _once(entries: Iterable[WhitelistEntry]) -> Iterator[WhitelistEntry]:
    seen: set[int] = set()
    for entry in entries:
        if id(entry) not in seen:
            seen.add(id(entry))
            yield entry
