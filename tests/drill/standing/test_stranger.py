"""Ranges of somebody else, and of nobody: never believed."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentinel.drill.standing.control import end_range, find_range, play_cue
from sentinel.errors import UsageError

FALSE = {"pid": "1 bash -c 'id'; :", "mode": "user-namespace"}


@pytest.fixture
def false_keeper(tmp_path: Path) -> Iterator[Path]:
    """Answer on a control socket as a stranger might."""
    folder = tmp_path / "range"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(folder / "control"))
        listener.listen()
        listener.settimeout(10)

        def answer() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1000)
                connection.sendall(json.dumps(FALSE).encode() + b"\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield folder
        listener.shutdown(socket.SHUT_RDWR)  # nobody asked: let the thread go
    thread.join(timeout=11)


def test_range_when_its_process_is_no_number_then_it_is_none(false_keeper: Path) -> None:
    assert find_range(false_keeper) is None


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_range_when_others_may_enter_its_folder_then_it_is_not_even_asked(false_keeper: Path, mode: int) -> None:
    false_keeper.chmod(mode)
    assert find_range(false_keeper) is None
    with pytest.raises(UsageError, match="no practice range is up"):
        play_cue(false_keeper, "change")
    with pytest.raises(UsageError, match="no practice range is up"):
        end_range(false_keeper)


def test_range_when_its_folder_is_somebody_elses_then_it_is_not_even_asked(
    false_keeper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert find_range(false_keeper) is None


def test_range_when_its_folder_is_a_link_then_it_is_not_even_asked(false_keeper: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(false_keeper)
    assert find_range(link) is None
