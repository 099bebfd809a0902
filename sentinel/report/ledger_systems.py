"""Information systems and states of a unit in; the rows of two sheets of its asset ledger out.

Their heads are none a register has, so that they are not read in again. Critical infrastructure is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sentinel.model.facts import UnitFacts
from sentinel.model.system import InformationSystem
from sentinel.model.upkeep import PlaceKind, PlaceStanding
from sentinel.report.place_words import place_kind, place_reason, place_state, system_state
from sentinel.report.workbook import Column, Value

SYSTEM_HEADS: Final = (
    ("登记的系统", 26), ("登记进度", 10), ("所定等级", 9), ("核对结果", 12), ("核对理由", 26), ("主责部门", 16),
    ("备案证明编号（等保）", 20), ("证明到期", 12), ("最近测评", 12), ("最近结论", 10), ("重大风险", 9), ("已改", 6),
    ("数据定级", 9), ("涉及人数", 9), ("密码评估", 10), ("IPv6 访问", 9), ("最后确认", 12),
)  # fmt: skip
PLACE_HEADS: Final = (
    ("类", 10), ("对象", 34), ("核对结果", 14), ("核对理由", 34), ("另外", 24), ("归入系统", 24), ("主责部门", 16),
    ("所属网络", 14),
)  # fmt: skip


def columns_of(heads: Iterable[tuple[str, int]]) -> tuple[Column, ...]:
    """Build the columns of a sheet."""
    return tuple(Column(head, width) for head, width in heads)


def system_rows(facts: UnitFacts) -> Iterator[Sequence[Value]]:
    """Write each system, with how it stands."""
    standings = {place.id: place for place in facts.places if place.kind is PlaceKind.SYSTEM}
    for one in facts.systems:
        yield _system_row(one, standings.get(one.id))


def _system_row(one: InformationSystem, standing: PlaceStanding | None) -> Sequence[Value]:
    facts = one.facts
    return (
        facts.name,
        system_state(one.state).zh,
        f"{'一二三四五'[facts.level - 1]}级" if facts.level else "",
        place_state(standing.mark.state).zh if standing else "",
        place_reason(standing.mark).zh if standing else "",
        facts.department,
        facts.filing,
        facts.filing_expires,
        facts.assessed_on,
        facts.assessment_result,
        facts.major_risks,
        facts.major_fixed,
        facts.data_grade,
        facts.personal_count,
        facts.crypto,
        facts.ipv6,
        one.confirmed_at,
    )


def place_row(one: PlaceStanding) -> Sequence[Value]:
    """Write how a system, host, line or domain stands."""
    return (
        f"{place_kind(one.kind).zh}项",  # `域名` alone would look like the head of a register
        one.name,
        place_state(one.mark.state).zh,
        place_reason(one.mark).zh,
        "；".join(place_state(mark.state).zh for mark in one.also),
        one.system,
        one.department,
        one.network,
    )
