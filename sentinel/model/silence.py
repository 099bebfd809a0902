"""Whether a kind of evidence keeps arriving (数据中断)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Channel(StrEnum):
    """A way by which evidence arrives."""

    SCAN = "scan"
    IMPORT = "import"
    CAPTURE = "capture"


@dataclass(frozen=True, slots=True)
class Silence:
    """How long nothing has arrived at a unit by one channel.

    Attributes:
        unit: code of the unit.
        channel: scan, import or capture.
        last: when something arrived last; None: never.
        days: whole days since then; None: never.
        limit_days: after so many days it is a warning.
    """

    unit: str
    channel: Channel
    last: datetime | None
    days: int | None
    limit_days: int

    @property
    def is_silent(self) -> bool:
        """Something used to arrive and no longer does; what never did is no alarm."""
        return self.days is not None and self.days >= self.limit_days


def build_silence(unit: str, channel: Channel, last: datetime | None, now: datetime, limit_days: int) -> Silence:
    """Count the whole days since the last arrival; a moment ahead of `now` counts as today."""
    days = None if last is None else max(0, (now - last) // timedelta(days=1))
    return Silence(unit, channel, last, days, limit_days)
