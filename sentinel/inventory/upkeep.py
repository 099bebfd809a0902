"""The register held against the map, and what the unit says of itself, in; how each place and system stands out.

A state is said only on evidence. What nobody looked at is not checked; a site is off campus only where the unit's own
domains and addresses are known and an address of the site is; a host is unchanged only from its last change
to the last look at it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Final

from sentinel.inventory.holders import fold_name, is_expired
from sentinel.inventory.systems import confirm_by, is_retired
from sentinel.model.endpoint import AddressRanges, Host, MapRow
from sentinel.model.register import RegisterEntry
from sentinel.model.standing import HostStanding, LineStanding, Reason, Reconciliation, Standing
from sentinel.model.system import InformationSystem, PlannedOffline
from sentinel.model.unit import IPAddress, IPNetwork
from sentinel.model.upkeep import Declared, Mark, PlaceKind, PlaceReason, PlaceStanding, PlaceState

ZOMBIE_DAYS: Final = 180
"""Days without any change after which a host nobody answers for counts as a zombie. The project's own definition."""

DEFAULT_TITLES: Final = (
    "welcome to nginx!", "welcome to openresty!", "apache2 ubuntu default page", "apache2 debian default page",
    "test page for the apache http server", "apache http server test page", "iis windows", "iis7", "apache tomcat/",
)  # fmt: skip
"""How the titles of pages begin that an installation leaves behind."""

_MANAGING: Final = frozenset({"ssh", "telnet", "ms-wbt-server", "rdp", "snmp", "winrm"})
_HOST_STATES: Final = {
    Standing.SEEN: PlaceState.SEEN,
    Standing.EXPIRED: PlaceState.STALE,
    Standing.UNREGISTERED: PlaceState.UNREGISTERED,
}
_LINE_STATES: Final = {
    Standing.SEEN: PlaceState.SEEN,
    Standing.EXPIRED: PlaceState.STALE,
    Standing.UNSEEN: PlaceState.UNSEEN,
    Standing.RETIRED: PlaceState.RETIRED,
}
_INSIDE: Final = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))
"""Addresses that mean the unit's own side of its exits. Source: RFC 1918, RFC 6598, RFC 4193."""

Place = tuple[str, IPAddress]


def review_places(
    standing: Reconciliation,
    rows: Iterable[MapRow],
    hosts: Iterable[Host],
    declared: Declared,
    owners: Mapping[int, InformationSystem],
    at: datetime,
) -> tuple[PlaceStanding, ...]:
    """Give systems, hosts, the lines of which nothing was seen, and domains, each kind in its order.

    `owners` are the systems of lines by row id of the line.
    """
    review = _Review(standing, declared, owners, at)
    for row in rows:
        review.rows[row.network, row.endpoint.key.address].append(row)
        review.add_names(row.endpoint.key.address, row.names)
    for host in hosts:
        review.add_names(host.address, host.names)
    found_hosts = tuple(map(review.host, standing.hosts))
    review.zombies = _zombie_lines(standing.hosts, found_hosts)
    for line in standing.lines:
        if line.entry.id in owners:
            review.lines[owners[line.entry.id].id].append(line)
    systems = tuple(map(review.system, declared.systems))
    lines = tuple(review.line(one) for one in standing.lines if one.standing not in {Standing.SEEN, Standing.EXPIRED})
    return (*systems, *found_hosts, *lines, *review.domains())


def _zombie_lines(hosts: Iterable[HostStanding], found: Iterable[PlaceStanding]) -> frozenset[int]:
    """Give the lines of which every host that was seen is a zombie, by row id."""
    by_line: defaultdict[int, list[bool]] = defaultdict(list)
    for host, one in zip(hosts, found, strict=True):
        if host.entry is not None:
            by_line[host.entry.id].append(one.is_in(PlaceState.ZOMBIE))
    return frozenset(number for number, told in by_line.items() if all(told))


