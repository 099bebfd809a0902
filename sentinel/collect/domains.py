"""Domain names and authorisations in; which names may be looked up, with a permit for the hosts they lead to, out.

A name is asked of the resolver, not of the unit; yet only names an authorisation writes out, or a wildcard of one lies
above, are asked about. What the answers lead to is touched only where the permit holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sentinel.collect.consent import WITHOUT_CONSENT, Unconsented, is_at_or_below
from sentinel.collect.gate import Resolver, admit
from sentinel.collect.permit import Grant, Permit, seal
from sentinel.collect.target import parse_target, printable
from sentinel.model.hosting import Hosting
from sentinel.model.scope import Authorisation, Level, Refusal, RefusalReason
from sentinel.model.unit import IPNetwork, Network

DomainPermit = tuple[Permit, tuple[str, ...]]


def admit_domains(
    domains: Iterable[str],
    *,
    unit: str,
    best: Level,
    authorisations: Sequence[Authorisation],
    networks: Sequence[Network],
    kept_out: Sequence[IPNetwork],
    hosted: Sequence[Hosting],
    now: datetime,
    resolve: Resolver | None = None,
    led: Sequence[tuple[str, IPNetwork]] = (),
) -> tuple[tuple[DomainPermit, ...], tuple[Refusal, ...]]:
    """Decide for every domain whether it may be looked at, level service needed; each permit reaches up to `best`.

    The permit of a domain holds what the addresses and names of its authorisation lead to, as the gate lets them
    through; it may hold nothing, and then only the resolver is asked.
    """
    own = [one for one in authorisations if one.unit == unit]
    valid = [one for one in own if one.is_valid(now) and one.level >= Level.SERVICE]
    excluded = [target.name for one in own if one.is_valid(now) for target in one.excluded if target.name]
    unconsented = Unconsented.of(hosted, now, led)
    chosen: dict[int, list[str]] = {}
    refusals: list[Refusal] = []
    for domain in domains:
        name = _read_name(domain)
        holders = [one for one in valid if name and _covers(one, name)]
        if not name:
            refusals.append(Refusal(printable(domain), RefusalReason.MALFORMED, "no domain name"))
        elif any(is_at_or_below(name, one) for one in excluded):
            refusals.append(Refusal(name, RefusalReason.EXCLUDED, "the name is excluded"))
        elif not holders:
            refusals.append(_unauthorised(name, own, now))
        elif unconsented.refuses_name(name):
            refusals.append(Refusal(name, RefusalReason.NO_CONSENT, WITHOUT_CONSENT))
        else:
            holder = max(holders, key=lambda one: (one.level, one.valid_to, -one.id))
            chosen.setdefault(own.index(holder), []).append(name)
    permits: list[DomainPermit] = []
    for place, names in chosen.items():
        holder, level = own[place], min(best, own[place].level)
        admission = admit(
            [*(one.text for one in holder.targets if one.network is not None), *names],
            unit=unit,
            level=level,
            rate_pps=None,
            authorisations=[one if one is holder else replace(one, targets=()) for one in own],
            networks=networks,
            kept_out=kept_out,
            hosted=hosted,
            led=led,
            now=now,
            resolve=resolve,
        )
        until = min([holder.valid_to, *unconsented.ends((), names)])
        nowhere = seal(Grant(holder, level, (), {}, holder.rate_pps, until))
        widest = max(admission.permits, key=lambda one: one.count, default=nowhere)
        permits.append((widest, tuple(names)))
    return tuple(permits), tuple(refusals)


def _read_name(domain: str) -> str:
    try:
        name = parse_target(domain).name
    except ValueError:
        return ""
    return "" if name.startswith("*.") or "." not in name else name


def _covers(authorisation: Authorisation, name: str) -> bool:
    return any(
        one.name == name or (one.name.startswith("*.") and name.endswith(one.name[1:])) for one in authorisation.targets
    )


def is_written(name: str, authorisations: Iterable[Authorisation]) -> bool:
    """Tell whether an authorisation, in force or not, writes a name out or a wildcard above it."""
    return any(_covers(one, name) for one in authorisations)


def _unauthorised(name: str, own: Sequence[Authorisation], now: datetime) -> Refusal:
    covering = [one for one in own if _covers(one, name)]
    if not covering:
        detail = "no authorisation of the unit writes this name out"
        return Refusal(name, RefusalReason.UNAUTHORISED, detail)
    if any(one.is_valid(now) for one in covering):
        return Refusal(name, RefusalReason.LEVEL, "the authorisation of this name does not reach to level service")
    if any(one.withdrawn_at is None and now < one.valid_from for one in covering):
        return Refusal(name, RefusalReason.NOT_YET, "the authorisation of this name has not begun")
    return Refusal(name, RefusalReason.EXPIRED, "the authorisation of this name has ended or was withdrawn")
