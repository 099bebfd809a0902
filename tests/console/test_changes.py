from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.console.page_changes import read_changes
from sentinel.schedule.reading import read_diff
from tests.homes import NOW, SCHOOL, Clock, opened


@pytest.mark.parametrize("days", [1, 7, 30, 90])
def test_changes_when_read_from_what_was_touched_are_those_of_the_whole_maps(small_home: Path, days: int) -> None:
    with opened(small_home, Clock(NOW)) as context:
        start = NOW - timedelta(days=days)
        quick = read_changes(context, SCHOOL, start, NOW)
        whole = read_diff(context, SCHOOL, start, NOW)
    assert [(one.kind, one.row.endpoint.id, one.at, one.before) for one in quick] == [
        (one.kind, one.row.endpoint.id, one.at, one.before) for one in whole
    ]
    assert (len(whole) > 0) == (days >= 7)
