"""Facts of a unit in, its graph out: names, hosts, ports and certificates, grouped by system or network, in sheets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sentinel.model.endpoint import MapRow
from sentinel.model.facts import UnitFacts
from sentinel.model.moment import local_date
from sentinel.model.observation import Certificate
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress
from sentinel.report.clean import clean
from sentinel.report.hosts import HostLine, Panel, service_name
from sentinel.report.services import CertificateLine, build_certificates
from sentinel.report.use_grid import severity_of, worst_on
from sentinel.report.values import Text
from sentinel.report.words import service_text, text

SHEET_ROWS: Final = 26
"""So many rows of the fullest layer make a sheet that fits half a printed page."""

_FOLDED_FROM: Final = 3
_SYSTEM_FROM: Final = 2
_NAMES: Final = 3
_PORTS: Final = 12
"""Ports of a host that are drawn; the worst and lowest come first, the rest is one node."""

_MORE = ("", 0, "", "")
PortKey = tuple[str, int, str, str]
"""Protocol, port, service, and SHA-256 of the certificate shown."""


@dataclass(frozen=True, slots=True)
class HostNode:
    """A host, or several that look the same.

    Attributes:
        label: its address, with how many others look the same.
        addresses: all of them, as text.
        note: the system it belongs to.
        severity: worst live finding on it.
        domains: indices of names of the sheet.
        ports: indices of ports of its band, each with the worst finding on this host's port.
    """

    label: Text
    addresses: tuple[str, ...]
    note: str
    severity: Severity | None
    domains: tuple[int, ...]
    ports: tuple[tuple[int, Severity | None], ...]


@dataclass(frozen=True, slots=True)
class PortNode:
    """A port with its service, of one band; hosts that show another certificate there have a node of their own.

    Attributes:
        label: port and service.
        severity: worst live finding on it.
        guessed: the service is known from the number alone.
        certificate: index of a certificate of the sheet; None: none was shown.
    """

    label: Text
    severity: Severity | None
    guessed: bool
    certificate: int | None


@dataclass(frozen=True, slots=True)
class CertificateNode:
    """A certificate, its last day, and its worst fault as a tone."""

    label: str
    until: str
    tone: str


@dataclass(frozen=True, slots=True)
class Band:
    """Hosts of one system or network with their ports."""

    label: Text
    hosts: tuple[HostNode, ...]
    ports: tuple[PortNode, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A part of the graph that is one picture; names and certificates are shared by its bands."""

    bands: tuple[Band, ...]
    domains: tuple[str, ...]
    certificates: tuple[CertificateNode, ...]


@dataclass(frozen=True, slots=True)
class HostGraph:
    """The graph.

    Attributes:
        sheets: its pictures.
        hosts: hosts drawn.
        domains: different names.
        ports: different ports.
        certificates: different certificates.
        alt: what the pictures say.
    """

    sheets: tuple[Sheet, ...]
    hosts: int
    domains: int
    ports: int
    certificates: int
    alt: Text


@dataclass(frozen=True, slots=True)
class _Seen:
    """A host before it is drawn."""

    address: IPAddress
    group: Text
    note: str
    names: tuple[str, ...]
    ports: tuple[tuple[PortKey, Severity | None, bool], ...]
    severity: Severity | None

    @property
    def look(self) -> tuple[object, ...]:
        return self.ports, self.severity, self.note

    @property
    def shown(self) -> frozenset[str]:
        return frozenset(key[3] for key, _, _ in self.ports if key[3])


def build_graph(facts: UnitFacts, panels: Sequence[Panel]) -> HostGraph:
    """Build the graph of all hosts with an open port; the systems of the register make bands where they have hosts."""
    seen = _order(_see(facts, panels))
    certificates = {key: line for line, key in _certificates(facts)}
    sheets = tuple(_sheet(bands, certificates) for bands in _pack(_fold(seen)))
    names = {name for host in seen for name in host.names}
    ports = {key[:2] for host in seen for key, _, _ in host.ports if key != _MORE}
    shown = {sha256 for host in seen for sha256 in host.shown}
    counts = {"hosts": len(seen), "domains": len(names), "ports": len(ports), "certificates": len(shown)}
    return HostGraph(sheets=sheets, **counts, alt=text("alt_graph", **counts))


