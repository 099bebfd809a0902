"""What a reader typed or followed in; questions within bounds out. What cannot be read asks nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from sentinel.model.finding import FindingState
from sentinel.model.rule import Severity
from sentinel.model.unit import Network, Zone
from sentinel.store import assets, finding_pages
from sentinel.store.assets import AssetQuestion, read_term
from sentinel.store.finding_pages import FindingQuestion
from sentinel.store.keys import address_key

_LONGEST: Final = 100
_TERMS: Final = 5
DAYS: Final = (1, 7, 30, 90)
Choice = TypeVar("Choice", bound=StrEnum)
Row = TypeVar("Row")


class Query(dict[str, str]):
    """The values of an address, each cut to what a search needs, without the empty ones."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(
            {name: value.strip()[:_LONGEST] for name, value in given.items() if value.strip() and len(name) < 20}
        )

    def choice(self, name: str, kind: type[Choice]) -> Choice | None:
        """Give the member a value names."""
        value = self.get(name, "")
        return kind(value) if value in set(kind) else None

    def one_of(self, name: str, allowed: Sequence[str]) -> str:
        """Give a value when it is allowed, else nothing."""
        value = self.get(name, "")
        return value if value in allowed else ""

    def days(self, default: int = 0) -> int:
        """Give the number of days chosen."""
        value = self.get("days", "")
        return int(value) if value in {str(days) for days in DAYS} else default

    def numbers(self, name: str, count: int) -> tuple[int, ...] | None:
        """Give so many whole numbers joined by dots, as cursors are written."""
        pieces = self.get(name, "").split(".")
        if len(pieces) != count or not all(piece.removeprefix("-").isdecimal() for piece in pieces):
            return None
        numbers = tuple(map(int, pieces))
        return numbers if all(abs(number) < 1 << 63 for number in numbers) else None


def cut_page(
    found: Sequence[Row], rows: int, write: Callable[[Row], str], *, started: bool, back: bool
) -> tuple[tuple[Row, ...], str, str]:
    """Cut one row more than a page holds to the page; gives its rows, and the cursors of the page before and after."""
    kept, more = tuple(found[:rows]), len(found) > rows
    if back:
        kept = kept[::-1]
    if not kept:
        return kept, "", ""
    before = write(kept[0]) if (more if back else started) else ""
    return kept, before, write(kept[-1]) if back or more else ""


def read_asset_question(query: Query, networks: Sequence[Network], now: datetime) -> AssetQuestion:
    """Read which hosts are meant."""
    zone = query.choice("zone", Zone)
    chosen = query.get("network", "")
    wanted = tuple(
        network.id
        for network in networks
        if (zone is None or network.zone is zone) and chosen in ("", str(network.id), network.name)
    )
    days = query.days()
    return AssetQuestion(
        networks=wanted,
        terms=tuple(map(read_term, query.get("q", "").replace("，", " ").replace(",", " ").split()[:_TERMS])),
        vantage=query.get("vantage", ""),
        state=query.one_of("state", assets.STATES),
        service=query.get("service", ""),
        registered={"yes": True, "no": False}.get(query.get("registered", "")),
        severity=query.choice("severity", Severity),
        since=now - timedelta(days=days) if days else None,
        order=query.one_of("order", assets.ORDERS) or "address",
    )


def read_asset_cursor(query: Query, name: str) -> assets.Cursor | None:
    """Read where an asset page begins (`after`) or ends (`before`): `key.network.address`."""
    key, _, rest = query.get(name, "").partition(".")
    network, _, address = rest.partition(".")
    numbers = Query({"n": f"{key}.{network}"}).numbers("n", 2)
    if numbers is None:
        return None
    try:
        address_key(address)
    except ValueError:
        return None
    return (*numbers, address)  # type: ignore[return-value]  # two numbers, as asked


def read_finding_question(query: Query, unit: str, now: datetime) -> FindingQuestion:
    """Read which findings are meant; without a state those that ask for something."""
    state = query.choice("state", FindingState)
    live = tuple(one for one in FindingState if one.is_live)
    states = (state,) if state else () if query.get("state") == "all" else live
    return FindingQuestion(
        unit=unit,
        text=query.get("q", ""),
        severity=query.choice("severity", Severity),
        states=states,
        rule=query.get("rule", ""),
        owner=query.get("owner", ""),
        overdue_at=now if query.get("overdue") == "1" else None,
        order=query.one_of("order", finding_pages.ORDERS) or "severity",
    )
