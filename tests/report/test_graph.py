from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from dataclasses import replace
from ipaddress import ip_address
from itertools import pairwise

import pytest

from sentinel.model.endpoint import Host, MapRow
from sentinel.model.facts import UnitFacts
from sentinel.model.observation import Certificate
from sentinel.model.register import RegisterEntry
from sentinel.model.standing import HostStanding, Reason, Reconciliation, Standing
from sentinel.model.unit import Network, Zone
from sentinel.report.asset_map import build_map
from sentinel.report.graph import SHEET_ROWS, HostGraph, build_graph, domain_names
from sentinel.report.graph_layout import PITCH, count_crossings, order_band, place_sheet, spread
from sentinel.report.svg import text_width
from sentinel.report.svg_graph import draw_sheet
from sentinel.report.svg_shapes import WIDE, draw_shape
from tests.report.facts_factory import CODE, NOW, SSH, Service, make_empty_facts, make_facts, make_row

LAN = Network(2, CODE, "lan", Zone.SERVER)
WEB = Service(443, "http", tunnel="ssl")


def host(number: int, *names: str, network: str = "lan") -> Host:
    return Host(network, Zone.SERVER, ip_address(f"10.20.1.{number}"), names)


def row(one: Host, service: Service, shown: Certificate | None = None) -> MapRow:
    made = make_row(2, one, service, 4)
    return replace(made, endpoint=replace(made.endpoint, certificate=shown))


def graph_of(rows: list[MapRow], **changes: object) -> HostGraph:
    facts = make_empty_facts(networks=(LAN,), rows=tuple(rows), **changes)
    return build_graph(facts, build_map(facts).panels)


def of_facts(facts: UnitFacts) -> HostGraph:
    return build_graph(facts, build_map(facts).panels)


def registered(*pairs: tuple[int, str]) -> Reconciliation:
    return Reconciliation(
        hosts=tuple(
            HostStanding(
                "lan",
                ip_address(f"10.20.1.{number}"),
                Standing.SEEN,
                Reason.PORT_OPEN,
                RegisterEntry(number, CODE, "a.xlsx", "", "", number, system=system),
            )
            for number, system in pairs
        )
    )


def test_build_graph_when_a_host_has_a_name_and_a_certificate_then_all_four_layers_are_linked() -> None:
    shown = Certificate("ab" * 32, "www.school.example", "CA", ("www.school.example",), None, NOW)
    graph = graph_of([row(host(5, "www.school.example", "pc5"), WEB, shown), row(host(5), SSH)])
    (sheet,) = graph.sheets
    (band,) = sheet.bands
    (node,) = band.hosts
    assert sheet.domains == ("www.school.example",)
    assert node.domains == (0,)
    assert [band.ports[port].label.zh for port, _ in node.ports] == ["22 远程管理 SSH", "443 网页 HTTPS"]
    assert [port.certificate for port in band.ports] == [None, 0]
    assert sheet.certificates[0].label == "www.school.example"
    assert (graph.hosts, graph.domains, graph.ports, graph.certificates) == (1, 1, 2, 1)


def test_build_graph_when_a_port_shows_two_certificates_then_it_is_two_nodes() -> None:
    first, second = Certificate("aa", "a", not_after=NOW), Certificate("", "b")
    graph = graph_of([row(host(5), WEB, first), row(host(6), WEB, second), row(host(7), WEB)])
    (band,) = graph.sheets[0].bands
    assert sorted(str(port.certificate) for port in band.ports) == ["0", "1", "None"]
    assert (graph.ports, graph.certificates) == (1, 2)
    assert [one.until for one in graph.sheets[0].certificates] == ["2026-11-22", ""]


def test_build_graph_when_hosts_look_alike_then_three_or_more_are_one_node_and_named_ones_stay() -> None:
    rows = [row(host(number), SSH) for number in range(1, 6)] + [row(host(9, "a.example"), SSH)]
    (band,) = graph_of(rows).sheets[0].bands
    assert [node.label.zh for node in band.hosts] == ["10.20.1.1 等 5 台", "10.20.1.9"]
    assert band.hosts[0].addresses == tuple(f"10.20.1.{number}" for number in range(1, 6))
    (two,) = graph_of([row(host(number), SSH) for number in (1, 2)]).sheets[0].bands
    assert len(two.hosts) == 2


