from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.assess.entries import (
    Look,
    UseTally,
    build_entry_subject,
    due_step,
    entry_text,
    holds_ports,
    holds_prefix,
)
from sentinel.assess.listing import Listing
from sentinel.model.endpoint import (
    AddressRanges,
    Coverage,
    Endpoint,
    EndpointKey,
    EndpointState,
    Fingerprint,
    MapRow,
)
from sentinel.model.ports import PortSet
from sentinel.model.unit import Zone
from sentinel.model.whitelist import PeerKind, WhitelistAction, WhitelistEntry, WhitelistKind

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
SEGMENT = AddressRanges(((ip_address("10.0.0.1"), ip_address("10.0.0.254")),))


def entry(number: int = 1, prefix: str = "10.0.0.5/32", **more) -> WhitelistEntry:
    words = {"proto": "tcp", "ports": PortSet.of([(443, 443)])} | more
    return WhitelistEntry(
        number, "u", words.pop("kind", WhitelistKind.PORT), addresses=(ip_network(prefix),), **words
    )  # fmt: skip


def row(address: str = "10.0.0.5", port: int = 443, state=EndpointState.OPEN, vantage: str = "inside") -> MapRow:
    key = EndpointKey(1, vantage, ip_address(address), "tcp", port)
    seen = Endpoint(key, state, Fingerprint("http", tunnel="ssl"), NOW - 9 * DAY, None, NOW - DAY, evidence="ab")
    return MapRow("u", "lan", Zone.SERVER, seen)


def look(days_ago: int, ports: str = "1-1024", addresses: AddressRanges = SEGMENT, vantage: str = "inside") -> Look:
    low, _, high = ports.partition("-")
    asked = (("tcp", PortSet.of([(int(low), int(high))])),)
    return Look(NOW - days_ago * DAY, vantage, f"look{days_ago}", Coverage(asked, addresses))


def use_of(one: WhitelistEntry, *, rows=(), closed=(), looks=(), others=()):
    tally = UseTally([one, *others], Listing([one, *others], NOW))
    for seen in rows:
        tally.note_row(seen)
    for address, days_ago in closed:
        tally.note_closed(EndpointKey(1, "inside", ip_address(address), "tcp", 443), NOW - days_ago * DAY)
    tally.note_looks(looks)
    return tally.uses[one.id]


LOOKS = [look(120), look(60), look(1)]


@pytest.mark.parametrize(
    ("one", "known", "days"),
    [
        (entry(), {"looks": LOOKS}, 119),
        (entry(), {"looks": LOOKS, "rows": [row()]}, None),
        (entry(), {"looks": LOOKS, "rows": [row(state=EndpointState.UNKNOWN)]}, None),
        (entry(), {"looks": LOOKS, "rows": [row(port=80)]}, 119),
        (entry(), {"looks": LOOKS, "closed": [("10.0.0.5", 100)]}, 59),
        (entry(), {"looks": LOOKS, "closed": [("10.0.0.6", 100)]}, 119),
        (entry(), {"looks": LOOKS[:1]}, 0),
        (entry(), {"looks": []}, None),
        (entry(valid_from=NOW - 70 * DAY), {"looks": LOOKS}, 59),
        (entry(created=NOW - 30 * DAY), {"looks": LOOKS}, 0),
        (entry(prefix="10.0.0.0/24"), {"looks": LOOKS}, 119),
        (entry(prefix="10.0.0.0/23"), {"looks": LOOKS}, None),
        (entry(ports=PortSet.of([(443, 443), (8443, 8443)])), {"looks": LOOKS}, None),
        (entry(kind=WhitelistKind.HOST, proto="", ports=PortSet()), {"looks": LOOKS}, 119),
        (entry(kind=WhitelistKind.HOST, proto="", ports=PortSet()), {"looks": LOOKS, "rows": [row(port=22)]}, None),
        (entry(peer=PeerKind.INTERNET), {"looks": LOOKS}, None),
        (entry(peer=PeerKind.INTERNET), {"looks": [look(9, vantage="outside"), look(2, vantage="outside")]}, 7),
        (entry(peer=PeerKind.INTERNET), {"looks": [], "rows": [row()]}, None),
        (entry(below=True), {"looks": LOOKS}, None),
        (entry(valid_to=NOW - DAY), {"looks": LOOKS}, None),
    ],
)
def test_entry_when_nothing_is_there_then_only_looks_at_all_of_it_tell_for_how_long(one, known, days):
    subject = build_entry_subject(use_of(one, **known), NOW)
    assert subject.fields.get("unseen_days") == days


def test_entry_when_used_then_its_evidence_and_time_are_those_of_what_was_seen():
    subject = build_entry_subject(use_of(entry(), rows=[row()]), NOW)
    assert (subject.text, subject.evidence, subject.seen_at) == ("10.0.0.5 443/tcp #1", "ab", NOW - DAY)
    assert (subject.fields["open_count"], subject.fields["unexcused_count"]) == (1, 0)


def test_entry_when_expired_then_what_another_allows_is_excused():
    old = entry(valid_to=NOW - DAY)
    alone = build_entry_subject(use_of(old, rows=[row()]), NOW).fields
    assert (alone["expired"], alone["unexcused_count"], alone["renewed"]) == (True, 1, False)
    assert "due_step" not in alone
    wide = entry(2, "10.0.0.0/24")
    assert build_entry_subject(use_of(old, rows=[row()], others=[wide]), NOW).fields["unexcused_count"] == 0
    again = entry(3, valid_to=NOW + 90 * DAY)
    assert build_entry_subject(use_of(old, rows=[row()], others=[again]), NOW).fields["renewed"] is True


