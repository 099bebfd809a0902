"""The grid of segments and uses in, its picture out: tinted cells with their counts, hatched where nobody looked."""

from __future__ import annotations

from math import log1p
from typing import Final

from markupsafe import Markup

from sentinel.report.svg import fit, frame, line, text_width, write
from sentinel.report.svg_shapes import WIDE, draw_box, draw_shape
from sentinel.report.use_grid import Cell, Segment, UseGrid
from sentinel.report.uses import USE_HEADS, USE_WORDS, Use
from sentinel.report.values import Text
from sentinel.report.words import text

SLICE_ROWS: Final = 4
_PITCH: Final = 22
_HEAD: Final = 42
_LABEL: Final = 206
_TOTAL: Final = 52
_WIDEST: Final = 64
_SIZE: Final = 10.5
_SMALL: Final = 9.5
_TINTS: Final = ("t1", "t2", "t3", "t4", "t5")
_EMPTY: Final = {"covered": "", "undeclared": "sparse", "partial": "sparse", "unknown": "hatch", "logs": "dots"}


def grid_slices(grid: UseGrid) -> int:
    """Tell how many slices of rows the picture has; a page may break between them."""
    return -(-len(_rows(grid)) // SLICE_ROWS)


def draw_grid_head(grid: UseGrid, lang: str) -> Markup:
    """Draw the heads of the columns; its words for those who cannot see are those of the whole picture."""
    return frame(WIDE, _HEAD, grid.alt.in_language(lang), _heads(grid, lang, _column(grid)), "wide")


def draw_grid_rows(grid: UseGrid, lang: str, number: int) -> Markup:
    """Draw a slice of the rows; the depth of a tint grows with the logarithm of the count."""
    rows = _rows(grid)
    column = _column(grid)
    most = max((cell.count for row in rows for cell in row.cells), default=0)
    first = number * SLICE_ROWS
    drawn = rows[first : first + SLICE_ROWS]
    pieces = []
    for index, row in enumerate(drawn):
        above = rows[first + index - 1].network if first + index else None
        pieces.append(_row(grid, row, lang, index * _PITCH, column, most, named=row.network != above))
    height: float = len(drawn) * _PITCH
    if first + len(drawn) == len(rows):
        pieces.append(line(0, height + 0.5, _right(grid), height + 0.5, "base"))
        height += 2
    alt = text("alt_grid_rows", first=_words(drawn[0]), n=len(drawn)).in_language(lang)
    return frame(WIDE, height, alt, Markup("").join(pieces), "wide")


def _rows(grid: UseGrid) -> tuple[Segment, ...]:
    return (*grid.drawn, grid.rest) if grid.rest else grid.drawn


def _words(row: Segment) -> str:
    return f"{row.network} {row.block}".strip() or "…"


def _column(grid: UseGrid) -> float:
    return min((WIDE - _LABEL - 2 * _TOTAL) / max(len(grid.uses), 1), _WIDEST)


def _right(grid: UseGrid) -> float:
    return _LABEL + _column(grid) * len(grid.uses) + 2 * _TOTAL


def _heads(grid: UseGrid, lang: str, column: float) -> Markup:
    pieces = [write(2, _HEAD - 8, text("grid_segment").in_language(lang), size=_SIZE, kind="head")]
    for index, use in enumerate(grid.uses):
        lines = USE_HEADS[use][lang == "en"]
        if column > text_width("".join(lines), _SIZE) + 4 and "-" not in "".join(lines):
            lines = ("".join(lines) if lang == "zh" else " ".join(lines),)
        middle = _LABEL + column * (index + 0.5)
        for row, words in enumerate(lines):
            y = _HEAD - 8 - 13 * (len(lines) - 1 - row)
            pieces.append(write(middle, y, words, anchor="middle", size=_SIZE, kind="head"))
    for index, key in enumerate(("grid_hosts", "grid_ports")):
        x = _LABEL + column * len(grid.uses) + _TOTAL * (index + 1) - 4
        pieces.append(write(x, _HEAD - 8, text(key).in_language(lang), anchor="end", size=_SIZE, kind="head"))
    return Markup("").join(pieces)


def _row(grid: UseGrid, row: Segment, lang: str, y: float, column: float, most: int, *, named: bool) -> Markup:
    pieces = [_label(grid, row, lang, y, named=named)]
    right = _LABEL + column * len(grid.uses)
    if named or not row.network:
        pieces.append(line(0, y + 0.5, right + 2 * _TOTAL, y + 0.5, "base"))
    for index, (use, cell) in enumerate(zip(grid.uses, row.cells, strict=True)):
        pieces.append(_cell(grid, row, use, cell, lang, _LABEL + column * index, y, column, most))
    for index, count in enumerate((row.hosts, row.ports)):
        x = right + _TOTAL * (index + 1) - 4
        known = count or row.state not in {"unknown", "logs"}
        pieces.append(write(x, y + 15, f"{count:,}" if known else "?", anchor="end", size=_SIZE, kind="value"))
    return Markup("").join(pieces)


def _label(grid: UseGrid, row: Segment, lang: str, y: float, *, named: bool) -> Markup:
    if not row.network:
        words = text("grid_rest", n=grid.rest_count).in_language(lang)
        return write(2, y + 15, fit(words, _LABEL - 10, _SIZE), size=_SIZE)
    block = fit(row.block, _LABEL - 12, _SMALL)
    pieces = write(_LABEL - 6, y + 15, block, anchor="end", size=_SMALL, kind="tick")
    room = _LABEL - text_width(block, _SMALL) - 18
    name = fit(row.network, room, _SIZE) if named else ""
    return pieces + (write(2, y + 15, name, size=_SIZE, kind="strong") if len(name) > 1 else Markup(""))


def _cell(
    grid: UseGrid, row: Segment, use: Use, cell: Cell, lang: str, x: float, y: float, column: float, most: int
) -> Markup:
    unknown = _EMPTY[row.state] if use is not Use.MINING else "" if grid.mining_looked else "hatch"
    kind = _tint(cell.count, most) if cell.count else unknown
    if not kind:
        return write(x + column / 2, y + 15, "·", anchor="middle", size=_SIZE, kind="tick")
    title = _title(row, use, cell).in_language(lang)
    box = draw_box(x + 1, y + 2, column - 2, _PITCH - 3, f"cell {kind}", title)
    if not cell.count:
        return box
    words = f"{cell.count:,}"
    marked = cell.worst is not None and column >= text_width(words, _SIZE) + 14
    place, anchor = (x + column - 5, "end") if marked else (x + column / 2, "middle")
    number = write(place, y + 15, words, anchor=anchor, size=_SIZE)
    shape = draw_shape(str(cell.worst), x + 8, y + 11.5) if marked else _corner(cell, x, y)
    return box + number + shape


def _corner(cell: Cell, x: float, y: float) -> Markup:
    """Mark a cell too narrow for shape and number side by side."""
    return draw_shape(str(cell.worst), x + 5, y + 5.5, 2.8) if cell.worst else Markup("")


def _tint(count: int, most: int) -> str:
    return _TINTS[min(int(len(_TINTS) * log1p(count) / log1p(most + 1)), len(_TINTS) - 1)]


def _title(row: Segment, use: Use, cell: Cell) -> Text:
    return text("alt_grid_part", network=row.network, block=row.block, use=USE_WORDS[use], n=cell.count)
