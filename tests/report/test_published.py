from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest

from sentinel.config import data_folder
from sentinel.model.publication import Mapping, Publication, Via
from sentinel.model.rule import Severity
from sentinel.report.ledger import build_ledger
from sentinel.report.published import inside_words, outside_words, publication_lines, ways_in
from sentinel.report.render import render_html
from sentinel.report.view_school import build_school
from tests.report.facts_factory import CODE, NOW, make_facts

OUT = ip_address("203.0.113.5")
IN = ip_address("10.0.0.5")


@pytest.mark.parametrize(
    ("mapping", "outside", "inside"),
    [
        (Mapping(OUT, "tcp", 443, 443, IN, 8443), "203.0.113.5:443/tcp", "10.0.0.5:8443/tcp"),
        (Mapping(OUT, "tcp", 8080, 8089, IN, 80), "203.0.113.5:8080-8089/tcp", "10.0.0.5:80-89/tcp"),
        (Mapping(OUT, "", 0, 0, IN), "203.0.113.5 全部端口", "10.0.0.5 全部端口"),
        (Mapping(None, "tcp", 443, 443, IN, name="a.example"), "任意:443/tcp", "10.0.0.5:443/tcp"),
        (Mapping(ip_address("2001:db8::1"), "tcp", 1, 1, IN), "[2001:db8::1]:1/tcp", "10.0.0.5:1/tcp"),
    ],
)
def test_words_when_a_mapping_is_written_then_both_ends_stand_there(
    mapping: Mapping, outside: str, inside: str
) -> None:
    assert outside_words(mapping).zh == outside
    assert inside_words(mapping).zh == inside
    assert outside_words(mapping).en.isascii()


def test_ways_in_when_a_name_alone_leads_in_then_it_is_the_way() -> None:
    found = (
        Publication(1, CODE, Mapping(OUT, "tcp", 443, 443, IN, 0, "www.a.example"), "declared"),
        Publication(2, CODE, Mapping(None, "tcp", 443, 443, IN, 0, "b.example"), "declared"),
    )
    ways = ways_in(replace(make_facts(12), published=found))
    assert [way.zh for way in ways[IN]] == ["203.0.113.5:443/tcp www.a.example", "b.example"]


def test_publication_lines_when_listed_then_the_worst_come_first_and_nothing_seen_is_said() -> None:
    facts = make_facts(12)
    row = next(one for one in facts.rows if one.endpoint.key.port == 443)
    inside = row.endpoint.key.address
    found = (
        Publication(1, CODE, Mapping(OUT, "tcp", 443, 443, IN), "declared", valid_to=NOW + timedelta(days=3)),
        Publication(2, CODE, Mapping(OUT, "tcp", 8443, 8443, inside, 443, via=Via.WAF), "fortinet"),
    )
    first, second = publication_lines(replace(facts, published=found), {inside: Severity.HIGH})
    assert (first.inside.zh, first.worst, first.seen.zh, first.via.zh) == (f"{inside}:443/tcp", "high", "开放", "WAF")
    assert (second.worst, second.seen.zh, second.owner) == (None, "地图上没有", "")
    assert second.until == NOW + timedelta(days=3)


def test_ledger_when_a_host_is_published_then_its_row_names_the_public_end() -> None:
    facts = make_facts(12)
    inside = facts.standing.hosts[0].address
    found = (Publication(7, CODE, Mapping(OUT, "tcp", 443, 443, inside, 8443, "www.a.example"), "nat-server"),)
    sheets = {one.title: one for one in build_ledger(replace(facts, published=found), {})}
    heads = [column.head for column in sheets["资产台账"].columns]
    rows = [dict(zip(heads, row, strict=True)) for row in sheets["资产台账"].rows]
    assert {row["IP地址"]: row["公网映射"] for row in rows if row["公网映射"]} == {
        str(inside): "203.0.113.5:443/tcp www.a.example"
    }
    (line,) = sheets["公网映射"].rows
    assert line[:5] == (7, "203.0.113.5:443/tcp", "www.a.example", f"{inside}:8443/tcp", "NAT")
    assert line[7] == "nat server"


def test_school_report_when_nothing_is_published_then_there_is_no_chapter_of_it() -> None:
    facts = make_facts(12)
    with_it = render_html("school", build_school(facts), "zh", data_folder("reports"))
    without = render_html("school", build_school(replace(facts, published=())), "zh", data_folder("reports"))
    ends = "公网 <bdi>203.0.113.1:443/tcp www.school.example</bdi>"
    assert ends in with_it
    assert "公网地址通向哪台内网主机" in with_it
    assert "公网地址通向" not in without
    assert "203.0.113.1" not in without
