from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Network, ip_address, ip_network

import pytest

from sentinel.model.endpoint import Endpoint, EndpointKey, EndpointState, Fingerprint, Host, MapRow
from sentinel.model.facts import NetworkCoverage, UnitFacts
from sentinel.model.finding import FindingState
from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.model.rule import Severity
from sentinel.model.unit import Network, Zone
from sentinel.report.asset_map import build_map
from sentinel.report.svg import text_width
from sentinel.report.svg_grid import draw_grid_head, draw_grid_rows, grid_slices
from sentinel.report.svg_shapes import WIDE
from sentinel.report.use_grid import SEGMENTS_DRAWN, Segment, UseGrid, build_grid
from sentinel.report.uses import USE_HEADS, USE_WORDS, Use, use_of
from tests.report.facts_factory import CODE, HOSTILE, NOW, Service, make_empty_facts, make_facts, make_row

SERVER = Network(2, CODE, "server-lan", Zone.SERVER, (IPv4Network("10.20.1.0/24"),))


def rows_at(address: str, *services: Service, network: Network = SERVER) -> tuple[MapRow, ...]:
    host = Host(network.name, network.zone, ip_address(address))
    return tuple(make_row(network.id, host, service, 1) for service in services)


def grid_of(rows: Iterable[MapRow] = (), **changes: object) -> UseGrid:
    base = {"networks": (SERVER,), "coverage": (NetworkCoverage("server-lan", 256, 256),), "rows": tuple(rows)}
    facts = make_empty_facts(**(base | changes))
    return build_grid(facts, build_map(facts).panels)


def cell(grid: UseGrid, segment: Segment, use: Use) -> object:
    return segment.cells[grid.uses.index(use)]


def flow(host: str, flow_class: FlowClass) -> FlowDetection:
    return FlowDetection("a.pcap", host, 50000, "192.0.2.9", 3333, "stratum", flow_class, 1.0)


@pytest.mark.parametrize(
    ("service", "tunnel", "product", "use"),
    [
        ("http", "", "nginx", Use.WEB),
        ("http", "ssl", "", Use.WEB),
        ("http", "", "Hikvision Network Video Recorder http admin", Use.CAMERA),
        ("http", "", "HP LaserJet http config", Use.PRINT),
        ("ssh", "", "Hikvision", Use.REMOTE),
        ("ms-wbt-server", "", "", Use.REMOTE),
        ("oracle-tns", "", "", Use.DATABASE),
        ("microsoft-ds", "", "", Use.FILES),
        ("rtsp", "", "", Use.CAMERA),
        ("smtp", "", "", Use.MAIL),
        ("domain", "", "", Use.NAMES),
        ("redis", "", "", Use.MIDDLEWARE),
        ("snmp", "", "", Use.NETWORK),
        ("stratum", "", "", Use.MINING),
        ("some-new-thing", "", "", Use.OTHER),
        ("", "", "", Use.UNKNOWN),
        ("tcpwrapped", "", "", Use.UNKNOWN),
    ],
)
def test_use_of_when_a_service_speaks_then_its_use_is_told(service: str, tunnel: str, product: str, use: Use) -> None:
    key = EndpointKey(1, "inside", ip_address("10.0.0.1"), "tcp", 1)
    assert use_of(Endpoint(key, EndpointState.OPEN, Fingerprint(service, False, product, "", tunnel), NOW)) is use


def test_use_words_when_listed_then_every_use_has_words_and_a_narrow_head_in_both_languages() -> None:
    assert set(USE_WORDS) == set(USE_HEADS) == set(Use)
    assert all(0 < len(lines) <= 2 for heads in USE_HEADS.values() for lines in heads)


def test_build_grid_when_ports_are_open_then_they_are_counted_by_block_and_use() -> None:
    web, ssh = Service(80, "http"), Service(22, "ssh", guessed=True)
    grid = grid_of((*rows_at("10.20.1.5", ssh, web), *rows_at("10.20.1.6", web)))
    (segment,) = grid.segments
    assert grid.uses == (Use.WEB, Use.REMOTE)
    assert (segment.block, segment.hosts, segment.ports, segment.state) == ("10.20.1.0/24", 2, 3, "covered")
    assert [(one.count, one.guessed) for one in segment.cells] == [(2, 0), (1, 1)]
    assert Use.MAIL in grid.unseen
    assert grid.drawn == grid.segments
    assert (grid.rest, grid.rest_count) == (None, 0)


def test_build_grid_when_a_port_is_seen_from_two_places_then_it_counts_once() -> None:
    (row,) = rows_at("10.20.1.5", Service(80, "http"))
    twin = replace(row, endpoint=replace(row.endpoint, key=row.endpoint.key._replace(vantage="outside")))
    (segment,) = grid_of((row, twin)).segments
    assert (segment.ports, segment.cells[0].count) == (1, 1)


