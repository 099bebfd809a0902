"""`evidence`: what the kept evidence is held for, and clearing what nothing needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table, trial_words
from sentinel.cli.session import JsonOption, open_session
from sentinel.model.moment import local_text

if TYPE_CHECKING:
    from sentinel.store.evidence_budget import Holding

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="证据：占用与清理。")

PRUNED = "已按预算清除"
_MIB = 1 << 20
_WORDS = {
    "proof": "隐患与挖矿的依据",
    "run": "地图由其重建（扫描、导入）",
    "register": "资产台账的原件",
    "nothing": "无人引用",
}


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="evidence")


@group.command("list")
def show(as_json: JsonOption = False) -> None:
    """证据按用途所占的空间；--json 逐份列出。"""
    from sentinel.store.evidence_budget import read_holdings

    with open_session() as context:
        holdings = read_holdings(context.database, context.evidence)
        budget = context.settings.evidence_budget_mib
    if as_json:
        for one in holdings:
            print_json(_holding_words(one))
        return
    rows = [
        (_WORDS[reason], *_sums([one for one in holdings if one.held_by == reason and one.pruned_at is None]))
        for reason in _WORDS
    ]
    pruned = [one for one in holdings if one.pruned_at is not None]
    print_table(
        "证据",
        ("用途", "份数>", "占用 MiB>", "原始 MiB>", "最早收到"),
        [row for row in rows if row[1]] + ([(PRUNED, *_sums(pruned))] if pruned else []),
        empty="sentinel import FILE；sentinel scan 目标",
    )
    total = sum(one.disk_bytes for one in holdings) / _MIB
    print_line(f"共占 {total:.1f} MiB，预算 {f'{budget} MiB' if budget else '未设（evidence_budget_mib）'}。")
    if any(one.held_by == "nothing" and one.pruned_at is None for one in holdings):
        print_line("无人引用的可以清除：sentinel evidence prune --dry-run")
    elif holdings:
        print_line("全部有用：迟到的证据须与这些证据一起重建地图，隐患须能追到证据，均不清除。")


@group.command("prune")
def prune(
    budget: Annotated[
        int | None,
        typer.Option("--budget", help="预算（MiB），默认取设置 evidence_budget_mib", min=1, show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="试运行：只列出将清除什么，不清除")] = False,
    as_json: JsonOption = False,
) -> None:
    """按预算清除无人引用的证据，最旧在前；作为依据的从不清除。未设预算时只清中断留下的残余。"""
    from sentinel.schedule.keeping import prune_evidence

    with open_session() as context:
        limit = budget or context.settings.evidence_budget_mib
        done = prune_evidence(context, limit, dry_run=dry_run)
    if as_json:
        for one in done.chosen:
            print_json(_holding_words(one))
        summary = {"blobs": len(done.chosen), "free_bytes": done.free_bytes, "kept_bytes": done.kept_bytes}
        print_json({"summary": {**summary, "over_bytes": done.over_bytes, "dry_run": dry_run}})
        return
    print_table(
        "将清除的证据" if dry_run else "已清除的证据",
        ("收到", "名称", "格式", "占用 KiB>", "SHA-256"),
        [
            (local_text(one.received_at), one.name, one.format, f"{one.disk_bytes / 1024:.0f}", one.sha256[:12])
            for one in done.chosen
        ],
    )
    if dry_run:
        print_line(trial_words())
    else:
        print_line(f"腾出 {done.free_bytes / _MIB:.1f} MiB；记录与哈希仍在。")
    if not limit:
        print_line("未设预算，只清中断留下的残余；设置 evidence_budget_mib，或加 --budget。")
    if done.over_bytes:
        over = done.over_bytes / _MIB
        print_line(f"仍超出预算 {over:.1f} MiB：余下的都有用，不清除。可加大预算或换更大的磁盘。")


def _sums(holdings: list[Holding]) -> tuple[int, str, str, str]:
    disk = sum(one.disk_bytes for one in holdings) / _MIB
    size = sum(one.size_bytes for one in holdings) / _MIB
    oldest = min((one.received_at for one in holdings), default=None)
    return len(holdings), f"{disk:.1f}", f"{size:.1f}", local_text(oldest)


def _holding_words(one: Holding) -> dict[str, object]:
    return {
        "sha256": one.sha256,
        "name": one.name,
        "format": one.format,
        "size_bytes": one.size_bytes,
        "disk_bytes": one.disk_bytes,
        "received": one.received_at,
        "held_by": one.held_by,
        "pruned_at": one.pruned_at,
        "state": PRUNED if one.pruned_at else "保存",
    }
