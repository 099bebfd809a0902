"""One `<host>` of nmap's XML in, a host observation out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element  # elements come from XmlDocument, which refuses entities

from sentinel.model.observation import CLOSED, FILTERED, OPEN, EndpointObservation, HostObservation
from sentinel.model.ports import PROTOCOLS, PortSet, parse_ranges
from sentinel.model.unit import IPAddress
from sentinel.observe.nmap_fingerprint import read_fingerprint
from sentinel.observe.nmap_script import CERTIFICATE_SCRIPTS, TITLE_SCRIPTS, read_certificate, read_title
from sentinel.observe.text import (
    clean_mac,
    clean_name,
    cut_lines,
    cut_text,
    decode_escapes,
    parse_address,
    parse_port,
    parse_time,
)

MAX_NAMES = 256
"""Names, and addresses, kept of one host."""

MAX_CPES = 64
MAX_SCRIPTS = 200
MAX_RESTS = 64
MAX_KNOWN = 8_192

IP_PROTOCOL_SCAN = "ip"
"""What `nmap -sO` calls its rows: numbers of IP protocols, which are no ports and no loss."""

NO_PROOF = frozenset({"", "user-set", "no-response", "unknown", "unknown-response"})
"""Reasons of the state up that are no answer of the host."""

LAYER_2 = frozenset({"arp-response", "nd-response"})

NOT_LOOKED_AT = frozenset({"skipped", "unknown"})
"""States of hosts nmap did not look at."""

Attributes = dict[str, str]
ExtraPorts = tuple[str, tuple[tuple[str, str], ...]]
Rest = tuple[tuple[str, str], ...]
RestClosed = tuple[tuple[str, PortSet], ...]

_NO_ATTRIBUTES: Attributes = {}


@dataclass(slots=True)
class Ports:
    """What `<ports>` holds.

    Attributes:
        endpoints: ports listed one by one.
        rests: for each `<extraports>` its state, and by protocol the ports it names (nmap 7.92 and later).
        is_there: the element exists.
        lost: ports without protocol, number or state.
    """

    endpoints: list[EndpointObservation] = field(default_factory=list)
    rests: list[ExtraPorts] = field(default_factory=list)
    is_there: bool = False
    lost: int = 0


class HostReader:
    """Build host observations for one run.

    Equal ports of different hosts give the same frozen value, which spares building it: on scans of many like machines
    that is nearly every port.
    """

    __slots__ = ("_known", "lost", "protocols", "run_time")

    def __init__(self, run_time: str) -> None:
        self._known: dict[tuple[str | tuple[str | None, ...] | None, ...], EndpointObservation] = {}
        self.run_time = run_time
        self.protocols: tuple[str, ...] = ()
        self.lost = 0

    def read(self, host: Element) -> tuple[HostObservation | None, tuple[IPAddress, ...]]:
        """Read a whole element into its observation, None where no address can be read, and all its addresses.

        Ports and hosts that cannot be read are counted in `lost`.
        """
        status = _NO_ATTRIBUTES
        names: Element | None = None
        system: Element | None = None
        ports = Ports()
        cards: list[Attributes] = []
        for part in host:
            tag = part.tag
            if tag == "status":
                status = part.attrib
            elif tag == "address":
                cards.append(part.attrib)
            elif tag == "hostnames":
                names = part
            elif tag == "ports":
                ports.is_there = True
                self._read_ports(part, ports)
            elif tag == "os":
                system = part
        self.lost += ports.lost
        addresses, mac, vendor = _read_addresses(cards)
        if not addresses:
            self.lost += 1
            return None, ()
        state, reason = status.get("state", ""), status.get("reason", "")
        is_up = state == "up" if state else ports.is_there
        times = host.attrib
        rest, rest_closed = _read_rest(ports.rests, self.protocols)
        return HostObservation(
            address=addresses[0],
            up=is_up,
            answered=is_up and (reason not in NO_PROOF or _has_answered(ports)),
            layer2=reason in LAYER_2,
            complete=times.get("timedout") != "true" and state not in NOT_LOOKED_AT,
            time=parse_time(times.get("endtime") or times.get("starttime") or self.run_time),
            endpoints=tuple(ports.endpoints),
            rest=rest,
            rest_closed=rest_closed,
            names=_read_names(names) if names is not None else (),
            mac=mac,
            vendor=vendor,
            os=_read_system(system) if system is not None else "",
            reason=cut_text(reason),
        ), addresses

    def _read_ports(self, element: Element, ports: Ports) -> None:
        for part in element:
            if part.tag == "port":
                endpoint = self._read_port(part)
                if endpoint is not None:
                    ports.endpoints.append(endpoint)
                elif part.get("protocol") != IP_PROTOCOL_SCAN:
                    ports.lost += 1
            elif part.tag == "extraports" and len(ports.rests) < MAX_RESTS:
                reasons = tuple([(one.get("proto", ""), one.get("ports", "")) for one in part])
                ports.rests.append((cut_text(part.get("state", "")), reasons))

    def _read_port(self, element: Element) -> EndpointObservation | None:
        """Read one port; None where protocol, number or state are missing or no port's."""
        state = service = _NO_ATTRIBUTES
        cpes: tuple[str | None, ...] = ()
        scripts: list[Element] | None = None
        for part in element:
            tag = part.tag
            if tag == "state":
                state = part.attrib
            elif tag == "service":
                service = part.attrib
                if len(part):
                    cpes = tuple([one.text for one in part])
            elif tag == "script":
                scripts = scripts or []
                scripts.append(part)
        port, get = element.attrib, service.get
        if "servicefp" in service:
            return _add_scripts(_build_endpoint(port, state, service, cpes), scripts)
        key = (
            port.get("protocol"), port.get("portid"), state.get("state"), state.get("reason"), get("name"),
            get("method"), get("product"), get("version"), get("extrainfo"), get("tunnel"), cpes,
        )  # fmt: skip
        endpoint = self._known.get(key)
        if endpoint is None:
            endpoint = _build_endpoint(port, state, service, cpes)
            if endpoint is None:
                return None
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[key] = endpoint
        return _add_scripts(endpoint, scripts)


