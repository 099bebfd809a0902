"""What a reader asks of the map: hosts by search, filter and order, one page at a time, and one host with its past."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sentinel.model.endpoint import Endpoint, Host
from sentinel.model.finding import FindingState
from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.model.plain import read_plain_prefix
from sentinel.model.rule import Severity
from sentinel.model.unit import IPNetwork, Network
from sentinel.store.database import Database, Said
from sentinel.store.endpoints import ENDPOINT_COLUMNS, ENDPOINT_SOURCE, build_endpoint, build_host
from sentinel.store.engine import list_marks
from sentinel.store.findings import SEVERITY_RANK
from sentinel.store.keys import address_key as address_key
from sentinel.store.keys import escape_like as escape_like
from sentinel.store.keys import host_of as host_of

ORDERS = ("address", "severity", "last_seen", "first_seen")
STATES = ("open", "silent", "quiet")
_LIVE = ", ".join(f"'{state.value}'" for state in FindingState if state.is_live)
_KEYS = {
    "address": "h.network * 0",
    "severity": "coalesce(w.rank, 9)",
    "last_seen": "-h.last_seen_us",
    "first_seen": "-h.first_seen_us",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a search, read once: what it may mean besides a piece of text.

    Attributes:
        text: the word.
        prefix: it is a prefix, e.g. `10.1.0.0/16`.
        port: it is a port number.
        only_port: it can be nothing else, e.g. `443/tcp`.
    """

    text: str
    prefix: IPNetwork | None = None
    port: int | None = None
    only_port: bool = False


@dataclass(frozen=True, slots=True)
class AssetQuestion:
    """Which hosts are meant; an empty field asks nothing.

    Attributes:
        networks: row ids of the networks looked at.
        terms: words that must all be found somewhere on a host.
        vantage: it has an open port seen from there.
        state: `open` (a port is open), `silent` (it no longer answers), `quiet` (neither).
        service: it has an open port with this service.
        registered: it stands in the register, or not; None: either.
        severity: its worst live finding is of this severity.
        since: it answered at or after this moment.
        order: one of `ORDERS`.
    """

    networks: tuple[int, ...]
    terms: tuple[Term, ...] = ()
    vantage: str = ""
    state: str = ""
    service: str = ""
    registered: bool | None = None
    severity: Severity | None = None
    since: datetime | None = None
    order: str = "address"


@dataclass(frozen=True, slots=True)
class AssetRow:
    """One host as a listing shows it.

    Attributes:
        network: row id of its network.
        key: what the page is ordered by, a whole number.
        host: the host, without its names.
    """

    network: int
    key: int
    host: Host


Cursor = tuple[int, int, str]
"""Order key, network and address text of the last row shown."""


def use_register(
    database: Database, register_words: Callable[[str], str | None], owner_of: Callable[[str], str]
) -> None:
    """Tell the questions what a register says of a host, and who answers for it."""
    database.register = Said(register_words, owner_of)


def read_asset_page(
    database: Database,
    unit: str,
    networks: Sequence[Network],
    asked: AssetQuestion,
    cursor: Cursor | None,
    count: int,
    *,
    back: bool = False,
) -> tuple[tuple[AssetRow, ...], int]:
    """Give the hosts a question means behind a cursor, and how many it means in all.

    They stand in its order, or, going `back`, are those before the cursor, the nearest first. `use_register` comes
    first.
    """
    start, where, values = _build(database, unit, asked)
    key = _KEYS[asked.order]
    sign, way = ("<", " DESC") if back else (">", "")
    if cursor is not None:
        where += f" AND ({key}, h.place, h.network) {sign} (?, ?, ?)"
        values += [cursor[0], address_key(cursor[2]), cursor[1]]
    query = database.query(
        # Counting on the way spares a first page the question a second time, which is all a search costs.
        f"{start} SELECT h.network, {key}, h.address, h.mac, h.vendor, h.os, h.first_seen_us, h.last_seen_us, "
        f"h.in_scope, count(*) OVER () {where} "
        f"ORDER BY {key}{way}, h.place{way}, h.network{way} LIMIT ?",
        (*values, count),
    )
    rows = list(query)
    known = {network.id: network for network in networks}
    found = tuple(AssetRow(row[0], row[1], build_host(known[row[0]], row[2:9], ())) for row in rows)
    if cursor is not None:
        return found, count_assets(database, unit, asked)
    return found, int(rows[0][-1]) if rows else 0


