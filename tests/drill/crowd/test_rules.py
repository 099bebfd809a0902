"""The packet filter and the routes of a crowd, as text; what the kernel makes of them is seen in test_running."""

import re
from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from sentinel.drill.crowd.plan import plan_crowd, used_backends
from sentinel.drill.crowd.rules import filter_rules, forwarder_links, scanner_links, school_links

SMALL = plan_crowd(IPv4Network("10.32.0.0/24"), 143, 1)
LARGE = plan_crowd(IPv4Network("10.32.0.0/20"), 1415, 1)


def places(crowd: object = SMALL) -> dict[str, int]:
    return {key: 20_001 + number for number, key in enumerate(used_backends(crowd))}


@pytest.mark.parametrize(("loss", "drops"), [(0.0, []), (0.05, ["50000"] * 2), (0.000001, ["1"] * 2)])
def test_rules_with_a_loss_then_drop_its_share_each_way(loss: float, drops: list[str]) -> None:
    first = filter_rules(SMALL, places(), loss)[0]
    assert re.findall(r"numgen random mod 1000000 < (\d+) drop", first) == drops


def test_rules_when_many_then_come_in_portions_the_kernel_takes() -> None:
    files = filter_rules(LARGE, places(LARGE), 0.0)
    assert max(text.count("\n") for text in files) < 1100
    assert sum(text.count(" . ") for text in files[1:]) == 2 * len(LARGE.truth())


def test_rules_when_read_back_then_send_every_open_port_to_its_backend() -> None:
    text = "".join(filter_rules(SMALL, places(), 0.0))
    sent = dict(re.findall(r"([\d.]+ \. \d+) : (\d+)", text))
    assert sent == {f"{row.address} . {row.port}": str(places()[row.backend]) for row in SMALL.truth()}


def test_rules_without_tarpits_then_redirect_no_whole_host() -> None:
    crowd = replace(SMALL, hosts=tuple(host for host in SMALL.hosts if not host.is_tarpit))
    text = "".join(filter_rules(crowd, places(crowd), 0.0))
    assert "@tarpits meta l4proto tcp redirect" in "".join(filter_rules(SMALL, places(), 0.0))
    assert "@tarpits meta l4proto tcp redirect" not in text
    assert "add element ip crowd tarpits" not in text


def test_links_on_one_wire_then_give_the_scanner_the_whole_network() -> None:
    assert scanner_links(SMALL)[0] == "address add 10.32.0.254/24 dev crowd0"


def test_links_behind_a_router_then_lead_through_it() -> None:
    assert scanner_links(LARGE)[-1] == "route add 10.32.0.0/20 via 10.32.15.253 dev crowd0"


def test_links_with_a_forwarder_between_then_hand_each_cable_to_the_next() -> None:
    assert school_links(SMALL, "right", 42)[0].endswith("type veth peer name right netns 42")
    assert forwarder_links("left", 41)[0].endswith("peer name crowd0 address 02:53:45:4e:00:01 netns 41")
    assert "peer name crowd0 address 02:53:45:4e:00:01 netns 41" in school_links(SMALL, "crowd0", 41)[0]
