"""Notices (通报): what one authority tells another about findings, on paper or in a system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentinel.model.finding import Disclosure


class NoticeKind(StrEnum):
    """What a notice is for."""

    BULLETIN = "bulletin"
    WARNING = "warning"
    HUNT = "hunt"
    RECTIFY = "rectify"
    OTHER = "other"


class Direction(StrEnum):
    """Whether a notice came to the unit or went out from it."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice; findings are linked to it, many to many.

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit that received or issued it.
        number: number on the paper, e.g. `示教信函〔2026〕7号`; unique with unit and issuer.
        issuer: who issued it.
        title: its title.
        kind: bulletin 通报, warning 预警, hunt 协查, rectify 限期整改, or other.
        direction: in or out.
        issued_at: its date, where it tells one.
        received_at: when it came, for one that came in.
        due: until when the reply is due; None: none was asked.
        evidence: SHA-256 of the file; empty where only its number is known.
        disclosure: who may read it.
        exercise: id of the drill; empty for a real one.
    """

    id: int
    unit: str
    number: str
    issuer: str
    title: str
    kind: NoticeKind = NoticeKind.BULLETIN
    direction: Direction = Direction.IN
    issued_at: datetime | None = None
    received_at: datetime | None = None
    due: datetime | None = None
    evidence: str = ""
    disclosure: Disclosure = Disclosure.INTERNAL
    exercise: str = ""
