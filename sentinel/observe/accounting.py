"""Records of one login's beginning, life and end in; who held which address from when to when out.

Records of a session are joined by its id while at most `MAX_OPEN` sessions are open; of more, the oldest is given as
one that still lasts. One that still lasts is told twice where a later record heard of it: as held until that record,
and as begun there, so that how long it may last counts from then. A session that never had an address tells on which
port the card was.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from sentinel.model.sighting import AttachmentObservation, HoldingObservation, HoldingSource
from sentinel.model.unit import IPAddress

MAX_OPEN = 65_536
MAX_SECONDS = 10 * 366 * 86_400
"""A session cannot have lasted longer."""


class Phase(Enum):
    """What of a session a record tells."""

    WHOLE = "whole"
    BEGIN = "begin"
    UPDATE = "update"
    END = "end"


@dataclass(frozen=True, slots=True)
class Record:
    """What one record says of a session.

    Attributes:
        phase: what of it.
        time: when it was written; the end of a whole one.
        source: what told it.
        seconds: how long the session lasted by then; None where it does not tell.
        address: the address given; None where there is none yet.
        since: the session's beginning, where the record tells it itself.
        mac: `aa:bb:cc:dd:ee:ff` or empty.
        name: host name.
        client_id: DHCP client identifier.
        user: account name.
        device: switch, access controller or server.
        port: switch port, access point or SSID.
        vlan: VLAN, as written.
    """

    phase: Phase
    time: datetime | None
    source: HoldingSource
    seconds: int | None = None
    address: IPAddress | None = None
    since: datetime | None = None
    mac: str = ""
    name: str = ""
    client_id: str = ""
    user: str = ""
    device: str = ""
    port: str = ""
    vlan: str = ""


Told = HoldingObservation | AttachmentObservation


class Logins:
    """Sessions whose end has not been read."""

    def __init__(self) -> None:
        self._open: OrderedDict[Hashable, Record] = OrderedDict()

    def take(self, key: Hashable, record: Record) -> Iterator[Told]:
        """Take a record of the session `key`, and give what is known whole with it; an empty key joins nothing."""
        if record.since is None:
            record = replace(record, since=begin_of(record))
        known = self._open.pop(key, None) if key else None
        if record.phase is Phase.BEGIN and known is not None:  # the id is used anew, or the record came twice
            if known.since != record.since or known.address != record.address:
                yield from _tell(known, None)
            known = None
        merged = _merge(known, record) if known is not None else record
        if known is not None and known.address and record.address and known.address != record.address:
            yield from _tell(known, record.time)  # a new address within the session
            merged = replace(merged, since=record.time)
        if record.phase in {Phase.WHOLE, Phase.END} or not key:
            yield from _tell(merged, record.time if record.phase in {Phase.WHOLE, Phase.END} else None)
            return
        self._open[key] = merged
        if len(self._open) > MAX_OPEN:
            yield from _tell(self._open.popitem(last=False)[1], None)

    def rest(self) -> Iterator[Told]:
        """Give the sessions that never ended, in the order they were last heard of."""
        while self._open:
            yield from _tell(self._open.popitem(last=False)[1], None)


def begin_of(record: Record) -> datetime | None:
    """Give when a session began: when its first record was written, or so many seconds before another."""
    if record.phase is Phase.BEGIN or record.time is None:
        return record.time
    if record.seconds is None or not 0 <= record.seconds <= MAX_SECONDS:
        return None if record.phase in {Phase.END, Phase.WHOLE} else record.time
    return record.time - timedelta(seconds=record.seconds)


def read_seconds(text: str) -> int | None:
    """Read a length in whole seconds; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None


def _merge(known: Record, later: Record) -> Record:
    """Put what a later record leaves out from the earlier ones; a session began when its first record says."""
    return Record(
        later.phase,
        later.time,
        later.source,
        later.seconds,
        later.address or known.address,
        known.since or later.since,
        later.mac or known.mac,
        later.name or known.name,
        later.client_id or known.client_id,
        later.user or known.user,
        later.device or known.device,
        later.port or known.port,
        later.vlan or known.vlan,
    )


def _tell(record: Record, until: datetime | None) -> Iterator[Told]:
    since = record.since
    if record.address is None:
        if record.mac and (record.device or record.port):
            yield AttachmentObservation(record.mac, record.device, record.port, record.vlan, since or until)
        return
    if until is None and record.phase is Phase.UPDATE and since and record.time and record.time > since:
        yield _hold(record, record.address, since, record.time)
        since = record.time
    yield _hold(record, record.address, since, until)


def _hold(record: Record, address: IPAddress, since: datetime | None, until: datetime | None) -> HoldingObservation:
    return HoldingObservation(
        address,
        record.source,
        record.mac,
        since,
        since if since is not None and until is not None and until < since else until,
        record.name,
        record.client_id,
        record.user,
        record.device,
        record.port,
        record.vlan,
    )
