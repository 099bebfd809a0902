"""The map: the pictures of the map report, made beside the requests and handed out as last made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sentinel.console.builds import Builds, Built
from sentinel.console.page import Links, Page
from sentinel.console.page_overview import Digest, print_pages
from sentinel.console.reading import Desk, Reading
from sentinel.model.unit import Network, Unit
from sentinel.report.clean import clean
from sentinel.report.view_map import build_map_view
from sentinel.schedule.facts import read_map_facts, read_period
from sentinel.store.units import read_networks

_WAIT_S: Final = 0.25
_HOUR_S: Final = 3600


def build_map_page(reading: Reading, desk: Desk, builds: Builds) -> Page:
    """Build the page from the pictures as last made."""
    built = ask_pictures(builds, desk, reading.unit, reading.stamp, reading.now, _WAIT_S)
    pictures = built.value if isinstance(built.value, Digest) else None
    return Page(
        "map",
        "map",
        {"built": built, "pictures": pictures.pages[reading.lang] if pictures else ""},
        refresh_s=3 if pictures is None and built.building else 0,
    )


def ask_pictures(builds: Builds, desk: Desk, unit: Unit, stamp: int, now: datetime, wait_s: float = 0.0) -> Built:
    """Ask for the pictures of a unit; they hold for an hour, or until something changes."""
    return builds.ask(("map", unit.code), (stamp, int(now.timestamp()) // _HOUR_S), _maker(desk, unit), wait_s)


def _maker(desk: Desk, unit: Unit) -> Callable[[], tuple[object, datetime]]:
    def make() -> tuple[object, datetime]:
        with desk.open(None) as context:
            facts = read_map_facts(context, unit, read_period(None, context.clock()))
            networks = read_networks(context.database, unit.code)
        view = build_map_view(facts)

        def values(lang: str) -> dict[str, object]:
            link = Links(unit.code, lang if lang != desk.settings.language else "")
            return {"view": view, "link": link, "network_ids": _ids(networks)}

        return Digest(print_pages("console/map_pictures.html.j2", values)), facts.generated_at

    return make


def _ids(networks: tuple[Network, ...]) -> dict[str, int]:
    return {clean(network.name, 40): network.id for network in networks}
