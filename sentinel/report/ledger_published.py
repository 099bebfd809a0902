"""Publications of a unit in; the rows of a sheet of its asset ledger out (公网映射).

Its heads are none a register has, so that it is not read in again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Final

from sentinel.model.facts import UnitFacts
from sentinel.model.moment import SHANGHAI
from sentinel.report.published import SOURCES, inside_words, outside_words, seen_words
from sentinel.report.workbook import Value

PUBLISHED_HEADS: Final = (
    ("映射编号", 9), ("对外地址和端口", 28), ("对外名称", 28), ("通向内网", 26), ("中间设备", 12), ("内网端口", 14),
    ("归口部门", 18), ("信息来源", 14), ("自", 12), ("至", 12), ("映射说明", 30),
)  # fmt: skip


def published_rows(facts: UnitFacts) -> Iterator[Sequence[Value]]:
    """Write each publication in force, by public address and port, with what is known of the host behind it."""
    owners = {one.address: one.entry.department for one in facts.standing.hosts if one.entry}
    seen = seen_words(facts)
    for one in facts.published:
        yield (
            one.id,
            outside_words(one.mapping).zh,
            one.mapping.name,
            inside_words(one.mapping).zh,
            one.mapping.via.zh,
            seen[one.id].zh,
            owners.get(one.mapping.inside, ""),
            SOURCES.get(one.source, one.source),
            _day(one.valid_from),
            _day(one.valid_to),
            one.mapping.note,
        )


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(SHANGHAI).date() if moment else None
