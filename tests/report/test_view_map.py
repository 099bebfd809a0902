from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from sentinel.model.endpoint import Host
from sentinel.model.unit import Zone
from sentinel.report import build_view
from sentinel.report.asset_map import HOSTS_DRAWN
from sentinel.report.render import render_html
from sentinel.report.values import Share
from sentinel.report.view_map import MapView, build_map_view
from sentinel.report.view_scope import build_ending
from tests.report.facts_factory import SSH, Service, make_centre, make_empty_facts, make_facts, make_row

TEMPLATES = Path(__file__).parents[2] / "reports"


def page(view: MapView, lang: str = "zh") -> str:
    return render_html("map", view, lang, TEMPLATES)


def test_build_map_view_when_a_unit_is_small_then_the_graph_is_drawn_and_no_curve() -> None:
    view = build_map_view(make_facts(200))
    assert view.tree is None
    assert view.pictures is not None
    assert view.pictures.graph is not None
    assert (view.pictures.map.kind, view.pictures.six) == ("hosts", ())
    assert view.pictures.graph.hosts == view.pictures.hosts
    text = page(view)
    assert "域名、主机、端口、证书，按信息系统和网段分组" in text
    assert "希尔伯特曲线" not in text


def test_build_map_view_when_hosts_are_more_than_a_graph_holds_then_it_says_so_and_draws_the_address_space() -> None:
    view = build_map_view(make_facts(3000))
    assert view.pictures is not None
    assert view.pictures.graph is None
    assert (view.pictures.map.kind, view.pictures.map.panels) == ("curve", ())
    text = page(view)
    assert f"主机超过 {HOSTS_DRAWN} 台，不画域名、主机、端口、证书关系图" in text
    assert "希尔伯特曲线" in text


def test_build_map_view_when_a_large_unit_has_ipv6_then_its_blocks_are_listed() -> None:
    facts = make_facts(3000)
    extra = Host("server-lan", Zone.SERVER, ip_address("2001:db8:9:1::7"))
    view = build_map_view(replace(facts, hosts=(*facts.hosts, extra)))
    assert view.pictures is not None
    assert "2001:db8:9:1::/64" in {str(block.block) for block in view.pictures.six}
    assert "IPv6 地址块（/64）" in page(view)


@pytest.mark.parametrize("size", [12, 200, 3000])
def test_build_map_view_when_numbers_are_told_then_the_figures_are_those_of_the_pictures(size: int) -> None:
    facts = make_facts(size)
    view = build_map_view(facts)
    assert view.pictures is not None
    segments = view.pictures.grid.segments
    segments_seen, hosts, ports, names, urgent, coverage = (figure.value for figure in view.figures)
    assert segments_seen == sum(one.hosts > 0 for one in segments)
    assert hosts == view.pictures.hosts
    places = {(r.network, r.endpoint.key.address, r.endpoint.key.proto, r.endpoint.key.port) for r in facts.rows}
    assert ports == sum(one.ports for one in segments) == len(places)
    assert names == len({name for row in facts.rows for name in row.names if "." in name})
    assert urgent == sum(f.state.is_live and f.severity.rank <= 1 for f in facts.findings)
    assert coverage == build_ending(facts).total
    assert 0 < len(view.steps) <= 5


def test_build_map_view_when_nothing_was_ever_seen_then_no_figure_is_a_zero() -> None:
    view = build_map_view(make_empty_facts())
    assert [figure.value for figure in view.figures[:5]] == [None] * 5
    assert view.figures[5].value == Share(0, 256)
    assert not view.looked
    text = page(view)
    assert text.count("未核查") > 5
    assert "不能理解为没有资产或没有问题" in text


def test_render_map_when_two_uses_have_equal_counts_then_the_table_names_both() -> None:
    host = Host("server-lan", Zone.SERVER, ip_address("10.20.1.5"))
    rows = tuple(make_row(2, host, service, 1) for service in (SSH, Service(80, "http", guessed=True)))
    text = page(build_map_view(make_empty_facts(rows=rows)))
    assert "网站&nbsp;1 (1?)、远程管理&nbsp;1<" in text


def test_build_map_view_when_no_range_is_declared_then_coverage_is_not_told() -> None:
    view = build_map_view(make_empty_facts(coverage=(), networks=()))
    assert view.figures[5].value is None
    assert "没有可画的网段" in page(view)


