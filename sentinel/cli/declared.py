"""`unit show`, `unit set`, `unit exit`, `unit contact`, `unit keep-out`: the answers of `init`, shown and changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.contacts import describe_contacts
from sentinel.cli.contacts import group as contacts
from sentinel.cli.output import print_json, print_line, print_note, print_table
from sentinel.cli.scope import WhyOption
from sentinel.cli.session import LAST_ROW, JsonOption, UnitOption, open_session, read_start, read_time
from sentinel.cli.setup import read_level
from sentinel.cli.unit_words import (
    LEVEL_WORDS,
    AffiliationOption,
    AliasOption,
    CreditOption,
    KindOption,
    RegionOption,
    SinceOption,
    build_unit_words,
    describe,
    note_code,
)
from sentinel.cli.units import ZONE_WORDS
from sentinel.cli.units import group as unit_group
from sentinel.errors import UsageError
from sentinel.model.moment import local_date

if TYPE_CHECKING:
    from sentinel.model.register import Exit, KeepOut
    from sentinel.model.unit import Unit
    from sentinel.schedule.context import Context

exits = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="互联网出口与公网地址。")
keep_outs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="必须排除的地址：不探测，也不导入。")

MAX_WORD = 60
FOUNDED = 1800
"""First year a school may have been founded in."""
STATES = {"none": "没有", "kept_out": "有，已排除在外"}
_OTHER = {"none": "kept-out", "kept_out": "none", "": "none|kept-out"}


def register(_: typer.Typer) -> None:
    """Add the commands of this group."""
    unit_group.command("show")(show)
    unit_group.command("set")(change)
    unit_group.add_typer(exits, name="exit")
    unit_group.add_typer(contacts, name="contact")
    unit_group.add_typer(keep_outs, name="keep-out")


def show(
    at: Annotated[
        str | None, typer.Option("--at", help="当时的名称与隶属；只写日期为当日终了", show_default=False)
    ] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """显示建立时的全部答案，以及更改每一项的命令。"""
    moment = read_time(at, "--at") if at else None
    with open_session() as context:
        owner = context.choose_unit(unit)
        rows = list(_read_answers(context, owner) if moment is None else _read_past(context, owner, moment))
    if as_json:
        for name, value, command in rows:
            print_json({"name": name, "value": value, "command": command})
        return
    print_table(owner.name, ("项目", "现值" if moment is None else "当时", "更改"), rows, "sentinel unit history")


def _read_past(context: Context, owner: Unit, moment: datetime) -> Iterator[tuple[str, str, str]]:
    """Give what the unit was at a moment."""
    from sentinel.store.unit_tree import read_unit_at

    then = read_unit_at(context.database, owner, moment)
    yield "名称", then.name, "sentinel unit rename 新名称 --at 日期 --why 依据"
    yield "层级", LEVEL_WORDS[then.level], "sentinel unit set --level school"
    yield "上级", then.parent or "无", "sentinel unit move --parent 代码 --at 日期 --why 依据"
    yield "路径", then.path, ""
    yield "属地", then.region or "未填", "sentinel unit set --region 代码"
    yield "类别", then.kind.zh or "未填", "sentinel unit set --kind 小学"
    yield "举办者", then.affiliation or "未填", "sentinel unit set --affiliation 举办者"
    exists = "存在" if then.exists(moment) else "尚未设立" if then.valid_from and moment < then.valid_from else "已撤并"
    yield "状态", exists, "sentinel unit set --from 日期 --until 日期"


def _read_answers(context: Context, owner: Unit) -> Iterator[tuple[str, str, str]]:
    """Give each answer with the command that changes it."""
    from sentinel.schedule.answers import place_list
    from sentinel.schedule.enrolment import CLASSIFIED
    from sentinel.schedule.keep_out import load_kept_out
    from sentinel.schedule.kept_words import show_prefixes
    from sentinel.store.declared import read_answers, read_contacts, read_exits, read_keep_outs
    from sentinel.store.units import read_networks

    answers = read_answers(context.database, owner.code)
    yield "名称", owner.name, "sentinel unit set --name 名称"
    yield "代码", owner.code, "sentinel unit set --code 代码"
    yield "层级", LEVEL_WORDS[owner.level], "sentinel unit set --level school"
    yield "属地", owner.region or "未填", "sentinel unit set --region 代码"
    yield "上级", owner.parent or "无", "sentinel unit move --parent 代码 --why 依据"
    yield "类别", owner.kind.zh or "未填", "sentinel unit set --kind 小学"
    if owner.credit:
        yield "信用代码", owner.credit, "sentinel unit set --credit 代码"
    if owner.affiliation:
        yield "举办者", owner.affiliation, "sentinel unit set --affiliation 举办者"
    if owner.aliases:
        yield "别名", "、".join(owner.aliases), "sentinel unit set --alias 名称"
    for network in read_networks(context.database, owner.code):
        places = place_list(network.prefixes) or "其余地址"
        words = f"{network.name}（{ZONE_WORDS[network.zone]}）{places} {'可探测' if network.scannable else '只看日志'}"
        yield (
            "网段",
            words,
            "sentinel unit network 名称 网段 --zone 区域" if network.prefixes else "sentinel unit networks",
        )
    hidden = load_kept_out(context, owner)
    for one in read_exits(context.database, owner.code):
        yield "出口", f"{one.name} {show_prefixes(hidden, one.prefixes).line}", "sentinel unit exit add 名称 地址"
    yield from _read_authority(context, owner, answers)
    known = read_contacts(context.database, owner.code, context.load_seal())
    yield "联系人", describe_contacts(known) or "未登记", "sentinel unit contact set"
    yield (
        "涉密",
        STATES.get(answers.get(CLASSIFIED, ""), "未答"),
        f"sentinel unit keep-out answer {_OTHER.get(answers.get(CLASSIFIED, ''), 'none')}",
    )
    kept = read_keep_outs(context.database, owner.code)
    yield "排除", f"{len(kept)} 条" if kept else "没有", "sentinel unit keep-out add 地址"


def _read_authority(context: Context, owner: Unit, answers: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    from sentinel.schedule.enrolment import AUTHORITY
    from sentinel.store.scopes import read_authorisations

    now = context.clock()
    held = [one for one in read_authorisations(context.database, owner.code) if one.is_valid(now)]
    for row in held:
        words = f"{row.id}：{row.by}，{row.document}，至 {local_date(row.valid_to)}"
        yield "授权", words, f"sentinel scope withdraw {row.id} --why 理由"
    if not held:
        by = answers.get(AUTHORITY)
        yield "授权", f"没有有效授权{f'（{by}待签）' if by else ''}", "sentinel scope authorise 网段 …"


def change(
    name: Annotated[str | None, typer.Option("--name", help="单位名称", show_default=False)] = None,
    code: Annotated[str | None, typer.Option("--code", help="代码；已有的记录随之更改", show_default=False)] = None,
    level: Annotated[
        str | None, typer.Option("--level", help="层级：province、city、county、school、department", show_default=False)
    ] = None,
    region: RegionOption = None,
    kind: KindOption = None,
    credit: CreditOption = None,
    affiliation: AffiliationOption = None,
    alias: AliasOption = None,
    start: Annotated[str | None, typer.Option("--from", help="设立日期", show_default=False)] = None,
    end: Annotated[str | None, typer.Option("--until", help="撤并日期，自该日起不存在", show_default=False)] = None,
    correct: Annotated[bool, typer.Option("--correct", help="更正录入错误，不留历史")] = False,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """更改单位的名称、代码、层级、属地、类别等；自现在起，更早的用 unit rename、unit move。"""
    from sentinel.schedule.declaring import change_declared

    given = (name, code, level, region, kind, credit, affiliation, alias, start, end)
    if all(one is None for one in given):
        raise UsageError("nothing to change: give --name, --code, --level, --region, --kind or another")
    for text, option in ((name, "--name"), (code, "--code")):
        if text is not None and not (text.strip() and text.isprintable()):
            raise UsageError(f"{option}: needs printable text")
    with open_session() as context:
        owner = context.choose_unit(unit)
        described = describe(owner, region, kind, credit, affiliation, alias)
        wanted = replace(
            described,
            name=name.strip() if name else owner.name,
            code=code.strip() if code else owner.code,
            level=read_level(level) if level else owner.level,
            valid_from=read_start(start, "--from", FOUNDED) if start else owner.valid_from,
            valid_to=read_start(end, "--until", FOUNDED) if end else owner.valid_to,
        )
        if wanted.valid_from and wanted.valid_to and wanted.valid_to <= wanted.valid_from:
            raise UsageError("--until: lies before --from")
        changed = change_declared(context, owner, wanted, correct=correct)
    if code is not None:
        note_code(changed.code)
    if as_json:
        print_json(build_unit_words(changed))
    else:
        print_line(f"已更改：{changed.name}（{changed.code}），{LEVEL_WORDS[changed.level]}。")


@exits.command("add")
def add_exit(
    name: Annotated[str, typer.Argument(help="出口名称，如 教育网出口")],
    addresses: Annotated[list[str], typer.Argument(help="公网地址或网段")],
    provider: Annotated[str | None, typer.Option("--provider", help="运营商，如 教育网", show_default=False)] = None,
    line: Annotated[str | None, typer.Option("--line", help="线路号、专线号", show_default=False)] = None,
    since: SinceOption = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记或更改一个出口；其公网地址成为 DMZ 网络。"""
    from sentinel.schedule.answers import place_list
    from sentinel.schedule.declaring import add_exit as add

    for text, option in ((provider, "--provider"), (line, "--line")):
        if text is not None and not (text.isprintable() and len(text) <= MAX_WORD):
            raise UsageError(f"{option}: at most {MAX_WORD} printable characters")
    begin = read_start(since, "--since") if since else None
    with open_session() as context:
        owner = context.choose_unit(unit)
        stored = add(context, owner, name, addresses, provider=provider, line=line, since=begin)
    if as_json:
        print_json(_exit_words(stored))
    else:
        print_line(f"已登记出口 {stored.name}：{place_list(stored.prefixes)}。")