def count_assets(database: Database, unit: str, asked: AssetQuestion) -> int:
    """Count the hosts a question means."""
    start, where, values = _build(database, unit, replace(asked, order="address"))
    row = database.one(f"{start} SELECT count(*) {where}", values)
    return int(row[0]) if row else 0


def _build(database: Database, unit: str, asked: AssetQuestion) -> tuple[str, str, list[object]]:
    """Give what stands before SELECT, what follows the columns, and the values; findings only where they are asked."""
    marks = list_marks(asked.networks)
    start, source = "", "FROM host h"
    values: list[object] = []
    if asked.severity is not None or asked.order == "severity":
        start = (
            f"WITH worst(network, address, rank) AS MATERIALIZED (SELECT network, host_of(subject), "  # noqa: S608  constant columns
            f"min({SEVERITY_RANK}) FROM finding WHERE unit=? AND state IN ({_LIVE}) GROUP BY 1, 2)"
        )
        source += " LEFT JOIN worst w ON w.network=h.network AND w.address=h.address"
        values.append(unit)
    where = f"{source} WHERE h.first_seen_us IS NOT NULL AND h.network IN ({marks})"
    values += asked.networks
    for clause, given in _clauses(database, asked):
        where += f" AND {clause}"
        values += given
    return start, where, values


def _clauses(database: Database, asked: AssetQuestion) -> Iterator[tuple[str, list[object]]]:
    if asked.vantage:
        yield _with_endpoint(asked, "state='open' AND vantage=?"), [*asked.networks, asked.vantage]
    if asked.service:
        yield _with_endpoint(asked, "state='open' AND service=?"), [*asked.networks, asked.service]
    if asked.state == "open":
        yield _with_endpoint(asked, "state='open'"), [*asked.networks]
    elif asked.state == "silent":
        yield _with_endpoint(asked, "state='unknown'"), [*asked.networks]
        yield "NOT " + _with_endpoint(asked, "state='open'"), [*asked.networks]
    elif asked.state == "quiet":
        yield "NOT " + _with_endpoint(asked, "state IN ('open', 'unknown')"), [*asked.networks]
    if asked.registered is not None:
        clause, values = _match_host(database, asked, lambda address: database.register.words(address) is not None)
        yield clause if asked.registered else f"NOT {clause}", values
    if asked.severity is not None:
        yield "w.rank=?", [asked.severity.rank]
    if asked.since is not None:
        yield "h.last_seen_us>=?", [to_microseconds(asked.since)]
    for term in asked.terms:
        yield _search(database, asked, term)


def _with_endpoint(asked: AssetQuestion, what: str) -> str:
    marks = list_marks(asked.networks)
    return (
        f"(h.network, h.address) IN (SELECT network, address FROM endpoint "  # noqa: S608  constant words
        f"WHERE network IN ({marks}) AND valid_to_us IS NULL AND {what})"
    )


def _match_host(database: Database, asked: AssetQuestion, test: Callable[[str], bool]) -> tuple[str, list[object]]:
    marks = list_marks(asked.networks)
    clause, values = database.match("h.address", f"FROM host h WHERE h.network IN ({marks})", asked.networks, test)
    return f"({clause})", values


def _search(database: Database, asked: AssetQuestion, term: Term) -> tuple[str, list[object]]:
    networks = list(asked.networks)
    if term.prefix is not None:
        low, high = term.prefix.network_address, term.prefix.broadcast_address
        return "h.place BETWEEN ? AND ?", [address_key(str(low)), address_key(str(high))]
    port = _with_endpoint(asked, "state='open' AND port=?")
    if term.only_port:
        return port, [*networks, term.port]
    like = f"%{escape_like(term.text)}%"
    words = term.text.casefold()
    said = " OR ".join(like_clause(database, name) for name in ("service", "product", "version", "title"))
    marks = list_marks(networks)
    named = (
        f"(h.network, h.address) IN (SELECT network, address FROM name WHERE network IN ({marks}) "  # noqa: S608
        f"AND {like_clause(database, 'name')})"
    )
    parts: list[tuple[str, list[object]]] = [
        (_with_endpoint(asked, f"state='open' AND ({said})"), [*networks, *[like] * 4]),
        (named, [*networks, like]),
        _match_host(database, asked, lambda address: words in (database.register.words(address) or "")),
        (like_clause(database, "h.address"), [like[1:]]),
    ]
    parts += [(like_clause(database, f"h.{name}"), [like]) for name in ("vendor", "os")]
    card = term.text.lower().replace("-", ":")
    parts.append((like_clause(database, "h.mac"), [f"%{escape_like(card)}%"]))
    if term.port is not None:
        parts.append((port, [*networks, term.port]))
    return f"({' OR '.join(clause for clause, _ in parts)})", [one for _, given in parts for one in given]


