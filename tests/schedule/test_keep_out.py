from __future__ import annotations

from io import BytesIO
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from openpyxl import Workbook

from sentinel.errors import ParseError
from sentinel.model.evidence import RunKind
from sentinel.model.register import KeepOut
from sentinel.model.unit import Unit, UnitLevel
from sentinel.schedule import keep_out
from sentinel.schedule.answers import read_places
from sentinel.schedule.context import Context
from sentinel.schedule.entries import parse_addresses
from sentinel.schedule.importing import take_file
from sentinel.schedule.intake import Origin, replace_networks, take_in
from sentinel.schedule.keep_out import build_kept_out, load_kept_out, refuse_kept_out
from sentinel.schedule.reading import read_map
from sentinel.store.declared import withdraw_keep_out, write_keep_out
from sentinel.store.register import read_register
from sentinel.store.units import write_unit
from tests.cli.written import host, masscan_json, nmap, service
from tests.homes import NOW, SCHOOL, opened

KEPT = build_kept_out([ip_network("10.1.0.5/32"), ip_network("10.9.0.0/16"), ip_network("2001:db8:5::/48")])


def keep(context: Context, prefix: str, unit: str = SCHOOL.code) -> KeepOut:
    with context.database.transaction("tester", NOW) as transaction:
        return write_keep_out(transaction, KeepOut(0, unit, (ip_network(prefix),), "按规定"))


def found(text: bytes) -> int:
    return KEPT.count_ranges(KEPT.find_in(BytesIO(text)))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b'<address addr="10.1.0.5"/>', 1),
        (b"lease 10.9.3.4 {\n 10.9.3.4", 1),
        (b"10.1.0.5:443 and 10.9.0.1, see 10.9.0.2.", 3),
        (b"10.1.0.50 110.1.0.5 10.1.0.5.7 10.1.0.6 1.10.1.0.5", 0),
        (b"10.1.0.999 10.9.1", 0),
        (b"[2001:db8:5::1]:80 2001:DB8:5:0:0:0:0:1", 1),
        (b"2001:db8:6::1 12:34:56 fe80::1", 0),
        (b"::ffff:10.1.0.5", 1),
        (b"::FFFF:a01:5 and 10.1.0.5", 1),
        (b"0:0:0:0:0:ffff:0a01:0005", 1),
        (b"::ffff:a01:6", 0),
    ],
)
def test_find_when_an_address_is_written_anywhere_finds_it_and_no_other(text: bytes, count: int) -> None:
    assert found(text) == count


@pytest.mark.parametrize("shift", range(-20, 6))
def test_find_when_chunks_part_inside_an_address_reads_it_whole(shift: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_out, "_CHUNK", 256)
    before = b"x" * (256 + shift)
    assert found(before + b" 10.1.0.5 " + b"y" * 600) == 1
    assert found(before + b" 10.1.0.57 110.1.0.5 " + b"y" * 600) == 0


