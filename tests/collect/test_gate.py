from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.collect.gate import Admission, admit
from sentinel.model.hosting import Hosting
from sentinel.model.scope import Authorisation, Level, RefusalReason
from sentinel.model.unit import IPAddress, IPNetwork, Network, Zone
from tests.collect.allow import NOW, UNIT, authorise

NAMES = {
    "www.school.example": ["192.0.2.10"],
    "cloud.school.example": ["8.8.8.8"],
    "two.school.example": ["192.0.2.10", "2001:db8::10"],
    "evil.school.example": ["192.0.2.10", "127.0.0.1"],
    "inner.school.example": ["10.0.0.1"],
    "many.school.example": [f"198.51.100.{last}" for last in range(65)],
    "multi.school.example": ["224.0.0.1"],
    "cast.school.example": ["192.0.2.255"],
    "empty.school.example": [],
    "localhost": ["127.0.0.1", "::1"],
    "school.example": ["192.0.2.200"],
    "cii.school.example": ["192.0.2.66"],
}


def look_up(name: str) -> Sequence[IPAddress]:
    if name not in NAMES:
        raise OSError("Name or service not known")
    return [ip_address(text) for text in NAMES[name]]


def ask(
    *targets: str,
    authorisations: Sequence[Authorisation] = (),
    networks: Sequence[Network] = (),
    kept_out: Sequence[IPNetwork] = (),
    hosted: Sequence[Hosting] = (),
    level: Level = Level.DISCOVER,
    rate_pps: int | None = None,
    now: datetime = NOW,
    resolve: object = look_up,
) -> Admission:
    return admit(
        targets,
        unit=UNIT,
        level=level,
        rate_pps=rate_pps,
        authorisations=authorisations,
        networks=networks,
        kept_out=kept_out,
        hosted=hosted,
        now=now,
        resolve=resolve,  # type: ignore[arg-type]  # a function or None
    )


def only_refusal(admission: Admission) -> tuple[RefusalReason, str]:
    assert admission.permits == ()
    (refusal,) = admission.refusals
    return refusal.reason, refusal.detail


def prefixes(admission: Admission) -> list[list[str]]:
    return [[str(network) for network in permit.networks] for permit in admission.permits]


def network(name: str, *texts: str, scannable: bool = True, unit: str = UNIT) -> Network:
    return Network(1, unit, name, Zone.UNKNOWN, tuple(ip_network(text) for text in texts), scannable)


def test_admit_when_nothing_is_authorised_then_everything_is_refused() -> None:
    admission = ask("192.0.2.1", "www.school.example", "2001:db8::1")
    assert admission.permits == ()
    assert [refusal.reason for refusal in admission.refusals] == [RefusalReason.UNAUTHORISED] * 3


def test_admit_when_an_ipv4_address_stands_inside_an_ipv6_one_then_it_is_that_address_for_every_question() -> None:
    inner = ask("::ffff:192.0.2.4", "::ffff:192.0.2.8/126", authorisations=[authorise("192.0.2.0/24")])
    assert prefixes(inner) == [["192.0.2.4/32", "192.0.2.8/30"]]
    excluded = [authorise("192.0.2.0/24", excluded=("::ffff:192.0.2.4",))]
    assert only_refusal(ask("192.0.2.4", authorisations=excluded))[0] is RefusalReason.EXCLUDED
    kept = [ip_network("::ffff:192.0.2.4/128")]
    for target in ("192.0.2.4", "::ffff:c000:204"):
        refused = ask(target, authorisations=[authorise("192.0.2.0/24")], kept_out=kept)
        assert only_refusal(refused)[0] is RefusalReason.KEPT_OUT
    loopback = ask("::ffff:127.0.0.1", authorisations=[authorise("127.0.0.0/8")])
    assert only_refusal(loopback)[0] is RefusalReason.LOOPBACK
    led = ask(
        "www.school.example", authorisations=[authorise("192.0.2.0/24", "www.school.example")],
        kept_out=[ip_network("192.0.2.10/32")], resolve=lambda name: [ip_address("::ffff:192.0.2.10")],
    )  # fmt: skip
    assert only_refusal(led)[0] is RefusalReason.KEPT_OUT


