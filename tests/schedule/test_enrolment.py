from __future__ import annotations

from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from sentinel.model.register import Exit
from sentinel.model.unit import Network, Unit, Zone
from sentinel.schedule.enrolment import Enrolment, choose_targets

BLOCKS = st.integers(0, 31).map(lambda number: ip_network((f"10.0.0.{number * 8}", 29)))


@given(st.lists(BLOCKS, max_size=6), st.lists(BLOCKS, max_size=6), st.lists(BLOCKS, max_size=6))
def test_targets_always_are_what_may_be_scanned_and_nothing_else(open_: list, closed: list, kept: list) -> None:
    networks = [
        Network(1, "u", "办公", Zone.OFFICE, tuple(open_)),
        Network(2, "u", "宿舍", Zone.DORMITORY, tuple(closed), scannable=False),
    ]
    covered = [one for target in choose_targets(networks, kept) if target.network for one in target.network]
    hidden = {one for prefix in (*closed, *kept) for one in prefix}
    assert sorted(covered) == sorted({one for prefix in open_ for one in prefix} - hidden)


def test_exit_becomes_a_network_of_what_no_network_holds_yet() -> None:
    dmz = Network(0, "", "dmz", Zone.DMZ, (ip_network("203.0.113.0/28"),))
    exits = (
        Exit(0, "", "教育网", (ip_network("202.112.0.0/28"), ip_network("203.0.113.4/32"))),
        Exit(0, "", "电信", (ip_network("203.0.113.5/32"),)),
    )
    one = Enrolment(Unit("u", "u"), networks=(dmz,), exits=exits)
    assert [(each.name, each.prefixes) for each in one.all_networks] == [
        ("dmz", dmz.prefixes),
        ("教育网", (ip_network("202.112.0.0/28"),)),
    ]
