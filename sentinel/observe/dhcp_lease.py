"""One DHCP lease, whatever server wrote it, in; a host observation out."""

from __future__ import annotations

from datetime import datetime

from sentinel.model.observation import HostObservation
from sentinel.observe.text import clean_mac, clean_name, cut_text, is_host, parse_address

ACTIVE = "active"
"""The state of a lease whose client was there: it asked for the address and got it."""

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


def read_duid(duid: bytes) -> str:
    """Give the Ethernet address in a DHCP unique identifier that is made from one; nothing for other kinds."""
    kind, hardware = int.from_bytes(duid[:2], "big"), int.from_bytes(duid[2:4], "big")
    address = duid[_HARDWARE_FIRST.get(kind, len(duid)) :]
    return address.hex(":") if hardware == 1 and len(address) == 6 else ""
