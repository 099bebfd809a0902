"""What `doctor` finds right and wrong, and the error each wrong thing leads to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from shutil import disk_usage
from types import SimpleNamespace

import pytest

from sentinel.collect.privilege import RawSockets
from sentinel.errors import ConfigError, RuleError, StoreError
from sentinel.model.moment import SHANGHAI
from sentinel.schedule.checkup import Checked, examine, machine, place
from sentinel.store.register import write_register
from sentinel.store.seal import make_seal
from tests.homes import NOW, copy_home, opened
from tests.schedule.nmapfile import NmapRun, at, give, host
from tests.store.test_register import ENTRY


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
    monkeypatch.setattr(machine, "raw_sockets", lambda: RawSockets(False, "raw sockets cannot be opened: x"))
    full = SimpleNamespace(total=disk_usage(home).total, used=0, free=1 << 20)
    monkeypatch.setattr(place.shutil, "disk_usage", lambda _: full)
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


def test_checkup_always_says_what_a_missing_thing_costs_and_what_mends_it(home: Path) -> None:
    found = checked(home)
    names = {
        "内核",
        "glibc",
        "即时编译",
        "中文字体",
        "时钟",
        "时区",
        "数据库",
        "联系人密钥",
        "备份",
        "证据预算",
        "数据到来",
        "服务",
    }
    assert names <= found.keys()
    assert all(len(one.detail) > 3 for one in found.values())
    assert (found["备份"].state, found["服务"].state) == ("limited", "limited")


def test_checkup_without_fonts_a_time_service_or_a_browser_names_the_commands(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, text in (("fc-list", ""), ("timedatectl", "echo no")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/nonexistent")
    found = checked(home)
    assert {name: (found[name].state, found[name].remedy) for name in ("中文字体", "时钟")} == {
        "中文字体": ("limited", "apt-get install fonts-noto-cjk"),
        "时钟": ("limited", "timedatectl set-ntp true"),
    }


@pytest.mark.parametrize(("days", "state"), [(0, "ok"), (1, "ok"), (5, "limited")])
def test_checkup_looks_how_old_the_newest_backup_is(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, state: str
) -> None:
    monkeypatch.setenv("SENTINEL_BACKUP_DIR", str(tmp_path))
    assert checked(home)["备份"].detail.endswith("还没有备份")
    moment = datetime.now(SHANGHAI) - timedelta(days=days)
    (tmp_path / f"sentinel-school-{moment:%Y%m%d-%H%M%S}.tar").touch()
    (tmp_path / f"sentinel-other-{datetime.now(SHANGHAI):%Y%m%d-%H%M%S}.tar").touch()
    assert checked(home)["备份"].state == state


def test_checkup_when_the_contact_key_is_missing_wrong_or_open_to_others_says_how_to_mend_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "contact.key"
    monkeypatch.setenv("SENTINEL_CONTACT_KEY", str(key))
    assert checked(home)["联系人密钥"].state == "ok", "nothing is sealed yet"
    with opened(home) as context, context.database.transaction("tester", NOW) as transaction:
        write_register(transaction, [ENTRY], make_seal(key))
        transaction.audit("register.add", "test")
    assert checked(home)["联系人密钥"].state == "ok"
    key.chmod(0o644)
    assert "others may read" in checked(home)["联系人密钥"].detail
    key.unlink()
    assert "打不开" in checked(home)["联系人密钥"].detail
    make_seal(key)
    assert "与数据不符" in checked(home)["联系人密钥"].detail
    assert all(one.error is None for one in checked(home).values()), "scans and findings need no contact"
