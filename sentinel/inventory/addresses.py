"""A growing set of addresses that costs little where neighbours are many."""

from __future__ import annotations

from ipaddress import ip_address

from sentinel.model.endpoint import AddressRanges
from sentinel.model.unit import IPAddress

_BITS = 6
_MASK = (1 << _BITS) - 1


class AddressSet:
    """Addresses of both versions, 64 neighbours to a word; 65,536 hosts of one /16 take about 130 kB."""

    __slots__ = ("_count", "_words")

    def __init__(self) -> None:
        self._words: dict[tuple[int, int], int] = {}
        self._count = 0

    def add(self, address: IPAddress) -> bool:
        """Put an address in; tells whether it is new."""
        value = int(address)
        key = (address.version, value >> _BITS)
        word = self._words.get(key, 0)
        bit = 1 << (value & _MASK)
        if word & bit:
            return False
        self._words[key] = word | bit
        self._count += 1
        return True

    def __contains__(self, address: IPAddress) -> bool:
        value = int(address)
        return bool(self._words.get((address.version, value >> _BITS), 0) >> (value & _MASK) & 1)

    def __len__(self) -> int:
        return self._count

    def build_ranges(self) -> AddressRanges:
        """Give the set as sorted ranges."""
        ranges: list[tuple[int, int, int]] = []
        for (version, high), word in sorted(self._words.items()):
            base = high << _BITS
            for bit in range(_MASK + 1):
                if word >> bit & 1:
                    value = base + bit
                    if ranges and ranges[-1][0] == version and ranges[-1][2] == value - 1:
                        ranges[-1] = (version, ranges[-1][1], value)
                    else:
                        ranges.append((version, value, value))
        return AddressRanges(tuple((_address(version, low), _address(version, last)) for version, low, last in ranges))


def _address(version: int, value: int) -> IPAddress:
    return ip_address(value.to_bytes(4 if version == 4 else 16, "big"))
