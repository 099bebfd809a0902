"""What a home tells of addresses that must stay out from now on, beside its map, in; how much of it was taken out, out.

Lines and entries are withdrawn, so that importing their files again brings them back once the addresses may be known.
A finding keeps its number, which an order may name, and no longer tells where it was: that nobody looks any more is no
proof that anything was mended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from sentinel.model.finding import Finding, FindingState, SubjectKind
from sentinel.model.publication import PublicationState
from sentinel.model.register import RegisterEntry
from sentinel.model.unit import IPAddress, IPNetwork, Unit
from sentinel.model.whitelist import WhitelistEntry
from sentinel.schedule.context import Context
from sentinel.schedule.entries import parse_addresses
from sentinel.schedule.identifying import make_assets
from sentinel.schedule.keep_out import KeptOut
from sentinel.schedule.third_party import address_of_subject
from sentinel.store.asset_decisions import read_decisions, undo_decision
from sentinel.store.database import Transaction
from sentinel.store.findings import read_findings, write_findings
from sentinel.store.identity import blind_assets, forget_told
from sentinel.store.notices import hide_titles, read_notices
from sentinel.store.offline import read_offline, withdraw_offline
from sentinel.store.publications import decide_publication, read_publications
from sentinel.store.register import read_register, withdraw_register
from sentinel.store.scopes import read_whitelist, withdraw_whitelist_entry
from sentinel.store.sightings import forget_addresses, space_of
from sentinel.store.units import read_networks
from sentinel.store.whitelist import read_draft, read_draft_numbers, remove_draft_lines
from sentinel.store.whitelist_requests import blind_request, read_requests

_HIDDEN = "（已排除）"
"""What stands for what is not told any more."""

STAYS_OUT = "declared to stay out"
"""Why lines and entries are withdrawn here; those withdrawn for any other reason do not come back by an import."""


@dataclass(frozen=True, slots=True)
class Removed:
    """How much was taken out.

    Attributes:
        hosts: hosts that left the map.
        lines: lines of the register that were withdrawn.
        entries: entries of the whitelist that were withdrawn.
        findings: findings that were closed and tell no address any more.
        cut: authorisations, hostings, NAT pools and exits that keep what was written and have no effect there.
    """

    hosts: int = 0
    lines: int = 0
    entries: int = 0
    findings: int = 0
    cut: int = 0


def remove_told(transaction: Transaction, unit: Unit, kept: KeptOut) -> Removed:
    """Take out what a unit's register, publications, whitelist, drafts, requests and findings tell of addresses.

    A wider prefix tells of none of them; a note that writes one of them tells of it, as in a sheet that is refused.
    """
    database = transaction.database
    lines = [one.id for one in read_register(database, unit.code) if _tells_line(one, kept)]
    withdraw_register(transaction, lines)
    if lines:
        transaction.audit("register.withdraw", f"unit {unit.code}", after={"withdrawn": lines, "reason": STAYS_OUT})
    offline = [one.id for one in read_offline(database, unit.code) if _tells(one.prefixes, kept)]
    for number in offline:
        withdraw_offline(transaction, number)
    if offline:
        transaction.audit("register.online", f"unit {unit.code}", after={"withdrawn": offline, "reason": STAYS_OUT})
    for one in read_publications(database, unit.code, (PublicationState.IN_FORCE, PublicationState.PROPOSED)):
        ends = [end for end in (one.mapping.inside, one.mapping.outside) if end is not None]
        if any(map(kept.meets, ends)) or _writes(kept, one.mapping.note, one.reason):
            is_valid = one.state is PublicationState.IN_FORCE
            state = PublicationState.WITHDRAWN if is_valid else PublicationState.DECLINED
            decide_publication(transaction, unit.code, one.id, state, STAYS_OUT)
    entries = [one.id for one in read_whitelist(database, unit.code) if _tells_entry(one, kept)]
    for number in entries:
        withdraw_whitelist_entry(transaction, number, STAYS_OUT)
    drafts = [read_draft(database, unit.code, number) for number in read_draft_numbers(database, unit.code)]
    lines_told = [one for draft in drafts for one in draft.values() if _tells(one.proposal.addresses, kept)]
    remove_draft_lines(transaction, lines_told)
    for request in read_requests(database, unit.code):
        places = (*request.addresses, *request.peers)
        if _tells(places, kept) or _writes(kept, request.department, request.system, request.purpose):
            blind_request(transaction, request, STAYS_OUT)
    hide_titles(transaction, [one for one in read_notices(database, unit.code) if kept.writes(one.title)], _HIDDEN)
    findings = list(_blind(read_findings(database, [unit.code]), kept, transaction))
    write_findings(transaction, findings)
    return Removed(0, len(lines), len(entries), sum(bool(reason) for _, _, reason in findings))


def remove_seen(context: Context, transaction: Transaction, unit: Unit, kept: KeptOut) -> int:
    """Take out what logs told of addresses, and what assets were known by there; gives how many sightings went.

    They do not come back when the addresses may be known again: what was deleted stays deleted.
    """
    networks = read_networks(context.database, unit.code)
    spans = [_ends(*one) for one in kept.ranges]
    gone = forget_addresses(transaction, space_of(networks), [one.id for one in networks], spans)
    for one in read_decisions(context.database, unit.code):
        sides = [side for side in (one.one, one.other) if side is not None]
        if one.undone is None and any(kept.writes(mark.value) for _, mark in sides):
            undo_decision(transaction, unit.code, one)
            gone += 1
    if not gone:
        return 0
    forget_told(transaction, unit.code, kept.writes)
    make_assets(context, transaction, unit)
    blind_assets(transaction, unit.code, lambda one: kept.meets(one.address))
    transaction.audit("sighting.remove", f"unit {unit.code}", after={"removed": gone, "reason": STAYS_OUT})
    return gone


def _ends(version: int, low: int, high: int) -> tuple[IPAddress, IPAddress]:
    return (IPv4Address(low), IPv4Address(high)) if version == 4 else (IPv6Address(low), IPv6Address(high))


def _tells(prefixes: Iterable[IPNetwork], kept: KeptOut) -> bool:
    return any(map(kept.hides, prefixes))


def _tells_line(one: RegisterEntry, kept: KeptOut) -> bool:
    words = (one.system, one.department, one.filing, one.kind, one.place, one.note)
    return _tells(one.addresses, kept) or _writes(kept, *words)


def _tells_entry(one: WhitelistEntry, kept: KeptOut) -> bool:
    return _tells((*one.addresses, *one.peers), kept) or _writes(kept, one.reason, one.approved_by, one.document)


def _writes(kept: KeptOut, *words: str) -> bool:
    return kept.writes("\n".join(words))


def _blind(findings: Iterable[Finding], kept: KeptOut, transaction: Transaction) -> Iterator[tuple[Finding, str, str]]:
    for one in findings:
        clean = _clean(one, kept)
        if _is_about(one, kept):
            key = replace(clean.key, subject=f"{_HIDDEN}{one.id}")
            blind = replace(clean, key=key, state=FindingState.CLOSED, closed_at=transaction.now, detail="")
            yield blind, one.state.value, STAYS_OUT
        elif clean != one:
            yield clean, one.state.value, ""


def _clean(one: Finding, kept: KeptOut) -> Finding:
    """Leave out of a finding what its words tell of addresses that stay out; one told by hand is named by its title."""

    def hide(text: str, word: str = "") -> str:
        return word if kept.writes(text) else text

    rule = f"{_HIDDEN}{one.id}" if kept.writes(one.key.rule.removeprefix("told.")) else one.key.rule
    return replace(
        one,
        key=replace(one.key, rule=rule),
        title_zh=hide(one.title_zh, _HIDDEN),
        title_en=hide(one.title_en, _HIDDEN),
        detail=hide(one.detail),
        remediation_zh=hide(one.remediation_zh),
        remediation_en=hide(one.remediation_en),
    )


def _is_about(finding: Finding, kept: KeptOut) -> bool:
    """Tell whether a finding names addresses that stay out; one of an entry of the whitelist tells its place first."""
    subject = finding.key.subject
    address = address_of_subject(subject)
    if address is not None or finding.kind is not SubjectKind.ENTRY:
        return address is not None and kept.meets(address)
    try:
        return _tells(parse_addresses(subject.partition(" ")[0]), kept)
    except ValueError:
        return False
