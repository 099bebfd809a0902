"""What `doctor` finds right and wrong, and the error each wrong thing leads to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import disk_usage
from types import SimpleNamespace

import pytest

from sentinel.collect.privilege import RawSockets
from sentinel.errors import ConfigError, RuleError, StoreError
from sentinel.schedule import checkup
from sentinel.schedule.checkup import Checked, examine
from tests.homes import copy_home, opened
from tests.schedule.nmapfile import NmapRun, at, give, host


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return copy_home(tmp_path / "home").path


def checked(home: Path) -> dict[str, Checked]:
    return {one.name: one for one in examine(home)}


def test_checkup_when_all_is_well_names_no_error(home: Path) -> None:
    found = checked(home)
    assert [found[name].state for name in ("Python", "规则", "审计链", "证据")] == ["ok"] * 4
    assert all(one.error is None for one in found.values())
    assert all(one.remedy for one in found.values() if one.state != "ok")
    assert found["证据"].detail == "尚无证据"


def test_checkup_when_there_is_no_home_looks_at_the_rest(tmp_path: Path) -> None:
    found = checked(tmp_path / "none")
    assert (found["数据目录"].state, found["数据目录"].error) == ("limited", None)
    assert found["规则"].state == "ok"
    assert not (tmp_path / "none").exists()


def test_checkup_when_evidence_is_there_verifies_it(home: Path) -> None:
    with opened(home) as context:
        give(context, NmapRun((host(1, p22="ssh"),), finished=at(1)))
    assert checked(home)["证据"].detail == "抽查 1 份，哈希一致"
    (blob,) = (home / "var" / "evidence").glob("*/*.zst")
    blob.unlink()
    broken = checked(home)["证据"]
    assert broken.state == "missing"
    assert isinstance(broken.error, StoreError)


@pytest.mark.parametrize(
    ("spoil", "name", "kind"),
    [
        (lambda home: (home / "sentinel.toml").write_text("unit = ["), "设置", ConfigError),
        (lambda home: (home / "sentinel.toml").write_text('rules = ["/nonexistent/rules"]'), "规则", RuleError),
        (lambda home: (home / "var" / "sentinel.db").write_bytes(b"x" * 4096), "数据目录", StoreError),
    ],
)
def test_checkup_when_something_is_broken_tells_what_commands_would_end_with(
    home: Path, spoil: Callable[[Path], object], name: str, kind: type[Exception]
) -> None:
    spoil(home)
    found = checked(home)[name]
    assert found.state == "missing"
    assert isinstance(found.error, kind)
    assert found.remedy
    assert str(found.error) in found.detail


def test_checkup_when_a_page_of_the_database_is_torn_says_so(home: Path) -> None:
    with closing(sqlite3.connect(home / "var" / "sentinel.db")) as connection, connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audit'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with (home / "var" / "sentinel.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert isinstance(checked(home)["数据目录"].error, StoreError)


def test_checkup_when_the_machine_is_limited_says_what_it_costs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "raw_sockets", lambda: RawSockets(False, "raw sockets cannot be opened: x"))
    full = SimpleNamespace(total=disk_usage(home).total, used=0, free=1 << 20)
    monkeypatch.setattr(checkup.shutil, "disk_usage", lambda _: full)
    monkeypatch.setenv("PATH", "/nonexistent")
    found = checked(home)
    assert {name: found[name].state for name in ("nmap", "原始套接字", "磁盘", "浏览器")} == {
        "nmap": "missing",
        "原始套接字": "limited",
        "磁盘": "limited",
        "浏览器": "limited",
    }
    assert "UDP" in found["原始套接字"].detail
    assert "不足 1 GiB" in found["磁盘"].detail
    assert found["nmap"].error is None, "importing and judging go on without it"
