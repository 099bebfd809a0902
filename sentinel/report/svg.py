"""Charts in, SVG markup out; every foreign text is escaped, no script, no style attribute."""

from __future__ import annotations

from typing import Final
from unicodedata import east_asian_width

from markupsafe import Markup

from sentinel.report.values import Bar, Chart, Text
from sentinel.report.words import SEVERITY_MARKS

WIDTH: Final = 360
"""Units across: one is a CSS pixel on a phone 390 pixels wide."""

FONT: Final = 12.0
TICK: Final = 10.5
_NARROW = 0.57
_LABEL_ROOM = 118
_GAP = 6

FILLS: Final = {
    "critical": "#c81e2d",
    "high": "#eb7832",
    "medium": "#f5be3c",
    "low": "#78aad7",
    "informational": "#c3ccd6",
    "accent": "#3f77b0",
    "soft": "#9dbbd8",
    "ok": "#2e8b57",
    "okay": "#8cc3a4",
    "muted": "#c3ccd6",
    "unknown": "url(#hatch)",
}
"""Colour by tone; unknown is the hatching that every page defines once."""

_LIGHT_TEXT = {"critical", "accent", "ok"}
_SHAPES = SEVERITY_MARKS | {"ok": "✓"}


def text_width(words: str, size: float = FONT) -> float:
    """Estimate the width of words on one line in units; CJK characters are one em wide."""
    return sum(size if east_asian_width(letter) in "WFA" else size * _NARROW for letter in words)


def fit(words: str, room: float, size: float = FONT) -> str:
    """Shorten words with an ellipsis until they fit the room."""
    if text_width(words, size) <= room:
        return words
    while words and text_width(words + "…", size) > room:
        words = words[:-1]
    return words + "…"


