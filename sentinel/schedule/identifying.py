"""A unit's marks and what persons decided in; its assets made anew, with the numbers they had, out.

Assets are derived: whatever order evidence arrives in, the same marks and decisions give the same assets. Numbers are
given in the order in which assets first became known here, and stay.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from sentinel.errors import UsageError
from sentinel.inventory.identity import derive_assets
from sentinel.model.asset import (
    Asset,
    AssetEvent,
    AssetState,
    Decision,
    DecisionKind,
    EventKind,
    MarkName,
    Proposal,
    ProposalState,
)
from sentinel.model.unit import Network, Unit
from sentinel.schedule.context import Context
from sentinel.schedule.sightings import PHONE_ZONES
from sentinel.store import asset_decisions as decision_store
from sentinel.store import identity as store
from sentinel.store.database import Transaction
from sentinel.store.marks import is_stale, read_marks, remove_told_marks, set_stale
from sentinel.store.register import read_register
from sentinel.store.sightings import space_of
from sentinel.store.units import read_networks, read_units

COUNTED = timedelta(days=30)
"""How far back the cards of phones' networks are counted."""

_WORDS = re.compile(r"[\s,;|=]+|: ")
"""Between the words of an event or a proposal; a card's address has colons of its own."""


def identify_unit(context: Context, unit: Unit) -> None:
    """Make the assets of a unit anew, if anything changed that they are made of."""
    space = space_of(read_networks(context.database, unit.code))
    if is_stale(context.database, space):
        with context.database.transaction(context.actor, context.clock()) as transaction:
            _refresh(context, transaction, unit)


def _refresh(context: Context, transaction: Transaction, unit: Unit) -> None:
    """Make the assets anew inside a transaction, if anything changed that nobody made them of meanwhile."""
    if is_stale(context.database, space_of(read_networks(context.database, unit.code))):
        make_assets(context, transaction, unit)


def make_assets(context: Context, transaction: Transaction, unit: Unit) -> None:
    """Make the assets of a unit anew of its marks and what was decided."""
    networks = read_networks(context.database, unit.code)
    marks = read_marks(context.database, [one.id for one in networks if one.zone not in PHONE_ZONES])
    names = frozenset(name.lower() for line in read_register(context.database, unit.code) for name in line.domains)
    decisions = decision_store.read_decisions(context.database, unit.code)
    derived, proposals = derive_assets(marks, decisions, names)
    written = store.write_assets(transaction, unit.code, derived)
    proposed = decision_store.write_proposals(transaction, unit.code, proposals)
    set_stale(transaction, space_of(networks), stale=False)
    after = {"assets": len(derived), "added": written.added, "changed": written.changed, "events": written.events}
    transaction.audit("asset.identify", f"unit {unit.code}", after={**after, "proposed": proposed})


def forget_marks(context: Context, transaction: Transaction, before: datetime) -> int:
    """Delete marks of who held an address that ended before a moment, and what assets were known by through them alone.

    Gives how many marks went. What a person decided of assets stays, as they wrote it; the caller audits.
    """
    count, networks, values = remove_told_marks(transaction, before)
    for unit in read_units(context.database) if count else ():
        if networks.isdisjoint(one.id for one in read_networks(context.database, unit.code)):
            continue
        make_assets(context, transaction, unit)
        store.forget_anchors(transaction, unit.code, values)
        store.forget_told(transaction, unit.code, lambda text: not values.isdisjoint(_WORDS.split(text)))
    return count


def merge_assets(context: Context, unit: Unit, one: int, other: int, reason: str) -> Decision:
    """Say that two assets are one thing.

    Raises:
        UsageError: there are no such two assets.
    """
    if one == other:
        raise UsageError("one asset cannot be merged with itself; name two numbers")
    with context.database.transaction(context.actor, context.clock()) as transaction:
        _refresh(context, transaction, unit)
        first, second = (_find(context, unit, number) for number in sorted((one, other)))
        decision = Decision(DecisionKind.MERGE, _side(first), _side(second), reason=reason)
        told = [(first.id, EventKind.MERGED), (second.id, EventKind.MERGED)]
        return _decide(context, transaction, unit, decision, told)


def split_asset(context: Context, unit: Unit, number: int, mark: str, reason: str) -> Decision:
    """Say that what shows a mark is a thing apart.

    Raises:
        UsageError: there is no such asset, or it does not have the mark.
    """
    with context.database.transaction(context.actor, context.clock()) as transaction:
        _refresh(context, transaction, unit)
        asset = _find(context, unit, number)
        known = {str(one.name): one for one in store.read_identifiers(context.database, asset.id)}
        found = known.get(mark.strip())
        if found is None:
            raise UsageError(f"asset {number} has no mark {mark!r}; `sentinel asset show {number}` shows its marks")
        decision = Decision(DecisionKind.SPLIT, (found.network, found.name), reason=reason)
        return _decide(context, transaction, unit, decision, [(asset.id, EventKind.SPLIT)])


