from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Address, ip_address, ip_network

import pytest

from sentinel.model.endpoint import Host
from sentinel.model.facts import NetworkCoverage, UnitFacts
from sentinel.model.finding import FindingState
from sentinel.model.rule import Severity
from sentinel.model.unit import Network, Zone
from sentinel.report.asset_map import HOSTS_DRAWN, build_map
from sentinel.report.hosts import block_of, subjects_of
from sentinel.report.svg import WIDTH, text_width
from sentinel.report.svg_map import draw_region
from sentinel.report.values import Text
from tests.report.facts_factory import CODE, SSH, make_empty_facts, make_facts, make_row

ALT = Text("地图", "map")


def crowd(*prefixes: str, each: int = 200, networks: tuple[Network, ...] = ()) -> UnitFacts:
    hosts = tuple(
        Host(networks[0].name if networks else "default", Zone.UNKNOWN, address)
        for prefix in prefixes
        for address in list(ip_network(prefix).hosts())[:each]
    )
    return make_empty_facts(hosts=hosts, networks=networks, coverage=())


@pytest.mark.parametrize(("size", "kind"), [(12, "hosts"), (200, "hosts"), (3000, "curve")])
def test_build_map_when_size_grows_then_the_kind_of_picture_changes(size: int, kind: str) -> None:
    assert build_map(make_facts(size)).kind == kind


def test_build_map_when_nothing_was_seen_then_it_is_empty() -> None:
    found = build_map(make_empty_facts())
    assert (found.kind, found.hosts, found.panels, found.blocks) == ("empty", 0, (), ())


def test_build_map_when_finding_is_on_a_port_then_port_and_host_carry_its_severity() -> None:
    facts = make_facts(12)
    live = [finding for finding in facts.findings if finding.state.is_live]
    lines = {str(host.address): host for panel in build_map(facts).panels for host in panel.hosts}
    for finding in live:
        host = lines[finding.key.subject.split(":")[0]]
        assert host.worst is not None
        assert host.worst.rank <= finding.severity.rank
        assert any(mark.severity for mark in host.ports)
    assert sum(host.findings for host in lines.values()) == len(live)


@pytest.mark.parametrize("place", ["", " stratum"])
def test_build_map_when_finding_is_on_the_host_as_a_whole_then_the_host_carries_it(place: str) -> None:
    facts = make_facts(12)
    row = facts.rows[0]
    finding = replace(facts.findings[0], severity=Severity.CRITICAL, state=FindingState.OPEN)
    key = replace(finding.key, network=row.endpoint.key.network, subject=f"{row.endpoint.key.address}{place}")
    found = build_map(replace(facts, findings=(replace(finding, key=key),)))
    worst = [host.address for panel in found.panels for host in panel.hosts if host.worst is Severity.CRITICAL]
    assert worst == [row.endpoint.key.address]


def test_build_map_when_one_port_is_seen_from_two_vantages_then_it_is_one_mark() -> None:
    facts = make_facts(12)
    twin = [
        replace(row, endpoint=replace(row.endpoint, key=row.endpoint.key._replace(vantage="outside")))
        for row in facts.rows
    ]
    both = build_map(replace(facts, rows=(*facts.rows, *twin)))
    assert [panel.ports for panel in both.panels] == [panel.ports for panel in build_map(facts).panels]


def test_build_map_when_a_network_is_not_declared_then_its_hosts_still_have_a_panel() -> None:
    row = make_row(9, Host("lost", Zone.IOT, ip_address("192.0.2.7")), SSH, 1)
    (panel,) = build_map(make_empty_facts(rows=(row,))).panels
    assert (panel.network, panel.zone, panel.prefixes, panel.hosts[0].port_count) == ("lost", Zone.IOT, (), 1)


def test_build_map_when_a_host_is_quiet_then_it_is_counted_apart() -> None:
    facts = crowd("10.1.1.0/24", each=HOSTS_DRAWN)
    found = build_map(facts)
    assert (found.hosts, found.quiet, found.kind) == (0, 254, "hosts")


def test_regions_when_hosts_lie_in_one_small_block_then_the_picture_is_no_larger_than_needed() -> None:
    network = Network(2, CODE, "server-lan", Zone.SERVER, (IPv4Network("10.20.4.0/23"),))
    (region,) = build_map(crowd("10.20.4.0/24", "10.20.5.0/24", networks=(network,))).regions
    assert (str(region.block), region.order) == ("10.20.4.0/22", 5)
    assert (region.areas[0].state, region.areas[0].hosts) == ("unknown", 400)


@pytest.mark.parametrize(
    ("scannable", "covered", "state"),
    [(True, 512, "covered"), (True, 100, "partial"), (True, 0, "unknown"), (False, 512, "logs")],
)
def test_regions_when_coverage_differs_then_the_ground_says_so(scannable: bool, covered: int, state: str) -> None:
    network = Network(2, CODE, "lan", Zone.OFFICE, (IPv4Network("10.20.4.0/23"),), scannable)
    facts = crowd("10.20.4.0/24", "10.20.5.0/24", networks=(network,))
    facts = replace(facts, coverage=(NetworkCoverage("lan", 512, covered),))
    assert build_map(facts).regions[0].areas[0].state == state


