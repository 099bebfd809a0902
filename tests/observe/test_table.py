"""Sheets as people keep them: workbooks made by openpyxl and parts written by hand, CSV in both encodings."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from sentinel.errors import ParseError
from sentinel.observe.table import (
    BLANK,
    MAX_CELL,
    MAX_COLUMNS,
    MAX_FILE,
    MAX_ROWS,
    Cell,
    Limits,
    Sheet,
    column_letter,
    fold_width,
    read_table,
)
from sentinel.observe.workbook import MAX_PARTS

MIDNIGHT = datetime.combine(date(2026, 12, 31), time())
"""As a spreadsheet knows it: without a zone."""

SHEET = "xl/worksheets/sheet1.xml"
SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
BOOK_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
    ),
    "xl/workbook.xml": (
        f'<workbook {SPACE} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'
    ),
    "xl/styles.xml": f"<styleSheet {SPACE}/>",
}


def package(sheet: str | bytes, **more: bytes) -> bytes:
    """Write a workbook of one sheet, whose part is given, and perhaps other parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**BOOK_PARTS, SHEET: sheet, **more}.items():
            archive.writestr(name, text)
    return out.getvalue()


def rows_of(inside: str) -> str:
    return f"<worksheet {SPACE}><sheetData>{inside}</sheetData></worksheet>"


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    return saved(book)


def read(data: bytes) -> tuple[Sheet, ...]:
    return read_table(io.BytesIO(data), "sheet.xlsx")


def texts(data: bytes) -> list[tuple[int, list[str]]]:
    """Numbers and texts of the rows of the only sheet."""
    (sheet,) = read(data)
    return [(row.number, [cell.text for cell in row.cells]) for row in sheet.rows]


def test_workbook_when_read_gives_rows_with_their_numbers_and_leaves_blank_ones() -> None:
    data = workbook(["登记表"], [], ["名称", None, "端口", ""], [None, " "], ["门户", "x", 80])
    assert texts(data) == [(1, ["登记表"]), (3, ["名称", "", "端口"]), (5, ["门户", "x", "80"])]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (80, "80"),
        (80.0, "80"),
        (10.77, "10.77"),
        (1e300, "1e+300"),
        (True, "True"),
        (date(2026, 12, 31), "2026-12-31"),
        (MIDNIGHT, "2026-12-31"),
        (MIDNIGHT.replace(hour=8, minute=30), "2026-12-31 08:30"),
        (time(8, 30), "08:30:00"),
        ("  a\nb\t", "a b"),
        ("‮evil", "evil"),
        ("８０", "８０"),
    ],
)
def test_value_when_of_any_kind_is_what_the_sheet_shows(value: object, text: str) -> None:
    assert texts(workbook(["x", value])) == [(1, ["x", text])]


def test_values_that_are_equal_but_of_other_kinds_stay_apart() -> None:
    assert texts(workbook([True, 1, 1.5, "1"])) == [(1, ["True", "1", "1.5", "1"])]


def test_formula_when_a_value_is_stored_shows_it_and_is_named() -> None:
    cells = '<c r="A1"><f>1+79</f><v>80</v></c><c r="C1"><f>B1</f></c><c r="D1"><v>7</v></c>'
    (sheet,) = read(package(rows_of(f'<row r="1">{cells}</row>')))
    (row,) = sheet.rows
    fault = Cell("", is_formula=True, fault="a formula without a stored value")
    assert row.cells == (Cell("80", is_formula=True), BLANK, fault, Cell("7"))


def test_formula_when_rows_and_cells_have_no_numbers_is_still_found() -> None:
    inside = "<row><c><v>1</v></c></row><row><c><v>2</v></c><c><f>A1</f></c></row>"
    (sheet,) = read(package(rows_of(inside)))
    assert [cell.is_formula for cell in sheet.rows[1].cells] == [False, True]


def test_cell_when_too_long_is_cut_and_at_fault() -> None:
    (sheet,) = read(workbook(["x" * MAX_CELL, "y" * (MAX_CELL + 1)]))
    whole, cut = sheet.rows[0].cells
    assert (len(whole.text), whole.fault) == (MAX_CELL, "")
    assert (len(cut.text), cut.fault) == (MAX_CELL, "longer than 2000 characters")


def test_row_when_asked_beyond_its_cells_is_blank_there() -> None:
    (sheet,) = read(workbook(["a", "b"]))
    assert [sheet.rows[0].at(column).text for column in (0, 1, 2, 3)] == ["", "a", "b", ""]


def test_sheets_when_hidden_are_left_out() -> None:
    book = Workbook()
    book.worksheets[0].append(["seen"])
    hidden = book.create_sheet("old")
    hidden.append(["10.0.0.1"])
    hidden.sheet_state = "hidden"
    book.create_sheet("more").append(["seen too"])
    assert [sheet.name for sheet in read(saved(book))] == ["Sheet", "more"]


