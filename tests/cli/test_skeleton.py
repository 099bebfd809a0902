"""`finding add|show|retest|close`, `notice`, `assignment`, `snapshot`, `purge` by the real command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import TRIAL, UNIT, Sentinel

URL = "https://www.school.example/login"
DUE = "2099-12-10"
TELL = (
    "finding",
    "add",
    URL,
    "--title",
    "SQL 注入",
    "--severity",
    "high",
    "--notice",
    "7号",
    "--issuer",
    "示例市教育局",
)


@pytest.fixture
def keyed(make_home: Callable[[], Sentinel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sentinel:
    """A home whose contact key lies beside it."""
    sentinel = make_home()
    sentinel.run("setting", "set", "contact_key", str(tmp_path / "key" / "contact.key"))
    return sentinel


def test_finding_from_outside_goes_its_whole_way(keyed: Sentinel, tmp_path: Path) -> None:
    proof = tmp_path / "截图.png"
    proof.write_bytes(b"png")
    person = ("--person", "张三", "--phone", "13800001234", "--responsible", "教务处")
    row = keyed.run(*TELL, "--due", DUE, "--file", proof, "--disclosure", "restricted", *person, "--json").row
    assert (row["source"], row["subject_kind"], row["issuer"]) == ("outside_notice", "url", "示例市教育局")
    assert (row["before"], row["due_why"], row["disclosure"]) == (None, "notice 7号", "restricted")
    number = str(row["number"])
    assert "是已有的隐患" in keyed.run(*TELL).out
    shown = keyed.run("finding", "show", number)
    assert "138****1234" in shown.out
    assert "张三" not in shown.out
    for words in ("示例市教育局", "7号", "教务处", "限定", "待整改"):
        assert words in shown.out
    assert keyed.run("finding", "show", number, "--show", "--json").row["person"]["name"] == "张三"
    assert keyed.run("finding", "retest", number, "--failed", "--json").row["state"] == "open"
    assert (
        keyed.run("finding", "retest", number, "--passed", "--by", "信息中心", "--json").row["state"]
        == "awaiting_issuer"
    )
    assert [one["number"] for one in keyed.rows("finding", "list", "--awaiting")] == [number]
    assert keyed.rows("finding", "list", "--live") == []
    assert "待销号" in keyed.run("finding", "list").out
    closed = keyed.run("finding", "close", number, "--as-issuer", "--document", "销号〔2026〕3号", "--json").row
    assert closed["state"] == "closed"
    told = keyed.run("finding", "show", number, "--json").row
    assert [(one["kind"], one["passed"], one["by"]) for one in told["closings"]] == [
        ("retest", False, "示例中学"),
        ("retest", True, "信息中心"),
        ("issuer", True, "示例市教育局"),
    ]
    assert (told["notices"], len(told["files"])) == ([{"number": "7号", "issuer": "示例市教育局"}], 1)
    for place in keyed.home.rglob("*"):
        if place.is_file():
            assert "张三".encode() not in place.read_bytes()


def test_findings_are_listed_by_source_deadline_and_who_answers(keyed: Sentinel) -> None:
    keyed.run(*TELL, "--due", DUE)
    keyed.run("finding", "add", "10.0.0.5:8080", "--title", "弱口令", "--severity", "low", "--responsible", "图书馆")
    keyed.run("finding", "add", "10.0.0.6", "--title", "弱口令", "--severity", "low", "--due", "2020-01-01")

    def listed(*words: str) -> list[str]:
        return [row["subject"] for row in keyed.rows("finding", "list", *words)]

    assert listed("--source", "outside_notice") == [URL]
    assert listed("--due", "2099-12-31") == [URL, "10.0.0.6"]
    assert listed("--overdue") == ["10.0.0.6"]
    assert listed("--responsible", "图书馆") == ["10.0.0.5:8080/tcp"]


def test_notices_are_entered_linked_shown_and_unlinked(keyed: Sentinel, tmp_path: Path) -> None:
    file = tmp_path / "通报.pdf"
    file.write_bytes(b"%PDF")
    own = keyed.run("finding", "add", "10.0.0.5", "--title", "弱口令", "--severity", "low", "--json").row["number"]
    words = ("--issuer", "示例省教育厅", "--title", "关于弱口令的通报", "--kind", "warning")
    row = keyed.run("notice", "add", "8号", *words, "--due", DUE, "--file", file, "--json").row
    assert (row["kind"], row["direction"], len(row["evidence"])) == ("warning", "in", 64)
    assert keyed.run("notice", "link", "8号", own, "--json").row["changed"] == [own]
    assert "示例省教育厅" in keyed.run("finding", "show", own).out
    assert [(one["number"], one["findings"]) for one in keyed.rows("notice", "list")] == [("8号", 1)]
    assert [one["number"] for one in keyed.run("notice", "show", "8号", "--json").row["items"]] == [own]
    assert "关于弱口令的通报" in keyed.run("notice", "list").out
    assert own in keyed.run("notice", "show", "8号").out
    assert "解除关联 1 条" in keyed.run("notice", "unlink", "8号", own).out
    sent = keyed.run("notice", "add", "1号", *words, "--out", "--json").row
    assert (sent["direction"], sent["received_at"]) == ("out", None)


def test_order_is_an_assignment_received_answered_returned_and_closed(keyed: Sentinel, tmp_path: Path) -> None:
    finding = keyed.run("finding", "add", "10.0.0.5", "--title", "弱口令", "--severity", "low", "--json").row["number"]
    out = tmp_path / "通知书.docx"
    order = keyed.run("order", "issue", finding, "--to", "教务处", "--due", DUE, "--out", out, "--json").row["number"]
    file = tmp_path / "反馈表.docx"
    file.write_bytes(b"docx")

    def state(*words: str | Path, expect: int = 0) -> str:
        return str(keyed.run("assignment", *words, "--json", expect=expect).row["state"])

    assert state("receive", order) == "received"
    assert state("reply", order, "--text", "已改", "--file", file, "--fixed") == "replied"
    assert keyed.rows("finding", "list")[0]["state"] == "fixed_unverified"
    assert state("review", order, "--return", "--text", "截图不清") == "returned"
    assert state("reply", order, "--text", "已补", "--fixed") == "replied"
    assert state("review", order, "--accept") == "accepted"
    assert "are live" in keyed.run("assignment", "close", order, expect=2).complaint
    assert state("escalate", order, "--to", "分管校领导", "--text", "久拖不决") == "accepted"
    keyed.run("finding", "retest", finding, "--passed")
    assert state("close", order) == "closed"
    shown = keyed.run("assignment", "show", order)
    for words in ("已办结", "督办", "分管校领导", "截图不清", "反馈表.docx", finding):
        assert words in shown.out
    row = keyed.run("assignment", "show", order, "--json").row
    assert [one["act"] for one in row["events"]][:4] == ["issue", "receive", "reply", "return"]
    assert keyed.run("order", "show", order, "--json").row["number"] == order
    assert keyed.rows("assignment", "list", "--open") == []


def test_assignment_of_another_kind_is_issued_and_withdrawn(keyed: Sentinel) -> None:
    words = ("--to", "图书馆", "--title", "零报告", "--due", DUE)
    row = keyed.run("assignment", "issue", "--kind", "zero_report", *words, "--exercise", "演练一", "--json").row
    assert (row["number"][:3], row["exercise"], row["overdue"]) == ("任务-", "演练一", False)
    assert "（演练）" in keyed.run("assignment", "list").out
    assert [one["kind"] for one in keyed.rows("assignment", "list", "--kind", "zero_report")] == ["zero_report"]
    done = keyed.run("assignment", "withdraw", row["number"], "--text", "误发")
    assert "已撤回" in done.out


def test_snapshot_is_frozen_once_and_corrected_with_a_reason(keyed: Sentinel) -> None:
    keyed.run("finding", "add", "10.0.0.5", "--title", "弱口令", "--severity", "low")
    words = ("snapshot", "freeze", "--period", "2026-01", "--until", "25")
    first = keyed.run(*words, "--json").row
    assert (first["made"], first["version"], first["to"]) == (True, 1, "2026-01-25T15:59:59.999999Z")
    assert keyed.run(*words, "--json").row["made"] is False
    assert "第 2 版" in keyed.run(*words, "--why", "补录").out
    assert [one["version"] for one in keyed.rows("snapshot", "list")] == [2, 1]
    assert "补录" in keyed.run("snapshot", "list").out
    shown = keyed.run("snapshot", "show", "--period", "2026-01", "--version", "1")
    assert "没有它的统计" in shown.out
    row = keyed.run("snapshot", "show", "--json").row
    assert (row["period"], row["version"]) == ("2026-01", 2)
    assert keyed.rows("snapshot", "show", "--by", "live") == []
    assert "is none of" in keyed.run("snapshot", "show", "--by", "nonsense", expect=2).complaint


def test_snapshot_of_a_unit_that_is_none_or_stands_elsewhere_is_an_error(keyed: Sentinel) -> None:
    keyed.run("finding", "add", "10.0.0.5", "--title", "弱口令", "--severity", "low")
    (top,) = keyed.rows("unit", "list")
    keyed.run("unit", "add", "4101999999", "另一所中学")
    keyed.run("unit", "add", "D1", "信息中心", "--level", "department", "--parent", top["code"])
    keyed.run("snapshot", "freeze", "--period", "2026-01", "--unit", UNIT)
    show = ("snapshot", "show", "--unit", UNIT, "--of")
    assert "no such unit" in keyed.run(*show, "没有这所学校", expect=2).complaint
    assert "does not stand below" in keyed.run(*show, "另一所中学", expect=2).complaint
    assert "nothing is frozen" in keyed.run("snapshot", "show", "--unit", "另一所中学", expect=2).complaint
    told = keyed.run(*show, "信息中心").out
    assert "没有它的统计" in told
    assert "未核查" not in told
    assert keyed.run(*show, "信息中心", "--json").row["counters"] == {}
    assert "version 9 of 2026-01" in keyed.run(*show[:4], "--period", "2026-01", "--version", "9", expect=2).complaint


def test_purge_lists_first_and_deletes_only_when_told(keyed: Sentinel) -> None:
    papers = keyed.home / "papers"
    papers.mkdir(exist_ok=True)
    old = papers / "授权书.docx"
    old.write_bytes(b"x")
    import os

    os.utime(old, (1_000_000_000, 1_000_000_000))
    told = keyed.run("purge")
    assert TRIAL.replace("去掉 --dry-run", "sentinel purge --apply") in told.out
    assert old.exists()
    rows = {row["kind"]: row for row in keyed.rows("purge", "--kind", "papers")}
    assert (rows["papers"]["count"], rows["papers"]["applied"], rows["papers"]["days"]) == (1, False, 730)
    assert keyed.rows("purge", "--apply", "--kind", "papers")[0]["applied"] is True
    assert not old.exists()
    assert {row["kind"]: row["days"] for row in keyed.rows("purge")}["audit"] is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("finding", "retest", "1", "--passed", "--failed"), "either --passed or --failed"),
        (("finding", "retest", "99", "--passed"), "no such finding"),
        (("finding", "close", "1"), "--as-issuer"),
        (("finding", "add", "foo", "--title", "x", "--severity", "high"), "subject"),
        (("finding", "add", "10.0.0.5", "--title", "x", "--severity", "bad"), "--severity"),
        (("finding", "add", "10.0.0.5", "--title", "x", "--severity", "low", "--source", "own_scan"), "from judging"),
        (("finding", "add", "10.0.0.5", "--title", "x", "--severity", "low", "--exercise", "x" * 61), "--exercise"),
        (("finding", "show", "隐患-2026-99999"), "no such finding"),
        (("finding", "list", "--source", "nowhere"), "--source"),
        (("notice", "show", "9号"), "no such notice"),
        (("notice", "link", "9号", "1"), "no such notice"),
        (("assignment", "show", "9"), "no such assignment"),
        (("assignment", "review", "9"), "either --accept or --return"),
        (("snapshot", "show"), "nothing is frozen"),
        (("snapshot", "freeze", "--period", "2999-01"), "freeze it afterwards"),
        (("purge", "--kind", "audit"), "never deleted"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_command_when_wrong_ends_with_one_line_and_2(sentinel: Sentinel, words: tuple[str, ...], told: str) -> None:
    assert told in sentinel.run(*words, expect=2).complaint
    assert json.dumps(sentinel.rows("finding", "list")) == "[]"
