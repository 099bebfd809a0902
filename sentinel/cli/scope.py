"""`scope`: what may be looked at."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import LAST_ROW, MAX_RATE, JsonOption, UnitOption, open_session, read_time
from sentinel.errors import ScopeError, UsageError
from sentinel.model.moment import local_text
from sentinel.model.scope import Level

if TYPE_CHECKING:
    from sentinel.model.scope import Target
    from sentinel.model.unit import Unit
    from sentinel.schedule.context import Context

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="扫描授权：没有授权，不发一个报文。")

WhyOption = Annotated[str, typer.Option("--why", help="理由")]
AUTHORISE = "sentinel scope authorise 网段 --by … --document … --from … --until … --level service"

_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}")


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="scope")


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

    begin, finish = read_start(start, "--from"), read_time(end, "--until")
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
            targets=_read_targets(context, owner, targets),
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
    from sentinel.schedule.kept_words import Kept, join_state, load_kept_of, show_targets
    from sentinel.store.scopes import build_authorisation_words, read_authorisations

    with open_session() as context:
        owner = None if unit is None else context.choose_unit(unit)
        now = context.clock()
        found = read_authorisations(context.database, owner.code if owner else None)
        kept = load_kept_of(context, (one.unit for one in found))
    shown = {one.id: show_targets(kept[one.unit], one.targets) for one in found}
    if as_json:
        for one in found:
            in_force = one.is_valid(now) and shown[one.id].kept is not Kept.WHOLE
            places = {
                "targets": shown[one.id].texts,
                "excluded": show_targets(kept[one.unit], one.excluded).texts,
                "in_force": in_force,
                "kept_out": shown[one.id].kept,
            }
            print_json(build_authorisation_words(one) | places)
        return
    print_table(
        "扫描授权",
        ("编号>", "单位", "目标", "层级", "速率>", "截止", "状态"),
        [
            (
                one.id,
                one.unit,
                shown[one.id].line,
                one.level.word,
                one.rate_pps,
                local_text(one.valid_to),
                "撤销"
                if one.withdrawn_at
                else join_state("有效", shown[one.id].kept)
                if one.is_valid(now)
                else "不在有效期",
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

    demand_reason(why)

    with open_session() as context, context.database.transaction(context.actor, context.clock()) as transaction:
        withdraw_authorisation(transaction, number, why)
    print_line(f"已撤销授权 {number}。")


def demand_reason(why: str) -> None:
    """Refuse an empty reason."""
    if not why.strip():
        raise UsageError("--why: may not be empty")


def read_start(text: str, option: str) -> datetime:
    """Read a start: a bare date begins with that day, as against an end, which ends with it."""
    moment = read_time(text, option)
    return moment - timedelta(days=1) + timedelta(microseconds=1) if _DAY.fullmatch(text.strip()) else moment


def _read_targets(context: Context, owner: Unit, texts: list[str]) -> tuple[Target, ...]:
    from sentinel.schedule.kept_words import refuse_whole

    read = tuple(_read_target(text) for text in texts)
    refuse_whole(context, owner, (one.network for one in read if one.network is not None))
    return read


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
