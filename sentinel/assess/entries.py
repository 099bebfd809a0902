"""Entries, what is open, what closed, and where scans looked in; which entries are used, stale, or end soon, out.

That nothing was seen for an entry counts only where scans looked at all its addresses and ports: at least twice, and
its age is the time between the first and the last of these looks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sentinel.assess.entry_index import EntryIndex
from sentinel.assess.listing import Listed, Listing
from sentinel.model.endpoint import AddressRanges, Coverage, EndpointKey, EndpointState, MapRow
from sentinel.model.ports import PortSet
from sentinel.model.rule import Category, FieldValue, Subject
from sentinel.model.unit import IPNetwork
from sentinel.model.whitelist import Direction, WhitelistEntry, WhitelistKind, format_addresses, peer_of_vantage

DUE_STEPS = (7, 14, 30)
"""Days before its end at which an entry is warned of, each anew."""

_WARNED = timedelta(days=max(DUE_STEPS) + 1)
"""Whole days are counted: 30 are left from the moment on when less than 31 are."""


@dataclass(slots=True)
class EntryUse:
    """What is known of the use of one entry.

    Attributes:
        entry: the entry.
        open_now: endpoints it covers that are open, or whose host is silent so that nothing can be said.
        excused: of them, those another entry in force allows as well.
        last_seen: when something it covers was last open; None: never since the span that was read.
        first_look: first finished look at all of it after that.
        last_look: newest finished look at all of it.
        evidence: SHA-256 of that look, or of what it was last seen in.
        renewed: another entry allows the same for longer.
    """

    entry: WhitelistEntry
    open_now: int = 0
    excused: int = 0
    last_seen: datetime | None = None
    first_look: datetime | None = None
    last_look: datetime | None = None
    evidence: str = ""
    renewed: bool = False

    def unseen_days(self) -> int | None:
        """Whole days for which looks saw nothing of it; None where it was seen, or nobody looked."""
        if self.open_now or self.first_look is None or self.last_look is None:
            return None
        return (self.last_look - self.first_look).days


@dataclass(frozen=True, slots=True)
class Look:
    """What one run covered.

    Attributes:
        at: when.
        vantage: from where.
        evidence: SHA-256.
        coverage: what it finished.
    """

    at: datetime
    vantage: str
    evidence: str
    coverage: Coverage = field(default_factory=Coverage)


class UseTally:
    """Tallies the use of what one unit allows; entries that forbid or lead out are not asked for."""

    def __init__(self, entries: Iterable[WhitelistEntry], listing: Listing) -> None:
        self._listing = listing
        asked = [one for one in entries if not one.is_deny and one.direction is Direction.IN]
        self.uses = {one.id: EntryUse(one) for one in asked}
        self._ports = EntryIndex(one for one in asked if one.kind is WhitelistKind.PORT)
        self._hosts = EntryIndex(one for one in asked if one.kind is WhitelistKind.HOST)
        ends: dict[tuple[object, ...], list[WhitelistEntry]] = {}
        for one in asked:
            ends.setdefault(one.place, []).append(one)
        for same in ends.values():
            for one in same:
                self.uses[one.id].renewed = any(_ends_later(other, one) for other in same)

    def note_row(self, row: MapRow) -> None:
        """Note an endpoint that is open, or of a silent host."""
        key, seen = row.endpoint.key, row.endpoint.fingerprint
        of_port = self._listing.endpoint(
            key.address, key.proto, key.port, seen.service, seen.tunnel, guessed=seen.guessed, vantage=key.vantage
        )
        of_host = self._listing.host(key.address)
        for use in self._covering(key):
            use.open_now += 1
            use.excused += Listed.LISTED is (of_host if use.entry.kind is WhitelistKind.HOST else of_port)
            if row.endpoint.state is EndpointState.OPEN and row.endpoint.last_confirmed:
                self._note_seen(use, row.endpoint.last_confirmed, row.endpoint.evidence)

    def note_closed(self, key: EndpointKey, at: datetime) -> None:
        """Note an endpoint that was open until a moment."""
        for use in self._covering(key):
            self._note_seen(use, at, use.evidence)

    def unused(self) -> Iterator[EntryUse]:
        """Give the uses of which nothing is open and that looks could tell more of."""
        for use in self.uses.values():
            if not (use.open_now or use.entry.below or use.entry.kind is WhitelistKind.DOMAIN):
                yield use

    def note_looks(self, looks: Sequence[Look]) -> None:
        """Note looks, oldest first, after all that was seen; only entries of which nothing is open need them.

        What holds for units below is used where this unit's scans do not look, so no look at it is noted.
        """
        for use in self.unused():
            since = max(
                (time for time in (use.last_seen, use.entry.valid_from, use.entry.created) if time), default=None
            )
            for look in looks:
                if (since is None or look.at > since) and _is_look_at(use.entry, look):
                    use.first_look = use.first_look or look.at
                    use.last_look, use.evidence = look.at, look.evidence

    def _covering(self, key: EndpointKey) -> Iterator[EntryUse]:
        peer = peer_of_vantage(key.vantage)
        for entry in self._ports.covering_port(key.address, key.proto, key.port):
            if entry.meets(peer):
                yield self.uses[entry.id]
        for entry in self._hosts.covering(key.address):
            yield self.uses[entry.id]

    def _note_seen(self, use: EntryUse, at: datetime, evidence: str) -> None:
        if use.last_seen is None or at >= use.last_seen:
            use.last_seen, use.evidence = at, evidence


def build_entry_subject(use: EntryUse, now: datetime) -> Subject:
    """Build the subject of an entry; its text is what it speaks of and its number: `10.0.0.5 443/tcp #12`."""
    entry = use.entry
    days_left = (entry.valid_to - now).days if entry.valid_to else None
    expired = entry.valid_to is not None and entry.valid_to < now
    fields: dict[str, FieldValue] = {
        "kind": entry.kind.value,
        "proto": entry.proto or None,
        "service": entry.service or None,
        "in_force": entry.is_valid(now),
        "expired": expired,
        "days_left": days_left,
        "due_step": None if expired else due_step(days_left),
        "renewed": use.renewed,
        "open_count": None if entry.kind is WhitelistKind.DOMAIN else use.open_now,
        "unexcused_count": None if entry.kind is WhitelistKind.DOMAIN else use.open_now - use.excused,
        "unseen_days": use.unseen_days() if entry.is_valid(now) else None,
    }
    present = {name: value for name, value in fields.items() if value is not None}
    seen_at = max((time for time in (use.last_seen, use.last_look) if time), default=now)
    told = tuple((name, time) for name, time in _told(entry, now).items() if name in present)
    return Subject(Category.ENTRY, entry.unit, 0, entry_text(entry), present, use.evidence, seen_at, told)


def _told(entry: WhitelistEntry, now: datetime) -> dict[str, datetime]:
    """Give since when the fields hold that follow from the entry and the day; a scan tells nothing of them."""
    end = entry.valid_to
    turn = None if end is None else end if end < now else end - _WARNED
    begin = max((time for time in (entry.valid_from, entry.created) if time), default=turn)
    if begin is None:
        return {}
    of_end = begin if turn is None or turn > now else max(begin, turn)
    fields = dict.fromkeys(("kind", "proto", "service", "in_force", "renewed"), begin)
    return fields | dict.fromkeys(("expired", "days_left", "due_step"), of_end)


def due_step(days_left: int | None) -> int | None:
    """Give the smallest step of warning that an entry's last days fall into; None where it has more, or no end."""
    if days_left is None or days_left < 0:
        return None
    return next((step for step in DUE_STEPS if days_left <= step), None)