def like_clause(database: Database, expression: str) -> str:
    """Write that a text fits a pattern, whatever the case of its ASCII letters."""
    return f"{expression} {database.engine.like} ? ESCAPE '\\'"


def read_term(word: str) -> Term:
    """Read one word of a search."""
    bare, _, proto = word.lower().removeprefix(":").partition("/")
    if bare.isascii() and bare.isdigit() and len(bare) <= 5 and int(bare) <= 65_535 and proto in {"", "tcp", "udp"}:
        return Term(word, port=int(bare), only_port=bool(proto) or word.startswith(":"))
    try:
        return (
            Term(word, read_plain_prefix(word.strip("[]"), strict=False))
            if word.count(".") == 3 or ":" in word
            else Term(word)
        )
    except ValueError:
        return Term(word)


def read_vantages(database: Database, unit: str) -> tuple[str, ...]:
    """Give from where a unit's map was ever seen."""
    return tuple(str(row[0]) for row in database.query("SELECT DISTINCT vantage FROM run WHERE unit=?", (unit,)))


def read_intervals(
    database: Database, network: int, address: str, vantages: Sequence[str], *, lasting: bool, limit: int
) -> tuple[Endpoint, ...]:
    """Give the intervals of one address: those that last by protocol and port, or all of them, the newest first."""
    clause, order = (
        ("AND e.valid_to_us IS NULL", "e.proto, e.port") if lasting else ("", "e.valid_from_us DESC, e.port")
    )
    marks = list_marks(vantages)
    rows = database.query(
        f"SELECT {ENDPOINT_COLUMNS} {ENDPOINT_SOURCE} WHERE e.network=? AND e.vantage IN ({marks}) AND e.address=? "
        f"{clause} ORDER BY {order}, e.id LIMIT ?",
        (network, *vantages, address, limit),
    )
    return tuple(map(build_endpoint, rows))


def read_sourced_names(
    database: Database, network: int, address: str
) -> tuple[tuple[str, str, datetime, datetime], ...]:
    """Give the names of an address as (name, source, first seen, last seen), the newest first."""
    rows = database.query(
        "SELECT name, source, first_seen_us, last_seen_us FROM name WHERE network=? AND address=? "
        "ORDER BY last_seen_us DESC, name LIMIT 100",
        (network, address),
    )
    return tuple((row[0], row[1], from_microseconds(row[2]), from_microseconds(row[3])) for row in rows)


def read_name_places(database: Database, networks: Iterable[int], wanted: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Give (name, address) of the wanted names, in lower case, in some networks."""
    for network in networks:
        for name, address in database.query("SELECT name, address FROM name WHERE network=?", (network,)):
            if name.lower() in wanted:
                yield name.lower(), address


def count_services(database: Database, networks: Sequence[int], count: int) -> tuple[tuple[str, int], ...]:
    """Give the commonest services with their open ports."""
    marks = list_marks(networks)
    rows = database.query(
        f"SELECT service, count(*) FROM endpoint WHERE network IN ({marks}) AND valid_to_us IS NULL "  # noqa: S608
        "AND state='open' AND service!='' GROUP BY service ORDER BY 2 DESC, 1 LIMIT ?",
        (*networks, count),
    )
    return tuple((str(row[0]), int(row[1])) for row in rows)


def read_crowded(database: Database, networks: Sequence[int], least: int) -> Iterator[tuple[int, str]]:
    """Give (network, address) of the hosts with at least so many open TCP ports."""
    marks = list_marks(networks)
    rows = database.query(
        f"SELECT network, address FROM endpoint WHERE network IN ({marks}) AND valid_to_us IS NULL "  # noqa: S608
        "AND state='open' AND proto='tcp' GROUP BY network, address HAVING count(*)>=?",
        (*networks, least),
    )
    yield from ((int(row[0]), str(row[1])) for row in rows)
