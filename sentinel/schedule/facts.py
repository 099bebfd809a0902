"""A unit or a centre, and a period, in; all the facts its reports are built from out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sentinel.assess.listing import Listed, Listing
from sentinel.errors import UsageError
from sentinel.inventory.reconcile import reconcile
from sentinel.inventory.rollup import roll_up
from sentinel.inventory.systems import find_due
from sentinel.inventory.upkeep import review_places
from sentinel.model.control import Verdict
from sentinel.model.endpoint import EndpointState, Host, MapRow
from sentinel.model.facts import CentreFacts, Period, UnitFacts, UnitSummary
from sentinel.model.finding import Finding, FindingState
from sentinel.model.flow import FlowClass
from sentinel.model.moment import SHANGHAI, local_date
from sentinel.model.publication import Publication, PublicationState
from sentinel.model.scope import Authorisation
from sentinel.model.unit import IPAddress, Network, Unit
from sentinel.schedule.context import Context
from sentinel.schedule.frozen import REPORTING, find_frozen, read_frozen_summaries
from sentinel.schedule.judging import read_pack
from sentinel.schedule.keep_out import load_kept_out
from sentinel.schedule.kept_words import Kept, show_targets
from sentinel.schedule.owners import build_owners, find_owners
from sentinel.schedule.reading import (
    count_addresses,
    find_blankets,
    iterate_map,
    leave_out_answering,
    leave_out_ghosts,
    planned_spans,
    read_coverages,
    read_diff,
    read_map,
    read_network_coverage,
    read_unit_hosts,
)
from sentinel.schedule.silence import read_silence
from sentinel.schedule.upkeep import read_declared, read_joined
from sentinel.schedule.verdicts import read_verdicts
from sentinel.store.declared import count_contacts
from sentinel.store.findings import read_findings
from sentinel.store.flows import count_captures, read_flows
from sentinel.store.judged import count_unjudged
from sentinel.store.publications import read_publications
from sentinel.store.runs import read_newest_run_time, read_newest_run_times, read_runs
from sentinel.store.scopes import read_authorisations
from sentinel.store.unit_tree import read_unit_at
from sentinel.store.units import read_networks, read_networks_below, read_units
from sentinel.store.whitelist import read_applying

SUMMARY_CATALOGUE = "mlps-l2"
"""The catalogue whose clause counters a centre's overview shows: level 2 is what nearly every school has."""

CONFIRM_SOON = timedelta(days=30)
"""A system that is to be confirmed within this time stands in the report."""

_MONTH = re.compile(r"(\d{4})-(\d{2})\Z")


def read_period(text: str | None, now: datetime) -> Period:
    """Read `2026-10` (a month), `2026-10-26/2026-11-25` (days, both included), or None: the last 30 days.

    Raises:
        UsageError: it is neither.
    """
    if not text:
        start = now - timedelta(days=30)
        return Period(start, now, f"{local_date(start)}/{local_date(now)}")
    try:
        if match := _MONTH.match(text):
            year, month = int(match[1]), int(match[2])
            first = datetime(year, month, 1, tzinfo=SHANGHAI)
            following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=SHANGHAI)
        else:
            begin, _, end = text.partition("/")
            first = datetime.strptime(begin, "%Y-%m-%d").replace(tzinfo=SHANGHAI)
            following = datetime.strptime(end or begin, "%Y-%m-%d").replace(tzinfo=SHANGHAI) + timedelta(days=1)
        start, last = first.astimezone(UTC), following.astimezone(UTC) - timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--period: {text!r} is neither a month (2026-10) nor days (2026-10-26/2026-11-25)") from error
    if last < start:
        raise UsageError(f"--period: {text!r} ends before it begins")
    if start > now:
        raise UsageError(f"--period: {text!r} has not begun yet")
    return Period(start, last, text)


