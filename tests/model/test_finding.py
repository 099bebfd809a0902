from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState
from sentinel.model.rule import Severity

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
LIVE = {FindingState.OPEN, FindingState.RECTIFYING, FindingState.FIXED}


@pytest.mark.parametrize("state", list(FindingState))
@pytest.mark.parametrize(
    ("due", "late"), [(None, False), (NOW, False), (NOW - timedelta(seconds=1), True), (NOW + timedelta(days=1), False)]
)
def test_finding_is_overdue_only_when_live_and_past_its_due_time(
    state: FindingState, due: datetime | None, late: bool
) -> None:
    finding = Finding(
        1, "n", FindingKey("u", "r", 1, "s"), FindingSource.OWN_SCAN, Severity.HIGH, state, NOW, NOW, due=due
    )
    assert state.is_live == (state in LIVE)
    assert finding.is_overdue(NOW) == (late and state in LIVE)


def test_severity_rank_counts_from_the_worst() -> None:
    assert [one.rank for one in Severity] == [0, 1, 2, 3, 4]
    assert Severity.CRITICAL.rank == 0
