"""What is known of each kind of evidence: how new, and how much of the unit it covers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from ipaddress import ip_network

import pytest

from sentinel.config import DEFAULT_PORTS
from sentinel.model.control import ProofState
from sentinel.model.ports import PortSet, parse_ports
from sentinel.model.unit import Network, Zone
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind
from sentinel.schedule.context import Context
from sentinel.schedule.intake import replace_networks
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.proofs import read_proofs
from sentinel.store.flows import write_capture
from sentinel.store.scopes import write_whitelist_entry
from sentinel.store.units import write_network
from tests.homes import NOW, SCHOOL
from tests.schedule.nmapfile import NmapRun, at, give, host

UDP = "69,111,137-138,161"
"""The UDP ports a whole look asks: those of the rule exposure.high-risk-port."""


def full_scan(numbers: Iterable[int], *, day: float, arguments: str = "nmap -oX -") -> bytes:
    """Write a run that asked addresses 10.0.0.N every port a whole look needs, and found ssh on each."""
    run = NmapRun(
        tuple(host(number, p22="ssh") for number in numbers),
        ports=str(parse_ports(DEFAULT_PORTS)["tcp"]),
        finished=at(day),
        arguments=arguments,
    )
    udp = f'<scaninfo type="udp" protocol="udp" services="{UDP}"/>'
    return run.write().replace(b"<scaninfo", udp.encode() + b"\n<scaninfo", 1)


@pytest.fixture
def campus(context: Context) -> Context:
    """A home with one network of eight addresses, seven of which can be asked."""
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        network = Network(0, SCHOOL.code, "campus", Zone.SERVER, (ip_network("10.0.0.0/29"),))
        write_network(transaction, network)
        replace_networks(context, transaction, SCHOOL)
    return context


def proof(context: Context, kind: str) -> ProofState:
    judge_unit(context, SCHOOL)
    return read_proofs(context, SCHOOL, NOW)[kind]


def test_proofs_when_nothing_is_known_are_all_empty(campus: Context) -> None:
    states = read_proofs(campus, SCHOOL, NOW)
    assert sorted(states) == ["certificates", "port-scan", "service-scan", "traffic", "whitelist"]
    assert all((state.newest, state.coverage, state.evidence) == (None, 0.0, ()) for state in states.values())


def test_port_scan_when_every_port_was_asked_covers_what_was_asked(campus: Context) -> None:
    give(campus, full_scan(range(4), day=99))
    state = proof(campus, "port-scan")
    assert (round(state.coverage, 3), state.newest, len(state.evidence)) == (round(3 / 6, 3), at(99), 1)
    assert proof(campus, "service-scan").coverage == 0


def test_port_scan_when_two_runs_share_the_unit_is_as_old_as_the_older_it_rests_on(campus: Context) -> None:
    give(campus, full_scan(range(4), day=90))
    give(campus, full_scan(range(4, 8), day=99))
    state = proof(campus, "port-scan")
    assert (state.coverage, state.newest, len(state.evidence)) == (1.0, at(90), 2)
    give(campus, full_scan(range(8), day=99.5))
    state = proof(campus, "port-scan")
    assert (state.coverage, state.newest, len(state.evidence)) == (1.0, at(99.5), 1)


def test_proofs_when_no_rule_was_applied_to_what_arrived_then_it_proves_nothing(campus: Context) -> None:
    give(campus, full_scan(range(8), day=99, arguments="nmap -sV -oX -"))
    states = read_proofs(campus, SCHOOL, NOW)
    assert {state.kind: state.coverage for state in states.values() if state.coverage or state.newest} == {}
    assert proof(campus, "port-scan").coverage == 1.0


def test_port_scan_when_only_some_ports_were_asked_proves_nothing(campus: Context) -> None:
    give(campus, NmapRun(tuple(host(number, p22="ssh") for number in range(8)), ports="22,80,443", finished=at(99)))
    assert proof(campus, "port-scan").coverage == 0
    whole_tcp = full_scan(range(8), day=99.5).replace(UDP.encode(), b"53")
    give(campus, whole_tcp)
    assert proof(campus, "port-scan").coverage == 0


def test_port_scan_when_older_than_a_quarter_proves_nothing(campus: Context) -> None:
    give(campus, full_scan(range(8), day=99))
    assert read_proofs(campus, SCHOOL, NOW + timedelta(days=91))["port-scan"].newest is None


@pytest.mark.parametrize("option", ["-sV", "-A"])
def test_service_scan_when_services_were_asked_counts(campus: Context, option: str) -> None:
    give(campus, full_scan(range(8), day=99, arguments=f"nmap {option} -oX -"))
    assert proof(campus, "service-scan").coverage == proof(campus, "port-scan").coverage == 1.0


def test_scans_when_no_network_is_declared_cover_nothing(context: Context) -> None:
    give(context, full_scan(range(8), day=99))
    assert proof(context, "port-scan").coverage == 0


def test_whitelist_when_it_allows_half_of_what_is_open_covers_half(campus: Context) -> None:
    entry = WhitelistEntry(
        id=0, unit=SCHOOL.code, kind=WhitelistKind.PORT, proto="tcp", ports=PortSet.of_ports([22]),
        addresses=(ip_network("10.0.0.0/29"),), reason="x", approved_by="x",
    )  # fmt: skip
    with campus.database.transaction("tester", NOW, objects=True) as transaction:
        write_whitelist_entry(transaction, entry)
    assert proof(campus, "whitelist").coverage == 0
    give(campus, NmapRun((host(1, p22="ssh", p80="nginx"),), finished=at(99)))
    state = proof(campus, "whitelist")
    assert (state.coverage, state.newest) == (0.5, at(99))


def test_traffic_when_a_capture_was_searched_has_a_time_and_covers_nothing(campus: Context) -> None:
    with campus.database.transaction("tester", NOW) as transaction:
        write_capture(transaction, SCHOOL.code, "ab" * 32, "a.pcap", [])
        transaction.audit("traffic.analyze", "a.pcap")
    state = proof(campus, "traffic")
    assert (state.newest, state.coverage) == (NOW, 0.0)


def test_certificates_when_some_were_read_cover_their_share(campus: Context) -> None:
    text = full_scan(range(1), day=99).decode()
    service = '<service name="http" tunnel="ssl" method="probed" conf="10"/>'
    rows = "".join(
        f'<port protocol="tcp" portid="{port}"><state state="open" reason="x"/>{service}{script}</port>'
        for port, script in ((443, CERTIFICATE), (8443, ""))
    )
    give(campus, text.replace("<ports>", f"<ports>{rows}", 1).encode())
    state = proof(campus, "certificates")
    assert (state.coverage, state.newest, len(state.evidence)) == (0.5, at(99), 1)


CERTIFICATE = (
    '<script id="ssl-cert" output="Subject: commonName=www.school.example"><table key="subject">'
    '<elem key="commonName">www.school.example</elem></table><table key="issuer">'
    '<elem key="commonName">www.school.example</elem></table><table key="validity">'
    '<elem key="notBefore">2026-01-01T00:00:00</elem><elem key="notAfter">2027-01-01T00:00:00</elem></table>'
    f'<elem key="sha1">{"ab" * 20}</elem></script>'
)
