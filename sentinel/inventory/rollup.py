"""Verdicts on several grading objects of a unit in; one verdict for the unit on each clause out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sentinel.model.control import Basis, ClauseVerdict, Verdict

_WORST = (Verdict.NONCONFORM, Verdict.PARTIAL, Verdict.UNKNOWN, Verdict.CONFORM, Verdict.NOT_APPLICABLE)
_WORDS = {
    Verdict.NONCONFORM: ("已证实问题", "refuted"),
    Verdict.PARTIAL: ("部分存在问题", "met in part"),
    Verdict.UNKNOWN: ("未核查", "unknown"),
    Verdict.CONFORM: ("已举证", "shown"),
    Verdict.NOT_APPLICABLE: ("不适用", "not applicable"),
}


def roll_up(verdicts: Iterable[ClauseVerdict]) -> tuple[ClauseVerdict, ...]:
    """Give one verdict for each catalogue and clause, as they first come: the worst of the objects.

    A problem of one object is a problem of the unit; a clause is conform only when no object it applies to is unknown.
    """
    groups: defaultdict[tuple[str, str], list[ClauseVerdict]] = defaultdict(list)
    for one in verdicts:
        groups[one.catalogue, one.clause.id].append(one)
    return tuple(_join(found) for found in groups.values())


def _join(found: Sequence[ClauseVerdict]) -> ClauseVerdict:
    if len(found) == 1:
        return replace(found[0], system="")
    counts = Counter(one.verdict for one in found)
    worst = next(verdict for verdict in _WORST if counts[verdict])
    deciding = [one for one in found if one.verdict is worst]
    basis = tuple(one for one in Basis if any(one in each.basis for each in deciding))
    told = [(_WORDS[verdict], counts[verdict]) for verdict in _WORST if counts[verdict]]
    return replace(
        deciding[0],
        system="",
        verdict=worst,
        basis=basis,
        evidence=tuple(dict.fromkeys(item for one in deciding for item in one.evidence)),
        reason_zh=f"{len(found)} 个对象：" + "，".join(f"{zh} {count}" for (zh, _), count in told),
        reason_en=f"{len(found)} objects: " + ", ".join(f"{en} {count}" for (_, en), count in told),
    )
