"""Targets in; what the gate lets through is scanned job by job, each job's evidence taken in when it ends."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.collect.gate import Admission, Permit, admit, printable
from sentinel.collect.names import resolve_name
from sentinel.collect.nmap import Job, JobResult, ScanEvent, plan_jobs, scan
from sentinel.errors import ParseError, ScopeError
from sentinel.log import info, warning
from sentinel.model.evidence import RunKind
from sentinel.model.moment import to_microseconds
from sentinel.model.scope import Level, Refusal, RefusalReason
from sentinel.model.unit import Unit, choose_network
from sentinel.schedule.hosted import read_led
from sentinel.schedule.intake import Intake, Origin, take_in
from sentinel.schedule.keep_out import load_kept_out, read_kept_out
from sentinel.store.endpoints import write_names
from sentinel.store.home import work_folder
from sentinel.store.hostings import read_campus_hostings
from sentinel.store.scopes import read_authorisations
from sentinel.store.units import read_networks

if TYPE_CHECKING:
    from sentinel.model.ports import PortSet
    from sentinel.schedule.context import Context


@dataclass(frozen=True, slots=True)
class Planned:
    """What the gate decided about a scan, before anything is sent.

    Attributes:
        permits: what may be touched, each with its jobs.
        refusals: what may not, and why.
    """

    permits: tuple[tuple[Permit, tuple[Job, ...]], ...]
    refusals: tuple[Refusal, ...]

    @property
    def pairs(self) -> int:
        """(address, port) pairs planned."""
        return sum(job.planned for _, jobs in self.permits for job in jobs)


@dataclass(slots=True)
class ScanTotal:
    """The sums of a scan over its jobs.

    Attributes:
        hosts_up: hosts that answered with an open or closed port, or on layer 2.
        endpoints_open: ports in state exactly open.
        probes: packets or connection attempts sent, a lower bound.
        events: changes of the map.
        planned: (address, port) pairs planned.
        covered: pairs finished.
        failed: jobs that did not end well, with the reason.
        seconds: wall time.
    """

    hosts_up: int = 0
    endpoints_open: int = 0
    probes: int = 0
    events: int = 0
    planned: int = 0
    covered: int = 0
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def coverage(self) -> float:
        """Share of the planned pairs that was finished, 0 to 1."""
        return round(self.covered / self.planned, 4) if self.planned else 0.0


@dataclass(frozen=True, slots=True)
class JobReport:
    """One finished job.

    Attributes:
        job: index, from 0.
        jobs: how many there are.
        result: what nmap did.
        intake: what it changed; None when nothing could be read.
    """

    job: int
    jobs: int
    result: JobResult
    intake: Intake | None


def read_scannable(context: Context, unit: Unit) -> list[str]:
    """Give what authorisations that hold now allow to look at; what stays out as a whole is neither asked nor told."""
    kept, now = load_kept_out(context, unit), context.clock()
    held = (one for one in read_authorisations(context.database, unit.code) if one.is_valid(now))
    targets = [target for one in held if one.level > Level.PASSIVE for target in one.targets]
    meant = (one for one in targets if not one.name.startswith("*") and not (one.network and kept.hides(one.network)))
    return list(dict.fromkeys(one.text for one in meant))


def plan_scan(
    context: Context,
    unit: Unit,
    targets: Sequence[str],
    ports: dict[str, PortSet],
    *,
    level: Level | None = None,
    rate_pps: int | None = None,
) -> Planned:
    """Ask the gate and cut what it lets through into jobs; nothing is sent.

    Without a level the scan goes as far as each authorisation reaches, but no further than `service`.
    """
    admissions = _admit(context, unit, targets, level, rate_pps)
    permits = tuple(
        (permit, plan_jobs(permit, ports, context.settings.job_size))
        for admission in admissions
        for permit in admission.permits
    )
    return Planned(permits, tuple(refusal for admission in admissions for refusal in admission.refusals))


def _admit(
    context: Context, unit: Unit, targets: Sequence[str], level: Level | None, rate_pps: int | None
) -> tuple[Admission, ...]:
    hosted = read_campus_hostings(context.database, unit.code)
    led = read_led(context, unit, hosted)

    def ask(wanted: Sequence[str], reach: Level) -> Admission:
        return admit(
            wanted,
            unit=unit.code,
            level=reach,
            rate_pps=rate_pps,
            authorisations=read_authorisations(context.database, unit.code),
            networks=read_networks(context.database, unit.code),
            kept_out=read_kept_out(context.database, unit),
            hosted=hosted,
            led=led,
            now=context.clock(),
            resolve=resolve_name,
        )

    if level is not None:
        return (ask(targets, level),)
    first = ask(targets, Level.SERVICE)
    too_high = {refusal.target for refusal in first.refusals if refusal.reason is RefusalReason.LEVEL}
    if not too_high:
        return (first,)
    kept = Admission(first.permits, tuple(one for one in first.refusals if one.target not in too_high))
    return kept, ask([text for text in targets if printable(text) in too_high], Level.DISCOVER)


def run_scan(
    context: Context,
    unit: Unit,
    planned: Planned,
    ports: dict[str, PortSet],
    total: ScanTotal,
    *,
    vantage: str,
    on_event: Callable[[ScanEvent], None] | None = None,
) -> Iterator[JobReport]:
    """Run the planned jobs and yield each when its evidence is stored; `total` grows as they end.

    A kill loses the running job and nothing else.

    Raises:
        ScopeError: nothing was let through.
        CollectError: nmap is missing or cannot be started.
    """
    if not planned.permits:
        raise ScopeError(explain_refusals(planned.refusals))
    scan_id = uuid.uuid4().hex
    jobs = sum(len(jobs) for _, jobs in planned.permits)
    begun = context.clock()
    total.planned = planned.pairs
    _note(context, unit, "scan.start", scan_id, {"pairs": planned.pairs, "refused": len(planned.refusals)})
    done = 0
    try:
        with work_folder(context.home, "scan") as folder:
            for number, (permit, cut) in enumerate(planned.permits):
                _write_names(context, unit, permit)
                for result in _scan_permit(context, permit, cut, ports, folder / str(number), on_event):
                    origin = Origin(
                        name=f"scan-{scan_id[:8]}-{done:05d}",
                        kind=RunKind.SCAN,
                        vantage=vantage,
                        scan=scan_id,
                        authorisation=permit.authorisation,
                        finished=result.finished,
                    )
                    intake = _take_job(context, unit, result, origin, total)
                    total.seconds = (context.clock() - begun).total_seconds()
                    done += 1
                    yield JobReport(done - 1, jobs, result, intake)
    finally:
        total.seconds = (context.clock() - begun).total_seconds()
        words = {"jobs": done, "of": jobs, "events": total.events, "coverage": total.coverage}
        _note(context, unit, "scan.end", scan_id, words)
        info("scan done", unit=unit.code, jobs=f"{done}/{jobs}", hosts=total.hosts_up, seconds=total.seconds)


def _scan_permit(
    context: Context,
    permit: Permit,
    jobs: tuple[Job, ...],
    ports: dict[str, PortSet],
    folder: Path,
    on_event: Callable[[ScanEvent], None] | None,
) -> Iterator[JobResult]:
    return scan(
        permit,
        ports,
        workdir=folder,
        now=context.clock,
        on_event=on_event,
        jobs=jobs,
        job_timeout_s=context.settings.job_timeout_s or None,
    )


def _write_names(context: Context, unit: Unit, permit: Permit) -> None:
    """Note the names the addresses were asked by, as the gate resolved them."""
    if not permit.names:
        return
    now = context.clock()
    with context.database.transaction(context.actor, now) as transaction:
        networks = read_networks(context.database, unit.code)
        rows = [
            (choose_network(networks, address)[0].id, str(address), name, "scan", to_microseconds(now))
            for address, name in permit.names.items()
        ]
        write_names(transaction, rows)
        names = sorted({name for _, _, name, _, _ in rows})
        transaction.audit("names.resolve", f"unit {unit.code}", after={"names": names})


def _take_job(context: Context, unit: Unit, result: JobResult, origin: Origin, total: ScanTotal) -> Intake | None:
    total.probes += result.probes
    total.covered += result.covered
    if not result.ok:
        total.failed.append(result.reason)
        warning("scan job failed", unit=unit.code, job=result.job.index, reason=result.reason)
    if result.path is None:
        return None
    try:
        with result.path.open("rb") as stream:
            intake = take_in(context, unit, stream, origin)
    except ParseError as error:
        if result.ok:
            total.failed.append(str(error))
        return None
    finally:
        result.path.unlink(missing_ok=True)
    total.hosts_up += intake.run.hosts_up
    total.endpoints_open += intake.run.endpoints_open
    total.events += intake.run.events
    return intake


_STAGES = {
    "syn stealth scan": "探测 TCP 端口",
    "connect scan": "探测 TCP 端口",
    "udp scan": "探测 UDP 端口",
    "service scan": "识别服务",
    "nse": "读取证书与标题",
}


def describe_stage(detail: str) -> str:
    """Put what a progress event says into words for people; a stage without words of its own stays as nmap names it.

    No share is told while it is nought: nmap 7.95 hardly tells any.
    """
    stage, _, percent = detail.removesuffix(" %").rpartition(" ")
    return _STAGES.get(stage, stage) + (f" {percent}%" if percent != "0" else "")


def explain_refusals(refusals: Sequence[Refusal]) -> str:
    """Put refusals into one line, the first three by name."""
    shown = "; ".join(f"{one.target}: {one.detail}" for one in refusals[:3])
    more = f"; and {len(refusals) - 3} more" if len(refusals) > 3 else ""
    return f"refused, nothing was sent: {shown}{more}"


def _note(context: Context, unit: Unit, action: str, scan_id: str, words: Mapping[str, object]) -> None:
    with context.database.transaction(context.actor, context.clock()) as transaction:
        transaction.audit(action, f"scan {scan_id} of unit {unit.code}", after=words)
