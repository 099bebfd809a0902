"""One run's look at one host, and what was known of it, in; the intervals to open, close and amend out.

Closing needs proof (ground rules 2 and 3): a reset, or two misses in a row inside finished scopes. Two misses of a
host that no longer answers at all make its endpoints unknown, not closed. A held run (no result, or under half of the
usual hosts) closes nothing; its misses count, so that a second run which agrees can.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from sentinel.inventory.merge import amend, build_fingerprint, is_change
from sentinel.model.endpoint import Endpoint, EndpointKey, EndpointState
from sentinel.model.observation import (
    CLOSED,
    FILTERED,
    OPEN,
    OPEN_FILTERED,
    UNFILTERED,
    EndpointObservation,
    HostObservation,
)
from sentinel.model.ports import PortSet

MISSES_TO_CLOSE = 2
"""Source: ground rule 3 of the architecture."""


@dataclass(frozen=True, slots=True)
class Look:
    """The run a host was seen in.

    Attributes:
        run: row id.
        time: its time, the start of what it opens and the end of what it closes.
        vantage: from where it looked.
        ports: ports each finished address was asked, by protocol.
        held: it closes nothing.
    """

    run: int
    time: datetime
    vantage: str
    ports: tuple[tuple[str, PortSet], ...] = ()
    held: bool = False

    def asked(self, proto: str, port: int) -> bool:
        """Tell whether each finished address was asked this port."""
        return any(name == proto and port in ports for name, ports in self.ports)


@dataclass(slots=True)
class Update:
    """What a look does to the map of one host.

    Attributes:
        opened: new intervals, without ids.
        closed: intervals that end, with the reason: `reset`, `missed`, `changed`, `silent`, `seen`.
        amended: intervals of which more is known, or whose count of misses moved.
        confirmed: ids of intervals the look saw as they were.
        events: changes of the map: new, changed, gone and unknown endpoints.
    """

    opened: list[Endpoint] = field(default_factory=list)
    closed: list[tuple[Endpoint, str]] = field(default_factory=list)
    amended: list[Endpoint] = field(default_factory=list)
    confirmed: list[int] = field(default_factory=list)
    events: int = 0


def apply_host(
    look: Look,
    network: int,
    seen: HostObservation,
    current: Iterable[Endpoint],
    *,
    in_scope: bool,
    finished: bool,
    seen_before: Container[int] = (),
) -> Update:
    """Apply one host's observation.

    `current` are the lasting intervals of this address from this vantage; `finished` lets absence count (false for
    sources without coverage and for an address that comes a second time in one run); `seen_before` are the ids this
    same run confirmed or opened already, on which its first word stands.
    """
    update = Update()
    known = {(one.key.proto, one.key.port): one for one in current}
    listed: set[tuple[str, int]] = set()
    for port in seen.endpoints:
        place = (port.proto, port.port)
        if place in listed:
            continue
        listed.add(place)
        endpoint = known.get(place)
        if port.state == OPEN:
            key = EndpointKey(network, look.vantage, seen.address, port.proto, port.port)
            _see_open(update, look, key, port, endpoint, in_scope=in_scope, seen_before=seen_before)
        elif endpoint is not None and not _is_this_runs(look, endpoint, seen_before):
            _see_not_open(update, look, endpoint, port.state, finished=finished, answered=seen.answered)
    if finished:
        for place, endpoint in known.items():
            if place not in listed and look.asked(*place) and not _is_this_runs(look, endpoint, seen_before):
                _see_not_open(update, look, endpoint, _rest(seen, *place), finished=True, answered=seen.answered)
    return update


def apply_silence(look: Look, current: Iterable[Endpoint]) -> Update:
    """Apply that finished addresses did not answer at all; `current` are their lasting intervals."""
    update = Update()
    for endpoint in current:
        if look.asked(endpoint.key.proto, endpoint.key.port):
            _miss(update, look, endpoint, answered=False)
    return update


def is_doubtful(answered_hosts: int, usual_hosts: int) -> bool:
    """Tell whether a run saw so little that it closes nothing until a second run agrees.

    `usual_hosts` are the hosts with open endpoints inside its coverage; a run with no result, or with under half of
    them, is doubtful.
    """
    return usual_hosts > 0 and answered_hosts * 2 < usual_hosts


def _see_open(
    update: Update,
    look: Look,
    key: EndpointKey,
    port: EndpointObservation,
    endpoint: Endpoint | None,
    *,
    in_scope: bool,
    seen_before: Container[int],
) -> None:
    if endpoint is not None and endpoint.state is EndpointState.OPEN:
        again = _is_this_runs(look, endpoint, seen_before)
        if again or not is_change(endpoint.fingerprint, build_fingerprint(port)):
            better = amend(endpoint, port, first_word_stands=again, in_scope=in_scope)
            if better != endpoint:
                update.amended.append(better)
            update.confirmed.append(endpoint.id)
            return
        update.closed.append((endpoint, "changed"))
    elif endpoint is not None:
        update.closed.append((endpoint, "seen"))
    update.opened.append(
        Endpoint(
            key=key,
            state=EndpointState.OPEN,
            fingerprint=build_fingerprint(port),
            valid_from=look.time,
            extra=port.extra,
            cpes=port.cpes,
            title=port.title,
            certificate=port.certificate,
            in_scope=in_scope,
            opened_by=look.run,
        )
    )
    update.events += 1


def _is_this_runs(look: Look, endpoint: Endpoint, seen_before: Container[int]) -> bool:
    """The run itself saw it open in an earlier row, or opened the interval."""
    return endpoint.id in seen_before or endpoint.opened_by == look.run


def _see_not_open(
    update: Update, look: Look, endpoint: Endpoint, state: str, *, finished: bool, answered: bool
) -> None:
    if state == CLOSED:
        _close(update, look, endpoint, "reset")
    elif finished and not _says_nothing(endpoint.key.proto, state):
        _miss(update, look, endpoint, answered=answered)


def _says_nothing(proto: str, state: str) -> bool:
    """Such a look cannot see that a port is open: nmap's ACK scan, and its FIN, NULL and Xmas scans of TCP.

    Source: nmap 7.93 reference guide, port states.
    """
    return state == UNFILTERED or (state == OPEN_FILTERED and proto == "tcp")


def _close(update: Update, look: Look, endpoint: Endpoint, why: str) -> None:
    if look.held:
        _count_miss(update, endpoint)
        return
    update.closed.append((endpoint, why))
    update.events += 1


def _miss(update: Update, look: Look, endpoint: Endpoint, *, answered: bool) -> None:
    misses = endpoint.misses + 1
    if look.held or misses < MISSES_TO_CLOSE:
        _count_miss(update, endpoint)
    elif answered:
        _close(update, look, endpoint, "missed")
    elif endpoint.state is EndpointState.OPEN:
        update.closed.append((endpoint, "silent"))
        update.opened.append(
            replace(
                endpoint,
                state=EndpointState.UNKNOWN,
                valid_from=look.time,
                misses=misses,
                opened_by=look.run,
                id=0,
            )
        )
        update.events += 1


def _count_miss(update: Update, endpoint: Endpoint) -> None:
    if endpoint.misses < MISSES_TO_CLOSE:
        update.amended.append(replace(endpoint, misses=endpoint.misses + 1))


def _rest(seen: HostObservation, proto: str, port: int) -> str:
    if any(name == proto and port in ports for name, ports in seen.rest_closed):
        return CLOSED
    return next((state for name, state in seen.rest if name == proto), FILTERED)
