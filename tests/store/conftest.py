from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sentinel.store.database import Database
from sentinel.store.home import Home
from tests.homes import copy_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A fresh home with one unit, `school`."""
    return copy_home(tmp_path / "home")


@pytest.fixture
def database(home: Home) -> Iterator[Database]:
    """Its open database."""
    database = Database(home.database)
    yield database
    database.close()
