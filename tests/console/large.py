"""A large home, written through the store's own functions: seeded, so that the same call gives the same home.

The hosts are those of `tests/report/facts_factory`; besides, the home has names, intervals that ended, runs with their
coverage and confirmations, findings with events, and a register.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_network
from itertools import islice
from pathlib import Path

from sentinel.model.endpoint import AddressRanges, Coverage, Endpoint, EndpointKey, EndpointState, Fingerprint, Run
from sentinel.model.evidence import Evidence
from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState
from sentinel.model.observation import Certificate
from sentinel.model.place import ServerPlace
from sentinel.model.ports import parse_ranges
from sentinel.model.register import RegisterEntry
from sentinel.model.unit import Network, Zone
from sentinel.store import endpoints as store
from sentinel.store.database import Transaction
from sentinel.store.evidence import write_evidence
from sentinel.store.findings import write_findings
from sentinel.store.idset import IdSet
from sentinel.store.register import write_register
from sentinel.store.runs import NewRun, RunChanges, finish_run, write_run
from sentinel.store.units import write_network
from tests.homes import NOW, SCHOOL, opened
from tests.report.facts_factory import RISKS, ROLES, ZONE_ROLES, Service, digest

JOB = 64
DAY = timedelta(days=1)
PORTS = (("tcp", parse_ranges("21-9100")), ("udp", parse_ranges("53-1900")))
ZONES = (Zone.SERVER, Zone.OFFICE, Zone.OFFICE, Zone.IOT, Zone.DMZ, Zone.EXAM)


def make_large_home(
    path: Path, endpoints: int = 50_000, seed: int = 11, now: datetime = NOW, server: ServerPlace | None = None
) -> None:
    """Make a home whose map has about so many open endpoints, scanned six times in the last ten weeks."""
    random_ = random.Random(seed)
    with (
        opened(path, server=server) as context,
        context.database.transaction("tester", now, objects=True) as transaction,
    ):
        networks = _write_networks(transaction, endpoints)
        hosts = list(_hosts(networks, endpoints, random_))
        _write_map(transaction, hosts, random_, now)
        _write_findings(transaction, hosts, random_, now)
        _write_register(transaction, hosts, now)
        transaction.audit("test.large", "home", after={"endpoints": endpoints})


HostPlan = tuple[Network, IPv4Address, tuple[Service, ...]]


def _write_networks(transaction: Transaction, endpoints: int) -> list[Network]:
    count = max(endpoints // 400, 2)
    made = []
    for index in range(count):
        prefix = ip_network(f"10.{20 + index // 256}.{index % 256}.0/24")
        zone = ZONES[index % len(ZONES)]
        made.append(write_network(transaction, Network(0, SCHOOL.code, f"{zone.value}-{index:03d}", zone, (prefix,))))
    return made


def _hosts(networks: Sequence[Network], endpoints: int, random_: random.Random) -> Iterator[HostPlan]:
    written = 0
    while written < endpoints:
        for network in networks:
            base = int(network.prefixes[0].network_address)
            taken = random_.sample(range(1, 255), 180)
            for offset in taken:
                services = ROLES[random_.choice(ZONE_ROLES[network.zone])]
                yield network, IPv4Address(base + offset), services
                written += len(services)
                if written >= endpoints:
                    return


def _write_map(transaction: Transaction, hosts: Sequence[HostPlan], random_: random.Random, now: datetime) -> None:
    scans = [now - DAY * days for days in (70, 56, 42, 28, 14, 1)]
    first = {host[1]: random_.choices(range(6), (60, 8, 8, 8, 8, 8))[0] for host in hosts}
    number = 0
    opened_, closed, names, rows = [], [], [], []
    seen: dict[int, list[int]] = {scan: [] for scan in range(6)}
    for index, (network, address, services) in enumerate(hosts):
        began = first[address]
        at = scans[began]
        last = now - DAY * random_.choice((0, 0, 0, 1, 3, 9, 40))
        rows += [(network.id, str(address), _mac(index), "示例厂商", "Linux 5.x" if index % 3 else "", True, _us(at))]
        rows += [(network.id, str(address), "", "", "", True, _us(last))]
        if index % 3 == 0:
            names.append((network.id, str(address), f"host-{index}.{network.name}.school.example", "dns", _us(at)))
        for service in services:
            number += 1
            until = 6 if random_.random() > 0.04 else random_.randrange(began, 6) + 1
            one = _endpoint(number, network, address, service, at, index)
            opened_.append(one)
            for scan in range(began, min(until, 6)):
                seen[scan].append(number)
            if until < 6:
                closed.append((number, until))
    store.write_hosts(transaction, rows)
    store.write_names(transaction, names)
    changes = [
        RunChanges(
            opened=IdSet(one.id for one in opened_ if first[one.key.address] == scan),
            closed=IdSet(one for one, until in closed if until == scan),
        )
        for scan in range(6)
    ]
    runs = _write_runs(transaction, hosts, scans, seen, changes)
    store.write_opened(transaction, [replace(one, opened_by=runs[first[one.key.address]]) for one in opened_])
    for scan in range(1, 6):
        ended = [(one, "missed") for one, until in closed if until == scan]
        store.write_closed(transaction, scans[scan], runs[scan], ended)


def _endpoint(
    number: int, network: Network, address: IPv4Address, service: Service, at: datetime, index: int
) -> Endpoint:
    shown = digest(f"certificate {index % 900}") if service.tunnel else ""
    certificate = (
        Certificate(
            sha256=shown,
            subject=f"CN=www-{index % 900}.school.example",
            issuer="CN=示例签发机构",
            names=(f"www-{index % 900}.school.example",),
            not_before=at - DAY * 100,
            not_after=NOW + DAY * (index % 400 - 20),
            key_type="rsa",
            key_bits=2048,
            signature="sha256WithRSAEncryption",
            self_signed=index % 7 == 0,
        )
        if shown
        else None
    )
    return Endpoint(
        key=EndpointKey(network.id, "inside", address, service.proto, service.port),
        state=EndpointState.OPEN,
        fingerprint=Fingerprint(service.name, service.guessed, service.product, service.version, service.tunnel, shown),
        valid_from=at,
        title=f"第 {index} 号管理页" if service.name == "http" else "",
        certificate=certificate,
        id=number,
    )


def _write_runs(
    transaction: Transaction,
    hosts: Sequence[HostPlan],
    scans: Sequence[datetime],
    seen: dict[int, list[int]],
    changes: Sequence[RunChanges],
) -> list[int]:
    """Write the jobs of each scan, of which the first makes all changes; gives the id of each scan's first job."""
    addresses = sorted({address for _, address, _ in hosts})
    firsts = []
    for scan, at in enumerate(scans):
        batches = list(_batches(addresses))
        share = -(-len(seen[scan]) // len(batches))
        for job, batch in enumerate(batches):
            sha256 = digest(f"evidence {scan} {job}")
            write_evidence(transaction, Evidence(sha256, 40_000, f"scan-{scan}-{job}.xml", "nmap-xml", at))
            run = Run(
                id=0,
                unit=SCHOOL.code,
                kind="scan",
                evidence=sha256,
                source=f"{batch[0]} 等 {len(batch)} 个地址",
                format="nmap-xml",
                tool="nmap 7.93",
                vantage="inside",
                operator="信息中心",
                time=at + timedelta(seconds=job),
                time_quality="stated",
                hosts_up=len(batch),
                endpoints_open=share,
                observations=len(batch),
                events=0,
            )
            covered = AddressRanges(tuple((one, one) for one in batch))
            number = write_run(transaction, NewRun(run, at, f"scan-{scan}"), Coverage(PORTS, covered))
            made = changes[scan] if job == 0 else RunChanges()
            made.confirmed.update(seen[scan][job * share : (job + 1) * share])
            finish_run(transaction, number, events=share if scan == 0 else 3, held=False, changes=made)
            if job == 0:
                firsts.append(number)
    return firsts


def _batches(addresses: Sequence[IPv4Address]) -> Iterator[list[IPv4Address]]:
    rest = iter(addresses)
    while batch := list(islice(rest, JOB)):
        yield batch


def _write_findings(transaction: Transaction, hosts: Sequence[HostPlan], random_: random.Random, now: datetime) -> None:
    by_port = {risk.port: risk for risk in RISKS}
    steps = []
    for network, address, services in hosts:
        for service in services:
            risk = by_port.get(service.port)
            if risk is None or random_.random() > 0.35:
                continue
            first = now - DAY * random_.randrange(1, 70)
            state = random_.choices((FindingState.OPEN, FindingState.RECTIFYING, FindingState.VERIFIED), (8, 1, 1))[0]
            finding = Finding(
                id=0,
                number="",
                key=FindingKey(SCHOOL.code, risk.rule, network.id, f"{address}:{service.port}/{service.proto}"),
                source=FindingSource.OWN_SCAN,
                severity=risk.severity,
                state=state,
                first_seen=first,
                last_seen=now - DAY,
                due=first + DAY * 30,
                clauses=risk.clauses,
                evidence=digest(f"evidence 5 {random_.randrange(100)}"),
                title_zh=risk.zh,
                title_en=risk.en,
                remediation_zh=risk.fix_zh,
                remediation_en=risk.fix_en,
                detail=f"port={service.port} product={service.product} version={service.version}",
                closed_at=now - DAY if state is FindingState.VERIFIED else None,
            )
            steps.append((finding, "", "first seen"))
    write_findings(transaction, steps)


def _write_register(transaction: Transaction, hosts: Sequence[HostPlan], now: datetime) -> None:
    write_register(
        transaction,
        (
            RegisterEntry(
                id=0,
                unit=SCHOOL.code,
                source="资产登记表.xlsx",
                source_sha256=digest("register"),
                sheet="总表",
                row=row,
                system=f"第 {row} 号系统",
                addresses=(ip_network(str(address)),),
                department=f"第{row % 30 + 1}学院",
            )
            for row, (_, address, _) in enumerate(hosts[:2000:2], start=2)
        ),
        None,
    )


def _mac(index: int) -> str:
    return ":".join(f"{byte:02x}" for byte in (0x02 << 40 | index).to_bytes(6, "big"))


def _us(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)