def test_columns_beyond_the_last_one_read_are_left_out() -> None:
    assert len(read(workbook(["x"] * (MAX_COLUMNS + 1)))[0].rows[0].cells) == MAX_COLUMNS


def test_sheet_when_its_stated_size_is_wrong_is_read_whole() -> None:
    inside = rows_of('<row r="2"><c r="B2"><v>5</v></c></row>').replace(
        "<sheetData>", '<dimension ref="A1"/><sheetData>'
    )
    assert texts(package(inside)) == [(2, ["", "5"])]


ENTITY = '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "part",
    [
        (ENTITY + rows_of("<row><c><v>&b;</v></c></row>")).encode(),
        (ENTITY + rows_of("")).encode("utf-16"),
        f'<?xml version="1.0" encoding="windows-1252"?>{ENTITY}{rows_of("")}'.encode(),
        f'<!DOCTYPE w SYSTEM "file:///etc/passwd">{rows_of("")}'.encode(),
        f"<!-- {'x' * 200_000} --><!DOCTYPE w>{rows_of('')}".encode(),
    ],
)
@pytest.mark.parametrize("name", [SHEET, "xl/styles.xml", "xl/workbook.xml", "docProps/core.xml"])
def test_part_when_it_declares_a_document_type_is_refused(part: bytes, name: str) -> None:
    data = package(**{"sheet": rows_of(""), name: part})
    with pytest.raises(ParseError, match=r"^sheet\.xlsx: a part of the workbook declares a document type"):
        read(data)


def test_entity_when_not_declared_makes_a_damaged_workbook() -> None:
    with pytest.raises(ParseError, match="a damaged workbook"):
        read(package(rows_of("<row><c><v>&b;</v></c></row>")))


ONE = "<row><c><v>1</v></c></row>"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: package(rows_of(ONE * (MAX_ROWS + 1))), "more than 20000 rows"),
        (lambda: package(rows_of(f"<row>{'<c/>' * 16_385}</row>")), "a row of more than 16384 cells"),
        (lambda: package(rows_of("<row/>" * 2_000_001)), "more than 2000000 elements"),
        (lambda: package(rows_of("<row>" + "<c>" * 100_000 + "</c>" * 100_000 + "</row>")), "more than 16384 cells"),
        (lambda: package(rows_of(""), **{"xl/styles.xml": b"<a>" + b"<b/>" * 2_000_000}), "more than 2000000 elements"),
        (lambda: package(rows_of(ONE), **{"x.bin": bytes(40 << 20)}), "unzipped it is larger than 32 MB"),
        (lambda: package(rows_of(ONE), **{f"p{n}": b"" for n in range(MAX_PARTS)}), "more than 2000 parts"),
        (lambda: b"a,b\n" * (MAX_ROWS + 1), "more than 20000 rows"),
        (lambda: b"," * (MAX_FILE + 1), "larger than 8 MB"),
        (lambda: package(rows_of("<row r='99999999999999'><c><v>1</v></c></row>")), "nothing stands in it"),
        (lambda: package(rows_of("<row r='1e400'><c><v>1</v></c></row>")), "a damaged workbook"),
        (lambda: package(rows_of(f"<row><c><v>{'9' * 5_000}</v></c></row>")), "a damaged workbook"),
    ],
)
def test_table_when_made_to_exhaust_its_reader_is_refused_soon(make: Callable[[], bytes], told: str) -> None:
    data = make()
    begun = process_time()
    with pytest.raises(ParseError, match=told):
        read(data)
    assert process_time() - begun < 20


def test_workbook_when_it_has_too_many_sheets_is_refused() -> None:
    book = Workbook()
    for number in range(60):
        book.create_sheet(str(number))
    with pytest.raises(ParseError, match="more than 50 sheets"):
        read(saved(book))


def test_zip_when_with_a_password_or_of_another_kind_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a", b"x")
    with pytest.raises(ParseError, match="a password or of a kind no spreadsheet is"):
        read(out.getvalue())


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "nothing stands in it"),
        (b"\r\n , ,\n", "nothing stands in it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "save it as .xlsx"),
        (b"PK\x03\x04rest", "a damaged workbook"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a table"),
        (b"a,\xff\xff\n", "neither UTF-8 nor GB 18030"),
        (b"a,b\n1,\x00\n", "not a table"),
        ("名称,端口\n".encode("utf-16"), "UTF-16"),
        (b'a,b\n"x,1\n', "not CSV"),
        (b'a,b\n"x"y,1\n', "line 2: not CSV"),
        (b"a," + b"x" * 200_000, "line 1: not CSV"),
    ],
)
def test_file_when_no_table_is_refused_and_named(data: bytes, told: str) -> None:
    with pytest.raises(ParseError, match=told) as caught:
        read(data)
    assert str(caught.value).startswith("sheet.xlsx")
    assert "\n" not in str(caught.value)


