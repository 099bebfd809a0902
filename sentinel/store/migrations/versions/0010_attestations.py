"""attestations: questions put to systems, answers and reviews that are only ever added, and their papers"""

import sqlalchemy as sa
from alembic import op

from sentinel.store.append_only import forbid_change

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attestation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("system", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("unit", "system", "question"),
    )
    op.create_table(
        "attestation_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attestation", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.Column("reviews", sa.Integer(), nullable=True),
        sa.Column("same_person", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_attestation_event_attestation", "attestation_event", ["attestation"], unique=False)
    op.create_table(
        "attestation_file",
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("event", "sha256"),
    )
    for table in ("attestation_event", "attestation_file"):
        forbid_change(table)


def downgrade() -> None:
    for table in ("attestation_file", "attestation_event", "attestation"):
        op.drop_table(table)
