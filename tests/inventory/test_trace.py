from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.inventory.trace import (
    choose_nat_spans,
    group_cards,
    group_places,
    is_logged,
    judge_attachments,
    judge_holdings,
    judge_publications,
    judge_translations,
)
from sentinel.model.publication import Mapping, Publication, PublicationState
from sentinel.model.sighting import HoldingSource
from sentinel.model.trace import (
    Attached,
    Certainty,
    Held,
    Holder,
    LogKind,
    LogSpan,
    Question,
    Told,
    Translated,
)
from tests.inventory.made import ADDRESS, DAY_0, NETWORK

CARD, OTHER = "00:00:5e:00:53:01", "00:00:5e:00:53:02"
OUTSIDE = ip_address("198.51.100.7")
TWO_MINUTES = timedelta(minutes=2)
CERTAIN, LIKELY, POSSIBLE = Certainty


def held(
    start: float,
    end: float | None = None,
    told: Told = Told.HELD,
    mac: str = CARD,
    source: HoldingSource = HoldingSource.DHCP,
    **words: object,
) -> Held:
    """A stretch from and to so many minutes after day 0."""
    since = DAY_0 + timedelta(minutes=start)
    until = since if end is None else DAY_0 + timedelta(minutes=end)
    return Held(NETWORK, ADDRESS, Holder(source, mac, **words), told, since, until)  # type: ignore[arg-type]


def ask(*stretches: Held, at: float = 0) -> list[tuple[str, Certainty, int]]:
    links = judge_holdings(stretches, DAY_0 + timedelta(minutes=at), TWO_MINUTES)
    return [(link.held.holder.mac, link.certainty, link.off_s) for link in links]


@pytest.mark.parametrize(
    ("at", "answer"),
    [(30, [(CARD, CERTAIN, 0)]), (61, [(CARD, POSSIBLE, 60)]), (-1, [(CARD, POSSIBLE, 60)]), (63, []), (-3, [])],
)
def test_lease_when_asked_about_is_certain_inside_and_possible_as_far_as_clocks_disagree(
    at: float, answer: list[tuple[str, Certainty, int]]
) -> None:
    assert ask(held(0, 60), at=at) == answer


def test_lease_when_another_card_got_the_address_before_the_moment_is_only_possible() -> None:
    assert ask(held(0, 120), held(30, 150, mac=OTHER), at=60) == [(OTHER, CERTAIN, 0), (CARD, POSSIBLE, 0)]


@pytest.mark.parametrize(
    ("at", "answer"),
    [(0, CERTAIN), (300, LIKELY), (601, CERTAIN), (640, POSSIBLE), (-40, POSSIBLE)],
)
def test_card_in_tables_when_asked_about_is_sure_at_a_table_likely_between_and_possible_within_the_hour(
    at: float, answer: Certainty
) -> None:
    assert [one for _, one, _ in ask(held(0, 600, Told.SEEN, source=HoldingSource.ARP), at=at)] == [answer]


def test_card_in_tables_when_hours_away_is_no_answer() -> None:
    assert ask(held(0, 600, Told.SEEN), at=700) == []


def test_card_in_tables_when_another_was_seen_in_between_is_no_answer() -> None:
    first, second = held(0, 0, Told.SEEN), held(20, 20, Told.SEEN, mac=OTHER)
    assert [mac for mac, _, _ in ask(first, second, at=30)] == [OTHER]
    assert [mac for mac, _, _ in ask(held(40, 40, Told.SEEN), second, at=10)] == [OTHER]


def test_lease_without_an_end_when_nobody_else_came_is_likely_for_a_day_and_possible_for_a_week() -> None:
    begun = held(0, told=Told.BEGUN)
    assert [ask(begun, at=minutes)[0][1] for minutes in (5, 1430, 3000)] == [LIKELY, LIKELY, POSSIBLE]
    assert ask(begun, at=8 * 1440) == []
    assert ask(begun, at=-1) == [(CARD, POSSIBLE, 60)]
    assert ask(begun, at=-5) == []


def test_session_without_an_end_when_half_a_day_has_passed_is_only_possible() -> None:
    begun = held(0, told=Told.BEGUN, source=HoldingSource.RADIUS)
    assert [ask(begun, at=minutes)[0][1] for minutes in (700, 800)] == [LIKELY, POSSIBLE]


