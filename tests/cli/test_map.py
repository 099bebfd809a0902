"""`map --export`, `map --at`, `report map`: the map as a file, at a moment, and as pictures."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.cli.command import UNIT, Sentinel
from tests.cli.written import START, host, nmap, service

LATER = START + 10 * 86400


@pytest.fixture(scope="module")
def seen(make_home: Callable[[], Sentinel], tmp_path_factory: pytest.TempPathFactory) -> Sentinel:
    """A home that saw two hosts on 21 September, and ten days later one of them with another server on its port."""
    sentinel = make_home()
    folder = tmp_path_factory.mktemp("input")
    first = nmap(
        host(
            "192.0.2.1", service(22, "ssh"), service(80, "http", product="=1+1", version="1.0"), names=("www.example",)
        ),
        host("192.0.2.2", service(3306, "mysql")),
        asked="22,80,3306",
    )
    second = nmap(
        host(
            "192.0.2.1",
            service(22, "ssh"),
            service(80, "http", product="Apache", version="2.4"),
            names=("www.example",),
        ),
        host("192.0.2.2", service(3306, "mysql")),
        asked="22,80,3306",
        start=LATER,
    )
    for name, text in (("a.xml", first), ("b.xml", second)):
        (folder / name).write_text(text)
        sentinel.run("import", folder / name)
    return sentinel


@pytest.mark.parametrize("form", ["json", "csv", "xlsx", "XLSX"])
def test_map_export_when_written_holds_the_rows_of_the_map(seen: Sentinel, tmp_path: Path, form: str) -> None:
    out = tmp_path / f"地图.{form}"
    (told,) = seen.rows("map", "--export", out)
    assert told == {"file": str(out), "rows": 3, "bytes": out.stat().st_size, "at": None}
    places = {(row["address"], row["port"]) for row in seen.rows("map")}
    if form == "json":
        found = {(row["address"], row["port"]) for row in json.loads(out.read_text("utf-8"))}
    elif form == "csv":
        with out.open(encoding="utf-8-sig", newline="") as file:
            found = {(row["IP地址"], int(row["端口"])) for row in csv.DictReader(file)}
    else:
        cells = load_workbook(out).worksheets[0].iter_rows(min_row=2, max_col=2, values_only=True)
        found = {(str(address), int(str(port))) for address, port in cells}
    assert found == places
    assert list(tmp_path.iterdir()) == [out]


def test_map_export_when_a_moment_is_given_holds_what_was_known_then(seen: Sentinel, tmp_path: Path) -> None:
    out = tmp_path / "map.json"
    (told,) = seen.rows("map", "--at", "2026-09-25", "--export", out)
    then = {(row["address"], row["port"]): row["product"] for row in json.loads(out.read_text("utf-8"))}
    assert then["192.0.2.1", 80] == "=1+1"
    assert told["at"] == "2026-09-25T15:59:59.999999Z"
    seen.run("map", "--export", out)
    now = {(row["address"], row["port"]): row["product"] for row in json.loads(out.read_text("utf-8"))}
    assert now["192.0.2.1", 80] == "Apache"
    seen.run("map", "--at", "2026-09-01", "--export", out)
    assert json.loads(out.read_text("utf-8")) == []


def test_map_export_when_a_banner_is_a_formula_quotes_it(seen: Sentinel, tmp_path: Path) -> None:
    out = tmp_path / "map.csv"
    seen.run("map", "--at", "2026-09-25", "--export", out)
    assert ",'=1+1," in out.read_text("utf-8-sig")


def test_map_export_when_told_in_words_names_file_and_rows(seen: Sentinel, tmp_path: Path) -> None:
    out = tmp_path / "map.csv"
    said = seen.run("map", "--export", out, "--unit", UNIT).out
    assert str(out) in said
    assert "开放端口 3 个" in said


@pytest.mark.parametrize("name", ["map", "map.txt", "map.xls", ".csv"])
def test_map_export_when_the_ending_is_unknown_ends_with_2_and_writes_nothing(
    seen: Sentinel, tmp_path: Path, name: str
) -> None:
    complaint = seen.run("map", "--export", tmp_path / name, expect=2).complaint
    assert complaint == f"sentinel: --export: '{name}' must end in one of .json, .csv, .xlsx"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["json", "csv", "xlsx"])
def test_map_export_when_the_place_cannot_be_written_ends_with_10_and_leaves_nothing(
    seen: Sentinel, tmp_path: Path, form: str
) -> None:
    out = tmp_path / "missing" / f"map.{form}"
    complaint = seen.run("map", "--export", out, expect=10).complaint
    assert complaint.startswith(f"sentinel: {out}: cannot be written: ")
    assert list(tmp_path.iterdir()) == []


def test_diff_when_a_product_changed_says_what_was_there(seen: Sentinel) -> None:
    said = seen.run("diff", "--from", "2026-09-25", "--to", "2026-10-10").out
    assert "Apache 2.4" in said.replace("\n", "")
    assert "原为" in said


def test_report_map_when_units_lie_below_shows_tree_and_own_pictures(
    make_home: Callable[[], Sentinel], tmp_path: Path
) -> None:
    sentinel = make_home()
    sentinel.run("unit", "add", "b1", "示例附属小学", "--parent", UNIT)
    (tmp_path / "a.xml").write_text(nmap(host("192.0.2.1", service(23, "telnet"))))
    sentinel.run("import", tmp_path / "a.xml", "--unit", UNIT)
    out = tmp_path / "map.html"
    sentinel.run("report", "map", "--out", out, "--unit", UNIT)
    text = out.read_text("utf-8")
    assert "单位树" in text
    assert "网段与用途" in text
    assert "192.0.2.1" in text
    sentinel.run("report", "map", "--out", out, "--unit", "b1")
    below = out.read_text("utf-8")
    assert "单位树" not in below
    assert "192.0.2.1" not in below
