"""A real PostgreSQL server for tests: started once a process, on a socket of its own, and ended by its own id."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from sentinel.model.place import ServerPlace
from sentinel.store.database import Database
from sentinel.store.units import write_unit
from tests.homes import NOW, SCHOOL

USER = "postgres"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "40",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
}
"""A server that may forget everything when the machine falls; nobody else reaches it."""

DURABLE = {"listen_addresses": ""}


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        place: its first database, `postgres`.
        pid: of its first process.
    """

    place: ServerPlace
    pid: int
    numbers: Iterator[int]

    def run(self, statement: str, *names: str) -> list[tuple[Any, ...]]:
        """Run one statement on the first database; `{}` stand for the names."""
        with psycopg.connect(
            host=self.place.host, dbname="postgres", user=USER, autocommit=True, connect_timeout=10
        ) as connection:
            cursor = connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    @cache  # noqa: B019  one server lives as long as the process
    def template(self) -> str:
        """Give a database with the tables of a home of one unit, `SCHOOL`."""
        self.run("CREATE DATABASE {}", "template_home")
        database = Database(replace(self.place, name="template_home"))
        with database.transaction("tester", NOW, objects=True) as transaction:
            write_unit(transaction, SCHOOL)
        database.close()
        return "template_home"

    @contextmanager
    def database(self, *, empty: bool = False) -> Iterator[ServerPlace]:
        """Give a database of one's own: a copy of the template, or an empty one."""
        name = f"test_{next(self.numbers)}"
        template = "template0" if empty else self.template()
        self.run("CREATE DATABASE {} TEMPLATE {}", name, template)
        try:
            yield replace(self.place, name=name)
        finally:
            self.run("DROP DATABASE {} WITH (FORCE)", name)

    def __hash__(self) -> int:
        return self.pid


def programs() -> Path:
    """Give the folder with `initdb` and `postgres`: the newest version of the system."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parents[1].name))
    beside = shutil.which("initdb")
    assert found or beside, "the tests need PostgreSQL 15 or newer: apt-get install postgresql"
    return found[-1].parent if found else Path(str(beside)).parent


@cache
def server() -> Server:
    """Give the server of this process's tests, started the first time it is asked for."""
    return start()


def start(*, durable: bool = False) -> Server:
    """Start a server that ends with this process, however that ends.

    A durable one writes to its disk as its makers ship it.
    """
    folder = Path(tempfile.mkdtemp(prefix="sentinel-pg-", dir="/tmp"))  # short: a socket's path has 107 bytes
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses root
        shutil.chown(folder, USER, USER)
        as_user = {"user": USER, "group": USER, "extra_groups": []}
    data, here = folder / "data", programs()
    common: dict[str, Any] = {"cwd": folder, "env": {"LC_ALL": "C.UTF-8", "PATH": os.defpath}, **as_user}
    words = ["-D", data, "-A", "trust", "-U", USER, "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run([here / "initdb", *words], check=True, stdout=subprocess.DEVNULL, **common)
    options = [f"-c{name}={value}" for name, value in (DURABLE if durable else SETTINGS).items()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "INT", here / "postgres", "-D", data, "-k", folder, *options],
            stdout=log,
            stderr=log,
            start_new_session=True,
            **common,
        )
    atexit.register(_end, process, folder, os.getpid())
    made = Server(ServerPlace("postgres", str(folder), user=USER), process.pid, count())
    _wait(made, process, folder / "log")
    return made


def _wait(made: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            made.run("SELECT 1")
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8", errors="replace")
            time.sleep(0.05)
        else:
            return


def _end(process: subprocess.Popen[bytes], folder: Path, owner: int) -> None:
    if os.getpid() != owner:
        return
    process.send_signal(signal.SIGQUIT)
    process.wait(timeout=60)
    shutil.rmtree(folder, ignore_errors=True)
