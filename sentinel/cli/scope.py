"""`scope` and `whitelist`: what may be looked at, and what may be there."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_note, print_table
from sentinel.cli.session import LAST_ROW, MAX_RATE, JsonOption, UnitOption, open_session, read_time
from sentinel.errors import ScopeError, UsageError
from sentinel.model.moment import local_text
from sentinel.model.scope import Level

if TYPE_CHECKING:
    from sentinel.model.scope import Target
    from sentinel.model.whitelist import WhitelistEntry
    from sentinel.schedule.register import EntryImport

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="扫描授权：没有授权，不发一个报文。")
whitelist = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="域名、主机、端口白名单。")

WhyOption = Annotated[str, typer.Option("--why", help="理由")]
AUTHORISE = "sentinel scope authorise 网段 --by … --document … --from … --until … --level service"

SOME_REFUSED = 3

_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}")


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="scope")
    app.add_typer(whitelist, name="whitelist")


@group.command("authorise")
def authorise(
    targets: Annotated[list[str], typer.Argument(help="地址、网段或域名")],
    by: Annotated[str, typer.Option("--by", help="授权人或部门，如文件所写")],
    document: Annotated[str, typer.Option("--document", help="授权文件的文号或名称")],
    start: Annotated[str, typer.Option("--from", help="起始时间，如 2026-11-22T08:00；只写日期为当日零时")],
    end: Annotated[str, typer.Option("--until", help="截止时间；只写日期为当日终了")],
    level: Annotated[
        str,
        typer.Option(
            "--level", help="passive 只看日志；discover 端口是否开放；service 是何服务；check 规则指明的只读请求"
        ),
    ],
    unit: UnitOption = None,
    rate: Annotated[
        int | None,
        typer.Option(
            "--rate", help="每秒报文或连接数上限，默认取设置 rate_pps", min=1, max=MAX_RATE, show_default=False
        ),
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", help="不得触碰的地址、网段或域名")] = None,
    allow_loopback: Annotated[
        bool, typer.Option("--allow-loopback", help="允许本机回环地址 127.0.0.0/8（演练）")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """登记一份扫描授权。"""
    from sentinel.model.scope import Authorisation
    from sentinel.store.scopes import build_authorisation_words, write_authorisation

    begin, finish = _read_start(start, "--from"), read_time(end, "--until")
    if finish <= begin:
        raise UsageError("--until: the authorisation ends before it begins")
    for text, option in ((by, "--by"), (document, "--document")):
        if not text.strip():
            raise UsageError(f"{option}: may not be empty")
    with open_session() as context:
        owner = context.choose_unit(unit)
        wanted = Authorisation(
            id=0,
            unit=owner.code,
            targets=tuple(_read_target(text) for text in targets),
            by=by.strip(),
            document=document.strip(),
            valid_from=begin,
            valid_to=finish,
            level=_read_scan_level(level),
            allow_loopback=allow_loopback,
            rate_pps=rate or context.settings.rate_pps,
            excluded=tuple(_read_target(text) for text in exclude or ()),
        )
        with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
            stored = write_authorisation(transaction, wanted)
    if as_json:
        print_json(build_authorisation_words(stored))
    else:
        print_line(
            f"已登记授权 {stored.id}：{'、'.join(one.text for one in stored.targets)}，至 {local_text(finish)}。"
        )
        print_line("下一步：sentinel scan 目标 --plan（只看计划），再去掉 --plan")


@group.command("list")
def show(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出扫描授权，过期与撤销的也在内。"""
    from sentinel.store.scopes import build_authorisation_words, read_authorisations

    with open_session() as context:
        owner = None if unit is None else context.choose_unit(unit)
        now = context.clock()
        found = read_authorisations(context.database, owner.code if owner else None)
    if as_json:
        for one in found:
            print_json(build_authorisation_words(one))
        return
    print_table(
        "扫描授权",
        ("编号>", "单位", "目标", "层级", "速率>", "截止", "状态"),
        [
            (
                one.id,
                one.unit,
                "、".join(target.text for target in one.targets),
                one.level.word,
                one.rate_pps,
                local_text(one.valid_to),
                "撤销" if one.withdrawn_at else "有效" if one.is_valid(now) else "不在有效期",
            )
            for one in found
        ],
        "sentinel scan 目标 --plan",
        empty=AUTHORISE,
    )


@group.command("withdraw")
def withdraw(number: Annotated[int, typer.Argument(help="授权编号", min=1, max=LAST_ROW)], why: WhyOption) -> None:
    """撤销一份扫描授权，立即生效。"""
    from sentinel.store.scopes import withdraw_authorisation

    _demand_reason(why)

    with open_session() as context, context.database.transaction(context.actor, context.clock()) as transaction:
        withdraw_authorisation(transaction, number, why)
    print_line(f"已撤销授权 {number}。")


