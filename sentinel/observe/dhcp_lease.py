"""One DHCP lease, whatever server wrote it, in; a host observation, and who held the address from when to when, out."""

from __future__ import annotations

from datetime import datetime

from sentinel.model.observation import HostObservation
from sentinel.model.sighting import HoldingObservation, HoldingSource
from sentinel.observe.text import clean_mac, clean_name, cut_text, is_host, parse_address

ACTIVE = "active"
"""The state of a lease whose client was there: it asked for the address and got it."""

_HELD = frozenset(f"dhcp-{state}" for state in (ACTIVE, "free", "expired", "released", "expired-reclaimed"))
"""States of a lease somebody has or had; one that was offered, declined or abandoned was nobody's."""

MAX_CLIENT_ID = 510
"""Hex digits of a client identifier or DUID. Source: RFC 2132, 9.14 (255 octets)."""

_HEX = frozenset("0123456789abcdef")

_HARDWARE_FIRST = {1: 8, 3: 4}
"""Where the hardware address stands in a DUID, by its type. Source: RFC 8415, 11.2 and 11.4."""


def build_lease(address_text: str, state: str, start: datetime | None, mac: str, name: str) -> HostObservation | None:
    """Build the observation of one lease; None where the address cannot be read or is nobody's.

    A lease in any other state than active (free, expired, released, declined, abandoned, backup) says who had the
    address, not that anybody has it: its host is not called up, so that it changes nothing on the map.
    """
    address = parse_address(address_text)
    if address is None or not is_host(address):
        return None
    is_active = state == ACTIVE
    clean = clean_name(name)
    return HostObservation(
        address=address,
        up=is_active,
        answered=is_active,
        time=start,
        names=(clean,) if clean and parse_address(clean) is None else (),
        mac=clean_mac(mac),
        reason=f"dhcp-{cut_text(state, 40)}",
    )


def build_holding(
    host: HostObservation, until: datetime | None, client_id: str = "", since: datetime | None = None
) -> HoldingObservation | None:
    """Build who held the address of a lease; None where the lease was nobody's or tells nothing of its client.

    It began when the lease did, `since` where the host's own time is another.
    """
    client = clean_client_id(client_id)
    name = host.names[0] if host.names else ""
    if host.reason not in _HELD or not (host.mac or client or name):
        return None
    begin = since or host.time
    end = begin if begin is not None and until is not None and until < begin else until
    return HoldingObservation(host.address, HoldingSource.DHCP, host.mac, begin, end, name=name, client_id=client)


def clean_client_id(text: str) -> str:
    """Give a client identifier or DUID as lower-case hex without separators; nothing for anything else."""
    digits = text.lower().replace(":", "").replace("-", "")
    return digits if len(digits) <= MAX_CLIENT_ID and len(digits) % 2 == 0 and set(digits) <= _HEX else ""


def read_duid(duid: bytes) -> str:
    """Give the Ethernet address in a DHCP unique identifier that is made from one; nothing for other kinds."""
    kind, hardware = int.from_bytes(duid[:2], "big"), int.from_bytes(duid[2:4], "big")
    address = duid[_HARDWARE_FIRST.get(kind, len(duid)) :]
    return address.hex(":") if hardware == 1 and len(address) == 6 else ""
