"""The folder in which a range and the commands that reach it meet: made, checked for its owner, and cleaned."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

from sentinel.errors import StoreError, UsageError

CONTROL, TRUTH, UNFINISHED_TRUTH, LOG = "control", "truth.json", "truth.new", "keeper.log"
_LONGEST_SOCKET_PATH = 107


def default_folder() -> Path:
    """Give the folder of this user's range: in the runtime folder of the login, else under /tmp."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and Path(runtime).is_dir() and os.access(runtime, os.W_OK):
        return Path(runtime) / "sentinel-range"
    return Path("/tmp") / f"sentinel-range-{os.geteuid()}"  # noqa: S108 - take_folder checks who owns it


def is_own(folder: Path) -> bool:
    """Tell whether a folder is the caller's and nobody else may enter it."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def take_folder(folder: Path) -> Path:
    """Make the folder, for its owner alone, or see that it is such a one.

    Raises:
        UsageError: it belongs to somebody else, others may enter it, it holds something else, or its path is too long
            for a socket.
        StoreError: it cannot be made.
    """
    folder = folder.absolute()
    if len(os.fsencode(folder / CONTROL)) > _LONGEST_SOCKET_PATH:
        raise UsageError(f"{folder}: the path is too long for a socket; name a shorter one with --dir")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from error
    if not is_own(folder):
        raise UsageError(f"{folder}: not a folder of yours alone (chmod 700); name another with --dir")
    if any(folder.iterdir()) and not (folder / LOG).exists():
        raise UsageError(f"{folder}: holds files that are no range's; name another with --dir")
    return folder


def hold_folder(folder: Path) -> int:
    """Take the folder for one range, as long as any process has the descriptor given open, and empty it.

    Raises:
        UsageError: another range has it, or is about to.
        StoreError: it cannot be opened.
    """
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(held).st_nlink == 0:
            raise BlockingIOError  # the range that had it has just taken it away
    except BlockingIOError:
        os.close(held)
        raise UsageError(f"{folder}: another practice range starts or ends here now; try again") from None
    _empty(folder)
    return held


def clean_folder(folder: Path) -> None:
    """Take away what a range wrote, and the folder where nothing else lies in it."""
    _empty(folder)
    with suppress(OSError):
        folder.rmdir()


def _empty(folder: Path) -> None:
    for name in (CONTROL, TRUTH, UNFINISHED_TRUTH, LOG):
        (folder / name).unlink(missing_ok=True)
