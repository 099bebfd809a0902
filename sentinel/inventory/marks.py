"""A host as a source saw it in; what it can be known again by, and what each of it proves, out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.model.asset import MarkKind, MarkName, Weight
from sentinel.model.observation import OPEN, Certificate, EndpointObservation, HostObservation
from sentinel.model.sighting import HoldingObservation

MAX_PORTS = 64
MAX_NAMES = 16
MAX_VALUE = 200

_SSH_KEY = re.compile(r"^\s*\d{2,5}\s+(\S{16,120})\s+\(([\w-]{1,24})\)", re.MULTILINE)
_ENGINE = re.compile(r"engineIDData:\s*(?:0x)?([0-9A-Fa-f:]{8,64})")
_SERIAL = re.compile(r"serial number:\s*(\S{4,64})", re.IGNORECASE)
_FAVICON = re.compile(r"MD5:\s*([0-9A-Fa-f]{32})")
_SERIAL_SCRIPTS = frozenset({"s7-info", "enip-info", "bacnet-info"})
_VIRTUAL_CARDS = ("00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "00:00:0c:9f:f")
"""Cards of gateways that several routers share. Source: RFC 9568 (VRRP); Cisco HSRP version 1 and 2."""

STRONG = frozenset(
    {
        MarkKind.SSH_HOST_KEY,
        MarkKind.TLS_CERT,
        MarkKind.SNMP_ENGINE,
        MarkKind.SERIAL,
        MarkKind.DHCP_CLIENT_ID,
        MarkKind.MAC,
    }
)
MEDIUM = frozenset({MarkKind.FQDN, MarkKind.OS, MarkKind.PORTS, MarkKind.FAVICON})


def is_random_card(mac: str) -> bool:
    """Tell whether a card's address was made up by its system: the bit for locally administered ones is set.

    Source: IEEE 802, clause 8.4.
    """
    return len(mac) == 17 and bool(int(mac[:2], 16) & 2)


def is_steady_card(mac: str) -> bool:
    """Tell whether a card's address names one card for good: given by its maker, and not shared by routers."""
    return len(mac) == 17 and not int(mac[:2], 16) & 3 and not mac.startswith(_VIRTUAL_CARDS)


def weigh(name: MarkName) -> Weight:
    """Tell what a mark proves by itself, before it is known how many addresses show it."""
    if name.kind is MarkKind.MAC and not is_steady_card(name.value):
        return Weight.WEAK
    if name.kind in STRONG:
        return Weight.STRONG
    return Weight.MEDIUM if name.kind in MEDIUM else Weight.WEAK


def read_host_marks(seen: HostObservation) -> tuple[MarkName, ...]:
    """Give the marks of a host, each once; none of one that gave no sign of its own."""
    opened = [port for port in seen.endpoints if port.state == OPEN]
    if not (seen.up and (seen.answered or opened)):
        return ()
    marks: dict[MarkName, None] = {}
    for kind, values in (
        (MarkKind.MAC, [seen.mac]),
        (MarkKind.FQDN, seen.names[:MAX_NAMES]),
        (MarkKind.OS, [seen.os]),
        (MarkKind.PORTS, [_port_text(opened)]),
    ):
        marks |= {MarkName(kind, value[:MAX_VALUE]): None for value in values if value}
    for port in seen.endpoints:
        if port.certificate is not None and is_own_certificate(port.certificate):
            marks[MarkName(MarkKind.TLS_CERT, port.certificate.sha256[:MAX_VALUE])] = None
        for script, text in port.scripts:
            marks |= dict.fromkeys(_read_script(script, text))
    return tuple(marks)


def read_holding_marks(seen: HoldingObservation) -> tuple[MarkName, ...]:
    """Give the marks a log tells of who held an address."""
    told = ((MarkKind.MAC, seen.mac), (MarkKind.DHCP_CLIENT_ID, _own_client_id(seen)), (MarkKind.FQDN, seen.name))
    return tuple(MarkName(kind, value[:MAX_VALUE]) for kind, value in told if value)


def _own_client_id(seen: HoldingObservation) -> str:
    """Give the client id unless it is the card again (type 1, then the card), random or not. Source: RFC 2132, 9.14."""
    plain = seen.client_id.replace(":", "")
    return "" if plain in {f"01{seen.mac.replace(':', '')}", seen.mac.replace(":", "")} else plain


def is_own_certificate(one: Certificate) -> bool:
    """Tell whether a certificate stands for one host: made by itself, or for one name that is no pattern."""
    names = {name for name in one.names if name}
    single = len(names) == 1 and not next(iter(names)).startswith("*")
    return bool(one.sha256) and (one.self_signed is True or single)


def _port_text(opened: list[EndpointObservation]) -> str:
    ports = sorted({(one.proto, one.port) for one in opened})
    return ",".join(f"{port}/{proto}" for proto, port in ports) if 0 < len(ports) <= MAX_PORTS else ""


def _read_script(script: str, text: str) -> Iterator[MarkName]:
    if script == "ssh-hostkey":
        for key, kind in _SSH_KEY.findall(text):
            yield MarkName(MarkKind.SSH_HOST_KEY, f"{kind.lower()} {key}")
    elif script == "snmp-info":
        for value in _ENGINE.findall(text)[:1]:
            yield MarkName(MarkKind.SNMP_ENGINE, value.replace(":", "").lower())
    elif script == "http-favicon":
        for value in _FAVICON.findall(text)[:1]:
            yield MarkName(MarkKind.FAVICON, value.lower())
    elif script in _SERIAL_SCRIPTS:
        for value in _SERIAL.findall(text)[:1]:
            yield MarkName(MarkKind.SERIAL, value)
