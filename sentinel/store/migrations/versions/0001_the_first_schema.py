"""the first schema"""

import sqlalchemy as sa
from alembic import op

from sentinel.store.append_only import allow_change, forbid_change

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "authorisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("targets", sa.String(), nullable=False),
        sa.Column("excluded", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=False),
        sa.Column("valid_to_us", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("allow_loopback", sa.Boolean(), nullable=False),
        sa.Column("rate_pps", sa.Integer(), nullable=False),
        sa.Column("withdrawn_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("authorisation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authorisation_unit"), ["unit"], unique=False)

    op.create_table(
        "capture",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("analysed_us", sa.BigInteger(), nullable=False),
        sa.Column("first_packet_us", sa.BigInteger(), nullable=True),
        sa.Column("last_packet_us", sa.BigInteger(), nullable=True),
        sa.Column("flows", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("unit", "evidence"),
    )
    op.create_table(
        "certificate",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("names", sa.String(), nullable=False),
        sa.Column("not_before_us", sa.BigInteger(), nullable=True),
        sa.Column("not_after_us", sa.BigInteger(), nullable=True),
        sa.Column("key_type", sa.String(), nullable=False),
        sa.Column("key_bits", sa.Integer(), nullable=True),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("self_signed", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "coverage",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("proto", sa.String(), nullable=False),
        sa.Column("ports", sa.String(), nullable=False),
        sa.Column("addresses", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run", "proto"),
    )
    op.create_table(
        "endpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("network", sa.Integer(), nullable=False),
        sa.Column("vantage", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("proto", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("guessed", sa.Boolean(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("tunnel", sa.String(), nullable=False),
        sa.Column("certificate", sa.String(), nullable=False),
        sa.Column("extra", sa.String(), nullable=False),
        sa.Column("cpes", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("in_scope", sa.Boolean(), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=False),
        sa.Column("valid_to_us", sa.BigInteger(), nullable=True),
        sa.Column("opened_by", sa.Integer(), nullable=False),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("closed_why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("endpoint", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_endpoint_closed_by"), ["closed_by"], unique=False)
        batch_op.create_index("ix_endpoint_key", ["network", "vantage", "address", "valid_to_us"], unique=False)
        batch_op.create_index(batch_op.f("ix_endpoint_opened_by"), ["opened_by"], unique=False)
        batch_op.create_index("ix_endpoint_time", ["network", "valid_from_us"], unique=False)

    op.create_table(
        "evidence",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("network", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("first_seen_us", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("clauses", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("title_zh", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("remediation_zh", sa.String(), nullable=False),
        sa.Column("remediation_en", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("closed_us", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("unit", "rule", "network", "subject"),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_finding_state"), ["state"], unique=False)
        batch_op.create_index("ix_finding_subject", ["unit", "network", "subject"], unique=False)

    op.create_table(
        "finding_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("finding", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("finding_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_finding_event_finding"), ["finding"], unique=False)

    op.create_table(
        "flow",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("host_port", sa.Integer(), nullable=True),
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("peer_port", sa.Integer(), nullable=True),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("flow_class", sa.String(), nullable=False),
        sa.Column("certainty", sa.Float(), nullable=False),
        sa.Column("coin", sa.String(), nullable=False),
        sa.Column("first_seen_us", sa.BigInteger(), nullable=True),
        sa.Column("last_seen_us", sa.BigInteger(), nullable=True),
        sa.Column("packets", sa.Integer(), nullable=False),
        sa.Column("payload_bytes", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("wallet", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("flow", schema=None) as batch_op:
        batch_op.create_index("ix_flow_unit", ["unit", "last_seen_us"], unique=False)

    op.create_table(
        "host",
        sa.Column("network", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("mac", sa.String(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("os", sa.String(), nullable=False),
        sa.Column("in_scope", sa.Boolean(), nullable=False),
        sa.Column("first_seen_us", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("network", "address"),
    )
    op.create_table(
        "name",
        sa.Column("network", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("first_seen_us", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("network", "address", "name"),
    )
    op.create_table(
        "network",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("prefixes", sa.String(), nullable=False),
        sa.Column("scannable", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("unit", "name"),
    )
    with op.batch_alter_table("network", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_network_unit"), ["unit"], unique=False)

    op.create_table(
        "plan",
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("days", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("ports", sa.String(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("last_due_us", sa.BigInteger(), nullable=True),
        sa.Column("last_finished_us", sa.BigInteger(), nullable=True),
        sa.Column("last_result", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("unit"),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("scan", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("arguments", sa.String(), nullable=False),
        sa.Column("vantage", sa.String(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("authorisation", sa.Integer(), nullable=True),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("time_quality", sa.String(), nullable=False),
        sa.Column("arrived_us", sa.BigInteger(), nullable=False),
        sa.Column("hosts_up", sa.Integer(), nullable=False),
        sa.Column("endpoints_open", sa.Integer(), nullable=False),
        sa.Column("observations", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("lost", sa.String(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("confirmed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("unit", "evidence"),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index("ix_run_unit_time", ["unit", "vantage", "time_us"], unique=False)

    op.create_table(
        "unit",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unit_path"), ["path"], unique=False)

    op.create_table(
        "whitelist",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("addresses", sa.String(), nullable=False),
        sa.Column("proto", sa.String(), nullable=False),
        sa.Column("ports", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=True),
        sa.Column("valid_to_us", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("whitelist", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_whitelist_unit"), ["unit"], unique=False)

    for table in ("audit", "finding_event"):
        forbid_change(table)


def downgrade() -> None:
    with op.batch_alter_table("whitelist", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_whitelist_unit"))

    op.drop_table("whitelist")
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unit_path"))

    op.drop_table("unit")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index("ix_run_unit_time")

    op.drop_table("run")
    op.drop_table("plan")
    with op.batch_alter_table("network", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_network_unit"))

    op.drop_table("network")
    op.drop_table("name")
    op.drop_table("host")
    with op.batch_alter_table("flow", schema=None) as batch_op:
        batch_op.drop_index("ix_flow_unit")

    op.drop_table("flow")
    with op.batch_alter_table("finding_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_finding_event_finding"))

    op.drop_table("finding_event")
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_finding_state"))

    op.drop_table("finding")
    op.drop_table("evidence")
    with op.batch_alter_table("endpoint", schema=None) as batch_op:
        batch_op.drop_index("ix_endpoint_time")
        batch_op.drop_index(batch_op.f("ix_endpoint_opened_by"))
        batch_op.drop_index("ix_endpoint_key")
        batch_op.drop_index(batch_op.f("ix_endpoint_closed_by"))

    op.drop_table("endpoint")
    op.drop_table("coverage")
    op.drop_table("certificate")
    op.drop_table("capture")
    with op.batch_alter_table("authorisation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_authorisation_unit"))

    op.drop_table("authorisation")
    op.drop_table("audit")
    allow_change()
