"""What a third party hosts is not touched without its consent; a permit over it ends when the consent does."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.collect.gate import Admission, admit, parse_target
from sentinel.model.hosting import Hosting
from sentinel.model.scope import Level, RefusalReason
from sentinel.model.unit import IPAddress, IPNetwork
from tests.collect.allow import NOW, UNIT, authorise

DAY = timedelta(days=1)
CONSENT = {"document": "同意函 1 号", "valid_from": NOW - DAY, "valid_to": NOW + timedelta(hours=2)}


def hosted(*targets: str, party: str = "某云", **words: object) -> Hosting:
    return Hosting(1, UNIT, party, tuple(map(parse_target, targets)), **words)  # type: ignore[arg-type]  # by name


def ask(
    *targets: str,
    hosting: list[Hosting],
    allowed: tuple[str, ...] = ("192.0.2.0/24",),
    led: tuple[tuple[str, IPNetwork], ...] = (),
) -> Admission:
    def resolve(name: str) -> list[IPAddress]:
        return [ip_address({"cloud.school.example": "192.0.2.9"}.get(name, "192.0.2.20"))]

    return admit(
        targets,
        unit=UNIT,
        level=Level.DISCOVER,
        rate_pps=None,
        authorisations=[authorise(*allowed)],
        networks=(),
        kept_out=(),
        hosted=hosting,
        led=led,
        now=NOW,
        resolve=resolve,
    )


def reasons(admission: Admission) -> list[RefusalReason]:
    return [one.reason for one in admission.refusals]


def held(admission: Admission) -> set[str]:
    return {str(address) for permit in admission.permits for address in permit.addresses()}


def test_hosted_address_without_consent_is_refused_and_left_out_of_a_larger_target() -> None:
    alone = ask("192.0.2.9", hosting=[hosted("192.0.2.9")])
    assert (alone.permits, reasons(alone)) == ((), [RefusalReason.NO_CONSENT])
    part = ask("192.0.2.8/30", hosting=[hosted("192.0.2.9")])
    assert held(part) == {"192.0.2.8", "192.0.2.10", "192.0.2.11"}
    assert reasons(part) == [RefusalReason.NO_CONSENT]
    assert "192.0.2.9" in part.refusals[0].detail


def test_hosted_address_with_consent_passes_and_its_permit_ends_with_the_consent() -> None:
    admission = ask("192.0.2.9", "192.0.2.1", hosting=[hosted("192.0.2.8/30", **CONSENT)])
    assert reasons(admission) == []
    ends: dict[str, datetime] = {
        str(address): permit.valid_to for permit in admission.permits for address in permit.addresses()
    }
    assert ends == {"192.0.2.9": CONSENT["valid_to"], "192.0.2.1": NOW + DAY}


@pytest.mark.parametrize(
    "changes",
    [
        {"document": ""},
        {"valid_to": NOW - timedelta(seconds=1)},
        {"valid_from": NOW + timedelta(seconds=1)},
        {"withdrawn_at": NOW - timedelta(hours=1)},
        {"valid_to": None},
    ],
    ids=lambda one: next(iter(one)),
)
def test_consent_that_does_not_hold_is_none(changes: dict[str, object]) -> None:
    admission = ask("192.0.2.9", hosting=[hosted("192.0.2.9", **(CONSENT | changes))])
    assert reasons(admission) == [RefusalReason.NO_CONSENT]


def test_of_two_parties_both_must_consent() -> None:
    both = [hosted("192.0.2.9", **CONSENT), hosted("192.0.2.0/28", party="某公司")]
    assert reasons(ask("192.0.2.9", hosting=both)) == [RefusalReason.NO_CONSENT]
    agreed = [both[0], hosted("192.0.2.0/28", party="某公司", **CONSENT)]
    assert held(ask("192.0.2.9", hosting=agreed)) == {"192.0.2.9"}


def test_newer_consent_of_the_same_party_covers_what_an_expired_one_did() -> None:
    old = hosted("192.0.2.9", **(CONSENT | {"valid_to": NOW - DAY / 2}))
    assert held(ask("192.0.2.9", hosting=[old, hosted("192.0.2.9", **CONSENT)])) == {"192.0.2.9"}


def test_hosted_name_without_consent_is_refused_before_anybody_looks_it_up() -> None:
    asked = {"hosting": [hosted("cloud.school.example")], "allowed": ("192.0.2.0/24", "*.school.example")}
    assert reasons(ask("cloud.school.example", **asked)) == [RefusalReason.NO_CONSENT]
    assert reasons(ask("a.cloud.school.example", **asked)) == [RefusalReason.NO_CONSENT]
    assert held(ask("www.school.example", **asked)) == {"192.0.2.20"}


def test_name_that_leads_to_a_hosted_address_is_refused_and_passes_with_consent() -> None:
    allowed = ("192.0.2.0/24", "*.school.example")
    refused = ask("cloud.school.example", hosting=[hosted("192.0.2.9")], allowed=allowed)
    assert (refused.permits, reasons(refused)) == ((), [RefusalReason.NO_CONSENT])
    admission = ask("cloud.school.example", hosting=[hosted("cloud.school.example", **CONSENT)], allowed=allowed)
    (permit,) = admission.permits
    assert (held(admission), permit.valid_to) == ({"192.0.2.9"}, CONSENT["valid_to"])


def test_consent_never_stands_for_an_authorisation() -> None:
    admission = ask("198.51.100.1", hosting=[hosted("198.51.100.1", **CONSENT)])
    assert reasons(admission) == [RefusalReason.UNAUTHORISED]


def test_address_a_hosted_name_is_known_to_lead_to_is_hosted_as_the_name_is() -> None:
    led = (("cloud.school.example", ip_network("192.0.2.9/32")), ("www.school.example", ip_network("192.0.2.10/32")))
    for name in ("cloud.school.example", "*.school.example"):
        refused = ask("192.0.2.9", hosting=[hosted(name)], led=led)
        assert (refused.permits, reasons(refused)) == ((), [RefusalReason.NO_CONSENT])
    part = ask("192.0.2.8/30", hosting=[hosted("cloud.school.example")], led=led)
    assert held(part) == {"192.0.2.8", "192.0.2.10", "192.0.2.11"}
    agreed = ask("192.0.2.9", hosting=[hosted("cloud.school.example", **CONSENT)], led=led)
    (permit,) = agreed.permits
    assert (held(agreed), permit.valid_to) == ({"192.0.2.9"}, CONSENT["valid_to"])
    other = [hosted("cloud.school.example", **CONSENT), hosted("192.0.2.9", party="某公司")]
    assert reasons(ask("192.0.2.9", hosting=other, led=led)) == [RefusalReason.NO_CONSENT]
