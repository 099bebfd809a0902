"""What the pages know of the register."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

from sentinel.console.register import read_index
from sentinel.model.register import RegisterEntry
from sentinel.model.system import InformationSystem, SystemFacts
from sentinel.store.register import write_register
from sentinel.store.systems import declare_system, read_systems, rename_system
from sentinel.store.units import read_networks
from tests.homes import NOW, SCHOOL, opened


def test_host_of_a_renamed_system_is_found_by_either_name(tmp_path: Path) -> None:
    line = RegisterEntry(0, SCHOOL.code, "台账.xlsx", "a" * 64, "台账", 2, "门户网站", (ip_network("10.0.0.1/32"),))
    with opened(tmp_path / "home") as context:
        with context.database.transaction("tester", NOW) as transaction:
            write_register(transaction, [line], None)
            declare_system(transaction, InformationSystem(0, SCHOOL.code, SystemFacts("门户网站")), "", None)
            transaction.audit("test", "test")
        with context.database.transaction("tester", NOW) as transaction:
            (known,) = read_systems(context.database, SCHOOL.code)
            rename_system(transaction, known, "智慧门户", "升级", None)
            transaction.audit("test", "test")
        index = read_index(context, SCHOOL.code, read_networks(context.database, SCHOOL.code), NOW)
        words = index.words("10.0.0.1")
    assert words is not None
    assert ("智慧门户" in words, "门户网站" in words) == (True, True)
