from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.console.access import (
    LONGEST_WAIT_S,
    SESSION_IDLE,
    SESSION_LIFE,
    TOKEN_LIFE,
    Access,
    Throttle,
    issue_token,
)
from tests.homes import NOW, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(tmp_path: Path, clock: Clock) -> Access:
    return Access(tmp_path / "console", clock)


def test_token_when_issued_is_long_and_only_its_sum_is_kept_for_the_owner(tmp_path: Path) -> None:
    token = issue_token(tmp_path / "console", NOW)
    file = tmp_path / "console" / "token.json"
    assert len(token.replace("-", "")) == 25
    assert token.replace("-", "") not in file.read_text("ascii")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token != issue_token(tmp_path / "console", NOW)


def test_token_when_used_opens_one_session_and_is_spent(tmp_path: Path, access: Access) -> None:
    token = issue_token(tmp_path / "console", NOW)
    secret = access.enter(token.lower().replace("-", " "))
    assert secret
    assert access.is_open(secret)
    assert access.enter(token) is None
    assert Access(tmp_path / "console", Clock()).enter(token) is None


@pytest.mark.parametrize("given", ["", "-", "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", "长" * 500, "\x00"])
def test_token_when_wrong_opens_nothing(tmp_path: Path, access: Access, given: str) -> None:
    issue_token(tmp_path / "console", NOW)
    assert access.enter(given) is None


def test_token_when_there_is_none_opens_nothing(access: Access) -> None:
    assert access.enter("") is None


def test_token_when_too_old_opens_nothing(tmp_path: Path, access: Access, clock: Clock) -> None:
    token = issue_token(tmp_path / "console", NOW)
    clock.now += TOKEN_LIFE + timedelta(seconds=1)
    assert access.enter(token) is None


def test_token_when_another_is_issued_ends(tmp_path: Path, access: Access) -> None:
    first = issue_token(tmp_path / "console", NOW)
    second = issue_token(tmp_path / "console", NOW)
    assert access.enter(first) is None
    assert access.enter(second)


def test_session_when_idle_or_old_ends(tmp_path: Path, access: Access, clock: Clock) -> None:
    idle = access.enter(issue_token(tmp_path / "console", clock.now)) or ""
    clock.now += SESSION_IDLE + timedelta(seconds=1)
    assert not access.is_open(idle)
    old = access.enter(issue_token(tmp_path / "console", clock.now)) or ""
    for _ in range(int(SESSION_LIFE / SESSION_IDLE)):
        clock.now += SESSION_IDLE
        assert access.is_open(old)
    clock.now += SESSION_IDLE / 2
    assert not access.is_open(old)


def test_session_when_left_ends(tmp_path: Path, access: Access) -> None:
    secret = access.enter(issue_token(tmp_path / "console", NOW)) or ""
    access.leave(secret)
    assert not access.is_open(secret)
    assert not access.is_open("")


def test_wait_when_wrong_again_grows_to_a_bound_and_is_forgotten(clock: Clock) -> None:
    throttle = Throttle(clock)
    waits = []
    for _ in range(8):
        waits.append(throttle.start("10.0.0.9"))
        throttle.end("10.0.0.9")
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, LONGEST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S]
    clock.now += timedelta(minutes=16)
    assert throttle.start("10.0.0.9") == 0.5


def test_wait_when_many_wait_already_is_refused_at_once_by_address_and_in_all(clock: Clock) -> None:
    throttle = Throttle(clock)
    assert [throttle.start("10.0.0.9") is None for _ in range(3)] == [False, False, True]
    assert [throttle.start(f"10.0.1.{one}") for one in range(40)].count(None) == 40 - 14
    for one in range(14):
        throttle.end(f"10.0.1.{one}")
    assert throttle.start("10.0.2.1") is not None


def test_wait_when_addresses_of_one_ipv6_network_guess_grows_for_all_of_them(clock: Clock) -> None:
    throttle = Throttle(clock)
    waits = []
    for one in range(4):
        waits.append(throttle.start(f"2001:db8::{one}"))
        throttle.end(f"2001:db8::{one}")
    assert waits == [0.5, 1.0, 2.0, 4.0]
