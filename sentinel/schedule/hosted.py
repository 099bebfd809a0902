"""What a third party hosts of a unit by name in; the addresses those names are known to lead to out.

Nothing is looked up for it: a name nobody consented to is not asked for. What is known is what the unit's own scans and
logs were told by name servers, what the register says stands at a name, and what is published by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from ipaddress import ip_network

from sentinel.collect.consent import is_at_or_below
from sentinel.model.hosting import Hosting
from sentinel.model.publication import PublicationState
from sentinel.model.unit import IPAddress, IPNetwork, Unit
from sentinel.schedule.context import Context
from sentinel.store.declared import read_campus
from sentinel.store.endpoints import read_name_rows
from sentinel.store.publications import read_publications
from sentinel.store.register import read_register
from sentinel.store.units import read_networks

Led = tuple[tuple[str, IPNetwork], ...]
"""Names, and where they lead."""

STILL = timedelta(days=30)
"""How much older than the newest address of a name another may be: a name that moved leads to the old one no more."""

_ASKED = frozenset({"dns", "scan", "host"})
"""Sources that asked a name server; what a client merely said (http, tls) proves nothing of a machine of one's own."""

_NO_PROOF = frozenset({"certificate"})


def read_led(context: Context, unit: Unit, hostings: Iterable[Hosting]) -> Led:
    """Give where the names lead that somebody else hosts for a unit or its campus, names below them as well."""
    patterns = tuple(dict.fromkeys(target.name for one in hostings for target in one.targets if target.name))
    if not patterns:
        return ()
    campus = read_campus(context.database, unit.code) or (unit,)
    found = (pair for one in campus for pair in _read_all(context, one))
    return tuple(dict.fromkeys((name, to) for name, to in found if any(is_at_or_below(name, one) for one in patterns)))


def _read_all(context: Context, unit: Unit) -> Iterator[tuple[str, IPNetwork]]:
    yield from _read_seen(context, unit)
    for line in read_register(context.database, unit.code):
        yield from ((name.lower(), prefix) for name in line.domains for prefix in line.addresses)
    for one in read_publications(context.database, unit.code, [PublicationState.IN_FORCE]):
        if one.mapping.name and one.mapping.outside is not None:
            yield one.mapping.name.lower(), ip_network(one.mapping.outside)


def _read_seen(context: Context, unit: Unit) -> Iterator[tuple[str, IPNetwork]]:
    """Give what was seen of names, leaving out what a name has moved away from since."""
    networks = read_networks(context.database, unit.code)
    newest: dict[str, datetime] = {}
    counted: list[tuple[str, IPAddress, datetime]] = []
    for address, name, source, seen in read_name_rows(context.database, [one.id for one in networks]):
        if source in _NO_PROOF or (source not in _ASKED and any(one.contains(address) for one in networks)):
            continue
        counted.append((name.lower(), address, seen))
        newest[name.lower()] = max(seen, newest.get(name.lower(), seen))
    yield from ((name, ip_network(address)) for name, address, seen in counted if seen >= newest[name] - STILL)
