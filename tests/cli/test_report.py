"""`report`: the reports as HTML and JSON, in two languages, for a period, whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import UNIT, Sentinel, run
from tests.cli.written import host, nmap, service

NAMES = ["brief", "school", "compliance", "mining", "map", "overview"]


@pytest.fixture(scope="module")
def seen(make_home: Callable[[], Sentinel], tmp_path_factory: pytest.TempPathFactory) -> Sentinel:
    """A home with something to report."""
    sentinel = make_home()
    file = tmp_path_factory.mktemp("input") / "a.xml"
    file.write_text(nmap(host("192.0.2.1", service(23, "telnet"), service(80, "http", product="<b>nginx</b>"))))
    sentinel.run("import", file)
    return sentinel


def test_report_list_when_asked_names_all_of_them_and_needs_no_home() -> None:
    rows = run("--home", "/nonexistent", "report", "list", "--json").rows
    assert [row["name"] for row in rows] == NAMES
    assert all(set(row) == {"name", "title", "title_en", "scope"} and all(row.values()) for row in rows)
    assert run("--home", "/nonexistent", "report", "list").status == 0


@pytest.mark.parametrize("name", NAMES)
def test_report_when_written_as_html_is_one_offline_file(seen: Sentinel, tmp_path: Path, name: str) -> None:
    out = tmp_path / f"{name}.html"
    (row,) = seen.rows("report", name, "--out", out)
    assert row == {"report": name, "unit": UNIT, "format": "html", "file": str(out), "bytes": out.stat().st_size}
    text = out.read_text(encoding="utf-8")
    assert text.lower().startswith("<!doctype html>")
    assert UNIT in text
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", text)
    assert "<b>nginx</b>" not in text
    assert 'lang="zh' in text[:400]
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("name", NAMES)
def test_report_when_written_as_json_is_one_object(seen: Sentinel, tmp_path: Path, name: str) -> None:
    out = tmp_path / f"{name}.json"
    seen.run("report", name, "--out", out, "--format", "json")
    assert isinstance(json.loads(out.read_text(encoding="utf-8")), dict)


@pytest.mark.parametrize("name", NAMES)
def test_report_when_asked_for_english_is_english(seen: Sentinel, tmp_path: Path, name: str) -> None:
    out = tmp_path / f"{name}.html"
    seen.run("report", name, "--out", out, "--lang", "en", "--unit", UNIT)
    assert 'lang="en' in out.read_text(encoding="utf-8")[:400]


@pytest.mark.parametrize("period", ["2026-10", "2026-09-26/2026-10-25", "2026-10-01"])
def test_report_when_a_period_is_given_says_which(seen: Sentinel, tmp_path: Path, period: str) -> None:
    out = tmp_path / "school.html"
    seen.run("report", "school", "--out", out, "--period", period)
    assert period.replace("/", " 至 ") in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "period",
    ["2026-13", "junk", "2026-10-25/2026-09-26", "2026-02-30", "0001-01", "9999-12-31", "2999-01", "2026-10/2026-11"],
)
def test_report_when_the_period_is_junk_ends_with_one_line_and_2(seen: Sentinel, tmp_path: Path, period: str) -> None:
    out = tmp_path / "school.html"
    complaint = seen.run("report", "school", "--out", out, "--period", period, expect=2).complaint
    assert complaint.startswith(f"sentinel: --period: '{period}' ")
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["nosuch", "--out", "x.html"],
            "no report 'nosuch' (there are: brief, school, compliance, mining, map, overview)",
        ),
        (["nosuch"], "no report 'nosuch'"),
        (["school"], "--out: a file is needed, as in `sentinel report school --out school.html`"),
        (["school", "--out", "x.html", "--format", "docx"], "no such format: 'docx' (html, json)"),
        (["school", "--out", "x.html", "--lang", "fr"], "--lang: 'fr' is neither zh nor en"),
        (["school", "--out", "x.html", "--unit", "nosuch"], "no such unit: 'nosuch'"),
    ],
)
def test_report_when_a_word_is_wrong_ends_with_one_line_and_2(seen: Sentinel, words: list[str], told: str) -> None:
    assert told in seen.run("report", *words, expect=2).complaint
    assert not Path("x.html").exists()


def test_report_when_the_place_cannot_be_written_ends_with_one_line_and_10(seen: Sentinel, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    for out in (blocked / "r.html", tmp_path, Path("/proc/nosuch/r.html"), tmp_path / ("n" * 300)):
        complaint = seen.run("report", "school", "--out", out, expect=10).complaint
        assert complaint.startswith(f"sentinel: {out}: cannot be written: ")
    assert sorted(tmp_path.iterdir()) == [blocked]


def test_report_when_its_folder_is_missing_ends_with_10_and_makes_none(seen: Sentinel, tmp_path: Path) -> None:
    out = tmp_path / "2026" / "11" / "school.html"
    done = seen.run("report", "school", "--out", out, expect=10)
    assert str(out) in done.complaint
    assert not (tmp_path / "2026").exists()


def test_overview_when_units_lie_below_counts_them(seen: Sentinel, tmp_path: Path) -> None:
    seen.run("unit", "add", "below", "示例分校", "--parent", UNIT)
    out = tmp_path / "overview.html"
    seen.run("report", "overview", "--out", out)
    assert "示例分校" in out.read_text(encoding="utf-8")
