"""The one gate: target texts and authorisations in, sealed permits and listed refusals out; deny by default.

The order of the questions is fixed: is it a target at all, must it stay out (涉密), is it ever allowed, does one
authorisation cover the whole of it (unit, time, level, loopback, rate), does who hosts it consent, where does a name
lead, what is excluded, what is for logs only. Names are looked up only once found authorised: the permit holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sentinel.collect.bounds import (
    LINK_LOCAL,
    LOOPBACK,
    MAX_IPV4_PREFIX,
    MAX_IPV6_PREFIX,
    broadcasts_of,
    describe_forbidden,
    is_forbidden_whole,
    is_public,
    is_too_large,
    logs_only_of,
)
from sentinel.collect.consent import WITHOUT_CONSENT, Unconsented, is_at_or_below
from sentinel.collect.permit import Grant, Permit, require_permit, seal
from sentinel.collect.ranges import Range, holds, intersect, merge, range_of, range_of_address, subtract, to_networks
from sentinel.collect.target import parse_target, printable
from sentinel.model.hosting import Hosting
from sentinel.model.moment import local_text
from sentinel.model.plain import plain_address, plain_prefix
from sentinel.model.scope import Authorisation, Level, Refusal, RefusalReason
from sentinel.model.unit import IPAddress, IPNetwork, Network

__all__ = ["Admission", "Permit", "Resolver", "admit", "parse_target", "printable", "require_permit"]

Resolver = Callable[[str], Sequence[IPAddress]]
"""Looks a name up; raises OSError when it cannot."""

MAX_ADDRESSES_OF_NAME = 64
_KEPT_OUT = "declared to stay out: neither touched nor stored"
_SHOWN_PREFIXES = 4

_NEARNESS = (
    RefusalReason.WITHDRAWN,
    RefusalReason.EXPIRED,
    RefusalReason.NOT_YET,
    RefusalReason.LEVEL,
    RefusalReason.LOOPBACK,
    RefusalReason.RATE,
)
"""Of several authorisations that cover a target and do not allow it, the reason furthest to the right is told."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What the gate decided.

    Attributes:
        permits: one for each authorisation used, and for each end of a third party's consent before its own; no
            address stands in two of them.
        refusals: every target refused, and every target of which a part was left out because it must stay out, nobody
            who hosts it consents, or only its logs may be read.
    """

    permits: tuple[Permit, ...]
    refusals: tuple[Refusal, ...]


class _RefusedError(Exception):
    """Carries the reason out of the questions for one target."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class _Holding:
    """What one authorisation covers, ready to be asked many times."""

    authorisation: Authorisation
    ranges: tuple[Range, ...]
    link_local: tuple[Range, ...]
    names: frozenset[str]

    @classmethod
    def of(cls, authorisation: Authorisation) -> _Holding:
        """Read its targets; link-local addresses only count where a prefix names nothing else."""
        written = [range_of(target.network) for target in authorisation.targets if target.network is not None]
        link_local = merge(each for each in written if not subtract([each], LINK_LOCAL))
        names = frozenset(target.name for target in authorisation.targets if target.name)
        return cls(authorisation, merge(written), link_local, names)

    def covers(self, asked: Range) -> bool:
        """Tell whether its prefixes hold the whole of it."""
        link_local = intersect([asked], LINK_LOCAL)
        return holds(self.ranges, asked) and not subtract(link_local, self.link_local)

    def covers_name(self, name: str) -> bool:
        """Tell whether it writes the name out, or a wildcard above it."""
        labels = name.split(".")
        above = (f"*.{'.'.join(labels[start:])}" for start in range(1, len(labels)))
        return name in self.names or any(wildcard in self.names for wildcard in above)


@dataclass(frozen=True, slots=True)
class _Case:
    """What holds for all targets of one call."""

    unit: str
    level: Level
    rate_pps: int | None
    now: datetime
    resolve: Resolver | None
    holdings: tuple[_Holding, ...]
    logs_only: tuple[tuple[str, tuple[Range, ...]], ...]
    broadcasts: tuple[Range, ...]
    excluded: tuple[Range, ...]
    excluded_names: tuple[str, ...]
    unresolved_exclusion: str
    kept_out: tuple[Range, ...]
    hosted: Unconsented


@dataclass(frozen=True, slots=True)
class _Allowed:
    """One target that passed: what may be touched, and what of it was left out, and why."""

    authorisation: Authorisation
    ranges: tuple[Range, ...]
    names: Mapping[IPAddress, str] = field(default_factory=dict)
    left_out: tuple[tuple[RefusalReason, str], ...] = ()


