from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drill.standing.ranges import Range, empty_network, into, standing


@pytest.fixture(scope="module")
def holder() -> Iterator[int]:
    """The process that holds a network of nobody else's, for ranges on loopback."""
    with empty_network() as pid:
        yield pid


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a range may make its folder; short enough for the path of a socket."""
    return tmp_path_factory.mktemp("r") / "range"


@pytest.fixture
def own(folder: Path) -> Iterator[Range]:
    """The commands of a range that takes a network of its own."""
    with standing(folder) as found:
        yield found


@pytest.fixture
def shared(folder: Path, holder: int) -> Iterator[Range]:
    """The commands of a range on loopback."""
    with standing(folder, into(holder)) as found:
        yield found
