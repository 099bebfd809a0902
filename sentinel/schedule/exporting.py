"""Units and a moment in; their map as a file out, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sentinel.errors import UsageError
from sentinel.model.endpoint import MapRow
from sentinel.model.unit import Unit
from sentinel.report.map_export import FORMATS, Export, write_export
from sentinel.schedule.context import Context
from sentinel.schedule.reading import iterate_map
from sentinel.schedule.reporting import save_file


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    path: Path
    rows: int
    size_bytes: int


def export_map(context: Context, units: Sequence[Unit], path: Path, at: datetime | None = None) -> Exported:
    """Write the open endpoints of units at a moment (None: now), in the format the name of the file ends in.

    Rows come as the store gives them: by unit, network and address, all of an address together.

    Raises:
        UsageError: the name ends in nothing that can be written.
        RenderError: the file cannot be written.
    """
    form = path.suffix.lower()
    if form not in FORMATS:
        raise UsageError(f"--export: {path.name!r} must end in one of {', '.join(FORMATS)}")
    export = Export(owner=units[0].name if units else "", at=at, now=context.clock())
    counts: list[int] = []
    save_file(path, lambda draft: counts.append(write_export(_iterate(context, units, at), draft, form, export)))
    return Exported(path, counts[0], path.stat().st_size)


def _iterate(context: Context, units: Sequence[Unit], at: datetime | None) -> Iterator[MapRow]:
    for unit in units:
        yield from iterate_map(context, unit, at)