def test_regions_when_no_range_is_declared_then_blocks_with_hosts_are_named() -> None:
    (region,) = build_map(crowd("10.20.0.0/24", "10.20.255.0/24")).regions
    assert region.order == 8
    assert [str(area.prefix) for area in region.areas] == ["10.20.0.0/20", "10.20.240.0/20"]
    assert {area.state for area in region.areas} == {"undeclared"}


def test_regions_when_a_declared_range_is_larger_than_the_picture_then_it_is_clipped() -> None:
    networks = (Network(2, CODE, "all", Zone.OFFICE, (IPv4Network("10.0.0.0/8"), ip_network("2001:db8::/32"))),)
    (region,) = build_map(crowd("10.20.0.0/24", "10.20.9.0/24", networks=networks)).regions
    assert [str(area.prefix) for area in region.areas] == ["10.20.0.0/16"]


def test_regions_when_hosts_are_few_elsewhere_then_they_are_counted_as_not_drawn() -> None:
    facts = crowd("10.20.0.0/24", "10.20.9.0/24", "172.16.5.0/28")
    extra = Host("default", Zone.UNKNOWN, IPv6Address("2001:db8::1"))
    found = build_map(replace(facts, hosts=(*facts.hosts, extra)))
    assert len(found.regions) == 1
    assert found.outside == 15


def test_regions_when_one_address_is_in_two_networks_then_the_worse_one_colours_it() -> None:
    facts = make_facts(3000)
    row = next(row for row in facts.rows if row.endpoint.key.port == 6379)
    other = Host("elsewhere", Zone.OFFICE, row.endpoint.key.address)
    found = build_map(replace(facts, hosts=(other, *facts.hosts)))
    assert found.regions[0].cells == build_map(facts).regions[0].cells


@pytest.mark.parametrize("size", [400, 3000])
def test_draw_region_when_labels_are_placed_then_none_overlap_and_all_lie_inside(size: int) -> None:
    for region in build_map(make_facts(size)).regions:
        svg = draw_region(region, "zh", ALT)
        labels = [element for element in ET.fromstring(svg) if element.get("class") == "place"]
        assert labels
        boxes = [_box(label) for label in labels]
        assert all(x >= 0 and right <= WIDTH + 2 and y >= -1 and bottom <= WIDTH + 1 for x, y, right, bottom in boxes)
        pairs = [(a, b) for index, a in enumerate(boxes) for b in boxes[:index]]
        assert not any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for a, b in pairs)


def test_draw_region_when_network_name_is_hostile_then_it_is_escaped() -> None:
    network = Network(2, CODE, "<script>x</script>", Zone.SERVER, (IPv4Network("10.20.4.0/23"),))
    (region,) = build_map(crowd("10.20.4.0/24", "10.20.5.0/24", networks=(network,))).regions
    svg = draw_region(region, "zh", ALT)
    assert "<script" not in svg
    ET.fromstring(svg)


def test_draw_region_when_areas_are_tiny_and_full_then_numbers_are_still_placed() -> None:
    parts = tuple(ip_network("10.20.0.0/22").subnets(new_prefix=27))
    networks = tuple(Network(n + 2, CODE, f"part-{n}", Zone.OFFICE, (part,)) for n, part in enumerate(parts))  # type: ignore[arg-type]
    hosts = tuple(Host("part-0", Zone.OFFICE, address) for address in ip_network("10.20.0.0/22").hosts())
    (region,) = build_map(make_empty_facts(hosts=hosts, networks=networks, coverage=())).regions
    svg = draw_region(region, "zh", ALT)
    numbers = [element.text for element in ET.fromstring(svg) if element.get("class") == "place"]
    assert len(numbers) == len(parts)


@pytest.mark.parametrize(
    ("address", "block"),
    [("10.20.1.77", "10.20.1.0/24"), ("2001:db8:1::5", "2001:db8:1::/64"), ("fe80::1%eth0", "fe80::/64")],
)
def test_block_of_when_version_differs_then_its_usual_subnet_is_given(address: str, block: str) -> None:
    assert str(block_of(ip_address(address))) == block


def test_subjects_of_when_address_is_ipv6_then_both_spellings_are_tried() -> None:
    assert subjects_of(ip_address("2001:db8::1"), "tcp", 443) == ("2001:db8::1:443/tcp", "[2001:db8::1]:443/tcp")
    assert subjects_of(ip_address("10.0.0.5"), "udp", 161) == ("10.0.0.5:161/udp",)


def _box(label: ET.Element) -> tuple[float, float, float, float]:
    size = float(label.get("font-size", 10))
    x, baseline = float(label.get("x", 0)), float(label.get("y", 0))
    return x, baseline - size * 0.8, x + text_width(label.text or "", size), baseline + size * 0.1


def test_build_map_when_a_host_answers_everywhere_then_it_says_so_in_place_of_ports() -> None:
    facts = replace(make_empty_facts(), answering=(("server-lan", ip_address("10.0.0.9"), 250),))
    (panel,) = build_map(replace(facts, hosts=(Host("server-lan", Zone.SERVER, ip_address("10.0.0.9")),))).panels
    (line,) = panel.hosts
    assert (line.answering, line.port_count, line.ports) == (250, 0, ())


def test_build_map_when_a_host_has_several_names_then_a_whole_one_comes_first() -> None:
    found = Host("server-lan", Zone.SERVER, ip_address("10.0.0.9"), names=("cam", "cam.school.example"))
    (panel,) = build_map(replace(make_empty_facts(), hosts=(found,))).panels
    assert panel.hosts[0].names == ("cam.school.example", "cam")
