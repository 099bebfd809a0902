"""`snapshot`: counters frozen for a period, listed and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session
from sentinel.errors import UsageError
from sentinel.model.moment import local_date, local_text

if TYPE_CHECKING:
    from sentinel.model.snapshot import Count, Snapshot
    from sentinel.model.unit import Unit
    from sentinel.store.database import Database

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="按期冻结的统计：报出的数字不再变。")

WORDS = {
    "units": "单位",
    "hosts": "有开放端口的主机",
    "endpoints_open": "开放端口",
    "live_critical": "待处理隐患：严重",
    "live_high": "待处理隐患：高危",
    "live_medium": "待处理隐患：中危",
    "live_low": "待处理隐患：低危",
    "live_informational": "待处理隐患：提示",
    "live": "待处理隐患：合计",
    "overdue": "逾期未整改",
    "overdue_critical": "逾期未整改：严重",
    "overdue_high": "逾期未整改：高危",
    "overdue_medium": "逾期未整改：中危",
    "overdue_low": "逾期未整改：低危",
    "outside_overdue": "上级或外部查出、逾期未整改",
    "outside_overdue_critical": "上级或外部查出、逾期未整改：严重",
    "mining_overdue": "挖矿行为逾期未处置",
    "opened": "本期新发现",
    "reopened": "本期复发",
    "retested": "本期复测通过",
    "awaiting_issuer": "复测通过，待销号",
    "settled": "本期由通报单位销号",
    "closed": "本期了结",
    "mining_hosts": "挖矿主机",
    "suspect_hosts": "疑似挖矿主机",
    "registered_seen": "台账条目：登记且发现",
    "registered_unseen": "台账条目：登记未发现",
    "unregistered": "未登记主机",
    "confirm_overdue": "逾期未确认的信息系统",
    "clauses": "等保条款（二级）",
    "clauses_conform": "等保条款：符合",
    "clauses_nonconform": "等保条款：不符合",
    "clauses_unknown": "等保条款：未核查",
    "prefixes_planned": "申报的网段",
    "addresses_planned": "申报网段中主机可用的地址",
    "addresses_covered": "本期扫描过的地址",
    "score_low": "评分下限（十分之一分）",
    "score_high": "评分上限（十分之一分）",
}

MonthOption = Annotated[str | None, typer.Option("--period", help="哪个月，如 2026-11", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="snapshot")


@group.command("freeze")
def freeze(
    period: MonthOption = None,
    until: Annotated[
        int | None, typer.Option("--until", help="每月截止日（1 至 28），如 25；默认为月末", show_default=False)
    ] = None,
    why: Annotated[str, typer.Option("--why", help="更正已冻结的一期：理由；成为新的一版", show_default=False)] = "",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """冻结一期统计（默认为最近结束的一期），包括下级单位；再次冻结不改变。"""
    from sentinel.schedule.freezing import freeze as freeze_period
    from sentinel.schedule.freezing import read_closing_period

    with open_session() as context:
        owner = context.choose_unit(unit)
        span = read_closing_period(period, until, context.clock())
        stored, made = freeze_period(context, owner, span, why)
    if as_json:
        print_json(_words(stored) | {"made": made})
        return
    days = f"{local_date(stored.start)} 至 {local_date(stored.end)}"
    print_line(f"{stored.label}（{days}）{'已冻结' if made else '此前已冻结，未改变'}，第 {stored.version} 版。")
    print_line(f"下一步：sentinel snapshot show --period {stored.label}")


@group.command("list")
def show_list(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出冻结过的各期各版，新的在前。"""
    from sentinel.store.snapshots import read_snapshots

    with open_session() as context:
        found = list(read_snapshots(context.database, context.choose_unit(unit).code))
    if as_json:
        for one in found:
            print_json(_words(one))
        return
    print_table(
        "冻结的统计",
        ("期", "从", "至", "版>", "冻结于", "由谁", "更正理由"),
        [
            (
                one.label,
                local_date(one.start),
                local_date(one.end),
                one.version,
                local_text(one.frozen_at),
                one.actor,
                one.reason,
            )
            for one in found
        ],
        "sentinel snapshot show --period 期",
        empty="sentinel snapshot freeze",
    )


