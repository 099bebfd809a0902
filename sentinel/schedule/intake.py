"""Foreign bytes in; kept evidence, a run with its coverage, and the changes it makes to the map out.

A run is one transaction: a kill leaves all of it or nothing. Evidence that arrives late is put into its place in time
by building the unit's map anew from all kept evidence, so the order of arrival never matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from sentinel.errors import ParseError
from sentinel.inventory.addresses import AddressSet
from sentinel.inventory.apply import Look, is_doubtful
from sentinel.inventory.summary import NO_SIGHTINGS, SightingCounts, Summary, summarise
from sentinel.model.endpoint import EndpointKey, EndpointState, Run
from sentinel.model.evidence import Evidence, RunKind
from sentinel.model.observation import EndpointObservation, HostObservation, Observation
from sentinel.model.unit import IPAddress, Network, Unit
from sentinel.observe import SIGHTINGS_ONLY, Parser, choose_parser
from sentinel.observe.unpack import unpack
from sentinel.schedule.applying import Applier
from sentinel.schedule.context import Context
from sentinel.schedule.keep_out import KeptOut, load_kept_out, refuse_count
from sentinel.schedule.persons import hide_arguments, hide_persons
from sentinel.schedule.sightings import SightingTaker, replace_sightings
from sentinel.schedule.third_party import rehome_findings
from sentinel.store import endpoints as store
from sentinel.store import runs as run_store
from sentinel.store.database import Transaction
from sentinel.store.evidence import read_evidence, write_evidence
from sentinel.store.findings import read_findings
from sentinel.store.probes import remove_probes
from sentinel.store.units import read_networks

_BATCH = 256
_HEAD = 1 << 16

Opener = Callable[[], AbstractContextManager[BinaryIO]]
_Read = Iterator[Observation]


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of one piece of evidence.

    Attributes:
        run: the run it made, or had made before.
        lost: what of it could not be read; empty when nothing.
        known: it was seen before, so nothing changed.
        probes: packets the tool says it sent.
        coverage_pairs: (address, port) pairs it finished.
        sightings: what there was in it for a trace.
        passed_over: what was read and says nothing of hosts, by kind, with how many.
        kept: it was kept as evidence; what names accounts of persons is not.
    """

    run: Run
    lost: str
    known: bool = False
    probes: int | None = None
    coverage_pairs: int = 0
    sightings: SightingCounts = NO_SIGHTINGS
    passed_over: tuple[tuple[str, int], ...] = ()
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Origin:
    """Where evidence comes from.

    Attributes:
        name: file or job name.
        kind: import or scan.
        vantage: from where it looked.
        scan: id shared by the jobs of a scan.
        authorisation: id of the authorisation that allowed it.
        finished: when the looking ended, where it is known better than the file tells (nmap writes whole seconds).
    """

    name: str
    kind: RunKind
    vantage: str
    scan: str = ""
    authorisation: int | None = None
    finished: datetime | None = None


