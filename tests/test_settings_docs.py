from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from sentinel.config import DEFAULT_PORTS, Settings

GUIDE = Path(__file__).parents[1] / "docs" / "settings.md"
NAMES = [one.name for one in fields(Settings)]


def rows() -> dict[str, list[str]]:
    """The cells of the guide's table by the name of the setting."""
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return {row[0].strip("`"): row[1:] for row in cells}


@pytest.mark.parametrize("name", NAMES)
def test_setting_always_stands_in_the_guide_with_meaning_default_and_variable(name: str) -> None:
    meaning, default, variable = rows()[name]
    assert re.search("[\u4e00-\u9fff]", meaning)
    assert variable.startswith(f"`SENTINEL_{name.upper()}`")
    value = next(one.default for one in fields(Settings) if one.name == name)
    if value == DEFAULT_PORTS:
        assert DEFAULT_PORTS in "".join(GUIDE.read_text(encoding="utf-8").split())
    elif value == "":
        assert default.startswith("空")
    else:
        shown = value if isinstance(value, str) else json.dumps(value)
        assert default == f"`{shown}`"


def test_guide_always_tells_of_no_setting_that_is_none() -> None:
    assert list(rows()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_setting_always_explains_itself_in_chinese(name: str) -> None:
    words = next(one.metadata["zh"] for one in fields(Settings) if one.name == name)
    assert re.search("[\u4e00-\u9fff]", words)
