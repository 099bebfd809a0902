"""A unit in; its ledger, and the folder that is worth forwarding, out: brief, ledger, orders to sign (简报)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sentinel.config import data_folder
from sentinel.errors import RenderError, UsageError
from sentinel.model.facts import UnitFacts
from sentinel.model.register import Person
from sentinel.model.rule import Severity
from sentinel.model.unit import Unit
from sentinel.report.ledger import TITLE, build_ledger
from sentinel.report.render import render_html
from sentinel.report.view_brief import BriefView, build_brief
from sentinel.report.workbook import write_workbook
from sentinel.schedule.context import Context
from sentinel.schedule.facts import read_period, read_unit_facts
from sentinel.schedule.orders import (
    MOST_FINDINGS,
    NO_OWNER,
    Choice,
    build_paper,
    choose_findings,
    draft_order,
    file_name,
    issue_paper,
    save_order,
)
from sentinel.schedule.owners import read_owners
from sentinel.schedule.reporting import save_file, save_text
from sentinel.store.register import read_register

BRIEF_FILE = "简报.html"
LEDGER_FILE = "资产台账.xlsx"


@dataclass(frozen=True, slots=True)
class Briefing:
    """What was written, and what it says.

    Attributes:
        view: the brief.
        files: what was written, in the order of reading.
        orders: numbers of the orders issued; empty for drafts.
    """

    view: BriefView
    files: tuple[Path, ...]
    orders: tuple[str, ...]


def write_briefing(context: Context, unit: Unit, folder: Path, *, issue: bool, show_persons: bool) -> Briefing:
    """Write brief, ledger, and an order for each department with critical or high findings, each whole or not at all.

    Orders are drafts unless `issue` is set; then they are numbered, kept, and their findings go in rectification.

    Raises:
        RenderError: a file cannot be written.
        UsageError: persons are to be shown and cannot be opened.
    """
    facts = read_unit_facts(context, unit, read_period(None, context.clock()))
    persons = read_persons(context, unit) if show_persons else {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RenderError(f"{folder}: cannot be made: {error.strerror or error}") from error
    view = build_brief(facts)
    brief, ledger = folder / BRIEF_FILE, folder / LEDGER_FILE
    save_text(brief, render_html("brief", view, context.settings.language, data_folder("reports")))
    save_ledger(ledger, facts, persons)
    papers = list(_write_orders(context, unit, folder, issue=issue))
    files = (brief, ledger, *(path for path, _ in papers))
    return Briefing(view, files, tuple(number for _, number in papers if number))


def _write_orders(context: Context, unit: Unit, folder: Path, *, issue: bool) -> Iterator[tuple[Path, str]]:
    taken: set[str] = set()
    owners = read_owners(context, unit)
    for choice in choose_findings(context, unit, (), severity=Severity.HIGH, owners=owners):
        kept = Choice(choice.assignee, choice.findings[:MOST_FINDINGS])
        signed = issue and choice.assignee != NO_OWNER
        order = draft_order(unit, kept, context.clock())
        name = file_name("整改通知书" if signed else "整改通知书-草稿", choice.assignee, taken)
        taken.add(name)
        if signed:
            order = issue_paper(context, unit, order, kept.findings, folder / name, owners)
        else:
            save_order(folder / name, build_paper(context, unit, order, kept.findings, owners))
        yield folder / name, order.number


def write_ledger(context: Context, unit: Unit, path: Path, *, show_persons: bool) -> UnitFacts:
    """Write the asset ledger of a unit; gives the facts it was made from.

    Raises:
        RenderError: the file cannot be written.
        UsageError: persons are to be shown and cannot be opened.
    """
    facts = read_unit_facts(context, unit, read_period(None, context.clock()))
    save_ledger(path, facts, read_persons(context, unit) if show_persons else {})
    return facts


def save_ledger(path: Path, facts: UnitFacts, persons: dict[int, Person]) -> None:
    """Write the ledger from facts, whole or not at all.

    Raises:
        RenderError: the file cannot be written.
    """
    sheets = build_ledger(facts, persons)
    title = f"{facts.unit.name} {TITLE}"
    save_file(
        path,
        lambda draft: write_workbook(sheets, draft, title=title, author=facts.unit.name, now=facts.generated_at),
    )


def read_persons(context: Context, unit: Unit) -> dict[int, Person]:
    """Open the persons of a unit's register, by row id of their line; that it was done stands in the audit.

    Raises:
        UsageError: the contact key is not on this machine, or is another one.
    """
    seal = context.load_seal()
    entries = read_register(context.database, unit.code, seal)
    closed = sum(entry.person is None for entry in entries)
    if closed:
        raise UsageError(
            f"--show-persons: {closed} lines name persons that cannot be opened: no contact key, or not the right one, "
            f"at {context.key_file}"
        )
    persons = {entry.id: entry.person for entry in entries if entry.person and not entry.person.is_nobody}
    with context.database.transaction(context.actor, context.clock()) as transaction:
        transaction.audit("register.show", f"unit {unit.code}", after={"persons": len(persons)})
    return persons
