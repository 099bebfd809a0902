"""Units, their networks, authorisations, whitelist and plans: read as values, written as objects with an audit row."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network

from sentinel.errors import UsageError
from sentinel.model.moment import from_optional, to_microseconds, to_optional
from sentinel.model.plan import Plan
from sentinel.model.unit import DEFAULT_NETWORK, IPNetwork, Network, Unit, UnitLevel, Zone
from sentinel.model.unit_history import DATED
from sentinel.model.unit_kind import UnitKind
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.endpoints import remove_history
from sentinel.store.keys import escape_like
from sentinel.store.ownership import claim_prefixes
from sentinel.store.sightings import leave_network
from sentinel.store.unit_history import correct_present, record_change, rename_in_history

_UNIT = (
    "code, name, level, parent, path, region, credit, kind, affiliation, aliases, valid_from_us, valid_to_us, since_us"
)
_NETWORK = "id, unit, name, zone, prefixes, scannable"


def write_unit(transaction: Transaction, unit: Unit) -> Unit:
    """Add a unit below its parent, with its default network; gives it back with its path.

    Raises:
        UsageError: the code is taken, unusable, or the parent is not there or of a lower level.
    """
    from sentinel.store.tables import NetworkRow, UnitRow

    _check_code(transaction.database, unit.code)
    parent = find_unit(transaction.database, unit.parent) if unit.parent else None
    if unit.parent and parent is None:
        raise UsageError(f"no such unit: {unit.parent!r}; add the upper unit first")
    check_place(transaction.database, unit, parent)
    placed = replace(
        unit, parent=parent.code if parent else "", path=f"{parent.path}/{unit.code}" if parent else unit.code
    )
    transaction.session.add(
        UnitRow(
            code=placed.code,
            name=placed.name,
            level=placed.level,
            parent=placed.parent,
            path=placed.path,
            region=placed.region,
            credit=placed.credit,
            kind=placed.kind,
            affiliation=placed.affiliation,
            aliases=json.dumps(placed.aliases, ensure_ascii=False),
            valid_from_us=to_optional(placed.valid_from),
            valid_to_us=to_optional(placed.valid_to),
        )
    )
    transaction.session.add(NetworkRow(unit=placed.code, name=DEFAULT_NETWORK, zone=Zone.UNKNOWN))
    transaction.flush()
    transaction.audit("unit.add", f"unit {placed.code}", after={"name": placed.name, "parent": placed.parent})
    return placed


def _check_code(database: Database, code: str) -> None:
    if not code or "/" in code or len(code) > 100 or not code.isprintable() or code != code.strip():
        raise UsageError(f"a unit code is 1 to 100 printable characters without '/' or blanks around it: {code!r}")
    if find_unit(database, code):
        raise UsageError(f"there is a unit {code!r} already")


def check_place(database: Database, unit: Unit, parent: Unit | None) -> None:
    """Refuse a unit above which one of a lower level would stand, or below which one of a higher level stands.

    Raises:
        UsageError: it would.
    """
    if parent and not unit.level.may_stand_under(parent.level):
        raise UsageError(f"a unit of level {unit.level} cannot stand under {parent.code}, which is of {parent.level}")
    for code, level in database.query("SELECT code, level FROM unit WHERE parent=?", (unit.code,)):
        if not UnitLevel(level).may_stand_under(unit.level):
            raise UsageError(f"{code} of level {level} stands under {unit.code}, which would be of level {unit.level}")


def find_unit(database: Database, code_or_name: str) -> Unit | None:
    """Give the unit with this code, else the only one with this name."""
    row = database.one(f"SELECT {_UNIT} FROM unit WHERE code=?", (code_or_name,))  # noqa: S608  constant columns
    if row:
        return _unit(row)
    rows = list(database.query(f"SELECT {_UNIT} FROM unit WHERE name=? LIMIT 2", (code_or_name,)))  # noqa: S608
    return _unit(rows[0]) if len(rows) == 1 else None


def find_unit_called(database: Database, name: str) -> Unit | None:
    """Give the only unit that has, or had, this other name; one that was renamed is found by its old name."""
    text = json.dumps(name, ensure_ascii=False)
    rows = database.query(
        f"SELECT {_UNIT} FROM unit WHERE aliases LIKE ? ESCAPE '\\'",  # noqa: S608  constant columns
        (f"%{escape_like(text)}%",),
    )
    found = [one for one in map(_unit, rows) if name in one.aliases]
    return found[0] if len(found) == 1 else None


def find_only_unit(database: Database) -> Unit | None:
    """Give the unit of a home that has one only."""
    rows = list(database.query(f"SELECT {_UNIT} FROM unit LIMIT 2"))  # noqa: S608
    return _unit(rows[0]) if len(rows) == 1 else None


def count_units(database: Database) -> int:
    """Count the units."""
    row = database.one("SELECT count(*) FROM unit")
    return int(row[0]) if row else 0


def reread_unit(transaction: Transaction, known: Unit) -> Unit:
    """Give a unit that was read before as it stands now that nobody else can change it.

    Raises:
        UsageError: it is not there any more, or has another code.
    """
    row = transaction.database.one(f"SELECT {_UNIT} FROM unit WHERE code=?", (known.code,))  # noqa: S608
    if row is None:
        raise UsageError(f"unit {known.code} has another code now; `sentinel unit list` shows the units")
    return _unit(row)


def read_units(database: Database, below: Unit | None = None) -> tuple[Unit, ...]:
    """Give all units, or one with everything below it; parents before children."""
    statement = f"SELECT {_UNIT} FROM unit"  # noqa: S608  constant columns
    if below is None:
        rows = database.query(f"{statement} ORDER BY path")
    else:
        low = f"{below.path}/"
        high = f"{below.path}0"  # '0' follows '/' in the order of bytes
        rows = database.query(
            f"{statement} WHERE path=? OR (path>=? AND path<?) ORDER BY path", (below.path, low, high)
        )
    return tuple(_unit(row) for row in rows)


def _unit(row: Row) -> Unit:
    return Unit(
        row[0],
        row[1],
        UnitLevel(row[2]),
        row[3],
        row[4],
        row[5],
        row[6],
        UnitKind(row[7]),
        row[8],
        tuple(json.loads(row[9])),
        from_optional(row[10]),
        from_optional(row[11]),
        from_optional(row[12]),
    )


def read_networks(database: Database, unit: str) -> tuple[Network, ...]:
    """Give the networks of a unit, the default one first."""
    rows = database.query(f"SELECT {_NETWORK} FROM network WHERE unit=? ORDER BY id", (unit,))  # noqa: S608
    return tuple(Network(row[0], row[1], row[2], Zone(row[3]), _prefixes(row[4]), bool(row[5])) for row in rows)


def read_networks_below(database: Database, top: Unit) -> dict[str, tuple[Network, ...]]:
    """Give the networks of a unit and of everything below it, by unit, in one question."""
    columns = ", ".join(f"network.{name.strip()}" for name in _NETWORK.split(","))
    rows = database.query(
        f"SELECT {columns} FROM network JOIN unit ON unit.code = network.unit "  # noqa: S608  constant columns
        "WHERE unit.path=? OR (unit.path>=? AND unit.path<?) ORDER BY network.id",
        (top.path, f"{top.path}/", f"{top.path}0"),
    )
    found: dict[str, list[Network]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(
            Network(row[0], row[1], row[2], Zone(row[3]), _prefixes(row[4]), bool(row[5]))
        )
    return {unit: tuple(networks) for unit, networks in found.items()}


def write_network(transaction: Transaction, network: Network, since: datetime | None = None) -> Network:
    """Add a network to a unit, or change its zone, prefixes and whether it may be scanned.

    The unit owns public prefixes that are new to it from `since` on, or from now.

    Raises:
        UsageError: one of its prefixes belongs to another network of the unit, or is public and another unit's.
    """
    from sentinel.store.tables import NetworkRow

    others = [one for one in read_networks(transaction.database, network.unit) if one.name != network.name]
    for prefix in network.prefixes:
        for other in others:
            if prefix in other.prefixes:
                raise UsageError(f"{prefix} belongs to network {other.name!r} of this unit already")
    before = next((one for one in read_networks(transaction.database, network.unit) if one.name == network.name), None)
    claim_prefixes(transaction, network, since)
    row = transaction.session.get(NetworkRow, before.id) if before else None
    if row is None:
        row = NetworkRow(unit=network.unit, name=network.name, zone=network.zone)
    row.zone = network.zone
    row.prefixes = json.dumps([str(prefix) for prefix in network.prefixes])
    row.scannable = network.scannable
    transaction.session.add(row)
    transaction.flush()
    transaction.audit(
        "network.change" if before else "network.add",
        f"network {network.unit}/{network.name}",
        before=_network_words(before) if before else None,
        after=_network_words(network),
    )
    return replace(network, id=row.id or 0)


def remove_network(transaction: Transaction, network: Network, default: Network) -> None:
    """Take a network away; its findings go to the default one, and what was seen of it has to be placed anew."""
    claim_prefixes(transaction, replace(network, prefixes=()))
    remove_history(transaction, [network.id], None)
    transaction.execute(
        "UPDATE finding SET network=? WHERE network=? AND NOT EXISTS (SELECT 1 FROM finding other "
        "WHERE other.unit=finding.unit AND other.rule=finding.rule AND other.network=? "
        "AND other.subject=finding.subject)",
        (default.id, network.id, default.id),
    )
    leave_network(transaction, network.id, default.id)
    transaction.execute("DELETE FROM network WHERE id=?", (network.id,))
    subject = f"network {network.unit}/{network.name}"
    transaction.audit("network.remove", subject, before=_network_words(network))


def change_unit(transaction: Transaction, before: Unit, after: Unit, *, correct: bool = False) -> Unit:
    """Change what is written of a unit, or its code and with it every row that names the unit.

    What is dated changes from now on, unless it is to `correct` a mistake, of which no history is kept. What is sealed
    for the old code must be sealed anew by the caller, in the same transaction.

    What somebody else changed since `before` was read stays, where `after` is no other.

    Raises:
        UsageError: the new code is taken or unusable, or the level does not fit where the unit stands.
    """
    told = {one.name: getattr(after, one.name) for one in dataclass_fields(Unit)}
    wanted = {name: value for name, value in told.items() if value != getattr(before, name)}
    before = reread_unit(transaction, before)
    after = replace(before, **wanted)
    if after.level is not before.level:
        parent = find_unit(transaction.database, before.parent) if before.parent else None
        check_place(transaction.database, replace(before, level=after.level), parent)
    if after.code != before.code:
        _change_code(transaction, before.code, after.code)
    path = f"{before.path.rpartition('/')[0]}/{after.code}".lstrip("/")
    changed = replace(after, path=path, parent=before.parent)
    fields = {name: getattr(changed, name) for name in DATED if getattr(changed, name) != getattr(before, name)}
    if fields and not correct:
        old = replace(before, code=after.code)
        changed = replace(changed, since=record_change(transaction, old, transaction.now, fields, "unit set").since)
    transaction.execute(
        "UPDATE unit SET code=?, name=?, level=?, region=?, path=?, credit=?, kind=?, affiliation=?, aliases=?, "
        "valid_from_us=?, valid_to_us=?, since_us=? WHERE code=?",
        (
            changed.code,
            changed.name,
            str(changed.level),
            changed.region,
            path,
            changed.credit,
            str(changed.kind),
            changed.affiliation,
            json.dumps(changed.aliases, ensure_ascii=False),
            to_optional(changed.valid_from),
            to_optional(changed.valid_to),
            to_optional(changed.since),
            before.code,
        ),
    )
    if correct:
        correct_present(transaction, changed)
    transaction.execute(
        "UPDATE unit SET path=? || substr(path, ?) WHERE path>=? AND path<?",
        (path, len(before.path) + 1, f"{before.path}/", f"{before.path}0"),
    )
    words = [_unit_words(one) for one in (before, changed)]
    transaction.audit("unit.change", f"unit {before.code}", before=words[0], after=words[1])
    return changed


def _change_code(transaction: Transaction, before: str, after: str) -> None:
    _check_code(transaction.database, after)
    for table in transaction.database.engine.tables_with("unit"):
        transaction.execute(f'UPDATE "{table}" SET unit=? WHERE unit=?', (after, before))  # noqa: S608
    transaction.execute("UPDATE finding SET subject=? WHERE unit=? AND network=0 AND subject=?", (after, after, before))
    transaction.execute("UPDATE unit SET parent=? WHERE parent=?", (after, before))
    rename_in_history(transaction, before, after)


def _unit_words(one: Unit) -> dict[str, object]:
    words = {"code": one.code, "name": one.name, "level": one.level, "region": one.region, "credit": one.credit}
    more = {"kind": one.kind, "affiliation": one.affiliation, "aliases": list(one.aliases)}
    return words | more | {"valid_from": one.valid_from, "valid_to": one.valid_to}


def _network_words(network: Network) -> dict[str, object]:
    return {
        "zone": network.zone,
        "prefixes": [str(prefix) for prefix in network.prefixes],
        "scannable": network.scannable,
    }


def _prefixes(text: str) -> tuple[IPNetwork, ...]:
    return tuple(ip_network(piece) for piece in json.loads(text))


def write_plan(transaction: Transaction, plan: Plan) -> None:
    """Set when a unit's cycle runs."""
    from sentinel.store.tables import PlanRow

    row = transaction.session.get(PlanRow, plan.unit)
    before = {"at": row.at, "days": row.days, "enabled": row.enabled} if row else None
    if row is None:
        row = PlanRow(unit=plan.unit, at=plan.at)
    row.at, row.days, row.enabled, row.ports = plan.at, plan.days, plan.enabled, plan.ports
    row.created_us = to_microseconds(transaction.now)
    transaction.session.add(row)
    after = {"at": plan.at, "days": plan.days, "enabled": plan.enabled, "ports": plan.ports}
    transaction.audit("plan.set", f"unit {plan.unit}", before=before, after=after)


def write_plan_result(transaction: Transaction, unit: str, due: datetime, result: str) -> None:
    """Note that the cycle due then has run, and how it went."""
    transaction.execute(
        "UPDATE plan SET last_due_us=?, last_finished_us=?, last_result=? WHERE unit=?",
        (to_microseconds(due), to_microseconds(transaction.now), result[:500], unit),
    )
    transaction.audit("cycle.run", f"unit {unit}", after={"due": due.isoformat(), "result": result[:500]})


def read_plans(database: Database) -> tuple[Plan, ...]:
    """Give all plans, by unit."""
    rows: Iterable[Row] = database.query(
        "SELECT unit, at, days, enabled, ports, created_us, last_due_us, last_finished_us, last_result "
        "FROM plan ORDER BY unit"
    )
    return tuple(
        Plan(
            row[0],
            row[1],
            row[2],
            bool(row[3]),
            row[4],
            from_optional(row[5]),
            from_optional(row[6]),
            from_optional(row[7]),
            row[8],
        )
        for row in rows
    )
