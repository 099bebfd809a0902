"""Measure a province on PostgreSQL: 30,000 units and 5 million endpoints; one unit's page, province counters, a trace.

Run `.venv/bin/python bench/province.py [--schools N] [--sessions N]`. It starts a PostgreSQL of its own (Debian package
`postgresql`) on a socket, fills it through the store's bulk path and through `bench/snapshot.py` and `bench/trace.py`,
and asks each question in turn, every round of another unit or session. Medians and the worst of wall time. The disk
takes about 3 GB for a while.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench import snapshot as frozen  # noqa: E402
from bench import trace as sightings  # noqa: E402
from sentinel.config import Settings, build_settings_text  # noqa: E402
from sentinel.model.endpoint import Endpoint, EndpointKey, EndpointState, Fingerprint  # noqa: E402
from sentinel.model.moment import to_microseconds  # noqa: E402
from sentinel.model.unit import UnitLevel  # noqa: E402
from sentinel.schedule.context import Context  # noqa: E402
from sentinel.schedule.tracing import trace  # noqa: E402
from sentinel.store import assets  # noqa: E402
from sentinel.store import endpoints as store  # noqa: E402
from sentinel.store.database import Database  # noqa: E402
from sentinel.store.finding_pages import count_on_host  # noqa: E402
from sentinel.store.home import create_home, open_home  # noqa: E402
from sentinel.store.interning import build_look, digest_look, intern_vantages  # noqa: E402
from sentinel.store.points import read_points  # noqa: E402
from sentinel.store.units import read_networks, write_unit  # noqa: E402
from tests.postgres import start  # noqa: E402

HOSTS, PORTS = 34, (22, 80, 443, 3306, 8080)
LOOKS = 2_000
SEEN = datetime(2026, 11, 1, tzinfo=UTC)
INTERVAL = (
    "id", "host", "vantage", "proto", "port", "state", "look", "in_scope", "misses", "valid_from_us", "opened_by",
    "closed_why",
)  # fmt: skip


def fill_map(database: Database, schools: int) -> int:
    """Give each school one network of 34 hosts with five open ports; gives the number of endpoints."""
    moment = to_microseconds(SEEN)
    with database.transaction("bench", SEEN) as transaction:
        transaction.insert_many(
            "network",
            ("id", "unit", "name", "zone", "prefixes", "scannable"),
            ((one + 1, f"41{one:08d}", "default", "office", "[]", True) for one in range(schools)),
        )
        vantage = intern_vantages(transaction, ["inside"])["inside"]
        transaction.insert_many(
            "look",
            ("id", "digest", "service", "guessed", "product", "version", "tunnel", "certificate", "extra", "cpes",
             "title"),
            ((one + 1, digest_look(look), *look) for one, look in enumerate(map(make_look, range(LOOKS)))),
        )  # fmt: skip
        transaction.insert_many(
            "host",
            ("id", "network", "address", "place", "mac", "vendor", "os", "in_scope", "first_seen_us", "last_seen_us"),
            make_hosts(schools, moment),
        )
        transaction.insert_many("endpoint_interval", INTERVAL, make_intervals(schools, vantage, moment))
        transaction.audit("bench.map", "all")
    return schools * HOSTS * len(PORTS)


def make_look(number: int) -> tuple[str, bool, str, str, str, str, str, str, str]:
    """Give one of the looks of the province."""
    mark = Fingerprint("http", False, f"product {number % 400}", f"1.{number}", "", "")
    key = EndpointKey(1, "inside", sightings.inside(0), "tcp", 80)
    return build_look(Endpoint(key, EndpointState.OPEN, mark, SEEN))


def make_hosts(schools: int, moment: int) -> Iterator[tuple[object, ...]]:
    """Give the same 34 addresses in every school."""
    for number in range(schools * HOSTS):
        last = number % HOSTS + 10
        place = bytes((4, 10, 0, 0, last))
        yield number + 1, number // HOSTS + 1, f"10.0.0.{last}", place, "", "", "", True, moment, moment


def make_intervals(schools: int, vantage: int, moment: int) -> Iterator[tuple[object, ...]]:
    """Give the open ports of every host."""
    chance = random.Random(30)
    number = 0
    for host in range(1, schools * HOSTS + 1):
        for port in PORTS:
            number += 1
            look = chance.randrange(LOOKS) + 1
            yield number, host, vantage, 0, port, 0, look, True, 0, moment, 1, 0


def read_unit_page(database: Database, code: str) -> int:
    """Read what the page of a unit's assets shows: its hosts, their ports, names and findings, and its services."""
    networks = read_networks(database, code)
    ids = tuple(one.id for one in networks)
    rows, _ = assets.read_asset_page(database, code, networks, assets.AssetQuestion(ids), None, 51)
    count = 0
    for row in rows[:50]:
        address = str(row.host.address)
        count += len(assets.read_intervals(database, row.network, address, ("inside",), lasting=True, limit=1 << 17))
        assets.read_sourced_names(database, row.network, address)
        count_on_host(database, code, row.network, address)
    assets.count_services(database, ids, 40)
    return count


