"""Attestations in the store: only ever added, papers kept for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.errors import StoreError
from sentinel.model.attestation import Answer, Attestation, AttestationFile, AttestationState
from sentinel.model.evidence import Evidence
from sentinel.store.attestations import (
    find_attestation,
    read_attestations,
    read_history,
    write_answer,
    write_review,
)
from sentinel.store.database import Database
from sentinel.store.evidence import EvidenceFolder, write_evidence
from sentinel.store.evidence_budget import HeldBy, mark_pruned, read_holdings
from sentinel.store.units import change_unit, find_unit

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TOLD = Attestation(
    0, "school", 3, "backup.local", Answer.YES, "每日备份", "信息中心", "", NOW, NOW + timedelta(days=365),
    (AttestationFile("a" * 64, "备份.pdf"),),
)  # fmt: skip


def tell(database: Database, told: Attestation = TOLD, actor: str = "teller") -> Attestation:
    with database.transaction(actor, NOW) as transaction:
        write_evidence(transaction, Evidence("a" * 64, 5, "备份.pdf", "attachment", NOW))
        stored = write_answer(transaction, told)
        transaction.audit("attest.answer", "x")
    return stored


def review(database: Database, told: Attestation, state: AttestationState, words: str = "", **more: object) -> None:
    with database.transaction("reviewer", NOW + timedelta(days=1)) as transaction:
        wanted = replace(told, state=state, review_words=words, reviewer_by="校办", **more)  # type: ignore[arg-type]
        write_review(transaction, told, wanted)
        transaction.audit("attest.review", "x")


def test_answer_when_written_then_it_is_read_back_whole(database: Database) -> None:
    stored = tell(database)
    assert read_attestations(database, "school") == (replace(TOLD, id=stored.id, actor="teller"),)
    assert find_attestation(database, "school", stored.id) == stored
    assert find_attestation(database, "other", stored.id) is None
    assert read_attestations(database, "other") == ()


def test_review_when_written_then_the_answer_stands_as_it_says(database: Database) -> None:
    stored = tell(database)
    review(database, stored, AttestationState.RETURNED, "缺页")
    review(database, stored, AttestationState.ACCEPTED, "已补", same_person=True)
    (found,) = read_attestations(database, "school")
    assert (found.state, found.reviewer, found.reviewer_by, found.review_words, found.same_person) == (
        AttestationState.ACCEPTED, "reviewer", "校办", "已补", True,
    )  # fmt: skip
    assert found.reviewed_at == NOW + timedelta(days=1)


def test_answers_when_there_are_several_then_the_newest_counts_and_all_stay(database: Database) -> None:
    first = tell(database)
    review(database, first, AttestationState.ACCEPTED)
    tell(database, replace(TOLD, answer=Answer.NO, files=()))
    tell(database, replace(TOLD, system=0, question="org.group"))
    newest = read_attestations(database, "school")
    assert [(one.system, one.question, one.answer, one.state) for one in newest] == [
        (0, "org.group", Answer.YES, AttestationState.PENDING),
        (3, "backup.local", Answer.NO, AttestationState.PENDING),
    ]
    assert [one.state for one in read_history(database, "school")] == [
        AttestationState.ACCEPTED, AttestationState.PENDING, AttestationState.PENDING,
    ]  # fmt: skip


@pytest.mark.parametrize("table", ["attestation_event", "attestation_file"])
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "UPDATE {} SET name='x'", "UPDATE {} SET words='x'"])
def test_history_when_somebody_would_change_it_then_the_database_refuses(
    database: Database, table: str, verb: str
) -> None:
    tell(database)
    with pytest.raises(StoreError), database.transaction("x", NOW) as transaction:
        transaction.execute(verb.format(table))
    assert len(read_history(database, "school")) == 1


def test_paper_when_an_answer_names_it_then_it_is_proof_and_never_chosen_to_go(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tell(database)
    (holding,) = read_holdings(database, EvidenceFolder(tmp_path_factory.mktemp("evidence")))
    assert holding.held_by is HeldBy.PROOF


def test_paper_when_it_is_gone_all_the_same_then_the_answer_says_so(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tell(database)
    with database.transaction("x", NOW) as transaction:
        mark_pruned(transaction, read_holdings(database, EvidenceFolder(tmp_path_factory.mktemp("evidence"))))
    (found,) = read_attestations(database, "school")
    assert ([one.kept for one in found.files], found.papers) == ([False], ())


def test_unit_when_its_code_changes_then_its_answers_go_with_it(database: Database) -> None:
    stored = tell(database)
    with database.transaction("x", NOW) as transaction:
        before = find_unit(database, "school")
        assert before is not None
        change_unit(transaction, before, replace(before, code="other"))
    assert find_attestation(database, "other", stored.id) is not None
    assert read_attestations(database, "school") == ()
