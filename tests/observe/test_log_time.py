"""Moments as logs write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sentinel.model.moment import SHANGHAI
from sentinel.observe.log_time import make_reader, read_zone
from sentinel.observe.syslog import HeadReader

ARRIVED = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)
MOMENT = datetime(2025, 12, 31, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%Y-%m-%d %H:%M:%S", "2025-12-31 08:30:00"),
        ("%Y-%m-%d %H:%M:%S", "2025-12-31  08:30:00.250"),
        ("%Y/%m/%d %H:%M", "2025/12/31 8:30"),
        ("%m/%d %H:%M:%S", "12/31 08:30:00"),
        ("%b %d %H:%M:%S", "Dec 31 08:30:00"),
        ("%d/%b/%Y:%H:%M:%S %z", "31/Dec/2025:00:30:00 +0000"),
        ("iso", "2025-12-31T08:30:00"),
        ("iso", "2025-12-31T00:30:00Z"),
        ("epoch", "1767141000"),
        ("epoch_ms", "1767141000000"),
        ("epoch_us", "1767141000000000"),
        ("epoch_ns", "1767141000000000000"),
    ],
)
def test_reader_when_the_text_has_the_form_gives_the_moment_in_utc(form: str, text: str) -> None:
    moment = make_reader(form, SHANGHAI, ARRIVED)(text)
    assert moment is not None
    assert moment.replace(microsecond=0) == MOMENT


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%Y-%m-%d %H:%M:%S", "2025-02-30 08:30:00"),
        ("%Y-%m-%d %H:%M:%S", "0000-00-00 00:00:00"),
        ("%Y-%m-%d %H:%M:%S", "1969-01-01 00:00:00"),
        ("%Y-%m-%d %H:%M:%S", "nothing"),
        ("%Y-%m-%d %H:%M:%S", "2" * 100),
        ("%b %d %H:%M:%S", "Foo 31 08:30:00"),
        ("%b %d %H:%M:%S", "Feb 30 08:30:00"),
        ("iso", "today"),
        ("epoch", "-"),
        ("epoch", "9" * 60),
        ("epoch", ""),
    ],
)
def test_reader_when_the_text_is_no_moment_gives_none(form: str, text: str) -> None:
    assert make_reader(form, SHANGHAI, ARRIVED)(text) is None


def test_reader_when_the_year_is_missing_and_the_arrival_too_gives_none() -> None:
    assert make_reader("%b %d %H:%M:%S")("Dec 31 08:30:00") is None


def test_reader_when_the_day_is_the_29th_of_february_takes_the_last_leap_year() -> None:
    assert make_reader("%b %d %H:%M:%S", UTC, ARRIVED)("Feb 29 00:00:00") == datetime(2024, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize("form", ["%Q", "%Y %H", "%Y-%m-%d %m", "%Y"])
def test_reader_when_the_form_says_no_day_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match="form of time"):
        make_reader(form)


@pytest.mark.parametrize(
    ("text", "hours"), [("+08:00", 8), ("-0530", -5.5), ("UTC", 0), ("Z", 0), ("+25:00", None), ("local", None)]
)
def test_zone_when_written_in_any_way_is_read(text: str, hours: float | None) -> None:
    zone = read_zone(text)
    assert (zone.utcoffset(None) if zone else None) == (None if hours is None else timedelta(hours=hours))


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("<190>Dec 31 08:30:00 fw-1 nat: message", "fw-1"),
        ("Dec 31 08:30:00 localhost nat: message", ""),
        ("<190>Dec 31 2025 08:30:00 fw-1 : %ASA-6-302013: message", "fw-1"),
        ("<6> Dec 31 08:30:00 2025 fw-1 %%10session/6/X: message", "fw-1"),
        ("%Dec 31 08:30:00:123 2025 fw-1 NAT/6/X: message", "fw-1"),
        ("<190>2025-12-31 08:30:00 fw-1 %%01SECLOG/6/X(l):message", "fw-1"),
        ("<165>1 2025-12-31T00:30:00.003Z fw-1 app 77 ID47 - message", "fw-1"),
        ("<165>1 2025-12-31T08:30:00+08:00 fw-1 app - - message", "fw-1"),
        ("Dec 31 03:30:00+03:00 DST fw-1 %%01SSH/4/X: message", "fw-1"),
        ("Jan 9 11:56:41 192.0.2.9 2025-12-31 08:30:00 fw-1 %%01SECLOG/6/X(l):message", "fw-1"),
        ("<190>Dec 31 08:30:00 1304415150000000(root) 46083623 Traffic@FLOW: NAT", "1304415150000000"),
    ],
)
def test_head_when_of_any_maker_gives_time_and_device(line: str, host: str) -> None:
    head = HeadReader(ARRIVED).read(line)
    assert head.time is not None
    assert (head.time.replace(microsecond=0), head.host) == (MOMENT, host)


@pytest.mark.parametrize("line", ["", "no head at all", "<190>Foo 99 99:99:99 fw nat", "Dec 31 25:61:00 fw nat"])
def test_head_when_there_is_none_or_an_impossible_one_has_no_time(line: str) -> None:
    assert HeadReader(ARRIVED).read(line).time is None
