"""Leases in, the lease file of ISC dhcpd out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address

_HEAD = (
    "# The format of this file is documented in the dhcpd.leases(5) manual page.\n"
    "# This lease file was written by isc-dhcp-4.4.3-P1\n\n"
    "# authoring-byte-order entry is generated, DO NOT DELETE\nauthoring-byte-order little-endian;\n\n"
)


@dataclass(frozen=True, slots=True)
class Lease:
    """One lease as the server gave it.

    Attributes:
        address: the address.
        mac: the client's network card, `aa:bb:cc:dd:ee:ff`.
        hostname: what the client calls itself; may be empty.
        start: when it began.
        end: when it ends.
        state: `active`, `free`, `expired`, `released`, `abandoned` or `backup`.
    """

    address: IPv4Address
    mac: str
    hostname: str
    start: datetime
    end: datetime
    state: str = "active"


def dhcp_leases(leases: Sequence[Lease]) -> bytes:
    """Write `dhcpd.leases` as ISC DHCP does: times in UTC, in the order given; the last lease of an address counts.

    Source: dhcpd.leases(5), ISC DHCP 4.4.
    """
    return (_HEAD + "".join(map(_write_lease, leases))).encode()


def _write_lease(lease: Lease) -> str:
    name = lease.hostname.replace("\\", "\\\\").replace('"', '\\"')
    lines = [
        f"starts {_write_time(lease.start)};",
        f"ends {_write_time(lease.end)};",
        f"tstp {_write_time(lease.end)};",
        f"cltt {_write_time(lease.start)};",
        f"binding state {lease.state};",
        "next binding state free;",
        "rewind binding state free;",
        f"hardware ethernet {lease.mac};",
        *([f'client-hostname "{name}";'] if name else []),
    ]
    return "".join((f"lease {lease.address} {{\n", *(f"  {line}\n" for line in lines), "}\n"))


def _write_time(moment: datetime) -> str:
    """Write the day of the week from Sunday as 0, then the time in UTC."""
    utc = moment.astimezone(UTC)
    return f"{utc.isoweekday() % 7} {utc:%Y/%m/%d %H:%M:%S}"
