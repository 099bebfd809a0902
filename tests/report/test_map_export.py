from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from sentinel.model.endpoint import MapRow
from sentinel.model.observation import Certificate
from sentinel.report import map_export
from sentinel.report.map_export import FIELDS, FORMATS, Export, write_export
from tests.report.facts_factory import CODE, HOSTILE, NOW, make_facts

EXPORT = Export("示例市第一中学", None, NOW)
PERSONAL = ("person", "phone", "mail", "mac", "owner", "contact", "责任人", "电话", "邮箱")


def written(rows: list[MapRow], folder: Path, form: str, export: Export = EXPORT) -> Path:
    path = folder / f"map{form}"
    assert write_export(iter(rows), path, form, export) == len(rows)
    return path


def read_csv(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def hostile_row(words: str) -> MapRow:
    row = make_facts(12).rows[0]
    mark = replace(row.endpoint.fingerprint, service=words, product=words, version=words)
    shown = Certificate("ab", words, words, (words,), None, NOW)
    endpoint = replace(row.endpoint, fingerprint=mark, title=words, cpes=(words,), certificate=shown)
    return replace(row, endpoint=endpoint, network=words, names=(words, words))


def test_fields_when_listed_then_no_column_is_about_a_person_and_names_are_unique() -> None:
    assert len({field.key for field in FIELDS}) == len({field.head for field in FIELDS}) == len(FIELDS)
    assert not [field for field in FIELDS if any(word in field.key + field.head for word in PERSONAL)]


def test_write_export_when_the_format_differs_then_columns_and_rows_are_the_same(tmp_path: Path) -> None:
    rows = list(make_facts(60).rows)
    objects = json.loads(written(rows, tmp_path, ".json").read_text("utf-8"))
    table = read_csv(written(rows, tmp_path, ".csv"))
    sheet = load_workbook(written(rows, tmp_path, ".xlsx")).worksheets[0]
    heads = [field.head for field in FIELDS]
    assert [list(one) for one in objects] == [[field.key for field in FIELDS]] * len(rows)
    assert table[0] == [cell.value for cell in sheet[1]] == heads
    assert len(objects) == len(table) - 1 == sheet.max_row - 1 == len(rows)
    for one, line, cells, row in zip(
        objects, table[1:], sheet.iter_rows(min_row=2, values_only=True), rows, strict=True
    ):
        assert one["address"] == line[0] == cells[0] == str(row.endpoint.key.address)
        assert one["port"] == int(line[1]) == cells[1] == row.endpoint.key.port
        assert (one["service"] or None) == (line[9] or None) == cells[9]
        assert (one["guessed"], line[10], cells[10]) in {(True, "是", "是"), (False, "否", "否")}


def test_write_export_when_written_as_json_then_values_are_for_machines(tmp_path: Path) -> None:
    row = make_facts(12).rows[0]
    row = replace(row, names=("a.example", "b.example"))
    (one,) = json.loads(written([row], tmp_path, ".json").read_text("utf-8"))
    assert one["unit"] == CODE
    assert one["zone"] == row.zone.value
    assert one["use"] in {"web", "remote", "database", "files"}
    assert one["names"] == ["a.example", "b.example"]
    assert one["valid_from"] == "2026-09-23T01:30:00Z"


def test_write_export_when_written_as_csv_then_a_spreadsheet_knows_its_letters_and_times_are_local(
    tmp_path: Path,
) -> None:
    path = written([make_facts(12).rows[0]], tmp_path, ".csv")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in path.read_bytes()
    assert read_csv(path)[1][21] == "2026-09-23 09:30:00"


def test_write_export_when_written_as_xlsx_then_head_filters_and_widths_are_set(tmp_path: Path) -> None:
    rows = list(make_facts(12).rows)
    book = load_workbook(written(rows, tmp_path, ".xlsx", replace(EXPORT, at=NOW - timedelta(days=9))))
    sheet, about = book.worksheets
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == f"A1:X{len(rows) + 1}"
    assert sheet.column_dimensions["A"].width == 20
    assert sheet["V2"].is_date
    told = {line[0]: line[1] for line in about.iter_rows(values_only=True)}
    assert told["时刻"] == "2026-11-13 09:30:00 的样子"
    assert told["行数"].startswith(f"{len(rows)}：")
    assert "示例市第一中学" in book.properties.title


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_write_export_when_a_text_looks_like_a_formula_then_it_is_quoted(tmp_path: Path, start: str) -> None:
    words = f"{start}cmd|' /C calc'!A0"
    row = hostile_row(words)
    line = read_csv(written([row], tmp_path, ".csv"))[1]
    assert line[12] == f"'{words}"
    assert not [cell for cell in line if cell.startswith(("=", "+", "-", "@"))]
    cells = load_workbook(written([row], tmp_path, ".xlsx")).worksheets[0][2]
    assert cells[12].value == words
    assert all(cell.data_type != "f" for cell in cells)
    assert cells[12].quotePrefix
    assert json.loads(written([row], tmp_path, ".json").read_text("utf-8"))[0]["product"] == words


@pytest.mark.parametrize("words", [*HOSTILE, "a\nb\r\nc\t=1", "\u2028x\x85y"])
def test_write_export_when_text_is_hostile_then_each_row_stays_one_row(tmp_path: Path, words: str) -> None:
    rows = [hostile_row(words), make_facts(12).rows[0]]
    assert len(read_csv(written(rows, tmp_path, ".csv"))) == 3
    lines = written(rows, tmp_path, ".json").read_text("utf-8").splitlines()
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)
    assert json.loads("\n".join(lines))[0]["title"] == words
    text = written(rows, tmp_path, ".csv").read_text("utf-8-sig")
    assert not any(hidden in text for hidden in ("\u202e", "\x00", "\x1b", "\u2028"))
    assert load_workbook(written(rows, tmp_path, ".xlsx")).worksheets[0].max_row == 3


@pytest.mark.parametrize("form", FORMATS)
def test_write_export_when_there_is_no_row_then_the_file_is_still_whole(tmp_path: Path, form: str) -> None:
    path = written([], tmp_path, form)
    if form == ".json":
        assert json.loads(path.read_text("utf-8")) == []
    elif form == ".csv":
        assert read_csv(path) == [[field.head for field in FIELDS]]
    else:
        assert load_workbook(path).worksheets[0].max_row == 1


def test_write_export_when_a_sheet_is_full_then_a_further_one_takes_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = list(make_facts(60).rows)[:25]
    monkeypatch.setattr(map_export, "SHEET_ROWS", 10)
    book = load_workbook(written(rows, tmp_path, ".xlsx"))
    assert book.sheetnames == ["网络空间资产地图", "网络空间资产地图2", "网络空间资产地图3", "说明"]
    assert [sheet.max_row - 1 for sheet in book.worksheets[:3]] == [10, 10, 5]


def test_write_export_when_rows_are_many_then_they_are_not_held_in_memory(tmp_path: Path) -> None:
    import tracemalloc

    (row,) = make_facts(12).rows[:1]

    def peak(count: int, form: str) -> int:
        tracemalloc.start()
        write_export((row for _ in range(count)), tmp_path / f"map{form}", form, EXPORT)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    for form in FORMATS:
        peak(10, form)
        assert peak(3000, form) < peak(300, form) + 400_000, form