def test_admit_when_one_authorisation_covers_then_the_permit_says_what_and_how_far() -> None:
    authorisation = authorise("192.0.2.0/24", rate_pps=50)
    admission = ask("192.0.2.0/30", "192.0.2.77", authorisations=[authorisation], level=Level.SERVICE)
    assert admission.refusals == ()
    (permit,) = admission.permits
    assert prefixes(admission) == [["192.0.2.0/30", "192.0.2.77/32"]]
    assert (permit.unit, permit.authorisation, permit.level, permit.rate_pps) == (UNIT, 7, Level.SERVICE, 50)
    assert (permit.valid_from, permit.valid_to) == (authorisation.valid_from, authorisation.valid_to)
    assert permit.count == 5
    assert permit.allow_loopback is False
    assert [str(address) for address in permit.addresses()][-2:] == ["192.0.2.3", "192.0.2.77"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("-iL /etc/passwd", RefusalReason.MALFORMED),
        ("192.0.2.1-9", RefusalReason.MALFORMED),
        ("*.school.example", RefusalReason.MALFORMED),
        ("0.0.0.0", RefusalReason.FORBIDDEN),
        ("0.1.2.0/24", RefusalReason.FORBIDDEN),
        ("224.0.0.1", RefusalReason.FORBIDDEN),
        ("224.0.0.0/4", RefusalReason.FORBIDDEN),
        ("239.255.255.250", RefusalReason.FORBIDDEN),
        ("240.0.0.1", RefusalReason.FORBIDDEN),
        ("255.255.255.255", RefusalReason.FORBIDDEN),
        ("127.255.255.255", RefusalReason.FORBIDDEN),
        ("::", RefusalReason.FORBIDDEN),
        ("::/120", RefusalReason.FORBIDDEN),
        ("ff02::1", RefusalReason.FORBIDDEN),
        ("::ffff:224.0.0.1", RefusalReason.FORBIDDEN),
        ("::ffff:255.255.255.255", RefusalReason.FORBIDDEN),
        ("::192.0.2.1", RefusalReason.FORBIDDEN),
        ("64:ff9b::192.0.2.1", RefusalReason.FORBIDDEN),
        ("2002:c000:201::1", RefusalReason.FORBIDDEN),
        ("0.0.0.0/0", RefusalReason.TOO_LARGE),
        ("::/0", RefusalReason.TOO_LARGE),
        ("10.0.0.0/8", RefusalReason.TOO_LARGE),
        ("10.0.0.0/15", RefusalReason.TOO_LARGE),
        ("2001:db8::/64", RefusalReason.TOO_LARGE),
        ("2001:db8::/119", RefusalReason.TOO_LARGE),
    ],
)
def test_admit_when_never_allowed_then_no_authorisation_helps(target: str, reason: RefusalReason) -> None:
    everything = authorise("0.0.0.0/0", "::/0", allow_loopback=True, level=Level.CHECK)
    assert only_refusal(ask(target, authorisations=[everything]))[0] is reason


@pytest.mark.parametrize("target", ["10.0.0.0/16", "2001:db8::/120", "2001:db8:1::5"])
def test_admit_when_just_small_enough_then_admitted(target: str) -> None:
    admission = ask(target, authorisations=[authorise("0.0.0.0/0", "::/0")])
    assert [permit.networks for permit in admission.permits] == [(ip_network(target),)]


@pytest.mark.parametrize("target", ["192.0.2.0/23", "192.0.1.255", "198.51.100.1", "2001:db8::1"])
def test_admit_when_not_wholly_covered_then_unauthorised(target: str) -> None:
    reason, detail = only_refusal(ask(target, authorisations=[authorise("192.0.2.0/24")]))
    assert reason is RefusalReason.UNAUTHORISED
    assert "covers the whole of" in detail


def test_admit_when_two_authorisations_each_cover_half_then_unauthorised() -> None:
    halves = [authorise("192.0.2.0/25"), replace(authorise("192.0.2.128/25"), id=8)]
    assert only_refusal(ask("192.0.2.0/24", authorisations=halves))[0] is RefusalReason.UNAUTHORISED


def test_admit_when_two_targets_of_one_authorisation_join_then_covered() -> None:
    admission = ask("192.0.2.0/24", authorisations=[authorise("192.0.2.0/25", "192.0.2.128/25")])
    assert prefixes(admission) == [["192.0.2.0/24"]]


