"""Hosts by search and filter, and one host with everything known of it and when it was known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from sentinel.console.page import Page
from sentinel.console.query import DAYS, cut_page, read_asset_cursor, read_asset_question
from sentinel.console.reading import Reading
from sentinel.errors import UsageError
from sentinel.model.endpoint import Endpoint, EndpointState, MapRow, Run, answers_everything
from sentinel.model.finding import Finding
from sentinel.model.plain import read_plain_address
from sentinel.model.register import RegisterEntry
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress
from sentinel.report.clean import clean
from sentinel.report.hosts import service_name
from sentinel.report.values import Span, Text
from sentinel.report.words import service_text, term
from sentinel.store import assets as store
from sentinel.store.endpoints import read_hosts_at
from sentinel.store.finding_pages import count_on_host, read_on_host
from sentinel.store.runs import read_confirmed

ROWS: Final = 50
_PORTS_SHOWN: Final = 8
_PORTS_READ: Final = 400
_HISTORY_READ: Final = 400
_SPANS_DRAWN: Final = 24
_FINDINGS_SHOWN: Final = 100
_RUNS_SEARCHED: Final = 2000


@dataclass(frozen=True, slots=True)
class AssetLine:
    """A host of a listing with what is open on it."""

    row: store.AssetRow
    names: tuple[str, ...]
    ports: tuple[Endpoint, ...]
    port_count: int
    silent: int
    answering: bool
    entries: Sequence[RegisterEntry]
    worst: Severity | None
    live: int


def build_assets(reading: Reading) -> Page:
    """Build the listing; only the hosts of one page are read whole."""
    database, query = reading.database, reading.query
    asked = read_asset_question(query, reading.networks, reading.now)
    found, total = tuple[store.AssetRow, ...](), 0
    # Without a register nothing is unregistered: nobody has told what should be there.
    unanswerable = not asked.networks or (asked.registered is not None and not reading.register.size)
    after, before = read_asset_cursor(query, "after"), read_asset_cursor(query, "before")
    back = after is None and before is not None
    if not unanswerable:
        found, total = store.read_asset_page(
            database, reading.unit.code, reading.networks, asked, after or before, ROWS + 1, back=back
        )
    vantages = reading.vantages
    rows, preceding, following = cut_page(found, ROWS, _cursor, started=after is not None, back=back)
    ids = [network.id for network in reading.networks]
    return Page(
        "assets",
        "assets",
        {
            "lines": tuple(_line(reading, row, vantages) for row in rows),
            "total": total,
            "preceding": preceding,
            "following": following,
            "vantages": vantages,
            "networks": reading.networks,
            "zones": tuple(dict.fromkeys(network.zone for network in reading.networks)),
            "services": tuple((name, service_text(name)) for name, _ in store.count_services(database, ids, 40)),
            "severities": tuple(Severity),
            "days": DAYS,
            "has_register": reading.register.size > 0,
            "looked": bool(vantages),
        },
    )


def _cursor(row: store.AssetRow) -> str:
    return f"{row.key}.{row.network}.{row.host.address}"


def _line(reading: Reading, row: store.AssetRow, vantages: Sequence[str]) -> AssetLine:
    database, address = reading.database, str(row.host.address)
    ports = store.read_intervals(database, row.network, address, vantages, lasting=True, limit=_PORTS_READ)
    names = store.read_sourced_names(database, row.network, address)
    opened = [one for one in ports if one.state is EndpointState.OPEN]
    worst, live = count_on_host(database, reading.unit.code, row.network, address)
    return AssetLine(
        row=row,
        names=tuple(sorted({name for name, *_ in names}, key=lambda name: ("." not in name, name))),
        ports=tuple(_by_port(opened)[:_PORTS_SHOWN]),
        port_count=len(_by_port(opened)),
        silent=sum(one.state is EndpointState.UNKNOWN for one in ports),
        answering=_answers(reading, opened),
        entries=reading.register.find(address),
        worst=worst,
        live=live,
    )


def _by_port(ports: Sequence[Endpoint]) -> list[Endpoint]:
    """Keep one endpoint of each port, whatever the vantages."""
    seen: dict[tuple[str, int], Endpoint] = {}
    for one in ports:
        seen.setdefault((one.key.proto, one.key.port), one)
    return list(seen.values())


def _answers(reading: Reading, opened: Sequence[Endpoint]) -> bool:
    network = reading.networks[0]
    return answers_everything([MapRow(reading.unit.code, network.name, network.zone, one) for one in opened])


def build_asset(reading: Reading, number: int, address_text: str) -> Page:
    """Build the page of one host.

    Raises:
        UsageError: no such address was ever seen in that network.
    """
    database = reading.database
    network = reading.network(number)
    address = _read_address(address_text)
    host = next(read_hosts_at(database, network, [address]), None) if network and address else None
    if network is None or address is None or host is None:
        raise UsageError(f"no such host: {address_text[:60]!r}")
    place = str(address)
    vantages = reading.vantages
    current = store.read_intervals(database, number, place, vantages, lasting=True, limit=_PORTS_READ)
    history = store.read_intervals(database, number, place, vantages, lasting=False, limit=_HISTORY_READ)
    confirmed = _find_confirmations(reading, current)
    findings = tuple(read_on_host(database, reading.unit.code, number, place, _FINDINGS_SHOWN))
    return Page(
        "asset",
        "assets",
        {
            "host": host,
            "network": network,
            "names": store.read_sourced_names(database, number, place),
            "current": current,
            "confirmed": confirmed,
            "answering": _answers(reading, [one for one in current if one.state is EndpointState.OPEN]),
            "history": history,
            "spans": _draw_spans(history, reading.now),
            "certificates": _certificates(current),
            "findings": findings,
            "worst": _worst_by_port(findings),
            "judged": not reading.unjudged,
            "entries": reading.register.find(place),
            "has_register": reading.register.size > 0,
            "runs": tuple({run.id: run for run in confirmed.values()}.values()),
            "zone": term(network.zone),
            "port_limit": _PORTS_READ,
            "history_limit": _HISTORY_READ,
            "spans_limit": _SPANS_DRAWN,
        },
    )


def _read_address(text: str) -> IPAddress | None:
    try:
        return read_plain_address(text)
    except ValueError:
        return None


def _find_confirmations(reading: Reading, current: Sequence[Endpoint]) -> dict[int, Run]:
    """Find the newest run that saw each lasting interval, looking back a bounded number of runs."""
    found: dict[int, Run] = {}
    ordered = sorted(current, key=lambda one: one.key.vantage)
    for vantage, group in groupby(ordered, key=lambda one: one.key.vantage):
        wanted = {one.id for one in group}
        runs = read_confirmed(reading.database, reading.unit.code, None, vantage)
        for count, (run, ids) in enumerate(runs):
            hit = {one for one in wanted if one in ids}
            found |= dict.fromkeys(hit, run)
            wanted -= hit
            if not wanted or count >= _RUNS_SEARCHED:
                break
    return found


def _draw_spans(history: Sequence[Endpoint], now: datetime) -> tuple[Span, ...]:
    """Give the newest intervals as rows of a timeline, by port and then by time."""
    newest = sorted(history[:_SPANS_DRAWN], key=lambda one: (one.key.proto, one.key.port, one.valid_from))
    return tuple(
        Span(
            clean(f"{one.key.port}/{one.key.proto} {service_name(one)} {one.fingerprint.product}", 60),
            one.valid_from,
            max(one.valid_to or now, one.valid_from),
            {EndpointState.OPEN: "accent", EndpointState.UNKNOWN: "unknown"}.get(one.state, "muted"),
            Text("至今", "to now") if one.valid_to is None else Text("已结束", "ended"),
        )
        for one in newest
    )


def _certificates(current: Sequence[Endpoint]) -> tuple[tuple[Endpoint, tuple[str, ...]], ...]:
    shown: dict[str, tuple[Endpoint, list[str]]] = {}
    for one in current:
        if one.certificate is not None:
            shown.setdefault(one.certificate.sha256, (one, []))[1].append(f"{one.key.port}/{one.key.proto}")
    return tuple((one, tuple(dict.fromkeys(places))) for one, places in shown.values())


def _worst_by_port(findings: Sequence[Finding]) -> dict[str, Severity]:
    worst: dict[str, Severity] = {}
    for finding in findings:
        if finding.state.is_live:
            place = finding.key.subject.rpartition(":")[2]
            known = worst.get(place)
            if known is None or finding.severity.rank < known.rank:
                worst[place] = finding.severity
    return worst
