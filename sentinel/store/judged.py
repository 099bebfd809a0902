"""When a unit was last judged, and what arrived since: a count of findings means nothing for what no rule looked at."""

from __future__ import annotations

import json
from datetime import datetime

from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.store.database import Database


def read_newest_check(database: Database, unit: str) -> datetime | None:
    """Give when the rules were last applied to a unit, under whatever code it had then; None: never."""
    code = f"unit {unit}"
    rows = database.query(
        "SELECT at_us, action, object, after FROM audit "
        "WHERE action IN ('unit.check', 'unit.change', 'unit.add') ORDER BY id DESC"
    )
    for at_us, action, subject, after in rows:
        if action == "unit.change" and f"unit {json.loads(after).get('code', '')}" == code:
            code = subject
        elif subject == code and action == "unit.check":
            return from_microseconds(at_us)
        elif subject == code and action == "unit.add":
            return None
    return None


def read_newest_pack(database: Database, unit: str) -> str:
    """Give the hash of the rules a unit was last judged by; empty: never."""
    newest = read_newest_check(database, unit)
    if newest is None:
        return ""
    row = database.one(
        "SELECT after FROM audit WHERE action='unit.check' AND object=? AND at_us=? ORDER BY id DESC LIMIT 1",
        (f"unit {unit}", to_microseconds(newest)),
    )
    return str(json.loads(row[0]).get("pack", "")) if row else ""


def read_unjudged(database: Database, unit: str) -> frozenset[int]:
    """Give the ids of the runs of a unit that arrived after it was last judged."""
    rows = database.query("SELECT id FROM run WHERE unit=? AND arrived_us>?", (unit, _last_check(database, unit)))
    return frozenset(int(row[0]) for row in rows)


def count_unjudged(database: Database, unit: str) -> int:
    """Count the runs and captures of a unit that arrived after it was last judged."""
    since = _last_check(database, unit)
    row = database.one(
        "SELECT (SELECT count(*) FROM run WHERE unit=? AND arrived_us>?)"
        " + (SELECT count(*) FROM capture WHERE unit=? AND analysed_us>?)",
        (unit, since, unit, since),
    )
    return int(row[0]) if row else 0


def _last_check(database: Database, unit: str) -> int:
    newest = read_newest_check(database, unit)
    return -1 if newest is None else to_microseconds(newest)
