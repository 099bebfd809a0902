"""What can happen at a practice school: its hosts in, for each cue the hosts after it out; no cue disturbs another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address

from sentinel.drill.school.host import AnyService, Draft, PlannedHost, build_host
from sentinel.drill.school.roles import HANDED, NEWCOMER, PORTAL, SUCCESSOR, newly_opened
from sentinel.drill.school.server_roles import SSH_NEXT, new_ssh
from sentinel.drill.servers.certificate import CertificateKind, CertificatePlan, rules_of
from sentinel.drill.servers.conversation import Service

ALL_CUES = "change"
"""The word that plays every cue at once."""


class Cue(StrEnum):
    """One thing that happens."""

    SERVICE_OPENS = "service-opens"
    SERVICE_CLOSES = "service-closes"
    HOST_APPEARS = "host-appears"
    CERTIFICATE_CHANGES = "certificate-changes"
    VERSION_CHANGES = "version-changes"
    ADDRESS_CHANGES_HANDS = "address-changes-hands"


@dataclass(frozen=True, slots=True)
class Step:
    """What one cue does to one host.

    Attributes:
        address: of the host.
        closes: servers that go.
        opens: servers that come.
        host: the host that stands at the address from then on; None: the one before.
    """

    address: IPv4Address
    closes: tuple[AnyService, ...] = ()
    opens: tuple[AnyService, ...] = ()
    host: PlannedHost | None = None

    def apply(self, hosts: tuple[PlannedHost, ...]) -> tuple[PlannedHost, ...]:
        """Give the hosts after the cue, by address."""
        after = {host.address: host for host in hosts}
        if self.host is not None:
            after[self.address] = self.host
        else:
            host = after[self.address]
            kept = tuple(service for service in host.services if service not in self.closes)
            after[self.address] = replace(host, services=(*kept, *self.opens))
        return tuple(after[address] for address in sorted(after))


def plan_steps(hosts: tuple[PlannedHost, ...], draft: Draft, free: int) -> Mapping[Cue, Step]:
    """Plan every cue this school has room for; `free` is the number of an address nobody has."""
    draw = draft.draw
    handed = next(host for host in hosts if host.role == HANDED)
    others = [host for host in hosts if host.role not in {PORTAL.key, HANDED} and len(_clear(host)) > 1]
    closing, opening = draw.choice(others), draw.choice(others)
    gone = draw.choice(_clear(closing))
    opened = newly_opened({service.port for service in opening.services}, draw)
    renewing, renewed = draw.choice(list(_shown(hosts, handed)))
    portal = hosts[0]
    ssh = next(service for service in portal.services if service.port == 22)
    newcomer = build_host(NEWCOMER, draft, free)
    successor = build_host(SUCCESSOR, draft, int(handed.address) - int(draft.lot.base.network_address))
    return {
        Cue.SERVICE_OPENS: Step(opening.address, opens=(opened,)),
        Cue.SERVICE_CLOSES: Step(closing.address, closes=(gone,)),
        Cue.HOST_APPEARS: Step(newcomer.address, host=newcomer),
        Cue.CERTIFICATE_CHANGES: Step(renewing.address, closes=(renewed,), opens=(_renew(renewed),)),
        Cue.VERSION_CHANGES: Step(portal.address, closes=(ssh,), opens=(new_ssh(SSH_NEXT),)),
        Cue.ADDRESS_CHANGES_HANDS: Step(handed.address, host=successor),
    }


def _clear(host: PlannedHost) -> list[AnyService]:
    """List the servers that may close: those in clear, whose certificate no other cue renews."""
    return [service for service in host.services if service.certificate is None]


def _shown(hosts: tuple[PlannedHost, ...], handed: PlannedHost) -> Iterator[tuple[PlannedHost, Service]]:
    """Give the expired certificates, or the portal's where there are none."""
    shown = [
        (host, service)
        for host in hosts
        for service in host.services
        if isinstance(service, Service) and service.certificate is not None and host is not handed
    ]
    expired = [one for one in shown if "certificate.expired" in one[1].weaknesses]
    yield from expired or shown[:1]


def _renew(service: Service) -> Service:
    assert service.certificate is not None
    renewed = CertificatePlan(CertificateKind.GOOD, service.certificate.name, service.certificate.generation + 1)
    mended = rules_of(service.certificate)
    kept = tuple(name for name in service.weaknesses if name not in mended)
    return replace(service, certificate=renewed, weaknesses=kept)
