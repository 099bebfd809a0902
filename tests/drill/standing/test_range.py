"""`sentinel range` from up to down, by its command line, in a network of its own and on loopback."""

import json
import os
import re
import shlex
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from sentinel.drill.place.ground import OFFSET, Ground, Mode
from sentinel.drill.school.cues import ALL_CUES, Cue
from sentinel.drill.school.plan import AFTER, BEFORE, MAX_SIZE, School, plan_school
from sentinel.drill.school.truth import build_truth
from tests.drill.living import is_alive, wait_gone
from tests.drill.standing.ranges import Range, children, listening, standing
from tests.drill.within import LO_UP, NETWORK, NO_MORE_NAMESPACES

pytestmark = pytest.mark.namespace

OWN = ("--mode", "user-namespace")
SHARED = ("--mode", "loopback")


def expected(mode: Mode, seed: int = 1, size: int = MAX_SIZE) -> School:
    return plan_school(Ground(mode, True, offset=OFFSET if mode is Mode.LOOPBACK else 0).lot(1), seed, size)


def truth_of(plan: School, played: frozenset[Cue] = BEFORE) -> object:
    return json.loads(json.dumps(build_truth(plan, played)))


def test_up_when_it_takes_a_network_of_its_own_then_everything_of_the_plan_is_told_and_down_leaves_nothing(
    own: Range,
) -> None:
    plan = expected(Mode.USER_NAMESPACE)
    told = own.row("up", *OWN)
    (school,) = children(told["pid"])

    assert own.truth() == truth_of(plan)
    assert (told["mode"], told["school"], told["seed"]) == ("user-namespace", plan.name, 1)
    assert (told["losses"], told["foreign"], told["refused"]) == ([], [], "")
    assert (told["hosts"], told["tcp"] + told["udp"]) == (MAX_SIZE, len(plan.truth()))
    assert (told["cues"], told["played"]) == ([cue.value for cue in plan.steps], [])
    assert own.row("status") == {"up": True} | told
    assert {entry.name for entry in own.folder.iterdir()} == {"control", "truth.json", "keeper.log"}
    assert (own.folder / "keeper.log").read_bytes() == b""

    assert own.row("down") == {"up": False, "pid": told["pid"]}
    assert wait_gone(told["pid"])
    assert not is_alive(school)
    assert not own.folder.exists()
    assert own.row("status") == {"up": False}


def test_up_when_it_is_on_loopback_then_what_is_lost_is_said_and_down_frees_the_ports(
    shared: Range, holder: int
) -> None:
    plan = expected(Mode.LOOPBACK, 5, 12)
    up = shared.run("up", *SHARED, "--seed", "5", "--size", "12")

    assert shared.truth() == truth_of(plan)
    assert listening(holder) >= {row.port for row in plan.truth()}
    assert "演练网络：本机回环地址 127.77.0.0/16。" in up.err
    for lost in ("1024 以下的端口", "UDP 服务", "自己的 IPv6 地址", "沉默的主机", "隔离"):
        assert lost in up.err
    assert f"示例市外国语学校（种子 {5}）" in up.out
    assert "端口加 10000" in up.out
    assert "nsenter" not in up.out

    assert shared.run("down").out == "靶场已结束。\n"
    assert listening(holder) == set()


@pytest.mark.parametrize("mode", [OWN, SHARED], ids=["own", "loopback"])
def test_cue_when_played_then_truth_and_status_follow_and_the_diff_is_told(
    own: Range, shared: Range, mode: tuple[str, str]
) -> None:
    it = own if mode is OWN else shared
    plan = expected(Mode(mode[1]))
    it.run("up", *mode)
    told = it.run("cue", "certificate-changes")
    (changed,) = plan.expected_changes(BEFORE, {Cue.CERTIFICATE_CHANGES})

    assert f"{changed.port}/tcp" in told.out
    assert str(changed.address) in told.out
    assert it.truth() == truth_of(plan, frozenset({Cue.CERTIFICATE_CHANGES}))
    assert it.row("status")["played"] == ["certificate-changes"]

    again = it.row("cue", "certificate-changes")
    assert again["played"] == ["certificate-changes"]
    assert it.row("cue", ALL_CUES)["played"] == sorted(AFTER)
    assert it.truth() == truth_of(plan, AFTER)
    assert [row["kind"] for row in it.truth()["cues"][ALL_CUES]] == [
        change.kind.value for change in plan.expected_changes()
    ]


@pytest.mark.parametrize("name", ["explode", "", "service-opens\n\x1b[31mred", "--help me", "情节", "x" * 500])
def test_cue_when_unknown_then_one_line_says_so_and_nothing_has_happened(own: Range, name: str) -> None:
    own.run("up", *OWN, "--size", "3")

    done = own.run("cue", "--", name, expect=2)

    assert "unknown cue of the practice school; there are change, service-opens, " in done.complaint
    assert own.row("status")["played"] == []


