"""`check` and `finding`: verdicts on clauses, and findings with their exemptions."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.command import UNIT, Sentinel
from tests.cli.written import START, host, nmap, service

FINDING = [
    "id", "number", "rule", "source", "severity", "unit", "subject", "state", "first_seen", "last_seen", "due",
    "clauses", "evidence",
]  # fmt: skip
VERDICT = ["unit", "system", "catalogue", "clause", "verdict", "basis", "evidence"]
TELNET = ("exposure.telnet", "192.0.2.1:23/tcp")


@pytest.fixture
def telnet(sentinel: Sentinel, tmp_path: Path) -> Sentinel:
    """A home that has seen one telnet door."""
    file = tmp_path / "telnet.xml"
    file.write_text(nmap(host("192.0.2.1", service(23, "telnet", product="Linux telnetd"))))
    sentinel.run("import", file)
    return sentinel


def later(sentinel: Sentinel, folder: Path, *ports: str, days: int) -> None:
    """Import a look at the same host some days later."""
    file = folder / f"later{days}.xml"
    file.write_text(nmap(host("192.0.2.1", *ports), start=START + days * 86_400))
    sentinel.run("import", file)


COUNTS = {"mlps-l2": 135, "mlps-l3": 211, "high-risk": 42, "gbt-39786": 13, "duty": 38, "two-highs-one-weak": 3} | {
    "ipv6": 4
}


@pytest.mark.parametrize(("catalogue", "clauses"), COUNTS.items())
def test_check_when_a_catalogue_is_named_judges_every_clause_of_it(
    telnet: Sentinel, catalogue: str, clauses: int
) -> None:
    """The standard (GB/T 22239-2019) has so many clauses at these levels."""
    rows = telnet.rows("check", "--catalogue", catalogue)
    assert len(rows) == clauses
    assert all({*VERDICT, "number"} <= row.keys() for row in rows)
    assert {(row["unit"], row["catalogue"]) for row in rows} == {(UNIT, catalogue)}
    assert {row["verdict"] for row in rows} <= {"conform", "partial", "nonconform", "not_applicable", "unknown"}
    assert all(set(row["basis"]) <= {"auto", "attested", "none"} and row["basis"] for row in rows)
    assert len({row["clause"] for row in rows}) == len(rows)
    if catalogue.startswith("mlps"):
        assert all(re.fullmatch(r"[A-Z]{2}-\d{2}x?[a-z]?", row["clause"]) for row in rows)
    assert all(row["number"] and re.fullmatch(r"[0-9a-f]{64}", row["pack"]) for row in rows)
    again = telnet.run("check", "--catalogue", catalogue, "--json").out
    assert again == telnet.run("check", "--catalogue", catalogue, "--json").out, "not a byte may differ"


def test_check_when_systems_are_registered_judges_each_by_its_level(telnet: Sentinel, tmp_path: Path) -> None:
    sheet = tmp_path / "systems.csv"
    sheet.write_text(
        "系统名称,IP地址,端口,责任部门,业务信息安全等级,系统服务等级\n"
        "门户网站,192.0.2.1,23,信息中心,二级,二级\n教务系统,192.0.2.9,443,教务处,三级,二级\n"
    )
    telnet.run("register", "import", sheet)
    rows = telnet.rows("check")
    judged = {(row["catalogue"], row["system"]) for row in rows}
    assert {("mlps-l2", "门户网站"), ("mlps-l3", "教务系统"), ("high-risk", "门户网站"), ("duty", "")} < judged
    assert not {("mlps-l3", "门户网站"), ("mlps-l2", "教务系统"), ("duty", "门户网站")} & judged
    plain = {row["system"]: row["verdict"] for row in rows if row["clause"] == "CE-01c"}
    assert plain == {"门户网站": "nonconform", "教务系统": "unknown", "": "unknown"}
    people = telnet.run("check").out
    assert "未登记定级对象" in people
    assert "门户网站" in people


def test_check_when_a_score_is_chosen_only_that_one_is_shown(telnet: Sentinel) -> None:
    rate, score = telnet.run("check").out, telnet.run("check", "--score", "2021").out
    assert "2025 版口径" in rate
    assert "2021" not in rate
    assert "2021 版口径的得分" in score
    assert "2025 版口径，" not in score
    for text in (rate, score):
        assert not re.search(r"符合|结论", text.replace("不是测评结论", ""))
        assert "不替代等级测评" in text
    assert "none of 2025, 2021" in telnet.run("check", "--score", "2019", expect=2).complaint


def test_check_when_telnet_is_open_the_clause_is_nonconform_and_shows_its_evidence(telnet: Sentinel) -> None:
    rows = {row["clause"]: row for row in telnet.rows("check", "--catalogue", "mlps-l3")}
    number = telnet.findings()[TELNET]["number"]
    assert rows["CE-04b"]["verdict"] == "nonconform"
    assert rows["CE-04b"]["basis"] == ["auto"]
    assert number in rows["CE-04b"]["evidence"]
    assert rows["CE-04b"]["number"].startswith("8.1.4.4")


def test_check_when_nothing_is_known_says_unknown_and_never_conform(sentinel: Sentinel) -> None:
    rows = sentinel.rows("check")
    assert {row["catalogue"] for row in rows} == set(COUNTS)
    verdicts = Counter(row["verdict"] for row in rows)
    assert verdicts["conform"] == verdicts["partial"] == 0
    assert all(row["basis"] == ["none"] for row in rows if row["verdict"] == "unknown")
    people = sentinel.run("check")
    assert f"未核查 {verdicts['unknown']} 条" in people.out
    assert "不替代等级测评" in people.out


def test_check_when_the_catalogue_is_unknown_ends_with_one_line_and_2(sentinel: Sentinel) -> None:
    complaint = sentinel.run("check", "--catalogue", "iso-27001", expect=2).complaint
    assert complaint == (
        "sentinel: no such catalogue: 'iso-27001' (mlps-l2, mlps-l3, duty, gbt-39786, high-risk, ipv6, "
        "two-highs-one-weak)"
    )
    assert "no such unit" in sentinel.run("check", "--unit", "nosuch", expect=2).complaint


def test_finding_when_listed_has_every_field(telnet: Sentinel) -> None:
    rows = telnet.rows("finding", "list")
    assert all([name for name in row if name in FINDING] == FINDING for row in rows)
    row = telnet.findings()[TELNET]
    assert (row["source"], row["severity"], row["unit"], row["state"]) == ("own_scan", "high", UNIT, "open")
    assert row["first_seen"] == row["last_seen"] == "2026-09-21T14:14:20Z"
    assert row["due"] > row["first_seen"]
    assert "CE-04b" in row["clauses"]
    assert len(row["evidence"]) == 64
    assert len({one["number"] for one in rows}) == len(rows)
    assert all(re.fullmatch(r"隐患-\d{4}-\d{5}", one["number"]) for one in rows)


def test_finding_when_seen_again_stays_the_same_one(telnet: Sentinel, tmp_path: Path) -> None:
    first = telnet.findings()[TELNET]
    later(telnet, tmp_path, service(23, "telnet", product="Linux telnetd"), days=3)
    again = telnet.findings()[TELNET]
    assert [again[name] for name in ("id", "number", "first_seen", "state")] == [
        first[name] for name in ("id", "number", "first_seen", "state")
    ]
    assert again["last_seen"] > first["last_seen"]


@pytest.mark.parametrize(("option", "state"), [("--accept", "accepted"), ("--false-positive", "false_positive")])
def test_finding_when_marked_stays_visible_with_who_why_and_until_when(
    telnet: Sentinel, option: str, state: str
) -> None:
    number = telnet.findings()[TELNET]["number"]
    (row,) = telnet.rows("finding", "mark", number, option, "--why", "隔离网段", "--until", "2099-01-01")
    assert (row["number"], row["state"], row["why"], row["until"]) == (
        number, state, "隔离网段", "2099-01-01T15:59:59.999999Z",
    )  # fmt: skip
    assert row["by"]
    telnet.run("check")
    assert telnet.findings()[TELNET] == row
    assert number in telnet.run("finding", "list").out
    assert TELNET not in {(one["rule"], one["subject"]) for one in telnet.rows("finding", "list", "--live")}


def test_finding_when_its_row_number_is_given_is_the_same_one(telnet: Sentinel) -> None:
    finding = telnet.findings()[TELNET]
    words = ("--accept", "--why", "x", "--until", "2099-01-01")
    assert telnet.rows("finding", "mark", str(finding["id"]), *words)[0]["number"] == finding["number"]


def test_finding_when_its_exemption_has_ended_is_open_again(telnet: Sentinel) -> None:
    number = telnet.findings()[TELNET]["number"]
    telnet.run("finding", "mark", number, "--accept", "--why", "x", "--until", "2099-01-01")
    end_exemption(telnet)
    telnet.run("check")
    row = telnet.findings()[TELNET]
    assert (row["state"], row["number"], row["why"], row["until"]) == ("open", number, "", None)


def test_finding_when_it_went_away_while_exempted_is_proven_gone_after_the_exemption(
    telnet: Sentinel, tmp_path: Path
) -> None:
    number = telnet.findings()[TELNET]["number"]
    telnet.run("finding", "mark", number, "--accept", "--why", "x", "--until", "2099-01-01")
    later(telnet, tmp_path, service(23, state="closed"), service(22, "ssh"), days=2)
    assert telnet.findings()[TELNET]["state"] == "accepted"
    end_exemption(telnet)
    telnet.run("check")
    assert telnet.findings()[TELNET]["state"] == "verified"
    complaint = telnet.run("finding", "mark", number, "--accept", "--why", "x", "--until", "2099-01-01", expect=2)
    assert "there is nothing to exempt" in complaint.complaint


def end_exemption(sentinel: Sentinel) -> None:
    """Let the exemption's end have come: time cannot be waited for."""
    with closing(sqlite3.connect(sentinel.home / "var" / "sentinel.db")) as connection, connection:
        connection.execute("UPDATE finding SET until_us = 1 WHERE until_us IS NOT NULL")


