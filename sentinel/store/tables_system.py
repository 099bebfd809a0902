"""The tables of information systems: versions, names and steps, and what is off by plan.

What is declared of a system is JSON text, one row for each version; the persons in it are sealed.
"""

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel


class SystemRow(SQLModel, table=True):
    """A system as it stands; what it says is its newest version."""

    __tablename__ = "system"
    __table_args__ = (UniqueConstraint("unit", "folded"),)

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    folded: str
    state: str
    state_us: int = Field(sa_type=BigInteger)
    confirmed_us: int = Field(sa_type=BigInteger)


class SystemVersionRow(SQLModel, table=True):
    """What a unit declared of a system from a moment on; `persons` opens with the contact key only."""

    __tablename__ = "system_version"

    id: int | None = Field(default=None, primary_key=True)
    system: int = Field(index=True)
    from_us: int = Field(sa_type=BigInteger)
    facts: str
    persons: bytes = Field(default=b"", sa_type=LargeBinary)
    source: str = ""
    source_sha256: str = ""
    sheet: str = ""
    row: int = 0


class SystemNameRow(SQLModel, table=True):
    """A further name under which lines of the register belong to a system."""

    __tablename__ = "system_name"

    unit: str = Field(primary_key=True)
    folded: str = Field(primary_key=True)
    system: int = Field(index=True)
    name: str


class SystemEventRow(SQLModel, table=True):
    """A step of a system; rows are only added."""

    __tablename__ = "system_event"

    id: int | None = Field(default=None, primary_key=True)
    system: int = Field(index=True)
    at_us: int = Field(sa_type=BigInteger)
    step: str
    actor: str
    reason: str = ""


class PlannedOfflineRow(SQLModel, table=True):
    """A time in which something registered is off by plan; withdrawn, never deleted."""

    __tablename__ = "planned_offline"

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    system: int = 0
    prefixes: str = "[]"
    begin_us: int = Field(sa_type=BigInteger)
    end_us: int = Field(sa_type=BigInteger)
    reason: str
    withdrawn_us: int | None = Field(default=None, sa_type=BigInteger)
