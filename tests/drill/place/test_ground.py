"""The ground a school stands on: taken in every mode, chosen by itself, refused, crowded and without IPv6."""

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.drill.place.ground import OFFSET, Ground, Loss, Mode, served_port
from sentinel.drill.school.plan import plan_school
from sentinel.errors import UsageError
from tests.drill.within import (
    LO_UP,
    NETWORK,
    NO_IPV6,
    NO_MORE_NAMESPACES,
    READ_ONLY_PROC,
    USER,
    within,
    without,
)

LOOPBACK = Ground(Mode.LOOPBACK, ipv6=True, offset=OFFSET)
OWN = Ground(Mode.USER_NAMESPACE, ipv6=True)

TAKE = """
import errno, json, os, socket, sys
from pathlib import Path
from sentinel.drill.place import ground
from sentinel.drill.place.ground import SCANNER, SCANNER6, Mode, take_ground
from sentinel.drill.place.namespace import NamespaceRefusedError

def home():
    return [os.readlink(f"/proc/self/ns/{kind}") for kind in ("user", "net")]

def reach(address):
    '''Serve there, on a low port, and call.'''
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.create_server((address, 700), family=family):
            socket.create_connection((address, 700), 5).close()
    except OSError as error:
        return errno.errorcode.get(error.errno, "silent")
    return ""

wanted = Mode(sys.argv[1]) if sys.argv[1:] else None
before = home()
try:
    taken = take_ground(wanted)
except NamespaceRefusedError as error:
    told = {"error": str(error)}
else:
    told = {
        "mode": taken.mode.value, "ipv6": taken.ipv6, "refused": taken.refused, "foreign": taken.foreign,
        "offset": taken.offset, "losses": [loss.value for loss in taken.losses],
    }
told |= {
    "moved": [old != new for old, new in zip(before, home())],
    "uid": os.geteuid(),
    "reach": [reach("127.0.0.1"), reach(str(SCANNER)), reach(str(SCANNER6))],
    "lines": len(Path("/proc/net/route").read_text().splitlines()) - 1,
}
print(json.dumps(told))
"""
FINE = {"ipv6": True, "refused": "", "foreign": [], "losses": []}
LOST = ["low-ports", "udp", "own-ipv6", "quiet-hosts", "privacy"]
REFUSED = "no namespace: this machine allows no more of them (sysctl user.max_user_namespaces, user.max_net_namespaces)"


def take(*words: str, place: tuple[str, ...] = NETWORK, prepare: str = LO_UP, then: tuple[str, ...] = ()) -> Any:
    return within(TAKE, *words, place=place, prepare=prepare, then=then)


@pytest.mark.namespace
@pytest.mark.parametrize("wanted", [("network-namespace",), ()], ids=["asked", "chosen"])
def test_take_when_it_is_root_then_a_network_namespace_is_had_and_the_user_stays(wanted: tuple[str, ...]) -> None:
    assert take(*wanted) == {
        "mode": "network-namespace",
        **FINE,
        "offset": 0,
        "moved": [False, True],
        "uid": 0,
        "reach": ["", "", ""],
        "lines": 1,
    }


@pytest.mark.namespace
@pytest.mark.parametrize(
    ("wanted", "place", "then"),
    [
        (("user-namespace",), NETWORK, ()),
        (("user-namespace",), USER, ()),
        ((), USER, ()),
        ((), NETWORK, without("sys_admin")),
    ],
    ids=["root-asked", "user-asked", "user-chosen", "root-without-rights"],
)
def test_take_when_it_is_an_ordinary_user_then_a_user_namespace_is_had_and_low_ports_with_it(
    wanted: tuple[str, ...], place: tuple[str, ...], then: tuple[str, ...]
) -> None:
    assert take(*wanted, place=place, prepare="", then=then) == {
        "mode": "user-namespace",
        **FINE,
        "offset": 0,
        "moved": [True, True],
        "uid": 0,
        "reach": ["", "", ""],
        "lines": 1,
    }


@pytest.mark.namespace
def test_take_when_loopback_is_asked_for_then_nothing_moves() -> None:
    told = take("loopback")

    assert (told["mode"], told["offset"], told["losses"]) == ("loopback", OFFSET, LOST)
    assert (told["refused"], told["moved"]) == ("", [False, False])


