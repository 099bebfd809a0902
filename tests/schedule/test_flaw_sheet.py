"""Lists of flaws as Chinese scanners and testers hand them over."""

from __future__ import annotations

import pytest

from sentinel.model.reported import ReportedFlaw
from sentinel.observe.table import Cell, Sheet, TableRow
from sentinel.schedule.columns import find_head
from sentinel.schedule.flaw_sheet import FlawReader, read_score, read_severity, slug
from sentinel.schedule.vocabularies import REPORT

HEAD = "漏洞名称|风险等级|IP地址|端口|协议|修复建议|CVE编号|发现时间|状态"


def read(*rows: str, head: str = HEAD) -> tuple[list[ReportedFlaw], FlawReader]:
    made = [TableRow("a", number, tuple(map(Cell, row.split("|")))) for number, row in enumerate((head, *rows), 1)]
    found = find_head(Sheet("a", tuple(made)), REPORT)
    assert found is not None
    reader = FlawReader(found)
    return [flaw for row in made[1:] for flaw in reader.read(row)], reader


def test_row_is_one_flaw_with_all_it_says() -> None:
    (flaw,), _ = read("SSH 弱算法|中危|10.1.0.5|22|TCP|禁用弱算法|cve-2008-5161 CNNVD-200811-321|2026-09-01|未修复")
    assert (str(flaw.address), flaw.proto, flaw.port, flaw.severity) == ("10.1.0.5", "tcp", 22, "medium")
    assert (flaw.title, flaw.check, flaw.solution) == ("SSH 弱算法", "ssh-弱算法", "禁用弱算法")
    assert flaw.references == ("CVE-2008-5161", "CNNVD-200811-321")
    assert str(flaw.time) == "2026-08-31 16:00:00+00:00"


def test_row_that_names_several_hosts_is_a_flaw_of_each() -> None:
    flaws, _ = read("弱口令|高|10.1.0.5、10.1.0.8-10.1.0.9|445|||||")
    assert [str(flaw.address) for flaw in flaws] == ["10.1.0.5", "10.1.0.8", "10.1.0.9"]


@pytest.mark.parametrize(
    ("ports", "proto", "expected"),
    [
        ("443", "", [("tcp", 443)]),
        ("53/udp", "", [("udp", 53)]),
        ("53", "UDP", [("udp", 53)]),
        ("80,443", "", [("tcp", 80), ("tcp", 443)]),
        ("--", "", [("", 0)]),
        ("", "", [("", 0)]),
        ("0", "TCP", [("", 0)]),
        ("99999", "", [("", 0)]),
    ],
)
def test_port_when_written_in_any_way_is_read(ports: str, proto: str, expected: list[tuple[str, int]]) -> None:
    flaws, _ = read(f"某漏洞|高危|10.1.0.5|{ports}|{proto}||||")
    assert [(flaw.proto, flaw.port) for flaw in flaws] == expected


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("严重", "critical"),
        ("超危", "critical"),
        ("紧急", "critical"),
        ("高危", "high"),
        ("高危险", "high"),
        ("高风险", "high"),
        ("[高]", "high"),
        ("High", "high"),
        ("中危", "medium"),
        ("中等级", "medium"),
        ("低", "low"),
        ("信息", "informational"),
        ("无", "informational"),
        ("9.8", "critical"),
        ("7.5", "high"),
        ("3", None),
        ("不好说", None),
        ("", None),
    ],
)
def test_level_is_ours_by_table_and_a_bare_number_is_none(text: str, severity: str | None) -> None:
    assert read_severity(text) == severity


@pytest.mark.parametrize(
    ("text", "severity"), [("10", "critical"), ("7.5/10", "high"), ("0", "informational"), ("11", None)]
)
def test_score_is_a_level_by_cvss(text: str, severity: str | None) -> None:
    assert read_score(text) == severity


def test_row_without_a_level_is_refused_and_without_a_title_passed_over() -> None:
    flaws, reader = read(
        "某漏洞||10.1.0.5||||||", "|高危|10.1.0.5||||||", "某漏洞|高危|||||||", "好的|高危|10.1.0.6||||||"
    )
    assert [flaw.title for flaw in flaws] == ["好的"]
    assert [(one.row, one.column) for one in reader.refused] == [(2, "B"), (4, "C")]


@pytest.mark.parametrize("status", ["已修复", "误报", "Fixed"])
def test_row_the_list_calls_mended_is_counted_only(status: str) -> None:
    flaws, reader = read(f"某漏洞|高危|10.1.0.5||||||{status}")
    assert (flaws, reader.done) == ([], 1)


def test_title_with_an_uncomputed_formula_is_refused() -> None:
    row = TableRow("a", 2, (Cell("", True, "a formula without a stored value"), Cell("高危"), Cell("10.1.0.5")))
    _, reader = read()
    assert list(reader.read(row)) == []
    assert [one.column for one in reader.refused] == ["A"]


def test_web_flaw_is_about_the_domain_of_its_url() -> None:
    (flaw,), _ = read("XSS|中危|https://www.school.example/a?b=1", head="漏洞名称|危险级别|漏洞URL")
    assert (flaw.address, flaw.name, flaw.port) == (None, "www.school.example", 0)


def test_nessus_csv_is_a_list_of_flaws_too() -> None:
    head = "Plugin ID|CVE|CVSS v2.0 Base Score|Risk|Host|Protocol|Port|Name|Synopsis|Description|Solution"
    (flaw, other), _ = read(
        "42873|CVE-2016-2183|5.0|Medium|10.1.0.5|tcp|443|SWEET32|||Reconfigure.",
        "19506|||None|10.1.0.5|tcp|0|Nessus Scan Information|||n/a",
        head=head,
    )
    assert (flaw.check, flaw.severity, flaw.port, flaw.title) == ("42873", "medium", 443, "SWEET32")
    assert (other.severity, other.port) == ("informational", 0)


def test_short_form_of_a_title_is_stable_and_bounded() -> None:
    assert slug("SSL/TLS：受诫礼(BAR-MITZVAH)攻击漏洞【原理扫描】") == "ssl-tls-受诫礼-bar-mitzvah-攻击漏洞-原理扫描"
    assert slug("x" * 500) == slug("x" * 500) != slug("x" * 501)
    assert len(slug("漏" * 500)) <= 60
    assert slug("！！！")