def accept_proposal(context: Context, unit: Unit, number: int, reason: str) -> Decision:
    """Decide what a proposal asks for.

    Raises:
        UsageError: there is no such open proposal.
    """
    with context.database.transaction(context.actor, context.clock()) as transaction:
        _refresh(context, transaction, unit)
        found = _find_proposal(context, unit, number)
        decision = replace(found.decision, reason=reason or found.detail)
        kind = EventKind.MERGED if decision.kind is DecisionKind.MERGE else EventKind.SPLIT
        assets = dict.fromkeys(
            asset
            for side in (decision.one, decision.other)
            if side is not None and (asset := _asset_with(context, unit, side)) is not None
        )
        return _decide(context, transaction, unit, decision, [(asset, kind) for asset in assets], answered=found)


def reject_proposal(context: Context, unit: Unit, number: int) -> None:
    """Leave things as they are; it is not proposed again.

    Raises:
        UsageError: there is no such open proposal.
    """
    with context.database.transaction(context.actor, context.clock()) as transaction:
        _refresh(context, transaction, unit)
        found = _find_proposal(context, unit, number)
        decision_store.answer_proposal(transaction, unit.code, found, None)


def undo_decision(context: Context, unit: Unit, number: int) -> Decision:
    """Take a decision back.

    Raises:
        UsageError: there is no such decision in force.
    """
    with context.database.transaction(context.actor, context.clock()) as transaction:
        decisions = decision_store.read_decisions(context.database, unit.code)
        found = next((one for one in decisions if one.id == number and one.undone is None), None)
        if found is None:
            raise UsageError(f"no such decision in force: {number}; `sentinel asset undo` shows them")
        decision_store.undo_decision(transaction, unit.code, found)
        make_assets(context, transaction, unit)
        assets = [
            asset
            for side in (found.one, found.other)
            if side is not None and (asset := _asset_with(context, unit, side)) is not None
        ]
        _tell(transaction, [(asset, EventKind.UNDONE) for asset in dict.fromkeys(assets)], found)
    return found


def count_phones(context: Context, unit: Unit, now: datetime) -> tuple[tuple[Network, int], ...]:
    """Count the cards seen lately in the networks where no asset is made of each."""
    networks = [one for one in read_networks(context.database, unit.code) if one.zone in PHONE_ZONES]
    return tuple((one, store.count_cards(context.database, one.id, now - COUNTED)) for one in networks)


def _decide(
    context: Context,
    transaction: Transaction,
    unit: Unit,
    decision: Decision,
    told: list[tuple[int, EventKind]],
    answered: Proposal | None = None,
) -> Decision:
    stored = decision_store.write_decision(transaction, unit.code, decision)
    if answered is not None:
        decision_store.answer_proposal(transaction, unit.code, answered, stored)
    _tell(transaction, told, stored)
    make_assets(context, transaction, unit)
    return stored


def _tell(transaction: Transaction, told: list[tuple[int, EventKind]], decision: Decision) -> None:
    detail = f"decision {decision.id}: {decision.one[1]}" + (f" = {decision.other[1]}" if decision.other else "")
    events = [(asset, AssetEvent(kind, transaction.now, detail, transaction.actor)) for asset, kind in told]
    store.write_events(transaction, events)


def _find(context: Context, unit: Unit, number: int) -> Asset:
    found = store.find_asset(context.database, unit.code, number)
    if found is None or found.state in {AssetState.MERGED, AssetState.DISSOLVED}:
        raise UsageError(f"no such asset: {number}; `sentinel asset list` shows them")
    return found


def _side(asset: Asset) -> tuple[int, MarkName]:
    return asset.anchor.network, asset.anchor.name


def _asset_with(context: Context, unit: Unit, side: tuple[int, MarkName]) -> int | None:
    return store.find_asset_with(context.database, unit.code, *side)


def _find_proposal(context: Context, unit: Unit, number: int) -> Proposal:
    proposals = decision_store.read_proposals(context.database, unit.code)
    found = next((one for one in proposals if one.id == number and one.state is ProposalState.OPEN), None)
    if found is None:
        raise UsageError(f"no such open proposal: {number}; `sentinel asset proposals` shows them")
    return found
