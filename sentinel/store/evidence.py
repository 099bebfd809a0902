"""Evidence blobs: bytes in, their SHA-256 out, kept zstd-compressed in a folder and never rewritten."""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import zstandard

from sentinel.errors import StoreError
from sentinel.model.evidence import Evidence
from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.store.database import Database, Transaction, wrap_errors

_CHUNK = 1 << 18
_DRAFT = ".draft-"
_OLD_S = 86_400


class EvidenceFolder:
    """The blobs of a home, at `ab/cdef….zst` by their SHA-256."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path_of(self, sha256: str) -> Path:
        """Where a blob lies or would lie."""
        return self.folder / sha256[:2] / f"{sha256[2:]}.zst"

    @contextmanager
    def receive(self, stream: BinaryIO) -> Iterator[Received]:
        """Take bytes in; the blob stays only when the block calls `keep()`.

        Raises:
            StoreError: the disk is full or the folder cannot be written.
        """
        with wrap_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            _remove_old_drafts(self.folder)
        draft = self.folder / f"{_DRAFT}{os.getpid()}-{id(stream):x}"
        try:
            with wrap_errors(self.folder):
                digest, size = _copy(stream, draft)
            yield Received(self, draft, digest, size)
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def open(self, sha256: str) -> Iterator[BinaryIO]:
        """Read a kept blob's own bytes; damage shows at the latest when the last of them is read.

        Raises:
            StoreError: the blob is missing or damaged.
        """
        path = self.path_of(sha256)
        try:
            with wrap_errors(path):
                raw = path.open("rb")
        except StoreError as error:
            if path.exists():
                raise
            raise StoreError(f"evidence {sha256} is missing; restore the home from a backup") from error
        with raw, io.BufferedReader(_Unpacked(raw, sha256), _CHUNK) as stream:
            yield stream

    def verify(self, sha256: str) -> bool:
        """Tell whether the blob is there and its bytes still have the sum in its name."""
        try:
            with self.open(sha256) as stream:
                while stream.read(_CHUNK):
                    pass
        except StoreError:
            return False
        return True


class Received:
    """Bytes that were taken in and not yet kept.

    Attributes:
        sha256: their sum.
        size_bytes: their number.
    """

    def __init__(self, folder: EvidenceFolder, draft: Path, sha256: str, size_bytes: int) -> None:
        self._folder = folder
        self._draft = draft
        self.sha256 = sha256
        self.size_bytes = size_bytes

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Read the bytes."""
        path = self._draft if self._draft.exists() else self._folder.path_of(self.sha256)
        with wrap_errors(path):
            raw = path.open("rb")
        with raw, io.BufferedReader(_Unpacked(raw, self.sha256), _CHUNK) as stream:
            yield stream

    def keep(self) -> None:
        """Put the blob at its place, on disk before this returns; inside the transaction that names it, so that no
        clearing comes between.

        Raises:
            StoreError: it cannot be put there.
        """
        path = self._folder.path_of(self.sha256)
        with wrap_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                os.utime(path)  # what nothing names yet is cleared by its age
            else:
                self._draft.rename(path)
                sync_folder(path.parent)
                sync_folder(path.parent.parent)


class _Unpacked(io.RawIOBase):
    """A blob's own bytes; the decompressor takes a cut-off blob for a whole one, so their sum is checked at the end."""

    def __init__(self, raw: BinaryIO, sha256: str) -> None:
        self._reader = zstandard.ZstdDecompressor().stream_reader(raw, closefd=False)
        self._hasher = hashlib.sha256()
        self._sha256 = sha256

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands over
        try:
            count = self._reader.readinto(buffer)
        except zstandard.ZstdError as error:
            raise self._damaged() from error
        if count:
            self._hasher.update(buffer[:count])
        elif self._hasher.hexdigest() != self._sha256:
            raise self._damaged()
        return count

    def _damaged(self) -> StoreError:
        return StoreError(f"evidence {self._sha256} is damaged; restore the home from a backup")


def _remove_old_drafts(folder: Path) -> None:
    """Remove what killed processes left; a draft still written to is younger."""
    for draft in folder.glob(f"{_DRAFT}*"):
        with suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _OLD_S:
                draft.unlink()


def _copy(stream: BinaryIO, draft: Path) -> tuple[str, int]:
    hasher = hashlib.sha256()
    size = 0
    with draft.open("wb") as raw:
        with zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False) as packed:
            while chunk := stream.read(_CHUNK):
                hasher.update(chunk)
                size += len(chunk)
                packed.write(chunk)
        raw.flush()
        os.fsync(raw.fileno())
    return hasher.hexdigest(), size


def sync_folder(folder: Path) -> None:
    """Have the disk keep what was renamed into a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_evidence(transaction: Transaction, evidence: Evidence) -> None:
    """Record a blob; recording it again changes nothing, but that one that was cleared is there again."""
    transaction.execute(
        "INSERT INTO evidence (sha256, size_bytes, name, format, received_us) VALUES (?,?,?,?,?) "
        "ON CONFLICT (sha256) DO UPDATE SET pruned_us=NULL WHERE evidence.pruned_us IS NOT NULL",
        (
            evidence.sha256,
            evidence.size_bytes,
            evidence.name,
            evidence.format,
            to_microseconds(evidence.received_at),
        ),
    )


def read_evidence(database: Database, sha256: str) -> Evidence | None:
    """Give what is recorded of a kept blob; None when there is none or it was cleared."""
    row = database.one(
        "SELECT sha256, size_bytes, name, format, received_us FROM evidence WHERE sha256=? AND pruned_us IS NULL",
        (sha256,),
    )
    return Evidence(row[0], row[1], row[2], row[3], from_microseconds(row[4])) if row else None


def read_some_sums(database: Database, count: int) -> tuple[str, ...]:
    """Give the sums of some kept blobs, chosen by chance, for a spot check."""
    rows = database.query("SELECT sha256 FROM evidence WHERE pruned_us IS NULL ORDER BY random() LIMIT ?", (count,))
    return tuple(str(row[0]) for row in rows)


def read_kept_sums(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Give the sums of all blobs that must be there, in their order; a schema before 0002 prunes nothing."""
    columns = {row[1] for row in connection.execute("PRAGMA table_info(evidence)")}
    clause = " WHERE pruned_us IS NULL" if "pruned_us" in columns else ""
    return tuple(str(row[0]) for row in connection.execute(f"SELECT sha256 FROM evidence{clause} ORDER BY sha256"))  # noqa: S608
