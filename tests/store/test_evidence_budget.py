"""What the evidence budget takes and what it never takes."""

from __future__ import annotations

import io
import os
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.model.evidence import Evidence
from sentinel.schedule.context import Context
from sentinel.schedule.keeping import MIB, prune_evidence
from sentinel.store.database import Database
from sentinel.store.evidence import write_evidence
from sentinel.store.evidence_budget import REFERENCES, HeldBy, mark_pruned, read_holdings
from sentinel.store.home import Home
from tests.homes import NOW, copy_home, opened
from tests.schedule.nmapfile import NmapRun, at, give, host

NO_REASON = {("evidence", "sha256"), ("certificate", "sha256"), ("capture", "evidence"), ("endpoint", "certificate")}
"""Columns named like a sum that keep no evidence alive: the blobs, certificates, captures that showed nothing."""


def keep(context: Context, name: str, days: int, size: int = MIB) -> str:
    """Keep bytes nothing refers to, of about `size` on disk."""
    with context.evidence.receive(io.BytesIO(name.encode() + os.urandom(size))) as received:
        with context.database.transaction("tester", NOW) as transaction:
            received.keep()
            received_at = NOW + timedelta(days=days)
            write_evidence(transaction, Evidence(received.sha256, received.size_bytes, name, "test", received_at))
            transaction.audit("test", name)
        return received.sha256


def held(context: Context) -> dict[str, HeldBy]:
    return {one.sha256: one.held_by for one in read_holdings(context.database, context.evidence)}


def test_every_column_that_names_evidence_is_known_to_the_budget(tmp_path: Path) -> None:
    database = Database(copy_home(tmp_path / "home").database)
    with closing(database.connection):
        columns = {
            (table, row[1])
            for (table,) in database.query("SELECT name FROM sqlite_master WHERE type='table'")
            for row in database.query(f"PRAGMA table_info({table})")
            if "evidence" in row[1] or "sha256" in row[1]
        }
    assert columns - NO_REASON == {(table, column) for table, column, _ in REFERENCES}


def test_budget_when_exceeded_takes_the_oldest_unreferenced_first(home: Home) -> None:
    with opened(home.path, server=home.server) as context:
        new, old, middle = (keep(context, name, days) for name, days in (("new", 3), ("old", 1), ("middle", 2)))
        planned = prune_evidence(context, 2, dry_run=True)
        assert [one.sha256 for one in planned.chosen] == [old, middle]
        assert all(context.evidence.verify(one) for one in (new, old, middle)), "a dry run clears nothing"
        done = prune_evidence(context, 2)
        assert [one.sha256 for one in done.chosen] == [old, middle]
        assert done.free_bytes >= 2 * MIB
        assert [context.evidence.verify(one) for one in (new, old, middle)] == [True, False, False]
        rows = {one.sha256: one for one in read_holdings(context.database, context.evidence)}
        assert rows[old].pruned_at == NOW, "row and sum stay"
        assert prune_evidence(context, 2).chosen == ()


def test_budget_when_exceeded_by_runs_and_proof_takes_neither_and_says_by_how_much(home: Home) -> None:
    with opened(home.path, server=home.server) as context:
        run = give(context, NmapRun((host(1, p22="ssh"),), finished=at(1))).run.evidence
        proof, noted = keep(context, "proof", 1, 2 * MIB), keep(context, "noted", 2)
        with context.database.transaction("tester", NOW) as transaction:
            for sha, flows in ((proof, 1), (noted, 0)):
                transaction.execute(
                    "INSERT INTO capture (unit, evidence, file, analysed_us, flows, problem) VALUES (?,?,?,?,?,?)",
                    ("school", sha, "f", 1, flows, ""),
                )
            transaction.execute(
                "INSERT INTO flow (unit, evidence, file, host, peer, family, flow_class, certainty, coin, packets, "
                "payload_bytes, proof, name, agent, wallet) "
                "VALUES ('school',?,'f','h','p','x','mining',1,'',1,1,'','','','')",
                (proof,),
            )
            transaction.audit("test", "capture")
        assert held(context) == {run: HeldBy.RUN, proof: HeldBy.PROOF, noted: HeldBy.NOTHING}
        done = prune_evidence(context, 1)
        assert [one.sha256 for one in done.chosen] == [noted]
        assert done.over_bytes > 0
        assert context.evidence.verify(run)
        assert context.evidence.verify(proof)
        late = give(context, NmapRun((host(2, p22="ssh"),), finished=at(0.5)))
        assert late.run.events > 0, "the map can still be built anew"


def test_clearing_that_was_killed_before_the_file_went_is_completed_by_the_next(home: Home) -> None:
    with opened(home.path, server=home.server) as context:
        sha = keep(context, "old", 1)
        with context.database.transaction("tester", NOW) as transaction:
            mark_pruned(transaction, read_holdings(context.database, context.evidence))
        assert context.evidence.path_of(sha).exists()
        assert prune_evidence(context, 0).free_bytes >= MIB
        assert not context.evidence.path_of(sha).exists()


def test_blob_no_row_names_goes_after_a_day_and_not_before(home: Home) -> None:
    with opened(home.path, server=home.server) as context:
        with context.evidence.receive(io.BytesIO(b"left by a killed import")) as received:
            received.keep()
        path = context.evidence.path_of(received.sha256)
        prune_evidence(context, 0)
        assert path.exists()
        os.utime(path, (time.time() - 90_000,) * 2)
        prune_evidence(context, 0)
        assert not path.exists()


def test_evidence_that_was_cleared_and_comes_again_is_evidence_again(home: Home) -> None:
    run = NmapRun((host(1, p22="ssh"),), finished=at(1))
    with opened(home.path, server=home.server) as context:
        with (
            context.evidence.receive(io.BytesIO(run.write())) as received,
            context.database.transaction("tester", NOW) as transaction,
        ):
            received.keep()
            write_evidence(transaction, Evidence(received.sha256, 1, "early", "nmap-xml", NOW))
            mark_pruned(transaction, read_holdings(context.database, context.evidence))
        prune_evidence(context, 0)
        assert not context.evidence.path_of(received.sha256).exists()
        assert give(context, run).run.evidence == received.sha256
        (row,) = read_holdings(context.database, context.evidence)
        assert (row.pruned_at, row.held_by) == (None, HeldBy.RUN)
        assert context.evidence.verify(row.sha256)


@pytest.mark.parametrize("budget", [0, 1000])
def test_budget_that_is_kept_or_not_set_takes_nothing(home: Home, budget: int) -> None:
    with opened(home.path, server=home.server) as context:
        sha = keep(context, "any", 1)
        done = prune_evidence(context, budget)
        assert (done.chosen, done.free_bytes, done.over_bytes) == ((), 0, 0)
        assert context.evidence.verify(sha)