@dataclass(slots=True)
class _Review:
    """What is known while places are looked at one by one."""

    standing: Reconciliation
    declared: Declared
    owners: Mapping[int, InformationSystem]
    at: datetime
    rows: defaultdict[Place, list[MapRow]] = field(default_factory=lambda: defaultdict(list))
    seen_names: defaultdict[str, set[IPAddress]] = field(default_factory=lambda: defaultdict(set))
    lines: defaultdict[int, list[LineStanding]] = field(default_factory=lambda: defaultdict(list))
    zombies: frozenset[int] = frozenset()
    space: AddressRanges = field(init=False)

    def __post_init__(self) -> None:
        own = (*self.declared.space, *_INSIDE)
        self.space = AddressRanges(tuple((one.network_address, one.broadcast_address) for one in own))

    def add_names(self, address: IPAddress, names: Iterable[str]) -> None:
        """Remember that a host has names; those of one label and of local zones are no domains."""
        for name in map(fold_name, names):
            if "." in name and "*" not in name and not name.endswith((".local", ".arpa", ".lan")):
                self.seen_names[name].add(address)

    def host(self, host: HostStanding) -> PlaceStanding:
        """Tell how a host that was seen stands."""
        entry = host.entry
        system = self.owners.get(entry.id) if entry else None
        retired = system is not None and is_retired(system) and host.standing is Standing.EXPIRED
        reason = PlaceReason.SYSTEM_RETIRED if retired else host.reason
        since = entry.valid_to if entry and host.standing is Standing.EXPIRED else None
        marks = [Mark(_HOST_STATES.get(host.standing, PlaceState.UNCHECKED), reason, since)]
        marks += self._overdue(system)
        plan = self._plan(system, [host.address])
        if plan is not None and plan.is_on(self.at):
            marks.append(Mark(PlaceState.OFFLINE, PlaceReason.ANSWERS_IN_PLAN, plan.end))
        marks += self._zombie(host, system)
        return _settle(PlaceKind.HOST, str(host.address), marks, entry, system, network=host.network)

    def line(self, line: LineStanding) -> PlaceStanding:
        """Tell how a line stands of which nothing was seen."""
        entry, system = line.entry, self.owners.get(line.entry.id)
        marks = [self._line_mark(line, system), *self._overdue(system)]
        places = [str(one).removesuffix("/32").removesuffix("/128") for one in entry.addresses]
        name = "、".join([*places, *entry.domains][:4]) or entry.system
        return _settle(PlaceKind.LINE, name, marks, entry, system)

    def _line_mark(self, line: LineStanding, system: InformationSystem | None) -> Mark:
        entry, state = line.entry, _LINE_STATES.get(line.standing, PlaceState.UNCHECKED)
        plan = self._plan(system, entry.addresses)
        if plan is not None and state in {PlaceState.UNSEEN, PlaceState.UNCHECKED}:
            if plan.is_on(self.at):
                return Mark(PlaceState.OFFLINE, PlaceReason.PLAN_IN_FORCE, plan.end)
            if plan.end < self.at and state is PlaceState.UNSEEN:
                return Mark(state, PlaceReason.PLAN_OVER, plan.end)
        if state in {PlaceState.RETIRED, PlaceState.STALE}:
            retired = system is not None and is_retired(system)
            return Mark(state, PlaceReason.SYSTEM_RETIRED if retired else Reason.LISTING_EXPIRED, entry.valid_to)
        return Mark(state, line.reason)

    def system(self, system: InformationSystem) -> PlaceStanding:
        """Tell how a system stands: by its lines, its confirmation and its plan."""
        lines = self.lines[system.id]
        marks = [self._system_mark(system, lines), *self._overdue(system)]
        seen = [one for one in lines if one.standing in {Standing.SEEN, Standing.EXPIRED}]
        if seen and all(one.entry.id in self.zombies for one in seen):
            marks.append(Mark(PlaceState.ZOMBIE, PlaceReason.NOBODY_ANSWERS))
        return _settle(PlaceKind.SYSTEM, system.facts.name, marks, None, system)

    def _system_mark(self, system: InformationSystem, lines: Sequence[LineStanding]) -> Mark:
        marks = sorted((self._line_mark(one, system) for one in lines), key=lambda mark: mark.state.rank)
        seen = [one for one in marks if one.state in {PlaceState.SEEN, PlaceState.STALE}]
        if is_retired(system):
            state = PlaceState.STALE if seen else PlaceState.RETIRED
            return Mark(state, PlaceReason.SYSTEM_RETIRED, system.state_at)
        if not marks:
            plan = self._plan(system, ())
            if plan is not None and plan.is_on(self.at):
                return Mark(PlaceState.OFFLINE, PlaceReason.PLAN_IN_FORCE, plan.end)
            return Mark(PlaceState.UNCHECKED, Reason.NO_PLACE)
        if any(one.state is PlaceState.SEEN for one in seen):
            return next(one for one in seen if one.state is PlaceState.SEEN)
        for state in (PlaceState.STALE, PlaceState.OFFLINE, PlaceState.UNCHECKED, PlaceState.UNSEEN):
            for one in marks:
                if one.state is state:
                    return one
        return marks[0]

    def domains(self) -> Iterator[PlaceStanding]:
        """Tell how each domain stands that is registered or was seen on a host of the unit."""
        listed: defaultdict[str, list[LineStanding]] = defaultdict(list)
        for line in self.standing.lines:
            for name in dict.fromkeys(map(fold_name, line.entry.domains)):
                listed[name].append(line)
        hosts = {host.address: host for host in self.standing.hosts}
        for name in sorted(listed.keys() | self.seen_names.keys()):
            lines, seen = listed.get(name, []), self.seen_names.get(name, set())
            best = min(lines, key=self._rank_line, default=None)
            entry = best.entry if best else None
            system = self.owners.get(entry.id) if entry else None
            marks = [self._domain_mark(best, system, [hosts[one] for one in seen if one in hosts], bool(seen))]
            marks += self._off_campus(name, lines, seen)
            yield _settle(PlaceKind.DOMAIN, name, marks, entry, system)

    def _rank_line(self, line: LineStanding) -> tuple[bool, bool]:
        """Rank the lines that list a name: those in force, and of them those of which something was seen, first."""
        return is_expired(line.entry, self.at), line.standing not in {Standing.SEEN, Standing.EXPIRED}

    def _domain_mark(
        self, line: LineStanding | None, system: InformationSystem | None, hosts: Sequence[HostStanding], seen: bool
    ) -> Mark:
        if line is not None and not seen:
            mark = self._line_mark(line, system)
            return Mark(PlaceState.UNCHECKED, Reason.NAME_NOT_RESOLVED) if mark.state is PlaceState.SEEN else mark
        if line is not None:
            if is_expired(line.entry, self.at):
                retired = system is not None and is_retired(system)
                reason = PlaceReason.SYSTEM_RETIRED if retired else Reason.LISTING_EXPIRED
                return Mark(PlaceState.STALE, reason, line.entry.valid_to)
            return Mark(PlaceState.SEEN, Reason.HOST_SEEN)
        if any(host.standing is Standing.SEEN for host in hosts):
            return Mark(PlaceState.SEEN, PlaceReason.HOST_LISTED)
        if any(host.standing is Standing.UNREGISTERED for host in hosts):
            return Mark(PlaceState.UNREGISTERED, Reason.NOT_LISTED)
        reason = Reason.NO_REGISTER if not self.standing.lines else Reason.NOT_COVERED
        return Mark(PlaceState.UNCHECKED, reason)

    def _off_campus(self, name: str, lines: Iterable[LineStanding], seen: Iterable[IPAddress]) -> Iterator[Mark]:
        """Tell of a site that it has neither a domain nor an address of the unit; said only where all is known."""
        domains = self.declared.domains
        told = [prefix for line in lines for prefix in line.entry.addresses]
        inside = [address in self.space for address in (*seen, *(prefix.network_address for prefix in told))]
        if not domains or not self.declared.space or not inside or any(inside):
            return
        if not any(name == one or name.endswith(f".{one}") for one in domains):
            yield Mark(PlaceState.OFF_CAMPUS, PlaceReason.OUTSIDE_ALL)

    def _overdue(self, system: InformationSystem | None) -> Iterator[Mark]:
        due = confirm_by(system, self.declared.confirm_days) if system else None
        if due is not None and due < self.at:
            yield Mark(PlaceState.STALE, PlaceReason.NOT_CONFIRMED, due)

    def _zombie(self, host: HostStanding, system: InformationSystem | None) -> Iterator[Mark]:
        rows = self.rows.get((host.network, host.address), [])
        if not rows:
            return
        changed = max(row.endpoint.valid_from for row in rows)
        seen = max(row.endpoint.last_confirmed or row.endpoint.valid_from for row in rows)
        confirmed = system.confirmed_at if system else None
        long = timedelta(days=ZOMBIE_DAYS)
        is_quiet = seen - changed >= long and (confirmed is None or confirmed <= self.at - long)
        if is_quiet and not _has_owner(host.entry, system):
            yield Mark(PlaceState.ZOMBIE, PlaceReason.NOBODY_ANSWERS, changed)
        elif _shows_default_only(rows):
            yield Mark(PlaceState.ZOMBIE, PlaceReason.DEFAULT_PAGE_ONLY, changed)

    def _plan(
        self,
        system: InformationSystem | None,
        places: Iterable[IPAddress | IPNetwork],
    ) -> PlannedOffline | None:
        """Give the plan that covers a place or its system: one in force, else the one that ended last."""
        asked = list(places)
        begun = [
            one
            for one in self.declared.offline
            if one.begin <= self.at
            and ((system is not None and one.system == system.id) or (asked and all(_within(p, one) for p in asked)))
        ]
        return max(begun, key=lambda one: (one.is_on(self.at), one.end), default=None)