def test_build_grid_when_findings_are_live_then_the_worst_marks_its_cell_and_closed_ones_do_not() -> None:
    facts = make_facts(12)
    (one, *_) = facts.findings
    row = next(row for row in facts.rows if row.endpoint.key.port == 22)
    key = row.endpoint.key
    subject = f"{key.address}:22/tcp"
    low = replace(
        one, severity=Severity.LOW, state=FindingState.OPEN, key=replace(one.key, network=key.network, subject=subject)
    )
    high = replace(low, severity=Severity.HIGH, key=replace(low.key, rule="other"))
    gone = replace(low, severity=Severity.CRITICAL, state=FindingState.CLOSED, key=replace(low.key, rule="gone"))
    facts = replace(facts, findings=(low, high, gone), flows=())
    grid = build_grid(facts, build_map(facts).panels)
    marked = [one for segment in grid.segments for one in segment.cells if one.worst]
    assert [(one.worst, one.grave) for one in marked] == [(Severity.HIGH, 1)]
    assert "1 个" in grid.alt.zh


@pytest.mark.parametrize(
    ("scannable", "covered", "state"),
    [(True, 256, "covered"), (True, 9, "partial"), (True, 0, "unknown"), (False, 256, "logs")],
)
def test_build_grid_when_nothing_was_seen_in_a_range_then_its_row_says_whether_anybody_looked(
    scannable: bool, covered: int, state: str
) -> None:
    network = replace(SERVER, scannable=scannable)
    (segment,) = grid_of(networks=(network,), coverage=(NetworkCoverage("server-lan", 256, covered),)).segments
    assert (segment.block, segment.state, segment.hosts, segment.ports) == ("10.20.1.0/24", state, 0, 0)


def test_build_grid_when_coverage_is_not_told_then_nobody_looked() -> None:
    (segment,) = grid_of(coverage=()).segments
    assert segment.state == "unknown"


def test_build_grid_when_hosts_lie_outside_declared_networks_then_their_block_is_undeclared() -> None:
    lost = Network(9, CODE, "lost", Zone.IOT)
    grid = grid_of(rows_at("192.0.2.7", Service(80, "http"), network=lost))
    assert [(one.network, one.block, one.state) for one in grid.segments] == [
        ("server-lan", "10.20.1.0/24", "covered"),
        ("lost", "192.0.2.0/24", "undeclared"),
    ]


def test_build_grid_when_a_range_is_smaller_than_a_block_then_the_range_names_it() -> None:
    small = replace(SERVER, prefixes=(IPv4Network("10.20.1.0/27"),))
    assert [one.block for one in grid_of(rows_at("10.20.1.5", Service(80, "http")), networks=(small,)).segments] == [
        "10.20.1.0/27"
    ]
    two = replace(SERVER, prefixes=(IPv4Network("10.20.1.0/27"), IPv4Network("10.20.1.64/27")))
    blocks = [one.block for one in grid_of(rows_at("10.20.1.5", Service(80, "http")), networks=(two,)).segments]
    assert blocks == ["10.20.1.0/24"]


def test_build_grid_when_addresses_are_of_both_versions_then_ipv6_has_blocks_of_its_own() -> None:
    six = replace(SERVER, prefixes=(IPv4Network("10.20.1.0/24"), ip_network("2001:db8::/48")))
    rows = (*rows_at("10.20.1.5", Service(80, "http")), *rows_at("2001:db8::5", Service(80, "http")))
    assert [one.block for one in grid_of(rows, networks=(six,)).segments] == ["10.20.1.0/24", "2001:db8::/64"]


def test_build_grid_when_traffic_shows_mining_then_hosts_count_and_not_ports() -> None:
    flows = (
        flow("10.20.1.5", FlowClass.MINING),
        flow("10.20.1.5", FlowClass.SUSPECT),
        flow("10.20.1.6", FlowClass.SUSPECT),
        flow("10.20.1.7", FlowClass.NODE),
        flow("not an address", FlowClass.MINING),
        flow("203.0.113.9", FlowClass.MINING),
    )
    grid = grid_of(rows_at("10.20.1.5", Service(80, "http"), Service(3333, "stratum")), flows=flows)
    (segment,) = grid.segments
    found = segment.cells[grid.uses.index(Use.MINING)]
    assert (found.count, found.worst, found.grave, segment.ports) == (2, Severity.CRITICAL, 1, 2)
    assert grid.mining_looked


def test_build_grid_when_a_miner_has_no_open_port_then_its_declared_range_holds_it() -> None:
    (segment,) = grid_of(flows=(flow("10.20.1.9", FlowClass.SUSPECT),)).segments
    assert (segment.block, segment.cells[0].worst) == ("10.20.1.0/24", Severity.MEDIUM)