def admit(
    targets: Sequence[str],
    *,
    unit: str,
    level: Level,
    rate_pps: int | None,
    authorisations: Sequence[Authorisation],
    networks: Sequence[Network],
    kept_out: Sequence[IPNetwork],
    hosted: Sequence[Hosting],
    now: datetime,
    resolve: Resolver | None = None,
    led: Sequence[tuple[str, IPNetwork]] = (),
) -> Admission:
    """Decide for every target whether packets may be sent to it.

    A target passes when one authorisation of the unit that holds at `now` covers the whole of it, reaches to `level`
    and allows `rate_pps` (None: its own). Authorisations and networks of other units count for nothing. Exclusions of
    every authorisation that holds are taken out; an excluded name is looked up and its addresses taken out, and while
    that fails nothing passes. What is `kept_out` is refused before anything else is asked; what is `hosted`, or where
    hosted names have `led`, needs the host's consent, with which a permit ends.

    An authorised name covers that name; `*.name` the names below it. A public address of a name passes when the name
    itself is authorised; any other must lie in prefixes it covers. The broadcast of a declared IPv4 prefix is refused.

    Raises:
        ValueError: `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("the gate needs a time with its zone")
    own = tuple(one for one in authorisations if one.unit == unit)
    own_networks = tuple(network for network in networks if network.unit == unit)
    excluded, excluded_names, unresolved = _read_exclusions(own, now, resolve)
    case = _Case(
        unit=unit,
        level=level,
        rate_pps=rate_pps,
        now=now,
        resolve=resolve,
        holdings=tuple(_Holding.of(authorisation) for authorisation in own),
        logs_only=logs_only_of(own_networks),
        broadcasts=broadcasts_of(own_networks),
        excluded=excluded,
        excluded_names=excluded_names,
        unresolved_exclusion=unresolved,
        kept_out=merge(range_of(plain_prefix(network)) for network in kept_out),
        hosted=Unconsented.of(hosted, now, led),
    )
    allowed: list[_Allowed] = []
    refusals: list[Refusal] = []
    for text in targets:
        try:
            passed = _question(text, case)
        except _RefusedError as refused:
            refusals.append(Refusal(printable(text), refused.reason, refused.detail))
            continue
        allowed.append(passed)
        refusals.extend(Refusal(printable(text), reason, detail) for reason, detail in passed.left_out)
    return Admission(_seal_all(allowed, case), tuple(refusals))


def _question(text: str, case: _Case) -> _Allowed:
    try:
        target = parse_target(text)
    except ValueError as error:
        raise _RefusedError(RefusalReason.MALFORMED, str(error)) from error
    if target.network is not None:
        return _question_network(target.network, case)
    return _question_name(target.name, case)


def _question_network(network: IPNetwork, case: _Case) -> _Allowed:
    asked = range_of(network)
    if holds(case.kept_out, asked):
        raise _RefusedError(RefusalReason.KEPT_OUT, _KEPT_OUT)
    if is_too_large(network) and not is_forbidden_whole(asked):
        shortest = MAX_IPV4_PREFIX if network.version == 4 else MAX_IPV6_PREFIX
        raise _RefusedError(RefusalReason.TOO_LARGE, f"the prefix is shorter than /{shortest}: split it")
    forbidden = describe_forbidden([asked]) or ("" if subtract([asked], case.broadcasts) else "a broadcast address")
    if forbidden:
        raise _RefusedError(RefusalReason.FORBIDDEN, f"never touched: {forbidden}")
    authorisation = _choose(str(network), case, (asked,), lambda holding: holding.covers(asked)).authorisation
    return _cut((asked,), authorisation, case)


def _question_name(name: str, case: _Case) -> _Allowed:
    if name.startswith("*."):
        raise _RefusedError(RefusalReason.MALFORMED, "a wildcard belongs in an authorisation; name what to look at")
    if any(is_at_or_below(name, excluded) for excluded in case.excluded_names):
        raise _RefusedError(RefusalReason.EXCLUDED, "the name is excluded")
    holding = _choose(name, case, (), lambda each: each.covers_name(name))
    if case.hosted.refuses_name(name):
        raise _RefusedError(RefusalReason.NO_CONSENT, WITHOUT_CONSENT)
    addresses = _look_up(name, case)
    for address in addresses:
        _question_address_of_name(address, name, holding, case)
    cut = _cut(merge(range_of_address(address) for address in addresses), holding.authorisation, case)
    names = {address: name for address in addresses if holds(cut.ranges, range_of_address(address))}
    return _Allowed(cut.authorisation, cut.ranges, names, cut.left_out)


def _question_address_of_name(address: IPAddress, name: str, holding: _Holding, case: _Case) -> None:
    asked = range_of_address(address)
    if holds(case.kept_out, asked):
        raise _RefusedError(RefusalReason.KEPT_OUT, f"leads to an address that is {_KEPT_OUT}")
    forbidden = describe_forbidden([asked]) or ("a broadcast address" if holds(case.broadcasts, asked) else "")
    if forbidden:
        raise _RefusedError(RefusalReason.OUTSIDE, f"leads to {address}, which is never touched: {forbidden}")
    loopback_refused = address.is_loopback and not holding.authorisation.allow_loopback
    if loopback_refused or not (holding.covers(asked) or (name in holding.names and is_public(address))):
        detail = f"leads to {address}, which authorisation {holding.authorisation.id} does not cover"
        raise _RefusedError(RefusalReason.OUTSIDE, detail)


def _look_up(name: str, case: _Case) -> tuple[IPAddress, ...]:
    if case.resolve is None:
        raise _RefusedError(RefusalReason.UNRESOLVED, "names are not looked up here: give the address")
    try:
        addresses = tuple(dict.fromkeys(map(plain_address, case.resolve(name))))
    except (OSError, ValueError) as error:
        raise _RefusedError(RefusalReason.UNRESOLVED, f"the name has no address: {printable(str(error))}") from error
    if not addresses:
        raise _RefusedError(RefusalReason.UNRESOLVED, "the name has no address")
    if len(addresses) > MAX_ADDRESSES_OF_NAME:
        raise _RefusedError(RefusalReason.TOO_LARGE, f"the name leads to more than {MAX_ADDRESSES_OF_NAME} addresses")
    return addresses


def _choose(what: str, case: _Case, asked: tuple[Range, ...], covers: Callable[[_Holding], bool]) -> _Holding:
    """Pick, of the authorisations that allow it, the one that holds longest."""
    if case.level is Level.PASSIVE:
        raise _RefusedError(RefusalReason.LEVEL, "level passive reads logs and sends nothing")
    objections: list[_RefusedError] = []
    willing: list[_Holding] = []
    for holding in filter(covers, case.holdings):
        objection = _object(holding.authorisation, case, asked)
        if objection:
            objections.append(objection)
        else:
            willing.append(holding)
    if willing:
        return max(willing, key=_preference)
    if objections:
        raise max(objections, key=lambda each: _NEARNESS.index(each.reason))
    raise _RefusedError(
        RefusalReason.UNAUTHORISED, f"no authorisation of unit {printable(case.unit)} covers the whole of {what}"
    )


def _preference(holding: _Holding) -> tuple[datetime, int, int]:
    return holding.authorisation.valid_to, holding.authorisation.rate_pps, -holding.authorisation.id


def _object(authorisation: Authorisation, case: _Case, asked: tuple[Range, ...]) -> _RefusedError | None:
    """Say why an authorisation that covers the target still does not allow it; None when it does."""
    title = f"authorisation {authorisation.id} ({printable(authorisation.document, 60)})"
    if authorisation.withdrawn_at is not None:
        return _RefusedError(RefusalReason.WITHDRAWN, f"{title} was withdrawn {_when(authorisation.withdrawn_at)}")
    if case.now > authorisation.valid_to:
        return _RefusedError(RefusalReason.EXPIRED, f"{title} ended {_when(authorisation.valid_to)}")
    if case.now < authorisation.valid_from:
        return _RefusedError(RefusalReason.NOT_YET, f"{title} begins {_when(authorisation.valid_from)}")
    if authorisation.level < case.level:
        reach = f"reaches to level {authorisation.level.word}, not to {case.level.word}"
        return _RefusedError(RefusalReason.LEVEL, f"{title} {reach}")
    if intersect(asked, LOOPBACK) and not authorisation.allow_loopback:
        return _RefusedError(RefusalReason.LOOPBACK, f"{title} does not allow loopback addresses")
    rate = authorisation.rate_pps if case.rate_pps is None else case.rate_pps
    if not 1 <= rate <= authorisation.rate_pps:
        allows = f"allows 1 to {authorisation.rate_pps} packets a second, not {rate}"
        return _RefusedError(RefusalReason.RATE, f"{title} {allows}")
    return None


def _cut(asked: tuple[Range, ...], authorisation: Authorisation, case: _Case) -> _Allowed:
    """Take out what stays out, what nobody consents to, exclusions, networks for logs only, and broadcast addresses."""
    if case.unresolved_exclusion:
        detail = f"the excluded name {case.unresolved_exclusion} has no address now: exclude its address instead"
        raise _RefusedError(RefusalReason.UNRESOLVED, detail)
    ranges = subtract(asked, case.kept_out)
    hidden = sum(high - low + 1 for _, low, high in intersect(asked, case.kept_out))
    parts = [(RefusalReason.KEPT_OUT, f"left out, {_KEPT_OUT}: {hidden} of its addresses")] if hidden else []
    foreign = intersect(ranges, case.hosted.ranges)
    ranges = subtract(ranges, foreign)
    if foreign:
        left = f"left out, {WITHOUT_CONSENT}: {_some(to_networks(foreign))}"
        parts.append((RefusalReason.NO_CONSENT, left))
    ranges = subtract(ranges, case.excluded)
    logs: list[str] = []
    for name, blocked in case.logs_only:
        part = intersect(ranges, blocked)
        if part:
            ranges = subtract(ranges, part)
            logs.append(f"{_some(to_networks(part))} in network {printable(name, 60)}")
    ranges = subtract(ranges, case.broadcasts)
    detail = f"only logs may be read: {'; '.join(logs)}" if logs else ""
    if ranges:
        parts += [(RefusalReason.LOGS_ONLY, f"left out, {detail}")] if detail else []
        return _Allowed(authorisation, ranges, left_out=tuple(parts))
    if detail:
        raise _RefusedError(RefusalReason.LOGS_ONLY, detail)
    if hidden:
        raise _RefusedError(RefusalReason.KEPT_OUT, _KEPT_OUT)
    if foreign:
        raise _RefusedError(RefusalReason.NO_CONSENT, WITHOUT_CONSENT)
    raise _RefusedError(RefusalReason.EXCLUDED, "all of it is excluded by an authorisation that holds")


def _read_exclusions(
    authorisations: Iterable[Authorisation], now: datetime, resolve: Resolver | None
) -> tuple[tuple[Range, ...], tuple[str, ...], str]:
    """Give excluded addresses, excluded names, and the first excluded name that has no address.

    A wildcard has no addresses to look up; it excludes names only.
    """
    excluded = [target for each in authorisations if each.is_valid(now) for target in each.excluded]
    ranges = [range_of(target.network) for target in excluded if target.network is not None]
    names = tuple(dict.fromkeys(target.name for target in excluded if target.name))
    for name in names:
        if name.startswith("*."):
            continue
        try:
            addresses = resolve(name) if resolve else ()
        except (OSError, ValueError):
            addresses = ()
        if not addresses:
            return merge(ranges), names, name
        ranges.extend(range_of_address(plain_address(address)) for address in addresses)
    return merge(ranges), names, ""


def _seal_all(allowed: Iterable[_Allowed], case: _Case) -> tuple[Permit, ...]:
    """Make one permit of all targets of one authorisation that end alike; an address goes to the first that asks."""
    groups: dict[tuple[int, datetime], list[_Allowed]] = {}
    for each in allowed:
        groups.setdefault((id(each.authorisation), _end(each, case)), []).append(each)
    permits: list[Permit] = []
    taken: tuple[Range, ...] = ()
    for (_, until), group in groups.items():
        authorisation = group[0].authorisation
        ranges = subtract((each for member in group for each in member.ranges), taken)
        taken = merge((*taken, *ranges))
        if not ranges:
            continue
        names = {address: name for member in group for address, name in member.names.items()}
        rate = authorisation.rate_pps if case.rate_pps is None else case.rate_pps
        permits.append(seal(Grant(authorisation, case.level, to_networks(ranges), names, rate, until)))
    return tuple(permits)


def _end(each: _Allowed, case: _Case) -> datetime:
    """Give when what was allowed ends: with its authorisation, or earlier with a consent it needs."""
    return min([each.authorisation.valid_to, *case.hosted.ends(each.ranges, set(each.names.values()))])


def _when(moment: datetime) -> str:
    return f"{local_text(moment)} Asia/Shanghai"


def _some(networks: Sequence[IPNetwork]) -> str:
    shown = ", ".join(str(network) for network in networks[:_SHOWN_PREFIXES])
    return f"{shown} and {len(networks) - _SHOWN_PREFIXES} more" if len(networks) > _SHOWN_PREFIXES else shown
