"""Words in, the row ids they are stored under once out: addresses, vantages, what endpoints look like."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from sentinel.model.endpoint import Endpoint, EndpointKey
from sentinel.store.database import Transaction
from sentinel.store.keys import address_key

BATCH = 1000
"""Values in one list of a statement."""

Place = tuple[int, str]
"""Row id of a network, and an address as canonical text."""

Look = tuple[str, bool, str, str, str, str, str, str, str]
"""Service, guessed, product, version, tunnel, certificate, extra, CPE names, title."""


def place_of(key: EndpointKey) -> Place:
    """Give the network and address of an endpoint as they are stored."""
    return key.network, str(key.address)


def build_look(one: Endpoint) -> Look:
    """Give what an endpoint looks like as it is stored."""
    mark = one.fingerprint
    return (
        mark.service,
        mark.guessed,
        mark.product,
        mark.version,
        mark.tunnel,
        mark.certificate,
        one.extra,
        " ".join(one.cpes),
        one.title,
    )


def intern_hosts(transaction: Transaction, places: Iterable[Place]) -> dict[Place, int]:
    """Give the row id of each address; one not known yet gets a row that says nobody saw it up."""
    wanted: dict[int, list[str]] = {}
    for network, address in dict.fromkeys(places):
        wanted.setdefault(network, []).append(address)
    found: dict[Place, int] = {}
    for network, addresses in wanted.items():
        known = dict(_find(transaction, "address, id FROM host WHERE network=? AND address", addresses, (network,)))
        missing = [address for address in addresses if address not in known]
        transaction.execute_many(
            "INSERT INTO host (network, address, place, mac, vendor, os, in_scope) VALUES (?,?,?,'','','',?)",
            [(network, address, address_key(address), True) for address in missing],
        )
        known |= _find(transaction, "address, id FROM host WHERE network=? AND address", missing, (network,))
        found |= {(network, address): number for address, number in known.items()}
    return found


def intern_looks(transaction: Transaction, looks: Iterable[Look]) -> dict[Look, int]:
    """Give the row id of each look."""
    wanted = {digest_look(look): look for look in dict.fromkeys(looks)}
    known = dict(_find(transaction, "digest, id FROM look WHERE digest", list(wanted)))
    missing = [digest for digest in wanted if digest not in known]
    transaction.execute_many(
        "INSERT INTO look (digest, service, guessed, product, version, tunnel, certificate, extra, cpes, title) "
        "VALUES (?,?,?,?,?,?,?,?,?,?)",
        [(digest, *wanted[digest]) for digest in missing],
    )
    known |= _find(transaction, "digest, id FROM look WHERE digest", missing)
    return {look: known[digest] for digest, look in wanted.items()}


def intern_vantages(transaction: Transaction, names: Iterable[str]) -> dict[str, int]:
    """Give the row id of each vantage."""
    wanted = list(dict.fromkeys(names))
    known = dict(_find(transaction, "name, id FROM vantage WHERE name", wanted))
    missing = [(name,) for name in wanted if name not in known]
    transaction.execute_many("INSERT INTO vantage (name) VALUES (?)", missing)
    return known | _find(transaction, "name, id FROM vantage WHERE name", [name for (name,) in missing])


def digest_look(look: Look) -> bytes:
    """Give 16 bytes that no other look has."""
    return blake2b(json.dumps(look, ensure_ascii=False).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _find(transaction: Transaction, what: str, values: Sequence[Any], before: Sequence[Any] = ()) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for batch in in_batches(values):
        marks = ",".join("?" * len(batch))
        found.update(transaction.execute(f"SELECT {what} IN ({marks})", (*before, *batch)).fetchall())
    return found


def in_batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Cut a list into pieces that fit into one statement."""
    return (values[start : start + BATCH] for start in range(0, len(values), BATCH))
