"""A crowd kept up by `sentinel range up --crowd`."""

from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest

from tests.drill.living import is_alive, wait_gone
from tests.drill.standing.ranges import Range, children

pytestmark = pytest.mark.namespace

OWN = ("--mode", "user-namespace")


@pytest.mark.nmap
def test_up_when_a_crowd_is_asked_for_then_nmap_sees_its_hosts_and_down_leaves_nothing(own: Range) -> None:
    told = own.row("up", *OWN, "--crowd", "10.32.0.0/24", "--size", "40", "--seed", "3")
    truth = own.truth()
    assert (told["kind"], told["hosts"], told["networks"]) == ("crowd", 40, ["10.32.0.0/24"])
    assert told["tcp"] == sum(len(host["open"]) for host in truth["hosts"] if host["open"] != "all") > 60
    open_ports = {
        (host["address"], row["port"]) for host in truth["hosts"] if host["open"] != "all" for row in host["open"]
    }
    address, port = sorted(open_ports)[0]
    entry = next(line for line in own.run("status").out.splitlines() if "nsenter" in line).partition("：")[2]
    words = [
        *shlex.split(entry.removesuffix(" bash")),
        "nmap",
        "-n",
        "-Pn",
        "-sS",
        "-p",
        f"{port},1",
        "-oG",
        "-",
        address,
    ]
    seen = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    assert f" {port}/open/" in seen
    assert " 1/open/" not in seen
    family = children(told["pid"])
    own.run("down")
    assert wait_gone(told["pid"])
    assert not any(map(is_alive, family))


def test_up_when_a_crowd_has_loss_and_delay_then_status_tells_them(own: Range) -> None:
    told = own.row("up", *OWN, "--crowd", "10.32.0.0/24", "--loss", "2.5", "--delay", "7")
    assert (told["loss"], told["delay_ms"]) == (0.025, 7.0)
    assert "丢包 2.5%，时延 7 毫秒" in own.run("status").out


def test_cue_when_the_range_is_a_crowd_then_it_is_refused(own: Range) -> None:
    own.row("up", *OWN, "--crowd", "10.32.0.0/24")
    assert "a crowd has no cues" in own.run("cue", "change", expect=2).complaint


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--crowd", "10.32.0.0/33"), "no IPv4 network"),
        (("--crowd", "127.0.0.0/24"), "not a network for hosts"),
        (("--crowd", "10.32.0.0/24", "--size", "500"), "has room for"),
        (("--loss", "3"), "belong to --crowd"),
        (("--crowd", "10.32.0.0/24", "--native"), "belongs to a school"),
    ],
)
def test_up_when_the_wish_is_no_crowd_then_one_line_says_so(own: Range, words: tuple[str, ...], complaint: str) -> None:
    assert complaint in own.run("up", *OWN, *words, expect=2).complaint
    assert not own.folder.exists()


def test_up_when_a_crowd_is_asked_for_on_loopback_then_it_is_refused(own: Range) -> None:
    done = own.run("up", "--mode", "loopback", "--crowd", "10.32.0.0/24", expect=9)
    assert "needs a network namespace" in done.complaint


def test_keeper_when_its_folder_has_gone_then_it_ends(own: Range) -> None:
    told = own.row("up", *OWN, "--size", "3")
    shutil.rmtree(own.folder)
    assert wait_gone(told["pid"], 5.0)
