"""Reports: the files rendered before, and the present ones made when asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sentinel.console.builds import Builds, Built
from sentinel.console.page import Page
from sentinel.console.reading import Desk, Reading
from sentinel.errors import UsageError
from sentinel.model.unit import Unit
from sentinel.report import REPORTS
from sentinel.report.values import Text
from sentinel.schedule.reporting import build_report, folder_name
from sentinel.store.units import read_units

ROWS: Final = 200
_WAIT_S: Final = 0.4
_HOUR_S: Final = 3600

SANDBOX: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
"""A report carries its own policy, which names the one style it has; this one is added to it and allows no script."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file under the unit's folder of reports."""

    name: str
    title: Text
    size_bytes: int
    written: datetime

    @property
    def is_page(self) -> bool:
        """A browser can show it."""
        return self.name.endswith(".html")


def build_reports(reading: Reading) -> Page:
    """Build the listing, the newest file first."""
    files = read_files(reading.context.home.reports / folder_name(reading.unit.code))
    return Page(
        "reports",
        "reports",
        {
            "files": files[:ROWS],
            "total": len(files),
            "current": tuple(
                (name, Text(REPORTS[name].title_zh, REPORTS[name].title_en)) for name in _offered(reading)
            ),
        },
    )


def _offered(reading: Reading) -> tuple[str, ...]:
    has_lower = len(read_units(reading.database, reading.unit)) > 1
    return tuple(name for name, report in REPORTS.items() if report.scope != "centre" or has_lower)


def read_files(folder: Path) -> tuple[ReportFile, ...]:
    """Give the plain files of a folder, the newest first; a folder that is not there has none."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False) and not entry.name.startswith("."):
                    status = entry.stat(follow_symlinks=False)
                    written = datetime.fromtimestamp(status.st_mtime, UTC)
                    found.append(ReportFile(entry.name, _title(entry.name), status.st_size, written))
    except OSError:
        return ()
    return tuple(sorted(found, key=lambda one: (one.written, one.name), reverse=True))


def _title(name: str) -> Text:
    report = REPORTS.get(name.partition("-")[0].partition(".")[0])
    return Text(report.title_zh, report.title_en) if report else Text("其他文件", "other file")


def find_file(reading: Reading, name: str) -> Path:
    """Give the path of a listed file.

    Raises:
        UsageError: it is not listed.
    """
    folder = reading.context.home.reports / folder_name(reading.unit.code)
    if not any(one.name == name for one in read_files(folder)):
        raise UsageError(f"no such report file: {name[:80]!r}")
    return folder / name


def ask_report(reading: Reading, desk: Desk, builds: Builds, name: str) -> Built:
    """Ask for a present report; it holds for an hour, or until something changes.

    Raises:
        UsageError: there is no such report for this unit.
    """
    if name not in _offered(reading):
        raise UsageError(f"no report {name[:40]!r} of this unit")
    stamp = (reading.stamp, int(reading.now.timestamp()) // _HOUR_S)
    make = _maker(desk, reading.unit, name, reading.lang)
    return builds.ask(("report", reading.unit.code, name, reading.lang), stamp, make, _WAIT_S)


def _maker(desk: Desk, unit: Unit, name: str, lang: str) -> Callable[[], tuple[object, datetime]]:
    def make() -> tuple[object, datetime]:
        with desk.open(None) as context:
            return build_report(context, name, unit, language=lang), context.clock()

    return make


def build_waiting(name: str, built: Built) -> Page:
    """Build the page shown until a report is ready, or why it cannot be."""
    title = Text(REPORTS[name].title_zh, REPORTS[name].title_en)
    return Page("waiting", "reports", {"title": title, "built": built}, refresh_s=2 if built.building else 0)