def test_lease_without_an_end_when_another_card_came_ends_there() -> None:
    begun, next_one = held(0, told=Told.BEGUN), held(60, 120, mac=OTHER)
    assert ask(begun, next_one, at=30) == [(CARD, LIKELY, 0)]
    assert ask(begun, next_one, at=61) == [(OTHER, CERTAIN, 0), (CARD, POSSIBLE, 60)]
    assert ask(begun, next_one, at=90) == [(OTHER, CERTAIN, 0)]


@pytest.mark.parametrize(
    "stop",
    [held(60, told=Told.ENDED), held(0, 60), held(0, 60, port="AP2")],
    ids=["an end by itself", "the whole session", "the whole session, at another access point"],
)
def test_session_when_its_stop_is_told_ends_there(stop: Held) -> None:
    begun = held(0, told=Told.BEGUN)
    assert (CARD, CERTAIN, 0) in ask(begun, stop, at=30)
    assert ask(begun, stop, at=90) == []


def test_session_when_heard_of_after_days_still_lasts_from_then_on() -> None:
    long, heard = held(-14_400, 0), held(0, told=Told.BEGUN)
    assert ask(long, heard, at=-10)[0] == (CARD, CERTAIN, 0)
    assert ask(long, heard, at=30) == [(CARD, LIKELY, 0)]


def test_stop_of_another_source_when_told_ends_no_lease() -> None:
    begun, stop = held(0, told=Told.BEGUN), held(60, told=Told.ENDED, source=HoldingSource.RADIUS)
    assert (CARD, LIKELY, 0) in ask(begun, stop, at=90)


def test_stop_of_an_earlier_session_when_told_does_not_end_this_one() -> None:
    assert (CARD, LIKELY, 0) in ask(held(60, told=Told.BEGUN), held(30, told=Told.ENDED), at=90)


def test_end_without_a_beginning_when_told_makes_the_time_before_possible() -> None:
    ended = held(60, told=Told.ENDED)
    assert ask(ended, at=60) == [(CARD, LIKELY, 0)]
    assert ask(ended, at=0) == [(CARD, POSSIBLE, 0)]
    assert ask(ended, at=70) == []
    assert ask(ended, at=-800) == []
    assert ask(ended, held(30, 40, mac=OTHER), at=0) == []


def test_account_without_a_card_when_compared_is_nobody_else() -> None:
    login = held(0, told=Told.BEGUN, mac="", source=HoldingSource.PORTAL, account=5)
    assert len(ask(held(0, 120), login, at=60)) == 2


def test_accounts_when_two_differ_are_two_holders() -> None:
    first = held(0, told=Told.BEGUN, mac="", source=HoldingSource.PORTAL, account=5)
    second = held(30, told=Told.BEGUN, mac="", source=HoldingSource.PORTAL, account=6)
    links = judge_holdings([first, second], DAY_0 + timedelta(minutes=60), TWO_MINUTES)
    assert [link.held.holder.account for link in links] == [6]


def cards(*stretches: Held, at: float = 30) -> list[tuple[str, int, tuple[int, ...]]]:
    found = group_cards(judge_holdings(stretches, DAY_0 + timedelta(minutes=at), TWO_MINUTES))
    return [(card.mac, len(card.holdings), card.accounts) for card in found]


def test_login_without_a_card_when_one_card_held_the_address_goes_with_it() -> None:
    login = held(10, told=Told.BEGUN, mac="", source=HoldingSource.PORTAL, account=5)
    assert cards(held(0, 60), held(20, 20, Told.SEEN, source=HoldingSource.ARP), login) == [(CARD, 3, (5,))]


def test_login_without_a_card_when_two_cards_are_as_likely_stands_alone() -> None:
    login = held(25, told=Told.BEGUN, mac="", source=HoldingSource.PORTAL, account=5)
    arp = HoldingSource.ARP
    first, second = held(29, 29, Told.SEEN, source=arp), held(30, 30, Told.SEEN, OTHER, arp)
    assert sorted(cards(first, second, login)) == [("", 1, (5,)), (CARD, 1, ()), (OTHER, 1, ())]


