"""How everything registered or seen stands: one state with its reason for each host, line, domain and system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentinel.model.standing import Reason
from sentinel.model.system import InformationSystem, PlannedOffline
from sentinel.model.unit import IPNetwork


class PlaceKind(StrEnum):
    """What a state is about."""

    HOST = "host"
    LINE = "line"
    DOMAIN = "domain"
    SYSTEM = "system"


class PlaceState(StrEnum):
    """How something stands, what asks most for somebody first.

    Off campus (双非): it has neither a domain nor an address of the unit. Zombie (僵尸): it answers, nobody answers for
    it.
    """

    OFF_CAMPUS = "off_campus"
    UNREGISTERED = "seen_not_registered"
    ZOMBIE = "zombie"
    STALE = "stale"
    UNSEEN = "registered_not_seen"
    OFFLINE = "offline_by_plan"
    UNCHECKED = "not_checked"
    RETIRED = "retired"
    SEEN = "registered_and_seen"

    @property
    def rank(self) -> int:
        """0 for what asks most."""
        return _RANKS[self]


_RANKS = {state: rank for rank, state in enumerate(PlaceState)}


class PlaceReason(StrEnum):
    """Why it stands so, beside the reasons comparing gives."""

    NOT_CONFIRMED = "not_confirmed"
    SYSTEM_RETIRED = "system_retired"
    PLAN_IN_FORCE = "plan_in_force"
    PLAN_OVER = "plan_over"
    ANSWERS_IN_PLAN = "answers_in_plan"
    OUTSIDE_ALL = "outside_all"
    NOBODY_ANSWERS = "nobody_answers"
    DEFAULT_PAGE_ONLY = "default_page_only"
    HOST_LISTED = "host_listed"


@dataclass(frozen=True, slots=True)
class Mark:
    """A state with its reason.

    Attributes:
        state: the state.
        reason: why.
        since: the moment the reason rests on: when it was due, ended, or last changed; None where there is none.
    """

    state: PlaceState
    reason: Reason | PlaceReason
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlaceStanding:
    """How one host, line, domain or system stands.

    Attributes:
        kind: what it is.
        name: its address, its places, its name.
        mark: what asks most for somebody.
        also: further states it is in, what asks most first.
        network: name of the network of a host.
        system: name of the system it belongs to.
        department: who answers for it.
        id: row id of the line or the system; 0 for a host or a domain.
    """

    kind: PlaceKind
    name: str
    mark: Mark
    also: tuple[Mark, ...] = ()
    network: str = ""
    system: str = ""
    department: str = ""
    id: int = 0

    def is_in(self, state: PlaceState) -> bool:
        """Tell whether it is in a state, first or among others."""
        return any(one.state is state for one in (self.mark, *self.also))


@dataclass(frozen=True, slots=True)
class Declared:
    """What a unit says of itself, to hold against what was seen.

    Attributes:
        systems: its information systems.
        offline: times in which something is off by plan.
        domains: its own domains, e.g. `school.edu.cn`; empty: not known.
        space: its own addresses: networks and exits; empty: not known.
        confirm_days: days within which a system is to be confirmed.
    """

    systems: tuple[InformationSystem, ...] = ()
    offline: tuple[PlannedOffline, ...] = ()
    domains: tuple[str, ...] = ()
    space: tuple[IPNetwork, ...] = ()
    confirm_days: int = 180