def read_unit_facts(context: Context, unit: Unit, period: Period) -> UnitFacts:
    """Read everything known of a unit at the end of a period, or now when that is still to come."""
    now = context.clock()
    at, networks = min(period.end, now), read_networks(context.database, unit.code)
    meant, answering, ghosts = _read_meant(context, unit, at)
    open_places = {(row.network, row.endpoint.key.address) for row in meant} | answering.keys()
    hosts = tuple(
        host
        for host in read_unit_hosts(context, networks)
        if (host.network, host.address) in open_places
        or ((host.network, host.address) not in ghosts and _was_seen(host, period))
    )
    findings = _findings(context, unit, period)
    register = read_joined(context, unit, at)
    standing = reconcile(
        register.entries,
        meant,
        hosts,
        read_coverages(context, unit, period.start, period.end),
        at,
        answering=[(*place, count) for place, count in answering.items()],
        logs_only=_logs_only(networks),
    )
    return UnitFacts(
        unit=read_unit_at(context.database, unit, at),
        networks=networks,
        rows=meant,
        hosts=hosts,
        findings=findings,
        changes=tuple(
            change
            for change in read_diff(context, unit, period.start, at)
            if (change.row.network, change.row.endpoint.key.address) not in answering.keys() | ghosts
        ),
        runs=tuple(reversed(read_runs(context.database, unit.code, after=period.start, until=period.end))),
        verdicts=read_verdicts(context, unit, now),
        flows=tuple(flow for _, flow in read_flows(context.database, unit.code, period.start, period.end)),
        coverage=read_network_coverage(context, unit, networks, period.start, period.end),
        whitelist_entries=Listing(read_applying(context.database, unit), at, unit.code).entries,
        period=period,
        generated_at=now,
        pack_hash=read_pack(context).hash,
        catalogues=read_pack(context).catalogues,
        captures_analysed=count_captures(context.database, unit.code, period.start, period.end),
        silent_hosts=_count_silent(context, unit, at),
        answering=tuple((*place, count) for place, count in answering.items()),
        standing=standing,
        owners=find_owners(build_owners(register.entries, hosts, at, register.systems), findings),
        authorisations=_authorisations(context, unit),
        contacts=count_contacts(context.database, unit.code),
        sources=tuple(reversed(read_runs(context.database, unit.code, until=at))),
        silences=read_silence(context, unit, now),
        unjudged=count_unjudged(context.database, unit.code),
        systems=register.systems,
        places=review_places(standing, meant, hosts, read_declared(context, unit, register), register.owners, at),
        confirm_due=find_due(register.systems, context.settings.confirm_days, now + CONFIRM_SOON),
        knows_domains=bool(context.settings.own_domains),
        published=_published(context, unit, at),
    )


def _read_meant(
    context: Context, unit: Unit, at: datetime
) -> tuple[tuple[MapRow, ...], Counter[tuple[str, IPAddress]], frozenset[tuple[str, IPAddress]]]:
    """Give the endpoints that mean something, the boxes that answer on anything with their ports, and ghosts."""
    blankets = find_blankets(context, unit, at)
    rows = read_map(context, unit, at)
    listed = list(leave_out_ghosts(rows, blankets))
    meant, left_out = leave_out_answering(listed, blankets)
    answering = Counter((row.network, row.endpoint.key.address) for row in left_out)
    places = {(row.network, row.endpoint.key.address) for row in listed}
    ghosts = frozenset((row.network, row.endpoint.key.address) for row in rows) - places
    return tuple(meant), answering, ghosts


def _count_silent(context: Context, unit: Unit, at: datetime) -> int:
    return len({row.endpoint.key.address for row in read_map(context, unit, at, (EndpointState.UNKNOWN,))})


def _published(context: Context, unit: Unit, at: datetime) -> tuple[Publication, ...]:
    found = read_publications(context.database, unit.code, [PublicationState.IN_FORCE])
    return tuple(one for one in found if one.holds(at))


def _was_seen(host: Host, period: Period) -> bool:
    return host.last_seen is not None and period.start <= host.last_seen <= period.end


def _logs_only(networks: Iterable[Network]) -> frozenset[str]:
    return frozenset(one.name for one in networks if not one.scannable)


def _authorisations(context: Context, unit: Unit) -> tuple[Authorisation, ...]:
    kept = load_kept_out(context, unit)
    held = (one for one in read_authorisations(context.database, unit.code) if one.withdrawn_at is None)
    return tuple(one for one in held if show_targets(kept, one.targets).kept is not Kept.WHOLE)


def _findings(context: Context, unit: Unit, period: Period) -> tuple[Finding, ...]:
    """Live and exempted findings, those that wait for their issuer, those closed in the period; none of a drill."""
    return tuple(
        one
        for one in read_findings(context.database, [unit.code])
        if not one.exercise
        and one.first_seen <= period.end
        and (one.closed_at is None or one.closed_at >= period.start or one.state is FindingState.AWAITING)
    )


def read_centre_facts(context: Context, centre: Unit, period: Period) -> CentreFacts:
    """Read the counters of a unit and of everything below it, as they stand.

    A unit is counted when it is a school or department, or when it has evidence of its own.
    """
    units, now = read_units(context.database, centre), context.clock()
    summaries = tuple(
        _summarise(context, unit, period, now)
        for unit in units
        if unit.level in REPORTING or read_newest_run_time(context.database, unit.code) is not None
    )
    return _centre_facts(context, centre, units, summaries, period)


