"""`scan`: evidence of our own making."""

from __future__ import annotations

from contextlib import suppress
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import is_interactive, print_json, print_line, print_note
from sentinel.cli.session import (
    MAX_RATE,
    JsonOption,
    NoCheckOption,
    UnitOption,
    VantageOption,
    open_session,
)
from sentinel.errors import CollectError, ScopeError, UsageError
from sentinel.model.scope import Level

if TYPE_CHECKING:
    from sentinel.model.ports import PortSet
    from sentinel.model.unit import Unit
    from sentinel.schedule.context import Context
    from sentinel.schedule.scanning import JobReport, Planned, ScanTotal
    from sentinel.schedule.second_look import SecondLook

SOME_REFUSED = 3
ENGINES = ("nmap",)


def register(app: typer.Typer) -> None:
    """Add the command of this group."""
    app.command("scan")(scan)


def scan(
    targets: Annotated[list[str], typer.Argument(help="地址、网段或域名")],
    ports: Annotated[
        str | None, typer.Option("--ports", help="端口，如 22,80,U:53,1-1024，默认取设置 ports", show_default=False)
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="采集工具")] = "nmap",
    rate: Annotated[
        int | None,
        typer.Option("--rate", help="每秒报文或连接数，默认取授权的上限", min=1, max=MAX_RATE, show_default=False),
    ] = None,
    level: Annotated[
        str | None, typer.Option("--level", help="discover 或 service，默认至授权所及", show_default=False)
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="只显示将发送什么，不发送")] = False,
    second_opinion: Annotated[bool, typer.Option("--second-opinion", help="扫描后用 python-nmap 复核一台主机")] = False,
    unit: UnitOption = None,
    vantage: VantageOption = None,
    no_check: NoCheckOption = False,
    as_json: JsonOption = False,
) -> None:
    """探测已授权的目标；未授权的一律拒绝，一个报文也不发。"""
    from sentinel.schedule.judging import judge_unit
    from sentinel.schedule.scanning import ScanTotal, plan_scan, run_scan

    if engine not in ENGINES:
        raise UsageError(f"--engine: no such engine: {engine!r} ({', '.join(ENGINES)})")
    with open_session() as context:
        owner = context.choose_unit(unit)
        asked = _read_ports(context.settings.ports if ports is None else ports)
        planned = plan_scan(context, owner, targets, asked, level=_read_level(level), rate_pps=rate)
        _tell_refusals(planned, as_json)
        total = ScanTotal(planned=planned.pairs)
        if plan:
            _print_plan(planned, as_json)
        if plan or not planned.permits:
            _print_summary(total, planned, as_json, only_planned=plan)
            _demand_permits(planned)
            return
        jobs = run_scan(
            context,
            owner,
            planned,
            asked,
            total,
            vantage=vantage or context.settings.vantage,
            on_event=lambda event: _tell_event(event.kind, event.detail, as_json),
        )
        for report in jobs:
            _tell_job(report, total, as_json)
        if second_opinion:
            _look_twice(context, owner, planned, total, as_json)
        _print_summary(total, planned, as_json)
        if not no_check:
            judge_unit(context, owner)
    if total.failed and not total.covered:
        raise CollectError(f"nothing was finished: {total.failed[0]}")
    if planned.refusals or total.failed:
        raise typer.Exit(SOME_REFUSED)


def _demand_permits(planned: Planned) -> None:
    from sentinel.schedule.scanning import explain_refusals

    if not planned.permits:
        raise ScopeError(explain_refusals(planned.refusals))
    if planned.refusals:
        raise typer.Exit(SOME_REFUSED)


def _read_ports(text: str) -> dict[str, PortSet]:
    from sentinel.model.ports import parse_ports

    try:
        return parse_ports(text)
    except ValueError as error:
        raise UsageError(f"--ports: {error}") from error


def _read_level(text: str | None) -> Level | None:
    if text is None:
        return None
    with suppress(ValueError):
        level = Level.named(text)
        if level in {Level.DISCOVER, Level.SERVICE}:
            return level
    raise UsageError(f"--level: {text!r} is neither discover nor service")


def _tell_refusals(planned: Planned, as_json: bool) -> None:
    """Name each refused target; a single one that ends the command is named by its error alone."""
    for one in planned.refusals:
        if as_json:
            print_json({"event": "refused", "target": one.target, "reason": one.reason, "detail": one.detail})
        elif planned.permits or len(planned.refusals) > 1:
            print_note(f"拒绝 {one.target}：{one.detail}")


