"""The whitelist (白名单): what may be there, who said so, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from sentinel.model.ports import PortSet
from sentinel.model.unit import IPAddress, IPNetwork

_NO_PORTS = PortSet()


class WhitelistKind(StrEnum):
    """What an entry allows: a domain, a host, or a port of a host."""

    DOMAIN = "domain"
    HOST = "host"
    PORT = "port"


@dataclass(frozen=True, slots=True)
class WhitelistEntry:
    """One approved entry.

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit.
        kind: domain, host or port.
        domain: glob such as `*.school.example`; for domains.
        addresses: prefixes; for hosts and ports.
        proto: `tcp` or `udp`; for ports.
        ports: port set; for ports.
        service: expected protocol name; empty: any.
        reason: what it is for.
        approved_by: who approved.
        document: number of the paper.
        valid_from: first moment.
        valid_to: last moment; None: until withdrawn.
    """

    id: int
    unit: str
    kind: WhitelistKind
    domain: str = ""
    addresses: tuple[IPNetwork, ...] = ()
    proto: str = ""
    ports: PortSet = _NO_PORTS
    service: str = ""
    reason: str = ""
    approved_by: str = ""
    document: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Tell whether the entry is in force at `now`."""
        return (self.valid_from is None or self.valid_from <= now) and (self.valid_to is None or now <= self.valid_to)

    def allows_domain(self, name: str) -> bool:
        """Tell whether a domain entry covers the name."""
        return self.kind is WhitelistKind.DOMAIN and fnmatchcase(name.lower(), self.domain.lower())

    def allows_address(self, address: IPAddress) -> bool:
        """Tell whether one of the prefixes holds the address."""
        return any(address.version == prefix.version and address in prefix for prefix in self.addresses)

    def allows_port(self, address: IPAddress, proto: str, port: int) -> bool:
        """Tell whether a port entry covers the pair, whatever speaks there."""
        if self.kind is not WhitelistKind.PORT or self.proto != proto:
            return False
        return port in self.ports and self.allows_address(address)
