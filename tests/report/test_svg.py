from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.report.svg import WIDTH, draw_bars, fit, nice_step, text_width, units
from sentinel.report.svg_timeline import draw_timeline
from sentinel.report.values import Bar, Chart, Segment, Span, Text

AXIS = Text("个", "n")
ALT = Text('图 <&">', "picture")
NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)


def plain(words: str) -> Text:
    return Text(words, words)


def chart(*bars: Bar, **more: object) -> Chart:
    return Chart(bars, AXIS, ALT, **more)  # type: ignore[arg-type]


def bar(label: str, *values: int, tone: str = "accent", unknown: bool = False) -> Bar:
    return Bar(plain(label), tuple(Segment(tone, value) for value in values), plain(str(sum(values))), unknown)


def rects(svg: str) -> list[ET.Element]:
    return [element for element in ET.fromstring(svg) if element.tag == "rect"]


@pytest.mark.parametrize(
    ("highest", "step"), [(0, 1), (1, 1), (4, 1), (5, 2), (20, 5), (21, 10), (400, 100), (7290, 2000)]
)
def test_nice_step_when_highest_is_given_then_step_is_round(highest: int, step: int) -> None:
    assert nice_step(highest) == step


def test_draw_bars_when_values_double_then_widths_double_from_zero() -> None:
    one, two = rects(draw_bars(chart(bar("a", 10), bar("b", 20)), "zh"))
    assert float(two.get("width", 0)) == pytest.approx(2 * float(one.get("width", 0)), abs=0.2)
    assert one.get("x") == two.get("x")


def test_draw_bars_when_labels_are_hostile_then_they_are_escaped_and_inside_the_picture() -> None:
    hostile = '<script>alert(1)</script>"' + "长" * 400
    svg = draw_bars(chart(bar(hostile, 3)), "zh")
    assert "<script" not in svg
    root = ET.fromstring(svg)
    assert root.get("aria-label") == '图 <&">'
    assert all(text_width("".join(text.itertext()), 10) < WIDTH for text in root if text.tag == "text")


def test_draw_bars_when_bar_is_unknown_then_it_is_hatched_over_the_whole_width() -> None:
    (only,) = rects(draw_bars(chart(bar("x", unknown=True)), "en"))
    assert only.get("fill") == "url(#hatch)"
    assert float(only.get("width", 0)) > 200


def test_draw_bars_when_shares_then_each_bar_fills_its_own_whole() -> None:
    long = "一个很长的网段名称用来占满整行的标签"
    svg = draw_bars(chart(bar(long, 1, 3), bar("b", 50, 50), bar("none", 0), shares=True), "zh")
    found = rects(svg)
    assert float(found[0].get("width", 0)) * 3 == pytest.approx(float(found[1].get("width", 0)), abs=0.5)
    assert float(found[2].get("width", 0)) == pytest.approx(float(found[3].get("width", 0)), abs=0.1)
    assert found[4].get("fill") == "url(#hatch)"
    assert "100%" in svg


def test_draw_bars_when_legend_is_wide_then_it_wraps() -> None:
    legend = tuple((tone, plain("很长的图例文字" * 2)) for tone in ("critical", "high", "ok"))
    svg = draw_bars(chart(bar("a", 1, tone="ok"), legend=legend), "zh")
    rows = {element.get("y") for element in rects(svg)[:3]}
    assert len(rows) == 3


def test_draw_bars_when_there_is_no_bar_then_the_picture_is_still_well_formed() -> None:
    assert ET.fromstring(draw_bars(chart(), "zh")).get("role") == "img"


def test_fit_when_words_are_too_long_then_they_end_with_an_ellipsis() -> None:
    assert fit("abcdef", 1000) == "abcdef"
    assert fit("abcdef", 30).endswith("…")


@pytest.mark.parametrize(("value", "written"), [(1.0, "1"), (0.25, "0.2"), (10.04, "10"), (12.5, "12.5")])
def test_units_when_written_then_at_most_one_digit(value: float, written: str) -> None:
    assert units(value) == written


@pytest.mark.parametrize(
    ("length", "tick"),
    [(timedelta(seconds=3), ":"), (timedelta(minutes=50), ":"), (timedelta(days=3), "11-"), (timedelta(days=90), "-")],
)
def test_draw_timeline_when_lengths_differ_then_ticks_fit_and_bars_stay_inside(length: timedelta, tick: str) -> None:
    spans = (
        Span("10.0.0.5 XMR", NOW, NOW + length, "critical", plain("n")),
        Span("b", NOW, NOW, "medium", plain("0")),
    )
    svg = draw_timeline(spans, "zh", ALT, plain("北京时间"))
    root = ET.fromstring(svg)
    assert any(tick in (text.text or "") for text in root.iter("text"))
    for found in rects(svg):
        assert float(found.get("x", -1)) >= 0
        assert float(found.get("x", 0)) + float(found.get("width", 0)) <= WIDTH + 3


def test_draw_timeline_when_there_is_no_span_then_nothing_is_drawn() -> None:
    assert draw_timeline((), "zh", ALT, AXIS) == ""
