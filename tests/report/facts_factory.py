"""Facts of made-up schools and centres in several sizes: seeded, so that the same call gives the same facts."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

from sentinel.inventory.reconcile import reconcile
from sentinel.model.control import Basis, Catalogue, Check, Clause, ClauseVerdict, Verdict
from sentinel.model.endpoint import (
    AddressRanges,
    Change,
    ChangeKind,
    Coverage,
    Endpoint,
    EndpointKey,
    EndpointState,
    Fingerprint,
    Host,
    MapRow,
    Run,
)
from sentinel.model.facts import CentreFacts, NetworkCoverage, Period, UnitFacts, UnitSummary
from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState
from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.model.observation import Certificate
from sentinel.model.ports import PortSet
from sentinel.model.publication import Mapping, Publication, Via
from sentinel.model.register import RegisterEntry
from sentinel.model.rule import Severity
from sentinel.model.scope import Authorisation, Level
from sentinel.model.standing import Reason, Reconciliation, Standing
from sentinel.model.system import InformationSystem, SystemFacts, SystemState
from sentinel.model.unit import OUTSIDE, Network, Unit, UnitLevel, Zone
from sentinel.model.upkeep import Mark, PlaceKind, PlaceReason, PlaceStanding, PlaceState

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
PERIOD = Period(datetime(2026, 10, 25, 16, tzinfo=UTC), datetime(2026, 11, 25, 15, 59, 59, tzinfo=UTC), "2026-11")
PACK = sha256(b"a rule pack").hexdigest()
CODE = "4141000123"
SCHOOL = Unit(CODE, "示例市第一中学", UnitLevel.SCHOOL, "410100", f"41/4101/410100/{CODE}", "410102")

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    SCRIPT,
    "\u202egnp.exe\u2066",
    "</style><b>",
    '"onload="x',
    "{{ 7*7 }}",
    "长" * 10_000,
    "a\u0301\u0301\u0301\u0301",
    "\x00\x1b[31m",
)


@dataclass(frozen=True)
class Service:
    """A port with what speaks on it."""

    port: int
    name: str
    product: str = ""
    version: str = ""
    tunnel: str = ""
    proto: str = "tcp"
    guessed: bool = False


WEB = (Service(80, "http", "nginx", "1.22.1"), Service(443, "http", "nginx", "1.22.1", "ssl"))
SSH = Service(22, "ssh", "OpenSSH", "8.4p1")
ROLES: dict[str, tuple[Service, ...]] = {
    "web": (*WEB, SSH),
    "database": (SSH, Service(3306, "mysql", "MySQL", "5.7.33"), Service(6379, "redis", "Redis", "5.0.7")),
    "files": (Service(21, "ftp", "vsftpd", "3.0.3"), Service(445, "microsoft-ds"), Service(139, "netbios-ssn")),
    "desktop": (Service(135, "msrpc"), Service(445, "microsoft-ds"), Service(3389, "ms-wbt-server", guessed=True)),
    "camera": (Service(80, "http", "GoAhead"), Service(554, "rtsp", guessed=True)),
    "printer": (Service(80, "http"), Service(631, "ipp", "CUPS", "2.3"), Service(9100, "jetdirect", guessed=True)),
    "switch": (Service(23, "telnet"), Service(161, "snmp", proto="udp"), Service(80, "http")),
    "lab": (SSH, Service(8888, "http", "Jupyter", "6.4"), Service(5900, "vnc", "RealVNC")),
    "odd": (Service(50001, ""),),
}
ZONE_ROLES: dict[Zone, tuple[str, ...]] = {
    Zone.DMZ: ("web", "web", "files"),
    Zone.SERVER: ("database", "web", "files", "lab"),
    Zone.OFFICE: ("desktop", "desktop", "printer", "odd"),
    Zone.IOT: ("camera", "camera", "camera", "switch"),
    Zone.EXAM: ("desktop",),
    Zone.UNKNOWN: ("odd", "desktop"),
    Zone.DORMITORY: ("desktop",),
    Zone.WIRELESS: ("odd",),
}


@dataclass(frozen=True)
class Risk:
    """What a made-up rule finds on a port."""

    rule: str
    severity: Severity
    port: int
    zh: str
    en: str
    fix_zh: str
    fix_en: str
    clauses: tuple[str, ...] = ("CE-04b",)


RISKS = (
    Risk(
        "redis-open",
        Severity.CRITICAL,
        6379,
        "Redis 无需口令即可访问",
        "Redis answers without a password",
        "设置口令并只监听内网地址，核查是否已被写入计划任务。",
        "Set a password, bind to the inside address, look for planted cron jobs.",
    ),
    Risk(
        "telnet-open",
        Severity.HIGH,
        23,
        "开放明文远程管理 Telnet",
        "Telnet is open",
        "停用 Telnet，改用 SSH，并限定管理来源地址。",
        "Turn Telnet off, use SSH, limit who may connect.",
        ("CE-01c", "AB-02a"),
    ),
    Risk(
        "smb-open",
        Severity.HIGH,
        445,
        "高危端口 445 开放",
        "High-risk port 445 is open",
        "在边界和终端防火墙封禁 445 端口，确需共享的登记白名单。",
        "Block port 445 at the border and on hosts; list what must share.",
    ),
    Risk(
        "mysql-exposed",
        Severity.MEDIUM,
        3306,
        "数据库端口对办公网可达",
        "Database port reachable from offices",
        "数据库只允许应用服务器访问。",
        "Let only the application servers reach the database.",
    ),
    Risk(
        "rtsp-open",
        Severity.MEDIUM,
        554,
        "视频监控端口未登记",
        "Video port is not registered",
        "核实摄像机用途，划入物联网区并登记。",
        "Find out what the camera is for, move it to the IoT zone, register it.",
        ("AB-01a",),
    ),
    Risk(
        "whitelist-port-unlisted",
        Severity.MEDIUM,
        8888,
        "端口不在白名单内",
        "Port is not on the whitelist",
        "补办审批并登记，或关闭端口。",
        "Get approval and list it, or close the port.",
        ("AB-02a",),
    ),
    Risk(
        "http-plain",
        Severity.LOW,
        80,
        "网页未启用加密传输",
        "Web page without encryption",
        "启用 HTTPS 并跳转。",
        "Turn HTTPS on and redirect.",
        ("CN-02b",),
    ),
)


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def make_empty_facts(**changes: object) -> UnitFacts:
    """A school that is registered and was never scanned."""
    networks = (Network(1, CODE, "default"), Network(2, CODE, "server-lan", Zone.SERVER, (ip_network("10.20.1.0/24"),)))
    facts = UnitFacts(
        unit=SCHOOL,
        networks=networks,
        rows=(),
        hosts=(),
        findings=(),
        changes=(),
        runs=(),
        verdicts=(),
        flows=(),
        coverage=(NetworkCoverage("default", 0, 0), NetworkCoverage("server-lan", 256, 0)),
        whitelist_entries=0,
        period=PERIOD,
        generated_at=NOW,
        pack_hash=PACK,
    )
    return replace(facts, **changes)  # type: ignore[arg-type]


def make_facts(
    size: int = 12, seed: int = 7, *, hostile: bool = False, exercise: str = "", outside: bool = False
) -> UnitFacts:
    """A school with `size` hosts; hostile puts dangerous text wherever foreign text can stand.

    With `outside` its web servers were seen from the internet too.
    """
    random_ = random.Random(seed)
    networks = _networks(size)
    hosts = tuple(_hosts(networks, size, random_))
    rows = tuple(_rows(networks, hosts, random_))
    rows += tuple(_from_outside(rows)) if outside else ()
    findings = tuple(_findings(rows, random_))
    facts = UnitFacts(
        unit=SCHOOL,
        networks=networks,
        rows=rows,
        hosts=hosts,
        findings=findings,
        changes=tuple(_changes(rows, size, random_)),
        runs=tuple(_runs(networks, hosts, rows)),
        verdicts=tuple(_verdicts(findings, 3 if size > 100 else 1, random_)),
        flows=tuple(_flows(hosts, size)),
        coverage=tuple(_coverage(networks)),
        whitelist_entries=size // 3,
        period=PERIOD,
        generated_at=NOW,
        pack_hash=PACK,
        exercise=exercise,
        captures_analysed=2,
        silent_hosts=size // 40,
        catalogues=(CATALOGUE,),
    )
    facts = _with_register(replace(facts, sources=facts.runs), hostile=hostile)
    return _poison(facts) if hostile else facts


def _from_outside(rows: tuple[MapRow, ...]) -> Iterable[MapRow]:
    for row in rows:
        if row.endpoint.key.port in {443, 3389}:
            key = row.endpoint.key._replace(vantage=OUTSIDE)
            yield replace(row, endpoint=replace(row.endpoint, key=key))


def _with_register(facts: UnitFacts, *, hostile: bool) -> UnitFacts:
    """Put a register beside the facts: most hosts, some that are gone, some that ended, some nobody answers for."""
    words = HOSTILE if hostile else ("教务处", "图书馆", "后勤处", "信息中心", "")
    entries = tuple(_register(facts.hosts, words))
    seen = [Coverage((("tcp", PortSet(((1, 1024),))),), AddressRanges(((p[0], p[-1]),))) for p in _covered(facts)]
    standing = reconcile(entries, facts.rows, facts.hosts, seen, NOW, logs_only=frozenset({"dormitory", "wireless"}))
    owners = {one.id: words[one.id % 5] for one in facts.findings if one.id % 3 and words[one.id % 5]}
    paper = Authorisation(
        1, CODE, (), "示例领导", words[0], NOW - timedelta(days=60), NOW + timedelta(days=9), Level.SERVICE
    )
    return replace(
        facts,
        standing=standing,
        owners=owners,
        authorisations=(paper,),
        systems=_systems(words),
        places=tuple(_places(standing, words)),
        confirm_due=((_systems(words)[0], NOW - timedelta(days=20)), (_systems(words)[1], NOW + timedelta(days=9))),
        published=tuple(_published(facts.hosts, words)),
    )


def _systems(words: tuple[str, ...]) -> tuple[InformationSystem, ...]:
    states = (SystemState.APPROVED, SystemState.APPROVED, SystemState.DRAFT)
    names = words[:3] if words is HOSTILE else ("教务系统", "图书管理系统", "门户网站")
    return tuple(
        InformationSystem(number, CODE, SystemFacts(names[number - 1], department=words[number]), state=state)
        for number, state in enumerate(states, start=1)
    )


def _places(standing: Reconciliation, words: tuple[str, ...]) -> Iterable[PlaceStanding]:
    stale = Mark(PlaceState.STALE, PlaceReason.NOT_CONFIRMED, NOW - timedelta(days=20))
    name = words[0] if words is HOSTILE else "教务系统"
    yield PlaceStanding(PlaceKind.SYSTEM, name, stale, (Mark(PlaceState.SEEN, Reason.HOST_SEEN),), "", "", words[1], 1)
    yield PlaceStanding(PlaceKind.DOMAIN, "club.other.example", Mark(PlaceState.OFF_CAMPUS, PlaceReason.OUTSIDE_ALL))
    states = {Standing.SEEN: PlaceState.SEEN, Standing.UNREGISTERED: PlaceState.UNREGISTERED}
    for host in standing.hosts:
        mark = Mark(states.get(host.standing, PlaceState.STALE), host.reason)
        yield PlaceStanding(PlaceKind.HOST, str(host.address), mark, (), host.network)
    for line in standing.lines:
        if line.standing is Standing.UNSEEN:
            places = "、".join(str(prefix) for prefix in line.entry.addresses)
            mark = Mark(PlaceState.UNSEEN, line.reason)
            yield PlaceStanding(PlaceKind.LINE, places, mark, (), "", line.entry.system, line.entry.department)


def _published(hosts: tuple[Host, ...], words: tuple[str, ...]) -> Iterable[Publication]:
    for number, host in enumerate(hosts[:3], start=1):
        outside = ip_address(f"203.0.113.{number}")
        name = (words[0] if words is HOSTILE else "www.school.example") if number == 1 else ""
        ends = Mapping(outside, "tcp", 443, 443, host.address, 0, name) if number < 3 else None
        yield Publication(number, CODE, ends or Mapping(outside, "", 0, 0, host.address, via=Via.WAF), "declared")


def _covered(facts: UnitFacts) -> list[IPv4Network]:
    prefixes = [prefix for network in facts.networks if network.scannable for prefix in network.prefixes]
    return [prefix for prefix in prefixes if isinstance(prefix, IPv4Network)]


def _register(hosts: tuple[Host, ...], words: tuple[str, ...]) -> Iterable[RegisterEntry]:
    for index, host in enumerate(hosts):
        if index % 5 == 2:
            continue
        address = host.address + 4096 if index % 7 == 3 else host.address + index % 7 // 5
        yield RegisterEntry(
            id=index + 1,
            unit=CODE,
            source=words[0] if words is HOSTILE else "资产登记表.xlsx",
            source_sha256=digest("register"),
            sheet="",
            row=index + 4,
            system=words[index % 5] if words is HOSTILE else f"信息系统{index}",
            addresses=(ip_network(address),),
            domains=(words[index % 5],) if words is HOSTILE else (),
            ports=(("tcp", PortSet(((80, 80), (443, 443)))),) if index % 4 == 1 else (),
            department=words[index % 5],
            valid_to=NOW - timedelta(days=9) if index % 9 == 4 else None,
            imported_at=NOW - timedelta(days=2),
        )


def _networks(size: int) -> tuple[Network, ...]:
    wanted: list[tuple[str, Zone, str, bool]] = [
        ("dmz", Zone.DMZ, "10.20.0.0/28", True),
        ("server-lan", Zone.SERVER, "10.20.1.0/26", True),
    ]
    if size >= 100:
        wanted = [
            ("dmz", Zone.DMZ, "10.20.0.0/27", True),
            ("server-lan", Zone.SERVER, "10.20.1.0/24", True),
            ("office-1", Zone.OFFICE, "10.20.2.0/24", True),
            ("cameras", Zone.IOT, "10.20.8.0/24", True),
            ("dormitory", Zone.DORMITORY, "10.20.64.0/20", False),
        ]
    if size >= 1000:
        wanted = [
            ("dmz", Zone.DMZ, "198.51.100.0/24", True),
            ("exam", Zone.EXAM, "10.20.1.0/24", True),
            ("server-lan", Zone.SERVER, "10.20.4.0/22", True),
            ("office-1", Zone.OFFICE, "10.20.16.0/20", True),
            ("office-2", Zone.OFFICE, "10.20.32.0/20", True),
            ("cameras", Zone.IOT, "10.20.48.0/20", True),
            ("wireless", Zone.WIRELESS, "10.20.64.0/18", False),
            ("dormitory", Zone.DORMITORY, "10.20.128.0/17", False),
        ]
    declared = tuple(
        Network(number, CODE, name, zone, (IPv4Network(prefix),), scannable)
        for number, (name, zone, prefix, scannable) in enumerate(wanted, start=2)
    )
    return (*declared, Network(1, CODE, "default"))


def _hosts(networks: tuple[Network, ...], size: int, random_: random.Random) -> Iterable[Host]:
    open_networks = [network for network in networks if network.prefixes and network.scannable]
    weights = [network.prefixes[0].num_addresses ** 0.5 for network in open_networks]
    taken: set[IPv4Address] = set()
    for index in range(size):
        if size >= 100 and index % 60 == 59:
            network, address = networks[-1], IPv4Address(f"192.168.{index % 250}.{index // 60 + 2}")
        else:
            network = random_.choices(open_networks, weights)[0]
            address = _free(network, taken, random_)
        taken.add(address)
        yield Host(
            network=network.name,
            zone=network.zone,
            address=address,
            names=(f"h{index:04d}.school.example",) if index % 3 == 0 else (),
            mac=f"02:00:5e:00:{index // 256:02x}:{index % 256:02x}" if index % 2 else "",
            vendor="Example Networks" if index % 2 else "",
            os="Linux 5.10" if index % 2 else "",
            first_seen=NOW - timedelta(days=90),
            last_seen=NOW - timedelta(hours=index % 50),
            in_scope=bool(network.prefixes),
        )


def _free(network: Network, taken: set[IPv4Address], random_: random.Random) -> IPv4Address:
    prefix = network.prefixes[0]
    blocks = max(prefix.num_addresses // 256 // 3, 1)
    for _ in range(40):
        offset = random_.randrange(blocks) * 3 * 256 + int(
            random_.triangular(1, min(prefix.num_addresses, 256) - 1, 20)
        )
        address = ip_address(int(prefix.network_address) + offset % prefix.num_addresses)
        if isinstance(address, IPv4Address) and address not in taken:
            return address
    return next(IPv4Address(n) for n in range(0x0A14F000, 0x0A150000) if IPv4Address(n) not in taken)


def _rows(networks: tuple[Network, ...], hosts: tuple[Host, ...], random_: random.Random) -> Iterable[MapRow]:
    numbers = {network.name: network.id for network in networks}
    for index, host in enumerate(hosts):
        if index % 25 == 24:
            continue
        for service in ROLES[random_.choice(ZONE_ROLES[host.zone])]:
            yield make_row(numbers[host.network], host, service, index)
    if len(hosts) >= 100:
        host = Host("server-lan", Zone.SERVER, IPv6Address("2001:db8:20:1::53"), ("ns.school.example",))
        yield make_row(numbers["server-lan"], host, Service(53, "domain", "BIND", "9.16", proto="udp"), 1)


def make_row(network: int, host: Host, service: Service, index: int) -> MapRow:
    certificate = None
    if service.tunnel and index % 4:
        certificate = Certificate(
            sha256=digest(f"certificate {index % 7}"),
            subject="*.school.example" if index % 7 else f"h{index}.school.example",
            issuer="Example CA" if index % 7 else f"h{index}.school.example",
            not_before=NOW - timedelta(days=300),
            not_after=NOW + timedelta(days=(index % 7) * 40 - 45),
            key_type="rsa",
            key_bits=1024 if index % 7 == 2 else 2048,
            signature="sha1WithRSAEncryption" if index % 7 == 3 else "sha256WithRSAEncryption",
            self_signed=index % 7 == 0,
        )
    endpoint = Endpoint(
        key=EndpointKey(network, "inside", host.address, service.proto, service.port),
        state=EndpointState.OPEN,
        fingerprint=Fingerprint(service.name, service.guessed, service.product, service.version, service.tunnel),
        valid_from=NOW - timedelta(days=60),
        last_confirmed=NOW - timedelta(hours=index % 50),
        title="示例市第一中学 门户网站" if service.name == "http" else "",
        certificate=certificate,
        evidence=digest("run 1"),
        in_scope=host.in_scope,
    )
    return MapRow(CODE, host.network, host.zone, endpoint, host.names)


def _findings(rows: tuple[MapRow, ...], random_: random.Random) -> Iterable[Finding]:
    number = 0
    states = (FindingState.OPEN, FindingState.OPEN, FindingState.OPEN, FindingState.RECTIFYING, FindingState.FIXED)
    for row in rows:
        key = row.endpoint.key
        for risk in RISKS:
            if risk.port != key.port or random_.random() > 0.6:
                continue
            number += 1
            age = random_.choice((2, 5, 20, 40, 75, 130))
            state = random_.choice(states)
            if number % 17 == 9:
                state = FindingState.ACCEPTED
            if number % 11 == 5:
                state = FindingState.CLOSED
            days = {Severity.CRITICAL: 3, Severity.HIGH: 7, Severity.MEDIUM: 30}.get(risk.severity)
            yield Finding(
                id=number,
                number=f"隐患-2026-{number:05d}",
                key=FindingKey(CODE, risk.rule, key.network, f"{key.address}:{key.port}/{key.proto}"),
                source=FindingSource.OWN_SCAN,
                severity=risk.severity,
                state=state,
                first_seen=NOW - timedelta(days=age),
                last_seen=NOW - timedelta(hours=3),
                due=NOW - timedelta(days=age - days) if days else None,
                clauses=risk.clauses,
                evidence=digest("run 1"),
                title_zh=risk.zh,
                title_en=risk.en,
                remediation_zh=risk.fix_zh,
                remediation_en=risk.fix_en,
                detail=f"port={key.port} product={row.endpoint.fingerprint.product or '-'}",
                reopened=int(number % 13 == 0),
                closed_at=NOW - timedelta(days=1) if state is FindingState.CLOSED else None,
                why="业务系统年底前迁移，已限定来源地址" if state is FindingState.ACCEPTED else "",
                by="信息中心" if state is FindingState.ACCEPTED else "",
                until=NOW + timedelta(days=39) if state is FindingState.ACCEPTED else None,
            )


def _changes(rows: tuple[MapRow, ...], size: int, random_: random.Random) -> Iterable[Change]:
    kinds = list(ChangeKind)
    for index, row in enumerate(random_.sample(rows, min(len(rows), max(size // 8, 6)))):
        kind = kinds[index % len(kinds)]
        before = Fingerprint("http", False, "nginx", "1.18.0") if kind is ChangeKind.CHANGED else None
        yield Change(kind, row, before, NOW - timedelta(days=index % 20))


def _runs(networks: tuple[Network, ...], hosts: tuple[Host, ...], rows: tuple[MapRow, ...]) -> Iterable[Run]:
    for number, days in enumerate((0, 7, 14), start=1):
        yield Run(
            id=4 - number,
            unit=CODE,
            kind="scan" if number < 3 else "import",
            evidence=digest(f"run {number}"),
            source="cycle" if number < 3 else "scan-2026-11-08.xml",
            format="nmap-xml",
            tool="nmap 7.93",
            vantage="inside",
            operator="信息中心",
            time=NOW - timedelta(days=days, hours=2),
            time_quality="unknown" if number == 3 else "stated",
            hosts_up=len(hosts) - number,
            endpoints_open=len(rows) - number,
            observations=len(rows),
            events=number,
            coverage_text=f"{sum(1 for n in networks if n.scannable)} networks × tcp 1-1024",
        )


def _coverage(networks: tuple[Network, ...]) -> Iterable[NetworkCoverage]:
    for index, network in enumerate(networks):
        planned = sum(prefix.num_addresses for prefix in network.prefixes)
        share = 0 if not network.scannable else (1, 0.94, 0.6)[index % 3]
        covered = int(planned * share)
        newest = NOW - timedelta(hours=2) if covered else None
        yield NetworkCoverage(network.name, planned, covered, "tcp 1-1024" if covered else "", newest)


_CONTROLS = (
    (
        "PE",
        "安全物理环境",
        "物理访问控制",
        Check.MANUAL,
        "机房门有门禁并能识别、记录进入者",
        "Door access control that logs entrants",
    ),
    ("CN", "安全通信网络", "网络架构", Check.AUTO, "按职能划分网络区域并分配地址", "Network zones by function"),
    ("CN", "安全通信网络", "通信传输", Check.AUTO, "通信过程中用密码技术保护数据", "Traffic protected by cryptography"),
    ("AB", "安全区域边界", "访问控制", Check.AUTO, "边界默认拒绝，只放行需要的通信", "Deny by default at the border"),
    (
        "AB",
        "安全区域边界",
        "入侵防范",
        Check.SEMI,
        "关键节点能发现和阻断网络攻击",
        "Attacks are seen and stopped at key nodes",
    ),
    (
        "CE",
        "安全计算环境",
        "身份鉴别",
        Check.SEMI,
        "登录用户有唯一身份和口令复杂度要求",
        "Users are identified, passwords are complex",
    ),
    (
        "CE",
        "安全计算环境",
        "入侵防范",
        Check.AUTO,
        "关闭不需要的系统服务、共享和高危端口",
        "No unneeded services and high-risk ports",
    ),
    (
        "CE",
        "安全计算环境",
        "数据备份恢复",
        Check.MANUAL,
        "重要数据在本地备份并能恢复",
        "Important data is backed up and restorable",
    ),
    (
        "MC",
        "安全管理中心",
        "集中管控",
        Check.SEMI,
        "集中监测网络、设备和服务器的运行",
        "Central watch over network and servers",
    ),
    ("MS", "安全管理制度", "管理制度", Check.MANUAL, "建立安全管理活动的各项制度", "Rules for all security work"),
    ("MO", "安全管理机构", "岗位设置", Check.MANUAL, "设置安全管理岗位并明确职责", "Security posts with duties"),
    ("MP", "安全管理人员", "安全意识教育和培训", Check.MANUAL, "开展安全意识教育和岗位培训", "Awareness and training"),
    ("BM", "安全建设管理", "定级和备案", Check.SEMI, "以书面形式说明定级方法和理由", "Grade is stated with reasons"),
    ("OM", "安全运维管理", "资产管理", Check.AUTO, "编制并保存资产清单", "A list of assets is kept"),
    ("OM", "安全运维管理", "漏洞和风险管理", Check.SEMI, "发现漏洞后及时修补", "Vulnerabilities are fixed in time"),
)


def _clauses() -> Iterable[Clause]:
    for number, (prefix, domain, control, check, zh, en) in enumerate(_CONTROLS, start=1):
        yield Clause(
            id=f"{prefix}-{number:02d}a",
            number=f"8.1.{number}.1 a)",
            domain=domain,
            control=control,
            title_zh=zh,
            title_en=en,
            check=check,
            weight=number % 3 + 1,
            verified=number % 4 > 0,
        )


CATALOGUE = Catalogue(
    "mlps-l3",
    "网络安全等级保护基本要求 第三级",
    "Baseline for graded protection, level 3",
    "GB/T 22239-2019",
    3,
    tuple(_clauses()),
)


def _verdicts(findings: tuple[Finding, ...], copies: int, random_: random.Random) -> Iterable[ClauseVerdict]:
    numbers = tuple(finding.number for finding in findings[:3])
    for copy in range(copies):
        for clause in CATALOGUE.clauses:
            named = replace(clause, id=clause.id[:-1] + "abc"[copy], number=clause.number[:-2] + "abc"[copy] + ")")
            auto = clause.check is Check.AUTO
            verdict = random_.choice(
                (Verdict.NONCONFORM, Verdict.PARTIAL, Verdict.CONFORM, Verdict.UNKNOWN)
                if auto
                else (Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.CONFORM, Verdict.NOT_APPLICABLE)
            )
            known = verdict not in {Verdict.UNKNOWN, Verdict.NOT_APPLICABLE}
            basis = (Basis.AUTO if auto else Basis.ATTESTED,) if known else (Basis.NONE,)
            yield ClauseVerdict(
                unit=CODE,
                system="",
                catalogue=CATALOGUE.id,
                clause=named,
                verdict=verdict,
                basis=basis,
                evidence=numbers if known else (),
                reason_zh=_REASONS[verdict][0],
                reason_en=_REASONS[verdict][1],
            )


_REASONS = {
    Verdict.NONCONFORM: ("发现高危端口开放", "high-risk ports are open"),
    Verdict.PARTIAL: ("部分主机存在高危端口", "high-risk ports on some hosts"),
    Verdict.CONFORM: ("证据齐全且在有效期内", "proof is present and fresh"),
    Verdict.UNKNOWN: ("没有新鲜证据", "no fresh evidence"),
    Verdict.NOT_APPLICABLE: ("本单位没有这类对象", "the unit has no such object"),
}


def _flows(hosts: tuple[Host, ...], size: int) -> Iterable[FlowDetection]:
    wanted = (
        (FlowClass.MINING, "cryptonote", "XMR", "XMRig/6.21.0"),
        (FlowClass.MINING, "stratum", "BTC", "cgminer/4.12"),
        (FlowClass.SUSPECT, "tls", "", ""),
        (FlowClass.NODE, "bitcoin", "BTC", ""),
        (FlowClass.NAME, "dns", "", ""),
    )
    for index in range(min(max(size // 10, 5), 24)):
        flow_class, family, coin, agent = wanted[index % len(wanted)]
        start = NOW - timedelta(days=3, minutes=index * 7)
        mining = flow_class is FlowClass.MINING
        yield FlowDetection(
            file="uplink-2026-11-19.pcap",
            host=str(hosts[index % len(hosts)].address),
            host_port=49152 + index if flow_class is not FlowClass.NAME else None,
            peer="203.0.113.7" if mining else f"198.51.100.{index + 1}",
            peer_port={"cryptonote": 14444, "stratum": 3333, "tls": 443, "bitcoin": 8333}.get(family),
            family=family,
            flow_class=flow_class,
            certainty=1.0 if mining else 0.5,
            coin=coin,
            first_seen=start,
            last_seen=start + timedelta(minutes=4 + index * 3),
            packets=120 + index,
            payload_bytes=48_000 + index * 1000,
            evidence='{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"43AR…9kQd","pass":"•","agent":"XMRig/6.21.0"}}'
            if mining
            else "",
            name="pool.mining.example" if flow_class in {FlowClass.NAME, FlowClass.SUSPECT} else "",
            agent=agent,
            wallet="43AR…9kQd" if mining else "",
        )


def _poison(facts: UnitFacts) -> UnitFacts:
    def poisoned(row: MapRow, words: str) -> MapRow:
        print_ = replace(row.endpoint.fingerprint, service=words, product=words, version=words)
        certificate = Certificate("ab", words, words, (words,), None, NOW, words, 512, words, True)
        endpoint = replace(row.endpoint, fingerprint=print_, title=words, extra=words, certificate=certificate)
        return replace(row, endpoint=endpoint, names=(words,))

    words = [HOSTILE[index % len(HOSTILE)] for index in range(max(len(facts.rows), 40))]
    rows = tuple(poisoned(row, word) for row, word in zip(facts.rows, words, strict=False))
    return replace(
        facts,
        unit=replace(facts.unit, name=SCRIPT + "\u202e" + '"</style>', code='"\\'),
        rows=rows,
        hosts=tuple(replace(h, names=(w,), os=w, vendor=w, mac=w) for h, w in zip(facts.hosts, words, strict=False)),
        findings=tuple(
            replace(
                f,
                title_zh=w,
                title_en=w,
                remediation_zh=w,
                remediation_en=w,
                detail=w,
                why=w,
                by=w,
                number=w,
                key=f.key._replace(subject=w) if hasattr(f.key, "_replace") else replace(f.key, subject=w),
            )
            for f, w in zip(facts.findings, words, strict=False)
        ),
        changes=tuple(
            replace(c, row=rows[i % len(rows)], before=Fingerprint(HOSTILE[5])) for i, c in enumerate(facts.changes)
        ),
        runs=tuple(
            replace(r, source=w, tool=w, operator=w, vantage=w, coverage_text=w)
            for r, w in zip(facts.runs, words, strict=False)
        ),
        sources=tuple(replace(r, source=w, tool=w, vantage=w) for r, w in zip(facts.sources, words, strict=False)),
        flows=tuple(
            replace(f, host=w, peer=w, name=w, agent=w, wallet=w, evidence=w, coin=w, family=w, file=w)
            for f, w in zip(facts.flows, words, strict=False)
        ),
        networks=tuple(replace(n, name=f"{n.name}{w}") for n, w in zip(facts.networks, words, strict=False)),
        coverage=tuple(replace(c, network=w, ports=w) for c, w in zip(facts.coverage, words, strict=False)),
        verdicts=tuple(
            replace(
                v,
                catalogue=HOSTILE[0],
                system=HOSTILE[2],
                reason_zh=w,
                reason_en=w,
                evidence=(w,),
                clause=replace(v.clause, id=w, number=w, domain=HOSTILE[i % 3], control=w, title_zh=w, title_en=w),
            )
            for i, (v, w) in enumerate(zip(facts.verdicts, words, strict=False))
        ),
        catalogues=(),
        period=replace(facts.period, label=SCRIPT),
        exercise=SCRIPT,
    )


def make_centre(schools: int = 24, seed: int = 3, *, hostile: bool = False) -> CentreFacts:
    """A province with cities, counties and schools; every seventh school never reported."""
    random_ = random.Random(seed)
    units = [Unit("41", "示例省教育厅", UnitLevel.PROVINCE, "", "41")]
    cities = max(min(schools // 12, 17), 1)
    counties = max(min(schools // 6, 150), 1)
    for city in range(cities):
        code = f"41{city + 1:02d}"
        units.append(Unit(code, f"示例市{city + 1}教育局", UnitLevel.CITY, "41", f"41/{code}"))
    for county in range(counties):
        above = f"41{county % cities + 1:02d}"
        code = f"{above}{county + 1:03d}"
        units.append(Unit(code, f"示例县{county + 1}教育局", UnitLevel.COUNTY, above, f"41/{above}/{code}"))
    offices = [unit for unit in units if unit.level is UnitLevel.COUNTY]
    leaves = []
    for school in range(schools):
        office = offices[school % len(offices)]
        code = f"{office.code}{school:05d}"
        kinds = ("第一中学", "实验小学", "职业学校", "幼儿园")
        name = f"示例县{school % len(offices) + 1}{kinds[school // len(offices) % 4]}{school + 1}"
        leaves.append(Unit(code, name, UnitLevel.SCHOOL, office.code, f"{office.path}/{code}"))
    summaries = tuple(_summary(unit, index, random_) for index, unit in enumerate(leaves) if index % 14 != 13)
    facts = CentreFacts(units[0], (*units, *leaves), summaries, CATALOGUE.title_zh, PERIOD, NOW, PACK)
    return _poison_centre(facts) if hostile else facts


def _poison_centre(facts: CentreFacts) -> CentreFacts:
    names = {unit.code: HOSTILE[index % len(HOSTILE)] for index, unit in enumerate(facts.units)}
    return replace(
        facts,
        centre=replace(facts.centre, name="".join(HOSTILE[:4])),
        units=tuple(replace(unit, name=names[unit.code]) for unit in facts.units),
        summaries=tuple(replace(s, unit=replace(s.unit, name=names[s.unit.code])) for s in facts.summaries),
        catalogue=SCRIPT,
        exercise=SCRIPT,
    )


def _summary(unit: Unit, index: int, random_: random.Random) -> UnitSummary:
    if index % 7 == 6:
        return UnitSummary(unit, 0, 0, {}, 0, 0, None, 0, 512, 0, None, 0, 0, 0, None)
    quiet = index % 5 == 4
    planned = random_.choice((256, 512, 1024))
    hosts = random_.randrange(10, 200)
    return UnitSummary(
        unit=unit,
        hosts=hosts,
        endpoints=hosts * 3,
        live={}
        if quiet
        else {"critical": index % 3, "high": random_.randrange(0, 9), "medium": random_.randrange(0, 30)},
        overdue=0 if quiet else random_.choice((0, 0, 2, 5)),
        closed=random_.randrange(0, 9),
        mining_hosts=None if index % 3 == 1 else int(index % 8 == 0),
        suspect_hosts=int(index % 10 == 2),
        planned=planned,
        covered=planned if index % 5 == 4 else int(planned * random_.choice((0.3, 0.8, 1))),
        last_run=NOW - timedelta(days=index % 9),
        nonconform=random_.randrange(0, 12),
        answered=random_.randrange(20, 60),
        clauses=135,
        unlisted=None if index % 4 == 0 else random_.randrange(0, 20),
    )
