from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import pytest

from sentinel.model.nat import NatPool
from sentinel.model.publication import Mapping, Publication, PublicationState, Via, parse_via

OUT, IN = ip_address("203.0.113.5"), ip_address("10.0.0.5")


def test_mapping_of_ports_leads_both_ways() -> None:
    one = Mapping(OUT, "tcp", 9000, 9002, IN, 80)
    assert [one.inside_of("tcp", port) for port in (8999, 9000, 9002, 9003)] == [None, 80, 82, None]
    assert [one.outside_of("tcp", port) for port in (79, 80, 82, 83)] == [None, 9000, 9002, None]
    assert one.inside_of("udp", 9000) is None
    assert one.outside_of("udp", 80) is None


def test_mapping_of_a_whole_address_leads_to_the_same_ports() -> None:
    one = Mapping(OUT, "", 0, 0, IN)
    assert one.inside_of("udp", 53) == 53
    assert one.outside_of("tcp", 22) == 22


def test_mapping_whose_inside_port_is_not_told_is_the_same_as_one_that_tells_the_same_port() -> None:
    assert Mapping(OUT, "tcp", 80, 80, IN).key == Mapping(OUT, "tcp", 80, 80, IN, 80, note="x", line=3).key


@pytest.mark.parametrize(
    "wrong",
    [
        (OUT, "tcp", 0, 80, IN),
        (OUT, "tcp", 90, 80, IN),
        (OUT, "tcp", 80, 65_536, IN),
        (OUT, "tcp", 1, 65_535, IN, 2),
        (OUT, "", 80, 80, IN),
        (OUT, "icmp", 80, 80, IN),
        (None, "tcp", 80, 80, IN),
        (IN, "tcp", 80, 80, IN),
        (OUT, "tcp", -1, 80, IN),
    ],
)
def test_mapping_that_leads_nowhere_is_refused(wrong: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=r"ports|port needs|neither|same address"):
        Mapping(*wrong)  # type: ignore[arg-type]  # on purpose


def test_publication_holds_in_its_time_when_it_is_in_force() -> None:
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    one = Publication(1, "u", Mapping(OUT, "", 0, 0, IN), "declared", valid_from=first, valid_to=last)
    assert one.holds(first)
    assert one.holds(last)
    assert not one.holds(datetime(2026, 6, 2, tzinfo=UTC))
    assert not one.holds(datetime(2025, 6, 2, tzinfo=UTC))
    proposed = Publication(1, "u", one.mapping, "title", state=PublicationState.PROPOSED)
    assert not proposed.holds(first)


def test_way_is_read_by_its_words() -> None:
    assert [parse_via(text) for text in ("nat", "反向代理", "站群", "WAF")] == [
        Via.NAT, Via.PROXY, Via.SITE_GROUP, Via.WAF,
    ]  # fmt: skip
    assert all(parse_via(one.zh) is one for one in Via)
    with pytest.raises(ValueError, match="no such way"):
        parse_via("管道")


def test_pool_gives_the_block_of_a_port() -> None:
    pool = NatPool(1, "u", "p", (ip_network("203.0.113.0/28"),), block_ports=512)
    assert pool.block_of(1024) == (1024, 1535)
    assert pool.block_of(1536) == (1536, 2047)
    assert pool.block_of(65_535) == (65_024, 65_535)
    assert pool.block_of(80) is None
    assert NatPool(1, "u", "p", pool.outside).block_of(5000) is None
    assert pool.holds(ip_address("203.0.113.3"))
    assert not pool.holds(ip_address("2001:db8::1"))
