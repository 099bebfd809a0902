"""A permit and a port set in, one nmap XML file a job out: at most 64 addresses each, streamed to disk as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from sentinel.collect.child import TIME_UP, Ending, run_child
from sentinel.collect.permit import Permit, require_permit
from sentinel.collect.privilege import RawSockets, raw_sockets
from sentinel.collect.tally import Tally
from sentinel.collect.tool import installed_nmap
from sentinel.errors import ScopeError, StoreError
from sentinel.model.ports import PortSet, format_ports
from sentinel.model.scope import Level
from sentinel.model.unit import IPAddress

MAX_JOB_SIZE = 64
"""Addresses of one job: a kill costs at most these."""

MAX_XML_BYTES = 1 << 28
"""Largest XML of one job; 64 addresses with all ports open stay under 64 MiB."""

_SCRIPTS = "ssl-cert,http-title"
_POLITE_PPS = 100
_STATS_EVERY = "3s"
_BASE_TIMEOUT_S = 1800.0


@dataclass(frozen=True, slots=True)
class Job:
    """One run of nmap.

    Attributes:
        index: place in the plan, from 0.
        addresses: what it looks at; all of one IP version.
        sent: ports it asks each address, by protocol.
        planned: (address, port) pairs the plan wants, also those that cannot be asked here.
        command: the command line; empty when nothing of it can be asked here.
    """

    index: int
    addresses: tuple[IPAddress, ...]
    sent: tuple[tuple[str, PortSet], ...]
    planned: int
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobResult:
    """What became of one job.

    Attributes:
        job: the job.
        addresses: what it looked at.
        path: nmap's XML, also when it was cut short; None when nothing was started.
        started: when it was started.
        finished: when it ended.
        exit_status: of nmap; minus the signal number when a signal ended it; None when nothing was started.
        stderr: nmap's last lines on standard error, printable.
        ok: everything that was to be sent was sent, and the XML is whole.
        reason: why not ok, lower case.
        probes: packets or connection attempts sent, a lower bound (see `Tally.probes`).
        planned: (address, port) pairs planned.
        covered: pairs of the addresses nmap finished.
    """

    job: Job
    addresses: tuple[IPAddress, ...]
    path: Path | None
    started: datetime
    finished: datetime
    exit_status: int | None
    stderr: tuple[str, ...]
    ok: bool
    reason: str
    probes: int
    planned: int
    covered: int


@dataclass(frozen=True, slots=True)
class ScanEvent:
    """Something a person watching wants to know.

    Attributes:
        kind: `not_possible`, `job_started`, `progress`, `job_finished` or `stopped`.
        job: index of the job; None when it is about the whole scan.
        jobs: how many jobs the scan has.
        detail: one line, lower case.
    """

    kind: str
    job: int | None
    jobs: int
    detail: str


@dataclass(frozen=True, slots=True)
class _Round:
    """What all jobs of one scan share."""

    permit: Permit
    program: str
    workdir: Path
    now: Callable[[], datetime]
    tell: Callable[[ScanEvent], None]
    jobs: tuple[Job, ...]
    job_timeout_s: float | None
    raw: bool


def plan_jobs(
    permit: Permit, ports: Mapping[str, PortSet], job_size: int = MAX_JOB_SIZE, *, unprivileged: bool = False
) -> tuple[Job, ...]:
    """Cut a permit into jobs, IPv4 first, in order of address; nothing is sent.

    Without raw sockets (or when `unprivileged`) UDP ports stay in `planned` and out of the command.

    Raises:
        ScopeError: it is no permit.
        ValueError: no ports, another protocol than TCP and UDP, or a job size outside 1 to 64.
    """
    permit = require_permit(permit)
    if not 1 <= job_size <= MAX_JOB_SIZE:
        raise ValueError(f"a job holds 1 to {MAX_JOB_SIZE} addresses, not {job_size}")
    asked = {proto: ports[proto] for proto in ("tcp", "udp") if ports.get(proto)}
    if not asked or set(ports) - {"tcp", "udp"}:
        raise ValueError("tcp or udp ports are needed, and no other protocol")
    raw = not unprivileged and raw_sockets().usable
    sent = {proto: asked[proto] for proto in asked if raw or proto == "tcp"}
    pairs = sum(len(ports) for ports in asked.values())
    jobs: list[Job] = []
    for version in (4, 6):
        addresses = (each for network in permit.networks if network.version == version for each in network)
        while batch := tuple(islice(addresses, job_size)):
            command = _build_command(permit, batch, sent, raw=raw) if sent else ()
            jobs.append(Job(len(jobs), batch, tuple(sent.items()), pairs * len(batch), command))
    return tuple(jobs)


def build_options(level: Level, rate_pps: int, version: int, protocols: Sequence[str], *, raw: bool) -> tuple[str, ...]:
    """Give nmap's options for a level: constants and the rate, nothing a person typed.

    No host discovery (`-Pn`: it loses a quarter of the ports of hosts that drop pings) and no DNS. Each silent port is
    asked twice. `--max-rate` holds for port probes; service detection follows no rate in nmap, so at polite rates no
    more probes than one second's worth are in flight at once. From level service on: greetings, TLS, title.

    Source: nmap 7.93 reference guide; recall of `-Pn -T4 --max-retries 1` measured at 1.000 with 1 % loss.
    """
    scan_type = ["--privileged", "-sS"] if raw else ["--unprivileged", "-sT"]
    if "tcp" not in protocols:
        scan_type.remove("-sS")
    return (
        *("-n", "-Pn", "-v", "--stats-every", _STATS_EVERY, "-T4"),
        *("--max-retries", "1", "--max-rate", str(int(rate_pps))),
        *(("--max-parallelism", str(int(rate_pps))) if rate_pps <= _POLITE_PPS else ()),
        *scan_type,
        *(("-sU",) if "udp" in protocols else ()),
        *(("-6",) if version == 6 else ()),
        *(("-sV", "--version-intensity", "7", "--script", _SCRIPTS) if level >= Level.SERVICE else ()),
    )


def scan(
    permit: Permit,
    ports: Mapping[str, PortSet],
    *,
    workdir: Path,
    now: Callable[[], datetime],
    on_event: Callable[[ScanEvent], None] | None = None,
    jobs: Sequence[Job] | None = None,
    job_timeout_s: float | None = None,
    unprivileged: bool = False,
) -> Iterator[JobResult]:
    """Run the jobs one after another and yield each result when its job ends.

    Every job asks the permit right before it starts. When the permit ends in mid-scan the running job is stopped and
    the rest comes back not started, with the reason. nmap's XML goes to `workdir/job-00000.xml` as it is written; what
    a killed or failed nmap wrote stays there. `jobs` (some of `plan_jobs`) leaves out what an earlier scan finished.
    `job_timeout_s` None takes half an hour plus four times what the rate needs.

    Raises:
        ScopeError: it is no permit, or it does not hold now; raised before anything starts.
        CollectError: nmap is missing, too old, or cannot be started.
        StoreError: the XML cannot be written; raised while iterating.
        ValueError: as `plan_jobs`.
    """
    permit = require_permit(permit)
    permit.check((), permit.level, now())
    planned = plan_jobs(permit, ports, unprivileged=unprivileged) if jobs is None else tuple(jobs)
    tell = on_event or (lambda _: None)
    program = installed_nmap().path
    raw = RawSockets(False, "switched off") if unprivileged else raw_sockets()
    if ports.get("udp") and not raw.usable:
        tell(ScanEvent("not_possible", None, len(planned), f"udp ports are not asked: {raw.reason}"))
    try:
        workdir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make {workdir}: {error.strerror}") from error
    return _run_jobs(_Round(permit, program, workdir, now, tell, planned, job_timeout_s, raw.usable))


def _build_command(
    permit: Permit, addresses: Sequence[IPAddress], ports: Mapping[str, PortSet], *, raw: bool
) -> tuple[str, ...]:
    """Put the command together; the addresses go in one by one, so the XML says itself what was asked."""
    options = build_options(permit.level, permit.rate_pps, addresses[0].version, tuple(ports), raw=raw)
    targets = [str(address) for address in addresses]
    return ("nmap", "-oX", "-", *options, "-p", format_ports(dict(ports)), "--", *targets)


def _run_jobs(scan_round: _Round) -> Iterator[JobResult]:
    permit, total = scan_round.permit, len(scan_round.jobs)
    stop = ""
    for job in scan_round.jobs:
        try:
            permit.check(job.addresses, permit.level, scan_round.now())
        except ScopeError as error:
            if not stop:
                scan_round.tell(ScanEvent("stopped", job.index, total, str(error)))
            stop = str(error)
            yield _not_started(job, scan_round.now(), stop)
            continue
        if not job.sent:
            yield _not_started(job, scan_round.now(), "nothing of it can be asked without raw sockets")
            continue
        scan_round.tell(ScanEvent("job_started", job.index, total, f"{len(job.addresses)} addresses"))
        result = _run_job(job, scan_round)
        scan_round.tell(ScanEvent("job_finished", job.index, total, result.reason or "complete"))
        yield result


def _run_job(job: Job, scan_round: _Round) -> JobResult:
    permit = scan_round.permit
    path = scan_round.workdir / f"job-{job.index:05d}.xml"
    started = scan_round.now()
    command = _build_command(permit, job.addresses, dict(job.sent), raw=scan_round.raw)
    tally = Tally()
    left_s = (permit.valid_to - started).total_seconds()
    own_s = scan_round.job_timeout_s or _BASE_TIMEOUT_S + 4 * job.planned / permit.rate_pps
    try:
        with path.open("wb") as file:

            def take(chunk: bytes) -> None:
                file.write(chunk)
                file.flush()
                before = tally.stage, tally.percent
                tally.feed(chunk)
                if (tally.stage, tally.percent) != before:
                    told = f"{tally.stage} {tally.percent:.0f} %"
                    scan_round.tell(ScanEvent("progress", job.index, len(scan_round.jobs), told))

            ending = run_child(
                (scan_round.program, *command[1:]),
                take=take,
                cwd=scan_round.workdir,
                timeout_s=max(0.0, min(own_s, left_s)),
                max_bytes=MAX_XML_BYTES,
            )
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error
    tally.finish()
    reason = _reason(ending, tally, job, over=left_s <= own_s)
    pairs = sum(len(ports) for _, ports in job.sent)
    return JobResult(
        job=job,
        addresses=job.addresses,
        path=path,
        started=started,
        finished=scan_round.now(),
        exit_status=ending.status,
        stderr=ending.stderr,
        ok=not reason,
        reason=reason,
        probes=tally.probes(pairs, services=permit.level >= Level.SERVICE),
        planned=job.planned,
        covered=min(tally.hosts, len(job.addresses)) * pairs,
    )


def _reason(ending: Ending, tally: Tally, job: Job, *, over: bool) -> str:
    """Say why a job is not whole; empty when it is."""
    told = [line for line in ending.stderr if line != "QUITTING!"]
    last = f": {told[-1]}" if told else ""
    if ending.stopped:
        why = "the authorisation ended" if over and ending.stopped == TIME_UP else ending.stopped
        return f"stopped by sentinel: {why}"
    if ending.status < 0:
        return f"nmap was ended by signal {-ending.status}"
    if ending.status:
        return f"nmap failed with exit status {ending.status}{last}"
    if not tally.ended:
        return f"nmap's output has no end{last}"
    if tally.hosts < len(job.addresses):
        return f"nmap finished {tally.hosts} of {len(job.addresses)} addresses{last}"
    return ""


def _not_started(job: Job, now: datetime, reason: str) -> JobResult:
    return JobResult(
        job=job,
        addresses=job.addresses,
        path=None,
        started=now,
        finished=now,
        exit_status=None,
        stderr=(),
        ok=False,
        reason=reason,
        probes=0,
        planned=job.planned,
        covered=0,
    )