def measure(what: str, work: Callable[[int], object], rounds: int) -> None:
    """Print the median and the worst of some rounds."""
    times = []
    for number in range(rounds):
        began = time.perf_counter()
        work(number)
        times.append((time.perf_counter() - began) * 1000)
    print(f"{what:44} median {statistics.median(times):7.1f} ms, worst {max(times):7.1f} ms, of {rounds}", flush=True)


def main() -> None:
    """Fill the server and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=30_000)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()
    sightings.SESSIONS, sightings.ROUNDS = asked.sessions, asked.rounds
    served = start(durable=True)
    with TemporaryDirectory(prefix="sentinel-bench-") as folder:
        os.environ["XDG_CONFIG_HOME"] = f"{folder}/config"
        place = replace(served.place, name="postgres")
        create_home(Path(folder) / "home", build_settings_text("p"), place)
        home, database = open_home(Path(folder) / "home", server=place)
        context = Context(home, database, Settings(), "bench")
        units = frozen.build_tree(asked.schools)
        began = time.perf_counter()
        frozen_id, _, _ = frozen.fill(database, units)
        print(f"{len(units):,} units with frozen counters: {time.perf_counter() - began:.0f} s", flush=True)
        began = time.perf_counter()
        endpoints = fill_map(database, asked.schools)
        took = time.perf_counter() - began
        print(f"{endpoints:,} endpoints of {asked.schools * HOSTS:,} hosts: {took:.0f} s", flush=True)
        with database.transaction("bench", SEEN) as transaction:
            transaction.execute("SELECT setval(pg_get_serial_sequence('network', 'id'), ?)", (asked.schools + 1,))
            transaction.audit("bench.sequence", "network")
        with database.transaction("bench", sightings.NOW, objects=True) as transaction:
            write_unit(transaction, sightings.UNIT)
        chance = random.Random(7)
        print(f"holdings: {sightings.take(context, sightings.holdings(chance), chance, 1)}", flush=True)
        print(f"NAT sessions: {sightings.take(context, range(asked.sessions), chance, 2)}", flush=True)
        database.engine.connection.execute("ANALYZE")
        codes = [one.code for one in units if one.level is UnitLevel.SCHOOL]
        questions = [question for question, _ in sightings.asked(context, chance)]
        later = SEEN + timedelta(days=1)
        measure(
            "one unit's page of assets", lambda n: read_unit_page(database, codes[n * 7919 % len(codes)]), asked.rounds
        )
        measure(
            "the map of one unit as of a date",
            lambda n: list(store.read_as_of(database, [1 + n * 7919 % len(codes)], later)),
            asked.rounds,
        )
        measure("the same as points", lambda n: read_points(database, 1 + n * 7919 % len(codes), later), asked.rounds)
        measure(
            "province counters from frozen rows", lambda _: frozen.read_page(database, frozen_id, units), asked.rounds
        )
        measure(
            "trace of a public address and port", lambda n: trace(context, sightings.UNIT, questions[n]), asked.rounds
        )
        database.close()


if __name__ == "__main__":
    main()
