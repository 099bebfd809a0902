from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sentinel.schedule.context import Context
from tests.homes import opened


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """A context on a fresh home with one unit, `SCHOOL`; its clock stands still."""
    with opened(tmp_path / "home") as context:
        yield context
