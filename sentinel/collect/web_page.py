"""The text of a page in; what it links to, loads, asks for, hides and tells about people out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sentinel.collect.html_reader import Part, read_parts
from sentinel.collect.web_words import GAMBLING

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
    | {"script", "style", "title", "textarea", "iframe", "noscript", "xmp"}
)
"""Tags nothing stands inside of, as the reader gives them."""

_MAX_DEPTH = 128
_MAX_KEPT = 400
_HIDING = re.compile(
    r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden|"
    r"(?:left|top|right|text-indent|margin-left|margin-top)\s{0,9}:\s{0,9}-\s{0,9}\d{3,7}(?:px|pt|em|rem|%)?|"
    r"(?<![\w-])(?:width|height|font-size|max-height)\s{0,9}:\s{0,9}[01](?:px|pt|%)?\s{0,9}(?:;|$|!)|"
    r"(?<![\w-])opacity\s{0,9}:\s{0,9}0(?:\.0{1,4})?\s{0,9}(?:;|$|!)",
    re.IGNORECASE,
)
_STYLE_RULE = re.compile(r"([.#])([\w-]{1,64})\s{0,20}\{([^{}]{0,500})\}")
_HIDDEN_BY_SCRIPT = re.compile(
    r"getElementById\(\s{0,9}[\"']([\w-]{1,64})[\"']\s{0,9}\)\s{0,9}\.\s{0,9}style\s{0,9}\.\s{0,9}"
    r"(?:display\s{0,9}=\s{0,9}[\"']none|visibility\s{0,9}=\s{0,9}[\"']hidden)"
)
_WRITTEN_OPEN = re.compile(r"document\.write(?:ln)?\([^)]{0,20}<(?:div|span|p)\b([^>]{0,300})>", re.IGNORECASE)
_WRITTEN_CLOSE = re.compile(r"document\.write(?:ln)?\([^)]{0,20}<(?:\\?/)(?:div|span|p)>", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_CHANGING = re.compile(r"\d+")


@dataclass(slots=True)
class Form:
    """A form.

    Attributes:
        action: where it goes, as written.
        method: lower case.
        has_password: it asks for a password.
    """

    action: str
    method: str
    has_password: bool = False


@dataclass(slots=True)
class Hidden:
    """A part of a page nobody sees.

    Attributes:
        links: what its links point to.
        words: its text.
    """

    links: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """What a page is made of; every list is bounded.

    Attributes:
        title: its title.
        meta: content of its meta tags by name, lower case.
        texts: what can be read on it.
        scripts: addresses scripts are loaded from.
        inline: scripts inside it.
        loaded: addresses of scripts, frames and style sheets, which see all of the page.
        shown: addresses of pictures and films.
        links: what it links to, as written.
        forms: its forms; the first stands for passwords asked outside of one.
        hidden: parts nobody sees.
    """

    title: str = ""
    meta: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Give what can be read on it as one text."""
        return " ".join(self.texts)

    @property
    def fingerprint(self) -> str:
        """Give a sum of its words and scripts; numbers, which count visits and tell the time, are left out."""
        words = _SPACES.sub(" ", _CHANGING.sub("", " ".join((self.title, *self.texts))))
        sources = sorted({_CHANGING.sub("", one.partition("?")[0]) for one in self.scripts})
        return hashlib.sha256("\n".join((words, *sources)).encode("utf-8", "replace")).hexdigest()[:32]


def read_page(text: str) -> Page:
    """Read a page."""
    parts = list(read_parts(text))
    reader = _Reader(_hidden_by_style(parts))
    for part in parts:
        reader.take(part)
    return reader.page


def _hidden_by_style(parts: list[Part]) -> frozenset[str]:
    """Give the classes (`.name`) and ids (`#name`) style sheets and scripts of the page hide."""
    found: set[str] = set()
    for part in parts:
        if part.name == "style" and not part.is_end:
            found |= {mark + name for mark, name, body in _STYLE_RULE.findall(part.text) if _HIDING.search(body)}
        elif part.name == "script" and not part.is_end:
            found |= {f"#{name}" for name in _HIDDEN_BY_SCRIPT.findall(part.text)}
    return frozenset(found)


