"""`scope` and `whitelist`: what may be looked at, and what may be there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import UNIT, Sentinel
from tests.cli.written import host, nmap, service

PAPER = ("--by", "信息中心", "--document", "信字〔2026〕7号", "--from", "2026-01-01", "--until", "2026-12-31")
ADD = ("--reason", "门户", "--approved-by", "信息中心")


def test_authorisation_when_registered_gives_every_field(sentinel: Sentinel) -> None:
    (row,) = sentinel.rows(
        "scope", "authorise", "192.0.2.0/24", "www.school.example", *PAPER, "--level", "check", "--exclude", "192.0.2.9"
    )
    assert row == {
        "id": 1,
        "unit": UNIT,
        "targets": ["192.0.2.0/24", "www.school.example"],
        "excluded": ["192.0.2.9"],
        "by": "信息中心",
        "document": "信字〔2026〕7号",
        "valid_from": "2025-12-31T16:00:00Z",
        "valid_to": "2026-12-31T15:59:59.999999Z",
        "level": "check",
        "allow_loopback": False,
        "rate_pps": 100,
        "withdrawn_at": None,
    }
    assert sentinel.rows("scope", "list") == [row | {"in_force": True, "kept_out": ""}]


def test_authorisation_when_times_have_a_clock_or_a_zone_means_exactly_them(sentinel: Sentinel) -> None:
    words = ("--by", "a", "--document", "b", "--level", "service")
    (row,) = sentinel.rows(
        "scope", "authorise", "192.0.2.1", *words, "--from", "2026-05-01T08:00", "--until", "2026-05-01T01:00Z"
    )
    assert (row["valid_from"], row["valid_to"]) == ("2026-05-01T00:00:00Z", "2026-05-01T01:00:00Z")
    (day,) = sentinel.rows("scope", "authorise", "192.0.2.1", *words, "--from", "2026-05-01", "--until", "2026-05-01")
    assert (day["valid_from"], day["valid_to"]) == ("2026-04-30T16:00:00Z", "2026-05-01T15:59:59.999999Z")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["192.0.2.1", *PAPER, "--level", "root"], 2, "--level: no such level: 'root'"),
        (["192.0.2.1", *PAPER, "--level", "service", "--until", "2025-01-01"], 2, "ends before it begins"),
        (["192.0.2.1", *PAPER, "--level", "service", "--from", "soon"], 2, "--from: no ISO 8601 time: 'soon'"),
        (["192.0.2.1", *PAPER, "--level", "service", "--from", "0001-01-01"], 2, "--from: '0001-01-01' lies outside"),
        (["192.0.2.1", *PAPER, "--level", "service", "--until", "9999-12-31"], 2, "--until: '9999-12-31' lies outside"),
        (["192.0.2.1", *PAPER, "--level", "service", "--by", " "], 2, "--by: may not be empty"),
        (["192.0.2.1", *PAPER, "--level", "service", "--document", ""], 2, "--document: may not be empty"),
        (["192.0.2.1", *PAPER, "--level", "service", "--rate", "99999999999999999999"], 2, "'--rate'"),
        (["192.0.2.5/24", *PAPER, "--level", "service"], 5, "host bits are set"),
        (["--", "-iL"], 2, "missing option '--by'"),
        ([*PAPER, "--level", "service", "--", "-iL"], 5, "a target does not start with a dash"),
        ([*PAPER, "--level", "service", "192.0.2.1 -iL x"], 5, "whitespace"),
    ],
)
def test_authorisation_when_a_word_is_wrong_is_not_registered(
    untouched: Sentinel, words: list[str], status: int, told: str
) -> None:
    assert told in untouched.run("scope", "authorise", *words, expect=status).complaint


def test_authorisation_when_withdrawn_stays_in_the_list_with_its_end(sentinel: Sentinel) -> None:
    number = sentinel.authorise("127.78.0.0/24")["id"]
    assert "may not be empty" in sentinel.run("scope", "withdraw", str(number), "--why", " ", expect=2).complaint
    sentinel.run("scope", "withdraw", str(number), "--why", "更换文件")
    (row,) = sentinel.rows("scope", "list")
    assert row["withdrawn_at"] is not None
    assert "撤销" in sentinel.run("scope", "list").out
    assert sentinel.run("scope", "withdraw", str(number), "--why", "再次", expect=2).complaint
    assert sentinel.run("scope", "withdraw", "99", "--why", "x", expect=2).complaint
    assert "'number'" in sentinel.run("scope", "withdraw", "9" * 20, "--why", "x", expect=2).complaint


def test_listing_when_empty_says_what_to_do_first(sentinel: Sentinel) -> None:
    assert "sentinel scope authorise" in sentinel.run("scope", "list").out
    assert "sentinel whitelist draft" in sentinel.run("whitelist", "list").out
    assert "sentinel import" in sentinel.run("map").out
    assert "sentinel check" in sentinel.run("finding", "list").out


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("domain", "*.school.example", {"domain": "*.school.example", "addresses": []}),
        ("host", "192.0.2.0/28", {"addresses": ["192.0.2.0/28"], "proto": ""}),
        ("port", "192.0.2.1:443/tcp", {"addresses": ["192.0.2.1/32"], "proto": "tcp", "ports": "443"}),
        ("port", "192.0.2.1:80-90,22", {"proto": "tcp", "ports": "22,80-90"}),
        ("port", "[2001:db8::5]:53/udp", {"addresses": ["2001:db8::5/128"], "proto": "udp", "ports": "53"}),
    ],
)
def test_whitelist_when_an_entry_is_added_gives_it_back(
    sentinel: Sentinel, kind: str, value: str, told: dict[str, object]
) -> None:
    (row,) = sentinel.rows("whitelist", "add", kind, value, *ADD, "--service", "HTTP", "--until", "2026-12-31")
    assert (row["unit"], row["kind"], row["reason"], row["approved_by"]) == (UNIT, kind, "门户", "信息中心")
    assert row["service"] == "http"
    assert {name: row[name] for name in told} == told
    assert row.pop("shadowed_by") == []  # told when it is entered
    assert sentinel.rows("whitelist", "list") == [row]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["network", "x", *ADD], "no such kind: 'network' (domain, host, port)"),
        (["domain", "not a name", *ADD], "no domain"),
        (["host", "school", *ADD], "no address or prefix"),
        (["port", "192.0.2.1", *ADD], "no port of a host"),
        (["port", "192.0.2.1:70000", *ADD], "ports run from 0 to 65535"),
        (["host", "192.0.2.1", "--reason", "", "--approved-by", "x"], "--reason: may not be empty"),
        (["host", "192.0.2.1", *ADD, "--until", "never"], "--until: no ISO 8601 time"),
    ],
)
def test_whitelist_when_an_entry_is_wrong_ends_with_one_line_and_2(
    untouched: Sentinel, words: list[str], told: str
) -> None:
    assert told in untouched.run("whitelist", "add", *words, expect=2).complaint


def test_whitelist_when_a_port_is_not_on_it_there_is_a_finding_until_it_is_listed(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    file = tmp_path / "a.xml"
    file.write_text(nmap(host("192.0.2.1", service(22, "ssh"), service(8080, "http", product="nginx"))))
    sentinel.run("whitelist", "add", "port", "192.0.2.1:22", *ADD)
    sentinel.run("import", file)
    unlisted = ("whitelist.unlisted-port", "192.0.2.1:8080/tcp")
    found = sentinel.findings()
    assert found[unlisted]["state"] == "open"
    assert ("whitelist.unlisted-port", "192.0.2.1:22/tcp") not in found
    (entry,) = sentinel.rows("whitelist", "add", "port", "192.0.2.1:8080", *ADD, "--service", "http")
    sentinel.run("check")
    assert sentinel.findings()[unlisted]["state"] == "verified"
    sentinel.run("whitelist", "withdraw", str(entry["id"]), "--why", "停用")
    assert len(sentinel.rows("whitelist", "list")) == 1
    sentinel.run("check")
    assert sentinel.findings()[unlisted]["state"] == "open"
    assert sentinel.findings()[unlisted]["reopened"] == 1


def test_whitelist_when_the_service_is_another_there_is_a_finding(sentinel: Sentinel, tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_text(nmap(host("192.0.2.1", service(8080, "redis", product="Redis"))))
    sentinel.run("whitelist", "add", "port", "192.0.2.1:8080", *ADD, "--service", "http")
    sentinel.run("import", file)
    assert ("whitelist.service-mismatch", "192.0.2.1:8080/tcp") in sentinel.findings()


def test_whitelist_when_hosts_and_domains_are_listed_others_give_findings(sentinel: Sentinel, tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_text(
        nmap(
            host("192.0.2.1", service(80, "http"), names=["www.school.example"]),
            host("192.0.2.2", service(80, "http"), names=["mine.other.example"]),
        )
    )
    sentinel.run("whitelist", "add", "host", "192.0.2.1", *ADD)
    sentinel.run("whitelist", "add", "domain", "*.school.example", *ADD)
    sentinel.run("import", file)
    named = {key for key in sentinel.findings() if key[0] in {"whitelist.unlisted-host", "whitelist.unlisted-domain"}}
    assert named == {("whitelist.unlisted-host", "192.0.2.2"), ("whitelist.unlisted-domain", "mine.other.example")}
