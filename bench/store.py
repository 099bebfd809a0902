"""Measure rows a second from columns in memory into the store, upserted: SQLite and a real PostgreSQL, peers beside.

Run `.venv/bin/python bench/store.py [--rows N] [--turns N]`. A table of hosts holds half of the rows already. The
house's `Transaction.upsert` and plain SQLModel objects (`add_all`, of the new half alone: objects cannot upsert in
bulk) take turns, each in a process of its own; the server writes to its disk as its makers ship it. Beside the time on
the clock stands the processor's, of this process and of the server's for it. The bench fails under 150,000 rows on
SQLite and 60,000 on PostgreSQL a second of the processor, for it may share its machine with others.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentinel.store.database import Database

ROWS, TURNS = 200_000, 5
FLOOR = {"sqlite": 150_000, "postgresql": 60_000}
COLUMNS = ("network", "address", "mac", "vendor", "os", "in_scope", "first_seen_us", "last_seen_us", "place")
LATER = "CASE WHEN excluded.last_seen_us>host.last_seen_us THEN excluded.last_seen_us ELSE host.last_seen_us END"
KEPT = {"mac": "excluded.mac", "os": "excluded.os", "last_seen_us": LATER}
START_US = 1_790_000_000_000_000


def make_columns(count: int, first: int = 0) -> list[list[object]]:
    numbers = range(first, first + count)
    return [
        [1 + one // 65_000 for one in numbers],
        [f"10.{one // 65_536 % 256}.{one // 256 % 256}.{one % 256}" for one in numbers],
        [f"02:00:{one >> 24 & 255:02x}:{one >> 16 & 255:02x}:{one >> 8 & 255:02x}:{one & 255:02x}" for one in numbers],
        ["示例厂商"] * count,
        [("Linux 5.x", "", "Windows Server 2019")[one % 3] for one in numbers],
        [True] * count,
        [START_US] * count,
        [START_US + one for one in numbers],
        [b"\x04" + (0x0A000000 + one).to_bytes(4, "big") for one in numbers],
    ]


def measure(where: str, how: str, rows: int) -> None:
    """Do one turn in this process and print what it took."""
    from sentinel.model.place import parse_server_place
    from sentinel.store.database import Database

    place = parse_server_place(where) if where.startswith("postgresql:") else Path(where)
    with closing(Database(place)) as database:
        now = datetime.now(UTC)
        with database.transaction("bench", now) as transaction:
            transaction.insert_many("host", COLUMNS, zip(*make_columns(rows // 2), strict=True))
            transaction.audit("bench", "half")
        columns = make_columns(rows) if how == "upsert" else make_columns(rows - rows // 2, rows // 2)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        serving = server_s(database)
        began, spent = time.perf_counter(), time.process_time()
        with database.transaction("bench", now, objects=how == "objects") as transaction:
            if how == "upsert":
                transaction.upsert("host", COLUMNS, COLUMNS[:2], zip(*columns, strict=True), KEPT)
            else:
                from sentinel.store.tables_map import HostRow

                transaction.session.add_all(
                    [HostRow(**dict(zip(COLUMNS, row, strict=True))) for row in zip(*columns, strict=True)]
                )
                transaction.flush()
            transaction.audit("bench", "whole")
        seconds = time.perf_counter() - began
        cpu = time.process_time() - spent + server_s(database) - serving
        assert database.one("SELECT count(*) FROM host") == (rows,)
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"rows": len(columns[0]), "cpu": cpu, "seconds": seconds, "mb": peak}))


def server_s(database: Database) -> float:
    """Give the processor's seconds the server's process for this connection took so far."""
    if isinstance(database.path, Path):
        return 0.0
    (pid,) = database.one("SELECT pg_backend_pid()")
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def places(folder: Path) -> Iterator[dict[str, object]]:
    from tests.postgres import start

    made = start(durable=True)
    count = iter(range(1_000_000))

    def on_server() -> str:
        name = f"bench_{next(count)}"
        made.run("CREATE DATABASE {}", name)
        return str(replace(made.place, name=name))

    yield {"sqlite": lambda: str(folder / f"{next(count)}.db"), "postgresql": on_server}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--one", nargs=2, metavar=("WHERE", "HOW"))
    given = parser.parse_args()
    if given.one:
        measure(*given.one, given.rows)
        return
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as name, places(Path(name)) as make:
        for _ in range(given.turns):
            for kind, make_place in make.items():
                for how in ("upsert", "objects"):
                    words = [sys.executable, __file__, "--rows", str(given.rows), "--one", make_place(), how]
                    done = subprocess.run(words, capture_output=True, text=True, check=True)
                    found.setdefault((kind, how), []).append(json.loads(done.stdout))
    slow = []
    for (kind, how), turns in found.items():
        rows, seconds, cpu, peak = (
            statistics.median(one[key] for one in turns) for key in ("rows", "seconds", "cpu", "mb")
        )
        print(f"{kind:11}{how:9}{rows / seconds:>10,.0f} rows/s on the clock", end="")
        print(f"{rows / cpu:>10,.0f} rows/s of the processor{peak:>6.0f} MB more", flush=True)
        if how == "upsert" and rows / cpu < FLOOR[kind]:
            slow.append(f"{kind}: {rows / cpu:,.0f} rows a second of the processor, under {FLOOR[kind]:,}")
    assert not slow, "; ".join(slow)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