@whitelist.command("add")
def add(
    kind: Annotated[str, typer.Argument(help="domain、host 或 port")],
    value: Annotated[str, typer.Argument(help="域名（可用 *）、地址或网段，端口写作 10.0.0.5:443/tcp")],
    reason: Annotated[str, typer.Option("--reason", help="用途")],
    approved_by: Annotated[str, typer.Option("--approved-by", help="批准人或部门")],
    unit: UnitOption = None,
    service: Annotated[str, typer.Option("--service", help="应有的服务，如 http；不写为不限")] = "",
    document: Annotated[str, typer.Option("--document", help="批准文件")] = "",
    start: Annotated[
        str | None, typer.Option("--from", help="起始时间；只写日期为当日零时", show_default=False)
    ] = None,
    end: Annotated[
        str | None, typer.Option("--until", help="截止时间；只写日期为当日终了；不写为长期", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """登记一条白名单。"""
    from sentinel.schedule.entries import read_entry
    from sentinel.schedule.keep_out import refuse_kept_out
    from sentinel.store.scopes import build_whitelist_words, write_whitelist_entry

    with open_session() as context:
        owner = context.choose_unit(unit)
        entry = read_entry(
            kind,
            value,
            unit=owner.code,
            service=service,
            reason=reason,
            approved_by=approved_by,
            document=document,
            valid_from=_read_start(start, "--from") if start else None,
            valid_to=read_time(end, "--until") if end else None,
        )
        refuse_kept_out(context, owner, entry.addresses, "VALUE")
        with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
            stored = write_whitelist_entry(transaction, entry)
    if as_json:
        print_json(build_whitelist_words(stored))
    else:
        print_line(f"已登记白名单 {stored.id}：{_shown(stored)}。下一步：sentinel check")


@whitelist.command("import")
def import_sheet(
    file: Annotated[Path, typer.Argument(help="资产台账或白名单：XLSX，或 CSV（UTF-8、GB 18030）")],
    unit: UnitOption = None,
    approved_by: Annotated[
        str, typer.Option("--approved-by", help="批准人或部门；表中有审批栏时可省略", show_default=False)
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="用途，写在系统名称之前", show_default=False)] = "",
    as_json: JsonOption = False,
) -> None:
    """从台账或白名单表格登记白名单；同一文件再次导入不增加条目。"""
    from sentinel.schedule.register import import_entries
    from sentinel.store.scopes import build_whitelist_words

    with open_session() as context:
        owner = context.choose_unit(unit)
        done = import_entries(context, owner, file, approved_by, context.clock(), reason=reason)
    if as_json:
        for entry in done.added:
            print_json({"event": "added", **build_whitelist_words(entry)})
        for cell in done.refused:
            where = {"sheet": cell.sheet, "row": cell.row, "column": cell.column, "title": cell.title}
            print_json({"event": "refused", **where, "reason": cell.reason})
        counts = {"rows": done.rows, "added": len(done.added), "known": done.known, "refused": len(done.refused)}
        print_json({"summary": {"file": str(file), **counts}})
    else:
        _print_entry_import(done)
    if done.refused:
        raise typer.Exit(SOME_REFUSED)


def _print_entry_import(done: EntryImport) -> None:
    for cell in done.refused:
        sheet = f"{cell.sheet} " if cell.sheet else ""
        print_note(f"{sheet}第 {cell.row} 行 {cell.column} 列（{cell.title}）：{cell.reason}")
    print_line(
        f"读入 {done.rows} 行，新增白名单 {len(done.added)} 条，已有 {done.known} 条，"
        f"不能读取的单元格 {len(done.refused)} 个。"
    )
    print_line("下一步：sentinel whitelist list；sentinel check")


@whitelist.command("list")
def show_whitelist(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出白名单，过期的也在内。"""
    from sentinel.store.scopes import build_whitelist_words, read_whitelist

    with open_session() as context:
        owner = context.choose_unit(unit)
        now = context.clock()
        found = read_whitelist(context.database, owner.code)
    if as_json:
        for one in found:
            print_json(build_whitelist_words(one))
        return
    kinds = {"domain": "域名", "host": "主机", "port": "端口"}
    print_table(
        f"{owner.name}的白名单",
        ("编号>", "种类", "内容", "服务", "用途", "批准", "截止"),
        [
            (
                one.id,
                kinds[one.kind],
                _shown(one),
                one.service,
                one.reason,
                one.approved_by,
                (local_text(one.valid_to) + ("" if one.is_valid(now) else "（失效）")) if one.valid_to else "长期",
            )
            for one in found
        ],
        "sentinel check",
        empty="sentinel whitelist add port 10.0.0.5:443/tcp --reason 用途 --approved-by 批准人",
    )


@whitelist.command("withdraw")
def withdraw_entry(
    number: Annotated[int, typer.Argument(help="白名单编号", min=1, max=LAST_ROW)], why: WhyOption
) -> None:
    """撤销一条白名单，立即生效。"""
    from sentinel.store.scopes import withdraw_whitelist_entry

    _demand_reason(why)

    with open_session() as context, context.database.transaction(context.actor, context.clock()) as transaction:
        withdraw_whitelist_entry(transaction, number, why)
    print_line(f"已撤销白名单 {number}。")


def _demand_reason(why: str) -> None:
    if not why.strip():
        raise UsageError("--why: may not be empty")


def _shown(one: WhitelistEntry) -> str:
    if one.domain:
        return one.domain
    where = "、".join(map(str, one.addresses))
    return f"{where} {one.ports}/{one.proto}" if one.proto else where


def _read_start(text: str, option: str) -> datetime:
    """Read a start: a bare date begins with that day, as against an end, which ends with it."""
    moment = read_time(text, option)
    return moment - timedelta(days=1) + timedelta(microseconds=1) if _DAY.fullmatch(text.strip()) else moment


def _read_target(text: str) -> Target:
    from sentinel.collect.gate import parse_target, printable

    try:
        return parse_target(text)
    except ValueError as error:
        raise ScopeError(f"{printable(text)}: {error}") from error


def _read_scan_level(text: str) -> Level:
    try:
        return Level.named(text)
    except ValueError as error:
        raise UsageError(f"--level: {error}") from error
