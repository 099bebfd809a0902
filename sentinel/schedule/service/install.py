"""Services in; their unit files in place and running, what they do, or nothing of them left out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sentinel.errors import StoreError
from sentinel.schedule.context import Context
from sentinel.schedule.plan import next_due
from sentinel.schedule.service.systemctl import Systemctl
from sentinel.schedule.service.unitfile import MARKER, NAMES, Service, build_unit, quote_word
from sentinel.store.database import wrap_errors
from sentinel.store.units import read_plans

_TAIL_BYTES = 4096
_LINES = 5


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How a service stands.

    Attributes:
        name: of its unit file.
        file: the unit file; None when there is none of ours.
        system: of the machine; false: of the user.
        active: systemd's word: active, inactive, failed, ...; empty when systemd does not answer.
        enabled: it starts by itself.
        here: it works on this home.
        lines: the last lines of its log.
        next_due: when the next cycle starts; None without plans, and for pages.
    """

    name: str
    file: Path | None
    system: bool
    active: str
    enabled: bool
    here: bool
    lines: tuple[str, ...]
    next_due: datetime | None


def install(systemctl: Systemctl, services: Iterable[Service]) -> tuple[Path, ...]:
    """Write the unit files, start the services, and have them start with the machine; gives the files.

    Raises:
        StoreError: a file of that name is not ours or serves another home, there is no systemd, or it refused.
    """
    wanted = [(service, systemctl.folder / service.name, build_unit(service)) for service in services]
    for service, path, _ in wanted:
        _check_ours(path, service.home)
    if not systemctl.is_reachable():
        raise StoreError(_absent(systemctl, wanted[0][0].home))
    with wrap_errors(systemctl.folder):
        systemctl.folder.mkdir(parents=True, exist_ok=True)
        for _, path, text in wanted:
            draft = path.with_name(f".{path.name}.new")
            draft.write_text(text, encoding="utf-8")
            draft.chmod(0o644)
            draft.replace(path)
    systemctl.do("daemon-reload")
    for service, _, _ in wanted:
        systemctl.do("enable", service.name)
        systemctl.do("restart", service.name)
    return tuple(path for _, path, _ in wanted)


def remove(systemctl: Systemctl) -> tuple[Path, ...]:
    """Stop our services and remove their unit files, and nothing else; gives the files.

    Raises:
        StoreError: systemd refused, or a file cannot be removed.
    """
    ours = [path for name in NAMES.values() if _is_ours(path := systemctl.folder / name)]
    reachable = systemctl.is_reachable()
    for path in ours:
        if reachable:
            systemctl.do("disable", "--now", path.name)
        with wrap_errors(path):
            for folder in systemctl.folder.glob("*.wants"):
                (folder / path.name).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
    if ours and reachable:
        systemctl.do("daemon-reload")
        for path in ours:
            with suppress(StoreError):
                systemctl.do("reset-failed", path.name)  # refused where it had not failed
    return tuple(ours)


def read_states(context: Context, managers: Iterable[Systemctl], now: datetime) -> tuple[ServiceState, ...]:
    """Give how each of our services stands, the machine's first; one that is nowhere stands once, without file."""
    found: dict[str, ServiceState] = {}
    for systemctl in managers:
        reachable = systemctl.is_reachable()
        for command, name in NAMES.items():
            path = systemctl.folder / name
            if not _is_ours(path):
                continue
            told = systemctl.ask(name, "ActiveState", "UnitFileState") if reachable else {}
            found.setdefault(
                command,
                ServiceState(
                    name=name,
                    file=path,
                    system=systemctl.system,
                    active=told.get("ActiveState", ""),
                    enabled=told.get("UnitFileState", "") == "enabled",
                    here=_serves(path, context.home.path),
                    lines=read_tail(context.home.logs / f"{command}.log"),
                    next_due=_next_due(context, now) if command == "run" else None,
                ),
            )
    nothing = {command: ServiceState(name, None, False, "", False, False, (), None) for command, name in NAMES.items()}
    return tuple((nothing | found).values())


def read_tail(path: Path, lines: int = _LINES) -> tuple[str, ...]:
    """Give the last lines of a log file; none when there is no file."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _TAIL_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ()
    return tuple(text.splitlines()[-lines:])


def _next_due(context: Context, now: datetime) -> datetime | None:
    return min(
        (due for plan in read_plans(context.database) if plan.enabled and (due := next_due(plan, now))), default=None
    )


def _check_ours(path: Path, home: Path) -> None:
    if not path.exists() and not path.is_symlink():
        return
    if not _is_ours(path):
        raise StoreError(f"{path}: is there already and was not written by sentinel; move it away first")
    if not _serves(path, home):
        raise StoreError(f"{path}: serves another home; `sentinel service remove` first")


def _is_ours(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            return not path.is_symlink() and stream.readline(200).rstrip("\n") == MARKER
    except OSError:
        return False


def _serves(path: Path, home: Path) -> bool:
    words = f'"--home" {quote_word(str(home), command=True)} '
    with suppress(OSError):
        return words in path.read_text(encoding="utf-8", errors="replace")
    return False


def _absent(systemctl: Systemctl, home: Path) -> str:
    kind = "" if systemctl.system else " of this user"
    return f"no systemd{kind} answers here; run `sentinel --home {home} run` in a terminal, tmux, or another supervisor"
