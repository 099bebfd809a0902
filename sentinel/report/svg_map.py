"""A region of the address space in, its picture out: hosts as pixels on the curve, networks as named rectangles."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from sentinel.report.asset_map import AREAS_NAMED, Area, Region
from sentinel.report.hilbert import draw_png, place_of
from sentinel.report.svg import FILLS, WIDTH, frame, text_width, units, write
from sentinel.report.values import Text

SMALL_ORDER: Final = 5
"""Regions of at most 32 by 32 addresses are shown small on the page, with larger letters."""
SMALL_SCALE: Final = 1.5
_SIZE: Final = 10.0
_LINE: Final = 11.5
_MARK: Final = 3.4
_GROUNDS: Final = {
    "covered": "#ffffff",
    "partial": "url(#sparse)",
    "unknown": "url(#hatch)",
    "logs": "url(#dots)",
    "undeclared": "#ffffff",
}


@dataclass(frozen=True, slots=True)
class _Room:
    """A rectangle of the drawing, in units."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: _Room) -> bool:
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )

    def is_inside(self, other: _Room) -> bool:
        return (
            self.x >= other.x
            and self.y >= other.y
            and self.x + self.width <= other.x + other.width
            and self.y + self.height <= other.y + other.height
        )


_SHEET: Final = _Room(0, 0, WIDTH, WIDTH)


class _Crowd:
    """How many drawn hosts lie in a rectangle, by sums over the grid of cells."""

    def __init__(self, region: Region) -> None:
        side = 1 << region.order
        self._cell = WIDTH / side
        self._side = side
        taken = [[0] * (side + 1) for _ in range(side + 1)]
        for distance, _ in region.cells:
            x, y = place_of(region.order, distance)
            taken[y + 1][x + 1] = 1
        for y in range(1, side + 1):
            row, above = taken[y], taken[y - 1]
            for x in range(1, side + 1):
                row[x] += row[x - 1] + above[x] - above[x - 1]
        self._sums = taken

    def count(self, room: _Room) -> int:
        """Count hosts under a rectangle."""
        left, right = (self._clamp(edge) for edge in (room.x, room.x + room.width + self._cell))
        top, bottom = (self._clamp(edge) for edge in (room.y, room.y + room.height + self._cell))
        sums = self._sums
        return sums[bottom][right] - sums[top][right] - sums[bottom][left] + sums[top][left]

    def _clamp(self, edge: float) -> int:
        return max(0, min(self._side, int(edge / self._cell)))


def draw_region(region: Region, lang: str, alt: Text) -> Markup:
    """Draw a region with the number of each area beside or inside it, and its name where that fits."""
    cell = WIDTH / (1 << region.order)
    rooms = [
        _Room(area.box.x * cell, area.box.y * cell, area.box.width * cell, area.box.height * cell)
        for area in region.areas
    ]
    grounds = Markup("").join(_ground(area, room) for area, room in zip(region.areas, rooms, strict=True))
    edges = Markup("").join(_edge(room) for room in rooms)
    picture = b64encode(draw_png(region.order, region.cells)).decode()
    image = Markup('<image class="pixels" width="{0}" height="{0}" href="data:image/png;base64,{1}"/>').format(
        WIDTH, picture
    )
    marks = Markup("").join(_mark(region.order, cell, distance, tone) for distance, tone in region.marks)
    labels = Markup("").join(_labels(region, rooms, SMALL_SCALE if region.order <= SMALL_ORDER else 1.0))
    sheet = Markup('<rect width="{0}" height="{0}" fill="#e9edf1"/>').format(WIDTH)
    return frame(WIDTH, WIDTH, alt.in_language(lang), sheet + grounds + image + edges + marks + labels, "curve")


def _ground(area: Area, room: _Room) -> Markup:
    title = f"{area.network} {area.prefix}".strip()
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"><title>{}</title></rect>').format(
        units(room.x), units(room.y), units(room.width), units(room.height), _GROUNDS[area.state], title
    )


def _edge(room: _Room) -> Markup:
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" class="edge"/>').format(
        units(room.x), units(room.y), units(room.width), units(room.height)
    )


def _mark(order: int, cell: float, distance: int, tone: str) -> Markup:
    column, row = place_of(order, distance)
    x, y = (column + 0.5) * cell, (row + 0.5) * cell
    shape = ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)) if tone == "critical" else ((0, -1.1), (1.1, 0.9), (-1.1, 0.9))
    points = " ".join(f"{units(x + dx * _MARK)},{units(y + dy * _MARK)}" for dx, dy in shape)
    return Markup('<polygon class="mark" points="{}" fill="{}"/>').format(points, FILLS[tone])


def _labels(region: Region, rooms: list[_Room], scale: float) -> Iterator[Markup]:
    crowd = _Crowd(region)
    placed: list[_Room] = []
    named = range(min(len(rooms), AREAS_NAMED))
    order = sorted(named, key=lambda index: -rooms[index].width * rooms[index].height)
    for index in order:
        others = [room for place, room in enumerate(rooms) if place != index]
        for lines in _wordings(region.areas[index], index + 1):
            spot = _spot(lines, scale, rooms[index], others, placed, crowd)
            if spot:
                placed.append(spot)
                for number, words in enumerate(lines):
                    baseline = spot.y + (9 + number * _LINE) * scale
                    yield write(spot.x + 2, baseline, words, size=_SIZE * scale, kind="place")
                break


def _wordings(area: Area, number: int) -> Iterable[tuple[str, ...]]:
    if area.network:
        yield (f"{number} {area.network}", str(area.prefix))
        yield (f"{number} {area.network}",)
    else:
        yield (f"{number} {area.prefix}",)
    yield (str(number),)


def _spot(
    lines: tuple[str, ...], scale: float, room: _Room, others: list[_Room], placed: list[_Room], crowd: _Crowd
) -> _Room | None:
    width = max(text_width(words, _SIZE * scale) for words in lines) + 4
    height = _LINE * scale * len(lines) + 1
    free = [spot for spot in _inside(room, width, height) if not any(spot.meets(other) for other in placed)]
    best = min(free, key=crowd.count, default=None)
    if best and crowd.count(best) <= 2:
        return best
    if len(lines) > 1:
        return None
    for spot in _around(room, width, height):
        if spot.is_inside(_SHEET) and not any(spot.meets(other) for other in (*others, *placed)):
            return spot
    return best if lines[0].isdigit() else None


def _inside(room: _Room, width: float, height: float) -> Iterator[_Room]:
    across, down = room.width - width - 2, room.height - height - 2
    if across < 0 or down < 0:
        return
    columns, rows = min(int(across / 4), 24), min(int(down / 4), 24)
    for row in range(rows + 1):
        for column in range(columns + 1):
            yield _Room(
                room.x + 1 + across * column / max(columns, 1), room.y + 1 + down * row / max(rows, 1), width, height
            )


def _around(room: _Room, width: float, height: float) -> Iterator[_Room]:
    yield _Room(room.x + room.width + 1, room.y, width, height)
    yield _Room(room.x - width - 1, room.y, width, height)
    yield _Room(room.x, room.y - height - 1, width, height)
    yield _Room(room.x, room.y + room.height + 1, width, height)
