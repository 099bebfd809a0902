"""What is said beside a whitelist entry that was entered: what forbids it all the same, and what is never judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.cli.output import print_line, print_note
from sentinel.model.whitelist import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sentinel.assess.shadow import Shadow
    from sentinel.model.unit import Unit
    from sentinel.model.whitelist import WhitelistEntry
    from sentinel.schedule.context import Context

UNJUDGED = "出向条目只登记和供 explain 查询：不据流量评判，也不提醒到期、过期和闲置"
MOST_TOLD = 3
"""Prohibitions named one by one."""


def read_shadows(context: Context, unit: Unit, entries: Sequence[WhitelistEntry]) -> dict[int, tuple[Shadow, ...]]:
    """Give what forbids entries of a unit, its own prohibitions and those from above, by the entries' ids."""
    from sentinel.assess.shadow import find_shadows
    from sentinel.store.whitelist import read_applying

    now = context.clock()
    denies = [
        one
        for one in read_applying(context.database, unit)
        if one.is_deny and (one.valid_to is None or one.valid_to >= now)
    ]
    return {one.id: found for one in entries if (found := find_shadows(one, denies))}


def build_shadow_words(shadows: Iterable[Shadow]) -> dict[str, object]:
    """Write prohibitions as plain values, for JSON: id, unit, and whether they leave nothing of the permission."""
    return {"shadowed_by": [{"id": one.entry.id, "unit": one.entry.unit, "whole": one.whole} for one in shadows]}


def note_shadows(unit: Unit, number: int, shadows: Sequence[Shadow]) -> None:
    """Say in one line which prohibitions win over an entry, and whose they are."""
    if not shadows:
        return
    named = "、".join(_name(unit, one) for one in shadows[:MOST_TOLD])
    more = f" 等 {len(shadows)} 条" if len(shadows) > MOST_TOLD else ""
    effect = "不起作用" if shadows[0].whole else "只有一部分起作用"
    print_note(f"注意：白名单 {number} {effect}，禁止优先：{named}{more}。")


def note_outbound(entries: Iterable[WhitelistEntry]) -> None:
    """Say in one line that entries that lead out are not judged, where there are any."""
    if any(one.direction is Direction.OUT for one in entries):
        print_note(f"注意：{UNJUDGED}。")


def print_unjudged() -> None:
    """Say so as a part of an answer."""
    print_line(f"{UNJUDGED}；以上只是条目怎样说。")


def _name(unit: Unit, one: Shadow) -> str:
    owner = "本单位" if one.entry.unit == unit.code else f"上级单位 {one.entry.unit} "
    return f"{owner}的第 {one.entry.id} 条"
