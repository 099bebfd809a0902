"""Go-live and port-opening requests: made, checked against scans and findings, approved into entries, returned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from sentinel.assess.clearance import Place, build_check
from sentinel.assess.entries import Look
from sentinel.errors import UsageError
from sentinel.inventory.holders import read_subject
from sentinel.model.finding import Finding
from sentinel.model.unit import Unit
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind
from sentinel.model.whitelist_request import (
    RequestCheck,
    RequestKind,
    RequestState,
    RequestStep,
    WhitelistRequest,
)
from sentinel.schedule.context import Context
from sentinel.schedule.keep_out import refuse_kept_out
from sentinel.schedule.persons import hide_persons
from sentinel.schedule.reading import iterate_map
from sentinel.schedule.third_party import address_of_subject
from sentinel.store.database import Transaction
from sentinel.store.findings import read_live
from sentinel.store.judged import count_unjudged
from sentinel.store.runs import read_coverage, read_runs
from sentinel.store.scopes import read_whitelist, withdraw_whitelist_entry, write_whitelist_entry
from sentinel.store.whitelist import read_applying
from sentinel.store.whitelist_requests import find_request, take_step, write_request

OBSTACLES = {
    "unseen": "no finished scan since the request looked at all of its addresses and ports",
    "unjudged": "scans no rule was applied to yet; run `check`",
    "blocking": "open findings of high or critical severity",
    "forbidden": "entries that forbid it, and deny wins",
}


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approves, and within which limits.

    Attributes:
        approved_by: department or function.
        document: number of the paper.
        valid_to: until when; None: as asked for.
        despite: why it is approved although something stands against it; empty: then it is not.
    """

    approved_by: str
    document: str
    valid_to: datetime | None = None
    despite: str = ""


def make_request(context: Context, unit: Unit, request: WhitelistRequest) -> WhitelistRequest:
    """Submit a request; one it replaces must have been returned.

    Raises:
        UsageError: it names no place, or no port where ports are asked for, ends before it begins, or replaces what was
            not returned.
        ParseError: an address of it must stay out.
    """
    if not request.addresses and not request.domains:
        raise UsageError("a request names an address or a domain (--address, --domain)")
    if request.kind is RequestKind.PORT and not request.ports:
        raise UsageError("a request for ports names them (--port 443/tcp)")
    if request.ports and not request.addresses:
        raise UsageError("--port: ports need an address (--address)")
    if request.valid_to <= max(request.valid_from, context.clock()):
        raise UsageError("--until: lies in the past, or before the permission begins")
    words = {name: hide_persons(getattr(request, name)) for name in ("department", "system", "purpose", "service")}
    request = replace(request, **words)  # type: ignore[arg-type]  # four texts
    with context.database.transaction(context.actor, context.clock()) as transaction:
        refuse_kept_out(context, unit, request.addresses, "--address")
        refuse_kept_out(context, unit, request.peers, "--peer")
        if request.replaces:
            before = choose_request(context, unit, request.replaces)
            if before.state is not RequestState.RETURNED:
                raise UsageError(f"--replaces: {before.number} is {before.state}, not returned")
        return write_request(transaction, request)


def choose_request(context: Context, unit: Unit, reference: str) -> WhitelistRequest:
    """Give the request a command means.

    Raises:
        UsageError: there is none.
    """
    found = find_request(context.database, unit.code, reference)
    if found is None:
        raise UsageError(f"no such request of {unit.name}: {reference!r}; `sentinel whitelist request list` shows them")
    return found


def read_check(context: Context, unit: Unit, request: WhitelistRequest) -> RequestCheck:
    """Tell what scans since a request, the map and the findings say of it now."""
    now = context.clock()
    runs = read_runs(context.database, unit.code, after=request.made_at, until=now)
    looks = [Look(run.time, run.vantage, run.evidence, read_coverage(context.database, run.id)) for run in runs]
    places = map(_place, read_live(context.database, unit.code))
    entries = [one for one in read_applying(context.database, unit) if one.is_valid(now)]
    unjudged = count_unjudged(context.database, unit.code)
    return build_check(request, looks, iterate_map(context, unit), places, entries, unjudged)


def _place(finding: Finding) -> Place:
    """Give the address or the name a finding is about, of a web address its host."""
    subject = finding.key.subject.lower()
    address = read_subject(subject)[0] or address_of_subject(subject)
    if "://" not in subject:
        return Place(finding, address, subject)
    try:
        return Place(finding, address, urlsplit(subject).hostname or "")
    except ValueError:
        return Place(finding, address)