def test_admit_when_authorisation_is_of_another_unit_then_unauthorised() -> None:
    other = authorise("192.0.2.0/24", unit="3300000002")
    assert only_refusal(ask("192.0.2.1", authorisations=[other]))[0] is RefusalReason.UNAUTHORISED


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"valid_to": NOW - timedelta(seconds=1)}, RefusalReason.EXPIRED, "ended 2026-11-22 11:59 Asia/Shanghai"),
        ({"valid_from": NOW + timedelta(hours=20)}, RefusalReason.NOT_YET, "begins 2026-11-23 08:00 Asia/Shanghai"),
        ({"withdrawn_at": NOW}, RefusalReason.WITHDRAWN, "was withdrawn 2026-11-22 12:00 Asia/Shanghai"),
        ({"level": Level.PASSIVE}, RefusalReason.LEVEL, "reaches to level passive, not to discover"),
        ({"rate_pps": 0}, RefusalReason.RATE, "not 0"),
    ],
)
def test_admit_when_the_authorisation_does_not_hold_then_its_own_reason(
    changes: dict[str, object], reason: RefusalReason, words: str
) -> None:
    told, detail = only_refusal(ask("192.0.2.1", authorisations=[authorise("192.0.2.0/24", **changes)]))
    assert told is reason
    assert words in detail
    assert "authorisation 7 (网信〔2026〕7号)" in detail


@pytest.mark.parametrize("moment", [NOW - timedelta(days=1), NOW + timedelta(days=1)])
def test_admit_when_at_the_first_or_last_moment_then_admitted(moment: datetime) -> None:
    assert ask("192.0.2.1", authorisations=[authorise("192.0.2.0/24")], now=moment).refusals == ()


def test_admit_when_level_passive_is_asked_then_no_packet() -> None:
    authorisation = authorise("192.0.2.0/24", level=Level.CHECK)
    assert only_refusal(ask("192.0.2.1", authorisations=[authorisation], level=Level.PASSIVE))[0] is RefusalReason.LEVEL


@pytest.mark.parametrize("rate", [1001, 0, -1])
def test_admit_when_rate_is_out_of_bounds_then_refused(rate: int) -> None:
    told, detail = only_refusal(ask("192.0.2.1", authorisations=[authorise("192.0.2.0/24")], rate_pps=rate))
    assert told is RefusalReason.RATE
    assert f"allows 1 to 1000 packets a second, not {rate}" in detail


def test_admit_when_a_lower_rate_is_asked_then_the_permit_holds_it() -> None:
    (permit,) = ask("192.0.2.1", authorisations=[authorise("192.0.2.0/24")], rate_pps=10).permits
    assert permit.rate_pps == 10


def test_admit_when_several_do_not_allow_then_the_nearest_reason_is_told() -> None:
    expired = authorise("192.0.2.0/24", id=1, valid_to=NOW - timedelta(days=1), valid_from=NOW - timedelta(days=2))
    slow = authorise("192.0.2.0/24", id=2, rate_pps=5)
    assert only_refusal(ask("192.0.2.1", authorisations=[slow, expired], rate_pps=9))[0] is RefusalReason.RATE


def test_admit_when_several_allow_then_the_one_that_holds_longest() -> None:
    short = authorise("192.0.2.0/24", id=1)
    long = authorise("192.0.2.0/24", id=2, valid_to=NOW + timedelta(days=9))
    (permit,) = ask("192.0.2.1", authorisations=[short, long]).permits
    assert permit.authorisation == 2


@pytest.mark.parametrize(
    ("target", "authorised", "changes", "reason"),
    [
        ("127.0.0.1", "127.0.0.0/8", {}, RefusalReason.LOOPBACK),
        ("::1", "::/0", {}, RefusalReason.LOOPBACK),
        ("127.0.0.1", "10.0.0.0/8", {"allow_loopback": True}, RefusalReason.UNAUTHORISED),
        ("127.0.0.1", "127.0.0.0/8", {"allow_loopback": True}, None),
        ("::1", "::1", {"allow_loopback": True}, None),
        ("169.254.1.1", "0.0.0.0/0", {}, RefusalReason.UNAUTHORISED),
        ("169.254.1.1", "169.254.0.0/16", {}, None),
        ("fe80::1", "::/0", {}, RefusalReason.UNAUTHORISED),
        ("fe80::1", "fe80::/64", {}, None),
    ],
)
def test_admit_when_loopback_or_link_local_then_only_when_said_so(
    target: str, authorised: str, changes: dict[str, object], reason: RefusalReason | None
) -> None:
    admission = ask(target, authorisations=[authorise(authorised, **changes)])
    assert [refusal.reason for refusal in admission.refusals] == ([reason] if reason else [])
    assert len(admission.permits) == (0 if reason else 1)


