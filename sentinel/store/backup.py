"""A home in, also while others write to it; one checked file with all that is needed to go on elsewhere out."""

from __future__ import annotations

import io
import os
import sqlite3
import tarfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import zstandard

from sentinel.errors import ParseError, StoreError
from sentinel.model.moment import iso_utc, to_microseconds
from sentinel.store.archive import (
    CHUNK,
    DATABASE,
    FORMAT,
    MANIFEST,
    SETTINGS,
    Hashed,
    Manifest,
    Member,
    check_members,
    check_new,
    dump_manifest,
    evidence_name,
    evidence_sum,
    parse_manifest,
    read_archive,
)
from sentinel.store.audit import find_broken_link
from sentinel.store.database import Database, wrap_errors
from sentinel.store.evidence import EvidenceFolder, read_kept_sums, sync_folder
from sentinel.store.home import Home
from sentinel.store.schema import check_integrity, read_revision

Tell = Callable[[str, int, int], None]
"""Progress: what is done, how much of it, of how much."""

_OLD_S = 86_400
_SMALL_BYTES = 64 << 20
_GROWTH = 100
"""A compressed database becomes 4 to 20 times larger; beyond this it is made to fill the disk."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a backup notes besides the home's own contents.

    Attributes:
        sentinel: version of the program.
        now: the moment.
        key_id: id of the contact key on this machine; empty without one. The key itself is never taken along.
        files: (name in the backup, file): own rules and, when asked for, rendered reports.
    """

    sentinel: str
    now: datetime
    key_id: str = ""
    files: tuple[tuple[str, Path], ...] = ()


def write_backup(database: Database, home: Home, out: Path, around: Surroundings, tell: Tell) -> Manifest:
    """Write a backup and read it back; the file appears whole and checked, or not at all.

    Evidence is read after the database was copied: blobs never change, so none the copy names can be missing for that
    reason. Those that were lost or damaged before are named in `missing`.

    Raises:
        StoreError: the target is there already or cannot be written, or the database is damaged.
    """
    check_new(out)
    with wrap_errors(out):
        _remove_old_drafts(out.parent)
        draft, plain, packed = (out.with_name(f".{out.name}.{part}.part") for part in ("tar", "db", "zst"))
        try:
            database.engine.copy_to(plain, lambda left, total: tell("database", total - left, total))
            _pack(plain, packed)
            manifest = _describe(plain, home, around)
            manifest = _write(draft, manifest, home, packed, around, tell)
            check_backup(draft, plain, tell)
            check_new(out)
            draft.rename(out)
            sync_folder(out.parent)
        finally:
            for file in (draft, plain, packed):
                file.unlink(missing_ok=True)
    return manifest


def check_backup(path: Path, scratch: Path, tell: Tell) -> Manifest:
    """Read a whole backup: all sums, the database, its audit chain. `scratch` is a file to unpack the database to.

    Raises:
        ParseError: it is no whole and sound backup.
        StoreError: it cannot be read.
    """

    def take(name: str, stream: Hashed) -> None:
        if name == DATABASE:
            with open(scratch, "wb", opener=owner_only) as target:
                unpack_database(stream, target.write, str(path))

    manifest = read_whole(path, take, lambda done, total: tell("check", done, total))
    check_database(scratch, manifest, str(path))
    return manifest


def read_whole(path: Path, take: Callable[[str, Hashed], None], tell: Callable[[int, int], None]) -> Manifest:
    """Hand each member to `take`, which may leave some of it unread, and hold all of them against the manifest.

    Raises:
        ParseError: it is no whole backup, or a sum differs.
        StoreError: it cannot be read.
    """
    found: dict[str, tuple[int, str]] = {}
    manifest: Manifest | None = None
    done = 0
    for name, stream in read_archive(path):
        if manifest is not None:
            raise ParseError("something follows the manifest", str(path))
        if name == MANIFEST:
            manifest = parse_manifest(stream.read(), str(path))
            continue
        take(name, stream)
        while stream.read(CHUNK):
            pass
        found[name] = (stream.size, stream.digest())
        done += stream.size
        tell(done, path.stat().st_size)
    if manifest is None:
        raise ParseError("is cut off: there is no manifest; copy it again", str(path))
    check_members(manifest, found, str(path))
    return manifest


def owner_only(path: str, flags: int) -> int:
    """Open a file nobody else may read."""
    return os.open(path, flags, 0o600)


