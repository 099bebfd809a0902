from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from sentinel.errors import StoreError
from sentinel.model.register import Person
from sentinel.model.system import (
    InformationSystem,
    PlannedOffline,
    SystemFacts,
    SystemPersons,
    SystemState,
    SystemStep,
)
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.schedule.declaring import set_unit
from sentinel.store.declared import has_unopened
from sentinel.store.offline import read_offline, withdraw_offline, write_offline
from sentinel.store.restore import sealed_rows
from sentinel.store.seal import Seal
from sentinel.store.systems import (
    add_system_name,
    change_system,
    declare_system,
    read_system_events,
    read_systems,
    reseal_systems,
    step_system,
)
from tests.homes import NOW, SCHOOL, Clock, opened

SEAL = Seal(bytes(32))
PHONE = "0371-60000001"
FACTS = SystemFacts(
    "教务系统",
    department="教务处",
    business_level=2,
    service_level=3,
    graded_on=date(2025, 3, 1),
    authority_approved=True,
    expert_review=False,
    filing="41010012345-00001",
    filing_expires=date(2028, 4, 9),
    assessment_rate=82.5,
    major_risks=0,
    cii=False,
    valid_until=date(2030, 1, 1),
)
PERSONS = SystemPersons(Person("示例甲", PHONE), Person("示例乙"), Person())
ONE = InformationSystem(0, "school", FACTS, PERSONS, source="登记表.xlsx", sheet="信息系统", row=2)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    with opened(tmp_path / "home", Clock()) as context:
        yield context


def at(context: Context, days: int):
    """A transaction some days after the start."""
    return context.database.transaction("示例操作员", NOW + timedelta(days=days))


def declare(context: Context, one: InformationSystem = ONE, days: int = 0) -> InformationSystem:
    with at(context, days) as transaction:
        made = declare_system(transaction, one, "ab" * 32, SEAL, "第一次")
        transaction.audit("test", "test")
    return made


def step(context: Context, number: int, days: int, what: SystemStep, why: str = "") -> SystemState:
    with at(context, days) as transaction:
        system = next(one for one in read_systems(context.database, "school", SEAL) if one.id == number)
        after = step_system(transaction, system, what, why)
        transaction.audit("test", "test")
    return after


def test_system_when_declared_is_read_the_same_with_the_seal(context: Context, tmp_path: Path) -> None:
    made = declare(context)
    (read,) = read_systems(context.database, "school", SEAL)
    assert read == replace(made, has_persons=True)
    assert (read.facts, read.persons, read.state, read.source) == (FACTS, PERSONS, SystemState.DRAFT, "登记表.xlsx")
    (closed,) = read_systems(context.database, "school")
    assert closed == replace(read, persons=None)
    assert sealed_rows(context.database) == 1
    assert has_unopened(context.database, None)
    assert not has_unopened(context.database, SEAL)
    for file in (tmp_path / "home").rglob("*"):
        if file.is_file():
            assert not any(word in file.read_bytes() for word in (PHONE.encode(), "示例甲".encode()))


def test_system_that_names_nobody_needs_no_seal(context: Context) -> None:
    bare = replace(ONE, persons=SystemPersons())
    with at(context, 0) as transaction:
        declare_system(transaction, bare, "", None)
        transaction.audit("test", "test")
    assert read_systems(context.database, "school")[0].persons == SystemPersons()
    with pytest.raises(ValueError, match="without the contact key"), at(context, 0) as transaction:
        declare_system(transaction, replace(ONE, facts=SystemFacts("别的")), "", None)