@exits.command("list")
def list_exits(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出出口。"""
    from sentinel.schedule.keep_out import load_kept_out
    from sentinel.schedule.kept_words import show_prefixes
    from sentinel.store.declared import read_exits

    with open_session() as context:
        owner = context.choose_unit(unit)
        found = read_exits(context.database, owner.code)
        kept = load_kept_out(context, owner)
    shown = [(one, show_prefixes(kept, one.prefixes)) for one in found]
    if as_json:
        for one, places in shown:
            print_json(_exit_words(one) | {"prefixes": places.texts, "kept_out": places.kept})
        return
    rows = [(one.name, places.line, one.provider, one.line) for one, places in shown]
    print_table("出口", ("名称", "公网地址", "运营商", "线路号"), rows, "sentinel unit exit add 名称 地址")


@exits.command("withdraw")
def withdraw_exit(
    name: Annotated[str, typer.Argument(help="出口名称")], unit: UnitOption = None, as_json: JsonOption = False
) -> None:
    """撤销一个出口及为它登记的网络。"""
    from sentinel.schedule.declaring import withdraw_exit as withdraw

    with open_session() as context:
        ended = withdraw(context, context.choose_unit(unit), name)
    if as_json:
        print_json(_exit_words(ended) | {"withdrawn": True})
    else:
        print_line(f"已撤销出口 {ended.name}。")


def _exit_words(one: Exit) -> dict[str, object]:
    prefixes = [str(prefix) for prefix in one.prefixes]
    return {"unit": one.unit, "name": one.name, "prefixes": prefixes, "provider": one.provider, "line": one.line}


@keep_outs.command("add")
def add_keep_out(
    addresses: Annotated[list[str], typer.Argument(help="地址或网段，如 10.9.0.0/24")],
    why: Annotated[str, typer.Option("--why", help="理由，不写内容细节")] = "按保密规定排除",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记必须排除的地址；地图中已有的随即移出。"""
    from sentinel.schedule.answers import place_list, read_places
    from sentinel.schedule.declaring import add_keep_out as add

    try:
        places = read_places(" ".join(addresses))
    except ValueError as error:
        raise UsageError(f"addresses: {error}") from error
    with open_session() as context:
        stored, gone = add(context, context.choose_unit(unit), places, why.strip())
    if as_json:
        words = {"hosts_removed": gone.hosts, "lines_withdrawn": gone.lines, "entries_withdrawn": gone.entries}
        print_json(_keep_out_words(stored) | words | {"findings_closed": gone.findings, "cut": gone.cut})
        return
    print_line(f"已登记排除 {stored.id}：{place_list(stored.prefixes)}。对此后的探测与导入立即生效。")
    if gone.cut:
        print_note(f"授权、托管、地址池与出口中有 {gone.cut} 条涉及它们，这一部分不再生效，列出时写明。")
    print_note("日志中谁用过这些地址的记录一并删除；撤回排除也不恢复，要时须重新导入。")
    if any((gone.hosts, gone.lines, gone.entries, gone.findings)):
        print_note(
            f"地图中的 {gone.hosts} 台主机已移出；撤下台账 {gone.lines} 条、白名单 {gone.entries} 条，"
            f"隐患 {gone.findings} 条已隐去地址。"
        )
        print_note("此前导入的原始证据、审计、已出的文书与备份中可能仍有它们，请按保密规定处理。")


@keep_outs.command("list")
def list_keep_outs(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出必须排除的地址。"""
    from sentinel.schedule.answers import place_list
    from sentinel.store.declared import read_keep_outs

    with open_session() as context:
        found = read_keep_outs(context.database, context.choose_unit(unit).code)
    if as_json:
        for one in found:
            print_json(_keep_out_words(one))
        return
    rows = [(one.id, place_list(one.prefixes), one.reason) for one in found]
    hint = "sentinel unit keep-out withdraw 编号 --why 理由"
    print_table("必须排除的地址", ("编号>", "地址", "理由"), rows, hint, empty="sentinel unit keep-out add 地址")


@keep_outs.command("withdraw")
def withdraw_keep_out(
    number: Annotated[int, typer.Argument(help="编号", min=1, max=LAST_ROW)],
    why: WhyOption,
    unit: UnitOption = None,
) -> None:
    """撤销一条排除。"""
    from sentinel.schedule.declaring import withdraw_keep_out as withdraw

    if not why.strip():
        raise UsageError("--why: may not be empty")
    with open_session() as context:
        withdraw(context, context.choose_unit(unit), number, why.strip())
    print_line(f"已撤销排除 {number}。没有授权，仍不发送报文；登记时删除的日志记录不恢复。")


@keep_outs.command("answer")
def answer(
    state: Annotated[str, typer.Argument(help="none 没有涉密；kept-out 有，已排除在外")], unit: UnitOption = None
) -> None:
    """更改涉密一问的答案。"""
    from sentinel.cli.enrol import read_classified
    from sentinel.schedule.enrolment import CLASSIFIED
    from sentinel.store.declared import read_keep_outs, write_answer

    try:
        wanted = read_classified(state)
    except ValueError as error:
        raise UsageError(f"state: {error}") from error
    with open_session() as context:
        owner = context.choose_unit(unit)
        with context.database.transaction(context.actor, context.clock()) as transaction:
            if wanted == "none" and read_keep_outs(context.database, owner.code):
                raise UsageError(
                    "addresses are declared to stay out; withdraw them first (`sentinel unit keep-out list`)"
                )
            write_answer(transaction, owner.code, CLASSIFIED, wanted)
    print_line(f"涉密：{STATES[wanted]}。")


def _keep_out_words(one: KeepOut) -> dict[str, object]:
    prefixes = [str(prefix) for prefix in one.prefixes]
    return {"id": one.id, "unit": one.unit, "prefixes": prefixes, "reason": one.reason}