def test_build_graph_when_hosts_are_registered_then_systems_with_several_make_a_band() -> None:
    rows = [row(host(number), SSH) for number in (1, 2, 3, 4)]
    standing = registered((1, "教务系统"), (3, "教务系统"), (4, "门户"))
    (sheet,) = graph_of(rows, standing=standing).sheets
    found = {band.label.zh: [(one.label.zh, one.note) for one in band.hosts] for band in sheet.bands}
    assert found == {
        "系统 教务系统": [("10.20.1.1", ""), ("10.20.1.3", "")],
        "网段 lan（服务器区）": [("10.20.1.2", ""), ("10.20.1.4", "门户")],
    }


def test_build_graph_when_a_host_answers_everywhere_then_one_node_says_so() -> None:
    graph = graph_of([row(host(5), SSH)], answering=(("lan", ip_address("10.20.1.5"), 900),))
    (band,) = graph.sheets[0].bands
    assert "对所有端口应答" in {port.label.zh for port in band.ports}


def test_build_graph_when_a_host_has_many_ports_then_the_rest_is_one_node() -> None:
    graph = graph_of([row(host(5), Service(port, "http")) for port in range(8000, 8030)])
    (band,) = graph.sheets[0].bands
    assert len(band.ports) == 12
    assert band.ports[-1].label.zh == "其余端口"


def test_build_graph_when_a_finding_is_on_a_port_then_host_port_and_link_carry_it() -> None:
    graph = of_facts(make_facts(12))
    graves = [
        (one.severity, severity, band.ports[port].severity)
        for sheet in graph.sheets
        for band in sheet.bands
        for one in band.hosts
        for port, severity in one.ports
        if severity
    ]
    assert graves
    assert all(
        on_host.rank <= link.rank and on_port.rank <= link.rank
        for on_host, link, on_port in graves
        if on_host and on_port
    )
    ranks = [
        min((one.severity.rank for one in band.hosts if one.severity), default=9)
        for s in graph.sheets
        for band in s.bands
    ]
    assert ranks == sorted(ranks)


def test_build_graph_when_hosts_are_many_then_sheets_hold_all_of_them_and_none_is_too_tall() -> None:
    facts = make_facts(290)
    graph = of_facts(facts)
    drawn = [
        address for sheet in graph.sheets for band in sheet.bands for one in band.hosts for address in one.addresses
    ]
    assert len(drawn) == len(set(drawn)) == graph.hosts == len({r.endpoint.key.address for r in facts.rows})
    for sheet in graph.sheets:
        rows = sum(max(len(band.hosts), len(band.ports)) + 2 for band in sheet.bands)
        assert max(rows, len(sheet.domains), len(sheet.certificates)) <= SHEET_ROWS
    labels = [band.label.zh for sheet in graph.sheets for band in sheet.bands]
    assert any("（1/" in label for label in labels)


def test_build_graph_when_one_host_alone_fills_a_sheet_then_it_is_still_drawn() -> None:
    rows = [row(host(number), Service(1000 * number + port, "http")) for number in (1, 2, 3) for port in range(12)]
    graph = graph_of(rows)
    assert sum(len(band.hosts) for sheet in graph.sheets for band in sheet.bands) == 3
    assert len(graph.sheets) == 2


def test_domain_names_when_a_name_has_no_dot_then_it_is_none() -> None:
    assert domain_names(("pc1", "www.school.example")) == ("www.school.example",)


@pytest.mark.parametrize(
    ("links", "crossings"),
    [
        ([], 0),
        ([(0, 0), (1, 1)], 0),
        ([(0, 1), (1, 0)], 1),
        ([(0, 0), (0, 1), (1, 0), (1, 1)], 1),
        ([(0, 2), (1, 1), (2, 0)], 3),
    ],
)
def test_count_crossings_when_links_are_given_then_each_pair_counts_once(
    links: list[tuple[int, int]], crossings: int
) -> None:
    assert count_crossings(links) == crossings


