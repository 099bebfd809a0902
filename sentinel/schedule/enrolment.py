"""What a unit says about itself in its first hour in; a home with its unit, networks, exits, contact and scope out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from sentinel.collect.ranges import merge, range_of, subtract, to_networks
from sentinel.config import Settings, build_settings_text
from sentinel.model.place import parse_server_place
from sentinel.model.register import Exit, KeepOut, Person
from sentinel.model.scope import Authorisation, Level, Target
from sentinel.model.unit import IPNetwork, Network, Unit, UnitLevel, Zone
from sentinel.schedule.answers import is_inside, refuse_overlap
from sentinel.schedule.context import Context, open_context
from sentinel.schedule.keep_out import build_kept_out
from sentinel.store.database import Transaction
from sentinel.store.declared import write_answer, write_contact, write_exit, write_keep_out
from sentinel.store.home import create_home, discard_tables
from sentinel.store.scopes import write_authorisation
from sentinel.store.units import write_network, write_unit

SECURITY = "security"
"""Role of the person who answers for network security (网络安全联系人)."""

CLASSIFIED = "classified"
"""Name of the answer about state secrets: `none`, or `kept_out`: there is something, and it is kept out."""

AUTHORITY = "authority"
"""Name of the answer who signs scan authorisations."""

KEPT_OUT_REASON = "按保密规定排除"
DEFAULT_LEVEL = Level.SERVICE
DEFAULT_DAYS = 180


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The answers of one unit.

    Attributes:
        unit: name, code and level.
        networks: as declared.
        exits: ways to the internet.
        by: who authorises scans; empty: not known yet.
        document: by which document; empty: not signed yet, so no authorisation is written.
        until: last moment of the authorisation; None: `DEFAULT_DAYS` from now.
        level: how far it reaches.
        person: whom to call.
        classified: `none`, `kept_out`, or empty when nobody said.
        keep_out: addresses that must stay out.
    """

    unit: Unit
    networks: tuple[Network, ...] = ()
    exits: tuple[Exit, ...] = ()
    by: str = ""
    document: str = ""
    until: datetime | None = None
    level: Level = DEFAULT_LEVEL
    person: Person = field(default_factory=Person)
    classified: str = ""
    keep_out: tuple[IPNetwork, ...] = ()

    @property
    def all_networks(self) -> tuple[Network, ...]:
        """The networks, and one for each exit, so that what is seen from outside lands in scope."""
        more = (build_exit_network(one, self.networks) for one in self.exits)
        return (*self.networks, *(one for one in more if one))

    @property
    def is_more_than_a_name(self) -> bool:
        """Something beside the unit was answered."""
        return self != Enrolment(self.unit)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What came of it.

    Attributes:
        unit: as stored.
        authorisation: as stored; None: no document was named, or there is nothing that may be scanned.
    """

    unit: Unit
    authorisation: Authorisation | None


def check_enrolment(one: Enrolment) -> None:
    """Hold the answers against each other.

    Raises:
        ValueError: an exit overlaps a part of a network, or something declared lies wholly in what must stay out.
    """
    kept = build_kept_out(one.keep_out)
    for network in one.all_networks:
        others = [other for other in one.all_networks if other.name != network.name]
        refuse_overlap(network.prefixes, others)
        for prefix in network.prefixes:
            if kept.count([prefix]) == prefix.num_addresses:
                raise ValueError(f"网络“{network.name}”的 {prefix} 在不得触碰的地址之内：涉密网络不得登记")


def build_exit_network(one: Exit, networks: Iterable[Network]) -> Network | None:
    """Give the network of an exit's public addresses, zone DMZ; None where declared networks hold them all."""
    networks = tuple(network for network in networks if network.name != one.name)
    prefixes = tuple(prefix for prefix in one.prefixes if not is_inside(prefix, networks))
    return Network(0, one.unit, one.name, Zone.DMZ, prefixes) if prefixes else None


def choose_targets(networks: Iterable[Network], keep_out: Iterable[IPNetwork]) -> tuple[Target, ...]:
    """Give what an authorisation of a unit covers: its scannable networks, never those for logs only, never what
    must stay out.
    """
    networks = tuple(networks)
    wanted = [range_of(prefix) for network in networks if network.scannable for prefix in network.prefixes]
    closed = [range_of(prefix) for network in networks if not network.scannable for prefix in network.prefixes]
    left = subtract(wanted, merge((*closed, *(range_of(prefix) for prefix in keep_out))))
    return tuple(_target(prefix) for prefix in to_networks(left))


def _target(prefix: IPNetwork) -> Target:
    single = prefix.prefixlen == prefix.max_prefixlen
    return Target(str(prefix.network_address if single else prefix), network=prefix)


def found_home(path: Path, one: Enrolment, read_settings: Callable[[Path], Settings], database: str = "") -> Enrolled:
    """Make a home with its unit, its tables on a server when one is named; no half-made home is left.

    Raises:
        StoreError: the folder is a home already or cannot be written.
        UsageError: the unit's code cannot be used.
        ConfigError: the contact key would lie inside the home.
    """
    was_there = path.exists()
    made = enrolled = None
    try:
        server = parse_server_place(database) if database else None
        made = create_home(path, build_settings_text(one.unit.code, database), server)
        with open_context(path, read_settings(path)) as context:
            enrolled = _enrol(context, one)
    finally:
        if enrolled is None and made is not None:
            made.settings.unlink(missing_ok=True)
            if made.server is not None:
                discard_tables(made.server)
        if enrolled is None and not was_there:
            shutil.rmtree(path, ignore_errors=True)
    return enrolled


def _enrol(context: Context, one: Enrolment) -> Enrolled:
    seal = None if one.person.is_nobody else context.make_seal()
    with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
        transaction.audit("home.init", str(context.home.path))
        unit = write_unit(transaction, one.unit)
        for network in one.all_networks:
            write_network(transaction, replace(network, unit=unit.code))
        for exit_ in one.exits:
            write_exit(transaction, replace(exit_, unit=unit.code))
        if one.keep_out:
            write_keep_out(transaction, KeepOut(0, unit.code, one.keep_out, KEPT_OUT_REASON))
        for name, value in ((CLASSIFIED, one.classified), (AUTHORITY, one.by)):
            if value:
                write_answer(transaction, unit.code, name, value)
        if not one.person.is_nobody:
            write_contact(transaction, unit.code, SECURITY, one.person, seal)
        return Enrolled(unit, _authorise(context, transaction, unit, one))


def _authorise(context: Context, transaction: Transaction, unit: Unit, one: Enrolment) -> Authorisation | None:
    targets = choose_targets(one.all_networks, one.keep_out)
    if not (one.by and one.document and targets):
        return None
    wanted = Authorisation(
        id=0,
        unit=unit.code,
        targets=targets,
        by=one.by,
        document=one.document,
        valid_from=transaction.now,
        valid_to=one.until or transaction.now + timedelta(days=DEFAULT_DAYS),
        level=one.level,
        rate_pps=context.settings.rate_pps,
    )
    return write_authorisation(transaction, wanted)


def build_unit(name: str, code: str, level: UnitLevel = UnitLevel.SCHOOL) -> Unit:
    """Give a unit whose code is its name where it has none."""
    return Unit(code or name, name, level)
