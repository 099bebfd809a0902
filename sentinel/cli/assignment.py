"""`assignment`: who has to do what until when; received, answered, reviewed, escalated, withdrawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_choice, read_exercise, read_time
from sentinel.errors import UsageError
from sentinel.model.assignment import Act, Assignment, AssignmentKind, AssignmentState
from sentinel.model.moment import local_date, local_text

if TYPE_CHECKING:
    from datetime import datetime

    from sentinel.model.assignment import AssignmentEvent

group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="任务：通报、协查、填报、自查、零报告、整改等，由下发到办结。"
)

NumberArgument = Annotated[str, typer.Argument(help="编号（任务-2026-0001、整改-2026-0001）或序号")]
KINDS = "notice、hunt、form、self_check、zero_report、drill_action、attestation"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="assignment")


@group.command("issue")
def issue(
    kind: Annotated[str, typer.Option("--kind", help=f"种类：{KINDS}")],
    to: Annotated[str, typer.Option("--to", help="发给哪个单位或部门")],
    title: Annotated[str, typer.Option("--title", help="要做什么")],
    due: Annotated[str, typer.Option("--due", help="反馈期限", show_default=False)] = "",
    issuer: Annotated[str, typer.Option("--issuer", help="下发单位，默认为本单位", show_default=False)] = "",
    exercise: Annotated[str, typer.Option("--exercise", help="演练编号；演练不进统计", show_default=False)] = "",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """下发一项任务；整改用 order issue。"""
    from sentinel.schedule.assignments import issue_assignment

    wanted = read_choice(kind, AssignmentKind, "--kind")
    if wanted is None:
        raise UsageError(f"--kind: what is asked for? {KINDS}")
    with open_session() as context:
        owner = context.choose_unit(unit)
        end = read_time(due, "--due") if due else None
        draft = Assignment(
            0, "", wanted, owner.code, issuer or owner.name, to, title, end, exercise=read_exercise(exercise)
        )
        stored = issue_assignment(context, owner, draft)
        now = context.clock()
    if as_json:
        print_json(_words(stored, now))
    else:
        print_line(f"{stored.number} 已下发给 {stored.assignee}，期限 {local_date(stored.due)}。")


@group.command("list")
def show_list(
    unit: UnitOption = None,
    still: Annotated[bool, typer.Option("--open", help="只列未办结、未撤回的")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="只列逾期未反馈的")] = False,
    kind: Annotated[str, typer.Option("--kind", help=f"种类：{KINDS}、rectification", show_default=False)] = "",
    as_json: JsonOption = False,
) -> None:
    """列出任务，新的在前；整改通知书也在内。"""
    from sentinel.report.words import term
    from sentinel.store.assignments import read_assignments
    from sentinel.store.units import read_units

    wanted = read_choice(kind, AssignmentKind, "--kind")
    with open_session() as context:
        units = list(read_units(context.database)) if unit is None else [context.choose_unit(unit)]
        now = context.clock()
        found = [
            one
            for one in read_assignments(context.database, [owner.code for owner in units], wanted)
            if not (still and one.state.is_over) and (one.is_overdue(now) or not overdue)
        ]
    if as_json:
        for one in found:
            print_json(_words(one, now))
        return
    print_table(
        "任务",
        ("编号", "种类", "下发", "发给", "内容", "状态", "期限"),
        [
            (
                one.number + ("（演练）" if one.exercise else ""),
                term(one.kind).zh,
                one.issuer,
                one.assignee,
                one.title,
                _state(one, now),
                local_date(one.due),
            )
            for one in found
        ],
        "sentinel assignment show 编号",
        empty="sentinel order issue --severity high --each-owner --due 日期 --out 文件夹",
    )


@group.command("show")
def show(number: NumberArgument, as_json: JsonOption = False) -> None:
    """显示一项任务：要做什么、现状、全部经过与文件。"""
    from sentinel.report.words import term
    from sentinel.schedule.assignments import read_items, require_assignment
    from sentinel.store.assignments import read_assignment_events

    with open_session() as context:
        one = require_assignment(context, number)
        events = read_assignment_events(context.database, one.id)
        findings = read_items(context, one)
        now = context.clock()
    if as_json:
        states = [{"number": f.number, "state": f.state, "title": f.title_zh} for f in findings]
        print_json(_words(one, now) | {"findings": states, "events": [_event_words(event) for event in events]})
        return
    rows = [("种类", term(one.kind).zh), ("下发", one.issuer), ("发给", one.assignee), ("状态", _state(one, now))]
    rows += [("期限", local_date(one.due))]
    rows += [("隐患", f"{f.number} {term(f.state).zh} {f.title_zh} {f.key.subject}") for f in findings]
    rows += [("经过", _event_line(event)) for event in events]
    print_table(f"{one.number}：{one.title}", ("项目", "内容"), rows, _hint(one))


@group.command("receive")
def receive(number: NumberArgument, as_json: JsonOption = False) -> None:
    """签收一项任务。"""
    _do(number, Act.RECEIVE, as_json=as_json)


@group.command("reply")
def reply(
    number: NumberArgument,
    text: Annotated[str, typer.Option("--text", help="反馈的内容")],
    files: Annotated[list[Path] | None, typer.Option("--file", help="附件，可写多个", show_default=False)] = None,
    fixed: Annotated[bool, typer.Option("--fixed", help="所列隐患均已整改，转为待复测")] = False,
    as_json: JsonOption = False,
) -> None:
    """反馈一项任务；没有签收过的一并签收。"""
    _do(number, Act.REPLY, text=text, files=tuple(files or ()), fixed=fixed, as_json=as_json)


@group.command("review")
def review(
    number: NumberArgument,
    accept: Annotated[bool, typer.Option("--accept", help="审核通过")] = False,
    give_back: Annotated[bool, typer.Option("--return", help="退回重报")] = False,
    text: Annotated[str, typer.Option("--text", help="意见；退回时必填", show_default=False)] = "",
    as_json: JsonOption = False,
) -> None:
    """审核反馈：通过，或退回（待复测的隐患回到整改中）。"""
    if accept == give_back:
        raise UsageError("say either --accept or --return")
    _do(number, Act.ACCEPT if accept else Act.RETURN, text=text, as_json=as_json)


@group.command("close")
def close(
    number: NumberArgument,
    text: Annotated[str, typer.Option("--text", help="说明", show_default=False)] = "",
    as_json: JsonOption = False,
) -> None:
    """办结一项审核通过的任务；整改须所列隐患均已复测通过、销号或豁免。"""
    _do(number, Act.CLOSE, text=text, as_json=as_json)


@group.command("escalate")
def escalate(
    number: NumberArgument,
    to: Annotated[str, typer.Option("--to", help="提请谁督办")],
    text: Annotated[str, typer.Option("--text", help="理由")],
    as_json: JsonOption = False,
) -> None:
    """督办：提请上一级过问；状态不变，次数与对象留痕。"""
    _do(number, Act.ESCALATE, text=text, to=to, as_json=as_json)


@group.command("withdraw")
def withdraw(
    number: NumberArgument,
    text: Annotated[str, typer.Option("--text", help="理由")],
    as_json: JsonOption = False,
) -> None:
    """撤回一项任务；没有别的通知书管着的隐患回到待整改。"""
    _do(number, Act.WITHDRAW, text=text, as_json=as_json)


def _do(
    number: str,
    act: Act,
    *,
    text: str = "",
    to: str = "",
    files: tuple[Path, ...] = (),
    fixed: bool = False,
    as_json: bool,
) -> None:
    from sentinel.schedule.assignments import Doing, do_assignment, require_assignment

    with open_session() as context:
        known = require_assignment(context, number)
        moved = do_assignment(context, known, Doing(act, text, to, files, fixed))
        now = context.clock()
    if as_json:
        print_json(_words(moved, now))
        return
    print_line(f"{moved.number}：{_state(moved, now)}{f'，已提请{moved.escalated_to}督办' if to else ''}。")
    print_line(f"下一步：{_hint(moved)}")


def _state(one: Assignment, now: datetime) -> str:
    from sentinel.report.words import term

    late = "（逾期）" if one.is_overdue(now) else ""
    return f"{term(one.state).zh}{late}{f'，督办 {one.escalations} 次' if one.escalations else ''}"


def _hint(one: Assignment) -> str:
    steps = {
        AssignmentState.ISSUED: f"sentinel assignment receive {one.number}",
        AssignmentState.RECEIVED: f"sentinel assignment reply {one.number} --text 内容",
        AssignmentState.RETURNED: f"sentinel assignment reply {one.number} --text 内容",
        AssignmentState.REPLIED: f"sentinel assignment review {one.number} --accept",
        AssignmentState.ACCEPTED: f"sentinel assignment close {one.number}",
    }
    return steps.get(one.state, "sentinel assignment list --open")


def _event_line(event: AssignmentEvent) -> str:
    from sentinel.report.words import term

    files = "、".join(one.name for one in event.files)
    parts = (event.to and f"提请{event.to}", event.reason, files and f"附件 {files}")
    return f"{local_text(event.at)} {event.actor} {term(event.act).zh} {'；'.join(filter(None, parts))}".strip()


def _event_words(event: AssignmentEvent) -> dict[str, object]:
    return {
        "act": event.act,
        "at": event.at,
        "actor": event.actor,
        "reason": event.reason or None,
        "to": event.to or None,
        "files": [{"sha256": one.sha256, "name": one.name} for one in event.files],
    }


def _words(one: Assignment, now: datetime) -> dict[str, object]:
    return {
        "id": one.id,
        "number": one.number,
        "kind": one.kind,
        "unit": one.unit,
        "issuer": one.issuer,
        "assignee": one.assignee,
        "title": one.title,
        "state": one.state,
        "due": one.due,
        "overdue": one.is_overdue(now),
        "items": [{"kind": item.kind, "reference": item.reference} for item in one.items],
        "issued_at": one.issued_at,
        "received_at": one.received_at,
        "replied_at": one.replied_at,
        "reviewed_at": one.reviewed_at,
        "ended_at": one.ended_at,
        "replies": one.replies,
        "escalations": one.escalations,
        "escalated_to": one.escalated_to or None,
        "exercise": one.exercise or None,
    }
