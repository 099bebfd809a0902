"""APScheduler behind `sentinel run`: each unit's cycle at its time, and what was missed once at the start."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.config import Settings
from sentinel.errors import SentinelError
from sentinel.log import error, info
from sentinel.model.moment import SHANGHAI
from sentinel.model.plan import Plan
from sentinel.schedule.chores import run_chores
from sentinel.schedule.context import Context, open_context, read_clock
from sentinel.schedule.cycle import run_cycle
from sentinel.schedule.plan import last_due, missed_cycles
from sentinel.store.home import Home, hold_lock
from sentinel.store.units import find_unit, read_plans, write_plan_result

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

BUSY = "another `sentinel run` works on this home; stop it first"
_RELOAD_S = 30
_CHORES_DAILY = timedelta(days=1)
_CHORES_AGAIN = timedelta(hours=1)
"""When chores are done again after all went well, and after one failed."""

Tell = Callable[[str], None]


def run_missed(home: Path, settings: Settings, tell: Tell) -> int:
    """Run each cycle that is due and has not run, once, then the day's chores; gives how many cycles there were.

    Raises:
        StoreError: another scheduler works on this home.
    """
    with open_context(home, settings) as context, hold_lock(context.home, "run", BUSY):
        missed = missed_cycles(read_plans(context.database), context.clock())
        for plan, due in missed:
            _run(context, plan, due, tell)
        run_chores(context, tell)
        return len(missed)


def run_clock(home: Path, settings: Settings, tell: Tell) -> None:
    """Catch up on what was missed, then start cycles at their times until SIGINT or SIGTERM.

    Cycles run one after another. A signal in mid-cycle ends the process at once: that loses the running scan job and
    nothing that was stored.

    Raises:
        StoreError: another scheduler works on this home.
    """
    from apscheduler.schedulers.background import BackgroundScheduler

    with open_context(home, settings) as context:
        lock = Home(context.home.path)
    with hold_lock(lock, "run", BUSY):
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: stop.set())
        scheduler = BackgroundScheduler(
            timezone=SHANGHAI,
            executors={"default": {"type": "threadpool", "max_workers": 1}},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        clock = Clock(home, settings, tell, scheduler)
        clock.reload(catch_up=True)
        clock.plan_chores(read_clock())
        scheduler.start()
        tell(f"{len(clock.planned)} 个单位有巡检计划，Ctrl-C 结束。")
        info("run begins", home=home, plans=len(clock.planned))
        while not stop.wait(_RELOAD_S):
            try:
                clock.reload(catch_up=False)
                clock.plan_chores(read_clock())
            except SentinelError as failure:
                error("plans not read, those known stay", reason=failure)
        scheduler.shutdown(wait=False)
        info("run ends", in_cycle=clock.busy.locked())
        if clock.busy.locked():
            tell("正在进行的作业已中止，已完成的作业均已保存。")
            os._exit(0)


class Clock:
    """Keeps APScheduler's jobs the same as the plans in the home.

    Attributes:
        planned: the enabled plans by unit, as last read.
        busy: held while a cycle runs.
    """

    def __init__(self, home: Path, settings: Settings, tell: Tell, scheduler: BackgroundScheduler) -> None:
        self._home = home
        self._settings = settings
        self._tell = tell
        self._scheduler = scheduler
        self.planned: dict[str, Plan] = {}
        self.busy = threading.Lock()
        self._next_chores: datetime | None = None

    def reload(self, *, catch_up: bool) -> None:
        """Read the plans and move jobs to their times; with `catch_up` missed cycles start at once."""
        from apscheduler.triggers.cron import CronTrigger

        with open_context(self._home, self._settings) as context:
            plans = {plan.unit: plan for plan in read_plans(context.database) if plan.enabled}
            missed = missed_cycles(plans.values(), context.clock()) if catch_up else ()
        for unit in self.planned.keys() - plans.keys():
            self._scheduler.remove_job(unit)
        for unit, plan in plans.items():
            known = self.planned.get(unit)
            if known is None or (known.at, known.days) != (plan.at, plan.days):
                hour, minute = plan.at.split(":")
                days = "*" if plan.days == "daily" else plan.days
                trigger = CronTrigger(day_of_week=days, hour=hour, minute=minute, timezone=SHANGHAI)
                self._scheduler.add_job(self._start, trigger, args=(unit,), id=unit, replace_existing=True)
        for plan, _ in missed:
            self._scheduler.add_job(self._start, args=(plan.unit,), id=f"missed {plan.unit}")
        self.planned = plans

    def plan_chores(self, now: datetime) -> None:
        """Start the chores of the day, behind the cycles that wait, if they have not been done for a day."""
        if self._next_chores is None or now >= self._next_chores:
            self._next_chores = now + _CHORES_DAILY
            self._scheduler.add_job(self._start_chores, id="chores", replace_existing=True)

    def _start_chores(self) -> None:
        try:
            with self.busy, open_context(self._home, self._settings) as context:
                if not run_chores(context, self._tell):
                    self._next_chores = context.clock() + _CHORES_AGAIN
        except Exception as failure:  # noqa: BLE001  the job boundary: the units' cycles go on
            error("chores lost", reason=f"{type(failure).__name__}: {failure}")

    def _start(self, code: str) -> None:
        try:
            with self.busy, open_context(self._home, self._settings) as context:
                plan = next((one for one in read_plans(context.database) if one.unit == code and one.enabled), None)
                due = last_due(plan, context.clock()) if plan else None
                if plan and due and (plan.last_due is None or plan.last_due < due):
                    _run(context, plan, due, self._tell)
        except Exception as failure:  # noqa: BLE001  the job boundary: the other units' cycles go on
            error("cycle lost", unit=code, reason=f"{type(failure).__name__}: {failure}")


def _run(context: Context, plan: Plan, due: datetime, tell: Tell) -> None:
    unit = find_unit(context.database, plan.unit)
    if unit is None:
        return
    info("cycle begins", unit=unit.code, due=due)
    tell(f"{unit.name}：巡检开始（应于 {due.astimezone(SHANGHAI):%m-%d %H:%M}）")
    try:
        word = run_cycle(context, unit, plan.ports).word
    except SentinelError as failure:
        word = str(failure)
        error("cycle lost", unit=plan.unit, reason=word)
    with context.database.transaction(context.actor, context.clock()) as transaction:
        write_plan_result(transaction, plan.unit, due, word)
    tell(f"{unit.name}：巡检结束，{word}")