def test_card_when_its_address_was_made_up_is_said_to_be_random() -> None:
    found = group_cards(judge_holdings([held(0, 60, mac="da:00:5e:00:53:01")], DAY_0, TWO_MINUTES))
    assert [(card.is_random, card.names) for card in found] == [(True, ())]


def test_candidates_when_clocks_disagree_are_all_given_the_surest_first() -> None:
    assert cards(held(0, 29, name="first"), held(31, 60, mac=OTHER), at=30) == [(CARD, 1, ()), (OTHER, 1, ())]


def attached(port: str, start: float, end: float) -> Attached:
    return Attached(CARD, "sw-1", port, "", DAY_0 + timedelta(minutes=start), DAY_0 + timedelta(minutes=end))


def test_attachments_when_judged_put_the_port_with_few_cards_before_the_uplink() -> None:
    found = judge_attachments(
        [attached("up", -60, 60), attached("edge", -60, 60)], DAY_0, TWO_MINUTES, lambda one: len(one.port) % 4 * 20
    )
    assert [(link.attached.port, link.certainty) for link in found] == [("edge", LIKELY), ("up", LIKELY)]


@pytest.mark.parametrize(("start", "answer"), [(1, CERTAIN), (30, LIKELY), (600, POSSIBLE), (1500, None)])
def test_attachment_when_it_lies_beside_the_moment_is_less_sure_the_farther(
    start: float, answer: Certainty | None
) -> None:
    found = judge_attachments([attached("edge", start, start)], DAY_0, TWO_MINUTES, lambda _: 1)
    assert [link.certainty for link in found] == ([answer] if answer else [])


def nat(
    start: float,
    end: float | None = None,
    ports: tuple[int, int] = (40001, 40001),
    inside: str = "10.0.0.1",
    **words: object,
) -> Translated:
    since = DAY_0 + timedelta(minutes=start)
    until = None if end is None else DAY_0 + timedelta(minutes=end)
    fields: dict[str, object] = {"proto": "tcp", "peer": ip_address("203.0.113.9"), "peer_port": 443} | words
    return Translated(
        NETWORK, outside=OUTSIDE, ports=ports, since=since, until=until, inside=ip_address(inside), **fields
    )  # type: ignore[arg-type]


def through(*translations: Translated, at: float = 0, **words: object) -> list[tuple[str, Certainty]]:
    asked = Question(OUTSIDE, DAY_0 + timedelta(minutes=at), **({"port": 40001} | words))  # type: ignore[arg-type]
    return [(str(link.translated.inside), link.certainty) for link in judge_translations(translations, asked)]


@pytest.mark.parametrize(("at", "answer"), [(5, CERTAIN), (11, POSSIBLE), (13, None), (-1, POSSIBLE)])
def test_session_when_asked_about_is_certain_inside_and_possible_as_far_as_clocks_disagree(
    at: float, answer: Certainty | None
) -> None:
    assert through(nat(0, 10), at=at) == ([("10.0.0.1", answer)] if answer else [])


def test_sessions_when_the_port_was_given_to_another_within_the_disagreement_are_both_given() -> None:
    assert through(nat(0, 10), nat(11, 20, inside="10.0.0.2"), at=10) == [("10.0.0.1", CERTAIN), ("10.0.0.2", POSSIBLE)]


def test_translation_when_protocol_port_or_peer_differ_is_no_answer() -> None:
    peer = ip_address("203.0.113.9")
    assert through(nat(0, 10), proto="udp") == []
    assert through(nat(0, 10), port=5) == []
    assert through(nat(0, 10), peer=ip_address("203.0.113.8")) == []
    assert through(nat(0, 10), peer=peer, peer_port=80) == []
    assert through(nat(0, 10), peer=peer, peer_port=443) == [("10.0.0.1", CERTAIN)]


def test_peer_when_named_goes_before_translations_that_tell_none() -> None:
    block = nat(-60, ports=(40000, 41023), inside="10.0.0.2", peer=None, peer_port=None, proto="")
    assert through(nat(0, 10), block, peer=ip_address("203.0.113.9")) == [("10.0.0.1", CERTAIN), ("10.0.0.2", POSSIBLE)]


