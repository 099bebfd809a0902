"""Capture files in; what they show of mining, and the findings it makes, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sentinel.config import data_folder
from sentinel.errors import ParseError
from sentinel.model.evidence import Evidence
from sentinel.model.flow import FlowDetection, Unreadable
from sentinel.model.unit import Unit
from sentinel.observe.text import parse_address
from sentinel.schedule.context import Context, readable_name
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.keep_out import KeptOut, load_kept_out, refuse_count
from sentinel.store.evidence import Received, write_evidence
from sentinel.store.flows import write_capture
from sentinel.traffic import analyze, load_pools

FORMAT = "capture"


@dataclass(frozen=True, slots=True)
class Hunt:
    """What one capture file showed.

    Attributes:
        file: the file.
        flows: detections.
        problems: what could not be read.
    """

    file: Path
    flows: tuple[FlowDetection, ...]
    problems: tuple[Unreadable, ...]

    @property
    def is_read(self) -> bool:
        """At least a part of the file was read."""
        return not any(one.fatal for one in self.problems)


def hunt_files(files: Iterable[Path]) -> Iterator[Hunt]:
    """Search capture files one by one; a bad one never stops the rest."""
    pools = load_pools(data_folder("rules") / "feeds" / "pools.csv")
    for file in files:
        flows: list[FlowDetection] = []
        problems: list[Unreadable] = []
        for one in analyze([file], pools):
            if isinstance(one, FlowDetection):
                flows.append(one)
            else:
                problems.append(one)
        yield Hunt(file, tuple(flows), tuple(problems))


def refuse_hunt(hunt: Hunt, kept_out: KeptOut) -> None:
    """Refuse a capture whose detections concern addresses that must stay out.

    Raises:
        ParseError: they do; nothing of it may be shown or stored.
    """
    ends = {parse_address(text) for flow in hunt.flows for text in (flow.host, flow.peer)}
    refuse_count(kept_out.count(one for one in ends if one is not None), str(hunt.file))


def store_hunt(context: Context, unit: Unit, hunts: Iterable[Hunt], *, check: bool) -> None:
    """Keep what the captures showed, those that showed something as evidence, and bring the findings up to date.

    A capture without detections holds people's traffic and proves nothing: of it only its sum is noted.

    Raises:
        ParseError: a file went away since it was searched, or its detections concern what must stay out.
        StoreError: the home cannot take them.
    """
    for hunt in hunts:
        if not hunt.is_read:
            continue
        refuse_hunt(hunt, load_kept_out(context, unit))
        try:
            stream = hunt.file.open("rb")
        except OSError as error:
            raise ParseError(f"cannot be read again: {error.strerror or error}", str(hunt.file)) from error
        with stream, context.evidence.receive(stream) as received:
            _write_hunt(context, unit, hunt, received)
    if check:
        judge_unit(context, unit)


def _write_hunt(context: Context, unit: Unit, hunt: Hunt, received: Received) -> None:
    name = readable_name(hunt.file)
    flows = [replace(flow, file=name) for flow in hunt.flows]
    now = context.clock()
    with context.database.transaction(context.actor, now) as transaction:
        if flows:
            received.keep()
            write_evidence(transaction, Evidence(received.sha256, received.size_bytes, name, FORMAT, now))
        problem = "; ".join(one.reason for one in hunt.problems)
        write_capture(transaction, unit.code, received.sha256, name, flows, problem)
        after = {"evidence": received.sha256, "flows": len(flows)}
        transaction.audit("traffic.analyze", f"capture {name} of unit {unit.code}", after=after)
