"""The installed nmap: where it is, which version, and what to type when it is missing."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from sentinel.collect.child import run_child
from sentinel.errors import CollectError

OLDEST = (7, 0)
"""Oldest nmap whose XML and options are relied on (2015)."""

_VERSION_LINE = re.compile(rb"Nmap version (\d{1,3})\.(\d{1,4})(\S*)")
_ANSWER_S = 30.0
_ANSWER_BYTES = 65536
_INSTALLERS = (
    ("apt-get", "apt-get install nmap"),
    ("dnf", "dnf install nmap"),
    ("zypper", "zypper install nmap"),
    ("apk", "apk add nmap nmap-scripts"),
    ("pacman", "pacman -S nmap"),
)


@dataclass(frozen=True, slots=True)
class ToolVersion:
    """An installed tool.

    Attributes:
        name: `nmap`.
        path: the program that would run.
        version: as it prints it, e.g. `7.93`.
        number: major and minor, e.g. `(7, 93)`.
    """

    name: str
    path: str
    version: str
    number: tuple[int, int]


def installed_nmap() -> ToolVersion:
    """Find nmap on PATH and ask its version; nothing is sent.

    Raises:
        CollectError: there is none, it does not answer, or it is older than 7.00.
    """
    path = shutil.which("nmap")
    if path is None:
        raise CollectError(f"nmap is not installed: run `{install_command()}`")
    answer = bytearray()
    ending = run_child(
        [path, "--version"], take=answer.extend, cwd=Path("/"), timeout_s=_ANSWER_S, max_bytes=_ANSWER_BYTES
    )
    match = _VERSION_LINE.search(answer)
    if ending.status != 0 or match is None:
        raise CollectError(f"{path} --version does not answer as nmap does (exit status {ending.status})")
    major, minor, suffix = (group.decode("ascii", "replace") for group in match.groups())
    version = ToolVersion("nmap", path, f"{major}.{minor}{suffix}", (int(major), int(minor)))
    if version.number < OLDEST:
        wanted = f"{OLDEST[0]}.{OLDEST[1]:02}"
        raise CollectError(f"nmap {version.version} is too old, {wanted} is needed: run `{install_command()}`")
    return version


def install_command() -> str:
    """Give the command that installs nmap with the package tool found here."""
    return next((command for tool, command in _INSTALLERS if shutil.which(tool)), _INSTALLERS[0][1])