@pytest.mark.parametrize("words", [("cue", "change"), ("down",)])
def test_command_when_no_range_is_up_then_one_line_says_so(own: Range, words: tuple[str, ...]) -> None:
    done = own.run(*words, expect=2)

    assert done.complaint == "sentinel: no practice range is up; start one: sentinel range up"
    assert not own.folder.exists()


def test_status_when_no_range_is_up_then_it_says_what_to_do_and_makes_nothing(own: Range) -> None:
    assert own.run("status").out == "没有运行中的靶场。下一步：sentinel range up\n"
    assert not own.folder.exists()


def test_up_when_one_is_up_already_then_one_line_says_so_and_it_goes_on(own: Range) -> None:
    told = own.row("up", *OWN, "--size", "3")
    done = own.run("up", *OWN, "--seed", "2", expect=2)

    assert done.complaint == (
        f"sentinel: a practice range is up already (process {told['pid']}); end it: sentinel range down"
    )
    assert own.row("status")["seed"] == 1


def test_up_when_two_are_started_at_once_then_one_stands_and_the_other_says_so(own: Range) -> None:
    both = [own.start("up", *OWN, "--size", "3", "--seed", seed, "--json") for seed in ("1", "2")]
    ends = [process.communicate(timeout=60) for process in both]
    statuses = [process.returncode for process in both]

    assert sorted(statuses) == [0, 2], ends
    winner = json.loads(ends[statuses.index(0)][0])
    assert own.row("status")["pid"] == winner["pid"]
    assert own.truth()["seed"] == winner["seed"]
    assert ends[statuses.index(2)][1].count(b"\n") == 1
    own.run("down")
    assert wait_gone(winner["pid"])
    assert not own.folder.exists()


@pytest.mark.parametrize("mode", [OWN, SHARED], ids=["own", "loopback"])
def test_keeper_when_killed_then_nothing_is_left_and_the_next_one_stands(
    own: Range, shared: Range, holder: int, mode: tuple[str, str]
) -> None:
    it = own if mode is OWN else shared
    told = it.row("up", *mode, "--size", "12")
    (school,) = children(told["pid"])
    os.kill(told["pid"], signal.SIGKILL)

    assert wait_gone(told["pid"])
    assert wait_gone(school)
    assert listening(holder) == set()
    assert it.row("status") == {"up": False}
    assert (it.folder / "truth.json").exists()

    again = it.row("up", *mode, "--size", "3", "--seed", "2")
    assert again["pid"] != told["pid"]
    assert it.truth()["seed"] == 2


def test_keeper_when_terminated_then_it_cleans_up(own: Range) -> None:
    told = own.row("up", *OWN, "--size", "3")
    (school,) = children(told["pid"])
    os.kill(told["pid"], signal.SIGTERM)

    assert wait_gone(told["pid"])
    assert not is_alive(school)
    assert not own.folder.exists()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_keeper_when_its_school_has_died_then_it_ends_and_cleans_up(own: Range, blow: signal.Signals) -> None:
    told = own.row("up", *OWN, "--size", "3")
    (school,) = children(told["pid"])
    os.kill(school, blow)

    assert wait_gone(told["pid"], 5.0)
    assert not own.folder.exists()
    assert own.row("status") == {"up": False}


def test_keeper_when_its_starter_has_gone_then_it_has_no_terminal_and_no_folder_of_his(own: Range) -> None:
    told = own.row("up", *OWN, "--size", "3")
    process = Path(f"/proc/{told['pid']}")
    links = {name: str((process / "fd" / name).readlink()) for name in ("0", "1", "2")}

    assert links == {"0": "/dev/null", "1": "/dev/null", "2": str(own.folder / "keeper.log")}
    assert (process / "cwd").readlink() == Path("/")
    assert os.getsid(told["pid"]) == told["pid"]


@pytest.mark.nmap
def test_entry_when_the_printed_words_are_run_then_nmap_sees_the_school_and_nobody_outside_does(own: Range) -> None:
    out = own.run("up", *OWN).out
    (line,) = re.findall(r"^进入演练网络：(nsenter .+) bash$", out, re.MULTILINE)
    nmap = ["nmap", "-n", "-Pn", "-sS", "-oG", "-", "-p", "22,79,80,443", "10.77.1.11"]
    there = subprocess.run([*shlex.split(line), *nmap], capture_output=True, text=True, timeout=30, check=True)
    six = [*nmap[:-1], "-6", "fd77:0:0:1::b"]
    there6 = subprocess.run([*shlex.split(line), *six], capture_output=True, text=True, timeout=30, check=True)

    for text in (there.stdout, there6.stdout):
        assert re.findall(r"(\d+)/open/tcp", text) == ["22", "80", "443"]
        assert "79/closed/tcp" in text