def test_session_without_an_end_when_hours_pass_grows_unlikely_until_it_is_none() -> None:
    assert [through(nat(0), at=minutes) for minutes in (30, 120, 1500)] == [
        [("10.0.0.1", LIKELY)],
        [("10.0.0.1", POSSIBLE)],
        [],
    ]
    assert through(nat(0), at=-1) == [("10.0.0.1", POSSIBLE)]
    assert through(nat(0), at=-9) == []


def test_port_block_without_an_end_when_given_to_another_ends_there() -> None:
    first = nat(0, ports=(40000, 41023), peer=None, peer_port=None)
    second = nat(600, ports=(40000, 41023), inside="10.0.0.2", peer=None, peer_port=None)
    assert through(first, second, at=300) == [("10.0.0.1", LIKELY)]
    assert through(first, second, at=601) == [("10.0.0.2", LIKELY), ("10.0.0.1", POSSIBLE)]
    assert through(first, second, at=700) == [("10.0.0.2", LIKELY)]


def test_whole_address_when_it_was_seen_that_day_is_possible() -> None:
    whole = nat(0, 0, ports=(0, 65_535), peer=None, peer_port=None, proto="")
    assert through(whole, at=600) == [("10.0.0.1", POSSIBLE)]
    assert through(whole, at=3000) == []


def test_places_when_a_session_and_its_block_agree_are_one() -> None:
    asked = Question(OUTSIDE, DAY_0, 40001)
    links = judge_translations([nat(-5, 5), nat(-60, ports=(40000, 41023), proto="")], asked)
    assert {str(place[1]): len(found) for place, found in group_places(links).items()} == {"10.0.0.1": 2}


def span(subject: str, device: str = "") -> LogSpan:
    return LogSpan(LogKind.NAT, device, ip_address(subject), DAY_0, DAY_0 + timedelta(hours=1))


def test_nat_logs_when_chosen_for_an_exit_are_those_that_name_it_or_come_from_its_devices() -> None:
    spans = [
        span("198.51.100.7"),
        span("198.51.100.9"),
        span("192.0.2.1", "fw1"),
        span("192.0.2.2", "fw2"),
        span("192.0.2.3"),
    ]
    chosen = choose_nat_spans(spans, OUTSIDE, [ip_network("198.51.100.0/28")], ["fw1", ""])
    assert chosen == tuple(spans[:3])
    assert choose_nat_spans(spans, OUTSIDE, [], []) == (spans[0],)


def test_log_when_it_ends_before_the_moment_says_nothing_of_it() -> None:
    assert is_logged([span("198.51.100.7")], DAY_0 + timedelta(minutes=61), TWO_MINUTES)
    assert not is_logged([span("198.51.100.7")], DAY_0 + timedelta(minutes=63), TWO_MINUTES)


def published(first: int = 443, last: int = 443, inside_port: int = 8443, **words: object) -> Publication:
    proto = "tcp" if first else ""
    mapping = Mapping(OUTSIDE, proto, first, last, ip_address("10.0.0.7"), inside_port)
    return Publication(1, "school", mapping, "declared", **words)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("one", "port", "proto", "answer"),
    [
        (published(), 443, "", (8443, LIKELY)),
        (published(), 443, "udp", None),
        (published(), 444, "", None),
        (published(), None, "", (None, POSSIBLE)),
        (published(0, 0, 0), 50_000, "", (50_000, LIKELY)),
        (published(0, 0, 0), None, "", (None, LIKELY)),
        (published(valid_to=DAY_0 - TWO_MINUTES), 443, "", None),
        (published(state=PublicationState.PROPOSED), 443, "", None),
    ],
)
def test_publication_when_in_force_leads_inside_by_its_port(
    one: Publication, port: int | None, proto: str, answer: tuple[int | None, Certainty] | None
) -> None:
    links = judge_publications([one], Question(OUTSIDE, DAY_0, port, proto), lambda _: NETWORK)
    assert [(link.translated.inside_port, link.certainty) for link in links] == ([answer] if answer else [])
    assert all(link.translated.declared for link in links)
    assert judge_publications([one], Question(ADDRESS, DAY_0, port, proto), lambda _: NETWORK) == ()
