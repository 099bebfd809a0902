"""When a unit's cycle runs (扫描计划)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """When a unit's cycle runs.

    Attributes:
        unit: code of the unit.
        at: time of day in Asia/Shanghai, `02:30`.
        days: `daily`, or days such as `mon,thu`.
        enabled: false: kept, not run.
        ports: port specification; empty: the setting's.
        created: when it was made or last changed; nothing before is ever due.
        last_due: the due time that ran last.
        last_finished: when that run ended.
        last_result: `ok`, or what went wrong.
    """

    unit: str
    at: str
    days: str = "daily"
    enabled: bool = True
    ports: str = ""
    created: datetime | None = None
    last_due: datetime | None = None
    last_finished: datetime | None = None
    last_result: str = ""
