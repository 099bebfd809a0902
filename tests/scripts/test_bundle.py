"""The offline bundle, built once and installed by an ordinary user in a namespace without network.

Building fetches wheels, by their hashes; nothing else here uses the network, and the installer could not.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sentinel import __version__
from tests.cli.written import host, nmap, service

pytestmark = [pytest.mark.namespace, pytest.mark.xdist_group("bundle")]

ROOT = Path(__file__).parents[2]
OFFLINE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--net")
"""Root of the machine or not, what runs in there is user 1000 and has no interface that is up."""
TOOLS = (
    *("cat", "chmod", "cp", "dirname", "grep", "id", "ln", "ls", "mkdir", "mktemp"),
    *("readlink", "rm", "rmdir", "sed", "sh", "sha256sum", "tail", "tr"),
)
"""All the installer needs of a system, beside Python."""


@dataclass(frozen=True)
class School:
    """A user of a machine without network, and the folder the bundle was unpacked in.

    Attributes:
        home: home folder, empty at first.
        path: the only folder programs are looked up in.
        bundle: the unpacked bundle.
    """

    home: Path
    path: Path
    bundle: Path

    @property
    def prefix(self) -> Path:
        return self.home / ".local" / "share" / "sentinel"

    @property
    def program(self) -> Path:
        return self.home / ".local" / "bin" / "sentinel"

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program as that user, without network."""
        env = {"HOME": str(self.home), "PATH": str(self.path), "TMPDIR": str(self.home.parent)}
        return subprocess.run(
            [shutil.which("unshare") or "unshare", *OFFLINE[1:], *map(str, words)],
            env=env,
            cwd=self.home.parent,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def install(self, *words: str, bundle: Path | None = None) -> subprocess.CompletedProcess[str]:
        return self.run("sh", (bundle or self.bundle) / "install.sh", *words)

    def sentinel(self, *words: str | Path) -> str:
        """Run the installed program and give what it printed."""
        done = self.run(self.program, *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle as `make bundle` writes it."""
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "bundle.py", "--out", out], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("*.tar.gz")
    assert done.stdout == f"{path}\n"
    return path


@pytest.fixture(scope="module")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archive) as stream:
        stream.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


def make_school(folder: Path, bundle: Path) -> School:
    home, path = folder / "home", folder / "bin"
    home.mkdir()
    path.mkdir()
    for name in TOOLS:
        (path / name).symlink_to(shutil.which(name) or "")
    base = sys._base_executable  # type: ignore[attr-defined]
    (path / f"python3.{sys.version_info.minor}").symlink_to(base)
    return School(home, path, bundle)


@pytest.fixture
def school(tmp_path: Path, unpacked: Path) -> School:
    """A user who has installed nothing yet."""
    return make_school(tmp_path, unpacked)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, unpacked: Path) -> tuple[School, str]:
    """A user who has installed the bundle, and what the installer said."""
    school = make_school(tmp_path_factory.mktemp("school"), unpacked)
    done = school.install()
    assert done.returncode == 0, (done.stdout, done.stderr)
    return school, done.stdout


def write_sums(bundle: Path) -> None:
    """Make the sums fit what is there, as a forger would."""
    files = [path for path in bundle.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    sums = {path.relative_to(bundle): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    (bundle / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))


@pytest.fixture
def altered(unpacked: Path, tmp_path: Path) -> Callable[[str, Callable[[bytes], bytes]], Path]:
    """Give a copy of the bundle with one file changed; its sums stay as they were."""

    def alter(pattern: str, change: Callable[[bytes], bytes]) -> Path:
        copy = tmp_path / "altered"
        shutil.copytree(unpacked, copy)
        (path,) = copy.glob(pattern)
        path.write_bytes(change(path.read_bytes()))
        return copy

    return alter


def names(lock: str) -> dict[str, str]:
    """Give a lock's packages and versions."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE))


def hashes(lock: str) -> set[str]:
    return set(re.findall(r"--hash=(\S+)", (ROOT / lock).read_text()))


def test_runtime_lock_when_compared_holds_versions_and_hashes_of_the_whole_lock() -> None:
    run, whole = names("requirements.run.lock"), names("requirements.lock")
    assert run.items() <= whole.items()
    assert hashes("requirements.run.lock") <= hashes("requirements.lock")
    assert "typer" in run
    assert not {"scapy", "python-nmap", "pytest", "playwright", "hatchling"} & set(run)
    assert {"scapy", "python-nmap", "pytest", "playwright", "hatchling"} <= set(whole)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements.run.lock", "requirements.pip.lock"])
def test_lock_when_read_names_no_place_to_fetch_from(lock: str) -> None:
    assert hashes(lock)
    assert "://" not in (ROOT / lock).read_text()
    assert "index" not in (ROOT / lock).read_text()


def test_bundle_when_named_tells_version_python_libc_and_machine(archive: Path) -> None:
    minor = sys.version_info.minor
    assert re.fullmatch(
        rf"sentinel-{re.escape(__version__)}-py3\.{minor}-linux-(glibc2\.\d+|musl)-\w+\.tar\.gz", archive.name
    )
    (digest, name) = Path(f"{archive}.sha256").read_text().split()
    assert (digest, name) == (hashlib.sha256(archive.read_bytes()).hexdigest(), archive.name)


def test_bundle_when_packed_holds_the_runtime_and_nothing_of_the_workshop(unpacked: Path) -> None:
    there = {path.name.partition("-")[0].lower().replace("_", "-") for path in (unpacked / "wheels").iterdir()}
    assert there - {"sentinel-campus"} <= set(names("requirements.run.lock"))
    assert {"sentinel-campus", "typer", "sqlmodel", "fastapi", "lxml"} <= there
    assert {path.name.partition("-")[0] for path in (unpacked / "tools").iterdir()} == {"pip"}
    tops = {path.name for path in unpacked.iterdir()}
    assert tops == {
        *{"CHANGELOG.md", "LICENSE", "README.md", "SHA256SUMS", "VERSION", "docs", "install.sh", "licences", "rules"},
        *{"requirements.run.lock", "sentinel.lock", "tools", "wheels"},
    }
    summed = {line.split("  ", 1)[1] for line in (unpacked / "SHA256SUMS").read_text().splitlines()}
    files = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert summed == files - {"SHA256SUMS"}


def test_bundle_when_packed_holds_the_licence_of_every_wheel(unpacked: Path) -> None:
    wheels = [*(unpacked / "wheels").iterdir(), *(unpacked / "tools").iterdir()]
    texts = {path.parent.name.lower().replace("_", "-").replace(".", "-") for path in unpacked.glob("licences/*/*")}
    assert {"-".join(path.name.split("-")[:2]).lower().replace("_", "-").replace(".", "-") for path in wheels} == texts
    table = (unpacked / "licences" / "README.md").read_text()
    assert "| pySigma | 2.0.1 | LGPL-2.1-only |" in table
    assert len(re.findall(r"(?m)^\| [^|]+ \| \d[^|]* \| \S[^|]* \|$", table)) == len(wheels)


def test_namespace_when_asked_for_a_way_out_has_none(school: School) -> None:
    (python,) = school.path.glob("python3.*")
    reach = "import os, socket; print(os.getuid(), socket.socket(type=socket.SOCK_DGRAM).connect_ex(('192.0.2.1', 9)))"
    assert school.run(python, "-c", reach).stdout == "1000 101\n"  # ENETUNREACH


def test_install_when_done_works_without_network(installed: tuple[School, str], tmp_path: Path) -> None:
    school, _ = installed
    file, page = tmp_path / "old.xml", tmp_path / "report.html"
    file.write_text(nmap(host("192.0.2.7", service(3389, "ms-wbt-server"))))
    assert school.sentinel("--version") == f"sentinel {__version__}\n"
    school.sentinel("init", "--unit", "示例中学")
    school.sentinel("import", file)
    assert "3389" in school.sentinel("map", "--json")
    school.sentinel("report", "school", "--out", page)
    assert "192.0.2.7" in page.read_text()


def test_install_when_done_says_what_is_missing_and_what_comes_next(installed: tuple[School, str]) -> None:
    school, said = installed
    assert "apt-get install nmap fonts-noto-cjk" in said
    assert f"{school.program} doctor\n" in said
    assert f"{school.program} init\n" in said
    kept = school.prefix / "current" / "share" / "doc"
    assert {"README.md", "LICENSE", "docs", "rules", "licences"} <= {path.name for path in kept.iterdir()}
    assert sorted(path.name for path in school.home.iterdir() if path.name != "sentinel") == [".local"]  # no cache


def test_install_when_run_again_takes_over_and_keeps_the_one_before(installed: tuple[School, str]) -> None:
    school, _ = installed
    before = (school.prefix / "current").readlink()
    (school.prefix / "versions" / "0.0.1.forgotten").mkdir()
    school.sentinel("--home", school.home / "served", "init", "--unit", "示例中学")
    unit = school.sentinel("--home", school.home / "served", "service", "install", "--user", "--dry-run")
    assert f'ExecStart="{school.prefix}/current/bin/python" ' in unit
    file = school.home / ".config" / "systemd" / "user" / "sentinel-run.service"
    file.parent.mkdir(parents=True)
    file.write_text(unit)
    done = school.install()
    shutil.rmtree(school.home / ".config")
    shutil.rmtree(school.home / "served")
    assert done.returncode == 0, done.stderr
    assert "systemctl restart" in done.stdout
    after = (school.prefix / "current").readlink()
    assert after != before
    assert {path.name for path in (school.prefix / "versions").iterdir()} == {before.name, after.name}
    assert school.sentinel("--version") == f"sentinel {__version__}\n"


def test_upgrade_when_the_new_one_does_not_answer_leaves_the_old_one_at_work(
    installed: tuple[School, str], altered: Callable[[str, Callable[[bytes], bytes]], Path]
) -> None:
    school, _ = installed
    before = {path: path.lstat().st_mtime_ns for path in [*school.prefix.iterdir(), *school.prefix.glob("versions/*")]}
    hollow = altered("requirements.run.lock", lambda _: b"")
    write_sums(hollow)
    done = school.install(bundle=hollow)
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    after = {path: path.lstat().st_mtime_ns for path in [*school.prefix.iterdir(), *school.prefix.glob("versions/*")]}
    changing = school.prefix / "versions"  # the new one stood in it for a while
    assert {**after, changing: 0} == {**before, changing: 0}
    assert school.sentinel("--version") == f"sentinel {__version__}\n"


def refused(school: School, bundle: Path) -> str:
    """Install what must be refused; give the only line on standard error. Nothing may be left."""
    done = school.install(bundle=bundle)
    assert done.returncode == 1, (done.stdout, done.stderr)
    (line,) = done.stderr.splitlines()
    assert not school.prefix.exists()
    assert not school.program.is_symlink()
    return line


def test_install_when_a_wheel_was_tampered_with_refuses_and_names_it(
    school: School, altered: Callable[[str, Callable[[bytes], bytes]], Path]
) -> None:
    line = refused(school, altered("wheels/typer-*.whl", lambda bytes_: bytes_ + b"\0"))
    assert "nothing installed: wheels/typer-" in line
    assert list(school.home.iterdir()) == []


def test_install_when_a_wheel_and_its_sum_were_forged_refuses_by_the_lock(
    school: School, altered: Callable[[str, Callable[[bytes], bytes]], Path]
) -> None:
    forged = altered("wheels/alembic-*.whl", lambda bytes_: bytes_ + b"\0")
    write_sums(forged)
    assert "failed, what was there is unchanged: pip: " in refused(school, forged)


@pytest.mark.parametrize(
    ("before", "after"),
    [(rb"soabi=cpython-\d+", b"soabi=cpython-310"), (rb"-linux-\w+", b"-linux-other"), (rb"glibc=\d+", b"glibc=99")],
)
def test_install_when_the_machine_does_not_fit_refuses_in_a_line(
    school: School, altered: Callable[[str, Callable[[bytes], bytes]], Path], before: bytes, after: bytes
) -> None:
    other = altered("VERSION", lambda text: re.sub(before, after, text))
    write_sums(other)
    line = refused(school, other)
    assert "does not fit, nothing installed: needs cpython-" in line
    assert f"found python3.{sys.version_info.minor}: " in line
    assert list(school.home.iterdir()) == []


def test_install_when_the_place_is_taken_by_something_else_refuses(school: School) -> None:
    school.prefix.mkdir(parents=True)
    (school.prefix / "thesis.doc").touch()
    done = school.install()
    assert done.returncode == 1
    assert "choose another --prefix" in done.stderr
    assert [path.name for path in school.prefix.iterdir()] == ["thesis.doc"]


def test_uninstall_when_run_removes_what_was_installed_and_no_home(school: School) -> None:
    prefix = school.home / "my programs"
    assert school.install("--prefix", str(prefix)).returncode == 0
    school.sentinel("init", "--unit", "示例中学")
    unit = school.home / ".config" / "systemd" / "user" / "sentinel-run.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(school.sentinel("service", "install", "--user", "--dry-run"))
    done = school.run("sh", prefix / "install.sh", "--uninstall")
    shutil.rmtree(school.home / ".config")
    assert done.returncode == 0, done.stderr
    assert f"  {unit}\n" in done.stdout, "a service that names it is told of"
    assert not prefix.exists()
    assert not school.program.is_symlink()
    assert (school.home / "sentinel" / "sentinel.toml").is_file()


@pytest.mark.parametrize("words", [["--prefix"], ["--wrong"], ["--prefix", ""]])
def test_installer_when_a_word_is_wrong_shows_its_usage(school: School, words: list[str]) -> None:
    done = school.install(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage" in done.stderr


def test_uninstall_when_nothing_is_there_says_so(school: School) -> None:
    done = school.install("--uninstall")
    assert done.returncode == 1
    assert f"not installed in {school.prefix}" in done.stderr
