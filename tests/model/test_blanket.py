from __future__ import annotations

from ipaddress import ip_address

import pytest

from sentinel.model.blanket import LEAST, NO_BLANKETS, BlanketKey, blanket_key, build_blankets
from sentinel.model.endpoint import Endpoint, EndpointKey, EndpointState, Fingerprint
from tests.homes import NOW


def endpoint(
    address: str, service: str = "", product: str = "", *, port: int = 80, vantage: str = "inside"
) -> Endpoint:
    key = EndpointKey(1, vantage, ip_address(address), "tcp", port)
    return Endpoint(key, EndpointState.OPEN, Fingerprint(service, product=product), NOW)


KEY = BlanketKey(1, "inside", ip_address("10.1.2.0"), "tcp", 80)  # type: ignore[arg-type]  # an IPv4 address
EDGES = (endpoint("10.1.2.0", "http", "gate"), endpoint("10.1.2.255", "http", "gate"))


def test_block_that_answers_at_both_its_ends_is_a_blanket() -> None:
    found = build_blankets([(KEY, LEAST)], EDGES)
    assert found.covers(endpoint("10.1.2.7"))
    assert found.covers(endpoint("10.1.2.7", "http", "gate"))
    assert found.is_first(EDGES[0].key)
    assert not found.is_first(endpoint("10.1.2.7").key)


@pytest.mark.parametrize(
    ("count", "edges"), [(LEAST - 1, EDGES), (LEAST, EDGES[:1]), (LEAST, EDGES[1:]), (LEAST, ()), (250, EDGES[:1])]
)
def test_block_that_may_hold_hosts_is_none(count: int, edges: tuple[Endpoint, ...]) -> None:
    assert build_blankets([(KEY, count)], edges) == NO_BLANKETS


@pytest.mark.parametrize(
    "other",
    [
        endpoint("10.1.2.7", "http", "nginx"),
        endpoint("10.1.2.7", port=81),
        endpoint("10.1.3.7"),
        endpoint("10.1.2.7", vantage="outside"),
        endpoint("2001:db8::7"),
    ],
    ids=["speaks of its own", "other port", "other block", "other vantage", "IPv6"],
)
def test_what_can_be_told_from_the_box_stays_a_host(other: Endpoint) -> None:
    assert not build_blankets([(KEY, 256)], EDGES).covers(other)


def test_key_of_an_address_is_that_of_its_block() -> None:
    assert blanket_key(endpoint("10.1.2.7").key) == KEY
    assert blanket_key(endpoint("::1").key) is None
