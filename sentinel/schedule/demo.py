"""The demonstration: three practice schools on loopback scanned twice, a mining session searched, four reports."""

from __future__ import annotations

import io
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Network, ip_network
from pathlib import Path

from sentinel.collect.tool import installed_nmap
from sentinel.config import build_settings_text, load_settings
from sentinel.drill.recording.session import Recording, record_session
from sentinel.drill.school.plan import Phase
from sentinel.drill.school.running import RunningSchool, foreign_listeners, start_school
from sentinel.errors import StoreError, UsageError
from sentinel.model.endpoint import ChangeKind
from sentinel.model.evidence import RunKind
from sentinel.model.facts import Period
from sentinel.model.flow import FlowClass
from sentinel.model.ports import PortSet
from sentinel.model.rule import Severity
from sentinel.model.scope import Authorisation, Level, Target
from sentinel.model.unit import Network, Unit, UnitLevel, Zone
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind
from sentinel.schedule.context import Context, open_context
from sentinel.schedule.hunting import hunt_files, store_hunt
from sentinel.schedule.intake import Origin, take_in
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.reading import read_diff, read_map
from sentinel.schedule.reporting import build_report, save_text
from sentinel.schedule.scanning import ScanTotal, plan_scan, run_scan
from sentinel.store.database import Transaction
from sentinel.store.findings import read_findings
from sentinel.store.home import create_home
from sentinel.store.scopes import write_authorisation, write_whitelist_entry
from sentinel.store.units import write_network, write_unit

Tell = Callable[[str], None]

MARK = ".sentinel-demo"
RATE_PPS = 2000
"""Loopback only: the packets never leave the machine."""

_UPPER = (
    Unit("3910000001", "示例省教育厅", UnitLevel.PROVINCE),
    Unit("3910100001", "示例市教育局", UnitLevel.CITY, parent="3910000001"),
    Unit("3910101001", "示例县教育局", UnitLevel.COUNTY, parent="3910100001"),
)


@dataclass(frozen=True, slots=True)
class PracticeUnit:
    """A school of the demonstration.

    Attributes:
        unit: as registered.
        base: its addresses.
        hosts: how many.
        seed: what it is made from.
    """

    unit: Unit
    base: str
    hosts: int
    seed: int


SCHOOLS = (
    PracticeUnit(Unit("3910101101", "示例县第一中学", parent="3910101001"), "127.77.1.0/24", 14, 1),
    PracticeUnit(Unit("3910101102", "示例县实验小学", parent="3910101001"), "127.77.2.0/24", 5, 2),
    PracticeUnit(Unit("3910101103", "示例县职业中学", parent="3910101001"), "127.77.3.0/24", 3, 3),
)

_DECOYS = frozenset(range(10070, 10090))
"""Ports asked although nothing was planted there, so that an invented one would show."""

_DNS_HEAD = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"
    "#fields\tts\tquery\tqtype_name\tanswers\n#types\ttime\tstring\tstring\tvector[string]\n"
)

_UNIT_REPORTS = ("school", "compliance", "mining")


