from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from sentinel.config import Settings
from sentinel.drill.place.ground import Ground
from sentinel.schedule.demo import run as demo


class ReachedError(Exception):
    """The home would be opened now."""


def test_demo_when_the_environment_names_a_database_leaves_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Settings] = []

    def stop(_: Path, settings: Settings) -> None:
        seen.append(settings)
        raise ReachedError

    monkeypatch.setattr(demo, "open_context", stop)
    monkeypatch.setenv("SENTINEL_DATABASE", "postgresql://db.example.cn/centre")
    with pytest.raises(ReachedError):
        demo.run_demo(tmp_path, cast(Ground, None), lambda _: None)
    assert [one.server for one in seen] == [None]
    assert (tmp_path / "home" / "var" / "sentinel.db").is_file()
