"""Authorisations and whitelist entries: read as values, added and withdrawn, never deleted."""

from __future__ import annotations

import json
from dataclasses import replace

from sentinel.errors import UsageError
from sentinel.model.moment import from_microseconds, from_optional, iso_utc, to_microseconds, to_optional
from sentinel.model.plain import read_plain_prefix
from sentinel.model.ports import PortSet, parse_ranges
from sentinel.model.scope import Authorisation, Level, Target
from sentinel.model.unit import IPNetwork
from sentinel.model.whitelist import Direction, PeerKind, WhitelistAction, WhitelistEntry, WhitelistKind
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.keys import clip_row_id

_AUTHORISATION = (
    "id, unit, targets, excluded, by, document, valid_from_us, valid_to_us, level, allow_loopback, rate_pps, "
    "withdrawn_us"
)
_ENTRY = (
    "unit, kind, domain, addresses, proto, ports, service, reason, approved_by, document, valid_from_us, valid_to_us, "
    "action, direction, peer, peers, below, origin, created_us"
)
WHITELIST_COLUMNS = f"id, {_ENTRY}, withdrawn_us, withdrawn_why"
"""What `build_whitelist_entry` reads, in its order."""


def write_authorisation(transaction: Transaction, authorisation: Authorisation) -> Authorisation:
    """Add an authorisation; gives it back with its id."""
    from sentinel.store.tables import AuthorisationRow

    row = AuthorisationRow(
        unit=authorisation.unit,
        targets=_target_text(authorisation.targets),
        excluded=_target_text(authorisation.excluded),
        by=authorisation.by,
        document=authorisation.document,
        valid_from_us=to_microseconds(authorisation.valid_from),
        valid_to_us=to_microseconds(authorisation.valid_to),
        level=authorisation.level.word,
        allow_loopback=authorisation.allow_loopback,
        rate_pps=authorisation.rate_pps,
    )
    transaction.session.add(row)
    transaction.flush()
    stored = replace(authorisation, id=row.id or 0)
    transaction.audit("scope.authorise", f"authorisation {stored.id}", after=build_authorisation_words(stored))
    return stored


def withdraw_authorisation(transaction: Transaction, authorisation_id: int, reason: str) -> None:
    """End an authorisation now.

    Raises:
        UsageError: there is none with this id, or it is withdrawn already.
    """
    _withdraw(transaction, "authorisation", "scope.withdraw", authorisation_id, reason)


def read_authorisations(database: Database, unit: str | None = None) -> tuple[Authorisation, ...]:
    """Give the authorisations of a unit, or all of them, oldest first; withdrawn and expired ones too."""
    where, values = ("WHERE unit=?", (unit,)) if unit else ("", ())
    rows = database.query(f"SELECT {_AUTHORISATION} FROM authorisation {where} ORDER BY id", values)  # noqa: S608
    return tuple(
        Authorisation(
            id=row[0],
            unit=row[1],
            targets=_targets(row[2]),
            excluded=_targets(row[3]),
            by=row[4],
            document=row[5],
            valid_from=from_microseconds(row[6]),
            valid_to=from_microseconds(row[7]),
            level=Level.named(row[8]),
            allow_loopback=bool(row[9]),
            rate_pps=row[10],
            withdrawn_at=from_optional(row[11]),
        )
        for row in rows
    )


def build_authorisation_words(one: Authorisation) -> dict[str, object]:
    """Write an authorisation as plain values, for JSON and the audit."""
    return {
        "id": one.id,
        "unit": one.unit,
        "targets": [target.text for target in one.targets],
        "excluded": [target.text for target in one.excluded],
        "by": one.by,
        "document": one.document,
        "valid_from": iso_utc(one.valid_from),
        "valid_to": iso_utc(one.valid_to),
        "level": one.level.word,
        "allow_loopback": one.allow_loopback,
        "rate_pps": one.rate_pps,
        "withdrawn_at": iso_utc(one.withdrawn_at) if one.withdrawn_at else None,
    }


def _target_text(targets: tuple[Target, ...]) -> str:
    return json.dumps([target.text for target in targets], ensure_ascii=False)


def _targets(text: str) -> tuple[Target, ...]:
    return tuple(_target(piece) for piece in json.loads(text))


def _target(text: str) -> Target:
    try:
        return Target(text, network=read_plain_prefix(text))
    except ValueError:
        return Target(text, name=text)


