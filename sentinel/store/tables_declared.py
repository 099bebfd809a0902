"""The tables of the declared layer and of papers: answers, contacts, exits, what stays out, register, orders.

Addresses, names and ports are JSON text; what names a person is sealed (see `sentinel.store.seal`).
"""

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel


class AnswerRow(SQLModel, table=True):
    """An answer a unit gave about itself that has no row of its own, e.g. whether anything is classified."""

    __tablename__ = "answer"

    unit: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str
    at_us: int = Field(sa_type=BigInteger)


class ContactRow(SQLModel, table=True):
    """A person a unit named; `sealed` opens with the contact key only. Ended, never deleted."""

    __tablename__ = "contact"

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    role: str
    sealed: bytes = Field(sa_type=LargeBinary)
    since_us: int = Field(sa_type=BigInteger)
    verified_us: int = Field(sa_type=BigInteger)
    ended_us: int | None = Field(default=None, sa_type=BigInteger)


class ExitRow(SQLModel, table=True):
    """A way to the internet with its public addresses; withdrawn, never deleted."""

    __tablename__ = "exit"

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    name: str
    prefixes: str = "[]"
    withdrawn_us: int | None = Field(default=None, sa_type=BigInteger)
    provider: str = Field(default="", sa_column_kwargs={"server_default": ""})
    line: str = Field(default="", sa_column_kwargs={"server_default": ""})


class KeepOutRow(SQLModel, table=True):
    """Addresses that are neither touched nor stored; withdrawn, never deleted."""

    __tablename__ = "keep_out"

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    prefixes: str
    reason: str
    withdrawn_us: int | None = Field(default=None, sa_type=BigInteger)


class RegisterRow(SQLModel, table=True):
    """A line of a unit's own register; `person` opens with the contact key only. Withdrawn, never deleted."""

    __tablename__ = "register"

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    source: str
    source_sha256: str
    sheet: str
    row: int
    system: str = ""
    addresses: str = "[]"
    domains: str = "[]"
    ports: str = "[]"
    department: str = ""
    person: bytes = Field(default=b"", sa_type=LargeBinary)
    mlps_level: str = ""
    filing: str = ""
    kind: str = ""
    place: str = ""
    note: str = ""
    valid_from_us: int | None = Field(default=None, sa_type=BigInteger)
    valid_to_us: int | None = Field(default=None, sa_type=BigInteger)
    imported_us: int = Field(sa_type=BigInteger)
    withdrawn_us: int | None = Field(default=None, sa_type=BigInteger)


class MappingRow(SQLModel, table=True):
    """Which column of a kind of sheet says what, as a person corrected it."""

    __tablename__ = "mapping"

    unit: str = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    heads: str = Field(primary_key=True)
    columns: str
    at_us: int = Field(sa_type=BigInteger)


class OrderRow(SQLModel, table=True):
    """A rectification order as issued."""

    __tablename__ = "rectification_order"

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(unique=True)
    unit: str = Field(index=True)
    issuer: str
    assignee: str
    issued_us: int = Field(sa_type=BigInteger)
    due_us: int = Field(sa_type=BigInteger)
    note: str = ""


class OrderItemRow(SQLModel, table=True):
    """A finding an order names."""

    __tablename__ = "order_item"

    order: int = Field(primary_key=True)
    finding: int = Field(primary_key=True, index=True)
    position: int
