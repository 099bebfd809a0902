"""Closer looks: what one service, site or domain answered when it was asked more than whether it is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentinel.model.unit import IPAddress

MAX_TEXT = 300
MAX_ITEMS = 64
MAX_VALUES = 64
UNTOLD = "untold"
"""Name of the value that lists the fields an answered look found nothing out about: their absence proves nothing."""

ProbeValue = str | int | float | bool | tuple[str, ...] | tuple[int, ...]


class ProbeKind(StrEnum):
    """What was asked: TLS handshakes, SSH algorithms, a web page, one read-only request, SNMP, mail, or names."""

    TLS = "tls"
    SSH = "ssh"
    WEB = "web"
    LOGIN = "login"
    SNMP = "snmp"
    MAIL = "mail"
    DNS = "dns"


@dataclass(frozen=True, slots=True)
class ProbeObservation:
    """One closer look, as the file of its run tells it.

    Attributes:
        kind: what was asked.
        address: whom; None for a look at a domain as a whole.
        proto: `tcp` or `udp`; empty for a domain.
        port: 0 for a domain.
        name: the name it was asked by (server name of TLS, host of a page, domain), lower case; may be empty.
        time: when.
        answered: it answered well enough to be judged; False: `reason` says what went wrong, and nothing follows.
        reason: one line, lower case.
        values: what was found, by field name, sorted; texts of at most 300 characters, lists of at most 64 items.
    """

    kind: ProbeKind
    address: IPAddress | None
    proto: str
    port: int
    name: str
    time: datetime
    answered: bool
    reason: str = ""
    values: tuple[tuple[str, ProbeValue], ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """What a closer look found, for as long as it stayed the same.

    Attributes:
        network: row id of the network.
        vantage: from where.
        kind: what was asked.
        address: whom; None for a domain.
        proto: `tcp`, `udp` or empty.
        port: 0 for a domain.
        name: the name it was asked by.
        values: what was found, by field name.
        valid_from: first look that found it.
        last_seen: newest look that found it.
        evidence: SHA-256 of the newest evidence.
    """

    network: int
    vantage: str
    kind: ProbeKind
    address: IPAddress | None
    proto: str
    port: int
    name: str
    values: tuple[tuple[str, ProbeValue], ...]
    valid_from: datetime
    last_seen: datetime
    evidence: str = ""


def clean_values(values: dict[str, object]) -> tuple[tuple[str, ProbeValue], ...]:
    """Give values as a probe may hold them: sorted by name, cut to size; what is None or empty is left out.

    Raises:
        TypeError: a value is of another kind.
        ValueError: there are too many, or a list mixes kinds.
    """
    kept: list[tuple[str, ProbeValue]] = []
    for name, value in sorted(values.items()):
        if value is None or value == "" or value == [] or value == ():
            continue
        if isinstance(value, bool | int | float):
            kept.append((name, value))
        elif isinstance(value, str):
            kept.append((name, value[:MAX_TEXT]))
        elif isinstance(value, list | tuple):
            kept.append((name, _clean_list(name, value)))
        else:
            raise TypeError(f"{name}: no value of a probe: {type(value).__name__}")
    if len(kept) > MAX_VALUES:
        raise ValueError(f"{len(kept)} values in one probe; the limit is {MAX_VALUES}")
    return tuple(kept)


def _clean_list(name: str, value: list[object] | tuple[object, ...]) -> tuple[str, ...] | tuple[int, ...]:
    numbers = tuple(one for one in value[:MAX_ITEMS] if isinstance(one, int) and not isinstance(one, bool))
    texts = tuple(one[:MAX_TEXT] for one in value[:MAX_ITEMS] if isinstance(one, str))
    if len(numbers) == min(len(value), MAX_ITEMS):
        return numbers
    if len(texts) == min(len(value), MAX_ITEMS):
        return texts
    raise ValueError(f"{name}: a list holds texts or whole numbers, not both")
