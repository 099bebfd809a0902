"""The tree of units in, its pictures out: a line for each unit, bars compared inside one level, unknown hatched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup

from sentinel.report.svg import fit, frame, line, rectangle, text_width, units, write
from sentinel.report.svg_shapes import WIDE
from sentinel.report.unit_tree import Counts, TreeRow, UnitTree
from sentinel.report.words import SEVERITY_MARKS, text

SLICE_ROWS: Final = 5
_PITCH: Final = 19.0
_HEAD: Final = 22.0
_BAR: Final = 11.0
_INDENT: Final = 15.0
_SIZE: Final = 10.5
_NAME_END: Final = 240.0
_REPORTED: Final = (245.0, 271.0)
_HOSTS: Final = (345.0, 400.0)
_PORTS_END: Final = 515.0
_FINDINGS: Final = (523.0, 586.0)
_FINDINGS_END: Final = 682.0
_COVERAGE_END: Final = 719.0
_LEVELS: Final = ("critical", "high", "medium", "low")


def tree_slices(tree: UnitTree) -> int:
    """Tell how many slices of rows the picture has; a page may break between them."""
    return -(-len(tree.rows) // SLICE_ROWS)


def draw_tree_head(tree: UnitTree, lang: str) -> Markup:
    """Draw the heads of the columns; its words for those who cannot see are those of the whole picture."""
    return frame(WIDE, _HEAD, tree.alt.in_language(lang), _heads(lang), "wide")


def draw_tree_rows(tree: UnitTree, lang: str, number: int) -> Markup:
    """Draw a slice of the rows."""
    rows = tree.rows[number * SLICE_ROWS : (number + 1) * SLICE_ROWS]
    scales = _scales(tree.rows)
    pieces = []
    for index, row in enumerate(rows):
        y = index * _PITCH
        pieces.append(_branches(row, y))
        pieces.append(_name(row, y, lang))
        pieces.append(_numbers(row, y, scales[row.depth], lang))
        pieces.append(line(0, y + _PITCH - 0.5, WIDE, y + _PITCH - 0.5, "grid"))
    alt = text("alt_tree_rows", first=rows[0].name or rows[0].level, n=len(rows)).in_language(lang)
    return frame(WIDE, len(rows) * _PITCH, alt, Markup("").join(pieces), "wide")


def _scales(rows: Sequence[TreeRow]) -> dict[int, tuple[int, int]]:
    """Give the most hosts and the most findings of one unit at each depth; a row of the rest is no unit."""
    scales: dict[int, tuple[int, int]] = {}
    for row in rows:
        hosts, findings = scales.get(row.depth, (1, 1))
        if not row.folded:
            hosts, findings = max(hosts, row.counts.hosts), max(findings, row.counts.findings)
        scales[row.depth] = hosts, findings
    return scales


def _heads(lang: str) -> Markup:
    heads: Iterable[tuple[float, str, str]] = (
        (2, "tree_units", "start"),
        (_REPORTED[0], "tree_reported", "start"),
        (_HOSTS[0], "tree_hosts", "start"),
        (_PORTS_END, "tree_ports", "end"),
        (_FINDINGS[0], "tree_findings", "start"),
        (_COVERAGE_END, "tree_coverage", "end"),
    )
    words = Markup("").join(
        write(x, _HEAD - 9, text(key).in_language(lang), anchor=anchor, size=_SIZE, kind="head")
        for x, key, anchor in heads
    )
    return words + line(0, _HEAD - 2, WIDE, _HEAD - 2, "base")


def _branches(row: TreeRow, y: float) -> Markup:
    """Draw the lines that lead to a row."""
    pieces = []
    for depth, goes_on in enumerate(row.trail[:-1], start=1):
        if goes_on:
            x = _INDENT * depth - 7
            pieces.append(line(x, y, x, y + _PITCH, "branch"))
    if row.trail:
        x = _INDENT * len(row.trail) - 7
        end = y + _PITCH if row.trail[-1] else y + _PITCH / 2
        pieces.append(line(x, y, x, end, "branch"))
        pieces.append(line(x, y + _PITCH / 2, x + 6, y + _PITCH / 2, "branch"))
    return Markup("").join(pieces)


def _name(row: TreeRow, y: float, lang: str) -> Markup:
    x, end = _INDENT * row.depth + 2, _NAME_END
    mark = Markup("")
    if row.counts.mining:
        words = text("tree_mining", n=row.counts.mining).in_language(lang)
        mark = write(end, y + 13, words, anchor="end", size=9, kind="alarm")
        end -= text_width(words, 9) + 6
    if row.folded:
        return mark + write(x, y + 13, fit(row.level.in_language(lang), end - x, _SIZE), size=_SIZE, kind="tick")
    words = fit(row.name, end - x, _SIZE)
    return mark + write(x, y + 13, words, size=_SIZE, kind="strong" if row.depth < 2 else "")


def _numbers(row: TreeRow, y: float, scale: tuple[int, int], lang: str) -> Markup:
    counts = row.counts
    reported = Markup("")
    if counts.reported.whole > 1 or counts.reported.missing:
        reported = _share(_REPORTED, counts.reported.part, counts.reported.whole, y)
        words = f"{counts.reported.part:,}/{counts.reported.whole:,}"
        reported += write(_REPORTED[1] + 3, y + 13, words, size=9)
    if not counts.is_known:
        words = text("tree_silent").in_language(lang)
        return reported + _unknown(_HOSTS[0], _FINDINGS_END, y, words) + _coverage(counts, y)
    hosts = _bar(_HOSTS, counts.hosts, scale[0], y, drawn=not row.folded)
    ports = write(_PORTS_END, y + 13, f"{counts.ports:,}", anchor="end", size=_SIZE, kind="value")
    return reported + hosts + ports + _findings(row, scale[1], y, lang) + _coverage(counts, y)


def _bar(span: tuple[float, float], value: int, most: int, y: float, *, drawn: bool) -> Markup:
    width = (span[1] - span[0]) * value / most if drawn else 0.0
    bar = rectangle(span[0], y + 4, max(width, 1), _BAR, "accent") if drawn and value else Markup("")
    return bar + write(span[0] + width + 4, y + 13, f"{value:,}", size=_SIZE, kind="value")


def _findings(row: TreeRow, most: int, y: float, lang: str) -> Markup:
    counts, left = row.counts, _FINDINGS[0]
    if not counts.findings:
        if counts.unjudged:
            return _unknown(left, _FINDINGS_END, y, text("not_checked").in_language(lang))
        return write(left, y + 13, "0", size=_SIZE, kind="value")
    pieces = []
    x = left
    scale = (_FINDINGS[1] - left) / most
    for tone in _LEVELS if not row.folded else ():
        count = getattr(counts, tone)
        if count:
            pieces.append(rectangle(x, y + 4, max(count * scale, 1), _BAR, tone, f"{count:,}"))
            if count * scale > 13 and tone in {"critical", "high"}:
                kind = "light" if tone == "critical" else "dark"
                pieces.append(write(x + 2, y + 13, SEVERITY_MARKS[tone], size=8.5, kind=kind))
            x += max(count * scale, 1)
    grave = counts.critical + counts.high
    words = f"{counts.findings:,}" + (f" (▲{grave:,})" if grave else "")
    return Markup("").join(pieces) + write(x + 4, y + 13, words, size=_SIZE - 1, kind="value")


def _coverage(counts: Counts, y: float) -> Markup:
    percent = counts.coverage.percent
    words = "—" if percent is None else f"{percent:g}%"
    return write(_COVERAGE_END, y + 13, words, anchor="end", size=_SIZE, kind="value")


def _share(span: tuple[float, float], part: int, whole: int, y: float) -> Markup:
    """Draw a part of a whole; what is missing is hatched."""
    if not whole:
        return Markup("")
    middle = span[0] + (span[1] - span[0]) * min(part / whole, 1)
    known = rectangle(span[0], y + 4, middle - span[0], _BAR, "soft") if part else Markup("")
    missing = rectangle(middle, y + 4, span[1] - middle, _BAR, "unknown") if part < whole else Markup("")
    return known + missing


def _unknown(left: float, right: float, y: float, words: str) -> Markup:
    width = text_width(words, _SIZE - 1) + 8
    box = rectangle(left, y + 3.5, right - left, _BAR + 1, "unknown")
    ground = Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="#fff"/>').format(
        units(left + 6), units(y + 4.2), units(width), units(_BAR - 0.4)
    )
    return box + ground + write(left + 10, y + 13, words, size=_SIZE - 1)
