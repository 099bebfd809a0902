"""What the store asks of a database, whichever it is: SQL with `?` in, tuples of plain Python values out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from sqlalchemy import Engine as AlchemyEngine

Row = tuple[Any, ...]
Value = TypeVar("Value")
Progress = Callable[[int, int], None]
"""What is left, of how much."""


class Cursor(Protocol):
    """The result of one statement."""

    @property
    def rowcount(self) -> int:
        """Rows a changing statement touched."""
        ...

    def fetchone(self) -> Any:  # noqa: ANN401  a row holds what the statement asks for
        """Give the next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """Give the rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Give the rows one after another."""
        ...


class Connection(Protocol):
    """An open connection; what `sqlite3.Connection` offers of it is enough."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Cursor:
        """Run one statement."""
        ...


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade that took place.

    Attributes:
        before: the revision before.
        copy: the database as it was; None on a server, which takes a failed upgrade back by itself.
    """

    before: str
    copy: Path | None


class Engine(Protocol):
    """One connection to a home's tables, and what the two kinds of database do differently.

    Attributes:
        upgraded: the upgrade that opening it took; None when its schema was the newest already.
        like: the word for LIKE whatever the case of ASCII letters; lower() on both sides takes SQLite twice the time.
    """

    upgraded: Upgrade | None
    like: str

    @property
    def connection(self) -> Connection:
        """The connection itself."""
        ...

    def errors(self) -> AbstractContextManager[None]:
        """Turn what the database complains about into a StoreError of one line."""
        ...

    def explain(self, error: BaseException) -> str:
        """Say in one line what a driver's error means and what to do."""
        ...

    def begin(self) -> None:
        """Open a transaction that is the only one to write until it ends."""
        ...

    def commit(self) -> None:
        """Keep what the transaction did."""
        ...

    def roll_back(self) -> None:
        """Take back what the transaction did, where one is open."""
        ...

    def has_changed(self) -> bool:
        """Tell whether the open transaction changed anything."""
        ...

    def stream(self, statement: str, values: Sequence[Any]) -> Iterator[Any]:
        """Give the rows of a SELECT without a limit, perhaps very many, some at a time.

        Other statements may run on the same connection between two rows; whether what they change is among the rows to
        come is open. In a transaction they must be read before it ends.
        """
        ...

    def hold_moment(self, limit_s: float | None) -> None:
        """Let everything read from now on be of one moment, and end questions that take longer than `limit_s`."""
        ...

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        ...

    def insert_many(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table."""
        ...

    def upsert(self, change: Upsert, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table, or change those that are there, one after another in their order."""
        ...

    def match(
        self, expression: str, source: str, values: Sequence[Any], test: Callable[[str], bool]
    ) -> tuple[str, list[object]]:
        """Give a condition, with its values, that holds where `test` says so of a text expression.

        `source` is where its values come from: what follows SELECT … , with its values.
        """
        ...

    def tables_with(self, column: str) -> tuple[str, ...]:
        """Give the tables that have a column, sorted."""
        ...

    def make_alchemy(self) -> AlchemyEngine:
        """Give an SQLAlchemy engine on this very connection."""
        ...

    def copy_to(self, path: Path, tell: Progress) -> None:
        """Copy all tables, as they are at this moment, to a new SQLite file, and check it."""
        ...

    def describe(self) -> str:
        """Name the database and its version, e.g. `SQLite 3.40.1`."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


@dataclass(frozen=True, slots=True)
class Upsert:
    """How rows get into a table.

    Attributes:
        table: its name.
        columns: what each row holds, in this order.
        key: the columns, unique together, that tell whether a row is there already.
        change: column -> expression of `excluded.…` and `<table>.…` for a row that is there; None: every column that
            is no key takes the new value; empty: it stays as it is.
    """

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    change: Mapping[str, str] | None = None

    @property
    def conflict(self) -> str:
        """The end of the statement."""
        change = self.change
        if change is None:
            change = {name: f'excluded."{name}"' for name in self.columns if name not in self.key}
        steps = ", ".join(f'"{name}"={expression}' for name, expression in change.items())
        return f"ON CONFLICT ({quote_all(self.key)}) {f'DO UPDATE SET {steps}' if steps else 'DO NOTHING'}"

    @property
    def statement(self) -> str:
        """The whole statement for one row."""
        return f"{insert_statement(self.table, self.columns)} {self.conflict}"


def insert_statement(table: str, columns: Sequence[str]) -> str:
    """Write the INSERT of one row."""
    return f'INSERT INTO "{table}" ({quote_all(columns)}) VALUES ({",".join("?" * len(columns))})'  # noqa: S608  ours


def list_marks(values: Sequence[object]) -> str:
    """Write what stands in `IN (…)` for some values; none of them are in an empty list, which is no SQL."""
    return ",".join("?" * len(values)) or "NULL"


def quote_all(names: Iterable[str]) -> str:
    """Write names of columns so that none is taken for a word of SQL."""
    return ", ".join(f'"{name}"' for name in names)


@lru_cache(maxsize=2048)
def translate(statement: str) -> str:
    """Write a statement with `?` as psycopg wants it, `%s`, and each `%` doubled; texts in quotes keep their `?`."""
    written: list[str] = []
    quote = ""
    for sign in statement:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "?":
            written.append("%s")
            continue
        written.append("%%" if sign == "%" else sign)
    return "".join(written)


def cut(rows: Iterable[Value], size: int) -> Iterator[list[Value]]:
    """Give rows in lists of at most `size`, as they come."""
    left = iter(rows)
    while chunk := list(islice(left, size)):
        yield chunk
