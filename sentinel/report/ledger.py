"""Facts of a unit in, the sheets of its asset ledger out (资产台账): hosts, ports, who is missing, findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sentinel.model.endpoint import Host, MapRow
from sentinel.model.facts import UnitFacts
from sentinel.model.moment import SHANGHAI, local_text
from sentinel.model.ports import PortSet
from sentinel.model.register import Person, RegisterEntry
from sentinel.model.rule import Severity
from sentinel.model.standing import HostStanding, LineStanding, Standing
from sentinel.model.unit import IPAddress
from sentinel.model.upkeep import Mark, PlaceState
from sentinel.report.actions import has_looked_outside
from sentinel.report.findings import exempted_findings, live_findings, split_subject
from sentinel.report.hosts import service_name
from sentinel.report.ledger_published import PUBLISHED_HEADS, published_rows
from sentinel.report.ledger_systems import PLACE_HEADS, SYSTEM_HEADS, columns_of, place_row, system_rows
from sentinel.report.place_words import place_reason, place_state
from sentinel.report.published import ways_in
from sentinel.report.standing import count_unseen, place_words, planned_lines, rows_by_host
from sentinel.report.values import Text
from sentinel.report.view_scope import build_ending, covered_share, covered_words, has_looked
from sentinel.report.words import service_text, term, text
from sentinel.report.workbook import Column, Sheet, Value

TITLE: Final = "资产台账"
Place = tuple[str, IPAddress]
Persons = Mapping[int, Person]
"""Persons by row id of their line; empty when they are not to be shown."""

_OWNER: Final = (("系统名称", 22), ("责任部门", 16), ("责任人", 12), ("联系电话", 16))
_REGISTERED: Final = (
    ("等保级别", 9), ("等保备案号", 22), ("资产类型", 12), ("位置", 16), ("有效期至", 12), ("备注", 24),
)  # fmt: skip
_TRACES: Final = (
    ("其他名称", 16), ("所属网络", 14), ("网络区域", 11), ("首次发现", 17), ("最近发现", 17), ("操作系统", 20),
    ("网卡", 18), ("厂商", 16), ("互联网可达", 10), ("公网映射", 30), ("最重隐患", 9), ("隐患个数", 9),
)  # fmt: skip
_HOST: Final = (
    ("IP地址", 20), ("域名", 28), ("端口", 24), *_OWNER, ("登记状态", 14), ("不在登记内的端口", 18),
    *_TRACES, *_REGISTERED,
)  # fmt: skip
_LINE: Final = (
    ("IP地址", 20), ("域名", 28), ("端口", 24), *_OWNER, ("登记状态", 14), ("依据", 26), ("台账出处", 28), *_REGISTERED,
)  # fmt: skip
# Heads no register has: these sheets are not read in again, or every port would become a line.
_PORT: Final = (
    ("主机", 20), ("所开端口", 9), ("传输层", 9), ("识别服务", 18), ("产品", 20), ("版本", 12), ("标题", 28),
    ("探测位置", 10), ("所属网络", 14), ("首次开放", 17), ("最近确认", 17), ("仅按端口推测", 12),
)  # fmt: skip
_UNKNOWN: Final = (("主机", 20), ("已知名称", 28), ("所开端口", 30), *_TRACES)
_FINDING: Final = (
    ("编号", 18), ("等级", 7), ("安全隐患", 30), ("对象", 26), ("整改部门", 16), ("状态", 10), ("首次发现", 17),
    ("整改期限", 12), ("逾期", 6), ("事实", 40), ("整改建议", 44), ("规则", 26), ("条款", 14), ("证据 SHA-256", 20),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of hosts beside their standing, by network and address."""

    rows: Mapping[Place, Sequence[MapRow]]
    hosts: Mapping[Place, Host]
    severities: Mapping[Place, Sequence[Severity]]
    looked_outside: bool
    published: Mapping[IPAddress, Sequence[Text]]


def build_ledger(facts: UnitFacts, persons: Persons) -> tuple[Sheet, ...]:
    """Build the sheets; the three of hosts and lines have heads that can be read in again as a register."""
    lines, planned = facts.standing.lines, planned_lines(facts)
    absent = [line for line in lines if line.standing in {Standing.UNSEEN, Standing.RETIRED}]
    unchecked = [line for line in lines if line.standing is Standing.UNCHECKED]
    known = {(host.network, host.address): host for host in facts.hosts}
    looked = has_looked_outside(facts)
    seen = _Seen(rows_by_host(facts), known, _severities(facts), looked, ways_in(facts))
    return (
        Sheet("说明", (Column("", 16), Column("", 110)), _about(facts, shown=bool(persons))),
        Sheet(TITLE, _columns(_HOST), (_host(one, seen, persons) for one in facts.standing.hosts)),
        Sheet("信息系统", columns_of(SYSTEM_HEADS), system_rows(facts)),
        Sheet("登记核对", columns_of(PLACE_HEADS), map(place_row, facts.places)),
        Sheet("开放端口", _columns(_PORT), map(_port, facts.rows)),
        Sheet("公网映射", columns_of(PUBLISHED_HEADS), published_rows(facts)),
        Sheet("登记未发现", _columns(_LINE), (_line(line, persons, planned) for line in absent)),
        Sheet("登记未核查", _columns(_LINE), (_line(line, persons, planned) for line in unchecked)),
        Sheet("未登记", _columns(_UNKNOWN), _unknown(facts, seen)),
        Sheet("安全隐患", _columns(_FINDING), _findings(facts)),
    )


