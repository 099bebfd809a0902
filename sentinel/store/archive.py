"""The one file a home is backed up to: a plain tar whose last member, the manifest, tells size and sum of all others.

What is read is hostile: only regular files with names a backup would give them are taken, nothing is followed. It is
read here rather than with `tarfile`, which takes headers of any size into memory and knows more kinds of members.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from sentinel.errors import ParseError, StoreError
from sentinel.store.database import wrap_errors

FORMAT = 1
MANIFEST = "manifest.json"
SETTINGS = "sentinel.toml"
DATABASE = "var/sentinel.db.zst"
CHUNK = 1 << 20

_BLOCK = 512
_LONG_NAME = b"L"
_LONGEST_NAME = 1024
_MOST_MEMBERS = 2_000_000
_LARGEST = {MANIFEST: 512 << 20, SETTINGS: 1 << 20}
_LARGEST_RULE = 16 << 20
_EVIDENCE = re.compile(r"var/evidence/[0-9a-f]{2}/[0-9a-f]{62}\.zst\Z")
_REPORT = re.compile(r"var/reports/[^/]+/[^/]+\.html\Z")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a backup.

    Attributes:
        name: path inside the home, except for the manifest; the database is compressed.
        size: bytes.
        sha256: their sum.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        format: of the backup.
        sentinel: version that wrote it.
        schema: revision of its database.
        made_at: moment of its database, ISO 8601, UTC.
        units: code and name of each.
        counts: rows by table.
        database_bytes: size of the database, not compressed.
        database_sha256: sum of the database, not compressed.
        audit_rows: length of the audit chain.
        audit_head: its last hash; empty when there is no row.
        audit_broken: first row at which the chain was broken already; None when it was whole.
        key_id: id of the contact key on the machine that wrote it; empty when there was none.
        missing: evidence the database names and the home no longer had, or had damaged.
        members: all files but this one.
    """

    format: int
    sentinel: str
    schema: str
    made_at: str
    units: tuple[tuple[str, str], ...]
    counts: tuple[tuple[str, int], ...]
    database_bytes: int
    database_sha256: str
    audit_rows: int
    audit_head: str
    audit_broken: int | None
    key_id: str
    missing: tuple[str, ...]
    members: tuple[Member, ...]


def evidence_name(sha: str) -> str:
    """Where a blob lies in a backup, as in a home."""
    return f"var/evidence/{sha[:2]}/{sha[2:]}.zst"


def evidence_sum(name: str) -> str | None:
    """Give the sum in the name of an evidence blob; None for other members."""
    return name[13:15] + name[16:-4] if _EVIDENCE.match(name) else None


def dump_manifest(manifest: Manifest) -> bytes:
    """Write a manifest as JSON."""
    values = asdict(manifest)
    values["members"] = [[one.name, one.size, one.sha256] for one in manifest.members]
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()


def parse_manifest(raw: bytes, where: str) -> Manifest:
    """Read a manifest.

    Raises:
        ParseError: it is none, or of a format this version does not know.
    """
    try:
        values = json.loads(raw)
        if values["format"] != FORMAT:
            raise ParseError(f"a backup of format {values['format']!r}, known is {FORMAT}; use a newer sentinel", where)
        values["units"] = tuple((str(code), str(name)) for code, name in values["units"])
        values["counts"] = tuple((str(table), int(count)) for table, count in values["counts"])
        values["missing"] = tuple(map(str, values["missing"]))
        values["members"] = tuple(Member(str(name), int(size), str(sha)) for name, size, sha in values["members"])
        manifest = Manifest(**values)
        datetime.fromisoformat(manifest.made_at)
        if not isinstance(manifest.schema, str):
            raise TypeError(manifest.schema)
        int(manifest.database_bytes)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ParseError("the manifest cannot be read; this is no whole backup", where) from error
    return manifest


