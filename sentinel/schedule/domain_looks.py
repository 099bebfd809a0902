"""What a unit declares and what its map holds in; the domains worth a look, and what the gate says to each, out."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from sentinel.collect.dns_asking import Names
from sentinel.collect.domains import DomainPermit, admit_domains, is_written
from sentinel.collect.look import DomainLook
from sentinel.collect.names import stop_when_silent
from sentinel.collect.probe_dns import domain_look
from sentinel.model.scope import Level, Refusal
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.schedule.hosted import read_led
from sentinel.schedule.keep_out import read_kept_out
from sentinel.schedule.reading import iterate_map
from sentinel.store.hostings import read_campus_hostings
from sentinel.store.register import read_register
from sentinel.store.scopes import read_authorisations
from sentinel.store.units import read_networks

_NO_DOMAINS = (".local", ".arpa", ".localdomain", ".lan", ".internal")


def find_domains(context: Context, unit: Unit) -> tuple[str, ...]:
    """Give the names of a unit that can be domains, each once, sorted.

    They come from its map, its register, the setting `own_domains`, and the names its authorisations write out. Those
    no authorisation writes out, nor a wildcard of one stands above, are left out: they may well be somebody else's.
    """
    authorisations = read_authorisations(context.database, unit.code)
    found: set[str] = {name for row in iterate_map(context, unit) for name in row.names}
    found.update(name for entry in read_register(context.database, unit.code) for name in entry.domains)
    found.update(context.settings.own_domains)
    for one in authorisations:
        found.update(target.name for target in one.targets)
    names = {name.lower().rstrip(".") for name in found}
    return tuple(sorted(name for name in names if _is_domain(name) and is_written(name, authorisations)))


def plan_domains(
    context: Context, unit: Unit, domains: Iterable[str]
) -> tuple[tuple[DomainPermit, ...], tuple[Refusal, ...]]:
    """Ask the gate for each domain; only the addresses of authorised names are looked up."""
    hosted = read_campus_hostings(context.database, unit.code)
    return admit_domains(
        domains,
        unit=unit.code,
        best=Level.CHECK,
        authorisations=read_authorisations(context.database, unit.code),
        networks=read_networks(context.database, unit.code),
        kept_out=read_kept_out(context.database, unit),
        hosted=hosted,
        led=read_led(context, unit, hosted),
        now=context.clock(),
        resolve=stop_when_silent(),
    )


def build_domain_look(context: Context) -> DomainLook:
    """Give the look that asks the resolver of the settings, or the system's."""
    server, _, port = context.settings.resolver.rpartition("#")
    return domain_look(Names(server or port, int(port) if server else 53))


def _is_domain(name: str) -> bool:
    if "." not in name or name.startswith("*") or name.endswith(_NO_DOMAINS):
        return False
    try:
        ip_address(name)
    except ValueError:
        return True
    return False