def _columns(pairs: Sequence[tuple[str, int]]) -> tuple[Column, ...]:
    return tuple(Column(head, width) for head, width in pairs)


def _about(facts: UnitFacts, *, shown: bool) -> Iterator[Sequence[Value]]:
    told, covered = facts.standing, covered_share(facts)
    yield TITLE, f"{facts.unit.name}（{facts.unit.code}）"
    if facts.exercise:
        yield "演练", f"演练数据，非真实情况：{facts.exercise}"
    yield "生成时间", f"{local_text(facts.generated_at)}（北京时间，表中时间均同）"
    yield "统计周期", facts.period.label
    yield "登记", f"{len(told.lines)} 条" if told.lines else "未核查：尚未导入资产台账"
    yield "发现", f"{len(told.hosts)} 台" if has_looked(facts) else "未核查：没有任何扫描或导入结果"
    compared = bool(told.lines) and has_looked(facts)
    yield "未登记", f"{told.count_hosts(Standing.UNREGISTERED)} 台" if compared else "未核查"
    yield "登记未发现", f"{count_unseen(facts)} 条" if told.lines else "未核查"
    yield "系统登记", f"{len(facts.systems)} 个" if facts.systems else "未登记：sentinel register template 写出模板"
    for state in (PlaceState.OFF_CAMPUS, PlaceState.ZOMBIE, PlaceState.STALE, PlaceState.OFFLINE):
        if count := sum(one.is_in(state) for one in facts.places):
            yield place_state(state).zh, f"{count} 项（登记核对）"
    yield "登记未核查", f"{told.count_lines(Standing.UNCHECKED)} 条" if told.lines else "未核查"
    yield (
        "公网映射",
        f"{len(facts.published)} 条" if facts.published else "未登记：sentinel publication import 防火墙配置",
    )
    yield "地址覆盖", covered_words(facts).zh if covered.whole else "未申报地址范围，无法计算"
    yield "怎样读", "资产台账每台主机一行；登记未发现只列扫描确已查过而没有见到的登记，没有查过的列在登记未核查。"
    yield "", "不在登记内的端口：主机已登记、该端口未登记。登记没有写端口的，视为登记整台主机。"
    yield (
        "再次导入",
        "资产台账、登记未发现、登记未核查三张表补填后可再次导入；其余各表不作登记读入。没有补填的未登记主机仍是未登记。",
    )
    yield "", "要代替原来的台账：用 --show-persons 写出，补填后 sentinel register import 台账.xlsx --replace 原文件名。"
    masked = "姓名和电话不列出；sentinel ledger --show-persons 列出（需要联系人密钥）。"
    yield "责任人", "姓名和电话已列出，按个人信息保管。" if shown else masked
    for sentence in build_ending(facts).unknowns:
        yield "目前不知道", sentence.zh
    yield "规则包", facts.pack_hash


def _host(one: HostStanding, seen: _Seen, persons: Persons) -> Sequence[Value]:
    return (
        *_identity(one, seen),
        *_owner(one.entry, persons),
        text(f"standing_{one.standing.value}").zh,
        _fold_ports(one.unlisted),
        *_traces(one, seen),
        *_registered(one.entry),
    )


def _unknown(facts: UnitFacts, seen: _Seen) -> Iterator[Sequence[Value]]:
    for one in facts.standing.hosts:
        if one.standing is Standing.UNREGISTERED:
            yield *_identity(one, seen), *_traces(one, seen)


def _identity(one: HostStanding, seen: _Seen) -> tuple[Value, ...]:
    """Give the address, its domain names, and its open ports."""
    rows = seen.rows.get((one.network, one.address), ())
    ports = {(row.endpoint.key.proto, row.endpoint.key.port) for row in rows}
    return str(one.address), "、".join(name for name in _names(one, seen) if "." in name), _fold_ports(ports)


def _names(one: HostStanding, seen: _Seen) -> list[str]:
    rows, host = seen.rows.get((one.network, one.address), ()), seen.hosts.get((one.network, one.address))
    return sorted({name for row in rows for name in row.names} | set(host.names if host else ()))


