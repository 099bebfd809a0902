"""narrow intervals: words once, addresses that sort, what each run opened and closed kept with the run"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from alembic import op

from sentinel.store.idset import pack_ids
from sentinel.store.interning import Look, digest_look
from sentinel.store.keys import address_key
from sentinel.store.tables_codes import PROTO_CODES, STATE_CODES, WHY_CODES

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BATCH = 5000


def _words(column: str, codes: dict[str, int]) -> str:
    cases = " ".join(f"WHEN {code} THEN '{word}'" for word, code in codes.items())
    return f"CASE {column} {cases} ELSE '' END"


_VIEW = f"""CREATE VIEW endpoint AS SELECT
i.id, h.network, v.name AS vantage, h.address, {_words("i.proto", PROTO_CODES)} AS proto, i.port,
{_words("i.state", STATE_CODES)} AS state, l.service, l.guessed, l.product, l.version, l.tunnel, l.certificate,
l.extra, l.cpes, l.title, i.in_scope, i.misses, i.valid_from_us, i.valid_to_us, i.opened_by, i.closed_by,
{_words("i.closed_why", WHY_CODES)} AS closed_why, i.host
FROM host h JOIN endpoint_interval i ON i.host = h.id JOIN look l ON l.id = i.look
JOIN vantage v ON v.id = i.vantage"""  # noqa: S608  constant words


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column("run", sa.Column("opened", sa.LargeBinary(), nullable=True))
    op.add_column("run", sa.Column("closed", sa.LargeBinary(), nullable=True))
    _create_words()
    places = _move_hosts(connection)
    _move_intervals(connection, places)
    for name in ("ix_endpoint_closed_by", "ix_endpoint_key", "ix_endpoint_opened_by", "ix_endpoint_time"):
        op.drop_index(name, table_name="endpoint")
    op.drop_table("endpoint")
    op.execute(_VIEW)


def _create_words() -> None:
    op.create_table(
        "vantage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "look",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("guessed", sa.Boolean(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("tunnel", sa.String(), nullable=False),
        sa.Column("certificate", sa.String(), nullable=False),
        sa.Column("extra", sa.String(), nullable=False),
        sa.Column("cpes", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "endpoint_interval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host", sa.Integer(), nullable=False),
        sa.Column("vantage", sa.SmallInteger(), nullable=False),
        sa.Column("proto", sa.SmallInteger(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("look", sa.Integer(), nullable=False),
        sa.Column("in_scope", sa.Boolean(), nullable=False),
        sa.Column("misses", sa.SmallInteger(), nullable=False),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=False),
        sa.Column("valid_to_us", sa.BigInteger(), nullable=True),
        sa.Column("opened_by", sa.Integer(), nullable=False),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("closed_why", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _move_hosts(connection: sa.Connection) -> dict[tuple[int, str], int]:
    """Give every address that was up, or only had an endpoint, a row with an id; gives the ids."""
    rows = connection.exec_driver_sql(
        "SELECT network, address, mac, vendor, os, in_scope, first_seen_us, last_seen_us FROM host"
    ).fetchall()
    known = {(row[0], row[1]) for row in rows}
    bare = connection.exec_driver_sql("SELECT DISTINCT network, address FROM endpoint").fetchall()
    op.drop_table("host")
    op.create_table(
        "host",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("network", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.String(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("os", sa.String(), nullable=False),
        sa.Column("in_scope", sa.Boolean(), nullable=False),
        sa.Column("first_seen_us", sa.BigInteger(), nullable=True),
        sa.Column("last_seen_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("network", "address"),
    )
    made: list[tuple[Any, ...]] = [(*row[:2], address_key(row[1]), *row[2:5], bool(row[5]), *row[6:]) for row in rows]
    made += [(*one, address_key(one[1]), "", "", "", True, None, None) for one in map(tuple, bare) if one not in known]
    made.sort(key=lambda row: (row[0], row[2]))
    names = "id, network, address, place, mac, vendor, os, in_scope, first_seen_us, last_seen_us"
    _insert(connection, "host", names, [(number, *row) for number, row in enumerate(made, 1)])
    op.create_index("ix_host_place", "host", ["network", "place"])
    return {(row[0], row[1]): number for number, row in enumerate(made, 1)}


def _move_intervals(connection: sa.Connection, places: dict[tuple[int, str], int]) -> None:
    vantages: dict[str, int] = {}
    looks: dict[Look, int] = {}
    opened: defaultdict[int, list[int]] = defaultdict(list)
    closed: defaultdict[int, list[int]] = defaultdict(list)
    rows = []
    for row in connection.exec_driver_sql(
        "SELECT id, network, vantage, address, proto, port, state, in_scope, misses, valid_from_us, valid_to_us, "
        "opened_by, closed_by, closed_why, service, guessed, product, version, tunnel, certificate, extra, cpes, title "
        "FROM endpoint ORDER BY id"
    ).fetchall():
        service, guessed, *words = row[14:]
        look: Look = (service, bool(guessed), *words)
        opened[row[11]].append(row[0])
        if row[12] is not None:
            closed[row[12]].append(row[0])
        rows.append(
            (
                row[0],
                places[row[1], row[3]],
                vantages.setdefault(row[2], len(vantages) + 1),
                PROTO_CODES[row[4]],
                row[5],
                STATE_CODES[row[6]],
                looks.setdefault(look, len(looks) + 1),
                bool(row[7]),
                *row[8:13],
                WHY_CODES.get(row[13], 0),
            )
        )
    _insert(connection, "vantage", "id, name", [(number, name) for name, number in vantages.items()])
    names = "id, digest, service, guessed, product, version, tunnel, certificate, extra, cpes, title"
    _insert(connection, "look", names, [(number, digest_look(look), *look) for look, number in looks.items()])
    names = (
        "id, host, vantage, proto, port, state, look, in_scope, misses, valid_from_us, valid_to_us, opened_by, "
        "closed_by, closed_why"
    )
    _insert(connection, "endpoint_interval", names, rows)
    op.create_index("ix_endpoint_interval_host", "endpoint_interval", ["host"])
    for column, ids in (("opened", opened), ("closed", closed)):
        statement = sa.text(f"UPDATE run SET {column}=:ids WHERE id=:run")  # noqa: S608  constant columns
        for run, each in ids.items():
            connection.execute(statement, {"ids": pack_ids(sorted(each)), "run": run})


def _insert(connection: sa.Connection, table: str, names: str, rows: list[tuple[Any, ...]]) -> None:
    keys = names.split(", ")
    target = sa.table(table, *map(sa.column, keys))
    for start in range(0, len(rows), _BATCH):
        connection.execute(target.insert(), [dict(zip(keys, row, strict=True)) for row in rows[start : start + _BATCH]])


def downgrade() -> None:
    connection = op.get_bind()
    rows = connection.exec_driver_sql(
        "SELECT id, network, vantage, address, proto, port, state, service, guessed, product, version, tunnel, "
        "certificate, extra, cpes, title, in_scope, misses, valid_from_us, valid_to_us, opened_by, closed_by, "
        "closed_why FROM endpoint ORDER BY id"
    ).fetchall()
    hosts = connection.exec_driver_sql(
        "SELECT network, address, mac, vendor, os, in_scope, first_seen_us, last_seen_us FROM host "
        "WHERE first_seen_us IS NOT NULL"
    ).fetchall()
    op.execute("DROP VIEW endpoint")
    for table in ("endpoint_interval", "look", "vantage", "host"):
        op.drop_table(table)
    with op.batch_alter_table("run") as batch_op:
        batch_op.drop_column("opened")
        batch_op.drop_column("closed")
    _create_old_tables()
    names = "network, address, mac, vendor, os, in_scope, first_seen_us, last_seen_us"
    _insert(connection, "host", names, [tuple(row) for row in hosts])
    names = (
        "id, network, vantage, address, proto, port, state, service, guessed, product, version, tunnel, certificate, "
        "extra, cpes, title, in_scope, misses, valid_from_us, valid_to_us, opened_by, closed_by, closed_why"
    )
    _insert(connection, "endpoint", names, [tuple(row) for row in rows])


def _create_old_tables() -> None:
    op.create_table(
        "host",
        sa.Column("network", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("mac", "vendor", "os")),
        sa.Column("in_scope", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("first_seen_us", "last_seen_us")),
        sa.PrimaryKeyConstraint("network", "address"),
    )
    told = ("service", "product", "version", "tunnel", "certificate", "extra", "cpes", "title", "closed_why")
    op.create_table(
        "endpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("network", "port", "misses", "opened_by")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("vantage", "address", "proto", "state", *told)),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("guessed", "in_scope")),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=False),
        sa.Column("valid_to_us", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, columns in (
        ("ix_endpoint_closed_by", ["closed_by"]),
        ("ix_endpoint_key", ["network", "vantage", "address", "valid_to_us"]),
        ("ix_endpoint_opened_by", ["opened_by"]),
        ("ix_endpoint_time", ["network", "valid_from_us"]),
    ):
        op.create_index(name, "endpoint", columns)
