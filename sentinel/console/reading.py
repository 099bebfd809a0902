"""The surroundings of one page: the home opened for reading, one moment of it, the unit meant, and its register."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

from sentinel.config import Settings
from sentinel.console.query import Query
from sentinel.console.register import RegisterIndex, read_index
from sentinel.errors import UsageError
from sentinel.model.unit import Network, Unit
from sentinel.schedule.context import Context, read_clock
from sentinel.store.assets import read_vantages, use_register
from sentinel.store.audit import newest_audit
from sentinel.store.database import Database
from sentinel.store.home import Home
from sentinel.store.judged import count_unjudged
from sentinel.store.units import find_unit, read_networks, read_units

PAGE_LIMIT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page is built from; everything it reads is of one moment.

    Attributes:
        context: the home; nothing can be written through it.
        unit: the unit the page is about.
        networks: its networks.
        register: its register by address.
        query: what was asked.
        lang: language of the page.
        now: the present moment.
        stamp: changes whenever anything in the home does.
    """

    context: Context
    unit: Unit
    networks: tuple[Network, ...]
    register: RegisterIndex
    query: Query
    lang: str
    now: datetime
    stamp: int

    @property
    def database(self) -> Database:
        """The database, for reading."""
        return self.context.database

    @property
    def vantages(self) -> tuple[str, ...]:
        """From where the map was ever seen."""
        return read_vantages(self.database, self.unit.code)

    @property
    def unjudged(self) -> int:
        """Scans, imports and captures no rule was applied to yet: with any, no zero of findings means anything."""
        return count_unjudged(self.database, self.unit.code)

    def network(self, number: int) -> Network | None:
        """Give a network of the unit by its id."""
        return next((one for one in self.networks if one.id == number), None)


class Desk:
    """Opens the home for pages; the register of a unit is read once for each state of the home."""

    def __init__(
        self, home: Home, settings: Settings, unit: str | None, clock: Callable[[], datetime] = read_clock
    ) -> None:
        self.home = home
        self.settings = settings
        self.clock = clock
        self._unit = unit
        self._lock = Lock()
        self._registers: dict[str, tuple[int, RegisterIndex]] = {}

    @contextmanager
    def open(self, limit_s: float | None = PAGE_LIMIT_S) -> Iterator[Context]:
        """Open the home for reading one moment of it.

        Raises:
            StoreError: it cannot be opened, or a question took longer than `limit_s` seconds.
        """
        database = Database(self.home.place, self.settings.busy_timeout_s, read_only=True)
        try:
            database.hold_moment(limit_s)
            yield Context(self.home, database, self.settings, "", self.clock)
        finally:
            database.close()

    def read_units(self, context: Context) -> tuple[Unit, ...]:
        """Give the units whose pages are served."""
        if self._unit is None:
            return read_units(context.database)
        unit = find_unit(context.database, self._unit)
        return (unit,) if unit else ()

    @contextmanager
    def read(self, code: str, query: Query, lang: str) -> Iterator[Reading]:
        """Open the home for a page about a unit.

        Raises:
            UsageError: there is no such unit, or it is not served.
        """
        with self.open() as context:
            unit = find_unit(context.database, code)
            if unit is None or unit.code != code or self._unit not in (None, code):
                raise UsageError(f"no such unit: {code!r}")
            networks = read_networks(context.database, code)
            now, stamp = self.clock(), newest_audit(context.database.connection)
            register = self._register(context, code, networks, now, stamp)
            use_register(context.database, register.words, register.owner)
            yield Reading(context, unit, networks, register, query, lang, now, stamp)

    def _register(
        self, context: Context, code: str, networks: tuple[Network, ...], now: datetime, stamp: int
    ) -> RegisterIndex:
        known = self._registers.get(code)
        if known is not None and known[0] == stamp:
            return known[1]
        index = read_index(context, code, networks, now)
        with self._lock:
            if len(self._registers) > 16:
                self._registers.clear()
            self._registers[code] = (stamp, index)
        return index
