from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentinel.errors import UsageError
from sentinel.model.asset import AssetState, EventKind, MarkKind, ProposalState
from sentinel.model.sighting import HoldingSource
from sentinel.model.unit import Network, Unit, Zone
from sentinel.schedule.context import Context
from sentinel.schedule.identifying import (
    accept_proposal,
    count_phones,
    identify_unit,
    merge_assets,
    reject_proposal,
    split_asset,
    undo_decision,
)
from sentinel.schedule.importing import take_file
from sentinel.schedule.intake import replace_networks
from sentinel.schedule.purging import purge
from sentinel.store.asset_decisions import read_decisions, read_proposals
from sentinel.store.audit import read_audit
from sentinel.store.identity import find_asset, read_assets, read_events, read_identifiers
from sentinel.store.units import write_network, write_unit
from tests.homes import NOW, SCHOOL, Clock, opened
from tests.schedule.nmapfile import HostRow, NmapRun, at, give
from tests.schedule.seen import CARD, OTHER, give_log, held, reading_logs

KEY = "256 SHA256:Zm9vYmFyYmF6cXV4 (ED25519)"


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with reading_logs():
        yield


def scan(day: float, *hosts: tuple[str, str]) -> NmapRun:
    """A scan that saw cards at addresses."""
    rows = tuple(HostRow(address, ((22, "ssh"),), mac=mac) for address, mac in hosts)
    return NmapRun(rows, finished=at(day), mark=f"{day}")


def see(context: Context, *runs: NmapRun) -> None:
    for run in runs:
        give(context, run)
    identify_unit(context, SCHOOL)


def shown(context: Context, *, everything: bool = False) -> list[tuple[int, str, str]]:
    """(number, address, state) of the assets there are, or ever were."""
    return [
        (one.id, str(one.address), one.state.value)
        for one in read_assets(context.database, SCHOOL.code)
        if everything or one.state in {AssetState.PRESENT, AssetState.MISSING}
    ]


def events(context: Context, number: int) -> list[EventKind]:
    return [one.kind for one in read_events(context.database, number)]


A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"


def test_asset_when_its_address_changes_keeps_its_number(context: Context) -> None:
    see(context, scan(1, (A, CARD)))
    see(context, scan(20, (B, CARD)))
    assert shown(context) == [(1, B, "present")]
    assert events(context, 1) == [EventKind.APPEARED, EventKind.MOVED]


def test_asset_when_the_earlier_scan_arrives_late_keeps_its_number(context: Context) -> None:
    see(context, scan(20, (B, CARD)))
    see(context, scan(1, (A, CARD)))
    assert shown(context) == [(1, B, "present")]
    found = find_asset(context.database, SCHOOL.code, 1)
    assert found is not None
    assert (found.first_seen, found.last_seen) == (at(1), at(20))


def test_address_when_reused_leaves_the_old_asset_missing(context: Context) -> None:
    see(context, scan(1, (A, CARD)), scan(20, (A, OTHER)))
    assert shown(context) == [(1, A, "missing"), (2, A, "present")]
    assert events(context, 1)[-1] is EventKind.ADDRESS_REUSED


def test_lease_when_logged_moves_an_asset_a_scan_found(context: Context) -> None:
    see(context, scan(1, (A, CARD)))
    give_log(context, held(0, 60, address=B))
    identify_unit(context, SCHOOL)
    assert shown(context) == [(1, B, "present")]


def test_host_key_when_a_script_told_it_is_the_mark_of_the_asset(context: Context) -> None:
    script = f'<script id="ssh-hostkey" output="&#xa;  {KEY}"/>'
    for day, address in ((1, A), (20, B)):
        raw = scan(day, (address, "")).write().decode()
        give(context, raw.replace("</port>", f"{script}</port>").encode())
    identify_unit(context, SCHOOL)
    (one,) = read_assets(context.database, SCHOOL.code)
    assert (str(one.address), one.anchor.name.kind) == (B, MarkKind.SSH_HOST_KEY)
    assert one.anchor.name.value == "ed25519 SHA256:Zm9vYmFyYmF6cXV4"


