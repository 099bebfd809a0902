"""information systems: versions, names, steps, what is off by plan"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "system",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("state_us", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("unit", "folded"),
    )
    with op.batch_alter_table("system", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_system_unit"), ["unit"], unique=False)

    op.create_table(
        "system_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("system", sa.Integer(), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.String(), nullable=False),
        sa.Column("persons", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_sha256", sa.String(), nullable=False),
        sa.Column("sheet", sa.String(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("system_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_system_version_system"), ["system"], unique=False)

    op.create_table(
        "system_name",
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("system", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "folded"),
    )
    with op.batch_alter_table("system_name", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_system_name_system"), ["system"], unique=False)

    op.create_table(
        "system_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("system", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("system_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_system_event_system"), ["system"], unique=False)

    op.create_table(
        "planned_offline",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("system", sa.Integer(), nullable=False),
        sa.Column("prefixes", sa.String(), nullable=False),
        sa.Column("begin_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("withdrawn_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("planned_offline", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_planned_offline_unit"), ["unit"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("planned_offline", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_planned_offline_unit"))

    op.drop_table("planned_offline")
    with op.batch_alter_table("system_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_system_event_system"))

    op.drop_table("system_event")
    with op.batch_alter_table("system_name", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_system_name_system"))

    op.drop_table("system_name")
    with op.batch_alter_table("system_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_system_version_system"))

    op.drop_table("system_version")
    with op.batch_alter_table("system", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_system_unit"))

    op.drop_table("system")
