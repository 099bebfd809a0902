"""The state of the ports a host's element does not list."""

from __future__ import annotations

import pytest

from sentinel.model.observation import CLOSED, FILTERED, HostObservation
from sentinel.model.ports import PortSet
from tests.observe.written import extraports, host, hosts_of, nmap, read

TCP = '<scaninfo type="syn" protocol="tcp" services="1-100"/>'
BOTH = f'{TCP}<scaninfo type="udp" protocol="udp" services="1-100"/>'


def reason(proto: str = "", ports: str = "", why: str = "reset") -> str:
    return f'<extrareasons reason="{why}" count="9" proto="{proto}" ports="{ports}"/>'


def scanned(*extra: str, scaninfo: str = TCP) -> HostObservation:
    (found,) = hosts_of(read(nmap(host("192.0.2.1", f"<ports>{''.join(extra)}</ports>"), scaninfo=scaninfo)))
    return found


@pytest.mark.parametrize("state", [CLOSED, FILTERED, "open|filtered", "unfiltered"])
def test_rest_when_one_state_and_one_protocol_is_that_state(state: str) -> None:
    assert scanned(extraports(state)).rest == (("tcp", state),)


def test_rest_when_one_state_names_its_protocol_is_that_state_for_it_alone() -> None:
    found = scanned(extraports(CLOSED, reason("tcp", "1-100")), scaninfo=BOTH)
    assert (found.rest, found.rest_closed) == ((("tcp", CLOSED),), ())


def test_rest_when_two_protocols_are_named_is_told_for_each() -> None:
    found = scanned(
        extraports(CLOSED, reason("tcp", "1-100")), extraports("open|filtered", reason("udp", "1-100")), scaninfo=BOTH
    )
    assert found.rest == (("tcp", CLOSED), ("udp", "open|filtered"))


def test_rest_when_one_element_speaks_for_both_protocols_is_closed_for_both() -> None:
    found = scanned(extraports(CLOSED, reason("tcp", "1-100") + reason("udp", "1-100", "port-unreach")), scaninfo=BOTH)
    assert found.rest == (("tcp", CLOSED), ("udp", CLOSED))


def test_rest_when_the_protocol_cannot_be_told_is_filtered() -> None:
    found = scanned(extraports(CLOSED, '<extrareasons reason="resets" count="99"/>'), scaninfo=BOTH)
    assert found.rest == (("tcp", FILTERED), ("udp", FILTERED))
    assert found.answered


def test_rest_when_states_differ_and_ports_are_named_lists_the_closed_ones() -> None:
    found = scanned(
        extraports(FILTERED, reason("tcp", "1-20,30", "no-response")),
        extraports(CLOSED, reason("tcp", "21-29") + reason("tcp", "31-40", "conn-refused")),
    )
    assert found.rest == (("tcp", FILTERED),)
    assert found.rest_closed == (("tcp", PortSet(((21, 29), (31, 40)))),)


def test_rest_when_states_differ_and_no_ports_are_named_is_filtered() -> None:
    found = scanned(extraports(FILTERED), extraports(CLOSED))
    assert (found.rest, found.rest_closed) == ((("tcp", FILTERED),), ())


def test_rest_when_the_named_ports_cannot_be_read_claims_nothing() -> None:
    found = scanned(extraports(FILTERED, reason("tcp", "1-20")), extraports(CLOSED, reason("tcp", "many")))
    assert (found.rest, found.rest_closed) == ((("tcp", FILTERED),), ())


def test_rest_when_it_is_of_ip_protocols_is_left_out() -> None:
    assert scanned(extraports(CLOSED, reason("ip", "1-5"))).rest == ()


def test_rest_when_nothing_is_left_over_is_empty() -> None:
    assert scanned().rest == ()
