"""`register`, the part that holds it against what was seen: what is due, what is off by plan, how everything stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.register_systems import address_text, build_system_words
from sentinel.cli.session import LAST_ROW, JsonOption, UnitOption, open_session, read_time
from sentinel.errors import UsageError
from sentinel.model.moment import local_date, local_text
from sentinel.model.system import PlannedOffline
from sentinel.model.upkeep import PlaceKind, PlaceStanding, PlaceState


def register(group: typer.Typer) -> None:
    """Add these commands to the group `register`."""
    group.command("due")(show_due)
    group.command("offline")(offline)
    group.command("reconcile")(reconcile)


def show_due(
    unit: UnitOption = None,
    within: Annotated[int, typer.Option("--within", help="也列今后多少天内到期的", min=0, max=3650)] = 30,
    as_json: JsonOption = False,
) -> None:
    """列出到期须确认的信息系统（动态更新），逾期在前；期限见设置 confirm_days。"""
    from sentinel.inventory.systems import find_due
    from sentinel.report.place_words import system_state
    from sentinel.store.systems import read_systems

    with open_session() as context:
        owner, now = context.choose_unit(unit), context.clock()
        systems = read_systems(context.database, owner.code, context.load_seal())
        due = find_due(systems, context.settings.confirm_days, now + timedelta(days=within))
    if as_json:
        for one, moment in due:
            days = (moment - now).days
            print_json({**build_system_words(one), "confirm_by": moment, "overdue": moment < now, "days_left": days})
        return
    print_table(
        f"{owner.name}须确认的信息系统",
        ("编号>", "系统名称", "状态", "责任部门", "最近确认", "须在此前确认", "逾期"),
        [
            (
                one.id,
                one.facts.name,
                system_state(one.state).zh,
                one.facts.department,
                local_date(one.confirmed_at) if one.confirmed_at else "",
                local_date(moment),
                f"{(now - moment).days} 天" if moment < now else "",
            )
            for one, moment in due
        ],
        "sentinel register confirm 编号",
        empty="sentinel register systems",
    )


def offline(
    numbers: Annotated[
        list[int] | None, typer.Argument(help="信息系统的编号", min=1, max=LAST_ROW, show_default=False)
    ] = None,
    host: Annotated[list[str] | None, typer.Option("--host", help="地址或网段，可重复", show_default=False)] = None,
    until: Annotated[str | None, typer.Option("--until", help="停用到何时", show_default=False)] = None,
    begin: Annotated[str | None, typer.Option("--from", help="从何时起，默认现在", show_default=False)] = None,
    why: Annotated[str, typer.Option("--why", help="理由", show_default=False)] = "",
    end: Annotated[
        int | None, typer.Option("--end", help="撤销第几号计划", min=1, max=LAST_ROW, show_default=False)
    ] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """写明计划停用的系统或地址及其截止时间；不带参数时列出各项计划。"""
    from sentinel.schedule.entries import parse_prefix
    from sentinel.schedule.system_store import choose_systems
    from sentinel.schedule.upkeep import end_offline, plan_offline
    from sentinel.store.offline import read_offline
    from sentinel.store.systems import read_systems

    if end is not None and (numbers or host or until or begin or why):
        raise UsageError("--end: withdraws a plan and goes with nothing else; make another plan by itself")
    if (numbers or host) and not until:
        raise UsageError("--until: say when it ends; without an end it is no plan (use `register retire`)")
    try:
        prefixes = [parse_prefix(one) for one in host or ()]
    except ValueError as error:
        raise UsageError(f"--host: {error}") from error
    with open_session() as context:
        owner = context.choose_unit(unit)
        if end is not None:
            end_offline(context, owner, end)
        elif until:
            first = read_time(begin, "--from") if begin else context.clock()
            systems = choose_systems(context, owner, numbers or ())
            plan_offline(context, owner, systems, prefixes, first, read_time(until, "--until"), why)
        plans, now = read_offline(context.database, owner.code), context.clock()
        names = {one.id: one.facts.name for one in read_systems(context.database, owner.code)}
    _print_plans(owner.name, plans, names, now, as_json=as_json)


def _print_plans(
    unit: str, plans: Sequence[PlannedOffline], names: Mapping[int, str], now: datetime, *, as_json: bool
) -> None:
    if as_json:
        for plan in plans:
            print_json(
                {
                    "id": plan.id,
                    "system": plan.system or None,
                    "prefixes": [str(one) for one in plan.prefixes],
                    "from": plan.begin,
                    "until": plan.end,
                    "in_force": plan.is_on(now),
                    "reason": plan.reason,
                }
            )
        return
    print_table(
        f"{unit}的计划停用",
        ("编号>", "系统或地址", "起", "止", "状态", "理由"),
        [
            (
                plan.id,
                names.get(plan.system, "") or "、".join(map(address_text, plan.prefixes)),
                local_text(plan.begin),
                local_text(plan.end),
                "停用中" if plan.is_on(now) else "已过期" if plan.end < now else "未开始",
                plan.reason,
            )
            for plan in plans
        ],
        "sentinel register offline --end 编号",
        empty="sentinel register offline 编号 --until 日期 --why 理由",
    )


def reconcile(
    state: Annotated[
        list[PlaceState] | None, typer.Option("--state", help="只列此状态的，可重复", show_default=False)
    ] = None,
    kind: Annotated[
        list[PlaceKind] | None, typer.Option("--kind", help="只列此类的，可重复", show_default=False)
    ] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记与发现逐项核对：已登记已见、未登记、登记未见、过期、双非、僵尸、计划停用，各有理由。"""
    from sentinel.report.place_words import place_kind, place_reason, place_state
    from sentinel.report.register_block import count_places
    from sentinel.schedule.facts import read_period, read_unit_facts

    with open_session() as context:
        owner = context.choose_unit(unit)
        facts = read_unit_facts(context, owner, read_period(None, context.clock()))
        places = [
            one
            for one in facts.places
            if (not kind or one.kind in kind) and (not state or any(one.is_in(wanted) for wanted in state))
        ]
        own = bool(context.settings.own_domains)
    if as_json:
        for one in places:
            print_json(_words(one))
        return
    print_table(
        f"{owner.name}的登记核对",
        ("类", "对象", "状态", "理由", "另外", "系统", "责任部门"),
        [
            (
                place_kind(one.kind).zh,
                one.name,
                place_state(one.mark.state).zh,
                place_reason(one.mark).zh,
                "；".join(place_state(mark.state).zh for mark in one.also),
                one.system if one.kind is not PlaceKind.SYSTEM else "",
                one.department,
            )
            for one in sorted(places, key=lambda one: one.mark.state.rank)
        ],
        "sentinel register reconcile --state zombie；--json",
        empty="sentinel register import 登记表.xlsx，sentinel scan",
    )
    for each, counts in count_places(places).items():
        if counts:
            told = [f"{place_state(one).zh} {counts[one]}" for one in PlaceState if counts[one]]
            print_line(f"{place_kind(each).zh}：{'，'.join(told)}")
    if not own:
        print_line("没有设置 own_domains（本单位的域名），双非未核查：sentinel setting set own_domains school.edu.cn")


def _words(one: PlaceStanding) -> dict[str, object]:
    return {
        "kind": one.kind.value,
        "name": one.name,
        "state": one.mark.state.value,
        "reason": one.mark.reason.value,
        "since": one.mark.since,
        "also": [{"state": mark.state.value, "reason": mark.reason.value} for mark in one.also],
        "network": one.network,
        "system": one.system,
        "department": one.department,
        "id": one.id or None,
    }
