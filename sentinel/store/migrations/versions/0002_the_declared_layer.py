"""the declared layer: answers, contacts, exits, what stays out, register, orders"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answer",
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "name"),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("verified_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_unit"), ["unit"], unique=False)

    op.create_table(
        "exit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("prefixes", sa.String(), nullable=False),
        sa.Column("withdrawn_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("exit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exit_unit"), ["unit"], unique=False)

    op.create_table(
        "keep_out",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("prefixes", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("withdrawn_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("keep_out", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_keep_out_unit"), ["unit"], unique=False)

    op.create_table(
        "mapping",
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("heads", sa.String(), nullable=False),
        sa.Column("columns", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "purpose", "heads"),
    )
    op.create_table(
        "order_item",
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("finding", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("order", "finding"),
    )
    with op.batch_alter_table("order_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_item_finding"), ["finding"], unique=False)

    op.create_table(
        "rectification_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("assignee", sa.String(), nullable=False),
        sa.Column("issued_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("rectification_order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rectification_order_unit"), ["unit"], unique=False)

    op.create_table(
        "register",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_sha256", sa.String(), nullable=False),
        sa.Column("sheet", sa.String(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("addresses", sa.String(), nullable=False),
        sa.Column("domains", sa.String(), nullable=False),
        sa.Column("ports", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("mlps_level", sa.String(), nullable=False),
        sa.Column("filing", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=True),
        sa.Column("valid_to_us", sa.BigInteger(), nullable=True),
        sa.Column("imported_us", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("register", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_register_unit"), ["unit"], unique=False)

    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pruned_us", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reference", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.drop_column("reference")

    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_column("pruned_us")

    with op.batch_alter_table("register", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_register_unit"))

    op.drop_table("register")
    with op.batch_alter_table("rectification_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rectification_order_unit"))

    op.drop_table("rectification_order")
    with op.batch_alter_table("order_item", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_item_finding"))

    op.drop_table("order_item")
    op.drop_table("mapping")
    with op.batch_alter_table("keep_out", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_keep_out_unit"))

    op.drop_table("keep_out")
    with op.batch_alter_table("exit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_exit_unit"))

    op.drop_table("exit")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_unit"))

    op.drop_table("contact")
    op.drop_table("answer")
