"""Reports of Nessus and OpenVAS: what they tell of the map, and what they say is wrong.

Written by hand to Tenable's guide of the format and to public reports; nothing is copied from one.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from sentinel.errors import ParseError
from sentinel.model.observation import Loss
from sentinel.model.reported import ReportedFlaw
from sentinel.observe import nessus_xml, openvas_xml, xml_elements
from tests.observe.written import START, ends_of, hosts_of, losses_of, read


def item(port: int, severity: int, plugin: str, *, name: str = "a flaw", service: str = "www", inside: str = "") -> str:
    return (
        f'<ReportItem port="{port}" svc_name="{service}" protocol="tcp" severity="{severity}" pluginID="{plugin}" '
        f'pluginName="{name}" pluginFamily="General">{inside}</ReportItem>'
    )


def nessus(*items: str, host: str = "192.0.2.1", tags: str = "", before: str = "") -> str:
    return (
        f'<?xml version="1.0" ?>{before}<NessusClientData_v2><Policy><policyName>x</policyName></Policy>'
        f'<Report name="r"><ReportHost name="{host}"><HostProperties>'
        f'<tag name="HOST_END_TIMESTAMP">{START}</tag>{tags}</HostProperties>{"".join(items)}</ReportHost></Report>'
        "</NessusClientData_v2>"
    )


def result(host: str, port: str, severity: str, oid: str = "1.3.6.1.4.1.25623.1.0.1", threat: str = "High") -> str:
    return (
        f"<result id='r'><name>a flaw</name><host>{host}<hostname>www.school.example</hostname></host>"
        f"<port>{port}</port><nvt oid='{oid}'><name>a flaw</name><refs><ref type='cve' id='CVE-2021-44228'/>"
        f"<ref type='url' id='https://a.example'/></refs><solution type='VendorFix'>Update.</solution></nvt>"
        f"<threat>{threat}</threat><severity>{severity}</severity></result>"
    )


def openvas(*results: str, root: str = "report") -> str:
    inner = (
        "<report id='1'><scan_start>2026-09-20T03:00:00Z</scan_start>"
        f"<results start='1' max='-1'>{''.join(results)}</results><scan_end>2026-09-20T03:30:00Z</scan_end></report>"
    )
    return f"<report id='1' format_id='a994'>{inner}</report>" if root == "report" else f"<{root}>{inner}</{root}>"


def flaws(found: Iterable[ReportedFlaw | Loss]) -> list[ReportedFlaw]:
    return [one for one in found if isinstance(one, ReportedFlaw)]


def of_nessus(text: str) -> list[ReportedFlaw]:
    return flaws(nessus_xml.read_flaws(io.BytesIO(text.encode())))


def of_openvas(text: str) -> list[ReportedFlaw]:
    return flaws(openvas_xml.read_flaws(io.BytesIO(text.encode())))


def test_nessus_host_is_up_with_the_ports_the_report_speaks_of() -> None:
    tags = (
        '<tag name="host-fqdn">JW.school.example</tag><tag name="mac-address">00:00:5E:00:53:01</tag>'
        '<tag name="operating-system">Linux Kernel 5.10\nLinux Kernel 6.1</tag>'
    )
    (host,) = hosts_of(
        read(nessus(item(443, 2, "1"), item(443, 0, "2"), item(0, 0, "3", service="general"), tags=tags))
    )
    assert [(port.proto, port.port, port.state, port.service, port.guessed) for port in host.endpoints] == [
        ("tcp", 443, "open", "www", True)
    ]
    assert (host.mac, host.names, host.os) == ("00:00:5e:00:53:01", ("jw.school.example",), "Linux Kernel 5.10")
    assert host.time == datetime.fromtimestamp(START, UTC)
    assert not host.complete


@pytest.mark.parametrize(
    ("number", "severity"),
    [(0, "informational"), (1, "low"), (2, "medium"), (3, "high"), (4, "critical"), (9, "informational")],
)
def test_nessus_severity_is_ours_by_table(number: int, severity: str) -> None:
    assert [flaw.severity for flaw in of_nessus(nessus(item(443, number, "1")))] == [severity]


def test_nessus_flaw_tells_where_what_and_what_to_do() -> None:
    inside = "<cve>CVE-2016-2183</cve><cve>CVE-2016-6329</cve><solution>Reconfigure.</solution>"
    (flaw,) = of_nessus(nessus(item(443, 3, "42873", name="SWEET32 &lt;b&gt;", inside=inside)))
    assert (str(flaw.address), flaw.proto, flaw.port, flaw.check) == ("192.0.2.1", "tcp", 443, "42873")
    assert (flaw.title, flaw.solution) == ("SWEET32 <b>", "Reconfigure.")
    assert flaw.references == ("CVE-2016-2183", "CVE-2016-6329")


def test_nessus_flaw_of_the_whole_host_has_no_port() -> None:
    (flaw,) = of_nessus(nessus(item(0, 2, "1", service="general")))
    assert (flaw.proto, flaw.port) == ("", 0)


def test_nessus_host_without_an_address_is_no_host_but_its_flaws_stand() -> None:
    text = nessus(item(443, 3, "1"), host="www.school.example")
    assert not hosts_of(read(text))
    assert [(flaw.address, flaw.name) for flaw in of_nessus(text)] == [(None, "www.school.example")]


@pytest.mark.parametrize(
    "when", ['<tag name="HOST_END">Mon Sep 21 22:13:20 2026</tag>', '<tag name="HOST_END">no time at all</tag>']
)
def test_nessus_time_in_words_is_beijing_time_and_nonsense_is_none(when: str) -> None:
    text = nessus(item(443, 3, "1"), tags=when).replace(f'<tag name="HOST_END_TIMESTAMP">{START}</tag>', "")
    expected = datetime.fromtimestamp(START, UTC) if "2026" in when else None
    assert [flaw.time for flaw in of_nessus(text)] == [expected]


@pytest.mark.parametrize("root", ["report", "get_reports_response"])
def test_openvas_result_is_a_flaw_and_its_port_was_open(root: str) -> None:
    text = openvas(result("192.0.2.1", "443/tcp", "7.5"), root=root)
    observations = read(text)
    (host,) = hosts_of(observations)
    assert [(port.port, port.state) for port in host.endpoints] == [(443, "open")]
    assert host.names == ("www.school.example",)
    assert [end.finished for end in ends_of(observations)] == [datetime(2026, 9, 20, 3, 30, tzinfo=UTC)]
    (flaw,) = of_openvas(text)
    assert (str(flaw.address), flaw.port, flaw.severity) == ("192.0.2.1", 443, "high")
    assert (flaw.check, flaw.references, flaw.solution) == ("1.3.6.1.4.1.25623.1.0.1", ("CVE-2021-44228",), "Update.")


@pytest.mark.parametrize(
    ("score", "threat", "severity"),
    [
        ("10.0", "High", "critical"),
        ("9.0", "High", "critical"),
        ("8.9", "High", "high"),
        ("4.0", "Medium", "medium"),
        ("2.1", "Low", "low"),
        ("0.0", "Log", "informational"),
        ("", "High", "high"),
        ("", "Log", "informational"),
    ],
)
def test_openvas_severity_is_ours_by_score_else_by_word(score: str, threat: str, severity: str) -> None:
    assert [flaw.severity for flaw in of_openvas(openvas(result("192.0.2.1", "443/tcp", score, threat=threat)))] == [
        severity
    ]


def test_openvas_result_somebody_called_a_false_positive_is_left_out() -> None:
    assert of_openvas(openvas(result("192.0.2.1", "443/tcp", "-1.0", threat="False Positive"))) == []


def test_openvas_result_of_the_whole_host_opens_no_port() -> None:
    text = openvas(result("192.0.2.1", "general/tcp", "5.0"))
    assert not hosts_of(read(text))
    assert [flaw.port for flaw in of_openvas(text)] == [0]


def test_report_cut_short_keeps_its_whole_hosts_and_tells_it() -> None:
    whole = nessus(item(443, 3, "1"))
    text = whole[: whole.index("</Report>")] + '<ReportHost name="192.0.2.2"><HostProp'
    assert len(hosts_of(read(text))) == 1
    assert ["ends" in loss.what for loss in losses_of(read(text))] == [True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (nessus(before='<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "entities are refused"),
        (nessus(before='<!DOCTYPE a SYSTEM "http://192.0.2.9/a.dtd">'), "outer documents are refused"),
        ("<NessusClientData_v2><Report><ReportHost", "before anything whole was read"),
        ("<report id='1'><broken", "before anything whole was read"),
    ],
)
def test_hostile_or_broken_report_is_refused(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        read(text)


def test_policy_of_any_size_costs_no_memory_and_deep_documents_end_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_elements, "MAX_CHILD", 200_000)
    long_policy = "<Policy>" + "<a><b>x</b></a>" * 100_000 + "</Policy>"
    text = nessus(item(443, 3, "1")).replace("<Policy><policyName>x</policyName></Policy>", long_policy)
    assert len(hosts_of(read(text))) == 1
    one_text = nessus(item(443, 3, "1")).replace("<policyName>x", "<policyName>" + "x" * 400_000)
    with pytest.raises(ParseError, match="more than 200000 bytes"):
        read(one_text)
    deep = nessus(item(443, 3, "1"), item(443, 3, "1", inside="<a>" * 70 + "</a>" * 70))
    with pytest.raises(ParseError, match="deep"):
        read(deep)


def test_blanks_before_the_declaration_do_no_harm() -> None:
    assert len(hosts_of(read("\n  " + nessus(item(443, 3, "1"))))) == 1
