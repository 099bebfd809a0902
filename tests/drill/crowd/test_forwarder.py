"""The forwarder's lanes on socket pairs: order, time, and what does not fit."""

import socket
import time
from collections.abc import Iterator

import pytest

from sentinel.drill.crowd import forwarder
from sentinel.drill.crowd.forwarder import Lane

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket, socket.socket, socket.socket]]:
    """A cable on the near side and one on the far side: (outer, inner, inner, outer)."""
    near, source = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    target, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for one in (near, source, target, far):
        one.setblocking(False)
    with near, source, target, far:
        yield near, source, target, far


def test_lane_when_frames_come_then_gives_them_in_order_after_their_time(
    ends: tuple[socket.socket, socket.socket, socket.socket, socket.socket],
) -> None:
    near, source, target, far = ends
    lane = Lane(source, target, 0.03)
    begun = time.monotonic()
    for number in range(5):
        near.send(bytes([number]))
    lane.take()
    wait = lane.give()
    assert wait is not None
    assert 0 < wait <= 0.03
    with pytest.raises(BlockingIOError):
        far.recv(10)
    time.sleep(wait)
    assert lane.give() is None
    assert time.monotonic() - begun >= 0.03
    assert [far.recv(10) for _ in range(5)] == [bytes([number]) for number in range(5)]


def test_lane_when_nothing_waits_then_waits_for_nothing(
    ends: tuple[socket.socket, socket.socket, socket.socket, socket.socket],
) -> None:
    _, source, target, _ = ends
    lane = Lane(source, target, 0.0)
    lane.take()
    assert lane.give() is None


def test_lane_when_too_much_waits_then_loses_the_rest(
    ends: tuple[socket.socket, socket.socket, socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, source, target, far = ends
    monkeypatch.setattr(forwarder, "_MOST_WAITING", 2)
    lane = Lane(source, target, 0.0)
    for number in range(4):
        near.send(bytes([number]))
    lane.take()
    lane.give()
    assert [far.recv(10) for _ in range(2)] == [b"\0", b"\1"]
    with pytest.raises(BlockingIOError):
        far.recv(10)


def test_lane_when_its_far_end_has_gone_then_loses_the_frame(
    ends: tuple[socket.socket, socket.socket, socket.socket, socket.socket],
) -> None:
    near, source, target, far = ends
    lane = Lane(source, target, 0.0)
    near.send(b"frame")
    far.close()
    lane.take()
    assert lane.give() is None
