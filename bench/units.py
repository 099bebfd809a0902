"""Measure the import of a list of 30,000 units: into an empty home, the same again, and with a tenth of it changed.

Run `.venv/bin/python bench/units.py`. Each round is a process of its own with a home of its own; the files are made
once: rows in random order, ten columns, a contact in each row. Medians of wall and CPU time and of peak memory are
told, for XLSX and CSV; beside them reading the XLSX with openpyxl alone.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

UNITS = 30_000
HEADS = (
    "学校（机构）标识码", "学校名称", "主管部门", "行政区划", "办学类型", "举办者", "统一社会信用代码",
    "联系人", "联系电话", "电子邮箱",
)  # fmt: skip
LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
SCRIPT = """
import json, os, resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
from sentinel.config import Settings, build_settings_text
from sentinel.schedule.context import Context
from sentinel.schedule.unit_import import import_units
from sentinel.store.database import Database
from sentinel.store.home import create_home
home = create_home(Path(sys.argv[1]), build_settings_text("3900000001"))
os.environ["XDG_CONFIG_HOME"] = str(home.path.parent / "config")
context = Context(home, Database(home.database), Settings(), "bench")
told = {}
for name, file in (("new", sys.argv[2]), ("same", sys.argv[2]), ("tenth", sys.argv[3])):
    begun, spent = time.perf_counter(), time.process_time()
    done = import_units(context, Path(file), datetime.now(UTC))
    told[name] = time.perf_counter() - begun
    told[name + "_cpu"] = time.process_time() - spent
    told[name + "_changes"] = len(done.plan.added) + len(done.plan.changed) + len(done.refused)
told["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
told["database_mib"] = home.database.stat().st_size / 1048576
print(json.dumps(told))
"""
PEER = """
import json, resource, sys, time
from openpyxl import load_workbook
begun = time.perf_counter()
rows = list(load_workbook(sys.argv[1], read_only=True, data_only=True).active.iter_rows(values_only=True))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": time.perf_counter() - begun, "peak_mib": peak}))
"""


def credit_code(number: int) -> str:
    """Give a well-formed credit code."""
    body = f"12390000{number:09d}"
    total = sum(LETTERS.index(letter) * pow(3, place, 31) for place, letter in enumerate(body))
    return body + LETTERS[-total % 31]


def units(*, changed: bool = False) -> Iterator[tuple[str, ...]]:
    """Give a province of 14 cities, 140 counties and schools, in a random order that is always the same."""
    rows = [("3900000001", "示例省教育厅", "", "390000", "教育局")]
    rows += [(f"39{city:02d}000001", f"示例{city}市教育局", "3900000001", "", "教育局") for city in range(1, 15)]
    rows += [
        (f"39{city:02d}{county:02d}0001", f"示例{city}市{county}县教育局", f"39{city:02d}000001", "", "教育局")
        for city in range(1, 15)
        for county in range(1, 11)
    ]
    for number in range(UNITS - len(rows)):
        city, county = number % 14 + 1, number // 14 % 10 + 1
        name = f"示例第{number}{'实验' if changed and number % 10 == 0 else ''}小学"
        rows.append((f"38{number:08d}", name, f"39{city:02d}{county:02d}0001", "", "小学"))
    random.Random(5).shuffle(rows)
    for number, row in enumerate(rows):
        person = (f"某{number}", f"138{number:08d}", f"u{number}@school.example")
        yield (*row, "地方公办", credit_code(number), *person)


def write_xlsx(path: Path, *, changed: bool = False) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("名单")
    sheet.append(HEADS)
    for row in units(changed=changed):
        sheet.append(row)
    book.save(path)


def write_csv(path: Path, *, changed: bool = False) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([HEADS, *units(changed=changed)])


def run(script: str, *words: object) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", script, *map(str, words)], capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    rounds = options.parse_args().rounds
    found: dict[str, list[dict[str, float]]] = {"xlsx": [], "csv": [], "openpyxl alone": []}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        for kind, write in (("xlsx", write_xlsx), ("csv", write_csv)):
            write(folder / f"a.{kind}")
            write(folder / f"b.{kind}", changed=True)
        for number in range(rounds):
            for kind in ("xlsx", "csv"):
                home = folder / f"{kind}{number}" / "home"
                home.parent.mkdir()
                found[kind].append(run(SCRIPT, home, folder / f"a.{kind}", folder / f"b.{kind}"))
            found["openpyxl alone"].append(run(PEER, folder / "a.xlsx"))
    for kind, results in found.items():
        middle = {key: round(statistics.median(one[key] for one in results), 2) for key in results[0]}
        sys.stdout.write(f"{kind:15} {json.dumps(middle)}\n")


if __name__ == "__main__":
    main()