def _build_endpoint(
    port: Attributes, state: Attributes, service: Attributes, cpes: tuple[str | None, ...]
) -> EndpointObservation | None:
    number = parse_port(port.get("portid", ""))
    proto = port.get("protocol", "").lower()
    if number is None or proto not in PROTOCOLS or not state.get("state"):
        return None
    name, tunnel = service.get("name", "").lower(), service.get("tunnel", "")
    if name.startswith("ssl/"):
        name, tunnel = name[4:], "ssl"
    if name == "unknown":
        name = ""  # nmap's placeholder, not a service
    guessed = service.get("method") == "table" and bool(name)
    spoken = read_fingerprint(service.get("servicefp", "")) if guessed or not name else None
    endpoint = EndpointObservation(
        proto=proto,
        port=number,
        state=cut_text(state["state"]),
        reason=cut_text(state.get("reason", "")),
        service=cut_text(name),
        guessed=guessed,
        product=cut_text(decode_escapes(service.get("product", ""))),
        version=cut_text(decode_escapes(service.get("version", ""))),
        extra=cut_text(decode_escapes(service.get("extrainfo", ""))),
        tunnel=cut_text(tunnel),
        cpes=tuple(cut_text(cpe.strip()) for cpe in cpes[:MAX_CPES] if cpe and cpe.strip()),
    )
    if spoken is None:
        return endpoint
    return replace(
        endpoint,
        service=spoken.service,
        guessed=False,
        product=spoken.product,
        version=spoken.version,
        extra=spoken.extra,
    )


