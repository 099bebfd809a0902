"""A scanned unit in; where a second look at one host, through python-nmap, disagrees with its map, out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sentinel.collect.gate import Permit
from sentinel.collect.second_opinion import look_again
from sentinel.inventory.merge import build_fingerprint, is_change
from sentinel.model.endpoint import MapRow
from sentinel.model.observation import OPEN
from sentinel.model.ports import PortSet
from sentinel.model.scope import Level
from sentinel.model.unit import IPAddress, Unit
from sentinel.schedule.context import Context
from sentinel.schedule.reading import read_map
from sentinel.schedule.scanning import Planned

MOST_PORTS = 64


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What asking one host again gave.

    Attributes:
        address: the host.
        asked: open endpoints asked again.
        disagreements: one line each, e.g. `8080/tcp: http nginx, then closed`.
    """

    address: IPAddress
    asked: int
    disagreements: tuple[str, ...]


def look_twice(context: Context, unit: Unit, planned: Planned) -> SecondLook | None:
    """Ask the scanned host with the most open TCP ports again; None when no host has any.

    Nothing is stored: it is a check of the scan, not evidence about the school.

    Raises:
        CollectError: python-nmap or nmap is missing or failed.
        ScopeError: the permit no longer holds.
    """
    permits = [permit for permit, _ in planned.permits if permit.level >= Level.SERVICE]
    rows = [row for row in read_map(context, unit) if row.endpoint.key.proto == "tcp"]
    counts = Counter(row.endpoint.key.address for row in rows if _permit_of(permits, row.endpoint.key.address))
    if not counts:
        return None
    (address, _), *_rest = counts.most_common(1)
    permit = _permit_of(permits, address)
    mine = [row for row in rows if row.endpoint.key.address == address][:MOST_PORTS]
    if permit is None or not mine:
        return None
    ports = {"tcp": PortSet.of_ports(row.endpoint.key.port for row in mine)}
    seen = {port.port: port for port in look_again(permit, address, ports, now=context.clock).endpoints}
    lines = []
    for row in mine:
        again = seen.get(row.endpoint.key.port)
        if again is None or again.state != OPEN:
            lines.append(f"{_words(row)}, then {again.state if again else 'no answer'}")
        elif is_change(row.endpoint.fingerprint, build_fingerprint(again)):
            lines.append(f"{_words(row)}, then {again.service} {again.product} {again.version}".strip())
    return SecondLook(address, len(mine), tuple(lines))


def _permit_of(permits: list[Permit], address: IPAddress) -> Permit | None:
    return next((one for one in permits if any(address in network for network in one.networks)), None)


def _words(row: MapRow) -> str:
    mark = row.endpoint.fingerprint
    what = f"{mark.service} {mark.product} {mark.version}".strip() or "open"
    return f"{row.endpoint.key.port}/tcp: {what}"