def test_host_entry_when_expired_then_a_host_allowed_otherwise_is_excused():
    old = entry(kind=WhitelistKind.HOST, proto="", ports=PortSet(), valid_to=NOW - DAY)
    other = entry(2, "10.0.0.0/24", kind=WhitelistKind.HOST, proto="", ports=PortSet())
    assert use_of(old, rows=[row()]).excused == 0
    assert use_of(old, rows=[row()], others=[other]).excused == 1


def test_entries_when_they_forbid_then_they_are_not_asked_for():
    deny = entry(2, action=WhitelistAction.DENY)
    tally = UseTally([entry(), deny], Listing([], NOW))
    assert list(tally.uses) == [1]


@pytest.mark.parametrize(
    ("days", "step"), [(None, None), (-1, None), (0, 7), (7, 7), (8, 14), (14, 14), (15, 30), (30, 30), (31, None)]
)
def test_warning_when_days_pass_then_it_goes_by_steps(days, step):
    assert due_step(days) == step
    if days is not None:
        fields = build_entry_subject(use_of(entry(valid_to=NOW + days * DAY)), NOW).fields
        assert (fields["days_left"], fields.get("due_step")) == (days, step)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (entry(), "10.0.0.5 443/tcp #1"),
        (entry(prefix="10.0.0.0/24"), "10.0.0.0/24 443/tcp #1"),
        (entry(prefix="2001:db8::5/128"), "[2001:db8::5] 443/tcp #1"),
        (entry(kind=WhitelistKind.HOST, proto="", ports=PortSet()), "10.0.0.5 #1"),
        (WhitelistEntry(4, "u", WhitelistKind.DOMAIN, domain="*.school.example"), "*.school.example #4"),
        (
            WhitelistEntry(5, "u", WhitelistKind.HOST, addresses=(ip_network("10.0.0.5"), ip_network("10.0.0.9"))),
            "10.0.0.5 +1 #5",
        ),
        (entry(ports=PortSet.of_ports(range(1, 100, 2))), "10.0.0.5 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29…/tcp #1"),
    ],
)
def test_entry_when_named_then_the_text_is_short_and_its_own(one, text):
    assert entry_text(one) == text


def test_domain_entry_when_built_then_nothing_is_said_of_its_use():
    subject = build_entry_subject(use_of(WhitelistEntry(4, "u", WhitelistKind.DOMAIN, domain="a.example")), NOW)
    assert subject.fields == {"kind": "domain", "in_force": True, "expired": False, "renewed": False}


small = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted).map(tuple), max_size=4)


@given(small, small)
def test_ports_when_asked_then_all_wanted_must_be_among_them(asked, wanted):
    held, needed = PortSet.of(asked), PortSet.of(wanted)
    assert holds_ports(held, needed) is (set(needed) <= set(held))


@given(small, st.integers(0, 20), st.integers(28, 32))
def test_prefix_when_looked_at_then_every_address_a_host_may_have_was(spans, start, length):
    prefix = ip_network((int(ip_address("10.0.0.0")) + start, length), strict=False)
    base = int(ip_address("10.0.0.0"))
    looked = AddressRanges(tuple((ip_address(base + low), ip_address(base + high)) for low, high in spans))
    assert holds_prefix(looked, prefix) is all(address in looked for address in prefix.hosts())


def told_of(one, now=NOW, **known):
    return dict(build_entry_subject(use_of(one, **known), now).told)


def test_entry_when_near_its_end_then_its_warning_holds_since_thirty_whole_days_were_left():
    one = entry(valid_from=NOW - 300 * DAY, created=NOW - 200 * DAY, valid_to=NOW + 10 * DAY)
    told = told_of(one, looks=LOOKS)
    assert told["due_step"] == told["days_left"] == NOW - 21 * DAY
    assert told["in_force"] == told["renewed"] == NOW - 200 * DAY, "it was entered after it began"
    assert "open_count" not in told, "that a scan tells"
    late = replace(one, created=NOW - DAY)
    assert told_of(late)["due_step"] == NOW - DAY, "no warning is older than the entry"


def test_entry_when_expired_then_that_holds_since_its_last_moment_and_without_an_end_since_it_began():
    one = entry(valid_from=NOW - 300 * DAY, valid_to=NOW - 3 * DAY)
    assert told_of(one)["expired"] == NOW - 3 * DAY
    assert told_of(replace(one, valid_to=None))["expired"] == NOW - 300 * DAY
    assert told_of(replace(one, valid_to=NOW + 90 * DAY))["days_left"] == NOW - 300 * DAY
    assert told_of(replace(one, valid_from=None))["in_force"] == NOW - 3 * DAY, "of an old entry no begin is known"
    assert told_of(entry()) == {}


@given(days=st.floats(0, 40), span=st.floats(0, 40))
def test_entry_when_it_is_warned_of_then_the_warning_began_before_and_just_when_the_step_did(days, span):
    end = NOW + timedelta(days=days)
    one = entry(valid_from=NOW - 300 * DAY, valid_to=end)
    subject = build_entry_subject(use_of(one), NOW)
    if "due_step" in subject.fields:
        begun = dict(subject.told)["due_step"]
        assert begun <= NOW
        assert due_step((end - begun - timedelta(microseconds=1)).days) == 30
        assert due_step((end - begun).days) is None
