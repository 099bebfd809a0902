"""Our own template: what is filled in comes in, a row with a bad cell goes back marked, and nothing computes."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from sentinel.schedule.context import Context
from sentinel.schedule.register_forms import write_marked_copy
from sentinel.schedule.register_import import RegisterImport, import_register
from sentinel.schedule.register_reasons import reason_in_chinese
from sentinel.store.register import read_register
from sentinel.store.systems import read_systems
from tests.homes import NOW, SCHOOL, opened
from tests.schedule.large_register import HOSTS, PLANTED, SYSTEMS, write_large


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_large(tmp_path_factory.mktemp("large") / "登记表.xlsx")


@pytest.fixture(scope="module")
def taken(large: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Context, RegisterImport]]:
    """A home with the large register in it."""
    folder = tmp_path_factory.mktemp("taken")
    with pytest.MonkeyPatch.context() as patch, opened(folder / "home") as context:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        yield context, import_register(context, SCHOOL, large, NOW)


def test_large_register_with_planted_errors_brings_in_the_rest_and_names_each_cell(
    taken: tuple[Context, RegisterImport],
) -> None:
    context, done = taken
    assert len(PLANTED) == 37
    assert done.rows == SYSTEMS + HOSTS == 2000
    assert [(cell.sheet, cell.row, cell.column) for cell in done.refused] == [one.cell for one in PLANTED]
    assert done.passed_over == []
    systems, lines = read_systems(context.database, SCHOOL.code), read_register(context.database, SCHOOL.code)
    assert len(systems) + len(lines) == 1963
    assert (len(systems), len(lines)) == (SYSTEMS - 26, HOSTS - 11)
    assert done.is_template


def test_large_register_of_every_form_of_writing_is_read_the_same(taken: tuple[Context, RegisterImport]) -> None:
    context, _ = taken
    systems = {one.facts.name: one.facts for one in read_systems(context.database, SCHOOL.code)}
    assert {one.graded_on for one in systems.values()} == {date(2024, 3, 1)}
    assert {one.assessment_rate for one in systems.values()} == {82.5}
    assert (systems["示例系统 0005"].filing, systems["示例系统 0006"].filing) == (
        "41010012345-00005",
        "41010012345-00006",
    )
    assert {one.level for one in systems.values()} == {2}
    lines = read_register(context.database, SCHOOL.code)
    assert {str(ports) for line in lines for _, ports in line.ports} == {"443", "80,443"}
    assert all(line.addresses for line in lines)


def test_marked_copy_holds_the_bad_rows_with_their_cells_coloured_and_the_reason(
    taken: tuple[Context, RegisterImport], tmp_path: Path
) -> None:
    context, done = taken
    path = tmp_path / "退回.xlsx"
    assert write_marked_copy(context, SCHOOL, done, path, NOW) == 37
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    book = load_workbook(path)
    marked = [
        (sheet.title, sheet.cell(cell.row, sheet.max_column - 1).value, cell.column_letter)
        for sheet in book.worksheets
        for row in sheet.iter_rows(min_row=2)
        for cell in row
        if cell.comment
    ]
    assert sorted(marked) == sorted(one.cell for one in PLANTED)
    for sheet in book.worksheets:
        for row in sheet.iter_rows(min_row=2, max_col=sheet.max_column - 2):
            for cell in row:
                assert (cell.fill.fgColor.rgb == "00F8C9C4") is (cell.comment is not None)
    with ZipFile(path) as package:
        parts = [package.read(name) for name in package.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any(b"<f>" in part or b"<f " in part for part in parts), "nothing in it computes"
    assert all(reason_in_chinese(cell.reason) != cell.reason for cell in done.refused)


def test_marked_copy_when_mended_is_read_in_again_and_completes_the_register(
    taken: tuple[Context, RegisterImport], tmp_path: Path
) -> None:
    context, done = taken
    path = tmp_path / "退回.xlsx"
    write_marked_copy(context, SCHOOL, done, path, NOW)
    book = load_workbook(path)
    for sheet in book.worksheets:
        heads = {cell.value: cell.column for cell in sheet[1]}
        for row in range(2, sheet.max_row + 1):
            for column in range(1, sheet.max_column - 1):
                cell = sheet.cell(row, column)
                if cell.comment:
                    cell.value = None
            if sheet.title == "信息系统":
                sheet.cell(row, heads["系统名称*"]).value = f"改好的系统 {row}"
            else:
                sheet.cell(row, heads["IP地址"]).value = f"10.30.0.{row}"
    book.save(path)
    again = import_register(context, SCHOOL, path, NOW)
    assert again.is_template
    assert again.refused == []
    assert again.stored is not None
    assert (len(again.stored.added), len(again.added), again.withdrawn) == (26, 11, ())
