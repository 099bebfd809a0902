"""The whole demonstration, run as a newcomer would, against the truth of the practice schools."""

from __future__ import annotations

import subprocess
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from sentinel.drill.school.plan import Phase, PlantedPort, plan_school
from sentinel.schedule.demo import SCHOOLS, PracticeUnit
from tests.cli.command import PROGRAM, Done, environment, examine, run

SILENCED_WHEN_LISTED = {
    "exposure.mysql",
    "exposure.postgresql",
    "exposure.redis",
    "exposure.rtsp",
    "exposure.vnc",
    "exposure.rdp",
    "exposure.mongodb",
    "exposure.ftp",
}


EQUAL = {"exposure.mongodb-no-auth": "exposure.mongodb"}
"""nmap 7.95 tells a range of versions on an odd port, which does not prove that no login is asked."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """Run it in a network of its own, so that no other test's listeners are in the way."""
    folder = tmp_path_factory.mktemp("shown") / "demo"
    words = ("demo", "--out", str(folder), "--json")
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *PROGRAM, *words],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=240,
        check=False,
    )
    return folder, examine(words, done.returncode, done.stdout, done.stderr)


def truth(place: PracticeUnit) -> tuple[PlantedPort, ...]:
    return plan_school(IPv4Network(place.base), place.seed, place.hosts).truth(Phase.AFTER)


def test_demo_when_run_finds_each_planted_port_and_invents_none(shown: tuple[Path, Done]) -> None:
    _, done = shown
    assert done.status == 0
    *units, _ = done.rows
    assert [(one["found"], one["invented"]) for one in units] == [(len(truth(place)), 0) for place in SCHOOLS]
    assert all(one["changes_exact"] for one in units)


def test_demo_when_run_finds_each_mining_conversation_and_no_other(shown: tuple[Path, Done]) -> None:
    summary = shown[1].rows[-1]["summary"]
    assert summary["mining"] == 4
    assert summary["false_alarms"] == 0
    assert summary["seconds"] <= 180


def test_demo_when_run_leaves_its_reports_last(shown: tuple[Path, Done]) -> None:
    folder, done = shown
    paths = [Path(path) for path in done.rows[-1]["summary"]["reports"]]
    assert [path.name for path in paths] == ["school.html", "compliance.html", "mining.html", "overview.html"]
    assert all(path.parent == folder and path.stat().st_size > 5000 for path in paths)


@pytest.mark.parametrize("place", SCHOOLS, ids=lambda place: place.unit.code)
def test_demo_when_judged_finds_the_planted_weaknesses_and_no_others(
    shown: tuple[Path, Done], place: PracticeUnit
) -> None:
    home = shown[0] / "home"
    found = run("--home", home, "finding", "list", "--live", "--unit", place.unit.code, "--json").rows
    told = {
        (one["subject"], EQUAL.get(one["rule"], one["rule"]))
        for one in found
        if one["rule"].startswith(("exposure.", "certificate."))
    }
    planted = {
        (f"{one.address}:{one.port}/{one.proto}", EQUAL.get(rule, rule))
        for one in truth(place)
        for rule in one.weaknesses
    }
    allowed = run("--home", home, "whitelist", "list", "--unit", place.unit.code, "--json").rows
    listed = {f"{one['addresses'][0].removesuffix('/32')}:{one['ports']}/{one['proto']}" for one in allowed}
    silenced = {(what, rule) for what, rule in planted if what in listed and rule in SILENCED_WHEN_LISTED}
    assert told <= planted
    assert planted - told <= silenced


def test_demo_when_the_folder_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("keep me")
    done = run("demo", "--out", tmp_path)
    assert done.status == 2
    assert "holds something else" in done.complaint
    assert (tmp_path / "thesis.txt").read_text() == "keep me"
