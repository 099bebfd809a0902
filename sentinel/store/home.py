"""A home: the folder with `sentinel.toml` and `var/` (database, evidence, reports) of one installation."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from sentinel.errors import StoreError
from sentinel.model.place import ServerPlace
from sentinel.store.database import Database, wrap_errors

MARKER = "sentinel.toml"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder layout of a home.

    Attributes:
        path: the home.
        server: where its tables lie on a server; None: in a file of its own.
    """

    path: Path
    server: ServerPlace | None = None

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.path / MARKER

    @property
    def var(self) -> Path:
        """Everything sentinel writes."""
        return self.path / "var"

    @property
    def database(self) -> Path:
        """The database file."""
        return self.var / "sentinel.db"

    @property
    def place(self) -> Path | ServerPlace:
        """Where the tables lie."""
        return self.server or self.database

    @property
    def evidence(self) -> Path:
        """The evidence blobs."""
        return self.var / "evidence"

    @property
    def reports(self) -> Path:
        """Rendered reports."""
        return self.var / "reports"

    @property
    def papers(self) -> Path:
        """Papers to sign and hand out; they name persons, so they lie beside `var` and are in no backup."""
        return self.path / "papers"

    @property
    def backups(self) -> Path:
        """Databases as they were before upgrades."""
        return self.var / "backups"

    @property
    def cache(self) -> Path:
        """What is only kept to save time; may be emptied at any moment."""
        return self.var / "cache"

    @property
    def logs(self) -> Path:
        """Log files of long-running commands."""
        return self.var / "log"

    @property
    def work(self) -> Path:
        """Files of running jobs; may be emptied when nothing runs."""
        return self.var / "work"

    def is_made(self) -> bool:
        """Tell whether `init` has been here."""
        return self.settings.is_file()


def require_free(path: Path, server: ServerPlace | None = None) -> Home:
    """Give the layout of a home that may be made there.

    Raises:
        StoreError: it is a home already, or cannot be written.
    """
    home = Home(path, server)
    if home.is_made():
        raise StoreError(f"{path}: is a home already; use it, or choose another folder")
    there = next((one for one in (path, *path.absolute().parents) if one.exists()), path)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        why = "cannot be written" if there.is_dir() else "Not a directory"
        raise StoreError(f"{there}: {why}; choose another folder with --home")
    return home


def create_home(path: Path, settings_text: str, server: ServerPlace | None = None) -> Home:
    """Make the folders, the settings file and the database of a new home.

    Raises:
        StoreError: the folder cannot be written or is a home already, or the tables of a home are on the server.
    """
    home = require_free(path, server)
    with wrap_errors(path):
        for folder in (home.var, home.evidence, home.reports, home.work):
            folder.mkdir(parents=True, exist_ok=True)
        home.var.chmod(0o700)
        if server is None:
            Database(home.database).close()
        else:
            _create_tables(server)
        fresh = home.settings.with_suffix(".new")
        fresh.write_text(settings_text, encoding="utf-8")
        fresh.replace(home.settings)
    return home


def _create_tables(server: ServerPlace) -> None:
    from sentinel.store.postgres import connected
    from sentinel.store.postgres_schema import read_revision

    with connected(server) as raw:
        if read_revision(raw, server) is not None:
            raise StoreError(
                f"{server}: schema {server.schema} holds a home already; use that one, or name another schema "
                f"with ?schema=NAME"
            )
    Database(server).close()


def discard_tables(server: ServerPlace) -> None:
    """Remove the tables that were just made for a home whose making failed."""
    from sentinel.store.postgres import connected
    from sentinel.store.postgres_schema import drop_tables

    with connected(server) as raw:
        drop_tables(raw, server)


def open_home(path: Path, busy_timeout_s: int = 30, server: ServerPlace | None = None) -> tuple[Home, Database]:
    """Open a home and its database, bringing an older schema up to date.

    Raises:
        StoreError: there is no home, or it cannot be used.
    """
    home = Home(path, server)
    if not home.is_made():
        raise StoreError(f"{path}: no home here; make one with `sentinel --home {path} init --unit NAME`")
    if server is None and not home.database.exists():
        raise StoreError(f"{home.database}: the database is missing; restore the home from a backup")
    with wrap_errors(path):
        for folder in (home.evidence, home.reports, home.work):
            folder.mkdir(parents=True, exist_ok=True)
        if not os.access(home.var, os.W_OK | os.X_OK):
            raise StoreError(f"{home.var}: cannot be written; check its owner and the mount")
    return home, Database(home.place, busy_timeout_s, may_create=server is None)


SETTINGS_BUSY = "another process changes the settings; try again when it is done"


@contextmanager
def hold_lock(home: Home, name: str, busy: str) -> Iterator[None]:
    """Hold an exclusive lock of the home; it is released when the process ends, however it ends.

    Raises:
        StoreError: another process holds it; `busy` is the message.
    """
    with wrap_errors(home.path), (home.var / f"{name}.lock").open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(busy) from error
        yield


@contextmanager
def work_folder(home: Home, name: str) -> Iterator[Path]:
    """Give an empty folder for one job and remove it afterwards; leftovers of dead jobs are removed as well.

    A living job holds a lock on its folder: process ids would not do, in a container every process has the same.
    """
    with wrap_errors(home.path):
        home.work.mkdir(parents=True, exist_ok=True)
        with _open_folder(home.work) as shelf:
            fcntl.flock(shelf, fcntl.LOCK_EX)
            _remove_dead_work(home)
            folder = Path(mkdtemp(prefix=f"{name}-", dir=home.work))
            held = os.open(folder, os.O_RDONLY)
            fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _remove_dead_work(home: Home) -> None:
    for folder in home.work.iterdir():
        with suppress(FileNotFoundError, BlockingIOError), _open_folder(folder) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _open_folder(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