@dataclass(frozen=True, slots=True)
class DemoUnit:
    """What the demonstration found at one school.

    Attributes:
        name: the school.
        planted: open ports of its truth after the change.
        found: open ports of its map.
        invented: ports of the map that are not in the truth.
        changes: differences between the two scans, as (kind, count).
        exact: they are just those the cue makes.
        findings: live findings by severity.
    """

    name: str
    planted: int
    found: int
    invented: int
    changes: tuple[tuple[ChangeKind, int], ...]
    exact: bool
    findings: dict[Severity, int]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration did.

    Attributes:
        units: by school.
        recording: the mining session.
        mining: mining conversations found in it.
        false_alarms: ordinary conversations taken for mining.
        reports: files written.
        seconds: wall time.
    """

    units: tuple[DemoUnit, ...]
    recording: Recording
    mining: int
    false_alarms: int
    reports: tuple[Path, ...]
    seconds: float


def run_demo(folder: Path, tell: Tell) -> DemoResult:
    """Run the whole demonstration in a folder; an earlier demonstration there is replaced.

    Raises:
        CollectError: nmap is missing.
        UsageError: the folder holds something else.
    """
    installed_nmap()
    _prepare(folder)
    home = folder / "home"
    create_home(home, build_settings_text(SCHOOLS[0].unit.code))
    foreign = foreign_listeners()
    if foreign:
        shown = "、".join(f"{port}/{proto}" for proto, port in foreign[:6])
        tell(f"本机自身有 {len(foreign)} 个通配监听（{shown}），不属于演示学校，扫描时避开。")
    with open_context(home, load_settings(home)) as context:
        begun = context.clock()
        with _start_schools(tell) as schools:
            _register(context, schools, begun)
            _import_names(context, schools, tell)
            _scan_all(context, schools, "第一次扫描", foreign, tell)
            between = context.clock()
            tell("改变学校：一个服务开放、一个关闭、一台主机出现、一张证书更换、一个版本变化。")
            for running in schools:
                running.cue("change")
            _scan_all(context, schools, "第二次扫描", foreign, tell)
            units = tuple(
                _compare(context, place.unit, running, between) for place, running in zip(SCHOOLS, schools, strict=True)
            )
        recording, mining, false_alarms = _hunt(context, folder, tell)
        units = tuple(_with_findings(context, place.unit, one) for place, one in zip(SCHOOLS, units, strict=True))
        reports = _write_reports(context, folder, between, tell)
        seconds = (context.clock() - begun).total_seconds()
    return DemoResult(units, recording, mining, false_alarms, reports, seconds)


def _prepare(folder: Path) -> None:
    try:
        if folder.exists():
            if any(folder.iterdir()) and not (folder / MARK).exists():
                raise UsageError(f"{folder}: holds something else; name an empty folder with --out")
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        (folder / MARK).touch()
    except OSError as error:
        raise StoreError(f"{error.filename or folder}: {error.strerror or error}") from error


@contextmanager
def _start_schools(tell: Tell) -> Iterator[list[RunningSchool]]:
    with ExitStack() as stack:
        schools = [
            stack.enter_context(start_school(base=place.base, seed=place.seed, size=place.hosts)) for place in SCHOOLS
        ]
        ports = sum(len(one.truth()) for one in schools)
        tell(f"三所演示学校已在本机回环地址上运行：{sum(one.hosts for one in SCHOOLS)} 台主机，{ports} 个开放端口。")
        yield schools


def _register(context: Context, schools: list[RunningSchool], now: datetime) -> None:
    with context.database.transaction(context.actor, now, objects=True) as transaction:
        for upper in _UPPER:
            write_unit(transaction, upper)
        for place in SCHOOLS:
            write_unit(transaction, place.unit)
            prefix = _prefix(place)
            write_network(transaction, Network(0, place.unit.code, "campus", Zone.SERVER, (prefix,)))
            write_authorisation(
                transaction,
                Authorisation(
                    id=0,
                    unit=place.unit.code,
                    targets=(Target(str(prefix), network=prefix),),
                    by="演示",
                    document="演示授权（仅本机回环地址）",
                    valid_from=now,
                    valid_to=now + timedelta(hours=1),
                    level=Level.SERVICE,
                    allow_loopback=True,
                    rate_pps=RATE_PPS,
                ),
            )
        _write_whitelist(transaction, schools, now)


def _prefix(place: PracticeUnit) -> IPv4Network:
    """The addresses its hosts really use."""
    return next(IPv4Network(place.base).subnets(new_prefix=27))


def _write_whitelist(transaction: Transaction, schools: list[RunningSchool], now: datetime) -> None:
    """Allow what the first two schools have before the change, but for every fifth port; the third has no whitelist."""
    for place, running in list(zip(SCHOOLS, schools, strict=True))[:2]:
        for number, port in enumerate(running.truth()):
            if number % 5 != 4:
                write_whitelist_entry(
                    transaction,
                    WhitelistEntry(
                        id=0,
                        unit=place.unit.code,
                        kind=WhitelistKind.PORT,
                        addresses=(ip_network(str(port.address)),),
                        proto=port.proto,
                        ports=PortSet.of_ports([port.port]),
                        reason="演示",
                        approved_by="演示",
                        valid_from=now,
                    ),
                )


def _import_names(context: Context, schools: list[RunningSchool], tell: Tell) -> None:
    """Import a DNS log of each school, as Zeek writes it: which names its hosts are known by."""
    tell("导入各校的 DNS 日志（Zeek 格式）：不发一个报文就知道主机叫什么。")
    moment = context.clock().timestamp()
    for place, running in zip(SCHOOLS, schools, strict=True):
        names = sorted({(one.host, str(one.address)) for one in running.truth() if one.host})
        rows = "".join(f"{moment:.6f}\t{name}\tA\t{address}\n" for name, address in names)
        text = f"{_DNS_HEAD}{rows}#close\t2026-01-01-00-00-00\n"
        take_in(
            context,
            place.unit,
            io.BytesIO(text.encode()),
            Origin(f"dns-{place.unit.code}.log", RunKind.IMPORT, context.settings.vantage),
        )


def _scan_all(
    context: Context,
    schools: list[RunningSchool],
    title: str,
    foreign: tuple[tuple[str, int], ...],
    tell: Tell,
) -> None:
    shut = {port for proto, port in foreign if proto.startswith("tcp")}
    for place, running in zip(SCHOOLS, schools, strict=True):
        planted = {one.port for phase in Phase for one in running.truth(phase)}
        ports = {"tcp": PortSet.of_ports((planted | _DECOYS) - shut | planted)}
        total = ScanTotal()
        planned = plan_scan(context, place.unit, [str(_prefix(place))], ports)
        for _ in run_scan(context, place.unit, planned, ports, total, vantage=context.settings.vantage):
            tell(
                f"{title} {place.unit.name}：在线 {total.hosts_up}，开放 {total.endpoints_open}，{total.seconds:.0f} 秒"
            )
        judge_unit(context, place.unit)


def _compare(context: Context, unit: Unit, running: RunningSchool, between: datetime) -> DemoUnit:
    truth = {(one.address, one.port) for one in running.truth(Phase.AFTER)}
    seen = {(row.endpoint.key.address, row.endpoint.key.port) for row in read_map(context, unit)}
    changes = read_diff(context, unit, between, context.clock())
    kinds = Counter(change.kind for change in changes)
    made = {(one.kind, one.row.endpoint.key.address, one.row.endpoint.key.port) for one in changes}
    return DemoUnit(
        name=unit.name,
        planted=len(truth),
        found=len(seen & truth),
        invented=len(seen - truth),
        changes=tuple(sorted(kinds.items())),
        exact=made == {(one.kind, one.address, one.port) for one in running.expected_changes()},
        findings={},
    )


def _hunt(context: Context, folder: Path, tell: Tell) -> tuple[Recording, int, int]:
    tell("录制一段挖矿会话：自有矿池与矿工在真实连接上对话，夹杂普通业务流量。")
    recording = record_session(folder / "mining.pcap")
    hunts = list(hunt_files([recording.path]))
    store_hunt(context, SCHOOLS[0].unit, hunts, check=True)
    caught = {
        (flow.host, flow.host_port)
        for hunt in hunts
        for flow in hunt.flows
        if flow.flow_class in {FlowClass.MINING, FlowClass.SUSPECT}
    }
    miners = {(one.client, one.client_port) for one in recording.conversations if one.family}
    return recording, len(caught & miners), len(caught - miners)


def _with_findings(context: Context, unit: Unit, one: DemoUnit) -> DemoUnit:
    counts = Counter(
        finding.severity for finding in read_findings(context.database, [unit.code]) if finding.state.is_live
    )
    return replace(one, findings=dict(counts))


def _write_reports(context: Context, folder: Path, between: datetime, tell: Tell) -> tuple[Path, ...]:
    """Report the span from between the two scans to now, so that the change shows as a change."""
    tell("生成四份报告。")
    now = context.clock()
    period = Period(between, now, "演示：第二次扫描")
    wanted = [(name, SCHOOLS[0].unit) for name in _UNIT_REPORTS]
    wanted.append(("overview", context.choose_unit(_UPPER[0].code)))
    return tuple(_write_report(context, name, unit, period, folder / f"{name}.html") for name, unit in wanted)


def _write_report(context: Context, name: str, unit: Unit, period: Period, path: Path) -> Path:
    save_text(path, build_report(context, name, unit, period=period))
    return path
