"""Moments as logs write them, without a zone and often without a year, in; UTC out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from sentinel.model.moment import EARLIEST, SHANGHAI
from sentinel.observe.text import LATEST, parse_time

REMEMBERED = 4_096
"""Moments remembered: the lines of a log share their seconds."""

MONTHS = {
    name: number
    for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)  # noqa: SIM905
}
ZONE = re.compile(r"(?:Z|UTC|([+-])(\d\d):?(\d\d))\Z")
_EPOCHS = {"epoch": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000, "epoch_ns": 1_000_000_000}
_PARTS = {
    "%Y": r"(?P<Y>\d{4})",
    "%m": r"(?P<m>\d{1,2})",
    "%d": r"(?P<d>\d{1,2})",
    "%H": r"(?P<H>\d{1,2})",
    "%M": r"(?P<M>\d{1,2})",
    "%S": r"(?P<S>\d{1,2})(?:[.,]\d{1,9})?",
    "%b": r"(?P<b>[A-Z][a-z]{2})",
    "%z": r"(?P<z>Z|UTC|[+-]\d\d:?\d\d)",
}
_MAX_TEXT = 64

ReadTime = Callable[[str], datetime | None]
"""Reads a moment; None for what is none."""


def read_zone(text: str) -> tzinfo | None:
    """Read `+08:00`, `+0800`, `Z` or `UTC`; None for anything else."""
    found = ZONE.fullmatch(text.strip())
    if found is None:
        return None
    if not found[1]:
        return UTC
    away = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(away if found[1] == "+" else -away) if away < timedelta(days=1) else None


def make_reader(form: str, zone: tzinfo = SHANGHAI, arrived: datetime | None = None) -> ReadTime:
    """Make what reads moments of a form: `iso`, `epoch` (`_ms`, `_us`, `_ns`), or a pattern of %Y %m %d %H %M %S %b %z.

    A pattern without %Y takes the year in which the moment lies nearest before `arrived`, and reads nothing where that
    is not known. A moment before 1995 or after 2100 is none.

    Raises:
        ValueError: the pattern has other signs, or lacks the day or the hour.
    """
    read = _choose(form, zone, arrived)

    @lru_cache(maxsize=REMEMBERED)
    def remembered(text: str) -> datetime | None:
        if not text or len(text) > _MAX_TEXT:
            return None
        try:
            moment = read(text.strip())
        except (ValueError, OverflowError):
            return None
        return moment if moment is not None and EARLIEST <= moment < LATEST else None

    return remembered


def _choose(form: str, zone: tzinfo, arrived: datetime | None) -> ReadTime:
    if form in _EPOCHS:
        factor = _EPOCHS[form]
        return lambda text: parse_time(float(text) / factor)
    if form == "iso":
        return lambda text: _to_utc(datetime.fromisoformat(text.replace("/", "-")), zone)
    pattern = _compile(form)
    names = pattern.groupindex

    def read(text: str) -> datetime | None:
        found = pattern.fullmatch(text)
        if found is None:
            return None
        month = MONTHS.get(found["b"], 0) if "b" in names else int(found["m"])
        clock = tuple(int(found[part]) if part in names else 0 for part in "HMS")
        own = read_zone(found["z"]) if "z" in names else zone
        return build_moment(int(found["Y"]) if "Y" in names else None, month, int(found["d"]), clock, own, arrived)

    return read


def _compile(form: str) -> re.Pattern[str]:
    pieces = re.split(r"(%.)", form)
    unknown = next((piece for piece in pieces if piece.startswith("%") and piece not in _PARTS), None)
    if unknown:
        raise ValueError(f"no such sign in a form of time: {unknown!r} ({' '.join(_PARTS)}, or iso, epoch, epoch_ms)")
    if "%d" not in pieces or not {"%m", "%b"} & set(pieces):
        raise ValueError(f"a form of time without month and day: {form!r}")
    if len(set(pieces[1::2])) != len(pieces[1::2]):
        raise ValueError(f"a form of time that says something twice: {form!r}")
    return re.compile("".join(_PARTS.get(piece, re.escape(piece).replace(r"\ ", r"\s+")) for piece in pieces))


def build_moment(
    year: int | None, month: int, day: int, clock: tuple[int, ...], zone: tzinfo | None, arrived: datetime | None
) -> datetime | None:
    """Build a moment in UTC from local parts; without a year, the latest that is not over a day after `arrived`.

    Raises:
        ValueError: there is no such day or hour.
    """
    if zone is None:
        return None
    if year is not None:
        return datetime(year, month, day, clock[0], clock[1], clock[2], tzinfo=zone).astimezone(UTC)
    if arrived is None:
        return None
    limit = arrived + timedelta(days=1)
    newest = limit.astimezone(zone).year
    for back in range(9):  # 29 February comes again after eight years at the latest
        try:
            moment = datetime(newest - back, month, day, clock[0], clock[1], clock[2], tzinfo=zone).astimezone(UTC)
        except ValueError:
            if (month, day) != (2, 29):
                raise
            continue
        if moment <= limit:
            return moment
    return None


def _to_utc(moment: datetime, zone: tzinfo) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