def _traces(one: HostStanding, seen: _Seen) -> tuple[Value, ...]:
    """Give host names, network, zone, first and last sight, system, card, maker, exposure, and findings."""
    place = (one.network, one.address)
    rows, host, severities = seen.rows.get(place, ()), seen.hosts.get(place), seen.severities.get(place, ())
    first = [row.endpoint.valid_from for row in rows] + [host.first_seen if host else None]
    last = [row.endpoint.last_confirmed for row in rows] + [host.last_seen if host else None]
    zone = host.zone if host else rows[0].zone if rows else None
    return (
        "、".join(name for name in _names(one, seen) if "." not in name),
        one.network,
        term(zone).zh if zone else "",
        min((moment for moment in first if moment), default=None),
        max((moment for moment in last if moment), default=None),
        host.os if host else "",
        host.mac if host else "",
        host.vendor if host else "",
        "是" if one.outside else "未见" if seen.looked_outside else "未核查",
        "、".join(way.zh for way in seen.published.get(one.address, ())),
        term(min(severities, key=lambda severity: severity.rank)).zh if severities else "",
        len(severities),
    )


def _line(line: LineStanding, persons: Persons, planned: Mapping[int, Mark]) -> Sequence[Value]:
    entry, plan = line.entry, planned.get(line.entry.id)
    return (
        "、".join(place_words(entry)[: len(entry.addresses)]),
        "、".join(entry.domains),
        "、".join(_words(proto, ports) for proto, ports in entry.ports),
        *_owner(entry, persons),
        place_state(plan.state).zh if plan else text(f"standing_{line.standing.value}").zh,
        place_reason(plan).zh if plan else text(f"reason_{line.reason.value}").zh,
        f"{entry.source} {entry.sheet} 第 {entry.row} 行",
        *_registered(entry),
    )


def _owner(entry: RegisterEntry | None, persons: Persons) -> tuple[Value, ...]:
    if entry is None:
        return "", "", "", ""
    person = persons.get(entry.id, Person())
    return entry.system, entry.department, person.name, person.phone


def _registered(entry: RegisterEntry | None) -> tuple[Value, ...]:
    if entry is None:
        return "", "", "", "", None, ""
    return entry.mlps_level, entry.filing, entry.kind, entry.place, _day(entry.valid_to), entry.note


def _port(row: MapRow) -> Sequence[Value]:
    endpoint, mark = row.endpoint, row.endpoint.fingerprint
    key = endpoint.key
    return (
        str(key.address),
        key.port,
        key.proto,
        _service(service_name(endpoint)),
        mark.product,
        mark.version,
        endpoint.title,
        key.vantage,
        row.network,
        endpoint.valid_from,
        endpoint.last_confirmed,
        "是" if mark.guessed else "",
    )


def _service(name: str) -> str:
    """Write a service so that no row looks like the head of a register: that of DNS is called `domain`."""
    words = service_text(name).zh
    return f"{words} 服务" if words == name else words


def _findings(facts: UnitFacts) -> Iterator[Sequence[Value]]:
    for one in (*live_findings(facts.findings), *exempted_findings(facts.findings)):
        yield (
            one.number,
            term(one.severity).zh,
            one.title_zh or one.key.rule,
            one.key.subject,
            facts.owners.get(one.id, "未指定"),
            term(one.state).zh,
            one.first_seen,
            _day(one.due),
            "是" if one.is_overdue(facts.generated_at) else "",
            one.detail,
            one.remediation_zh,
            one.key.rule,
            "、".join(one.clauses),
            one.evidence,
        )


def _severities(facts: UnitFacts) -> dict[Place, list[Severity]]:
    names = {network.id: network.name for network in facts.networks}
    names |= {row.endpoint.key.network: row.network for row in facts.rows}
    places = {(host.network, str(host.address)): (host.network, host.address) for host in facts.standing.hosts}
    found: defaultdict[Place, list[Severity]] = defaultdict(list)
    for one in live_findings(facts.findings):
        place = places.get((names.get(one.key.network, ""), split_subject(one.key.subject)[0]))
        if place:
            found[place].append(one.severity)
    return found


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(SHANGHAI).date() if moment else None


def _fold_ports(ports: Iterable[tuple[str, int]]) -> str:
    """Write ports as `22、80、8000-8010、53/udp`, the form a register is read in."""
    by_proto: defaultdict[str, list[int]] = defaultdict(list)
    for proto, port in ports:
        by_proto[proto].append(port)
    return "、".join(_words(proto, PortSet.of_ports(found)) for proto, found in sorted(by_proto.items()))


def _words(proto: str, ports: PortSet) -> str:
    suffix = "" if proto == "tcp" else f"/{proto}"
    return "、".join(f"{piece}{suffix}" for piece in str(ports).split(","))
