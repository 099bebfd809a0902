"""A machine, or a tree of unpacked packages, in; the server programs there and what they say of themselves out."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sentinel.drill.native.child import ask_program
from sentinel.errors import UsageError

_SYSTEM_FOLDERS = (Path("/usr/sbin"), Path("/usr/bin"), Path("/usr/local/sbin"), Path("/usr/local/bin"))
_LIBRARY_FOLDERS = ("lib/*-linux-gnu*", "usr/lib/*-linux-gnu*", "lib", "usr/lib")
_NEEDED_BESIDE = {"postgres": "initdb", "sshd": "ssh-keygen"}


class Kind(StrEnum):
    """A program that can be started for an exercise, by the name of its file."""

    NGINX = "nginx"
    REDIS = "redis-server"
    SSHD = "sshd"
    POSTGRES = "postgres"
    MOSQUITTO = "mosquitto"


# Options that make it tell its version, and how. sshd calls the long option unknown and then tells more than for -V.
_ASKED: Mapping[Kind, tuple[str, str]] = {
    Kind.NGINX: ("-v", r"nginx version: nginx/(\d+(?:\.\d+)+)"),
    Kind.REDIS: ("--version", r"Redis server v=(\d+(?:\.\d+)+)"),
    Kind.SSHD: ("--version", r"OpenSSH_([^\s,]+(?: [^\s,]+)?), "),
    Kind.POSTGRES: ("--version", r"postgres \(PostgreSQL\) (\d+\.\d+)"),
    Kind.MOSQUITTO: ("-h", r"mosquitto version (\d+(?:\.\d+)+)"),
}


@dataclass(frozen=True, slots=True)
class Program:
    """A server program of this machine or of an unpacked tree.

    Attributes:
        kind: which it is.
        path: its file.
        version: what it told, e.g. `7.0.15`, `9.2p1 Debian-2+deb12u2` for sshd; empty: it told none.
        tree: the folder its package was unpacked into; None: it is installed.
        beside: a second program it cannot do without, e.g. `initdb`; None: it needs none, or that is missing.
        trouble: why it cannot be used; empty: it can.
    """

    kind: Kind
    path: Path
    version: str = ""
    tree: Path | None = None
    beside: Path | None = None
    trouble: str = ""


def library_path(tree: Path | None) -> str:
    """Give the value of LD_LIBRARY_PATH for programs of a tree; empty for installed ones."""
    if tree is None:
        return ""
    return os.pathsep.join(str(found) for pattern in _LIBRARY_FOLDERS for found in sorted(tree.glob(pattern)))


def find_programs(extra: Path | None = None) -> tuple[Program, ...]:
    """Find each kind at most once and ask it for its version; what lies unpacked under `extra` comes first.

    Raises:
        UsageError: `extra` is no folder.
    """
    if extra is not None and not extra.is_dir():
        raise UsageError(f"{extra}: no such folder of unpacked packages; make it with scripts/unpack.sh")
    trees = (extra.resolve(), None) if extra is not None else (None,)
    chosen = (_choose(kind, trees) for kind in Kind)
    return tuple(program for program in chosen if program is not None)


def _choose(kind: Kind, trees: Iterable[Path | None]) -> Program | None:
    """Give the first that can be used, else the first with its trouble."""
    troubled: Program | None = None
    for tree in trees:
        program = _find(kind, tree)
        if program is not None and not program.trouble:
            return program
        troubled = troubled or program
    return troubled


def _find(kind: Kind, tree: Path | None) -> Program | None:
    path = next(_places(kind, kind.value, tree), None)
    if path is None:
        return None
    needed = _NEEDED_BESIDE.get(kind, "")
    beside = _find_beside(kind, needed, path, tree) if needed else None
    if needed and beside is None:
        return Program(kind, path, tree=tree, trouble=f"{needed} is missing beside it")
    option, pattern = _ASKED[kind]
    try:
        told = ask_program((str(path), option), library_path(tree))
    except OSError as error:
        return Program(kind, path, tree=tree, beside=beside, trouble=error.strerror or str(error))
    named = re.search(pattern, told)
    if named is None:
        last = told.strip().rpartition("\n")[2] or "nothing"
        return Program(kind, path, tree=tree, beside=beside, trouble=f"asked for its version it says: {last}")
    return Program(kind, path, named[1], tree, beside)


def _find_beside(kind: Kind, name: str, path: Path, tree: Path | None) -> Path | None:
    if kind is Kind.POSTGRES:  # of the same version
        return path.parent / name if _is_program(path.parent / name) else None
    # A tree of the server alone is enough where the machine has the client's programs.
    return next((found for place in (tree, None) for found in _places(kind, name, place)), None)


def _places(kind: Kind, name: str, tree: Path | None) -> Iterator[Path]:
    """Give the files of this name one may start, the newest PostgreSQL first."""
    root = tree or Path("/")
    if kind is Kind.POSTGRES:
        folders = sorted(root.glob("usr/lib/postgresql/*/bin"), key=_major, reverse=True)
    else:
        folders = [root / folder.relative_to("/") for folder in _SYSTEM_FOLDERS]
    yield from (folder / name for folder in folders if _is_program(folder / name))
    if tree is None and (on_path := shutil.which(name)):
        yield Path(on_path).resolve()


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _major(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0
