"""A permit and things to look at more closely in; what each look found out, one by one, as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sentinel.collect.dialer import Dialer, NoAnswerError, limit_look
from sentinel.collect.look import DomainLook, Prober, ProbeTarget
from sentinel.collect.permit import Permit, require_permit
from sentinel.collect.probe_login import LOGIN
from sentinel.collect.probe_mail import MAIL
from sentinel.collect.probe_snmp import SNMP
from sentinel.collect.probe_ssh import SSH
from sentinel.collect.probe_tls import TLS
from sentinel.collect.probe_web import WEB
from sentinel.errors import ScopeError
from sentinel.model.probe import ProbeKind, ProbeObservation, ProbeValue, clean_values
from sentinel.model.unit import IPAddress

TARGET_S = 120.0
"""The longest one look may take, pauses of the pace apart."""

_Values = tuple[tuple[str, ProbeValue], ...]

PROBERS: Mapping[ProbeKind, Prober] = MappingProxyType(
    {
        ProbeKind.SSH: SSH,
        ProbeKind.TLS: TLS,
        ProbeKind.WEB: WEB,
        ProbeKind.LOGIN: LOGIN,
        ProbeKind.SNMP: SNMP,
        ProbeKind.MAIL: MAIL,
    }
)
"""Every way to look, by kind."""


def probe(
    permit: Permit,
    targets: Sequence[ProbeTarget],
    take: Callable[[ProbeObservation], None],
    *,
    now: Callable[[], datetime],
    probers: Mapping[ProbeKind, Prober] = PROBERS,
    still: Callable[[IPAddress], bool] | None = None,
) -> int:
    """Look at every target inside the permit and hand each result to `take`; gives how many attempts were sent.

    A look that fails is handed on with its reason. Looks at one host follow each other. `still` is asked before each
    attempt whether an address may be touched after all that was declared since the permit was made.

    Raises:
        ScopeError: the permit is none, or its time ran out: the looks that are left are not made.
    """
    require_permit(permit)
    return asyncio.run(_probe_all(Dialer(permit, now, still), targets, take, now, probers))


async def _probe_all(
    dialer: Dialer,
    targets: Sequence[ProbeTarget],
    take: Callable[[ProbeObservation], None],
    now: Callable[[], datetime],
    probers: Mapping[ProbeKind, Prober],
) -> int:
    by_host: dict[IPAddress, list[ProbeTarget]] = {}
    for target in targets:
        by_host.setdefault(target.address, []).append(target)

    async def visit(host: list[ProbeTarget]) -> None:
        for target in host:
            take(await _look(target, probers[target.kind], dialer, now))

    try:
        async with asyncio.TaskGroup() as group:
            for host in by_host.values():
                group.create_task(visit(host))
    except* ScopeError as errors:
        raise errors.exceptions[0] from None
    return dialer.sent


def probe_domains(
    permit: Permit,
    domains: Sequence[str],
    take: Callable[[ProbeObservation], None],
    *,
    look: DomainLook,
    now: Callable[[], datetime],
) -> int:
    """Look at every domain, one after the other, and hand each result to `take`; gives how many attempts were sent.

    Questions to the resolver are none: they go to nobody's hosts.

    Raises:
        ScopeError: the permit is none, or its time ran out: the looks that are left are not made.
    """
    dialer = Dialer(require_permit(permit), now)

    async def visit() -> None:
        for domain in domains:
            values, reason = await _try(look(domain, dialer))
            take(_observe(ProbeKind.DNS, None, "", 0, domain, now(), values, reason))

    asyncio.run(visit())
    return dialer.sent


async def _look(target: ProbeTarget, prober: Prober, dialer: Dialer, now: Callable[[], datetime]) -> ProbeObservation:
    values, reason = await _try(prober.look(target, dialer))
    return _observe(target.kind, target.address, target.proto, target.port, target.name, now(), values, reason)


async def _try(look: Awaitable[dict[str, object]]) -> tuple[_Values, str]:
    """Await a look; gives what it found, or why nothing. Whatever one server answers, the others are looked at."""
    try:
        async with limit_look(TARGET_S):
            return clean_values(await look), ""
    except NoAnswerError as error:
        return (), str(error)
    except TimeoutError:
        return (), f"it took longer than {TARGET_S:.0f} seconds"
    except ScopeError:
        raise
    except Exception as error:  # noqa: BLE001  the job boundary: an answer nobody thought of is the loss of one look
        return (), f"its answer cannot be read: {type(error).__name__}"


def _observe(
    kind: ProbeKind,
    address: IPAddress | None,
    proto: str,
    port: int,
    name: str,
    time: datetime,
    values: _Values,
    reason: str,
) -> ProbeObservation:
    return ProbeObservation(
        kind=kind,
        address=address,
        proto=proto,
        port=port,
        name=name,
        time=time,
        answered=not reason,
        reason=reason,
        values=values,
    )
