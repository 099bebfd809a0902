"""A unit's map in; what is open there is looked at more closely where the gate lets it, and the record taken in."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType

from sentinel.collect.gate import Admission, admit
from sentinel.collect.login_products import TLS_PORTS, product_of
from sentinel.collect.look import ProbeTarget
from sentinel.collect.names import stop_when_silent
from sentinel.collect.permit import Permit
from sentinel.collect.probing import PROBERS, probe, probe_domains
from sentinel.errors import ScopeError
from sentinel.log import info
from sentinel.model.endpoint import MapRow
from sentinel.model.evidence import RunKind
from sentinel.model.probe import ProbeKind, ProbeObservation, ProbeValue
from sentinel.model.scope import Level, Refusal
from sentinel.model.unit import IPAddress, Unit
from sentinel.observe.probe_log import write_end, write_head, write_look
from sentinel.schedule.context import Context
from sentinel.schedule.domain_looks import build_domain_look, plan_domains
from sentinel.schedule.hosted import read_led
from sentinel.schedule.intake import Intake, Origin, take_in
from sentinel.schedule.keep_out import KeptOut, load_kept_out, read_kept_out
from sentinel.schedule.reading import find_blankets, iterate_map, leave_out_answering
from sentinel.schedule.scanning import explain_refusals
from sentinel.store.home import work_folder
from sentinel.store.hostings import read_campus_hostings
from sentinel.store.scopes import read_authorisations
from sentinel.store.units import read_networks

TOOL = "sentinel-probe"
ASK_AGAIN_S = 60.0
"""After so long the gate is asked again about an address that is still being looked at."""

MAX_NAMES = 8
"""Names one service is asked by; a host with more is asked by the first in the order of the alphabet."""

_BY_SERVICE: Mapping[str, tuple[ProbeKind, ...]] = MappingProxyType(
    {
        "ssh": (ProbeKind.SSH,),
        "http": (ProbeKind.WEB,),
        "https": (ProbeKind.TLS, ProbeKind.WEB),
        "snmp": (ProbeKind.SNMP,),
        "smtp": (ProbeKind.TLS, ProbeKind.MAIL),
        "smtps": (ProbeKind.TLS, ProbeKind.MAIL),
        "submission": (ProbeKind.TLS, ProbeKind.MAIL),
        "pop3": (ProbeKind.TLS, ProbeKind.MAIL),
        "pop3s": (ProbeKind.TLS, ProbeKind.MAIL),
        "imap": (ProbeKind.TLS, ProbeKind.MAIL),
        "imaps": (ProbeKind.TLS, ProbeKind.MAIL),
        "ftp": (ProbeKind.TLS,),
    }
)
_TLS_SERVICES = frozenset({"https", "ssl", "tls", "smtps", "pop3s", "imaps", "docker-s", "secure-mqtt"})
_NAMED = frozenset({ProbeKind.TLS, ProbeKind.WEB})


@dataclass(frozen=True, slots=True)
class PlannedLooks:
    """What the gate decided about closer looks, before anything is sent.

    Attributes:
        permits: what may be looked at, by permit.
        refusals: what may not, and why.
        domains: the domains that may be looked at, by permit.
    """

    permits: tuple[tuple[Permit, tuple[ProbeTarget, ...]], ...]
    refusals: tuple[Refusal, ...]
    domains: tuple[tuple[Permit, tuple[str, ...]], ...] = ()

    @property
    def count(self) -> int:
        """How many looks are planned."""
        return sum(len(one) for _, one in (*self.permits, *self.domains))

    @property
    def kinds(self) -> Mapping[ProbeKind, int]:
        """How many looks of each kind are planned."""
        looks = Counter(one.kind for _, targets in self.permits for one in targets)
        looks.update({ProbeKind.DNS: sum(len(names) for _, names in self.domains)})
        return {kind: count for kind, count in sorted(looks.items()) if count}


@dataclass(slots=True)
class LookTotal:
    """The sums of a round of closer looks.

    Attributes:
        planned: looks planned.
        answered: looks that found something out.
        failed: looks that came to nothing, by reason.
        sent: connection attempts and datagrams.
        changed: things that answered otherwise than before, or for the first time.
    """

    planned: int = 0
    answered: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    changed: int = 0


def kinds_of(row: MapRow) -> tuple[ProbeKind, ...]:
    """Tell which looks an open endpoint is worth."""
    seen, key = row.endpoint.fingerprint, row.endpoint.key
    if key.proto == "udp":
        return (ProbeKind.SNMP,) if key.port == 161 or seen.service == "snmp" else ()
    kinds = dict.fromkeys(_BY_SERVICE.get(seen.service, ()))
    if seen.tunnel == "ssl" or seen.service in {"ssl", "tls"}:
        kinds[ProbeKind.TLS] = None
    if _product(row):
        kinds[ProbeKind.LOGIN] = None
    return tuple(kinds)


def _product(row: MapRow) -> str:
    seen = row.endpoint.fingerprint
    words = f"{seen.product} {row.endpoint.title}"
    return product_of(seen.service, words, row.endpoint.key.port, guessed=seen.guessed)


def find_targets(
    context: Context, unit: Unit, kinds: Sequence[ProbeKind], addresses: Iterable[IPAddress] | None = None
) -> Iterator[ProbeTarget]:
    """Yield what is open in a unit's map and worth a look; boxes that answer on everything are left out.

    SNMP is left out as well until the unit has allowed a public read (`probe_snmp_public`).
    """
    if not context.settings.probe_snmp_public:
        kinds = [kind for kind in kinds if kind is not ProbeKind.SNMP]
    wanted = None if addresses is None else set(addresses)
    rows, _ = leave_out_answering(list(iterate_map(context, unit)), find_blankets(context, unit))
    seen: set[ProbeTarget] = set()
    for row in rows:
        key, mark = row.endpoint.key, row.endpoint.fingerprint
        if wanted is not None and key.address not in wanted:
            continue
        for kind in kinds_of(row):
            if kind not in kinds or kind not in PROBERS:
                continue
            names = ("", *sorted(row.names)[:MAX_NAMES]) if kind in _NAMED else ("",)
            for name in names:
                is_login = kind is ProbeKind.LOGIN
                is_tls = mark.tunnel == "ssl" or mark.service in _TLS_SERVICES
                is_tls |= is_login and (mark.guessed or not mark.service) and key.port in TLS_PORTS
                service = _product(row) if is_login else mark.service
                one = ProbeTarget(kind, key.address, key.proto, key.port, name, service, is_tls)
                if one not in seen:
                    seen.add(one)
                    yield one


def plan_looks(
    context: Context, unit: Unit, targets: Iterable[ProbeTarget], domains: Iterable[str] = ()
) -> PlannedLooks:
    """Ask the gate for each target at the level its kind of look needs, and for each domain; nothing is sent.

    A look that finds out more at a higher level is made there where an authorisation reaches that far.
    """
    by_level: dict[Level, dict[IPAddress, list[ProbeTarget]]] = {}
    further: dict[Level, dict[IPAddress, list[ProbeTarget]]] = {}
    for one in targets:
        prober = PROBERS[one.kind]
        place = by_level if prober.further is None else further
        place.setdefault(prober.further or prober.level, {}).setdefault(one.address, []).append(one)
    permits: list[tuple[Permit, tuple[ProbeTarget, ...]]] = []
    refusals: list[Refusal] = []
    ask = _gate_of(context, unit)
    for level, hosts in sorted(further.items()):
        admission = ask(level, hosts)
        let_in = {address for permit in admission.permits for address in permit.addresses()}
        permits += _meant(admission, hosts)
        for one in (one for address, looks in hosts.items() if address not in let_in for one in looks):
            by_level.setdefault(PROBERS[one.kind].level, {}).setdefault(one.address, []).append(one)
    for level, hosts in sorted(by_level.items()):
        admission = ask(level, hosts)
        refusals += admission.refusals
        permits += _meant(admission, hosts)
    permitted, refused = plan_domains(context, unit, domains)
    return PlannedLooks(tuple(permits), (*refusals, *refused), permitted)


_Gate = Callable[[Level, Iterable[IPAddress]], Admission]
"""Decides about addresses at a level, by what is declared at that moment."""


def _gate_of(context: Context, unit: Unit) -> _Gate:
    """Give the gate as it decides now; names that are excluded are looked up, those somebody else hosts are not."""
    led, resolve = read_led(context, unit, read_campus_hostings(context.database, unit.code)), cache(stop_when_silent())

    def ask(level: Level, addresses: Iterable[IPAddress]) -> Admission:
        return admit(
            [str(address) for address in addresses],
            unit=unit.code,
            level=level,
            rate_pps=None,
            authorisations=read_authorisations(context.database, unit.code),
            networks=read_networks(context.database, unit.code),
            kept_out=read_kept_out(context.database, unit),
            hosted=read_campus_hostings(context.database, unit.code),
            led=led,
            now=context.clock(),
            resolve=resolve,
        )

    return ask


def _meant(
    admission: Admission, hosts: Mapping[IPAddress, Sequence[ProbeTarget]]
) -> Iterator[tuple[Permit, tuple[ProbeTarget, ...]]]:
    """Yield each permit with the targets it was asked for."""
    for permit in admission.permits:
        inside = tuple(one for address in permit.addresses() for one in hosts.get(address, ()))
        if inside:
            yield permit, inside


def run_looks(
    context: Context,
    unit: Unit,
    planned: PlannedLooks,
    total: LookTotal,
    *,
    vantage: str,
    on_look: Callable[[ProbeObservation], None] | None = None,
) -> Intake:
    """Make the looks of all permits, one record of them, and take that in.

    What was found before an authorisation ran out, or the user ended it, is kept; what other authorisations allow is
    looked at all the same.

    Raises:
        ScopeError: nothing was let through, or an authorisation ran out on the way.
    """
    if not planned.count:
        raise ScopeError(explain_refusals(planned.refusals) if planned.refusals else "nothing there to look at")
    total.planned = planned.count
    name = f"probe-{uuid.uuid4().hex[:8]}"
    problem: BaseException | None = None
    with work_folder(context.home, "probe") as folder:
        path = folder / f"{name}.jsonl"
        with path.open("wb") as record:
            record.write(write_head(TOOL, context.clock()))

            def take(one: ProbeObservation) -> None:
                _count(total, one)
                told = leave_out_kept(one, load_kept_out(context, unit))
                if told is None:
                    return
                record.write(write_look(told))
                record.flush()
                if on_look is not None:
                    on_look(told)

            try:
                problem = _make_looks(context, unit, planned, total, take)
            except KeyboardInterrupt as error:
                problem = error
            if problem is None:
                record.write(write_end(context.clock(), total.sent))
        used = {permit.authorisation for permit, _ in (*planned.permits, *planned.domains)}
        authorisation = used.pop() if len(used) == 1 else None
        origin = Origin(name, RunKind.SCAN, vantage, authorisation=authorisation, finished=context.clock())
        with path.open("rb") as stream:
            intake = take_in(context, unit, stream, origin)
    total.changed = intake.run.events
    info("looks done", unit=unit.code, looks=total.planned, answered=total.answered, sent=total.sent)
    if problem is not None:
        raise problem
    return intake


def _make_looks(
    context: Context, unit: Unit, planned: PlannedLooks, total: LookTotal, take: Callable[[ProbeObservation], None]
) -> ScopeError | None:
    """Make the looks permit by permit; gives why looks of one were not made, where it ran out."""
    problem: ScopeError | None = None
    ask, look = _gate_of(context, unit), build_domain_look(context)
    for permit, targets in planned.permits:
        try:
            total.sent += probe(permit, targets, take, now=context.clock, still=_still(ask, permit.level))
        except ScopeError as error:
            problem = problem or error
    for permit, names in planned.domains:
        try:
            total.sent += probe_domains(permit, names, take, look=look, now=context.clock)
        except ScopeError as error:
            problem = problem or error
    return problem


def _still(ask: _Gate, level: Level) -> Callable[[IPAddress], bool]:
    """Give what asks the gate again, at most once a minute for an address, by what is declared then."""
    asked: dict[IPAddress, float] = {}

    def still(address: IPAddress) -> bool:
        now = time.monotonic()
        if now - asked.get(address, -ASK_AGAIN_S) < ASK_AGAIN_S:
            return True
        if not ask(level, (address,)).permits:
            return False
        asked[address] = now
        return True

    return still


def leave_out_kept(one: ProbeObservation, kept: KeptOut) -> ProbeObservation | None:
    """Take out of a look what names an address that stays out: it is not stored; None where the look is at one."""
    if not kept:
        return one
    if kept.find_told(one) is not None or kept.writes(one.name):
        return None
    values = ((name, _unkept(value, kept)) for name, value in one.values)
    return replace(one, values=tuple((name, value) for name, value in values if value not in ("", ())))


def _unkept(value: ProbeValue, kept: KeptOut) -> ProbeValue:
    if isinstance(value, str):
        return "" if kept.writes(value) else value
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        return tuple(text for text in value if not kept.writes(str(text)))
    return value


def _count(total: LookTotal, one: ProbeObservation) -> None:
    if one.answered:
        total.answered += 1
    else:
        total.failed[one.reason] = total.failed.get(one.reason, 0) + 1
