"""The feed of pool names in, a matcher of names out."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sentinel.errors import ParseError

COLUMNS = ("domain", "coin", "kind", "ports", "source", "date")
_LARGEST_BYTES = 64 * 1024 * 1024
_DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}\Z")


@dataclass(frozen=True, slots=True)
class PoolName:
    """One name of the feed.

    Attributes:
        domain: registered suffix, lower case, e.g. `xmr.2miners.com`.
        coin: e.g. `XMR`; several with `|` between them; empty when not known.
        kind: `pool`, `browser` or both with `|` between them.
        ports: known ports.
        source: list and licence it comes from.
        listed: day of that list.
    """

    domain: str
    coin: str
    kind: str
    ports: tuple[int, ...]
    source: str
    listed: date

    @property
    def single_coin(self) -> str:
        """The coin when there is no doubt, else empty."""
        first, _, rest = self.coin.partition("|")
        return first if not rest or rest.startswith(f"{first}/") else ""


@dataclass(frozen=True, slots=True)
class PoolFeed:
    """All names, by domain."""

    names: Mapping[str, PoolName]

    @classmethod
    def of(cls, names: Iterable[PoolName]) -> PoolFeed:
        """Build a feed of names."""
        return cls({name.domain: name for name in names})

    def match(self, host: str) -> PoolName | None:
        """Give the longest listed suffix of `host` at a label boundary: pool.example holds eu.pool.example."""
        host = host.rstrip(".").lower()
        while host:
            if found := self.names.get(host):
                return found
            host = host.partition(".")[2]
        return None


def load_pools(path: str | Path) -> PoolFeed:
    """Read a feed: CSV with the columns domain, coin, kind, ports, source, date.

    Raises:
        ParseError: not readable, a column missing, or a row that is malformed; with the line.
    """
    where = str(path)
    try:
        if Path(path).stat().st_size > _LARGEST_BYTES:
            raise ParseError("feed of pool names is over 64 MiB", where)
        with Path(path).open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            if missing := [column for column in COLUMNS if column not in (reader.fieldnames or ())]:
                raise ParseError(f"no column {', '.join(missing)}", where)
            return PoolFeed.of([_parse_row(row, f"{where} line {reader.line_num}") for row in reader])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ParseError(f"cannot read the feed of pool names: {error}", where) from error


def _parse_row(row: dict[str, str | None], where: str) -> PoolName:
    domain, coin, kind, ports, source, listed = (row[column] or "" for column in COLUMNS)
    if not _DOMAIN.match(domain):
        raise ParseError(f"no domain name: {domain[:80]!r}", where)
    try:
        numbers = tuple(int(port) for port in ports.split("|") if port)
        day = date.fromisoformat(listed)
    except ValueError as error:
        raise ParseError(f"ports or date cannot be read: {error}", where) from error
    if not all(0 < port < 65_536 for port in numbers):
        raise ParseError("port out of range", where)
    return PoolName(domain, coin, kind, numbers, source, day)