def test_import_that_holds_a_kept_out_address_is_refused_by_number_and_nothing_is_stored(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        keep(context, "10.1.0.4/31")
        text = nmap(host("10.1.0.5", service(22, "ssh")), host("10.1.0.9", service(22, "ssh"))).encode()
        with pytest.raises(ParseError, match=r"^a\.xml: holds 1 address that is declared to stay out") as caught:
            take_in(context, SCHOOL, BytesIO(text), Origin("a.xml", RunKind.IMPORT, "inside"))
        assert "10.1.0" not in str(caught.value)
        assert read_map(context, SCHOOL) == ()
        assert list(context.home.evidence.rglob("*.zst")) == []
        assert context.database.one("SELECT count(*) FROM run") == (0,)


def test_declaration_when_made_later_takes_what_was_seen_off_the_map(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        text = nmap(host("10.1.0.5", service(22, "ssh")), host("10.1.0.9", service(22, "ssh"))).encode()
        take_in(context, SCHOOL, BytesIO(text), Origin("a.xml", RunKind.IMPORT, "inside"))
        keep(context, "10.1.0.4/31")
        with context.database.transaction("tester", NOW) as transaction:
            replace_networks(context, transaction, SCHOOL)
            transaction.audit("test", "test")
        assert [str(row.endpoint.key.address) for row in read_map(context, SCHOOL)] == ["10.1.0.9"]


def test_kept_out_of_a_school_holds_for_its_departments_and_not_for_other_schools(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        department = Unit("dept", "信息学院", UnitLevel.DEPARTMENT, parent="school")
        other = Unit("other", "另一所")
        with context.database.transaction("tester", NOW, objects=True) as transaction:
            write_unit(transaction, department)
            write_unit(transaction, other)
        keep(context, "10.1.0.5/32")
        keep(context, "10.2.0.0/24", "dept")
        asked = [ip_address("10.1.0.5"), ip_address("10.2.0.1")]
        counts = {unit.code: load_kept_out(context, unit).count(asked) for unit in (SCHOOL, department, other)}
        assert counts == {"school": 2, "dept": 2, "other": 0}


@pytest.mark.parametrize("kept", ["10.1.0.5", "::ffff:10.1.0.5", "::ffff:a01:5/128"])
def test_kept_out_however_either_side_is_written_is_refused_by_entries_imports_and_mappings(
    kept: str, tmp_path: Path
) -> None:
    with opened(tmp_path / "home") as context:
        (declared,) = read_places(kept)
        assert declared == ip_network("10.1.0.5/32")
        with context.database.transaction("tester", NOW) as transaction:
            write_keep_out(transaction, KeepOut(0, SCHOOL.code, (ip_network(kept),), "按规定"))
        stays = load_kept_out(context, SCHOOL)
        for text in ("10.1.0.5", "::ffff:10.1.0.5", "::ffff:a01:5"):
            assert stays.meets(ip_address(text))
            with pytest.raises(ParseError, match="holds 1 address"):
                refuse_kept_out(context, SCHOOL, parse_addresses(text), "白名单")
            log = f"ts,ip\n2026-11-01 08:00:00,{text}\n".encode()
            assert stays.count_ranges(stays.find_in(BytesIO(log))) == 1
        for number, text in enumerate(("::ffff:10.1.0.5", "[::ffff:a01:5]", "http://[::ffff:10.1.0.5]/")):
            sheet = tmp_path / f"{number}.csv"
            sheet.write_text(f"系统名称,IP地址\n教务系统,{text}\n", encoding="utf-8")
            with pytest.raises(ParseError, match="holds 1 address that is"):
                take_file(context, SCHOOL, sheet, "inside")
        text = nmap(host("10.1.0.9", service(22)), target="::ffff:10.1.0.5/128").encode()
        with pytest.raises(ParseError, match="holds 1 address that is"):
            take_in(context, SCHOOL, BytesIO(text), Origin("a.xml", RunKind.IMPORT, "inside"))


def test_refuse_when_a_prefix_meets_what_stays_out_counts_it_and_lets_others_pass(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        stored = keep(context, "10.1.0.0/30")
        refuse_kept_out(context, SCHOOL, [ip_network("10.1.0.8/29"), "10.2.0.0/16"], "台账.xlsx")
        with pytest.raises(ParseError, match=r"台账\.xlsx: holds 4 addresses that are"):
            refuse_kept_out(context, SCHOOL, ["10.1.0.0/24"], "台账.xlsx")
        with context.database.transaction("tester", NOW) as transaction:
            withdraw_keep_out(transaction, SCHOOL.code, stored.id, "已搬走")
        refuse_kept_out(context, SCHOOL, ["10.1.0.0/24"], "台账.xlsx")


def test_sheet_that_holds_a_kept_out_address_is_refused_as_a_whole_by_number(tmp_path: Path) -> None:
    sheet = tmp_path / "台账.csv"
    sheet.write_text("系统名称,IP地址\n教务系统,10.1.0.5\n网站,10.1.0.9\n", encoding="utf-8")
    with opened(tmp_path / "home") as context:
        stored = keep(context, "10.1.0.5/32")
        with pytest.raises(ParseError, match=r"^台账\.csv: holds 1 address that is") as caught:
            take_file(context, SCHOOL, sheet, "inside")
        assert "10.1.0" not in str(caught.value)
        assert read_register(context.database, SCHOOL.code) == ()
        with context.database.transaction("tester", NOW) as transaction:
            withdraw_keep_out(transaction, SCHOOL.code, stored.id, "登记有误")
        take_file(context, SCHOOL, sheet, "inside")
        assert len(read_register(context.database, SCHOOL.code)) == 2


ARP = "10.1.0.5              00-11-22-33-44-55     动态\r\n10.1.0.9              00-11-22-33-44-56     动态\r\n"
WINDOWS = f"接口: 10.1.0.2 --- 0x3\r\n  Internet 地址         物理地址              类型\r\n{ARP}"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("arp.txt", WINDOWS.encode("utf-16")),
        ("arp.txt", b"\xfe\xff" + WINDOWS.encode("utf-16-be")),
        ("masscan.json", masscan_json([("10.1.0.5", 80)]).replace("10.1.0.5", r"10.1.\u0030.5").encode()),
        ("scan.xml", nmap(host("10.1.0.5", service(22))).replace("10.1.0.5", "10.1.&#48;.5").encode()),
        ("台账.csv", "系统名称,IP地址,备注\n教务,10.1.0.9,另有１０．１．０．５\n".encode()),
        ("台账.csv", "系统名称,IP地址,备注\n10.1.0.5 的系统,10.1.0.9,\n".encode("gb18030")),
        ("漏洞.csv", "漏洞名称,风险等级,IP地址,整改建议\n弱口令,高危,10.1.0.9,登录 10.1.0.5 后改\n".encode()),
        ("漏洞.csv", "漏洞名称,风险等级,IP地址,状态\na,高危,10.1.0.9,\nb,高危,10.1.0.5,已修复\n".encode()),
    ],
)
def test_import_when_a_kept_out_address_is_written_in_any_way_or_place_stores_nothing(
    tmp_path: Path, name: str, data: bytes
) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    with opened(tmp_path / "home") as context:
        keep(context, "10.1.0.5/32")
        before = context.database.one("SELECT count(*) FROM audit")
        with pytest.raises(ParseError, match="holds 1 address that is declared to stay out") as caught:
            take_file(context, SCHOOL, file, "inside")
        assert "10.1.0" not in str(caught.value)
        assert context.database.one("SELECT count(*) FROM audit") == before
        assert not any(one.is_file() for one in context.home.evidence.rglob("*"))


def test_list_of_flaws_whose_hidden_sheet_holds_a_kept_out_address_is_not_kept(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["漏洞名称", "风险等级", "IP地址"])
    book.active.append(["弱口令", "高危", "10.1.0.9"])
    other = book.create_sheet("底稿")
    other.append(["10.1.0.5"])
    other.sheet_state = "hidden"
    book.save(tmp_path / "漏洞.xlsx")
    with opened(tmp_path / "home") as context:
        keep(context, "10.1.0.5/32")
        with pytest.raises(ParseError, match="holds 1 address"):
            take_file(context, SCHOOL, tmp_path / "漏洞.xlsx", "inside")
        assert not any(one.is_file() for one in context.home.evidence.rglob("*"))
