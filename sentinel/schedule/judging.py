"""A unit's map and traffic in; its findings brought up to date, and the verdicts on control catalogues out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from itertools import chain, groupby, islice
from pathlib import Path

from sentinel.assess.correlation import Correlator
from sentinel.assess.judge import is_in_force, judge
from sentinel.assess.listing import Listing
from sentinel.assess.look_subjects import build_certificate_subjects, build_look_subjects
from sentinel.assess.pack import Pack, load_pack
from sentinel.assess.subjects import (
    build_domain_subjects,
    build_flow_subject,
    build_host_subjects,
    build_service_subject,
    build_system_subject,
    build_unit_subject,
    endpoint_text,
)
from sentinel.inventory.systems import confirm_by, is_retired
from sentinel.model.endpoint import EndpointKey, EndpointState, Host, MapRow
from sentinel.model.finding import Closing, ClosingKind, Finding, FindingSource, FindingState
from sentinel.model.moment import SHANGHAI
from sentinel.model.observation import NameObservation
from sentinel.model.probe import Probe
from sentinel.model.rule import Detection, Rule, Subject
from sentinel.model.unit import IPAddress, Network, Unit, choose_network
from sentinel.respond.lifecycle import build_key, end_exemption, prove_gone, take_detection
from sentinel.schedule.context import Context
from sentinel.schedule.entry_use import iterate_entry_subjects
from sentinel.schedule.log_judging import judge_logs
from sentinel.schedule.reading import find_blankets, iterate_map, leave_out_answering, leave_out_ghosts
from sentinel.schedule.web_looks import WebLooks, read_untold
from sentinel.store.closings import read_newest_look, write_closing
from sentinel.store.database import Transaction
from sentinel.store.endpoints import read_hosts_at
from sentinel.store.findings import count_live, read_by_subjects, read_findings, read_live, write_findings
from sentinel.store.flows import read_flows
from sentinel.store.idset import IdSet
from sentinel.store.probes import read_probes
from sentinel.store.runs import read_newest_scan
from sentinel.store.systems import read_systems
from sentinel.store.units import read_networks
from sentinel.store.whitelist import read_applying

_CHUNK = 500
OWN_SOURCES = frozenset({FindingSource.OWN_SCAN, FindingSource.TRAFFIC})
"""Findings judging speaks for; of what others found its silence says nothing, so it never closes that."""

FLOW_DAYS = 90
"""Captures analysed longer ago no longer bear on findings."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What judging a unit did.

    Attributes:
        opened: findings that are new.
        reopened: findings that came back.
        gone: findings proven gone.
        live: findings that ask for something now.
        pack_hash: the rule pack that judged.
    """

    opened: int
    reopened: int
    gone: int
    live: int
    pack_hash: str


def read_pack(context: Context) -> Pack:
    """Load the rules of the installation and of the home; the same files are read once in a process.

    Raises:
        RuleError: a file has mistakes; nothing is judged by half a pack.
    """
    return _load(context.rule_folders, context.home.cache)


@lru_cache(maxsize=4)
def _load(folders: tuple[Path, ...], cache: Path) -> Pack:
    return load_pack(folders, cache)


def judge_unit(context: Context, unit: Unit) -> Judgement:
    """Judge all that is known of a unit and bring its findings up to date, in one transaction.

    Raises:
        RuleError: the rules have mistakes.
    """
    pack = read_pack(context)
    now = context.clock()
    touched = IdSet()
    counts = {"opened": 0, "reopened": 0, "gone": 0}
    with context.database.transaction(context.actor, now) as transaction:
        found = chain(_detections(context, unit, pack, now), judge_logs(context, unit, pack, now))
        for detections in _correlated(found, unit, pack, now):
            for finding, before in _take(transaction, unit, detections, now):
                touched.add(finding.id)
                if before == "":
                    counts["opened"] += 1
                elif before != finding.state.value and finding.state is FindingState.OPEN:
                    counts["reopened"] += 1
        counts["gone"] = _prove_gone(context, transaction, unit, pack, touched, now)
        live = count_live(context.database, unit.code)
        result = Judgement(**counts, live=live, pack_hash=pack.hash)
        transaction.audit("unit.check", f"unit {unit.code}", after={**counts, "live": live, "pack": pack.hash})
    return result


def _correlated(chunks: Iterable[list[Detection]], unit: Unit, pack: Pack, now: datetime) -> Iterator[list[Detection]]:
    """Pass chunks on without what is only counted, and last what the counts say."""
    correlator = Correlator((one for one in pack.correlations if is_in_force(one.rule, now)), now)
    for chunk in chunks:
        yield list(correlator.take(chunk))
    yield list(correlator.finish(unit.code))


def _detections(context: Context, unit: Unit, pack: Pack, now: datetime) -> Iterator[list[Detection]]:
    """Yield detections chunk by chunk; only those of a name with many addresses may stand in several chunks."""
    listing = Listing(read_applying(context.database, unit), now, unit.code)
    networks = read_networks(context.database, unit.code)
    by_name = {network.name: network for network in networks}
    blankets = find_blankets(context, unit)
    endpoints = 0
    looks = _read_looks(context, networks)
    for rows in _by_address(leave_out_ghosts(iterate_map(context, unit), blankets)):
        endpoints += len(rows)
        meant, _ = leave_out_answering(rows, blankets)
        services = (build_service_subject(row, listing, now, looks.get(row.endpoint.key, ())) for row in meant)
        closer = (
            subject
            for row in meant
            if row.endpoint.key in looks
            for subject in build_look_subjects(looks[row.endpoint.key], row, unit.code, now)
        )
        certificates = chain.from_iterable(
            build_certificate_subjects(row, looks.get(row.endpoint.key, ()), now)
            for row in meant
            if row.endpoint.certificate is not None or row.endpoint.key in looks
        )
        subjects = chain(
            services,
            certificates,
            closer,
            build_host_subjects(rows, listing, _hosts_of(context, by_name, rows), blankets),
            build_domain_subjects(rows, listing, unit.code, certificate_names(rows)),
        )
        yield list(judge(pack, subjects, now))
    unit_subject = build_unit_subject(
        unit.code,
        listing,
        now,
        networks=networks,
        newest_scan=read_newest_scan(context.database, unit.code),
        endpoints=endpoints,
    )
    domains = build_look_subjects(looks.get(None, ()), None, unit.code, now)
    others = chain(_flows(context, unit, now), _systems(context, unit, now), domains, (unit_subject,))
    yield list(judge(pack, others, now))
    yield list(judge(pack, iterate_entry_subjects(context, unit, listing, now), now))


def _read_looks(context: Context, networks: Iterable[Network]) -> dict[EndpointKey | None, list[Probe]]:
    """Give the newest looks by endpoint; those at domains under None."""
    found: dict[EndpointKey | None, list[Probe]] = {}
    for one in read_probes(context.database, [network.id for network in networks]):
        place = EndpointKey(one.network, one.vantage, one.address, one.proto, one.port) if one.address else None
        found.setdefault(place, []).append(one)
    pages = WebLooks()
    return {place: list(pages.distinct(looks)) for place, looks in found.items()}


def _address_of(row: MapRow) -> tuple[int, IPAddress]:
    return row.endpoint.key.network, row.endpoint.key.address


def certificate_names(rows: Iterable[MapRow]) -> Iterator[NameObservation]:
    """Yield the names certificates claim, which nobody need have registered; wildcards and addresses name no site."""
    for row in rows:
        certificate = row.endpoint.certificate
        for name in certificate.names if certificate else ():
            if "*" not in name:
                yield NameObservation(name, row.endpoint.key.address, row.endpoint.last_confirmed, "certificate")


def _hosts_of(context: Context, networks: Mapping[str, Network], rows: Iterable[MapRow]) -> Iterator[Host]:
    places: dict[str, dict[IPAddress, None]] = {}
    for row in rows:
        places.setdefault(row.network, {})[row.endpoint.key.address] = None
    for name, addresses in places.items():
        yield from read_hosts_at(context.database, networks[name], list(addresses))


def _by_address(rows: Iterable[MapRow]) -> Iterator[list[MapRow]]:
    """Yield chunks of about 500 rows that never split an address."""
    groups = groupby(rows, key=_address_of)
    while chunk := [row for _, group in islice(groups, _CHUNK // 5) for row in group]:
        yield chunk


def _flows(context: Context, unit: Unit, now: datetime) -> Iterator[Subject]:
    networks = read_networks(context.database, unit.code)
    for evidence, flow in read_flows(context.database, unit.code, after=now - timedelta(days=FLOW_DAYS)):
        network, _ = choose_network(networks, ip_address(flow.host))
        yield build_flow_subject(flow, unit.code, network.id, network.zone, evidence)


def _systems(context: Context, unit: Unit, now: datetime) -> Iterator[Subject]:
    """Yield the systems that are not retired; what was retired asks for nothing any more."""
    today = now.astimezone(SHANGHAI).date()
    for system in read_systems(context.database, unit.code):
        if not is_retired(system):
            due = confirm_by(system, context.settings.confirm_days)
            yield build_system_subject(system, today, confirm_by=due, now=now)


def _take(
    transaction: Transaction, unit: Unit, detections: list[Detection], now: datetime
) -> Iterator[tuple[Finding, str]]:
    newest: dict[object, Detection] = {}
    for one in detections:
        key = build_key(one)
        held = newest.get(key)
        if held is None or (one.subject.seen_at or now) >= (held.subject.seen_at or now):
            newest[key] = one
    known = read_by_subjects(
        transaction.database, unit.code, ((one.subject.network, one.subject.text) for one in newest.values())
    )
    steps = [take_detection(known.get(build_key(one)), one, now) for one in newest.values()]
    stored = write_findings(transaction, [(step.finding, step.before, step.reason) for step in steps])
    for finding, step in zip(stored, steps, strict=True):
        yield finding, step.before


def _prove_gone(
    context: Context, transaction: Transaction, unit: Unit, pack: Pack, touched: IdSet, now: datetime
) -> int:
    rules = {rule.name: rule for rule in pack.rules}
    asks = {one.rule.name: frozenset(one.part.fields) for one in pack.compiled}
    untold = read_untold(context, unit)
    silent = _silent_words(context, unit)
    steps: list[tuple[Finding, str, str]] = []
    exempted = read_findings(context.database, [unit.code], (FindingState.ACCEPTED, FindingState.FALSE_POSITIVE))
    over = (finding for finding in exempted if finding.until is not None and finding.until < now)
    for finding in chain(read_live(context.database, unit.code), over):
        if finding.source not in OWN_SOURCES:
            steps += _end_exemption(finding, now)
            continue
        rule = rules.get(finding.key.rule)
        if finding.id in touched or rule is None:
            continue
        if is_untold(rule, finding.key.subject, asks, untold):
            continue
        counts_events = any(rules[name].category.is_event for name in rule.correlates if name in rules)
        if _is_proven_gone(finding, rule, silent, now, counts_events=counts_events):
            step = prove_gone(finding, now)
            steps.append((step.finding, step.before, step.reason))
    gone = [one for one in write_findings(transaction, steps) if one.state.is_gone]
    if gone:
        proof = read_newest_look(context.database, unit.code)
        closing = Closing(ClosingKind.RETEST, True, now, transaction.actor, proof, note="later look")
        for one in gone:
            write_closing(transaction, one.id, closing)
    return len(gone)


def is_untold(rule: Rule, subject: str, asks: Mapping[str, frozenset[str]], untold: Mapping[str, set[str]]) -> bool:
    """Tell whether the newest looks left open what a rule asks of a subject; a count, what it counts of any subject."""
    if not rule.correlates:
        return not asks.get(rule.name, frozenset()).isdisjoint(untold.get(subject, ()))
    return any(not asks.get(name, frozenset()).isdisjoint(left) for name in rule.correlates for left in untold.values())


def _end_exemption(finding: Finding, now: datetime) -> Iterator[tuple[Finding, str, str]]:
    """Open again what others found and somebody exempted until a moment that has passed."""
    if not finding.state.is_live and (step := end_exemption(finding, now)) is not None:
        yield step.finding, step.before, step.reason


def _is_proven_gone(
    finding: Finding, rule: Rule, silent: frozenset[str], now: datetime, *, counts_events: bool
) -> bool:
    """Tell whether that the rule stays quiet is proof.

    It is none for traffic, where silence proves nothing, nor for a host that no longer answers, nor for a rule that is
    out of force. A count of events lasts; a count of states proves nothing while anything
    that may belong to it is silent.
    """
    if rule.correlates and (silent or counts_events):
        return False
    subject = finding.key.subject
    if rule.category.is_event or subject in silent or subject.partition(" ")[0] in silent:
        return False
    return (rule.valid_from is None or rule.valid_from <= now) and (rule.valid_to is None or now <= rule.valid_to)


def _silent_words(context: Context, unit: Unit) -> frozenset[str]:
    """Give the subjects of which nothing can be said now: endpoints in state unknown, their addresses and names.

    So it is with ports of hosts that answer everywhere, and with addresses a box in front answers for: what was found
    there before may be behind them still.
    """
    blankets = find_blankets(context, unit)
    _, left_out = leave_out_answering(iterate_map(context, unit), blankets)
    words = {endpoint_text(row.endpoint.key) for row in left_out}
    words.update(str(row.endpoint.key.address) for row in left_out if blankets.covers(row.endpoint))
    for row in iterate_map(context, unit, states=(EndpointState.UNKNOWN,)):
        key = row.endpoint.key
        words.update((endpoint_text(key), str(key.address), *row.names))
    return frozenset(words)
