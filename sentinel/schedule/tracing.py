"""An address and a moment in; the chain from there to cards, persons, ports and owners, with what is missing, out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path

from sentinel.errors import UsageError
from sentinel.inventory.holders import Owners, RegisterIndex
from sentinel.inventory.marks import is_random_card
from sentinel.inventory.systems import join_lines
from sentinel.inventory.trace import (
    ATTACHMENT_REACH,
    LONGEST_REACH,
    SESSION_REACH,
    choose_nat_spans,
    group_cards,
    group_places,
    is_logged,
    judge_attachments,
    judge_holdings,
    judge_publications,
    judge_translations,
)
from sentinel.model.moment import from_microseconds
from sentinel.model.publication import PublicationState
from sentinel.model.register import Exit, Person, RegisterEntry
from sentinel.model.trace import (
    Attached,
    Break,
    Card,
    Certainty,
    Gap,
    Held,
    LogKind,
    Place,
    Question,
    Trace,
    TranslationLink,
)
from sentinel.model.unit import IPAddress, Network, Unit, Zone, choose_network
from sentinel.schedule.context import Context
from sentinel.schedule.identifying import identify_unit
from sentinel.schedule.keep_out import load_kept_out
from sentinel.store import sighting_reads as reads
from sentinel.store import trace_reads
from sentinel.store.address_units import find_units_of
from sentinel.store.declared import read_exits
from sentinel.store.endpoints import read_hosts_at
from sentinel.store.identity import find_asset_at
from sentinel.store.publications import read_publications
from sentinel.store.register import read_register
from sentinel.store.sightings import open_accounts, read_horizons, space_of
from sentinel.store.systems import read_systems
from sentinel.store.units import count_units, find_unit, read_networks

MOST_PLACES = 20
MOST_CARDS = 20
"""Candidates an answer shows; so many and more are a sign that the port or the peer is needed."""

MOST_UNITS = 10
"""Units named where several know an address."""

_HOLDING_LOGS = (LogKind.RADIUS, LogKind.PORTAL, LogKind.DHCP, LogKind.ARP, LogKind.NEIGHBOUR)
_ACCOUNT_LOGS = (LogKind.RADIUS, LogKind.PORTAL)
_NO_ACCOUNTS = frozenset({Zone.SERVER, Zone.DMZ, Zone.IOT})
"""Zones whose machines nobody logs in to the network from."""

_PRIVATE = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"))
) + tuple(map(ip_network, ("fc00::/7", "fe80::/10")))
"""What no NAT gives outside. Source: RFC 1918, 6598, 3927, 4193, 4291."""

_VENDORS = (Path("/usr/share/nmap/nmap-mac-prefixes"), Path("/usr/local/share/nmap/nmap-mac-prefixes"))
"""The makers nmap knows, where it is installed; nothing of it is shipped."""


@dataclass(frozen=True, slots=True)
class Around:
    """How far an answer looks beside the moment.

    Attributes:
        others: for other addresses and mining flows of the same card, account or address.
    """

    others: timedelta = timedelta(hours=24)


def trace(context: Context, unit: Unit, asked: Question, around: Around | None = None, *, show: bool = False) -> Trace:
    """Answer a question; with `show` account names and persons are given in full, which the audit records.

    Raises:
        UsageError: the address must stay out.
    """
    if load_kept_out(context, unit).meets(asked.address):
        raise UsageError(f"{asked.address} must stay out, nothing of it is kept; see `sentinel unit keep-out list`")
    identify_unit(context, unit)
    answer = _Tracer(context, unit, asked, around or Around(), show=show).answer()
    if show:
        told = {"at": asked.at.isoformat(), "accounts": len(answer.accounts), "places": len(answer.places)}
        with context.database.transaction(context.actor, context.clock()) as transaction:
            transaction.audit("trace.show", f"unit {unit.code} address {asked.address}", after=told)
    return answer


def choose_unit_of(context: Context, code_or_name: str | None, address: IPAddress, at: datetime) -> Unit:
    """Give the unit that is meant: the named one, else the only one, else the only one that knows the address.

    Raises:
        UsageError: none or several know it; of several the first are named.
    """
    database = context.database
    if code_or_name is not None or context.settings.unit or count_units(database) < 2:
        return context.choose_unit(code_or_name)
    codes = find_units_of(database, address, at, MOST_UNITS + 1)
    unit = find_unit(database, codes[0]) if len(codes) == 1 else None
    if unit is None and not codes:
        raise UsageError(f"no unit declared or saw {address}; which one is meant? name it with --unit")
    if unit is None:
        more = " and more" if len(codes) > MOST_UNITS else ""
        named = ", ".join(codes[:MOST_UNITS])
        raise UsageError(f"{address} is known to several units: {named}{more}; name the one that is meant with --unit")
    return unit


class _Tracer:
    def __init__(self, context: Context, unit: Unit, asked: Question, around: Around, *, show: bool) -> None:
        self._database = context.database
        self._unit = unit
        self._asked = asked
        self._around = around
        self._show = show
        self._seal = context.load_seal()
        self._networks = read_networks(context.database, unit.code)
        self._by_id = {one.id: one for one in self._networks}
        self._space = space_of(self._networks)
        self._exits = read_exits(context.database, unit.code)
        lines = read_register(context.database, unit.code, self._seal)
        self._register, _ = join_lines(lines, read_systems(context.database, unit.code, at=asked.at))
        self._horizons = read_horizons(context.database)
        self._tolerance = timedelta(seconds=asked.tolerance_s)

    def answer(self) -> Trace:
        asked = self._asked
        network, in_scope = choose_network(self._networks, asked.address)
        way_out = _exit_of(self._exits, asked.address)
        published = judge_publications(
            read_publications(self._database, self._unit.code, (PublicationState.IN_FORCE,)),
            asked,
            lambda address: choose_network(self._networks, address)[0].id,
        )
        translated = bool(published) or reads.is_translated(self._database, self._space, asked.address)
        is_public = way_out is not None or translated or not (in_scope or _is_private(asked.address))
        links = (*self._translations(), *published) if is_public else ()
        # The network of an exit holds the addresses its NAT gives: one that leads inside is no host's.
        is_led = translated and way_out is not None
        is_inside = not is_public or (not is_led and (in_scope or self._is_host(network)))
        is_broken = is_public and not links and (way_out is not None or translated or not is_inside)
        places = [self._place(where, link) for where, link in list(group_places(links).items())[:MOST_PLACES]]
        if is_inside:
            places.append(self._place((network.id, asked.address), ()))
        breaks = self._nat_breaks(way_out) if is_broken else ()
        answer = Trace(self._unit.code, asked, tuple(places), way_out.name if way_out else "", breaks)
        return self._with_accounts(answer)

    def _is_host(self, network: Network) -> bool:
        """Tell whether the public address asked for is a host of its own, and no NAT's."""
        asked = self._asked
        if any(True for _ in read_hosts_at(self._database, network, [asked.address])):
            return True
        start, end = asked.at - LONGEST_REACH, asked.at + SESSION_REACH
        return bool(reads.read_held(self._database, network.id, asked.address, start, end))

    def _translations(self) -> tuple[TranslationLink, ...]:
        asked = self._asked
        reach = max(self._tolerance, ATTACHMENT_REACH)
        start, end = asked.at - reach, asked.at + self._tolerance
        found = reads.read_translated(
            self._database, self._space, asked.address, asked.port, start, end, asked.at + reach
        )
        return judge_translations(found, asked)

    def _nat_breaks(self, way_out: Exit | None) -> tuple[Break, ...]:
        asked = self._asked
        text = str(asked.address)
        if asked.port is None and reads.has_sessions(self._database, self._space, asked.address):
            return (Break(Gap.PORT_NEEDED, text, (LogKind.NAT,)),)
        prefixes = way_out.prefixes if way_out else ()
        devices = tuple(one for one in reads.read_nat_devices(self._database, self._space, prefixes) if one)
        low, high = asked.at - self._tolerance, asked.at + self._tolerance
        seek = partial(reads.read_spans, self._database, self._space, (LogKind.NAT,), low, high)
        spans = (*seek(asked.address), *seek())  # a large exit has more addresses than are read at once
        if is_logged(choose_nat_spans(spans, asked.address, prefixes, devices), asked.at, self._tolerance):
            return (Break(Gap.PORT_NOT_NAMED, text, (LogKind.NAT,)),)
        return (self._missing(Gap.NO_NAT_LOG, text, (LogKind.NAT,), "translation"),)

    def _missing(self, gap: Gap, subject: str, kinds: tuple[LogKind, ...], kind: str) -> Break:
        before = max(self._horizons.get(kind, 0), self._horizons.get(f"person_{kind}", 0))
        if before and self._asked.at < from_microseconds(before):
            return Break(Gap.PURGED, subject, kinds, (None, from_microseconds(before)))
        return Break(gap, subject, kinds, reads.read_nearest(self._database, self._space, kinds, self._asked.at))

    def _place(self, where: tuple[int, IPAddress], links: tuple[TranslationLink, ...]) -> Place:
        number, address = where
        network = self._by_id.get(number) or choose_network(self._networks, address)[0]
        at = self._asked.at
        cards = self._cards(network, address)
        names = trace_reads.read_names_at(self._database, network.id, address, at)
        host = next(iter(read_hosts_at(self._database, network, [address])), None)
        line, department = self._owner(address, names)
        breaks = () if cards else (self._holding_break(address),)
        if line is None and not department:
            breaks = (*breaks, Break(Gap.NO_OWNER, str(address)))
        around = self._around.others
        return Place(
            address=address,
            network=network.name,
            zone=network.zone,
            in_scope=network.contains(address),
            certainty=links[0].certainty if links else Certainty.CERTAIN,
            translations=links,
            cards=cards,
            names=names,
            os=host.os if host else "",
            department=department,
            line=line,
            endpoints=trace_reads.read_open_at(self._database, self._unit.code, network.id, address, at),
            findings=trace_reads.read_findings_at(self._database, self._unit.code, network.id, address, at),
            flows=trace_reads.read_flows_at(self._database, self._unit.code, address, at - around, at + around),
            asset=find_asset_at(self._database, network.id, address, at),
            breaks=breaks,
        )

    def _owner(self, address: IPAddress, names: tuple[str, ...]) -> tuple[RegisterEntry | None, str]:
        owners = Owners(RegisterIndex(self._register), {address: names}, self._asked.at)
        line = owners.line(str(address))
        if line is not None and line.person is not None and not self._show:
            line = replace(line, person=line.person.masked)
        return line, owners.department(str(address))

    def _holding_break(self, address: IPAddress) -> Break:
        low, high = self._asked.at - self._tolerance, self._asked.at + self._tolerance
        spans = reads.read_spans(self._database, self._space, _HOLDING_LOGS, low, high)
        if spans:
            return Break(Gap.NOT_HELD, str(address), tuple(dict.fromkeys(one.kind for one in spans)))
        return self._missing(Gap.NO_HOLDING_LOG, str(address), _HOLDING_LOGS, "holding")

    def _cards(self, network: Network, address: IPAddress) -> tuple[Card, ...]:
        at = self._asked.at
        held = reads.read_held(self._database, network.id, address, at - LONGEST_REACH, at + SESSION_REACH)
        cards = group_cards(judge_holdings(held, at, self._tolerance))[:MOST_CARDS]
        return tuple(self._complete(card, network, address) for card in cards)

    def _complete(self, card: Card, network: Network, address: IPAddress) -> Card:
        at, reach = self._asked.at, max(self._tolerance, ATTACHMENT_REACH)
        attached = (
            reads.read_attached(self._database, self._space, card.mac, at - reach, at + reach) if card.mac else ()
        )
        full = replace(
            card,
            vendor=self._vendor(card.mac),
            attachments=judge_attachments(attached, at, self._tolerance, self._count_cards),
            others=self._others(card, address),
        )
        return replace(full, breaks=tuple(self._card_breaks(full, network)))

    def _count_cards(self, one: Attached) -> int:
        start, end = one.since - ATTACHMENT_REACH, one.until + ATTACHMENT_REACH
        return reads.count_cards_on(self._database, self._space, one.device, one.port, start, end)

    def _vendor(self, mac: str) -> str:
        if not mac or is_random_card(mac):
            return ""
        networks = [one.id for one in self._networks]
        return trace_reads.find_vendor(self._database, networks, mac) or _read_vendor(mac)

    def _others(self, card: Card, address: IPAddress) -> tuple[Held, ...]:
        start, end = self._asked.at - self._around.others, self._asked.at + self._around.others
        found: dict[Held, None] = {}
        if card.mac:
            found |= dict.fromkeys(reads.read_held_by(self._database, self._space, start, end, mac=card.mac))
        for account in card.accounts:
            found |= dict.fromkeys(reads.read_held_by(self._database, self._space, start, end, account=account))
        return tuple(sorted((one for one in found if one.address != address), key=lambda one: one.since))

    def _card_breaks(self, card: Card, network: Network) -> Iterable[Break]:
        if not card.mac:
            yield Break(Gap.NO_CARD)
        elif card.is_random:
            yield Break(Gap.RANDOM_CARD, card.mac)
        told_port = any(link.held.holder.port for link in card.holdings)
        if card.mac and not card.attachments and not told_port:
            yield self._log_break(
                Gap.NO_MAC_TABLE, Gap.NOT_ATTACHED, card.mac, (LogKind.MAC,), "attachment", ATTACHMENT_REACH
            )
        if not card.accounts and network.zone not in _NO_ACCOUNTS:
            yield self._log_break(
                Gap.NO_ACCOUNT, Gap.ACCOUNT_NOT_NAMED, card.mac, _ACCOUNT_LOGS, "holding", self._tolerance
            )

    def _log_break(
        self, missing: Gap, silent: Gap, subject: str, kinds: tuple[LogKind, ...], kind: str, reach: timedelta
    ) -> Break:
        """Tell whether no log speaks of the moment, or one does and does not name the subject."""
        at = self._asked.at
        if reads.read_spans(self._database, self._space, kinds, at - reach, at + reach):
            return Break(silent, subject, kinds)
        return self._missing(missing, subject, kinds, kind)

    def _with_accounts(self, answer: Trace) -> Trace:
        cards = [card for place in answer.places for card in place.cards]
        numbers = {one for card in cards for one in card.accounts}
        numbers |= {one.holder.account for card in cards for one in card.others if one.holder.account is not None}
        opened = open_accounts(self._database, sorted(numbers), self._seal)
        shown = {number: name if name is None or self._show else mask_account(name) for number, name in opened.items()}
        sealed = any(name is None for name in shown.values())
        breaks = (*answer.breaks, Break(Gap.ACCOUNT_SEALED)) if sealed else answer.breaks
        return replace(answer, accounts=shown, breaks=breaks)


def mask_account(name: str) -> str:
    """Hide all of an account name but what tells one from another: `20******15`, `z***`; mail keeps its host."""
    if "@" in name:
        return Person(mail=name).masked.mail
    if len(name) <= 4:
        return f"{name[:1]}***"
    return f"{name[:2]}{'*' * (len(name) - 4)}{name[-2:]}"


def _is_private(address: IPAddress) -> bool:
    return any(prefix.version == address.version and address in prefix for prefix in _PRIVATE)


def _exit_of(exits: Sequence[Exit], address: IPAddress) -> Exit | None:
    return next(
        (
            one
            for one in exits
            if any(prefix.version == address.version and address in prefix for prefix in one.prefixes)
        ),
        None,
    )


def _read_vendor(mac: str) -> str:
    """Give the maker of a card as the list of an installed nmap tells it."""
    wanted = f"\n{mac.replace(':', '').upper()[:6]} "
    for path in _VENDORS:
        try:
            _, found, rest = path.read_text("utf-8", "replace").partition(wanted)
        except OSError:
            continue
        if found:
            return rest.partition("\n")[0].strip()[:80]
    return ""
