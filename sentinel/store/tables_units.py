"""The tables around units: their history, who owns which public prefix, NAT pools, publications and hosting.

Addresses that are searched are bytes that sort as addresses do (version, then number), lists are JSON text.
"""

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel


class UnitHistoryRow(SQLModel, table=True):
    """One span of a unit's timeline; a unit that never changed has none, any other has its whole timeline here."""

    __tablename__ = "unit_history"

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    name: str
    level: str
    parent: str = ""
    region: str = ""
    kind: str = ""
    affiliation: str = ""
    since_us: int | None = Field(default=None, sa_type=BigInteger)
    until_us: int | None = Field(default=None, sa_type=BigInteger)
    why: str = ""
    actor: str = ""


class PrefixOwnerRow(SQLModel, table=True):
    """A public prefix in the hands of one unit for a span of time; ended, never deleted."""

    __tablename__ = "prefix_owner"
    __table_args__ = (Index("ix_prefix_owner_span", "high", "low"),)

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    network: str
    prefix: str
    low: bytes = Field(sa_type=LargeBinary)
    high: bytes = Field(sa_type=LargeBinary)
    valid_from_us: int = Field(sa_type=BigInteger)
    valid_to_us: int | None = Field(default=None, sa_type=BigInteger)


class NatPoolRow(SQLModel, table=True):
    """Public addresses behind which inside addresses hide; withdrawn, never deleted."""

    __tablename__ = "nat_pool"

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    name: str
    outside: str
    inside: str = "[]"
    block_ports: int | None = None
    since_us: int = Field(sa_type=BigInteger)
    withdrawn_us: int | None = Field(default=None, sa_type=BigInteger)


class PublicationRow(SQLModel, table=True):
    """A public address and port, or a name, that leads to an inside host; decided and withdrawn, never deleted."""

    __tablename__ = "publication"
    __table_args__ = (Index("ix_publication_unit_state", "unit", "state"),)

    id: int | None = Field(default=None, primary_key=True)
    unit: str
    outside: bytes = Field(default=b"", sa_type=LargeBinary)
    proto: str = ""
    first_port: int = 0
    last_port: int = 0
    name: str = ""
    inside: bytes = Field(sa_type=LargeBinary)
    inside_port: int = 0
    via: str
    source: str
    reason: str = ""
    note: str = ""
    state: str
    created_us: int = Field(sa_type=BigInteger)
    valid_from_us: int | None = Field(default=None, sa_type=BigInteger)
    valid_to_us: int | None = Field(default=None, sa_type=BigInteger)
    decided_us: int | None = Field(default=None, sa_type=BigInteger)
    decided_by: str = ""
    why: str = ""


class HostingRow(SQLModel, table=True):
    """Addresses and names somebody else hosts, and the consent to look at them; ended, never deleted."""

    __tablename__ = "hosting"

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    party: str
    targets: str
    document: str = ""
    valid_from_us: int | None = Field(default=None, sa_type=BigInteger)
    valid_to_us: int | None = Field(default=None, sa_type=BigInteger)
    created_us: int = Field(sa_type=BigInteger)
    withdrawn_us: int | None = Field(default=None, sa_type=BigInteger)
    ended_us: int | None = Field(default=None, sa_type=BigInteger)
