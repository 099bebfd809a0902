"""`order`: issued, listed, shown and printed again by the real command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import docx
import pytest

from tests.cli.command import UNIT, Sentinel
from tests.cli.written import host, nmap, service

DUE = ("--due", "2099-12-10")


@pytest.fixture(scope="module")
def seen(make_home: Callable[[], Sentinel], tmp_path_factory: pytest.TempPathFactory) -> Sentinel:
    """A home with findings; tests here use different ones."""
    sentinel = make_home()
    file = tmp_path_factory.mktemp("input") / "a.xml"
    ports = (service(23, "telnet"), service(445, "microsoft-ds"), service(80, "http"))
    file.write_text(nmap(*(host(f"192.0.2.{number}", *ports) for number in (1, 2, 3))))
    sentinel.run("import", file)
    return sentinel


def telnet(sentinel: Sentinel, number: int) -> dict[str, object]:
    return sentinel.findings()["exposure.telnet", f"192.0.2.{number}:23/tcp"]


def words(path: Path) -> str:
    return "\n".join(paragraph.text for paragraph in docx.Document(str(path)).paragraphs)


def test_order_when_issued_is_numbered_printed_and_moves_its_findings(seen: Sentinel, tmp_path: Path) -> None:
    finding = telnet(seen, 1)
    out = tmp_path / "通知书.docx"
    to = ("--to", "教务处", "--issuer", "信息办", "--note", "尽快")
    row = seen.run("order", "issue", str(finding["number"]), *DUE, *to, "--out", out, "--json").row
    assert (row["assignee"], row["issuer"], row["findings"]) == ("教务处", "信息办", [finding["id"]])
    assert str(row["number"]) in words(out)
    assert "信息办（盖章）" in words(out)
    assert telnet(seen, 1)["state"] == "in_rectification"
    listed = seen.rows("order", "list")
    assert {(one["number"], one["live"]) for one in listed} >= {(row["number"], 1)}
    again = tmp_path / "again.docx"
    shown = seen.run("order", "show", str(row["number"]), "--out", again, "--json").row
    assert [one["state"] for one in shown["items"]] == ["in_rectification"]
    assert words(again) == words(out)
    assert {path.name for path in tmp_path.iterdir()} == {"通知书.docx", "again.docx"}


def test_order_when_chosen_by_severity_takes_what_is_open(seen: Sentinel, tmp_path: Path) -> None:
    out = tmp_path / "a.docx"
    row = seen.run("order", "issue", "--severity", "medium", "--to", "信息中心", *DUE, "--out", out, "--json").row
    assert len(row["findings"]) > 3
    told = "no open finding is chosen"
    again = seen.run("order", "issue", "--severity", "medium", "--to", "信息中心", *DUE, "--out", out, expect=2)
    assert told in again.complaint


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "which findings?"),
        (["隐患-2026-99999", *DUE], "no such finding"),
        (["隐患-2026-99999", "--severity", "high", *DUE], "not both"),
        (["--severity", "bad", *DUE], "--severity: 'bad' is none of critical, high"),
        (["--severity", "high"], "--due: until when"),
        (["--severity", "high", "--due", "2020-01-01"], "--due: lies in the past"),
        (["--severity", "high", "--due", "soon"], "--due: no ISO 8601 time"),
        (["--each-owner", "--to", "教务处", *DUE], "--each-owner: goes with neither"),
        (["--owner", "不存在的部门", *DUE], "no open finding is chosen"),
        (["--severity", "informational", "--note", "长" * 201, *DUE], "at most 200 characters"),
    ],
)
def test_order_when_a_word_is_wrong_ends_with_one_line_and_2(
    seen: Sentinel, tmp_path: Path, options: list[str], told: str
) -> None:
    assert told in seen.run("order", "issue", *options, "--out", tmp_path / "x.docx", expect=2).complaint
    assert list(tmp_path.iterdir()) == []


def test_order_when_there_is_no_register_and_nobody_is_named_asks_to_whom(
    make_home: Callable[[], Sentinel], tmp_path: Path
) -> None:
    sentinel = make_home()
    (tmp_path / "a.xml").write_text(nmap(host("192.0.2.1", service(23, "telnet"))))
    sentinel.run("import", tmp_path / "a.xml")
    out = tmp_path / "x.docx"
    assert "to whom?" in sentinel.run("order", "issue", "--severity", "high", *DUE, "--out", out, expect=2).complaint
    assert "--out: a file" in sentinel.run("order", "issue", "--severity", "high", *DUE, expect=2).complaint
    assert sentinel.rows("order", "list") == []


def test_order_when_the_place_cannot_be_written_issues_nothing(
    make_home: Callable[[], Sentinel], tmp_path: Path
) -> None:
    sentinel = make_home()
    (tmp_path / "a.xml").write_text(nmap(host("192.0.2.1", service(23, "telnet"))))
    sentinel.run("import", tmp_path / "a.xml")
    for out in (tmp_path / "nosuch" / "x.docx", tmp_path):
        done = sentinel.run("order", "issue", "--severity", "low", "--to", UNIT, *DUE, "--out", out, expect=10)
        assert "nothing was issued" in done.complaint
    assert sentinel.rows("order", "list") == []
    assert {row["state"] for row in sentinel.rows("finding", "list")} == {"open"}


@pytest.mark.parametrize("reference", ["整改-2026-9999", "0", "x", "9" * 30])
def test_order_show_when_there_is_none_ends_with_2(seen: Sentinel, reference: str) -> None:
    assert "no such order" in seen.run("order", "show", reference, expect=2).complaint


def test_order_list_when_empty_tells_how_to_issue_one(untouched: Sentinel) -> None:
    assert "sentinel order issue" in untouched.run("order", "list").out
