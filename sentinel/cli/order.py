"""`order`: rectification orders, issued for chosen findings, listed, shown and printed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_time
from sentinel.errors import RenderError, UsageError
from sentinel.model.moment import local_date

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sentinel.model.finding import Finding
    from sentinel.model.order import RectificationOrder
    from sentinel.model.rule import Severity
    from sentinel.model.unit import Unit
    from sentinel.schedule.context import Context
    from sentinel.schedule.orders import Choice

LONGEST_WORDS = 200

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="整改通知书。")


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="order")


@group.command("issue")
def issue(
    references: Annotated[
        list[str] | None, typer.Argument(help="隐患编号，如 隐患-2026-00001", show_default=False)
    ] = None,
    due: Annotated[str, typer.Option("--due", help="反馈期限，如 2026-12-10", show_default=False)] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="输出文件；用 --each-owner 时为文件夹", show_default=False)
    ] = None,
    to: Annotated[str, typer.Option("--to", help="发给谁；默认为台账中的责任部门", show_default=False)] = "",
    severity: Annotated[
        str,
        typer.Option(
            "--severity", help="选取该等级及以上的待整改隐患：critical、high、medium、low", show_default=False
        ),
    ] = "",
    owner: Annotated[str, typer.Option("--owner", help="选取该责任部门的待整改隐患", show_default=False)] = "",
    each_owner: Annotated[bool, typer.Option("--each-owner", help="每个责任部门一份")] = False,
    issuer: Annotated[str, typer.Option("--issuer", help="签发单位，默认为本单位", show_default=False)] = "",
    note: Annotated[str, typer.Option("--note", help="其他要说明的", show_default=False)] = "",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """签发整改通知书（DOCX，附反馈表）；所列隐患转为整改中。"""
    from sentinel.schedule.orders import NO_OWNER, choose_findings

    _check(references, due, severity, owner, each_owner=each_owner, words=(to, issuer, note))
    if out is None:
        raise UsageError("--out: a file is needed, as in `--out 整改通知书.docx`; with --each-owner a folder")
    wanted = _severity(severity)
    with open_session() as context:
        school = context.choose_unit(unit)
        end = read_time(due, "--due")
        if end <= context.clock():
            raise UsageError("--due: lies in the past")
        choices = choose_findings(context, school, references or (), severity=wanted, owner=owner)
        if each_owner:
            choices = tuple(choice for choice in choices if choice.assignee != NO_OWNER)
        else:
            choices = _join(choices, to)
        if not choices:
            raise UsageError("no open finding is chosen; `sentinel finding list --live` shows what is open")
        for choice, path in zip(choices, _paths(choices, out, each_owner=each_owner), strict=True):
            order = _issue(context, school, choice, end, issuer or school.name, note, path)
            _tell(order, path, as_json=as_json)


def _issue(
    context: Context, unit: Unit, choice: Choice, end: datetime, issuer: str, note: str, path: Path
) -> RectificationOrder:
    from sentinel.model.order import RectificationOrder
    from sentinel.schedule.orders import ids_of, issue_paper

    now, ids = context.clock(), ids_of(choice.findings)
    drafted = RectificationOrder(0, "", unit.code, issuer, choice.assignee, now, end, ids, note)
    return issue_paper(context, unit, drafted, choice.findings, path)


@group.command("list")
def show_list(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出签发过的整改通知书，新的在前。"""
    from sentinel.schedule.orders import read_order_findings
    from sentinel.store.orders import read_orders
    from sentinel.store.units import read_units

    with open_session() as context:
        units = list(read_units(context.database)) if unit is None else [context.choose_unit(unit)]
        orders = [one for owner in units for one in read_orders(context.database, owner.code)]
        live = {one.id: sum(f.state.is_live for f in read_order_findings(context, one)) for one in orders}
        now = context.clock()
    if as_json:
        for one in orders:
            print_json(_words(one) | {"live": live[one.id]})
        return
    print_table(
        "整改通知书",
        ("编号", "发给", "签发", "期限", "隐患>", "未销号>", ""),
        [
            (
                one.number,
                one.assignee,
                local_date(one.issued_at),
                local_date(one.due),
                len(one.findings),
                live[one.id],
                "逾期" if live[one.id] and one.due < now else "",
            )
            for one in orders
        ],
        "sentinel order show 编号 --out 整改通知书.docx",
        empty="sentinel order issue --severity high --each-owner --due 日期 --out 文件夹",
    )


