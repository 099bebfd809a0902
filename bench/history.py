"""Measure a year of weekly scans: size of the history, difference of two weeks, one school as of a date.

Run `.venv/bin/python bench/history.py`. 400 schools of 500 endpoints are scanned 52 times; each week two in a hundred
endpoints change: half of these vanish, half are new. The history is written by the store's own functions. Beside it
stands the plain way, a table with a row per observation, in a database of its own. Questions take turns on both;
medians are printed. The plain table of 10 million rows takes a minute to write and 0.6 GB of disk.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from sentinel.model.endpoint import AddressRanges, Coverage, Endpoint, EndpointKey, EndpointState, Fingerprint, Run
from sentinel.model.ports import parse_ranges
from sentinel.store import endpoints as store
from sentinel.store.database import Database, Transaction
from sentinel.store.idset import IdSet
from sentinel.store.points import read_changed_points, read_points
from sentinel.store.runs import NewRun, RunChanges, finish_run, write_run

SCHOOLS, HOSTS, PORTS, WEEKS = 400, 100, 5, 52
CHANGED_PER_MILLE = 20
START = datetime(2025, 9, 1, 3, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
OPEN_PORTS = (22, 80, 443, 445, 554, 3306, 3389, 8080, 9100, 6379)
PRODUCTS = 3_000
COVERAGE = (("tcp", parse_ranges("1-1024,3306,3389,6379,8080,9100")),)
HISTORY = ("endpoint_interval", "ix_endpoint_interval_host", "look", "sqlite_autoindex_look_1")


@dataclass(slots=True)
class School:
    """What is open in one school now: (address, port, product) by interval id, and the run that saw it."""

    number: int
    open: dict[int, tuple[int, int, int]] = field(default_factory=dict)


def product_of(number: int) -> Fingerprint:
    """Give one of the products a province runs."""
    return Fingerprint("http", False, f"product {number % 400}", f"{number % 9}.{number // 400}", "", "")


class Writer:
    """Writes the same weeks into the interval store and into a plain table of observations."""

    def __init__(self, database: Database, plain: sqlite3.Connection | None) -> None:
        self._database = database
        self._plain = plain
        self._dice = random.Random(52)
        self._schools = [School(number) for number in range(SCHOOLS)]
        self._next = 1
        if plain is not None:
            plain.execute("PRAGMA journal_mode=OFF")
            plain.execute(
                "CREATE TABLE observation (run INT, network INT, address BLOB, port INT, product INT, "
                "PRIMARY KEY (network, run, address, port)) WITHOUT ROWID"
            )

    def write_week(self, week: int) -> None:
        """Write one scan of each school."""
        with self._database.transaction("bench", START) as transaction:
            for school in self._schools:
                self._write_school(transaction, school, week)
            transaction.audit("bench.week", str(week))
        if self._plain is not None:
            for school in self._schools:
                rows = [
                    (week, school.number + 1, IPv4Address(address).packed, port, product)
                    for address, port, product in sorted(school.open.values())
                ]
                self._plain.executemany("INSERT INTO observation VALUES (?,?,?,?,?)", rows)
            self._plain.commit()

    def _write_school(self, transaction: Transaction, school: School, week: int) -> None:
        at = START + WEEK * week + timedelta(seconds=school.number)
        first = 0x0A000000 + school.number * 256
        if week == 0:
            fresh = [(first + host, OPEN_PORTS[port]) for host in range(HOSTS) for port in range(PORTS)]
            gone: list[int] = []
        else:
            half = HOSTS * PORTS * CHANGED_PER_MILLE // 2000
            gone = self._dice.sample(sorted(school.open), half)
            taken = {one[:2] for one in school.open.values()}
            free = [
                (first + host, port)
                for host in range(HOSTS)
                for port in OPEN_PORTS
                if (first + host, port) not in taken
            ]
            fresh = self._dice.sample(free, half)
        run = write_run(transaction, new_run(school, week, at), covered(first))
        for one in gone:
            del school.open[one]
        store.write_closed(transaction, at, run, [(one, "missed") for one in gone])
        opened = []
        for address, port in fresh:
            product = self._dice.randrange(PRODUCTS)
            school.open[self._next] = (address, port, product)
            key = EndpointKey(school.number + 1, "inside", IPv4Address(address), "tcp", port)
            opened.append(Endpoint(key, EndpointState.OPEN, product_of(product), at, id=self._next, opened_by=run))
            self._next += 1
        store.write_opened(transaction, opened)
        changes = RunChanges(IdSet(school.open), IdSet(one.id for one in opened), IdSet(gone))
        finish_run(transaction, run, events=len(gone) + len(opened), held=False, changes=changes)


def new_run(school: School, week: int, at: datetime) -> NewRun:
    """Describe the scan of a school in a week."""
    evidence = f"{week:08x}{school.number:056x}"
    unit = f"41{school.number:08d}"
    run = Run(
        0, unit, "scan", evidence, "scan", "nmap-xml", "nmap 7.93", "inside", "bench", at, "stated", 100, 500, 100, 0
    )
    return NewRun(run, at)


def covered(first: int) -> Coverage:
    """Give the coverage of a scan of one school."""
    return Coverage(COVERAGE, AddressRanges(((IPv4Address(first), IPv4Address(first + 255)),)))


def write_networks(database: Database) -> None:
    """Give each school one network, whose id is its number."""
    with database.transaction("bench", START) as transaction:
        transaction.execute_many(
            "INSERT INTO network (id, unit, name, zone, prefixes, scannable) VALUES (?,?,'default','office','[]',?)",
            [(number + 1, f"41{number:08d}", True) for number in range(SCHOOLS)],
        )
        transaction.audit("bench.networks", "all")


def sizes(path: Path) -> dict[str, float]:
    """Give the MB (10^6 bytes) of each table and index of a database file."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
    return {str(name): size / 1e6 for name, size in rows}


