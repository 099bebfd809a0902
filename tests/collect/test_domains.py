"""Which domains may be asked about, and what may be touched behind them: written out, in force, consented to."""

from __future__ import annotations

import socket
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.collect.domains import admit_domains, is_written
from sentinel.collect.names import stop_when_silent
from sentinel.collect.target import parse_target
from sentinel.errors import ScopeError
from sentinel.model.hosting import Hosting
from sentinel.model.scope import Authorisation, Level, RefusalReason
from tests.collect.allow import NOW, UNIT, authorise

ADDRESSES = {"www.school.example": "10.0.0.5", "out.school.example": "192.0.2.77", "ns.school.example": "10.0.0.53"}


def resolve(name: str):
    if name not in ADDRESSES:
        raise OSError("no such name")
    return [ip_address(ADDRESSES[name])]


def ask(*domains: str, given: list[Authorisation], hosted=(), kept_out=(), now=NOW, best=Level.CHECK):
    return admit_domains(
        domains, unit=UNIT, best=best, authorisations=given, networks=(), kept_out=kept_out, hosted=hosted, now=now,
        resolve=resolve,
    )  # fmt: skip


def test_domain_when_written_out_or_below_a_wildcard_then_it_is_admitted_with_the_hosts_of_its_authorisation() -> None:
    given = [authorise("*.school.example", "school.example", "10.0.0.0/24", level=Level.CHECK)]
    permits, refusals = ask("school.example", "www.school.example", given=given)
    assert refusals == ()
    ((permit, names),) = permits
    assert names == ("school.example", "www.school.example")
    assert permit.networks == (ip_network("10.0.0.0/24"),)
    permit.check([ip_address("10.0.0.53")], Level.CHECK, NOW)
    with pytest.raises(ScopeError, match="outside"):
        permit.check([ip_address("10.0.1.1")], Level.CHECK, NOW)


@pytest.mark.parametrize("best", [Level.CHECK, Level.SERVICE])
def test_domain_when_its_authorisation_reaches_less_then_the_permit_does_too(best: Level) -> None:
    ((permit, _),), _ = ask("a.example", given=[authorise("a.example", "10.0.0.0/24")], best=best)
    assert permit.level is Level.SERVICE


def test_domain_when_it_leads_nowhere_inside_then_the_permit_holds_nothing() -> None:
    given = [authorise("gone.example", "out.school.example")]
    ((permit, names),), refusals = ask("gone.example", "out.school.example", given=given)
    assert (permit.count, names, refusals) == (0, ("gone.example", "out.school.example"), ())
    with pytest.raises(ScopeError):
        permit.check([ip_address("192.0.2.77")], Level.DISCOVER, NOW)


@pytest.mark.parametrize(
    ("domain", "given", "reason"),
    [
        ("other.example", [authorise("school.example")], RefusalReason.UNAUTHORISED),
        ("school.example", [authorise("*.school.example")], RefusalReason.UNAUTHORISED),
        ("notschool.example", [authorise("*.school.example")], RefusalReason.UNAUTHORISED),
        ("a.example", [authorise("10.0.0.0/8")], RefusalReason.UNAUTHORISED),
        ("a.example", [authorise("a.example", unit="other")], RefusalReason.UNAUTHORISED),
        ("a.example", [authorise("a.example", level=Level.DISCOVER)], RefusalReason.LEVEL),
        ("a.example", [authorise("a.example", withdrawn_at=NOW)], RefusalReason.EXPIRED),
        ("a.example", [authorise("a.example", valid_to=NOW - timedelta(hours=1))], RefusalReason.EXPIRED),
        ("a.example", [authorise("a.example", valid_from=NOW + timedelta(hours=1))], RefusalReason.NOT_YET),
        ("b.a.example", [authorise("*.a.example", excluded=("b.a.example",))], RefusalReason.EXCLUDED),
        ("c.b.a.example", [authorise("*.a.example", excluded=("*.b.a.example",))], RefusalReason.EXCLUDED),
        ("10.0.0.1", [authorise("10.0.0.0/24")], RefusalReason.MALFORMED),
        ("*.a.example", [authorise("*.a.example")], RefusalReason.MALFORMED),
        ("localhost", [authorise("localhost")], RefusalReason.MALFORMED),
        ("a b.example", [authorise("a.example")], RefusalReason.MALFORMED),
    ],
)
def test_domain_when_it_is_not_covered_then_it_is_refused(domain, given, reason) -> None:
    permits, (refusal,) = ask(domain, given=given)
    assert permits == ()
    assert refusal.reason is reason


def test_domain_when_another_authorisation_excludes_hosts_then_they_stay_out() -> None:
    given = [authorise("a.example", "10.0.0.0/30"), authorise("10.9.0.0/24", excluded=("10.0.0.2",), id=8)]
    ((permit, _),), _ = ask("a.example", given=given)
    assert [str(one) for one in permit.addresses()] == ["10.0.0.0", "10.0.0.1", "10.0.0.3"]
    ((kept, _),), _ = ask("a.example", given=given[:1], kept_out=[ip_network("10.0.0.0/31")])
    assert [str(one) for one in kept.addresses()] == ["10.0.0.2", "10.0.0.3"]


def test_domain_when_hosted_then_consent_decides_and_ends_the_permit() -> None:
    given = [authorise("a.example")]
    hosted = Hosting(1, UNIT, "某云", (parse_target("a.example"),))
    permits, (refusal,) = ask("a.example", given=given, hosted=[hosted])
    assert (permits, refusal.reason) == ((), RefusalReason.NO_CONSENT)
    until = NOW + timedelta(hours=2)
    consent = Hosting(2, UNIT, "某云", (parse_target("a.example"),), "函", NOW - timedelta(days=1), until)
    ((permit, _),), _ = ask("a.example", given=given, hosted=[hosted, consent])
    assert permit.valid_to == until


def test_domain_when_two_authorisations_cover_it_then_the_one_that_reaches_furthest_is_used() -> None:
    near = authorise("www.a.example", valid_to=NOW + timedelta(days=9))
    far = authorise("*.a.example", level=Level.CHECK, id=8)
    ((permit, _),), _ = ask("www.a.example", given=[near, far])
    assert (permit.authorisation, permit.level) == (8, Level.CHECK)


def test_names_when_sorted_out_beforehand_then_an_ended_authorisation_counts_too() -> None:
    given = [authorise("*.school.example", withdrawn_at=NOW)]
    assert is_written("www.school.example", given)
    assert not is_written("school.example", given)


def test_names_when_the_resolver_is_silent_then_it_is_not_asked_for_ever() -> None:
    asked: list[str] = []
    errors = {"silent": OSError(socket.EAI_AGAIN, "again"), "none": OSError(socket.EAI_NONAME, "no such name")}

    def resolve(name: str):
        asked.append(name)
        if name in errors:
            raise errors[name]
        return (ip_address("10.0.0.1"),)

    look_up = stop_when_silent(resolve)
    for name in (
        "silent",
        "silent",
        "none",
        "silent",
        "silent",
        "good",
        "silent",
        "silent",
        "silent",
        "silent",
        "good",
    ):
        with suppress(OSError):
            look_up(name)
    assert asked[5:] == ["good", "silent", "silent", "silent"]
    with pytest.raises(OSError, match="does not answer"):
        look_up("good")