def test_assets_when_nothing_changed_are_not_made_anew(context: Context) -> None:
    see(context, scan(1, (A, CARD)))
    before = context.database.one("SELECT count(*) FROM audit")
    identify_unit(context, SCHOOL)
    assert context.database.one("SELECT count(*) FROM audit") == before


def test_phones_when_a_log_tells_of_them_are_counted_and_are_no_assets(context: Context) -> None:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_network(transaction, Network(0, SCHOOL.code, "phones", Zone.WIRELESS, (ip_network("10.8.0.0/16"),)))
        replace_networks(context, transaction, SCHOOL)
    give_log(
        context, held(0, 60, address="10.8.0.1"), held(0, 60, address="10.8.0.2", mac=OTHER), held(60, 90, "10.8.0.3")
    )
    see(context, scan(99, ("10.8.0.1", CARD)))
    assert shown(context) == []
    assert [(network.name, cards) for network, cards in count_phones(context, SCHOOL, NOW)] == [("phones", 2)]
    assert context.database.one("SELECT count(*) FROM holding") == (3,)


# What persons decide.


def test_merge_when_decided_leaves_the_lower_number_and_when_undone_gives_both_back(context: Context) -> None:
    see(context, scan(1, (A, CARD), (B, OTHER)))
    decision = merge_assets(context, SCHOOL, 2, 1, "一台双网卡服务器")
    assert shown(context) == [(1, B, "present")]
    merged = find_asset(context.database, SCHOOL.code, 2)
    assert merged is not None
    assert (merged.state, merged.merged_into) == (AssetState.MERGED, 1)
    assert EventKind.MERGED in events(context, 1)
    undo_decision(context, SCHOOL, decision.id)
    assert shown(context) == [(1, A, "present"), (2, B, "present")]
    assert EventKind.UNDONE in events(context, 2)
    assert [one.undone is None for one in read_decisions(context.database, SCHOOL.code)] == [False]


def test_decision_when_evidence_arrives_later_still_holds(context: Context) -> None:
    see(context, scan(10, (A, CARD), (B, OTHER)))
    merge_assets(context, SCHOOL, 1, 2, "同一台")
    see(context, scan(1, (C, CARD)), scan(30, (C, OTHER)))
    assert shown(context) == [(1, C, "present")]


def test_merge_when_of_assets_without_strong_marks_goes_by_their_addresses(context: Context) -> None:
    see(context, scan(1, (A, ""), (B, "")))
    merge_assets(context, SCHOOL, 1, 2, "同一台")
    assert len(shown(context)) == 1


def test_split_when_decided_makes_the_mark_a_thing_apart_and_can_be_undone(context: Context) -> None:
    see(context, scan(1, (A, CARD)), scan(2, (A, CARD)))
    merged = merge_assets(context, SCHOOL, *_two(context), "误")
    assert len(shown(context)) == 1
    split = split_asset(context, SCHOOL, 1, f"mac:{OTHER}", "两台克隆的虚拟机")
    assert len(shown(context)) == 2
    undo_decision(context, SCHOOL, split.id)
    assert len(shown(context)) == 1
    undo_decision(context, SCHOOL, merged.id)
    assert len(shown(context)) == 2


def _two(context: Context) -> tuple[int, int]:
    see(context, scan(3, (B, OTHER)))
    first, second = (number for number, _, _ in shown(context))
    return first, second


def two_with_one_client_id(context: Context) -> None:
    see(context, scan(98, (A, CARD), (B, OTHER)))
    for number, (address, mac) in enumerate(((A, CARD), (B, OTHER))):
        give_log(context, held(number, 60, address=address, mac=mac, client_id="00010001aa"), mark=str(number))
    identify_unit(context, SCHOOL)


