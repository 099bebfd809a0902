"""A re-test (复测) or an issuer's closing (销号) in; the finding moved on, who, when and what evidence kept, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sentinel.errors import UsageError
from sentinel.model.finding import Closing, ClosingKind, Finding
from sentinel.model.unit import Unit
from sentinel.respond.lifecycle import Step, fail_retest, pass_retest, settle
from sentinel.schedule.attachment import keep_attachments, read_attachments
from sentinel.schedule.context import Context
from sentinel.schedule.persons import hide_persons
from sentinel.store.closings import write_closing
from sentinel.store.findings import find_finding, reread_finding, write_findings
from sentinel.store.units import find_unit

LONGEST_REFERENCE = 18
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Proof:
    """What is said of a closing.

    Attributes:
        by: who did it; empty: the unit for a re-test, the issuer for its closing.
        document: number of the paper that says so.
        note: what else there is to say.
        file: what shows it.
    """

    by: str = ""
    document: str = ""
    note: str = ""
    file: Path | None = None


def require_finding(context: Context, reference: str) -> Finding:
    """Give a finding by its number or row id.

    Raises:
        UsageError: there is no such finding.
    """
    finding = find_finding(context.database, reference) if len(reference) <= LONGEST_REFERENCE else None
    if finding is None:
        raise UsageError(f"no such finding: {reference[:40]!r}; `sentinel finding list` shows them")
    return finding


def retest_finding(context: Context, finding: Finding, proof: Proof, *, passed: bool) -> Finding:
    """Note a re-test by the unit.

    Raises:
        UsageError: there is nothing to re-test.
        ParseError: the file cannot be read.
    """
    unit = _unit_of(context, finding)

    def move(one: Finding, now: datetime) -> tuple[Step, str]:
        try:
            return pass_retest(one, now) if passed else fail_retest(one), proof.by or unit.name
        except ValueError as error:
            raise UsageError(str(error)) from error

    return _write(context, unit, finding, move, ClosingKind.RETEST, proof, passed=passed)


def settle_finding(context: Context, finding: Finding, proof: Proof) -> Finding:
    """Note that its issuer closed a finding (销号).

    Raises:
        UsageError: it cannot be closed, or nobody is known to be its issuer.
        ParseError: the file cannot be read.
    """

    def move(one: Finding, now: datetime) -> tuple[Step, str]:
        by = proof.by or one.issuer
        if not by:
            raise UsageError(f"--by: who closes {one.number}? it has no issuer; a passed re-test closes it")
        try:
            return settle(one, now, proof.note), by
        except ValueError as error:
            raise UsageError(f"--note: {error}" if one.state.is_live else str(error)) from error

    return _write(context, _unit_of(context, finding), finding, move, ClosingKind.ISSUER, proof, passed=True)


def _write(
    context: Context,
    unit: Unit,
    known: Finding,
    move: Callable[[Finding, datetime], tuple[Step, str]],
    kind: ClosingKind,
    proof: Proof,
    *,
    passed: bool,
) -> Finding:
    _clean((proof.by, proof.document, proof.note))
    files = read_attachments(context, unit, [proof.file] if proof.file else [])
    with context.database.transaction(context.actor, context.clock()) as transaction:
        step, who = move(reread_finding(transaction, known), transaction.now)
        by, document, note = _clean((who, proof.document, proof.note))
        keep_attachments(context, transaction, files)
        (stored,) = write_findings(transaction, [(step.finding, step.before, step.reason)])
        sum_ = files[0].sha256 if files else ""
        closing = Closing(
            kind, passed, transaction.now, by, sum_, document, note, context.actor, exercise=stored.exercise
        )
        write_closing(transaction, stored.id, closing)
        after = {"state": stored.state.value, "passed": passed, "by": by, "evidence": sum_, "document": document}
        action = "finding.retest" if kind is ClosingKind.RETEST else "finding.close"
        transaction.audit(action, f"finding {stored.number}", before={"state": step.before}, after=after)
    return stored


def _clean(words: Sequence[str]) -> list[str]:
    clean = [hide_persons(" ".join(one.split())) for one in words]
    if any(len(one) > _LONGEST or not one.isprintable() for one in clean):
        raise UsageError(f"--by, --document, --note: at most {_LONGEST} printable characters")
    return clean


def _unit_of(context: Context, finding: Finding) -> Unit:
    unit = find_unit(context.database, finding.key.unit)
    if unit is None:
        raise UsageError(f"{finding.number}: its unit {finding.key.unit!r} is not here")
    return unit
