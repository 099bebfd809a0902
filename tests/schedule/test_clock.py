"""`sentinel run`: cycles at their time, missed ones once, one scheduler a home."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from sentinel.config import Settings
from sentinel.errors import StoreError
from sentinel.model.moment import SHANGHAI
from sentinel.model.plan import Plan
from sentinel.model.unit import Unit
from sentinel.schedule import clock as clock_module
from sentinel.schedule.clock import BUSY, Clock, run_missed
from sentinel.schedule.context import Context
from sentinel.schedule.cycle import CycleResult
from sentinel.store.home import hold_lock
from sentinel.store.units import find_unit, read_plans, write_plan, write_unit
from tests.homes import SCHOOL, copy_home, opened

MONTH = timedelta(days=30)
SECOND = Unit("second", "第二所", path="second")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return copy_home(tmp_path / "home").path


@pytest.fixture
def cycles(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Replace the cycle, which other tests run, and note (unit, ports) of each."""
    ran: list[tuple[str, str]] = []

    def note(_: Context, unit: Unit, ports: str = "") -> CycleResult:
        ran.append((unit.code, ports))
        return CycleResult()

    monkeypatch.setattr(clock_module, "run_cycle", note)
    return ran


def set_plan(home: Path, *, unit: Unit = SCHOOL, at: str = "02:30", days: str = "daily", enabled: bool = True) -> None:
    """Set a plan a month ago."""
    past = datetime.now(UTC) - MONTH
    with opened(home) as context, context.database.transaction("tester", past, objects=True) as transaction:
        if find_unit(context.database, unit.code) is None:
            write_unit(transaction, unit)
        write_plan(transaction, Plan(unit.code, at, days, enabled, "22"))


def plans(home: Path) -> dict[str, Plan]:
    with opened(home) as context:
        return {plan.unit: plan for plan in read_plans(context.database)}


def test_missed_cycles_when_a_month_was_missed_run_once_each(home: Path, cycles: list[tuple[str, str]]) -> None:
    set_plan(home)
    set_plan(home, unit=SECOND, at="03:00", days="mon")
    told: list[str] = []
    assert run_missed(home, Settings(), told.append) == 2
    assert sorted(cycles) == [("school", "22"), ("second", "22")]
    assert run_missed(home, Settings(), told.append) == 0
    assert len(cycles) == 2
    assert [line.partition("：")[2].partition("（")[0] for line in told] == [
        "巡检开始", "巡检结束，ok", "巡检开始", "巡检结束，ok",
    ]  # fmt: skip
    kept = plans(home)["school"]
    assert kept.last_result == "ok"
    assert kept.last_due is not None
    assert kept.last_due.astimezone(SHANGHAI).strftime("%H:%M") == "02:30"


def test_missed_cycles_when_switched_off_or_fresh_do_not_run(home: Path, cycles: list[tuple[str, str]]) -> None:
    set_plan(home, enabled=False)
    assert run_missed(home, Settings(), print) == 0
    now = datetime.now(UTC)
    with opened(home) as context, context.database.transaction("tester", now, objects=True) as transaction:
        write_plan(transaction, Plan(SCHOOL.code, "02:30"))
    assert run_missed(home, Settings(), print) == 0
    assert cycles == []


def test_missed_cycles_when_one_fails_the_others_run_and_the_reason_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_first(_: Context, unit: Unit, __: str = "") -> CycleResult:
        if unit == SCHOOL:
            raise StoreError("the disk is full")
        return CycleResult()

    monkeypatch.setattr(clock_module, "run_cycle", fail_first)
    set_plan(home)
    set_plan(home, unit=SECOND, at="03:00")
    assert run_missed(home, Settings(), lambda _: None) == 2
    assert {unit: plan.last_result for unit, plan in plans(home).items()} == {
        "school": "the disk is full",
        "second": "ok",
    }


def test_scheduler_when_another_holds_the_home_is_refused(home: Path, cycles: list[tuple[str, str]]) -> None:
    set_plan(home)
    with opened(home) as context, hold_lock(context.home, "run", BUSY), pytest.raises(StoreError, match="another"):
        run_missed(home, Settings(), print)
    assert cycles == []
    assert run_missed(home, Settings(), lambda _: None) == 1


@pytest.fixture
def make_clock(home: Path) -> Callable[[], tuple[Clock, BackgroundScheduler]]:
    """Give clocks over schedulers that are never started, so that no time passes in them."""

    def make() -> tuple[Clock, BackgroundScheduler]:
        scheduler = BackgroundScheduler(timezone=SHANGHAI)
        return Clock(home, Settings(), lambda _: None, scheduler), scheduler

    return make


def next_times(scheduler: BackgroundScheduler) -> dict[str, str]:
    """Give when each job would run next, from a Sunday noon on."""
    noon = datetime(2026, 11, 22, 12, 0, tzinfo=SHANGHAI)
    return {job.id: f"{job.trigger.get_next_fire_time(None, noon):%a %H:%M}" for job in scheduler.get_jobs()}


def test_clock_when_plans_change_moves_its_jobs(
    home: Path, make_clock: Callable[[], tuple[Clock, BackgroundScheduler]]
) -> None:
    clock, scheduler = make_clock()
    set_plan(home)
    set_plan(home, unit=SECOND, at="03:00", days="wed")
    clock.reload(catch_up=False)
    assert next_times(scheduler) == {"school": "Mon 02:30", "second": "Wed 03:00"}
    set_plan(home, at="04:15", days="fri")
    set_plan(home, unit=SECOND, at="03:00", enabled=False)
    clock.reload(catch_up=False)
    assert next_times(scheduler) == {"school": "Fri 04:15"}
    assert list(clock.planned) == ["school"]


def test_clock_when_started_late_adds_what_was_missed_once(
    home: Path, make_clock: Callable[[], tuple[Clock, BackgroundScheduler]], cycles: list[tuple[str, str]]
) -> None:
    clock, scheduler = make_clock()
    set_plan(home)
    clock.reload(catch_up=True)
    jobs = {job.id: job for job in scheduler.get_jobs()}
    assert sorted(jobs) == ["missed school", "school"]
    for name in ("missed school", "school"):
        jobs[name].func(*jobs[name].args)
    assert cycles == [("school", "22")], "the regular job finds that the cycle has run"
    clock.reload(catch_up=True)
    assert len(scheduler.get_jobs()) == 2


def test_clock_when_a_cycle_breaks_logs_one_line_and_lives_on(
    home: Path,
    make_clock: Callable[[], tuple[Clock, BackgroundScheduler]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def break_down(*_: object) -> CycleResult:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(clock_module, "run_cycle", break_down)
    monkeypatch.setattr(logging.getLogger("sentinel"), "propagate", True)
    clock, scheduler = make_clock()
    set_plan(home)
    clock.reload(catch_up=True)
    job = scheduler.get_job("missed school")
    job.func(*job.args)
    (record,) = caplog.records
    assert record.getMessage() == 'cycle lost unit=school reason="RuntimeError: a mistake of ours"'
    assert not clock.busy.locked()
