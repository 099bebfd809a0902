from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.command import UNIT, Sentinel, run


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh home, made once by the real `init`."""
    home = tmp_path_factory.mktemp("template") / "home"
    assert run("--home", home, "init", "--unit", UNIT).status == 0
    return home


@pytest.fixture(scope="session")
def make_home(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Sentinel]:
    """Give one fresh home a call."""

    def make() -> Sentinel:
        home = tmp_path_factory.mktemp("made") / "home"
        shutil.copytree(template, home)
        return Sentinel(home)

    return make


@pytest.fixture(scope="module")
def untouched(make_home: Callable[[], Sentinel]) -> Iterator[Sentinel]:
    """A home for commands that end before they change anything; that it stayed so is checked at the end."""
    sentinel = make_home()
    yield sentinel
    assert sentinel.rows("scope", "list") == []
    assert sentinel.rows("whitelist", "list") == []
    assert [row["name"] for row in sentinel.rows("unit", "networks")] == ["default"]
    assert [(row["code"], row["plan"]) for row in sentinel.rows("unit", "list")] == [(UNIT, None)]
    assert sentinel.rows("map") == sentinel.rows("finding", "list") == []


@pytest.fixture
def sentinel(make_home: Callable[[], Sentinel]) -> Sentinel:
    """A fresh home of one unit."""
    return make_home()