def test_proposal_when_accepted_merges_and_when_undone_is_open_again(context: Context) -> None:
    two_with_one_client_id(context)
    (proposal,) = read_proposals(context.database, SCHOOL.code)
    assert (proposal.why, proposal.state) == ("shared_mark", ProposalState.OPEN)
    assert len(shown(context)) == 2
    decision = accept_proposal(context, SCHOOL, proposal.id, "")
    assert len(shown(context)) == 1
    assert decision.reason == proposal.detail
    (accepted,) = read_proposals(context.database, SCHOOL.code)
    assert (accepted.state, accepted.decided_by) == (ProposalState.ACCEPTED, "tester")
    undo_decision(context, SCHOOL, decision.id)
    assert len(shown(context)) == 2
    assert [one.state for one in read_proposals(context.database, SCHOOL.code)] == [ProposalState.OPEN]


def test_proposal_when_rejected_is_not_made_again(context: Context) -> None:
    two_with_one_client_id(context)
    (proposal,) = read_proposals(context.database, SCHOOL.code)
    reject_proposal(context, SCHOOL, proposal.id)
    see(context, scan(99, (A, CARD), (B, OTHER)))
    assert [one.state for one in read_proposals(context.database, SCHOOL.code)] == [ProposalState.REJECTED]
    assert len(shown(context)) == 2
    with pytest.raises(UsageError, match="no such open proposal"):
        accept_proposal(context, SCHOOL, proposal.id, "")


def test_proposal_when_the_evidence_no_longer_asks_for_it_is_moot(context: Context) -> None:
    two_with_one_client_id(context)
    merge_assets(context, SCHOOL, 1, 2, "同一台")
    assert [one.state for one in read_proposals(context.database, SCHOOL.code)] == [ProposalState.MOOT]


def test_decision_when_made_is_audited(context: Context) -> None:
    see(context, scan(1, (A, CARD), (B, OTHER)))
    decision = merge_assets(context, SCHOOL, 1, 2, "同一台")
    undo_decision(context, SCHOOL, decision.id)
    actions = [row[0] for row in context.database.query("SELECT action FROM audit ORDER BY id")]
    assert actions[-4:] == ["asset.merge", "asset.identify", "asset.undo", "asset.identify"]


def test_decision_when_it_names_what_is_not_there_is_refused(context: Context) -> None:
    see(context, scan(1, (A, CARD)))
    with pytest.raises(UsageError, match="no such asset: 9"):
        merge_assets(context, SCHOOL, 1, 9, "x")
    with pytest.raises(UsageError, match="cannot be merged with itself"):
        merge_assets(context, SCHOOL, 1, 1, "x")
    with pytest.raises(UsageError, match="has no mark"):
        split_asset(context, SCHOOL, 1, "mac:nothing", "x")
    with pytest.raises(UsageError, match="no such decision in force: 5"):
        undo_decision(context, SCHOOL, 5)


def test_asset_when_its_evidence_was_of_another_network_is_known_again_there(context: Context) -> None:
    see(context, scan(1, (A, CARD), (B, OTHER)))
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_network(transaction, Network(0, SCHOOL.code, "lan", Zone.OFFICE, (ip_network("10.0.0.0/24"),)))
        replace_networks(context, transaction, SCHOOL)
    identify_unit(context, SCHOOL)
    assert shown(context) == [(1, A, "present"), (2, B, "present")]


# The order of arrival.


