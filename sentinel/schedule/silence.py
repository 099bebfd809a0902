"""A unit and a moment in; by which channel nothing arrives any longer out."""

from __future__ import annotations

from datetime import datetime

from sentinel.model.evidence import RunKind
from sentinel.model.silence import Channel, Silence, build_silence
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.store.flows import read_newest_capture
from sentinel.store.runs import read_newest_arrival

CHANNEL_WORDS = {Channel.SCAN: "扫描", Channel.IMPORT: "导入", Channel.CAPTURE: "抓包"}


def read_silence(context: Context, unit: Unit, now: datetime) -> tuple[Silence, ...]:
    """Give one row per channel: scan, import, capture; the limit is the setting `silent_days`."""
    newest = {
        Channel.SCAN: read_newest_arrival(context.database, unit.code, RunKind.SCAN),
        Channel.IMPORT: read_newest_arrival(context.database, unit.code, RunKind.IMPORT),
        Channel.CAPTURE: read_newest_capture(context.database, unit.code),
    }
    limit = context.settings.silent_days
    return tuple(build_silence(unit.code, channel, last, now, limit) for channel, last in newest.items())
