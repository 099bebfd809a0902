"""One row of masscan's output, whatever its format, in; a host observation out."""

from __future__ import annotations

from datetime import datetime

from sentinel.model.links import cut_links
from sentinel.model.observation import CLOSED, OPEN, EndpointObservation, HostObservation
from sentinel.model.ports import PROTOCOLS
from sentinel.observe.text import cut_text, decode_escapes, is_host, parse_address, parse_port

TOOL = "masscan"

STATES = frozenset({OPEN, CLOSED, "up"})
"""Words of masscan's `status_string`; `up` is what an ARP answer gives."""

# Source: masscan 1.3.2, masscan-app.c. Names that say what the banner is rather than what the service is map to the
# service they come from; names missing here are services themselves.
_SERVICES = {
    "dns-ver": "dns",
    "error": "",
    "heartbleed": "",
    "html": "http",
    "http.server": "http",
    "nbtstat": "netbios-ns",
    "pop": "pop3",
    "safe": "",
    "scripting": "",
    "ssl": "",
    "ticketbleed": "",
    "title": "http",
    "unknown": "",
    "versioning": "",
    "vnc-info": "vnc",
    "vuln": "",
    "x509": "",
    "x509ca": "",
}
_IN_TLS = frozenset({"ssl", "x509", "x509ca", "heartbleed", "ticketbleed"})
_NO_WORDS = frozenset({"x509", "x509ca", "html", "title"})
"""Banners that are whole certificates or pages, or have a field of their own."""


def build_row(
    address_text: str,
    time: datetime | None,
    proto: str,
    port_text: str,
    state: str,
    *,
    reason: str = "",
    banner_name: str = "",
    banner: str = "",
) -> HostObservation | None:
    """Build the observation of one row; None where address, port or state cannot be read.

    A row tells one port of one address, so nothing is known of the others: the observation is never complete. Answers
    to a ping or to ARP show a host without an endpoint.
    """
    address = parse_address(address_text)
    port = parse_port(port_text)
    if address is None or port is None or state not in STATES or not is_host(address):
        return None
    endpoints: tuple[EndpointObservation, ...] = ()
    if proto in PROTOCOLS and state != "up":
        endpoints = (_build_endpoint(proto, port, state, cut_text(reason), banner_name.lower(), banner),)
    elif proto in PROTOCOLS:
        return None
    return HostObservation(
        address=address, up=True, answered=True, layer2=proto == "arp", time=time, endpoints=endpoints, reason=reason
    )


def _build_endpoint(proto: str, port: int, state: str, reason: str, name: str, banner: str) -> EndpointObservation:
    words = cut_links(decode_escapes(banner))
    service = _SERVICES.get(name, name)
    return EndpointObservation(
        proto=proto,
        port=port,
        state=state,
        reason=reason,
        service="" if service.startswith("(") else cut_text(service),  # `(37)`: a name this masscan did not know itself
        product=cut_text(words) if name == "http.server" else "",
        extra="" if name in _NO_WORDS or name == "http.server" else cut_text(words),
        tunnel="ssl" if name in _IN_TLS else "",
        title=cut_text(words.strip()) if name == "title" else "",
    )
