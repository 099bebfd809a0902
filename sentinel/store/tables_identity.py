"""The tables of identity: what identified a host and when, the assets made of it, and what persons decided about them.

`mark` is observed, `asset` and `identifier` are derived and can be made anew, `asset_decision` is declared.
"""

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel


class MarkRow(SQLModel, table=True):
    """A stretch of time in which something identified the host at an address."""

    __tablename__ = "mark"
    __table_args__ = (
        UniqueConstraint("network", "address", "kind", "value", "source", "since_us"),
        Index("ix_mark_value", "kind", "value"),
    )

    id: int | None = Field(default=None, primary_key=True)
    network: int
    address: bytes = Field(sa_type=LargeBinary)
    kind: str
    value: str
    source: str
    since_us: int = Field(sa_type=BigInteger)
    until_us: int = Field(sa_type=BigInteger)
    run: int


class IdentityStateRow(SQLModel, table=True):
    """Whether a unit's marks changed since its assets were made of them."""

    __tablename__ = "identity_state"

    space: int = Field(primary_key=True)
    stale: bool = True


class AssetRow(SQLModel, table=True):
    """A thing that keeps its number when its address changes; `anchor` is the identifier it is known again by."""

    __tablename__ = "asset"
    __table_args__ = (UniqueConstraint("unit", "anchor_network", "anchor_kind", "anchor_value", "anchor_since_us"),)

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    network: int
    address: bytes = Field(sa_type=LargeBinary)
    state: str
    merged_into: int | None = None
    anchor_network: int
    anchor_kind: str
    anchor_value: str
    anchor_since_us: int = Field(sa_type=BigInteger)
    first_seen_us: int = Field(sa_type=BigInteger)
    last_seen_us: int = Field(sa_type=BigInteger)


class IdentifierRow(SQLModel, table=True):
    """A stretch of time in which an identifier belonged to an asset."""

    __tablename__ = "identifier"
    __table_args__ = (Index("ix_identifier_address", "network", "address", "valid_from_us"),)

    id: int | None = Field(default=None, primary_key=True)
    asset: int = Field(index=True)
    network: int
    address: bytes = Field(sa_type=LargeBinary)
    kind: str
    value: str
    source: str
    weight: str
    valid_from_us: int = Field(sa_type=BigInteger)
    valid_to_us: int = Field(sa_type=BigInteger)


class AssetEventRow(SQLModel, table=True):
    """Something that happened to an asset; only ever added."""

    __tablename__ = "asset_event"
    __table_args__ = (UniqueConstraint("asset", "kind", "at_us", "detail"),)

    id: int | None = Field(default=None, primary_key=True)
    asset: int
    kind: str
    at_us: int = Field(sa_type=BigInteger)
    detail: str = ""
    actor: str = ""


class AssetDecisionRow(SQLModel, table=True):
    """What a person decided: two identifiers are one thing, or one is a thing apart; undone, never deleted."""

    __tablename__ = "asset_decision"

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    kind: str
    one_kind: str
    one_value: str
    one_network: int
    other_kind: str = ""
    other_value: str = ""
    other_network: int = 0
    reason: str
    actor: str
    at_us: int = Field(sa_type=BigInteger)
    undone_us: int | None = Field(default=None, sa_type=BigInteger)
    undone_by: str = ""


class AssetProposalRow(SQLModel, table=True):
    """A merge or split nobody may do but a person; `key` is what it is about, so that it is proposed once."""

    __tablename__ = "asset_proposal"
    __table_args__ = (UniqueConstraint("unit", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    unit: str
    key: str
    kind: str
    one_kind: str
    one_value: str
    one_network: int
    other_kind: str = ""
    other_value: str = ""
    other_network: int = 0
    why: str
    detail: str = ""
    state: str
    first_us: int = Field(sa_type=BigInteger)
    decided_us: int | None = Field(default=None, sa_type=BigInteger)
    decided_by: str = ""
    decision: int | None = None
