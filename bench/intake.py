"""Measure how long a run of a thousand open endpoints takes to be stored: a first one, one without change, one with.

Run `.venv/bin/python bench/intake.py`. The run is nmap XML of 200 hosts with five open ports each. Stored means: read,
kept as evidence, put into the map, confirmed or closed, and committed. Beside it stands the plain way: each open port
a row of observation through the ORM of the same store. Medians of processor and wall time.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlmodel import Field, Session, SQLModel, create_engine

from sentinel.config import Settings, build_settings_text
from sentinel.model.evidence import RunKind
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.schedule.intake import Origin, take_in
from sentinel.store.database import Database
from sentinel.store.home import create_home
from sentinel.store.units import write_unit

HOSTS, PORTS = 200, (22, 80, 443, 3306, 8080)
START = datetime(2026, 9, 1, 3, 0, tzinfo=UTC)
UNIT = Unit("4141000001", "示例学校", path="4141000001")


def build_run(number: int, changed: int) -> bytes:
    """Write the run of a week; `changed` of its endpoints show another version than in all other weeks."""
    rows = []
    for host in range(HOSTS):
        ports = []
        for place, port in enumerate(PORTS):
            version = f"9.{number}" if host * len(PORTS) + place < changed else "1.0"
            service = f'<service name="http" product="nginx" version="{version}" method="probed" conf="10"/>'
            ports.append(f'<port protocol="tcp" portid="{port}"><state state="open" reason="syn-ack"/>{service}</port>')
        address = f'<address addr="10.1.{host // 250}.{host % 250 + 1}" addrtype="ipv4"/>'
        rows.append(
            f'<host><status state="up" reason="syn-ack"/>{address}<ports><extraports state="filtered" count="995"/>'
            f"{''.join(ports)}</ports></host>"
        )
    end = int((START + timedelta(days=7 * number)).timestamp())
    return (
        '<?xml version="1.0"?><!DOCTYPE nmaprun><nmaprun scanner="nmap" args="nmap -sV" version="7.93">'
        f'<scaninfo type="syn" protocol="tcp" services="1-1000,3306,8080"/>{"".join(rows)}'
        f'<runstats><finished time="{end}" exit="success"/><hosts up="{HOSTS}" down="0" total="{HOSTS}"/></runstats>'
        "</nmaprun>"
    ).encode()


class PlainRow(SQLModel, table=True):
    """An open port as it was seen once."""

    __tablename__ = "plain_observation"

    id: int | None = Field(default=None, primary_key=True)
    run: int
    address: str
    port: int
    product: str
    version: str


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Give milliseconds of wall and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return (time.perf_counter() - wall) * 1000, (time.process_time() - processor) * 1000


def measure(rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Store runs in a fresh home each round, and the plain rows beside it."""
    results: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            home = create_home(Path(folder) / "home", build_settings_text(UNIT.code))
            database = Database(home.database)
            with database.transaction("bench", START, objects=True) as transaction:
                write_unit(transaction, UNIT)
            context = Context(home, database, Settings(), "bench", lambda: START + timedelta(days=365))
            weeks = (("the first run", 0), ("a run without change", 0), ("a run with 20 changes", 20))
            for number, (name, changed) in enumerate(weeks):
                origin = Origin(f"week {number}", RunKind.IMPORT, "inside")
                data = build_run(number, changed)
                taken = timed(partial(take_in, context, UNIT, io.BytesIO(data), origin))
                results.setdefault(name, []).append(taken)
            database.close()
            engine = create_engine(f"sqlite:///{folder}/plain.db")
            SQLModel.metadata.tables["plain_observation"].create(engine)
            results.setdefault("plain rows through the ORM", []).append(timed(partial(write_plain, engine)))
            engine.dispose()
    return results


def write_plain(engine: object) -> None:
    """Write a row for each open port."""
    with Session(engine) as session:  # type: ignore[arg-type]  # an engine
        session.add_all(
            PlainRow(run=1, address=f"10.1.0.{host}", port=port, product="nginx", version="1.0")
            for host in range(HOSTS)
            for port in PORTS
        )
        session.commit()


def main() -> None:
    """Measure and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    print(f"{HOSTS * len(PORTS):,} open endpoints a run")
    for name, found in measure(args.rounds).items():
        wall = statistics.median(one for one, _ in found)
        processor = statistics.median(one for _, one in found)
        print(f"{name:32} {wall:8.1f} ms  {processor:8.1f} ms of processor time")


if __name__ == "__main__":
    main()
