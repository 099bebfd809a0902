"""One log line per event on standard error: `2026-11-22T08:30:00+08:00 info scan done unit=4101 hosts=12`."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta, timezone

_PHONE = re.compile(r"(?<!\d)((?:86[- ]?)?1[3-9]\d)[- ]?\d{4}[- ]?(\d{4})(?!\d)", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_SHANGHAI = timezone(timedelta(hours=8))
_logger = logging.getLogger("sentinel")


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, _SHANGHAI).isoformat(timespec="seconds")
        return f"{moment} {record.levelname.lower()} {record.getMessage()}"


def configure_log(level: str) -> None:
    """Send events of `level` (debug, info, warning, error) and above to standard error; call again to change it."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter())
    _logger.handlers[:] = [handler]
    _logger.setLevel(level.upper())
    _logger.propagate = False


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
