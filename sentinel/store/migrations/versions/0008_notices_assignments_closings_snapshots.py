"""notices, assignments, the two closings, snapshots, and all that is said of a finding"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_tables()
    with op.batch_alter_table("finding_event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("exercise", sa.String(), nullable=True))
    with op.batch_alter_table("finding", schema=None) as batch_op:
        for name, default in (("subject_kind", "endpoint"), ("due_why", ""), ("responsible", ""), ("issuer", "")):
            batch_op.add_column(sa.Column(name, sa.String(), server_default=default, nullable=False))
        batch_op.add_column(sa.Column("disclosure", sa.String(), server_default="internal", nullable=False))
        for name in ("occurred_us", "discovered_us", "learned_us", "reported_us"):
            batch_op.add_column(sa.Column(name, sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("exercise", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("person", sa.LargeBinary(), nullable=True))
    _fill_findings()
    _fill_assignments()


def _create_tables() -> None:
    op.create_table(
        "finding_closing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("finding", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("exercise", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_finding_closing_finding", "finding_closing", ["finding"], unique=False)
    op.create_table(
        "finding_evidence",
        sa.Column("finding", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("finding", "sha256"),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("issued_us", sa.BigInteger(), nullable=True),
        sa.Column("received_us", sa.BigInteger(), nullable=True),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("disclosure", sa.String(), nullable=False),
        sa.Column("exercise", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("unit", "direction", "issuer", "number"),
    )
    op.create_index("ix_notice_number", "notice", ["number"], unique=False)
    op.create_table(
        "finding_notice",
        sa.Column("notice", sa.Integer(), nullable=False),
        sa.Column("finding", sa.Integer(), nullable=False),
        sa.Column("linked_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("notice", "finding"),
    )
    op.create_index("ix_finding_notice_finding", "finding_notice", ["finding"], unique=False)
    _create_assignments()
    op.create_table(
        "snapshot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("to_us", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("frozen_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("unit", "label", "version"),
    )
    op.create_table(
        "snapshot_counter",
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("own", sa.BigInteger(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot", "unit", "name"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_snapshot_counter_rank", "snapshot_counter", ["snapshot", "name", "total"], unique=False)


def _create_assignments() -> None:
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("assignee", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("issued_us", sa.BigInteger(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=True),
        sa.Column("replied_us", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("replies", sa.Integer(), nullable=False),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.Column("escalated_to", sa.String(), nullable=False),
        sa.Column("rectification", sa.Integer(), nullable=True),
        sa.Column("exercise", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("rectification"),
    )
    op.create_index("ix_assignment_unit_state", "assignment", ["unit", "state"], unique=False)
    op.create_table(
        "assignment_item",
        sa.Column("assignment", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("assignment", "position"),
    )
    op.create_table(
        "assignment_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("exercise", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_assignment_event_assignment", "assignment_event", ["assignment"], unique=False)
    op.create_table(
        "assignment_file",
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("event", "sha256"),
    )


def _fill_findings() -> None:
    """Say of each finding what it is about, when it was discovered and learned of, and why it is due."""
    op.execute(
        "UPDATE finding SET subject_kind = CASE WHEN subject LIKE '%/tcp' OR subject LIKE '%/udp' THEN 'endpoint' "
        "WHEN network = 0 AND subject = unit THEN 'unit' "
        "WHEN network = 0 THEN 'domain' "
        "WHEN subject LIKE '%:%' THEN 'host' "
        "WHEN lower(subject) != upper(subject) AND subject NOT LIKE '% %' THEN 'domain' ELSE 'host' END, "
        "discovered_us = first_seen_us, "
        "learned_us = coalesce((SELECT min(at_us) FROM finding_event WHERE finding_event.finding = finding.id), "
        "first_seen_us), "
        "due_why = CASE WHEN due_us IS NULL THEN '' ELSE 'rule ' || rule END"
    )


def _fill_assignments() -> None:
    """Make each rectification order an assignment of its own; nobody confirmed or answered any in here yet."""
    op.execute(
        "INSERT INTO assignment (number, kind, unit, issuer, assignee, title, due_us, state, issued_us, replies, "
        "escalations, escalated_to, rectification) "
        "SELECT number, 'rectification', unit, issuer, assignee, '限期整改安全隐患', due_us, "
        "'issued', issued_us, 0, 0, '', id FROM rectification_order ORDER BY id"
    )
    op.execute(
        "INSERT INTO assignment_item (assignment, position, kind, reference) "
        "SELECT assignment.id, order_item.position, 'finding', CAST(order_item.finding AS VARCHAR) FROM order_item "
        'JOIN assignment ON assignment.rectification = order_item."order"'
    )
    op.execute(
        "INSERT INTO assignment_event (assignment, act, at_us, actor, reason, recipient) "
        "SELECT id, 'issue', issued_us, issuer, '', '' FROM assignment ORDER BY id"
    )


def downgrade() -> None:
    for table in (
        "snapshot_counter",
        "snapshot",
        "assignment_file",
        "assignment_event",
        "assignment_item",
        "assignment",
        "finding_notice",
        "notice",
        "finding_evidence",
        "finding_closing",
    ):
        op.drop_table(table)
    with op.batch_alter_table("finding_event", schema=None) as batch_op:
        batch_op.drop_column("exercise")
    with op.batch_alter_table("finding", schema=None) as batch_op:
        for name in (
            *("subject_kind", "due_why", "responsible", "issuer", "disclosure", "occurred_us", "discovered_us"),
            *("learned_us", "reported_us", "exercise", "person"),
        ):
            batch_op.drop_column(name)
