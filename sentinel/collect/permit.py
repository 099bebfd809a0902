"""The permit: what the gate hands out, and what every collector must show right before it sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NoReturn, final

from sentinel.collect.ranges import Range, holds, merge, range_of, range_of_address
from sentinel.errors import ScopeError
from sentinel.model.moment import local_text
from sentinel.model.scope import Authorisation, Level
from sentinel.model.unit import IPAddress, IPNetwork

_SEAL = object()


@dataclass(frozen=True, slots=True)
class Grant:
    """What the gate decided, before it is sealed into a permit.

    Attributes:
        authorisation: the one that covers all of it.
        level: how far the collectors may go.
        networks: addresses that may be touched, exclusions already taken out.
        names: the name an address was asked by, where it was asked by name.
        rate_pps: packets or connection attempts a second at most.
        until: last moment when a consent it needs ends before the authorisation; None: the authorisation's.
    """

    authorisation: Authorisation
    level: Level
    networks: tuple[IPNetwork, ...]
    names: Mapping[IPAddress, str]
    rate_pps: int
    until: datetime | None = None


@final
class Permit:
    """Addresses that may be touched, how far, how fast and until when; made by the gate alone.

    Attributes:
        unit: code of the unit.
        authorisation: row id of the authorisation that covers everything in it.
        level: how far a collector may go.
        networks: addresses as disjoint prefixes, IPv4 first, sorted.
        names: name by address, for addresses asked by name; resolved once, at the gate.
        rate_pps: packets or connection attempts a second at most.
        valid_from: first moment it holds.
        valid_to: last moment it holds.
        allow_loopback: loopback addresses may be touched.
    """

    __slots__ = (
        "_ranges",
        "_seal",
        "allow_loopback",
        "authorisation",
        "level",
        "names",
        "networks",
        "rate_pps",
        "unit",
        "valid_from",
        "valid_to",
    )
    _seal: object
    _ranges: tuple[Range, ...]
    unit: str
    authorisation: int
    level: Level
    networks: tuple[IPNetwork, ...]
    names: Mapping[IPAddress, str]
    rate_pps: int
    valid_from: datetime
    valid_to: datetime
    allow_loopback: bool

    def __init__(self, grant: Grant, *, seal: object = None) -> None:
        if seal is not _SEAL:
            raise TypeError("permits come from sentinel.collect.gate.admit")
        values = {
            "_seal": seal,
            "_ranges": merge(range_of(network) for network in grant.networks),
            "unit": grant.authorisation.unit,
            "authorisation": grant.authorisation.id,
            "level": grant.level,
            "networks": grant.networks,
            "names": MappingProxyType(dict(grant.names)),
            "rate_pps": grant.rate_pps,
            "valid_from": grant.authorisation.valid_from,
            "valid_to": min(grant.until or grant.authorisation.valid_to, grant.authorisation.valid_to),
            "allow_loopback": grant.authorisation.allow_loopback,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a permit does not change: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a permit does not change: {name}")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a permit is neither copied nor stored; ask the gate again")

    def __repr__(self) -> str:
        shown = ", ".join(str(network) for network in self.networks[:4])
        more = f" and {len(self.networks) - 4} more" if len(self.networks) > 4 else ""
        return f"<Permit {self.unit} authorisation {self.authorisation} {self.level.word}: {shown}{more}>"

    @property
    def count(self) -> int:
        """How many addresses it holds."""
        return sum(high - low + 1 for _, low, high in self._ranges)

    def addresses(self) -> Iterator[IPAddress]:
        """Yield every address, IPv4 first, in order."""
        for network in self.networks:
            yield from network

    def check(self, addresses: Iterable[IPAddress], level: Level, now: datetime) -> None:
        """Let a job pass that looks at `addresses` as far as `level`; collectors call it right before sending.

        Raises:
            ScopeError: an address is not inside, the level is too high, or the time is over or has not come.
        """
        if now > self.valid_to:
            raise ScopeError(f"authorisation {self.authorisation} ended {local_text(self.valid_to)} Asia/Shanghai")
        if now < self.valid_from:
            raise ScopeError(f"authorisation {self.authorisation} begins {local_text(self.valid_from)} Asia/Shanghai")
        if not Level.PASSIVE < level <= self.level:
            raise ScopeError(f"the permit reaches to level {self.level.word}, not to {level.word}")
        for address in addresses:
            if not self._holds(address):
                raise ScopeError(f"{address} is outside authorisation {self.authorisation} of unit {self.unit}")

    def _holds(self, address: IPAddress) -> bool:
        if address.is_loopback and not self.allow_loopback:
            return False
        return holds(self._ranges, range_of_address(address))


def seal(grant: Grant) -> Permit:
    """Turn a decision of the gate into a permit; called by the gate alone."""
    return Permit(grant, seal=_SEAL)


def require_permit(permit: object) -> Permit:
    """Give the permit back when the gate made it; collectors call it first.

    Raises:
        ScopeError: it is no permit, or not one the gate sealed.
    """
    if type(permit) is not Permit or getattr(permit, "_seal", None) is not _SEAL:
        raise ScopeError("no permit of the gate: nothing is sent")
    return permit
