"""A process in, the same process in a network namespace of its own out.

Linux only, standard library only; Python 3.11 has no os.unshare, so libc is called.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from pathlib import Path

from sentinel.drill.place.link import raise_loopback
from sentinel.errors import CollectError

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG = 1
_REASONS = {
    errno.ENOSPC: "this machine allows no more of them (sysctl user.max_user_namespaces, user.max_net_namespaces)",
    errno.EPERM: "not permitted here",
}


class NamespaceRefusedError(CollectError):
    """Raised where the kernel or its policy gives no user and network namespace."""


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when its parent `parent` ends; exits at once when that has happened."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(1)


def leave_network(*, as_user: bool) -> None:
    """Move this process into a fresh network namespace whose loopback is up; children follow.

    `as_user` makes a user namespace around it, in which the caller is root: all an ordinary user needs. Without it the
    caller must be root already, and stays the root of the machine for files.

    Raises:
        NamespaceRefusedError: the kernel or its policy refuses, or this process has several threads.
    """
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET | (_CLONE_NEWUSER if as_user else 0)):
        code = ctypes.get_errno()
        raise NamespaceRefusedError(f"no namespace: {_REASONS.get(code, os.strerror(code))}")
    try:
        if as_user:
            Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
            Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
            Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
        raise_loopback()
    except (OSError, CollectError) as error:
        raise NamespaceRefusedError(f"no namespace: {error}") from error
