"""Sightings: who held an address, on which port a card was, what a NAT made of a connection; each with its span."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentinel.model.unit import IPAddress


class HoldingSource(StrEnum):
    """What told that a card held an address, the surest first."""

    RADIUS = "radius"
    PORTAL = "portal"
    DHCP = "dhcp"
    ARP = "arp"
    NEIGHBOUR = "neighbour"


@dataclass(frozen=True, slots=True)
class HoldingObservation:
    """A card held an address over a span (DHCP lease, 802.1X or portal session) or at a moment (ARP, NDP).

    Attributes:
        address: the address.
        source: what told it.
        mac: `aa:bb:cc:dd:ee:ff`, or empty where the source does not tell.
        since: first moment; None where masked or impossible.
        until: last moment; None while it lasts or where the source does not tell. A moment: equal to `since`.
        name: host name the client gave, lower case.
        client_id: DHCP client identifier or DUID, lower-case hex.
        user: account name; personal data, sealed at rest and masked unless asked for.
        device: switch, access controller or server that told it, by name or address.
        port: switch port, access point or SSID.
        vlan: VLAN, as written.
    """

    address: IPAddress
    source: HoldingSource
    mac: str = ""
    since: datetime | None = None
    until: datetime | None = None
    name: str = ""
    client_id: str = ""
    user: str = ""
    device: str = ""
    port: str = ""
    vlan: str = ""


@dataclass(frozen=True, slots=True)
class AttachmentObservation:
    """A switch or access controller learned a card on a port.

    Attributes:
        mac: `aa:bb:cc:dd:ee:ff`.
        device: switch or access controller, by name or address; empty where the table does not tell.
        port: switch port, access point or SSID.
        vlan: VLAN, as written.
        time: when; None where the table does not tell.
    """

    mac: str
    device: str = ""
    port: str = ""
    vlan: str = ""
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class TranslationObservation:
    """A NAT gave an inside address an outside one: one session, or a block of ports (端口块).

    Attributes:
        proto: `tcp`, `udp`, `icmp`, or empty for a block of all protocols.
        inside: address inside.
        outside: public address.
        ports: first and last outside port, equal for one session; (0, 65535) for a translation of the whole address.
        inside_port: port inside; None for a block.
        peer: the other end, where the log tells.
        peer_port: its port.
        since: first moment; None where masked or impossible.
        until: last moment; None while it lasts or where the source does not tell.
        device: firewall that told it, by name or address.
    """

    proto: str
    inside: IPAddress
    outside: IPAddress
    ports: tuple[int, int] = (0, 65_535)
    inside_port: int | None = None
    peer: IPAddress | None = None
    peer_port: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    device: str = ""


Sighting = HoldingObservation | AttachmentObservation | TranslationObservation
"""Everything a trace is made of."""