@pytest.mark.namespace
@pytest.mark.parametrize(
    ("prepare", "then", "why"),
    [
        (NO_MORE_NAMESPACES, (), REFUSED),
        (
            READ_ONLY_PROC,
            without("sys_admin"),
            "no namespace: [Errno 30] Read-only file system: '/proc/self/setgroups'",
        ),
    ],
    ids=["at-once", "half-way"],
)
def test_take_when_namespaces_are_refused_then_it_says_why_and_stays_on_a_loopback_that_works(
    prepare: str, then: tuple[str, ...], why: str
) -> None:
    told = take(prepare=f"{LO_UP}; {prepare}", then=then)

    assert (told["mode"], told["refused"], told["losses"]) == ("loopback", why, LOST)
    assert (told["moved"], told["reach"][0]) == ([False, False], "")


@pytest.mark.namespace
@pytest.mark.parametrize(
    ("wanted", "place", "prepare", "why"),
    [
        ("user-namespace", NETWORK, NO_MORE_NAMESPACES, REFUSED),
        ("network-namespace", NETWORK, NO_MORE_NAMESPACES, REFUSED),
        ("network-namespace", USER, "", "no namespace: not permitted here"),
    ],
)
def test_take_when_the_mode_asked_for_is_refused_then_nothing_else_is_taken(
    wanted: str, place: tuple[str, ...], prepare: str, why: str
) -> None:
    told = take(wanted, place=place, prepare=prepare)

    assert (told["error"], told["moved"]) == (why, [False, False])


@pytest.mark.namespace
def test_take_when_the_process_has_threads_then_the_kernel_refuses_and_loopback_remains() -> None:
    program = f"import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n{TAKE}"
    told = within(program, place=USER, prepare="")

    assert (told["mode"], told["refused"]) == ("loopback", "no namespace: Invalid argument")
    assert told["moved"] == [False, False]


@pytest.mark.namespace
def test_take_when_loopback_has_no_ipv6_then_it_is_told_as_lost() -> None:
    told = take("loopback", prepare=f"{LO_UP} && {NO_IPV6}")

    assert (told["ipv6"], told["losses"]) == (False, ["low-ports", "udp", "ipv6", "quiet-hosts", "privacy"])


@pytest.mark.namespace
def test_take_when_the_machine_has_no_ipv6_then_the_namespace_stands_without() -> None:
    # A fresh namespace has IPv6 wherever the kernel has it, so the kernel's word for "no" is put in.
    told = within(TAKE.replace("wanted = ", "ground.has_ipv6 = lambda: False\nwanted = ", 1))

    assert (told["mode"], told["ipv6"], told["losses"]) == ("network-namespace", False, ["ipv6"])
    assert told["reach"] == ["", "", "EADDRNOTAVAIL"]


CROWDED = """
import json, socket
from contextlib import ExitStack
from sentinel.drill.place.ground import Mode, take_ground
from sentinel.drill.school.plan import plan_school
from sentinel.drill.school.running import start_school
with ExitStack() as stack:
    for port in (22, 10080, 10443, 10022, 16379, 10580, 11022, 14833):
        stack.enter_context(socket.create_server(("0.0.0.0", port)))
    taken = take_ground(Mode.LOOPBACK)
    ground = taken.make_room(plan_school(taken.lot(1)).true_ports)
    with start_school(ground.lot(1)) as school:
        school.cue("change")
        theirs = {port for _, port in ground.foreign}
        meeting = sorted(theirs & {row.port for row in school.truth()})
        print(json.dumps([taken.offset, ground.offset, sorted(theirs), meeting]))
"""


@pytest.mark.namespace
def test_make_room_when_programs_listen_everywhere_then_the_school_stands_beside_them() -> None:
    assert within(CROWDED) == [10_000, 12_000, [22, 10022, 10080, 10443, 10580, 11022, 14833, 16379], []]


