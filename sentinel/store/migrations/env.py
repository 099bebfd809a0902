"""Alembic's entry: runs the migrations on the tables of a home, all of them in one transaction.

On a database file that transaction is begun and ended here; on a server it is the one `connection` is in already.
"""

import sqlite3

from alembic import context
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from sentinel.store import tables

target_metadata = SQLModel.metadata
assert tables is not None

check = context.config.attributes.get("check")


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=target_metadata, render_as_batch=True, transactional_ddl=True
    )
    with context.begin_transaction():
        context.run_migrations()
        if check is not None:
            check(connection)


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver would commit before DDL


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    engine = create_engine(f"sqlite:///{context.config.attributes['database']}", poolclass=NullPool)
    event.listen(engine, "connect", _leave_transactions_to_us)
    event.listen(engine, "begin", _begin)
    with engine.connect() as connection:
        _run(connection)
