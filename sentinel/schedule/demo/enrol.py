"""Practice schools in; units, networks, authorisations and the papers the schools keep, written and imported, out."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sentinel.drill.papers.leases import Lease, dhcp_leases
from sentinel.drill.papers.register import ListedRow, RegisterRow, write_register, write_whitelist
from sentinel.drill.place.ground import Ground
from sentinel.drill.school.host import Manner, PlannedHost
from sentinel.drill.school.plan import AFTER, School
from sentinel.drill.school.running import RunningSchool
from sentinel.drill.school.truth import build_truth
from sentinel.model.evidence import RunKind
from sentinel.model.scope import Authorisation, Level, Target
from sentinel.model.unit import IPAddress, IPNetwork, Network, Zone
from sentinel.schedule.context import Context
from sentinel.schedule.demo.cast import SCHOOLS, UPPER, PracticeUnit
from sentinel.schedule.demo.outcome import Papers
from sentinel.schedule.demo.scans import Tell
from sentinel.schedule.intake import Origin, take_in
from sentinel.schedule.register import import_entries
from sentinel.schedule.register_import import import_register
from sentinel.store.scopes import write_authorisation
from sentinel.store.units import write_network, write_unit

RATE_PPS = 4000
"""The packets never leave the machine."""

APPROVED_BY = "演示"
_DNS_HEAD = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"
    "#fields\tts\tquery\tqtype_name\tanswers\n#types\ttime\tstring\tstring\tvector[string]\n"
)
_UNREGISTERED_EVERY = 6
_ON_LEASE = {"office", "camera", "printer", "successor", "miner", "closed"}


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One school with everything the demonstration keeps of it.

    Attributes:
        place: its part in the cast.
        running: the school.
        folder: where its papers lie.
        papers: what its register and whitelist say; None: it keeps none.
    """

    place: PracticeUnit
    running: RunningSchool
    folder: Path
    papers: Papers | None

    @property
    def prefixes(self) -> tuple[IPNetwork, ...]:
        """The networks it registers: the first quarter of its IPv4 lot, and the /64 of its IPv6 lot."""
        lot = self.running.plan.lot
        first = next(lot.base.subnets(new_prefix=max(26, lot.base.prefixlen)))
        if lot.base6 is None:
            return (first,)
        return first, lot.base6 if lot.base6.is_loopback else lot.base6.supernet(new_prefix=64)

    @property
    def known(self) -> tuple[IPAddress, ...]:
        """Addresses of the hosts the school's own logs know now."""
        return tuple(sorted((address for _, address in self.named), key=lambda one: (one.version, int(one))))

    @property
    def named(self) -> frozenset[tuple[str, IPAddress]]:
        """Names and addresses, as its DNS tells them now."""
        hosts = self.running.plan.hosts(self.running.played)
        return frozenset((host.name, address) for host in hosts if host.services for address in host.addresses)


def enrol(
    context: Context, ground: Ground, schools: list[RunningSchool], folder: Path, now: datetime, tell: Tell
) -> list[Enrolled]:
    """Register all units and give each school its papers, on disk and imported."""
    enrolled = []
    with context.database.transaction(context.actor, now, objects=True) as transaction:
        for unit in (*UPPER, *(place.unit for place in SCHOOLS)):
            write_unit(transaction, unit)
        for place, running in zip(SCHOOLS, schools, strict=True):
            papers = _plan_papers(running.plan) if place.has_papers else None
            one = Enrolled(place, running, folder / place.unit.code, papers)
            enrolled.append(one)
            write_network(transaction, Network(0, place.unit.code, "campus", Zone.SERVER, one.prefixes))
            write_authorisation(transaction, _authorisation(one, ground, now))
    for one in enrolled:
        one.folder.mkdir(parents=True)
        _write_papers(one)
        _import_papers(context, one, now, tell)
    return enrolled


def _authorisation(one: Enrolled, ground: Ground, now: datetime) -> Authorisation:
    return Authorisation(
        id=0,
        unit=one.place.unit.code,
        targets=tuple(Target(str(prefix), network=prefix) for prefix in one.prefixes),
        by=APPROVED_BY,
        document="演示授权（演练网络，报文不出本机）",
        valid_from=now,
        valid_to=now + timedelta(hours=1),
        level=Level.SERVICE,
        allow_loopback=not ground.has_own_network,
        rate_pps=RATE_PPS,
    )


