"""The user guide leaves nothing out: commands, settings, rule packs, reports; its pictures and links lead somewhere."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from sentinel.config import Settings
from sentinel.report import REPORTS
from tests.test_commands_docs import commands

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "guide"
CHAPTERS = sorted(GUIDE.glob("*.md"))
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in CHAPTERS)
PACKS = sorted(path.name for path in (ROOT / "rules").iterdir() if path.is_dir())
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("command", commands())
def test_guide_when_read_names_the_command(command: str) -> None:
    assert re.search(rf"sentinel (--home \S+ )?{re.escape(command)}(?![\w-])", TEXT)


@pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
def test_guide_when_read_names_the_setting(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("pack", PACKS)
def test_guide_when_read_names_the_rule_pack(pack: str) -> None:
    assert f"`rules/{pack}`" in TEXT


@pytest.mark.parametrize("report", REPORTS)
def test_guide_when_read_names_the_report_and_how_to_get_it(report: str) -> None:
    assert f"sentinel report {report} " in TEXT


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.name)
def test_chapter_when_followed_leads_to_files_that_are_there(chapter: Path) -> None:
    links = [one for one in LINK.findall(chapter.read_text(encoding="utf-8")) if "://" not in one]
    assert [one for one in links if not (GUIDE / one).exists()] == []


def test_contents_when_read_name_every_chapter() -> None:
    contents = (GUIDE / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in CHAPTERS if path.name != "README.md" and f"({path.name})" not in contents] == []


def test_pictures_when_counted_are_those_the_chapters_show() -> None:
    shown = {one for one in LINK.findall(TEXT) if one.startswith("pictures/")}
    assert {f"pictures/{path.name}" for path in (GUIDE / "pictures").iterdir()} == shown
