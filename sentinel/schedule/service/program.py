"""The Python that runs now in; the path a service is to start it by, which an upgrade does not take away, out."""

from __future__ import annotations

from pathlib import Path


def find_program(running: Path) -> Path:
    """Give the path by which the Python of an offline bundle stays reachable; any other as it is.

    `install.sh` puts each version into `PREFIX/versions/X` and points `PREFIX/current` at the one in use; an upgrade
    removes old ones.
    """
    version = running.parent.parent
    if version.parent.name != "versions":
        return running
    prefix = version.parent.parent
    current = prefix / "current"
    if not (prefix / ".installed-by-sentinel").is_file() or current.resolve() != version.resolve():
        return running
    return current / running.relative_to(version)
