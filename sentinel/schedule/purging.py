"""A retention policy in; what is older than it deleted, kind by kind, or only counted, out. Proof is never deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sentinel.assess.retention import load_retention
from sentinel.errors import UsageError
from sentinel.log import warning
from sentinel.model.moment import SHANGHAI
from sentinel.model.retention import Retention
from sentinel.schedule.backing import BUSY
from sentinel.schedule.context import Context
from sentinel.schedule.identifying import forget_marks
from sentinel.store.closings import forget_finding_persons, read_oldest_person
from sentinel.store.database import Transaction
from sentinel.store.evidence_budget import HeldBy, mark_pruned, read_holdings, remove_pruned
from sentinel.store.flows import read_oldest_flow, remove_flows
from sentinel.store.home import hold_lock
from sentinel.store.marks import PERSON_MARKS, read_oldest_told
from sentinel.store.sightings import read_oldest_sighting, remove_sightings

Remove = Callable[[Context, Transaction, datetime], int]
Oldest = Callable[[Context], datetime | None]


@dataclass(frozen=True, slots=True)
class PurgeKind:
    """How one kind of data is deleted.

    Attributes:
        kind: as the policy names it.
        remove: deletes what is older than a moment, inside a transaction; gives how many.
        oldest: gives the time of the oldest there is.
    """

    kind: str
    remove: Remove
    oldest: Oldest


@dataclass(frozen=True, slots=True)
class Purged:
    """What became of one kind of data.

    Attributes:
        policy: how long it is kept.
        before: what is older goes; None: it is never deleted.
        count: how many went, or would go; None: nothing of this kind can be here.
        oldest: the oldest there was.
    """

    policy: Retention
    before: datetime | None
    count: int | None
    oldest: datetime | None = None


def _remove_evidence(context: Context, transaction: Transaction, before: datetime) -> int:
    holdings = read_holdings(context.database, context.evidence)
    old = [
        one for one in holdings if one.held_by is HeldBy.NOTHING and one.pruned_at is None and one.received_at < before
    ]
    mark_pruned(transaction, old)
    return len(old)


def _oldest_evidence(context: Context) -> datetime | None:
    holdings = read_holdings(context.database, context.evidence)
    unused = (one.received_at for one in holdings if one.held_by is HeldBy.NOTHING and one.pruned_at is None)
    return min(unused, default=None)


def _remove_papers(context: Context, _: Transaction, before: datetime) -> int:
    """Count papers here; their files go once the transaction stands, for no transaction brings a file back."""
    return sum(moment < before for _, moment in _papers(context))


def _oldest_paper(context: Context) -> datetime | None:
    return min((moment for _, moment in _papers(context)), default=None)


def _papers(context: Context) -> Iterator[tuple[Path, datetime]]:
    folder = context.home.papers
    for path in sorted(folder.rglob("*")) if folder.is_dir() and not folder.is_symlink() else ():
        if path.is_file() and not path.is_symlink():
            yield path, datetime.fromtimestamp(path.stat().st_mtime, tz=SHANGHAI)


def _sightings(kind: str, stored: str) -> PurgeKind:
    return PurgeKind(
        kind,
        lambda _, transaction, before: remove_sightings(transaction, before, stored),
        lambda context: read_oldest_sighting(context.database, stored),
    )


PURGES: tuple[PurgeKind, ...] = (
    _sightings("person_holding", "person_holding"),
    _sightings("neighbour_holding", "neighbour_holding"),
    _sightings("switch_port", "attachment"),
    _sightings("nat", "translation"),
    PurgeKind(PERSON_MARKS, forget_marks, lambda context: read_oldest_told(context.database)),
    PurgeKind(
        "flows",
        lambda _, transaction, before: remove_flows(transaction, before),
        lambda c: read_oldest_flow(c.database),
    ),
    PurgeKind(
        "finding_persons",
        lambda _, transaction, before: forget_finding_persons(transaction, before),
        lambda context: read_oldest_person(context.database),
    ),
    PurgeKind("papers", _remove_papers, _oldest_paper),
    PurgeKind("evidence_unreferenced", _remove_evidence, _oldest_evidence),
)
"""Every kind that can be deleted, in this order: what held evidence goes before the evidence. A kind the policy names
and that is not here is never deleted, or nothing of it can be stored yet."""


class _UndoneError(Exception):
    """Ends the transaction of a dry run, so that nothing of it stays."""


def purge(context: Context, kind: str | None = None, *, apply: bool = False) -> tuple[Purged, ...]:
    """Delete what is older than the policy keeps, of one kind or of all; without `apply` only count it.

    A dry run deletes in a transaction that is rolled back, so it counts exactly what would go.

    Raises:
        UsageError: the policy knows no such kind, or keeps it for good.
        RuleError: the policy has mistakes.
        StoreError: a backup runs, or the home cannot be written.
    """
    now = context.clock()
    policies = load_retention(context.rule_folders, now.astimezone(SHANGHAI).date())
    wanted = [one for one in policies if kind in (None, one.kind)]
    if not wanted:
        raise UsageError(f"--kind: {kind!r} is none of {', '.join(one.kind for one in policies)}")
    if kind is not None and wanted[0].days is None:
        raise UsageError(f"--kind: {kind} is never deleted ({wanted[0].source})")
    with hold_lock(context.home, "keep", BUSY):
        found = _purge(context, wanted, now, apply=apply)
        if apply:
            _remove_files(context, found)
    return tuple(found[one.kind] for one in wanted)


def _purge(context: Context, policies: list[Retention], now: datetime, *, apply: bool) -> dict[str, Purged]:
    by_kind = {one.kind: one for one in policies}
    found = {one.kind: Purged(one, None if one.days is None else now - timedelta(one.days), None) for one in policies}
    try:
        with context.database.transaction(context.actor, now) as transaction:
            for row in PURGES:
                policy = by_kind.get(row.kind)
                if policy is None or policy.days is None:
                    continue
                before, oldest = now - timedelta(days=policy.days), row.oldest(context)
                found[row.kind] = Purged(policy, before, row.remove(context, transaction, before), oldest)
            gone = {name: one.count for name, one in found.items() if one.count}
            if not apply:
                raise _UndoneError
            if gone:
                until = {name: one.before for name, one in found.items() if one.count}
                transaction.audit("data.purge", f"{sum(gone.values())} of {len(gone)} kinds", until, gone)
    except _UndoneError:
        pass
    return found


def _remove_files(context: Context, found: dict[str, Purged]) -> None:
    """Remove the files of what was deleted."""
    papers = found.get("papers")
    if papers is not None and papers.before is not None:
        for path, moment in list(_papers(context)):
            if moment < papers.before:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    warning("paper not removed", file=str(path), reason=error.strerror or str(error))
    if "evidence_unreferenced" in found:
        with context.database.transaction(context.actor, context.clock()) as transaction:
            remove_pruned(transaction, context.evidence)