@group.command("show")
def show(
    reference: Annotated[str, typer.Argument(help="编号（整改-2026-0001）或序号")],
    out: Annotated[Path | None, typer.Option("--out", help="重新打印到文件", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """显示一份整改通知书及其隐患现状；--out 重新打印。"""
    from sentinel.schedule.orders import build_paper, read_order_findings, save_order
    from sentinel.store.orders import find_order
    from sentinel.store.units import find_unit

    with open_session() as context:
        order = find_order(context.database, reference) if len(reference) <= 18 else None
        school = find_unit(context.database, order.unit) if order else None
        if order is None or school is None:
            raise UsageError(f"no such order: {reference!r}; `sentinel order list` shows them")
        findings = read_order_findings(context, order)
        if out is not None:
            save_order(out, build_paper(context, school, order, findings))
    if as_json:
        states = [{"number": one.number, "state": one.state, "title": one.title_zh} for one in findings]
        print_json(_words(order) | {"items": states, "file": str(out) if out else None})
        return
    _print_order(order, findings)
    if out is not None:
        print_line(f"已写入 {out}。")


def _print_order(order: RectificationOrder, findings: Sequence[Finding]) -> None:
    from sentinel.report.words import term

    print_table(
        f"{order.number}：发给 {order.assignee}，期限 {local_date(order.due)}",
        ("编号", "等级", "标题", "对象", "状态"),
        [(one.number, term(one.severity).zh, one.title_zh, one.key.subject, term(one.state).zh) for one in findings],
        f"sentinel order show {order.number} --out 整改通知书.docx",
    )


def _check(
    references: Sequence[str] | None, due: str, severity: str, owner: str, *, each_owner: bool, words: Sequence[str]
) -> None:
    if references and (severity or owner):
        raise UsageError("name findings, or choose them by --severity and --owner; not both")
    if not references and not (severity or owner or each_owner):
        raise UsageError("which findings? name them, or choose by --severity, --owner or --each-owner")
    if each_owner and (words[0] or owner):
        raise UsageError("--each-owner: goes with neither --to nor --owner; each department gets its own")
    if not due:
        raise UsageError("--due: until when is the reply due? write it as 2026-12-10")
    if any(len(one) > LONGEST_WORDS for one in words):
        raise UsageError(f"--to, --issuer, --note: at most {LONGEST_WORDS} characters")


def _severity(text: str) -> Severity | None:
    from sentinel.model.rule import Severity

    try:
        return Severity(text) if text else None
    except ValueError as error:
        known = ", ".join(one.value for one in Severity)
        raise UsageError(f"--severity: {text!r} is none of {known}") from error


def _join(choices: Sequence[Choice], to: str) -> tuple[Choice, ...]:
    """Make one of all, for who is named; without a name they must be of one department."""
    from sentinel.schedule.orders import NO_OWNER, Choice

    if not choices:
        return ()
    if not to and (len(choices) > 1 or choices[0].assignee == NO_OWNER):
        names = "、".join(choice.assignee for choice in choices[:5])
        raise UsageError(f"to whom? the findings belong to {names}; name it with --to, or use --each-owner")
    return (Choice(to or choices[0].assignee, tuple(one for choice in choices for one in choice.findings)),)


def _paths(choices: Sequence[Choice], out: Path, *, each_owner: bool) -> list[Path]:
    from sentinel.schedule.orders import file_name

    if not each_owner:
        return [out]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RenderError(f"{out}: cannot be made: {error.strerror or error}") from error
    names: list[str] = []
    for choice in choices:
        names.append(file_name("整改通知书", choice.assignee, names))
    return [out / name for name in names]


def _tell(order: RectificationOrder, path: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(_words(order) | {"file": str(path)})
    else:
        print_line(
            f"{order.number} 发给 {order.assignee}：隐患 {len(order.findings)} 项，期限 {local_date(order.due)}。"
        )
        print_line(f"已写入 {path}。")


def _words(order: RectificationOrder) -> dict[str, object]:
    return {
        "id": order.id,
        "number": order.number,
        "unit": order.unit,
        "issuer": order.issuer,
        "assignee": order.assignee,
        "issued_at": order.issued_at,
        "due": order.due,
        "findings": list(order.findings),
        "note": order.note,
    }
