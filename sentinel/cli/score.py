"""`score`: what a unit scores by the authority's table, line by line, and rankings where they are switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session
from sentinel.cli.snapshot import MonthOption
from sentinel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.model.score import ItemScore, Score
    from sentinel.model.snapshot import Snapshot
    from sentinel.model.unit import Unit
    from sentinel.schedule.context import Context
    from sentinel.schedule.scoring import Ranked

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="评分：按主管部门的加减分表，逐项给出依据。")
_LIMIT = "评分是内部管理参考，不是等级测评结论；分值可由主管部门修改。"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="score")


@group.command("show")
def show(
    period: MonthOption = None,
    of: Annotated[str | None, typer.Option("--of", help="看其中哪个下级单位", show_default=False)] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """逐项显示评分：给出 --period 时按该期冻结的统计，否则按现在的统计。"""
    from sentinel.schedule.scoring import read_tables, score_counts

    with open_session() as context:
        owner = context.choose_unit(unit)
        shown = owner if of is None else context.choose_unit(of)
        snapshot, counts = _read_counts(context, owner, shown, period)
        at = snapshot.end if snapshot else context.clock()
        score = score_counts(read_tables(context), shown, counts, at)
    if score is None:
        raise UsageError(f"no score table is for units of this kind ({shown.kind.zh or shown.kind or 'unknown'})")
    frozen = counts.get("score_low") if snapshot else None
    if as_json:
        print_json(_words(score, shown, snapshot, frozen))
        return
    when = f"{snapshot.label} 冻结，第 {snapshot.version} 版" if snapshot else "现在的统计，未冻结"
    print_table(
        f"{shown.name}　{score.table.title_zh}（{when}）",
        ("项目", "数值>", "得分>"),
        [(one.item.title_zh, _value(one), _points(one.low, one.high, signed=True)) for one in score.items],
        "sentinel score table",
    )
    print_line(f"基本分 {score.table.base:g}，得分 {_points(score.low, score.high)}。")
    for cap in score.caps:
        print_line(f"红线：{cap.title_zh}，最高 {cap.cap:g} 分。")
    if score.unrated:
        print_line(f"{score.unrated}；上面的数字只供查找差距。")
    if frozen is not None and round(score.low * 10) != frozen:
        print_line(f"冻结时为 {frozen / 10:g} 分：评分表此后改过。")
    print_line(f"未核查的项目按最差与最好给出上下限。{_LIMIT}")


def _read_counts(
    context: Context, owner: Unit, shown: Unit, period: str | None
) -> tuple[Snapshot | None, Mapping[str, int | None]]:
    from sentinel.schedule.facts import read_period
    from sentinel.schedule.freezing import count_units
    from sentinel.store.snapshots import find_snapshot, read_counts

    if period is None:
        now = context.clock()
        live = dict(count_units(context, (shown,), read_period(None, now)))
        return None, live.get(shown.code, {})
    snapshot = find_snapshot(context.database, owner.code, period)
    if snapshot is None:
        raise UsageError(f"unit {owner.code}: nothing is frozen for {period}; see `sentinel snapshot list`")
    found = read_counts(context.database, snapshot.id, [shown.code])
    return snapshot, {name: count.own for name, count in found[0].counts.items()} if found else {}


@group.command("table")
def show_tables(as_json: JsonOption = False) -> None:
    """列出评分表：每项加减多少分、红线在哪里、适用于哪类单位。"""
    from sentinel.model.unit_kind import UnitKind
    from sentinel.schedule.scoring import read_tables

    with open_session() as context:
        tables = read_tables(context)
    for table in tables:
        kinds = "、".join(UnitKind(kind).zh for kind in table.kinds) or "其余各类单位"
        if as_json:
            items = [{"id": one.id, "title": one.title_zh, "points": one.points} for one in table.items]
            caps = [{"id": one.id, "title": one.title_zh, "cap": one.cap} for one in table.caps]
            words = {"id": table.id, "title": table.title_zh, "kinds": list(table.kinds), "base": table.base}
            print_json(words | {"hash": table.hash, "items": items, "caps": caps})
            continue
        print_table(
            f"{table.title_zh}（{kinds}；基本分 {table.base:g}；覆盖不足 {table.min_coverage:.0%} 不评）",
            ("项目", "分值"),
            [(one.title_zh, _rule(one.points, one.most, each=one.each)) for one in table.items]
            + [(f"红线：{one.title_zh}", f"最高 {one.cap:g}") for one in table.caps],
            "sentinel score show",
        )


@group.command("rank")
def rank(
    period: MonthOption = None,
    top: Annotated[int, typer.Option("--top", help="列出多少个", min=1, max=100_000)] = 50,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """按冻结的评分排名；默认关闭，主管部门决定后用 `setting set ranking true` 打开。"""
    from sentinel.schedule.scoring import rank_units
    from sentinel.store.snapshots import find_snapshot, read_snapshots
    from sentinel.store.units import read_units

    with open_session() as context:
        if not context.settings.ranking:
            raise UsageError("ranking is off; `sentinel setting set ranking true` switches it on")
        owner = context.choose_unit(unit)
        found = (
            next(iter(read_snapshots(context.database, owner.code)), None)
            if period is None
            else find_snapshot(context.database, owner.code, period)
        )
        if found is None:
            raise UsageError(f"unit {owner.code}: nothing is frozen for {period or 'any period'}; freeze first")
        rows = list(rank_units(context, owner, read_units(context.database, owner), found))
    rated = sum(row.place is not None for row in rows)
    if as_json:
        for row in rows[:top]:
            print_json(_rank_words(row, found))
        return
    print_table(
        f"{owner.name} {found.label}（第 {found.version} 版）评分排名",
        ("名次>", "代码", "单位", "得分>", "逾期>"),
        [
            (
                row.place or "",
                row.unit.code,
                row.unit.name,
                "未评价" if row.low is None or row.high is None else _points(row.low, row.high),
                "" if row.overdue is None else row.overdue,
            )
            for row in rows[:top]
        ],
        "sentinel score show --period 期 --of 单位",
    )
    print_line(f"已评价 {rated} 个，未评价 {len(rows) - rated} 个（不列名次）。{_LIMIT}")


def _points(low: float, high: float, *, signed: bool = False) -> str:
    form = "+g" if signed else "g"
    return f"{low:{form}}" if low == high else f"{low:{form}} 至 {high:{form}}"


def _value(one: ItemScore) -> str:
    if one.value is None:
        return "未核查"
    return f"{one.value:.0%}" if one.item.measure.of else f"{one.value:g}"


def _rule(points: float, most: float, *, each: bool) -> str:
    return f"每个 {points:+g}，至多 {most:g}" if each else f"{points:+g}"


def _words(score: Score, unit: Unit, snapshot: Snapshot | None, frozen: int | None) -> dict[str, object]:
    return {
        "unit": unit.code,
        "table": score.table.id,
        "table_hash": score.table.hash,
        "period": snapshot.label if snapshot else None,
        "version": snapshot.version if snapshot else None,
        "pack": snapshot.pack_hash if snapshot else None,
        "low": score.low,
        "high": score.high,
        "frozen": None if frozen is None else frozen / 10,
        "unrated": score.unrated or None,
        "caps": [cap.id for cap in score.caps],
        "items": [{"id": one.item.id, "value": one.value, "low": one.low, "high": one.high} for one in score.items],
    }


def _rank_words(row: Ranked, snapshot: Snapshot) -> dict[str, object]:
    return {
        "place": row.place,
        "unit": row.unit.code,
        "name": row.unit.name,
        "low": row.low,
        "high": row.high,
        "overdue": row.overdue,
        "period": snapshot.label,
        "version": snapshot.version,
    }
