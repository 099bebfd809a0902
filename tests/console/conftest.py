from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.hostile import make_hostile_home
from tests.console.large import make_large_home
from tests.console.served import Served, serving


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with about 2,000 open endpoints; nobody may change it."""
    home = tmp_path_factory.mktemp("console") / "home"
    make_large_home(home, 2000)
    return home


@pytest.fixture(scope="session")
def hostile_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which everything foreign is hostile."""
    home = tmp_path_factory.mktemp("console") / "hostile"
    make_hostile_home(home)
    return home


@pytest.fixture(scope="module")
def served(small_home: Path) -> Iterator[Served]:
    """A server of the small home, entered."""
    with serving(small_home) as server:
        server.enter()
        yield server
