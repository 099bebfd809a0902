"""The whitelist ready to be asked: entries and a moment in, a verdict for each endpoint, host and domain out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from sentinel.assess.entry_index import EntryIndex, NameIndex
from sentinel.model.unit import IPAddress
from sentinel.model.whitelist import Direction, Peer, PeerKind, WhitelistEntry, WhitelistKind, peer_of_vantage


class Listed(StrEnum):
    """What the whitelist says. None: the unit allows nothing of this kind, so nothing can be said.

    Denied: an entry forbids it, which wins over any that allows it.
    """

    DENIED = "denied"
    LISTED = "listed"
    UNLISTED = "unlisted"
    MISMATCH = "mismatch"
    NONE = "none"


_SAME_SERVICE = {
    "microsoft-ds": "smb",
    "netbios-ssn": "smb",
    "cifs": "smb",
    "samba": "smb",
    "ms-wbt-server": "rdp",
    "ms-sql-s": "mssql",
    "sqlserver": "mssql",
    "oracle-tns": "oracle",
    "postgres": "postgresql",
    "domain": "dns",
    "www": "http",
    "http-alt": "http",
    "https-alt": "https",
    "mongod": "mongodb",
    "memcache": "memcached",
    "submission": "smtp",
}
"""The same protocol under the names of people, of nmap and of the port table."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with the entries that decide it.

    Attributes:
        verdict: what the whitelist says.
        entries: those that forbid, if any does; else those that allow; by id.
    """

    verdict: Listed
    entries: tuple[WhitelistEntry, ...] = ()


class Listing:
    """Entries in force, of one unit and of the units above that speak for it, indexed by address, port and name.

    Only what the unit itself allows makes a whitelist: with prohibitions alone, or with permissions from above alone,
    what no entry speaks of is not called unlisted.

    Attributes:
        entries: how many entries of the unit's own allow something.
    """

    __slots__ = ("_allowed", "_allowed_names", "_denied", "_denied_names", "_own", "entries")

    def __init__(
        self, entries: Iterable[WhitelistEntry], now: datetime, unit: str = "", direction: Direction = Direction.IN
    ) -> None:
        valid = [entry for entry in entries if entry.is_valid(now) and entry.direction is direction]
        own = [entry for entry in valid if not entry.is_deny and unit in ("", entry.unit)]
        self.entries = len(own)
        self._own = {entry.kind for entry in own}
        self._allowed = _Sides(entry for entry in valid if not entry.is_deny)
        self._denied = _Sides(entry for entry in valid if entry.is_deny)
        names = [entry for entry in valid if entry.kind is WhitelistKind.DOMAIN]
        self._allowed_names = NameIndex(entry for entry in names if not entry.is_deny)
        self._denied_names = NameIndex(entry for entry in names if entry.is_deny)

    def endpoint(
        self,
        address: IPAddress,
        proto: str,
        port: int,
        service: str = "",
        tunnel: str = "",
        *,
        guessed: bool = False,
        vantage: str = "",
    ) -> Listed:
        """Judge an endpoint seen from a vantage; a service that is unknown or only guessed is never a mismatch."""
        spoken = "" if guessed else service
        return self.decide_endpoint(address, proto, port, spoken, tunnel, peer_of_vantage(vantage)).verdict

    def host(self, address: IPAddress) -> Listed:
        """Judge a host; an approved port of it approves the host too.

        What is denied to some peers only does not deny the host.
        """
        if any(entry.peer is PeerKind.ANY for entry in self._denied.hosts.covering(address)):
            return Listed.DENIED
        known = self._allowed.hosts.holds(address)
        if WhitelistKind.HOST not in self._own and not known:
            return Listed.NONE
        return Listed.LISTED if known or self._allowed.ports.holds(address) else Listed.UNLISTED

    def domain(self, name: str) -> Listed:
        """Judge a domain name."""
        return self.decide_domain(name).verdict

    def decide_endpoint(
        self, address: IPAddress, proto: str, port: int, service: str, tunnel: str, peer: Peer
    ) -> Decision:
        """Judge an endpoint reached by a peer; `service` is what was heard there, empty when nothing was."""
        denied = [
            *(entry for entry in self._denied.hosts.covering(address) if entry.meets(peer)),
            *(
                entry
                for entry in self._denied.ports.covering_port(address, proto, port)
                if entry.meets(peer) and (not entry.service or _is_heard(entry.service, service, tunnel))
            ),
        ]
        if denied:
            return Decision(Listed.DENIED, _sorted(denied))
        allowed = [entry for entry in self._allowed.ports.covering_port(address, proto, port) if entry.meets(peer)]
        if not allowed:
            return self._unsaid(WhitelistKind.PORT)
        fitting = [entry for entry in allowed if not service or is_expected(entry.service, service, tunnel)]
        return Decision(Listed.LISTED, _sorted(fitting)) if fitting else Decision(Listed.MISMATCH, _sorted(allowed))

    def decide_host(self, address: IPAddress) -> Decision:
        """Judge a host, as `host` does."""
        verdict = self.host(address)
        if verdict is Listed.DENIED:
            found = [entry for entry in self._denied.hosts.covering(address) if entry.peer is PeerKind.ANY]
        elif verdict is Listed.LISTED:
            found = [*self._allowed.hosts.covering(address), *self._allowed.ports.covering(address)]
        else:
            found = []
        return Decision(verdict, _sorted(found))

    def decide_domain(self, name: str) -> Decision:
        """Judge a domain name."""
        denied = list(self._denied_names.covering(name))
        if denied:
            return Decision(Listed.DENIED, _sorted(denied))
        allowed = list(self._allowed_names.covering(name))
        return Decision(Listed.LISTED, _sorted(allowed)) if allowed else self._unsaid(WhitelistKind.DOMAIN)

    def _unsaid(self, kind: WhitelistKind) -> Decision:
        return Decision(Listed.UNLISTED if kind in self._own else Listed.NONE)


def _is_heard(named: str, service: str, tunnel: str) -> bool:
    return bool(service) and is_expected(named, service, tunnel)


class _Sides:
    """The host entries and the port entries of one action."""

    __slots__ = ("hosts", "ports")

    def __init__(self, entries: Iterable[WhitelistEntry]) -> None:
        held = list(entries)
        self.hosts = EntryIndex(entry for entry in held if entry.kind is WhitelistKind.HOST)
        self.ports = EntryIndex(entry for entry in held if entry.kind is WhitelistKind.PORT)


def _sorted(entries: Iterable[WhitelistEntry]) -> tuple[WhitelistEntry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.id))


def is_expected(expected: str, service: str, tunnel: str) -> bool:
    """Tell whether what speaks at a place is what an entry expects, under whatever name; an empty one expects any."""
    return not expected or _canonical(expected) in _spoken(service, tunnel)


@lru_cache(maxsize=1024)
def _spoken(service: str, tunnel: str) -> frozenset[str]:
    """Give the names the service may be approved under; `http` also approves http inside TLS, not the reverse."""
    name = _canonical(service)
    if tunnel != "ssl":
        return frozenset({name})
    return frozenset({name, f"{name}s", "ssl", "tls"})


@lru_cache(maxsize=1024)
def _canonical(service: str) -> str:
    name = service.lower().removesuffix("?")
    for mark in ("ssl/", "ssl|"):
        if name.startswith(mark):
            name = name.removeprefix(mark) + "s"
    return _SAME_SERVICE.get(name, name)
