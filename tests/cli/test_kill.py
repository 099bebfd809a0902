"""kill -9 at ten moments of an import and of a scan: the home opens, the next run completes, the map is the same."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.command import Sentinel, kill
from tests.cli.services import PLACE, answer_plain, running_nmap
from tests.cli.written import START, school
from tests.collect.practice import serve

_CHANCE = random.Random(20261122)
MOMENTS = sorted(round(_CHANCE.uniform(0.02, 0.98), 3) for _ in range(10))
"""As shares of the time the undisturbed run takes."""

HOSTS = 700
SCANNED = f"{PLACE}.64/29"
JOBS = {"SENTINEL_JOB_SIZE": "1"}


@dataclass(frozen=True)
class Undisturbed:
    """What a run that nobody disturbs leads to.

    Attributes:
        before: the home before the run.
        file: what is imported; empty for scans.
        seconds: how long the run takes.
        start: the map before.
        end: the map after.
        findings: (rule, subject, state) after.
    """

    before: Sentinel
    file: Path
    seconds: float
    start: str
    end: str
    findings: set[tuple[str, str, str]]

    def copy(self, folder: Path) -> Sentinel:
        """Give a copy of the home before the run."""
        shutil.copytree(self.before.home, folder / "home")
        return Sentinel(folder / "home")


def states(sentinel: Sentinel) -> set[tuple[str, str, str]]:
    return {(rule, subject, row["state"]) for (rule, subject), row in sentinel.findings().items()}


@pytest.fixture(scope="module")
def importing(make_home: Callable[[], Sentinel], tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A home that knows some thousand endpoints, and a file that changes about a third of them."""
    folder = tmp_path_factory.mktemp("importing")
    first, second = folder / "first.xml", folder / "second.xml"
    first.write_text(school(0, HOSTS))
    second.write_text(school(150, HOSTS + 150, start=START + 86_400, release=1))
    before = make_home()
    before.run("import", first, "--no-check")
    shutil.copytree(before.home, folder / "after")
    after = Sentinel(folder / "after")
    begun = time.monotonic()
    after.run("import", second)
    seconds = time.monotonic() - begun
    return Undisturbed(
        before, second, seconds, before.run("map", "--json").out, after.run("map", "--json").out, states(after)
    )


@pytest.mark.parametrize("moment", MOMENTS)
def test_import_when_killed_leaves_all_or_nothing_and_the_next_run_completes(
    importing: Undisturbed, tmp_path: Path, moment: float
) -> None:
    sentinel = importing.copy(tmp_path)
    process = sentinel.start("import", importing.file)
    time.sleep(importing.seconds * moment)
    kill(process)
    assert sentinel.run("map", "--json").out in {importing.start, importing.end}
    sentinel.run("import", importing.file)
    assert sentinel.run("map", "--json").out == importing.end
    assert states(sentinel) == importing.findings


@pytest.fixture(scope="module")
def scanning(make_home: Callable[[], Sentinel], tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A home that may scan eight addresses, one a job, some of which have open ports."""
    folder = tmp_path_factory.mktemp("scanning")
    before = make_home()
    before.authorise(SCANNED, level="discover")
    shutil.copytree(before.home, folder / "after")
    after = Sentinel(folder / "after")
    with listening():
        begun = time.monotonic()
        after.scan(SCANNED, "--ports", "9070-9074", env=JOBS)
        seconds = time.monotonic() - begun
    return Undisturbed(before, Path(), seconds, "", picture(after), states(after))


@contextmanager
def listening() -> Iterator[None]:
    """Open some ports of the scanned addresses."""
    with ExitStack() as stack:
        for last, port in ((64, 9070), (66, 9071), (66, 9072), (71, 9070), (71, 9074)):
            stack.enter_context(serve(f"{PLACE}.{last}", port, answer_plain))
        yield


def picture(sentinel: Sentinel) -> str:
    """Give the map without what differs from scan to scan: times and evidence."""
    rows = sentinel.rows("map")
    return "\n".join(f"{row['address']} {row['port']} {row['service']} {row['state']}" for row in rows)


@pytest.mark.nmap
@pytest.mark.parametrize("moment", MOMENTS)
def test_scan_when_killed_keeps_finished_jobs_and_the_next_run_completes(
    scanning: Undisturbed, tmp_path: Path, moment: float
) -> None:
    sentinel = scanning.copy(tmp_path)
    with listening():
        process = sentinel.start("scan", SCANNED, "--ports", "9070-9074", env=JOBS)
        time.sleep(scanning.seconds * moment)
        kill(process)
        kept = picture(sentinel).splitlines()
        assert kept == scanning.end.splitlines()[: len(kept)]
        assert not any(running_nmap(f"{PLACE}.{last}") for last in range(64, 72))
        summary = sentinel.scan(SCANNED, "--ports", "9070-9074", env=JOBS)
    assert (summary["coverage"], summary["failed"]) == (1.0, [])
    assert picture(sentinel) == scanning.end
    assert states(sentinel) == scanning.findings
    assert list((sentinel.home / "var" / "work").iterdir()) == []
    assert {row["state"] for row in sentinel.rows("doctor")} <= {"ok", "limited"}
