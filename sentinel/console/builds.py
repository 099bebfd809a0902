"""What takes seconds to build: made beside the requests in one thread, kept, handed out with the time of its facts."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Final

from sentinel.errors import SentinelError
from sentinel.log import error

_KEPT: Final = 32
_WAITING: Final = 8
_REST: Final = 5.0
"""A build that took n seconds is not made anew before 5 n seconds have passed: a scan changes the map all the time."""


@dataclass(frozen=True, slots=True)
class Built:
    """What there is of a thing that was asked for.

    Attributes:
        value: the newest that was made; None: nothing yet.
        at: the time of its facts.
        fresh: nothing has changed since.
        building: a newer one is being made.
        failure: why the last try failed; empty when it did not.
    """

    value: object = None
    at: datetime | None = None
    fresh: bool = False
    building: bool = False
    failure: str = ""


@dataclass(slots=True)
class _Entry:
    built: Built
    stamp: Hashable
    ready_at: float
    done: threading.Event


class Builds:
    """Makes things in the background, the same thing once at a time."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._waiting = 0
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Something is being made, or waits to be."""
        return self._waiting > 0

    def ask(
        self, key: Hashable, stamp: Hashable, make: Callable[[], tuple[object, datetime]], wait_s: float = 0.0
    ) -> Built:
        """Give what there is under a key, and see that it is made anew when its stamp is another than before.

        `make` gives the thing and the time of its facts; it is waited for no longer than `wait_s`.
        """
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry(Built(), None, 0.0, threading.Event())
            self._entries.move_to_end(key)
            self._forget()
            stale = entry.stamp != stamp and not entry.built.building and time.monotonic() >= entry.ready_at
            if stale and self._waiting < _WAITING:
                entry.built = replace(entry.built, building=True)
                entry.done.clear()
                self._waiting += 1
                self._queue.put(lambda: self._make(entry, stamp, make))
                self._start()
        if entry.built.building and wait_s:
            entry.done.wait(wait_s)
        return replace(entry.built, fresh=entry.stamp == stamp)

    def _forget(self) -> None:
        for key in list(self._entries):
            if len(self._entries) <= _KEPT:
                return
            if not self._entries[key].built.building:
                del self._entries[key]

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="builds", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            try:
                job = self._queue.get(timeout=60)
            except Empty:
                continue
            job()

    def _make(self, entry: _Entry, stamp: Hashable, make: Callable[[], tuple[object, datetime]]) -> None:
        began = time.monotonic()
        try:
            value, at = make()
            built = Built(value, at)
        except SentinelError as failure:
            built = replace(entry.built, building=False, failure=str(failure))
        except Exception as failure:  # noqa: BLE001  the job boundary: a thing that cannot be built must not end the others
            error("build lost", reason=f"{type(failure).__name__}: {failure}")
            built = replace(entry.built, building=False, failure=f"{type(failure).__name__}: {failure}")
        now = time.monotonic()
        with self._lock:
            entry.built = built
            entry.stamp = stamp
            entry.ready_at = now + _REST * (now - began)
            self._waiting -= 1
            entry.done.set()