def take_in(context: Context, unit: Unit, stream: BinaryIO, origin: Origin, parser: Parser | None = None) -> Intake:
    """Keep the bytes as evidence and bring the unit's map up to date with them; `parser` reads what none knows.

    What names accounts of persons is read and summed and not kept; it says nothing of the map that a map built anew
    would need.

    Raises:
        ParseError: nothing of them could be read, or they hold addresses that must stay out; nothing was kept.
        StoreError: the home cannot take them; nothing was changed.
    """
    arrived = context.clock()
    kept_out = load_kept_out(context, unit)
    with context.evidence.receive(stream) as received:
        if origin.kind is RunKind.IMPORT:  # a scan cannot hold any: the gate let none through
            with received.open() as text:
                refuse_count(kept_out.count_ranges(kept_out.find_in(unpack(text))), origin.name)
        if known := _find_known(context, unit, received.sha256):
            return known
        with received.open() as head:
            parser = parser or choose_parser(head.read(_HEAD), origin.name)
        seen: set[IPAddress] = set()
        with received.open() as whole:
            summary = _summarise(parser, whole, arrived, origin.name, lambda read: kept_out.watch(read, seen))
        refuse_count(len(seen) or kept_out.count_ranges(summary.coverage.addresses.ranges), origin.name)
        evidence = Evidence(received.sha256, received.size_bytes, origin.name, parser.name, arrived)
        run = _build_run(unit, origin, evidence, summary, context.actor)
        with context.database.transaction(context.actor, arrived) as transaction:
            if known := _find_known(context, unit, received.sha256):  # another process was faster
                return known
            _refuse_later(context, unit, origin, kept_out)
            if not summary.accounts:
                received.keep()
                write_evidence(transaction, evidence)
            newest = run_store.read_newest_time(context.database, unit.code, origin.vantage)
            new = run_store.NewRun(
                run=run,
                arrived=arrived,
                scan=origin.scan,
                arguments=hide_arguments(summary.arguments),
                authorisation=origin.authorisation,
                lost=summary.lost,
            )
            run_id = run_store.write_run(transaction, new, summary.coverage)
            if newest is not None and run.time < newest and not summary.is_log and not summary.accounts:
                rebuild_map(context, transaction, unit, origin.vantage, new=run_id)
            else:
                _apply(context, transaction, unit, run_id, summary, parser, received.open)
            stored = run_store.find_run(context.database, unit.code, received.sha256) or run
            transaction.audit(f"run.{origin.kind}", f"run {run_id} of unit {unit.code}", after=_words(stored))
    pairs = len(summary.coverage.addresses) * sum(len(ports) for _, ports in summary.coverage.ports)
    return Intake(
        stored,
        summary.lost,
        probes=summary.probes,
        coverage_pairs=pairs,
        sightings=summary.sightings,
        passed_over=summary.passed_over,
        kept=not summary.accounts,
    )


def _refuse_later(context: Context, unit: Unit, origin: Origin, kept_out: KeptOut) -> None:
    """Refuse a file when something was declared to stay out since it was looked through."""
    if origin.kind is RunKind.IMPORT and load_kept_out(context, unit) != kept_out:
        raise ParseError("addresses were declared to stay out meanwhile: import it again", origin.name)


def _find_known(context: Context, unit: Unit, sha256: str) -> Intake | None:
    known = run_store.find_run(context.database, unit.code, sha256)
    if known is None:
        return None
    kept = read_evidence(context.database, sha256) is not None
    return Intake(known, run_store.read_lost(context.database, known.id), known=True, kept=kept)


def rebuild_map(
    context: Context, transaction: Transaction, unit: Unit, vantage: str | None, new: int | None = None
) -> None:
    """Build the unit's map from a vantage (None: from all) anew, from all kept evidence in the order of its time.

    Of sightings only those of the new run are taken; the others are there.
    """
    networks = read_networks(context.database, unit.code)
    store.remove_history(transaction, [network.id for network in networks], vantage)
    remove_probes(transaction, [network.id for network in networks], vantage)
    for run in run_store.read_runs(context.database, unit.code, vantage=vantage):
        if run.format in SIGHTINGS_ONLY or read_evidence(context.database, run.evidence) is None:
            continue  # it says nothing of the map, or it names accounts and was not kept

        def open_blob(sha256: str = run.evidence) -> AbstractContextManager[BinaryIO]:
            return context.evidence.open(sha256)

        with open_blob() as head:
            parser = choose_parser(head.read(_HEAD), run.source)
        with open_blob() as whole:
            summary = _summarise(parser, whole, run.time, run.source)
        _apply(context, transaction, unit, run.id, summary, parser, open_blob, stated=run, known=run.id != new)


def replace_networks(context: Context, transaction: Transaction, unit: Unit) -> None:
    """Put all that was ever seen of a unit into its networks as they are declared now."""
    replace_sightings(transaction, read_networks(context.database, unit.code))
    rebuild_map(context, transaction, unit, None)
    rehome_findings(transaction, unit, list(read_findings(context.database, [unit.code])))


def _summarise(
    parser: Parser, stream: BinaryIO, arrived: datetime, name: str, watch: Callable[[_Read], _Read] = iter
) -> Summary:
    try:
        return summarise(watch(parser.read(stream, arrived)), arrived)
    except ParseError as error:
        where = f"{name} {error.where}" if error.where and name not in error.where else name
        raise ParseError(str(error).removeprefix(f"{error.where}: "), where) from error


