from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sentinel.drill.native.program import Program, find_programs
from sentinel.drill.place.ground import Mode
from tests.drill.native.looking import watch

ROOT = Path(__file__).resolve().parents[3]
UNPACK = ROOT / "scripts" / "unpack.sh"
PACKAGES = ("nginx", "redis-server", "openssh-server", "mosquitto", "postgresql")


@pytest.fixture(scope="session")
def unpacked() -> Path:
    """Debian's packages, unpacked once for all test runs; several test processes share them."""
    cache = Path(os.environ.get("SENTINEL_TEST_CACHE") or ROOT / ".venv")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "native.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        words = ["sh", str(UNPACK), str(cache / "native"), *PACKAGES]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return cache / "native"


@pytest.fixture(scope="session")
def looks(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Mode, dict[str, Any]]:
    """What is true of the host in each mode; several test processes share one look."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    told = folder / "native-looks.json"
    with (folder / "native-looks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            with ThreadPoolExecutor() as pool:
                found = pool.map(lambda mode: watch(mode, unpacked), Mode)
                told.write_text(json.dumps(dict(zip(Mode, found, strict=True))), "utf-8")
    return {Mode(name): one for name, one in json.loads(told.read_text("utf-8")).items()}


@pytest.fixture(scope="session")
def programs(unpacked: Path) -> tuple[Program, ...]:
    return find_programs(unpacked)
