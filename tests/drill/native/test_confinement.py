"""What a program may do once it is started for an exercise."""

import os
import tempfile
from pathlib import Path

import pytest

from sentinel.drill.native.child import ask_program, start_program
from tests.drill.within import NETWORK, USER, within

WRITE = (
    'cd /; for one in {}; do (echo x > "$one/written") 2>&1; done; id -u; grep -E "CapEff|NoNewPrivs" /proc/self/status'
)


@pytest.mark.namespace
def test_ask_when_a_program_writes_then_it_can_in_its_folder_alone_and_has_no_rights(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    told = ask_program(["/bin/sh", "-c", WRITE.format(f"{own} {other} /tmp /dev/shm {own}/..")], "", own)

    assert told.count("Read-only file system") == 4
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["written"]
    assert (own / "written").read_text("ascii") == "x\n"
    assert str(os.getuid() or 65534) in told.splitlines()
    assert "CapEff:\t0000000000000000\nNoNewPrivs:\t1" in told


@pytest.mark.namespace
def test_ask_when_no_folder_is_given_then_nothing_can_be_written(tmp_path: Path) -> None:
    told = ask_program(["/bin/sh", "-c", WRITE.format(f"{tmp_path} /tmp")])

    assert told.count("Read-only file system") == 2
    assert list(tmp_path.iterdir()) == []


def test_ask_when_a_program_gets_the_environment_then_it_is_a_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")
    told = ask_program(["/usr/bin/env"], "/some/libraries", tmp_path)

    names = {line.partition("=")[0] for line in told.splitlines()}
    assert names == {"PATH", "LC_ALL", "HOME", "TMPDIR", "LD_LIBRARY_PATH"}


ASK = """
import json, sys
from pathlib import Path
from sentinel.drill.native.child import ask_program
try:
    print(json.dumps(ask_program(["/bin/sh", "-c", "id -u; echo x > written"], "", Path(sys.argv[1]))))
except OSError as error:
    print(json.dumps(str(error)))
"""
NO_MORE_USERS = "echo 0 > /proc/sys/user/max_user_namespaces"


@pytest.mark.namespace
def test_ask_when_root_gets_no_user_namespace_then_nothing_is_run(tmp_path: Path) -> None:
    told = within(ASK, tmp_path, place=NETWORK, prepare=NO_MORE_USERS)

    assert told == "the kernel gives no user namespace, and it is not to run as root"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.namespace
def test_ask_when_an_ordinary_user_gets_no_user_namespace_then_it_runs_with_the_rights_he_has(tmp_path: Path) -> None:
    told = within(ASK, tmp_path, place=(*USER, "--keep-caps"), prepare=NO_MORE_USERS)

    assert told == "1000\n"
    assert (tmp_path / "written").exists()


def test_start_when_a_program_writes_without_end_then_its_files_stay_small(tmp_path: Path) -> None:
    with tempfile.TemporaryFile() as log:
        child = start_program(["/usr/bin/dd", "if=/dev/zero", "of=large", "bs=1M", "count=100"], "", tmp_path, log)
        child.wait(20)

    assert (tmp_path / "large").stat().st_size == 64 * 1024 * 1024
