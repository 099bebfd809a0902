"""Who takes part in the demonstration: three bureaus and three schools, all made up."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel.drill.school.plan import MAX_SIZE
from sentinel.model.unit import Unit, UnitLevel

UPPER = (
    Unit("3910000001", "示例省教育厅", UnitLevel.PROVINCE),
    Unit("3910100001", "示例市教育局", UnitLevel.CITY, parent="3910000001"),
    Unit("3910101001", "示例县教育局", UnitLevel.COUNTY, parent="3910100001"),
)


@dataclass(frozen=True, slots=True)
class PracticeUnit:
    """A school of the demonstration.

    Attributes:
        unit: as registered.
        number: of its lot and its seed.
        size: how many hosts.
        has_papers: it keeps a register and a whitelist.
    """

    unit: Unit
    number: int
    size: int
    has_papers: bool = True


SCHOOLS = (
    PracticeUnit(Unit("3910101101", "示例县第一中学", parent="3910101001"), 1, MAX_SIZE),
    PracticeUnit(Unit("3910101102", "示例县实验小学", parent="3910101001"), 2, 5),
    PracticeUnit(Unit("3910101103", "示例县职业中学", parent="3910101001"), 3, 3, has_papers=False),
)
