"""A process in; the same process without rights, and with one folder to write to, out.

Linux only, standard library only; called between fork and exec.
"""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

_CLONE_NEWNS, _CLONE_NEWIPC, _CLONE_NEWUSER = 0x00020000, 0x08000000, 0x10000000
_MS_BIND = 0x1000
_MOUNT_SETATTR = 442  # the same on every architecture; Linux 5.12
_AT_FDCWD, _AT_RECURSIVE, _READ_ONLY = -100, 0x8000, 1
_MOUNT_ATTRIBUTES = struct.Struct("=QQQQ")
_PR_SET_NO_NEW_PRIVS = 38
NOBODY = 65534
"""What root is called inside, so that servers which refuse root, or want more from it, take it for a user."""


def confine(writable: Path | None) -> None:
    """Leave the rights of root behind and, where the kernel can do that, make all but one folder read-only.

    A user namespace in which nobody is root does both. An ordinary user who gets none has no such rights and stays as
    he is. Nothing the process starts can gain rights again.

    Raises:
        OSError: this is root and the kernel gives no user namespace.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWIPC):
        if user == 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user or NOBODY} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group or NOBODY} {group} 1", encoding="ascii")
    _protect_files(libc, writable)


def _protect_files(libc: ctypes.CDLL, writable: Path | None) -> None:
    """Make every mount read-only but one made of the folder; an older kernel leaves them as they are.

    What an exercise starts is told to write to its folder only; this is the second lock.
    """
    if writable is not None and _mount_upon_itself(libc, writable):
        return
    if not _set_read_only(libc, Path("/"), is_set=True) or writable is None:
        return
    _set_read_only(libc, writable, is_set=False)
    os.chdir(writable)  # the folder as it was is read-only now


def _mount_upon_itself(libc: ctypes.CDLL, folder: Path) -> int:
    name = os.fsencode(folder)
    status: int = libc.mount(name, name, None, _MS_BIND, None)
    return status


def _set_read_only(libc: ctypes.CDLL, folder: Path, *, is_set: bool) -> bool:
    """Source: mount_setattr(2)."""
    wanted = _MOUNT_ATTRIBUTES.pack(_READ_ONLY if is_set else 0, 0 if is_set else _READ_ONLY, 0, 0)
    status: int = libc.syscall(
        ctypes.c_long(_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(folder),
        ctypes.c_uint(_AT_RECURSIVE if is_set else 0),
        wanted,
        ctypes.c_size_t(_MOUNT_ATTRIBUTES.size),
    )
    return status == 0
