"""The tables, declared once; migrations are made from them, and the small ones are written through them.

Times are whole microseconds since 1970-01-01 UTC (`*_us`), lists are JSON text, addresses canonical text.
"""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from sentinel.model.moment import to_microseconds
from sentinel.store import (
    tables_attestation,
    tables_declared,
    tables_identity,
    tables_map,
    tables_probe,
    tables_sightings,
    tables_skeleton,
    tables_system,
    tables_units,
    tables_whitelist,
)

# declared there, part of the same schema
__all__ = [
    "tables_attestation",
    "tables_declared",
    "tables_identity",
    "tables_map",
    "tables_probe",
    "tables_sightings",
    "tables_skeleton",
    "tables_system",
    "tables_units",
    "tables_whitelist",
]


def _now_us() -> int:
    return to_microseconds(datetime.now(UTC))


class UnitRow(SQLModel, table=True):
    """A unit of the tree."""

    __tablename__ = "unit"

    code: str = Field(primary_key=True)
    name: str
    level: str
    parent: str = ""
    path: str = Field(index=True)
    region: str = ""
    created_us: int = Field(default_factory=_now_us, sa_type=BigInteger)
    credit: str = Field(default="", sa_column_kwargs={"server_default": ""})
    kind: str = Field(default="", sa_column_kwargs={"server_default": ""})
    affiliation: str = Field(default="", sa_column_kwargs={"server_default": ""})
    aliases: str = Field(default="[]", sa_column_kwargs={"server_default": "[]"})
    valid_from_us: int | None = Field(default=None, sa_type=BigInteger)
    valid_to_us: int | None = Field(default=None, sa_type=BigInteger)
    since_us: int | None = Field(default=None, sa_type=BigInteger)


