"""The text of an HTML page in; its tags, texts and raw parts out, in time that grows with its length alone.

It is no browser: tags that are not closed within a window are text, and what is more than a page of this size holds is
left out. The standard library's parser takes quadratic time on pages made for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from types import MappingProxyType

MAX_PARTS = 60_000
"""Parts read from one page."""

_WINDOW = 8192
_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9:-]{0,40})")
_STOP = re.compile(r"[>\"']")
_ATTRIBUTE = re.compile(
    r"""([^\s"'>/=]{1,80})(?:\s{0,20}=\s{0,20}(?:"([^"]{0,4000})"|'([^']{0,4000})'|([^\s"'>]{1,4000})))?"""
)
_RAW = frozenset({"script", "style", "title", "textarea", "noscript", "xmp", "iframe"})
_RAW_END = {name: re.compile(rf"</{name}(?=[\s/>]|$)", re.IGNORECASE | re.ASCII) for name in _RAW}
_UNESCAPED = frozenset({"title", "textarea"})
_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a page.

    Attributes:
        name: of the tag, lower case; empty for text.
        is_end: it closes.
        attributes: by name in lower case; values unescaped.
        text: the text itself, or what stands raw inside a script, style, title and the like.
    """

    name: str
    is_end: bool = False
    attributes: Mapping[str, str] = field(default_factory=lambda: _NO_ATTRIBUTES)
    text: str = ""


def read_parts(page: str) -> Iterator[Part]:
    """Yield the parts of a page in order."""
    place, count, last = 0, 0, page.rfind(">")
    while place < len(page) and count < MAX_PARTS:
        count += 1
        start = page.find("<", place)
        if start < 0 or start > last:
            yield Part("", text=unescape(page[place:]))
            return
        if start > place:
            yield Part("", text=unescape(page[place:start]))
        if page.startswith("<!--", start):
            end = page.find("-->", start + 4)
            place = len(page) if end < 0 else end + 3
            continue
        part, place = _read_tag(page, start)
        if part is None:
            yield Part("", text=page[start:place])
            continue
        if part.name in _RAW and not part.is_end:
            raw, place = _read_raw(page, part.name, place)
            part = Part(part.name, attributes=part.attributes, text=raw)
        yield part


def _read_tag(page: str, start: int) -> tuple[Part | None, int]:
    """Read the tag that begins at `start`; None where there is none, with where to go on."""
    found = _NAME.match(page, start + 1)
    if not found:
        if page.startswith(("<!", "<?", "</"), start):
            end = page.find(">", start, start + _WINDOW)
            return None, start + 1 if end < 0 else end + 1
        return None, start + 1
    limit = min(len(page), found.end() + _WINDOW)
    end = _end_of_tag(page, found.end(), limit)
    if end < 0:
        return None, limit
    name, is_end = found[1].lower(), page[start + 1] == "/"
    if is_end:
        return Part(name, is_end=True), end + 1
    return Part(name, attributes=_read_attributes(page[found.end() : end])), end + 1


def _end_of_tag(page: str, place: int, limit: int) -> int:
    first = page.find(">", place, limit)
    while found := _STOP.search(page, place, limit):
        if found[0] == ">":
            return found.start()
        close = page.find(found[0], found.end(), limit)
        if close < 0:
            return first
        place = close + 1
    return first


def _read_attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        value = double or single or bare
        found.setdefault(name.lower(), unescape(value) if "&" in value else value)
    return found


def _read_raw(page: str, name: str, place: int) -> tuple[str, int]:
    """Read what stands inside an element without tags in it; without an end it reaches to the end of the page."""
    found = _RAW_END[name].search(page, place)
    raw = page[place : found.start()] if found else page[place:]
    end = page.find(">", found.end()) if found else -1
    return unescape(raw) if name in _UNESCAPED else raw, len(page) if end < 0 else end + 1


_CHARSET = re.compile(rb"charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([A-Za-z0-9_-]{2,20})", re.IGNORECASE)
_CHINESE = frozenset({"gb2312", "gbk", "gb18030", "gb_2312-80", "x-gbk", "cp936"})
_OTHERS = frozenset({"big5", "euc-kr", "shift_jis", "iso-8859-1", "windows-1252", "latin1", "utf-16", "utf-16le"})


_HAN = re.compile("[\u4e00-\u9fff]")
"""What two letters of GBK never are when read as UTF-8, though they may be valid there."""


def decode_page(body: bytes, content_type: str) -> str:
    """Turn bytes into text by what they are rather than by what they claim: many a page is UTF-8 and says GBK.

    What cannot be decoded is replaced; control characters stay and are for the reader to leave out.
    """
    for mark, name in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    found = _CHARSET.search(content_type.encode("ascii", "ignore")) or _CHARSET.search(body[:4096])
    claimed = found[1].decode().lower() if found else ""
    text = _decode_unicode(body)
    if text is not None and (claimed not in _CHINESE or text.isascii() or _HAN.search(text)):
        return text
    if claimed in _OTHERS:
        return body.decode(claimed, "replace")
    return body.decode("gb18030", "replace")


def _decode_unicode(body: bytes) -> str | None:
    """Read UTF-8, the last letter of which may be cut off; None where it is none."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        is_cut = error.reason == "unexpected end of data" and not body[: error.start].isascii()
        return body[: error.start].decode() if is_cut else None
