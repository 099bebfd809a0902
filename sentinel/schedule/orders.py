"""Findings chosen in; rectification orders issued, kept and printed out (整改通知书)."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sentinel.errors import RenderError, UsageError
from sentinel.inventory.holders import Owners
from sentinel.model.finding import Finding, FindingState
from sentinel.model.order import RectificationOrder
from sentinel.model.rule import Rule, Severity
from sentinel.model.unit import Unit
from sentinel.report.order_paper import OrderItem, OrderPaper, print_order
from sentinel.respond.lifecycle import order_rectification
from sentinel.schedule.context import Context
from sentinel.schedule.judging import read_pack
from sentinel.schedule.owners import read_owners
from sentinel.schedule.reporting import save_file
from sentinel.store.database import Transaction
from sentinel.store.findings import find_finding, read_findings, reread_finding, write_findings
from sentinel.store.orders import write_order

MOST_FINDINGS = 500
"""Findings of one order; a paper of more is read by nobody."""

DRAFT_DAYS = 7
"""Days a draft gives where no finding has a deadline to come."""

NO_OWNER = "未指定部门"


@dataclass(frozen=True, slots=True)
class Choice:
    """Findings one order is to name, and who has to mend them."""

    assignee: str
    findings: tuple[Finding, ...]


def choose_findings(
    context: Context,
    unit: Unit,
    references: Sequence[str],
    *,
    severity: Severity | None = None,
    owner: str = "",
    owners: Owners | None = None,
) -> tuple[Choice, ...]:
    """Give the chosen findings of a unit by the department that answers for them, worst first.

    Named ones must ask for something. Without names: those nobody was ordered to mend yet, at least as severe as
    asked, and of the department asked.

    Raises:
        UsageError: a finding is not there, belongs to another unit, or is settled.
    """
    owners = owners or read_owners(context, unit)
    found = [_named(context, unit, reference) for reference in references] or [
        one
        for one in read_findings(context.database, [unit.code], [FindingState.OPEN])
        if severity is None or one.severity.rank <= severity.rank
    ]
    by_owner: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in {one.id: one for one in found}.values():
        by_owner[finding.responsible or owners.department(finding.key.subject) or NO_OWNER].append(finding)
    return tuple(Choice(name, tuple(members)) for name, members in by_owner.items() if owner in ("", name))


def issue_order(context: Context, order: RectificationOrder, findings: Sequence[Finding]) -> RectificationOrder:
    """Store an order and put its findings in rectification, together or not at all.

    Raises:
        UsageError: it names no finding, more than a paper holds, or one that moved on since it was chosen.
    """
    _check_size(findings)
    with context.database.transaction(context.actor, context.clock()) as transaction:
        chosen = [_choose_again(transaction, finding) for finding in findings]
        stored = write_order(transaction, order)
        steps = [order_rectification(finding, stored.number, stored.due) for finding in chosen]
        write_findings(transaction, [(step.finding, step.before, step.reason) for step in steps])
    return stored


def _choose_again(transaction: Transaction, known: Finding) -> Finding:
    found = reread_finding(transaction, known)
    if found.state is not known.state:
        raise UsageError(f"{found.number} became {found.state} meanwhile; nothing was issued, choose again")
    return found


def issue_paper(
    context: Context,
    unit: Unit,
    order: RectificationOrder,
    findings: Sequence[Finding],
    path: Path,
    owners: Owners | None = None,
) -> RectificationOrder:
    """Issue an order and print it to a path; where the path cannot be written nothing is issued.

    Raises:
        UsageError: it names no finding, or more than a paper holds.
        RenderError: the file cannot be written; the message says whether the order was issued.
    """
    owners = owners or read_owners(context, unit)
    build_paper(context, unit, order, findings, owners)
    if not os.access(path.parent, os.W_OK) or path.is_dir():
        raise RenderError(f"{path}: cannot be written; nothing was issued")
    stored = issue_order(context, order, findings)
    try:
        save_order(path, build_paper(context, unit, stored, read_order_findings(context, stored), owners))
    except RenderError as error:
        raise RenderError(f"{stored.number} is issued, but {error}; `sentinel order show` prints it again") from error
    return stored


def build_paper(
    context: Context,
    unit: Unit,
    order: RectificationOrder,
    findings: Sequence[Finding],
    owners: Owners | None = None,
) -> OrderPaper:
    """Put together what an order prints: findings with the words of their rules and the lines of the register.

    `owners` spares reading the register and the hosts again for each of many orders.

    Raises:
        UsageError: it names no finding, or more than a paper holds.
    """
    _check_size(findings)
    pack = read_pack(context)
    rules = {rule.name: rule for rule in pack.rules}
    numbers = {clause.id: clause.number for catalogue in reversed(pack.catalogues) for clause in catalogue.clauses}
    owners = owners or read_owners(context, unit)
    return OrderPaper(
        number=order.number,
        unit=unit.name,
        issuer=order.issuer,
        assignee=order.assignee,
        issued_at=order.issued_at,
        due=order.due,
        items=tuple(_item(one, rules.get(one.key.rule), owners, numbers) for one in findings),
        note=order.note,
    )


def read_order_findings(context: Context, order: RectificationOrder) -> tuple[Finding, ...]:
    """Give the findings of an order as they stand now, in the order of the paper."""
    found = (find_finding(context.database, str(number)) for number in order.findings)
    return tuple(one for one in found if one is not None)


def save_order(path: Path, paper: OrderPaper) -> None:
    """Print an order to a path, whole or not at all.

    Raises:
        RenderError: it cannot be written.
    """
    body = print_order(paper)
    save_file(path, lambda draft: draft.write_bytes(body))


def draft_order(unit: Unit, choice: Choice, now: datetime) -> RectificationOrder:
    """Draft an order nobody issued; it is due when the first of its findings is, or in a week."""
    coming = [finding.due for finding in choice.findings if finding.due and finding.due > now]
    due = min(coming, default=now + timedelta(days=DRAFT_DAYS))
    return RectificationOrder(0, "", unit.code, unit.name, choice.assignee, now, due, ids_of(choice.findings))


def ids_of(findings: Iterable[Finding]) -> tuple[int, ...]:
    """Give the row ids of findings."""
    return tuple(finding.id for finding in findings)


def file_name(stem: str, assignee: str, taken: Iterable[str]) -> str:
    """Name a paper after who gets it, with letters and digits only, different from the names taken."""
    words = "".join(letter if letter.isalnum() else "_" for letter in assignee[:30]) or "_"
    names = (f"{stem}-{words}{number or ''}.docx" for number in range(len(list(taken)) + 1))
    return next(name for name in names if name not in taken)


def _named(context: Context, unit: Unit, reference: str) -> Finding:
    finding = find_finding(context.database, reference) if len(reference) <= 18 else None
    if finding is None or finding.key.unit != unit.code:
        raise UsageError(f"no such finding of {unit.name}: {reference!r}; `sentinel finding list` shows them")
    if not finding.state.is_live:
        raise UsageError(f"{finding.number} is {finding.state}: there is nothing to rectify")
    return finding


def _check_size(findings: Sequence[Finding]) -> None:
    if not findings:
        raise UsageError("an order needs a finding; `sentinel finding list --live` shows what is open")
    if len(findings) > MOST_FINDINGS:
        raise UsageError(f"{len(findings)} findings are too many for one order (at most {MOST_FINDINGS}); choose fewer")


def _item(finding: Finding, rule: Rule | None, owners: Owners, numbers: dict[str, str]) -> OrderItem:
    line = owners.line(finding.key.subject)
    clauses = [f"GB/T 22239-2019 {numbers[one]}（{one}）" if one in numbers else one for one in finding.clauses]
    cases = [f"高风险判定 {case}" for case in rule.high_risk] if rule else []
    return OrderItem(
        number=finding.number,
        title=finding.title_zh or finding.key.rule,
        severity=finding.severity,
        state=finding.state,
        subject=finding.key.subject,
        system=line.system if line else "",
        clauses=(*clauses, *cases),
        detail=finding.detail,
        seen_at=finding.last_seen,
        evidence=finding.evidence,
        harm=rule.zh.description if rule else "",
        remedy=finding.remediation_zh,
        due=finding.due,
        rule=finding.key.rule,
    )