def domain_names(names: Iterable[str]) -> tuple[str, ...]:
    """Keep the names that are of the DNS, not of one machine alone."""
    return tuple(name for name in names if "." in name)


def _certificates(facts: UnitFacts) -> Iterable[tuple[CertificateLine, str]]:
    by_sum: dict[str, MapRow] = {}
    for row in facts.rows:
        if row.endpoint.certificate:
            by_sum.setdefault(_identity(row.endpoint.certificate), row)
    for key, row in by_sum.items():
        (line,) = build_certificates([row], facts.generated_at)
        yield line, key


def _identity(shown: Certificate) -> str:
    return shown.sha256 or f"{shown.subject} {shown.not_after}"


def _see(facts: UnitFacts, panels: Sequence[Panel]) -> list[_Seen]:
    worst = worst_on(facts.findings)
    rows: defaultdict[tuple[str, IPAddress], list[MapRow]] = defaultdict(list)
    for row in facts.rows:
        rows[clean(row.network, 40), row.endpoint.key.address].append(row)
    systems = {
        (clean(one.network, 40), one.address): clean(one.entry.system, 40)
        for one in facts.standing.hosts
        if one.entry is not None
    }
    members: defaultdict[str, int] = defaultdict(int)
    for panel in panels:
        for host in panel.hosts:
            members[systems.get((panel.network, host.address), "")] += host.is_open
    found = []
    for panel in panels:
        network = text("graph_network", name=panel.network, zone=panel.zone_text)
        for host in panel.hosts:
            if host.is_open:
                place = (panel.network, host.address)
                system = systems.get(place, "")
                is_band = bool(system) and members[system] >= _SYSTEM_FROM
                group = text("graph_system", name=system) if is_band else network
                found.append(_seen(host, group, "" if is_band else system, rows[place], worst))
    return found


def _seen(
    host: HostLine, group: Text, note: str, rows: Iterable[MapRow], worst: Mapping[tuple[int, str], Severity]
) -> _Seen:
    ports: dict[tuple[str, int], tuple[PortKey, Severity | None, bool]] = {}
    for row in rows:
        key, mark = row.endpoint.key, row.endpoint.fingerprint
        shown = _identity(row.endpoint.certificate) if row.endpoint.certificate else ""
        port = (key.proto, key.port, clean(service_name(row.endpoint), 30), shown)
        ports.setdefault((key.proto, key.port), (port, severity_of(row, worst), mark.guessed))
    ordered = sorted(ports.values(), key=lambda one: (one[1].rank if one[1] else 9, one[0][1], one[0]))
    kept = ordered if len(ordered) <= _PORTS else [*ordered[: _PORTS - 1], (_MORE, None, False)]
    if host.answering:
        kept.append((("", -1, "", ""), None, False))
    return _Seen(host.address, group, note, domain_names(host.names)[:_NAMES], tuple(kept), host.worst)


def _order(hosts: list[_Seen]) -> list[_Seen]:
    """Put the bands with the worst hosts first, hosts of a band by their ports, so that like stands beside like."""
    worst: dict[Text, int] = {}
    for host in hosts:
        rank = host.severity.rank if host.severity else 9
        worst[host.group] = min(rank, worst.get(host.group, 9))
    places = {group: place for place, group in enumerate(worst)}
    return sorted(
        hosts,
        key=lambda host: (
            worst[host.group],
            places[host.group],
            tuple(sorted(key for key, _, _ in host.ports)),
            host.address.version,
            int(host.address),
        ),
    )


def _fold(hosts: Sequence[_Seen]) -> list[list[tuple[_Seen, tuple[_Seen, ...]]]]:
    """Give the bands, each a list of hosts with those folded into them."""
    bands: dict[Text, dict[object, list[_Seen]]] = {}
    for index, host in enumerate(hosts):
        is_plain = not host.names and not host.shown
        look: object = host.look if is_plain else index
        bands.setdefault(host.group, {}).setdefault(look, []).append(host)
    folded = []
    for looks in bands.values():
        band: list[tuple[_Seen, tuple[_Seen, ...]]] = []
        for alike in looks.values():
            if len(alike) >= _FOLDED_FROM:
                band.append((alike[0], tuple(alike)))
            else:
                band += [(host, (host,)) for host in alike]
        folded.append(band)
    return folded


