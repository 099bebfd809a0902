"""units with their history, owners of public prefixes, NAT pools, publications, hosting"""

import json
from ipaddress import IPv4Network, IPv6Network, ip_network

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PRIVATE = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "0.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
_TEXT = ("credit", "kind", "affiliation")
_DATES = ("valid_from_us", "valid_to_us", "since_us")


def upgrade() -> None:
    op.create_table(
        "unit_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("affiliation", sa.String(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=True),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_unit_history_unit", "unit_history", ["unit"])
    op.create_table(
        "prefix_owner",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("low", sa.LargeBinary(), nullable=False),
        sa.Column("high", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=False),
        sa.Column("valid_to_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_prefix_owner_unit", "prefix_owner", ["unit"])
    op.create_index("ix_prefix_owner_span", "prefix_owner", ["high", "low"])
    op.create_table(
        "nat_pool",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("outside", sa.String(), nullable=False),
        sa.Column("inside", sa.String(), nullable=False),
        sa.Column("block_ports", sa.Integer(), nullable=True),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_nat_pool_unit", "nat_pool", ["unit"])
    _create_publication()
    op.create_table(
        "hosting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("targets", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=True),
        sa.Column("valid_to_us", sa.BigInteger(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_hosting_unit", "hosting", ["unit"])
    with op.batch_alter_table("unit", schema=None) as batch_op:
        for name in _TEXT:
            batch_op.add_column(sa.Column(name, sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("aliases", sa.String(), server_default="[]", nullable=False))
        for name in _DATES:
            batch_op.add_column(sa.Column(name, sa.BigInteger(), nullable=True))
    with op.batch_alter_table("exit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("provider", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("line", sa.String(), server_default="", nullable=False))
    _note_owners()


def _create_publication() -> None:
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("outside", sa.LargeBinary(), nullable=False),
        sa.Column("proto", sa.String(), nullable=False),
        sa.Column("first_port", sa.Integer(), nullable=False),
        sa.Column("last_port", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("inside", sa.LargeBinary(), nullable=False),
        sa.Column("inside_port", sa.Integer(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=True),
        sa.Column("valid_to_us", sa.BigInteger(), nullable=True),
        sa.Column("decided_us", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_publication_unit_state", "publication", ["unit", "state"])


def _note_owners() -> None:
    """Let each unit own the public prefixes of its networks from the day it was entered."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT n.unit, n.name, n.prefixes, u.created_us FROM network n JOIN unit u ON u.code = n.unit")
    ).fetchall()
    owners = [
        {
            "unit": unit,
            "network": name,
            "prefix": str(prefix),
            "low": bytes([prefix.version]) + prefix.network_address.packed,
            "high": bytes([prefix.version]) + prefix.broadcast_address.packed,
            "since": created,
        }
        for unit, name, prefixes, created in rows
        for prefix in map(ip_network, json.loads(prefixes))
        if not _is_private(prefix)
    ]
    if owners:
        connection.execute(
            sa.text(
                "INSERT INTO prefix_owner (unit, network, prefix, low, high, valid_from_us) "
                "VALUES (:unit, :network, :prefix, :low, :high, :since)"
            ),
            owners,
        )


def _is_private(prefix: IPv4Network | IPv6Network) -> bool:
    return any(
        prefix.version == one.version and one.prefixlen <= prefix.prefixlen and prefix.network_address in one
        for one in _PRIVATE
    )


def downgrade() -> None:
    with op.batch_alter_table("exit", schema=None) as batch_op:
        batch_op.drop_column("line")
        batch_op.drop_column("provider")
    with op.batch_alter_table("unit", schema=None) as batch_op:
        for name in (*_DATES, "aliases", *_TEXT):
            batch_op.drop_column(name)
    for table in ("hosting", "publication", "nat_pool", "prefix_owner", "unit_history"):
        op.drop_table(table)
