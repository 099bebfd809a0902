"""Whatever a school has lying about, in any order: the same map, register and findings come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from openpyxl import Workbook

from sentinel.errors import ParseError
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.schedule.importing import take_file
from sentinel.schedule.judging import judge_unit
from sentinel.store.evidence import read_evidence
from sentinel.store.findings import read_findings
from sentinel.store.register import read_register
from sentinel.store.units import write_unit
from tests.cli.written import host, nmap, service
from tests.homes import NOW, SCHOOL, opened
from tests.observe.test_report_xml import item, nessus
from tests.schedule.messy import ROWS, write_messy
from tests.schedule.test_intake_order import dump

CARDS = {"192.0.2.1": "00:00:5e:00:53:01", "192.0.2.2": "00:00:5e:00:53:02", "192.0.2.3": "00:00:5e:00:53:03"}
FLAWS = (
    "漏洞名称,风险等级,IP地址,端口,发现时间\nRedis 未授权访问,严重,192.0.2.1,6379,2026-11-01\n"
    "弱口令,高危,192.0.2.9,22,2026-11-02\n"
)


@pytest.fixture(autouse=True)
def _own_key(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "config"))


def write_files(folder: Path) -> tuple[Path, ...]:
    """An old scan, leases, neighbours, a register, a scanner's report and a list of flaws, about the same hosts."""
    (folder / "scan.xml").write_text(nmap(host("192.0.2.1", service(22, "ssh"), service(6379, "redis"))))
    leases = "".join(f"1790000000 {card} {address} pc-{address[-1]} *\n" for address, card in CARDS.items())
    (folder / "dnsmasq.leases").write_text(leases)
    arp = "".join(f"{address} dev eth0 lladdr {card} STALE\n" for address, card in CARDS.items())
    (folder / "neigh.txt").write_text(arp)
    write_messy(folder / "台账.xlsx", ROWS[:3])
    (folder / "scan.nessus").write_text(nessus(item(443, 3, "42873"), item(6379, 4, "100634", service="redis")))
    (folder / "漏洞.csv").write_bytes(FLAWS.encode("gb18030"))
    names = ("scan.xml", "dnsmasq.leases", "neigh.txt", "台账.xlsx", "scan.nessus", "漏洞.csv")
    return tuple(folder / name for name in names)


def known(context: Context, unit: Unit, *, live: bool = False) -> dict[str, object]:
    """All that came of it, without row ids, the numbers that follow from them, and the unit's own code."""
    networks = {row[0]: row[1] for row in context.database.query("SELECT id, name FROM network")}
    register = read_register(context.database, unit.code, context.load_seal())
    findings = [
        (str(replace(one, id=0, number="", key=replace(one.key, network=0))), networks.get(one.key.network))
        for one in read_findings(context.database, [unit.code])
        if one.state.is_live or not live
    ]
    return {
        **dump(context, unit),
        "register": [
            replace(line, id=0, unit="") for line in sorted(register, key=lambda line: (line.source, line.row))
        ],
        "findings": sorted((text.replace(f"'{unit.code}'", "'unit'"), name) for text, name in findings),
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    return write_files(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    with opened(tmp_path_factory.mktemp("world") / "home") as context:
        context.database.connection.execute("PRAGMA synchronous=OFF")
        yield context


def fresh_unit(context: Context, number: int) -> Unit:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        return write_unit(transaction, Unit(f"unit-{number}", "one of many"))


def test_files_in_every_order_give_the_same_map_register_and_findings(world: Context, files: tuple[Path, ...]) -> None:
    seen: dict[str, tuple[str, ...]] = {}
    for number, order in enumerate(permutations(files[:5])):
        unit = fresh_unit(world, number)
        for path in order:
            take_file(world, unit, path, "inside")
        judge_unit(world, unit)
        seen.setdefault(str(known(world, unit)), tuple(path.name for path in order))
    assert list(seen.values()) == [tuple(path.name for path in files[:5])]
    assert all(word in str(seen) for word in ("report.nessus.42873", "exposure.redis", "教务系统", "pc-3", "6379"))


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0), (3, 5, 0, 4, 2, 1)])
def test_judging_between_the_files_ends_with_the_same_live_findings(
    world: Context, files: tuple[Path, ...], order: tuple[int, ...]
) -> None:
    """What was judged too early stays as history: a port nobody had identified yet, a unit nobody had scanned."""
    each, once = (
        fresh_unit(world, 1000 + sum(place * 6**power for power, place in enumerate(order)) * 2 + two) for two in (0, 1)
    )
    for place in order:
        take_file(world, each, files[place], "inside")
        judge_unit(world, each)
    for path in files:
        take_file(world, once, path, "inside")
    judge_unit(world, once)
    assert known(world, each, live=True) == known(world, once, live=True)


def test_every_file_is_taken_for_what_it_is(context: Context, files: tuple[Path, ...]) -> None:
    taken = [take_file(context, SCHOOL, path, "inside").format for path in files]
    assert taken == ["nmap-xml", "dnsmasq-leases", "arp-table", "register", "nessus-xml", "flaw-list"]


def test_list_of_flaws_is_kept_as_evidence_unless_it_names_persons(context: Context, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(FLAWS, encoding="utf-8")
    (tmp_path / "b.csv").write_text(
        FLAWS.replace("漏洞名称", "责任人,漏洞名称").replace("\n", "\n某人,", 2), encoding="utf-8"
    )
    first, second = (take_file(context, SCHOOL, tmp_path / name, "inside").sheet for name in ("a.csv", "b.csv"))
    assert first is not None
    assert second is not None
    assert (first.kept, second.kept) == (True, False)
    assert read_evidence(context.database, first.sha256) is not None
    assert read_evidence(context.database, second.sha256) is None
    assert not context.evidence.path_of(second.sha256).exists()


def test_report_whose_findings_were_not_written_is_completed_by_importing_it_again(
    context: Context, files: tuple[Path, ...]
) -> None:
    report = files[4]
    take_file(context, SCHOOL, report, "inside")
    with context.database.transaction("tester", context.clock()) as transaction:
        transaction.execute("DELETE FROM finding")
        transaction.audit("test", "a kill between the run and its findings")
    taken = take_file(context, SCHOOL, report, "inside")
    assert taken.intake is not None
    assert taken.intake.known
    assert taken.flaws is not None
    assert taken.flaws.opened == 2


def test_workbook_that_is_neither_is_refused_with_the_two_kinds_and_the_way_out(
    context: Context, tmp_path: Path
) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["甲", "乙"])
    sheet.append([1, 2])
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(ParseError) as caught:
        take_file(context, SCHOOL, tmp_path / "a.xlsx", "inside")
    assert all(word in str(caught.value) for word in ("资产台账", "漏洞清单", "--map"))
    assert "\n" not in str(caught.value)


def test_sheet_named_by_a_person_is_read_as_that(context: Context, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("系统名称,IP地址\n教务,192.0.2.1\n", encoding="utf-8")
    with pytest.raises(ParseError, match="漏洞名称"):
        take_file(context, SCHOOL, tmp_path / "a.csv", "inside", kind="report")
    assert take_file(context, SCHOOL, tmp_path / "a.csv", "inside", kind="register").register is not None


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04 not a zip", b"a,b\n" * 3, ("甲," * 1_000_000 + "\n乙\n").encode(), b"\x00" * 99, b""]
)
def test_hostile_table_is_one_refusal(context: Context, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(data)
    with pytest.raises(ParseError):
        take_file(context, SCHOOL, tmp_path / "a.xlsx", "inside")