def entry_text(entry: WhitelistEntry) -> str:
    """Write an entry as findings name it; of many addresses the first and how many more pieces there are."""
    if entry.kind is WhitelistKind.DOMAIN:
        return f"{entry.domain} #{entry.id}"
    pieces = format_addresses(entry.addresses)
    first = f"[{pieces[0]}]" if ":" in pieces[0] and "/" not in pieces[0] and "-" not in pieces[0] else pieces[0]
    more = f" +{len(pieces) - 1}" if len(pieces) > 1 else ""
    ports = str(entry.ports)
    place = f" {ports if len(ports) <= 40 else ports[:39] + '…'}/{entry.proto}" if entry.proto else ""
    return f"{first}{more}{place} #{entry.id}"


def _ends_later(other: WhitelistEntry, one: WhitelistEntry) -> bool:
    if one.valid_to is None or other.id == one.id:
        return False
    return other.valid_to is None or other.valid_to > one.valid_to


def _is_look_at(entry: WhitelistEntry, look: Look) -> bool:
    """Tell whether a run finished all addresses and ports of an entry; of a host, any port of it."""
    if not entry.meets(peer_of_vantage(look.vantage)):
        return False
    asked = dict(look.coverage.ports)
    if entry.kind is WhitelistKind.PORT:
        ports = asked.get(entry.proto.lower(), PortSet())
        if not holds_ports(ports, entry.ports):
            return False
    return bool(asked) and all(holds_prefix(look.coverage.addresses, prefix) for prefix in entry.addresses)


def holds_ports(asked: PortSet, wanted: PortSet) -> bool:
    """Tell whether every port wanted was asked."""
    lows = [low for low, _ in asked.ranges]
    for low, high in wanted.ranges:
        place = bisect_right(lows, low) - 1
        if place < 0 or high > asked.ranges[place][1]:
            return False
    return True


def holds_prefix(addresses: AddressRanges, prefix: IPNetwork) -> bool:
    """Tell whether every address of a prefix that a host may have was looked at."""
    low, high = int(prefix.network_address), int(prefix.broadcast_address)
    if prefix.version == 4 and prefix.prefixlen < 31:
        low, high = low + 1, high - 1  # the network's own address and the broadcast address are no host's
    ranges = addresses.ranges
    place = bisect_right(ranges, (prefix.version, low, 1 << 129)) - 1
    return place >= 0 and ranges[place][0] == prefix.version and ranges[place][1] <= low and high <= ranges[place][2]
