"""What the evidence of a home is kept for, and what may go when it takes too much room: oldest first, never proof."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sentinel.model.moment import from_microseconds, from_optional, to_microseconds
from sentinel.store.database import Database, Transaction, wrap_errors
from sentinel.store.evidence import EvidenceFolder

ORPHAN_S = 86_400
"""A blob no row names may be on its way in; after a day it is what a killed import left."""

_BLOB = re.compile(r"[0-9a-f]{62}\.zst\Z")


class HeldBy(StrEnum):
    """What evidence is kept for."""

    PROOF = "proof"
    RUN = "run"
    REGISTER = "register"
    NOTHING = "nothing"


REFERENCES = (
    ("finding", "evidence", HeldBy.PROOF),
    ("finding_evidence", "sha256", HeldBy.PROOF),
    ("finding_closing", "evidence", HeldBy.PROOF),
    ("notice", "evidence", HeldBy.PROOF),
    ("assignment_file", "sha256", HeldBy.PROOF),
    ("attestation_file", "sha256", HeldBy.PROOF),
    ("flow", "evidence", HeldBy.PROOF),
    ("run", "evidence", HeldBy.RUN),
    ("register", "source_sha256", HeldBy.REGISTER),
    ("system_version", "source_sha256", HeldBy.REGISTER),
)
"""Every column that keeps evidence alive, the strongest reason first. A row of `capture` alone keeps none: what showed
nothing proves nothing, and what showed something has a row of `flow`."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One piece of evidence and why it is kept.

    Attributes:
        sha256: its sum.
        name: file or job name.
        format: the parser's name.
        size_bytes: of its own bytes.
        disk_bytes: what it takes on disk, compressed.
        received_at: when it came.
        held_by: what it is kept for.
        pruned_at: when it was cleared; None while it is there.
    """

    sha256: str
    name: str
    format: str
    size_bytes: int
    disk_bytes: int
    received_at: datetime
    held_by: HeldBy
    pruned_at: datetime | None


def read_holdings(database: Database, folder: EvidenceFolder) -> tuple[Holding, ...]:
    """Give all evidence ever recorded, oldest first."""
    reasons: dict[str, HeldBy] = {}
    for table, column, reason in REFERENCES:
        for (sha,) in database.query(f"SELECT DISTINCT {column} FROM {table}"):  # noqa: S608  constant names
            reasons.setdefault(str(sha), reason)
    rows = database.query(
        "SELECT sha256, name, format, size_bytes, received_us, pruned_us FROM evidence ORDER BY received_us, sha256"
    )
    return tuple(
        Holding(
            sha256=sha,
            name=name,
            format=form,
            size_bytes=size,
            disk_bytes=_disk_bytes(folder.path_of(sha)),
            received_at=from_microseconds(received),
            held_by=reasons.get(sha, HeldBy.NOTHING),
            pruned_at=from_optional(pruned),
        )
        for sha, name, form, size, received, pruned in rows
    )


def choose_prunable(holdings: Iterable[Holding], budget_bytes: int) -> tuple[Holding, ...]:
    """Give what goes until the rest fits the budget: held by nothing, oldest first; never what is proof or a run."""
    there = [one for one in holdings if one.pruned_at is None]
    over = sum(one.disk_bytes for one in there) - budget_bytes
    chosen = []
    for one in sorted(there, key=lambda one: (one.received_at, one.sha256)):
        if over <= 0:
            break
        if one.held_by is HeldBy.NOTHING:
            chosen.append(one)
            over -= one.disk_bytes
    return tuple(chosen)


def mark_pruned(transaction: Transaction, chosen: Iterable[Holding]) -> None:
    """Note that evidence is cleared; its row and its sum stay. The file goes afterwards, with `remove_pruned`."""
    rows = tuple(chosen)
    if not rows:
        return
    moment = to_microseconds(transaction.now)
    transaction.execute_many("UPDATE evidence SET pruned_us=? WHERE sha256=?", [(moment, one.sha256) for one in rows])
    after = {"sums": [one.sha256 for one in rows], "bytes": sum(one.disk_bytes for one in rows)}
    transaction.audit("evidence.prune", f"{len(rows)} blobs", after=after)


def remove_pruned(transaction: Transaction, folder: EvidenceFolder) -> int:
    """Remove the files of cleared evidence and what killed imports left; gives the bytes that became free.

    Inside a write transaction, so that nothing arrives meanwhile; also mends what an earlier kill left undone.
    """
    free = 0
    known = dict(transaction.execute("SELECT sha256, pruned_us FROM evidence"))
    with wrap_errors(folder.folder):
        for sha, path in _blobs(folder.folder):
            age_s = time.time() - path.stat().st_mtime
            if known.get(sha) is not None or (sha not in known and age_s > ORPHAN_S):
                free += _disk_bytes(path)
                path.unlink(missing_ok=True)
    return free


def _blobs(folder: Path) -> Iterator[tuple[str, Path]]:
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        if entry.is_dir(follow_symlinks=False) and len(entry.name) == 2:
            for file in os.scandir(entry.path):
                if _BLOB.match(file.name):
                    yield entry.name + file.name.removesuffix(".zst"), Path(file.path)


def _disk_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