def test_zip_when_it_is_another_document_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    with pytest.raises(ParseError, match="a zip file that is none"):
        read(out.getvalue())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_when_in_any_encoding_and_with_any_mark_is_read(encoding: str, mark: str) -> None:
    text = f'登记表\r\n名称{mark}端口\r\n\r\n"教务{mark}系统\n二"{mark}８０\r\n'
    assert texts(text.encode(encoding)) == [
        (1, ["登记表"]),
        (2, ["名称", "端口"]),
        (4, [f"教务{' ' if mark == chr(9) else mark}系统 二", "８０"]),
    ]


def test_csv_when_a_cell_begins_as_a_formula_is_at_fault() -> None:
    (sheet,) = read(b"a,=1+1\n")
    assert sheet.rows[0].cells[1] == Cell("", is_formula=True, fault="a formula without a stored value")


@pytest.mark.parametrize(("column", "letter"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA"), (0, "")])
def test_column_when_counted_has_its_letter(column: int, letter: str) -> None:
    assert column_letter(column) == letter


def test_width_when_folded_changes_signs_and_digits_only() -> None:
    assert fold_width("１０．７７，８０～９０　ＡＢ（中）①") == "10.77,80~90 AB(中)①"


WHOLE = workbook(["名称", "IP地址", "端口"], ["门户", "10.77.1.5", 80], ["日期", date(2026, 12, 31), 1.5])
PARTS = {name: zipfile.ZipFile(io.BytesIO(WHOLE)).read(name) for name in zipfile.ZipFile(io.BytesIO(WHOLE)).namelist()}


def read_or_refuse(data: bytes) -> None:
    try:
        sheets = read(data)
    except ParseError:
        return
    assert any(sheet.rows for sheet in sheets)
    assert all(len(cell.text) <= MAX_CELL for sheet in sheets for row in sheet.rows for cell in row.cells)


MUTATION = st.tuples(
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 20),
    st.one_of(st.binary(max_size=8), st.sampled_from([b"<", b">", b'"', b"-1", b"9999999", b"A1", b"&#0;", b"x"])),
)


def damage(data: bytes, mutations: list[tuple[float, int, bytes]]) -> bytes:
    for place, removed, added in mutations:
        at = int(place * len(data))
        data = data[:at] + added + data[at + removed :]
    return data


@settings(max_examples=150, deadline=None, database=None)
@given(mutations=st.lists(MUTATION, min_size=1, max_size=4))
def test_workbook_when_its_zip_is_damaged_is_read_or_refused(mutations: list[tuple[float, int, bytes]]) -> None:
    read_or_refuse(damage(WHOLE, mutations))


@settings(max_examples=400, deadline=None, database=None)
@given(name=st.sampled_from(sorted(PARTS)), mutations=st.lists(MUTATION, min_size=1, max_size=3))
def test_workbook_when_a_part_is_damaged_is_read_or_refused(
    name: str, mutations: list[tuple[float, int, bytes]]
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part, data in PARTS.items():
            archive.writestr(part, damage(data, mutations) if part == name else data)
    read_or_refuse(out.getvalue())


@settings(max_examples=150, deadline=None, database=None)
@given(data=st.binary(max_size=300))
def test_file_when_of_random_bytes_is_read_or_refused(data: bytes) -> None:
    read_or_refuse(data)


def test_cells_merged_downwards_speak_for_their_rows_only_when_asked(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("a", "x"), (None, "y"), (None, None), (None, "z"), ("b", "w")):
        sheet.append(row)
    sheet.merge_cells("A1:A4")
    sheet.merge_cells("A5:B5")
    book.save(tmp_path / "a.xlsx")
    for unmerge, first in ((False, ["a", "", "", "b"]), (True, ["a", "a", "a", "b"])):
        with (tmp_path / "a.xlsx").open("rb") as stream:
            (only,) = read_table(stream, "a.xlsx", Limits(unmerge=unmerge))
        assert [row.at(1).text for row in only.rows] == first
        assert [row.number for row in only.rows] == [1, 2, 4, 5], "a range makes no rows"


@pytest.mark.parametrize("ref", ["A1:XFD1048576", "A1:A999999999", "A0:A5", "nonsense", "B9:A1", "A1:A2:A3"])
def test_hostile_range_of_merged_cells_makes_no_rows(tmp_path: Path, ref: str) -> None:
    """One that is no range at all is refused by openpyxl, with the whole workbook."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["a", "b"])
    sheet.append([None, "c"])
    sheet.merge_cells("A1:A2")
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
        for part in old.infolist():
            data = old.read(part)
            new.writestr(part.filename, data.replace(b'ref="A1:A2"', f'ref="{ref}"'.encode()))
    with (tmp_path / "b.xlsx").open("rb") as stream, suppress(ParseError):
        (only,) = read_table(stream, "b.xlsx", Limits(unmerge=True))
        assert len(only.rows) == 2
