"""Closer looks on disk: what each found, as intervals that end when a later look finds something else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import groupby

from sentinel.model.moment import from_microseconds, to_microseconds
from sentinel.model.probe import Probe, ProbeKind, ProbeObservation, ProbeValue
from sentinel.store.database import Database, Row, Transaction
from sentinel.store.interning import in_batches, intern_vantages
from sentinel.store.sightings import pack_address, unpack_address

_Key = tuple[int, bytes, str, int, str, str]
"""Network, place, protocol, port, kind, name."""

_COLUMNS = (
    "probe.network, vantage.name, probe.kind, probe.place, probe.proto, probe.port, probe.name, probe_facts.found, "
    "probe.valid_from_us, probe.last_us, run.evidence FROM probe "
    "JOIN probe_facts ON probe_facts.id=probe.facts JOIN vantage ON vantage.id=probe.vantage "
    "JOIN run ON run.id=probe.run"
)


def write_probes(
    transaction: Transaction, run: int, vantage: str, looks: Iterable[tuple[int, ProbeObservation]]
) -> int:
    """Take answered looks of one run, each with the row id of its network; gives how many found something new.

    Looks come in the order of time: what found the same confirms its interval, anything else ends it.
    """
    rows = [(_key(network, one), one) for network, one in looks if one.answered]
    facts = _intern(transaction, [_text(one) for _, one in rows])
    number = intern_vantages(transaction, [vantage])[vantage] if rows else 0
    new = 0
    rows.sort(key=lambda row: (row[0][0], row[1].time))
    for network, group in groupby(rows, key=lambda row: row[0][0]):
        batch = list(group)
        current = _read_current(transaction.database, network, number, {key[1] for key, _ in batch})
        for key, one in batch:
            new += _take(transaction, current, key, number, run, facts[_digest(_text(one))], to_microseconds(one.time))
    return new


def _take(
    transaction: Transaction,
    current: dict[_Key, tuple[int, int, int]],
    key: _Key,
    vantage: int,
    run: int,
    facts: int,
    moment: int,
) -> bool:
    row = current.get(key)
    if row is not None and row[1] == facts:
        if moment >= row[2]:
            transaction.execute("UPDATE probe SET last_us=?, run=? WHERE id=?", (moment, run, row[0]))
            current[key] = (row[0], facts, moment)
        return False
    if row is not None:
        transaction.execute("UPDATE probe SET valid_to_us=? WHERE id=?", (max(moment, row[2]), row[0]))
    network, place, proto, port, kind, name = key
    made = transaction.execute(
        "INSERT INTO probe (network, vantage, kind, place, proto, port, name, facts, valid_from_us, last_us, run) "
        "VALUES (?,?,?,?,?,?,?,?,?,?,?) RETURNING id",
        (network, vantage, kind, place, proto, port, name, facts, moment, moment, run),
    ).fetchone()
    current[key] = (made[0], facts, moment)
    return True


def read_probes(
    database: Database, networks: Sequence[int], kinds: Sequence[ProbeKind] = tuple(ProbeKind)
) -> Iterator[Probe]:
    """Yield what the newest look at each thing found, by network, address, port, kind and name."""
    marks = ",".join("?" * len(kinds))
    for network in networks:
        yield from map(
            _probe,
            database.query(
                f"SELECT {_COLUMNS} WHERE probe.network=? AND probe.valid_to_us IS NULL AND probe.kind IN ({marks}) "
                "ORDER BY probe.place, probe.port, probe.kind, probe.name, vantage.name",
                (network, *(kind.value for kind in kinds)),
            ),
        )


def remove_probes(transaction: Transaction, networks: Iterable[int], vantage: str | None) -> None:
    """Forget the looks at networks from a vantage (None: all), before they are taken anew from the evidence."""
    for network in networks:
        if vantage is None:
            transaction.execute("DELETE FROM probe WHERE network=?", (network,))
        else:
            transaction.execute(
                "DELETE FROM probe WHERE network=? AND vantage=(SELECT id FROM vantage WHERE name=?)",
                (network, vantage),
            )


def _key(network: int, one: ProbeObservation) -> _Key:
    place = pack_address(one.address) if one.address is not None else b""
    return network, place, one.proto, one.port, one.kind.value, one.name


def _read_current(
    database: Database, network: int, vantage: int, places: set[bytes]
) -> dict[_Key, tuple[int, int, int]]:
    """Give row id, facts and newest moment of what is current at some places."""
    found: dict[_Key, tuple[int, int, int]] = {}
    for batch in in_batches(sorted(places)):
        marks = ",".join("?" * len(batch))
        rows = database.query(
            "SELECT network, place, proto, port, kind, name, id, facts, last_us FROM probe "  # noqa: S608
            f"WHERE network=? AND vantage=? AND valid_to_us IS NULL AND place IN ({marks})",
            (network, vantage, *batch),
        )
        for row in rows:
            found[row[0], bytes(row[1]), row[2], row[3], row[4], row[5]] = (row[6], row[7], row[8])
    return found


def _text(one: ProbeObservation) -> str:
    return json.dumps(dict(one.values), ensure_ascii=False, sort_keys=True)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _intern(transaction: Transaction, texts: Iterable[str]) -> dict[bytes, int]:
    wanted = {_digest(text): text for text in texts}
    known = _read_facts(transaction.database, list(wanted))
    missing = [digest for digest in wanted if digest not in known]
    transaction.execute_many(
        "INSERT INTO probe_facts (digest, found) VALUES (?,?)", [(digest, wanted[digest]) for digest in missing]
    )
    return known | _read_facts(transaction.database, missing)


def _read_facts(database: Database, digests: Sequence[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for batch in in_batches(digests):
        marks = ",".join("?" * len(batch))
        rows = database.query(f"SELECT digest, id FROM probe_facts WHERE digest IN ({marks})", tuple(batch))  # noqa: S608
        found.update((bytes(digest), number) for digest, number in rows)
    return found


def _probe(row: Row) -> Probe:
    network, vantage, kind, place, proto, port, name, found, since, last, evidence = row
    values = tuple((key, _value(value)) for key, value in json.loads(found).items())
    address = unpack_address(bytes(place)) if place else None
    return Probe(
        network,
        vantage,
        ProbeKind(kind),
        address,
        proto,
        port,
        name,
        values,
        from_microseconds(since),
        from_microseconds(last),
        evidence,
    )


def _value(value: str | int | float | bool | list[str] | list[int]) -> ProbeValue:
    return tuple(value) if isinstance(value, list) else value  # type: ignore[return-value]  # of one kind each
