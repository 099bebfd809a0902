"""Addresses and routes of a loopback interface, asked of the kernel inside a network namespace."""

import pytest

from tests.drill.within import LO_UP, NO_IPV6, within, without

pytestmark = pytest.mark.namespace

MEET = """
import errno, json, socket, sys
from ipaddress import ip_address, ip_network
from sentinel.drill.place.link import add_address, add_route, has_ipv6, own_address, raise_loopback
from sentinel.drill.servers.door import reserve
from sentinel.errors import CollectError

def meet(address):
    '''Listen there, connect, and tell where the caller came from.'''
    with reserve(ip_address(address), 80) as listener:
        listener.setblocking(True)
        listener.listen()
        with socket.create_connection((address, 80), 5) as caller:
            heard, came_from = listener.accept()
            heard.close()
            return came_from[0]

def knock(address, port=81):
    '''Tell what a connection to a port nobody serves ends with; the second packet of it goes after a second.'''
    try:
        socket.create_connection((address, port), 1.5).close()
    except TimeoutError:
        return "silent"
    except OSError as error:
        return errno.errorcode[error.errno]

def attempt(step, *values):
    try:
        step(*values)
    except CollectError as error:
        return str(error)
    return ""

told = []
"""
TELL = "\nprint(json.dumps(told))"


def tell(program: str, *words: object, prepare: str = LO_UP, then: tuple[str, ...] = ()) -> list[object]:
    found: list[object] = within(MEET + program + TELL, *words, prepare=prepare, then=then)
    return found


def test_raise_loopback_when_it_was_down_then_it_carries_connections() -> None:
    program = "told += [knock('127.0.0.1'), raise_loopback(), raise_loopback(), knock('127.0.0.1'), meet('127.0.0.1')]"

    assert tell(program, prepare="") == ["ENETUNREACH", None, None, "ECONNREFUSED", "127.0.0.1"]


@pytest.mark.parametrize(
    ("address", "source"), [("10.77.1.11", "10.77.0.1"), ("fd77:0:0:1::b", "fd77::1"), ("198.51.100.77", "10.77.0.1")]
)
def test_own_address_when_a_source_is_given_then_who_connects_comes_from_it(address: str, source: str) -> None:
    program = """
address, source = map(ip_address, sys.argv[1:])
add_address(source)
own_address(address, source)
own_address(address, source)
told += [meet(str(address)), knock(str(address))]
"""
    assert tell(program, address, source) == [source, "ECONNREFUSED"]


@pytest.mark.parametrize(
    ("step", "address"),
    [("own_address", "10.77.1.11"), ("add_address", "10.77.1.11"), ("add_address", "fd77:0:0:1::b")],
)
def test_address_when_no_source_is_given_then_who_connects_to_it_comes_from_it(step: str, address: str) -> None:
    program = f"address = ip_address(sys.argv[1])\n{step}(address)\n{step}(address)\ntold.append(meet(str(address)))"

    assert tell(program, address) == [address]


def test_own_address_when_its_source_is_no_address_of_the_interface_then_the_kernel_refuses() -> None:
    program = "told.append(attempt(own_address, ip_address('10.77.1.11'), ip_address('10.9.9.9')))"

    assert tell(program) == ["10.77.1.11: Invalid argument"]


@pytest.mark.parametrize(
    ("prefix", "owned", "nobodys", "answer"),
    [
        ("10.77.1.0/24", "10.77.1.11", "10.77.1.200", "silent"),
        ("fd77:0:0:1::/120", "fd77:0:0:1::b", "fd77:0:0:1::c8", "ENETUNREACH"),
    ],
)
def test_add_route_when_nobody_owns_an_address_of_it_then_nobody_answers(
    prefix: str, owned: str, nobodys: str, answer: str
) -> None:
    program = """
prefix, owned, nobodys = sys.argv[1:]
add_address(ip_address('fd77::1' if ':' in owned else '10.77.0.1'))
own_address(ip_address(owned))
told.append(knock(nobodys))
add_route(ip_network(prefix))
add_route(ip_network(prefix))
told += [knock(nobodys), knock(owned), bool(meet(owned))]
"""
    assert tell(program, prefix, owned, nobodys) == ["ENETUNREACH", answer, "ECONNREFUSED", True]


def test_everything_when_the_privilege_is_missing_then_it_is_refused_by_name() -> None:
    program = """
told += [
    attempt(add_address, ip_address("10.77.0.1")),
    attempt(own_address, ip_address("fd77::1")),
    attempt(add_route, ip_network("10.77.1.0/24")),
    attempt(raise_loopback),
]
"""
    assert tell(program, then=without("net_admin")) == [
        f"{what}: Operation not permitted" for what in ("10.77.0.1", "fd77::1", "10.77.1.0/24", "lo")
    ]


def test_ipv6_when_it_is_switched_off_then_it_is_known_and_its_addresses_are_refused() -> None:
    program = """
told += [has_ipv6(), attempt(add_address, ip_address("fd77::1")), attempt(add_address, ip_address("10.77.0.1"))]
told.append(meet("10.77.0.1"))
"""
    assert tell(program, prepare=f"{LO_UP} && {NO_IPV6}") == [False, "fd77::1: Permission denied", "", "10.77.0.1"]


def test_ipv6_when_it_is_there_then_it_is_known() -> None:
    assert tell("told += [has_ipv6(), meet('::1')]") == [True, "::1"]


def test_many_addresses_when_added_then_each_answers() -> None:
    program = """
add_address(ip_address("10.77.0.1"))
for number in range(1, 255):
    own_address(ip_network("10.77.1.0/24")[number], ip_address("10.77.0.1"))
told += [{knock(str(ip_network("10.77.1.0/24")[number])) for number in range(1, 255)} == {"ECONNREFUSED"}]
"""
    assert tell(program) == [True]
