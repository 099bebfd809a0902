"""The whole demonstration, run as a newcomer would in each of the three modes, against the truth files it leaves."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sentinel.drill.place.ground import Ground, Mode
from sentinel.drill.school.plan import AFTER, PlantedPort, plan_school
from sentinel.schedule.demo.cast import SCHOOLS, PracticeUnit
from tests.cli.command import PROGRAM, Done, environment, examine, run, start

EQUAL = {"exposure.mongodb-no-auth": "exposure.mongodb"}
"""nmap 7.95 tells a range of versions on an odd port, which does not prove that no login is asked."""

JUDGED = ("exposure.", "certificate.")
_DRAW = random.Random(2026)
MOMENTS = tuple(round(_DRAW.uniform(0.3, 75.0), 1) for _ in range(10))
_PAUSE_S = 3.0

REFUSED = (
    "echo 0 > /proc/sys/user/max_user_namespaces && echo 0 > /proc/sys/user/max_net_namespaces && "
    "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 && "
)
"""A machine that gives no namespaces and has no IPv6."""

UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--")
"""An account without any capability, as every ordinary one is."""

LISTENERS = """
import resource, socket, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
held = []
for port in (10080, 10443, 13306, *range(20000, 20300)):
    held.append(socket.create_server(("0.0.0.0", port)))
print("ready", flush=True)
time.sleep(600)
"""
"""A machine full of programs that listen on every address, also where the school's ports would lie."""


@dataclass(frozen=True)
class Shown:
    """A demonstration that has ended, and the folder it left."""

    mode: str
    folder: Path
    done: Done

    @property
    def summary(self) -> dict[str, Any]:
        """The last line."""
        summary: dict[str, Any] = self.done.rows[-1]["summary"]
        return summary

    def truth(self, place: PracticeUnit) -> dict[str, Any]:
        """The truth file of a school."""
        truth: dict[str, Any] = json.loads((self.folder / "papers" / place.unit.code / "truth.json").read_text())
        return truth

    def ask(self, *words: str) -> list[dict[str, Any]]:
        """Ask the home it left."""
        return run("--home", self.folder / "home", *words, "--json").rows


def inside(script: str, words: tuple[str, ...]) -> Done:
    """Run the command line at the end of a shell script in a network of its own; refused means failed."""
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", f'ip link set lo up && {script} exec "$@"', "sh", *words],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=280,
        check=False,
    )
    return examine(words, done.returncode, done.stdout, done.stderr)


