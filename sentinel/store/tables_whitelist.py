"""The tables of how a whitelist comes about: drafts and their lines, requests and the events of each.

Addresses, names and ports are JSON text. No table here names a person beyond who approved, as entries do.
"""

from sqlalchemy import BigInteger, Integer
from sqlmodel import Field, SQLModel


class WhitelistDraftRow(SQLModel, table=True):
    """A draft as it was given out for review."""

    __tablename__ = "whitelist_draft"

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    made_us: int = Field(sa_type=BigInteger)
    actor: str


class WhitelistDraftLineRow(SQLModel, table=True):
    """One line of a draft; `mark` is the sum of what it rests on, `entry` what became of it."""

    __tablename__ = "whitelist_draft_line"

    draft: int = Field(primary_key=True)
    line: int = Field(primary_key=True)
    mark: str
    content: str
    decision: str = ""
    decided_us: int | None = Field(default=None, sa_type=BigInteger)
    entry: int | None = None


class WhitelistRequestRow(SQLModel, table=True):
    """A go-live or port-opening request; never deleted."""

    __tablename__ = "whitelist_request"

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(unique=True)
    unit: str = Field(index=True)
    kind: str
    state: str
    department: str
    system: str
    addresses: str = "[]"
    domains: str = "[]"
    ports: str = "[]"
    service: str = ""
    peer: str = "any"
    peers: str = "[]"
    purpose: str
    valid_from_us: int = Field(sa_type=BigInteger)
    valid_to_us: int = Field(sa_type=BigInteger)
    replaces: str = ""
    made_us: int = Field(sa_type=BigInteger)


class WhitelistRequestEventRow(SQLModel, table=True):
    """One step of a request; only ever added."""

    __tablename__ = "whitelist_request_event"

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    request: int = Field(index=True)
    at_us: int = Field(sa_type=BigInteger)
    actor: str
    step: str
    before: str = ""
    after: str
    reason: str = ""
    detail: str = "{}"
