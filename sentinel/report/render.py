"""A view in, a report as text out: HTML through the one Jinja environment, or JSON for machines."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import cache, partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from sentinel.errors import RenderError, UsageError
from sentinel.model.moment import iso_utc, local_date, local_text
from sentinel.model.rule import Severity
from sentinel.report import View, find_report
from sentinel.report.clean import clean
from sentinel.report.paper import Grid, Paper
from sentinel.report.svg import draw_bars
from sentinel.report.svg_graph import draw_sheet
from sentinel.report.svg_grid import draw_grid_head, draw_grid_rows, grid_slices
from sentinel.report.svg_map import draw_region
from sentinel.report.svg_timeline import draw_timeline
from sentinel.report.svg_tree import draw_tree_head, draw_tree_rows, tree_slices
from sentinel.report.uses import USE_WORDS
from sentinel.report.values import Share, Text
from sentinel.report.view_overview import TileGroup
from sentinel.report.words import SEVERITY_MARKS, term, text

LANGUAGES: Final = ("zh", "en")
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


def render_html(name: str, view: View, lang: str, templates_dir: Path) -> str:
    """Print a view as one offline HTML file without scripts; times in Asia/Shanghai.

    Raises:
        UsageError: there is no such report or language.
        RenderError: the template is missing or uses something the view does not have.
    """
    if lang not in LANGUAGES:
        raise UsageError(f"no language {lang!r} (there are: {', '.join(LANGUAGES)})")
    report = find_report(name)
    environment = _environment(templates_dir)
    words = _words(lang)
    try:
        style = environment.get_template("report.css.j2").render(view=view, **words)
        return environment.get_template(report.template).render(
            view=view,
            style=Markup(style),  # noqa: S704  # our own template; its two foreign strings went through css_string
            style_hash=b64encode(sha256(style.encode()).digest()).decode(),
            fingerprint=fingerprint(view),
            **words,
        )
    except TemplateError as error:
        where = f"{getattr(error, 'name', None) or report.template} line {getattr(error, 'lineno', None) or '?'}"
        raise RenderError(f"report {name}: {where}: {error}") from error


def render_paper(paper: Paper, templates_dir: Path) -> str:
    """Print an official paper as one offline HTML file for A4, without scripts.

    Raises:
        RenderError: the template is missing or broken.
    """
    environment = _environment(templates_dir)
    widths = sorted({width for block in paper.blocks if isinstance(block, Grid) for width in block.widths})
    try:
        style = environment.get_template("paper.css.j2").render(widths=widths)
        return environment.get_template("paper.html.j2").render(
            paper=paper,
            style=Markup(style),  # noqa: S704  # our own template; only whole numbers went in
            style_hash=b64encode(sha256(style.encode()).digest()).decode(),
        )
    except TemplateError as error:
        raise RenderError(f"paper {paper.name}: {error}") from error


def render_page(template: str, lang: str, templates_dir: Path, values: Mapping[str, object]) -> str:
    """Print a page of the console: a template under `reports/console/` with the words and filters of the reports.

    Raises:
        UsageError: there is no such language.
        RenderError: the template is missing or uses something it was not given.
    """
    if lang not in LANGUAGES:
        raise UsageError(f"no language {lang!r} (there are: {', '.join(LANGUAGES)})")
    try:
        return _environment(templates_dir).get_template(template).render({**_words(lang), **values})
    except TemplateError as error:
        where = f"{getattr(error, 'name', None) or template} line {getattr(error, 'lineno', None) or '?'}"
        raise RenderError(f"page {template}: {where}: {error}") from error


def render_json(name: str, view: View) -> str:
    """Print a view as JSON: the same values, both languages, times in UTC, everything the pages fold.

    Raises:
        UsageError: there is no such report.
    """
    body = {"report": find_report(name).name, "fingerprint": fingerprint(view), "view": asdict(view)}
    return json.dumps(body, ensure_ascii=False, indent=1, default=_encode) + "\n"


def fingerprint(view: View) -> str:
    """Give the SHA-256 of the view's values: equal on the HTML and the JSON of one report, in both languages."""
    return sha256(json.dumps(asdict(view), sort_keys=True, default=_encode).encode()).hexdigest()


def css_string(words: str) -> str:
    """Write words as a CSS string in which nothing but letters and digits stands unescaped."""
    safe = "".join(letter if letter.isascii() and letter.isalnum() else f"\\{ord(letter):06x}" for letter in words)
    return f'"{safe}"'


def size_text(size_bytes: int) -> str:
    """Write a number of bytes for people, e.g. `1.4 MiB`."""
    value = float(size_bytes)
    for unit in _UNITS[:-1]:
        if value < 1024:
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} {_UNITS[-1]}"


@cache
def _environment(templates_dir: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates_dir),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"day": local_date, "moment": local_text, "size": size_text, "css": _css, "shown": clean}
    environment.globals |= {
        "term": term,
        "marks": SEVERITY_MARKS,
        "severity_words": {severity.value: term(severity) for severity in Severity},
        "area_words": {state: text(f"area_{state}") for state in ("partial", "unknown", "logs")},
        "view_words": {key: text(key) for key in ("alt_spans", "axis_time")},
        "tile_count": _tile_count,
        "grid_slices": grid_slices,
        "tree_slices": tree_slices,
        "use_words": USE_WORDS,
    }
    return environment


def _words(lang: str) -> dict[str, object]:
    figures, tables = count(1), count(1)
    return {
        "lang": lang,
        "_": partial(_choose, lang),
        "t": partial(_said, lang),
        "number": partial(_number, lang),
        "bars": partial(_drawn, draw_bars, lang),
        "region": partial(_drawn, draw_region, lang),
        "timeline": partial(_timeline, lang),
        "grid_head": partial(_drawn, draw_grid_head, lang),
        "grid_rows": partial(_drawn, draw_grid_rows, lang),
        "graph_sheet": partial(_drawn, draw_sheet, lang),
        "tree_head": partial(_drawn, draw_tree_head, lang),
        "tree_rows": partial(_drawn, draw_tree_rows, lang),
        "next_figure": lambda: next(figures),
        "next_table": lambda: next(tables),
    }


def _css(words: str) -> Markup:
    return Markup(css_string(words))  # noqa: S704  # css_string leaves ASCII letters, digits, backslashes and quotes


def _choose(lang: str, chinese: str, english: str) -> str:
    return english if lang == "en" else chinese


def _said(lang: str, words: Text) -> str:
    return words.in_language(lang)


def _number(lang: str, value: int | Share | None) -> str:
    known = value.percent if isinstance(value, Share) else value
    if known is None:
        return _choose(lang, "未核查", "not checked")
    return f"{known:g}%" if isinstance(value, Share) else f"{known:,}"


def _drawn(draw: Callable[..., Markup], lang: str, values: object, *more: object) -> Markup:
    return draw(values, lang, *more)


def _timeline(lang: str, spans: object, alt: Text, axis: Text) -> Markup:
    return draw_timeline(spans, lang, alt, axis)  # type: ignore[arg-type]  # templates are not typed


def _tile_count(groups: tuple[TileGroup, ...]) -> int:
    return sum(len(group.units) for group in groups)


def _encode(value: object) -> str:
    # Views hold numbers, texts, times, and addresses and prefixes; json knows the first two.
    return iso_utc(value) if isinstance(value, datetime) else str(value)
