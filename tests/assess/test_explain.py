from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.assess.explain import Part, Question, explain
from sentinel.assess.listing import Listed
from sentinel.model.ports import PortSet
from sentinel.model.whitelist import Direction, Peer, PeerKind, WhitelistAction, WhitelistEntry, WhitelistKind

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
ALLOW = WhitelistEntry(
    1, "u", WhitelistKind.PORT, addresses=(ip_network("10.0.0.0/24"),), proto="tcp", ports=PortSet.of([(443, 443)])
)
QUESTION = Question(address=ip_address("10.0.0.5"), port=443)


def other(number: int, **more) -> WhitelistEntry:
    words = {name: getattr(ALLOW, name) for name in ("unit", "kind", "addresses", "proto", "ports")} | more
    return WhitelistEntry(number, **words)


DENY = {"action": WhitelistAction.DENY}


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({}, Part.DECIDES),
        ({"created": NOW + DAY}, Part.NOT_ENTERED),
        ({"withdrawn": NOW}, Part.WITHDRAWN),
        ({"valid_from": NOW + DAY}, Part.NOT_YET),
        ({"valid_to": NOW - DAY}, Part.EXPIRED),
        ({"direction": Direction.OUT}, Part.OTHER_DIRECTION),
        ({"peer": PeerKind.INTERNET}, Part.OTHER_PEER),
        ({"service": "ssh"} | DENY, Part.OTHER_SERVICE),
    ],
)
def test_entry_when_it_speaks_of_the_place_then_its_part_is_told(more, part):
    answer = explain([ALLOW, other(2, **more)], QUESTION, NOW)
    assert answer.verdict is Listed.LISTED
    assert [(one.id, why) for one, why in answer.weighed] == [(1, Part.DECIDES), (2, part)]


def test_permission_when_an_entry_forbids_then_it_is_overruled():
    answer = explain([ALLOW, other(2, service="https"), other(3, **DENY)], QUESTION, NOW)
    assert answer.verdict is Listed.DENIED
    assert [(one.id, why.value) for one, why in answer.weighed] == [(3, "decides"), (1, "overruled"), (2, "overruled")]


def test_service_when_another_is_allowed_then_it_is_a_mismatch_decided_by_that_entry():
    answer = explain([other(2, service="ssh")], Question(address=QUESTION.address, port=443, service="http"), NOW)
    assert answer.verdict is Listed.MISMATCH
    assert [why for _, why in answer.weighed] == [Part.DECIDES]


def test_moment_when_past_then_what_was_withdrawn_since_still_decides():
    gone = other(2, created=NOW - 9 * DAY, withdrawn=NOW - DAY)
    assert explain([gone], QUESTION, NOW).verdict is Listed.NONE
    assert explain([gone], QUESTION, NOW - 2 * DAY).verdict is Listed.LISTED
    assert explain([gone], QUESTION, NOW - 10 * DAY).verdict is Listed.NONE


def test_direction_when_out_then_only_entries_of_that_direction_decide():
    out = other(2, direction=Direction.OUT, peer=PeerKind.PREFIX, peers=(ip_network("203.0.113.0/24"),))
    peer = Peer(PeerKind.INTERNET, ip_address("203.0.113.9"))
    asked = Question(address=QUESTION.address, port=443, peer=peer, direction=Direction.OUT)
    answer = explain([ALLOW, out], asked, NOW)
    assert [(one.id, why) for one, why in answer.weighed] == [(2, Part.DECIDES), (1, Part.OTHER_DIRECTION)]


HOST = WhitelistEntry(5, "u", WhitelistKind.HOST, addresses=(ip_network("10.0.0.5/32"),), **DENY)


def test_host_when_asked_then_port_entries_allow_it_and_a_prohibition_for_some_does_not_count():
    some = WhitelistEntry(6, "u", WhitelistKind.HOST, addresses=HOST.addresses, peer=PeerKind.INTERNET, **DENY)
    known = WhitelistEntry(7, "u", WhitelistKind.HOST, addresses=HOST.addresses)
    asked = Question(address=QUESTION.address)
    answer = explain([ALLOW, some, known], asked, NOW)
    assert [(one.id, why) for one, why in answer.weighed] == [
        (1, Part.DECIDES),
        (7, Part.DECIDES),
        (6, Part.OTHER_PEER),
    ]
    assert explain([ALLOW, HOST], asked, NOW).verdict is Listed.DENIED
    assert explain([ALLOW, HOST], QUESTION, NOW).verdict is Listed.DENIED


def test_domain_when_asked_then_its_entries_are_weighed_and_no_others():
    allow = WhitelistEntry(8, "u", WhitelistKind.DOMAIN, domain="*.school.example")
    deny = WhitelistEntry(9, "u", WhitelistKind.DOMAIN, domain="old.school.example", **DENY)
    answer = explain([ALLOW, allow, deny], Question(name="old.school.example"), NOW)
    assert (answer.verdict, [one.id for one, _ in answer.weighed]) == (Listed.DENIED, [9, 8])
