"""Small worlds of 3 addresses and 3 ports: the order of arrival never matters, and a slow second opinion agrees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_network
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentinel.errors import ParseError
from sentinel.model.moment import from_microseconds as moment
from sentinel.model.unit import Network, Unit, Zone
from sentinel.schedule.context import Context
from sentinel.store.runs import read_confirmed
from sentinel.store.units import write_network, write_unit
from tests.homes import NOW, opened
from tests.schedule.nmapfile import HostRow, NmapRun, at, give

ADDRESSES = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
PORTS = (22, 80, 443)
STATES = ("nginx", "apache", "open", "closed", "filtered")
Place = tuple[str, int]


@st.composite
def runs(draw: st.DrawFn) -> NmapRun:
    ports = draw(st.sets(st.sampled_from(PORTS), min_size=1))
    asked = draw(st.sets(st.sampled_from(ADDRESSES), min_size=1))
    hosts = []
    for address in sorted(asked):
        kind = draw(st.sampled_from(["up", "up", "up", "up", "down", "silent"]))
        if kind == "up":
            states = tuple((port, draw(st.sampled_from(STATES))) for port in sorted(ports))
            reason = draw(st.sampled_from(["echo-reply", "user-set"]))
            mac = draw(st.sampled_from(["", "00:00:5E:00:53:01", "00:00:5E:00:53:02"]))
            name = draw(st.sampled_from(["", "a.example", "b.example"]))
            rest = draw(st.sampled_from(["closed", "filtered"]))
            hosts.append(HostRow(address, states, reason=reason, rest=rest, mac=mac, name=name))
        elif kind == "down":
            hosts.append(HostRow(address, up=False))
    return NmapRun(
        tuple(hosts),
        tuple(sorted(asked)),
        ",".join(map(str, sorted(ports))),
        finished=at(draw(st.integers(0, 6))),
        whole=draw(st.sampled_from([True, True, True, False])) or not hosts,
    )


def mark(made: list[NmapRun]) -> list[NmapRun]:
    """Make each run's bytes its own, so that equal ones are two runs."""
    return [replace(run, mark=str(number)) for number, run in enumerate(made)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    path: Path = tmp_path_factory.mktemp("world") / "home"
    with opened(path) as context:
        context.database.connection.execute("PRAGMA synchronous=OFF")
        yield context


_numbers = count()


def fresh_unit(context: Context) -> Unit:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        return write_unit(transaction, Unit(f"unit-{next(_numbers)}", "one of many"))


def dump(context: Context, unit: Unit) -> dict[str, list[tuple[object, ...]]]:
    """All that is known of a unit, by what it means instead of by row ids."""
    query = context.database.query
    of_unit = "network IN (SELECT id FROM network WHERE unit=?)"
    by = "(SELECT evidence FROM run WHERE run.id={})"
    return {
        "endpoints": sorted(
            query(
                "SELECT address, port, valid_from_us, coalesce(valid_to_us, 0), state, service, guessed, product, "
                f"version, misses, closed_why, {by.format('opened_by')}, coalesce({by.format('closed_by')}, '') "
                f"FROM endpoint WHERE {of_unit}",
                (unit.code,),
            )
        ),
        "hosts": sorted(
            query(f"SELECT address, mac, os, first_seen_us, last_seen_us FROM host WHERE {of_unit}", (unit.code,))
        ),
        "names": sorted(
            query(f"SELECT address, name, first_seen_us, last_seen_us FROM name WHERE {of_unit}", (unit.code,))
        ),
        "runs": sorted(query("SELECT evidence, time_us, events, held, hosts_up FROM run WHERE unit=?", (unit.code,))),
        "confirmed": sorted(confirmed(context, unit)),
    }


def confirmed(context: Context, unit: Unit) -> Iterator[tuple[object, ...]]:
    for run, ids in read_confirmed(context.database, unit.code, None):
        for one in ids:
            row = context.database.one("SELECT address, port, valid_from_us FROM endpoint WHERE id=?", (one,))
            assert row is not None
            yield (run.evidence, *row)


FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@FEW
@given(made=st.lists(runs(), min_size=2, max_size=6).map(mark), data=st.data())
def test_map_in_any_order_of_arrival_equals_that_in_the_order_of_time(
    world: Context, made: list[NmapRun], data: st.DataObject
) -> None:
    arrival = data.draw(st.permutations(made))
    shuffled, ordered = fresh_unit(world), fresh_unit(world)
    for run in arrival:
        give(world, run, unit=shuffled)
    for run in sorted(arrival, key=lambda one: one.finished if one.whole else NOW):  # type: ignore[arg-type,return-value]
        give(world, run, unit=ordered)
    assert dump(world, shuffled) == dump(world, ordered)


@FEW
@given(made=st.lists(runs(), min_size=1, max_size=4).map(mark), data=st.data())
def test_file_that_comes_again_changes_nothing_and_causes_no_event(
    world: Context, made: list[NmapRun], data: st.DataObject
) -> None:
    unit = fresh_unit(world)
    for run in made:
        give(world, run, unit=unit)
    before = dump(world, unit)
    again = give(world, data.draw(st.sampled_from(made)), unit=unit)
    assert again.known
    assert dump(world, unit) == before


@FEW
@given(made=st.lists(runs(), min_size=2, max_size=5).map(mark), data=st.data())
def test_duplicates_and_broken_files_between_the_others_leave_what_the_others_alone_leave(
    world: Context, made: list[NmapRun], data: st.DataObject
) -> None:
    arrival = data.draw(st.permutations(made + data.draw(st.lists(st.sampled_from(made), max_size=4))))
    broken, plain = fresh_unit(world), fresh_unit(world)
    for run in arrival:
        with pytest.raises(ParseError):
            give(world, run.write()[: data.draw(st.integers(0, 20))], unit=broken)
        give(world, run, unit=broken)
    for run in dict.fromkeys(arrival):
        give(world, run, unit=plain)
    assert dump(world, broken) == dump(world, plain)


@FEW
@given(made=st.lists(runs(), min_size=2, max_size=7).map(mark))
def test_no_endpoint_ends_without_proof_inside_the_scope_of_the_run_that_ended_it(
    world: Context, made: list[NmapRun]
) -> None:
    unit = fresh_unit(world)
    given_runs = {}
    for run in made:
        given_runs[give(world, run, unit=unit).run.evidence] = run
    for address, port, why, evidence, opener in world.database.query(
        "SELECT address, port, closed_why, (SELECT evidence FROM run WHERE run.id=closed_by), "
        "(SELECT evidence FROM run WHERE run.id=opened_by) FROM endpoint WHERE closed_by IS NOT NULL "
        "AND network IN (SELECT id FROM network WHERE unit=?)",
        (unit.code,),
    ):
        run = given_runs[evidence]
        (row,) = [one for one in run.hosts if one.address == address] or [None]
        said = dict(row.ports).get(port, row.rest if str(port) in run.ports.split(",") else "") if row else ""
        if why == "reset":
            assert said == "closed"
        elif why in {"changed", "seen"}:
            assert said in {"nginx", "apache", "open"}
        else:
            assert why in {"missed", "silent"}
            assert evidence != opener, "a miss needs an earlier sight"
            assert address in run.asked
            assert str(port) in run.ports.split(",")
            assert said in {"filtered", "", "closed"}, "a reset of a held run counts as a miss"
            assert row is not None or run.whole, "silence is a fact only where the run came to its end"


# A second opinion: the semantics once more, place by place, without intervals, batches or a database.


@dataclass
class Belief:
    """What is held of one place now, and since when."""

    state: str
    speaks: str
    since: datetime
    misses: int = 0


@dataclass
class Opinion:
    """The slow model; `past` holds the ended intervals."""

    now: dict[Place, Belief]
    past: list[tuple[str, int, str, str, datetime, datetime]]
    looks: list[tuple[set[Place], bool]]

    def look(self, run: NmapRun) -> None:
        rows = {row.address: row for row in run.hosts}
        listed = set(rows)
        finished = set(run.asked) if run.whole else listed
        covered = {(address, int(port)) for address in finished for port in run.ports.split(",")}
        answered = {address for address, row in rows.items() if has_answered(row)}
        held = self.is_held(covered, len(answered))
        for place in [(address, port) for address in ADDRESSES for port in PORTS]:
            states = dict(rows[place[0]].ports) if place[0] in rows else {}
            assert run.finished is not None
            self.take(place, states.get(place[1], ""), run.finished, place in covered, place[0] in answered, held)
        self.looks.append((covered, held))

    def is_held(self, covered: set[Place], answered: int) -> bool:
        usual = {place for place, belief in self.now.items() if belief.state == "open" and place in covered}
        if answered * 2 >= len({address for address, _ in usual}):
            return False
        last = [next((held for looked, held in reversed(self.looks) if place in looked), False) for place in usual]
        return sum(last) * 2 < len(usual)

    def take(self, place: Place, state: str, when: datetime, covered: bool, answered: bool, held: bool) -> None:
        belief = self.now.get(place)
        if state in ("nginx", "apache", "open"):
            speaks = "" if state == "open" else state
            if belief is None or belief.state == "unknown" or (speaks and belief.speaks and speaks != belief.speaks):
                self.end(place, when)
                self.now[place] = Belief("open", speaks, when)
            else:
                self.now[place] = Belief("open", speaks or belief.speaks, belief.since)
        elif belief is not None and covered:
            if state == "closed" and not held:
                self.end(place, when)
            elif held or belief.misses == 0:
                belief.misses = min(belief.misses + 1, 2)
            elif answered:
                self.end(place, when)
            elif belief.state == "open":
                self.end(place, when)
                self.now[place] = Belief("unknown", belief.speaks, when, 2)

    def end(self, place: Place, when: datetime) -> None:
        if belief := self.now.pop(place, None):
            self.past.append((*place, belief.state, belief.speaks, belief.since, when))


def has_answered(row: HostRow) -> bool:
    states = {state for _, state in row.ports}
    return row.up and (row.reason == "echo-reply" or bool(states - {"filtered"}))


@FEW
@given(made=st.lists(runs(), min_size=1, max_size=8).map(mark))
def test_map_equals_what_a_slow_second_model_says(world: Context, made: list[NmapRun]) -> None:
    unit = fresh_unit(world)
    opinion = Opinion({}, [], [])
    for number, run in enumerate(made):
        timed = replace(run, finished=at(number), whole=True)  # a cut-off file counts as arriving now
        give(world, timed, unit=unit)
        opinion.look(timed)
    speaks = {"nginx": "nginx", "Apache httpd": "apache", "": ""}
    stored = list(
        world.database.query(
            "SELECT address, port, state, product, valid_from_us, valid_to_us, misses FROM endpoint "
            "WHERE network IN (SELECT id FROM network WHERE unit=?)",
            (unit.code,),
        )
    )
    now = {
        (address, port): Belief(state, speaks[product], moment(start), min(misses, 2))
        for address, port, state, product, start, end, misses in stored
        if end is None
    }
    past = [
        (address, port, state, speaks[product], moment(start), moment(end))
        for address, port, state, product, start, end, _ in stored
        if end is not None
    ]
    assert now == opinion.now
    assert sorted(past) == sorted(opinion.past)


NEAR, FAR = "10.0.0.0/24", "10.0.1.0/24"


def two_networks(context: Context) -> Unit:
    unit = fresh_unit(context)
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        for name, prefix in (("near", NEAR), ("far", FAR)):
            write_network(transaction, Network(0, unit.code, name, Zone.SERVER, (ip_network(prefix),)))
    return unit


def test_late_run_of_one_network_changes_what_a_later_run_closes_in_another(world: Context) -> None:
    """Why a late run rebuilds the map of all networks: decision 14."""
    near = tuple(f"10.0.0.{number}" for number in (1, 2, 3))
    far = ("10.0.1.1", "10.0.1.2")
    first = NmapRun(tuple(HostRow(one, ((80, "nginx"),)) for one in far), ports="80", finished=at(0), mark="x1")
    late = NmapRun(tuple(HostRow(one, ((80, "nginx"),)) for one in near), ports="80", finished=at(1), mark="x2")
    last = NmapRun((HostRow(far[0], ((80, "closed"),)),), (*near, *far), ports="80", finished=at(2), mark="x3")
    without, shuffled, ordered = (two_networks(world) for _ in range(3))
    for unit, runs in ((without, (first, last)), (shuffled, (first, last, late)), (ordered, (first, late, last))):
        for run in runs:
            give(world, run, unit=unit)
    assert dump(world, shuffled) == dump(world, ordered)

    def closed(unit: Unit) -> object:
        return world.database.one(
            "SELECT count(*) FROM endpoint WHERE address=? AND closed_why='reset' AND network IN "
            "(SELECT id FROM network WHERE unit=?)",
            (far[0], unit.code),
        )

    assert closed(without) == (1,), "one of two answered, so its reset counts"
    assert closed(shuffled) == (0,), "one of five answered, so the run is held, in the other network too"


@FEW
@given(made=st.lists(runs(), min_size=2, max_size=5).map(mark), data=st.data())
def test_map_of_several_networks_in_any_order_equals_that_in_the_order_of_time(
    world: Context, made: list[NmapRun], data: st.DataObject
) -> None:
    """One of the three addresses lies in a network of its own."""
    arrival = data.draw(st.permutations(made))
    shuffled, ordered = fresh_unit(world), fresh_unit(world)
    with world.database.transaction("tester", NOW, objects=True) as transaction:
        for unit in (shuffled, ordered):
            lan = (ip_network("10.0.0.3/32"), ip_network("10.0.0.2/32"))
            for name, prefix in zip(("one", "two"), lan, strict=True):
                write_network(transaction, Network(0, unit.code, name, Zone.OFFICE, (prefix,)))
    for run in arrival:
        give(world, run, unit=shuffled)
    for run in sorted(arrival, key=lambda one: one.finished if one.whole else NOW):  # type: ignore[arg-type,return-value]
        give(world, run, unit=ordered)
    assert dump(world, shuffled) == dump(world, ordered)
