from __future__ import annotations

import copy
import pickle
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.collect.permit import Grant, Permit, require_permit, seal
from sentinel.errors import ScopeError
from sentinel.model.scope import Level
from tests.collect.allow import NOW, authorise


def make(*, level: Level = Level.SERVICE) -> Permit:
    authorisation = authorise("192.0.2.0/24", "2001:db8::/64")
    networks = tuple(ip_network(text) for text in ("192.0.2.0/30", "192.0.2.8/32", "2001:db8::5/128"))
    return seal(Grant(authorisation, level, networks, {ip_address("192.0.2.8"): "www.school.example"}, 100))


def test_permit_when_made_outside_the_gate_then_type_error() -> None:
    grant = Grant(authorise("192.0.2.1"), Level.CHECK, (ip_network("192.0.2.1/32"),), {}, 1)
    for attempt in (lambda: Permit(grant), lambda: Permit(grant, seal=object()), lambda: Permit(grant, seal=None)):
        with pytest.raises(TypeError, match="permits come from"):
            attempt()


def test_permit_when_copied_or_stored_then_type_error() -> None:
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="ask the gate again"):
            attempt(make())


def test_permit_when_changed_then_attribute_error() -> None:
    permit = make()
    with pytest.raises(AttributeError, match="does not change"):
        permit.level = Level.CHECK
    with pytest.raises(AttributeError, match="does not change"):
        del permit.level
    with pytest.raises(TypeError):
        permit.names[ip_address("192.0.2.9")] = "x"  # type: ignore[index]  # that it cannot is the point
    assert permit.level is Level.SERVICE


def test_permit_when_read_then_addresses_count_and_names() -> None:
    permit = make()
    expected = ["192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.8", "2001:db8::5"]
    assert [str(address) for address in permit.addresses()] == expected
    assert permit.count == 6
    assert permit.names[ip_address("192.0.2.8")] == "www.school.example"
    assert "192.0.2.0/30" in repr(permit)


@pytest.mark.parametrize("text", ["192.0.2.0", "192.0.2.3", "192.0.2.8", "2001:db8::5"])
def test_check_when_inside_then_passes(text: str) -> None:
    make().check([ip_address(text)], Level.SERVICE, NOW)


@pytest.mark.parametrize(
    "text",
    ["192.0.2.4", "192.0.2.7", "192.0.2.9", "192.0.1.255", "0.0.0.0", "2001:db8::4", "2001:db8::6", "::c000:200"],
)
def test_check_when_outside_then_scope_error_names_it(text: str) -> None:
    address = ip_address(text)
    with pytest.raises(ScopeError, match="is outside authorisation 7"):
        make().check([ip_address("192.0.2.1"), address], Level.DISCOVER, NOW)


@pytest.mark.parametrize(
    ("level", "moment", "words"),
    [
        (Level.DISCOVER, NOW + timedelta(days=1, seconds=1), "ended 2026-11-23 12:00 Asia/Shanghai"),
        (Level.DISCOVER, NOW - timedelta(days=1, seconds=1), "begins 2026-11-21 12:00 Asia/Shanghai"),
        (Level.CHECK, NOW, "reaches to level service, not to check"),
        (Level.PASSIVE, NOW, "not to passive"),
    ],
)
def test_check_when_time_or_level_does_not_fit_then_scope_error(level: Level, moment: object, words: str) -> None:
    with pytest.raises(ScopeError, match=words):
        make().check([], level, moment)  # type: ignore[arg-type]  # a datetime


def test_check_when_loopback_is_not_allowed_then_refused_even_inside() -> None:
    grant = Grant(authorise("127.0.0.1"), Level.DISCOVER, (ip_network("127.0.0.1/32"),), {}, 1)
    with pytest.raises(ScopeError, match="outside"):
        seal(grant).check([ip_address("127.0.0.1")], Level.DISCOVER, NOW)


def test_require_permit_when_genuine_then_given_back() -> None:
    permit = make()
    assert require_permit(permit) is permit


@pytest.mark.parametrize("thing", [None, object(), "permit", object.__new__(Permit)])
def test_require_permit_when_anything_else_then_scope_error(thing: object) -> None:
    with pytest.raises(ScopeError, match="no permit"):
        require_permit(thing)


def test_repr_when_many_networks_then_a_few_are_named() -> None:
    networks = tuple(ip_network(f"192.0.2.{last}/32") for last in range(0, 20, 2))
    assert "and 6 more" in repr(seal(Grant(authorise("192.0.2.0/24"), Level.DISCOVER, networks, {}, 1)))
