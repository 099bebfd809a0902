"""The tables of attestations: what was asked of whom, every answer and review ever given, and the papers."""

from sqlalchemy import BigInteger, UniqueConstraint, false
from sqlmodel import Field, SQLModel


class AttestationRow(SQLModel, table=True):
    """A question put to a system, or to a unit (system 0); what was said is its events."""

    __tablename__ = "attestation"
    __table_args__ = (UniqueConstraint("unit", "system", "question"),)

    id: int | None = Field(default=None, primary_key=True)
    unit: str
    system: int
    question: str


class AttestationEventRow(SQLModel, table=True):
    """An answer, or a review of the answer `reviews`; rows are added and never changed, by triggers."""

    __tablename__ = "attestation_event"

    id: int | None = Field(default=None, primary_key=True)
    attestation: int = Field(index=True)
    act: str
    at_us: int = Field(sa_type=BigInteger)
    actor: str
    by: str
    words: str
    answer: str = ""
    until_us: int | None = Field(default=None, sa_type=BigInteger)
    reviews: int | None = None
    same_person: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class AttestationFileRow(SQLModel, table=True):
    """A paper that came with an answer; rows are added and never changed, by triggers."""

    __tablename__ = "attestation_file"

    event: int = Field(primary_key=True)
    sha256: str = Field(primary_key=True)
    name: str
