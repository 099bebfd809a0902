"""Which column says what, as a person corrected it; kept by the heads of the sheet, so that the next reads alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.store.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class KeptMapping:
    """A correction.

    Attributes:
        purpose: kind of sheet: register, report.
        heads: titles of the sheet without signs, in order.
        columns: what was said of some of them, by title: a field's name, or nothing.
        at: when it was said last.
    """

    purpose: str
    heads: tuple[str, ...]
    columns: Mapping[str, str]
    at: datetime


def read_mappings(database: Database, unit: str) -> tuple[KeptMapping, ...]:
    """Give the corrections of a unit, by purpose and the oldest first."""
    rows = database.query(
        "SELECT purpose, heads, columns, at_us FROM mapping WHERE unit=? ORDER BY purpose, at_us, heads", (unit,)
    )
    return tuple(
        KeptMapping(purpose, tuple(json.loads(heads)), json.loads(columns), from_microseconds(at))
        for purpose, heads, columns, at in rows
    )


def write_mapping(transaction: Transaction, unit: str, one: KeptMapping) -> None:
    """Keep a correction in place of what was kept for the same heads. The caller writes the audit row."""
    transaction.execute(
        "INSERT INTO mapping (unit, purpose, heads, columns, at_us) VALUES (?,?,?,?,?) "
        "ON CONFLICT (unit, purpose, heads) DO UPDATE SET columns=excluded.columns, at_us=excluded.at_us",
        (
            unit,
            one.purpose,
            json.dumps(one.heads, ensure_ascii=False),
            json.dumps(dict(one.columns), ensure_ascii=False, sort_keys=True),
            to_microseconds(transaction.now),
        ),
    )


def remove_mapping(transaction: Transaction, unit: str, one: KeptMapping) -> None:
    """Forget a correction. The caller writes the audit row."""
    transaction.execute(
        "DELETE FROM mapping WHERE unit=? AND purpose=? AND heads=?",
        (unit, one.purpose, json.dumps(one.heads, ensure_ascii=False)),
    )
