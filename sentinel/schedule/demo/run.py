"""The demonstration: practice schools scanned twice, their traffic searched, everything judged, reports written."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

from sentinel.collect.tool import installed_nmap
from sentinel.config import build_settings_text, edit_settings, load_settings, write_settings
from sentinel.drill.papers.sessions import NatSession, nat_sessions
from sentinel.drill.place.ground import Ground, served_port
from sentinel.drill.recording.session import Cast, Recording, record_session
from sentinel.drill.school.cues import ALL_CUES
from sentinel.drill.school.plan import AFTER, BEFORE, plan_school
from sentinel.drill.school.running import RunningSchool, start_school
from sentinel.errors import StoreError, UsageError
from sentinel.model.facts import Period
from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.model.ports import PortSet
from sentinel.model.unit import Unit
from sentinel.schedule.briefing import write_ledger
from sentinel.schedule.context import Context, open_context
from sentinel.schedule.demo.cast import SCHOOLS, UPPER
from sentinel.schedule.demo.enrol import Enrolled, enrol, import_logs
from sentinel.schedule.demo.outcome import DemoResult, Score, compare, score_mining_findings
from sentinel.schedule.demo.scans import ScanTask, Tell, scan_together
from sentinel.schedule.hunting import hunt_files, store_hunt
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.reporting import build_report, save_text
from sentinel.store.home import create_home

MARK = ".sentinel-demo"
_DECOYS = (
    1,
    7,
    70,
    88,
    102,
    179,
    264,
    502,
    554,
    631,
    902,
    993,
    1099,
    1194,
    1723,
    2222,
    3000,
    3690,
    4444,
    4848,
    5000,
    5357,
)
_MORE_DECOYS = (
    5601,
    5985,
    6000,
    6443,
    7070,
    7547,
    8008,
    8081,
    8161,
    8834,
    9090,
    9418,
    10250,
    15672,
    20000,
    25565,
    32768,
    49152,
)
"""Ports asked although nothing is planted on them, so that an invented one would show."""

_UNIT_REPORTS = ("brief", "school", "compliance", "mining", "map")
_PUBLIC = IPv4Address("203.0.113.10")


def claim_folder(folder: Path) -> int:
    """See that a demonstration can be held in a folder, and hold it while the descriptor given stays open.

    What an earlier demonstration left there stays until `run_demo`.

    Raises:
        CollectError: nmap is missing.
        UsageError: the folder holds something else, or another demonstration is held there.
        StoreError: it cannot be written.
    """
    installed_nmap()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if any(folder.iterdir()) and not (folder / MARK).exists():
            raise UsageError(f"{folder}: holds something else; name an empty folder with --out")
        (folder / MARK).touch()
    except BlockingIOError:
        raise UsageError(f"{folder}: another demonstration is held there now; name another with --out") from None
    except OSError as error:
        raise StoreError(f"{error.filename or folder}: {error.strerror or error}") from error
    return held


def _empty(folder: Path) -> None:
    """Take away what an earlier demonstration left, but for its mark.

    Raises:
        StoreError: it cannot be taken away.
    """
    try:
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != MARK:
                entry.unlink()
    except OSError as error:
        raise StoreError(f"{error.filename or folder}: {error.strerror or error}") from error


def run_demo(folder: Path, ground: Ground, tell: Tell) -> DemoResult:
    """Hold the whole demonstration in a claimed folder, on a ground this process stands on already.

    What an earlier demonstration left there goes.
    """
    _empty(folder)
    home = folder / "home"
    create_home(home, build_settings_text(SCHOOLS[0].unit.code))
    # The key of the posts in the registers stays in the demonstration's own folder, and goes with it.
    write_settings(home, edit_settings(home, "contact_key", str((folder / "contact.key").resolve())))
    settings = replace(load_settings(home), database="")  # never in the tables somebody's environment names
    with open_context(home, settings) as context:
        begun = context.clock()
        ground = ground.make_room(_true_ports(ground))
        with _start_schools(ground, tell) as schools:
            tell("导入各校的资产登记表、白名单、DNS 与 DHCP 日志：不发一个报文就知道主机叫什么、哪些登记过。")
            enrolled = enrol(context, ground, schools, folder / "papers", begun, tell)
            for one in enrolled:
                import_logs(context, one, "before", begun)
            _scan_all(context, enrolled, "第一次扫描", ground, tell)
            between = context.clock()
            tell("改变学校：服务开放与关闭、新主机、换证书、升版本、一个地址换了主人。")
            for one in enrolled:
                one.running.cue(ALL_CUES)
                import_logs(context, one, "after", between)
            _scan_all(context, enrolled, "第二次扫描", ground, tell)
            recording, mining = _hunt(context, enrolled[0], folder, tell)
            findings = score_mining_findings(context, enrolled[0].place.unit, recording)
            units = tuple(compare(context, one.place.unit, one.running, between, one.papers) for one in enrolled)
        reports = _write_reports(context, folder, between, tell)
        seconds = (context.clock() - begun).total_seconds()
    papers = tuple(sorted(path for path in (folder / "papers").rglob("*") if path.is_file()))
    return DemoResult(ground, units, recording, mining, findings, papers, reports, seconds)


def _true_ports(ground: Ground) -> frozenset[int]:
    plans = [plan_school(ground.lot(place.number), place.number, place.size) for place in SCHOOLS]
    return frozenset(port for plan in plans for port in plan.true_ports)


@contextmanager
def _start_schools(ground: Ground, tell: Tell) -> Iterator[list[RunningSchool]]:
    with ExitStack() as stack:
        schools = [
            stack.enter_context(start_school(ground.lot(place.number), place.number, place.size)) for place in SCHOOLS
        ]
        rows = [row for one in schools for row in one.truth()]
        udp = sum(row.proto == "udp" for row in rows)
        six = sum(row.address.version == 6 for row in rows)
        hosts = sum(len(one.plan.before) for one in schools)
        tell(f"三所演示学校已运行：{hosts} 台主机，{len(rows)} 个开放端口（其中 UDP {udp}，IPv6 {six}）。")
        yield schools


def _scan_all(context: Context, enrolled: list[Enrolled], title: str, ground: Ground, tell: Tell) -> None:
    tasks = [task for one in enrolled for task in _tasks(one, ground)]
    scan_together(context, tasks, title, tell)
    for one in enrolled:
        judge_unit(context, one.place.unit)


def _tasks(one: Enrolled, ground: Ground) -> Iterator[ScanTask]:
    """Ask all of the IPv4 network over TCP; over IPv6, which nobody sweeps, and UDP, which is slow, the known hosts."""
    plan, unit = one.running.plan, one.place.unit
    planted = {(row.proto, row.port) for played in (BEFORE, AFTER) for row in plan.truth(played)}
    decoys = {served_port(port, plan.lot.offset) for port in (*_DECOYS, *_MORE_DECOYS)} - ground.busy_ports
    tcp = PortSet.of_ports({port for proto, port in planted if proto == "tcp"} | decoys)
    udp = PortSet.of_ports({port for proto, port in planted if proto == "udp"})
    four = next(str(prefix) for prefix in one.prefixes if prefix.version == 4)
    six = tuple(str(address) for address in one.known if address.version == 6)
    yield ScanTask(unit, "TCP", (four,), (("tcp", tcp),))
    if six:
        yield ScanTask(unit, "IPv6", six, (("tcp", tcp),))
    if udp:
        yield ScanTask(unit, "UDP", tuple(map(str, one.known)), (("udp", udp),))


def _hunt(context: Context, one: Enrolled, folder: Path, tell: Tell) -> tuple[Recording, Score]:
    """Record and search the traffic at the school's border, and write the firewall's log of the same sessions."""
    tell("录制校园出口的一段流量：自有矿池与矿工在真实连接上对话（明文与 TLS），夹在普通业务流量之中。")
    recording = record_session(folder / "border.pcap", cast=_cast(one))
    sessions = [
        NatSession(
            start=datetime.fromtimestamp(talk.started, UTC),
            end=datetime.fromtimestamp(talk.ended, UTC),
            proto=talk.proto,
            inside=IPv4Address(talk.client),
            inside_port=talk.client_port,
            public=_PUBLIC,
            public_port=20_000 + place,
            peer=IPv4Address(talk.server),
            peer_port=talk.server_port,
        )
        for place, talk in enumerate(recording.conversations)
    ]
    (one.folder / "nat.log").write_bytes(nat_sessions(sessions))
    hunts = list(hunt_files([recording.path]))
    store_hunt(context, one.place.unit, hunts, check=True)
    flows = [flow for hunt in hunts for flow in hunt.flows]
    return recording, Score.of(_planted_mining(recording), _caught_mining(flows))


def _planted_mining(recording: Recording) -> set[tuple[str, object]]:
    """Give what must be found: a conversation by its client, a pool named in a look-up or inside TLS by that name."""
    talks = [talk for talk in recording.conversations if talk.expected]
    return {(talk.client, talk.client_port if talk.expected == FlowClass.MINING else talk.domain) for talk in talks}


def _caught_mining(flows: Iterable[FlowDetection]) -> set[tuple[str, object]]:
    proven = {FlowClass.MINING, FlowClass.SUSPECT}
    caught: set[tuple[str, object]] = {(flow.host, flow.host_port) for flow in flows if flow.flow_class in proven}
    return caught | {(flow.host, flow.name) for flow in flows if flow.flow_class is FlowClass.NAME}


def _cast(one: Enrolled) -> Cast:
    """Let the school's miner mine, and its other hosts do what hosts do."""
    hosts = one.running.plan.hosts(one.running.played)
    miners = tuple(host.address for host in hosts if host.role == "miner") or (hosts[-1].address,)
    return Cast(miners=miners, others=tuple(host.address for host in hosts if host.address not in miners))


def _write_reports(context: Context, folder: Path, between: datetime, tell: Tell) -> tuple[Path, ...]:
    """Report the span from between the two scans to now, so that the change shows as a change."""
    tell("生成六份报告与资产台账。")
    period = Period(between, context.clock(), "演示：第二次扫描")
    school = context.choose_unit(SCHOOLS[0].unit.code)  # as it is stored: with its place in the tree
    wanted = [(name, school) for name in _UNIT_REPORTS]
    wanted.append(("overview", context.choose_unit(UPPER[0].code)))
    write_ledger(context, school, folder / "ledger.xlsx", show_persons=False)
    pages = [_write_report(context, name, unit, period, folder / f"{name}.html") for name, unit in wanted]
    return (*pages, folder / "ledger.xlsx")


def _write_report(context: Context, name: str, unit: Unit, period: Period, path: Path) -> Path:
    save_text(path, build_report(context, name, unit, period=period))
    return path
