"""Measure what a province page reads: counters of 30,000 units from frozen rows, beside summing them anew each time.

Run `.venv/bin/python bench/snapshot.py`. The tree has a province, cities, counties and schools; every school has every
counter. Medians of wall time in one process, SQLite on disk, the page cache warm after the first round. The peer sums
the schools' own rows of the same table by GROUP BY over the path of their unit, as a page without frozen sums would.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sentinel.config import build_settings_text
from sentinel.inventory.counters import COUNTERS, UNITS, sum_tree
from sentinel.model.snapshot import Snapshot
from sentinel.model.unit import Unit, UnitLevel
from sentinel.store.database import Database
from sentinel.store.home import create_home
from sentinel.store.snapshots import read_counts, read_ranking, write_snapshot

NOW = datetime(2026, 12, 1, tzinfo=UTC)
CITIES, COUNTIES = 18, 150


def build_tree(schools: int) -> tuple[Unit, ...]:
    """Build a province with so many schools, spread over its counties."""
    units = [Unit("p", "示例省", UnitLevel.PROVINCE, "", "p")]
    cities = [Unit(f"c{one}", f"市{one}", UnitLevel.CITY, "p", f"p/c{one}") for one in range(CITIES)]
    counties = []
    for one in range(COUNTIES):
        city = cities[one % CITIES]
        counties.append(Unit(f"x{one}", f"县{one}", UnitLevel.COUNTY, city.code, f"{city.path}/x{one}"))
    for one in range(schools):
        county = counties[one % COUNTIES]
        code = f"41{one:08d}"
        units.append(Unit(code, f"学校{one}", UnitLevel.SCHOOL, county.code, f"{county.path}/{code}"))
    return tuple(sorted((*units, *cities, *counties), key=lambda unit: unit.path))


def fill(database: Database, units: tuple[Unit, ...]) -> tuple[int, float, float]:
    """Freeze counters made by chance; gives the snapshot, and the seconds of summing and of writing."""
    chance = random.Random(1)
    names = [name for name in COUNTERS if name != UNITS]
    own = {
        unit.code: {name: chance.randrange(50) for name in names} for unit in units if unit.level is UnitLevel.SCHOOL
    }
    with database.transaction("bench", NOW) as transaction:
        transaction.execute_many(
            "INSERT INTO unit (code, name, level, parent, path, region, created_us) VALUES (?,?,?,?,?,'',0)",
            ((unit.code, unit.name, unit.level.value, unit.parent, unit.path) for unit in units),
        )
        transaction.audit("bench", "units")
    began = time.perf_counter()
    sums = sum_tree(units, own)
    summed = time.perf_counter()
    draft = Snapshot(0, "p", "2026-11", NOW - timedelta(days=30), NOW, 0, "pack", NOW, "bench")
    with database.transaction("bench", NOW) as transaction:
        stored = write_snapshot(transaction, draft, sums)
    return stored.id, summed - began, time.perf_counter() - summed


def read_page(database: Database, snapshot: int, units: tuple[Unit, ...]) -> int:
    """Read a province page: its counters, those of its cities and counties, and four lists of the worst schools."""
    upper = [unit.code for unit in units if unit.level is not UnitLevel.SCHOOL]
    counts = read_counts(database, snapshot, upper)
    ranks = [
        read_ranking(database, snapshot, name, 20) for name in ("live_critical", "overdue", "mining_hosts", "live")
    ]
    return len(counts) + sum(map(len, ranks))


def read_all(database: Database, snapshot: int) -> int:
    """Read one counter of every unit, as a map of the province does."""
    rows = database.query("SELECT unit, own FROM snapshot_counter WHERE snapshot=? AND name='live'", (snapshot,))
    return len(list(rows))


def sum_anew(database: Database, snapshot: int) -> int:
    """Sum the counters of the province and of each city from the schools' own rows."""
    rows = database.query(
        "SELECT substr(unit.path, 1, 4), snapshot_counter.name, sum(snapshot_counter.own) FROM snapshot_counter "
        "JOIN unit ON unit.code = snapshot_counter.unit WHERE snapshot=? AND unit.level='school' GROUP BY 1, 2",
        (snapshot,),
    )
    return len(list(rows))


def measure(work: Callable[[], int], rounds: int) -> dict[str, float]:
    """Give the median and the worst of some rounds, and the median of their CPU time, in milliseconds."""
    times, busy = [], []
    for _ in range(rounds):
        began, cpu = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - began) * 1000)
        busy.append((time.process_time() - cpu) * 1000)
    return {
        "median_ms": round(statistics.median(times), 1),
        "worst_ms": round(max(times), 1),
        "cpu_ms": round(statistics.median(busy), 1),
    }


def main() -> None:
    """Fill a home and print one line of JSON for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    units = build_tree(asked.schools)
    with tempfile.TemporaryDirectory() as folder:
        home = create_home(Path(folder) / "home", build_settings_text("p"))
        database = Database(home.database)
        snapshot, summing, writing = fill(database, units)
        size = home.database.stat().st_size / (1 << 20)
        freezing = {"summing_s": round(summing, 2), "writing_s": round(writing, 2), "database_mib": round(size, 1)}
        print(json.dumps({"what": "freeze", "units": len(units)} | freezing))
        for what, work in (
            ("province page", lambda: read_page(database, snapshot, units)),
            ("one counter of all units", lambda: read_all(database, snapshot)),
            ("peer: summed anew", lambda: sum_anew(database, snapshot)),
        ):
            print(json.dumps({"what": what} | measure(work, asked.rounds)), flush=True)
        database.close()


if __name__ == "__main__":
    main()
