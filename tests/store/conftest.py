from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sentinel.store.database import Database
from sentinel.store.home import Home
from tests.homes import copy_home
from tests.postgres import server

BACKENDS = ("sqlite", "postgresql")


@contextmanager
def made_home(path: Path, backend: str) -> Iterator[Home]:
    """Make a home with one unit, `school`, whose tables lie where it says."""
    made = copy_home(path)
    if backend == "sqlite":
        yield made
        return
    made.database.unlink()
    with server().database() as place:
        yield replace(made, server=place)


@pytest.fixture(params=BACKENDS)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """A fresh home with one unit, `school`, on each kind of database."""
    with made_home(tmp_path / "home", request.param) as made:
        yield made


@pytest.fixture
def database(home: Home) -> Iterator[Database]:
    """Its open database."""
    database = Database(home.place)
    yield database
    database.close()


@pytest.fixture
def file_home(tmp_path: Path) -> Home:
    """A fresh home with one unit, `school`, whose tables lie in a file: for what is about that file."""
    return copy_home(tmp_path / "home")


@pytest.fixture
def file_database(file_home: Home) -> Iterator[Database]:
    """Its open database."""
    database = Database(file_home.database)
    yield database
    database.close()