def test_admit_when_a_part_is_excluded_then_it_is_cut_out() -> None:
    authorisation = authorise("192.0.2.0/24", excluded=("192.0.2.4/31", "192.0.2.7"))
    admission = ask("192.0.2.0/29", authorisations=[authorisation])
    assert admission.refusals == ()
    assert prefixes(admission) == [["192.0.2.0/30", "192.0.2.6/32"]]


def test_admit_when_all_is_excluded_then_refused() -> None:
    authorisation = authorise("192.0.2.0/24", excluded=("192.0.2.0/28",))
    assert only_refusal(ask("192.0.2.4", authorisations=[authorisation]))[0] is RefusalReason.EXCLUDED


def test_admit_when_another_authorisation_excludes_then_exclusion_wins() -> None:
    excluding = authorise("198.51.100.0/24", id=8, excluded=("192.0.2.4",))
    assert only_refusal(ask("192.0.2.4", authorisations=[authorise("192.0.2.0/24"), excluding]))[0] is (
        RefusalReason.EXCLUDED
    )
    over = replace(excluding, withdrawn_at=NOW)
    assert ask("192.0.2.4", authorisations=[authorise("192.0.2.0/24"), over]).refusals == ()


def test_admit_when_an_excluded_name_resolves_then_its_address_is_cut_out() -> None:
    authorisation = authorise("192.0.2.64/30", excluded=("cii.school.example", "*.lab.school.example"))
    admission = ask("192.0.2.64/30", authorisations=[authorisation])
    assert prefixes(admission) == [["192.0.2.64/31", "192.0.2.67/32"]]


@pytest.mark.parametrize("resolve", [look_up, None])
def test_admit_when_an_excluded_name_has_no_address_then_nothing_passes(resolve: object) -> None:
    authorisation = authorise("192.0.2.0/24", excluded=("gone.school.example",))
    reason, detail = only_refusal(ask("192.0.2.1", authorisations=[authorisation], resolve=resolve))
    assert reason is RefusalReason.UNRESOLVED
    assert "gone.school.example" in detail


def test_admit_when_network_is_for_logs_only_then_refused_or_cut_and_listed() -> None:
    networks = [network("office", "10.1.0.0/24"), network("dorm", "10.1.1.0/24", scannable=False)]
    authorisation = authorise("10.1.0.0/16")
    admission = ask("10.1.0.0/23", "10.1.1.9", authorisations=[authorisation], networks=networks)
    assert [str(each) for each in admission.permits[0].addresses()][-1] == "10.1.0.254"
    assert [(refusal.target, refusal.reason) for refusal in admission.refusals] == [
        ("10.1.0.0/23", RefusalReason.LOGS_ONLY),
        ("10.1.1.9", RefusalReason.LOGS_ONLY),
    ]
    assert "left out" in admission.refusals[0].detail
    assert "10.1.1.0/24 in network dorm" in admission.refusals[0].detail


def test_admit_when_networks_overlap_then_the_longest_prefix_decides() -> None:
    networks = [
        network("default", scannable=False),
        network("campus", "10.1.0.0/16", scannable=False),
        network("servers", "10.1.2.0/24"),
        network("vault", "10.1.2.128/25", scannable=False),
        network("twin", "10.1.2.128/25"),
        network("elsewhere", "10.9.0.0/16", scannable=True, unit="other"),
    ]
    authorisation = authorise("10.0.0.0/8")
    admission = ask("10.1.2.1", "10.1.2.129", "10.1.3.1", "10.9.0.1", authorisations=[authorisation], networks=networks)
    assert prefixes(admission) == [["10.1.2.1/32"]]
    assert [refusal.detail.rsplit(" ", 1)[-1] for refusal in admission.refusals] == ["vault", "campus", "default"]


