from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.assess.listing import Listed, Listing
from sentinel.assess.shadow import find_shadows
from sentinel.model.ports import PortSet
from sentinel.model.whitelist import Direction, Peer, PeerKind, WhitelistAction, WhitelistEntry, WhitelistKind

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
HOST, PORT, DOMAIN = WhitelistKind.HOST, WhitelistKind.PORT, WhitelistKind.DOMAIN
CAMPUS, INTERNET, PREFIX = PeerKind.CAMPUS, PeerKind.INTERNET, PeerKind.PREFIX


def port(ports=(443, 443), prefix="10.0.0.5/32", proto="tcp", **more) -> WhitelistEntry:
    return WhitelistEntry(
        1, "u", PORT, addresses=(ip_network(prefix),), proto=proto, ports=PortSet.of([ports]), **more
    )  # fmt: skip


def host(prefix="10.0.0.5/32", **more) -> WhitelistEntry:
    return WhitelistEntry(1, "u", HOST, addresses=(ip_network(prefix),), **more)


def name(glob: str, **more) -> WhitelistEntry:
    return WhitelistEntry(1, "u", DOMAIN, domain=glob, **more)


def told(wanted: WhitelistEntry, deny: WhitelistEntry) -> bool | None:
    """Whether a prohibition leaves nothing of a permission; None: it does not touch it."""
    found = find_shadows(wanted, [replace(deny, id=7, action=WhitelistAction.DENY)])
    return found[0].whole if found else None


@pytest.mark.parametrize(
    ("wanted", "deny", "whole"),
    [
        (port(), port(), True),
        (port(), port((1, 65535), "0.0.0.0/0"), True),
        (port(), host("10.0.0.0/24"), True),
        (port((400, 500)), port(), False),
        (port(prefix="10.0.0.0/24"), port(), False),
        (port(), port((80, 80)), None),
        (port(), port(prefix="10.0.1.0/24"), None),
        (port(), port(prefix="::/0"), None),
        (port(), port(proto="udp"), None),
        (port(), port(proto="TCP"), True),
        (port(), name("*"), None),
        (name("a.school.example"), host(), None),
        (host(), host("10.0.0.0/24"), True),
        (host("10.0.0.0/24"), host(), False),
        (host(), port(), None),
        (port(), port(direction=Direction.OUT), None),
        (port(direction=Direction.OUT), port(direction=Direction.OUT), True),
        (name("a.school.example"), name("*.School.example"), True),
        (name("*.school.example"), name("bad.school.example"), False),
        (name("a.school.example"), name("b.school.example"), None),
        (port(), port(service="telnet"), False),
        (port(service="http"), port(service="telnet"), None),
        (port(service="telnet"), port(service="telnet"), False),
        (port(), port(peer=INTERNET), False),
        (port(peer=CAMPUS), port(peer=INTERNET), None),
        (port(peer=INTERNET), port(peer=INTERNET), True),
        (port(peer=CAMPUS), port(peer=PREFIX, peers=(ip_network("10.9.0.0/24"),)), False),
        (
            port(peer=PREFIX, peers=(ip_network("10.9.0.0/24"),)),
            port(peer=PREFIX, peers=(ip_network("10.8.0.0/24"),)),
            None,
        ),
        (
            port(peer=PREFIX, peers=(ip_network("10.9.0.0/24"),)),
            port(peer=CAMPUS),
            False,
        ),
        (port(valid_to=NOW), port(valid_from=NOW + DAY), None),
        (port(valid_from=NOW), port(valid_to=NOW - DAY), None),
        (port(valid_from=NOW), port(valid_to=NOW + DAY), False),
        (port(valid_from=NOW, valid_to=NOW + DAY), port(valid_from=NOW - DAY, valid_to=NOW + DAY), True),
        (port(), port(valid_from=NOW), False),
    ],
)
def test_permission_when_a_prohibition_touches_it_then_all_or_some_of_it_is_told(wanted, deny, whole):
    assert told(wanted, deny) is whole


def test_prohibitions_when_several_then_those_that_leave_nothing_come_first_and_permissions_are_none():
    deny = {"action": WhitelistAction.DENY}
    some, all_ = port(peer=INTERNET, **deny), host("10.0.0.0/8", **deny)
    found = find_shadows(port(), [some, port(), all_])
    assert [(one.entry, one.whole) for one in found] == [(all_, True), (some, False)]
    assert find_shadows(port(**deny), [all_]) == ()


prefixes = st.sampled_from(["10.0.0.4/30", "10.0.0.5/32", "10.0.0.0/24", "10.0.1.0/24", "0.0.0.0/0"])
spans = st.sampled_from([(443, 443), (80, 443), (1, 65535), (22, 22)])
peers = st.sampled_from([PeerKind.ANY, CAMPUS, INTERNET])


@given(prefixes, spans, peers, prefixes, spans, peers, st.booleans())
def test_prohibition_when_told_as_whole_or_not_at_all_then_the_listing_agrees(
    one, ports, peer, deny_at, denied, to, of_host
):
    """What the judging says of each place the permission speaks of."""
    deny_words = {"peer": to, "action": WhitelistAction.DENY}
    deny = host(deny_at, **deny_words) if of_host else port(denied, deny_at, **deny_words)
    wanted = port(ports, one, peer=peer)
    listing = Listing([wanted, deny], NOW)
    sides = [Peer(kind) for kind in (CAMPUS, INTERNET) if peer in (PeerKind.ANY, kind)]
    verdicts = {
        listing.decide_endpoint(address, "tcp", number, "", "", side).verdict
        for address in (ip_network(one)[0], ip_address("10.0.0.5"), ip_network(one)[-1])
        if address in ip_network(one)
        for number in {ports[0], ports[1]} | {p for p in (22, 80, 443) if ports[0] <= p <= ports[1]}
        for side in sides
    }
    found = find_shadows(wanted, [deny])
    if not found:
        assert Listed.DENIED not in verdicts
    elif found[0].whole:
        assert verdicts == {Listed.DENIED}
    if verdicts == {Listed.LISTED}:
        assert not (found and found[0].whole)
