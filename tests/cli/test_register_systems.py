"""The commands of information systems through the real command line."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.cli.command import TRIAL, Sentinel

HEAD = (
    "系统名称,责任部门,分管领导,领导电话,管理员,联系电话,业务信息安全等级,系统服务安全等级,等保备案号,关键信息基础设施"
)
ROWS = (
    "教务系统,教务处,示例甲,0371-60000001,示例乙,13800000001,二级,三级,41010012345-00012,是",
    "学校网站,党委宣传部,,,示例丙,13800000002,二级,二级,,否",
)
HIDDEN = ("示例甲", "示例乙", "60000001", "13800000001")


@pytest.fixture
def key(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "系统.csv"
    path.write_text("\n".join((HEAD, *ROWS)) + "\n", encoding="utf-8")
    return path


def audited(sentinel: Sentinel, action: str) -> int:
    with closing(sqlite3.connect(sentinel.home / "var" / "sentinel.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM audit WHERE action=?", (action,)).fetchone()
    return int(count)


def test_template_is_written_filled_in_and_its_bad_rows_come_back_marked(
    sentinel: Sentinel, tmp_path: Path, key: dict[str, str]
) -> None:
    form, back = tmp_path / "登记表.xlsx", tmp_path / "退回.xlsx"
    sentinel.run("register", "template", "--out", form)
    again = sentinel.run("register", "template", "--out", form, expect=2)
    assert "--force" in again.err
    sentinel.run("register", "template", "--out", form, "--force")
    sentinel.run("register", "template", "--out", tmp_path / "a.csv", expect=2)
    book = load_workbook(form)
    for row, name, level in ((2, "教务系统", "二级"), (3, "网站", "六级")):
        book["信息系统"].cell(row, 1).value = name
        heads = {cell.value: cell.column for cell in book["信息系统"][1]}
        book["信息系统"].cell(row, heads["业务信息安全等级"]).value = level
    book["主机与域名"].append(["教务系统", "10.1.0.5", "jw.school.example", "443"])
    book.save(form)
    done = sentinel.run("register", "import", form, "--marked", back, env=key, expect=3)
    assert "信息系统 第 3 行" in done.err
    assert "不是一至五级" in done.err
    assert "退回 1 行" in done.out
    assert "新增 1 个（草稿）" in done.out
    assert load_workbook(back).sheetnames == ["信息系统", "主机与域名"]
    assert audited(sentinel, "register.marked") == 1
    (one,) = sentinel.rows("register", "systems", env=key)
    assert (one["name"], one["level"], one["state"]) == ("教务系统", 2, "draft")
    (shown,) = sentinel.rows("register", "show", one["id"], env=key)
    assert (shown["addresses"], shown["domains"]) == (["10.1.0.5/32"], ["jw.school.example"])
    (summary,) = [
        row for row in sentinel.run("register", "import", form, "--json", env=key, expect=3).rows if "summary" in row
    ]
    assert summary["summary"]["systems"] == 1
    assert summary["summary"]["systems_added"] == 0


@pytest.mark.parametrize("words", [("--marked", "a.csv"), ("--marked", "系统.csv")])
def test_marked_copy_needs_a_file_of_its_own(sentinel: Sentinel, sheet: Path, words: tuple[str, str]) -> None:
    done = sentinel.run("register", "import", sheet, words[0], sheet.with_name(words[1]), expect=2)
    assert "--marked" in done.err


def test_systems_are_listed_masked_and_without_what_is_critical(
    sentinel: Sentinel, sheet: Path, key: dict[str, str]
) -> None:
    sentinel.run("register", "import", sheet, env=key)
    for done in (
        sentinel.run("register", "systems", env=key),
        sentinel.run("register", "systems", "--json", env=key),
        sentinel.run("register", "show", "1", env=key),
        sentinel.run("register", "due", "--within", "365", env=key),
        sentinel.run("register", "reconcile", env=key),
    ):
        assert done.status == 0
        assert "教务系统" in done.out
        assert not any(word in done.out + done.err for word in HIDDEN)
        assert "cii" not in done.out
        assert "关键信息" not in done.out
    assert audited(sentinel, "register.show") == 0
    full = sentinel.run("register", "show", "1", "--persons", "--cii", env=key)
    assert all(word in full.out for word in HIDDEN)
    assert "关键信息基础设施：是" in full.out
    assert "前两位为河南" in full.out
    assert audited(sentinel, "register.show") == 1
    (one,) = sentinel.rows("register", "systems", "--persons", "--level", "3", env=key)
    assert one["persons"]["leader"]["name"] == "示例甲"
    assert "cii" not in one
    without = sentinel.rows("register", "systems", env={"XDG_CONFIG_HOME": "/nonexistent/x"})
    assert [row["persons"] for row in without] == [None, None]


def test_system_goes_its_way_and_each_step_is_shown(sentinel: Sentinel, sheet: Path, key: dict[str, str]) -> None:
    sentinel.run("register", "import", sheet, env=key)
    assert "现为已提交" in sentinel.run("register", "submit", "1", "2").out
    assert "现为已审核" in sentinel.run("register", "approve", "1").out
    assert "现为已退回" in sentinel.run("register", "return", "2", "--why", "缺备案号，电话 13812345678").out
    refused = sentinel.run("register", "approve", "2", expect=2)
    assert "is returned: only what is submitted" in refused.err
    sentinel.run("register", "retire", "1", "--why", " ", expect=2)
    sentinel.run("register", "confirm", "1")
    sentinel.run("register", "confirm", "9", expect=2)
    assert [row["name"] for row in sentinel.rows("register", "systems", "--state", "approved")] == ["教务系统"]
    (shown,) = sentinel.rows("register", "show", "2", env=key)
    steps = [(one["step"], one["reason"]) for one in shown["steps"]]
    assert steps == [("declared", ""), ("submitted", ""), ("returned", "缺备案号，电话 138****5678")]
    sentinel.run("register", "show", "2", "--at", "2020-01-01", expect=2)
    assert "又称：教务平台" in sentinel.run("register", "join", "1", "教务平台").out
    refused = sentinel.run("register", "join", "1", "学校网站", expect=2)
    assert "retire that one first" in refused.err
    sentinel.run("register", "retire", "2", "--why", "并入教务系统")
    assert "又称：学校网站、教务平台" in sentinel.run("register", "join", "1", "学校网站").out
    assert "retired" in sentinel.run("register", "join", "2", "别的", expect=2).err
    sentinel.run("register", "import", sheet, env=key)
    assert [row["state"] for row in sentinel.rows("register", "systems")] == ["approved", "retired"]
    sentinel.run("register", "retire", "1", "--why", "取代")
    assert [row["id"] for row in sentinel.rows("register", "due", "--within", "3650", env=key)] == []


def test_lines_are_gathered_planned_off_and_reconciled(sentinel: Sentinel, tmp_path: Path, key: dict[str, str]) -> None:
    path = tmp_path / "台账.csv"
    path.write_text("系统名称,IP地址,域名\n教务系统,10.1.0.5,\n网站,203.0.113.9,club.other.example\n", encoding="utf-8")
    sentinel.run("register", "import", path, env=key)
    reconciled = Counter((one["kind"], one["state"]) for one in sentinel.rows("register", "reconcile"))
    page = tmp_path / "school.json"
    sentinel.run("report", "school", "--format", "json", "--out", page)
    told = json.loads(page.read_text(encoding="utf-8"))["view"]["register"]
    assert sum(line["total"] for line in told["states"]) == sum(reconciled.values()) > 0
    kinds = ("system", "host", "line", "domain")
    assert [sum(line["counts"][index] for line in told["states"]) for index in range(4)] == [
        sum(count for (kind, _), count in reconciled.items() if kind == wanted) for wanted in kinds
    ]
    shown = sentinel.run("register", "gather", "--dry-run").out
    assert shown.count("教务系统") == 1
    assert TRIAL in shown
    assert TRIAL in sentinel.run("evidence", "prune", "--dry-run").out
    assert sentinel.rows("register", "systems") == []
    assert len(sentinel.rows("register", "gather")) == 2
    assert "--until" in sentinel.run("register", "offline", "1", expect=2).err
    sentinel.run("register", "offline", "--host", "x", "--until", "2099-01-01", "--why", "y", expect=2)
    assert [row["addresses"] for row in sentinel.rows("register", "list", "--system", "1", env=key)] == [["10.1.0.5"]]
    assert "--host" in sentinel.run("register", "offline", "--until", "2099-01-01", "--why", "y", expect=2).err
    words = ("register", "offline", "1", "--until", "2099-01-01", "--why", "机房改造")
    (plan,) = sentinel.rows(*words)
    assert (plan["system"], plan["in_force"], plan["reason"]) == (1, True, "机房改造")
    told = {(row["kind"], row["name"]): row for row in sentinel.rows("register", "reconcile")}
    assert told["system", "教务系统"]["state"] == "offline_by_plan"
    assert told["domain", "club.other.example"]["state"] == "not_checked"
    assert "双非未核查" in sentinel.run("register", "reconcile").out
    sentinel.run("setting", "set", "own_domains", "school.example")
    sentinel.run("unit", "exit", "add", "教育网", "198.51.100.0/24")
    off = sentinel.rows("register", "reconcile", "--state", "off_campus")
    assert [(row["kind"], row["name"], row["reason"]) for row in off] == [
        ("domain", "club.other.example", "outside_all")
    ]
    assert {row["kind"] for row in sentinel.rows("register", "reconcile", "--kind", "system")} == {"system"}
    assert "goes with nothing else" in sentinel.run("register", "offline", "2", "--end", "1", expect=2).err
    sentinel.run("register", "offline", "--end", "1")
    assert sentinel.rows("register", "offline") == []


def test_system_when_renamed_is_shown_and_found_with_its_former_name(
    sentinel: Sentinel, sheet: Path, key: dict[str, str]
) -> None:
    sentinel.run("register", "import", sheet, env=key)
    renamed = sentinel.run("register", "rename", "1", "智慧教务", "--why", "升级", env=key).out
    assert "原名教务系统，现名智慧教务" in renamed
    assert "曾用名：教务系统（至 " in sentinel.run("register", "show", "1", env=key).out
    (row,) = sentinel.rows("register", "show", "1", env=key)
    assert (row["name"], [one["name"] for one in row["former_names"]]) == ("智慧教务", ["教务系统"])
    assert row["steps"][-1]["reason"] == "教务系统 → 智慧教务：升级"
    for name in ("智慧", "教务系统", "教 务"):
        assert [one["id"] for one in sentinel.rows("register", "systems", "--name", name, env=key)] == [1]
    assert sentinel.rows("register", "systems", "--name", "没有", env=key) == []
    assert "is a name of system 2" in sentinel.run("register", "rename", "1", "学校网站", env=key, expect=2).complaint
    assert audited(sentinel, "register.rename") == 1