class NetworkRow(SQLModel, table=True):
    """A network of a unit; its id is part of every address key."""

    __tablename__ = "network"
    __table_args__ = (UniqueConstraint("unit", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    name: str
    zone: str
    prefixes: str = "[]"
    scannable: bool = True


class AuthorisationRow(SQLModel, table=True):
    """A scan authorisation; withdrawn, never deleted."""

    __tablename__ = "authorisation"

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    targets: str
    excluded: str = "[]"
    by: str
    document: str
    valid_from_us: int = Field(sa_type=BigInteger)
    valid_to_us: int = Field(sa_type=BigInteger)
    level: str
    allow_loopback: bool = False
    rate_pps: int = 100
    withdrawn_us: int | None = Field(default=None, sa_type=BigInteger)


class WhitelistRow(SQLModel, table=True):
    """A whitelist entry; withdrawn, never deleted."""

    __tablename__ = "whitelist"

    id: int | None = Field(default=None, primary_key=True)
    unit: str = Field(index=True)
    kind: str
    domain: str = ""
    addresses: str = "[]"
    proto: str = ""
    ports: str = ""
    service: str = ""
    reason: str = ""
    approved_by: str = ""
    document: str = ""
    valid_from_us: int | None = Field(default=None, sa_type=BigInteger)
    valid_to_us: int | None = Field(default=None, sa_type=BigInteger)
    withdrawn_us: int | None = Field(default=None, sa_type=BigInteger)
    action: str = Field(default="allow", sa_column_kwargs={"server_default": "allow"})
    direction: str = Field(default="in", sa_column_kwargs={"server_default": "in"})
    peer: str = Field(default="any", sa_column_kwargs={"server_default": "any"})
    peers: str = Field(default="[]", sa_column_kwargs={"server_default": "[]"})
    below: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    origin: str = Field(default="", sa_column_kwargs={"server_default": ""})
    created_us: int | None = Field(default=None, sa_type=BigInteger)
    withdrawn_why: str = Field(default="", sa_column_kwargs={"server_default": ""})


class PlanRow(SQLModel, table=True):
    """When a unit's cycle runs, and how the last one went."""

    __tablename__ = "plan"

    unit: str = Field(primary_key=True)
    at: str
    days: str = "daily"
    enabled: bool = True
    ports: str = ""
    created_us: int = Field(default_factory=_now_us, sa_type=BigInteger)
    last_due_us: int | None = Field(default=None, sa_type=BigInteger)
    last_finished_us: int | None = Field(default=None, sa_type=BigInteger)
    last_result: str = ""


class EvidenceRow(SQLModel, table=True):
    """A blob on disk."""

    __tablename__ = "evidence"

    sha256: str = Field(primary_key=True)
    size_bytes: int = Field(sa_type=BigInteger)
    name: str
    format: str
    received_us: int = Field(sa_type=BigInteger)
    pruned_us: int | None = Field(default=None, sa_type=BigInteger)


class RunRow(SQLModel, table=True):
    """One piece of evidence applied to one unit, with packed ids of the intervals it saw, opened and closed."""

    __tablename__ = "run"
    __table_args__ = (UniqueConstraint("unit", "evidence"), Index("ix_run_unit_time", "unit", "vantage", "time_us"))

    id: int | None = Field(default=None, primary_key=True)
    unit: str
    kind: str
    scan: str = ""
    evidence: str
    source: str
    format: str
    tool: str = ""
    arguments: str = ""
    vantage: str
    operator: str = ""
    authorisation: int | None = None
    time_us: int = Field(sa_type=BigInteger)
    time_quality: str
    arrived_us: int = Field(sa_type=BigInteger)
    hosts_up: int = 0
    endpoints_open: int = 0
    observations: int = 0
    events: int = 0
    lost: str = ""
    held: bool = False
    confirmed: bytes = Field(default=b"", sa_type=LargeBinary)
    opened: bytes | None = Field(default=None, sa_type=LargeBinary)
    closed: bytes | None = Field(default=None, sa_type=LargeBinary)


class CoverageRow(SQLModel, table=True):
    """What a run looked at and finished, for one protocol."""

    __tablename__ = "coverage"

    run: int = Field(primary_key=True)
    proto: str = Field(primary_key=True)
    ports: str
    addresses: bytes = Field(sa_type=LargeBinary)


class FindingRow(SQLModel, table=True):
    """A finding; its key is unit, rule, network and subject."""

    __tablename__ = "finding"
    __table_args__ = (
        UniqueConstraint("unit", "rule", "network", "subject"),
        Index("ix_finding_subject", "unit", "network", "subject"),
    )

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(unique=True)
    unit: str
    rule: str
    network: int
    subject: str
    source: str
    severity: str
    state: str = Field(index=True)
    first_seen_us: int = Field(sa_type=BigInteger)
    last_seen_us: int = Field(sa_type=BigInteger)
    due_us: int | None = Field(default=None, sa_type=BigInteger)
    clauses: str = "[]"
    evidence: str = ""
    title_zh: str = ""
    title_en: str = ""
    remediation_zh: str = ""
    remediation_en: str = ""
    detail: str = ""
    reopened: int = 0
    closed_us: int | None = Field(default=None, sa_type=BigInteger)
    why: str = ""
    by: str = ""
    until_us: int | None = Field(default=None, sa_type=BigInteger)
    reference: str = Field(default="", sa_column_kwargs={"server_default": ""})
    subject_kind: str = Field(default="endpoint", sa_column_kwargs={"server_default": "endpoint"})
    occurred_us: int | None = Field(default=None, sa_type=BigInteger)
    discovered_us: int | None = Field(default=None, sa_type=BigInteger)
    learned_us: int | None = Field(default=None, sa_type=BigInteger)
    reported_us: int | None = Field(default=None, sa_type=BigInteger)
    due_why: str = Field(default="", sa_column_kwargs={"server_default": ""})
    responsible: str = Field(default="", sa_column_kwargs={"server_default": ""})
    disclosure: str = Field(default="internal", sa_column_kwargs={"server_default": "internal"})
    issuer: str = Field(default="", sa_column_kwargs={"server_default": ""})
    exercise: str | None = None
    person: bytes | None = Field(default=None, sa_type=LargeBinary)


class FindingEventRow(SQLModel, table=True):
    """One step in the life of a finding; only ever added."""

    __tablename__ = "finding_event"

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    finding: int = Field(index=True)
    at_us: int = Field(sa_type=BigInteger)
    actor: str
    before: str = ""
    after: str
    reason: str = ""
    exercise: str | None = None


class FlowRow(SQLModel, table=True):
    """A mining detection."""

    __tablename__ = "flow"
    __table_args__ = (Index("ix_flow_unit", "unit", "last_seen_us"),)

    id: int | None = Field(default=None, primary_key=True)
    unit: str
    evidence: str
    file: str
    host: str
    host_port: int | None = None
    peer: str
    peer_port: int | None = None
    family: str
    flow_class: str
    certainty: float
    coin: str = ""
    first_seen_us: int | None = Field(default=None, sa_type=BigInteger)
    last_seen_us: int | None = Field(default=None, sa_type=BigInteger)
    packets: int = 0
    payload_bytes: int = Field(default=0, sa_type=BigInteger)
    proof: str = ""
    name: str = ""
    agent: str = ""
    wallet: str = ""


class CaptureRow(SQLModel, table=True):
    """A capture file that was analysed for a unit, whether or not it showed anything."""

    __tablename__ = "capture"
    __table_args__ = (UniqueConstraint("unit", "evidence"),)

    id: int | None = Field(default=None, primary_key=True)
    unit: str
    evidence: str
    file: str
    analysed_us: int = Field(sa_type=BigInteger)
    first_packet_us: int | None = Field(default=None, sa_type=BigInteger)
    last_packet_us: int | None = Field(default=None, sa_type=BigInteger)
    flows: int = 0
    problem: str = ""


class AuditRow(SQLModel, table=True):
    """One change; triggers forbid changing or deleting it, `hash` chains it to the one before."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, primary_key=True)
    at_us: int = Field(sa_type=BigInteger)
    actor: str
    action: str
    object: str
    before: str = ""
    after: str = ""
    previous: str
    hash: str
