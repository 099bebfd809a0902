"""What closer looks may touch: as much as a scan may, and no more than that while they go on."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.collect.dialer import NO_LONGER
from sentinel.collect.look import ProbeTarget
from sentinel.collect.target import parse_target
from sentinel.errors import ScopeError
from sentinel.model.probe import ProbeKind, ProbeObservation
from sentinel.model.register import KeepOut
from sentinel.model.scope import Authorisation, Level, RefusalReason
from sentinel.schedule.context import Context
from sentinel.schedule.domain_looks import plan_domains
from sentinel.schedule.keep_out import load_kept_out
from sentinel.schedule.probing import LookTotal, PlannedLooks, find_targets, leave_out_kept, plan_looks, run_looks
from sentinel.store.declared import write_keep_out
from sentinel.store.scopes import write_authorisation
from tests.collect.test_probing import HERE, OFFER, serving
from tests.homes import NOW, SCHOOL, Clock
from tests.schedule.nmapfile import HostRow, NmapRun, give
from tests.schedule.test_hosted import host, see
from tests.schedule.test_probing import found, look


def allow(
    context: Context,
    *targets: str,
    excluded: Sequence[str] = (),
    level: Level = Level.CHECK,
    days: int = 30,
    rate: int = 100,
) -> None:
    one = Authorisation(
        id=0, unit=SCHOOL.code, targets=tuple(map(parse_target, targets)), by="校长", document="x",
        valid_from=NOW - timedelta(days=1), valid_to=NOW + timedelta(days=days), level=level, allow_loopback=True,
        excluded=tuple(map(parse_target, excluded)), rate_pps=rate,
    )  # fmt: skip
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_authorisation(transaction, one)


def ask(context: Context, *addresses: str) -> PlannedLooks:
    return plan_looks(context, SCHOOL, [ProbeTarget(ProbeKind.SSH, ip_address(one), "tcp", 22) for one in addresses])


def touched(planned: PlannedLooks) -> set[str]:
    return {str(one.address) for _, targets in planned.permits for one in targets}


def test_look_at_an_address_a_hosted_name_leads_to_needs_consent_as_a_scan_does(context: Context) -> None:
    allow(context, "192.0.2.0/24", "school.example")
    host(context, "*.cloud.example")
    see(context, ("192.0.2.9", "www.cloud.example", "dns", 1))
    planned = ask(context, "192.0.2.9", "192.0.2.8")
    assert [(one.target, one.reason) for one in planned.refusals] == [("192.0.2.9", RefusalReason.NO_CONSENT)]
    assert touched(planned) == {"192.0.2.8"}
    ((permit, _),), _ = plan_domains(context, SCHOOL, ["school.example"])
    assert ip_address("192.0.2.8") in set(permit.addresses())
    assert ip_address("192.0.2.9") not in set(permit.addresses())


def test_look_when_a_name_is_excluded_then_its_address_is_left_out_and_the_others_are_looked_at(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(name: str, *_args: object, **_more: object) -> list[tuple[object, ...]]:
        assert name == "vote.school.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.9", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    allow(context, "10.0.0.0/24", excluded=["vote.school.example"])
    planned = ask(context, "10.0.0.8", "10.0.0.9")
    assert touched(planned) == {"10.0.0.8"}
    assert [(one.target, one.reason) for one in planned.refusals] == [("10.0.0.9", RefusalReason.EXCLUDED)]


def note(context: Context, port: int, *addresses: str) -> None:
    give(context, NmapRun(tuple(HostRow(one, ((port, "ssh"),)) for one in addresses), ports=str(port)))


def run(context: Context, planned: PlannedLooks, on_look: Callable[[ProbeObservation], None] = print) -> LookTotal:
    total = LookTotal()
    run_looks(context, SCHOOL, planned, total, vantage="inside", on_look=on_look)
    return total


def greet(line: socket.socket) -> None:
    line.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" + OFFER)


def test_looks_when_one_authorisation_runs_out_then_those_of_others_are_made(
    context: Context,
) -> None:
    other = "127.77.21.2"
    with serving(greet) as port:
        note(context, port, str(HERE), other)
        allow(context, other, days=1)
        allow(context, str(HERE), days=30)
        planned = plan_looks(context, SCHOOL, find_targets(context, SCHOOL, (ProbeKind.SSH,)))
        late = replace(context, clock=Clock(NOW + timedelta(days=2)))
        total = LookTotal()
        ordered = sorted(planned.permits, key=lambda one: one[0].valid_to)
        assert [str(permit.networks[0].network_address) for permit, _ in ordered] == [other, str(HERE)]
        with pytest.raises(ScopeError, match="ended"):
            run_looks(late, SCHOOL, replace(planned, permits=tuple(ordered)), total, vantage="inside")
    assert total.answered == 1
    assert [address for address, _ in found(context)] == [str(HERE)]


def test_looks_when_an_address_is_declared_to_stay_out_meanwhile_then_it_is_neither_touched_nor_told(
    context: Context,
) -> None:
    other, seen = "127.77.21.2", []

    def declare(one: ProbeObservation) -> None:
        seen.append(str(one.address))
        if len(seen) == 1:
            with context.database.transaction("tester", NOW, objects=True) as transaction:
                write_keep_out(transaction, KeepOut(0, SCHOOL.code, (ip_network(f"{other}/32"),), "x"))

    with serving(greet) as port:
        note(context, port, str(HERE), other)
        allow(context, "127.77.21.0/24", rate=1)  # the second host waits while the first is looked at
        planned = plan_looks(context, SCHOOL, find_targets(context, SCHOOL, (ProbeKind.SSH,)))
        total = run(context, planned, declare)
    assert (total.planned, total.answered, total.failed) == (2, 1, {NO_LONGER: 1})
    assert seen == [str(HERE)]


def test_look_when_it_is_told_an_address_that_stays_out_then_that_is_not_kept(context: Context) -> None:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_keep_out(transaction, KeepOut(0, SCHOOL.code, (ip_network("10.9.9.0/24"),), "x"))
    kept = load_kept_out(context, SCHOOL)
    values: dict[str, object] = {
        "ipv4_address": ["10.9.9.1", "10.0.0.1"],
        "redirect_to": "http://10.9.9.2/",
        "mx": ["10.9.9.3"],
        "n": [1],
    }
    told = leave_out_kept(look(1, values, address=None, name="a.example"), kept)
    assert told is not None
    assert dict(told.values) == {"ipv4_address": ("10.0.0.1",), "n": (1,)}
    assert leave_out_kept(look(1, {"a": 1}, address=ip_address("10.9.9.9")), kept) is None


def test_looks_when_the_only_authorisation_has_run_out_then_that_is_what_is_said(context: Context) -> None:
    note(context, 22, "10.0.0.1")
    allow(context, "10.0.0.1", days=1)
    planned = ask(context, "10.0.0.1")
    late = replace(context, clock=Clock(NOW + timedelta(days=2)))
    with pytest.raises(ScopeError, match="ended"):
        run_looks(late, SCHOOL, planned, LookTotal(), vantage="inside")
    assert found(context) == []
