"""Information systems with levels and addresses put into a home for tests."""

from __future__ import annotations

from ipaddress import ip_network

from sentinel.model.register import RegisterEntry
from sentinel.model.system import InformationSystem, SystemFacts
from sentinel.schedule.context import Context
from sentinel.store.register import write_register
from sentinel.store.systems import declare_system
from tests.homes import NOW, SCHOOL


def put_system(
    context: Context, name: str, level: int | None, *addresses: str, cii: bool | None = None
) -> InformationSystem:
    """Declare a system and a line of the register with its addresses."""
    facts = SystemFacts(name, told_level=level, cii=cii)
    with context.database.transaction("tester", NOW) as transaction:
        made = declare_system(transaction, InformationSystem(0, SCHOOL.code, facts), "", None)
        if addresses:
            prefixes = tuple(map(ip_network, addresses))
            line = RegisterEntry(0, SCHOOL.code, "台账.xlsx", f"sum-{name}", "", made.id, name, prefixes)
            write_register(transaction, [line], None)
        transaction.audit("test.system", name)
    return made
