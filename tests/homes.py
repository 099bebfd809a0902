"""Homes for tests: one is made, the others are copies of it, which spares running the migrations each time."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sentinel.config import Settings, build_settings_text
from sentinel.model.place import ServerPlace
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.store.database import Database
from sentinel.store.home import Home, create_home, open_home
from sentinel.store.units import write_unit

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SCHOOL = Unit("school", "示例学校", path="school")


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@cache
def _template() -> TemporaryDirectory[str]:
    folder = TemporaryDirectory(prefix="sentinel-home-")
    atexit.register(folder.cleanup)
    home = create_home(Path(folder.name) / "home", build_settings_text(SCHOOL.code))
    database = Database(home.database)
    with database.transaction("tester", NOW, objects=True) as transaction:
        write_unit(transaction, SCHOOL)
    database.close()
    return folder


def copy_home(path: Path) -> Home:
    """Put a home with one unit, `SCHOOL`, at a path."""
    shutil.copytree(Path(_template().name) / "home", path)
    return Home(path)


@contextmanager
def opened(path: Path, clock: Clock | None = None, server: ServerPlace | None = None) -> Iterator[Context]:
    """Open a home there, made before when there is none."""
    if not path.exists():
        copy_home(path)
    home, database = open_home(path, server=server)
    try:
        yield Context(home, database, Settings(), "tester", clock or Clock())
    finally:
        database.close()
