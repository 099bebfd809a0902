"""How long each kind of data is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Retention:
    """The policy for one kind of data.

    Attributes:
        kind: e.g. `nat`, `evidence_unreferenced`.
        days: kept at least and deleted after so many days; None: never deleted.
        least_days: fewer days are refused: a law wants it kept so long; 0: no law does.
        title: what it is, for people.
        source: law, standard or decision it rests on.
        valid_from: from which day on it holds.
        person: holds data of persons, which must be deleted on time.
    """

    kind: str
    days: int | None
    least_days: int
    title: str
    source: str
    valid_from: date
    person: bool = False
