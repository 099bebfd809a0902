"""What speaks for a unit's whitelist beside its own entries, what was withdrawn, and drafts: values in, values out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from ipaddress import ip_network

from sentinel.model.moment import from_optional, to_microseconds, to_optional
from sentinel.model.ports import PortSet, parse_ranges
from sentinel.model.proposal import Decision, DraftLine, Proposal, Registered
from sentinel.model.unit import Unit
from sentinel.model.whitelist import PeerKind, WhitelistEntry, WhitelistKind
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.scopes import WHITELIST_COLUMNS, build_whitelist_entry

_LINE = "draft, line, mark, content, decision, entry"


def read_applying(database: Database, unit: Unit) -> tuple[WhitelistEntry, ...]:
    """Give the entries that speak for a unit: its own, and those of units above that hold below; not withdrawn ones."""
    return tuple(one for one in read_whitelist_history(database, unit) if one.withdrawn is None)


def read_whitelist_history(database: Database, unit: Unit) -> tuple[WhitelistEntry, ...]:
    """Give all entries that speak or spoke for a unit, withdrawn ones too, oldest first."""
    row = database.one("SELECT path FROM unit WHERE code=?", (unit.code,))
    above = str(row[0]).split("/")[:-1] if row else []
    marks = ",".join("?" * len(above))
    clause = f" OR (unit IN ({marks}) AND below IS TRUE)" if above else ""
    rows = database.query(
        f"SELECT {WHITELIST_COLUMNS} FROM whitelist WHERE unit=?{clause} ORDER BY id",  # noqa: S608
        (unit.code, *above),
    )
    return tuple(map(build_whitelist_entry, rows))


def write_draft(transaction: Transaction, unit: str, proposals: Iterable[Proposal]) -> tuple[DraftLine, ...]:
    """Keep a draft; gives its lines with the draft's number."""
    row = transaction.execute(
        "INSERT INTO whitelist_draft (unit, made_us, actor) VALUES (?,?,?) RETURNING id",
        (unit, to_microseconds(transaction.now), transaction.actor),
    ).fetchone()
    lines = tuple(DraftLine(int(row[0]), number, one.mark, one) for number, one in enumerate(proposals, start=1))
    transaction.execute_many(
        "INSERT INTO whitelist_draft_line (draft, line, mark, content, decision) VALUES (?,?,?,?,'')",
        [(one.draft, one.line, one.mark, _pack(one.proposal)) for one in lines],
    )
    transaction.audit("whitelist.draft", f"whitelist draft {row[0]} of unit {unit}", after={"lines": len(lines)})
    return lines


def read_draft(database: Database, unit: str, number: int) -> dict[int, DraftLine]:
    """Give the lines of a unit's draft by their place; nothing when the unit has no such draft."""
    if database.one("SELECT id FROM whitelist_draft WHERE id=? AND unit=?", (number, unit)) is None:
        return {}
    rows = database.query(
        f"SELECT {_LINE} FROM whitelist_draft_line WHERE draft=? ORDER BY line",  # noqa: S608
        (number,),
    )
    return {row[1]: _line(row) for row in rows}


def read_draft_numbers(database: Database, unit: str) -> tuple[int, ...]:
    """Give the numbers of a unit's drafts, oldest first."""
    rows = database.query("SELECT id FROM whitelist_draft WHERE unit=? ORDER BY id", (unit,))
    return tuple(int(row[0]) for row in rows)


def remove_draft_lines(transaction: Transaction, lines: Iterable[DraftLine]) -> None:
    """Forget lines of drafts, which then cannot be decided on; entries they became stay."""
    transaction.execute_many(
        "DELETE FROM whitelist_draft_line WHERE draft=? AND line=?", [(one.draft, one.line) for one in lines]
    )


def write_decisions(transaction: Transaction, lines: Iterable[DraftLine]) -> None:
    """Note what was decided of lines, and the entries they became."""
    moment = to_microseconds(transaction.now)
    transaction.execute_many(
        "UPDATE whitelist_draft_line SET decision=?, decided_us=?, entry=? WHERE draft=? AND line=?",
        [(one.decision.value if one.decision else "", moment, one.entry, one.draft, one.line) for one in lines],
    )


def _line(row: Row) -> DraftLine:
    return DraftLine(row[0], row[1], row[2], _unpack(row[3]), Decision(row[4]) if row[4] else None, row[5])


def _pack(one: Proposal) -> str:
    """Write what a line says; its members stay out: their sum is kept."""
    words: dict[str, object] = {
        "kind": one.kind.value,
        "domain": one.domain,
        "addresses": [str(prefix) for prefix in one.addresses],
        "proto": one.proto,
        "ports": str(one.ports),
        "service": one.service,
        "peer": one.peer.value,
        "reason": one.reason,
        "network": one.network,
        "department": one.department,
        "registered": one.registered.value,
        "hosts": one.hosts,
        "whole": one.whole,
        "last_seen_us": to_optional(one.last_seen),
        "risk": one.risk,
        "advice": one.advice.value,
        "until": one.until.isoformat() if one.until else None,
    }
    return json.dumps(words, ensure_ascii=False)


def _unpack(text: str) -> Proposal:
    words = json.loads(text)
    plain = {name: words[name] for name in ("domain", "proto", "service", "reason", "network", "department")}
    made = Proposal(
        kind=WhitelistKind(words["kind"]),
        addresses=tuple(ip_network(piece) for piece in words["addresses"]),
        ports=parse_ranges(words["ports"]) if words["ports"] else PortSet(),
        peer=PeerKind(words["peer"]),
        registered=Registered(words["registered"]),
        hosts=words["hosts"],
        whole=words["whole"],
        last_seen=from_optional(words["last_seen_us"]),
        risk=words["risk"],
        advice=Decision(words["advice"]),
        until=date.fromisoformat(words["until"]) if words["until"] else None,
    )
    return replace(made, **plain)
