"""`finding list`, `finding mark`: what is wrong, and exemptions from it; the other steps are in `finding_steps`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_choice, read_time
from sentinel.errors import UsageError
from sentinel.model.moment import local_date

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sentinel.model.finding import Finding
    from sentinel.model.unit import Unit
    from sentinel.schedule.context import Context

LONGEST_REFERENCE = 18

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="安全隐患。")


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="finding")


@group.command("list")
def show(
    unit: UnitOption = None,
    live: Annotated[bool, typer.Option("--live", help="只列待处理的")] = False,
    awaiting: Annotated[bool, typer.Option("--awaiting", help="只列复测通过、待销号的")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="只列逾期的")] = False,
    source: Annotated[
        str,
        typer.Option(
            "--source",
            help="来源：own_scan、traffic、upper_scan、outside_notice、third_party_report、by_hand",
            show_default=False,
        ),
    ] = "",
    due: Annotated[str, typer.Option("--due", help="期限在此时或之前的", show_default=False)] = "",
    responsible: Annotated[
        str, typer.Option("--responsible", help="由该单位或部门负责的（登记的，或台账中的）", show_default=False)
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """列出安全隐患，最重的在前；误报、风险接受与已复测通过的也在内。"""
    from sentinel.model.finding import FindingSource, FindingState
    from sentinel.report.words import term
    from sentinel.store.units import read_units

    origin = read_choice(source, FindingSource, "--source")
    latest = read_time(due, "--due") if due else None
    with open_session() as context:
        units = list(read_units(context.database)) if unit is None else [context.choose_unit(unit)]
        now = context.clock()
        found = [
            one
            for one in _read(context, units, responsible)
            if (one.state.is_live or not live)
            and (one.state is FindingState.AWAITING or not awaiting)
            and (one.is_overdue(now) or not overdue)
            and origin in (None, one.source)
            and _is_due(one, latest)
        ]
    if as_json:
        for one in found:
            print_json(build_finding_words(one))
        return
    print_table(
        "安全隐患",
        ("编号", "等级", "标题", "对象", "状态", "期限"),
        [
            (
                one.number + ("（演练）" if one.exercise else ""),
                term(one.severity).zh,
                one.title_zh,
                one.key.subject,
                term(one.state).zh + ("（逾期）" if one.is_overdue(now) else ""),
                local_date(one.due),
            )
            for one in found
        ],
        "sentinel finding show 编号",
        empty="sentinel check",
    )


def _read(context: Context, units: list[Unit], responsible: str) -> Iterator[Finding]:
    """Give the findings somebody answers for, by their own word or by the register's; empty: all."""
    from sentinel.schedule.owners import read_owners
    from sentinel.store.findings import read_findings

    for owner in units:
        found = read_findings(context.database, [owner.code])
        if not responsible:
            yield from found
            continue
        owners = read_owners(context, owner)
        for one in found:
            if responsible == (one.responsible or owners.department(one.key.subject)):
                yield one


def _is_due(one: Finding, latest: datetime | None) -> bool:
    return latest is None or (one.due is not None and one.due <= latest)


@group.command("mark")
def mark(
    reference: Annotated[str, typer.Argument(help="编号（隐患-2026-00001）或序号")],
    why: Annotated[str, typer.Option("--why", help="理由")],
    until: Annotated[str, typer.Option("--until", help="截止日期，到期后下次评判恢复")],
    false_positive: Annotated[bool, typer.Option("--false-positive", help="标为误报")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="标为风险接受")] = False,
    as_json: JsonOption = False,
) -> None:
    """把一条隐患标为误报或风险接受；它仍然可见，到期恢复。"""
    from sentinel.model.finding import FindingState
    from sentinel.respond.lifecycle import exempt
    from sentinel.store.findings import find_finding, reread_finding, write_findings

    if false_positive == accept:
        raise UsageError("say either --false-positive or --accept")
    state = FindingState.FALSE_POSITIVE if false_positive else FindingState.ACCEPTED
    end = read_time(until, "--until")
    with open_session() as context:
        finding = find_finding(context.database, reference) if len(reference) <= LONGEST_REFERENCE else None
        if finding is None:
            raise UsageError(f"no such finding: {reference!r}; `sentinel finding list` shows them")
        now = context.clock()
        if end <= now:
            raise UsageError("--until: lies in the past")
        with context.database.transaction(context.actor, now) as transaction:
            finding = reread_finding(transaction, finding)
            if finding.state.is_gone:
                raise UsageError(f"{finding.number} is {finding.state}: there is nothing to exempt")
            try:
                step = exempt(finding, state, why=why, by=context.actor, until=end)
            except ValueError as error:
                raise UsageError(f"--why: {error}") from error
            (stored,) = write_findings(transaction, [(step.finding, step.before, step.reason)])
            transaction.audit(
                "finding.mark",
                f"finding {stored.number}",
                before={"state": step.before},
                after={"state": stored.state.value, "why": stored.why, "until": until},
            )
    if as_json:
        print_json(build_finding_words(stored))
    else:
        print_line(f"{stored.number} 已标为{'误报' if false_positive else '风险接受'}，至 {local_date(end)}。")


def build_finding_words(one: Finding) -> dict[str, object]:
    """Write a finding as plain values, for JSON."""
    return {
        "id": one.id,
        "number": one.number,
        "rule": one.key.rule,
        "source": one.source,
        "severity": one.severity,
        "unit": one.key.unit,
        "subject": one.key.subject,
        "subject_kind": one.kind,
        "state": one.state,
        "first_seen": one.first_seen,
        "last_seen": one.last_seen,
        "occurred": one.occurred,
        "discovered": one.discovered,
        "learned": one.learned,
        "reported": one.reported,
        "due": one.due,
        "due_why": one.due_why or None,
        "responsible": one.responsible or None,
        "disclosure": one.disclosure,
        "issuer": one.issuer or None,
        "clauses": list(one.clauses),
        "evidence": one.evidence,
        "title": one.title_zh,
        "title_en": one.title_en,
        "detail": one.detail,
        "remediation": one.remediation_zh,
        "reopened": one.reopened,
        "closed_at": one.closed_at,
        "why": one.why,
        "by": one.by,
        "until": one.until,
        "reference": one.reference or None,
        "exercise": one.exercise or None,
    }