def check_request(context: Context, unit: Unit, request: WhitelistRequest) -> RequestCheck:
    """Check a request and keep what the check saw as a step of it.

    Raises:
        UsageError: it is not submitted.
    """
    check = read_check(context, unit, request)
    with context.database.transaction(context.actor, context.clock()) as transaction:
        take_step(transaction, request, RequestStep.CHECK, "", _check_words(check))
    return check


def approve_request(
    context: Context, unit: Unit, request: WhitelistRequest, approval: Approval
) -> tuple[WhitelistEntry, ...]:
    """Approve a request: its entries are in force from its first day, or from now where that is past.

    Raises:
        UsageError: something stands against it and no reason was given, or it does not stand where it can be approved.
    """
    now = context.clock()
    approval = replace(
        approval,
        approved_by=hide_persons(approval.approved_by),
        document=hide_persons(approval.document),
        despite=hide_persons(approval.despite),
    )
    end = approval.valid_to or request.valid_to
    begin = max(request.valid_from, now)
    if end <= begin:
        raise UsageError("--until: lies in the past, or before the permission begins")
    if end > request.valid_to:
        raise UsageError(f"--until: later than {request.number} asks for; a longer time needs a request of its own")
    check = read_check(context, unit, request)
    if check.obstacles and not approval.despite:
        told = "; ".join(OBSTACLES[word] for word in check.obstacles)
        raise UsageError(
            f"{request.number} cannot be approved: {told}. `whitelist request check` shows them; with a reason, "
            "--despite approves all the same"
        )
    detail = {
        "approved_by": approval.approved_by,
        "document": approval.document,
        "despite": list(check.obstacles),
        **_check_words(check),
    }
    with context.database.transaction(context.actor, now) as transaction:
        take_step(transaction, request, RequestStep.APPROVE, approval.despite, detail)
        return tuple(write_whitelist_entry(transaction, one) for one in _build_entries(request, approval, begin, end))


def end_request(
    context: Context, request: WhitelistRequest, step: RequestStep, reason: str
) -> tuple[WhitelistEntry, ...]:
    """Return or withdraw a request; the entries of an approved one are withdrawn with it, and given back.

    Raises:
        UsageError: it does not stand where that can be done.
    """
    reason = hide_persons(reason)
    with context.database.transaction(context.actor, context.clock()) as transaction:
        take_step(transaction, request, step, reason)
        ended = tuple(_own_entries(transaction, request)) if step is RequestStep.WITHDRAW else ()
        for one in ended:
            withdraw_whitelist_entry(transaction, one.id, f"{request.number}：{reason}")
    return ended


def read_request_entries(context: Context, request: WhitelistRequest) -> tuple[WhitelistEntry, ...]:
    """Give the entries a request became that were not withdrawn."""
    return tuple(one for one in read_whitelist(context.database, request.unit) if one.origin == _origin(request))


def _own_entries(transaction: Transaction, request: WhitelistRequest) -> Iterator[WhitelistEntry]:
    for one in read_whitelist(transaction.database, request.unit):
        if one.origin == _origin(request):
            yield one


def _origin(request: WhitelistRequest) -> str:
    return f"request {request.number}"


def _build_entries(
    request: WhitelistRequest, approval: Approval, begin: datetime, end: datetime
) -> Iterator[WhitelistEntry]:
    def build(kind: WhitelistKind, **more: object) -> WhitelistEntry:
        return WhitelistEntry(
            id=0,
            unit=request.unit,
            kind=kind,
            reason=f"{request.system}：{request.purpose}（{request.department}）",
            approved_by=approval.approved_by,
            document=approval.document,
            valid_from=begin,
            valid_to=end,
            origin=_origin(request),
            **more,  # type: ignore[arg-type]  # the place, which differs by kind
        )

    for proto, ports in request.ports:
        place = {"addresses": request.addresses, "proto": proto, "ports": ports, "service": request.service}
        yield build(WhitelistKind.PORT, peer=request.peer, peers=request.peers, **place)
    if request.addresses and not request.ports:
        yield build(WhitelistKind.HOST, addresses=request.addresses, peer=request.peer, peers=request.peers)
    for name in request.domains:
        yield build(WhitelistKind.DOMAIN, domain=name)


def _check_words(check: RequestCheck) -> dict[str, object]:
    return {
        "addresses": check.addresses,
        "unseen": check.unseen,
        "evidence": check.evidence,
        "seen": list(check.seen),
        "beyond": list(check.beyond),
        "blocking": [number for number, _ in check.blocking],
        "forbidden": list(check.forbidden),
        "unjudged": check.unjudged,
    }