class Hashed(io.RawIOBase):
    """A stream that counts and sums what is read from it, at most so many bytes."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = stream
        self._left = limit
        self.limit = limit
        self._hasher = sha256()
        self.size = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands over
        """Read on, up to the limit."""
        chunk = self._stream.read(min(len(buffer), self._left))
        buffer[: len(chunk)] = chunk
        self._hasher.update(chunk)
        self._left -= len(chunk)
        self.size += len(chunk)
        return len(chunk)

    def digest(self) -> str:
        """Give the sum of what was read."""
        return self._hasher.hexdigest()


def read_archive(path: Path) -> Iterator[tuple[str, Hashed]]:
    """Give each member's name and bytes in the order of the file; what a block leaves unread is skipped over.

    Raises:
        ParseError: it is no backup, is cut off, or holds what no backup holds.
        StoreError: the file cannot be read.
    """
    with wrap_errors(path), path.open("rb") as stream:
        end = path.stat().st_size
        seen: set[str] = set()
        for name, size in _headers(stream, end, str(path)):
            start = stream.tell()
            if name in seen or len(seen) >= _MOST_MEMBERS:
                raise ParseError(f"{_shown(name)} comes twice, or there are too many files", str(path))
            seen.add(name)
            _check_member(name, size, str(path))
            yield name, Hashed(stream, size)
            stream.seek(start + size + -size % _BLOCK)


def _headers(stream: BinaryIO, end: int, where: str) -> Iterator[tuple[str, int]]:
    """Read tar headers; after each pair the stream stands at the member's bytes and must be moved behind them."""
    long_name = b""
    while True:
        offset = stream.tell()
        block = stream.read(_BLOCK)
        if len(block) == _BLOCK and not any(block):
            return
        kind, size = _read_header(block, f"{where} byte {offset}")
        if stream.tell() + size > end:
            raise ParseError("is cut off; copy it again", where)
        if kind == _LONG_NAME and not long_name and size <= _LONGEST_NAME:
            long_name = stream.read(size).rstrip(b"\0")
            stream.seek(-size % _BLOCK, io.SEEK_CUR)
        elif kind == b"0":
            raw = long_name or block[:100].rstrip(b"\0")
            long_name = b""
            try:
                yield raw.decode("utf-8"), size
            except UnicodeDecodeError as error:
                raise ParseError("a name that is not UTF-8", f"{where} byte {offset}") from error
        else:
            raise ParseError("holds a link, a device or another thing no backup holds", f"{where} byte {offset}")


def _read_header(block: bytes, where: str) -> tuple[bytes, int]:
    if len(block) < _BLOCK:
        raise ParseError("is cut off; copy it again", where)
    try:
        stated = int(block[148:156].rstrip(b" \0") or b"0", 8)
        field = block[124:136]
        size = int.from_bytes(field[1:], "big") if field[0] & 0x80 else int(field.rstrip(b" \0") or b"0", 8)
    except ValueError as error:
        raise ParseError("no backup of a home", where) from error
    if stated != sum(block[:148]) + 8 * 32 + sum(block[156:]) or block[257:262] != b"ustar" or size < 0:
        raise ParseError("no backup of a home", where)
    return block[156:157].replace(b"\0", b"0"), size


def _check_member(name: str, size: int, where: str) -> None:
    parts = name.split("/")
    safe = name.isprintable() and all(part and not part.startswith(".") and len(part) < 256 for part in parts)
    known = name in {MANIFEST, SETTINGS, DATABASE} or _EVIDENCE.match(name) or _REPORT.match(name)
    if not safe or not (known or (parts[0] != "var" and len(parts) > 1)):
        raise ParseError(f"holds {_shown(name)}, which no backup holds", where)
    if size > _LARGEST.get(name, 1 << 62 if known else _LARGEST_RULE):
        raise ParseError(f"{_shown(name)} is too large for what it says it is", where)


def _shown(name: str) -> str:
    return ascii(name[:80])


def check_members(manifest: Manifest, found: dict[str, tuple[int, str]], where: str) -> None:
    """Hold what was read against the manifest.

    Raises:
        ParseError: something is missing, was added, or is not as it was written.
    """
    stated = {one.name: (one.size, one.sha256) for one in manifest.members}
    for name in sorted(stated.keys() | found.keys()):
        if stated.get(name) != found.get(name):
            raise ParseError(f"{_shown(name)} is missing or damaged; use another backup", where)
    if DATABASE not in stated or SETTINGS not in stated:
        raise ParseError("holds no database or no settings", where)


def check_new(path: Path) -> None:
    """Refuse a path where something is already.

    Raises:
        StoreError: something is.
    """
    if path.exists() or path.is_symlink():
        raise StoreError(f"{path}: is there already; choose another name")
