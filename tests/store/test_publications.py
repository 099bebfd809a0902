from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.errors import UsageError
from sentinel.model.hosting import Hosting
from sentinel.model.publication import Mapping, Publication, PublicationState, Via
from sentinel.model.scope import Target
from sentinel.model.unit import Unit, UnitLevel
from sentinel.store.database import Database
from sentinel.store.hostings import read_campus_hostings, read_hostings, withdraw_hosting, write_hosting
from sentinel.store.publications import (
    build_publication_words,
    decide_publication,
    pack_address,
    read_publications,
    unpack_address,
    write_publications,
)
from sentinel.store.units import write_unit
from tests.homes import NOW

OUT, IN = ip_address("203.0.113.5"), ip_address("10.0.0.5")
WHOLE = Publication(
    0,
    "school",
    Mapping(OUT, "tcp", 443, 445, IN, 8443, "www.school.example", Via.WAF, "备注"),
    "sheet",
    "原因",
    PublicationState.PROPOSED,
    valid_from=NOW,
    valid_to=NOW + timedelta(days=9),
)
NAMED = Publication(0, "school", Mapping(None, "tcp", 80, 80, ip_address("fd00::5"), 0, "a.example"), "declared")


def write(database: Database, *publications: Publication) -> tuple[Publication, ...]:
    with database.transaction("tester", NOW) as transaction:
        write_publications(transaction, publications)
        transaction.audit("test", "publications")
    return read_publications(database, "school")


def test_publication_is_read_back_as_it_was_written(database: Database) -> None:
    named, whole = write(database, WHOLE, NAMED)
    assert whole == replace(WHOLE, id=whole.id, created=NOW)
    assert named == replace(NAMED, id=named.id, created=NOW)
    assert read_publications(database, "other") == ()
    assert read_publications(database, "school", [PublicationState.PROPOSED]) == (whole,)
    words = build_publication_words(whole)
    assert (words["outside"], words["inside"], words["inside_port"]) == ("203.0.113.5", "10.0.0.5", 8443)


def test_publication_is_decided_once_and_withdrawn_once(database: Database) -> None:
    named, whole = write(database, WHOLE, NAMED)
    with database.transaction("decider", NOW) as transaction:
        accepted = decide_publication(transaction, "school", whole.id, PublicationState.IN_FORCE, "核对")
    assert read_publications(database, "school", [PublicationState.IN_FORCE]) == (named, accepted)
    assert (accepted.decided, accepted.decided_by, accepted.why) == (NOW, "decider", "核对")
    for state in (PublicationState.IN_FORCE, PublicationState.DECLINED):
        with (
            pytest.raises(UsageError, match=f"no publication {whole.id}"),
            database.transaction("decider", NOW) as transaction,
        ):
            decide_publication(transaction, "school", whole.id, state, "again")
    with database.transaction("decider", NOW) as transaction:
        decide_publication(transaction, "school", whole.id, PublicationState.WITHDRAWN, "停用")
    assert read_publications(database, "school", [PublicationState.IN_FORCE]) == (named,)
    with pytest.raises(UsageError, match="no publication"), database.transaction("decider", NOW) as transaction:
        decide_publication(transaction, "other", named.id, PublicationState.WITHDRAWN, "another's")


def test_addresses_as_bytes_sort_as_addresses_do() -> None:
    texts = ["9.0.0.1", "10.0.0.2", "10.0.0.10", "203.0.113.5", "2001:db8::5", "fd00::1"]
    packed = [pack_address(ip_address(text)) for text in texts]
    assert packed == sorted(packed)
    assert [str(unpack_address(one)) for one in packed] == texts
    assert unpack_address(pack_address(None)) is None


def hosting(unit: str = "school", **words: object) -> Hosting:
    targets = (Target("192.0.2.9/32", ip_network("192.0.2.9/32")), Target("c.example", name="c.example"))
    return replace(Hosting(0, unit, "某云", targets), **words)  # type: ignore[arg-type]  # fields by name


def test_hosting_is_read_back_withdrawn_and_ended(database: Database) -> None:
    with database.transaction("tester", NOW) as transaction:
        stored = write_hosting(transaction, hosting(document="函", valid_from=NOW, valid_to=NOW + timedelta(days=1)))
        bare = write_hosting(transaction, hosting())
    assert read_hostings(database, "school") == (stored, bare)
    assert stored.is_consent(NOW)
    assert not bare.is_consent(NOW)
    with database.transaction("tester", NOW) as transaction:
        withdraw_hosting(transaction, "school", stored.id, "到期", moved=False)
        withdraw_hosting(transaction, "school", bare.id, "迁回", moved=True)
    (left,) = read_hostings(database, "school")
    assert left == replace(stored, withdrawn_at=NOW)
    assert not left.is_consent(NOW)
    for number, unit in ((stored.id, "school"), (bare.id, "school"), (stored.id, "other"), (99, "school")):
        with pytest.raises(UsageError, match="no such consent"), database.transaction("tester", NOW) as transaction:
            withdraw_hosting(transaction, unit, number, "again", moved=False)


def test_what_is_hosted_of_a_school_counts_for_its_departments_and_not_for_others(database: Database) -> None:
    with database.transaction("tester", NOW, objects=True) as transaction:
        write_unit(transaction, Unit("room", "处", UnitLevel.DEPARTMENT, parent="school"))
        write_unit(transaction, Unit("other", "校"))
        stored = write_hosting(transaction, hosting())
    assert read_campus_hostings(database, "room") == (stored,)
    assert read_campus_hostings(database, "school") == (stored,)
    assert read_campus_hostings(database, "other") == ()