@pytest.mark.parametrize(
    ("ground", "losses"),
    [
        (OWN, ()),
        (Ground(Mode.NETWORK_NAMESPACE, ipv6=True), ()),
        (Ground(Mode.NETWORK_NAMESPACE, ipv6=False), (Loss.IPV6,)),
        (LOOPBACK, (Loss.LOW_PORTS, Loss.UDP, Loss.OWN_IPV6, Loss.QUIET_HOSTS, Loss.PRIVACY)),
        (replace(LOOPBACK, ipv6=False), (Loss.LOW_PORTS, Loss.UDP, Loss.IPV6, Loss.QUIET_HOSTS, Loss.PRIVACY)),
    ],
)
def test_losses_when_a_ground_is_had_then_they_name_what_it_lacks(ground: Ground, losses: tuple[Loss, ...]) -> None:
    assert ground.losses == losses


def test_lot_when_schools_share_a_namespace_then_each_has_networks_of_its_own() -> None:
    lots = [OWN.lot(number) for number in (1, 2, 3)]

    assert [lot.base for lot in lots] == [IPv4Network(f"10.77.{number}.0/24") for number in (1, 2, 3)]
    assert [lot.base6 for lot in lots] == [IPv6Network(f"fd77:0:0:{number}::/120") for number in (1, 2, 3)]
    assert {(lot.offset, lot.has_own_network, lot.pool == lots[0].pool) for lot in lots} == {(0, True, True)}


def test_lot_when_schools_share_loopback_then_the_first_alone_has_its_ipv6() -> None:
    lots = [replace(LOOPBACK, offset=10_500).lot(number) for number in (1, 2)]

    assert [lot.base for lot in lots] == [IPv4Network("127.77.1.0/24"), IPv4Network("127.77.2.0/24")]
    assert [lot.base6 for lot in lots] == [IPv6Network("::1/128"), None]
    assert {(lot.offset, lot.has_own_network) for lot in lots} == {(10_500, False)}
    assert lots[0].pool is not None
    assert lots[0].pool.is_loopback


@pytest.mark.parametrize("ground", [OWN, LOOPBACK])
def test_lot_when_there_is_no_ipv6_then_it_has_none(ground: Ground) -> None:
    assert replace(ground, ipv6=False).lot(1).base6 is None


ports = st.integers(1, 65535)


@given(foreign=st.frozensets(ports, max_size=300), true=st.frozensets(ports, min_size=1, max_size=60))
def test_make_room_when_there_is_an_offset_then_no_port_meets_a_foreign_one(
    foreign: frozenset[int], true: frozenset[int]
) -> None:
    crowded = replace(LOOPBACK, foreign=tuple(("tcp", port) for port in sorted(foreign)))
    try:
        ground = crowded.make_room(true)
    except UsageError:
        tried = range(OFFSET, 50_001, 500)
        assert all(foreign & {served_port(port, offset) for port in true} for offset in tried)
    else:
        assert foreign.isdisjoint(served_port(port, ground.offset) for port in true)
        assert ground == replace(crowded, offset=ground.offset)


def test_make_room_when_nobody_is_in_the_way_then_the_ground_stays_as_it_is() -> None:
    assert LOOPBACK.make_room({80, 443}) == LOOPBACK
    assert OWN.make_room(plan_school(OWN.lot(1)).true_ports) == OWN


def test_make_room_when_every_port_is_taken_then_it_is_a_usage_error() -> None:
    full = replace(LOOPBACK, foreign=tuple(("tcp", port) for port in range(1, 65536)))

    with pytest.raises(UsageError, match="at too many ports; there is no room left"):
        full.make_room({80})


@pytest.mark.parametrize(
    ("port", "offset", "served"),
    [(21, 10000, 10021), (6379, 10000, 16379), (55535, 10000, 65535), (55536, 10000, 1024), (80, 0, 80)],
)
def test_served_port_when_moved_then_it_stays_a_port(port: int, offset: int, served: int) -> None:
    assert served_port(port, offset) == served


@given(offset=st.integers(0, 50_000), true=st.frozensets(st.integers(1, 64_000), max_size=200))
def test_served_port_when_ports_differ_then_so_do_the_served_ones(offset: int, true: frozenset[int]) -> None:
    served = {served_port(port, offset) for port in true}

    assert len(served) == len(true)
    assert all(1 <= port <= 65535 for port in served)
