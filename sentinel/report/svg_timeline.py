"""Spans of time in, a timeline as SVG out: one row per span, times of Asia/Shanghai below."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from sentinel.model.moment import SHANGHAI
from sentinel.report.svg import TICK, WIDTH, fit, frame, line, rectangle, text_width, write
from sentinel.report.values import Span, Text

_ROW: Final = 34
_STEPS: Final = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 15, 60, 300, 900, 3600, 10800, 43200, 86400))
_TICKS: Final = 5


def draw_timeline(spans: Sequence[Span], lang: str, alt: Text, axis: Text) -> Markup:
    """Draw spans in the order given; the axis runs from the first start to the last end."""
    low = min((span.start for span in spans), default=None)
    high = max((span.end for span in spans), default=None)
    if low is None or high is None:
        return Markup("")
    step = _step(high - low)
    low, high = _floor(low, step), _floor(high, step) + step
    bottom = _ROW * len(spans) + 6.0
    ticks = Markup("").join(
        _tick(low + step * index, low, high, step, bottom) for index in range(_count(low, high, step))
    )
    rows = Markup("").join(_row(span, lang, low, high, 4 + _ROW * index) for index, span in enumerate(spans))
    title = write(WIDTH - 2, bottom + 28, axis.in_language(lang), anchor="end", size=TICK, kind="tick")
    return frame(WIDTH, bottom + 34, alt.in_language(lang), ticks + rows + title)


def _row(span: Span, lang: str, low: datetime, high: datetime, y: float) -> Markup:
    start, end = _x(span.start, low, high), _x(span.end, low, high)
    note = span.note.in_language(lang)
    label = fit(span.label, WIDTH - text_width(note) - 24)
    words = write(6, y + 11, label) + write(WIDTH - 6, y + 11, note, anchor="end", kind="value")
    return words + rectangle(start, y + 15, max(end - start, 3), 11, span.tone, span.label)


def _tick(at: datetime, low: datetime, high: datetime, step: timedelta, bottom: float) -> Markup:
    x = _x(at, low, high)
    local = at.astimezone(SHANGHAI)
    words = local.strftime(
        "%m-%d" if step >= timedelta(days=1) else "%H:%M" if step >= timedelta(minutes=1) else "%H:%M:%S"
    )
    half = text_width(words, TICK) / 2
    anchor = "start" if x < half else "end" if x + half > WIDTH else "middle"
    return line(x, 2, x, bottom, "grid") + write(x, bottom + 12, words, anchor=anchor, size=TICK, kind="tick")


def _x(at: datetime, low: datetime, high: datetime) -> float:
    return 2 + (WIDTH - 4) * ((at - low) / (high - low))


def _step(length: timedelta) -> timedelta:
    for step in _STEPS:
        if step * _TICKS >= length:
            return step
    return timedelta(days=-(-length // timedelta(days=_TICKS)))


def _floor(at: datetime, step: timedelta) -> datetime:
    origin = datetime(1970, 1, 1, tzinfo=SHANGHAI)
    return origin + (at - origin) // step * step


def _count(low: datetime, high: datetime, step: timedelta) -> int:
    return int((high - low) / step) + 1
