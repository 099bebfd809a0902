"""`notice`: notices that came in or went out, entered by hand and linked to findings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_choice, read_exercise, read_time
from sentinel.model.moment import local_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.model.finding import Finding
    from sentinel.model.notice import Notice

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="通报：登记收到与发出的，与隐患关联。")

NumberArgument = Annotated[str, typer.Argument(help="通报编号或序号")]
FindingsArgument = Annotated[list[str], typer.Argument(help="隐患编号，如 隐患-2026-00001")]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="notice")


@group.command("add")
def add(
    number: Annotated[str, typer.Argument(help="文号，如 示教信函〔2026〕7号")],
    issuer: Annotated[str, typer.Option("--issuer", help="通报单位")],
    title: Annotated[str, typer.Option("--title", help="标题")],
    kind: Annotated[
        str, typer.Option("--kind", help="bulletin 通报、warning 预警、hunt 协查、rectify、other")
    ] = "bulletin",
    out: Annotated[bool, typer.Option("--out", help="是本单位发出的")] = False,
    issued: Annotated[str, typer.Option("--issued", help="发文日期", show_default=False)] = "",
    received: Annotated[str, typer.Option("--received", help="收到时间，默认为现在", show_default=False)] = "",
    due: Annotated[str, typer.Option("--due", help="反馈期限", show_default=False)] = "",
    file: Annotated[Path | None, typer.Option("--file", help="通报文件，留作证据", show_default=False)] = None,
    disclosure: Annotated[
        str, typer.Option("--disclosure", help="公开程度：public、internal、restricted")
    ] = "internal",
    exercise: Annotated[str, typer.Option("--exercise", help="演练编号；演练不进统计", show_default=False)] = "",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记一份通报：收到的，或（--out）发出的。"""
    from sentinel.model.finding import Disclosure
    from sentinel.model.notice import Direction, Notice, NoticeKind
    from sentinel.schedule.notices import add_notice

    with open_session() as context:
        owner = context.choose_unit(unit)
        draft = Notice(
            id=0,
            unit=owner.code,
            number=number,
            issuer=issuer,
            title=title,
            kind=read_choice(kind, NoticeKind, "--kind") or NoticeKind.OTHER,
            direction=Direction.OUT if out else Direction.IN,
            issued_at=read_time(issued, "--issued") if issued else None,
            received_at=None if out else read_time(received, "--received") if received else context.clock(),
            due=read_time(due, "--due") if due else None,
            disclosure=read_choice(disclosure, Disclosure, "--disclosure") or Disclosure.INTERNAL,
            exercise=read_exercise(exercise),
        )
        stored = add_notice(context, owner, draft, file)
    if as_json:
        print_json(_words(stored))
        return
    print_line(f"已登记 {stored.number}（{stored.issuer}）。")
    print_line(
        f"下一步：sentinel notice link {stored.number} 隐患编号；或 sentinel finding add 对象 --notice {stored.number}"
    )


@group.command("list")
def show_list(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出通报，新的在前。"""
    from sentinel.report.words import term
    from sentinel.store.notices import count_notice_findings, read_notices
    from sentinel.store.units import read_units

    with open_session() as context:
        units = list(read_units(context.database)) if unit is None else [context.choose_unit(unit)]
        found = [one for owner in units for one in read_notices(context.database, owner.code)]
        counts: dict[int, int] = {}
        for owner in units:
            counts |= count_notice_findings(context.database, owner.code)
    if as_json:
        for one in found:
            print_json(_words(one) | {"findings": counts.get(one.id, 0)})
        return
    print_table(
        "通报",
        ("编号", "种类", "通报单位", "标题", "收发", "日期", "期限", "隐患>"),
        [
            (
                one.number + ("（演练）" if one.exercise else ""),
                term(one.kind).zh,
                one.issuer,
                one.title,
                term(one.direction).zh,
                local_date(one.received_at or one.issued_at),
                local_date(one.due),
                counts.get(one.id, 0),
            )
            for one in found
        ],
        "sentinel notice show 编号",
        empty="sentinel notice add 文号 --issuer 单位 --title 标题",
    )


@group.command("show")
def show(number: NumberArgument, unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """显示一份通报与它所说的隐患现状。"""
    from sentinel.report.words import term
    from sentinel.schedule.notices import require_notice
    from sentinel.store.notices import read_notice_findings

    with open_session() as context:
        notice = require_notice(context, context.choose_unit(unit), number)
        found = read_notice_findings(context.database, notice.id)
    if as_json:
        items = [{"number": one.number, "state": one.state, "title": one.title_zh} for one in found]
        print_json(_words(notice) | {"items": items})
        return
    print_table(
        f"{notice.number}（{notice.issuer}）：{notice.title}，期限 {local_date(notice.due)}",
        ("编号", "等级", "标题", "对象", "状态"),
        [(one.number, term(one.severity).zh, one.title_zh, one.key.subject, term(one.state).zh) for one in found],
        "sentinel finding show 编号",
        empty=f"sentinel notice link {notice.number} 隐患编号",
    )
    if notice.evidence:
        print_line(f"文件：{notice.evidence}")


@group.command("link")
def link(
    number: NumberArgument, references: FindingsArgument, unit: UnitOption = None, as_json: JsonOption = False
) -> None:
    """把隐患与一份通报关联；收到的通报，其通报单位即销号单位。"""
    from sentinel.schedule.notices import link_notice, require_notice

    with open_session() as context:
        owner = context.choose_unit(unit)
        notice = require_notice(context, owner, number)
        changed = link_notice(context, owner, notice, references)
    _tell(notice, changed, "关联", as_json=as_json)


@group.command("unlink")
def unlink(
    number: NumberArgument, references: FindingsArgument, unit: UnitOption = None, as_json: JsonOption = False
) -> None:
    """解除隐患与一份通报的关联。"""
    from sentinel.schedule.notices import require_notice, unlink_notice

    with open_session() as context:
        owner = context.choose_unit(unit)
        notice = require_notice(context, owner, number)
        changed = unlink_notice(context, owner, notice, references)
    _tell(notice, changed, "解除关联", as_json=as_json)


def _tell(notice: Notice, changed: Sequence[Finding], what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"number": notice.number, "issuer": notice.issuer, "changed": [one.number for one in changed]})
        return
    print_line(f"{notice.number}：{what} {len(changed)} 条隐患。")


def _words(one: Notice) -> dict[str, object]:
    return {
        "id": one.id,
        "unit": one.unit,
        "number": one.number,
        "issuer": one.issuer,
        "title": one.title,
        "kind": one.kind,
        "direction": one.direction,
        "issued_at": one.issued_at,
        "received_at": one.received_at,
        "due": one.due,
        "evidence": one.evidence or None,
        "disclosure": one.disclosure,
        "exercise": one.exercise or None,
    }