def nice_step(highest: int, ticks: int = 4) -> int:
    """Give a round step (1, 2 or 5 times a power of ten) with about `ticks` steps up to `highest`."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor * ticks >= highest:
                return step * factor
        step *= 10


def draw_bars(chart: Chart, lang: str) -> Markup:
    """Draw horizontal bars from zero with their words beside them; labels too long for a column stand above."""
    labels = [bar.label.in_language(lang) for bar in chart.bars]
    widest = max((text_width(label) for label in labels), default=0)
    above = widest > _LABEL_ROOM
    left = 2.0 if above else widest + _GAP
    notes = max((text_width(bar.note.in_language(lang)) for bar in chart.bars), default=0)
    right = WIDTH - 2 if above and chart.shares else WIDTH - notes - _GAP - 2
    top, legend = _legend(chart.legend, lang)
    pitch = 38 if above else 25
    highest = max((bar.total for bar in chart.bars if not bar.unknown), default=0)
    step = 25 if chart.shares else nice_step(highest)
    end = 100 if chart.shares else max(step * -(-highest // step), 1)
    bottom = top + pitch * len(chart.bars) + 2
    body = Markup("").join(
        _bar(bar, lang, left, right, top + pitch * row, 0 if chart.shares else end, above=above)
        for row, bar in enumerate(chart.bars)
    )
    axis = _axis(chart, lang, left, right, top, bottom, step, end)
    return frame(WIDTH, bottom + 34, chart.alt.in_language(lang), legend + axis + body)


def frame(width: float, height: float, alt: str, body: Markup, kind: str = "chart") -> Markup:
    """Wrap a drawing of so many units with its alternative text; `kind` is a class of the style sheet."""
    return Markup('<svg class="{}" role="img" viewBox="0 0 {} {}" aria-label="{}" font-size="{}">{}</svg>').format(
        kind, units(width), units(height), alt, units(FONT), body
    )


def write(x: float, y: float, words: str, *, anchor: str = "start", size: float = FONT, kind: str = "") -> Markup:
    """Write words at a baseline; `kind` is a class of the style sheet."""
    return Markup('<text x="{}" y="{}"{}{}{}>{}</text>').format(
        units(x),
        units(y),
        Markup(' text-anchor="{}"').format(anchor) if anchor != "start" else "",
        Markup(' font-size="{}"').format(units(size)) if size != FONT else "",
        Markup(' class="{}"').format(kind) if kind else "",
        words,
    )


def rectangle(x: float, y: float, width: float, height: float, tone: str, title: str = "") -> Markup:
    """Fill a rectangle with the colour of a tone; unknown gets an outline too."""
    edge = Markup(' stroke="#8a96a3" stroke-width=".7"') if tone == "unknown" else ""
    inner = Markup("<title>{}</title>").format(title) if title else ""
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"{}>{}</rect>').format(
        units(x), units(y), units(width), units(height), FILLS[tone], edge, inner
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """Draw a line of a class of the style sheet."""
    return Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>').format(
        units(x1), units(y1), units(x2), units(y2), kind
    )


def _bar(bar: Bar, lang: str, left: float, right: float, y: float, end: int, *, above: bool) -> Markup:
    label, note = bar.label.in_language(lang), bar.note.in_language(lang)
    bar_y = y + 18 if above else y + 4
    height = 13 if above else 16
    pieces = [_label(label, note, left, y, above=above, note_above=above and end == 0)]
    x = left
    scale = (right - left) / (end or bar.total or 1)
    if bar.unknown or (end == 0 and bar.total == 0):
        pieces.append(rectangle(left, bar_y, right - left, height, "unknown", note))
        x = right
    for segment in () if bar.unknown else bar.segments:
        width = segment.value * scale
        if width > 0:
            pieces.append(rectangle(x, bar_y, max(width, 1.2), height, segment.tone, f"{label} {segment.value:,}"))
            pieces.append(_shape(segment.tone, x, width, bar_y + height - 4))
        x += width
    if not (above and end == 0):
        pieces.append(write(x + 5, bar_y + height - 4, note, kind="value"))
    return Markup("").join(pieces)


def _label(label: str, note: str, left: float, y: float, *, above: bool, note_above: bool) -> Markup:
    if not above:
        return write(left - _GAP, y + 16, label, anchor="end")
    room = WIDTH - 8 - (text_width(note) + 12 if note_above else 0)
    ending = write(WIDTH - 2, y + 13, note, anchor="end", kind="value") if note_above else Markup("")
    return write(6, y + 13, fit(label, room)) + ending


def _shape(tone: str, x: float, width: float, y: float) -> Markup:
    if tone not in _SHAPES or width < 14:
        return Markup("")
    return write(x + 3, y, _SHAPES[tone], size=9, kind="light" if tone in _LIGHT_TEXT else "dark")


def _axis(chart: Chart, lang: str, left: float, right: float, top: float, bottom: float, step: int, end: int) -> Markup:
    pieces = []
    room = 0.0
    for tick in range(0, end + 1, step):
        x = left + (right - left) * tick / end
        pieces.append(line(x, top, x, bottom, "grid" if tick else "base"))
        words = f"{tick}%" if chart.shares else f"{tick:,}"
        half = text_width(words, TICK) / 2
        anchor = "end" if x + half > WIDTH else "start" if x - half < 0 else "middle"
        if x - half >= room or not tick:
            pieces.append(write(x, bottom + 12, words, anchor=anchor, size=TICK, kind="tick"))
            room = x + half + 6
    pieces.append(write(WIDTH - 2, bottom + 28, chart.axis.in_language(lang), anchor="end", size=TICK, kind="tick"))
    return Markup("").join(pieces)


def _legend(entries: tuple[tuple[str, Text], ...], lang: str) -> tuple[float, Markup]:
    if len(entries) < 2:
        return 2, Markup("")
    x, y = 2.0, 4.0
    pieces = []
    for tone, meaning in entries:
        words = f"{SEVERITY_MARKS.get(tone, '')} {meaning.in_language(lang)}".strip()
        width = 16 + text_width(words, 10.5) + 12
        if x + width > WIDTH and x > 2:
            x, y = 2.0, y + 17
        pieces.append(rectangle(x, y, 12, 10, tone) + write(x + 16, y + 9, words, size=10.5))
        x += width
    return y + 18, Markup("").join(pieces)


def units(value: float) -> str:
    """Write a coordinate with at most one digit."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
