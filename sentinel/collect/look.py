"""What a closer look is told and what a way to look is: the values every prober and the runner share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sentinel.collect.dialer import Dialer
from sentinel.model.probe import ProbeKind
from sentinel.model.scope import Level
from sentinel.model.unit import IPAddress


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """One thing to look at.

    Attributes:
        kind: what is asked.
        address: whom.
        proto: `tcp` or `udp`.
        port: where.
        name: the name it is asked by; may be empty.
        service: what the map says speaks there, e.g. `redis`.
        is_tls: the map says it speaks inside TLS.
    """

    kind: ProbeKind
    address: IPAddress
    proto: str
    port: int
    name: str = ""
    service: str = ""
    is_tls: bool = False


Look = Callable[[ProbeTarget, Dialer], Awaitable[dict[str, object]]]
"""Looks at one thing and gives what it found by field name; raises NoAnswerError where that proves nothing."""

DomainLook = Callable[[str, Dialer], Awaitable[dict[str, object]]]
"""Looks at one domain; gives and raises as a look does."""


@dataclass(frozen=True, slots=True)
class Prober:
    """One way to look.

    Attributes:
        level: how far an authorisation must reach.
        look: the look.
        further: the level at which the same look finds out more, where it is allowed; None: no more.
    """

    level: Level
    look: Look
    further: Level | None = None
