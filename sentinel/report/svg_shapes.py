"""The shapes the map's pictures share: severity as a shape and a colour, so that neither stands alone."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from sentinel.report.svg import FILLS, units

WIDE: Final = 720
"""Units across of a wide picture: on A4 a letter of ten units is seven points high."""

_CORNERS: Final = {
    "critical": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    "high": ((0, -1.15), (1.15, 0.95), (-1.15, 0.95)),
}


def draw_shape(tone: str, x: float, y: float, size: float = 4.0) -> Markup:
    """Draw the shape of a severity around a point: diamond, triangle, disc, ring; nothing for what has none."""
    if tone in _CORNERS:
        points = " ".join(f"{units(x + dx * size)},{units(y + dy * size)}" for dx, dy in _CORNERS[tone])
        return Markup('<polygon class="mark" points="{}" fill="{}"/>').format(points, FILLS[tone])
    if tone == "medium":
        return Markup('<circle class="mark" cx="{}" cy="{}" r="{}" fill="{}"/>').format(
            units(x), units(y), units(size), FILLS[tone]
        )
    if tone == "low":
        return Markup('<circle class="ring" cx="{}" cy="{}" r="{}"/>').format(units(x), units(y), units(size * 0.8))
    return Markup("")


def draw_box(x: float, y: float, width: float, height: float, kind: str, title: str = "") -> Markup:
    """Draw a rectangle of a class of the style sheet, with words for who points at it."""
    inner = Markup("<title>{}</title>").format(title) if title else ""
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" class="{}">{}</rect>').format(
        units(x), units(y), units(width), units(height), kind, inner
    )