def _visible(plan: School) -> list[PlannedHost]:
    """List the hosts a map can show before the change: those with open ports, and those that answer everywhere."""
    return [host for host in plan.before if host.services or host.manner is Manner.ANSWERS_ALL]


def _plan_papers(plan: School) -> Papers:
    """Leave hosts out of the register, and allow the ports without a planted weakness on the hosts that are in it.

    So no planted weakness is excused.
    """
    missing = _missing(plan)
    listed = (row.place for row in plan.truth() if not (row.weaknesses or row.unseen) and row.address not in missing)
    return Papers(missing, frozenset(listed))


def _missing(plan: School) -> frozenset[IPAddress]:
    """Choose the hosts nobody registered: every sixth, with all addresses, and whoever comes later."""
    left_out = [host for place, host in enumerate(_visible(plan)) if place % _UNREGISTERED_EVERY == 5]
    registered = {address for host in _visible(plan) if host not in left_out for address in host.addresses}
    later = {row.address for row in plan.truth(AFTER)} | set(plan.answering)
    return frozenset(later - registered)


def _write_papers(one: Enrolled) -> None:
    plan = one.running.plan
    (one.folder / "truth.json").write_text(
        json.dumps(build_truth(plan), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    if one.papers is not None:
        write_register(one.folder / "register.xlsx", _register_rows(plan, one.papers.missing), one.place.unit.name)
        write_whitelist(one.folder / "whitelist.csv", _listed_rows(one.papers))


def _register_rows(plan: School, missing: frozenset[IPAddress]) -> list[RegisterRow]:
    """Write up all hosts but the missing ones, with the holes such lists have: no department, no level, no address."""
    rows = [
        RegisterRow(
            system=host.label,
            domain=host.name,
            addresses=host.addresses,
            department="" if place % 4 == 3 else "信息中心",
            level="" if place % 3 == 2 else "2",
        )
        for place, host in enumerate(_visible(plan))
        if host.address not in missing
    ]
    return [*rows, RegisterRow(system="已停用的报名系统", note="地址已收回")]


def _listed_rows(papers: Papers) -> list[ListedRow]:
    places = sorted(papers.listed, key=lambda place: (place[1].version, int(place[1]), place[0], place[2]))
    return [ListedRow("业务需要", address=address, proto=proto, ports=(port,)) for proto, address, port in places]


def _import_papers(context: Context, one: Enrolled, now: datetime, tell: Tell) -> None:
    if one.papers is None:
        return
    import_register(context, one.place.unit, one.folder / "register.xlsx", now)
    for name in ("register.xlsx", "whitelist.csv"):
        done = import_entries(context, one.place.unit, one.folder / name, approved_by=APPROVED_BY, now=now)
        words = f"{done.rows} 行，{len(done.added)} 条登记"
        refused = "".join(f"；第 {bad.row} 行“{bad.title}”不能用" for bad in done.refused[:3])
        tell(f"  {one.place.unit.name} {name}：{words}{refused}")


def import_logs(context: Context, one: Enrolled, phase: str, since: datetime) -> None:
    """Write and import the DNS and DHCP logs of a school as it is now: names and network cards without a packet."""
    now = context.clock()
    hosts = one.running.plan.hosts(one.running.played)
    kinds = {4: "A", 6: "AAAA"}
    rows = "".join(
        f"{now.timestamp():.6f}\t{name}\t{kinds[address.version]}\t{address}\n"
        for name, address in sorted(one.named, key=str)
    )
    leases = [
        Lease(host.address, host.mac, host.name.partition(".")[0], since, now + timedelta(hours=8))
        for host in hosts
        if host.role in _ON_LEASE
    ]
    texts = {f"dns-{phase}.log": f"{_DNS_HEAD}{rows}#close\t{now:%Y-%m-%d-%H-%M-%S}\n".encode()}
    if leases:
        texts[f"dhcpd-{phase}.leases"] = dhcp_leases(leases)
    for file, text in texts.items():
        (one.folder / file).write_bytes(text)
        origin = Origin(f"{one.place.unit.code}-{file}", RunKind.IMPORT, context.settings.vantage)
        take_in(context, one.place.unit, io.BytesIO(text), origin)
