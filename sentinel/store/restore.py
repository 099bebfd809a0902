"""A backup in; a home at the newest schema, in a place where there was none, out."""

from __future__ import annotations

import fcntl
import io
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sentinel.errors import ParseError, StoreError
from sentinel.model.place import ServerPlace
from sentinel.store.archive import CHUNK, DATABASE, Hashed, Manifest, evidence_sum
from sentinel.store.backup import Tell, check_database, owner_only, read_whole, unpack_database
from sentinel.store.database import Database, wrap_errors
from sentinel.store.evidence import EvidenceFolder, read_kept_sums
from sentinel.store.home import Home
from sentinel.store.schema import HEAD

_SPARE_BYTES = 64 << 20
_OBJECTS = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a backup.

    Attributes:
        home: the new home.
        manifest: what the backup says of itself.
        upgraded_from: revision the database had; empty when it was the newest.
        sealed: rows that hold something only the contact key opens.
    """

    home: Home
    manifest: Manifest
    upgraded_from: str
    sealed: int


def restore_backup(
    file: Path,
    place: Path,
    actor: str,
    now: datetime,
    tell: Tell,
    *,
    server: ServerPlace | None = None,
    settle: Callable[[Path], None] = lambda _: None,
) -> Restored:
    """Make a home from a backup; it appears whole and checked, or not at all. Never over something that is there.

    With a server the tables go there, into a schema that has none. `settle` gets the folder before it appears.

    Raises:
        ParseError: it is no whole and sound backup.
        StoreError: the place is taken or cannot be written, or the backup is of a newer sentinel.
    """
    with wrap_errors(place):
        _check_place(file, place)
        place = place.resolve()
        place.parent.mkdir(parents=True, exist_ok=True)
        _remove_old_drafts(place)
        draft = place.with_name(f"{_draft_name(place)}{secrets.token_hex(4)}")
        held = None
        try:
            draft.mkdir(mode=0o700)
            held = _hold(draft)
            manifest = _unpack(file, Home(draft), tell)
            sealed = _finish(file, Home(draft), manifest, actor, now, tell)
            settle(draft)
            with _moved_tables(Home(draft), server, tell):
                os.sync()
                draft.rename(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            if held is not None:
                os.close(held)
    return Restored(Home(place, server), manifest, manifest.schema if manifest.schema != HEAD else "", sealed)


@contextmanager
def _moved_tables(home: Home, server: ServerPlace | None, tell: Tell) -> Iterator[None]:
    """Move the tables of a checked home to a server, when one is named; they go again if the block fails."""
    if server is None:
        yield
        return
    from sentinel.store.portable import fill_server
    from sentinel.store.postgres import connected
    from sentinel.store.postgres_schema import drop_tables

    with connected(server) as raw:
        fill_server(raw, server, home.database, lambda left, total: tell("database", total - left, total))
        for left in home.var.glob(f"{home.database.name}*"):
            left.unlink()
        try:
            yield
        except BaseException:
            drop_tables(raw, server)
            raise


def _draft_name(place: Path) -> str:
    return f".{place.name}.restore-"


def _hold(draft: Path) -> int | None:
    """Lock a folder that is being filled until its descriptor is closed; None: another process holds it."""
    held = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return None
    return held


def _remove_old_drafts(place: Path) -> None:
    """Remove what killed restores to this place left: each is as large as a home, and nobody sees it."""
    for left in place.parent.iterdir():
        if left.name.startswith(_draft_name(place)) and left.is_dir() and not left.is_symlink():
            held = _hold(left)
            if held is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(held)


def _check_place(file: Path, place: Path) -> None:
    if place.is_symlink() or (place.exists() and not (place.is_dir() and not any(place.iterdir()))):
        raise StoreError(f"{place}: something is there already; restore into a new or an empty folder")
    size = file.stat().st_size
    above = next(one for one in (place, *place.absolute().parents) if one.exists())
    if shutil.disk_usage(above).free < size + _SPARE_BYTES:
        raise StoreError(f"{place}: no room: the backup needs more than {(size + _SPARE_BYTES) >> 20} MiB")


def _unpack(file: Path, home: Home, tell: Tell) -> Manifest:
    for folder in (home.var, home.evidence, home.reports, home.work):
        folder.mkdir(parents=True, exist_ok=True)
    home.var.chmod(0o700)

    def take(name: str, stream: Hashed) -> None:
        target = home.database if name == DATABASE else home.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb", opener=owner_only) as out:
            if name == DATABASE:
                unpack_database(stream, out.write, str(file))
            else:
                shutil.copyfileobj(io.BufferedReader(stream, CHUNK), out, CHUNK)

    return read_whole(file, take, lambda done, total: tell("restore", done, total))


def _finish(file: Path, home: Home, manifest: Manifest, actor: str, now: datetime, tell: Tell) -> int:
    """Check what was unpacked, bring its schema up to date, and note in its audit where it comes from."""
    check_database(home.database, manifest, str(file))
    if manifest.schema > HEAD:
        raise StoreError(f"{file}: written by a newer sentinel (schema {manifest.schema}, known up to {HEAD})")
    _check_evidence(file, home, manifest, tell)
    database = Database(home.database)
    try:
        _check_schema(file, home, database)
        with database.transaction(actor, now) as transaction:
            after = {"made_at": manifest.made_at, "audit_head": manifest.audit_head, "schema": manifest.schema}
            transaction.audit("home.restore", file.name, after=after)
        return sealed_rows(database)
    finally:
        database.close()
        shutil.rmtree(home.backups, ignore_errors=True)  # the backup itself is the copy of the older schema


def _check_evidence(file: Path, home: Home, manifest: Manifest, tell: Tell) -> None:
    with closing(sqlite3.connect(home.database)) as connection:
        wanted = set(read_kept_sums(connection)) - set(manifest.missing)
    there = {sum_ for one in manifest.members if (sum_ := evidence_sum(one.name))}
    if wanted != there:
        raise ParseError("the evidence in it is not what its database names; use another backup", str(file))
    folder = EvidenceFolder(home.evidence)
    for done, sha in enumerate(sorted(wanted)):
        if not folder.verify(sha):
            raise ParseError(f"evidence {sha} is damaged; use another backup", str(file))
        tell("evidence", done + 1, len(wanted))


def _check_schema(file: Path, home: Home, database: Database) -> None:
    """Refuse a database with tables, triggers or views other than a fresh one of this schema has."""
    fresh = Database(home.work / "fresh.db")
    try:
        made, found = (
            {row[:2]: row[2] if row[0] == "trigger" else "" for row in one.query(_OBJECTS)} for one in (fresh, database)
        )
    finally:
        fresh.close()
        for left in home.work.iterdir():
            left.unlink()
    odd = sorted(key for key in made.keys() | found.keys() if made.get(key) != found.get(key))
    if odd:
        kind, name = odd[0]
        raise ParseError(
            f"its database is not one sentinel makes ({kind} {name[:80]!a}); use another backup", str(file)
        )


def sealed_rows(database: Database) -> int:
    """Count the rows that hold something only the contact key opens."""
    row = database.one(
        "SELECT (SELECT count(*) FROM contact) + (SELECT count(*) FROM register WHERE length(person) > 0) "
        "+ (SELECT count(*) FROM system_version WHERE length(persons) > 0)"
        "+ (SELECT count(*) FROM account)"
        "+ (SELECT count(*) FROM finding WHERE person IS NOT NULL)"
    )
    return int(row[0]) if row else 0
