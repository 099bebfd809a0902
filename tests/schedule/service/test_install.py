"""`sentinel service` under a real systemd, as process 1 of namespaces of its own, and where there is none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from sentinel.errors import StoreError
from sentinel.schedule.service.install import install, remove
from sentinel.schedule.service.systemctl import Systemctl
from sentinel.schedule.service.unitfile import MARKER, Service
from tests.cli.command import PROGRAM, ROOT, UNIT, Sentinel, environment, run
from tests.homes import copy_home

HARD_NAME = 'my "home" 100%h $HOME'


class Machine:
    """A running systemd and commands beside it."""

    def __init__(self, pid: int, home: Path, outside: Path) -> None:
        self.pid = pid
        self.home = home
        self.outside = outside

    def do(self, *words: str | Path, expect: int | None = 0, env: dict[str, str] | None = None) -> str:
        """Run a command there and give what it printed."""
        enter = ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-i", "-u", "-C", "--"]
        done = subprocess.run(
            [*enter, *map(str, words)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment({"HOME": str(self.outside)} | (env or {})),
            timeout=90,
            check=False,
        )
        assert expect is None or done.returncode == expect, (words, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def sentinel(self, *words: str, expect: int = 0, env: dict[str, str] | None = None) -> str:
        """Run a command on the home."""
        return self.do(*PROGRAM, "--home", self.home, *words, expect=expect, env=env)

    def rows(self, *words: str) -> list[dict[str, Any]]:
        """Run a command with `--json`."""
        return [json.loads(line) for line in self.sentinel(*words, "--json").splitlines()]

    def show(self, name: str) -> str:
        """Give one property of the service."""
        return self.do("systemctl", "show", "sentinel-run", "--value", f"--property={name}").strip()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A systemd in namespaces of its own; the home's path holds all that unit files must escape."""
    assert os.geteuid() == 0, "systemd as process 1 needs root and control groups: run the tests as root"
    folder = tmp_path_factory.mktemp("machine")
    home = folder / HARD_NAME
    assert run("--home", home, "init", "--unit", UNIT).status == 0
    before = _tree()
    with _cgroup() as cgroup, (folder / "machine.err").open("wb") as told:
        words = ["setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--pid", "--mount", "--uts", "--ipc", "--net"]
        script = Path(__file__).with_name("machine.sh")
        with subprocess.Popen(
            [*words, "--kill-child", "sh", script, folder, cgroup],
            stdout=subprocess.DEVNULL,
            stderr=told,
            env={"PATH": os.environ["PATH"], "OUTSIDE": str(Path("/proc/self/ns/mnt").readlink())},
        ) as process:
            try:
                yield Machine(_wait(process.pid, folder / "machine.err"), home, folder)
            finally:
                process.kill()
    assert _tree() == before, "nothing of this machine's was changed"


def _tree() -> dict[str, int]:
    """Give what the real systemd would read or write, with the time of its last change."""
    found = [Path("/etc/machine-id"), Path("/run/user")]
    for folder in (Path("/etc/systemd"), Path("/run/systemd/system")):
        found += folder.rglob("*")
    return {str(path): path.lstat().st_ctime_ns for path in found if path.exists() or path.is_symlink()}


@contextmanager
def _cgroup() -> Iterator[Path]:
    """Make a control group of the test's own and remove it with all below."""
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    mount = next(Path(words[1]) for words in mounts if words[2] == "cgroup2")
    own = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    folder = mount / own.lstrip("/") / f"sentinel-test-{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        deadline = time.monotonic() + 10
        while (folder / "cgroup.procs").exists():
            for one in sorted(folder.rglob("*/"), reverse=True):
                with suppress(OSError):
                    one.rmdir()
            try:
                folder.rmdir()
            except OSError:  # what was killed takes a moment to go
                assert time.monotonic() < deadline, "something still runs"
                time.sleep(0.1)