def unpack_database(stream: Hashed, write: Callable[[bytes], object], where: str) -> None:
    """Decompress a database as it is read; the manifest is held against it afterwards.

    Raises:
        ParseError: it cannot be decompressed, or grows as no database does.
    """
    left = max(_SMALL_BYTES, _GROWTH * stream.limit)
    try:
        with zstandard.ZstdDecompressor().stream_reader(io.BufferedReader(stream, CHUNK), closefd=False) as reader:
            while chunk := reader.read(CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise ParseError("the database in it grows as none does; use another backup", where)
                write(chunk)
    except zstandard.ZstdError as error:
        raise ParseError("the database in it is damaged; use another backup", where) from error


def check_database(path: Path, manifest: Manifest, where: str) -> None:
    """Hold an unpacked database against what the manifest says of it.

    Raises:
        ParseError: it is another one, is damaged, or its audit chain is not as it was.
    """
    with path.open("rb") as raw:
        whole = Hashed(raw, 1 << 62)
        while whole.read(CHUNK):
            pass
    if (whole.size, whole.digest()) != (manifest.database_bytes, manifest.database_sha256):
        raise ParseError("the database in it is not the one it was made from; use another backup", where)
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA trusted_schema=OFF")
            check_integrity(connection)
            row = connection.execute("SELECT count(*), max(id) FROM audit").fetchone()
            head = connection.execute("SELECT hash FROM audit WHERE id=?", (row[1],)).fetchone()
            state = (read_revision(connection), row[0], head[0] if head else "", find_broken_link(connection))
            tables = set(_read_tables(connection))
    except (sqlite3.Error, StoreError, ValueError, TypeError) as error:
        raise ParseError(f"the database in it is damaged ({error}); use another backup", where) from error
    if state != (manifest.schema, manifest.audit_rows, manifest.audit_head, manifest.audit_broken):
        raise ParseError("the audit chain in it is not as the manifest says; use another backup", where)
    if not tables.issuperset(name for name, _ in manifest.counts):
        raise ParseError("the tables in it are not those the manifest names; use another backup", where)


def remove_old_backups(folder: Path, prefix: str, keep: int) -> tuple[Path, ...]:
    """Keep the newest of the backups whose names begin so, remove the others and give them."""
    kept = sorted(folder.glob(f"{prefix}*.tar"), key=lambda file: file.name, reverse=True)
    removed = tuple(file for file in kept[keep:] if file.is_file() and not file.is_symlink())
    with wrap_errors(folder):
        for file in removed:
            file.unlink(missing_ok=True)
    return removed


def _read_tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")
    return [name for (name,) in rows if not name.startswith(("sqlite_", "alembic_"))]


def _describe(plain: Path, home: Home, around: Surroundings) -> Manifest:
    """Read from the copied database what the manifest says; members follow later."""
    with plain.open("rb") as raw:
        whole = Hashed(raw, 1 << 62)
        while whole.read(CHUNK):
            pass
    with closing(sqlite3.connect(plain)) as copy:
        tables = _read_tables(copy)
        counts = tuple((name, int(copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])) for name in tables)  # noqa: S608
        head = copy.execute("SELECT hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
        sums = read_kept_sums(copy)
        folder = EvidenceFolder(home.evidence)
        return Manifest(
            format=FORMAT,
            sentinel=around.sentinel,
            schema=read_revision(copy) or "",
            made_at=iso_utc(around.now),
            units=tuple(copy.execute("SELECT code, name FROM unit ORDER BY code")),
            counts=counts,
            database_bytes=whole.size,
            database_sha256=whole.digest(),
            audit_rows=dict(counts)["audit"],
            audit_head=str(head[0]) if head else "",
            audit_broken=find_broken_link(copy),
            key_id=around.key_id,
            missing=tuple(sha for sha in sums if not folder.path_of(sha).is_file()),
            members=tuple(Member(evidence_name(sha), 0, "") for sha in sums),
        )


def _write(draft: Path, plan: Manifest, home: Home, packed: Path, around: Surroundings, tell: Tell) -> Manifest:
    """Write all members; evidence that turns out damaged is left out and named in `missing`."""
    folder = EvidenceFolder(home.evidence)
    files: list[tuple[str, Path]] = [(SETTINGS, home.settings), (DATABASE, packed), *sorted(around.files)]
    sums = [sum_ for one in plan.members if (sum_ := evidence_sum(one.name))]
    missing = list(plan.missing)
    for done, sha in enumerate(sums):
        if sha not in plan.missing and not folder.verify(sha):
            missing.append(sha)
        tell("evidence", done + 1, len(sums))
    lost = set(missing)
    files += [(evidence_name(sha), folder.path_of(sha)) for sha in sums if sha not in lost]
    mtime = to_microseconds(around.now) // 1_000_000
    members = []
    with open(draft, "wb", opener=owner_only) as raw:
        with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for done, (name, file) in enumerate(files):
                members.append(_add(tar, name, file, mtime))
                tell("write", done + 1, len(files))
            manifest = replace(plan, missing=tuple(sorted(missing)), members=tuple(members))
            text = dump_manifest(manifest)
            tar.addfile(_header(MANIFEST, len(text), mtime), io.BytesIO(text))
        raw.flush()
        os.fsync(raw.fileno())
    return manifest


def _add(tar: tarfile.TarFile, name: str, file: Path, mtime: int) -> Member:
    with wrap_errors(file), file.open("rb") as raw:
        size = os.fstat(raw.fileno()).st_size
        stream = Hashed(raw, size)
        tar.addfile(_header(name, size, mtime), io.BufferedReader(stream, CHUNK))
        return Member(name, size, stream.digest())


def _header(name: str, size: int, mtime: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mtime, header.mode = size, mtime, 0o600
    return header


def _pack(plain: Path, packed: Path) -> None:
    with plain.open("rb") as source, open(packed, "wb", opener=owner_only) as target:
        zstandard.ZstdCompressor(level=3).copy_stream(source, target)


def _remove_old_drafts(folder: Path) -> None:
    """Remove what killed backups left; one still being written is younger."""
    for draft in folder.glob(".*.part"):
        with suppress(FileNotFoundError):
            if draft.name.startswith(".sentinel-") and time.time() - draft.stat().st_mtime > _OLD_S:
                draft.unlink()
