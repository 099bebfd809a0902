"""The folder in which a range and the commands that reach it meet: made, checked for its owner, and cleaned."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from sentinel.errors import StoreError, UsageError

CONTROL, TRUTH, LOG = "control", "truth.json", "keeper.log"
_LONGEST_SOCKET_PATH = 107


def default_folder() -> Path:
    """Give the folder of this user's range: in the runtime folder of the login, else under /tmp."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and Path(runtime).is_dir() and os.access(runtime, os.W_OK):
        return Path(runtime) / "sentinel-range"
    return Path("/tmp") / f"sentinel-range-{os.geteuid()}"  # noqa: S108 - take_folder checks who owns it


def take_folder(folder: Path) -> Path:
    """Make the folder, for its owner alone, or see that it is such a one.

    Raises:
        UsageError: it belongs to somebody else, others may enter it, or its path is too long for a socket.
        StoreError: it cannot be made.
    """
    folder = folder.absolute()
    if len(os.fsencode(folder / CONTROL)) > _LONGEST_SOCKET_PATH:
        raise UsageError(f"{folder}: the path is too long for a socket; name a shorter one with --dir")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise UsageError(f"{folder}: not a folder of yours alone (chmod 700); name another with --dir")
    return folder


def clean_folder(folder: Path) -> None:
    """Take away what a range wrote, and the folder where nothing else lies in it."""
    for name in (CONTROL, TRUTH, LOG):
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