def _wait(parent: int, told: Path) -> int:
    """Give the process that became systemd, once it answers.

    Its own /run must be there first: before that `systemctl` would reach the systemd of this machine.
    """
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError):
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            if text and Path(f"/proc/{text[0]}/root/run/sentinel-test").exists():
                made = Machine(int(text[0]), Path(), Path("/nonexistent"))
                if made.do("systemctl", "is-system-running", expect=None).startswith(("running", "degraded")):
                    return made.pid
        time.sleep(0.1)
    raise AssertionError(f"systemd does not start in namespaces of its own (root is needed): {told.read_text()}")


def test_machine_of_these_tests_refuses_to_start_where_it_would_change_this_one() -> None:
    script = Path(__file__).with_name("machine.sh")
    done = subprocess.run(["sh", script, "/nowhere", "/nowhere"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "only as process 1" in done.stderr


@pytest.mark.namespace
def test_machine_can_write_to_the_folder_it_was_given_and_nowhere_else(machine: Machine) -> None:
    for place in ("/", "/usr", "/var", "/root", "/home", ROOT):
        machine.do("touch", f"{place}/sentinel-test", expect=1)
    for place in ("/etc", "/tmp", "/run", "/var/tmp"):  # new ones of its own
        machine.do("touch", f"{place}/sentinel-test")
        assert not Path(place, "sentinel-test").exists()
    machine.do("touch", machine.outside / "sentinel-test")
    assert (machine.outside / "sentinel-test").exists()
    known = machine.do("systemctl", "list-unit-files", "--no-legend", "--plain").splitlines()
    assert not [line for line in known if line.split()[0].startswith(("systemd-", "tmp", "dbus", "getty"))]


@pytest.mark.namespace
def test_service_when_installed_runs_confined_answers_and_leaves_nothing_when_removed(machine: Machine) -> None:
    key = machine.outside / ".config" / "sentinel" / "contact.key"
    key.parent.mkdir(parents=True)
    key.write_text("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=\n")
    key.chmod(0o600)
    out = machine.sentinel("service", "install", "--at", "02:30", "--raw")
    assert "已安装并启动 sentinel-run.service" in out
    (row, pages) = machine.rows("service", "status")
    assert (row["active"], row["enabled"], row["here"], pages["file"]) == ("active", True, True, None)
    assert row["next_due"] is not None
    pid = machine.show("MainPID")
    status = machine.do("cat", f"/proc/{pid}/status")
    assert "CapEff:\t0000000000002000" in status, "CAP_NET_RAW and nothing else"
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    root = next(line for line in machine.do("cat", f"/proc/{pid}/mounts").splitlines() if line.split()[1] == "/")
    assert root.split()[3].startswith("ro"), "all but the home is read-only"
    credential = machine.do("sh", "-c", f"tr '\\0' '\\n' </proc/{pid}/environ | grep CREDENTIALS_DIRECTORY")
    assert credential.startswith("CREDENTIALS_DIRECTORY=")
    deadline = time.monotonic() + 10
    while not any("run begins" in line for line in machine.rows("service", "status")[0]["lines"]):
        assert time.monotonic() < deadline, "its log says nothing"
        time.sleep(0.2)
    doctor = {row["name"]: row for row in machine.rows("doctor")}["服务"]
    assert doctor["state"] == "ok"
    assert "正在运行" in doctor["detail"]
    other = shutil.copytree(machine.home, machine.outside / "other")
    refusal = machine.do(*PROGRAM, "--home", other, "service", "install", expect=6)
    assert "serves another home" in refusal
    machine.sentinel("service", "install", "--raw")
    machine.do("systemctl", "kill", "--signal=KILL", "sentinel-run")
    deadline = time.monotonic() + 5
    while machine.show("ActiveState") == "active" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert machine.show("ActiveState") == "activating", "it is started again after half a minute"
    assert "已停止并卸载 sentinel-run.service" in machine.sentinel("service", "remove")
    assert machine.show("LoadState") == "not-found"
    assert "sentinel" not in machine.do("find", "/etc/systemd/system")
    assert machine.rows("unit", "list"), "the home is untouched"


@pytest.mark.namespace
@pytest.mark.nmap
@pytest.mark.parametrize(("options", "share"), [((), 50 / 51), (("--raw",), 1.0)])
def test_scan_under_the_confinement_of_the_service_sends_what_it_may(
    machine: Machine, options: tuple[str, ...], share: float
) -> None:
    machine.do("ip", "link", "set", "lo", "up")
    paper = ("--by", "信息中心", "--document", "演练", "--from", "2020-01-01", "--until", "2099-12-31")
    words = ("--level", "service", "--allow-loopback", "--rate", "5000")
    machine.sentinel("scope", "authorise", "127.0.0.1/32", *paper, *words)
    (row,) = machine.rows("service", "install", "--dry-run", "--system", *options)
    scan = '"scan" "127.0.0.1" "--ports" "T:1-50,U:53" "--json"'
    out = machine.home / "scan.out"
    text = row["text"].replace('"run"', scan).replace("Type=exec", "Type=oneshot").replace("Restart=on-failure", "")
    quiet = str(out).replace("%", "%%")
    unit = machine.outside / "once.service"
    unit.write_text(text.replace("[Service]\n", f"[Service]\nStandardOutput=truncate:{quiet}\n"))
    machine.do("cp", unit, "/etc/systemd/system/once.service")
    machine.do("systemctl", "daemon-reload")
    machine.do("systemctl", "start", "once")
    summary = json.loads(out.read_text().splitlines()[-1])["summary"]
    assert summary["coverage"] == pytest.approx(share, abs=0.001), "UDP needs raw sockets"
    assert summary["failed"] == []
    machine.do("rm", "/etc/systemd/system/once.service")
    machine.do("systemctl", "daemon-reload")


@pytest.mark.namespace
def test_service_of_the_pages_when_installed_serves_them_by_the_address_that_was_given(machine: Machine) -> None:
    machine.do("ip", "link", "set", "lo", "up")
    words = ("--serve", "--host", "0.0.0.0", "--port", "8700", "--name", "sentinel.school.example")
    machine.sentinel("service", "install", *words)
    (run_row, pages) = machine.rows("service", "status")
    assert (run_row["active"], pages["active"], pages["here"]) == ("active", "active", True)
    deadline = time.monotonic() + 30
    while not any("serve begins" in line for line in machine.rows("service", "status")[1]["lines"]):
        assert time.monotonic() < deadline, "its log says nothing"
        time.sleep(0.2)
    log = (machine.home / "var" / "log" / "serve.log").read_text()
    assert "address=https://sentinel.school.example:8700" in log
    told = machine.sentinel("serve", "--new-token")
    assert "https://sentinel.school.example:8700/enter#" in told
    trust = "ssl._create_unverified_context()"
    ask = f"import ssl, urllib.request as u; print(u.urlopen('https://localhost:8700/enter', context={trust}).status)"
    deadline = time.monotonic() + 30
    while "200" not in machine.do(sys.executable, "-c", ask, expect=None):
        assert time.monotonic() < deadline, "the pages do not answer"
        time.sleep(0.5)
    machine.sentinel("service", "remove")


@pytest.mark.namespace
def test_service_of_a_user_when_installed_runs_under_the_users_systemd(machine: Machine) -> None:
    place = {"XDG_RUNTIME_DIR": "/run/user/0"}
    unit = (
        "[Unit]\nDefaultDependencies=no\n[Service]\nType=notify\nDelegate=yes\nKillSignal=SIGKILL\n"
        f"Environment=XDG_RUNTIME_DIR=/run/user/0 HOME={machine.outside}\n"
        f"Environment=SYSTEMD_UNIT_PATH={machine.outside}/.config/systemd/user:/run/units\n"
        "Environment=SYSTEMD_GENERATOR_PATH=/run/none SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/run/none\n"
        "ExecStart=/lib/systemd/systemd --user --unit=basic.target\n"
    )
    (machine.outside / "user.service").write_text(unit)
    machine.do("cp", machine.outside / "user.service", "/etc/systemd/system/user.service")
    machine.do("systemctl", "daemon-reload")
    machine.do("systemctl", "start", "user")
    out = machine.sentinel("service", "install", "--user", env=place)
    assert "loginctl enable-linger" in out
    (row, _) = [json.loads(line) for line in machine.sentinel("service", "status", "--json", env=place).splitlines()]
    assert (row["active"], row["system"], row["here"]) == ("active", False, True)
    machine.sentinel("service", "remove", "--user", env=place)
    assert not (machine.outside / ".config" / "systemd" / "user" / "sentinel-run.service").exists()
    machine.do("systemctl", "stop", "user")


def test_service_where_no_systemd_answers_says_how_to_run_it_otherwise(tmp_path: Path) -> None:
    home = copy_home(tmp_path / "home")
    sentinel = Sentinel(home.path)
    complaint = sentinel.run("service", "install", "--user", expect=6).complaint
    assert f"run `sentinel --home {home.path} run`" in complaint
    assert sentinel.rows("service", "status")[0]["file"] is None
    assert sentinel.run("service", "remove", "--user").out.startswith("没有由 sentinel 安装的服务")
    dry = sentinel.rows("service", "install", "--dry-run", "--serve", "--user")
    assert [row["name"] for row in dry] == ["sentinel-run.service", "sentinel-serve.service"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--raw", "--user"], "--raw"),
        (["--at", "25:00", "--user"], "--at"),
        (["--user", "--host", "0.0.0.0"], "add --serve"),
        (["--user", "--serve", "--certificate", "/nowhere.pem"], "belong together"),
        (["--user", "--serve", "--certificate", "/nowhere.pem", "--key", "/nowhere.key"], "no such file"),
        (["--user", "--serve", "--port", "443"], "--port"),
    ],
)
def test_service_when_asked_wrongly_says_so(untouched_home: Sentinel, words: list[str], told: str) -> None:
    assert told in untouched_home.run("service", "install", *words, expect=2).complaint


@pytest.fixture
def untouched_home(tmp_path: Path) -> Sentinel:
    return Sentinel(copy_home(tmp_path / "home").path)


class Private(Systemctl):
    """Unit files in a folder of the test's, and a systemd that does nothing."""

    def __init__(self, folder: Path, *, reachable: bool = False) -> None:
        super().__init__(system=True)
        self._folder = folder
        self._reachable = reachable
        self.done: list[tuple[str, ...]] = []

    @property
    def folder(self) -> Path:
        return self._folder

    def is_reachable(self) -> bool:
        return self._reachable

    def do(self, *words: str) -> None:
        self.done.append(words)


@pytest.fixture
def made() -> Callable[[str], Service]:
    return lambda home: Service("run", Path(sys.executable), Path(home), system=True)


@pytest.mark.parametrize("reachable", [False, True])
def test_unit_file_of_somebody_else_is_neither_changed_nor_removed(
    tmp_path: Path, made: Callable[[str], Service], reachable: bool
) -> None:
    theirs = tmp_path / "sentinel-run.service"
    theirs.write_text("[Service]\nExecStart=/bin/true\n")
    systemctl = Private(tmp_path, reachable=reachable)
    with pytest.raises(StoreError, match="was not written by sentinel"):
        install(systemctl, [made("/srv/a")])
    assert remove(systemctl) == ()
    assert theirs.read_text().startswith("[Service]")
    assert systemctl.done == []


def test_unit_file_that_is_a_link_is_not_ours(tmp_path: Path, made: Callable[[str], Service]) -> None:
    (tmp_path / "real").write_text(f"{MARKER}\n")
    (tmp_path / "sentinel-run.service").symlink_to(tmp_path / "real")
    assert remove(Private(tmp_path)) == ()
    with pytest.raises(StoreError, match="was not written by sentinel"):
        install(Private(tmp_path), [made("/srv/a")])


def test_remove_without_systemd_removes_our_files_and_links(tmp_path: Path, made: Callable[[str], Service]) -> None:
    install(Private(tmp_path, reachable=True), [made("/srv/a")])
    wants = tmp_path / "multi-user.target.wants"
    wants.mkdir()
    (wants / "sentinel-run.service").symlink_to(tmp_path / "sentinel-run.service")
    assert [path.name for path in remove(Private(tmp_path))] == ["sentinel-run.service"]
    assert [file.name for file in tmp_path.rglob("*")] == ["multi-user.target.wants"]