@pytest.fixture(scope="module")
def marked(make_home: Callable[[], Sentinel]) -> Iterator[Sentinel]:
    """A home with findings that nothing changes; that it stayed so is checked at the end."""
    sentinel = make_home()
    sentinel.run("check")
    yield sentinel
    assert {row["state"] for row in sentinel.rows("finding", "list")} == {"open"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["隐患-2020-00001", "--accept", "--why", "x", "--until", "2099-01-01"], "no such finding: '隐患-2020-00001'"),
        (["99999", "--accept", "--why", "x", "--until", "2099-01-01"], "no such finding: '99999'"),
        (["9" * 30, "--accept", "--why", "x", "--until", "2099-01-01"], "no such finding"),
        (["1", "--why", "x", "--until", "2099-01-01"], "say either --false-positive or --accept"),
        (["1", "--accept", "--false-positive", "--why", "x", "--until", "2099-01-01"], "say either"),
        (["1", "--accept", "--why", " ", "--until", "2099-01-01"], "--why: an exemption needs a reason"),
        (["1", "--accept", "--until", "2099-01-01"], "missing option '--why'"),
        (["1", "--accept", "--why", "x", "--until", "2001-01-01"], "--until: lies in the past"),
        (["1", "--accept", "--why", "x", "--until", "soon"], "--until: no ISO 8601 time"),
    ],
)
def test_finding_when_marked_wrongly_ends_with_one_line_and_2(marked: Sentinel, words: list[str], told: str) -> None:
    assert told in marked.run("finding", "mark", *words, expect=2).complaint


