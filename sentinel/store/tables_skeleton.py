"""The tables of notices, assignments, the two closings, and frozen counters."""

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field, SQLModel


class FindingClosingRow(SQLModel, table=True):
    """One attempt at a closing of a finding; only ever added."""

    __tablename__ = "finding_closing"

    id: int | None = Field(default=None, primary_key=True)
    finding: int = Field(index=True)
    kind: str
    passed: bool
    at_us: int = Field(sa_type=BigInteger)
    by: str
    evidence: str = ""
    document: str = ""
    note: str = ""
    actor: str
    exercise: str | None = None


class FindingEvidenceRow(SQLModel, table=True):
    """A file that was handed in to show a finding; the finding itself names only its newest evidence."""

    __tablename__ = "finding_evidence"

    finding: int = Field(primary_key=True)
    sha256: str = Field(primary_key=True)
    at_us: int = Field(sa_type=BigInteger)


class NoticeRow(SQLModel, table=True):
    """A notice that came in or went out."""

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("unit", "direction", "issuer", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    unit: str
    number: str = Field(index=True)
    issuer: str
    title: str
    kind: str
    direction: str
    issued_us: int | None = Field(default=None, sa_type=BigInteger)
    received_us: int | None = Field(default=None, sa_type=BigInteger)
    due_us: int | None = Field(default=None, sa_type=BigInteger)
    evidence: str = ""
    disclosure: str
    exercise: str | None = None


class FindingNoticeRow(SQLModel, table=True):
    """A finding a notice speaks of."""

    __tablename__ = "finding_notice"

    notice: int = Field(primary_key=True)
    finding: int = Field(primary_key=True, index=True)
    linked_us: int = Field(sa_type=BigInteger)


class AssignmentRow(SQLModel, table=True):
    """An assignment as it stands; its events say how it came there."""

    __tablename__ = "assignment"
    __table_args__ = (Index("ix_assignment_unit_state", "unit", "state"),)

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(unique=True)
    kind: str
    unit: str
    issuer: str
    assignee: str
    title: str = ""
    due_us: int | None = Field(default=None, sa_type=BigInteger)
    state: str
    issued_us: int = Field(sa_type=BigInteger)
    received_us: int | None = Field(default=None, sa_type=BigInteger)
    replied_us: int | None = Field(default=None, sa_type=BigInteger)
    reviewed_us: int | None = Field(default=None, sa_type=BigInteger)
    ended_us: int | None = Field(default=None, sa_type=BigInteger)
    replies: int = 0
    escalations: int = 0
    escalated_to: str = ""
    rectification: int | None = Field(default=None, unique=True)
    exercise: str | None = None


class AssignmentItemRow(SQLModel, table=True):
    """One thing an assignment is about."""

    __tablename__ = "assignment_item"

    assignment: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    kind: str
    reference: str


class AssignmentEventRow(SQLModel, table=True):
    """One step in the life of an assignment; only ever added."""

    __tablename__ = "assignment_event"

    id: int | None = Field(default=None, primary_key=True)
    assignment: int = Field(index=True)
    act: str
    at_us: int = Field(sa_type=BigInteger)
    actor: str
    reason: str = ""
    recipient: str = ""
    exercise: str | None = None


class AssignmentFileRow(SQLModel, table=True):
    """A file that came with an event; its bytes are evidence."""

    __tablename__ = "assignment_file"

    event: int = Field(primary_key=True)
    sha256: str = Field(primary_key=True)
    name: str


class SnapshotRow(SQLModel, table=True):
    """One freezing of counters; only ever added."""

    __tablename__ = "snapshot"
    __table_args__ = (UniqueConstraint("unit", "label", "version"),)

    id: int | None = Field(default=None, primary_key=True)
    unit: str
    label: str
    from_us: int = Field(sa_type=BigInteger)
    to_us: int = Field(sa_type=BigInteger)
    version: int
    pack: str
    frozen_us: int = Field(sa_type=BigInteger)
    actor: str
    reason: str = ""


class SnapshotCounterRow(SQLModel, table=True):
    """One counter of one unit in a snapshot; `own` is null where the unit itself is unknown."""

    __tablename__ = "snapshot_counter"
    __table_args__ = (Index("ix_snapshot_counter_rank", "snapshot", "name", "total"), {"sqlite_with_rowid": False})

    snapshot: int = Field(primary_key=True)
    unit: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    own: int | None = Field(default=None, sa_type=BigInteger)
    total: int = Field(sa_type=BigInteger)
    known: int
