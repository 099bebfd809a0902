"""Scans of several schools in; all run at once, with one line of progress now and then, out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from sentinel.collect.nmap import ScanEvent
from sentinel.errors import CollectError
from sentinel.model.ports import PortSet
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context, open_context
from sentinel.schedule.scanning import ScanTotal, describe_stage, plan_scan, run_scan

Tell = Callable[[str], None]
_TELL_S = 5.0


@dataclass(frozen=True, slots=True)
class ScanTask:
    """One scan of the demonstration.

    Attributes:
        unit: whose scan it is.
        what: what is asked, for people, e.g. `TCP`.
        targets: addresses and prefixes.
        ports: by protocol.
    """

    unit: Unit
    what: str
    targets: tuple[str, ...]
    ports: tuple[tuple[str, PortSet], ...]

    @property
    def name(self) -> str:
        """What it is called on the screen."""
        return f"{self.unit.name} {self.what}"


_News = tuple[int, str | ScanTotal | BaseException]


def scan_together(context: Context, tasks: Sequence[ScanTask], title: str, tell: Tell) -> None:
    """Run all scans at once, each with a connection to the store of its own, and wait for the last.

    Their time is nmap's waiting for answers, so they hardly slow each other. When one fails or the caller is
    interrupted the others end with this process, and so does their nmap.

    Raises:
        CollectError: a scan did not finish all it was to ask.
    """
    news: SimpleQueue[_News] = SimpleQueue()
    for number, task in enumerate(tasks):
        Thread(target=_work, args=(context, number, task, news), daemon=True).start()
    stages = dict.fromkeys(range(len(tasks)), "开始")
    begun = last = time.monotonic()
    while stages:
        try:
            number, told = news.get(timeout=_TELL_S)
        except Empty:
            number, told = -1, ""
        if isinstance(told, BaseException):
            raise told
        if isinstance(told, ScanTotal):
            del stages[number]
            words = f"在线 {told.hosts_up}，开放 {told.endpoints_open}，{told.seconds:.0f} 秒"
            tell(f"{title} {tasks[number].name}：{words}")
        elif number >= 0:
            stages[number] = told
        if stages and time.monotonic() - last >= _TELL_S:
            last = time.monotonic()
            at = "；".join(f"{tasks[one].name} {stage}" for one, stage in stages.items())
            tell(f"  {title} {last - begun:.0f} 秒：{at}")


def _work(context: Context, number: int, task: ScanTask, news: SimpleQueue[_News]) -> None:
    try:
        with open_context(context.home.path, context.settings) as own:
            news.put((number, _scan(own, task, lambda stage: news.put((number, stage)))))
    except BaseException as error:  # noqa: BLE001  the boundary of a thread: the caller raises it again
        news.put((number, error))


def _scan(context: Context, task: ScanTask, tell: Tell) -> ScanTotal:
    def take(event: ScanEvent) -> None:
        if event.kind == "progress":
            tell(describe_stage(event.detail))

    total, ports = ScanTotal(), dict(task.ports)
    planned = plan_scan(context, task.unit, task.targets, ports)
    for _ in run_scan(context, task.unit, planned, ports, total, vantage=context.settings.vantage, on_event=take):
        pass
    if total.failed:
        raise CollectError(f"{task.name}: {total.failed[0]}")
    return total
