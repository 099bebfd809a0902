"""Looks, hosts and intervals for the tests of the inventory, with short names for what a test does not care about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from sentinel.inventory.apply import Look
from sentinel.model.endpoint import Endpoint, EndpointKey, EndpointState, Fingerprint
from sentinel.model.observation import OPEN, Certificate, EndpointObservation, HostObservation
from sentinel.model.ports import parse_ports

DAY_0 = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
ADDRESS = ip_address("10.0.0.1")
NETWORK = 7


def day(number: int) -> datetime:
    return DAY_0 + timedelta(days=number)


def look(run: int = 1, ports: str = "T:22,80,443,U:53", *, held: bool = False) -> Look:
    return Look(run, day(run), "inside", tuple(parse_ports(ports).items()) if ports else (), held)


def port(number: int, state: str = OPEN, proto: str = "tcp", **words: object) -> EndpointObservation:
    return EndpointObservation(proto, number, state, **words)  # type: ignore[arg-type]  # fields by name


def host(*ports: EndpointObservation, address: str = "10.0.0.1", **words: object) -> HostObservation:
    """A host that is up, answered, and was finished, unless told otherwise."""
    fields: dict[str, object] = {"up": True, "answered": True, "complete": True}
    return HostObservation(ip_address(address), endpoints=ports, **(fields | words))  # type: ignore[arg-type]


def endpoint(number: int = 80, proto: str = "tcp", **words: object) -> Endpoint:
    """A lasting interval opened on day 0 by run 0, with id 100 + port."""
    made = Endpoint(
        EndpointKey(NETWORK, "inside", ADDRESS, proto, number),
        EndpointState.OPEN,
        Fingerprint("http"),
        DAY_0,
        id=100 + number,
    )
    return replace(made, **words)  # type: ignore[arg-type]  # fields by name


def certificate(letter: str, **words: object) -> Certificate:
    return Certificate(sha256=letter * 64, **words)  # type: ignore[arg-type]  # fields by name