def run_beside_listeners(words: tuple[str, ...]) -> Done:
    """Run on loopback: no namespaces, no IPv6, no capabilities, and a machine full of listeners."""
    beside = f'"$PYTHON" -c "$LISTENERS" > "$READY" & until [ -s "$READY" ]; do sleep 0.1; done; {REFUSED}'
    ready = f"/tmp/ready-{uuid4().hex}"
    script = f"export READY={ready} PYTHON='{sys.executable}'; {beside} rm $READY;"
    words = (*UNPRIVILEGED, *words)
    done = subprocess.run(
        ["unshare", "-rn", "--kill-child", "-pf", "sh", "-c", f'ip link set lo up && {script} exec "$@"', "sh", *words],
        env=environment({"LISTENERS": LISTENERS}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=280,
        check=False,
    )
    return examine(words, done.returncode, done.stdout, done.stderr)


MODES = [pytest.param(mode.value, marks=pytest.mark.xdist_group(f"demo {mode.value}")) for mode in Mode]
"""The tests of one mode stay in one worker, as the demonstration before them takes its time."""


@pytest.fixture(scope="module", params=MODES)
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Run it in one mode: as an ordinary user does, as root does, and where the machine gives no namespace at all."""
    mode: str = request.param
    folder = tmp_path_factory.mktemp("shown") / "demo"
    words = (*PROGRAM, "demo", "--out", str(folder), "--json")
    if mode == Mode.LOOPBACK:
        done = run_beside_listeners(words)
    elif mode == Mode.NETWORK_NAMESPACE:
        done = inside("", words)
    else:
        killed_at_random_moments(folder)
        done = run("demo", "--out", folder, "--mode", mode, "--json", timeout_s=280)
    return Shown(mode, folder, done)


def killed_at_random_moments(folder: Path) -> None:
    """Kill ten demonstrations, each at another moment of its run; none leaves a process or a file beside its folder.

    They start three seconds apart, each in its folder; the first leaves its folder to the next demonstration.
    """
    folders = [folder, *(folder.with_name(f"killed-{number}") for number in range(1, len(MOMENTS)))]
    temporary = folder.with_name("temporary")
    temporary.mkdir()
    words = ("--mode", Mode.USER_NAMESPACE, "--json")
    begun, running, families = time.monotonic(), {}, []
    turns = [(_PAUSE_S * number, "start", number) for number in range(len(MOMENTS))]
    turns += [(_PAUSE_S * number + moment, "kill", number) for number, moment in enumerate(MOMENTS)]
    for at, turn, number in sorted(turns):
        time.sleep(max(0.0, begun + at - time.monotonic()))
        if turn == "start":
            running[number] = start("demo", "--out", folders[number], *words, env={"TMPDIR": str(temporary)})
            continue
        family = descendants(running[number].pid)
        assert running[number].poll() is None, f"it had ended {MOMENTS[number]} s after its start"
        running[number].send_signal(signal.SIGKILL)
        running[number].communicate()
        assert not left_of(family), f"after a kill at {MOMENTS[number]} s"
        families.append(" ".join(one.words for one in family))
    assert list(temporary.iterdir()) == []
    assert sum("drill.school.process" in words for words in families) >= 7
    assert sum("nmap" in words for words in families) >= 4


@dataclass(frozen=True)
class Member:
    """A process that was seen; its start tells it from a later one with the same number."""

    pid: int
    parent: int
    state: str
    start: str
    words: str


def members() -> list[Member]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        found.append(Member(int(entry.name), int(fields[1]), fields[0], fields[19], words))
    return found


def descendants(pid: int) -> list[Member]:
    """List what a process started, and what that started."""
    everybody, family = members(), {pid}
    while more := {one.pid for one in everybody if one.parent in family} - family:
        family |= more
    return [one for one in everybody if one.pid in family - {pid}]


def left_of(family: list[Member]) -> list[Member]:
    """Give those that still run a moment later."""
    known = {(one.pid, one.start) for one in family}
    deadline = time.monotonic() + 5
    while left := [one for one in members() if (one.pid, one.start) in known and one.state != "Z"]:
        if time.monotonic() > deadline:
            return left
        time.sleep(0.05)
    return []


def test_demo_when_run_finds_exactly_what_was_planted(shown: Shown) -> None:
    assert shown.done.status == 0, shown.done.err
    *units, last = shown.done.rows
    assert last["summary"]["mode"] == shown.mode
    assert all(one["found"] == one["planted"] and one["invented"] == 0 for one in units)
    assert all(one["changes_exact"] for one in units)
    for one in units:
        for score in (one["weaknesses"], one["unregistered"]):
            assert score is None or (score["found"] == score["planted"] and score["invented"] == 0)


def test_demo_when_run_takes_at_most_three_minutes(shown: Shown) -> None:
    assert shown.summary["seconds"] <= 180


def test_demo_when_run_finds_each_mining_conversation_and_no_other(shown: Shown) -> None:
    assert shown.summary["mining"] == shown.summary["mining_planted"] >= 9
    assert shown.summary["false_alarms"] == 0


@pytest.mark.parametrize("place", SCHOOLS, ids=lambda place: place.unit.code)
def test_demo_when_run_then_the_map_is_the_truth_after_the_change(shown: Shown, place: PracticeUnit) -> None:
    truth = shown.truth(place)
    answering = {one["addresses"][0] for one in truth["hosts"] if one["manner"] == "answers-all"}
    told = {
        (one["address"], one["proto"], one["port"])
        for one in shown.ask("map", "--unit", place.unit.code)
        if one["address"] not in answering
    }
    assert told == {(one["address"], one["proto"], one["port"]) for one in changed(truth)}


def changed(truth: dict[str, Any]) -> list[dict[str, Any]]:
    """Play the expected differences of the truth file on its ports."""
    ports = {(one["address"], one["proto"], one["port"]): one for one in truth["ports"]}
    for one in truth["cues"]["change"]:
        key = one["address"], one["proto"], one["port"]
        if one["kind"] == "gone":
            del ports[key]
        elif one["kind"] == "new":
            assert key not in ports
            ports[key] = one
    return list(ports.values())


def subject(row: PlantedPort) -> str:
    shown = f"[{row.address}]" if row.address.version == 6 else str(row.address)
    return f"{shown}:{row.port}/{row.proto}"


@pytest.mark.parametrize("place", SCHOOLS, ids=lambda place: place.unit.code)
def test_demo_when_judged_finds_the_planted_weaknesses_and_no_others(shown: Shown, place: PracticeUnit) -> None:
    """The plan is made anew here, from mode and seed alone."""
    offset = shown.truth(place)["offset"]
    ipv6 = shown.mode != Mode.LOOPBACK
    plan = plan_school(Ground(Mode(shown.mode), ipv6, offset=offset).lot(place.number), place.number, place.size)
    planted = {(subject(row), EQUAL.get(rule, rule)) for row in plan.truth(AFTER) for rule in row.weaknesses}
    planted |= {(str(address), "exposure.answers-everything") for address in plan.answering}
    told = {
        (one["subject"], EQUAL.get(one["rule"], one["rule"]))
        for one in shown.ask("finding", "list", "--live", "--unit", place.unit.code)
        if one["rule"].startswith(JUDGED)
    }
    assert told == planted


def test_demo_when_run_says_where_it_took_place_and_what_is_lost(shown: Shown) -> None:
    said = shown.done.err
    if shown.mode != Mode.LOOPBACK:
        assert "命名空间" in said.splitlines()[0]
        assert "因此缺少" not in said
        return
    assert "回环地址" in said
    assert "不允许建立命名空间" in said
    for loss in ("1024 以下的端口", "UDP", "IPv6（本机未启用）", "沉默的主机"):
        assert loss in said
    assert "303 个通配监听" in said
    assert {port["port"] for port in shown.truth(SCHOOLS[0])["ports"]}.isdisjoint({10080, 10443, 13306})


def test_demo_when_run_shows_progress_all_the_while(shown: Shown) -> None:
    lines = shown.done.err.splitlines()
    assert len([line for line in lines if "识别服务" in line]) >= 4
    assert any(line.startswith("第一次扫描 ") for line in lines)
    assert any(line.startswith("第二次扫描 ") for line in lines)


def test_demo_when_run_leaves_papers_that_can_be_read_again(shown: Shown) -> None:
    folder = shown.folder / "papers" / SCHOOLS[0].unit.code
    assert {path.name for path in folder.iterdir()} >= {
        "register.xlsx", "whitelist.csv", "truth.json", "dns-before.log", "dns-after.log",
        "dhcpd-before.leases", "dhcpd-after.leases", "nat.log",
    }  # fmt: skip
    again = run("--home", shown.folder / "home", "whitelist", "import", folder / "whitelist.csv", "--json")
    assert again.status == 0
    assert again.row["summary"]["added"] == 0
    assert again.row["summary"]["known"] > 20


def test_demo_when_run_leaves_its_reports_last(shown: Shown) -> None:
    paths = [Path(path) for path in shown.summary["reports"]]
    pages = ["brief.html", "school.html", "compliance.html", "mining.html", "map.html", "overview.html"]
    assert [path.name for path in paths] == [*pages, "ledger.xlsx"]
    assert all(path.parent == shown.folder and path.stat().st_size > 5000 for path in paths)
    assert "域名、主机、端口、证书，按信息系统和网段分组" in paths[4].read_text(encoding="utf-8")
    assert '<h2 class="chapter">单位树' not in paths[4].read_text(encoding="utf-8"), "a school has no units below"


def test_demo_when_run_names_nearly_every_service_as_it_is(shown: Shown) -> None:
    """A busy machine makes nmap miss an answer now and then."""
    *units, _ = shown.done.rows
    planted, found = (sum(one["identified"][what] for one in units) for what in ("planted", "found"))
    assert planted - 3 <= found <= planted
    assert planted > 100


def test_demo_when_run_then_mining_and_whitelist_findings_are_those_of_the_papers_and_the_capture(shown: Shown) -> None:
    scores = [shown.summary["mining_findings"], *(one["unlisted"] for one in shown.done.rows[:2])]
    assert all(one["planted"] == one["found"] >= 6 and one["invented"] == 0 for one in scores)


def test_demo_when_ports_were_moved_tells_what_cannot_be_shown(shown: Shown) -> None:
    hidden = sum(one["unseen"] for one in shown.done.rows[:-1])
    assert (hidden > 0) == (shown.mode == Mode.LOOPBACK)


def test_demo_when_run_then_the_log_of_the_firewall_spans_the_capture(shown: Shown) -> None:
    lines = (shown.folder / "papers" / SCHOOLS[0].unit.code / "nat.log").read_text().splitlines()
    begun = {line.partition("BeginTime_e(1013)=")[2].partition(";")[0] for line in lines} - {""}
    assert len(begun) >= 4


def test_demo_when_another_is_held_in_the_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    first = start("demo", "--out", tmp_path / "demo", "--mode", "user-namespace")
    deadline = time.monotonic() + 30
    while not (tmp_path / "demo" / "home").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    second = run("demo", "--out", tmp_path / "demo")
    assert second.status == 2
    assert "another demonstration" in second.complaint
    assert first.poll() is None
    assert (tmp_path / "demo" / "home").exists()
    family = descendants(first.pid)
    os.killpg(first.pid, signal.SIGINT)
    first.communicate(timeout=10)
    assert not left_of(family)


def test_demo_when_nmap_is_missing_says_so_and_keeps_the_earlier_one(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / ".sentinel-demo").touch()
    (folder / "school.html").write_text("an earlier one")
    done = run("demo", "--out", folder, env={"PATH": str(tmp_path)})
    assert done.status == 9
    assert "nmap" in done.complaint
    assert (folder / "school.html").read_text() == "an earlier one"


def test_demo_when_the_folder_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("keep me")
    done = run("demo", "--out", tmp_path)
    assert done.status == 2
    assert "holds something else" in done.complaint
    assert (tmp_path / "thesis.txt").read_text() == "keep me"


def test_demo_when_the_mode_asked_for_is_refused_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / ".sentinel-demo").touch()
    (folder / "school.html").write_text("an earlier one")
    done = inside(REFUSED, (*PROGRAM, "demo", "--out", str(folder), "--mode", "user-namespace"))
    assert done.status == 9
    assert "no namespace" in done.complaint
    assert (folder / "school.html").read_text() == "an earlier one"


def test_demo_when_the_mode_is_unknown_is_refused(tmp_path: Path) -> None:
    done = run("demo", "--out", tmp_path / "demo", "--mode", "cloud")
    assert done.status == 2
    assert "no such mode" in done.complaint
    assert not (tmp_path / "demo").exists()


def test_demo_when_interrupted_ends_at_once_and_leaves_no_process(tmp_path: Path) -> None:
    process = start("demo", "--out", tmp_path / "demo", "--json")
    deadline = time.monotonic() + 30
    while not any("nmap" in one.words for one in descendants(process.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    family = descendants(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 130, said
    assert said.decode().splitlines()[-1].startswith("sentinel: stopped")
    assert len(family) >= 4
    assert not left_of(family)
