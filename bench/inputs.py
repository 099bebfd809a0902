"""Measure the import of sheets: a register of 2,000 rows and a list of 50,000 flaws, time and peak memory out.

Run `.venv/bin/python bench/inputs.py`. The two take turns, each in a process of its own; the files are made once.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REGISTER_ROWS, FLAW_ROWS = 2_000, 50_000
SCRIPT = """
import json, os, resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
from sentinel.config import Settings, build_settings_text
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.schedule.importing import take_file
from sentinel.store.database import Database
from sentinel.store.home import create_home
from sentinel.store.units import write_unit
home = create_home(Path(sys.argv[1]), build_settings_text("school"))
os.environ["XDG_CONFIG_HOME"] = str(home.path / "config")
database = Database(home.database)
now = datetime.now(UTC)
with database.transaction("bench", now, objects=True) as transaction:
    write_unit(transaction, Unit("school", "school", path="school"))
context = Context(home, database, Settings(), "bench")
before, spent = time.perf_counter(), time.process_time()
taken = take_file(context, Unit("school", "school", path="school"), Path(sys.argv[2]), "inside")
seconds, cpu = time.perf_counter() - before, time.process_time() - spent
made = len(taken.register.added) if taken.register else taken.flaws.opened
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "cpu": cpu, "made": made, "peak_mb": peak}))
"""


def write_register(path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(
        ["序号", "系统名称", "IP地址", "端口", "责任部门", "责任人", "联系电话", "等保级别", "上线时间", "备注"]
    )
    for number in range(REGISTER_ROWS):
        address = f"10.1.{number // 250}.{number % 250 + 1}"
        person = (f"某{number}", f"138{number:08d}")
        sheet.append(
            [number, f"系统{number}", address, "80、443", f"部门{number % 30}", *person, "二级", "2026-1-5", "备注"]
        )
    book.save(path)


def write_flaws(path: Path) -> None:
    advice = "升级到不受影响的版本；不能升级的，限制访问来源。" * 8
    rows = ["漏洞名称,风险等级,IP地址,端口,协议,修复建议,CVE编号,发现时间"]
    for number in range(FLAW_ROWS):
        address = f"10.{number // 62500 + 1}.{number // 250 % 250}.{number % 250 + 1}"
        level = ("高危", "中危", "低危")[number % 3]
        rows.append(
            f"漏洞{number % 400},{level},{address},{number % 60 + 1},TCP,{advice},"
            f"CVE-2024-{number % 9000 + 1000},2026-11-01"
        )
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def measure(file: Path, folder: Path, turn: int) -> dict[str, float]:
    home = folder / f"home-{file.stem}-{turn}"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(home), str(file)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {"register, XLSX": folder / "register.xlsx", "flaws, CSV": folder / "flaws.csv"}
        write_register(files["register, XLSX"])
        write_flaws(files["flaws, CSV"])
        found: dict[str, list[dict[str, float]]] = {what: [] for what in files}
        for turn in range(turns):
            for what, file in files.items():
                found[what].append(measure(file, folder, turn))
        for what, runs in found.items():
            seconds = statistics.median(run["seconds"] for run in runs)
            cpu = statistics.median(run["cpu"] for run in runs)
            peak = statistics.median(run["peak_mb"] for run in runs)
            size = files[what].stat().st_size / 1e6
            made = runs[0]["made"]
            print(f"{what}: {made:.0f} from {size:.1f} MB, {seconds:.2f} s ({cpu:.2f} s processor), {peak:.0f} MB")


if __name__ == "__main__":
    main()
