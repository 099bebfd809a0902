"""A permit and things to look at more closely in; what each look found out, one by one, as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sentinel.collect.dialer import Dialer, NoAnswerError, limit_look
from sentinel.collect.look import Prober, ProbeTarget
from sentinel.collect.permit import Permit, require_permit
from sentinel.collect.probe_login import LOGIN
from sentinel.collect.probe_mail import MAIL
from sentinel.collect.probe_snmp import SNMP
from sentinel.collect.probe_ssh import SSH
from sentinel.collect.probe_tls import TLS
from sentinel.errors import ScopeError
from sentinel.model.probe import ProbeKind, ProbeObservation, clean_values
from sentinel.model.unit import IPAddress

TARGET_S = 120.0
"""The longest one look may take, pauses of the pace apart."""


PROBERS: Mapping[ProbeKind, Prober] = MappingProxyType(
    {ProbeKind.SSH: SSH, ProbeKind.TLS: TLS, ProbeKind.LOGIN: LOGIN, ProbeKind.SNMP: SNMP, ProbeKind.MAIL: MAIL}
)
"""Every way to look, by kind."""


def probe(
    permit: Permit,
    targets: Sequence[ProbeTarget],
    take: Callable[[ProbeObservation], None],
    *,
    now: Callable[[], datetime],
    probers: Mapping[ProbeKind, Prober] = PROBERS,
) -> int:
    """Look at every target inside the permit and hand each result to `take`; gives how many attempts were sent.

    A look that fails is handed on with its reason. Looks at one host follow each other.

    Raises:
        ScopeError: the permit is none, or its time ran out: the looks that are left are not made.
    """
    require_permit(permit)
    return asyncio.run(_probe_all(permit, targets, take, now, probers))


async def _probe_all(
    permit: Permit,
    targets: Sequence[ProbeTarget],
    take: Callable[[ProbeObservation], None],
    now: Callable[[], datetime],
    probers: Mapping[ProbeKind, Prober],
) -> int:
    dialer = Dialer(permit, now)
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


async def _look(target: ProbeTarget, prober: Prober, dialer: Dialer, now: Callable[[], datetime]) -> ProbeObservation:
    values: dict[str, object] = {}
    reason = ""
    try:
        async with limit_look(TARGET_S):
            values = await prober.look(target, dialer)
    except NoAnswerError as error:
        reason = str(error)
    except TimeoutError:
        reason = f"it took longer than {TARGET_S:.0f} seconds"
    return ProbeObservation(
        kind=target.kind,
        address=target.address,
        proto=target.proto,
        port=target.port,
        name=target.name,
        time=now(),
        answered=not reason,
        reason=reason,
        values=clean_values(values),
    )
