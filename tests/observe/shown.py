"""What observations of Zeek's logs come to."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel.model.observation import NameObservation, Observation
from tests.observe.written import hosts_of


def names_of(observations: Iterable[Observation]) -> list[tuple[str, str, str]]:
    return [
        (one.name, str(one.address) if one.address else "", one.source)
        for one in observations
        if isinstance(one, NameObservation)
    ]


def ports_of(observations: Iterable[Observation]) -> list[tuple[str, str, int, str, str, str]]:
    return [
        (str(one.address), port.proto, port.port, port.state, port.service, port.tunnel)
        for one in hosts_of(observations)
        for port in one.endpoints
    ]