@group.command("show")
def show(
    period: MonthOption = None,
    version: Annotated[int | None, typer.Option("--version", help="第几版，默认为最新", show_default=False)] = None,
    of: Annotated[str | None, typer.Option("--of", help="看其中哪个下级单位", show_default=False)] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="按哪个统计项列出最多的单位，如 overdue", show_default=False)
    ] = None,
    top: Annotated[int, typer.Option("--top", help="列出多少个", min=1, max=1000)] = 20,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """显示一期冻结的统计：本单位、合计，以及合计由多少个单位得出。"""
    from sentinel.store.snapshots import read_counts, read_ranking
    from sentinel.store.units import find_unit

    if by is not None and by not in WORDS:
        raise UsageError(f"--by: {by!r} is none of {', '.join(WORDS)}")
    with open_session() as context:
        owner = context.choose_unit(unit)
        snapshot = _find(context.database, owner.code, period, version)
        if by is not None:
            ranked = read_ranking(context.database, snapshot.id, by, top)
            names = {code: named.name if (named := find_unit(context.database, code)) else code for code, _ in ranked}
            _print_ranking(snapshot, by, [(code, names[code], count) for code, count in ranked], as_json=as_json)
            return
        shown = owner if of is None else _below(owner, context.choose_unit(of))
        found = read_counts(context.database, snapshot.id, [shown.code])
    counts = found[0].counts if found else {}
    if as_json:
        print_json(
            _words(snapshot)
            | {"of": shown.code}
            | {"counters": {name: _count_words(counts[name]) for name in WORDS if name in counts}}
        )
        return
    days = f"{local_date(snapshot.start)} 至 {local_date(snapshot.end)}"
    if not counts:
        print_line(f"{shown.name} {snapshot.label}（{days}）：这一期没有它的统计，当时没有任何结果，不是零。")
        print_line("下一步：sentinel snapshot show；补报后 sentinel snapshot freeze --why 理由")
        return
    print_table(
        f"{shown.name} {snapshot.label}（{days}）第 {snapshot.version} 版",
        ("统计项", "本单位>", "合计>", "由几个单位得出>"),
        [_row(name, counts.get(name)) for name in WORDS],
        "sentinel snapshot show --by overdue",
    )


def _below(top: Unit, unit: Unit) -> Unit:
    """Give a unit back when it stands below another, or is it.

    Raises:
        UsageError: it does not.
    """
    if not f"{unit.path}/".startswith(f"{top.path}/"):
        raise UsageError(f"--of: {unit.code} does not stand below {top.code}, whose counters these are")
    return unit


def _find(database: Database, unit: str, period: str | None, version: int | None) -> Snapshot:
    from sentinel.store.snapshots import find_snapshot, read_snapshots

    found = (
        next(iter(read_snapshots(database, unit)), None)
        if period is None
        else find_snapshot(database, unit, period, version)
    )
    if found is None:
        told = f"{f'version {version} of ' if version else ''}{period or 'any period'}"
        raise UsageError(
            f"unit {unit}: nothing is frozen for {told}; `sentinel snapshot freeze` freezes, `sentinel snapshot list` "
            "shows what is; a unit below is shown by `--unit TOP --of UNIT`"
        )
    return found


def _row(name: str, count: Count | None) -> tuple[str, object, object, object]:
    if count is None:
        return WORDS[name], "未核查", "未核查", 0
    return WORDS[name], "未核查" if count.own is None else count.own, count.total, count.known


def _print_ranking(snapshot: Snapshot, by: str, ranked: list[tuple[str, str, Count]], *, as_json: bool) -> None:
    if as_json:
        for code, name, count in ranked:
            print_json({"unit": code, "name": name, "counter": by} | _count_words(count))
        return
    rows = [(place, code, name, count.own) for place, (code, name, count) in enumerate(ranked, start=1)]
    print_table(
        f"{snapshot.label} {WORDS[by]}", ("名次>", "代码", "单位", "数量>"), rows, "sentinel snapshot show --of 单位"
    )


def _count_words(count: Count) -> dict[str, object]:
    return {"own": count.own, "total": count.total, "known": count.known}


def _words(one: Snapshot) -> dict[str, object]:
    return {
        "id": one.id,
        "unit": one.unit,
        "period": one.label,
        "from": one.start,
        "to": one.end,
        "version": one.version,
        "pack": one.pack_hash,
        "frozen_at": one.frozen_at,
        "actor": one.actor,
        "reason": one.reason or None,
    }