class _Reader:
    """Takes the parts of a page one by one."""

    def __init__(self, hiding: frozenset[str]) -> None:
        self.page = Page()
        self._hiding = hiding
        self._open: list[tuple[str, Hidden | None]] = []
        self._written: Hidden | None = None
        self._form: Form | None = None

    @property
    def _hidden(self) -> Hidden | None:
        return (self._open[-1][1] if self._open else None) or self._written

    def take(self, part: Part) -> None:
        """Take the next part."""
        if not part.name:
            self._take_text(part.text)
        elif part.is_end:
            self._close(part.name)
        else:
            self._take_element(part)

    def _take_text(self, text: str) -> None:
        words = _SPACES.sub(" ", text).strip()
        if not words:
            return
        self.page.texts.append(words)
        if (hidden := self._hidden) is not None:
            _keep(hidden.words, words)

    def _take_element(self, part: Part) -> None:
        hidden = self._hidden
        if hidden is None and self._is_hidden(part):
            hidden = Hidden()
            self.page.hidden.append(hidden)
        if part.name not in _VOID and len(self._open) < _MAX_DEPTH:
            self._open.append((part.name, hidden if hidden is not self._written else None))
        if take := getattr(self, f"_take_{part.name}", None):
            take(part, hidden)

    def _close(self, name: str) -> None:
        if name == "form":
            self._form = None
        for depth in range(len(self._open) - 1, -1, -1):
            if self._open[depth][0] == name:
                del self._open[depth:]
                return

    def _is_hidden(self, part: Part) -> bool:
        attributes = part.attributes
        if not attributes:
            return False
        if "hidden" in attributes or _HIDING.search(attributes.get("style", "")):
            return True
        if part.name == "marquee" and _is_tiny(attributes):
            return True
        if not self._hiding:
            return False
        marks = {f".{one}" for one in attributes.get("class", "").split()[:20]} | {f"#{attributes.get('id', '')}"}
        return not marks.isdisjoint(self._hiding)

    def _take_title(self, part: Part, _hidden: Hidden | None) -> None:
        self.page.title = self.page.title or _SPACES.sub(" ", part.text).strip()

    def _take_meta(self, part: Part, _hidden: Hidden | None) -> None:
        name = (part.attributes.get("name") or part.attributes.get("http-equiv") or "").lower()
        if name and len(self.page.meta) < 64:
            self.page.meta.setdefault(name, part.attributes.get("content", "")[:2000])

    def _take_script(self, part: Part, _hidden: Hidden | None) -> None:
        if source := part.attributes.get("src"):
            _keep(self.page.scripts, source)
            _keep(self.page.loaded, source)
        if part.text:
            _keep(self.page.inline, part.text)
            written = _WRITTEN_OPEN.search(part.text)
            if written and _HIDING.search(written[1]) and not _WRITTEN_CLOSE.search(part.text):
                self._written = Hidden()
                self.page.hidden.append(self._written)
            elif self._written is not None and _WRITTEN_CLOSE.search(part.text):
                self._written = None

    def _take_a(self, part: Part, hidden: Hidden | None) -> None:
        link = part.attributes.get("href", "")
        _keep(self.page.links, link)
        if hidden is not None and link:
            _keep(hidden.links, link)
            if title := part.attributes.get("title"):
                _keep(hidden.words, title)

    def _take_link(self, part: Part, _hidden: Hidden | None) -> None:
        if "stylesheet" in part.attributes.get("rel", "").lower():
            _keep(self.page.loaded, part.attributes.get("href", ""))

    def _take_iframe(self, part: Part, _hidden: Hidden | None) -> None:
        _keep(self.page.loaded, part.attributes.get("src", ""))

    def _take_img(self, part: Part, _hidden: Hidden | None) -> None:
        _keep(self.page.shown, part.attributes.get("src", ""))

    def _take_form(self, part: Part, _hidden: Hidden | None) -> None:
        self._form = Form(part.attributes.get("action", ""), part.attributes.get("method", "get").strip().lower())
        if len(self.page.forms) < _MAX_KEPT:
            self.page.forms.append(self._form)

    def _take_input(self, part: Part, _hidden: Hidden | None) -> None:
        if part.attributes.get("type", "").strip().lower() != "password":
            return
        if self._form is None:  # a password asked outside of a form goes wherever a script takes it
            self._form = Form("", "post")
            self.page.forms.append(self._form)
        self._form.has_password = True


def _keep(held: list[str], value: str) -> None:
    if value and len(held) < _MAX_KEPT:
        held.append(value)


def _is_tiny(attributes: Mapping[str, str]) -> bool:
    return any(attributes.get(name, "").strip().rstrip("px") in {"0", "1", "2"} for name in ("width", "height"))


_IDENTITY = re.compile(r"(?<![0-9A-Za-z])([1-9]\d{5})((?:19|20)\d{2})(\d{2})(\d{2})\d{3}[0-9Xx](?![0-9A-Za-z])")
_PHONE = re.compile(r"(?<![0-9A-Za-z])1[3-9]\d{9}(?![0-9A-Za-z])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PROVINCES = frozenset(
    f"{one}" for group in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for one in range(group[0], group[1] + 1)
)  # fmt: skip


def find_identity_numbers(text: str) -> set[str]:
    """Give the identity-card numbers a text holds: their place, birthday and check digit are all possible.

    Source: GB 11643-1999; the first two digits by GB/T 2260.
    """
    return {found[0].upper() for found in _IDENTITY.finditer(text) if _is_identity_number(found)}


def _is_identity_number(found: re.Match[str]) -> bool:
    number = found[0].upper()
    try:
        date(int(found[2]), int(found[3]), int(found[4]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return number[:2] in _PROVINCES and "10X98765432"[total % 11] == number[17]


def find_phones(text: str) -> set[str]:
    """Give the numbers of mobile telephones a text holds."""
    return set(_PHONE.findall(text))


def find_gambling(text: str) -> list[str]:
    """Give the words of a text links for search engines are sold by, each once."""
    return list(dict.fromkeys(word.lower() for word in GAMBLING.findall(text)))
