"""One log line per event: `2026-11-22T08:30:00+08:00 info scan done unit=4101 hosts=12`.

On standard error from the level that was set; in a file, for commands that stay, from `info` on.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

_PHONE = re.compile(r"(?<!\d)((?:86[- ]?)?1[3-9]\d)[- ]?\d{4}[- ]?(\d{4})(?!\d)", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_SHANGHAI = timezone(timedelta(hours=8))
_logger = logging.getLogger("sentinel")


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, _SHANGHAI).isoformat(timespec="seconds")
        return f"{moment} {record.levelname.lower()} {record.getMessage()}"


class _File(logging.Handler):
    """A log file that rotates, that only its owner may read, and that never ends the job it tells of.

    Written here because `logging.handlers` loads sockets and mail, which every command would pay for.
    """

    def __init__(self, path: Path, size_bytes: int, keep: int) -> None:
        super().__init__()
        self._path = path
        self._size_bytes = size_bytes
        self._keep = keep
        self._told = False
        self.setFormatter(_Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Add a line; what keeps it from being written is told once on standard error."""
        line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size + len(line) > self._size_bytes:
                self._rotate()
            with open(self._path, "ab", opener=_owner_only) as stream:
                stream.write(line)
        except OSError as failure:
            if not self._told:
                self._told = True
                sys.stderr.write(f"sentinel: {self._path}: the log cannot be written: {failure.strerror or failure}\n")

    def _rotate(self) -> None:
        for number in range(self._keep, 0, -1):
            older = self._path if number == 1 else self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def configure_log(level: str) -> None:
    """Send events of `level` (debug, info, warning, error) and above to standard error; call again to change it."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter())
    handler.setLevel(level.upper())
    _logger.handlers[:] = [handler]
    _logger.setLevel(level.upper())
    _logger.propagate = False


def add_log_file(path: Path, size_mib: int, keep: int) -> None:
    """Send events of `info` and above, or of the level that was set if lower, to a file as well.

    A file that reaches its size becomes `<name>.1` and so on; `keep` old ones stay. One process at a time may write a
    file. When it cannot be written, that is told once on standard error and the job goes on.
    """
    handler = _File(path, size_mib << 20, keep)
    handler.setLevel(min(logging.INFO, _logger.level))
    _logger.addHandler(handler)
    _logger.setLevel(handler.level)


def info(event: str, **values: object) -> None:
    """Log one step of a job."""
    _logger.info("%s", build_line(event, values))


def warning(event: str, **values: object) -> None:
    """Log something a person should look at."""
    _logger.warning("%s", build_line(event, values))


def error(event: str, **values: object) -> None:
    """Log a lost job."""
    _logger.error("%s", build_line(event, values))


def build_line(event: str, values: dict[str, object]) -> str:
    """Write an event with its values on one line: control characters shown, phone numbers masked, texts cut at 200."""
    return " ".join([event, *(f"{name}={_shown(value)}" for name, value in values.items())])


def _shown(value: object) -> str:
    text = _PHONE.sub(r"\1****\2", str(value))[:200]
    text = _UNSAFE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
    return '"' + text.replace('"', '\\"') + '"' if " " in text or not text else text
