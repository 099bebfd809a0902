"""The only senders of packets to scanned targets: authorised targets in, evidence files and observations out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sentinel.collect import nmap, second_opinion
from sentinel.model.scope import Level


@dataclass(frozen=True, slots=True)
class Collector:
    """One way to look at targets.

    Attributes:
        name: as the command line names it.
        level: least level of authorisation it needs.
        entry: what to call; its first parameter is the permit.
    """

    name: str
    level: Level
    entry: Callable[..., object]


COLLECTORS = {
    collector.name: collector
    for collector in (
        Collector("nmap", Level.DISCOVER, nmap.scan),
        Collector("second-opinion", Level.SERVICE, second_opinion.look_again),
    )
}
