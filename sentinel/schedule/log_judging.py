"""Imported logs in; what the rules about logs find in them out, row by row, in bounded memory.

A log is read again only when a rule about logs is there, and when it is newer than the last check or the rules changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import BinaryIO

from sentinel.assess.judge import judge
from sentinel.assess.pack import Pack
from sentinel.model.endpoint import Run
from sentinel.model.rule import Category, Detection, Subject
from sentinel.model.unit import IPAddress, Network, Unit, choose_network
from sentinel.observe import zeek
from sentinel.observe.unpack import unpack
from sentinel.observe.zeek_records import LogRecord, read_records
from sentinel.schedule.context import Context
from sentinel.schedule.keep_out import KeptOut, load_kept_out
from sentinel.store.evidence import read_evidence
from sentinel.store.judged import read_newest_pack, read_unjudged
from sentinel.store.runs import read_runs
from sentinel.store.units import read_networks

LOG_DAYS = 90
"""Logs older than that are not read again when the rules change."""

_BATCH = 2000


def judge_logs(context: Context, unit: Unit, pack: Pack, now: datetime) -> Iterator[list[Detection]]:
    """Yield what rules about logs find, batch by batch; of each rule and host the newest hit of a batch."""
    if not any(one.rule.category is Category.LOG for one in pack.compiled):
        return
    networks = read_networks(context.database, unit.code)
    kept_out = load_kept_out(context, unit)
    for run in _runs(context, unit, pack, now):
        if read_evidence(context.database, run.evidence) is None:
            continue  # it names accounts of persons and was not kept
        with context.evidence.open(run.evidence) as stream:
            subjects = _subjects(stream, unit, networks, run, kept_out)
            while batch := list(islice(subjects, _BATCH)):
                yield list(judge(pack, batch, now))


def _runs(context: Context, unit: Unit, pack: Pack, now: datetime) -> list[Run]:
    fresh = read_unjudged(context.database, unit.code)
    again = read_newest_pack(context.database, unit.code) != pack.hash
    runs = read_runs(context.database, unit.code, after=now - timedelta(days=LOG_DAYS), until=now)
    return [run for run in runs if run.format == zeek.NAME and (again or run.id in fresh)]


def _subjects(
    stream: BinaryIO, unit: Unit, networks: tuple[Network, ...], run: Run, kept_out: KeptOut
) -> Iterator[Subject]:
    for record in read_records(unpack(stream)):
        addresses = [record.fields.get(name) for name in ("id.orig_h", "id.resp_h")]
        known = [one for one in addresses if isinstance(one, IPv4Address | IPv6Address)]
        if not any(kept_out.meets(one) for one in known):
            yield build_log_subject(record, unit, networks, known, run)


def build_log_subject(
    record: LogRecord, unit: Unit, networks: tuple[Network, ...], addresses: list[IPAddress], run: Run
) -> Subject:
    """Build the subject of a row: the first of its ends that lies in the unit's networks, else the originator."""
    placed = [(address, *choose_network(networks, address)) for address in addresses]
    mine = next((one for one in placed if one[2]), placed[0] if placed else None)
    return Subject(
        category=Category.LOG,
        unit=unit.code,
        network=mine[1].id if mine else 0,
        text=str(mine[0]) if mine else unit.code,
        fields=record.fields,
        evidence=run.evidence,
        seen_at=min(record.time or run.time, run.time),
    )
