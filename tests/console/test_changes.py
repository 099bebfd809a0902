from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.config import Settings
from sentinel.console.page_changes import changes_maker
from sentinel.console.reading import Desk
from sentinel.inventory.diff import diff_maps
from sentinel.model.endpoint import MANY_PORTS
from sentinel.schedule.reading import LIVE_STATES, Lookout, read_diff, read_map
from sentinel.store.home import Home
from tests.homes import NOW, SCHOOL, Clock, opened
from tests.schedule.nmapfile import NmapRun, at, give, host


@pytest.mark.parametrize("days", [1, 7, 30, 90])
def test_changes_when_read_from_what_was_touched_are_those_of_the_whole_maps(small_home: Path, days: int) -> None:
    with opened(small_home, Clock(NOW)) as context:
        start = NOW - timedelta(days=days)
        quick = read_diff(context, SCHOOL, start, NOW)
        whole = diff_maps(
            read_map(context, SCHOOL, start, LIVE_STATES),
            read_map(context, SCHOOL, NOW, LIVE_STATES),
            was_covered=Lookout(context, SCHOOL, start, NOW).was_covered,
            closed_at=lambda key: next(one.at for one in quick if one.row.endpoint.key == key),
        )
    assert quick == whole
    assert (len(whole) > 0) == (days >= 7)


def test_changes_when_a_host_answers_on_every_port_then_none_of_its_ports_is_listed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ports = {f"p{port}": "wrapped" for port in range(1000, 1000 + MANY_PORTS)}
    with opened(home, Clock(NOW)) as context:
        give(context, NmapRun((host(1, **ports), host(2, p22="ssh")), finished=at(99)))
    make = changes_maker(Desk(Home(home), Settings(), None, Clock(NOW)), SCHOOL, 30)
    changes, _ = make()
    assert isinstance(changes, tuple)
    assert [(str(one.row.endpoint.key.address), one.row.endpoint.key.port) for one in changes] == [("10.0.0.2", 22)]
