"""What surrounds an address at a moment: open ports, findings that lived, mining flows, names, makers of cards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from sentinel.model.endpoint import Endpoint, EndpointState
from sentinel.model.finding import Finding, FindingState
from sentinel.model.flow import FlowDetection
from sentinel.model.moment import to_microseconds
from sentinel.model.unit import IPAddress
from sentinel.store.assets import escape_like, host_of, read_intervals, read_sourced_names, read_vantages
from sentinel.store.database import Database
from sentinel.store.findings import FINDING_SELECT, build_finding
from sentinel.store.flows import read_flows_of

MOST = 200
_INTERVALS = 20_000
"""Intervals of one address that are looked at, the newest first."""


def read_open_at(database: Database, unit: str, network: int, address: IPAddress, at: datetime) -> tuple[Endpoint, ...]:
    """Give the ports of an address that were open at a moment, by protocol, port and vantage."""
    found = read_intervals(
        database, network, str(address), read_vantages(database, unit), lasting=False, limit=_INTERVALS
    )
    held = [
        one
        for one in found
        if one.state is EndpointState.OPEN and one.valid_from <= at and (one.valid_to is None or one.valid_to > at)
    ]
    return tuple(sorted(held, key=lambda one: (one.key.proto, one.key.port, one.key.vantage)))[:MOST]


def read_findings_at(
    database: Database, unit: str, network: int, address: IPAddress, at: datetime
) -> tuple[Finding, ...]:
    """Give the findings about an address, or a page of it, that lived at a moment, by their number."""
    text = escape_like(str(address))
    rows = database.query(
        f"{FINDING_SELECT} WHERE unit=? AND (network=? AND (subject LIKE ? ESCAPE '\\' OR subject LIKE ? ESCAPE '\\') "
        "OR network=0 AND subject_kind='url' AND subject LIKE ? ESCAPE '\\') AND first_seen_us<=? ORDER BY number",
        (unit, network, f"{text}%", f"[{text}]%", f"%://%{text}%", to_microseconds(at)),
    )
    found = [one for one in map(build_finding, list(rows)) if _host_of(one.key.subject) == str(address)]
    return tuple(one for one in found if _lived(database, one, at))[:MOST]


def _host_of(subject: str) -> str:
    if "://" not in subject:
        return host_of(subject)
    try:
        return urlsplit(subject).hostname or ""
    except ValueError:
        return ""


def _lived(database: Database, one: Finding, at: datetime) -> bool:
    """Tell whether a finding that was first seen by then had not been closed; its events say so where there are any."""
    row = database.one(
        "SELECT after FROM finding_event WHERE finding=? AND at_us<=? ORDER BY at_us DESC, id DESC LIMIT 1",
        (one.id, to_microseconds(at)),
    )
    return FindingState(row[0]).is_live if row else one.closed_at is None or one.closed_at > at or one.reopened > 0


def read_flows_at(
    database: Database, unit: str, address: IPAddress, start: datetime, end: datetime
) -> tuple[tuple[str, FlowDetection], ...]:
    """Give (evidence, detection) of mining by an address that meets a span; a capture without times meets none."""
    return read_flows_of(database, unit, str(address), start, end, MOST)


def find_vendor(database: Database, networks: Sequence[int], mac: str) -> str:
    """Give the maker of a card as a scan told it: of this card, else of one whose address begins alike."""
    marks = ",".join("?" * len(networks))
    for pattern in (mac, f"{mac[:8]}%"):
        row = database.one(
            f"SELECT vendor FROM host WHERE network IN ({marks}) AND vendor!='' AND mac LIKE ? "  # noqa: S608
            "ORDER BY last_seen_us DESC LIMIT 1",
            (*networks, pattern),
        )
        if row:
            return str(row[0])
    return ""


def read_names_at(database: Database, network: int, address: IPAddress, at: datetime) -> tuple[str, ...]:
    """Give the names known for an address by a moment, the last seen first."""
    found = read_sourced_names(database, network, str(address))
    return tuple(name for name, _, first, _ in found if first <= at)[:20]