def timed(question: Callable[[], int]) -> tuple[float, int]:
    """Ask once; gives milliseconds and the number of rows."""
    began = time.perf_counter()
    count = question()
    return (time.perf_counter() - began) * 1000, count


def ask(database: Database, plain: sqlite3.Connection | None, rounds: int) -> None:
    """Ask each question in turn, each round of another week and school, and print medians."""
    everyone = list(range(1, SCHOOLS + 1))
    results: dict[str, list[tuple[float, int]]] = {}
    for number in range(rounds):
        week = WEEKS // 2 + number % 10
        start, end = START + WEEK * week + timedelta(days=1), START + WEEK * (week + 1) + timedelta(days=1)
        school = 1 + number * 37 % SCHOOLS
        questions = {
            "difference of two weeks, all schools": lambda a=start, b=end: len(
                read_changed_points(database, everyone, a, b)
            ),
            "the same as values": lambda a=start, b=end: sum(map(len, store.read_touched(database, everyone, a, b))),
            "one school as of a date": lambda a=start, n=school: len(read_points(database, n, a)),
            "the same as values ": lambda a=start, n=school: len(list(store.read_as_of(database, [n], a))),
        }
        if plain is not None:
            questions |= {
                "plain: difference of two weeks": lambda w=week: plain_difference(plain, w),
                "plain: one school as of a date": lambda w=week, n=school: plain_as_of(plain, n, w),
            }
        for name, question in questions.items():
            results.setdefault(name, []).append(timed(question))
    for name, found in results.items():
        print(f"{name.strip():40} {statistics.median(one for one, _ in found):9.2f} ms  {found[-1][1]:,} rows")


def plain_difference(plain: sqlite3.Connection, week: int) -> int:
    """Compare two weeks of the plain table."""
    one = "SELECT network, address, port, product FROM observation WHERE run=?"
    both = [plain.execute(f"{one} EXCEPT {one}", pair).fetchall() for pair in ((week, week + 1), (week + 1, week))]
    return sum(map(len, both))


def plain_as_of(plain: sqlite3.Connection, network: int, week: int) -> int:
    """Read one school of one week of the plain table."""
    return len(plain.execute("SELECT * FROM observation WHERE network=? AND run=?", (network, week)).fetchall())


def main() -> None:
    """Write the year, print sizes and medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--no-plain", action="store_true", help="leave the table of observations out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, beside = Path(folder) / "history.db", Path(folder) / "plain.db"
        database = Database(path)
        database.connection.execute("PRAGMA synchronous=OFF")
        plain = None if options.no_plain else sqlite3.connect(beside)
        write_networks(database)
        writer = Writer(database, plain)
        began = time.perf_counter()
        for week in range(WEEKS):
            writer.write_week(week)
        print(f"written in {time.perf_counter() - began:.0f} s")
        database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        own = sizes(path)
        rows = database.one("SELECT count(*) FROM endpoint_interval")
        packed = database.one("SELECT sum(length(confirmed)+length(opened)+length(closed)) FROM run")
        history = sum(own[name] for name in HISTORY)
        runs = (packed[0] if packed else 0) / 1e6
        print(f"history: {rows[0] if rows else 0:,} intervals, {history:.1f} MB; what the runs saw adds {runs:.1f} MB")
        print("   " + ", ".join(f"{name} {size:.1f}" for name, size in sorted(own.items()) if size > 0.1))
        if plain is not None:
            count = plain.execute("SELECT count(*) FROM observation").fetchone()[0]
            print(f"plain: {count:,} rows, {sum(sizes(beside).values()):.0f} MB")
        ask(database, plain, options.rounds)
        database.close()


if __name__ == "__main__":
    main()
