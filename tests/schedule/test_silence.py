"""Nothing arrived for days: when it is a warning, and where it is told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.config import Settings
from sentinel.console.builds import Builds
from sentinel.console.page_overview import build_overview
from sentinel.console.query import Query
from sentinel.console.reading import Desk
from sentinel.model.silence import Channel, build_silence
from sentinel.schedule.checkup import examine
from sentinel.schedule.chores import run_chores
from sentinel.schedule.context import Context
from sentinel.schedule.reporting import build_report
from sentinel.schedule.silence import read_silence
from sentinel.store.flows import write_capture
from tests.homes import NOW, SCHOOL, Clock, copy_home, opened
from tests.schedule.nmapfile import NmapRun, at, give, host


def days_of(context: Context) -> dict[Channel, tuple[int | None, bool]]:
    return {one.channel: (one.days, one.is_silent) for one in read_silence(context, SCHOOL, context.clock())}


@pytest.mark.parametrize(
    ("hours", "days", "silent"), [(0, 0, False), (-5, 0, False), (8 * 24 - 1, 7, False), (8 * 24, 8, True)]
)
def test_silence_is_a_warning_from_the_limit_on(hours: int, days: int, silent: bool) -> None:
    one = build_silence("school", Channel.SCAN, NOW, NOW + timedelta(hours=hours), 8)
    assert (one.days, one.is_silent) == (days, silent)


def test_channel_by_which_nothing_ever_arrived_is_no_alarm(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        assert set(days_of(context).values()) == {(None, False)}


def test_silence_counts_from_arrival_of_each_channel_not_from_what_the_files_tell(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path / "home", clock) as context:
        give(context, NmapRun((host(1, p22="ssh"),), finished=at(-300)))
        clock.now = NOW + timedelta(days=3)
        with context.database.transaction("tester", clock.now) as transaction:
            write_capture(transaction, SCHOOL.code, "ab" * 32, "a.pcap", [])
            transaction.audit("test", "capture")
        clock.now = NOW + timedelta(days=9)
        assert days_of(context) == {
            Channel.SCAN: (None, False),
            Channel.IMPORT: (9, True),
            Channel.CAPTURE: (6, False),
        }


def test_silence_is_told_in_the_log_of_run_and_in_the_checkup(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock(NOW - timedelta(days=3000))
    home = copy_home(tmp_path / "home").path
    with opened(home, clock) as context:
        give(context, NmapRun((host(1, p22="ssh"),), finished=at(1)))
        clock.now = NOW
        assert run_chores(context, print)
    told = [record.getMessage() for record in caplog.records if "nothing arrived" in record.getMessage()]
    assert told == ['nothing arrived unit=school channel=import days=3000 last="2018-09-05 12:00"']
    checked = {one.name: one for one in examine(home)}["数据到来"]
    assert (checked.state, checked.error) == ("limited", None)
    assert "示例学校的导入已" in checked.detail
    assert checked.remedy


def test_silence_is_told_in_the_brief_and_on_the_first_page_of_the_console(tmp_path: Path) -> None:
    clock = Clock(NOW - timedelta(days=12))
    home = copy_home(tmp_path / "home")
    words = "已有 12 天没有新的导入"
    with opened(home.path, clock) as context:
        give(context, NmapRun((host(1, p22="ssh"),), finished=at(1)))
        assert words not in build_report(context, "brief", SCHOOL, form="json")
        clock.now = NOW
        assert words in build_report(context, "brief", SCHOOL)
    desk = Desk(home, Settings(), None, clock)
    with desk.read(SCHOOL.code, Query({}), "zh") as reading:
        page = build_overview(reading, desk, Builds())
    assert words in str(page.values["warnings"])