def _within(place: IPAddress | IPNetwork, plan: PlannedOffline) -> bool:
    low = getattr(place, "network_address", place)
    high = getattr(place, "broadcast_address", place)
    return any(low in prefix and high in prefix for prefix in plan.prefixes if prefix.version == low.version)


def _has_owner(entry: RegisterEntry | None, system: InformationSystem | None) -> bool:
    """Tell whether somebody is named; a person that cannot be opened is somebody."""
    told = entry is not None and (entry.department or entry.person is None or not entry.person.is_nobody)
    return bool(told) or (system is not None and bool(system.facts.department or system.has_persons))


def _shows_default_only(rows: Sequence[MapRow]) -> bool:
    """Tell whether a host serves nothing but a page its installation left, beside ways to manage it."""
    rest = [row.endpoint for row in rows if row.endpoint.fingerprint.service not in _MANAGING]
    return bool(rest) and all(one.title.strip().lower().startswith(DEFAULT_TITLES) for one in rest)


def _settle(
    kind: PlaceKind,
    name: str,
    marks: Iterable[Mark],
    entry: RegisterEntry | None,
    system: InformationSystem | None,
    *,
    network: str = "",
) -> PlaceStanding:
    """Put what asks most first; each state once."""
    ordered: dict[PlaceState, Mark] = {}
    for mark in sorted(marks, key=lambda one: one.state.rank):
        ordered.setdefault(mark.state, mark)
    first, *rest = ordered.values()
    department = (entry.department if entry else "") or (system.facts.department if system else "")
    told = system.facts.name if system else entry.system if entry else ""
    number = system.id if kind is PlaceKind.SYSTEM and system else entry.id if kind is PlaceKind.LINE and entry else 0
    return PlaceStanding(kind, name, first, tuple(rest), network, told, department, number)
