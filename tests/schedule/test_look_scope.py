"""What closer looks may touch: as much as a scan may, and no more than that while they go on."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address

import pytest

from sentinel.collect import names
from sentinel.collect.look import ProbeTarget
from sentinel.collect.target import parse_target
from sentinel.model.probe import ProbeKind
from sentinel.model.scope import Authorisation, Level, RefusalReason
from sentinel.schedule.context import Context
from sentinel.schedule.domain_looks import plan_domains
from sentinel.schedule.probing import PlannedLooks, plan_looks
from sentinel.store.scopes import write_authorisation
from tests.homes import NOW, SCHOOL
from tests.schedule.test_hosted import host, see


def allow(context: Context, *targets: str, excluded: Sequence[str] = (), level: Level = Level.CHECK) -> None:
    one = Authorisation(
        id=0, unit=SCHOOL.code, targets=tuple(map(parse_target, targets)), by="校长", document="x",
        valid_from=NOW - timedelta(days=1), valid_to=NOW + timedelta(days=30), level=level, allow_loopback=True,
        excluded=tuple(map(parse_target, excluded)),
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

    monkeypatch.setattr(names.socket, "getaddrinfo", resolve)
    allow(context, "10.0.0.0/24", excluded=["vote.school.example"])
    planned = ask(context, "10.0.0.8", "10.0.0.9")
    assert touched(planned) == {"10.0.0.8"}
    assert [(one.target, one.reason) for one in planned.refusals] == [("10.0.0.9", RefusalReason.EXCLUDED)]
