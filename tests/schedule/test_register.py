"""A register becomes whitelist entries; sheets written by hand as CSV, and as XLSX where that matters."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from sentinel.errors import ParseError, UsageError
from sentinel.model.unit import Unit
from sentinel.model.whitelist import WhitelistEntry
from sentinel.schedule.context import Context
from sentinel.schedule.register import EntryImport, import_entries
from sentinel.schedule.removal import STAYS_OUT
from sentinel.store.scopes import read_whitelist, withdraw_whitelist_entry
from tests.homes import NOW, SCHOOL

HEAD = "系统名称,IP地址,端口,域名"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "登记表.csv"


def give(context: Context, file: Path, *rows: str, head: str = HEAD, approved_by: str = "信息中心") -> EntryImport:
    file.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return import_entries(context, SCHOOL, file, approved_by, NOW)


def shown(entries: tuple[WhitelistEntry, ...]) -> list[str]:
    return [
        one.domain or f"{'、'.join(map(str, one.addresses))} {one.ports}/{one.proto}".removesuffix(" /")
        for one in entries
    ]


def told(done: EntryImport) -> list[str]:
    return [str(one) for one in done.refused]


@pytest.mark.parametrize(
    ("row", "entries"),
    [
        ("门户,192.0.2.1,443,", ["192.0.2.1/32 443/tcp"]),
        ("门户,192.0.2.1,,", ["192.0.2.1/32"]),
        ("门户,,,www.school.example", ["www.school.example"]),
        ("门户,192.0.2.1,443,WWW.School.Example", ["192.0.2.1/32 443/tcp", "www.school.example"]),
        ("门户,192.0.2.1、192.0.2.2,80,", ["192.0.2.1/32 80/tcp", "192.0.2.2/32 80/tcp"]),
        ("门户,192.0.2.0/28,80,", ["192.0.2.0/28 80/tcp"]),
        ("门户,2001:db8::5,80,", ["2001:db8::5/128 80/tcp"]),
        ("门户,１９２．０．２．１,８０、４４３,", ["192.0.2.1/32 80,443/tcp"]),
        ("门户,192。0。2。1,80；443,", ["192.0.2.1/32 80,443/tcp"]),
        ('门户,"192.0.2.1\n192.0.2.1",80,', ["192.0.2.1/32 80/tcp"]),
        ("DNS,192.0.2.1,53/udp 53/tcp,", ["192.0.2.1/32 53/udp", "192.0.2.1/32 53/tcp"]),
        ("DNS,192.0.2.1,UDP 53 161,", ["192.0.2.1/32 53,161/udp"]),
        ("DNS,192.0.2.1,udp:53,", ["192.0.2.1/32 53/udp"]),
        ("门户,192.0.2.1,80/443,", ["192.0.2.1/32 80,443/tcp"]),
        ("门户,192.0.2.1,8080-8090,", ["192.0.2.1/32 8080-8090/tcp"]),
        ("门户,192.0.2.1,８０８０～８０９０,", ["192.0.2.1/32 8080-8090/tcp"]),
        ("门户,192.0.2.1,443（https）,", ["192.0.2.1/32 443/tcp"]),
        ("门户,192.0.2.1,,https://www.school.example:8443/login?x=1", ["192.0.2.1/32", "www.school.example"]),
        ("门户,192.0.2.1,80,http://192.0.2.1:80/", ["192.0.2.1/32 80/tcp"]),
        ("门户,2001:db8::5,80,http://[2001:db8::5]/", ["2001:db8::5/128 80/tcp"]),
        ("门户,192.0.2.1,无,—", ["192.0.2.1/32"]),
    ],
)
def test_row_when_good_becomes_entries(context: Context, file: Path, row: str, entries: list[str]) -> None:
    done = give(context, file, row)
    assert told(done) == []
    assert shown(done.added) == entries
    assert done.added == read_whitelist(context.database, SCHOOL.code)


@pytest.mark.parametrize(
    ("row", "reasons"),
    [
        ("门户,192.0.2,80,", ["B2: no address or prefix (write 10.0.0.5 or 10.0.0.0/24)"]),
        ("门户,192.0.2.1/24,80,", ["B2: no address or prefix (write 10.0.0.5 or 10.0.0.0/24)"]),
        ("门户,192.0.2.1,8o80,", ["C2: no ports (write 443 or 22,80-90; ports run from 0 to 65535)"]),
        ("门户,192.0.2.1,80443,", ["C2: no ports (write 443 or 22,80-90; ports run from 0 to 65535)"]),
        ("门户,192.0.2.1,90-80,", ["C2: no ports (write 443 or 22,80-90; ports run from 0 to 65535)"]),
        ("门户,192.0.2.1,,首页", ["D2: no domain (write www.school.example or *.school.example)"]),
        (
            "门户,192.0.2.1,,http://192.0.2.9/",
            ["D2: an address in a column of domains (write it in the column of addresses)"],
        ),
        ("门户,,,", ["B2: neither an address nor a domain"]),
        ("门户,,80,www.school.example", ["B2: ports without an address"]),
        ("门户,x,y,z", ["B2: no address", "D2: no domain", "C2: no ports"]),
        ("门户,=A1,80,", ["B2: a formula without a stored value"]),
        (f"门户,{'192.0.2.1 ' * 300},80,", ["B2: longer than 2000 characters"]),
    ],
)
def test_row_when_a_cell_is_bad_is_refused_whole_and_the_cell_named(
    context: Context, file: Path, row: str, reasons: list[str]
) -> None:
    done = give(context, file, row, "邮件,192.0.2.7,25,")
    assert [one for one, reason in zip(told(done), reasons, strict=True) if not one.startswith(reason)] == []
    assert shown(done.added) == ["192.0.2.7/32 25/tcp"]
    assert done.rows == 2


def test_sheet_when_no_row_is_good_adds_nothing(context: Context, file: Path) -> None:
    done = give(context, file, "门户,x,80,", "教务,,,")
    assert (done.added, done.known, len(done.refused), done.rows) == ((), 0, 2, 2)
    assert read_whitelist(context.database, SCHOOL.code) == ()


def test_rows_when_blank_in_all_columns_that_matter_are_passed_over(context: Context, file: Path) -> None:
    done = give(context, file, ",,,", "门户,192.0.2.1,80,", "", "-,无,/,", ",,,,填表说明")
    assert (done.rows, told(done)) == (1, [])


def test_entry_when_made_says_where_it_stands_and_who_approved(context: Context, file: Path) -> None:
    (entry,) = give(context, file, "", "教务系统,192.0.2.1,80,").added
    assert (entry.reason, entry.approved_by, entry.service) == ("教务系统（登记表.csv 第 3 行）", "信息中心", "")
    assert (entry.valid_from, entry.valid_to) == (None, None)


@pytest.mark.parametrize(
    ("system", "reason", "words"),
    [
        ("", "", "登记表.csv 第 2 行"),
        ("", "年度台账", "年度台账（登记表.csv 第 2 行）"),
        ("教务系统", "年度台账", "年度台账：教务系统（登记表.csv 第 2 行）"),
        ("长" * 90, "", f"{'长' * 80}（登记表.csv 第 2 行）"),
    ],
)
def test_reason_when_given_stands_before_the_system(
    context: Context, file: Path, system: str, reason: str, words: str
) -> None:
    file.write_text(f"{HEAD}\n{system},192.0.2.1,80,\n", encoding="utf-8")
    done = import_entries(context, SCHOOL, file, "信息中心", NOW, reason=reason)
    assert [one.reason for one in done.added] == [words]


@pytest.mark.parametrize(
    ("proto", "service", "protos", "expected"),
    [
        ("TCP", "", ["tcp"], ""),
        ("udp", "", ["udp"], ""),
        ("TCP/UDP", "", ["tcp", "udp"], ""),
        ("", "", ["tcp"], ""),
        ("HTTP", "", ["tcp"], "http"),
        ("TCP", "HTTPS", ["tcp"], "https"),
        ("TCP", "Web服务", ["tcp"], ""),
        ("TCP", "web", ["tcp"], ""),
        ("TCP", "http、https", ["tcp"], ""),
    ],
)
def test_protocol_when_named_chooses_transport_or_service(
    context: Context, file: Path, proto: str, service: str, protos: list[str], expected: str
) -> None:
    done = give(context, file, f"192.0.2.1,80,{proto},{service}", head="IP,端口,协议,服务")
    assert [one.proto for one in done.added] == protos
    assert {one.service for one in done.added} == {expected}


LAST = datetime(2026, 12, 31, 15, 59, 59, 999_999, tzinfo=UTC)
FIRST = datetime(2025, 12, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026-12-31", None, LAST),
        ("2026/12/31", None, LAST),
        ("2026.12.31", None, LAST),
        ("2026年12月31日", None, LAST),
        ("２０２６年１２月３１日前", None, LAST),
        ("20261231", None, LAST),
        ("2026年12月", None, LAST),
        ("2026-12", None, LAST),
        ("2026-12-31 23:59:59", None, LAST),
        ("2026-01-01至2026-12-31", FIRST, LAST),
        ("2026.1.1-2026.12.31", FIRST, LAST),
        ("2026年1月—2026年12月", FIRST, LAST),
        ("长期", None, None),
        ("永久有效", None, None),
        ("", None, None),
        ("—", None, None),
    ],
)
def test_validity_when_written_in_any_form_is_whole_days_of_here(
    context: Context, file: Path, text: str, begin: datetime | None, end: datetime | None
) -> None:
    (entry,) = give(context, file, f"192.0.2.1,{text}", head="IP,有效期").added
    assert (entry.valid_from, entry.valid_to) == (begin, end)


@pytest.mark.parametrize(
    "text",
    [
        "一年",
        "2026",
        "2026-02-30",
        "2026-13-01",
        "0001-01-01",
        "9999-12-31",
        "明年2027-01-01",
        "2026-01-01 2026-02-01 2026-03-01",
        "2026-12-312",
    ],
)
def test_validity_when_it_is_no_date_is_refused(context: Context, file: Path, text: str) -> None:
    done = give(context, file, f"192.0.2.1,{text}", head="IP,有效期")
    assert told(done) == ["B2: no date (write 2026-12-31, 2026-01-01 至 2026-12-31, or 长期)"]


def test_validity_when_it_ends_before_it_begins_is_refused(context: Context, file: Path) -> None:
    done = give(context, file, "192.0.2.1,2026-12-31,2026-01-01", head="IP,生效日期,失效日期")
    assert told(done) == ["C2: it ends before it begins"]


def test_validity_when_in_two_columns_is_taken_from_both(context: Context, file: Path) -> None:
    (entry,) = give(context, file, "192.0.2.1,2026-01-01,2026-12-31", head="IP,生效日期,失效日期").added
    assert (entry.valid_from, entry.valid_to) == (FIRST, LAST)


def test_same_file_when_imported_again_adds_nothing(context: Context, file: Path) -> None:
    rows = ("门户,192.0.2.1,80,www.school.example", "教务,192.0.2.2,80,", "教务二,192.0.2.2,80,")
    first = give(context, file, *rows)
    assert (len(first.added), first.known) == (3, 1)
    again = give(context, file, *rows)
    assert (again.added, again.known, again.rows) == ((), 4, 3)
    moved = give(context, file, "邮件,192.0.2.3,25,", *rows)
    assert shown(moved.added) == ["192.0.2.3/32 25/tcp"]
    assert len(read_whitelist(context.database, SCHOOL.code)) == 4


def test_entry_when_prolonged_in_the_sheet_is_added(context: Context, file: Path) -> None:
    give(context, file, "192.0.2.1,2026-12-31", head="IP,有效期")
    assert len(give(context, file, "192.0.2.1,2027-12-31", head="IP,有效期").added) == 1


@pytest.mark.parametrize(
    ("why", "again", "added", "withdrawn"),
    [("取消", False, 0, 1), ("取消", True, 1, 0), (STAYS_OUT, False, 1, 0)],
)
def test_entry_when_withdrawn_and_still_listed_comes_back_only_when_asked_or_kept_out_before(
    context: Context, file: Path, why: str, again: bool, added: int, withdrawn: int
) -> None:
    (entry,) = give(context, file, "门户,192.0.2.1,80,").added
    with context.database.transaction("tester", NOW) as transaction:
        withdraw_whitelist_entry(transaction, entry.id, why)
    done = import_entries(context, SCHOOL, file, "信息中心", NOW, again=again)
    assert (len(done.added), done.known, done.withdrawn) == (added, 0, withdrawn)


def test_entry_when_withdrawn_and_listed_until_another_day_is_another_approval(context: Context, file: Path) -> None:
    head = "系统名称,IP地址,端口,有效期至"
    (entry,) = give(context, file, "门户,192.0.2.1,80,2027-01-31", head=head).added
    with context.database.transaction("tester", NOW) as transaction:
        withdraw_whitelist_entry(transaction, entry.id, "取消")
    assert len(give(context, file, "门户,192.0.2.1,80,2027-06-30", head=head).added) == 1


PERSON = "欧阳示例"


def test_names_of_persons_are_neither_stored_nor_told(context: Context, file: Path) -> None:
    head = "系统名称,IP地址,端口,责任人,联系电话,审批人,备注"
    done = give(
        context,
        file,
        f"门户,192.0.2.1,80,{PERSON},13800000000,{PERSON},找{PERSON}",
        f"教务,{PERSON},{PERSON},80,,{PERSON},",
        head=head,
        approved_by="",
    )
    assert len(done.added) == 1
    assert len(done.refused) == 2
    assert done.added[0].approved_by == "见 登记表.csv 审批人栏"
    assert PERSON not in repr(done)
    with sqlite3.connect(context.home.database) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert "门户" in dump
    assert PERSON not in dump
    assert "13800000000" not in dump


def test_row_when_nobody_approved_it_is_refused(context: Context, file: Path) -> None:
    done = give(context, file, "192.0.2.1,", "192.0.2.2,领导小组", head="IP,审批部门", approved_by="")
    assert told(done) == ["B2: nobody approved this row (or name who did with --approved-by)"]
    assert shown(done.added) == ["192.0.2.2/32"]


def test_sheet_when_it_has_no_approvals_and_nobody_is_named_is_refused(context: Context, file: Path) -> None:
    with pytest.raises(UsageError, match=r"--approved-by: 登记表\.csv has no column of approvals"):
        give(context, file, "门户,192.0.2.1,80,", approved_by=" ")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "nothing stands in it"),
        ("系统名称,端口\n门户,80\n".encode(), "no head row with a column IP"),
    ],
)
def test_file_when_it_is_no_register_is_refused_and_named(
    context: Context, file: Path, data: bytes | None, message: str
) -> None:
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(ParseError, match=message) as caught:
        import_entries(context, SCHOOL, file, "信息中心", NOW)
    assert str(caught.value).startswith("登记表.csv: ")


def test_workbook_when_it_has_sheets_reads_those_with_a_head_and_names_them(context: Context, tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].append(["填表说明"])
    servers, web = book.create_sheet("服务器"), book.create_sheet("网站")
    servers.append(["服务器资产登记表"])
    servers.append(["IP地址", "端口", "有效期"])
    servers.append(["192.0.2.1", 443, date(2026, 12, 31)])
    servers.append(["192.0.2.2", "x", None])
    web.append(["域名"])
    web.append(["www.school.example"])
    path = tmp_path / "台账.xlsx"
    book.save(path)
    done = import_entries(context, SCHOOL, path, "信息中心", NOW)
    assert [(one.reason, one.valid_to) for one in done.added] == [
        ("台账.xlsx 服务器 第 3 行", LAST),
        ("台账.xlsx 网站 第 2 行", None),
    ]
    (refused,) = told(done)
    assert refused.startswith("服务器!B4: no ports")


def test_entries_belong_to_the_unit_that_is_named(context: Context, file: Path) -> None:
    give(context, file, "门户,192.0.2.1,80,")
    assert read_whitelist(context.database, Unit("other", "别的学校").code) == ()
