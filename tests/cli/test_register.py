"""`register` and the sheets of `import` through the real command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.command import TRIAL, Done, Sentinel
from tests.schedule.messy import PERSON, PHONE, write_messy

FLAWS = (
    "漏洞名称,风险等级,IP地址,端口\nRedis 未授权访问,严重,192.0.2.1,6379\n"
    "=cmd|x!A1,高危,192.0.2.1,22\n@SUM(1),高危,192.0.2.2,22\n"
)


@pytest.fixture
def key(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    return write_messy(tmp_path / "台账.xlsx")


def shows_nobody(done: Done) -> bool:
    return PERSON not in done.out + done.err and PHONE not in done.out + done.err


def shown_times(sentinel: Sentinel) -> int:
    with closing(sqlite3.connect(sentinel.home / "var" / "sentinel.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM audit WHERE action='register.show'").fetchone()
    return int(count)


def test_register_when_imported_is_listed_with_its_persons_masked(
    sentinel: Sentinel, messy: Path, key: dict[str, str]
) -> None:
    done = sentinel.run("register", "import", messy, env=key)
    assert "C IP地址 → IP地址" in done.out
    assert "新增 6 条" in done.out
    assert shows_nobody(done)
    listed = sentinel.run("register", "list", env=key)
    assert "张**" in listed.out
    assert shows_nobody(listed)
    assert shows_nobody(sentinel.run("register", "list", "--json", env=key))
    rows = sentinel.rows("register", "list", "--persons", "--department", "教务", env=key)
    assert shown_times(sentinel) == 1
    assert [row["person"]["name"] for row in rows] == [PERSON, "李四"]


def test_register_without_the_key_says_so_and_shows_the_rest(
    sentinel: Sentinel, messy: Path, key: dict[str, str], tmp_path: Path
) -> None:
    sentinel.run("register", "import", messy, env=key)
    elsewhere = {"XDG_CONFIG_HOME": str(tmp_path / "nowhere")}
    assert "（无密钥）" in sentinel.run("register", "list", "--persons", env=elsewhere).out
    assert sentinel.rows("register", "list", env=elsewhere)[0]["person"] is None


def test_dry_run_shows_the_first_rows_masked_and_stores_nothing(
    sentinel: Sentinel, messy: Path, key: dict[str, str]
) -> None:
    done = sentinel.run("register", "import", messy, "--dry-run", env=key)
    assert TRIAL in done.out
    assert "张**" in done.out
    assert shows_nobody(done)
    assert sentinel.rows("register", "list", env=key) == []


def test_bad_rows_are_named_and_the_status_is_three(sentinel: Sentinel, tmp_path: Path, key: dict[str, str]) -> None:
    (tmp_path / "a.csv").write_text(
        "系统名称,IP地址,责任人\n教务,10.1.0.5,\n门户,10.1.0.555,某某人\n", encoding="utf-8"
    )
    done = sentinel.run("register", "import", tmp_path / "a.csv", env=key, expect=3)
    assert "第 3 行 B 列（IP地址）" in done.err
    assert "10.1.0.555" not in done.err
    assert "某某人" not in done.out + done.err
    (*_, summary) = sentinel.rows("register", "import", tmp_path / "a.csv", env=key, expect=3)
    assert summary["summary"]["known"] == 1


def test_correction_is_kept_listed_and_forgotten(sentinel: Sentinel, tmp_path: Path, key: dict[str, str]) -> None:
    file = tmp_path / "a.csv"
    file.write_text("系统名称,甲列,乙列\n教务,10.1.0.5,x\n", encoding="utf-8")
    done = sentinel.run("register", "import", file, "--map", "甲列=IP地址", "--map", "乙列=", env=key)
    assert "B 甲列 → IP地址（更正）" in done.out
    (row,) = sentinel.rows("register", "mapping")
    assert row["columns"] == {"甲列": "address", "乙列": ""}
    assert "甲列 → IP地址" in sentinel.run("register", "mapping").out
    sentinel.run("register", "mapping", "--forget", "1")
    assert sentinel.rows("register", "mapping") == []
    sentinel.run("register", "mapping", "--forget", "1", expect=2)


@pytest.mark.parametrize(
    "words",
    [
        ("--map", "甲"),
        ("--map", "系统名称=没有"),
        ("--map", "没有这列=备注"),
        ("--replace", "没有.csv"),
    ],
)
def test_wrong_option_is_one_line(
    sentinel: Sentinel, tmp_path: Path, key: dict[str, str], words: tuple[str, ...]
) -> None:
    (tmp_path / "a.csv").write_text("系统名称,IP地址\n教务,10.1.0.5\n", encoding="utf-8")
    done = sentinel.run("register", "import", tmp_path / "a.csv", *words, env=key, expect=None)
    assert done.status in {2, 3}
    assert done.complaint
    assert sentinel.rows("register", "list", env=key) == []


def test_line_when_withdrawn_is_gone_from_the_list(sentinel: Sentinel, messy: Path, key: dict[str, str]) -> None:
    sentinel.run("register", "import", messy, env=key)
    sentinel.run("register", "withdraw", "1", "2", "--why", "已拆除，问 13812345678")
    with closing(sqlite3.connect(sentinel.home / "var" / "sentinel.db")) as database:
        (after,) = database.execute("SELECT after FROM audit WHERE action='register.withdraw'").fetchone()
    assert "138****5678" in after
    assert len(sentinel.rows("register", "list", env=key)) == 4
    sentinel.run("register", "withdraw", "1", "--why", "再来", expect=2)
    sentinel.run("register", "withdraw", "3", "--why", " ", expect=2)


def test_import_takes_all_kinds_and_goes_on_after_a_bad_file(
    sentinel: Sentinel, messy: Path, tmp_path: Path, key: dict[str, str]
) -> None:
    (tmp_path / "漏洞.csv").write_bytes(FLAWS.encode("gb18030"))
    (tmp_path / "坏.csv").write_bytes(b"\x00\x01")
    (tmp_path / "arp.txt").write_text("192.0.2.1 dev eth0 lladdr 00:00:5e:00:53:01 REACHABLE\n")
    files = [tmp_path / name for name in ("坏.csv", "漏洞.csv", "台账.xlsx", "arp.txt")]
    rows = sentinel.rows("import", *files, env=key, expect=3)
    assert [row["format"] for row in rows] == [None, "flaw-list", "register", "arp-table"]
    assert (rows[1]["findings_opened"], rows[1]["refused"], rows[2]["lines_added"]) == (2, 1, 6)
    again = sentinel.run("import", *files[1:], env=key, expect=3)
    assert "报告隐患新增 0" in again.out
    assert shows_nobody(again)


def test_finding_of_a_report_is_listed_with_its_reference(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        f"CVE编号,{FLAWS}".replace("\nRedis", "\nCVE-2022-0543,Redis").split("\n=")[0], encoding="utf-8"
    )
    sentinel.run("import", tmp_path / "a.csv", "--vantage", "outside")
    (row,) = [one for one in sentinel.rows("finding", "list") if one["source"] == "third_party_report"]
    assert row["reference"].endswith("CVE-2022-0543")
    assert row["rule"] == "report.list.redis-未授权访问"
    assert "vantage=outside" in row["detail"]


@pytest.mark.parametrize("words", [("--as", "nothing"), ("--map", "甲=备注"), ("--as", "register", "--map", "甲")])
def test_import_with_a_wrong_kind_or_map_is_a_mistake_of_the_command_line(
    sentinel: Sentinel, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "a.csv").write_text("系统名称,IP地址\n教务,10.1.0.5\n", encoding="utf-8")
    assert sentinel.run("import", tmp_path / "a.csv", *words, expect=2).complaint
