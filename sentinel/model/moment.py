"""Times: text or numbers in, aware UTC datetimes out, Asia/Shanghai on the page."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has kept one zone without summer time since 1991, so a fixed offset needs no zone files."""

EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
"""Scanners of this kind did not exist before; an earlier timestamp is impossible."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def parse_moment(text: str) -> datetime:
    """Read an ISO 8601 time; without a zone it is Asia/Shanghai, a bare date is the end of that day.

    Raises:
        ValueError: the text is no ISO 8601 time, or its year cannot be shown in UTC.
    """
    text = text.strip()
    try:
        moment = _end_of_day(text) or datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=SHANGHAI)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"no ISO 8601 time: {text!r} (write 2026-11-22 or 2026-11-22T08:30)") from error


def _end_of_day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time.max)
    except ValueError:
        return None


def to_microseconds(moment: datetime) -> int:
    """Give whole microseconds since 1970-01-01 UTC, the form times have in the database."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> datetime:
    """Turn microseconds since 1970-01-01 UTC into an aware datetime."""
    return _EPOCH + timedelta(microseconds=value)


def to_optional(moment: datetime | None) -> int | None:
    """Give `to_microseconds`, and None for None."""
    return None if moment is None else to_microseconds(moment)


def from_optional(value: int | None) -> datetime | None:
    """Give `from_microseconds`, and None for None."""
    return None if value is None else from_microseconds(value)


def from_epoch(seconds: float | str | None) -> datetime | None:
    """Read seconds since 1970 as tools print them; None for what is masked, empty or impossible."""
    try:
        value = float(seconds)  # type: ignore[arg-type]  # None and text both end in the except
        moment = _EPOCH + timedelta(seconds=value)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment >= EARLIEST else None


def is_possible(moment: datetime | None, now: datetime) -> bool:
    """Tell whether an observation can have been made then: not before 1995, not over a day ahead of `now`."""
    return moment is not None and EARLIEST <= moment <= now + timedelta(days=1)


def iso_utc(moment: datetime) -> str:
    """Write UTC as `2026-11-22T00:30:00Z`, with a fraction only when there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def local_text(moment: datetime | None, *, seconds: bool = False) -> str:
    """Write the time a person reads, in Asia/Shanghai: `2026-11-22 08:30`; a dash for none."""
    if moment is None:
        return "—"
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def local_date(moment: datetime | None) -> str:
    """Write the day a person reads, in Asia/Shanghai: `2026-11-22`; a dash for none."""
    return "—" if moment is None else moment.astimezone(SHANGHAI).strftime("%Y-%m-%d")
