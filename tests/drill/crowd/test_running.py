"""Crowds that run, each in a namespace of its own, seen by the real nmap and by plain sockets; see inside.py."""

import json
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from sentinel.drill.crowd.plan import plan_crowd

ROOT = Path(__file__).resolve().parents[3]
INSIDE = Path(__file__).with_name("inside.py")
SMALL = plan_crowd(IPv4Network("10.32.0.0/24"), 143, 1)

pytestmark = [pytest.mark.namespace, pytest.mark.nmap, pytest.mark.xdist_group("crowd")]


def enter(name: str, answer: Path) -> subprocess.Popen[str]:
    script = 'ip link set lo up && exec "$@"'
    return subprocess.Popen(
        ["unshare", "-rn", "sh", "-c", script, "sh", sys.executable, str(INSIDE), name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(ROOT), "ANSWER": str(answer)},
    )


def outcome(process: subprocess.Popen[str]) -> dict[str, Any]:
    told, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    result: dict[str, Any] = json.loads(told.split("\n")[-2])
    return result


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """The slow scan, which runs while the other tests do."""
    process = enter("versions", tmp_path_factory.mktemp("crowd") / "answer")
    yield process
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def scan(versions: subprocess.Popen[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return outcome(enter("scan", tmp_path_factory.mktemp("crowd") / "answer"))


@pytest.fixture(scope="module")
def distance(versions: subprocess.Popen[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return outcome(enter("distance", tmp_path_factory.mktemp("crowd") / "answer"))


def test_crowd_when_scanned_then_every_state_of_every_port_is_as_planned(scan: dict[str, Any]) -> None:
    assert scan["ports"] == len(SMALL.truth()) > 300
    assert scan["wrong"] == []


def test_crowd_when_pinged_then_those_who_should_answer_do(scan: dict[str, Any]) -> None:
    assert scan["pings"] == sorted(str(host.address) for host in SMALL.hosts if host.answers_ping)


def test_crowd_when_asked_by_arp_then_only_hosts_that_exist_answer(scan: dict[str, Any]) -> None:
    assert scan["present"] == sorted(str(host.address) for host in SMALL.hosts)


def test_tarpit_when_connected_to_then_takes_any_port(scan: dict[str, Any]) -> None:
    assert scan["tarpit"] == [True, True, True]


def test_crowd_when_stopped_then_ends_quickly_and_leaves_nothing(scan: dict[str, Any]) -> None:
    assert scan["stop_s"] < 20
    assert scan["left"] == ["lo"]
    assert scan["netns"] == sorted(one.name for one in Path("/run/netns").glob("*"))


def test_loss_when_asked_for_then_is_lost_each_way(distance: dict[str, Any]) -> None:
    assert abs(distance["loss"] - 0.05) < 0.012  # 5 standard deviations of 5,000 packets


def test_delay_when_asked_for_then_is_added_each_way(distance: dict[str, Any]) -> None:
    assert distance["least"] >= 40.0
    assert distance["delay"] < 48.0


def test_crowd_without_distance_then_is_near_and_loses_nothing(distance: dict[str, Any]) -> None:
    assert distance["near"] < 5.0
    assert distance["near_answered"] == 200


def test_page_over_tls_through_loss_and_delay_then_arrives(distance: dict[str, Any]) -> None:
    assert distance["page"] > 100


def test_large_crowd_when_started_then_stands_soon_with_little_memory_and_is_all_there(
    versions: subprocess.Popen[str], tmp_path: Path
) -> None:
    told = outcome(enter("large", tmp_path / "answer"))
    assert told["ports"] > 3500
    assert told["start_s"] < 60
    assert told["memory_mb"] < 150
    assert told["wanted"] > 500
    assert (told["missed"], told["invented"]) == ([], [])


def test_crowd_when_its_caller_is_killed_then_nothing_stays_and_the_next_one_starts(tmp_path: Path) -> None:
    told = outcome(enter("killed", tmp_path / "answer"))
    assert told["networks"] == 2
    assert told["again_s"] < 60
    assert told["during"] == ["lo", "crowd0"]
    assert (told["alive"], told["kept"], told["interfaces"], told["rules"]) == ([], [], ["lo"], "")


def test_crowd_where_it_cannot_be_then_says_so_in_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    told = outcome(enter("refused", tmp_path / "answer"))
    already = "practice crowd: this network namespace has {} already; start it under `unshare -rn`"
    assert told["second"] == f"NamespaceRefusedError: {already.format('crowd0')}"
    assert told["network"] == f"NamespaceRefusedError: {already.format('other0')}"
    assert told["lost"] == "CollectError: practice crowd: it has ended"
    lacking = "CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN"
    assert told["without"] == f"practice crowd: lacks {lacking}; start it under `unshare -rn`"
    assert told["left"] == ["lo"]


def test_services_when_scanned_for_versions_then_are_named_as_promised(versions: subprocess.Popen[str]) -> None:
    told = outcome(versions)
    assert told["asked"] >= 40
    assert told["backends"] == sorted({row.backend for row in SMALL.truth()})
    assert (told["wrong"], told["invented"]) == ([], [])
