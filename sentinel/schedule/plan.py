"""Plans and a moment in; which cycles are due out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, time, timedelta

from sentinel.errors import UsageError
from sentinel.model.moment import SHANGHAI
from sentinel.model.plan import Plan
from sentinel.model.ports import parse_ports

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_AT = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z", re.ASCII)


def check_plan(plan: Plan) -> Plan:
    """Give the plan with its days in order.

    Raises:
        UsageError: the time, the days or the ports cannot be read.
    """
    if not _AT.match(plan.at):
        raise UsageError(f"--at: no time of day: {plan.at!r} (write 02:30)")
    if plan.days != "daily":
        wanted = {day.strip() for day in plan.days.split(",")}
        if not wanted <= set(DAYS):
            raise UsageError(f"--days: no such days: {plan.days!r} (daily, or some of {','.join(DAYS)})")
        plan = replace(plan, days=",".join(day for day in DAYS if day in wanted))
    if plan.ports:
        try:
            parse_ports(plan.ports)
        except ValueError as error:
            raise UsageError(f"--ports: {error}") from error
    return plan


def last_due(plan: Plan, now: datetime) -> datetime | None:
    """Give the newest moment at or before `now` at which the plan's cycle had to start; None before its first."""
    here = now.astimezone(SHANGHAI)
    at = time.fromisoformat(plan.at)
    for back in range(8):
        due = datetime.combine(here.date() - timedelta(days=back), at, SHANGHAI)
        if due <= here and _runs_on(plan, due):
            return due if plan.created is None or due >= plan.created else None
    return None


def next_due(plan: Plan, now: datetime) -> datetime | None:
    """Give the first moment after `now` at which the plan's cycle starts."""
    here = now.astimezone(SHANGHAI)
    at = time.fromisoformat(plan.at)
    days = (datetime.combine(here.date() + timedelta(days=ahead), at, SHANGHAI) for ahead in range(9))
    return next((due for due in days if due > here and _runs_on(plan, due)), None)


def missed_cycles(plans: Iterable[Plan], now: datetime) -> tuple[tuple[Plan, datetime], ...]:
    """Give each plan whose newest due cycle has not run, once, however many were missed; oldest due first."""
    missed = []
    for plan in plans:
        due = last_due(plan, now) if plan.enabled else None
        if due is not None and (plan.last_due is None or plan.last_due < due):
            missed.append((plan, due))
    return tuple(sorted(missed, key=lambda one: (one[1], one[0].unit)))


def _runs_on(plan: Plan, due: datetime) -> bool:
    return plan.days == "daily" or DAYS[due.weekday()] in plan.days.split(",")
