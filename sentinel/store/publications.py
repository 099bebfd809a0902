"""Publications of units: entered, proposed, decided and withdrawn by people, never deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_address

from sentinel.errors import UsageError
from sentinel.model.moment import from_microseconds, from_optional, to_microseconds, to_optional
from sentinel.model.publication import Mapping, Publication, PublicationState, Via
from sentinel.model.unit import IPAddress
from sentinel.store.database import Database, Row, Transaction

_WRITTEN = (
    "unit, outside, proto, first_port, last_port, name, inside, inside_port, via, source, reason, note, state, "
    "created_us, valid_from_us, valid_to_us"
)
_READ = f"id, {_WRITTEN}, decided_us, decided_by, why"


def write_publications(transaction: Transaction, publications: Iterable[Publication]) -> None:
    """Add publications as they stand. The caller audits."""
    moment = to_microseconds(transaction.now)
    transaction.execute_many(
        f"INSERT INTO publication ({_WRITTEN}, decided_by, why) "  # noqa: S608  constant columns
        "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            (
                one.unit,
                pack_address(one.mapping.outside),
                one.mapping.proto,
                one.mapping.first_port,
                one.mapping.last_port,
                one.mapping.name,
                pack_address(one.mapping.inside),
                one.mapping.inside_port,
                one.mapping.via.value,
                one.source,
                one.reason,
                one.mapping.note,
                one.state.value,
                moment,
                to_optional(one.valid_from),
                to_optional(one.valid_to),
                "",
                "",
            )
            for one in publications
        ),
    )


def decide_publication(
    transaction: Transaction, unit: str, number: int, state: PublicationState, why: str
) -> Publication:
    """Accept or decline what was proposed, or withdraw what is in force.

    Raises:
        UsageError: the unit has none with this number that this can be decided of.
    """
    found = next((one for one in read_publications(transaction.database, unit) if one.id == number), None)
    wanted = {
        PublicationState.IN_FORCE: PublicationState.PROPOSED,
        PublicationState.DECLINED: PublicationState.PROPOSED,
        PublicationState.WITHDRAWN: PublicationState.IN_FORCE,
    }[state]
    if found is None or found.state is not wanted:
        raise UsageError(f"unit {unit} has no publication {number} {wanted}; `sentinel publication list --all`")
    decided = replace(found, state=state, decided=transaction.now, decided_by=transaction.actor, why=why)
    transaction.execute(
        "UPDATE publication SET state=?, decided_us=?, decided_by=?, why=? WHERE id=?",
        (state.value, to_microseconds(transaction.now), transaction.actor, why, number),
    )
    transaction.audit(
        f"publication.{'accept' if state is PublicationState.IN_FORCE else state.value}",
        f"publication {number} of unit {unit}",
        before=found.state,
        after={"state": state, "why": why},
    )
    return decided


def read_publications(
    database: Database, unit: str, states: Iterable[PublicationState] = tuple(PublicationState)
) -> tuple[Publication, ...]:
    """Give the publications of a unit in some states, by public address, port and name."""
    wanted = {state.value for state in states}
    rows = database.query(
        f"SELECT {_READ} FROM publication WHERE unit=? "  # noqa: S608  constant columns
        "ORDER BY outside, proto, first_port, name, inside, inside_port, id",
        (unit,),
    )
    return tuple(_publication(row) for row in rows if row[13] in wanted)


def build_publication_words(one: Publication) -> dict[str, object]:
    """Write a publication as plain values, for JSON and the audit."""
    mapping = one.mapping
    ends: dict[str, object] = {
        "id": one.id,
        "unit": one.unit,
        "outside": str(mapping.outside) if mapping.outside is not None else None,
        "proto": mapping.proto,
        "first_port": mapping.first_port,
        "last_port": mapping.last_port,
        "name": mapping.name,
        "inside": str(mapping.inside),
        "inside_port": mapping.inside_port or mapping.first_port,
    }
    dates: dict[str, datetime | None] = {"created": one.created, "valid_from": one.valid_from, "valid_to": one.valid_to}
    told = {"via": mapping.via, "source": one.source, "reason": one.reason, "note": mapping.note, "state": one.state}
    return ends | told | dates | {"decided": one.decided, "decided_by": one.decided_by, "why": one.why}


def pack_address(address: IPAddress | None) -> bytes:
    """Give an address as bytes that sort as addresses do; none takes no bytes."""
    return b"" if address is None else bytes([address.version]) + address.packed


def unpack_address(packed: bytes) -> IPAddress | None:
    """Give the address of such bytes."""
    return ip_address(bytes(packed[1:])) if packed else None


def _publication(row: Row) -> Publication:
    inside = unpack_address(row[7])
    assert inside is not None  # written so
    mapping = Mapping(unpack_address(row[2]), row[3], row[4], row[5], inside, row[8], row[6], Via(row[9]), note=row[12])
    return Publication(
        row[0],
        row[1],
        mapping,
        row[10],
        row[11],
        PublicationState(row[13]),
        from_microseconds(row[14]),
        from_optional(row[15]),
        from_optional(row[16]),
        from_optional(row[17]),
        row[18],
        row[19],
    )
