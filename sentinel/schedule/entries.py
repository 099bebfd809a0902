"""Whitelist entries as people write them in, values out."""

from __future__ import annotations

import re
from contextlib import suppress
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
    try:
        if kind == WhitelistKind.DOMAIN:
            domain = parse_domain(value)
        elif kind == WhitelistKind.HOST:
            addresses = (parse_prefix(value),)
        else:
            prefix, proto, ports = _parse_place(value)
            addresses = (prefix,)
    except ValueError as error:
        raise UsageError(f"{value!r}: {error}") from error
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


def parse_domain(text: str) -> str:
    """Read a domain name, in which `*` and `?` may stand, into lower case.

    Raises:
        ValueError: it is none; the message does not repeat it.
    """
    name = text.strip().lower().rstrip(".")
    if not _DOMAIN.match(name):
        raise ValueError("no domain (write www.school.example or *.school.example)")
    return name


_WIDEST = {4: 8, 6: 32}
"""Shortest prefix an entry may have: 10.0.0.0/8 is the widest network a school can own."""


def parse_prefix(text: str) -> IPNetwork:
    """Read an address or a prefix.

    Raises:
        ValueError: it is neither; the message does not repeat it.
    """
    try:
        prefix = ip_network(text.strip().strip("[]"))
    except ValueError as error:
        raise ValueError("no address or prefix (write 10.0.0.5 or 10.0.0.0/24)") from error
    if prefix.prefixlen < _WIDEST[prefix.version]:
        raise ValueError(f"too wide for an entry: at most a /{_WIDEST[prefix.version]}; write the networks you mean")
    return prefix


def parse_port_list(text: str) -> PortSet:
    """Read ports of one protocol: `22,80-90`.

    Raises:
        ValueError: it is no such list; the message does not repeat it.
    """
    ports = PortSet()
    with suppress(ValueError):
        ports = parse_ranges(text)
    if not ports:
        raise ValueError("no ports (write 443 or 22,80-90; ports run from 0 to 65535)")
    return ports


def _parse_place(text: str) -> tuple[IPNetwork, str, PortSet]:
    match = _PORT.match(text.strip())
    if not match:
        raise ValueError("no port of a host (write 10.0.0.5:443/tcp or 10.0.0.0/24:22,80-90)")
    ports = parse_port_list(match["ports"])
    address = match["address"].replace("[", "").replace("]", "")
    return parse_prefix(address), match["proto"] or "tcp", ports
