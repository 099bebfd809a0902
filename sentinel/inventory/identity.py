"""Marks of hosts and what persons decided in; assets that keep their number when addresses change, and proposals, out.

The same marks give the same assets in whatever order they arrived: everything is decided anew in the order of time.
Strong marks decide; two of the medium ones stand in where no strong one speaks; the address itself goes last. What
strong marks of two assets together would ask for is never done here: it is proposed to a person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sentinel.inventory.likeness import (
    Placed,
    Seen,
    Unions,
    build_sights,
    contradicts,
    count_alike,
    differ,
    find_crowded,
    newest_marks,
    weigh_here,
)
from sentinel.inventory.marks import MEDIUM
from sentinel.model.asset import (
    Anchor,
    AssetEvent,
    AssetState,
    Decision,
    DecisionKind,
    DerivedAsset,
    EventKind,
    Identifier,
    Mark,
    MarkKind,
    MarkName,
    Proposal,
    Weight,
)
from sentinel.model.unit import IPAddress

LEASE = timedelta(days=35)
"""The same address is the same thing for so long without a sign of it: a monthly scan, and some days."""

TOGETHER = timedelta(days=1)
"""Addresses seen within a day belong to an asset at once; the jobs of one scan take hours."""

MOST_CANDIDATES = 20
"""So many hosts that look alike are a classroom; the looks of one more prove nothing."""

_PRECEDENCE = (
    MarkKind.SERIAL,
    MarkKind.SNMP_ENGINE,
    MarkKind.SSH_HOST_KEY,
    MarkKind.MAC,
    MarkKind.TLS_CERT,
    MarkKind.DHCP_CLIENT_ID,
    MarkKind.FQDN,
    MarkKind.FAVICON,
    MarkKind.IP,
)
_KEPT = frozenset(_PRECEDENCE)

_Spot = tuple[int, IPAddress]
"""An address in its network."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What persons decided, as it holds now.

    Attributes:
        merges: marks that are one thing.
        apart: marks that are a thing apart.
    """

    merges: tuple[tuple[Placed, Placed], ...] = ()
    apart: frozenset[Placed] = frozenset()


@dataclass(slots=True, eq=False)
class _Growing:
    """An asset while it grows."""

    network: int
    first: datetime
    last: datetime
    places: dict[_Spot, datetime] = field(default_factory=dict)
    strong: dict[MarkName, datetime] = field(default_factory=dict)
    looks: tuple[MarkName, ...] = ()
    spans: dict[tuple[int, IPAddress, MarkName, str], list[datetime]] = field(default_factory=dict)
    stays: dict[_Spot, list[list[datetime]]] = field(default_factory=dict)
    spot: _Spot | None = None
    events: list[AssetEvent] = field(default_factory=list)
    cards: dict[_Spot, str] = field(default_factory=dict)
    missing: bool = False


def derive_assets(
    marks: Iterable[Mark], decisions: Sequence[Decision] = (), registered_names: frozenset[str] = frozenset()
) -> tuple[tuple[DerivedAsset, ...], tuple[Proposal, ...]]:
    """Make the assets of a unit, the oldest first, and what a person should decide; no marks of phones' networks."""
    known = tuple(marks)
    maker = _Maker(find_crowded(known), place_decisions(decisions, known), registered_names)
    for seen in build_sights(known):
        maker.take(seen)
    return maker.build()


def place_decisions(decisions: Iterable[Decision], marks: Sequence[Mark]) -> Decided:
    """Give what holds of the decisions, given in their order: of two about the same mark, the later.

    A mark that shows in another network only, because networks were declared anew, is meant there.
    """
    by_name: defaultdict[MarkName, set[int]] = defaultdict(set)
    decisions = tuple(decisions)
    for mark in marks if decisions else ():
        by_name[mark.name].add(mark.network)
        by_name[MarkName(MarkKind.IP, str(mark.address))].add(mark.network)

    def place(side: Placed) -> Placed:
        networks = by_name.get(side[1], set())
        return side if side[0] in networks or len(networks) != 1 else (next(iter(networks)), side[1])

    merges: list[tuple[Placed, Placed]] = []
    apart: dict[Placed, None] = {}
    for one in decisions:
        if one.undone is not None:
            continue
        first = place(one.one)
        if one.kind is DecisionKind.SPLIT:
            merges = [pair for pair in merges if first not in pair]
            apart[first] = None
        elif one.other is not None:
            second = place(one.other)
            merges.append((first, second))
            apart = {side: None for side in apart if side not in {first, second}}
    return Decided(tuple(merges), frozenset(apart))


