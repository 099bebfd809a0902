"""`finding`: what is wrong, and exemptions from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_time
from sentinel.errors import UsageError
from sentinel.model.moment import local_date

if TYPE_CHECKING:
    from sentinel.model.finding import Finding

LONGEST_REFERENCE = 18

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="安全隐患。")


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="finding")


@group.command("list")
def show(
    unit: UnitOption = None,
    live: Annotated[bool, typer.Option("--live", help="只列待处理的")] = False,
    as_json: JsonOption = False,
) -> None:
    """列出安全隐患，最重的在前；误报、风险接受与已复测通过的也在内。"""
    from sentinel.store.findings import read_findings
    from sentinel.store.units import read_units

    with open_session() as context:
        units = list(read_units(context.database)) if unit is None else [context.choose_unit(unit)]
        now = context.clock()
        everything = read_findings(context.database, [owner.code for owner in units])
        found = [one for one in everything if one.state.is_live or not live]
    if as_json:
        for one in found:
            print_json(build_finding_words(one))
        return
    words = {"critical": "严重", "high": "高危", "medium": "中危", "low": "低危", "informational": "提示"}
    states = {
        "open": "待整改",
        "in_rectification": "整改中",
        "fixed_unverified": "待复测",
        "verified": "复测通过",
        "closed": "已销号",
        "accepted": "风险接受",
        "false_positive": "误报",
    }
    print_table(
        "安全隐患",
        ("编号", "等级", "标题", "对象", "状态", "期限"),
        [
            (
                one.number,
                words[one.severity],
                one.title_zh,
                one.key.subject,
                states[one.state] + ("（逾期）" if one.is_overdue(now) else ""),
                local_date(one.due),
            )
            for one in found
        ],
        "sentinel finding mark 编号 --accept --why 理由 --until 日期",
        empty="sentinel check",
    )


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
    from sentinel.store.findings import find_finding, write_findings

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
        if finding.state in {FindingState.VERIFIED, FindingState.CLOSED}:
            raise UsageError(f"{finding.number} is {finding.state}: there is nothing to exempt")
        try:
            step = exempt(finding, state, why=why, by=context.actor, until=end)
        except ValueError as error:
            raise UsageError(f"--why: {error}") from error
        with context.database.transaction(context.actor, now) as transaction:
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
        "state": one.state,
        "first_seen": one.first_seen,
        "last_seen": one.last_seen,
        "due": one.due,
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
    }
