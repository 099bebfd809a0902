"""The whitelist ready to be asked: entries and a moment in, a verdict for each endpoint, host and domain out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from sentinel.model.unit import IPAddress
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind


class Listed(StrEnum):
    """What the whitelist says. None: the unit has no valid entry of this kind, so nothing can be said."""

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


class Listing:
    """Valid entries of one unit, indexed by address."""

    __slots__ = ("_domains", "_exact_domains", "_hosts", "_ports", "entries")

    def __init__(self, entries: Iterable[WhitelistEntry], now: datetime) -> None:
        valid = [entry for entry in entries if entry.is_valid(now)]
        self.entries = len(valid)
        self._hosts = _AddressIndex(entry for entry in valid if entry.kind is WhitelistKind.HOST)
        self._ports = _AddressIndex(entry for entry in valid if entry.kind is WhitelistKind.PORT)
        domains = [entry for entry in valid if entry.kind is WhitelistKind.DOMAIN]
        self._exact_domains = {entry.domain.lower() for entry in domains}
        self._domains = [entry for entry in domains if set(entry.domain) & set("*?[")]

    def endpoint(
        self, address: IPAddress, proto: str, port: int, service: str = "", tunnel: str = "", *, guessed: bool = False
    ) -> Listed:
        """Judge an endpoint; a service that is unknown or only guessed is never a mismatch."""
        if not self._ports:
            return Listed.NONE
        covering = [
            entry for entry in self._ports.covering(address) if entry.proto.lower() == proto and port in entry.ports
        ]
        if not covering:
            return Listed.UNLISTED
        if not service or guessed or any(_is_expected(entry.service, service, tunnel) for entry in covering):
            return Listed.LISTED
        return Listed.MISMATCH

    def host(self, address: IPAddress) -> Listed:
        """Judge a host; an approved port of it approves the host too."""
        if not self._hosts:
            return Listed.NONE
        known = any(True for _ in self._hosts.covering(address)) or any(True for _ in self._ports.covering(address))
        return Listed.LISTED if known else Listed.UNLISTED

    def domain(self, name: str) -> Listed:
        """Judge a domain name."""
        if not self._exact_domains:
            return Listed.NONE
        if name.lower() in self._exact_domains or any(entry.allows_domain(name) for entry in self._domains):
            return Listed.LISTED
        return Listed.UNLISTED


class _AddressIndex:
    """Entries by prefix: one dictionary look-up for each prefix length in use."""

    __slots__ = ("_lengths", "_table")

    def __init__(self, entries: Iterable[WhitelistEntry]) -> None:
        self._table: dict[tuple[int, int, int], list[WhitelistEntry]] = {}
        for entry in entries:
            for prefix in entry.addresses:
                key = (prefix.version, prefix.prefixlen, int(prefix.network_address))
                self._table.setdefault(key, []).append(entry)
        self._lengths = sorted({(version, length) for version, length, _ in self._table})

    def __bool__(self) -> bool:
        return bool(self._table)

    def covering(self, address: IPAddress) -> Iterator[WhitelistEntry]:
        """Yield the entries whose prefixes hold the address, widest prefix first."""
        value, bits = int(address), address.max_prefixlen
        for version, length in self._lengths:
            if version == address.version:
                yield from self._table.get((version, length, value >> (bits - length) << (bits - length)), ())


def _is_expected(expected: str, service: str, tunnel: str) -> bool:
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