def test_build_map_view_when_no_rule_was_applied_then_findings_are_not_a_zero() -> None:
    facts = replace(make_facts(12), findings=(), unjudged=2)
    assert build_map_view(facts).figures[4].value is None
    assert build_map_view(replace(facts, unjudged=0)).figures[4].value == 0


def test_build_map_view_when_units_lie_below_then_the_tree_is_drawn() -> None:
    facts = make_centre(24)
    view = build_map_view(facts)
    assert view.tree is not None
    assert (view.pictures, view.ending, view.steps) == (None, None, ())
    units, reported, hosts, ports, urgent, coverage = (figure.value for figure in view.figures)
    assert (units, reported) == (len(facts.units), view.tree.total.reported.part)
    assert (hosts, ports) == (view.tree.total.hosts, view.tree.total.ports)
    assert urgent == view.tree.total.critical + view.tree.total.high
    assert coverage == view.tree.total.coverage
    text = page(view)
    assert "单位树：条长只在同一层级内相比" in text
    assert "中心只汇总各单位上报的计数" in text


def test_build_map_view_when_the_unit_above_has_hosts_too_then_tree_and_pictures_stand_together() -> None:
    view = build_map_view(replace(make_centre(24), own=make_facts(12)))
    assert view.tree is not None
    assert view.pictures is not None
    assert view.ending is not None
    assert view.head.unit == "示例省教育厅"
    text = page(view)
    assert len(re.findall('<h2 class="chapter">', text)) >= 5
    assert text.index("单位树") < text.index("网段与用途")


def test_build_map_view_when_no_unit_below_ever_reported_then_nothing_is_a_zero() -> None:
    facts = replace(make_centre(3), summaries=())
    view = build_map_view(facts)
    assert [figure.value for figure in view.figures] == [len(facts.units), 0, None, None, None, None]
    assert not view.looked
    assert page(view).count("从未上报，未核查") == len(facts.units)


def test_render_map_when_traffic_was_never_looked_at_then_mining_is_not_a_zero() -> None:
    facts = make_centre(3)
    blind = replace(facts, summaries=tuple(replace(one, mining_hosts=None) for one in facts.summaries))
    cells = re.findall(r'<td class="n">(?:<span[^>]*>)*未核查', page(build_map_view(blind)))
    assert len(cells) == len(facts.units)
    clear = replace(facts, summaries=tuple(replace(one, mining_hosts=0) for one in facts.summaries))
    assert not re.search(r'<td class="n">(?:<span[^>]*>)*未核查', page(build_map_view(clear)))


def test_build_map_view_when_units_are_folded_then_the_page_says_how_many() -> None:
    view = build_map_view(make_centre(4000))
    assert view.tree is not None
    assert view.tree.folded > 3000
    assert f"其中 {view.tree.folded:,} 个没有单独一行" in page(view)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("exercise", ["秋季演练", ""])
def test_render_map_when_a_tree_is_hostile_or_a_drill_then_words_are_words_and_the_banner_stands(
    lang: str, exercise: str
) -> None:
    facts = replace(make_centre(24, hostile=True), own=make_facts(40, hostile=True), exercise=exercise)
    text = page(build_view("map", facts), lang)  # type: ignore[arg-type]
    assert "<script" not in text
    assert "\u202e" not in text
    assert ('class="drill"' in text) is bool(exercise)


def test_render_map_when_the_page_is_english_then_pictures_are_too() -> None:
    view = build_map_view(make_facts(200))
    drawings = "".join(re.findall(r'<svg class="wide".*?</svg>', page(view, "en"), re.DOTALL))
    names = set(re.findall(r"[\u4e00-\u9fff]+", drawings))
    assert names <= {"信息系统"}


@pytest.mark.parametrize(("size", "limit_kb"), [(12, 80), (290, 300), (3000, 200)])
def test_render_map_when_a_unit_grows_then_the_file_stays_small(size: int, limit_kb: int) -> None:
    assert len(page(build_map_view(make_facts(size))).encode()) < limit_kb * 1024


def test_render_map_when_schools_are_thousands_then_the_file_stays_small() -> None:
    assert len(page(build_map_view(make_centre(4000))).encode()) < 300 * 1024