RUNS = st.lists(
    st.builds(
        lambda day, hosts: scan(day, *sorted(hosts.items())),
        st.integers(0, 90),
        st.dictionaries(
            st.sampled_from((A, B, C)), st.sampled_from((CARD, OTHER, "da:a1:19:00:53:01", "")), min_size=1
        ),
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    with opened(tmp_path_factory.mktemp("world") / "home") as context:
        yield context


def parts(context: Context, unit: Unit) -> set[tuple[tuple[str, object, object], ...]]:
    """Which stays at addresses are one asset, whatever their numbers."""
    found = []
    for one in read_assets(context.database, unit.code):
        stays = [each for each in read_identifiers(context.database, one.id) if each.name.kind is MarkKind.IP]
        found.append(tuple(sorted((str(each.address), each.valid_from, each.valid_to) for each in stays)))
    return {one for one in found if one}


_NUMBERS = count()


def fresh(context: Context) -> Unit:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        return write_unit(transaction, Unit(f"unit-{next(_NUMBERS)}", "one of many"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=RUNS, random=st.randoms(use_true_random=False))
def test_assets_when_scans_arrive_in_any_order_are_the_same_and_keep_their_numbers(
    world: Context, made: list[NmapRun], random: object
) -> None:
    made = [replace(one, mark=str(number)) for number, one in enumerate(made)]
    shuffled = list(made)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # random.Random
    results = []
    for order in (made, shuffled):
        unit = fresh(world)
        known: set[int] = set()
        for run in order:
            give(world, run, unit=unit)
            identify_unit(world, unit)
            now = {one.id for one in read_assets(world.database, unit.code)}
            assert known <= now  # a number, once given, is never taken away
            known = now
        results.append(parts(world, unit))
    assert results[0] == results[1]


def everything(context: Context) -> str:
    """All that is told of marks and assets, decisions aside."""
    tables = ("mark", "identifier", "asset", "asset_event", "asset_proposal")
    return str([list(context.database.query(f"SELECT * FROM {one}")) for one in tables])


def test_purge_forgets_the_marks_of_logs_of_persons_on_time_and_keeps_those_a_scan_saw(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        assert isinstance(context.clock, Clock)
        see(context, scan(0, ("10.0.0.9", OTHER)))
        give_log(context, held(0, 60, name="zhangsan-phone", source=HoldingSource.DHCP))
        give_log(context, held(0, 60, mac=OTHER, address="10.0.0.9", source=HoldingSource.ARP), mark="arp")
        identify_unit(context, SCHOOL)
        before = everything(context)
        assert CARD in before
        assert "zhangsan-phone" in before
        assert [one.count for one in purge(context, "person_marks")] == [0]
        context.clock.now = NOW + timedelta(days=200)
        (counted,) = purge(context, "person_marks")
        assert (counted.count, everything(context)) == (3, before)
        (done,) = purge(context, "person_marks", apply=True)
        assert done.count == 3
        left = everything(context)
        assert CARD not in left
        assert "zhangsan-phone" not in left
        assert OTHER in left
        assert [one[1:] for one in shown(context)] == [("10.0.0.9", "present")]
        assert [one.count for one in purge(context, "person_marks", apply=True)] == [0]
        entry = next(one for one in read_audit(context.database.connection, 10) if one.action == "data.purge")
        assert "person_marks" in entry.after
        assert CARD not in entry.after
        give_log(context, held(0, 60, name="zhangsan-phone", source=HoldingSource.DHCP), mark="again")
        identify_unit(context, SCHOOL)  # what is deleted stays deleted
        assert "zhangsan-phone" not in everything(context)
        give_log(context, held(250_000, 250_060, name="zhangsan-phone", source=HoldingSource.DHCP), mark="new")
        identify_unit(context, SCHOOL)  # a card that returns gets another number; the one that is forgotten stays given
        assert CARD in everything(context)
        numbers = [one.id for one in read_assets(context.database, SCHOOL.code)]
        assert len(numbers) == 3


LEASE = """lease 10.0.0.1 {{
  starts 0 2026/11/22 00:00:00;
  ends 0 2026/11/22 01:00:00;
  binding state active;
  hardware ethernet {card};
  client-hostname "zhangsan";
}}
"""
TABLE = """Interface: 10.0.0.2 --- 0x3
  Internet Address      Physical Address      Type
  10.0.0.1              {dashed}     dynamic
"""


@pytest.mark.parametrize(("name", "text"), [("dhcpd.leases", LEASE), ("arp.txt", TABLE)])
def test_marks_of_leases_and_tables_of_neighbours_are_those_logs_and_no_scans(
    context: Context, tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text.format(card=CARD, dashed=CARD.replace(":", "-")))
    take_file(context, SCHOOL, tmp_path / name, "inside")
    found = {(str(value), str(source)) for value, source in context.database.query("SELECT value, source FROM mark")}
    assert CARD in {value for value, _ in found}
    assert not {source for _, source in found} - {one.value for one in HoldingSource}
