"""What leaves the machine, seen by a packet socket in a network namespace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.collect.wire import run_inside

pytestmark = [pytest.mark.namespace, pytest.mark.nmap]


def test_scan_when_an_address_is_excluded_then_no_packet_goes_there() -> None:
    seen: dict[str, Any] = run_inside("exclusion")
    assert seen["ok"] == [True]
    assert seen["targets"] == [f"127.77.4.{last}" for last in (0, 1, 2, 3, 4, 6, 7)]
    assert seen["spared"] == 0
    assert seen["syns"] == seen["probes"] == 7


def test_scan_when_raw_sockets_open_then_half_open_over_both_versions_and_udp() -> None:
    seen: dict[str, Any] = run_inside("half_open")
    assert seen["raw"] is True
    assert seen["ok"] == [True, True]
    assert seen["open"] == [["127.77.5.1", "tcp", 2222], ["::1", "tcp", 2223]]
    assert all({"-sS", "-sU", "--privileged"} <= set(command) for command in seen["commands"])
    assert seen["accepted"] == 0
    assert seen["udp"] == 2
    assert seen["covered"] == 6


def test_scan_when_rate_is_set_then_it_is_kept_to() -> None:
    """150 packets at 50 a second: nmap makes up for a moment it lost, so a single second may be a little busier."""
    seen: dict[str, Any] = run_inside("pace")
    for name in ("half-open", "connect"):
        assert seen["busiest"][name] <= 75
        assert seen["seconds"][name] >= 2.5


def test_scan_when_nobody_answers_then_probes_are_a_close_lower_bound() -> None:
    seen: dict[str, Any] = run_inside("silent")
    connect, wire = seen["connect"], seen["wire"]
    assert connect["ok"] == [True]
    assert connect["covered"] == 80
    assert connect["probes"] == 120
    assert 120 <= connect["syns"] <= 160
    assert (wire["ok"], wire["open"], wire["covered"], wire["probes"]) == ([True], [], 80, 2)


def test_scan_when_root_has_no_raw_sockets_then_connect_scan_and_udp_is_told_not_possible() -> None:
    seen: dict[str, Any] = run_inside("no_capability", "setpriv", "--bounding-set=-net_raw")
    assert seen["raw"] is False
    assert "Operation not permitted" in seen["reason"]
    assert seen["open"] == [["127.77.8.1", "tcp", 2222]]
    assert seen["accepted"] == 1
    assert (seen["covered"], seen["planned"]) == (1, 2)
    assert seen["events"][0].startswith("not_possible: udp ports are not asked: raw sockets cannot be opened")
    assert seen["only_udp"] == [True, "nothing of it can be asked without raw sockets", 1]
