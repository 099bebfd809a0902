"""Each line of the facts on identity is a test; the assets never depend on the order in which marks arrived."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.inventory.identity import derive_assets
from sentinel.inventory.likeness import find_crowded
from sentinel.model.asset import (
    AssetState,
    Decision,
    DecisionKind,
    DerivedAsset,
    EventKind,
    Mark,
    MarkKind,
    MarkName,
    Proposal,
    Weight,
)
from tests.inventory.made import NETWORK, day

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"
MAC, MAC2 = "3c:22:fb:00:53:01", "3c:22:fb:00:53:02"
KEY = "ed25519 SHA256:one"


def mark(
    address: str,
    kind: MarkKind | str,
    value: str,
    start: float = 0,
    end: float | None = None,
    source: str = "scan",
    network: int = NETWORK,
) -> Mark:
    since = day(0) + timedelta(days=start)
    until = since if end is None else day(0) + timedelta(days=end)
    return Mark(network, ip_address(address), MarkName(MarkKind(kind), value), source, since, until)


def derive(*marks: Mark, **words: object) -> tuple[DerivedAsset, ...]:
    return derive_assets(marks, **words)[0]  # type: ignore[arg-type]  # fields by name


def proposals(*marks: Mark) -> list[tuple[str, str]]:
    return [(one.decision.kind.value, one.why) for one in derive_assets(marks)[1]]


def places(one: DerivedAsset) -> list[str]:
    return [str(address) for _, address in one.places]


def events(one: DerivedAsset) -> list[EventKind]:
    return [event.kind for event in one.events]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ssh_host_key", KEY),
        ("tls_cert", "a" * 64),
        ("snmp_engine", "80001f8804"),
        ("serial", "SC-X4"),
        ("dhcp_client_id", "00010001aa"),
        ("mac", MAC),
    ],
)
def test_asset_when_a_strong_mark_shows_at_another_address_is_the_same(kind: str, value: str) -> None:
    (one,) = derive(mark(A, kind, value, 0), mark(B, kind, value, 7))
    assert places(one) == [B]
    assert events(one) == [EventKind.APPEARED, EventKind.MOVED]
    assert one.events[1].detail == f"{A} -> {B}"


def test_random_card_when_it_shows_at_another_address_is_nothing_strong() -> None:
    random = "da:a1:19:00:53:01"
    assert len(derive(mark(A, "mac", random, 0), mark(B, "mac", random, 7))) == 2


def test_random_card_when_it_changes_every_day_is_no_new_device_each_day() -> None:
    (one,) = derive(*(mark(A, "mac", f"da:a1:19:00:53:0{number}", number) for number in range(5)))
    assert events(one) == [EventKind.APPEARED]


def test_asset_when_a_registered_name_points_to_another_address_is_the_same() -> None:
    marks = mark(A, "fqdn", "jw.example", 0), mark(B, "fqdn", "jw.example", 7)
    assert len(derive(*marks)) == 2  # one medium mark alone
    (one,) = derive(*marks, registered_names=frozenset({"jw.example"}))
    assert places(one) == [B]


@pytest.mark.parametrize(
    ("looks", "same"),
    [
        ({"fqdn": "pc-7.example", "os": "Linux"}, True),
        ({"os": "Linux", "ports": "22/tcp,80/tcp,443/tcp,5432/tcp"}, True),
        ({"fqdn": "pc-7.example", "favicon": "aa"}, True),
        ({"os": "Linux"}, False),
        ({"ports": "22/tcp,80/tcp"}, False),
    ],
)
def test_asset_when_two_of_name_system_ports_and_favicon_agree_is_the_same(looks: dict[str, str], same: bool) -> None:
    marks = [mark(address, kind, value, at) for kind, value in looks.items() for address, at in ((A, 0), (B, 7))]
    assert (len(derive(*marks)) == 1) is same


def test_port_sets_when_four_fifths_are_common_are_alike_and_below_not() -> None:
    five = "1/tcp,2/tcp,3/tcp,4/tcp,5/tcp"
    system = mark(A, "os", "Linux", 0), mark(B, "os", "Linux", 7)
    assert len(derive(*system, mark(A, "ports", five, 0), mark(B, "ports", "1/tcp,2/tcp,3/tcp,4/tcp", 7))) == 1
    assert len(derive(*system, mark(A, "ports", five, 0), mark(B, "ports", "1/tcp,2/tcp,3/tcp", 7))) == 2


def test_asset_when_two_hosts_that_left_look_alike_is_a_new_one() -> None:
    looks = [
        mark(address, kind, value, at)
        for kind, value in (("fqdn", "pc"), ("os", "Linux"))
        for address, at in ((A, 0), (B, 0), (C, 7))
    ]
    assert len(derive(*looks)) == 3


def test_asset_when_it_still_answers_at_its_address_is_not_taken_for_one_that_moved() -> None:
    looks = [
        mark(address, kind, value, start, end)
        for kind, value in (("fqdn", "pc"), ("os", "Linux"))
        for address, start, end in ((A, 0, 9), (B, 7, 7))
    ]
    assert len(derive(*looks)) == 2


def test_same_address_when_within_the_lease_time_and_looks_fit_is_the_same_asset() -> None:
    (one,) = derive(mark(A, "os", "Linux", 0), mark(A, "os", "Linux", 20), mark(A, "mac", MAC, 21))
    assert one.anchor.name == MarkName(MarkKind.MAC, MAC)


def test_same_address_when_the_lease_time_has_passed_is_a_new_asset() -> None:
    assert len(derive(mark(A, "os", "Linux", 0), mark(A, "os", "Linux", 40))) == 2


def test_same_address_when_looks_do_not_fit_is_a_new_asset() -> None:
    first = mark(A, "os", "Linux", 0), mark(A, "ports", "22/tcp,80/tcp", 0)
    second = mark(A, "os", "Windows", 7), mark(A, "ports", "135/tcp,445/tcp", 7)
    old, new = derive(*first, *second)
    assert (old.state, events(old)[-1]) == (AssetState.MISSING, EventKind.ADDRESS_REUSED)
    assert new.state is AssetState.PRESENT


def test_conflict_when_another_strong_mark_takes_the_address_wins_and_the_old_one_goes_missing() -> None:
    old, new = derive(mark(A, "mac", MAC, 0), mark(A, "mac", MAC2, 7))
    assert old.state is AssetState.MISSING
    assert [(event.kind, event.detail) for event in old.events] == [
        (EventKind.APPEARED, A),
        (EventKind.ADDRESS_REUSED, A),
    ]
    assert (new.state, new.anchor.name.value) == (AssetState.PRESENT, MAC2)


def test_missing_asset_when_its_strong_mark_shows_again_is_found_elsewhere_or_back() -> None:
    taken = mark(A, "mac", MAC, 0), mark(A, "mac", MAC2, 7)
    moved, _ = derive(*taken, mark(B, "mac", MAC, 14))
    assert (moved.state, events(moved)[-1], moved.events[-1].detail) == (
        AssetState.PRESENT,
        EventKind.MOVED,
        f"{A} -> {B}",
    )
    back, other = derive(*taken, mark(A, "mac", MAC, 14))
    assert (events(back)[-1], other.state) == (EventKind.RETURNED, AssetState.MISSING)


@pytest.mark.parametrize(("count", "assets"), [(3, 1), (4, 4)])
def test_strong_value_when_on_more_than_three_addresses_at_once_is_demoted(count: int, assets: int) -> None:
    marks = [mark(f"10.0.0.{number}", "ssh_host_key", KEY, 0) for number in range(1, count + 1)]
    found = derive(*marks)
    assert len(found) == assets
    weights = {each.weight for one in found for each in one.identifiers if each.name.kind is MarkKind.SSH_HOST_KEY}
    assert weights == {Weight.STRONG if count == 3 else Weight.WEAK}


def test_strong_value_when_on_many_addresses_one_after_the_other_stays_strong() -> None:
    (one,) = derive(*(mark(f"10.0.0.{number}", "mac", MAC, number * 9) for number in range(1, 7)))
    assert places(one) == ["10.0.0.6"]


def test_card_when_it_holds_leases_of_many_rooms_at_once_stays_strong() -> None:
    leases = [mark(f"10.0.0.{number}", "mac", MAC, number / 24, 1, source="dhcp") for number in range(1, 7)]
    assert len(derive(*leases)) == 1


def test_card_when_a_key_stays_the_same_is_a_changed_card_of_the_same_asset() -> None:
    (one,) = derive(mark(A, "ssh_host_key", KEY, 0, 14), mark(A, "mac", MAC, 0), mark(A, "mac", MAC2, 7, 14))
    assert EventKind.CARD_CHANGED in events(one)


def test_asset_when_it_has_two_addresses_within_a_day_has_both() -> None:
    (one,) = derive(mark(A, "ssh_host_key", KEY, 0, 14), mark(B, "ssh_host_key", KEY, 0.1, 14.1))
    assert sorted(places(one)) == [A, B]
    assert events(one) == [EventKind.APPEARED, EventKind.ADDED]


TWO = (mark(A, "mac", MAC, 0), mark(B, "mac", MAC2, 0))
BOTH = (
    mark(A, "mac", MAC, 7),
    mark(A, "dhcp_client_id", "77", 7),
    mark(B, "mac", MAC2, 7, 8),
    mark(B, "dhcp_client_id", "77", 7.01),
)


def test_two_assets_when_strong_marks_join_them_are_never_merged_without_a_person() -> None:
    found = derive(*TWO, *BOTH)
    assert len(found) == 2
    assert proposals(*TWO, *BOTH) == [("merge", "shared_mark")]


def test_merge_when_a_person_decides_it_makes_one_asset() -> None:
    sides = [(NETWORK, MarkName(MarkKind.MAC, value)) for value in (MAC, MAC2)]
    merge = Decision(DecisionKind.MERGE, *sides)
    (one,) = derive(*TWO, *BOTH, decisions=(merge,))
    assert sorted(places(one)) == [A, B]
    undone = Decision(DecisionKind.MERGE, *sides, undone=day(9))
    assert len(derive(*TWO, *BOTH, decisions=(undone,))) == 2


def test_decision_when_a_later_one_is_about_the_same_mark_gives_way() -> None:
    sides = [(NETWORK, MarkName(MarkKind.MAC, value)) for value in (MAC, MAC2)]
    merge, split = Decision(DecisionKind.MERGE, *sides), Decision(DecisionKind.SPLIT, sides[1])
    assert len(derive(*TWO, *BOTH, decisions=(merge, split))) == 2
    assert len(derive(*TWO, *BOTH, decisions=(split, merge))) == 1


def test_decision_when_the_networks_are_declared_anew_goes_with_its_marks() -> None:
    sides = [(NETWORK + 5, MarkName(MarkKind.MAC, value)) for value in (MAC, MAC2)]
    assert len(derive(*TWO, decisions=(Decision(DecisionKind.MERGE, *sides),))) == 1


def test_asset_when_a_person_joined_two_cards_is_not_proposed_to_be_split() -> None:
    sides = [(NETWORK, MarkName(MarkKind.MAC, value)) for value in (MAC, MAC2)]
    assert derive_assets([*TWO, *BOTH], [Decision(DecisionKind.MERGE, *sides)])[1] == ()


def test_merge_when_an_asset_has_nothing_but_its_address_goes_by_that() -> None:
    marks = mark(A, "os", "Linux", 0), mark(B, "os", "Windows", 0)
    merge = Decision(DecisionKind.MERGE, (NETWORK, MarkName(MarkKind.IP, A)), (NETWORK, MarkName(MarkKind.IP, B)))
    assert len(derive(*marks, decisions=(merge,))) == 1


def test_asset_when_it_shows_two_cards_at_once_is_proposed_to_be_split() -> None:
    copies = [
        mark(address, kind, value, 0, 7)
        for address, card in ((A, MAC), (B, MAC2))
        for kind, value in (("ssh_host_key", KEY), ("mac", card))
    ]
    assert len(derive(*copies)) == 1
    assert proposals(*copies) == [("split", "two_cards")]
    apart = Decision(DecisionKind.SPLIT, (NETWORK, MarkName(MarkKind.MAC, MAC2)))
    first, second = derive(*copies, decisions=(apart,))
    assert (places(first), places(second)) == ([A], [B])


def test_mark_when_it_shows_in_another_network_is_another_asset_and_a_proposal() -> None:
    marks = mark(A, "mac", MAC, 0), mark(A, "mac", MAC, 7, network=NETWORK + 1)
    assert len(derive(*marks)) == 2
    assert proposals(*marks) == [("merge", "other_network")]


def test_proposal_when_made_twice_has_one_key() -> None:
    one, other = (NETWORK, MarkName(MarkKind.MAC, MAC)), (NETWORK, MarkName(MarkKind.MAC, MAC2))
    there, back = (
        Proposal(Decision(DecisionKind.MERGE, *sides), "shared_mark", "", day(0))
        for sides in ((one, other), (other, one))
    )
    assert there.key == back.key


def test_host_key_when_of_another_type_is_no_conflict() -> None:
    (one,) = derive(mark(A, "ssh_host_key", KEY, 0), mark(A, "ssh_host_key", "rsa SHA256:two", 7))
    assert one.state is AssetState.PRESENT


def test_certificate_when_renewed_is_no_conflict() -> None:
    (one,) = derive(mark(A, "tls_cert", "a" * 64, 0), mark(A, "tls_cert", "b" * 64, 7))
    assert one.state is AssetState.PRESENT


def test_crowd_of_hosts_when_all_look_alike_proves_nothing_for_one_more() -> None:
    room = [
        mark(f"10.0.1.{number}", kind, value, 0)
        for number in range(1, 31)
        for kind, value in (("os", "Windows"), ("ports", "135/tcp,445/tcp"))
    ]
    newcomer = mark(A, "os", "Windows", 7), mark(A, "ports", "135/tcp,445/tcp", 7)
    assert len(derive(*room, *newcomer)) == 31


MARKS = st.lists(
    st.builds(
        mark,
        st.sampled_from((A, B, C)),
        st.just("mac"),
        st.sampled_from((MAC, MAC2, "da:a1:19:00:53:01")),
        st.integers(0, 6),
    )
    | st.builds(
        mark, st.sampled_from((A, B, C)), st.just("ssh_host_key"), st.sampled_from((KEY, "rsa two")), st.integers(0, 6)
    )
    | st.builds(
        mark, st.sampled_from((A, B, C)), st.just("os"), st.sampled_from(("Linux", "Windows")), st.integers(0, 6)
    ),
    max_size=10,
    unique=True,
)


@given(MARKS, st.randoms(use_true_random=False))
def test_assets_when_marks_arrive_in_another_order_are_the_same(marks: list[Mark], random: object) -> None:
    shuffled = list(marks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # random.Random
    assert derive_assets(shuffled) == derive_assets(marks)


@given(MARKS)
def test_moments_when_shared_out_belong_to_one_asset_each(marks: list[Mark]) -> None:
    found = derive_assets(marks)[0]
    stays = [
        (each.network, each.address, each.valid_from, each.valid_to)
        for one in found
        for each in one.identifiers
        if each.name.kind is MarkKind.IP
    ]
    for one in marks:
        holding = [stay for stay in stays if stay[:2] == (one.network, one.address) and stay[2] <= one.since <= stay[3]]
        assert len(holding) == 1


@given(MARKS)
def test_strong_marks_when_shared_out_belong_to_one_asset_each(marks: list[Mark]) -> None:
    owners: dict[MarkName, set[int]] = {}
    for number, one in enumerate(derive_assets(marks)[0]):
        for each in one.identifiers:
            if each.weight is Weight.STRONG:
                owners.setdefault(each.name, set()).add(number)
    assert all(len(numbers) == 1 for numbers in owners.values())


@pytest.mark.parametrize(("source", "crowded"), [("scan", True), ("arp", True), ("neighbour", True), ("dhcp", False)])
def test_card_on_many_addresses_at_once_is_told_by_looks_and_tables_and_not_by_leases(
    source: str, crowded: bool
) -> None:
    marks = [mark(f"10.0.0.{last}", "mac", MAC, source=source) for last in range(1, 6)]
    assert bool(find_crowded(marks)) is crowded
