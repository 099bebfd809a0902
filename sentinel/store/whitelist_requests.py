"""Go-live and port-opening requests: written once with their events, read as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network

from sentinel.errors import UsageError
from sentinel.model.moment import SHANGHAI, from_microseconds, to_microseconds
from sentinel.model.ports import parse_ranges
from sentinel.model.whitelist import PeerKind
from sentinel.model.whitelist_request import (
    STEPS,
    RequestEvent,
    RequestKind,
    RequestState,
    RequestStep,
    WhitelistRequest,
)
from sentinel.store.database import Database, Row, Transaction

_FIELDS = (
    "number, unit, kind, state, department, system, purpose, valid_from_us, valid_to_us, made_us, addresses, domains, "
    "ports, service, peer, peers, replaces"
)
_SELECT = f"SELECT id, {_FIELDS} FROM whitelist_request"  # noqa: S608  constant columns


def write_request(transaction: Transaction, request: WhitelistRequest) -> WhitelistRequest:
    """Add a request, submitted at the transaction's time; gives it back with id and number."""
    made = replace(
        request,
        number=_next_number(transaction),
        state=RequestState.SUBMITTED,
        made_at=transaction.now,
    )
    row = transaction.execute(
        f"INSERT INTO whitelist_request ({_FIELDS}) "  # noqa: S608
        "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id",
        (
            made.number,
            made.unit,
            made.kind.value,
            made.state.value,
            made.department,
            made.system,
            made.purpose,
            to_microseconds(made.valid_from),
            to_microseconds(made.valid_to),
            to_microseconds(made.made_at),
            json.dumps([str(one) for one in made.addresses]),
            json.dumps(made.domains, ensure_ascii=False),
            json.dumps([[proto, str(ports)] for proto, ports in made.ports]),
            made.service,
            made.peer.value,
            json.dumps([str(one) for one in made.peers]),
            made.replaces,
        ),
    ).fetchone()
    stored = replace(made, id=int(row[0]))
    _write_event(transaction, stored, RequestStep.SUBMIT, "", stored.state.value, stored.purpose, {})
    return stored


def take_step(
    transaction: Transaction,
    request: WhitelistRequest,
    step: RequestStep,
    reason: str,
    detail: Mapping[str, object] | None = None,
) -> WhitelistRequest:
    """Take a step with a request and keep it as an event; gives the request as it stands then.

    Raises:
        UsageError: it does not stand where this step may be taken.
    """
    sources, target = STEPS[step]
    row = transaction.execute("SELECT state FROM whitelist_request WHERE id=?", (request.id,)).fetchone()
    before = RequestState(row[0])
    if before not in sources:
        allowed = ", ".join(sorted(one.value for one in sources))
        raise UsageError(f"{request.number} is {before}: {step} needs one that is {allowed}")
    after = target or before
    transaction.execute("UPDATE whitelist_request SET state=? WHERE id=?", (after.value, request.id))
    _write_event(transaction, request, step, before.value, after.value, reason, dict(detail or {}))
    return replace(request, state=after)


def blind_request(transaction: Transaction, request: WhitelistRequest, reason: str) -> None:
    """Forget which addresses a request names, why, and what was seen there; what is still open of it is withdrawn."""
    if request.state is not RequestState.WITHDRAWN:
        take_step(transaction, request, RequestStep.WITHDRAW, reason)
    transaction.execute("UPDATE whitelist_request SET addresses='[]', peers='[]', purpose='' WHERE id=?", (request.id,))
    event = "UPDATE whitelist_request_event SET detail='{}', reason=? WHERE request=? AND reason<>?"
    transaction.execute(event, ("", request.id, reason))
    transaction.execute("UPDATE whitelist_request_event SET detail='{}' WHERE request=?", (request.id,))
    transaction.audit("whitelist.request.blind", f"request {request.number}", after={"reason": reason})


def read_requests(database: Database, unit: str, state: RequestState | None = None) -> tuple[WhitelistRequest, ...]:
    """Give the requests of a unit, newest first."""
    clause, values = (" AND state=?", (unit, state.value)) if state else ("", (unit,))
    return tuple(map(_request, database.query(f"{_SELECT} WHERE unit=?{clause} ORDER BY id DESC", values)))


def find_request(database: Database, unit: str, reference: str) -> WhitelistRequest | None:
    """Give a unit's request by its number (申请-2026-0001) or its row id."""
    if reference.isascii() and reference.isdigit() and len(reference) <= 18:
        row = database.one(f"{_SELECT} WHERE unit=? AND id=?", (unit, int(reference)))
    else:
        row = database.one(f"{_SELECT} WHERE unit=? AND number=?", (unit, reference))
    return _request(row) if row else None


def read_events(database: Database, request: int) -> tuple[RequestEvent, ...]:
    """Give the steps of a request, oldest first."""
    rows = database.query(
        "SELECT at_us, actor, step, before, after, reason, detail FROM whitelist_request_event WHERE request=? "
        "ORDER BY id",
        (request,),
    )
    return tuple(
        RequestEvent(
            from_microseconds(row[0]), row[1], RequestStep(row[2]), row[3], row[4], row[5],
            tuple(json.loads(row[6]).items()),
        )
        for row in rows
    )  # fmt: skip


def _write_event(
    transaction: Transaction,
    request: WhitelistRequest,
    step: RequestStep,
    before: str,
    after: str,
    reason: str,
    detail: dict[str, object],
) -> None:
    transaction.execute(
        "INSERT INTO whitelist_request_event (request, at_us, actor, step, before, after, reason, detail) "
        "VALUES (?,?,?,?,?,?,?,?)",
        (
            request.id,
            to_microseconds(transaction.now),
            transaction.actor,
            step.value,
            before,
            after,
            reason,
            json.dumps(detail, ensure_ascii=False),
        ),
    )
    words = {"state": after, "reason": reason, **detail}
    transaction.audit(
        f"whitelist.request.{step.value}", f"request {request.number}", before=before or None, after=words
    )


def _next_number(transaction: Transaction) -> str:
    prefix = f"申请-{transaction.now.astimezone(SHANGHAI).year}-"
    row = transaction.execute(
        "SELECT max(CAST(substr(number, ?) AS INTEGER)) FROM whitelist_request WHERE number LIKE ?",
        (len(prefix) + 1, f"{prefix}%"),
    ).fetchone()
    return f"{prefix}{int(row[0] or 0) + 1:04d}"


def _request(row: Row) -> WhitelistRequest:
    return WhitelistRequest(
        id=row[0],
        number=row[1],
        unit=row[2],
        kind=RequestKind(row[3]),
        state=RequestState(row[4]),
        department=row[5],
        system=row[6],
        purpose=row[7],
        valid_from=from_microseconds(row[8]),
        valid_to=from_microseconds(row[9]),
        made_at=from_microseconds(row[10]),
        addresses=tuple(ip_network(piece) for piece in json.loads(row[11])),
        domains=tuple(json.loads(row[12])),
        ports=tuple((proto, parse_ranges(ports)) for proto, ports in json.loads(row[13])),
        service=row[14],
        peer=PeerKind(row[15]),
        peers=tuple(ip_network(piece) for piece in json.loads(row[16])),
        replaces=row[17],
    )
