"""the whitelist: deny, direction, other side, units below, origin; drafts and their lines; requests and their events"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "whitelist_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("whitelist_draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_whitelist_draft_unit"), ["unit"], unique=False)

    op.create_table(
        "whitelist_draft_line",
        sa.Column("draft", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("decided_us", sa.BigInteger(), nullable=True),
        sa.Column("entry", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("draft", "line"),
    )
    op.create_table(
        "whitelist_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("addresses", sa.String(), nullable=False),
        sa.Column("domains", sa.String(), nullable=False),
        sa.Column("ports", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("peers", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=False),
        sa.Column("valid_to_us", sa.BigInteger(), nullable=False),
        sa.Column("replaces", sa.String(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("whitelist_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_whitelist_request_unit"), ["unit"], unique=False)

    op.create_table(
        "whitelist_request_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("whitelist_request_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_whitelist_request_event_request"), ["request"], unique=False)

    with op.batch_alter_table("whitelist", schema=None) as batch_op:
        batch_op.add_column(sa.Column("action", sa.String(), server_default="allow", nullable=False))
        batch_op.add_column(sa.Column("direction", sa.String(), server_default="in", nullable=False))
        batch_op.add_column(sa.Column("peer", sa.String(), server_default="any", nullable=False))
        batch_op.add_column(sa.Column("peers", sa.String(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("below", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("origin", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("created_us", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("withdrawn_why", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("whitelist", schema=None) as batch_op:
        for column in ("withdrawn_why", "created_us", "origin", "below", "peers", "peer", "direction", "action"):
            batch_op.drop_column(column)

    with op.batch_alter_table("whitelist_request_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_whitelist_request_event_request"))

    op.drop_table("whitelist_request_event")
    with op.batch_alter_table("whitelist_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_whitelist_request_unit"))

    op.drop_table("whitelist_request")
    op.drop_table("whitelist_draft_line")
    with op.batch_alter_table("whitelist_draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_whitelist_draft_unit"))

    op.drop_table("whitelist_draft")
