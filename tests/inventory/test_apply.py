"""Ground rules 2, 3 and 4 of the architecture, sentence by sentence, at the level of one host and one look."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sentinel.inventory.apply import Look, Update, apply_host, apply_silence, is_doubtful
from sentinel.model.endpoint import Endpoint, EndpointState, Fingerprint
from sentinel.model.observation import HostObservation
from sentinel.model.ports import PortSet
from tests.inventory.made import DAY_0, NETWORK, certificate, day, endpoint, host, look, port

UNKNOWN = EndpointState.UNKNOWN


def apply(
    seen: HostObservation,
    *current: Endpoint,
    at: Look | None = None,
    finished: bool = True,
    before: tuple[int, ...] = (),
) -> Update:
    return apply_host(at or look(), NETWORK, seen, current, in_scope=True, finished=finished, seen_before=before)


def reasons(update: Update) -> list[tuple[int, str]]:
    return [(one.key.port, why) for one, why in update.closed]


def misses(update: Update) -> dict[int, int]:
    return {one.key.port: one.misses for one in update.amended}


def assert_nothing_moved(update: Update) -> None:
    assert update == Update()


# Scope is data; absence is a fact only inside a finished scope; nothing closes outside it.


def test_absence_when_the_port_was_not_asked_closes_nothing_and_counts_nothing() -> None:
    assert_nothing_moved(apply(host(port(22, "closed")), endpoint(8080, misses=1)))


def test_absence_when_the_protocol_was_not_asked_counts_nothing() -> None:
    assert_nothing_moved(apply(host(), endpoint(53, "tcp", misses=1), endpoint(80, "udp", misses=1)))


def test_absence_when_the_host_was_not_finished_counts_nothing() -> None:
    assert_nothing_moved(apply(host(complete=False), endpoint(misses=1), finished=False))


def test_absence_when_the_source_has_no_port_set_counts_nothing() -> None:
    assert_nothing_moved(apply(host(port(443, "closed")), endpoint(misses=1), at=look(ports="")))


def test_filtered_row_when_the_host_was_not_finished_counts_nothing() -> None:
    assert_nothing_moved(apply(host(port(80, "filtered")), endpoint(misses=1), finished=False))


def test_reset_row_when_the_host_was_not_finished_still_closes() -> None:
    assert reasons(apply(host(port(80, "closed")), endpoint(), finished=False)) == [(80, "reset")]


# Closing needs evidence: a reset, or two misses in scope.


def test_reset_of_a_listed_port_closes_at_once() -> None:
    update = apply(host(port(80, "closed")), endpoint())
    assert reasons(update) == [(80, "reset")]
    assert update.events == 1
    assert not update.opened
    assert not update.confirmed


def test_reset_by_closed_extraports_closes_the_ports_in_scope_only() -> None:
    update = apply(host(rest=(("tcp", "closed"),)), endpoint(80), endpoint(8080), endpoint(53, "udp"))
    assert reasons(update) == [(80, "reset")]
    assert misses(update) == {53: 1}


def test_reset_by_closed_ports_named_one_by_one_closes_these_alone() -> None:
    closed = (("tcp", PortSet.of_ports([80])),)
    update = apply(host(rest=(("tcp", "filtered"),), rest_closed=closed), endpoint(80), endpoint(22))
    assert reasons(update) == [(80, "reset")]
    assert misses(update) == {22: 1}


@pytest.mark.parametrize("rest", [(), (("tcp", "filtered"),), (("udp", "closed"),), (("tcp", "closed|filtered"),)])
def test_first_miss_keeps_the_endpoint_open_and_counts(rest: tuple[tuple[str, str], ...]) -> None:
    update = apply(host(rest=rest), endpoint())
    assert not update.closed
    assert misses(update) == {80: 1}
    assert update.events == 0
    assert update.amended == [endpoint(misses=1)]


@pytest.mark.parametrize("state", ["filtered", "closed|filtered"])
def test_first_miss_by_a_listed_state_keeps_the_endpoint_open_and_counts(state: str) -> None:
    update = apply(host(port(80, state)), endpoint())
    assert not update.closed
    assert misses(update) == {80: 1}


def test_second_miss_in_a_row_of_an_answering_host_closes() -> None:
    update = apply(host(), endpoint(misses=1))
    assert reasons(update) == [(80, "missed")]
    assert update.events == 1


def test_sight_between_two_misses_starts_the_count_again() -> None:
    seen = apply(host(port(80, service="http")), endpoint(misses=1))
    assert seen.confirmed == [180]
    assert misses(seen) == {80: 0}
    assert misses(apply(host(), seen.amended[0])) == {80: 1}


def test_udp_without_an_answer_is_a_miss() -> None:
    dns = endpoint(53, "udp", misses=1)
    assert reasons(apply(host(port(53, "open|filtered", "udp")), dns)) == [(53, "missed")]
    assert reasons(apply(host(rest=(("udp", "open|filtered"),)), dns)) == [(53, "missed")]


@pytest.mark.parametrize("state", ["unfiltered", "open|filtered"])
def test_look_that_cannot_see_open_tcp_ports_says_nothing(state: str) -> None:
    assert_nothing_moved(apply(host(port(80, state)), endpoint(misses=1)))
    assert_nothing_moved(apply(host(rest=(("tcp", state),)), endpoint(misses=1)))


def test_absence_of_what_is_not_known_is_nothing() -> None:
    assert_nothing_moved(apply(host(port(80, "closed"), port(22, "filtered"))))


# An unreachable host turns unknown, not fixed.


def test_silent_host_when_it_was_silent_before_turns_unknown_not_closed() -> None:
    update = apply(host(up=False, answered=False), endpoint(misses=1))
    assert reasons(update) == [(80, "silent")]
    (opened,) = update.opened
    assert opened.state is UNKNOWN
    assert opened.fingerprint == endpoint().fingerprint
    assert (opened.valid_from, opened.opened_by, opened.id, opened.valid_to) == (day(1), 1, 0, None)
    assert update.events == 1


def test_silence_of_finished_addresses_counts_then_turns_unknown() -> None:
    first = apply_silence(look(1), [endpoint(80), endpoint(8080)])
    assert misses(first) == {80: 1}
    assert first.events == 0
    second = apply_silence(look(2), first.amended)
    assert reasons(second) == [(80, "silent")]
    assert [one.state for one in second.opened] == [UNKNOWN]


def test_unknown_endpoint_when_its_host_stays_silent_stays_unknown() -> None:
    assert_nothing_moved(apply_silence(look(5), [endpoint(state=UNKNOWN, misses=2)]))
    assert_nothing_moved(apply(host(answered=False), endpoint(state=UNKNOWN, misses=2)))


def test_unknown_endpoint_when_its_host_answers_without_it_closes() -> None:
    update = apply(host(port(22)), endpoint(state=UNKNOWN, misses=2))
    assert reasons(update) == [(80, "missed")]


def test_unknown_endpoint_when_reset_closes() -> None:
    assert reasons(apply(host(port(80, "closed")), endpoint(state=UNKNOWN, misses=2))) == [(80, "reset")]


def test_unknown_endpoint_when_seen_open_again_gets_a_new_interval() -> None:
    update = apply(host(port(80, service="http")), endpoint(state=UNKNOWN, misses=2))
    assert reasons(update) == [(80, "seen")]
    assert [(one.state, one.valid_from) for one in update.opened] == [(EndpointState.OPEN, day(1))]
    assert update.events == 1


# A run with no result, or under half the usual hosts, closes nothing until a second run agrees.


@pytest.mark.parametrize(
    ("answered", "usual", "doubtful"),
    [(0, 0, False), (0, 1, True), (1, 2, False), (1, 3, True), (49, 100, True), (50, 100, False), (5, 0, False)],
)
def test_run_with_under_half_of_the_usual_hosts_is_doubtful(answered: int, usual: int, doubtful: bool) -> None:
    assert is_doubtful(answered, usual) is doubtful


@pytest.mark.parametrize(
    "seen",
    [host(port(80, "closed")), host(rest=(("tcp", "closed"),)), host(), host(answered=False)],
    ids=["reset", "reset of the rest", "missed", "silent"],
)
@pytest.mark.parametrize(("known", "counted"), [(0, {80: 1}), (1, {80: 2}), (2, {})])
def test_held_run_closes_nothing_and_only_counts_up_to_two(
    seen: HostObservation, known: int, counted: dict[int, int]
) -> None:
    update = apply(seen, endpoint(misses=known), at=look(held=True))
    assert not update.closed
    assert not update.opened
    assert update.events == 0
    assert misses(update) == counted


def test_second_run_that_agrees_with_a_held_one_closes() -> None:
    held = apply(host(), endpoint(), at=look(1, held=True))
    assert reasons(apply(host(), held.amended[0], at=look(2))) == [(80, "missed")]


def test_held_run_still_opens_and_changes() -> None:
    seen = host(port(22, service="ssh"), port(80, service="http", product="nginx"))
    update = apply(seen, endpoint(fingerprint=Fingerprint("http", product="Apache")), at=look(held=True))
    assert sorted(one.key.port for one in update.opened) == [22, 80]
    assert reasons(update) == [(80, "changed")]


# Intervals, not snapshots: a new row only when the fingerprint changes.


def test_first_sight_opens_an_interval_that_tells_all_the_look_told() -> None:
    shown = certificate("a", subject="www.school.example")
    seen = port(
        443,
        service="http",
        product="nginx",
        version="1.22.1",
        extra="Ubuntu",
        tunnel="ssl",
        cpes=("cpe:/a:nginx:nginx",),
        title="首页",
        certificate=shown,
    )
    update = apply_host(look(3), NETWORK, host(seen), (), in_scope=False, finished=True)
    (opened,) = update.opened
    assert opened.fingerprint == Fingerprint("http", False, "nginx", "1.22.1", "ssl", "a" * 64)
    assert (opened.extra, opened.cpes, opened.title) == ("Ubuntu", ("cpe:/a:nginx:nginx",), "首页")
    assert (opened.certificate, opened.in_scope, opened.misses, opened.id) == (shown, False, 0, 0)
    assert (opened.valid_from, opened.opened_by, opened.key.network) == (day(3), 3, NETWORK)
    assert update.events == 1


def test_same_sight_again_confirms_and_writes_nothing() -> None:
    update = apply(host(port(80, service="http")), endpoint())
    assert update == Update(confirmed=[180])


def test_changed_fingerprint_ends_the_interval_and_opens_another() -> None:
    update = apply(
        host(port(80, service="http", product="nginx")), endpoint(fingerprint=Fingerprint("http", product="x"))
    )
    assert reasons(update) == [(80, "changed")]
    assert [one.fingerprint.product for one in update.opened] == ["nginx"]
    assert not update.confirmed
    assert update.events == 1


def test_better_knowledge_amends_the_interval_in_place() -> None:
    guess = endpoint(fingerprint=Fingerprint("http", guessed=True))
    update = apply(host(port(80, service="http", product="nginx")), guess)
    assert not update.closed
    assert not update.opened
    assert [(one.id, one.valid_from, one.fingerprint.product) for one in update.amended] == [(180, DAY_0, "nginx")]
    assert update.confirmed == [180]
    assert update.events == 0


@pytest.mark.parametrize("state", ["filtered", "closed", "open|filtered", "unfiltered", "closed|filtered", "", "OPEN"])
def test_state_other_than_exactly_open_opens_nothing(state: str) -> None:
    assert not apply(host(port(80, state))).opened


# The same address twice in one run.


def test_port_listed_twice_in_a_row_counts_once() -> None:
    update = apply(host(port(80, service="http"), port(80, "closed"), port(80, service="ssh")))
    assert [one.fingerprint.service for one in update.opened] == ["http"]
    assert update.events == 1


def test_second_row_of_a_run_never_contradicts_what_the_first_confirmed() -> None:
    known = endpoint(fingerprint=Fingerprint("http", product="nginx"))
    for seen in (host(port(80, "closed")), host(rest=(("tcp", "closed"),)), host(answered=False)):
        assert_nothing_moved(apply(seen, known, before=(180,)))
    update = apply(host(port(80, service="ssh", product="OpenSSH")), known, before=(180,))
    assert update == Update(confirmed=[180])


def test_second_row_of_a_run_never_contradicts_what_the_first_opened() -> None:
    opened = endpoint(id=9, opened_by=1)
    assert_nothing_moved(apply(host(port(80, "closed")), opened))
    assert apply(host(port(80, service="ssh")), opened) == Update(confirmed=[9])


def test_second_row_of_a_run_fills_blanks() -> None:
    opened = endpoint(id=9, opened_by=1, fingerprint=Fingerprint("http", guessed=True))
    update = apply(host(port(80, service="ssh", product="OpenSSH", title="t")), opened)
    assert update.amended == [replace(opened, fingerprint=Fingerprint("ssh", product="OpenSSH"), title="t")]


def test_scope_declared_later_reaches_a_confirmed_endpoint() -> None:
    update = apply(host(port(80, service="http")), endpoint(in_scope=False))
    assert [one.in_scope for one in update.amended] == [True]
