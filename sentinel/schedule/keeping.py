"""A home's evidence and its budget in; what is held for what, and what was cleared, out."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel.schedule.backing import BUSY
from sentinel.schedule.context import Context
from sentinel.store.evidence_budget import Holding, choose_prunable, mark_pruned, read_holdings, remove_pruned
from sentinel.store.home import hold_lock

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Pruning:
    """What was cleared, or would be.

    Attributes:
        chosen: evidence that went, oldest first.
        free_bytes: what became free on disk, leftovers of killed imports included; 0 when it was only planned.
        kept_bytes: what the evidence takes afterwards.
        over_bytes: by how much that is more than the budget: it is held by runs and proof.
    """

    chosen: tuple[Holding, ...]
    free_bytes: int
    kept_bytes: int
    over_bytes: int


def prune_evidence(context: Context, budget_mib: int, *, dry_run: bool = False) -> Pruning:
    """Clear evidence nothing refers to, oldest first, until the rest fits the budget; 0 clears leftovers only.

    Raises:
        StoreError: a backup runs, or the home cannot be written.
    """
    budget = budget_mib * MIB if budget_mib else 1 << 62
    free = 0
    with hold_lock(context.home, "keep", BUSY):
        if dry_run:
            holdings = read_holdings(context.database, context.evidence)
            chosen = choose_prunable(holdings, budget)
        else:
            with context.database.transaction(context.actor, context.clock()) as transaction:
                holdings = read_holdings(context.database, context.evidence)
                chosen = choose_prunable(holdings, budget)
                mark_pruned(transaction, chosen)
            with context.database.transaction(context.actor, context.clock()) as transaction:
                free = remove_pruned(transaction, context.evidence)
    gone = {one.sha256 for one in chosen}
    kept = sum(one.disk_bytes for one in holdings if one.pruned_at is None and one.sha256 not in gone)
    return Pruning(chosen, free, kept, max(0, kept - budget))
