from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address

from sentinel.inventory.diff import diff_maps, sort_rows
from sentinel.model.endpoint import Change, ChangeKind, Endpoint, EndpointKey, EndpointState, Fingerprint, MapRow
from sentinel.model.unit import Zone
from tests.inventory.made import day, endpoint


def row(one: Endpoint, unit: str = "u", network: str = "default") -> MapRow:
    return MapRow(unit, network, Zone.UNKNOWN, one)


def diff(before: Iterable[Endpoint], after: Iterable[Endpoint], *, covered: bool = True) -> tuple[Change, ...]:
    return diff_maps(
        [row(one) for one in before],
        [row(one) for one in after],
        was_covered=lambda key: covered,
        closed_at=lambda key: day(9),
    )


def kinds(changes: tuple[Change, ...]) -> list[ChangeKind]:
    return [one.kind for one in changes]


OPEN = endpoint()
SILENT = replace(OPEN, state=EndpointState.UNKNOWN, id=2, valid_from=day(3))


def test_diff_of_the_same_map_is_empty() -> None:
    assert diff([OPEN, SILENT], [OPEN, SILENT]) == ()


def test_diff_when_an_open_endpoint_appears_where_one_had_looked_is_new() -> None:
    (change,) = diff([], [OPEN])
    assert (change.kind, change.row.endpoint, change.at) == (ChangeKind.NEW, OPEN, OPEN.valid_from)


def test_diff_when_an_open_endpoint_appears_where_nobody_had_looked_is_newly_covered() -> None:
    assert kinds(diff([], [OPEN], covered=False)) == [ChangeKind.NEWLY_COVERED]


def test_diff_when_an_open_endpoint_disappears_is_gone_as_it_last_was() -> None:
    (change,) = diff([OPEN], [])
    assert (change.kind, change.row.endpoint, change.at) == (ChangeKind.GONE, OPEN, day(9))


def test_diff_when_the_host_fell_silent_is_unknown_as_it_last_was() -> None:
    (change,) = diff([OPEN], [SILENT])
    assert (change.kind, change.row.endpoint, change.at) == (ChangeKind.UNKNOWN, OPEN, SILENT.valid_from)


def test_diff_when_a_silent_host_answers_again_is_changed_not_new() -> None:
    assert kinds(diff([SILENT], [replace(OPEN, id=3)], covered=False)) == [ChangeKind.CHANGED]


def test_diff_when_it_was_never_open_in_the_span_tells_nothing_of_silence() -> None:
    assert diff([], [SILENT]) == ()
    assert diff([SILENT], []) == ()


def test_diff_when_the_fingerprint_contradicts_is_changed_and_tells_the_old_one() -> None:
    later = replace(OPEN, id=3, fingerprint=Fingerprint("ssh"), valid_from=day(4))
    (change,) = diff([OPEN], [later])
    assert (change.kind, change.row.endpoint, change.before) == (ChangeKind.CHANGED, later, OPEN.fingerprint)
    assert change.at == day(4)


def test_diff_when_it_closed_and_opened_again_the_same_is_empty() -> None:
    assert diff([OPEN], [replace(OPEN, id=3, valid_from=day(4))]) == ()


def test_diff_when_only_more_is_known_is_empty() -> None:
    assert diff([OPEN], [replace(OPEN, fingerprint=Fingerprint("http", product="nginx"))]) == ()


def test_diff_of_the_same_place_in_two_networks_or_vantages_is_two_places() -> None:
    key = OPEN.key
    elsewhere = replace(OPEN, key=key._replace(network=8))
    outside = replace(OPEN, key=key._replace(vantage="outside"))
    assert sorted(kinds(diff([OPEN], [elsewhere]))) == [ChangeKind.GONE, ChangeKind.NEW]
    assert len(diff([OPEN], [OPEN, outside])) == 1


def test_rows_are_ordered_by_unit_network_address_number_protocol_and_port() -> None:
    def at(address: str, proto: str = "tcp", port: int = 80, vantage: str = "inside") -> Endpoint:
        return replace(OPEN, key=EndpointKey(1, vantage, ip_address(address), proto, port))

    wanted = [
        row(at("10.0.0.200"), "a", "lan"),
        row(at("9.0.0.1"), "a", "server"),
        row(at("10.0.0.9", port=443), "a", "server"),
        row(at("10.0.0.9", port=8080), "a", "server"),
        row(at("10.0.0.9", port=8080, vantage="outside"), "a", "server"),
        row(at("10.0.0.9", "udp", 53), "a", "server"),
        row(at("10.0.0.10"), "a", "server"),
        row(at("2001:db8::9"), "a", "server"),
        row(at("2001:db8::10"), "a", "server"),
        row(at("1.0.0.1"), "b", "lan"),
    ]
    assert sort_rows(reversed(wanted)) == tuple(wanted)
    shuffled = wanted[5:] + wanted[:5]
    changes = diff_maps([], shuffled, was_covered=lambda key: True, closed_at=lambda key: None)
    assert len({one.row.endpoint.key for one in changes}) == len(changes)
    assert [one.row for one in changes] == [one for one in wanted if one in [change.row for change in changes]]
