"""Backups: what is in them, what is not, and archives nobody made with `backup`."""

from __future__ import annotations

import fcntl
import io
import json
import os
import sqlite3
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from sentinel.errors import ParseError, SentinelError, StoreError
from sentinel.model.register import Person
from sentinel.schedule.backing import back_up, check_file
from sentinel.store import restore as restore_module
from sentinel.store.backup import remove_old_backups
from sentinel.store.register import write_register
from sentinel.store.restore import restore_backup
from sentinel.store.schema import HEAD
from sentinel.store.seal import make_seal
from tests.homes import NOW, opened
from tests.schedule.nmapfile import NmapRun, at, give, host
from tests.store.test_register import ENTRY

PHONE = "13912345678"
WRONG = "no backup holds|no backup of a home|cut off|too large|missing or damaged|cannot be read"


def quiet(*_: object) -> None:
    """Tell nobody."""


def restore(file: Path, place: Path) -> restore_module.Restored:
    return restore_backup(file, place, "tester", NOW, quiet)


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a home with two runs and a person in its register."""
    folder = tmp_path_factory.mktemp("backup")
    with opened(folder / "home") as context:
        give(context, NmapRun((host(1, p22="ssh"),), finished=at(1)))
        give(context, NmapRun((host(1, p22="ssh"), host(2, p80="nginx")), finished=at(2)))
        seal = make_seal(folder / "key")
        with context.database.transaction("tester", NOW) as transaction:
            write_register(transaction, [replace(ENTRY, person=Person("某人", PHONE, "a@school.example"))], seal)
            transaction.audit("register.add", "test")
        (context.home.var / "contact.key").write_text("not taken")
        (context.home.path / "tls.key").write_text("not taken")
        made = back_up(context, folder / "b.tar", quiet)
    return made.file


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {one.name: stream.read() for one in tar if (stream := tar.extractfile(one))}


def pack(file: Path, content: dict[str, bytes], *odd: tarfile.TarInfo) -> Path:
    with tarfile.open(file, "w", format=tarfile.GNU_FORMAT) as tar:
        for one in odd:
            tar.addfile(one, io.BytesIO(b"\0" * one.size))
        for name, raw in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    return file


def test_backup_always_holds_what_is_needed_and_nothing_else(backup: Path) -> None:
    names = sorted(members(backup))
    assert [name for name in names if not name.startswith("var/evidence/")] == [
        "manifest.json",
        "sentinel.toml",
        "var/sentinel.db.zst",
    ]
    assert len(names) == 5
    assert backup.stat().st_mode & 0o077 == 0
    assert [file.name for file in backup.parent.iterdir() if file.name.startswith(".")] == []
    listed = subprocess.run(["tar", "tf", backup], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(listed) == names


def test_backup_when_stolen_shows_no_phone_number(backup: Path) -> None:
    content = members(backup)
    database = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content.pop("var/sentinel.db.zst"))).read()
    plain = [
        zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)).read()
        for name, raw in content.items()
        if name.endswith(".zst")
    ]
    for raw in (backup.read_bytes(), database, *plain):
        assert PHONE.encode() not in raw
        assert "某人".encode() not in raw
    assert "教务系统".encode() in database, "the line itself is there"


def test_backup_when_made_twice_differs_in_its_moment_only(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        give(context, NmapRun((host(1, p22="ssh"),), finished=at(1)))
        first, second = (back_up(context, tmp_path / name, quiet).file for name in ("a.tar", "b.tar"))
    assert first.read_bytes() == second.read_bytes(), "the clock of this home stands still"


def test_backup_when_restored_is_the_same_home_with_one_more_line_in_its_audit(backup: Path, tmp_path: Path) -> None:
    restored = restore(backup, tmp_path / "new" / "home")
    assert (restored.sealed, restored.upgraded_from) == (1, "")
    with closing(sqlite3.connect(restored.home.database)) as connection:
        told = connection.execute("SELECT action, object FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    assert told == ("home.restore", "b.tar")
    assert (tmp_path / "new" / "home" / "var").stat().st_mode & 0o077 == 0
    with opened(restored.home.path) as context:
        late = NmapRun((host(3, p22="ssh"),), finished=at(1), mark="late")
        assert give(context, late).run.events > 0, "the map can be built anew: all evidence is there"
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["home"]


def test_restore_removes_what_a_killed_one_left_and_nothing_of_one_that_runs(backup: Path, tmp_path: Path) -> None:
    killed, running, other = (tmp_path / name for name in (".new.restore-1", ".new.restore-2", ".newer.restore-1"))
    for folder in (killed, running, other):
        (folder / "var").mkdir(parents=True)
    held = os.open(running, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    restore(backup, tmp_path / "new")
    os.close(held)
    assert not killed.exists()
    assert running.exists()
    assert other.exists()


@pytest.mark.parametrize("left", ["sentinel.toml", "anything"])
def test_restore_when_something_is_there_refuses_and_leaves_it(backup: Path, tmp_path: Path, left: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / left).write_text("mine")
    with pytest.raises(StoreError, match="something is there already"):
        restore(backup, tmp_path / "home")
    assert (tmp_path / "home" / left).read_text() == "mine"


def test_restore_when_there_is_no_room_refuses(backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore_module.shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    with pytest.raises(StoreError, match="no room"):
        restore(backup, tmp_path / "home")


def refused(file: Path, place: Path, words: str) -> None:
    """Both `--check` and `restore` refuse it in one line and leave nothing."""
    for attempt in (lambda: check_file(file, quiet), lambda: restore(file, place)):
        with pytest.raises(SentinelError, match=words) as caught:
            attempt()
        assert "\n" not in str(caught.value)
    assert [one.name for one in place.parent.iterdir() if one != file] == []


def odd(name: str, kind: bytes, **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in more.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize(
    "member",
    [
        odd("sentinel.toml", tarfile.SYMTYPE, linkname="/etc/passwd"),
        odd("rules/a.yml", tarfile.LNKTYPE, linkname="sentinel.toml"),
        odd("rules/null", tarfile.CHRTYPE),
        odd("rules/pipe", tarfile.FIFOTYPE),
        odd("rules/folder", tarfile.DIRTYPE),
        odd("../outside", tarfile.REGTYPE),
        odd("/etc/cron.d/x", tarfile.REGTYPE),
        odd("rules/../../x", tarfile.REGTYPE),
        odd("rules//x", tarfile.REGTYPE),
        odd("rules/./x", tarfile.REGTYPE),
        odd("rules/.hidden/x", tarfile.REGTYPE),
        odd("rules/a\x1bb", tarfile.REGTYPE),
        odd("var/run.lock", tarfile.REGTYPE),
        odd("var/sentinel.db", tarfile.REGTYPE),
        odd("x", tarfile.REGTYPE),
        odd("rules/" + "n" * 2000, tarfile.REGTYPE),
        odd("rules/huge", tarfile.REGTYPE, size=17 << 20),
        odd("sentinel.toml", tarfile.REGTYPE, size=2 << 20),
        odd("manifest.json", tarfile.REGTYPE),
        odd("rules/added.yml", tarfile.REGTYPE),
    ],
    ids=lambda member: ascii(f"{member.name[:20]} {member.type!r}"),
)
def test_archive_with_what_no_backup_holds_is_refused(backup: Path, tmp_path: Path, member: tarfile.TarInfo) -> None:
    refused(pack(tmp_path / "x.tar", members(backup), member), tmp_path / "home", WRONG)


def test_archive_that_names_a_file_twice_is_refused(backup: Path, tmp_path: Path) -> None:
    content = members(backup)
    again = tarfile.TarInfo("sentinel.toml")
    again.size = len(content["sentinel.toml"])
    refused(pack(tmp_path / "x.tar", content, again), tmp_path / "home", "comes twice")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_archive_that_is_cut_off_is_refused(backup: Path, tmp_path: Path, share: float) -> None:
    raw = backup.read_bytes().rstrip(b"\0")
    (tmp_path / "x.tar").write_bytes(raw[: int(len(raw) * share)])
    refused(tmp_path / "x.tar", tmp_path / "home", WRONG)


@pytest.mark.parametrize("raw", [b"", b"x" * 4096, b"PK\x03\x04" + b"\0" * 600, b"\0" * 10240])
def test_file_that_is_no_backup_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(raw)
    refused(tmp_path / "x.tar", tmp_path / "home", WRONG)


def test_archive_with_a_flipped_bit_anywhere_is_refused(backup: Path, tmp_path: Path) -> None:
    raw = bytearray(backup.read_bytes())
    end = len(bytes(raw).rstrip(b"\0"))
    for offset in range(600, end, max(1, end // 25)):
        if not any(raw[offset : offset + 512 - offset % 512]):  # padding between members carries nothing
            continue
        raw[offset] ^= 0x10
        (tmp_path / "x.tar").write_bytes(raw)
        with pytest.raises(SentinelError):
            restore(tmp_path / "x.tar", tmp_path / "home")
        raw[offset] ^= 0x10
    assert not (tmp_path / "home").exists()


def rewrite(backup: Path, file: Path, change: Callable[[Path], None]) -> Path:
    """Change the database of a backup and make its manifest fit, as somebody who knows the format would."""
    from hashlib import sha256

    content = members(backup)
    database = file.with_suffix(".db")
    database.write_bytes(zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content["var/sentinel.db.zst"])).read())
    change(database)
    plain = database.read_bytes()
    database.unlink()
    content["var/sentinel.db.zst"] = packed = zstandard.compress(plain)
    manifest = json.loads(content["manifest.json"])
    manifest["database_bytes"], manifest["database_sha256"] = len(plain), sha256(plain).hexdigest()
    for one in manifest["members"]:
        if one[0] == "var/sentinel.db.zst":
            one[1:] = [len(packed), sha256(packed).hexdigest()]
    content["manifest.json"] = json.dumps(manifest).encode()
    return pack(file, content)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE audit SET actor='x' WHERE id=2", "audit chain|append-only"),
        ("DELETE FROM evidence", "evidence in it is not what its database names"),
        ("CREATE TRIGGER t AFTER INSERT ON unit BEGIN DELETE FROM finding; END", "trigger 't'"),
        ("CREATE VIEW v AS SELECT 1", "view 'v'"),
        ("CREATE TABLE theirs (a)", "table 'theirs'"),
        ("UPDATE alembic_version SET version_num='9999'", "not as the manifest says"),
    ],
)
def test_restore_of_a_database_that_was_changed_is_refused(
    backup: Path, tmp_path: Path, statement: str, words: str
) -> None:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            if statement.startswith("UPDATE audit"):
                connection.execute("DROP TRIGGER audit_no_update")
            connection.execute(statement)

    file = rewrite(backup, tmp_path / "x.tar", change)
    with pytest.raises(ParseError, match=words):
        restore(file, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_restore_of_a_backup_of_a_newer_sentinel_is_refused(backup: Path, tmp_path: Path) -> None:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num='9999'")

    file = rewrite(backup, tmp_path / "x.tar", change)
    content = members(file)
    content["manifest.json"] = content["manifest.json"].replace(f'"schema": "{HEAD}"'.encode(), b'"schema": "9999"')
    assert b"9999" in content["manifest.json"]
    with pytest.raises(StoreError, match="written by a newer sentinel"):
        restore(pack(file, content), tmp_path / "home")


def test_archive_whose_database_would_fill_the_disk_is_refused(backup: Path, tmp_path: Path) -> None:
    content = members(backup)
    content["var/sentinel.db.zst"] = zstandard.compress(bytes(65 << 20))
    refused(pack(tmp_path / "x.tar", content), tmp_path / "home", "grows as none does")


def test_backup_of_a_home_with_lost_and_damaged_evidence_is_made_and_names_it(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        sums = [
            give(context, NmapRun((host(1, p22="ssh"),), finished=at(day), mark=str(day))).run.evidence
            for day in (1, 2, 3)
        ]
        context.evidence.path_of(sums[0]).unlink()
        context.evidence.path_of(sums[1]).write_bytes(b"damaged")
        made = back_up(context, tmp_path / "b.tar", quiet)
    assert made.manifest.missing == tuple(sorted(sums[:2]))
    restore(made.file, tmp_path / "new")


def test_backup_when_its_disk_is_full_leaves_nothing_of_itself(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    try:
        with opened(tmp_path / "home") as context:
            with pytest.raises(StoreError) as caught:
                back_up(context, disk / "b.tar", quiet)
            assert context.database.one("SELECT count(*) FROM unit") == (1,)
        assert "\n" not in str(caught.value)
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_old_backups_of_this_unit_go_and_those_of_others_stay(tmp_path: Path) -> None:
    names = [f"sentinel-a-2026010{day}-000000.tar" for day in range(1, 6)]
    for name in (*names, "sentinel-b-20200101-000000.tar", "mine.tar"):
        (tmp_path / name).touch()
    removed = remove_old_backups(tmp_path, "sentinel-a-", 2)
    assert sorted(file.name for file in removed) == names[:3]
    assert len(list(tmp_path.iterdir())) == 4
