"""Papers, consents, pools and mappings that name what stays out: listed without it, and without effect there."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.command import Sentinel
from tests.cli.written import host, nmap, service

PAPER = ("--by", "信息中心", "--document", "信字〔2026〕7号", "--from", "2026-01-01", "--until", "2100-12-31")
CONSENT = ("--document", "同意函", "--until", "2100-12-31")
GONE = "203.0.113.77"


@pytest.fixture
def kept(sentinel: Sentinel) -> Sentinel:
    """A home whose every kind of paper names an address, or a part of a prefix, that is declared to stay out later."""
    sentinel.run("scope", "authorise", GONE, *PAPER, "--level", "service", "--exclude", "203.0.113.78")
    sentinel.run("scope", "authorise", "203.0.113.0/24", *PAPER, "--level", "service", "--exclude", GONE)
    sentinel.run("scope", "consent", "add", "某云", GONE, *CONSENT)
    sentinel.run("scope", "consent", "add", "某云", GONE, "203.0.113.90", *CONSENT)
    sentinel.run("unit", "nat", "add", "甲池", "--outside", GONE, "--inside", "10.0.0.0/8")
    sentinel.run("unit", "nat", "add", "乙池", "--outside", "203.0.113.64/29", "--inside", "10.7.0.0/24")
    sentinel.run("publication", "add", f"{GONE}:443", "10.0.0.5:8443")
    sentinel.run("publication", "add", "203.0.113.90:443", "10.0.0.6:8443")
    sentinel.run("unit", "network", "wan", "203.0.113.0/24")
    sentinel.run("unit", "exit", "add", "出口", GONE, "203.0.113.91")
    (row,) = sentinel.rows("unit", "keep-out", "add", GONE, "10.7.0.9")
    assert row["cut"] == 7
    return sentinel


LISTS = (
    ("scope", "list"),
    ("scope", "consent", "list"),
    ("unit", "nat", "list"),
    ("publication", "list", "--all"),
    ("publication", "list"),
    ("unit", "exit", "list"),
    ("unit", "show"),
)


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_no_listing_prints_an_address_that_stays_out(kept: Sentinel, words: tuple[str, ...]) -> None:
    for form in ((), ("--json",)):
        done = kept.run(*words, *form)
        assert GONE not in done.out + done.err


def test_listing_says_which_rows_have_no_effect_and_why(kept: Sentinel) -> None:
    first, second = kept.rows("scope", "list")
    assert (first["targets"], first["in_force"], first["kept_out"]) == ([], False, "whole")
    assert (second["targets"], second["in_force"], second["kept_out"]) == (["203.0.113.0/24"], True, "part")
    assert (first["excluded"], second["excluded"]) == (["203.0.113.78"], [])
    first, second = kept.rows("scope", "consent", "list")
    assert (first["targets"], first["in_force"], first["kept_out"]) == ([], False, "whole")
    assert (second["targets"], second["in_force"], second["kept_out"]) == (["203.0.113.90"], True, "part")
    first, second = kept.rows("unit", "nat", "list")
    assert (first["outside"], first["in_force"], first["kept_out"]) == ([], False, "whole")
    assert (second["inside"], second["in_force"], second["kept_out"]) == (["10.7.0.0/24"], True, "part")
    withdrawn, lasting = kept.rows("publication", "list", "--all")
    if withdrawn["state"] != "withdrawn":
        withdrawn, lasting = lasting, withdrawn
    assert (withdrawn["outside"], withdrawn["kept_out"], withdrawn["why"]) == (None, True, "declared to stay out")
    assert (lasting["outside"], lasting["kept_out"]) == ("203.0.113.90", False)
    for words, told in (
        (LISTS[0], "地址已排除，不生效"), (LISTS[0], "部分地址已排除"), (LISTS[1], "地址已排除，不生效"),
        (LISTS[2], "地址已排除，不生效"), (LISTS[3], "（已排除）"),
    ):  # fmt: skip
        flat = "".join(kept.run(*words).out.split())
        assert all(letter in flat for letter in told), (words, told)


def test_rows_have_their_effect_again_once_the_addresses_may_be_known(kept: Sentinel) -> None:
    done = kept.run("unit", "keep-out", "withdraw", "1", "--why", "登记有误")
    assert "不恢复" in done.out
    assert [one["in_force"] for one in kept.rows("scope", "list")] == [True, True]
    assert [one["targets"] for one in kept.rows("scope", "consent", "list")] == [[GONE], [GONE, "203.0.113.90"]]
    assert kept.rows("unit", "nat", "list")[0]["outside"] == [f"{GONE}/32"]


@pytest.mark.parametrize(
    "words",
    [
        ("scope", "authorise", GONE, *PAPER, "--level", "service"),
        ("unit", "nat", "add", "丙池", "--outside", GONE),
        ("unit", "nat", "add", "丙池", "--outside", "203.0.113.99", "--inside", "::ffff:10.7.0.9"),
        ("unit", "exit", "add", "二号", GONE),
    ],
    ids=lambda words: " ".join(words[:3]),
)
def test_entering_what_stays_out_as_a_whole_is_refused_without_naming_it(
    kept: Sentinel, words: tuple[str, ...]
) -> None:
    complaint = kept.run(*words, expect=2).complaint
    assert "1 of the places is declared to stay out" in complaint
    assert GONE not in complaint


def test_what_others_say_of_an_address_that_stays_out_leaves_every_listing(sentinel: Sentinel, tmp_path: Path) -> None:
    title = f'<script id="http-title" output="备机 {GONE}"><elem key="title">备机 {GONE}</elem></script></port>'
    page = service(80, "http", product=f"proxy of {GONE}").replace("</port>", title)
    (tmp_path / "a.xml").write_text(nmap(host("203.0.113.5", page, service(22, "ssh"))))
    (tmp_path / "台账.csv").write_text(f"系统名称,IP地址,备注\n网站,203.0.113.5,备机 {GONE}\n邮件,203.0.113.6,主机\n")
    sentinel.run("import", tmp_path / "a.xml", tmp_path / "台账.csv")
    paper = ("--approved-by", "信息中心")
    sentinel.run("whitelist", "add", "port", "203.0.113.5:22/tcp", "--peer", GONE, "--reason", "运维", *paper)
    sentinel.run("whitelist", "add", "port", "203.0.113.5:80/tcp", "--reason", f"替代 {GONE}", *paper)
    sentinel.run("whitelist", "add", "port", "203.0.113.6:80/tcp", "--reason", "网站", *paper)
    sentinel.run("publication", "add", "203.0.113.90:443", "10.0.0.6:8443", "--note", f"原通向 {GONE}")
    assert GONE in sentinel.run("map", "--json").out
    (row,) = sentinel.rows("unit", "keep-out", "add", GONE)
    assert (row["lines_withdrawn"], row["entries_withdrawn"]) == (1, 2)
    for words in (("map",), ("register", "list"), ("whitelist", "list"), ("publication", "list", "--all")):
        assert GONE not in sentinel.run(*words, "--json").out
    assert [row["title"] for row in sentinel.rows("map") if row["port"] == 80] == [""]
    words = ("whitelist", "add", "port", "203.0.113.5:22/tcp", "--peer", GONE, "--reason", "运维", *paper)
    assert GONE not in sentinel.run(*words, expect=3).complaint


def test_what_persons_wrote_and_decided_of_an_address_that_stays_out_is_not_told(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    ssh = service(22, "ssh")
    (tmp_path / "a.xml").write_text(nmap(host("203.0.113.5", ssh), host("203.0.113.6", ssh), host(GONE, ssh)))
    sentinel.run("import", tmp_path / "a.xml")
    numbers = {row["address"]: str(row["id"]) for row in sentinel.rows("asset", "list")}
    sentinel.run("asset", "merge", numbers["203.0.113.5"], numbers[GONE], "--why", "同一台")
    weak = ("finding", "add", GONE, "--title", f"{GONE} 弱口令", "--severity", "high")
    sentinel.run(*weak, "--notice", "教通〔2026〕1号", "--issuer", "教育厅")
    sentinel.run("finding", "add", "203.0.113.6:22", "--title", f"可由 {GONE} 登录", "--severity", "high")
    wanted = ("--department", "教务处", "--system", "选课", "--address", "203.0.113.6", "--port", "22/tcp")
    sentinel.run("whitelist", "request", "add", "port", *wanted, "--purpose", f"接 {GONE}", "--until", "2100-01-01")
    (row,) = sentinel.rows("unit", "keep-out", "add", GONE)
    closed = [one for one in sentinel.rows("finding", "list") if one["state"] == "closed"]
    assert row["findings_closed"] == len(closed)
    lists = (("asset", "undo"), ("finding", "list"), ("notice", "list"), ("whitelist", "request", "list"))
    for words in (*lists, ("whitelist", "request", "show", "1"), ("finding", "show", closed[-1]["number"])):
        assert GONE not in sentinel.run(*words, "--json").out
    assert "待整改" in sentinel.run("finding", "list").out


def test_sheet_of_publications_that_tells_what_stays_out_in_any_cell_leaves_nothing_behind(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    sentinel.run("unit", "keep-out", "add", GONE)
    sheet = tmp_path / "映射.csv"
    sheet.write_text(f"公网地址,公网端口,内网地址,经办说明\n203.0.113.90,443,10.0.0.6,原为 {GONE}\n")
    words = ("publication", "import", sheet, "--map", "经办说明=")
    assert "1 address that is declared to stay out" in sentinel.run(*words, expect=3).complaint
    assert sentinel.rows("publication", "list", "--all") == []
    actions = sqlite3.connect(sentinel.home / "var" / "sentinel.db").execute("SELECT action FROM audit").fetchall()
    assert ("mapping.set",) not in actions


def test_keep_out_says_at_once_what_is_cut_and_that_logs_do_not_come_back(sentinel: Sentinel) -> None:
    sentinel.run("unit", "nat", "add", "甲池", "--outside", GONE)
    done = sentinel.run("unit", "keep-out", "add", GONE)
    assert "有 1 条涉及它们，这一部分不再生效" in done.err
    assert "撤回排除也不恢复" in done.err
