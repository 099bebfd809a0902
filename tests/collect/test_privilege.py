from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from sentinel.collect import privilege
from sentinel.collect.privilege import RawSockets, raw_sockets


class _Closed:
    def close(self) -> None:
        return


def test_raw_sockets_when_refused_by_the_system_then_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> object:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(socket, "socket", refuse)
    assert raw_sockets() == RawSockets(False, "raw sockets cannot be opened: Operation not permitted")


@pytest.mark.parametrize(
    ("ambient", "usable"), [("CapAmb:\t0000000000002000", True), ("CapAmb:\t0000000000001000", False), ("", False)]
)
def test_raw_sockets_when_not_root_then_the_ambient_set_decides(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ambient: str, usable: bool
) -> None:
    status = tmp_path / "status"
    status.write_text(f"Name:\tpython\n{ambient}\n", encoding="ascii")
    monkeypatch.setattr(socket, "socket", lambda *_: _Closed())
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(privilege, "Path", lambda _: status)
    assert raw_sockets().usable is usable
    status.unlink()
    assert raw_sockets() == RawSockets(
        False, "raw sockets open here, but a tool started from here would not have the capability"
    )


def test_raw_sockets_when_root_and_open_then_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_: _Closed())
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert raw_sockets() == RawSockets(True)
