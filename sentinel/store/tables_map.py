"""The tables of the map: addresses, what was seen of their ports as narrow dated rows, and the words those rows share.

An interval is read through the view `endpoint`, which the migrations make and which gives it its words back; only
`sentinel.store.endpoints` writes.
"""

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, UniqueConstraint
from sqlmodel import Field, SQLModel


class IntervalRow(SQLModel, table=True):
    """One interval of one endpoint; 45 bytes, because there are as many of them as the map ever changed."""

    __tablename__ = "endpoint_interval"

    id: int | None = Field(default=None, primary_key=True)
    host: int = Field(index=True)
    vantage: int = Field(sa_type=SmallInteger)
    proto: int = Field(sa_type=SmallInteger)
    port: int
    state: int = Field(sa_type=SmallInteger)
    look: int
    in_scope: bool = True
    misses: int = Field(default=0, sa_type=SmallInteger)
    valid_from_us: int = Field(sa_type=BigInteger)
    valid_to_us: int | None = Field(default=None, sa_type=BigInteger)
    opened_by: int
    closed_by: int | None = None
    closed_why: int = Field(default=0, sa_type=SmallInteger)


class LookRow(SQLModel, table=True):
    """What an endpoint looked like, once however many endpoints look the same; `digest` is over all other columns."""

    __tablename__ = "look"

    id: int | None = Field(default=None, primary_key=True)
    digest: bytes = Field(sa_type=LargeBinary, unique=True)
    service: str = ""
    guessed: bool = False
    product: str = ""
    version: str = ""
    tunnel: str = ""
    certificate: str = ""
    extra: str = ""
    cpes: str = ""
    title: str = ""


class VantageRow(SQLModel, table=True):
    """From where somebody looked (探测位置)."""

    __tablename__ = "vantage"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)


class CertificateRow(SQLModel, table=True):
    """A certificate some endpoint showed."""

    __tablename__ = "certificate"

    sha256: str = Field(primary_key=True)
    subject: str = ""
    issuer: str = ""
    names: str = "[]"
    not_before_us: int | None = Field(default=None, sa_type=BigInteger)
    not_after_us: int | None = Field(default=None, sa_type=BigInteger)
    key_type: str = ""
    key_bits: int | None = None
    signature: str = ""
    self_signed: bool | None = None


class HostRow(SQLModel, table=True):
    """An address of a network; `place` sorts as addresses do. Without a first time nobody saw it up, only a port."""

    __tablename__ = "host"
    __table_args__ = (UniqueConstraint("network", "address"), Index("ix_host_place", "network", "place"))

    id: int | None = Field(default=None, primary_key=True)
    network: int
    address: str
    place: bytes = Field(sa_type=LargeBinary)
    mac: str = ""
    vendor: str = ""
    os: str = ""
    in_scope: bool = True
    first_seen_us: int | None = Field(default=None, sa_type=BigInteger)
    last_seen_us: int | None = Field(default=None, sa_type=BigInteger)


class NameRow(SQLModel, table=True):
    """A name known for an address."""

    __tablename__ = "name"

    network: int = Field(primary_key=True)
    address: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    source: str = ""
    first_seen_us: int = Field(sa_type=BigInteger)
    last_seen_us: int = Field(sa_type=BigInteger)
