"""Finding server programs and asking them for their version, real ones and scripts that speak as others would."""

import os
import re
from pathlib import Path

import pytest

from sentinel.drill.native import child, program
from sentinel.drill.native.program import Kind, Program, find_programs, library_path
from sentinel.errors import UsageError
from tests.drill.within import NETWORK, within

IS_PROGRAM = program._is_program
IN_A_TREE = """
import json, sys
from pathlib import Path
from sentinel.drill.native.program import find_programs
print(json.dumps([[one.kind, one.trouble] for one in find_programs(Path(sys.argv[1]))]))
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to find programs in, on a machine that has none."""
    monkeypatch.setattr(program, "_is_program", lambda path: path.is_relative_to(tmp_path) and IS_PROGRAM(path))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def make_program(tree: Path, name: str, script: str) -> Path:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return path


def found(tree: Path, kind: Kind) -> Program:
    (only,) = find_programs(tree)
    assert only.kind is kind
    return only


def test_find_when_packages_are_unpacked_then_each_server_is_found_there_with_its_version(unpacked: Path) -> None:
    programs = {one.kind: one for one in find_programs(unpacked)}

    assert set(programs) == set(Kind)
    assert [one.trouble for one in programs.values()] == [""] * len(Kind)
    for kind in (Kind.NGINX, Kind.REDIS, Kind.SSHD, Kind.MOSQUITTO):
        assert programs[kind].path.is_relative_to(unpacked.resolve())
    assert re.fullmatch(r"\d+\.\d+\.\d+", programs[Kind.NGINX].version)
    assert re.match(r"\d+\.\d+p\d( |$)", programs[Kind.SSHD].version)
    assert programs[Kind.POSTGRES].beside.name == "initdb"


@pytest.mark.parametrize(
    ("name", "script", "version"),
    [
        ("usr/sbin/nginx", "echo nginx version: nginx/1.18.0 '(Ubuntu)' >&2", "1.18.0"),
        ("usr/bin/redis-server", "echo Redis server v=8.0.2 sha=00000000:0 malloc=jemalloc bits=64", "8.0.2"),
        ("usr/sbin/mosquitto", "echo mosquitto version 2.0.11; exit 3", "2.0.11"),
        ("usr/lib/postgresql/17/bin/postgres", "echo 'postgres (PostgreSQL) 17.6 (Debian 17.6-0+deb13u1)'", "17.6"),
        ("usr/sbin/sshd", "echo OpenSSH_9.2p1 Debian-2+deb12u2, OpenSSL 3.0.9; exit 1", "9.2p1 Debian-2+deb12u2"),
        ("usr/sbin/sshd", "echo OpenSSH_8.9p1 Ubuntu-3ubuntu0.10, OpenSSL 3.0.2 >&2", "8.9p1 Ubuntu-3ubuntu0.10"),
        ("usr/sbin/sshd", "echo OpenSSH_9.8p1, OpenSSL 3.3.1 4 Jun 2024", "9.8p1"),
    ],
)
def test_find_when_a_program_tells_its_version_then_it_is_read(
    name: str, script: str, version: str, tree: Path
) -> None:
    path = make_program(tree, name, script)
    for beside in ("usr/lib/postgresql/17/bin/initdb", "usr/bin/ssh-keygen"):
        make_program(tree, beside, "exit 0")
    told = found(tree, Kind(path.name))

    assert (told.path, told.version, told.tree, told.trouble) == (path, version, tree, "")


@pytest.mark.parametrize(
    ("script", "trouble"),
    [
        ("exit 0", "asked for its version it says: nothing"),
        ("echo error while loading shared libraries >&2; exit 127", "it says: error while loading shared libraries"),
        ("yes | head -c 1000000", "it says: y"),
        ("exec 2>&-; sleep 30", "does not end"),
    ],
)
def test_find_when_a_program_does_not_tell_its_version_then_it_says_why(
    script: str, trouble: str, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "ASK_S", 0.5)
    make_program(tree, "usr/sbin/nginx", script)
    told = found(tree, Kind.NGINX)

    assert told.trouble.endswith(trouble)
    assert told.version == ""


def test_find_when_the_file_is_no_program_then_it_says_why(tree: Path) -> None:
    make_program(tree, "usr/sbin/nginx", "").write_bytes(b"\x7fELF and nothing more")

    assert found(tree, Kind.NGINX).trouble == "Exec format error"


@pytest.mark.parametrize("name", ["usr/sbin/nginx", "usr/bin/nginx"])
def test_find_when_the_file_may_not_be_run_or_is_a_folder_then_it_is_not_found(name: str, tree: Path) -> None:
    (tree / "usr/sbin/nginx").mkdir(parents=True)
    make_program(tree, "usr/bin/nginx", "").chmod(0o644)

    assert find_programs(tree) == ()


def test_find_when_what_it_needs_is_missing_then_it_says_what(tree: Path) -> None:
    make_program(tree, "usr/lib/postgresql/99/bin/postgres", "echo 'postgres (PostgreSQL) 99.1'")

    make_program(tree, "usr/lib/postgresql/15/bin/initdb", "exit 0")

    assert found(tree, Kind.POSTGRES).trouble == "initdb is missing beside it"


def test_find_when_several_postgresql_lie_there_then_the_newest_is_taken(tree: Path) -> None:
    for major in ("9.6", "9", "13", "15"):
        folder = f"usr/lib/postgresql/{major}/bin"
        make_program(tree, f"{folder}/postgres", f"echo 'postgres (PostgreSQL) {major}.7'")
        make_program(tree, f"{folder}/initdb", "exit 0")

    assert found(tree, Kind.POSTGRES).version == "15.7"


def test_find_when_there_is_no_folder_then_it_is_a_usage_error(tree: Path) -> None:
    with pytest.raises(UsageError, match=r"no such folder of unpacked packages; make it with scripts/unpack\.sh$"):
        find_programs(tree / "none")


def test_library_path_when_a_tree_has_libraries_then_all_their_folders_are_named(tree: Path) -> None:
    for name in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib/python3"):
        (tree / name).mkdir(parents=True)

    wanted = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib", "usr/lib")
    assert library_path(tree).split(os.pathsep) == [str(tree / name) for name in wanted]
    assert library_path(None) == ""


@pytest.mark.namespace
def test_find_when_it_would_have_to_run_as_root_then_nothing_is_run(tmp_path: Path) -> None:
    make_program(tmp_path, "usr/sbin/nginx", "echo nginx version: nginx/1.22.1")
    refused = "echo 0 > /proc/sys/user/max_user_namespaces"
    told = within(IN_A_TREE, tmp_path, place=NETWORK, prepare=refused)

    assert ["nginx", "the kernel gives no user namespace, and it is not to run as root"] in told