def test_folder_when_made_then_it_is_for_its_owner_alone(own: Range) -> None:
    own.run("up", *OWN, "--size", "3")

    assert stat.S_IMODE(own.folder.stat().st_mode) == 0o700


def test_folder_when_stale_then_the_next_range_takes_it_over_and_leaves_what_is_not_its_own(own: Range) -> None:
    own.folder.mkdir(mode=0o700)
    for name in ("control", "truth.json", "keeper.log", "notes.txt"):
        (own.folder / name).write_text("of old", "utf-8")

    assert own.row("status") == {"up": False}
    own.run("up", *OWN, "--size", "3")
    assert own.truth() == truth_of(expected(Mode.USER_NAMESPACE, size=3))
    own.run("down")
    assert [entry.name for entry in own.folder.iterdir()] == ["notes.txt"]


def test_folder_when_it_holds_somebodys_files_then_it_is_refused_and_they_stay(own: Range) -> None:
    own.folder.mkdir(mode=0o700)
    (own.folder / "truth.json").write_text("mine", "utf-8")

    done = own.run("up", *OWN, expect=2)

    assert done.complaint == f"sentinel: {own.folder}: holds files that are no range's; name another with --dir"
    assert (own.folder / "truth.json").read_text("utf-8") == "mine"


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_folder_when_others_may_enter_then_it_is_refused_in_one_line(own: Range, mode: int) -> None:
    own.folder.mkdir()
    own.folder.chmod(mode)

    done = own.run("up", *OWN, expect=2)

    assert done.complaint == (
        f"sentinel: {own.folder}: not a folder of yours alone (chmod 700); name another with --dir"
    )
    assert list(own.folder.iterdir()) == []


def test_folder_when_it_is_a_link_then_it_is_refused(own: Range) -> None:
    target = own.folder.with_name("target")
    target.mkdir(mode=0o700)
    own.folder.symlink_to(target)

    assert "not a folder of yours alone" in own.run("up", *OWN, expect=2).complaint


def test_folder_when_it_cannot_be_made_then_one_line_says_why(own: Range) -> None:
    own.folder.write_text("a file", "utf-8")

    done = own.run("up", *OWN, expect=6)

    assert done.complaint == f"sentinel: {own.folder}: File exists"


@pytest.mark.parametrize("letters", [100, 300])
def test_folder_when_its_path_is_too_long_then_it_is_refused(own: Range, letters: int) -> None:
    long = own.folder.with_name("x" * letters)

    done = own.run("up", *OWN, "--dir", str(long), expect=2)

    assert done.complaint == f"sentinel: {long}: the path is too long for a socket; name a shorter one with --dir"
    assert own.run("status", "--dir", str(long)).out.startswith("没有运行中的靶场")


def test_folder_when_none_is_named_then_it_is_in_the_runtime_folder_of_the_login(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with standing(folder / "sentinel-range", changes={"XDG_RUNTIME_DIR": str(folder)}) as found:
        told = found.row("up", *OWN, "--size", "3")

        assert told["truth"] == str(folder / "sentinel-range" / "truth.json")
        assert found.row("status")["pid"] == told["pid"]


def test_up_when_namespaces_are_refused_then_it_says_why_and_stands_on_loopback(folder: Path) -> None:
    with standing(folder, refused()) as found:
        up = found.run("up", "--size", "3")

        assert "系统不允许建立命名空间（no namespace: this machine allows no more of them" in up.err
        assert "退用回环地址" in up.err
        assert found.row("status")["mode"] == "loopback"


def refused() -> tuple[str, ...]:
    return (*NETWORK, "sh", "-c", f'{LO_UP}; {NO_MORE_NAMESPACES}; exec "$@"', "sh")


def test_up_when_the_mode_asked_for_is_refused_then_one_line_says_so_and_nothing_is_left(folder: Path) -> None:
    done = Range(folder, refused()).run("up", *OWN, expect=9)

    assert done.complaint.startswith("sentinel: no namespace: this machine allows no more of them")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--size", str(MAX_SIZE + 1)), f"{MAX_SIZE + 1}: a practice school has 3 to {MAX_SIZE} hosts"),
        (("--mode", "nowhere"), "--mode: no such mode: 'nowhere' (user-namespace, network-namespace, loopback)"),
    ],
)
def test_up_when_the_wish_is_no_school_then_one_line_says_so_and_nothing_is_left(
    own: Range, words: tuple[str, ...], complaint: str
) -> None:
    assert own.run("up", *words, expect=2).complaint == f"sentinel: {complaint}"
    assert not own.folder.exists()


def test_up_when_the_ports_are_taken_by_another_range_then_it_takes_others(
    shared: Range, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = shared.row("up", *SHARED, "--size", "3")
    with standing(tmp_path_factory.mktemp("r") / "other", shared.inside) as other:
        second = other.row("up", *SHARED, "--size", "3")
        assert (first["offset"], second["offset"]) == (OFFSET, OFFSET + 500)