class _Maker:
    def __init__(self, crowded: frozenset[Placed], decided: Decided, registered: frozenset[str]) -> None:
        self._unions = Unions(decided.merges)
        self._apart = decided.apart
        self._crowded = crowded - {side for pair in decided.merges for side in pair} - decided.apart
        self._registered = registered
        self._assets: list[_Growing] = []
        self._owners: dict[Placed, _Growing] = {}
        self._occupants: dict[_Spot, _Growing] = {}
        self._looks: defaultdict[Placed, dict[int, _Growing]] = defaultdict(dict)
        self._anywhere: dict[MarkName, Placed] = {}
        self._proposals: dict[str, Proposal] = {}

    def take(self, seen: Seen) -> None:
        """Decide whose moment this is, and note it."""
        strong = self._strong_of(seen)
        occupant = self._occupants.get((seen.network, seen.address))
        owner = self._choose(seen, strong, occupant)
        if owner is None:
            owner = _Growing(seen.network, seen.at, seen.at)
            owner.events.append(AssetEvent(EventKind.APPEARED, seen.at, str(seen.address)))
            self._assets.append(owner)
        if occupant is not None and occupant is not owner:
            self._displace(occupant, seen)
        self._settle(owner, seen, strong)

    def _strong_of(self, seen: Seen) -> tuple[MarkName, ...]:
        names = {mark.name for mark in seen.marks}
        apart = [name for name in sorted(names) if (seen.network, name) in self._apart]
        if apart:
            return tuple(apart)
        strong = [name for name in sorted(names) if weigh_here(seen.network, name, self._crowded) is Weight.STRONG]
        stay = MarkName(MarkKind.IP, str(seen.address))
        decided = [name for name in (*sorted(names - set(strong)), stay) if (seen.network, name) in self._unions]
        return (*strong, *decided)

    def _choose(self, seen: Seen, strong: tuple[MarkName, ...], occupant: _Growing | None) -> _Growing | None:
        owners: dict[int, _Growing] = {}
        for name in sorted(strong, key=lambda name: _PRECEDENCE.index(name.kind) if name.kind in _KEPT else 99):
            owner = self._owners.get(self._unions.root((seen.network, name)))
            if owner is not None:
                owners.setdefault(id(owner), owner)
        if owners:
            chosen = occupant if occupant is not None and id(occupant) in owners else next(iter(owners.values()))
            self._propose_merges(seen, strong, chosen, list(owners.values()))
            return chosen
        if any((seen.network, name) in self._apart for name in strong):
            return None
        self._propose_elsewhere(seen, strong)
        names = [mark.name for mark in seen.marks]
        if occupant is not None and self._continues(seen, strong, names, occupant):
            return occupant
        return self._find_alike(seen, strong, names)

    def _continues(self, seen: Seen, strong: Sequence[MarkName], names: list[MarkName], occupant: _Growing) -> bool:
        """Tell whether what is seen may be what was at the address before; nothing strong says so."""
        here = occupant.places.get((seen.network, seen.address))
        if here is None or seen.at - here > LEASE or any((seen.network, one) in self._apart for one in occupant.strong):
            return False
        if contradicts(strong, newest_marks(occupant.strong, here - LEASE)):
            return False
        agree, disagree = count_alike(names, occupant.looks)
        return agree > 0 or disagree < 2

    def _find_alike(self, seen: Seen, strong: Sequence[MarkName], names: list[MarkName]) -> _Growing | None:
        """Give the one asset that left its address and looks like what is seen."""
        near: dict[int, _Growing] = {}
        for name in names:
            alike = self._looks.get((seen.network, name), {})
            if len(alike) <= MOST_CANDIDATES:
                near |= alike
        fitting = []
        for one in near.values():
            if any(until >= seen.at for until in one.places.values()) or contradicts(strong, one.strong):
                continue
            if seen.at - one.last > LEASE:
                continue
            named = {name.value for name in names if name.kind is MarkKind.FQDN} & self._registered
            by_name = any(name.kind is MarkKind.FQDN and name.value in named for name in one.looks)
            if by_name or count_alike(names, one.looks)[0] >= 2:
                fitting.append(one)
        return fitting[0] if len(fitting) == 1 else None

    def _displace(self, old: _Growing, seen: Seen) -> None:
        old.places.pop((seen.network, seen.address), None)
        if not any(until >= seen.at - TOGETHER for until in old.places.values()) and not old.missing:
            old.missing = True
            old.events.append(AssetEvent(EventKind.ADDRESS_REUSED, seen.at, str(seen.address)))

    def _settle(self, owner: _Growing, seen: Seen, strong: tuple[MarkName, ...]) -> None:
        self._note_place(owner, seen)
        self._note_cards(owner, seen, strong)
        for name in strong:
            placed = self._unions.root((seen.network, name))
            self._owners.setdefault(placed, owner)
            self._anywhere.setdefault(name, (seen.network, name))
            owner.strong[name] = max(owner.strong.get(name, seen.at), seen.at)
        self._note_looks(owner, tuple(mark.name for mark in seen.marks if mark.name.kind in MEDIUM))
        for mark in seen.marks:
            key = (mark.network, mark.address, mark.name, mark.source)
            span = owner.spans.setdefault(key, [seen.at, seen.at])
            span[1] = max(span[1], seen.at)
        owner.last = max(owner.last, seen.at)

    def _note_looks(self, owner: _Growing, looks: tuple[MarkName, ...]) -> None:
        for name in owner.looks:
            self._looks[owner.network, name].pop(id(owner), None)
        kinds = {name.kind for name in looks}
        owner.looks = (*looks, *(name for name in owner.looks if name.kind not in kinds))
        for name in owner.looks:
            self._looks[owner.network, name][id(owner)] = owner

    def _note_place(self, owner: _Growing, seen: Seen) -> None:
        here = (seen.network, seen.address)
        if owner.missing and owner.spot is not None:
            kind = EventKind.RETURNED if owner.spot == here else EventKind.MOVED
            detail = str(seen.address) if owner.spot == here else f"{owner.spot[1]} -> {seen.address}"
            owner.events.append(AssetEvent(kind, seen.at, detail))
        elif here not in owner.places and owner.places:
            left = [spot for spot, until in owner.places.items() if until < seen.at - TOGETHER]
            kind = EventKind.MOVED if len(left) == len(owner.places) else EventKind.ADDED
            before = ", ".join(str(address) for _, address in (left if kind is EventKind.MOVED else owner.places))
            owner.events.append(AssetEvent(kind, seen.at, f"{before} -> {seen.address}"))
            for spot in left:
                del owner.places[spot]
                self._occupants.pop(spot, None)
        owner.missing = False
        owner.places[here] = max(owner.places.get(here, seen.until), seen.until)
        stays = owner.stays.setdefault(here, [])
        if stays and self._occupants.get(here) is owner:
            stays[-1][1] = seen.at
        else:
            stays.append([seen.at, seen.at])
        self._occupants[here] = owner
        owner.spot = here

    def _note_cards(self, owner: _Growing, seen: Seen, strong: tuple[MarkName, ...]) -> None:
        """Note a card that changed; where an asset shows several at once a person is asked: two cards or two copies."""
        if differ(strong, owner.strong, MarkKind.MAC):
            new = next(name for name in strong if name.kind is MarkKind.MAC)
            others = {
                card
                for spot, card in owner.cards.items()
                if spot != (seen.network, seen.address)
                and spot in owner.places
                and owner.places[spot] >= seen.at - TOGETHER
            } - {new.value}
            joined = any((seen.network, name) in self._unions for name in (*owner.strong, *strong))
            if others and not joined:  # else a person knows
                detail = f"{new.value} {seen.address}; {', '.join(sorted(others))}"
                decision = Decision(DecisionKind.SPLIT, (seen.network, new))
                self._propose(Proposal(decision, "two_cards", detail, seen.at))
            elif not others:
                owner.events.append(AssetEvent(EventKind.CARD_CHANGED, seen.at, f"{new.value} {seen.address}"))
        card = next((name.value for name in strong if name.kind is MarkKind.MAC), None)
        if card is not None:
            owner.cards[seen.network, seen.address] = card

    def _propose_merges(self, seen: Seen, strong: Sequence[MarkName], chosen: _Growing, owners: list[_Growing]) -> None:
        """Ask a person where strong marks of several assets show at one address: by what each was first known by."""
        for other in owners:
            if other is not chosen:
                mine, theirs = ((one.network, next(iter(one.strong))) for one in (chosen, other))
                detail = f"{seen.address}: {', '.join(map(str, strong))}"
                self._propose(Proposal(Decision(DecisionKind.MERGE, mine, theirs), "shared_mark", detail, seen.at))

    def _owner(self, network: int, name: MarkName) -> _Growing | None:
        return self._owners.get(self._unions.root((network, name)))

    def _propose_elsewhere(self, seen: Seen, strong: Sequence[MarkName]) -> None:
        """Ask a person where a strong mark of another network shows in this one."""
        for name in strong:
            before = self._anywhere.get(name)
            if before is not None and before[0] != seen.network and before not in self._crowded:
                decision = Decision(DecisionKind.MERGE, before, (seen.network, name))
                self._propose(Proposal(decision, "other_network", f"{seen.address}: {name}", seen.at))

    def _propose(self, one: Proposal) -> None:
        self._proposals.setdefault(one.key, one)

    def build(self) -> tuple[tuple[DerivedAsset, ...], tuple[Proposal, ...]]:
        """Give what came of it."""
        return tuple(self._derived(one) for one in self._assets), tuple(self._proposals.values())

    def _derived(self, one: _Growing) -> DerivedAsset:
        identifiers = tuple(sorted(self._identifiers(one), key=_identifier_order))
        places = sorted(one.places.items(), key=lambda item: (item[1], item[0][0], int(item[0][1])), reverse=True)
        lasting = [spot for spot, until in places if until >= places[0][1] - TOGETHER]
        return DerivedAsset(
            places=tuple(lasting) or ((one.spot,) if one.spot else ()),
            state=AssetState.MISSING if one.missing else AssetState.PRESENT,
            identifiers=identifiers,
            events=tuple(one.events),
            first_seen=one.first,
            last_seen=one.last,
            anchor=_anchor(identifiers),
        )

    def _identifiers(self, one: _Growing) -> Iterable[Identifier]:
        for (network, address, name, source), (start, end) in one.spans.items():
            if name.kind in _KEPT:
                weight = weigh_here(network, name, self._crowded)
                if weight is Weight.STRONG and self._owner(network, name) is not one:
                    weight = Weight.WEAK  # it is another asset's, see the proposals
                yield Identifier(network, address, name, source, weight, start, end)
        for (network, address), stays in one.stays.items():
            for start, end in stays:
                yield Identifier(network, address, MarkName(MarkKind.IP, str(address)), "scan", Weight.WEAK, start, end)


def _identifier_order(one: Identifier) -> tuple[object, ...]:
    return (one.valid_from, one.network, one.address.version, int(one.address), one.name, one.source)


def _anchor(identifiers: Sequence[Identifier]) -> Anchor:
    ranks = (Weight.STRONG, Weight.MEDIUM, Weight.WEAK)
    best = min(
        (each for each in identifiers if each.weight is Weight.STRONG or each.name.kind is MarkKind.IP),
        key=lambda each: (
            ranks.index(each.weight),
            each.valid_from,
            _PRECEDENCE.index(each.name.kind),
            each.name,
            int(each.address),
        ),
    )
    return Anchor(best.network, best.name, best.valid_from)