def _tell_event(kind: str, detail: str, as_json: bool) -> None:
    from sentinel.schedule.scanning import describe_stage

    if as_json:
        print_json({"event": kind, "detail": detail})
    elif kind == "progress" and is_interactive():
        print_note(describe_stage(detail))
    elif kind == "not_possible" or is_interactive():
        print_note(detail)


def _tell_job(report: JobReport, total: ScanTotal, as_json: bool) -> None:
    result = report.result
    if as_json:
        print_json(
            {
                "event": "job",
                "job": report.job + 1,
                "jobs": report.jobs,
                "ok": result.ok,
                "reason": result.reason or None,
                "addresses": len(result.addresses),
                "hosts_up": report.intake.run.hosts_up if report.intake else 0,
                "endpoints_open": report.intake.run.endpoints_open if report.intake else 0,
                "events": report.intake.run.events if report.intake else 0,
                "evidence": report.intake.run.evidence if report.intake else None,
                "probes": result.probes,
            }
        )
    elif is_interactive() or not result.ok:
        left = total.seconds / (report.job + 1) * (report.jobs - report.job - 1)
        words = f"作业 {report.job + 1}/{report.jobs}：在线 {total.hosts_up}，开放 {total.endpoints_open}，"
        print_note(f"{words}余约 {left:.0f} 秒{'' if result.ok else f'；{result.reason}'}")


def _look_twice(context: Context, unit: Unit, planned: Planned, total: ScanTotal, as_json: bool) -> None:
    """Look again at one host; that it cannot be done is told and does not undo the scan."""
    from sentinel.schedule.second_look import look_twice

    try:
        _tell_second_look(look_twice(context, unit, planned), as_json)
    except CollectError as error:
        total.failed.append(f"no second opinion: {error}")
        print_note(f"复核未成：{error}")


def _tell_second_look(look: SecondLook | None, as_json: bool) -> None:
    if look is None:
        print_note("没有开放端口可供复核。")
    elif as_json:
        print_json(
            {
                "event": "second_opinion",
                "address": look.address,
                "asked": look.asked,
                "disagreements": list(look.disagreements),
            }
        )
    else:
        print_note(f"复核 {look.address}：{look.asked} 个端口，不一致 {len(look.disagreements)} 个。")
        for line in look.disagreements:
            print_note(f"  {line}")


def _print_plan(planned: Planned, as_json: bool) -> None:
    from sentinel.model.ports import format_ports

    for permit, jobs in planned.permits:
        for job in jobs:
            row = {
                "event": "planned",
                "authorisation": permit.authorisation,
                "level": permit.level.word,
                "rate_pps": permit.rate_pps,
                "addresses": [str(address) for address in job.addresses],
                "ports": format_ports(dict(job.sent)),
                "pairs": job.planned,
                "command": " ".join(job.command),
            }
            if as_json:
                print_json(row)
            else:
                more = f" 等 {len(job.addresses)} 个地址" if len(job.addresses) > 1 else ""
                words = f"授权 {permit.authorisation}，{permit.level.word}，每秒至多 {permit.rate_pps}"
                print_line(f"作业 {job.index + 1}：{job.addresses[0]}{more}，{job.planned} 对（地址、端口），{words}")
                for line in wrap(str(row["command"]), 96):
                    print_line(f"    {line}")


def _print_summary(total: ScanTotal, planned: Planned, as_json: bool, *, only_planned: bool = False) -> None:
    refused = [{"target": one.target, "reason": one.reason, "detail": one.detail} for one in planned.refusals]
    if as_json:
        print_json(
            {
                "summary": {
                    "hosts_up": total.hosts_up,
                    "endpoints_open": total.endpoints_open,
                    "probes": total.probes,
                    "seconds": round(total.seconds, 3),
                    "coverage": total.coverage,
                    "refused": refused,
                    "events": total.events,
                    "failed": total.failed,
                    "plan": only_planned,
                    "pairs": total.planned,
                }
            }
        )
    elif only_planned:
        print_line(f"共 {total.planned} 对（地址、端口），拒绝 {len(refused)} 个目标。未发送任何报文。")
    elif planned.permits:
        _print_totals(total, len(refused))


def _print_totals(total: ScanTotal, refused: int) -> None:
    print_line(
        f"在线主机 {total.hosts_up}，开放端口 {total.endpoints_open}，变化 {total.events}，"
        f"发送 {total.probes}，用时 {total.seconds:.0f} 秒，覆盖率 {total.coverage:.0%}，拒绝 {refused}。"
    )
    print_line("下一步：sentinel map；sentinel finding list")
