"""A firewall's or proxy's own file, a sheet, or the two views of a unit in; publications entered or proposed out.

The file is read and forgotten: configurations hold passwords. What is known already, in whatever state, is not entered
again, so a mapping somebody withdrew does not come back with the next export; one that had to stay out does, once it
may be known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path

from sentinel.errors import ParseError, UsageError
from sentinel.inventory.publications import Published, propose
from sentinel.model.publication import Mapping, Publication, PublicationState
from sentinel.model.unit import IPAddress, Unit
from sentinel.observe.fortinet_vip import is_fortinet_vip, parse_fortinet_vip
from sentinel.observe.iptables_dnat import is_iptables_dnat, parse_iptables_dnat
from sentinel.observe.nat_server import is_nat_server, parse_nat_server
from sentinel.observe.nginx_conf import is_nginx_conf, parse_nginx_conf
from sentinel.observe.published import Found, Unread
from sentinel.schedule.admission import admit
from sentinel.schedule.context import Context, readable_name
from sentinel.schedule.keep_out import load_kept_out, refuse_count
from sentinel.schedule.mappings import Said
from sentinel.schedule.persons import hide_persons
from sentinel.schedule.publication_sheet import read_publication_sheet
from sentinel.schedule.reading import read_map
from sentinel.schedule.register_import import read_sheet_bytes
from sentinel.schedule.removal import STAYS_OUT
from sentinel.store.publications import read_publications, write_publications

MAX_FILE = 32 * 1024 * 1024
MAX_FOUND = 20_000
"""Mappings of one file; a firewall of a university holds some thousand."""

_Parser = Callable[[Iterable[str], IPAddress | None], Found]


@dataclass(frozen=True, slots=True)
class PublishedFormat:
    """A format publications are imported from.

    Attributes:
        name: its name, as `--format` takes it.
        zh: what it is, for people.
        sniff: tells whether a text is one.
        parse: reads it.
        verified: held against what the program itself writes; else made from the published reference of its maker.
    """

    name: str
    zh: str
    sniff: Callable[[str], bool]
    parse: _Parser
    verified: bool


FORMATS = (
    PublishedFormat("fortinet", "FortiGate config firewall vip", is_fortinet_vip, parse_fortinet_vip, verified=False),
    PublishedFormat("iptables", "iptables-save 的 DNAT", is_iptables_dnat, parse_iptables_dnat, verified=False),
    PublishedFormat("nat-server", "华为、H3C nat server", is_nat_server, parse_nat_server, verified=False),
    PublishedFormat("nginx", "nginx 配置（nginx -T）", is_nginx_conf, parse_nginx_conf, verified=False),
)
SHEET = "sheet"


@dataclass(slots=True)
class PublicationImport:
    """What became of a file.

    Attributes:
        file: its name.
        format: how it was read.
        verified: that format was held against what the program itself writes.
        added: publications that are new.
        known: mappings that are known already.
        unread: rules and rows that were not read.
    """

    file: str
    format: str
    verified: bool
    added: tuple[Publication, ...] = ()
    known: int = 0
    unread: list[Unread] = field(default_factory=list)


def import_publications(
    context: Context,
    unit: Unit,
    path: Path,
    now: datetime,
    *,
    format_name: str = "",
    outside: IPAddress | None = None,
    said: Said | None = None,
    dry_run: bool = False,
) -> PublicationImport:
    """Enter what a file publishes.

    Raises:
        ParseError: it is none of the formats, too large, or holds an address that must stay out.
        UsageError: there is no such format.
    """
    name = readable_name(path)
    data = read_sheet_bytes(path, name, MAX_FILE)
    if len(data) > MAX_FILE:
        raise ParseError(f"larger than {MAX_FILE >> 20} MB, which no configuration is", name)
    done, found = _read(context, unit, data, name, format_name, outside, said or {}, dry_run=dry_run)
    _sort_out(context, unit, done, found, now)
    _admit(context, unit, (one for one, _ in found), name)
    if done.added and not dry_run:
        with context.database.transaction(context.actor, now) as transaction:
            _sort_out(context, unit, done, found, now)  # somebody may have been faster
            _admit(context, unit, (one for one, _ in found), name)
            if done.added:
                write_publications(transaction, done.added)
                told = {"file": name, "sha256": sha256(data).hexdigest(), "format": done.format}
                transaction.audit("publication.import", f"unit {unit.code}", after=told | {"added": len(done.added)})
    return done


def _sort_out(context: Context, unit: Unit, done: PublicationImport, found: Iterable[_Dated], now: datetime) -> None:
    """Tell what of a file is new from what is known now."""
    known = {one.mapping.key for one in read_publications(context.database, unit.code) if not _may_return(one)}
    new: dict[tuple[object, ...], Publication] = {}
    done.known = 0
    for one, dates in found:
        if one.key in known or one.key in new:
            done.known += 1
            continue
        clean = replace(one, note=hide_persons(one.note)[:200])
        new[one.key] = Publication(0, unit.code, clean, done.format, "", PublicationState.IN_FORCE, now, *dates)
    done.added = tuple(new.values())


def _may_return(one: Publication) -> bool:
    """Tell whether it was withdrawn only because an address of it had to stay out."""
    return one.state is PublicationState.WITHDRAWN and one.why == STAYS_OUT


_Dated = tuple[Mapping, tuple[datetime | None, datetime | None]]


def _read(
    context: Context,
    unit: Unit,
    data: bytes,
    name: str,
    format_name: str,
    outside: IPAddress | None,
    said: Said,
    *,
    dry_run: bool,
) -> tuple[PublicationImport, list[_Dated]]:
    if format_name and format_name not in {SHEET, *(one.name for one in FORMATS)}:
        raise UsageError(f"--format: no such format: {format_name!r} ({', '.join(one.name for one in FORMATS)}, sheet)")
    text = "" if format_name == SHEET or data.startswith(b"PK\x03\x04") else _decode(data, name)
    chosen = next((one for one in FORMATS if (one.name == format_name if format_name else one.sniff(text))), None)
    if chosen is None:
        stream = BytesIO(data)
        rows, refused = read_publication_sheet(context, unit, stream, name, outside, said, dry_run=dry_run)
        done = PublicationImport(name, SHEET, verified=True, unread=refused)
        return done, rows
    if said:
        raise UsageError("--map: only sheets have columns")
    done = PublicationImport(name, chosen.name, chosen.verified)
    found: list[_Dated] = []
    try:
        for one in chosen.parse(text.splitlines(), outside):
            if isinstance(one, Unread):
                if one not in done.unread:
                    done.unread.append(one)
            else:
                found.append((one, (None, None)))
            if len(found) > MAX_FOUND or len(done.unread) > MAX_FOUND:
                raise ParseError(f"more than {MAX_FOUND} mappings, which no firewall has")
    except ParseError as error:
        raise ParseError(str(error), name) from error
    if not found and not done.unread:
        raise ParseError("nothing is published in it", name)
    return done, found


def _decode(data: bytes, name: str) -> str:
    if b"\0" in data:
        raise ParseError("not a text: save the configuration as text, or the sheet as XLSX or CSV", name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


def declare_publication(context: Context, unit: Unit, wanted: Publication) -> Publication:
    """Enter a publication by hand.

    Raises:
        ParseError: an address of it must stay out.
        UsageError: it is in force already.
    """
    with context.database.transaction(context.actor, context.clock()) as transaction:
        _admit(context, unit, [wanted.mapping], "publication")
        known = read_publications(context.database, unit.code, [PublicationState.IN_FORCE])
        if any(one.mapping.key == wanted.mapping.key for one in known):
            raise UsageError("it is in force already; `sentinel publication list` shows it")
        write_publications(transaction, [wanted])
        mapping = wanted.mapping
        after = {"outside": str(mapping.outside or mapping.name), "inside": str(mapping.inside), "via": mapping.via}
        transaction.audit("publication.add", f"unit {unit.code}", after=after | {"port": mapping.first_port})
    stored = read_publications(context.database, unit.code, [PublicationState.IN_FORCE])
    return max((one for one in stored if one.mapping.key == wanted.mapping.key), key=lambda one: one.id)


def propose_publications(context: Context, unit: Unit, now: datetime) -> tuple[Publication, ...]:
    """Keep what both views show of the same thing as proposals for a person to decide; gives the new ones."""
    known = read_publications(context.database, unit.code)
    proposals = propose(read_map(context, unit), known)
    new = [
        Publication(0, unit.code, one.mapping, one.source, hide_persons(one.reason)[:200], PublicationState.PROPOSED)
        for one in proposals
    ]
    if new:
        with context.database.transaction(context.actor, now) as transaction:
            known = read_publications(context.database, unit.code)
            keys = {one.mapping.key for one in known}  # somebody may have been faster
            new = [one for one in new if one.mapping.key not in keys]
            if new:
                write_publications(transaction, new)
                transaction.audit("publication.propose", f"unit {unit.code}", after={"proposed": len(new)})
    before = {one.id for one in known}
    return tuple(
        one
        for one in read_publications(context.database, unit.code, [PublicationState.PROPOSED])
        if one.id not in before
    )


def read_published(context: Context, unit: Unit, at: datetime) -> Published:
    """Give the publications of a unit that hold at a moment, ready to be asked."""
    return Published(read_publications(context.database, unit.code, [PublicationState.IN_FORCE]), at)


def _admit(context: Context, unit: Unit, mappings: Iterable[Mapping], name: str) -> None:
    """Let mappings pass, or refuse them for an address at either end, or in what people noted, that must stay out."""
    mappings = tuple(mappings)
    ends = (end for one in mappings for end in (one.inside, one.outside) if end is not None)
    admit(context, unit, (ip_network(address) for address in ends), name)
    kept = load_kept_out(context, unit)
    notes = "\n".join(one.note for one in mappings)
    refuse_count(kept.count_ranges(kept.find_in(BytesIO(notes.encode("utf-8", "replace")))), name)
