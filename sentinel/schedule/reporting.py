"""A report's name and a unit in; the rendered file out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from sentinel.config import data_folder
from sentinel.errors import RenderError, UsageError
from sentinel.model.facts import CentreFacts, Period, UnitFacts
from sentinel.model.moment import SHANGHAI
from sentinel.model.result import Method
from sentinel.model.unit import Unit
from sentinel.report import build_view, find_report
from sentinel.report.render import render_html, render_json
from sentinel.schedule.context import Context
from sentinel.schedule.facts import read_centre_facts, read_map_facts, read_period, read_unit_facts

FORMATS = ("html", "json")

_READERS: Final[Mapping[str, Callable[[Context, Unit, Period], UnitFacts | CentreFacts]]] = {
    "unit": read_unit_facts,
    "centre": read_centre_facts,
    "both": read_map_facts,
}
"""What reads the facts of a report, by its scope."""


def build_report(
    context: Context,
    name: str,
    unit: Unit,
    *,
    period: Period | None = None,
    form: str = "html",
    language: str = "",
    method: Method = Method.RATE_2025,
) -> str:
    """Render a report for a unit; for `overview` the unit is the centre above the others.

    `method` says how ranges of the self-check are counted.

    Raises:
        UsageError: there is no such report or format.
        RenderError: the template is missing or broken.
    """
    report = find_report(name)
    if form not in FORMATS:
        raise UsageError(f"no such format: {form!r} ({', '.join(FORMATS)})")
    span = period or read_period(None, context.clock())
    facts = _READERS[report.scope](context, unit, span)
    view = build_view(name, replace(facts, method=method) if isinstance(facts, UnitFacts) else facts)
    if form == "json":
        return render_json(name, view)
    return render_html(name, view, language or context.settings.language, data_folder("reports"))


def write_report(context: Context, name: str, unit: Unit, out: Path | None = None) -> Path:
    """Render a report as HTML into the home, or to a path, whole or not at all.

    Raises:
        RenderError: the file cannot be written.
    """
    stamp = context.clock().astimezone(SHANGHAI).strftime("%Y%m%d-%H%M%S")
    path = out or context.home.reports / folder_name(unit.code) / f"{name}-{stamp}.html"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RenderError(f"{path.parent}: cannot be made: {error.strerror or error}") from error
    save_text(path, build_report(context, name, unit))
    return path


def save_text(path: Path, text: str) -> None:
    """Write a text whole or not at all; its folder must be there.

    Raises:
        RenderError: it cannot be written.
    """
    save_file(path, lambda draft: draft.write_text(text, encoding="utf-8"))


def save_file(path: Path, write: Callable[[Path], object]) -> None:
    """Have a file written beside its place and put there whole, or not at all; its folder must be there.

    Raises:
        RenderError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.part")
    try:
        write(draft)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise RenderError(f"{path}: cannot be written: {error.strerror or error}") from error


def folder_name(code: str) -> str:
    """Give the name of a unit's folder of reports."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in code)
