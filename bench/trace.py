"""Measure sightings: rows a second taken in, and how long a trace takes among millions of them; medians.

Run `.venv/bin/python bench/trace.py [SESSIONS]`; it makes a home in a temporary folder, on SQLite. Each round asks for
another address and moment, so that nothing is answered from what the round before left in memory but pages. Beside it
stands the same question asked of the same table by a plain scan, as one would without the index.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory

from sentinel.config import Settings, build_settings_text
from sentinel.model.moment import to_microseconds
from sentinel.model.sighting import (
    AttachmentObservation,
    HoldingObservation,
    HoldingSource,
    Sighting,
    TranslationObservation,
)
from sentinel.model.trace import Question
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context, read_clock
from sentinel.schedule.identifying import identify_unit
from sentinel.schedule.sightings import SightingTaker
from sentinel.schedule.tracing import trace
from sentinel.store.home import create_home, open_home
from sentinel.store.sightings import pack_address
from sentinel.store.units import read_networks, write_unit

SESSIONS = int(sys.argv[1]) if __name__ == "__main__" and len(sys.argv) > 1 else 2_000_000
HOSTS = 5_000
OUTSIDE = [IPv4Address("198.51.100.0") + number for number in range(16)]
ROUNDS = 200
DAYS = 2
BATCH = 256
UNIT = Unit("bench", "示例大学", path="bench")
NOW = read_clock().replace(microsecond=0)
START = NOW - timedelta(days=DAYS)


def inside(host: int) -> IPv4Address:
    return IPv4Address("10.16.0.0") + host


def mac(host: int) -> str:
    return f"3c:22:fb:{host >> 16:02x}:{host >> 8 & 255:02x}:{host & 255:02x}"


def session(number: int, chance: random.Random) -> TranslationObservation:
    """A NAT session of a minute; sessions follow each other evenly over the days."""
    since = START + timedelta(days=DAYS) * (number / SESSIONS)
    port = 1024 + chance.randrange(64_512)
    return TranslationObservation(
        "tcp",
        inside(chance.randrange(HOSTS)),
        chance.choice(OUTSIDE),
        (port, port),
        50_000,
        IPv4Address(0xCB007100 + chance.randrange(256)),
        443,
        since,
        since + timedelta(seconds=60),
        "fw-1",
    )


def holdings(chance: random.Random) -> list[Sighting]:
    """Leases of four hours, a login a day, and a place in the switch an hour, for every host."""
    rows: list[Sighting] = []
    for host in range(HOSTS):
        for hour in range(0, DAYS * 24, 4):
            since = START + timedelta(hours=hour, seconds=chance.randrange(600))
            rows.append(
                HoldingObservation(
                    inside(host), HoldingSource.DHCP, mac(host), since, since + timedelta(hours=4), name=f"pc-{host}"
                )
            )
        for day in range(DAYS):
            since = START + timedelta(days=day)
            rows.append(
                HoldingObservation(
                    inside(host), HoldingSource.RADIUS, mac(host), since, since + timedelta(hours=24), user=f"u{host}"
                )
            )
        rows += [
            AttachmentObservation(
                mac(host), f"sw-{host % 100}", f"GE1/0/{host % 48}", "", START + timedelta(hours=hour)
            )
            for hour in range(DAYS * 24)
        ]
    return rows


def take(context: Context, rows: list[Sighting] | range, chance: random.Random, run: int) -> str:
    """Take rows in as a log does, in transactions as large as it; making the rows is not counted."""
    wall = busy = 0.0
    with context.database.transaction("bench", NOW) as transaction:
        networks = read_networks(context.database, UNIT.code)
        taker = SightingTaker(context, transaction, networks, run, NOW)
        for start in range(0, len(rows), BATCH):
            piece = rows[start : start + BATCH]
            made: list[Sighting] = [session(one, chance) for one in piece] if isinstance(piece, range) else piece
            begun = time.perf_counter(), time.process_time()
            taker.take(made)
            wall, busy = wall + time.perf_counter() - begun[0], busy + time.process_time() - begun[1]
        begun = time.perf_counter(), time.process_time()
        taker.finish()
        wall, busy = wall + time.perf_counter() - begun[0], busy + time.process_time() - begun[1]
        transaction.audit("bench", "bench")
    return f"{len(rows):,} rows, {len(rows) / wall:,.0f} rows/s ({len(rows) / busy:,.0f} a second of the processor)"


def asked(context: Context, chance: random.Random) -> list[tuple[Question, IPv4Address]]:
    """Questions about sessions there are, with the inside address each must lead to."""
    found = []
    for _ in range(ROUNDS):
        number = 1 + chance.randrange(SESSIONS)
        row = context.database.one(
            "SELECT outside, port_low, since_us, inside FROM translation WHERE id>=? ORDER BY id LIMIT 1", (number,)
        )
        assert row is not None
        at = datetime.fromtimestamp(row[2] / 1e6, tz=NOW.tzinfo) + timedelta(seconds=30)
        found.append((Question(IPv4Address(row[0][1:]), at, row[1], tolerance_s=30), IPv4Address(row[3][1:])))
    return found


def measure(context: Context, chance: random.Random) -> tuple[list[float], list[float]]:
    """Give milliseconds of traces, and of plain scans for the same sessions."""
    traces, scans = [], []
    for place, (question, wanted) in enumerate(asked(context, chance)):
        begun = time.perf_counter()
        answer = trace(context, UNIT, question)
        traces.append((time.perf_counter() - begun) * 1000)
        assert wanted in {one.address for one in answer.places}
        assert any(card.mac and card.accounts for one in answer.places for card in one.cards)
        if place % 40 == 0:
            moment = to_microseconds(question.at)
            begun = time.perf_counter()
            rows = list(
                context.database.query(
                    "SELECT inside FROM translation NOT INDEXED WHERE outside=? AND port_low<=? AND port_low+width>? "
                    "AND since_us<=? AND until_us>=?",
                    (pack_address(question.address), question.port, question.port, moment, moment),
                )
            )
            scans.append((time.perf_counter() - begun) * 1000)
            assert rows
    return traces, scans


def main() -> None:
    chance = random.Random(7)
    with TemporaryDirectory(prefix="sentinel-bench-") as folder:
        os.environ["XDG_CONFIG_HOME"] = f"{folder}/config"
        create_home(Path(folder) / "home", build_settings_text(UNIT.code))
        home, database = open_home(Path(folder) / "home")
        context = Context(home, database, Settings(), "bench")
        with database.transaction("bench", NOW, objects=True) as transaction:
            write_unit(transaction, UNIT)
        logs = holdings(chance)
        print(f"holdings and places: {take(context, logs, chance, 1)}")
        print(f"the same again:      {take(context, logs, chance, 2)}")
        print(f"NAT sessions:        {take(context, range(SESSIONS), chance, 3)}")
        begun = time.perf_counter()
        identify_unit(context, UNIT)
        print(f"assets of {HOSTS:,} hosts made anew: {time.perf_counter() - begun:.2f} s")
        traces, scans = measure(context, chance)
        worst = sorted(traces)[int(len(traces) * 0.95)]
        print(f"trace: median {statistics.median(traces):.1f} ms, 95 % {worst:.1f} ms, of {ROUNDS}")
        print(f"one question by a plain scan: median {statistics.median(scans):.0f} ms")
        print(f"database: {home.database.stat().st_size / 1e6:.0f} MB")
        database.close()


if __name__ == "__main__":
    main()
