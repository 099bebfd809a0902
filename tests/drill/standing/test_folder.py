"""The folder of a range: held by one at a time, emptied of what a range writes and of nothing else."""

import os
from pathlib import Path

import pytest

from sentinel.drill.standing.folder import clean_folder, default_folder, hold_folder, take_folder
from sentinel.errors import StoreError, UsageError

OURS = ("control", "truth.json", "truth.new", "keeper.log")


def test_hold_when_somebody_holds_it_then_nobody_else_can_until_it_is_let_go(tmp_path: Path) -> None:
    held = hold_folder(tmp_path)
    with pytest.raises(UsageError, match="another practice range starts or ends here now; try again"):
        hold_folder(tmp_path)
    os.close(held)

    os.close(hold_folder(tmp_path))


def test_hold_when_a_range_has_left_its_files_then_they_go_and_others_stay(tmp_path: Path) -> None:
    for name in (*OURS, "notes.txt"):
        (tmp_path / name).write_text("of old", "utf-8")

    os.close(hold_folder(tmp_path))

    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def test_hold_when_the_folder_has_gone_then_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="none: No such file or directory"):
        hold_folder(tmp_path / "none")


def test_clean_when_nothing_else_lies_there_then_the_folder_goes_too(tmp_path: Path) -> None:
    folder = take_folder(tmp_path / "range")
    for name in OURS:
        (folder / name).write_text("of old", "utf-8")

    clean_folder(folder)
    clean_folder(folder)

    assert not folder.exists()


def test_take_when_it_is_not_there_then_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = take_folder(tmp_path / "deep" / "range")

    assert folder.stat().st_mode & 0o777 == 0o700
    assert take_folder(folder) == folder


def test_take_when_it_is_somebody_elses_then_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = take_folder(tmp_path / "range")
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)

    with pytest.raises(UsageError, match=r"range: not a folder of yours alone \(chmod 700\); name another with --dir"):
        take_folder(folder)


def test_default_when_the_login_has_no_runtime_folder_then_it_is_the_users_own_in_tmp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong in ("", str(tmp_path / "none")):
        monkeypatch.setenv("XDG_RUNTIME_DIR", wrong)
        assert default_folder() == Path(f"/tmp/sentinel-range-{os.geteuid()}")

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert default_folder() == tmp_path / "sentinel-range"
