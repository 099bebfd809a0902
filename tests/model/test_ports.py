from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.model.ports import PortSet, format_ports, parse_ports, parse_ranges

ranges = st.lists(
    st.tuples(st.integers(0, 65535), st.integers(0, 300)).map(lambda one: (one[0], min(one[0] + one[1], 65535))),
    max_size=12,
)


def members(pairs: list[tuple[int, int]]) -> set[int]:
    return {port for low, high in pairs for port in range(low, high + 1)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22", {"tcp": "22"}),
        ("22,80,U:53,1-1024", {"tcp": "22,80", "udp": "1-1024"}),
        ("U:53,111,137,T:21-25,80,139,8080", {"tcp": "21-25,80,139,8080", "udp": "53,111,137"}),
        ("T:22,U:53", {"tcp": "22", "udp": "53"}),
        ("t:22,u:53", {"tcp": "22", "udp": "53"}),
        ("U:53", {"udp": "53"}),
        ("-", {"tcp": "1-65535"}),
        ("-100", {"tcp": "1-100"}),
        ("60000-", {"tcp": "60000-65535"}),
        ("0-", {"tcp": "0-65535"}),
        ("0", {"tcp": "0"}),
        ("65535", {"tcp": "65535"}),
        ("U:-", {"udp": "1-65535"}),
        ("80,79,81", {"tcp": "79-81"}),
        ("1-10,5-20", {"tcp": "1-20"}),
        ("022", {"tcp": "22"}),
        (" 22 , 80 ", {"tcp": "22,80"}),
        ("T: 22", {"tcp": "22"}),
        ("T:22,T:80", {"tcp": "22,80"}),
    ],
)
def test_parse_ports_in_nmaps_syntax_gives_sets_by_protocol(text: str, expected: dict[str, str]) -> None:
    assert {name: str(ports) for name, ports in parse_ports(text).items()} == expected


def test_parse_ports_when_pieces_come_before_any_letter_gives_them_to_every_protocol_scanned() -> None:
    parsed = parse_ports("22,U:53,T:80")
    assert str(parsed["tcp"]) == "22,80"
    assert str(parsed["udp"]) == "22,53"


def test_parse_ports_when_a_letter_was_set_keeps_it_until_the_next() -> None:
    assert {name: str(ports) for name, ports in parse_ports("U:53,1-1024").items()} == {"udp": "1-1024"}


@pytest.mark.parametrize(
    "text",
    [
        "", " ", ",", "22,", ",22", "22,,80", "http", "ssh,22", "65536", "-65536", "80-22", "1-2-3", "--", "S:22",
        "P:1", "X:", "T:", "U:,22", "22;80", "22 80", "[1-9]", "+22", "-0x10", "1.5", "２２", "٣", "1e3",
        "*", "9" * 5000, "22,-oX,/tmp/x",
    ],
)  # fmt: skip
def test_parse_ports_when_a_piece_is_no_port_raises(text: str) -> None:
    with pytest.raises(ValueError):
        parse_ports(text)


@given(ranges, ranges)
def test_format_ports_always_is_read_back_as_the_same_sets(
    tcp: list[tuple[int, int]], udp: list[tuple[int, int]]
) -> None:
    ports = {name: PortSet.of(pairs) for name, pairs in (("tcp", tcp), ("udp", udp)) if pairs}
    if ports:
        assert parse_ports(format_ports(ports)) == ports
    else:
        assert format_ports(ports) == ""


@given(st.text(max_size=20))
def test_parse_ports_when_given_anything_reads_it_or_raises_value_error(text: str) -> None:
    try:
        parsed = parse_ports(text)
    except ValueError:
        return
    assert parsed
    assert all(ports and min(ports) >= 0 and max(ports) <= 65535 for ports in parsed.values())


@given(ranges)
def test_port_set_always_holds_exactly_its_members_in_disjoint_sorted_ranges(pairs: list[tuple[int, int]]) -> None:
    ports, plain = PortSet.of(pairs), members(pairs)
    assert set(ports) == plain
    assert list(ports) == sorted(plain)
    assert len(ports) == len(plain)
    assert all(low <= high for low, high in ports.ranges)
    assert all(one[1] + 1 < two[0] for one, two in zip(ports.ranges, ports.ranges[1:], strict=False))
    for port in {0, 1, 65535, *(edge + step for pair in pairs for edge in pair for step in (-1, 0, 1))}:
        assert (port in ports) == (port in plain)


@given(ranges, ranges, ranges)
def test_port_set_union_obeys_the_laws_of_sets(
    one: list[tuple[int, int]], two: list[tuple[int, int]], three: list[tuple[int, int]]
) -> None:
    a, b, c = PortSet.of(one), PortSet.of(two), PortSet.of(three)
    assert set(a | b) == members(one) | members(two)
    assert a | b == b | a
    assert (a | b) | c == a | (b | c)
    assert a | a == a == a | PortSet()


@given(ranges)
def test_port_set_as_text_is_read_back_as_the_same_set(pairs: list[tuple[int, int]]) -> None:
    ports = PortSet.of(pairs)
    assert parse_ranges(str(ports)) == ports
    assert PortSet.of_ports(ports) == ports
    assert hash(PortSet.of(reversed(pairs))) == hash(ports)


def test_port_set_when_empty_is_false_and_holds_nothing() -> None:
    assert not PortSet()
    assert 0 not in PortSet()
    assert str(PortSet()) == ""


def test_parse_ranges_when_pieces_are_empty_skips_them() -> None:
    assert str(parse_ranges("1,,3-4, ,6")) == "1,3-4,6"
    assert parse_ranges("") == PortSet()


@pytest.mark.parametrize("text", ["a", "1-b", "T:1", "70000", "5-1"])
def test_parse_ranges_when_a_piece_is_no_port_raises(text: str) -> None:
    with pytest.raises(ValueError):
        parse_ranges(text)
