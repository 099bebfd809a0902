from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def fake_nmap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a shell script called nmap first on PATH; it prints a version like 7.93 unless the script does first."""

    def put(body: str, *, version: str = "Nmap version 7.93 ( https://nmap.org )") -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "nmap"
        about = f"case \"$1\" in --version|-V) echo '{version}'; exit 0;; esac"
        program.write_text(f"#!/bin/sh\n{about}\n{body}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        return program

    return put
