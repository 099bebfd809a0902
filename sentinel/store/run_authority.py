"""The newest runs of a unit with the authorisation each was allowed by."""

from __future__ import annotations

from sentinel.model.endpoint import Run
from sentinel.store.database import Database
from sentinel.store.runs import read_newest_runs


def read_run_listing(database: Database, unit: str, last: int) -> tuple[tuple[Run, int | None], ...]:
    """Give the newest runs, the newest first, each with the id of its authorisation; None: it needed none."""
    runs = read_newest_runs(database, unit, last)
    if not runs:
        return ()
    rows = database.query(
        "SELECT id, authorisation FROM run WHERE unit=? AND id>=?", (unit, min(run.id for run in runs))
    )
    allowed = {int(number): authorisation for number, authorisation in rows}
    return tuple((run, allowed.get(run.id)) for run in runs)
