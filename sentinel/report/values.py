"""The small values views are made of: bilingual text, shares, key figures, charts, steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sentinel.model.facts import Period
from sentinel.model.unit import Unit, UnitLevel
from sentinel.report.clean import clean


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in both languages."""

    zh: str
    en: str

    def in_language(self, lang: str) -> str:
        """Give the words of `lang`; anything but `en` is Chinese."""
        return self.en if lang == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole; nothing can be said when the whole is zero."""

    part: int
    whole: int

    @property
    def percent(self) -> float | None:
        """Percent with one digit, rounded down so that 100 means all; None for an empty whole."""
        return (min(self.part, self.whole) * 1000 // self.whole) / 10 if self.whole > 0 else None

    @property
    def missing(self) -> int:
        """What the part lacks of the whole."""
        return max(self.whole - self.part, 0)


@dataclass(frozen=True, slots=True)
class Head:
    """What stands at the top of every report.

    Attributes:
        report: name in the table of reports.
        title: title of the report.
        unit: name of the unit.
        code: its code.
        level: its level in the tree.
        period: the period reported.
        generated_at: when the facts were read.
        exercise: name of the drill; empty for real facts.
        pack_hash: SHA-256 over the rule pack that judged.
    """

    report: str
    title: Text
    unit: str
    code: str
    level: UnitLevel
    period: Period
    generated_at: datetime
    exercise: str
    pack_hash: str


def build_head(
    report: str, title: Text, unit: Unit, period: Period, generated_at: datetime, exercise: str, pack_hash: str
) -> Head:
    """Build the head, with the names made safe to show."""
    label = Period(period.start, period.end, clean(period.label, 60))
    name, code = clean(unit.name, 60), clean(unit.code, 40)
    return Head(report, title, name, code, unit.level, label, generated_at, clean(exercise, 60), clean(pack_hash, 64))


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One of the four to six numbers at the top.

    Attributes:
        label: what is counted.
        value: a count or a share; None prints as not checked.
        note: what changed, or what the number leaves out.
        tone: colour of the number: a severity, `unknown`, or empty.
    """

    label: Text
    value: int | Share | None
    note: Text
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do first.

    Attributes:
        tone: colour of its mark: a severity, or `unknown` for a gap of knowledge.
        mark: the mark in words.
        action: what to do.
        cause: why.
        objects: how many objects it concerns.
        examples: some of them.
        due: earliest deadline; None: none was set.
        overdue: objects past their deadline.
        owners: departments that answer for them by the register.
        unowned: objects for which no department is known.
    """

    tone: str
    mark: Text
    action: Text
    cause: Text
    objects: int
    examples: tuple[str, ...] = ()
    due: datetime | None = None
    overdue: int = 0
    owners: tuple[str, ...] = ()
    unowned: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar: `tone` is a severity, `accent`, `ok`, `muted` or `unknown` (hatched)."""

    tone: str
    value: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its pieces from left to right, and the words at its end.

    An unknown bar is hatched over the whole width, whatever its pieces.
    """

    label: Text
    segments: tuple[Segment, ...]
    note: Text
    unknown: bool = False

    @property
    def total(self) -> int:
        """Sum of the pieces."""
        return sum(segment.value for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Chart:
    """Horizontal bars from zero.

    Attributes:
        bars: from top to bottom.
        axis: what the axis counts, with its unit.
        alt: what the picture says, for those who cannot see it.
        legend: tone and meaning of the pieces, when there is more than one.
        shares: every bar is drawn as a whole of 100 percent.
    """

    bars: tuple[Bar, ...]
    axis: Text
    alt: Text
    legend: tuple[tuple[str, Text], ...] = ()
    shares: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A row of a timeline: what it is, when it began and ended, its tone, and words at its right edge."""

    label: str
    start: datetime
    end: datetime
    tone: str
    note: Text


def joined(pieces: Iterable[Text]) -> Text:
    """Join phrases with the comma of each language."""
    kept = [piece for piece in pieces if piece.zh]
    return Text("，".join(piece.zh for piece in kept), ", ".join(piece.en for piece in kept))


NOTHING = Text("", "")
