"""What changed in a span of days: the same kinds as `sentinel diff`, read from the intervals that began or ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from sentinel.console.builds import Builds, Built
from sentinel.console.page import Page
from sentinel.console.query import DAYS
from sentinel.console.reading import Desk, Reading
from sentinel.model.endpoint import MANY_PORTS, Change, ChangeKind, Endpoint, EndpointState, MapRow, answers_everything
from sentinel.model.unit import IPAddress, Unit
from sentinel.report.hosts import service_name
from sentinel.schedule.context import Context
from sentinel.schedule.reading import find_blankets, read_diff
from sentinel.store.assets import read_crowded, read_intervals, read_vantages
from sentinel.store.units import read_networks

ROWS: Final = 50
_DEFAULT_DAYS: Final = 30
_WAIT_S: Final = 0.4
_HOLD_S: Final = 600
_PORTS_READ: Final = 1 << 17


def build_changes(reading: Reading, desk: Desk, builds: Builds) -> Page:
    """Build the listing; the changes of a span are worked out once for each state of the home."""
    days = reading.query.days(_DEFAULT_DAYS)
    built = ask_changes(builds, desk, reading.unit, reading.stamp, reading.now, days, _WAIT_S)
    changes: tuple[Change, ...] = built.value if isinstance(built.value, tuple) else ()
    kind = reading.query.choice("kind", ChangeKind)
    wanted = [
        one for one in changes if (kind is None or one.kind is kind) and _mentions(one, reading.query.get("q", ""))
    ]
    number = max(int(page) if (page := reading.query.get("page", "")).isdecimal() and len(page) < 8 else 1, 1)
    start = (number - 1) * ROWS
    ids = {network.name: network.id for network in reading.networks}
    return Page(
        "changes",
        "changes",
        {
            "built": built,
            "lines": tuple((one, ids.get(one.row.network, 0)) for one in wanted[start : start + ROWS]),
            "total": len(wanted),
            "number_of_page": number,
            "more": len(wanted) > start + ROWS,
            "counts": Counter(one.kind for one in changes),
            "kinds": tuple(ChangeKind),
            "choices": DAYS,
            "chosen": days,
            "looked": bool(reading.vantages),
        },
        refresh_s=2 if built.value is None and built.building else 0,
    )


def ask_changes(
    builds: Builds, desk: Desk, unit: Unit, stamp: int, now: datetime, days: int = _DEFAULT_DAYS, wait_s: float = 0.0
) -> Built:
    """Ask for the changes of the last days; they hold for ten minutes, though their span moves with the clock."""
    key = ("changes", unit.code, days)
    return builds.ask(key, (stamp, int(now.timestamp()) // _HOLD_S), changes_maker(desk, unit, days), wait_s)


def changes_maker(desk: Desk, unit: Unit, days: int) -> Callable[[], tuple[object, datetime]]:
    """Give what works out the changes of the last days, the newest first."""

    def make() -> tuple[object, datetime]:
        with desk.open(None) as context:
            end = context.clock()
            answering = _find_answering(context, unit)
            blankets = find_blankets(context, unit, end)
            found = [
                one
                for one in read_diff(context, unit, end - timedelta(days=days), end)
                if (one.row.network, one.row.endpoint.key.address) not in answering
                and not blankets.covers(one.row.endpoint)
            ]
        return tuple(sorted(found, key=lambda one: one.at or end, reverse=True)), end

    return make


def _find_answering(context: Context, unit: Unit) -> frozenset[tuple[str, IPAddress]]:
    """Find the hosts that answer on whatever port they are asked: as in the reports, no port of them is a change."""
    networks = {network.id: network for network in read_networks(context.database, unit.code)}
    vantages = read_vantages(context.database, unit.code)
    found = set()
    for number, address in read_crowded(context.database, list(networks), MANY_PORTS):
        network = networks[number]
        lasting = read_intervals(context.database, number, address, vantages, lasting=True, limit=_PORTS_READ)
        opened = [one for one in lasting if one.state is EndpointState.OPEN]
        if answers_everything([MapRow(unit.code, network.name, network.zone, one) for one in opened]):
            found.add((network.name, ip_address(address)))
    return frozenset(found)


def _mentions(change: Change, words: str) -> bool:
    if not words:
        return True
    endpoint: Endpoint = change.row.endpoint
    mark = endpoint.fingerprint
    place = f"{endpoint.key.address}:{endpoint.key.port}/{endpoint.key.proto}"
    said = (place, service_name(endpoint), mark.product, endpoint.title, change.row.network)
    return any(words.casefold() in piece.casefold() for piece in said)
