"""The purge: counted exactly first, audited when applied, never what is proof."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.config import data_folder
from sentinel.errors import RuleError, UsageError
from sentinel.model.flow import FlowClass
from sentinel.model.register import Person
from sentinel.model.rule import Severity
from sentinel.schedule.closing import Proof, retest_finding
from sentinel.schedule.context import Context
from sentinel.schedule.purging import PURGES, Purged, purge
from sentinel.schedule.telling import Telling, add_finding
from sentinel.store.closings import read_finding_person
from sentinel.store.evidence import read_evidence
from sentinel.store.flows import read_flows, write_capture
from sentinel.store.sightings import read_horizons
from tests.homes import NOW, SCHOOL, Clock
from tests.store.test_evidence_budget import keep
from tests.store.test_flows import FLOW

DAY = timedelta(days=1)


@pytest.fixture
def old(context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Context:
    """A home with something of every kind from long ago, and a proof of the same age."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert isinstance(context.clock, Clock)
    long_ago = NOW - 800 * DAY
    (tmp_path / "proof.txt").write_text("proof")
    context.clock.now = long_ago
    told = Telling("10.0.0.5", "弱口令", Severity.HIGH, person=Person("张三"), file=tmp_path / "proof.txt")
    found, _ = add_finding(context, SCHOOL, told)
    retest_finding(context, found, Proof(), passed=True)
    name = replace(FLOW, flow_class=FlowClass.NAME, last_seen=long_ago)
    with context.database.transaction("tester", long_ago) as transaction:
        write_capture(transaction, SCHOOL.code, "c" * 64, "a.pcap", [name, replace(FLOW, last_seen=long_ago)])
        transaction.audit("traffic.analyze", "a.pcap")
    context.home.papers.mkdir()
    for number, days in enumerate((800, 1)):
        paper = context.home.papers / f"授权书{number}.docx"
        paper.write_bytes(b"x")
        stamp = (NOW - days * DAY).timestamp()
        os.utime(paper, (stamp, stamp))
    context.clock.now = NOW
    return context


def counts(found: tuple[Purged, ...]) -> dict[str, int]:
    return {one.policy.kind: one.count for one in found if one.count}


def content(context: Context) -> list[str]:
    return list(context.database.connection.iterdump())


def test_dry_run_counts_what_would_go_and_changes_nothing(old: Context) -> None:
    sha = keep(old, "loose", -400, 1000)
    before, papers = content(old), sorted(old.home.papers.iterdir())
    found = purge(old)
    assert counts(found) == {"flows": 1, "finding_persons": 1, "papers": 1, "evidence_unreferenced": 1}
    assert content(old) == before
    assert sorted(old.home.papers.iterdir()) == papers
    assert old.evidence.path_of(sha).exists()
    assert {one.oldest for one in found if one.policy.kind == "flows"} == {NOW - 800 * DAY}


def test_purge_when_applied_deletes_what_the_dry_run_counted_once_and_audits_it(old: Context) -> None:
    sha = keep(old, "loose", -400, 1000)
    young = keep(old, "young", -10, 1000)
    expected = counts(purge(old))
    assert counts(purge(old, apply=True)) == expected
    assert counts(purge(old, apply=True)) == {}
    row = old.database.one("SELECT after FROM audit WHERE action='data.purge'")
    assert row is not None
    assert '"flows": 1' in row[0]
    assert not old.evidence.path_of(sha).exists()
    assert old.evidence.path_of(young).exists()
    assert [path.name for path in old.home.papers.iterdir()] == ["授权书1.docx"]


def test_purge_when_applied_never_touches_proof(old: Context) -> None:
    purge(old, apply=True)
    (proof,) = [row[0] for row in old.database.query("SELECT sha256 FROM finding_evidence")]
    assert read_evidence(old.database, proof) is not None
    assert old.evidence.verify(proof)
    assert [flow.flow_class for _, flow in read_flows(old.database, SCHOOL.code)] == [FlowClass.MINING]
    assert old.database.one("SELECT count(*) FROM finding_closing") == (1,)


def test_purge_of_persons_forgets_who_answered_and_keeps_the_finding(old: Context) -> None:
    from sentinel.store.findings import find_finding

    purge(old, "finding_persons", apply=True)
    found = find_finding(old.database, "1")
    assert found is not None
    assert read_finding_person(old.database, found, old.load_seal()) == Person()
    assert len(list(old.home.papers.iterdir())) == 2, "one kind only"


@pytest.mark.parametrize("kind", ["nonsense", "audit", "evidence_proof"])
def test_kind_that_is_unknown_or_kept_for_good_is_refused(context: Context, kind: str) -> None:
    with pytest.raises(UsageError, match=r"is none of|is never deleted"):
        purge(context, kind, apply=True)


def test_kinds_of_logs_that_cannot_be_stored_yet_are_shown_without_a_count(context: Context) -> None:
    found = {one.policy.kind: one for one in purge(context)}
    known = {row.kind for row in PURGES}
    assert known <= set(found)
    assert all(found[kind].count is None for kind in set(found) - known)
    assert all(found[kind].count == 0 for kind in known)
    assert all((one.before is None) == (one.policy.days is None) for one in found.values())


def test_policy_of_the_home_with_too_few_days_stops_everything(context: Context, tmp_path: Path) -> None:
    folder = tmp_path / "own" / "policy"
    folder.mkdir(parents=True)
    text = (data_folder("rules") / "policy" / "retention.yml").read_text(encoding="utf-8")
    (folder / "retention.yml").write_text(text.replace("least: 184", "least: 0").replace("days: 184", "days: 7"))
    narrow = replace(context, settings=replace(context.settings, rules=(str(tmp_path / "own"),)))
    with pytest.raises(RuleError, match="fewer than the 184"):
        purge(narrow, apply=True)


def test_purge_when_nothing_is_old_is_no_error_and_forgets_nothing_of_what_may_still_come(context: Context) -> None:
    assert counts(purge(context, apply=True)) == {}
    assert read_horizons(context.database) == {}
