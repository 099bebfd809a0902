"""Which grading object owns an address, a name, a finding."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.inventory.grading import UNIT, Ownership, list_objects
from sentinel.inventory.systems import join_lines
from sentinel.model.control import GradingObject
from sentinel.model.endpoint import Host
from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState, SubjectKind
from sentinel.model.ports import PortSet
from sentinel.model.register import RegisterEntry
from sentinel.model.rule import Severity
from sentinel.model.system import InformationSystem, SystemFacts, SystemState
from sentinel.model.unit import Zone

NOW = datetime(2026, 11, 22, tzinfo=UTC)
JW, CARD, PLAIN, OLD = 1, 2, 3, 4
SYSTEMS = (
    InformationSystem(JW, "u", SystemFacts("教务系统", told_level=3, cii=True)),
    InformationSystem(CARD, "u", SystemFacts("一卡通", business_level=2, service_level=1), names=("校园卡",)),
    InformationSystem(PLAIN, "u", SystemFacts("未定级系统")),
    InformationSystem(OLD, "u", SystemFacts("停用系统", told_level=2), state=SystemState.RETIRED, state_at=NOW),
)


def line(number: int, system: str, *addresses: str, domains: tuple[str, ...] = (), **more) -> RegisterEntry:
    prefixes = tuple(map(ip_network, addresses))
    return RegisterEntry(number, "u", "r", "", "", number, system, prefixes, domains, **more)


LINES = (
    line(1, "教务系统", "10.0.0.5/32", ports=(("tcp", PortSet.of_ports([443])),)),
    line(2, "校园卡", "10.0.0.5/32", ports=(("tcp", PortSet.of_ports([8080])),)),
    line(3, "一卡通", "10.0.1.0/24", domains=("card.school.example",)),
    line(4, "", "10.0.1.9/32"),
    line(5, "未定级系统", "10.0.2.1/32"),
    line(6, "停用系统", "10.0.3.1/32"),
    line(7, "教务系统", domains=("JW.school.example.", "gone.school.example")),
    line(8, "教务系统", "10.0.4.1/32", valid_to=NOW - timedelta(days=1)),
)
HOSTS = (
    Host("lan", Zone.SERVER, ip_address("10.0.9.1"), ("jw.school.example",)),
    Host("lan", Zone.SERVER, ip_address("10.0.1.7"), ("www.card.example",)),
)


@pytest.fixture
def owned() -> Ownership:
    entries, owners = join_lines(LINES, SYSTEMS)
    return Ownership(entries, owners, SYSTEMS, HOSTS, NOW)


def test_list_objects_when_a_system_has_no_level_or_is_retired_then_it_is_none():
    assert list_objects("u", SYSTEMS) == (
        GradingObject("u", "教务系统", JW, 3, cii=True),
        GradingObject("u", "一卡通", CARD, 2),
    )


@pytest.mark.parametrize(
    ("address", "port", "wanted"),
    [
        ("10.0.0.5", 443, {JW}),
        ("10.0.0.5", 8080, {CARD}),
        ("10.0.0.5", 22, {JW, CARD}),
        ("10.0.0.5", 0, {JW, CARD}),
        ("10.0.1.8", 80, {CARD}),
        ("10.0.1.9", 80, {UNIT}),
        ("10.0.2.1", 0, {UNIT}),
        ("10.0.3.1", 0, {UNIT}),
        ("10.0.4.1", 0, {UNIT}),
        ("10.0.9.1", 443, {JW}),
        ("192.0.2.1", 0, {UNIT}),
    ],
)
def test_objects_of_address_when_asked_then_the_closest_line_decides(owned, address, port, wanted):
    assert owned.objects_of_address(ip_address(address), "tcp" if port else "", port) == wanted


@pytest.mark.parametrize(
    ("kind", "subject", "wanted"),
    [
        (SubjectKind.ENDPOINT, "10.0.0.5:443/tcp", {JW}),
        (SubjectKind.HOST, "10.0.1.7", {CARD}),
        (SubjectKind.HOST, "10.0.1.7 stratum", {CARD}),
        (SubjectKind.DOMAIN, "card.school.example", {CARD}),
        (SubjectKind.DOMAIN, "www.card.example", {CARD}),
        (SubjectKind.DOMAIN, "nowhere.example", {UNIT}),
        (SubjectKind.URL, "https://jw.school.example/login", {JW}),
        (SubjectKind.URL, "http://10.0.1.3:8080/", {CARD}),
        (SubjectKind.SYSTEM, "校园卡", {CARD}),
        (SubjectKind.SYSTEM, "未定级系统", {UNIT}),
        (SubjectKind.SYSTEM, "没有的系统", {UNIT}),
        (SubjectKind.ENTRY, "10.0.1.7 443/tcp #12", {CARD}),
        (SubjectKind.ENTRY, "card.school.example #3", {CARD}),
        (SubjectKind.UNIT, "u", None),
    ],
)
def test_objects_of_when_a_finding_is_asked_then_what_it_speaks_of_decides(owned, kind, subject, wanted):
    finding = Finding(
        1, "", FindingKey("u", "a.b", 1, subject), FindingSource.OWN_SCAN, Severity.HIGH, FindingState.OPEN, NOW, NOW,
        kind=kind,
    )  # fmt: skip
    assert owned.objects_of(finding) == wanted


def test_prefixes_of_when_asked_then_lines_and_addresses_of_names_are_given_with_the_names_nobody_knows(owned):
    assert owned.prefixes_of(JW) == ((ip_network("10.0.0.5/32"), ip_address("10.0.9.1")), 1)
    assert owned.prefixes_of(CARD) == ((ip_network("10.0.0.5/32"), ip_network("10.0.1.0/24")), 0)
    assert owned.prefixes_of(99) == ((), 0)


def test_objects_of_address_when_a_name_stands_in_no_graded_line_then_the_unit_owns_it():
    entries, owners = join_lines((replace(LINES[4], domains=("x.example",)),), SYSTEMS)
    owned = Ownership(entries, owners, SYSTEMS, (), NOW)
    assert owned.objects_of_name("X.example.") == {UNIT}
