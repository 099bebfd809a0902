"""A sheet of the graph in, its picture out: names, hosts, ports and certificates in four layers, links in bundles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from markupsafe import Markup

from sentinel.report.graph import Band, HostGraph, HostNode, PortNode, Sheet
from sentinel.report.graph_layout import BAND_HEAD, PITCH, BandPlace, SheetPlace, place_sheet
from sentinel.report.svg import fit, frame, text_width, units, write
from sentinel.report.svg_shapes import WIDE, draw_box, draw_shape
from sentinel.report.words import text

_SIZE: Final = 10.0
_HEIGHT: Final = 13.0
_NAME_END: Final = 144.0
_HOST: Final = (178.0, 326.0)
_PORT: Final = (378.0, 495.0)
_SHOWN: Final = (525.0, 719.0)
_GRAVE: Final = {"critical", "high"}


def draw_sheet(graph: HostGraph, lang: str, number: int) -> Markup:
    """Draw a sheet by its place among the sheets."""
    sheet = graph.sheets[number]
    place = place_sheet(sheet)
    pieces = [_heads(sheet, lang)]
    pieces += [_ground(band, at, lang) for band, at in zip(sheet.bands, place.bands, strict=True)]
    pieces.append(_links(sheet, place))
    pieces += [
        _domain(name, len(_hosts_of(sheet, index)), y) for index, (name, y) in enumerate(_pairs(sheet.domains, place))
    ]
    for band, at in zip(sheet.bands, place.bands, strict=True):
        pieces += [_host(host, y, lang) for host, y in zip(band.hosts, at.hosts, strict=True)]
        pieces += [_port(port, y, lang) for port, y in zip(band.ports, at.ports, strict=True)]
    for shown, y in zip(sheet.certificates, place.certificates, strict=True):
        words = f"{shown.label} {shown.until}".strip()
        pieces.append(_node(_SHOWN, y, shown.tone, fit(shown.label, _room(_SHOWN, shown.tone, shown.until)), words))
        pieces.append(write(_SHOWN[1] - 3, y + 3.6, shown.until, anchor="end", size=8.5, kind="tick"))
    return frame(WIDE, place.height, graph.alt.in_language(lang), Markup("").join(pieces), "wide")


def _pairs(names: Sequence[str], place: SheetPlace) -> Iterable[tuple[str, float]]:
    return zip(names, place.domains, strict=True)


def _hosts_of(sheet: Sheet, domain: int) -> list[HostNode]:
    return [host for band in sheet.bands for host in band.hosts if domain in host.domains]


def _heads(sheet: Sheet, lang: str) -> Markup:
    def head(x: float, key: str, *, seen: bool, anchor: str = "start") -> Markup:
        words = text(key).in_language(lang)
        missing = "" if seen else f"：{text('graph_none').zh}" if lang == "zh" else f": {text('graph_none').en}"
        return write(x, 12, words + missing, anchor=anchor, size=_SIZE + 0.5, kind="head")

    return (
        head(_NAME_END + 6, "graph_domains", seen=bool(sheet.domains), anchor="end")
        + head(_HOST[0], "graph_hosts", seen=True)
        + head(_PORT[0], "graph_ports", seen=True)
        + head(_SHOWN[1], "graph_certificates", seen=bool(sheet.certificates), anchor="end")
    )


def _ground(band: Band, at: BandPlace, lang: str) -> Markup:
    left, right = _HOST[0] - 8, _PORT[1] + 8
    words = fit(band.label.in_language(lang), right - left - 90, _SIZE)
    count = sum(len(host.addresses) for host in band.hosts)
    total = text("graph_count", n=count).in_language(lang)
    return (
        draw_box(left, at.top, right - left, at.bottom - at.top, "ground")
        + write(_HOST[0], at.top + BAND_HEAD - 6, words, size=_SIZE, kind="strong")
        + write(_PORT[1], at.top + BAND_HEAD - 6, total, anchor="end", size=_SIZE, kind="tick")
    )


def _links(sheet: Sheet, place: SheetPlace) -> Markup:
    thin, grave, ribbons = [], [], []
    for band, at in zip(sheet.bands, place.bands, strict=True):
        for host, y in zip(band.hosts, at.hosts, strict=True):
            thin += [_curve(_NAME_END + 8, place.domains[name], _HOST[0], y) for name in host.domains]
            grave += [
                (str(severity), _curve(_HOST[1], y, _PORT[0], at.ports[port]))
                for port, severity in host.ports
                if str(severity) in _GRAVE
            ]
        for index, (port, y) in enumerate(zip(band.ports, at.ports, strict=True)):
            for low, high, count in _runs(band, at, index):
                if count > 1:
                    ribbons.append(_ribbon(low, high, y, min(1.5 + count / 3, 5.5)))
                else:
                    thin.append(_curve(_HOST[1], low, _PORT[0], y))
            if port.certificate is not None:
                thin.append(_curve(_PORT[1], y, _SHOWN[0], place.certificates[port.certificate]))
    worst = [_path("link high", [curve for tone, curve in grave if tone == "high"])]
    worst.append(_path("link critical", [curve for tone, curve in grave if tone == "critical"]))
    return Markup("").join(_path("ribbon", [one]) for one in ribbons) + _path("link", thin) + Markup("").join(worst)


def _runs(band: Band, at: BandPlace, port: int) -> Iterator[tuple[float, float, int]]:
    """Give the runs of neighbouring hosts that have a port: first and last height, and how many."""
    heights = sorted(
        y for host, y in zip(band.hosts, at.hosts, strict=True) if any(port == one for one, _ in host.ports)
    )
    start = 0
    for index in range(1, len(heights) + 1):
        if index == len(heights) or heights[index] - heights[index - 1] > PITCH * 1.5:
            yield heights[start], heights[index - 1], index - start
            start = index


def _curve(x1: float, y1: float, x2: float, y2: float) -> str:
    middle = (x1 + x2) / 2
    return f"M{units(x1)} {units(y1)}C{units(middle)} {units(y1)} {units(middle)} {units(y2)} {units(x2)} {units(y2)}"


def _ribbon(low: float, high: float, y: float, half: float) -> str:
    left, right, middle = _HOST[1], _PORT[0], (_HOST[1] + _PORT[0]) / 2
    top, bottom = low - _HEIGHT / 2 + 1.5, high + _HEIGHT / 2 - 1.5
    return (
        f"M{units(left)} {units(top)}C{units(middle)} {units(top)} {units(middle)} {units(y - half)} "
        f"{units(right)} {units(y - half)}V{units(y + half)}C{units(middle)} {units(y + half)} "
        f"{units(middle)} {units(bottom)} {units(left)} {units(bottom)}Z"
    )


def _path(kind: str, curves: Sequence[str]) -> Markup:
    return Markup('<path class="{}" d="{}"/>').format(kind, "".join(curves)) if curves else Markup("")


def _domain(name: str, hosts: int, y: float) -> Markup:
    shown = fit(name, _NAME_END - 4, _SIZE)
    words = write(_NAME_END, y + 3.6, shown, anchor="end", size=_SIZE)
    dot = Markup('<circle class="dot" cx="{}" cy="{}" r="2.6"><title>{}</title></circle>')
    return words + dot.format(units(_NAME_END + 5.5), units(y), f"{name} ({hosts})")


def _host(host: HostNode, y: float, lang: str) -> Markup:
    tone = str(host.severity) if host.severity else ""
    label = fit(host.label.in_language(lang), _room(_HOST, tone), _SIZE)
    box = _node(_HOST, y, tone, label, "、".join(host.addresses[:40]))
    start = _HOST[0] + _indent(tone) + text_width(label, _SIZE) + 8
    note = fit(host.note, _HOST[1] - start - 4, 9) if host.note and _HOST[1] - start > 30 else ""
    return box + (write(start, y + 3.5, note, size=9, kind="tick") if len(note) > 1 else Markup(""))


def _port(port: PortNode, y: float, lang: str) -> Markup:
    tone = str(port.severity) if port.severity else ""
    words = port.label.in_language(lang) + ("?" if port.guessed else "")
    return _node(_PORT, y, tone, fit(words, _room(_PORT, tone), _SIZE), words)


def _node(span: tuple[float, float], y: float, tone: str, label: str, title: str) -> Markup:
    box = draw_box(span[0], y - _HEIGHT / 2, span[1] - span[0], _HEIGHT, f"node {tone}".strip(), title)
    shape = draw_shape(tone, span[0] + 8, y, 3.4)
    return box + shape + write(span[0] + _indent(tone), y + 3.6, label, size=_SIZE)


def _indent(tone: str) -> float:
    return 15.0 if tone in {"critical", "high", "medium", "low"} else 5.0


def _room(span: tuple[float, float], tone: str, ending: str = "") -> float:
    return span[1] - span[0] - _indent(tone) - 4 - (text_width(ending, 8.5) + 5 if ending else 0)
