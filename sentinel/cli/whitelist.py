"""`whitelist`: what may be there and what may not; entered, imported, listed, explained, and told when it ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli import whitelist_requests, whitelist_review
from sentinel.cli.importing import SOME_REFUSED
from sentinel.cli.output import print_json, print_line, print_note, print_paragraph, print_table
from sentinel.cli.scope import WhyOption, demand_reason, read_start
from sentinel.cli.session import LAST_ROW, JsonOption, UnitOption, open_session, read_time
from sentinel.cli.whitelist_notes import (
    build_shadow_words,
    note_outbound,
    note_shadows,
    print_unjudged,
    read_shadows,
)
from sentinel.model.moment import local_date, local_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sentinel.assess.entries import EntryUse
    from sentinel.assess.explain import Explanation, Question
    from sentinel.model.whitelist import WhitelistEntry
    from sentinel.schedule.register import EntryImport

group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="域名、主机、端口白名单：草案、审批、申请、到期。"
)

PeerOption = Annotated[
    str,
    typer.Option(
        "--peer", help="对端（入向为来源，出向为去向）：any、campus 校内、internet 互联网，或网段 10.9.0.0/24"
    ),
]
KINDS = {"domain": "域名", "host": "主机", "port": "端口"}
ACTIONS = {"allow": "放行", "deny": "不放行"}
VERDICTS = {
    "listed": "放行",
    "denied": "不放行（明令禁止，禁止优先）",
    "unlisted": "不在白名单内",
    "mismatch": "端口放行，服务不符",
    "none": "白名单没有这类条目，不作结论",
}
_PEERS = {"any": "", "campus": "校内", "internet": "互联网"}
PARTS = {
    "decides": "起决定作用",
    "overruled": "被禁止的条目盖过",
    "other_service": "说的是另一种服务",
    "other_peer": "说的是另一对端",
    "other_direction": "说的是另一方向",
    "not_yet": "尚未生效",
    "expired": "已过期",
    "not_entered": "当时尚未登记",
    "withdrawn": "已撤销",
}


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    whitelist_review.register(group)
    whitelist_requests.register(group)
    app.add_typer(group, name="whitelist")


@group.command("add")
def add(
    kind: Annotated[str, typer.Argument(help="domain、host 或 port")],
    value: Annotated[
        str, typer.Argument(help="域名（可用 *）；地址、网段或 10.0.0.5-10.0.0.9；端口写作 10.0.0.5:443/tcp")
    ],
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
    deny: Annotated[bool, typer.Option("--deny", help="明令不放行，优先于放行；端口的地址可写 *")] = False,
    direction: Annotated[str, typer.Option("--direction", help="in 入向；out 出向，只登记不评判")] = "in",
    peer: PeerOption = "any",
    below: Annotated[bool, typer.Option("--below", help="下级单位同样适用")] = False,
    as_json: JsonOption = False,
) -> None:
    """登记一条白名单，放行或不放行。"""
    from sentinel.model.whitelist import EVERYWHERE, WhitelistAction
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
            valid_from=read_start(start, "--from") if start else None,
            valid_to=read_time(end, "--until") if end else None,
            action=WhitelistAction.DENY if deny else WhitelistAction.ALLOW,
            direction=direction,
            peer=peer,
            below=below,
        )
        with context.database.transaction(context.actor, context.clock()) as transaction:
            if entry.addresses != EVERYWHERE:
                refuse_kept_out(context, owner, entry.addresses, "VALUE")
            refuse_kept_out(context, owner, entry.peers, "--peer")
            stored = write_whitelist_entry(transaction, entry)
        shadows = read_shadows(context, owner, [stored]).get(stored.id, ())
    note_shadows(owner, stored.id, shadows)
    note_outbound([stored])
    if as_json:
        print_json(build_whitelist_words(stored) | build_shadow_words(shadows))
    else:
        print_paragraph(
            f"已登记白名单 {stored.id}：{ACTIONS[stored.action]} {show_place(stored)}。下一步：sentinel check"
        )


@group.command("import")
def import_sheet(
    file: Annotated[Path, typer.Argument(help="资产台账或白名单：XLSX，或 CSV（UTF-8、GB 18030）")],
    unit: UnitOption = None,
    approved_by: Annotated[
        str, typer.Option("--approved-by", help="批准人或部门；表中有审批栏时可省略", show_default=False)
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="用途，写在系统名称之前", show_default=False)] = "",
    again: Annotated[bool, typer.Option("--again", help="已撤销的条目也重新登记")] = False,
    as_json: JsonOption = False,
) -> None:
    """从台账或白名单表格登记白名单；同一文件再次导入不增加条目，撤销过的不恢复。"""
    from sentinel.schedule.register import import_entries
    from sentinel.store.scopes import build_whitelist_words

    with open_session() as context:
        owner = context.choose_unit(unit)
        done = import_entries(context, owner, file, approved_by, context.clock(), reason=reason, again=again)
        shadows = read_shadows(context, owner, done.added)
    for number, found in shadows.items():
        note_shadows(owner, number, found)
    if as_json:
        for entry in done.added:
            words = build_whitelist_words(entry) | build_shadow_words(shadows.get(entry.id, ()))
            print_json({"event": "added", **words})
        for cell in done.refused:
            where = {"sheet": cell.sheet, "row": cell.row, "column": cell.column, "title": cell.title}
            print_json({"event": "refused", **where, "reason": cell.reason})
        counts = {
            "rows": done.rows,
            "added": len(done.added),
            "known": done.known,
            "withdrawn": done.withdrawn,
            "refused": len(done.refused),
        }
        print_json({"summary": {"file": str(file), **counts}})
    else:
        _print_entry_import(done)
    if done.refused:
        raise typer.Exit(SOME_REFUSED)


def _print_entry_import(done: EntryImport) -> None:
    from sentinel.schedule.register_reasons import reason_in_chinese

    for cell in done.refused:
        sheet = f"{cell.sheet} " if cell.sheet else ""
        print_note(f"{sheet}第 {cell.row} 行 {cell.column} 列（{cell.title}）：{reason_in_chinese(cell.reason)}")
    print_line(
        f"读入 {done.rows} 行，新增白名单 {len(done.added)} 条，已有 {done.known} 条，"
        f"不能读取的单元格 {len(done.refused)} 个。"
    )
    if done.withdrawn:
        print_line(f"另有 {done.withdrawn} 条是撤销过的，没有恢复；确需恢复用 --again。")
    print_line("下一步：sentinel whitelist list；sentinel check")


@group.command("list")
def show_whitelist(
    unit: UnitOption = None,
    above: Annotated[bool, typer.Option("--above", help="上级单位的、对本单位适用的条目也列出")] = False,
    as_json: JsonOption = False,
) -> None:
    """列出白名单，过期的也在内。"""
    from sentinel.store.scopes import build_whitelist_words, read_whitelist
    from sentinel.store.whitelist import read_applying

    with open_session() as context:
        owner = context.choose_unit(unit)
        now = context.clock()
        found = read_applying(context.database, owner) if above else read_whitelist(context.database, owner.code)
    if as_json:
        for one in found:
            print_json(build_whitelist_words(one))
        return
    print_table(
        f"{owner.name}的白名单",
        ("编号>", "结论", "种类", "内容", "对端", "服务", "用途", "批准", "截止"),
        [
            (
                one.id,
                ACTIONS[one.action] + ("（上级）" if one.unit != owner.code else ""),
                KINDS[one.kind],
                show_place(one),
                show_peer(one),
                one.service,
                one.reason,
                one.approved_by,
                _show_end(one, now),
            )
            for one in found
        ],
        "sentinel check；sentinel whitelist explain 地址:端口",
        empty="sentinel whitelist draft --out 白名单草案.xlsx",
    )


@group.command("withdraw")
def withdraw_entry(
    number: Annotated[int, typer.Argument(help="白名单编号", min=1, max=LAST_ROW)], why: WhyOption
) -> None:
    """撤销一条白名单，立即生效。"""
    from sentinel.schedule.persons import hide_persons
    from sentinel.store.scopes import withdraw_whitelist_entry

    demand_reason(why)

    with open_session() as context, context.database.transaction(context.actor, context.clock()) as transaction:
        withdraw_whitelist_entry(transaction, number, hide_persons(why.strip()))
    print_line(f"已撤销白名单 {number}。")


@group.command("explain")
def explain_place(
    place: Annotated[str, typer.Argument(help="地址、地址:端口（可加 /udp）或域名；IPv6 写作 [2001:db8::5]:443")],
    at: Annotated[str | None, typer.Option("--at", help="某一时刻的结论，默认现在", show_default=False)] = None,
    peer: Annotated[str, typer.Option("--peer", help="对端：campus、internet 或一个地址")] = "campus",
    direction: Annotated[str, typer.Option("--direction", help="in 入向；out 出向，只登记不评判")] = "in",
    service: Annotated[str, typer.Option("--service", help="那里的服务，如 ssh", show_default=False)] = "",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """说明白名单对一个地址、端口或域名的结论，由哪条决定，其他条目为何不算。"""
    from sentinel.assess.explain import explain
    from sentinel.model.whitelist import Direction
    from sentinel.schedule.questions import read_question
    from sentinel.store.whitelist import read_whitelist_history

    with open_session() as context:
        owner = context.choose_unit(unit)
        moment = read_time(at, "--at") if at else context.clock()
        question = read_question(context, owner, place, peer=peer, direction=direction, service=service)
        answer = explain(read_whitelist_history(context.database, owner), question, moment, owner.code)
    is_judged = question.direction is Direction.IN
    if as_json:
        _print_explanation_json(place, moment, answer, is_judged=is_judged)
    else:
        _print_explanation(place, question, moment, answer)
        if not is_judged:
            print_unjudged()


def _print_explanation_json(place: str, at: datetime, answer: Explanation, *, is_judged: bool) -> None:
    from sentinel.store.scopes import build_whitelist_words

    entries = [{"part": part.value, **build_whitelist_words(one)} for one, part in answer.weighed]
    print_json({"place": place, "at": at, "verdict": answer.verdict.value, "judged": is_judged, "entries": entries})


def _print_explanation(place: str, question: Question, at: datetime, answer: Explanation) -> None:
    print_paragraph(f"{place}，{local_text(at)}，对端 {question.peer.address or _PEERS[question.peer.kind]}：")
    print_line(f"结论：{VERDICTS[answer.verdict]}。")
    print_table(
        "提到它的条目",
        ("编号>", "结论", "作用", "内容", "对端", "服务", "单位", "用途", "截止"),
        [
            (
                one.id,
                ACTIONS[one.action],
                PARTS[part],
                show_place(one),
                show_peer(one),
                one.service,
                one.unit,
                one.reason,
                local_date(one.valid_to) if one.valid_to else "长期",
            )
            for one, part in answer.weighed
        ],
        empty="sentinel whitelist request add（申请）；sentinel whitelist draft（草案）",
    )


@group.command("due")
def show_due(
    days: Annotated[int, typer.Option("--days", help="多少天之内到期", min=0, max=3660)] = 30,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """列出将要到期的白名单（30、14、7 天三档），和过期而端口仍开放的。"""
    from sentinel.schedule.entry_use import read_due
    from sentinel.store.scopes import build_whitelist_words

    with open_session() as context:
        owner = context.choose_unit(unit)
        now = context.clock()
        found = read_due(context, owner, days, now)
    if as_json:
        for one in found:
            extra = {
                "days_left": _days_left(one, now),
                "open_count": None if one.entry.domain else one.open_now,
                "renewed": one.renewed,
            }
            print_json({**build_whitelist_words(one.entry), **extra})
        return
    print_table(
        f"{owner.name}将要到期的白名单",
        ("编号>", "档次", "剩余天数>", "内容", "用途", "批准", "截止", "现有开放>"),
        _due_rows(found, now),
        "sentinel whitelist request add（续期申请），或到期前关闭",
        empty="sentinel whitelist list",
    )


def _due_rows(found: Sequence[EntryUse], now: datetime) -> list[tuple[object, ...]]:
    from sentinel.assess.entries import due_step

    rows: list[tuple[object, ...]] = []
    for one in found:
        left = _days_left(one, now)
        step = due_step(left)
        mark = "已过期" if left < 0 else f"{step} 天" if step else ""
        entry = one.entry
        end = local_date(entry.valid_to)
        opened = "" if entry.domain else one.open_now  # whether a name is open no scan tells
        rows.append((entry.id, mark, left, show_place(entry), entry.reason, entry.approved_by, end, opened))
    return rows


def _days_left(one: EntryUse, now: datetime) -> int:
    return (one.entry.valid_to - now).days if one.entry.valid_to else 0


def _show_end(one: WhitelistEntry, now: datetime) -> str:
    if one.valid_from and one.valid_from > now:
        return f"{local_date(one.valid_from)} 起"
    return (local_text(one.valid_to) + ("" if one.is_valid(now) else "（失效）")) if one.valid_to else "长期"


def show_place(one: WhitelistEntry) -> str:
    """Write what an entry speaks of."""
    from sentinel.model.whitelist import format_addresses

    if one.domain:
        return one.domain
    where = "、".join(dict.fromkeys(format_addresses(one.addresses)))
    out = "出向 " if one.direction == "out" else ""
    return f"{out}{where} {one.ports}/{one.proto}" if one.proto else f"{out}{where}"


def show_peer(one: WhitelistEntry) -> str:
    """Write the other side of an entry; nothing where it is any."""
    from sentinel.model.whitelist import format_addresses

    return _PEERS.get(one.peer, "、".join(format_addresses(one.peers)))