def test_count_crossings_when_compared_with_every_pair_then_the_numbers_agree() -> None:
    random_ = random.Random(5)
    for _ in range(50):
        links = list({(random_.randrange(9), random_.randrange(9)) for _ in range(20)})
        slow = sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for i, a in enumerate(links) for b in links[:i])
        assert count_crossings(links) == slow


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        ([], []),
        ([50.0], [50.0]),
        ([5.0, 90.0], [5.0, 90.0]),
        ([50.0, 50.0], [45.0, 55.0]),
        ([0.0, 0.0, 0.0], [0.0, 10.0, 20.0]),
        ([100.0, 100.0], [90.0, 100.0]),
        ([-30.0, 400.0], [0.0, 100.0]),
    ],
)
def test_spread_when_heights_are_too_near_then_they_move_apart_and_stay_inside(
    wanted: list[float], placed: list[float]
) -> None:
    assert spread(wanted, 10, 0, 100) == placed


def test_spread_when_there_is_no_room_then_it_begins_at_the_top() -> None:
    assert spread([50.0] * 4, 10, 0, 20) == [0, 10, 20, 30]


def test_order_band_when_ports_are_shared_then_crossings_get_no_more() -> None:
    for sheet in of_facts(make_facts(200)).sheets:
        for band in sheet.bands:
            links = [(index, port) for index, one in enumerate(band.hosts) for port, _ in one.ports]
            hosts, ports = order_band(band)
            assert sorted(hosts) == list(range(len(band.hosts)))
            left, right = {h: i for i, h in enumerate(hosts)}, {p: i for i, p in enumerate(ports)}
            assert count_crossings([(left[h], right[p]) for h, p in links]) <= count_crossings(links)


@pytest.mark.parametrize("size", [12, 60, 200, 290])
def test_place_sheet_when_nodes_are_placed_then_none_of_a_layer_overlap_and_all_lie_inside(size: int) -> None:
    for sheet in of_facts(make_facts(size)).sheets:
        place = place_sheet(sheet)
        layers = [
            [y for band in place.bands for y in band.hosts],
            [y for band in place.bands for y in band.ports],
            list(place.domains),
            list(place.certificates),
        ]
        for layer in layers:
            rising = sorted(layer)
            assert all(after - before >= PITCH - 0.01 for before, after in pairwise(rising))
            assert all(PITCH / 2 < y < place.height for y in layer)
        for band in place.bands:
            assert all(band.top < y < band.bottom for y in (*band.hosts, *band.ports))


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("hostile", [False, True])
def test_draw_sheet_when_drawn_then_labels_fit_and_hostile_words_are_only_words(lang: str, hostile: bool) -> None:
    graph = of_facts(make_facts(60, hostile=hostile))
    for number in range(len(graph.sheets)):
        svg = draw_sheet(graph, lang, number)
        tree = ET.fromstring(svg)
        assert "<script" not in svg
        assert graph.alt.in_language(lang) == tree.get("aria-label")
        for element in tree.iter("text"):
            width = text_width(element.text or "", float(element.get("font-size", 12)))
            x = float(element.get("x", 0))
            left = x - width if element.get("text-anchor") == "end" else x
            assert left >= -1, element.text
            assert left + width <= WIDE + 1, element.text


def test_draw_sheet_when_neighbours_share_a_port_then_a_band_leads_there_and_grave_ports_have_their_own_line() -> None:
    graph = of_facts(make_facts(200))
    drawn = "".join(draw_sheet(graph, "zh", number) for number in range(len(graph.sheets)))
    assert 'class="ribbon"' in drawn
    assert 'class="link critical"' in drawn
    assert 'class="link high"' in drawn


def test_draw_sheet_when_hosts_are_300_then_the_pictures_stay_under_200_kb() -> None:
    facts = make_facts(298)
    graph = of_facts(facts)
    assert graph.hosts > 280
    assert sum(len(draw_sheet(graph, "zh", number).encode()) for number in range(len(graph.sheets))) < 200 * 1024


@pytest.mark.parametrize(
    ("tone", "shape"), [("critical", "polygon"), ("high", "polygon"), ("medium", "circle"), ("low", "circle"), ("", "")]
)
def test_draw_shape_when_severities_differ_then_so_do_their_shapes(tone: str, shape: str) -> None:
    drawn = draw_shape(tone, 10, 10)
    assert drawn.startswith(f"<{shape}") if shape else drawn == ""
