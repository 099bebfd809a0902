"""How the register stands against what was seen: one state with its reason for each line and for each host."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sentinel.model.register import RegisterEntry
from sentinel.model.unit import IPAddress


class Standing(StrEnum):
    """What comparing says of a line of the register, or of a host that was seen."""

    SEEN = "seen"
    EXPIRED = "expired_but_seen"
    UNSEEN = "registered_not_seen"
    RETIRED = "expired_not_seen"
    UNREGISTERED = "unregistered"
    UNCHECKED = "not_checked"


class Reason(StrEnum):
    """Why it stands so."""

    PORT_OPEN = "port_open"
    HOST_SEEN = "host_seen"
    NOTHING_ANSWERED = "nothing_answered"
    PORTS_SHUT = "ports_shut"
    NOT_COVERED = "not_covered"
    PORTS_NOT_COVERED = "ports_not_covered"
    ANSWERS_EVERYTHING = "answers_everything"
    NAME_NOT_RESOLVED = "name_not_resolved"
    NO_PLACE = "no_place"
    LISTED = "listed"
    PORTS_UNLISTED = "ports_unlisted"
    LISTING_EXPIRED = "listing_expired"
    NOT_LISTED = "not_listed"
    LOGS_ONLY = "logs_only"
    NO_REGISTER = "no_register"


@dataclass(frozen=True, slots=True)
class LineStanding:
    """A line of the register and what was seen of it.

    Attributes:
        entry: the line.
        standing: seen, expired but seen, registered and not seen, expired and not seen, or not checked.
        reason: why.
        address: the first host it holds that was seen; None: none was.
    """

    entry: RegisterEntry
    standing: Standing
    reason: Reason
    address: IPAddress | None = None


@dataclass(frozen=True, slots=True)
class HostStanding:
    """A host that was seen and what the register says of it.

    Attributes:
        network: name of its network.
        address: its address.
        standing: seen (registered and seen), expired but seen, unregistered, or not checked.
        reason: why.
        entry: the line that names it most closely; None: no line holds it.
        unlisted: open ports no line in force holds, as (protocol, port), sorted; empty for an unregistered host, which
            is unregistered as a whole.
        outside: it was seen from the internet.
    """

    network: str
    address: IPAddress
    standing: Standing
    reason: Reason
    entry: RegisterEntry | None = None
    unlisted: tuple[tuple[str, int], ...] = ()
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The register against the map at one moment.

    Attributes:
        lines: one for each line of the register, in its order.
        hosts: one for each host seen, in the order of network and address.
    """

    lines: tuple[LineStanding, ...] = ()
    hosts: tuple[HostStanding, ...] = ()

    def count_lines(self, *standings: Standing) -> int:
        """Count the lines that stand in one of these states."""
        return sum(line.standing in standings for line in self.lines)

    def count_hosts(self, *standings: Standing) -> int:
        """Count the hosts that stand in one of these states."""
        return sum(host.standing in standings for host in self.hosts)
