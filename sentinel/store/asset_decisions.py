"""What persons decided about assets, and what the evidence asks them to; decisions are undone, never deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sentinel.model.asset import Decision, DecisionKind, MarkKind, MarkName, Proposal, ProposalState
from sentinel.model.moment import from_microseconds, from_optional, to_microseconds
from sentinel.store.database import Database, Row, Transaction

_SIDES = "one_network, one_kind, one_value, other_network, other_kind, other_value"
_DECISION = f"SELECT id, kind, {_SIDES}, reason, actor, at_us, undone_us FROM asset_decision"  # noqa: S608  constant columns
_PROPOSAL = f"SELECT id, kind, {_SIDES}, why, detail, first_us, state, decided_by FROM asset_proposal"  # noqa: S608


def write_decision(transaction: Transaction, unit: str, one: Decision) -> Decision:
    """Add a decision of whoever acts, now."""
    row = transaction.execute(
        f"INSERT INTO asset_decision (unit, kind, {_SIDES}, reason, actor, at_us, undone_by) "  # noqa: S608
        "VALUES (?,?,?,?,?,?,?,?,?,?,?,'') RETURNING id",
        (
            unit,
            one.kind.value,
            *_sides(one),
            one.reason,
            transaction.actor,
            to_microseconds(transaction.now),
        ),
    ).fetchone()
    stored = replace(one, id=int(row[0]), actor=transaction.actor, at=transaction.now)
    after = {"one": str(one.one[1]), "other": str(one.other[1]) if one.other else None, "reason": one.reason}
    transaction.audit(f"asset.{one.kind}", f"decision {stored.id} of unit {unit}", after=after)
    return stored


def undo_decision(transaction: Transaction, unit: str, one: Decision) -> None:
    """Take a decision back; a proposal it answered is open again."""
    transaction.execute(
        "UPDATE asset_decision SET undone_us=?, undone_by=? WHERE id=?",
        (to_microseconds(transaction.now), transaction.actor, one.id),
    )
    transaction.execute(
        "UPDATE asset_proposal SET state='open', decided_us=NULL, decided_by='', decision=NULL WHERE decision=?",
        (one.id,),
    )
    transaction.audit("asset.undo", f"decision {one.id} of unit {unit}", before={"kind": one.kind})


def read_decisions(database: Database, unit: str) -> tuple[Decision, ...]:
    """Give what was decided in a unit, what was undone too, the oldest first."""
    return tuple(map(_decision, database.query(f"{_DECISION} WHERE unit=? ORDER BY id", (unit,))))


def _decision(row: Row) -> Decision:
    one, other = _read_sides(row[2:8])
    return Decision(
        DecisionKind(row[1]),
        one,
        other,
        id=row[0],
        reason=row[8],
        actor=row[9],
        at=from_microseconds(row[10]),
        undone=from_optional(row[11]),
    )


def _sides(one: Decision) -> tuple[object, ...]:
    other = one.other
    second = (other[0], other[1].kind.value, other[1].value) if other else (0, "", "")
    return (one.one[0], one.one[1].kind.value, one.one[1].value, *second)


def _read_sides(row: Row) -> tuple[tuple[int, MarkName], tuple[int, MarkName] | None]:
    one = (row[0], MarkName(MarkKind(row[1]), row[2]))
    return one, (row[3], MarkName(MarkKind(row[4]), row[5])) if row[4] else None


def write_proposals(transaction: Transaction, unit: str, proposals: Iterable[Proposal]) -> int:
    """Put the proposals of the evidence in place of open ones; what was decided stays. Gives how many are new."""
    known = {one.key: one for one in read_proposals(transaction.database, unit)}
    told = {one.key: one for one in proposals}
    fresh = [one for key, one in told.items() if key not in known]
    transaction.execute_many(
        f"INSERT INTO asset_proposal (unit, key, kind, {_SIDES}, why, detail, state, first_us, decided_by) "  # noqa: S608
        "VALUES (?,?,?,?,?,?,?,?,?,?,?,'open',?,'')",
        [
            (
                unit,
                one.key,
                one.decision.kind.value,
                *_sides(one.decision),
                one.why,
                one.detail,
                to_microseconds(one.first),
            )
            for one in fresh
        ],
    )
    _set_states(
        transaction,
        [
            (one.id, ProposalState.MOOT)
            for key, one in known.items()
            if key not in told and one.state is ProposalState.OPEN
        ]
        + [
            (one.id, ProposalState.OPEN)
            for key, one in known.items()
            if key in told and one.state is ProposalState.MOOT
        ],
    )
    return len(fresh)


def _set_states(transaction: Transaction, states: Iterable[tuple[int, ProposalState]]) -> None:
    transaction.execute_many(
        "UPDATE asset_proposal SET state=? WHERE id=?", [(state.value, number) for number, state in states]
    )


def answer_proposal(transaction: Transaction, unit: str, one: Proposal, decision: Decision | None) -> None:
    """Note that a proposal was accepted, by the decision it became, or rejected."""
    state = ProposalState.REJECTED if decision is None else ProposalState.ACCEPTED
    transaction.execute(
        "UPDATE asset_proposal SET state=?, decided_us=?, decided_by=?, decision=? WHERE id=?",
        (
            state.value,
            to_microseconds(transaction.now),
            transaction.actor,
            decision.id if decision else None,
            one.id,
        ),
    )
    transaction.audit(f"asset.{state}", f"proposal {one.id} of unit {unit}", before={"why": one.why})


def read_proposals(database: Database, unit: str) -> tuple[Proposal, ...]:
    """Give all proposals of a unit, decided ones too, by number."""
    return tuple(map(_proposal, database.query(f"{_PROPOSAL} WHERE unit=? ORDER BY id", (unit,))))


def _proposal(row: Row) -> Proposal:
    one, other = _read_sides(row[2:8])
    return Proposal(
        decision=Decision(DecisionKind(row[1]), one, other),
        why=row[8],
        detail=row[9],
        first=from_microseconds(row[10]),
        id=row[0],
        state=ProposalState(row[11]),
        decided_by=row[12],
    )