def test_admit_when_address_is_a_declared_broadcast_then_refused_alone_and_left_out_of_prefixes() -> None:
    networks = [network("office", "192.0.2.0/24"), network("practice", "127.77.0.0/24"), network("link", "10.0.0.0/31")]
    authorisation = authorise("192.0.2.0/24", "127.77.0.0/24", "10.0.0.0/31", allow_loopback=True)
    admission = ask(
        "192.0.2.0/24", "192.0.2.255", "127.77.0.0/24", "10.0.0.0/31", authorisations=[authorisation], networks=networks
    )
    assert admission.permits[0].count == 255 + 256 + 2
    assert [(refusal.target, refusal.reason) for refusal in admission.refusals] == [
        ("192.0.2.255", RefusalReason.FORBIDDEN)
    ]


def test_admit_when_targets_repeat_or_overlap_then_no_address_twice() -> None:
    one, two = authorise("192.0.2.0/25", id=1, valid_to=NOW + timedelta(days=3)), authorise("192.0.2.0/24", id=2)
    admission = ask("192.0.2.8/29", "192.0.2.9", "192.0.2.0/24", "192.0.2.10/32", authorisations=[one, two])
    assert [permit.authorisation for permit in admission.permits] == [1, 2]
    assert [permit.count for permit in admission.permits] == [8, 248]


def test_admit_when_earlier_permit_holds_everything_then_no_empty_permit() -> None:
    one, two = authorise("192.0.2.0/25", id=1, valid_to=NOW + timedelta(days=3)), authorise("www.school.example", id=2)
    admission = ask(
        "192.0.2.10", "www.school.example", authorisations=[one, replace(two, targets=(*two.targets, *one.targets))]
    )
    assert [permit.authorisation for permit in admission.permits] == [1]


def test_admit_when_name_and_addresses_are_authorised_then_pinned_with_its_name() -> None:
    asked: list[str] = []

    def count(name: str) -> Sequence[IPAddress]:
        asked.append(name)
        return look_up(name)

    authorisation = authorise("two.school.example", "192.0.2.0/24", "2001:db8::/64")
    (permit,) = ask("TWO.school.example.", authorisations=[authorisation], resolve=count).permits
    assert dict(permit.names) == {
        ip_address("192.0.2.10"): "two.school.example",
        ip_address("2001:db8::10"): "two.school.example",
    }
    assert asked == ["two.school.example"]


@pytest.mark.parametrize(
    ("name", "authorised", "reason"),
    [
        ("cloud.school.example", ("cloud.school.example",), None),
        ("cloud.school.example", ("*.school.example",), RefusalReason.OUTSIDE),
        ("cloud.school.example", ("*.school.example", "8.8.8.0/24"), None),
        ("cloud.school.example", ("school.example",), RefusalReason.UNAUTHORISED),
        ("school.example", ("*.school.example",), RefusalReason.UNAUTHORISED),
        ("notschool.example", ("*.school.example",), RefusalReason.UNAUTHORISED),
        ("www.school.example", ("www.school.example",), RefusalReason.OUTSIDE),
        ("www.school.example", ("*.school.example", "192.0.2.0/24"), None),
        ("inner.school.example", ("inner.school.example",), RefusalReason.OUTSIDE),
        ("inner.school.example", ("inner.school.example", "10.0.0.0/24"), None),
        ("evil.school.example", ("evil.school.example", "192.0.2.0/24", "127.0.0.0/8"), RefusalReason.OUTSIDE),
        ("localhost", ("localhost", "127.0.0.1", "::1"), RefusalReason.OUTSIDE),
        ("multi.school.example", ("multi.school.example", "224.0.0.0/4"), RefusalReason.OUTSIDE),
        ("cast.school.example", ("cast.school.example", "192.0.2.0/24"), RefusalReason.OUTSIDE),
        ("many.school.example", ("many.school.example",), RefusalReason.TOO_LARGE),
        ("empty.school.example", ("empty.school.example",), RefusalReason.UNRESOLVED),
        ("gone.school.example", ("gone.school.example",), RefusalReason.UNRESOLVED),
    ],
)
def test_admit_when_a_name_is_asked_then_where_it_leads_decides(
    name: str, authorised: tuple[str, ...], reason: RefusalReason | None
) -> None:
    admission = ask(name, authorisations=[authorise(*authorised)], networks=[network("lan", "192.0.2.0/24")])
    assert [refusal.reason for refusal in admission.refusals] == ([reason] if reason else [])
    assert len(admission.permits) == (0 if reason else 1)


