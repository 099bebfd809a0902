"""The tables of closer looks: what services, sites and domains answered, as intervals."""

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel


class ProbeFactsRow(SQLModel, table=True):
    """What a look found, as JSON with sorted keys; `digest` is over it."""

    __tablename__ = "probe_facts"
    __table_args__ = (UniqueConstraint("digest"),)

    id: int | None = Field(default=None, primary_key=True)
    digest: bytes = Field(sa_type=LargeBinary)
    found: str


class ProbeRow(SQLModel, table=True):
    """A stretch of time in which looks at one thing found the same; `place` is an address as it sorts, or empty."""

    __tablename__ = "probe"
    __table_args__ = (Index("ix_probe_place", "network", "place", "port", "kind"),)

    id: int | None = Field(default=None, primary_key=True)
    network: int
    vantage: int
    kind: str
    place: bytes = Field(sa_type=LargeBinary)
    proto: str
    port: int
    name: str
    facts: int
    valid_from_us: int = Field(sa_type=BigInteger)
    last_us: int = Field(sa_type=BigInteger)
    valid_to_us: int | None = Field(default=None, sa_type=BigInteger)
    run: int
