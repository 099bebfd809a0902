"""Facts of a unit in, the view of the mining report with one case sheet per host out (挖矿排查处置单)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from sentinel.model.endpoint import Host, MapRow
from sentinel.model.facts import UnitFacts
from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.model.rule import Severity
from sentinel.report.clean import clean
from sentinel.report.findings import live_findings, split_subject
from sentinel.report.values import NOTHING, Bar, Chart, Head, KeyFigure, Segment, Span, Step, Text, build_head
from sentinel.report.view_scope import Ending, build_ending
from sentinel.report.words import term, text

TITLE: Final = Text("挖矿排查处置单", "Mining hunt: cases and evidence")
CLASS_TONES: Final = {
    FlowClass.MINING: "critical",
    FlowClass.SUSPECT: "medium",
    FlowClass.NODE: "low",
    FlowClass.NAME: "muted",
}
_RANK: Final = {flow_class: rank for rank, flow_class in enumerate(FlowClass)}
_ROWS_DRAWN: Final = 16


@dataclass(frozen=True, slots=True)
class FlowLine:
    """One detection as a row; `tone` is the colour of its class."""

    flow_class: FlowClass
    class_text: Text
    tone: str
    host: str
    host_port: int | None
    peer: str
    peer_port: int | None
    name: str
    family: str
    coin: str
    agent: str
    wallet: str
    certainty: float
    first_seen: datetime | None
    last_seen: datetime | None
    packets: int
    size_bytes: int
    evidence: str
    file: str


@dataclass(frozen=True, slots=True)
class CaseSheet:
    """A host with what was found on it; nature, cause and handling are for a person to fill in.

    Attributes:
        host: its address.
        network: network that holds it, or empty.
        zone: what the network serves.
        names: names known for it.
        mac: network card.
        vendor: its maker.
        os: best guess.
        ports: open ports, e.g. `22/tcp`.
        flow_class: worst class of its flows.
        class_text: its words.
        tone: its colour.
        coins: coins named.
        first_seen: first packet of all its flows.
        last_seen: last packet.
        packets: packets of all its flows.
        size_bytes: bytes of all its flows.
        findings: numbers of the findings about it, with their state.
        flows: its flows, the worst first.
    """

    host: str
    network: str
    zone: Text
    names: tuple[str, ...]
    mac: str
    vendor: str
    os: str
    ports: tuple[str, ...]
    flow_class: FlowClass
    class_text: Text
    tone: str
    coins: tuple[str, ...]
    first_seen: datetime | None
    last_seen: datetime | None
    packets: int
    size_bytes: int
    findings: tuple[tuple[str, Text], ...]
    flows: tuple[FlowLine, ...]


@dataclass(frozen=True, slots=True)
class PeerLine:
    """A far end that mining hosts speak to."""

    peer: str
    port: int | None
    names: tuple[str, ...]
    tone: str
    class_text: Text
    families: tuple[str, ...]
    coins: tuple[str, ...]
    hosts: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class MiningView:
    """Everything the mining report shows; `looked` is false when no capture was analysed."""

    head: Head
    figures: tuple[KeyFigure, ...]
    steps: tuple[Step, ...]
    looked: bool
    captures: int
    chart: Chart
    spans: tuple[Span, ...]
    timeless: int
    peers: tuple[PeerLine, ...]
    cases: tuple[CaseSheet, ...]
    others: tuple[FlowLine, ...]
    files: tuple[str, ...]
    ending: Ending


def build_mining(facts: UnitFacts) -> MiningView:
    """Build the view: proven and suspected hosts get a case sheet, nodes and names a row."""
    by_host: defaultdict[str, list[FlowDetection]] = defaultdict(list)
    for flow in facts.flows:
        by_host[flow.host].append(flow)
    worst = {host: min((flow.flow_class for flow in flows), key=_RANK.__getitem__) for host, flows in by_host.items()}
    rows: defaultdict[str, list[MapRow]] = defaultdict(list)
    for row in facts.rows:
        rows[str(row.endpoint.key.address)].append(row)
    cases = [
        _case(host, flows, facts, rows.get(host, []))
        for host, flows in by_host.items()
        if worst[host] in {FlowClass.MINING, FlowClass.SUSPECT}
    ]
    cases.sort(key=lambda case: (_RANK[case.flow_class], -case.size_bytes, case.host))
    in_cases = {case.host for case in cases}
    looked = facts.captures_analysed > 0 or bool(facts.flows)
    return MiningView(
        head=build_head("mining", TITLE, facts.unit, facts.period, facts.generated_at, facts.exercise, facts.pack_hash),
        figures=_figures(facts, worst, looked=looked),
        steps=_steps(facts, cases, worst),
        looked=looked,
        captures=facts.captures_analysed,
        chart=_chart(worst, looked=looked),
        spans=_spans(cases),
        timeless=sum(flow.first_seen is None for flow in facts.flows),
        peers=_peers(facts.flows),
        cases=tuple(cases),
        others=_lines(flow for flow in facts.flows if clean(flow.host, 60) not in in_cases),
        files=tuple(sorted({clean(flow.file, 100) for flow in facts.flows})),
        ending=build_ending(facts),
    )


def _lines(flows: Iterable[FlowDetection]) -> tuple[FlowLine, ...]:
    ordered = sorted(flows, key=lambda flow: (_RANK[flow.flow_class], -flow.certainty, flow.host, flow.peer, flow.name))
    return tuple(_line(flow) for flow in ordered)


def _line(flow: FlowDetection) -> FlowLine:
    return FlowLine(
        flow_class=flow.flow_class,
        class_text=term(flow.flow_class),
        tone=CLASS_TONES[flow.flow_class],
        host=clean(flow.host, 60),
        host_port=flow.host_port,
        peer=clean(flow.peer, 60),
        peer_port=flow.peer_port,
        name=clean(flow.name, 90),
        family=clean(flow.family, 30),
        coin=clean(flow.coin, 12),
        agent=clean(flow.agent, 60),
        wallet=clean(flow.wallet, 60),
        certainty=flow.certainty,
        first_seen=flow.first_seen,
        last_seen=flow.last_seen,
        packets=flow.packets,
        size_bytes=flow.payload_bytes,
        evidence=clean(flow.evidence, 300),
        file=clean(flow.file, 100),
    )


def _case(host: str, flows: Sequence[FlowDetection], facts: UnitFacts, rows: Sequence[MapRow]) -> CaseSheet:
    lines = _lines(flows)
    known = next((found for found in facts.hosts if str(found.address) == host), None)
    ports = [f"{row.endpoint.key.port}/{row.endpoint.key.proto}" for row in rows]
    network, zone = _network(host, known, facts)
    names = {name for row in rows for name in row.names}
    about = [f for f in live_findings(facts.findings) if split_subject(f.key.subject)[0] == host]
    return CaseSheet(
        host=clean(host, 60),
        network=network,
        zone=zone,
        names=tuple(clean(name, 60) for name in sorted(names | set(known.names if known else ())))[:4],
        mac=clean(known.mac, 20) if known else "",
        vendor=clean(known.vendor, 40) if known else "",
        os=clean(known.os, 60) if known else "",
        ports=tuple(dict.fromkeys(ports)),
        flow_class=lines[0].flow_class,
        class_text=lines[0].class_text,
        tone=lines[0].tone,
        coins=tuple(sorted({line.coin for line in lines if line.coin})),
        first_seen=min((line.first_seen for line in lines if line.first_seen), default=None),
        last_seen=max((line.last_seen for line in lines if line.last_seen), default=None),
        packets=sum(line.packets for line in lines),
        size_bytes=sum(line.size_bytes for line in lines),
        findings=tuple((clean(f.number or f.key.rule, 40), term(f.state)) for f in about),
        flows=lines,
    )


def _network(host: str, known: Host | None, facts: UnitFacts) -> tuple[str, Text]:
    if known:
        return clean(known.network, 40), term(known.zone)
    try:
        address = ip_address(host)
    except ValueError:
        return "", NOTHING
    found = next((network for network in facts.networks if network.contains(address)), None)
    return (clean(found.name, 40), term(found.zone)) if found else ("", NOTHING)


def _peers(flows: Iterable[FlowDetection]) -> tuple[PeerLine, ...]:
    members: defaultdict[tuple[str, int | None], list[FlowLine]] = defaultdict(list)
    for line in _lines(flow for flow in flows if flow.flow_class in {FlowClass.MINING, FlowClass.SUSPECT}):
        members[line.peer, line.peer_port].append(line)
    peers = [
        PeerLine(
            peer=peer,
            port=port,
            names=tuple(sorted({line.name for line in found if line.name}))[:3],
            tone=found[0].tone,
            class_text=found[0].class_text,
            families=tuple(sorted({line.family for line in found})),
            coins=tuple(sorted({line.coin for line in found if line.coin})),
            hosts=len({line.host for line in found}),
            size_bytes=sum(line.size_bytes for line in found),
        )
        for (peer, port), found in members.items()
    ]
    return tuple(sorted(peers, key=lambda peer: (peer.tone != "critical", -peer.hosts, -peer.size_bytes, peer.peer)))


def _spans(cases: Sequence[CaseSheet]) -> tuple[Span, ...]:
    rows = []
    for case in cases:
        if case.first_seen and case.last_seen:
            label = " ".join((case.host, "/".join(case.coins)))
            seconds = -int(-(case.last_seen - case.first_seen).total_seconds() // 1)
            length = text("seconds", n=seconds) if seconds < 60 else text("minutes", n=-(-seconds // 60))
            rows.append(Span(label.strip(), case.first_seen, case.last_seen, case.tone, length))
    return tuple(rows[:_ROWS_DRAWN])


def _chart(worst: dict[str, FlowClass], *, looked: bool) -> Chart:
    counts = {flow_class: sum(found is flow_class for found in worst.values()) for flow_class in FlowClass}
    bars = tuple(
        Bar(
            term(flow_class),
            (Segment(CLASS_TONES[flow_class], count),),
            text("count", n=count) if looked else text("not_checked"),
            unknown=not looked,
        )
        for flow_class, count in counts.items()
    )
    alt = text("alt_mining", **{flow_class.value: count for flow_class, count in counts.items()})
    return Chart(bars, text("axis_hosts"), alt if looked else text("alt_not_looked"))


def _figures(facts: UnitFacts, worst: dict[str, FlowClass], *, looked: bool) -> tuple[KeyFigure, ...]:
    def count(flow_class: FlowClass) -> int | None:
        return sum(found is flow_class for found in worst.values()) if looked else None

    mining = [flow for flow in facts.flows if flow.flow_class is FlowClass.MINING]
    coins = "、".join(sorted({clean(flow.coin, 12) for flow in mining if flow.coin})[:5])
    proven = count(FlowClass.MINING)
    return (
        KeyFigure(
            text("key_mining"),
            proven,
            text("note_coins", coins=coins) if coins else text("note_proven_payload"),
            "critical" if proven else "",
        ),
        KeyFigure(text("key_suspect"), count(FlowClass.SUSPECT), text("note_suspect_review")),
        KeyFigure(
            text("key_node_name"),
            (count(FlowClass.NODE) or 0) + (count(FlowClass.NAME) or 0) if looked else None,
            text("note_node_name", node=count(FlowClass.NODE) or 0, name=count(FlowClass.NAME) or 0),
        ),
        KeyFigure(text("key_captures"), facts.captures_analysed, text("note_captures_limit")),
    )


def _steps(facts: UnitFacts, cases: Sequence[CaseSheet], worst: dict[str, FlowClass]) -> tuple[Step, ...]:
    proven = [case.host for case in cases if case.flow_class is FlowClass.MINING]
    suspect = [case.host for case in cases if case.flow_class is FlowClass.SUSPECT]
    rest = [clean(host, 60) for host, found in worst.items() if found in {FlowClass.NODE, FlowClass.NAME}]
    proven_peers = [peer for peer in _peers(facts.flows) if peer.tone == CLASS_TONES[FlowClass.MINING]]
    peers = [f"{peer.peer}:{peer.port}" if peer.port else peer.peer for peer in proven_peers]
    critical, medium, low = (
        (severity.value, term(severity)) for severity in (Severity.CRITICAL, Severity.MEDIUM, Severity.LOW)
    )
    steps = []
    if proven:
        steps.append(Step(*critical, text("step_isolate"), text("cause_isolate"), len(proven), tuple(proven[:3])))
        steps.append(Step(*critical, text("step_attribute"), text("cause_attribute"), len(proven), tuple(proven[:3])))
    if peers:
        steps.append(Step(*critical, text("step_block"), text("cause_block"), len(peers), tuple(peers[:3])))
    if suspect:
        steps.append(Step(*medium, text("step_suspect"), text("cause_suspect"), len(suspect), tuple(suspect[:3])))
    if rest:
        steps.append(Step(*low, text("step_names"), text("cause_names"), len(rest), tuple(rest[:3])))
    if not facts.captures_analysed:
        steps.append(Step("unknown", text("not_checked"), text("step_capture"), text("gap_captures"), 0))
    return tuple(steps[:5])