def test_admit_when_localhost_is_authorised_with_loopback_then_admitted() -> None:
    authorisation = authorise("localhost", "127.0.0.1", "::1", allow_loopback=True)
    assert prefixes(ask("localhost", authorisations=[authorisation])) == [["127.0.0.1/32", "::1/128"]]


@pytest.mark.parametrize("excluded", ["www.school.example", "school.example", "*.school.example"])
def test_admit_when_name_is_excluded_then_refused_without_a_lookup(excluded: str) -> None:
    authorisation = authorise("www.school.example", "192.0.2.0/24", excluded=(excluded,))
    assert only_refusal(ask("www.school.example", authorisations=[authorisation]))[0] is RefusalReason.EXCLUDED


def test_admit_when_name_is_not_authorised_then_it_is_never_looked_up() -> None:
    def fail(name: str) -> Sequence[IPAddress]:
        raise AssertionError(name)

    admission = ask("www.other.example", authorisations=[authorise("www.school.example")], resolve=fail)
    assert only_refusal(admission)[0] is RefusalReason.UNAUTHORISED


def test_admit_when_there_is_no_resolver_then_names_are_refused() -> None:
    admission = ask("www.school.example", authorisations=[authorise("www.school.example")], resolve=None)
    assert only_refusal(admission)[0] is RefusalReason.UNRESOLVED


def test_admit_when_a_refused_target_is_long_and_hostile_then_cut_and_printable() -> None:
    admission = ask("\x1b]0;x\x07" + "a" * 500)
    (refusal,) = admission.refusals
    assert len(refusal.target) == 200
    assert refusal.target.isprintable()


def test_admit_when_now_has_no_zone_then_value_error() -> None:
    with pytest.raises(ValueError, match="zone"):
        ask("192.0.2.1", now=NOW.replace(tzinfo=None))


def test_admit_when_many_prefixes_are_left_out_then_a_few_are_named() -> None:
    closed = [f"10.1.{third}.0/24" for third in range(0, 20, 2)]
    admission = ask(
        "10.1.0.0/16", authorisations=[authorise("10.1.0.0/16")], networks=[network("dorm", *closed, scannable=False)]
    )
    assert "10.1.6.0/24 and 6 more in network dorm" in admission.refusals[0].detail


@pytest.mark.parametrize("target", ["192.0.2.5", "192.0.2.4/31", "10.0.0.0/8", "2001:db8::5"])
def test_admit_when_a_target_must_stay_out_then_it_is_refused_before_anything_else(target: str) -> None:
    kept_out = [ip_network(one) for one in ("192.0.2.4/31", "10.0.0.0/8", "2001:db8::5/128")]
    wide = authorise("192.0.2.0/24", "10.0.0.0/8", "2001:db8::/64", level=Level.CHECK)
    for authorisations in ((), (wide,), (wide, authorise(target, id=8))):
        reason, detail = only_refusal(ask(target, authorisations=authorisations, kept_out=kept_out))
        assert reason is RefusalReason.KEPT_OUT
        assert "192.0.2" not in detail


def test_admit_when_a_part_must_stay_out_then_the_rest_passes_and_the_part_is_counted() -> None:
    admission = ask("192.0.2.0/29", authorisations=[authorise("192.0.2.0/24")], kept_out=[ip_network("192.0.2.4/31")])
    assert prefixes(admission) == [["192.0.2.0/30", "192.0.2.6/31"]]
    (refusal,) = admission.refusals
    assert (refusal.reason, refusal.target) == (RefusalReason.KEPT_OUT, "192.0.2.0/29")
    assert refusal.detail == "left out, declared to stay out: neither touched nor stored: 2 of its addresses"


def test_admit_when_a_name_leads_to_what_must_stay_out_then_it_is_refused() -> None:
    allowed = [authorise("192.0.2.0/24", "www.school.example")]
    reason, detail = only_refusal(
        ask("www.school.example", authorisations=allowed, kept_out=[ip_network("192.0.2.10/32")])
    )
    assert reason is RefusalReason.KEPT_OUT
    assert "192.0.2.10" not in detail
