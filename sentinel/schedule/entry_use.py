"""A unit in; how each of its whitelist entries is used, for rules and for the list of those that end soon, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sentinel.assess.entries import EntryUse, Look, UseTally, build_entry_subject
from sentinel.assess.listing import Listing
from sentinel.model.endpoint import EndpointState
from sentinel.model.rule import Subject
from sentinel.model.unit import Unit
from sentinel.model.whitelist import WhitelistEntry
from sentinel.schedule.context import Context
from sentinel.schedule.reading import iterate_map
from sentinel.store.endpoints import read_closings
from sentinel.store.runs import read_coverage, read_runs
from sentinel.store.scopes import read_whitelist
from sentinel.store.units import read_networks
from sentinel.store.whitelist import read_applying

LOOK_BACK = timedelta(days=400)
"""How far back runs and closings are read; an entry whose last use lies further back has not been used in a year."""


def iterate_entry_subjects(context: Context, unit: Unit, listing: Listing, now: datetime) -> Iterator[Subject]:
    """Yield a subject for each entry of the unit that has begun and allows something; the map is read once more."""
    entries = [
        one for one in read_whitelist(context.database, unit.code) if one.valid_from is None or one.valid_from <= now
    ]
    if entries:
        yield from (build_entry_subject(use, now) for use in tally_use(context, unit, entries, listing, now))


def tally_use(
    context: Context, unit: Unit, entries: Iterable[WhitelistEntry], listing: Listing, now: datetime
) -> tuple[EntryUse, ...]:
    """Tell how entries that allow something are used, by id."""
    tally = UseTally(entries, listing)
    for row in iterate_map(context, unit, states=(EndpointState.OPEN, EndpointState.UNKNOWN)):
        tally.note_row(row)
    if any(tally.unused()):
        _note_past(context, unit, tally, now)
    return tuple(tally.uses[number] for number in sorted(tally.uses))


def _note_past(context: Context, unit: Unit, tally: UseTally, now: datetime) -> None:
    """Note what closed, and where scans looked, since the day up to which we look back."""
    after = now - LOOK_BACK
    networks = [one.id for one in read_networks(context.database, unit.code)]
    for key, at in read_closings(context.database, networks, after, now).items():
        tally.note_closed(key, at)
    runs = read_runs(context.database, unit.code, after=after, until=now)
    looks = [Look(run.time, run.vantage, run.evidence, read_coverage(context.database, run.id)) for run in runs]
    tally.note_looks(sorted(looks, key=lambda look: look.at))


def read_due(context: Context, unit: Unit, days: int, now: datetime) -> tuple[EntryUse, ...]:
    """Give permissions that end within some days, and those that ended with something still open, soonest first.

    What is allowed for longer by another entry is left out.
    """
    last = now + timedelta(days=days)
    entries = read_whitelist(context.database, unit.code)
    if not any(one.valid_to and one.valid_to <= last for one in entries):
        return ()
    listing = Listing(read_applying(context.database, unit), now, unit.code)
    uses = (use for use in tally_use(context, unit, entries, listing, now) if not use.renewed)
    ending = [
        use
        for use in uses
        if use.entry.valid_to is not None
        and use.entry.valid_to <= last
        and (use.entry.valid_to >= now or use.open_now > use.excused)
    ]
    return tuple(sorted(ending, key=lambda use: (use.entry.valid_to or last, use.entry.id)))
