"""Alembic's entry: runs the migrations on the database file of a home, all of them in one transaction."""

import sqlite3

from alembic import context
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from sentinel.store import tables

target_metadata = SQLModel.metadata
assert tables is not None

database = context.config.attributes["database"]
check = context.config.attributes.get("check")
engine = create_engine(f"sqlite:///{database}", poolclass=NullPool)


@event.listens_for(engine, "connect")
def _leave_transactions_to_us(
    connection: sqlite3.Connection, _record: object
) -> None:  # the driver would commit before DDL
    connection.isolation_level = None


@event.listens_for(engine, "begin")
def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(
        connection=connection, target_metadata=target_metadata, render_as_batch=True, transactional_ddl=True
    )
    with context.begin_transaction():
        context.run_migrations()
        if check is not None:
            check(connection)
