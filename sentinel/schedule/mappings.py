"""What a person says of columns in; how the sheets of a file are read, shown and kept, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sentinel.errors import ParseError, UsageError
from sentinel.model.unit import Unit
from sentinel.observe.table import Sheet, column_letter
from sentinel.schedule.columns import Corrections, Field, Head, Vocabulary, clean_title, find_head
from sentinel.schedule.context import Context
from sentinel.schedule.vocabularies import WORDS
from sentinel.store.database import Transaction
from sentinel.store.mappings import KeptMapping, read_mappings, write_mapping

Said = Mapping[str, Field | None]
"""By title without signs, what a column says; None: nothing."""


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """How one column was read.

    Attributes:
        sheet: name of the sheet; empty for CSV.
        letter: of the column.
        title: what stands over it.
        field: what it says; None when nobody understood it or it was told to say nothing.
        corrected: a person said so.
    """

    sheet: str
    letter: str
    title: str
    field: Field | None
    corrected: bool


def parse_said(texts: Iterable[str], vocabulary: Vocabulary) -> dict[str, Field | None]:
    """Read `列名=字段` pairs; `列名=` lets a column say nothing.

    Raises:
        UsageError: one is no such pair, or names a field sheets of this kind do not have.
    """
    words = WORDS | vocabulary.words
    by_word = {
        **{WORDS[what]: what for what in vocabulary.fields},
        **{what.value: what for what in vocabulary.fields},
        **{words[what]: what for what in vocabulary.fields},
    }
    said: dict[str, Field | None] = {}
    for text in texts:
        title, sign, word = text.rpartition("=")
        if not sign or not clean_title(title):
            raise UsageError(f"--map: {text!r} is no pair (write 列名=字段, or 列名= to ignore the column)")
        if word.strip() and word.strip() not in by_word:
            known = ", ".join(words[what] for what in vocabulary.fields)
            raise UsageError(f"--map: no such field: {word.strip()!r} ({known})")
        said[clean_title(title)] = by_word.get(word.strip())
    return said


def load_corrections(context: Context, unit: Unit, vocabulary: Vocabulary, said: Said) -> Corrections:
    """Give what was kept for sheets of these heads, with what is said now before it."""
    kept = {
        one.heads: {title: Field(word) if word else None for title, word in one.columns.items()}
        for one in read_mappings(context.database, unit.code)
        if one.purpose == vocabulary.purpose
    }

    def corrections(heads: tuple[str, ...]) -> Said:
        now = {title: what for title, what in said.items() if title in heads}
        return {**kept.get(_trim(heads), {}), **now}

    return corrections


def find_heads(sheets: Iterable[Sheet], vocabulary: Vocabulary, corrections: Corrections) -> list[tuple[Sheet, Head]]:
    """Give the sheets that have a head of this kind."""
    found = ((sheet, find_head(sheet, vocabulary, corrections)) for sheet in sheets)
    return [(sheet, head) for sheet, head in found if head is not None]


def demand_titles(said: Said, heads: Iterable[Head], file: str) -> None:
    """Refuse a correction of a column no sheet has.

    Raises:
        ParseError: there is no such column.
    """
    known = {title for head in heads for title in head.heads}
    missing = next((title for title in said if title not in known), None)
    if missing is not None:
        raise ParseError(f"--map: no column is called {missing!r} in its head", file)


def show_columns(found: Iterable[tuple[Sheet, Head]]) -> tuple[ColumnReading, ...]:
    """Give how every column that has a title was read, sheet by sheet."""
    readings = []
    for sheet, head in found:
        by_column = {column: what for what, columns in head.columns.items() for column in columns}
        for column, title in sorted((head.titles | head.unknown).items()):
            readings.append(
                ColumnReading(sheet.name, column_letter(column), title, by_column.get(column), column in head.corrected)
            )
    return tuple(readings)


def keep_said(transaction: Transaction, unit: Unit, vocabulary: Vocabulary, said: Said, heads: Iterable[Head]) -> int:
    """Keep what was said for each head it was said of; tells of how many. The caller writes the audit row."""
    kept = {
        one.heads: one for one in read_mappings(transaction.database, unit.code) if one.purpose == vocabulary.purpose
    }
    count = 0
    for form in dict.fromkeys(_trim(head.heads) for head in heads):
        now = {title: what.value if what else "" for title, what in said.items() if title in form}
        known = kept.get(form) or KeptMapping(vocabulary.purpose, form, {}, transaction.now)
        if now and {**known.columns, **now} != known.columns:
            write_mapping(transaction, unit.code, replace(known, columns={**known.columns, **now}))
            count += 1
    return count


def _trim(heads: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out blank titles at the end: a column somebody filled by chance makes no other form of it."""
    end = len(heads)
    while end and not heads[end - 1]:
        end -= 1
    return heads[:end]
