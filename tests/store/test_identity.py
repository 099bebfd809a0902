from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

from sentinel.model.asset import (
    Anchor,
    AssetEvent,
    AssetState,
    Decision,
    DecisionKind,
    DerivedAsset,
    EventKind,
    Identifier,
    MarkKind,
    MarkName,
    Proposal,
    ProposalState,
    Weight,
)
from sentinel.store.asset_decisions import (
    answer_proposal,
    read_decisions,
    read_proposals,
    undo_decision,
    write_decision,
    write_proposals,
)
from sentinel.store.database import Database
from sentinel.store.identity import (
    Written,
    find_asset,
    find_asset_at,
    find_asset_with,
    read_assets,
    read_events,
    read_identifiers,
    write_assets,
)
from sentinel.store.marks import is_stale, set_stale
from tests.homes import NOW, SCHOOL

DAY = timedelta(days=1)


def card(number: int) -> MarkName:
    return MarkName(MarkKind.MAC, f"3c:22:fb:00:53:{number:02x}")


def thing(*numbers: int, address: str = "10.0.0.1", start: int = 0, end: int = 9) -> DerivedAsset:
    """An asset with some cards at an address, from and to a day before `NOW`."""
    since, until = NOW - 10 * DAY + start * DAY, NOW - 10 * DAY + end * DAY
    place = (1, ip_address(address))
    marks = [Identifier(*place, card(number), "scan", Weight.STRONG, since, until) for number in numbers]
    stay = Identifier(*place, MarkName(MarkKind.IP, address), "scan", Weight.WEAK, since, until)
    anchor = Anchor(1, marks[0].name if marks else stay.name, since)
    events = (AssetEvent(EventKind.APPEARED, since, address),)
    return DerivedAsset((place,), AssetState.PRESENT, (*marks, stay), events, since, until, anchor)


def write(database: Database, *things: DerivedAsset) -> Written:
    with database.transaction("tester", NOW) as transaction:
        written = write_assets(transaction, SCHOOL.code, things)
        transaction.audit("test", "test")
    return written


def shown(database: Database) -> list[tuple[int, str, int | None]]:
    return [(one.id, one.state.value, one.merged_into) for one in read_assets(database, SCHOOL.code)]


def test_assets_when_written_again_keep_their_numbers_and_nothing_changes(database: Database) -> None:
    assert write(database, thing(1), thing(2, address="10.0.0.2")) == Written(2, 0, 2)
    assert write(database, thing(2, address="10.0.0.2"), thing(1)) == Written(0, 0, 0)
    assert shown(database) == [(1, "present", None), (2, "present", None)]


def test_asset_when_seen_elsewhere_and_longer_is_changed_under_its_number(database: Database) -> None:
    write(database, thing(1))
    assert write(database, thing(1, address="10.0.0.7", end=10)) == Written(0, 1, 1)
    found = find_asset(database, SCHOOL.code, 1)
    assert found is not None
    assert (str(found.address), found.last_seen) == ("10.0.0.7", NOW)
    assert [one.detail for one in read_events(database, 1)] == ["10.0.0.1", "10.0.0.7"]  # only ever added
    assert [str(one.address) for one in read_identifiers(database, 1)] == ["10.0.0.7"] * 2


def test_assets_when_they_become_one_leave_the_lower_number_and_when_parted_both_are_back(database: Database) -> None:
    write(database, thing(1), thing(2, address="10.0.0.2"))
    write(database, thing(1, 2))
    assert shown(database) == [(1, "present", None), (2, "merged", 1)]
    write(database, thing(1), thing(2, address="10.0.0.2"))
    assert shown(database) == [(1, "present", None), (2, "present", None)]


def test_asset_when_no_evidence_bears_it_out_any_more_is_dissolved_and_its_number_not_given_again(
    database: Database,
) -> None:
    write(database, thing(1))
    write(database, thing(2))
    assert shown(database) == [(1, "dissolved", None), (2, "present", None)]
    write(database, thing(1), thing(2))
    assert shown(database) == [(1, "present", None), (2, "present", None)]


def test_asset_known_by_its_address_when_another_has_it_later_is_told_apart_by_time(database: Database) -> None:
    write(database, thing(start=0, end=3), thing(start=6, end=9))
    write(database, thing(start=6, end=10), thing(start=0, end=3))
    assert shown(database) == [(1, "present", None), (2, "present", None)]
    address = ip_address("10.0.0.1")
    numbers = [find_asset_at(database, 1, address, NOW - 10 * DAY + day * DAY) for day in (-1, 1, 5, 8)]
    assert numbers == [None, 1, 1, 2]


def test_asset_when_asked_for_by_a_mark_is_the_one_that_has_it(database: Database) -> None:
    write(database, thing(1), thing(2, address="10.0.0.2"))
    assert find_asset_with(database, SCHOOL.code, 1, card(2)) == 2
    assert find_asset_with(database, SCHOOL.code, 2, card(2)) is None
    assert find_asset(database, "another", 1) is None


def test_decision_when_written_is_read_and_undone(database: Database) -> None:
    merge = Decision(DecisionKind.MERGE, (1, card(1)), (1, card(2)), reason="同一台")
    with database.transaction("tester", NOW) as transaction:
        stored = write_decision(transaction, SCHOOL.code, merge)
        split = write_decision(transaction, SCHOOL.code, Decision(DecisionKind.SPLIT, (1, card(3)), reason="x"))
    assert read_decisions(database, SCHOOL.code) == (stored, split)
    assert (stored.actor, stored.at) == ("tester", NOW)
    with database.transaction("tester", NOW) as transaction:
        undo_decision(transaction, SCHOOL.code, stored)
    assert read_decisions(database, SCHOOL.code) == (replace(stored, undone=NOW), split)


def test_proposals_when_written_again_are_kept_made_moot_and_open_again(database: Database) -> None:
    proposal = Proposal(Decision(DecisionKind.MERGE, (1, card(1)), (1, card(2))), "shared_mark", "why", NOW)

    def propose(*proposals: Proposal) -> int:
        with database.transaction("tester", NOW) as transaction:
            fresh = write_proposals(transaction, SCHOOL.code, proposals)
            transaction.audit("test", "test")
        return fresh

    assert [propose(proposal), propose(proposal)] == [1, 0]
    (stored,) = read_proposals(database, SCHOOL.code)
    assert replace(stored, id=0) == proposal
    assert propose() == 0
    assert read_proposals(database, SCHOOL.code)[0].state is ProposalState.MOOT
    propose(proposal)
    with database.transaction("tester", NOW) as transaction:
        answer_proposal(transaction, SCHOOL.code, stored, None)
    propose()
    (answered,) = read_proposals(database, SCHOOL.code)
    assert (answered.state, answered.decided_by) == (ProposalState.REJECTED, "tester")


def test_marks_when_noted_as_changed_are_stale_until_assets_are_made(database: Database) -> None:
    assert not is_stale(database, 1)
    with database.transaction("tester", NOW) as transaction:
        set_stale(transaction, 1, stale=True)
        transaction.audit("test", "test")
    assert is_stale(database, 1)
    with database.transaction("tester", NOW) as transaction:
        set_stale(transaction, 1, stale=False)
        transaction.audit("test", "test")
    assert not is_stale(database, 1)
