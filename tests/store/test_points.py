from __future__ import annotations

from datetime import datetime, timedelta

from sentinel.store import points
from sentinel.store.database import Database
from sentinel.store.keys import address_key
from sentinel.store.tables_codes import PROTO_CODES, STATE_CODES
from tests.homes import NOW
from tests.store.test_endpoints import HOUR, end, endpoint, note_run, write


def ports(found: list[points.Point]) -> list[int]:
    return sorted(one.port for one in found)


def fill(database: Database) -> None:
    write(database, endpoint(1), endpoint(2, port=81), endpoint(3, "10.0.0.2", 82, valid_from=NOW + HOUR))
    note_run(database, NOW, opened=(1, 2))
    note_run(database, NOW + HOUR, opened=(3,))
    end(database, NOW + 2 * HOUR, 1)


def test_points_at_a_moment_are_the_intervals_that_hold(database: Database) -> None:
    fill(database)

    def at(moment: datetime) -> list[int]:
        return ports(points.read_points(database, 1, moment))

    assert at(NOW - timedelta(microseconds=1)) == []
    assert at(NOW) == [80, 81]
    assert at(NOW + HOUR) == [80, 81, 82]
    assert at(NOW + 2 * HOUR) == [81, 82]
    assert points.read_points(database, 2, NOW) == []


def test_point_holds_codes_and_an_address_that_sorts(database: Database) -> None:
    fill(database)
    (one,) = [each for each in points.read_points(database, 1, NOW + 9 * HOUR) if each.port == 82]
    assert (one.network, one.place) == (1, address_key("10.0.0.2"))
    assert (one.proto, one.state, one.valid_to_us) == (PROTO_CODES["tcp"], STATE_CODES["open"], None)


def test_endpoints_that_look_the_same_share_their_look(database: Database) -> None:
    fill(database)
    assert len({one.look for one in points.read_points(database, 1, NOW + HOUR)}) == 1


def test_changed_points_are_those_that_began_or_ended_in_the_span(database: Database) -> None:
    fill(database)

    def between(start: datetime, finish: datetime, network: int = 1) -> list[int]:
        return ports(points.read_changed_points(database, [network], start, finish))

    assert between(NOW, NOW + 9 * HOUR) == [80, 82]
    assert between(NOW - HOUR, NOW) == [80, 81]
    assert between(NOW + 2 * HOUR, NOW + 9 * HOUR) == []
    assert between(NOW, NOW + 9 * HOUR, network=2) == []
