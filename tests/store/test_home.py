from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sentinel.config import build_settings_text, load_settings
from sentinel.errors import StoreError
from sentinel.store.home import Home, create_home, hold_lock, open_home, work_folder


def test_new_home_has_its_folders_settings_and_database(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "home"
    home = create_home(path, build_settings_text("school"))
    assert home.is_made()
    assert load_settings(path).unit == "school"
    assert all(one.is_dir() for one in (home.var, home.evidence, home.reports, home.work))
    assert home.database.is_file()
    assert home.var.stat().st_mode & 0o777 == 0o700
    assert not list(path.glob("*.new"))


def test_home_is_not_made_twice(file_home: Home) -> None:
    before = file_home.settings.read_bytes()
    with pytest.raises(StoreError, match="is a home already"):
        create_home(file_home.path, "other")
    assert file_home.settings.read_bytes() == before


@pytest.mark.parametrize("name", ["home", "home/var"])
def test_file_in_the_way_of_a_new_home_is_told_in_one_line(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("in the way")
    with pytest.raises(StoreError, match=r"File exists|Not a directory") as caught:
        create_home(tmp_path / "home", "")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "home" / "sentinel.toml").exists()


def test_opening_where_no_home_is_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no home here; make one with"):
        open_home(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_opening_a_home_that_lost_its_database_never_makes_an_empty_one(file_home: Home) -> None:
    file_home.database.unlink()
    with pytest.raises(StoreError, match="the database is missing"):
        open_home(file_home.path)
    assert not file_home.database.exists()


def test_opening_a_home_makes_lost_folders_again(file_home: Home) -> None:
    file_home.work.rmdir()
    opened, database = open_home(file_home.path)
    assert opened == file_home
    assert file_home.work.is_dir()
    database.close()


def test_opening_a_home_that_may_not_be_written_says_so(file_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(StoreError, match="cannot be written; check its owner and the mount"):
        open_home(file_home.path)


def test_lock_when_held_refuses_a_second_holder_until_it_is_released(file_home: Home) -> None:
    with hold_lock(file_home, "run", "a scheduler runs on this home already"):
        with (
            pytest.raises(StoreError, match="a scheduler runs on this home already"),
            hold_lock(file_home, "run", "a scheduler runs on this home already"),
        ):
            pytest.fail("two holders")
        with hold_lock(file_home, "other", "busy"):
            pass
    with hold_lock(file_home, "run", "busy"):
        pass


def test_lock_when_its_holder_died_is_free(file_home: Home) -> None:
    program = (
        "import fcntl, os, signal, sys\nstream = open(sys.argv[1], 'a+')\nfcntl.flock(stream, fcntl.LOCK_EX)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(file_home.var / "run.lock")], check=False, timeout=30)
    assert done.returncode == -9
    with hold_lock(file_home, "run", "busy"):
        pass


def test_work_folder_is_empty_own_and_removed_afterwards(file_home: Home) -> None:
    with work_folder(file_home, "scan") as one, work_folder(file_home, "scan") as two:
        assert one != two
        assert list(one.iterdir()) == []
        (one / "part.xml").write_text("x")
        assert two.is_dir()
    assert list(file_home.work.iterdir()) == []


def test_work_folder_is_removed_when_the_job_fails(file_home: Home) -> None:
    with pytest.raises(ZeroDivisionError), work_folder(file_home, "scan"):
        raise ZeroDivisionError
    assert list(file_home.work.iterdir()) == []


def test_work_of_dead_jobs_is_removed_and_that_of_living_ones_is_not(file_home: Home) -> None:
    dead, living = file_home.work / f"scan-{os.getpid()}", file_home.work / "scan-living"
    for folder in (dead, living):
        folder.mkdir(parents=True)
        (folder / "part.xml").write_text("left behind")
    (file_home.work / "stray").write_text("x")
    descriptor = os.open(living, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with work_folder(file_home, "scan") as own:
        assert sorted(file_home.work.iterdir()) == sorted([own, living, file_home.work / "stray"])
    os.close(descriptor)
    with work_folder(file_home, "scan") as own:
        assert not living.exists()


def test_work_folder_where_none_can_be_made_says_so(file_home: Home) -> None:
    file_home.work.rmdir()
    file_home.work.write_text("in the way")
    with pytest.raises(StoreError, match="File exists"), work_folder(file_home, "scan"):
        pytest.fail("no folder")
