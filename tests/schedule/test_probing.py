"""Closer looks at what a unit's map holds: chosen, let through by the gate, taken in, and judged."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.collect.target import parse_target
from sentinel.errors import ScopeError
from sentinel.model.evidence import RunKind
from sentinel.model.probe import ProbeKind, ProbeObservation, clean_values
from sentinel.model.register import KeepOut
from sentinel.model.scope import Authorisation, Level
from sentinel.observe.probe_log import write_end, write_head, write_look
from sentinel.schedule.collecting import collect
from sentinel.schedule.context import Context
from sentinel.schedule.intake import Origin, replace_networks, take_in
from sentinel.schedule.probing import LookTotal, find_targets, plan_looks, run_looks
from sentinel.store.declared import withdraw_keep_out, write_keep_out
from sentinel.store.probes import read_probes
from sentinel.store.scopes import write_authorisation
from sentinel.store.units import read_networks
from tests.collect.test_probing import HERE, OFFER, serving
from tests.homes import NOW, SCHOOL
from tests.schedule.nmapfile import HostRow, NmapRun, at, give


def authorise(context: Context, target: str, level: Level) -> None:
    permit = Authorisation(
        id=0, unit=SCHOOL.code, targets=(parse_target(target),), by="校长", document="x",
        valid_from=NOW - timedelta(days=1), valid_to=NOW + timedelta(days=30), level=level, allow_loopback=True,
    )  # fmt: skip
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_authorisation(transaction, permit)


def record(day: float, *looks: ProbeObservation) -> bytes:
    return write_head("sentinel-probe", at(day)) + b"".join(map(write_look, looks)) + write_end(at(day), len(looks))


def look(day: float, values: dict[str, object], **changes: object) -> ProbeObservation:
    fields: dict[str, object] = {
        "kind": ProbeKind.SSH,
        "address": ip_address("10.0.0.1"),
        "proto": "tcp",
        "port": 22,
        "name": "",
        "time": at(day),
        "answered": True,
        "values": clean_values(values),
    }
    return ProbeObservation(**(fields | changes))  # type: ignore[arg-type]  # the changes are fields by name


def take(context: Context, data: bytes) -> int:
    return take_in(context, SCHOOL, io.BytesIO(data), Origin("looks", RunKind.IMPORT, "inside")).run.events


def found(context: Context) -> list[tuple[str, dict[str, object]]]:
    networks = [network.id for network in read_networks(context.database, SCHOOL.code)]
    return [(str(one.address or one.name), dict(one.values)) for one in read_probes(context.database, networks)]


def test_looks_when_made_then_they_are_kept_with_their_evidence(context: Context) -> None:
    def talk(line) -> None:
        line.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" + OFFER)

    with serving(talk) as port:
        give(context, NmapRun((HostRow(str(HERE), ((port, "ssh"),)),), ports=str(port)))
        authorise(context, str(HERE), Level.SERVICE)
        planned = plan_looks(context, SCHOOL, find_targets(context, SCHOOL, tuple(ProbeKind)))
        total = LookTotal()
        seen: list[ProbeObservation] = []
        intake = run_looks(context, SCHOOL, planned, total, vantage="inside", on_look=seen.append)
    assert (total.planned, total.answered, total.failed, total.sent, total.changed) == (1, 1, {}, 1, 1)
    assert [(address, values["ssh_kex"]) for address, values in found(context)] == [(str(HERE), ("kex-a", "kex-b"))]
    assert intake.run.format == "sentinel-probes"
    assert intake.kept
    assert len(seen) == 1


def test_looks_when_not_authorised_far_enough_then_nothing_is_sent(context: Context) -> None:
    met: list[int] = []
    with serving(lambda line: met.append(1)) as port:
        give(context, NmapRun((HostRow(str(HERE), ((port, "ssh"),)),), ports=str(port)))
        authorise(context, str(HERE), Level.DISCOVER)
        planned = plan_looks(context, SCHOOL, find_targets(context, SCHOOL, tuple(ProbeKind)))
        assert not planned.permits
        with pytest.raises(ScopeError, match="refused"):
            run_looks(context, SCHOOL, planned, LookTotal(), vantage="inside")
    assert met == []


def test_targets_when_a_kind_or_an_address_is_not_wanted_then_it_is_left_out(context: Context) -> None:
    give(context, NmapRun((HostRow("10.0.0.1", ((22, "ssh"),)), HostRow("10.0.0.2", ((22, "ssh"),)))))
    assert len(list(find_targets(context, SCHOOL, tuple(ProbeKind)))) == 2
    assert list(find_targets(context, SCHOOL, (ProbeKind.DNS,))) == []
    (one,) = find_targets(context, SCHOOL, (ProbeKind.SSH,), [ip_address("10.0.0.2")])
    assert (str(one.address), one.port, one.service) == ("10.0.0.2", 22, "ssh")


def test_targets_when_a_product_is_known_then_it_is_asked_as_that(context: Context) -> None:
    ports = (
        (6379, "redis"),
        (27017, "mongod"),
        (9200, "elastic"),
        (21, "ftp"),
        (80, "nginx"),
        (25, "smtp"),
        (993, "imaps"),
        (10250, "open"),
    )
    give(context, NmapRun((HostRow("10.0.0.1", ports),), ports="21,25,80,993,6379,9200,10250,27017"))
    found = {(one.port, one.service, one.is_tls) for one in find_targets(context, SCHOOL, (ProbeKind.LOGIN,))}
    assert found == {
        (6379, "redis", False),
        (27017, "mongodb", False),
        (9200, "elasticsearch", False),
        (10250, "kubernetes", True),
    }
    mail = {(one.port, one.service, one.is_tls) for one in find_targets(context, SCHOOL, (ProbeKind.MAIL,))}
    assert mail == {(25, "smtp", False), (993, "imap", True)}


def test_targets_when_the_unit_has_not_allowed_a_public_read_then_snmp_is_left_out(context: Context) -> None:
    agent = (
        '<?xml version="1.0"?><!DOCTYPE nmaprun><nmaprun scanner="nmap" args="nmap -sU -oX -" version="7.93">'
        '<scaninfo type="udp" protocol="udp" services="161"/><host><status state="up" reason="udp-response"/>'
        '<address addr="10.0.0.1" addrtype="ipv4"/><ports><port protocol="udp" portid="161">'
        '<state state="open" reason="udp-response"/><service name="snmp" method="probed" conf="10"/></port></ports>'
        f'</host><runstats><finished time="{int(NOW.timestamp())}" exit="success"/>'
        '<hosts up="1" down="0" total="1"/></runstats></nmaprun>'
    )
    take(context, agent.encode())
    assert list(find_targets(context, SCHOOL, tuple(ProbeKind))) == []
    allowed = replace(context, settings=replace(context.settings, probe_snmp_public=True))
    (one,) = find_targets(allowed, SCHOOL, tuple(ProbeKind))
    assert (one.kind, one.proto, one.port) == (ProbeKind.SNMP, "udp", 161)


@pytest.mark.parametrize("level", [Level.SERVICE, Level.CHECK])
def test_plan_when_a_look_finds_out_more_further_on_then_it_goes_as_far_as_it_may(
    level: Level, context: Context
) -> None:
    give(context, NmapRun((HostRow("10.0.0.1", ((25, "smtp"), (6379, "redis"))),), ports="25,6379"))
    authorise(context, "10.0.0.0/24", level)
    planned = plan_looks(context, SCHOOL, find_targets(context, SCHOOL, tuple(ProbeKind)))
    made = {(one.kind, permit.level) for permit, targets in planned.permits for one in targets}
    if level is Level.CHECK:
        assert made == {
            (ProbeKind.MAIL, Level.CHECK), (ProbeKind.LOGIN, Level.CHECK), (ProbeKind.TLS, Level.SERVICE)
        }  # fmt: skip
        assert planned.refusals == ()
    else:
        assert made == {(ProbeKind.MAIL, Level.SERVICE), (ProbeKind.TLS, Level.SERVICE)}
        assert [one.target for one in planned.refusals] == ["10.0.0.1"]


def test_looks_in_any_order_of_arrival_give_the_same(context: Context) -> None:
    first, second = record(1, look(1, {"ssh_kex": ["a"]})), record(3, look(3, {"ssh_kex": ["b"]}))
    assert take(context, second) == 1
    take(context, first)
    assert found(context) == [("10.0.0.1", {"ssh_kex": ("b",)})]
    assert take(context, first) == take(context, second) == 1  # known: nothing changes, the events are those of then


def test_looks_when_a_look_is_about_a_domain_then_it_is_kept_with_the_unit(context: Context) -> None:
    take(
        context,
        record(1, look(1, {"a": 1}, kind=ProbeKind.DNS, address=None, proto="", port=0, name="school.example")),
    )
    assert found(context) == [("school.example", {"a": 1})]


@pytest.mark.nmap
def test_cycle_when_it_collects_then_what_is_open_is_looked_at_too(context: Context) -> None:
    def talk(line) -> None:
        line.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" + OFFER)
        line.recv(100)

    with serving(talk) as port:
        authorise(context, str(HERE), Level.SERVICE)
        done = collect(context, SCHOOL, str(port))
    assert done.problems == []
    assert (done.scan.endpoints_open, done.looks.answered) == (1, 1)
    assert [values["ssh_ciphers"] for _, values in found(context)] == [("aes128-cbc",)]


@pytest.mark.nmap
def test_cycle_when_it_may_only_discover_then_no_look_is_made(context: Context) -> None:
    with serving(lambda line: line.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")) as port:
        authorise(context, str(HERE), Level.DISCOVER)
        done = collect(context, SCHOOL, str(port))
    assert (done.problems, done.scan.endpoints_open, done.looks.planned) == ([], 1, 0)


def test_looks_when_an_address_is_to_stay_out_then_they_go_and_come_back_with_it(context: Context) -> None:
    take(context, record(1, look(1, {"a": 1}), look(1, {"a": 2}, address=ip_address("10.0.0.2"))))
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        kept = write_keep_out(transaction, KeepOut(0, SCHOOL.code, (ip_network("10.0.0.2/32"),), "x"))
        replace_networks(context, transaction, SCHOOL)
    assert found(context) == [("10.0.0.1", {"a": 1})]
    with context.database.transaction("tester", NOW) as transaction:
        withdraw_keep_out(transaction, SCHOOL.code, kept.id, "x")
        replace_networks(context, transaction, SCHOOL)
    assert [address for address, _ in found(context)] == ["10.0.0.1", "10.0.0.2"]