def _centre_facts(
    context: Context, centre: Unit, units: tuple[Unit, ...], summaries: tuple[UnitSummary, ...], period: Period
) -> CentreFacts:
    pack = read_pack(context)
    counted = next((one for one in pack.catalogues if one.id == SUMMARY_CATALOGUE), None)
    return CentreFacts(
        centre=centre,
        units=units,
        summaries=summaries,
        catalogue=counted.title_zh if counted else SUMMARY_CATALOGUE,
        catalogue_en=counted.title_en if counted else SUMMARY_CATALOGUE,
        period=period,
        generated_at=context.clock(),
        pack_hash=pack.hash,
    )


def read_map_facts(context: Context, unit: Unit, period: Period) -> UnitFacts | CentreFacts:
    """Read what the map of a unit is drawn from: itself, or the units below it and what it has of its own.

    The units below are read from the counters frozen for the period where there are any, else counted now.
    """
    units = read_units(context.database, unit)
    if len(units) == 1:
        return read_unit_facts(context, unit, period)
    snapshot = find_frozen(context, unit, period, context.clock())
    if snapshot is None:
        facts = _centre_facts(context, unit, units, _live_summaries(context, unit, units, period), period)
    else:
        summaries = read_frozen_summaries(context, unit, units, snapshot)
        span = Period(snapshot.start, snapshot.end, snapshot.label)
        facts = replace(_centre_facts(context, unit, units, summaries, span), frozen=snapshot)
        facts = replace(facts, pack_hash=snapshot.pack_hash)
    has_own = unit.level in REPORTING or read_newest_run_time(context.database, unit.code) is not None
    return replace(facts, own=read_unit_facts(context, unit, period)) if has_own else facts


def _live_summaries(context: Context, top: Unit, units: tuple[Unit, ...], period: Period) -> tuple[UnitSummary, ...]:
    """Count the units below one of which anything was ever scanned; of the others only their addresses are told."""
    now = context.clock()
    reported = read_newest_run_times(context.database)
    networks = read_networks_below(context.database, top)
    return tuple(
        _summarise(context, unit, period, now) if unit.code in reported else _silent(unit, networks.get(unit.code, ()))
        for unit in units
        if unit.level in REPORTING or unit.code in reported
    )


def _silent(unit: Unit, networks: Iterable[Network]) -> UnitSummary:
    planned = count_addresses(planned_spans(networks))
    return UnitSummary(unit, 0, 0, {}, 0, 0, None, 0, planned, 0, None, 0, 0, 0, None)


def _summarise(context: Context, unit: Unit, period: Period, now: datetime) -> UnitSummary:
    at = min(period.end, now)
    networks = read_networks(context.database, unit.code)
    coverage = read_network_coverage(context, unit, networks, period.start, period.end)
    findings = _findings(context, unit, period)
    flows = [flow for _, flow in read_flows(context.database, unit.code, period.start, period.end)]
    mining = {flow.host for flow in flows if flow.flow_class is FlowClass.MINING}
    suspects = {flow.host for flow in flows if flow.flow_class is FlowClass.SUSPECT} - mining
    verdicts = roll_up(read_verdicts(context, unit, now, SUMMARY_CATALOGUE))
    listing = Listing(read_applying(context.database, unit), at, unit.code)
    hosts: set[tuple[str, object]] = set()
    endpoints = 0
    listed: Counter[Listed] = Counter()
    blankets = find_blankets(context, unit, at)
    meant, left_out = leave_out_answering(leave_out_ghosts(iterate_map(context, unit, at), blankets), blankets)
    hosts |= {(row.network, row.endpoint.key.address) for row in left_out}
    for row in meant:
        endpoints += 1
        key, mark = row.endpoint.key, row.endpoint.fingerprint
        hosts.add((row.network, key.address))
        verdict = listing.endpoint(
            key.address,
            key.proto,
            key.port,
            mark.service,
            mark.tunnel,
            guessed=mark.guessed,
            vantage=key.vantage,
        )
        listed[verdict] += 1
    return UnitSummary(
        unit=unit,
        hosts=len(hosts),
        endpoints=endpoints,
        live=dict(Counter(one.severity.value for one in findings if one.state.is_live)),
        overdue=sum(1 for one in findings if one.is_overdue(at)),
        closed=sum(1 for one in findings if one.closed_at is not None and one.state.is_final),
        mining_hosts=len(mining) if count_captures(context.database, unit.code, period.start, period.end) else None,
        suspect_hosts=len(suspects),
        planned=sum(one.planned for one in coverage),
        covered=sum(one.covered for one in coverage if one.planned),
        last_run=read_newest_run_time(context.database, unit.code),
        nonconform=sum(1 for one in verdicts if one.verdict is Verdict.NONCONFORM),
        answered=sum(1 for one in verdicts if one.verdict is not Verdict.UNKNOWN),
        clauses=len(verdicts),
        unlisted=(
            listed[Listed.UNLISTED] + listed[Listed.MISMATCH] + listed[Listed.DENIED] if listing.entries else None
        ),
        unjudged=count_unjudged(context.database, unit.code),
    )
