"""How long the command line takes to answer `--help` and to list a small map, beside an empty Python.

Medians of interleaved runs, whole processes. Run: .venv/bin/python bench/start.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15


def seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    sentinel = str(Path(sys.executable).with_name("sentinel"))
    with tempfile.TemporaryDirectory() as folder:
        home = str(Path(folder) / "home")
        subprocess.run([sentinel, "--home", home, "init", "--unit", "bench"], check=True, stdout=subprocess.DEVNULL)
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "sentinel --help": [sentinel, "--help"],
            "sentinel map --json": [sentinel, "--home", home, "map", "--json"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(seconds(command))
    for name, values in times.items():
        print(f"{name:22} median {statistics.median(values):.3f} s  (min {min(values):.3f}, max {max(values):.3f})")


if __name__ == "__main__":
    main()
