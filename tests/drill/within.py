"""Programs run where nothing of them can reach the machine: in namespaces made by `unshare`, as root or as a user."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LO_UP = "ip link set lo up"
NO_IPV6 = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"
NO_MORE_NAMESPACES = "echo 0 > /proc/sys/user/max_user_namespaces; echo 0 > /proc/sys/user/max_net_namespaces"
READ_ONLY_PROC = "mount --rbind /proc /proc && mount -o remount,bind,ro,nosuid,nodev,noexec /proc"

NETWORK = ("unshare", "-rnm")
"""Root of a user, a network and a mount namespace."""

USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
"""Somebody without any right, to whom root's files belong."""


def without(*capabilities: str) -> tuple[str, ...]:
    """Start a program that stays root and lacks capabilities, e.g. `net_admin`."""
    return ("setpriv", f"--bounding-set={','.join(f'-{one}' for one in capabilities)}")


def within(
    program: str, *words: object, place: tuple[str, ...] = NETWORK, prepare: str = LO_UP, then: tuple[str, ...] = ()
) -> Any:
    """Run a Python program in `place`, after the shell words `prepare`, through `then`, and read the JSON it prints.

    Any warning, or a word on standard error, is a failure.
    """
    inside = [*then, sys.executable, "-W", "error", "-c", program, *map(str, words)]
    done = subprocess.run(
        [*place, "sh", "-c", f'{prepare or ":"} && exec "$@"', "sh", *inside],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), (done.returncode, done.stderr, done.stdout)
    return json.loads(done.stdout)
