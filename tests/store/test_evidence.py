from __future__ import annotations

import hashlib
import io
import os
import random
import tracemalloc
from pathlib import Path
from typing import BinaryIO

import pytest

from sentinel.errors import ParseError, StoreError
from sentinel.model.evidence import Evidence
from sentinel.store.database import Database
from sentinel.store.evidence import EvidenceFolder, read_evidence, read_some_sums, write_evidence
from tests.homes import NOW

BYTES = random.Random(7).randbytes(700_000) + b"\nline one\nline two\n" * 1_000
SUM = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> EvidenceFolder:
    return EvidenceFolder(tmp_path / "evidence")


def keep(folder: EvidenceFolder, data: bytes = BYTES) -> str:
    with folder.receive(io.BytesIO(data)) as received:
        received.keep()
        return received.sha256


def files(folder: EvidenceFolder) -> list[str]:
    return sorted(str(one.relative_to(folder.folder)) for one in folder.folder.rglob("*") if one.is_file())


class Broken(io.BytesIO):
    """Gives some bytes and then fails like a disk."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(28, "No space left on device")
        return super().read(1000)


def test_kept_bytes_are_read_back_under_their_sum(folder: EvidenceFolder) -> None:
    assert keep(folder) == SUM
    with folder.open(SUM) as stream:
        assert stream.read() == BYTES
    assert folder.verify(SUM)
    assert files(folder) == [f"{SUM[:2]}/{SUM[2:]}.zst"]
    assert folder.path_of(SUM).stat().st_size < len(BYTES)


def test_received_bytes_are_readable_before_and_after_they_are_kept(folder: EvidenceFolder) -> None:
    with folder.receive(io.BytesIO(BYTES)) as received:
        assert (received.sha256, received.size_bytes) == (SUM, len(BYTES))
        with received.open() as stream:
            assert stream.read(10) == BYTES[:10]
        received.keep()
        received.keep()
        with received.open() as stream:
            assert stream.readlines()[-1] == b"line two\n"


def test_same_bytes_again_are_kept_once(folder: EvidenceFolder) -> None:
    keep(folder)
    before = folder.path_of(SUM).stat()
    keep(folder)
    after = folder.path_of(SUM).stat()
    assert before.st_ino == after.st_ino
    assert after.st_mtime_ns >= before.st_mtime_ns, "it is young again: no clearing takes it for a leftover"
    assert len(files(folder)) == 1


def test_empty_evidence_is_evidence(folder: EvidenceFolder) -> None:
    empty = keep(folder, b"")
    with folder.open(empty) as stream:
        assert stream.read() == b""
    assert folder.verify(empty)


def test_bytes_nobody_kept_leave_nothing(folder: EvidenceFolder) -> None:
    with folder.receive(io.BytesIO(BYTES)):
        assert len(files(folder)) == 1
    assert files(folder) == []


def test_draft_is_removed_when_the_block_fails(folder: EvidenceFolder) -> None:
    with pytest.raises(ParseError), folder.receive(io.BytesIO(BYTES)):
        raise ParseError("nothing to read")
    assert files(folder) == []


def test_draft_is_removed_when_the_bytes_cannot_be_taken(folder: EvidenceFolder) -> None:
    with pytest.raises(StoreError, match="No space left on device"), folder.receive(Broken(BYTES)):
        pytest.fail("nothing was received")
    assert files(folder) == []


def test_draft_of_a_killed_process_is_removed_a_day_later(folder: EvidenceFolder) -> None:
    folder.folder.mkdir()
    old, young = folder.folder / ".draft-1-a", folder.folder / ".draft-1-b"
    for one in (old, young):
        one.write_bytes(b"left behind")
    os.utime(old, (1, 1))
    keep(folder)
    assert not old.exists()
    assert young.exists()


def test_draft_that_vanished_is_no_silent_loss(folder: EvidenceFolder) -> None:
    with folder.receive(io.BytesIO(BYTES)) as received:
        for draft in folder.folder.glob(".draft-*"):
            draft.unlink()
        with pytest.raises(StoreError, match="No such file"):
            received.keep()


def test_missing_evidence_says_so(folder: EvidenceFolder) -> None:
    with pytest.raises(StoreError, match=f"evidence {SUM} is missing"), folder.open(SUM):
        pytest.fail("there is nothing to open")
    assert not folder.verify(SUM)


def test_evidence_that_cannot_be_opened_says_why(folder: EvidenceFolder) -> None:
    folder.path_of(SUM).mkdir(parents=True)
    with pytest.raises(StoreError, match="Is a directory"), folder.open(SUM):
        pytest.fail("a folder is no blob")


@pytest.mark.parametrize("damage", ["cut off", "one bit", "no zstd", "emptied", "other bytes", "tail"])
def test_damaged_evidence_says_so_when_read_to_its_end(folder: EvidenceFolder, damage: str) -> None:
    keep(folder)
    path = folder.path_of(SUM)
    raw = bytearray(path.read_bytes())
    if damage == "cut off":
        raw = raw[: len(raw) // 2]
    elif damage == "one bit":
        raw[len(raw) // 2] ^= 1
    elif damage == "no zstd":
        raw[:] = b"x" * 100
    elif damage == "emptied":
        raw.clear()
    elif damage == "other bytes":
        raw = bytearray(folder.path_of(keep(folder, b"others")).read_bytes())
    else:
        raw = raw[:-1]
    path.write_bytes(raw)
    with pytest.raises(StoreError, match=f"evidence {SUM} is damaged"), folder.open(SUM) as stream:
        while stream.read(1 << 16):
            pass
    assert not folder.verify(SUM)


def test_error_of_the_reader_is_not_taken_for_damage(folder: EvidenceFolder) -> None:
    keep(folder)
    with pytest.raises(FileNotFoundError), folder.open(SUM):
        Path("/nowhere/at/all").read_bytes()


def test_folder_in_the_way_of_the_evidence_says_so(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file")
    with (
        pytest.raises(StoreError, match=f"{tmp_path / 'evidence'}: File exists"),
        EvidenceFolder(tmp_path / "evidence").receive(io.BytesIO(b"a")),
    ):
        pytest.fail("nothing was received")


def test_blob_without_a_place_to_lie_says_so(folder: EvidenceFolder) -> None:
    folder.folder.mkdir()
    (folder.folder / SUM[:2]).write_text("a file in the way")
    with folder.receive(io.BytesIO(BYTES)) as received, pytest.raises(StoreError, match=r"File exists|Not a directory"):
        received.keep()


def test_large_zeros_are_read_in_bounded_pieces(folder: EvidenceFolder) -> None:
    class Zeros(io.RawIOBase):
        left = 64 << 20

        def read(self, size: int | None = -1) -> bytes:
            count = min(self.left, size or 0)
            self.left -= count
            return bytes(count)

    stream: BinaryIO = Zeros()  # type: ignore[assignment]  # only read() is used
    with folder.receive(stream) as received:
        received.keep()
    assert received.size_bytes == 64 << 20
    tracemalloc.start()
    with folder.open(received.sha256) as reader:
        while reader.read(1 << 16):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_recorded_evidence_is_told_and_recorded_once(database: Database) -> None:
    one = Evidence(SUM, len(BYTES), "scan.xml", "nmap-xml", NOW)
    with database.transaction("tester", NOW) as transaction:
        write_evidence(transaction, one)
        write_evidence(transaction, Evidence(SUM, 1, "other", "other", NOW))
        transaction.audit("run.import", "run 1")
    assert read_evidence(database, SUM) == one
    assert read_evidence(database, "0" * 64) is None
    assert read_some_sums(database, 5) == (SUM,)
    assert read_some_sums(database, 0) == ()
