from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sentinel.model.endpoint import MapRow
from sentinel.model.register import Person
from sentinel.model.standing import Reason, Standing
from sentinel.model.system import InformationSystem, SystemFacts, SystemState
from sentinel.model.upkeep import Mark, PlaceKind, PlaceReason, PlaceStanding, PlaceState
from sentinel.observe.table import Cell, Sheet, TableRow
from sentinel.report.ledger import build_ledger
from sentinel.schedule.columns import find_head
from sentinel.schedule.vocabularies import REGISTER
from tests.report.facts_factory import make_empty_facts, make_facts

SINCE = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
SYSTEMS = (
    InformationSystem(
        1, "school", SystemFacts("教务系统", business_level=3, cii=True), state=SystemState.APPROVED, confirmed_at=SINCE
    ),
    InformationSystem(2, "school", SystemFacts("网站")),
)
PLACES = (
    PlaceStanding(
        PlaceKind.SYSTEM,
        "教务系统",
        Mark(PlaceState.STALE, PlaceReason.NOT_CONFIRMED, SINCE),
        (Mark(PlaceState.SEEN, Reason.HOST_SEEN),),
        department="教务处",
        id=1,
    ),
    PlaceStanding(PlaceKind.DOMAIN, "www.other.example", Mark(PlaceState.OFF_CAMPUS, PlaceReason.OUTSIDE_ALL)),
    PlaceStanding(PlaceKind.HOST, "10.0.0.5", Mark(PlaceState.UNREGISTERED, Reason.NOT_LISTED)),
    PlaceStanding(PlaceKind.LINE, "10.0.0.6", Mark(PlaceState.UNCHECKED, Reason.NOT_COVERED)),
)

SHEETS = [
    "说明",
    "资产台账",
    "信息系统",
    "登记核对",
    "开放端口",
    "公网映射",
    "登记未发现",
    "登记未核查",
    "未登记",
    "安全隐患",
]


def tables(facts, persons=None) -> dict[str, list[dict[str, object]]]:
    found = {}
    for sheet in build_ledger(facts, persons or {}):
        heads = [column.head for column in sheet.columns]
        found[sheet.title] = [dict(zip(heads, row, strict=True)) for row in sheet.rows]
    return found


def test_build_ledger_when_built_then_every_host_line_port_and_finding_has_its_row() -> None:
    facts = make_facts(200, outside=True)
    found = tables(facts)
    told = facts.standing
    assert list(found) == SHEETS
    assert len(found["资产台账"]) == len(told.hosts)
    assert len(found["开放端口"]) == len(facts.rows)
    assert len(found["登记未发现"]) == told.count_lines(Standing.UNSEEN, Standing.RETIRED) > 0
    assert len(found["登记未核查"]) == told.count_lines(Standing.UNCHECKED) > 0
    assert len(found["未登记"]) == told.count_hosts(Standing.UNREGISTERED) > 0
    states = Counter(row["登记状态"] for row in found["资产台账"])
    assert states["未登记"] == len(found["未登记"])
    assert {"是", "未见"} == {row["互联网可达"] for row in found["资产台账"]}
    numbers = {one.number for one in facts.findings if one.state.value not in {"closed", "verified"}}
    assert {row["编号"] for row in found["安全隐患"]} == numbers


def test_build_ledger_when_a_host_has_ports_then_they_are_folded_as_a_register_is_read() -> None:
    facts = make_facts(12)
    row = next(one for one in tables(facts)["资产台账"] if "3306" in str(one["端口"]))
    assert row["端口"] == "22、3306、6379"
    ports = {str(one["端口"]) for one in tables(make_facts(200))["资产台账"]}
    assert any("161/udp" in one for one in ports)


def test_build_ledger_when_systems_are_declared_then_each_has_its_row_and_its_state() -> None:
    facts = replace(make_facts(12), systems=SYSTEMS, places=PLACES)
    found = tables(facts)
    first, second = found["信息系统"]
    assert (first["登记的系统"], first["登记进度"], first["所定等级"]) == ("教务系统", "已审核", "三级")
    assert (first["核对结果"], first["核对理由"]) == ("登记过期", "逾期未确认（2026-11-02）")
    assert (second["登记进度"], second["核对结果"]) == ("草稿", "")
    (row, *_) = found["登记核对"]
    assert (row["类"], row["对象"], row["另外"], row["主责部门"]) == ("信息系统项", "教务系统", "登记且发现", "教务处")
    about = dict(_pairs(facts))
    assert (about["系统登记"], about["登记过期"], about["双非网站"]) == ("2 个", "1 项（登记核对）", "1 项（登记核对）")
    assert not any("关" in str(value) for value in first.values()), "critical infrastructure is not told"
    sheets = build_ledger(facts, {})
    assert all(find_head(Sheet("x", _as_rows(one)), REGISTER) is None for one in (sheets[0], *sheets[2:5]))


def _pairs(facts) -> list[tuple[str, str]]:
    return [(str(one[0]), str(one[1])) for one in build_ledger(facts, {})[0].rows]


def _as_rows(sheet) -> tuple[TableRow, ...]:
    heads = tuple(Cell(column.head) for column in sheet.columns)
    rows = (tuple(Cell("" if value is None else str(value)) for value in row) for row in sheet.rows)
    return tuple(TableRow("x", number, cells) for number, cells in enumerate((heads, *rows), 1))


def test_build_ledger_when_nothing_is_known_then_it_says_not_checked() -> None:
    found = tables(make_empty_facts())
    about = {row["x"]: row["y"] for row in _prose(make_empty_facts())}
    assert all(about[key].startswith("未核查") for key in ("登记", "发现", "未登记", "登记未发现", "登记未核查"))
    assert all(not found[name] for name in SHEETS[1:])


def _prose(facts) -> list[dict[str, str]]:
    rows = list(build_ledger(facts, {})[0].rows)
    return [{"x": str(name), "y": str(words)} for name, words in rows]


@pytest.mark.parametrize("shown", [True, False])
def test_build_ledger_when_persons_are_not_asked_for_then_none_is_told(shown: bool) -> None:
    facts = make_facts(12)
    persons = {line.entry.id: Person("张三", "0371-1") for line in facts.standing.lines}
    found = tables(facts, persons if shown else {})
    assert ("张三" in str(found)) is ("0371-1" in str(found)) is shown


def test_build_ledger_when_read_back_as_a_register_then_only_hosts_and_lines_have_a_head() -> None:
    facts = make_facts(12)
    names = ("domain", "domain-s", "ip", "url", "port")
    rows = tuple(_speaking(facts.rows[0], name) for name in names)
    readable = []
    for sheet in build_ledger(replace(facts, rows=rows), {}):
        heads = [column.head for column in sheet.columns]
        lines = [heads, *([str(value or "") for value in row] for row in sheet.rows)]
        table = [TableRow(sheet.title, number, tuple(map(Cell, line))) for number, line in enumerate(lines, start=1)]
        if find_head(Sheet(sheet.title, tuple(table))):
            readable.append(sheet.title)
    assert readable == ["资产台账", "登记未发现", "登记未核查"]


def _speaking(row: MapRow, service: str) -> MapRow:
    mark = replace(row.endpoint.fingerprint, service=service)
    return replace(row, endpoint=replace(row.endpoint, fingerprint=mark))


def test_build_ledger_when_it_is_a_drill_then_it_says_so() -> None:
    assert any("秋季演练" in row["y"] for row in _prose(replace(make_facts(12), exercise="秋季演练")))
