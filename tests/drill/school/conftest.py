from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from sentinel.drill.school.running import RunningSchool, start_school
from tests.drill.school.looking import GROUNDS, Look, read_look, watch
from tests.drill.school.lots import own_lot


@pytest.fixture(scope="session")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Look]:
    """What nmap makes of the full school on each ground; several test processes share one look."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    told = {kind: folder / f"look-{kind}.json" for kind in GROUNDS}
    with (folder / "looks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [kind for kind in GROUNDS if not told[kind].exists()]
        with ThreadPoolExecutor() as pool:
            for kind, text in zip(missing, pool.map(watch, missing), strict=True):
                told[kind].write_text(text, "utf-8")
    return {kind: read_look(path.read_text("utf-8")) for kind, path in told.items()}


@pytest.fixture
def school() -> Iterator[RunningSchool]:
    """A small school on loopback."""
    with start_school(own_lot(1), seed=2, size=5) as running:
        yield running
