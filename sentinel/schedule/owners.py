"""A unit's register and hosts in; which department answers for each of its findings out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sentinel.inventory.holders import Owners, RegisterIndex
from sentinel.model.endpoint import Host
from sentinel.model.finding import Finding
from sentinel.model.register import RegisterEntry
from sentinel.model.system import InformationSystem, fold_system
from sentinel.model.unit import IPAddress, Unit
from sentinel.schedule.context import Context
from sentinel.schedule.reading import read_unit_hosts
from sentinel.schedule.upkeep import read_joined
from sentinel.store.units import read_networks


def read_owners(context: Context, unit: Unit) -> Owners:
    """Read a unit's register as it stands now; the persons in it are not opened."""
    hosts = read_unit_hosts(context, read_networks(context.database, unit.code))
    register = read_joined(context, unit)
    return build_owners(register.entries, hosts, context.clock(), register.systems)


def build_owners(
    entries: Sequence[RegisterEntry], hosts: Iterable[Host], at: datetime, systems: Iterable[InformationSystem] = ()
) -> Owners:
    """Prepare the register to be asked, with the names known for addresses, and the departments of systems."""
    names: defaultdict[IPAddress, set[str]] = defaultdict(set)
    for host in hosts:
        names[host.address].update(host.names)
    departments = {fold_system(one.facts.name): one.facts.department for one in systems}
    return Owners(RegisterIndex(entries), names, at, departments)


def find_owners(owners: Owners, findings: Iterable[Finding]) -> dict[int, str]:
    """Give the department for each finding, by row id; findings nobody answers for are left out."""
    told = {one.id: one.responsible or owners.department(one.key.subject) for one in findings}
    return {number: department for number, department in told.items() if department}