def test_build_grid_when_no_capture_was_analysed_then_mining_is_not_looked_at() -> None:
    assert not grid_of(rows_at("10.20.1.5", Service(80, "http"))).mining_looked
    assert grid_of(captures_analysed=1).mining_looked


def test_build_grid_when_segments_are_many_then_the_worst_and_fullest_are_drawn_and_the_rest_summed() -> None:
    facts = make_facts(3000)
    grid = build_grid(facts, build_map(facts).panels)
    assert len(grid.drawn) == SEGMENTS_DRAWN - 1
    assert grid.rest is not None
    assert grid.rest_count == len(grid.segments) - len(grid.drawn)
    assert sum(one.ports for one in (*grid.drawn, grid.rest)) == sum(one.ports for one in grid.segments)
    assert sum(one.hosts for one in (*grid.drawn, grid.rest)) == sum(one.hosts for one in grid.segments)
    assert min(one.grave for one in grid.drawn) >= min(one.grave for one in grid.segments)
    places = [grid.segments.index(one) for one in grid.drawn]
    assert places == sorted(places)


def draw(grid: UseGrid, lang: str = "zh") -> list[str]:
    return [str(draw_grid_head(grid, lang)), *(str(draw_grid_rows(grid, lang, n)) for n in range(grid_slices(grid)))]


def labels(svg: str) -> list[tuple[str, float, float, float]]:
    found = []
    for element in ET.fromstring(svg).iter("text"):
        words, size, x = element.text or "", float(element.get("font-size", 12)), float(element.get("x", 0))
        width = text_width(words, size)
        left = {"start": x, "middle": x - width / 2, "end": x - width}[element.get("text-anchor", "start")]
        found.append((words, left, left + width, float(element.get("y", 0))))
    return found


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", [12, 200, 3000])
def test_draw_grid_when_labels_are_written_then_none_overlap_and_all_lie_inside(size: int, lang: str) -> None:
    facts = make_facts(size)
    for svg in draw(build_grid(facts, build_map(facts).panels), lang):
        words = labels(svg)
        assert words
        assert all(left >= -1 and right <= WIDE + 1 for _, left, right, _ in words)
        for index, (one, left, right, y) in enumerate(words):
            for other, start, end, height in words[:index]:
                assert abs(y - height) > 8 or right <= start + 1 or end <= left + 1, (one, other)


def test_draw_grid_when_every_use_was_seen_then_wide_numbers_still_fit_their_cells() -> None:
    names = ("http", "ssh", "mysql", "smb", "ipp", "rtsp", "smtp", "dns", "redis", "snmp", "stratum", "odd", "")
    facts = make_empty_facts(
        networks=(SERVER,),
        rows=tuple(
            row
            for number in range(1, 200)
            for row in rows_at(f"10.20.1.{number}", *(Service(port + 1, name) for port, name in enumerate(names)))
        ),
    )
    grid = build_grid(facts, build_map(facts).panels)
    assert grid.uses == tuple(Use)
    rows = "".join(draw(grid)[1:])
    assert rows.count(">199<") >= len(Use) - 1


def test_draw_grid_when_nobody_looked_then_cells_are_hatched_and_numbers_are_not_zero() -> None:
    rows = "".join(draw(grid_of(rows_at("192.0.2.7", Service(80, "http")), coverage=()))[1:])
    assert 'class="cell hatch"' in rows
    assert ">?<" in rows


def test_draw_grid_when_a_range_was_checked_then_an_empty_cell_is_a_dot() -> None:
    lost = Network(9, CODE, "lost", Zone.IOT)
    rows = "".join(draw(grid_of(rows_at("192.0.2.7", Service(80, "http"), network=lost)))[1:])
    assert ">·<" in rows
    assert "hatch" not in rows


def test_draw_grid_when_a_severity_has_no_room_beside_the_number_then_it_stands_in_the_corner() -> None:
    facts = make_facts(12)
    grid = build_grid(facts, build_map(facts).panels)
    wide = "".join(draw(grid)[1:])
    many = replace(
        grid,
        uses=grid.uses * 4,
        drawn=tuple(
            replace(one, cells=tuple(replace(cell, count=cell.count * 99999) for cell in one.cells) * 4)
            for one in grid.drawn
        ),
    )
    narrow = "".join(draw(many)[1:])
    assert wide.count('class="mark"') * 4 == narrow.count('class="mark"')
    assert wide.count('class="mark"') > 0


@pytest.mark.parametrize("words", HOSTILE)
def test_draw_grid_when_a_network_has_a_hostile_name_then_it_is_only_text(words: str) -> None:
    network = replace(SERVER, name=words)
    facts: UnitFacts = make_empty_facts(
        networks=(network,), rows=rows_at("10.20.1.5", Service(80, words), network=network)
    )
    for svg in draw(build_grid(facts, build_map(facts).panels)):
        ET.fromstring(svg)
        assert "<script" not in svg
        assert "\u202e" not in svg