def write_whitelist_entry(transaction: Transaction, entry: WhitelistEntry) -> WhitelistEntry:
    """Add an entry; gives it back with its id and when it was entered."""
    entered = replace(entry, created=transaction.now)
    row = transaction.execute(
        f"INSERT INTO whitelist ({_ENTRY}) "  # noqa: S608  constant columns
        "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id",
        (
            entered.unit,
            entered.kind.value,
            entered.domain,
            _prefix_text(entered.addresses),
            entered.proto,
            str(entered.ports),
            entered.service,
            entered.reason,
            entered.approved_by,
            entered.document,
            to_optional(entered.valid_from),
            to_optional(entered.valid_to),
            entered.action.value,
            entered.direction.value,
            entered.peer.value,
            _prefix_text(entered.peers),
            entered.below,
            entered.origin,
            to_microseconds(transaction.now),
        ),
    ).fetchone()
    stored = replace(entered, id=int(row[0]))
    transaction.audit("whitelist.add", f"whitelist {stored.id}", after=build_whitelist_words(stored))
    return stored


def withdraw_whitelist_entry(transaction: Transaction, entry_id: int, reason: str) -> None:
    """End an entry now.

    Raises:
        UsageError: there is none with this id, or it is withdrawn already.
    """
    _withdraw(transaction, "whitelist", "whitelist.withdraw", entry_id, reason)
    transaction.execute("UPDATE whitelist SET withdrawn_why=? WHERE id=?", (reason, entry_id))


def read_whitelist(database: Database, unit: str) -> tuple[WhitelistEntry, ...]:
    """Give the entries of a unit that were not withdrawn, oldest first; expired ones too."""
    rows = database.query(
        f"SELECT {WHITELIST_COLUMNS} FROM whitelist WHERE unit=? AND withdrawn_us IS NULL ORDER BY id",  # noqa: S608
        (unit,),
    )
    return tuple(map(build_whitelist_entry, rows))


def build_whitelist_entry(row: Row) -> WhitelistEntry:
    """Build an entry of a row of `WHITELIST_COLUMNS`."""
    return WhitelistEntry(
        id=row[0],
        unit=row[1],
        kind=WhitelistKind(row[2]),
        domain=row[3],
        addresses=_prefixes(row[4]),
        proto=row[5],
        ports=parse_ranges(row[6]) if row[6] else PortSet(),
        service=row[7],
        reason=row[8],
        approved_by=row[9],
        document=row[10],
        valid_from=from_optional(row[11]),
        valid_to=from_optional(row[12]),
        action=WhitelistAction(row[13]),
        direction=Direction(row[14]),
        peer=PeerKind(row[15]),
        peers=_prefixes(row[16]),
        below=bool(row[17]),
        origin=row[18],
        created=from_optional(row[19]),
        withdrawn=from_optional(row[20]),
        withdrawn_why=row[21],
    )


def _prefix_text(prefixes: tuple[IPNetwork, ...]) -> str:
    return json.dumps([str(prefix) for prefix in prefixes])


def _prefixes(text: str) -> tuple[IPNetwork, ...]:
    return tuple(read_plain_prefix(piece) for piece in json.loads(text))


def build_whitelist_words(entry: WhitelistEntry) -> dict[str, object]:
    """Write an entry as plain values, for JSON and the audit."""
    return {
        "id": entry.id,
        "unit": entry.unit,
        "kind": entry.kind.value,
        "domain": entry.domain,
        "addresses": [str(prefix) for prefix in entry.addresses],
        "proto": entry.proto,
        "ports": str(entry.ports),
        "service": entry.service,
        "reason": entry.reason,
        "approved_by": entry.approved_by,
        "document": entry.document,
        "valid_from": iso_utc(entry.valid_from) if entry.valid_from else None,
        "valid_to": iso_utc(entry.valid_to) if entry.valid_to else None,
        "action": entry.action.value,
        "direction": entry.direction.value,
        "peer": entry.peer.value,
        "peers": [str(prefix) for prefix in entry.peers],
        "below": entry.below,
        "origin": entry.origin,
    }


def _withdraw(transaction: Transaction, table: str, action: str, row_id: int, reason: str) -> None:
    cursor = transaction.execute(
        f"UPDATE {table} SET withdrawn_us=? WHERE id=? AND withdrawn_us IS NULL",  # noqa: S608  constant tables
        (to_microseconds(transaction.now), clip_row_id(row_id)),
    )
    if cursor.rowcount != 1:
        raise UsageError(f"there is no {table} entry {row_id} in force")
    transaction.audit(action, f"{table} {row_id}", before="in force", after={"withdrawn": True, "reason": reason})
