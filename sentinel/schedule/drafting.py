"""A unit's map and register in; a draft whitelist, kept and written as a sheet to be reviewed, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address, ip_network
from pathlib import Path

from sentinel.assess.judge import judge
from sentinel.assess.listing import Listed, Listing
from sentinel.assess.pack import Pack
from sentinel.assess.subjects import build_domain_subjects, build_service_subject, endpoint_text
from sentinel.errors import UsageError
from sentinel.inventory.proposal import SeenName, SeenPort, build_proposals
from sentinel.model.endpoint import MapRow
from sentinel.model.proposal import DraftLine, Proposal
from sentinel.model.rule import Rule, Severity
from sentinel.model.unit import OUTSIDE, IPAddress, IPNetwork, Network, Unit
from sentinel.model.whitelist import Peer, PeerKind, WhitelistKind
from sentinel.report.whitelist_sheet import build_review
from sentinel.report.workbook import write_workbook
from sentinel.schedule.context import Context
from sentinel.schedule.judging import certificate_names, read_pack
from sentinel.schedule.reading import leave_out_answering, read_map
from sentinel.schedule.reporting import save_file
from sentinel.store.register import read_register
from sentinel.store.units import read_networks
from sentinel.store.whitelist import read_applying, write_draft

MOST_LINES = 15_000
"""Lines of a draft; a sheet of more is read by nobody and cannot be read in again."""

_CLOSE = frozenset({"6.4.3.1", "6.3.1.1"})
"""High-risk cases mended by closing the port: high-risk ports, and consoles open to the internet."""

_UNHEARD = frozenset({"", "tcpwrapped", "unknown"})


def draft_whitelist(context: Context, unit: Unit, path: Path, *, everything: bool = False) -> tuple[DraftLine, ...]:
    """Propose what the whitelist does not speak of yet, or `everything`; keep the draft and write it to a path.

    Raises:
        UsageError: nothing is left to propose, or too much for a sheet.
        RenderError: the file cannot be written; then no draft is kept.
    """
    now = context.clock()
    proposals = read_proposals(context, unit)
    if not everything:
        listing = Listing(read_applying(context.database, unit), now, unit.code)
        proposals = tuple(one for one in proposals if not _is_decided(listing, one))
    if not proposals:
        raise UsageError(
            "nothing to propose: nothing is open or registered that the whitelist does not speak of; scan first, or "
            "use --all"
        )
    if len(proposals) > MOST_LINES:
        raise UsageError(f"{len(proposals)} lines are too many for a sheet (at most {MOST_LINES})")
    with context.database.transaction(context.actor, now) as transaction:
        lines = write_draft(transaction, unit.code, proposals)
        sheets = build_review(unit.name, lines, now)
        title = f"{unit.name}白名单草案"
        save_file(path, lambda draft: write_workbook(sheets, draft, title=title, author=unit.name, now=now))
    return lines


def read_proposals(context: Context, unit: Unit) -> tuple[Proposal, ...]:
    """Propose lines for all that is open, known by name, or registered now, whatever the whitelist says of it."""
    now, pack = context.clock(), read_pack(context)
    meant, _ = leave_out_answering(read_map(context, unit))
    networks = {one.name: one for one in read_networks(context.database, unit.code)}
    risks = _find_risks(pack, meant, now)
    ports = (_seen_port(row, networks[row.network], risks) for row in meant)
    register = read_register(context.database, unit.code)
    return build_proposals(ports, _seen_names(unit, meant, now), register, now)


def _find_risks(pack: Pack, rows: Sequence[MapRow], now: datetime) -> Mapping[tuple[int, str], str]:
    """Give by network and endpoint why it should be closed: what the exposure rules say without any whitelist."""
    nothing = Listing((), now)
    found: dict[tuple[int, str], Rule] = {}
    for one in judge(pack, (build_service_subject(row, nothing, now) for row in rows), now):
        key = one.subject.network, one.subject.text
        if _asks_closing(one.rule) and (key not in found or one.rule.severity.rank < found[key].severity.rank):
            found[key] = one.rule
    return {key: _risk_text(rule) for key, rule in found.items()}


def _asks_closing(rule: Rule) -> bool:
    if not rule.name.startswith("exposure."):
        return False
    return bool(_CLOSE & set(rule.high_risk)) or rule.severity.rank <= Severity.HIGH.rank


def _risk_text(rule: Rule) -> str:
    """Say what a rule says of a port, without that no entry allows it, which is what the draft is about."""
    title, cases = rule.zh.title.replace("且未登记", ""), "、".join(rule.high_risk)
    return f"{title}（高风险判定 {cases}）" if cases else title


def _seen_port(row: MapRow, network: Network, risks: Mapping[tuple[int, str], str]) -> SeenPort:
    endpoint = row.endpoint
    key, seen = endpoint.key, endpoint.fingerprint
    service = "" if seen.guessed or seen.service in _UNHEARD else seen.service
    return SeenPort(
        network=row.network,
        segment=_segment_of(network, key.address),
        address=key.address,
        proto=key.proto,
        port=key.port,
        service="https" if service == "http" and seen.tunnel == "ssl" else service,
        outside=key.vantage == OUTSIDE,
        last_seen=endpoint.last_confirmed,
        risk=risks.get((key.network, endpoint_text(key)), ""),
    )


def _segment_of(network: Network, address: IPAddress) -> IPNetwork | None:
    held = [one for one in network.prefixes if one.version == address.version and address in one]
    return max(held, key=lambda one: one.prefixlen, default=None)


def _seen_names(unit: Unit, rows: Sequence[MapRow], now: datetime) -> Iterator[SeenName]:
    for subject in build_domain_subjects(rows, Listing((), now), unit.code, certificate_names(rows)):
        held = subject.fields.get("addresses", ())
        addresses = tuple(ip_address(str(one)) for one in held) if isinstance(held, tuple) else ()
        yield SeenName(subject.text, addresses, subject.seen_at)


def _is_decided(listing: Listing, one: Proposal) -> bool:
    """Tell whether entries in force speak of all of a line already, for permission or against it."""
    if one.kind is WhitelistKind.DOMAIN:
        return listing.domain(one.domain) in {Listed.LISTED, Listed.DENIED}
    peer = Peer(PeerKind.INTERNET if one.peer is PeerKind.ANY else PeerKind.CAMPUS)
    return all(
        listing.decide_endpoint(address, one.proto, port, one.service, "", peer).verdict
        in {Listed.LISTED, Listed.DENIED}
        for address in _addresses_of(one)
        for port in one.ports
    )


def _addresses_of(one: Proposal) -> Iterator[IPAddress]:
    """Give the addresses a line rests on: those seen, or, where none were, those it names."""
    if one.members:
        for word in one.members:
            yield ip_address(word.partition(" ")[0].rpartition(":")[0].strip("[]"))
        return
    for prefix in one.addresses:
        yield from ip_network(prefix)
