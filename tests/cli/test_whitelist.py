"""`whitelist`: draft to apply, prohibitions, explain, due, and requests, through the command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.cli.command import UNIT, Sentinel
from tests.cli.written import START, host, nmap, service

SCAN = nmap(host("192.0.2.1", service(80, "http"), service(23, "telnet")), host("192.0.2.2", service(443, "https")))
FUTURE = "2190-12-31"
"""Far away, for the commands go by the real clock."""


@pytest.fixture
def scanned(sentinel: Sentinel, tmp_path: Path) -> Sentinel:
    """A home that has seen two hosts."""
    file = tmp_path / "scan.xml"
    file.write_text(SCAN)
    sentinel.run("import", file)
    return sentinel


def row_of(sentinel: Sentinel, *words: str | Path) -> dict[str, Any]:
    """Run a command that gives one JSON object."""
    (row,) = sentinel.rows(*words)
    return row


def decide(path: Path, words: dict[str, str]) -> None:
    """Choose decisions in a draft by port."""
    book = openpyxl.load_workbook(path)
    page = book["白名单草案"]
    heads = {cell.value: cell.column for cell in page[1]}
    for row in range(2, page.max_row + 1):
        port = page.cell(row, heads["端口"]).value
        page.cell(row, heads["决定"]).value = words.get(str(port))
        page.cell(row, heads["审批部门或职务"]).value = "网络中心主任"
    book.save(path)


def test_draft_when_reviewed_and_applied_becomes_the_whitelist(scanned: Sentinel, tmp_path: Path) -> None:
    path = tmp_path / "草案.xlsx"
    *lines, last = scanned.rows("whitelist", "draft", "--out", path)
    assert last["summary"] == {"file": str(path), "draft": 1, "lines": 3}
    assert [(one["place"], one["ports"], one["advice"]) for one in lines] == [
        ("192.0.2.1", "23", "deny"),
        ("192.0.2.1", "80", "allow"),
        ("192.0.2.2", "443", "allow"),
    ]
    decide(path, {"23": "不放行", "80": "放行", "443": "随便"})
    done = scanned.run("whitelist", "apply", path, "--marked", tmp_path / "待改.xlsx", "--document", "1 号", expect=3)
    assert "放行 1 条，不放行 1 条" in done.out
    assert "第 4 行 P 列（决定）：不是决定：只能选 放行, 不放行, 暂不处理；该行未写入" in done.err
    assert (tmp_path / "待改.xlsx").exists()
    events = scanned.rows("whitelist", "apply", path, expect=3)
    assert [one.get("event") for one in events] == ["refused", None]
    assert events[-1]["summary"] == {
        "file": str(path), "rows": 3, "added": 0, "skipped": 0, "known": 2, "undecided": 0, "changed": 0, "refused": 1,
    }  # fmt: skip
    listed = scanned.rows("whitelist", "list")
    assert [(one["action"], one["ports"], one["document"]) for one in listed] == [
        ("deny", "23", "1 号"),
        ("allow", "80", "1 号"),
    ]
    scanned.run("check")
    told = {(rule, subject) for rule, subject in scanned.findings() if rule.startswith("whitelist.")}
    assert told == {("whitelist.denied-port", "192.0.2.1:23/tcp"), ("whitelist.unlisted-port", "192.0.2.2:443/tcp")}
    assert "不放行" in scanned.run("whitelist", "list").out
    assert "白名单草案第 2 号：1 行" in scanned.run("whitelist", "draft", "--out", path).out


def test_apply_when_the_map_changed_says_so_and_takes_the_line_only_when_asked(
    scanned: Sentinel, tmp_path: Path
) -> None:
    path = tmp_path / "草案.xlsx"
    scanned.run("whitelist", "draft", "--out", path)
    decide(path, {"80": "放行"})
    file = tmp_path / "later.xml"
    file.write_text(nmap(host("192.0.2.1", service(80, "ssh"), service(23, "telnet")), start=START + 86_400))
    scanned.run("import", file)
    done = scanned.run("whitelist", "apply", path, expect=3)
    assert "草案之后地图或台账有变化" in done.complaint
    assert "其中地图有变化的 1 行" in done.out
    assert "放行 1 条" in scanned.run("whitelist", "apply", path, "--changed").out


def test_prohibition_when_entered_wins_and_is_explained(sentinel: Sentinel) -> None:
    told = sentinel.run("whitelist", "add", "port", "*:3389/tcp", "--deny", "--peer", "internet", "--below",
                        "--reason", "高危端口", "--approved-by", "教育厅").out  # fmt: skip
    assert "不放行 * 3389/tcp" in told
    sentinel.run("whitelist", "add", "port", "192.0.2.5-192.0.2.9:3389,8000-8010/tcp", "--reason", "运维",
                 "--approved-by", "网络中心", "--peer", "any")  # fmt: skip
    listed = sentinel.rows("whitelist", "list")
    assert [(one["action"], one["peer"], one["below"]) for one in listed] == [
        ("deny", "internet", True), ("allow", "any", False),
    ]  # fmt: skip
    assert listed[0]["addresses"] == ["0.0.0.0/0", "::/0"]
    assert listed[1]["addresses"] == ["192.0.2.5/32", "192.0.2.6/31", "192.0.2.8/31"]
    outside = row_of(sentinel, "whitelist", "explain", "192.0.2.7:3389", "--peer", "internet")
    assert (outside["verdict"], [(one["id"], one["part"]) for one in outside["entries"]]) == (
        "denied", [(1, "decides"), (2, "overruled")],
    )  # fmt: skip
    inside = row_of(sentinel, "whitelist", "explain", "192.0.2.7:3389/tcp")
    assert (inside["verdict"], [(one["id"], one["part"]) for one in inside["entries"]]) == (
        "listed", [(2, "decides"), (1, "other_peer")],
    )  # fmt: skip
    assert row_of(sentinel, "whitelist", "explain", "192.0.2.4:3389")["verdict"] == "unlisted"
    assert row_of(sentinel, "whitelist", "explain", "192.0.2.7:3389", "--at", "2020-01-01")["verdict"] == "none"
    assert row_of(sentinel, "whitelist", "explain", "192.0.2.7:3389", "--direction", "out")["verdict"] == "none"
    shown = sentinel.run("whitelist", "explain", "192.0.2.7:3389", "--peer", "8.8.8.8").out
    assert "结论：不放行（明令禁止，禁止优先）。" in shown
    assert "192.0.2.5-192.0.2.9" in sentinel.run("whitelist", "list", "--above").out


def test_prohibition_of_a_unit_above_when_it_holds_below_is_listed_there(sentinel: Sentinel) -> None:
    sentinel.run("unit", "add", "4100", "示例省", "--level", "province")
    sentinel.run("unit", "add", "4101", "示例一小", "--level", "school", "--parent", "4100")
    words = ("--reason", "高危端口", "--approved-by", "教育厅", "--unit", "4100")
    sentinel.run("whitelist", "add", "port", "*:445", "--deny", "--below", *words)
    sentinel.run("whitelist", "add", "host", "192.0.2.1", *words)
    assert sentinel.rows("whitelist", "list", "--unit", "4101") == []
    assert [one["unit"] for one in sentinel.rows("whitelist", "list", "--unit", "4101", "--above")] == ["4100"]
    assert "（上级）" in sentinel.run("whitelist", "list", "--unit", "4101", "--above").out
    assert row_of(sentinel, "whitelist", "explain", "10.1.1.1:445", "--unit", "4101")["verdict"] == "denied"
    assert row_of(sentinel, "whitelist", "explain", "10.1.1.1:445", "--unit", UNIT)["verdict"] == "none"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("explain", "10.0.0.999"), "'10.0.0.999'"),
        (("explain", "10.0.0.1:70000"), "ports run from 0 to 65535"),
        (("explain", "学校"), "no domain"),
        (("explain", "10.0.0.1", "--peer", "somewhere"), "--peer: 'somewhere' is neither campus, internet"),
        (("explain", "10.0.0.1", "--direction", "up"), "--direction: no such direction: 'up' (in, out)"),
        (("add", "port", "*:80", "--reason", "x", "--approved-by", "x"), "no address or prefix"),
        (("add", "host", "10.0.0.9-10.0.0.1", "--reason", "x", "--approved-by", "x"), "no range of at most"),
        (("add", "host", "10.0.0.1", "--peer", "here", "--reason", "x", "--approved-by", "x"), "--peer: 'here'"),
        (("add", "host", "10.0.0.1", "--direction", "up", "--reason", "x", "--approved-by", "x"), "--direction"),
        (("draft", "--out", "/nowhere/a.xlsx"), "nothing to propose"),
        (("request", "show", "申请-2026-0009"), "no such request of 示例中学: '申请-2026-0009'"),
        (("request", "list", "--state", "lost"), "--state: 'lost' is none of submitted"),
        (("request", "return", "1", "--why", " "), "--why: may not be empty"),
        (("request", "add", "new", "--department", "x", "--system", "x", "--purpose", "x", "--until", FUTURE),
         "no such kind: 'new' (go-live, port)"),
        (("request", "add", "port", "--department", " ", "--system", "x", "--purpose", "x", "--until", FUTURE),
         "--department: may not be empty"),
        (("request", "add", "port", "--department", "x", "--system", "x" * 201, "--purpose", "x", "--until", FUTURE),
         "--system: at most 200 characters"),
        (("request", "add", "port", "--department", "x", "--system", "x", "--purpose", "x", "--until", FUTURE,
          "--address", "10.0.0.1", "--port", "80/icmp"), "--port: no protocol"),
        (("request", "add", "port", "--department", "x", "--system", "x", "--purpose", "x", "--until", FUTURE,
          "--address", "x"), "--address: no address"),
        (("request", "add", "port", "--department", "x", "--system", "x", "--purpose", "x", "--until", FUTURE,
          "--domain", "x"), "--domain: no domain"),
        (("request", "add", "port", "--department", "x", "--system", "x", "--purpose", "x", "--until", FUTURE,
          "--address", "10.0.0.1", "--peer", "x"), "--peer: write any"),
    ],
)  # fmt: skip
def test_command_when_it_cannot_be_read_ends_with_one_line_and_2(
    untouched: Sentinel, words: tuple[str, ...], told: str
) -> None:
    assert told in untouched.run("whitelist", *words, expect=2).complaint


def ask(sentinel: Sentinel, *more: str) -> str:
    row = row_of(
        sentinel,
        "whitelist", "request", "add", "go-live", "--department", "教务处", "--system", "选课系统", "--purpose",
        "期末选课", "--until", FUTURE, "--address", "192.0.2.1", "--port", "80,443/tcp", "--domain",
        "xk.school.example", *more,
    )  # fmt: skip
    return str(row["number"])


def test_request_when_approved_despite_a_check_becomes_entries_and_can_be_withdrawn(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    number = ask(sentinel)
    assert sentinel.rows("whitelist", "request", "list", "--state", "submitted")[0]["number"] == number
    shown = sentinel.run("whitelist", "request", "check", number, expect=3).out
    assert "有碍批准：申请之后还没有扫描看全所申请的地址和端口。" in shown
    words = ("whitelist", "request", "approve", number, "--approved-by", "网信办", "--document", "1 号")
    assert "cannot be approved" in sentinel.run(*words, expect=2).complaint
    entries = sentinel.rows(*words, "--despite", "应急上线")
    assert [(one["kind"], one["origin"]) for one in entries] == [
        ("port", f"request {number}"), ("domain", f"request {number}"),
    ]  # fmt: skip
    paper = tmp_path / "审批表.docx"
    text = sentinel.run("whitelist", "request", "show", number, "--out", paper).out
    assert "已写入白名单 1、2" in text
    assert paper.read_bytes().startswith(b"PK")
    row = row_of(sentinel, "whitelist", "request", "show", number)
    assert ([one["step"] for one in row["events"]], row["entries"]) == (["submit", "check", "approve"], [1, 2])
    assert row["events"][-1]["reason"] == "应急上线"
    assert (
        f"已撤回 {number}，一并撤销白名单 1、2。"
        in sentinel.run("whitelist", "request", "withdraw", number, "--why", "下线").out
    )
    assert sentinel.rows("whitelist", "list") == []


def test_request_when_returned_is_replaced_by_another(sentinel: Sentinel) -> None:
    number = ask(sentinel)
    assert f"已退回 {number}。" in sentinel.run("whitelist", "request", "return", "1", "--why", "缺报告").out
    assert ask(sentinel, "--replaces", number, "--from", "2026-01-01", "--service", "http") != number
    shown = sentinel.run("whitelist", "request", "list").out
    assert "已退回" in shown
    assert "待审批" in shown
    assert f"代替 {number}" in sentinel.run("whitelist", "request", "show", "2").out
    assert "下一步" in sentinel.run("whitelist", "request", "add", "go-live", "--department", "信息中心", "--system",
                                 "长" * 200, "--purpose", "长" * 200, "--until", FUTURE, "--domain",
                                 "a.school.example").out  # fmt: skip
    sentinel.run("whitelist", "request", "show", "3")
    assert row_of(sentinel, "whitelist", "request", "check", "3")["ok"] is True


def test_entries_when_they_end_soon_are_listed_as_due(scanned: Sentinel) -> None:
    words = ("--reason", "门户", "--approved-by", "网络中心")
    scanned.run("whitelist", "add", "port", "192.0.2.1:80", *words, "--until", "2026-10-01", "--from", "2026-01-01")
    scanned.run("whitelist", "add", "port", "192.0.2.2:443", *words, "--until", FUTURE)
    (due,) = scanned.rows("whitelist", "due")
    assert (due["ports"], due["open_count"], due["renewed"]) == ("80", 1, False)
    assert due["days_left"] < 0
    assert "已过期" in scanned.run("whitelist", "due", "--days", "30").out


def test_import_when_an_entry_was_withdrawn_leaves_it_so_unless_told(sentinel: Sentinel, tmp_path: Path) -> None:
    file = tmp_path / "表.csv"
    file.write_text("系统名称,IP地址,端口\n门户,192.0.2.1,80\n", encoding="utf-8")
    words = ("whitelist", "import", file, "--approved-by", "信息中心")
    sentinel.run(*words)
    sentinel.run("whitelist", "withdraw", "1", "--why", "下线")
    assert "另有 1 条是撤销过的" in sentinel.run(*words).out
    assert sentinel.rows("whitelist", "list") == []
    assert sentinel.rows(*words, "--again")[-1]["summary"]["added"] == 1


def test_entry_when_a_number_is_written_into_its_words_then_it_is_hidden_everywhere(sentinel: Sentinel) -> None:
    told = "示例处 13812345678"
    sentinel.run(
        "whitelist", "add", "domain", "www.school.example", "--reason", told, "--approved-by", told, "--document", told,
        "--until", "2035-12-31",
    )  # fmt: skip
    assert "对端 校内" in sentinel.run("whitelist", "explain", "www.school.example").out
    (due,) = sentinel.rows("whitelist", "due", "--days", "3660")
    assert (due["open_count"], due["approved_by"]) == (None, "示例处 138****5678")
    sentinel.run("whitelist", "withdraw", "1", "--why", told)
    with closing(sqlite3.connect(sentinel.home / "var" / "sentinel.db")) as database:
        rows = [
            *database.execute("SELECT before, after FROM audit").fetchall(),
            *database.execute("SELECT * FROM whitelist").fetchall(),
        ]
    assert "13812345678" not in str(rows)


def test_permission_that_a_prohibition_takes_back_is_entered_and_says_whose_it_is(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    sentinel.run("unit", "add", "4100", "示例省", "--level", "province")
    sentinel.run("unit", "add", "4101", "示例一小", "--level", "school", "--parent", "4100")
    why = ("--reason", "运维", "--approved-by", "网络中心")
    sentinel.run("whitelist", "add", "port", "*:445", "--deny", "--below", *why, "--unit", "4100")
    sentinel.run("whitelist", "add", "host", "192.0.2.9", "--deny", *why, "--unit", "4101")
    done = sentinel.run("whitelist", "add", "port", "192.0.2.1:445", *why, "--unit", "4101")
    assert done.err.splitlines() == ["注意：白名单 3 不起作用，禁止优先：上级单位 4100 的第 1 条。"]
    assert "已登记白名单 3" in done.out
    some = sentinel.run("whitelist", "add", "port", "192.0.2.8-192.0.2.9:443-445", *why, "--unit", "4101")
    assert some.err.splitlines() == [
        "注意：白名单 4 只有一部分起作用，禁止优先：上级单位 4100 的第 1 条、本单位的第 2 条。"
    ]
    (row,) = sentinel.rows("whitelist", "add", "port", "192.0.2.1:445,443", *why, "--unit", "4101")
    assert row["shadowed_by"] == [{"id": 1, "unit": "4100", "whole": False}]
    (clear,) = sentinel.rows("whitelist", "add", "port", "192.0.2.1:443", *why, "--unit", "4101")
    assert clear["shadowed_by"] == []
    file = tmp_path / "white.csv"
    file.write_text("IP地址,端口\n192.0.2.2,445\n192.0.2.3,80\n", encoding="utf-8")
    read = sentinel.run("whitelist", "import", file, "--approved-by", "网络中心", "--unit", "4101")
    assert read.err.splitlines() == ["注意：白名单 7 不起作用，禁止优先：上级单位 4100 的第 1 条。"]


def test_outbound_entry_when_entered_or_explained_says_that_it_is_not_judged(sentinel: Sentinel) -> None:
    words = ("whitelist", "add", "port", "192.0.2.1:443", "--reason", "更新", "--approved-by", "网络中心")
    assert sentinel.run(*words).err == ""
    out = sentinel.run(*words, "--direction", "out")
    assert out.err.splitlines() == ["注意：出向条目只登记和供 explain 查询：不据流量评判，也不提醒到期、过期和闲置。"]
    explain = ("whitelist", "explain", "192.0.2.1:443")
    assert "不据流量评判" in sentinel.run(*explain, "--direction", "out").out
    assert "不据流量评判" not in sentinel.run(*explain).out
    assert [row_of(sentinel, *explain, "--direction", way)["judged"] for way in ("in", "out")] == [True, False]