def _add_scripts(endpoint: EndpointObservation | None, scripts: list[Element] | None) -> EndpointObservation | None:
    if endpoint is None or not scripts:
        return endpoint
    scripts = scripts[:MAX_SCRIPTS]
    title, certificate = "", None
    for script in scripts:
        name, output = script.get("id", ""), script.get("output", "")
        if name in TITLE_SCRIPTS:
            title = title or read_title(output, script)
        elif name in CERTIFICATE_SCRIPTS:
            certificate = certificate or read_certificate(output, script)
    texts = tuple((cut_text(script.get("id", "")), cut_lines(script.get("output", ""))) for script in scripts)
    return replace(endpoint, title=title, certificate=certificate, scripts=texts)


def _has_answered(ports: Ports) -> bool:
    return any(one.state in (OPEN, CLOSED) for one in ports.endpoints) or any(
        state == CLOSED for state, _ in ports.rests
    )


def _read_addresses(cards: list[Attributes]) -> tuple[tuple[IPAddress, ...], str, str]:
    """Give the IP addresses in order, the MAC address and its maker."""
    found: list[IPAddress] = []
    mac = vendor = ""
    for attributes in cards[:MAX_NAMES]:
        text = attributes.get("addr", "")
        if attributes.get("addrtype") == "mac":
            if not mac:
                mac, vendor = clean_mac(text), cut_text(attributes.get("vendor", ""))
        elif (address := parse_address(text)) is not None:
            found.append(address)
    return tuple(found), mac, vendor


def _read_names(element: Element) -> tuple[str, ...]:
    names = [clean_name(one.get("name", "")) for one in element[:MAX_NAMES] if one.tag == "hostname"]
    return tuple(dict.fromkeys(name for name in names if name))


def _read_system(element: Element) -> str:
    """Give the most accurate match, the first of equal ones; without any the first class of systems."""
    best, best_accuracy = "", -1
    for match in element.iterfind("osmatch"):
        text = match.get("accuracy", "")
        accuracy = int(text) if len(text) <= 3 and text.isascii() and text.isdigit() else 0
        if accuracy > best_accuracy:
            best, best_accuracy = match.get("name", ""), accuracy
    if not best and (kind := element.find("osclass")) is not None:
        words = [kind.get(key, "") for key in ("vendor", "osfamily", "osgen")]
        best = " ".join(dict.fromkeys(word for word in words if word))
    return cut_text(best)


def _read_rest(rests: list[ExtraPorts], run_protocols: tuple[str, ...]) -> tuple[Rest, RestClosed]:
    """Work out the state of unlisted ports by protocol.

    An element speaks for the protocols its reasons name (nmap 7.92 and later), else for the run's only protocol, else
    it may speak for any of the run's. One state of a protocol is the state of its rest. Several cannot be told apart,
    so the rest counts as filtered, except ports that are named one by one as closed.
    """
    if len(rests) == 1 and len(run_protocols) == 1 and not (rests[0][1] and rests[0][1][0][0]):
        return ((run_protocols[0], rests[0][0]),), ()  # most hosts of most scans, before nmap 7.92
    states: dict[str, set[str]] = {}
    for state, reasons in rests:
        named = {proto for proto, _ in reasons if proto}
        for proto in named or run_protocols:
            states.setdefault(proto, set()).add(state if named or len(run_protocols) == 1 else FILTERED)
    rest = tuple(
        (proto, next(iter(seen)) if len(seen) == 1 else FILTERED)
        for proto, seen in sorted(states.items())
        if proto in PROTOCOLS
    )
    closed = [(proto, _closed_ports(rests, proto)) for proto, _ in rest if len(states[proto]) > 1]
    return rest, tuple((proto, ports) for proto, ports in closed if ports)


def _closed_ports(rests: list[ExtraPorts], proto: str) -> PortSet:
    lists = [text for state, reasons in rests if state == CLOSED for name, text in reasons if name == proto]
    return PortSet.of(piece for text in lists for piece in read_ranges(text).ranges)


def read_ranges(text: str) -> PortSet:
    """Read a port list of nmap's; one that cannot be read is empty, which claims nothing."""
    try:
        return parse_ranges(text)
    except ValueError:
        return PortSet()