Placed = Sequence[tuple[_Seen, tuple[_Seen, ...]]]
_Part = tuple[Text, Placed]


def _pack(bands: Iterable[Placed]) -> Iterable[list[_Part]]:
    """Cut bands that are too tall into parts, and put what fits together on one sheet."""
    sheet: list[_Part] = []
    for band in bands:
        parts = list(_cut(band))
        for number, part in enumerate(parts, start=1):
            label = part[0][0].group
            if len(parts) > 1:
                label = text("graph_part", name=label, part=number, parts=len(parts))
            if sheet and _rows([*sheet, (label, part)]) > SHEET_ROWS:
                yield sheet
                sheet = []
            sheet.append((label, part))
    if sheet:
        yield sheet


def _cut(band: Placed) -> Iterable[Placed]:
    start = 0
    for end in range(1, len(band) + 1):
        if end - start > 1 and _rows([(band[0][0].group, band[start:end])]) > SHEET_ROWS:
            yield band[start : end - 1]
            start = end - 1
    yield band[start:]


def _rows(parts: Sequence[_Part]) -> int:
    """Give the height of the fullest layer, a band's head as two rows."""
    inner = sum(max(len(hosts), len({key for host, _ in hosts for key, _, _ in host.ports})) + 2 for _, hosts in parts)
    names = {name for _, hosts in parts for host, _ in hosts for name in host.names}
    shown = {sha256 for _, hosts in parts for host, _ in hosts for sha256 in host.shown}
    return max(inner, len(names), len(shown))


def _sheet(parts: Sequence[_Part], certificates: Mapping[str, CertificateLine]) -> Sheet:
    names = list(dict.fromkeys(name for _, hosts in parts for host, _ in hosts for name in host.names))
    shown = list(dict.fromkeys(sha for _, hosts in parts for host, _ in hosts for sha in sorted(host.shown)))
    domain_at = {name: place for place, name in enumerate(names)}
    shown_at = {sha256: place for place, sha256 in enumerate(shown)}
    return Sheet(
        bands=tuple(_band(label, hosts, domain_at, shown_at) for label, hosts in parts),
        domains=tuple(names),
        certificates=tuple(_certificate(certificates[sha256]) for sha256 in shown),
    )


def _band(label: Text, hosts: Placed, domain_at: Mapping[str, int], shown_at: Mapping[str, int]) -> Band:
    ports: dict[PortKey, list[tuple[Severity | None, bool]]] = {}
    for host, _ in hosts:
        for key, severity, guessed in host.ports:
            ports.setdefault(key, []).append((severity, guessed))
    order = sorted(ports, key=lambda key: (key == _MORE, key[1], key))
    place = {key: index for index, key in enumerate(order)}
    return Band(
        label=label,
        hosts=tuple(_host(host, alike, domain_at, place) for host, alike in hosts),
        ports=tuple(_port(key, ports[key], shown_at) for key in order),
    )


def _host(
    host: _Seen, alike: tuple[_Seen, ...], domain_at: Mapping[str, int], place: Mapping[PortKey, int]
) -> HostNode:
    first = str(host.address)
    return HostNode(
        label=text("graph_many", first=first, n=len(alike)) if len(alike) > 1 else Text(first, first),
        addresses=tuple(str(one.address) for one in alike),
        note=host.note,
        severity=host.severity,
        domains=tuple(domain_at[name] for name in host.names),
        ports=tuple((place[key], severity) for key, severity, _ in host.ports),
    )


def _port(key: PortKey, seen: Sequence[tuple[Severity | None, bool]], shown_at: Mapping[str, int]) -> PortNode:
    return PortNode(
        label=_port_label(key),
        severity=min((one for one, _ in seen if one), key=lambda one: one.rank, default=None),
        guessed=all(guessed for _, guessed in seen),
        certificate=shown_at.get(key[3]),
    )


def _port_label(key: PortKey) -> Text:
    proto, port, service, _ = key
    if port <= 0:
        return text("graph_everything") if port else text("graph_more_ports")
    words = service_text(service)
    number = f"{port}/udp" if proto == "udp" else str(port)
    return Text(f"{number} {words.zh}", f"{number} {words.en}")


def _certificate(line: CertificateLine) -> CertificateNode:
    return CertificateNode(line.subject or "?", local_date(line.not_after) if line.not_after else "", line.tone)