def test_steps_are_kept_with_day_actor_and_reason_and_the_way_back_is_told_as_it_was(context: Context) -> None:
    number = declare(context).id
    step(context, number, 1, SystemStep.SUBMITTED)
    step(context, number, 2, SystemStep.APPROVED, "材料齐全")
    step(context, number, 9, SystemStep.CONFIRMED)
    (now,) = read_systems(context.database, "school", SEAL)
    with at(context, 20) as transaction:
        wanted = replace(now, facts=replace(FACTS, department="信息中心"))
        assert change_system(transaction, now, wanted, "cd" * 32, SEAL) is SystemState.DRAFT
        transaction.audit("test", "test")
    step(context, number, 30, SystemStep.RETIRED, "由新系统取代")
    told = [
        (one.step, (one.at - NOW).days, one.reason) for one in read_system_events(context.database, "school", number)
    ]
    assert told == [
        (SystemStep.DECLARED, 0, "第一次"),
        (SystemStep.SUBMITTED, 1, ""),
        (SystemStep.APPROVED, 2, "材料齐全"),
        (SystemStep.CONFIRMED, 9, ""),
        (SystemStep.CHANGED, 20, ""),
        (SystemStep.RETIRED, 30, "由新系统取代"),
    ]
    assert {one.actor for one in read_system_events(context.database, "school")} == {"示例操作员"}

    def then(days: int) -> tuple[str, str, int, int]:
        (one,) = read_systems(context.database, "school", SEAL, NOW + timedelta(days=days))
        assert one.confirmed_at
        assert one.state_at
        return one.state.value, one.facts.department, (one.confirmed_at - NOW).days, (one.state_at - NOW).days

    assert then(0) == ("draft", "教务处", 0, 0)
    assert then(1) == ("submitted", "教务处", 0, 1)
    assert then(5) == ("approved", "教务处", 2, 2)
    assert then(10) == ("approved", "教务处", 9, 2)
    assert then(25) == ("draft", "信息中心", 20, 20)
    assert then(31) == ("retired", "信息中心", 20, 30)
    (now,) = read_systems(context.database, "school", SEAL)
    (also,) = read_systems(context.database, "school", SEAL, NOW + timedelta(days=99))
    assert now == also, "the state that is kept is the one the steps lead to"
    assert read_systems(context.database, "school", SEAL, NOW - timedelta(days=1)) == ()


def test_retired_system_that_is_declared_again_is_a_draft(context: Context) -> None:
    number = declare(context).id
    step(context, number, 1, SystemStep.RETIRED)
    assert not has_unopened(context.database, None), "nobody need open what was retired"
    (gone,) = read_systems(context.database, "school", SEAL)
    with at(context, 2) as transaction:
        assert change_system(transaction, gone, gone, "", SEAL) is SystemState.DRAFT
        transaction.audit("test", "test")
    assert [one.step for one in read_system_events(context.database, "school")][-1] is SystemStep.DECLARED


def test_two_systems_of_one_name_are_refused_whatever_is_typed(context: Context) -> None:
    declare(context)
    with pytest.raises(StoreError):
        declare(context, replace(ONE, facts=SystemFacts("教务 系统")))


def test_further_names_belong_to_the_last_one_they_were_given_to(context: Context) -> None:
    first, second = declare(context), declare(context, replace(ONE, facts=SystemFacts("网站")))
    for one in (first, second):
        with at(context, 1) as transaction:
            add_system_name(transaction, one, "平台")
            transaction.audit("test", "test")
    assert [one.names for one in read_systems(context.database, "school")] == [(), ("平台",)]


def test_systems_of_a_unit_with_a_new_code_open_still(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(context)
    monkeypatch.setattr(Context, "load_seal", lambda _: SEAL)
    changed = set_unit(context, SCHOOL, code="4101000001")
    assert isinstance(changed, Unit)
    (read,) = read_systems(context.database, "4101000001", SEAL)
    assert read.persons == PERSONS
    assert read_systems(context.database, "school") == ()


def test_systems_that_cannot_be_opened_keep_the_code(context: Context) -> None:
    declare(context)
    with pytest.raises(StoreError, match="contact key"), at(context, 1) as transaction:
        reseal_systems(transaction, "other", "school", SEAL)


def test_plans_are_read_by_their_begin_until_they_are_withdrawn(context: Context) -> None:
    late = PlannedOffline(0, "school", NOW + timedelta(3), NOW + timedelta(5), "改造", 7)
    soon = PlannedOffline(0, "school", NOW, NOW + timedelta(1), "检修", 0, (ip_network("10.0.0.0/29"),))
    with at(context, 0) as transaction:
        written = [write_offline(transaction, one) for one in (late, soon)]
        transaction.audit("test", "test")
    assert read_offline(context.database, "school") == (written[1], written[0])
    assert (soon.is_on(NOW), late.is_on(NOW)) == (True, False)
    with at(context, 1) as transaction:
        withdraw_offline(transaction, written[1].id)
        transaction.audit("test", "test")
    assert read_offline(context.database, "school") == (written[0],)
