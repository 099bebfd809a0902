"""The tables of sightings: who held an address, where a card was, what a NAT did, and which times the logs speak of.

Addresses are bytes that sort as addresses do (`address_key`); a space is the row id of a unit's default network, which
stays when the unit's code changes. Account names are sealed (see `sentinel.store.seal`).
"""

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel


class AccountRow(SQLModel, table=True):
    """An account name; `sealed` opens with the contact key only, `lookup` finds it with that key only."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("space", "lookup"),)

    id: int | None = Field(default=None, primary_key=True)
    space: int
    lookup: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)


class HolderRow(SQLModel, table=True):
    """What one source tells of a holder; `digest` is over all of it."""

    __tablename__ = "holder"
    __table_args__ = (
        UniqueConstraint("space", "digest"),
        Index("ix_holder_mac", "space", "mac"),
        Index("ix_holder_account", "account"),
    )

    id: int | None = Field(default=None, primary_key=True)
    space: int
    digest: bytes = Field(sa_type=LargeBinary)
    source: str
    mac: str = ""
    name: str = ""
    client_id: str = ""
    device: str = ""
    port: str = ""
    vlan: str = ""
    account: int | None = None


class HoldingRow(SQLModel, table=True):
    """A stretch of time in which an address was held."""

    __tablename__ = "holding"
    __table_args__ = (
        Index("ix_holding_address", "network", "address", "since_us"),
        UniqueConstraint("holder", "network", "address", "told", "since_us"),
    )

    id: int | None = Field(default=None, primary_key=True)
    network: int
    address: bytes = Field(sa_type=LargeBinary)
    holder: int
    told: str
    since_us: int = Field(sa_type=BigInteger)
    until_us: int = Field(sa_type=BigInteger)
    run: int


class AttachmentRow(SQLModel, table=True):
    """A stretch of time in which a card was known on a port."""

    __tablename__ = "attachment"
    __table_args__ = (
        UniqueConstraint("space", "mac", "device", "port", "vlan", "since_us"),
        Index("ix_attachment_port", "space", "device", "port"),
    )

    id: int | None = Field(default=None, primary_key=True)
    space: int
    mac: str
    device: str = ""
    port: str = ""
    vlan: str = ""
    since_us: int = Field(sa_type=BigInteger)
    until_us: int = Field(sa_type=BigInteger)
    run: int


class TranslationRow(SQLModel, table=True):
    """What a NAT did: `width` ports from `port_low` on; `digest` is over all that is not in the key or a time."""

    __tablename__ = "translation"
    __table_args__ = (UniqueConstraint("space", "outside", "width", "port_low", "since_us", "digest"),)

    id: int | None = Field(default=None, primary_key=True)
    space: int
    outside: bytes = Field(sa_type=LargeBinary)
    width: int
    port_low: int
    since_us: int = Field(sa_type=BigInteger)
    digest: int = Field(sa_type=BigInteger)
    until_us: int | None = Field(default=None, sa_type=BigInteger)
    proto: str
    network: int
    inside: bytes = Field(sa_type=LargeBinary)
    inside_port: int | None = None
    peer: bytes = Field(sa_type=LargeBinary)
    peer_port: int | None = None
    device: str = ""
    run: int


class LogSpanRow(SQLModel, table=True):
    """A stretch of time an imported log speaks of; for NAT by public address."""

    __tablename__ = "log_span"
    __table_args__ = (
        Index("ix_log_span_kind", "space", "kind", "since_us"),
        UniqueConstraint("run", "kind", "device", "subject", "since_us"),
    )

    id: int | None = Field(default=None, primary_key=True)
    space: int
    run: int
    kind: str
    device: str = ""
    subject: bytes = Field(sa_type=LargeBinary)
    since_us: int = Field(sa_type=BigInteger)
    until_us: int = Field(sa_type=BigInteger)


class SightingHorizonRow(SQLModel, table=True):
    """Sightings of a kind that ended before this were deleted on time and are not taken in again."""

    __tablename__ = "sighting_horizon"

    kind: str = Field(primary_key=True)
    before_us: int = Field(sa_type=BigInteger)