def test_rule_when_shown_tells_what_it_is_about(sentinel: Sentinel) -> None:
    row = sentinel.rows("rules", "show", "exposure.redis-no-auth")[0]
    assert (row["name"], row["level"], row["category"], row["due_days"]) == (
        "exposure.redis-no-auth", "critical", "service", 1,
    )  # fmt: skip
    assert row["remediation"]
    assert sentinel.rows("rules", "show", str(row["id"]))[0] == row
    text = sentinel.run("rules", "show", "mining.outbreak").out
    assert "所数的规则：mining.payload、mining.payload-server" in text
    assert "no rule 'nothing'" in sentinel.run("rules", "show", "nothing", expect=2).complaint


def test_rules_when_tried_run_their_cases_or_judge_an_object(sentinel: Sentinel, tmp_path: Path) -> None:
    assert all(row["fires"] and row["quiet"] for row in sentinel.rows("rules", "test"))
    assert sentinel.rows("rules", "test", "exposure.telnet") == [
        {"rule": "exposure.telnet", "fires": True, "quiet": True}
    ]
    fields = '{"service": "redis", "guessed": false, "version": "7.0"}'
    (hit,) = sentinel.rows("rules", "test", "exposure.redis-no-auth", "--fields", fields)
    assert hit["matched"] == {"service": "redis", "guessed": False, "version": "7.0"}
    assert "命中 0 次" in sentinel.run("rules", "test", "--fields", '{"service": "x"}').out
    for words, told in (
        (["--fields", "{"], "--fields"),
        (["--fields", '{"nonsense": 1}'], "unknown field 'nonsense'"),
        (["--fields", "{}", "--category", "x"], "no such category"),
        (["--fields", "{}", "--log", "x"], "give one of them"),
        (["--log", str(tmp_path / "none.log")], "No such file"),
    ):
        assert told in sentinel.run("rules", "test", *words, expect=2).complaint


def test_rules_about_logs_when_tried_on_a_log_tell_its_hosts(sentinel: Sentinel, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "strange.yml").write_text(
        "title: Strange\nid: 7d1f0b5e-7c3a-4d2e-9a8b-0c1d2e3f4a5c\nlogsource: {category: dns}\n"
        "detection:\n  selection: {query|endswith: .strange.example}\n  condition: selection\n",
        "utf-8",
    )
    log = tmp_path / "dns.log"
    log.write_text('{"_path":"dns","ts":1764000000,"id.orig_h":"10.0.0.7","query":"a.strange.example"}\n', "utf-8")
    sentinel.run("setting", "set", "rules", str(own))
    assert [row["subject"] for row in sentinel.rows("rules", "test", "--log", log)] == ["10.0.0.7"]
