"""Whitelist entries as people write them in, values out."""

from __future__ import annotations

import re
from datetime import datetime
from ipaddress import ip_network

from sentinel.errors import UsageError
from sentinel.model.ports import PortSet, parse_ranges
from sentinel.model.unit import IPNetwork
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind

_PORT = re.compile(r"(?P<address>\[[^\]]+\](?:/\d+)?|[^:\[\]]+):(?P<ports>[\d,-]+)(?:/(?P<proto>tcp|udp))?\Z")
_DOMAIN = re.compile(r"(?:[a-z0-9*?](?:[a-z0-9*?-]{0,62})\.)+[a-z0-9-]{2,63}\Z")


def read_entry(
    kind: str,
    value: str,
    *,
    unit: str,
    service: str,
    reason: str,
    approved_by: str,
    document: str,
    valid_from: datetime | None,
    valid_to: datetime | None,
) -> WhitelistEntry:
    """Read one entry: a domain glob, a host prefix, or `10.0.0.5:443/tcp` (`[2001:db8::5]:443`).

    Raises:
        UsageError: the kind is unknown or the value cannot be read as it.
    """
    if kind not in set(WhitelistKind):
        raise UsageError(f"no such kind: {kind!r} ({', '.join(WhitelistKind)})")
    for text, option in ((reason, "--reason"), (approved_by, "--approved-by")):
        if not text.strip():
            raise UsageError(f"{option}: may not be empty")
    domain, proto, ports = "", "", PortSet()
    addresses: tuple[IPNetwork, ...] = ()
    if kind == WhitelistKind.DOMAIN:
        domain = _read_domain(value)
    elif kind == WhitelistKind.HOST:
        addresses = (_read_prefix(value),)
    else:
        prefix, proto, ports = _read_port(value)
        addresses = (prefix,)
    return WhitelistEntry(
        id=0,
        unit=unit,
        kind=WhitelistKind(kind),
        domain=domain,
        addresses=addresses,
        proto=proto,
        ports=ports,
        service=service.strip().lower(),
        reason=reason.strip(),
        approved_by=approved_by.strip(),
        document=document.strip(),
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _read_domain(text: str) -> str:
    name = text.strip().lower().rstrip(".")
    if not _DOMAIN.match(name):
        raise UsageError(f"no domain: {text!r} (write www.school.example or *.school.example)")
    return name


def _read_prefix(text: str) -> IPNetwork:
    try:
        return ip_network(text.strip().strip("[]"))
    except ValueError as error:
        raise UsageError(f"no address or prefix: {text!r}") from error


def _read_port(text: str) -> tuple[IPNetwork, str, PortSet]:
    match = _PORT.match(text.strip())
    if not match:
        raise UsageError(f"no port of a host: {text!r} (write 10.0.0.5:443/tcp or 10.0.0.0/24:22,80-90)")
    address = match["address"].replace("[", "").replace("]", "")
    try:
        ports = parse_ranges(match["ports"])
    except ValueError as error:
        raise UsageError(f"{text!r}: {error}") from error
    if not ports or any(not 0 <= low <= high <= 65535 for low, high in ports.ranges):
        raise UsageError(f"{text!r}: ports run from 0 to 65535")
    return _read_prefix(address), match["proto"] or "tcp", ports