def _build_run(unit: Unit, origin: Origin, evidence: Evidence, summary: Summary, actor: str) -> Run:
    return Run(
        id=0,
        unit=unit.code,
        kind=origin.kind.value,
        evidence=evidence.sha256,
        source=origin.name,
        format=evidence.format,
        tool=summary.tool,
        vantage=origin.vantage,
        operator=actor,
        time=origin.finished or summary.time,
        time_quality="stated" if origin.finished or summary.time_is_stated else "unknown",
        hosts_up=summary.hosts_answered if origin.kind is RunKind.SCAN else summary.hosts_stated_up,
        endpoints_open=summary.endpoints_open,
        observations=summary.observations,
        events=0,
    )


def _words(run: Run) -> dict[str, object]:
    return {
        "evidence": run.evidence,
        "source": run.source,
        "hosts_up": run.hosts_up,
        "endpoints_open": run.endpoints_open,
        "events": run.events,
    }


def _apply(
    context: Context,
    transaction: Transaction,
    unit: Unit,
    run_id: int,
    summary: Summary,
    parser: Parser,
    opener: Opener,
    stated: Run | None = None,
    *,
    known: bool = False,
) -> None:
    run = stated or run_store.read_run(context.database, run_id)
    networks = read_networks(context.database, unit.code)
    held = _is_held(context, run, run_id, summary, networks)
    look = Look(run_id, run.time, run.vantage, summary.coverage.ports, held)
    applier = Applier(context, transaction, networks, look)
    sightings = SightingTaker(context, transaction, networks, run_id, run.time, known=known)
    kept_out = load_kept_out(context, unit)  # evidence may be older than the declaration
    with opener() as stream:
        read = parser.read(stream, run.time)
        while batch := list(islice(read, _BATCH)):
            told = [one for one in batch if not kept_out.find_told(one)] if kept_out else batch
            told = [_clean(one, kept_out) if isinstance(one, HostObservation) else one for one in told]
            applier.take(told)
            sightings.take(told)
    sightings.finish()
    applier.take_silence(summary.silent)
    run_store.finish_run(transaction, run_id, events=applier.events, held=held, changes=applier.changes)


def _clean(one: HostObservation, kept_out: KeptOut) -> HostObservation:
    """Hide persons in what a page calls itself, and leave out the words of a port that write what stays out."""
    cleaned = tuple(_clean_port(port, kept_out) for port in one.endpoints)
    return one if cleaned == one.endpoints else replace(one, endpoints=cleaned)


def _clean_port(port: EndpointObservation, kept_out: KeptOut) -> EndpointObservation:
    if kept_out and kept_out.writes(f"{port.title}\n{port.product}\n{port.extra}\n{port.certificate}"):
        return replace(port, title="", product="", extra="", certificate=None, scripts=())
    return replace(port, title=hide_persons(port.title)) if port.title else port


def _is_held(context: Context, run: Run, run_id: int, summary: Summary, networks: tuple[Network, ...]) -> bool:
    if not summary.coverage.ports:
        return False
    usual = AddressSet()
    for key in _usual_endpoints(context, run, summary, networks):
        usual.add(key.address)
    if not is_doubtful(len(summary.answered), len(usual)):
        return False
    return not _has_agreement(context, run, run_id, set(_usual_endpoints(context, run, summary, networks)))


def _usual_endpoints(
    context: Context, run: Run, summary: Summary, networks: tuple[Network, ...]
) -> Iterator[EndpointKey]:
    for one in store.read_current(context.database, [network.id for network in networks], run.vantage):
        key = one.key
        if one.state is EndpointState.OPEN and summary.coverage.holds(key.address, key.proto, key.port):
            yield key


def _has_agreement(context: Context, run: Run, run_id: int, usual: set[EndpointKey]) -> bool:
    """The runs that last looked at these endpoints were held as well, for at least half of them."""
    half = len(usual) / 2
    agreed = 0
    scan = run_store.read_scan(context.database, run_id)
    for held, earlier in run_store.read_earlier_coverage(context.database, run, scan, run_id):
        looked = {key for key in usual if earlier.holds(key.address, key.proto, key.port)}
        agreed += len(looked) if held else 0
        usual -= looked
        if agreed >= half or agreed + len(usual) < half:
            break
    return agreed >= half
