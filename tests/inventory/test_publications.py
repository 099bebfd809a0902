from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.inventory.publications import Published, propose
from sentinel.model.endpoint import Fingerprint, MapRow
from sentinel.model.publication import Mapping, Publication, PublicationState, Via
from sentinel.model.unit import Zone
from tests.inventory.made import DAY_0, day, endpoint

OUT, IN = ip_address("203.0.113.5"), ip_address("10.0.0.5")


def publication(number: int, mapping: Mapping, **words: object) -> Publication:
    return replace(Publication(number, "u", mapping, "declared"), **words)  # type: ignore[arg-type]  # fields by name


def row(
    address: str, port: int = 443, vantage: str = "inside", *, certificate: str = "", title: str = "",
    proto: str = "tcp", names: tuple[str, ...] = (), tunnel: str = "",
) -> MapRow:  # fmt: skip
    made = endpoint(port, proto, title=title, fingerprint=Fingerprint("http", tunnel=tunnel, certificate=certificate))
    key = made.key._replace(address=ip_address(address), vantage=vantage)
    return MapRow("u", "n", Zone.UNKNOWN, replace(made, key=key), names)


def outside(address: str = "203.0.113.5", port: int = 443, **words: object) -> MapRow:
    return row(address, port, "outside", **words)  # type: ignore[arg-type]  # fields by name


def test_publication_shows_each_side_the_other() -> None:
    published = Published([publication(3, Mapping(OUT, "tcp", 443, 443, IN, 8443, "a.example", Via.WAF))], DAY_0)
    (way,) = published.ways_of(outside())
    assert (str(way.address), way.port, way.name, way.via, way.publication) == (
        "10.0.0.5",
        8443,
        "a.example",
        Via.WAF,
        3,
    )
    assert way.text == "10.0.0.5:8443/tcp"
    (back,) = published.ways_of(row("10.0.0.5", 8443))
    assert back.text == "203.0.113.5:443/tcp"
    assert published.ways_of(row("10.0.0.5", 443)) == ()
    assert published.ways_of(outside(port=80)) == ()
    assert published.ways_of(outside("203.0.113.6")) == ()


def test_publication_of_a_name_is_found_by_the_names_of_what_is_seen_outside() -> None:
    published = Published([publication(1, Mapping(None, "tcp", 443, 443, IN, 0, "A.example"))], DAY_0)
    assert [one.text for one in published.ways_of(outside(names=("a.example",)))] == ["10.0.0.5:443/tcp"]
    assert published.ways_of(outside(names=("b.example",))) == ()
    assert published.ways_of(row("10.0.0.9", names=("a.example",))) == ()
    assert [one.text for one in published.ways_of(row("10.0.0.5"))] == ["A.example:443/tcp"]


def test_publication_counts_in_its_time_and_when_it_is_in_force() -> None:
    mapping = Mapping(OUT, "tcp", 443, 443, IN)
    assert not Published([publication(1, mapping, state=PublicationState.PROPOSED)], DAY_0)
    assert not Published([publication(1, mapping, valid_from=day(3))], day(2))
    assert Published([publication(1, mapping, valid_from=day(3))], day(3))


def test_several_servers_behind_one_address_are_all_told_once() -> None:
    mappings = [Mapping(OUT, "tcp", 443, 443, ip_address(f"10.0.0.{one}"), 80) for one in (5, 6)]
    published = Published([publication(number, one) for number, one in enumerate(mappings, 1)], DAY_0)
    assert [one.text for one in published.ways_of(outside())] == ["10.0.0.5:80/tcp", "10.0.0.6:80/tcp"]


def test_address_with_colons_is_written_in_brackets() -> None:
    mapping = Mapping(ip_address("2001:db8::5"), "tcp", 443, 443, ip_address("fd00::5"))
    (way,) = Published([publication(1, mapping)], DAY_0).ways_of(outside("2001:db8::5"))
    assert way.text == "[fd00::5]:443/tcp"


def test_same_certificate_on_both_sides_is_proposed_with_its_sum() -> None:
    rows = [outside(certificate="a" * 64), row("10.0.0.5", 8443, certificate="a" * 64), row("10.0.0.6")]
    (one,) = propose(rows, ())
    assert one.mapping.key == Mapping(OUT, "tcp", 443, 443, IN, 8443).key
    assert (one.source, one.reason) == ("certificate", "a" * 64)


def test_rare_title_on_both_sides_is_proposed_and_the_port_most_alike_is_taken() -> None:
    rows = [
        outside(port=443, title="示例学校 教务系统", tunnel="ssl"),
        row("10.0.0.5", 80, title="示例学校  教务系统"),
        row("10.0.0.5", 8443, title="示例学校 教务系统", tunnel="ssl"),
    ]
    (one,) = propose(rows, ())
    assert (one.source, one.mapping.inside_port) == ("title", 8443)
    same = propose([*rows, row("10.0.0.5", 443, title="示例学校 教务系统")], ())
    assert [each.mapping.inside_port for each in same] == [443]


@pytest.mark.parametrize("title", ["", "abc", "404 Not Found", "Welcome to nginx!", "首页", "用户登录"])
def test_title_many_pages_have_is_no_reason(title: str) -> None:
    assert propose([outside(title=title), row("10.0.0.5", title=title)], ()) == ()


def test_what_many_hosts_show_is_no_reason() -> None:
    inside = [row(f"10.0.0.{one}", certificate="a" * 64, title="设备管理") for one in range(1, 4)]
    assert propose([outside(certificate="a" * 64, title="设备管理"), *inside], ()) == ()
    many = [outside(f"203.0.113.{one}", certificate="b" * 64) for one in range(1, 4)]
    assert propose([*many, row("10.0.0.9", certificate="b" * 64)], ()) == ()


def test_what_is_known_in_any_state_or_leads_somewhere_already_is_not_proposed_again() -> None:
    rows = [outside(certificate="a" * 64), row("10.0.0.5", certificate="a" * 64)]
    same = Mapping(OUT, "tcp", 443, 443, IN)
    for state in PublicationState:
        assert propose(rows, [publication(1, same, state=state)]) == ()
    other = Mapping(OUT, "", 0, 0, ip_address("10.0.0.77"))
    assert propose(rows, [publication(1, other)]) == ()
    assert len(propose(rows, [publication(1, other, state=PublicationState.WITHDRAWN)])) == 1


def test_host_seen_under_its_public_address_from_inside_is_not_its_own_publication() -> None:
    assert propose([outside(certificate="a" * 64), row("203.0.113.5", certificate="a" * 64)], ()) == ()


def test_protocols_are_not_mixed() -> None:
    assert propose([outside(title="示例系统"), row("10.0.0.5", title="示例系统", proto="udp")], ()) == ()


ports = st.integers(1, 65_000)


@given(ports, st.integers(0, 400), st.integers(0, 65_000), ports, st.sampled_from(["tcp", "udp"]))
def test_way_in_and_way_out_lead_to_one_another(first: int, width: int, own: int, port: int, proto: str) -> None:
    try:
        mapping = Mapping(OUT, proto, first, min(first + width, 65_535), IN, own)
    except ValueError:
        return
    inside = mapping.inside_of(proto, port)
    if inside is not None:
        assert mapping.outside_of(proto, inside) == port
    outer = mapping.outside_of(proto, port)
    if outer is not None:
        assert mapping.inside_of(proto, outer) == port
