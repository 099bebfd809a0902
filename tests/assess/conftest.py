"""Small packs written for one test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.assess.texts import CONTROLS, HIGH_RISK, QUESTIONS, RULE


@pytest.fixture
def make_pack(tmp_path: Path) -> Callable[..., Path]:
    """Write a pack folder: rules by file name, with controls around them."""

    def make(
        rules: dict[str, str | bytes] | None = None,
        controls: str | None = CONTROLS,
        high_risk: str = HIGH_RISK,
        questions: str | None = QUESTIONS,
    ) -> Path:
        folder = tmp_path / "rules"
        (folder / "controls").mkdir(parents=True, exist_ok=True)
        for name, text in (rules if rules is not None else {"demo/redis.yml": RULE}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if controls is not None:
            (folder / "controls" / "demo.yml").write_text(controls, encoding="utf-8")
        (folder / "controls" / "high-risk.yml").write_text(high_risk, encoding="utf-8")
        if questions is not None:
            (folder / "questions").mkdir(exist_ok=True)
            (folder / "questions" / "demo.yml").write_text(questions, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def vary() -> Callable[..., str]:
    """Give the valid rule with one text replaced; the text must be there."""

    def replaced(old: str, new: str, text: str = RULE) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return replaced
