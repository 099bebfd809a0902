"""Two people at once, on both kinds of database: one of them wins, the other is told in one line, nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from sentinel.errors import ParseError, StoreError, UsageError
from sentinel.model.assignment import Act, Assignment, AssignmentKind
from sentinel.model.facts import Period
from sentinel.model.notice import Notice
from sentinel.model.order import RectificationOrder
from sentinel.model.publication import Mapping, Publication, PublicationState
from sentinel.model.register import Person
from sentinel.model.rule import Severity
from sentinel.model.system import SystemStep
from sentinel.model.unit import Unit, UnitLevel
from sentinel.model.whitelist_request import RequestState, RequestStep
from sentinel.schedule.assignments import Doing, do_assignment, issue_assignment, require_assignment
from sentinel.schedule.closing import Proof, require_finding, retest_finding, settle_finding
from sentinel.schedule.context import Context
from sentinel.schedule.declaring import add_exit, add_keep_out, change_declared, withdraw_exit
from sentinel.schedule.drafting import draft_whitelist
from sentinel.schedule.freezing import freeze
from sentinel.schedule.identifying import identify_unit, merge_assets, undo_decision
from sentinel.schedule.notices import add_notice
from sentinel.schedule.orders import choose_findings, issue_order
from sentinel.schedule.publishing import declare_publication, import_publications
from sentinel.schedule.register import import_entries
from sentinel.schedule.register_import import import_register
from sentinel.schedule.requests import approve_request, check_request, choose_request, end_request, make_request
from sentinel.schedule.reviewing import ReviewOptions, apply_review
from sentinel.schedule.system_store import gather_systems, join_names, take_step
from sentinel.schedule.telling import Telling, add_finding
from sentinel.schedule.unit_import import import_units
from sentinel.schedule.upkeep import end_offline, plan_offline
from sentinel.store.asset_decisions import read_decisions
from sentinel.store.closings import read_closings
from sentinel.store.declared import end_contact, read_contacts, verify_contact, write_contact
from sentinel.store.findings import read_findings
from sentinel.store.home import Home
from sentinel.store.notices import read_notices
from sentinel.store.publications import read_publications
from sentinel.store.scopes import read_whitelist
from sentinel.store.systems import read_systems
from sentinel.store.unit_tree import move_unit, rename_unit
from sentinel.store.units import find_unit, write_unit
from sentinel.store.whitelist_requests import read_requests
from tests.homes import NOW, SCHOOL, Clock, opened
from tests.schedule.nmapfile import HostRow, NmapRun, give, host
from tests.schedule.test_requests import APPROVAL, WANTED
from tests.schedule.test_reviewing import as_advised, fill
from tests.store.conftest import BACKENDS, made_home

DAY = timedelta(days=1)
HANG_S = 60
PERIOD = Period(NOW - 52 * DAY, NOW - 22 * DAY, "2026-10")
Does = Callable[[Context], object]


@dataclass
class Two:
    """Two people at one home, each with a connection."""

    home: Home
    one: Context
    other: Context

    def cross(self, slower: Does, faster: Does | None = None) -> object:
        """Let the second person do something, the first one something whole between her reading and her writing."""
        engine = self.other.database.engine
        begin, done = engine.begin, []

        def after_the_first() -> None:
            if not done:
                done.append((faster or slower)(self.one))
            begin()

        engine.begin = after_the_first  # type: ignore[method-assign]
        try:
            return slower(self.other)
        finally:
            engine.begin = begin  # type: ignore[method-assign]
            assert done, "the second person did not write at all"


@pytest.fixture(params=BACKENDS)
def two(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with made_home(tmp_path / "home", request.param) as home:
        clock = Clock()
        with opened(home.path, clock, home.server) as one, opened(home.path, clock, home.server) as other:
            yield Two(home, replace(one, actor="one"), replace(other, actor="other"))


def tell(context: Context, subject: str = "10.0.0.1", **more: object) -> str:
    return add_finding(context, SCHOOL, Telling(subject, "弱口令", Severity.HIGH, **more))[0].number  # type: ignore[arg-type]


# What was read before stays as it was read: the second person holds it in her hand.


def test_request_when_approved_by_two_is_approved_once(two: Two) -> None:
    made = make_request(two.one, SCHOOL, replace(WANTED, valid_from=NOW))
    approval = replace(APPROVAL, despite="急用")
    with pytest.raises(UsageError, match=r"^申请-2026-0001 is approved: approve needs one that is submitted$"):
        two.cross(lambda context: approve_request(context, SCHOOL, made, approval))
    assert len(read_whitelist(two.one.database, SCHOOL.code)) == 2, "its port and its name, once"


def test_request_when_returned_by_one_is_not_checked_or_approved_by_the_other(two: Two) -> None:
    made = make_request(two.one, SCHOOL, replace(WANTED, valid_from=NOW))
    sent_back: Does = lambda context: end_request(context, made, RequestStep.RETURN, "缺材料")  # noqa: E731
    with pytest.raises(UsageError, match="is returned: check needs"):
        two.cross(lambda context: check_request(context, SCHOOL, made), sent_back)
    assert choose_request(two.one, SCHOOL, made.number).state is RequestState.RETURNED


def test_request_that_replaces_another_when_that_was_withdrawn_meanwhile_is_refused(two: Two) -> None:
    first = make_request(two.one, SCHOOL, replace(WANTED, valid_from=NOW))
    end_request(two.one, first, RequestStep.RETURN, "缺材料")
    again = replace(WANTED, valid_from=NOW, replaces=first.number)

    def blind(context: Context) -> None:
        with context.database.transaction("one", NOW) as transaction:
            transaction.execute("UPDATE whitelist_request SET state='withdrawn' WHERE id=?", (first.id,))
            transaction.audit("test", "request")

    with pytest.raises(UsageError, match="is withdrawn, not returned"):
        two.cross(lambda context: make_request(context, SCHOOL, again), blind)


def test_draft_when_two_apply_it_makes_each_entry_once(two: Two, tmp_path: Path) -> None:
    give(two.one, NmapRun((host(1, p80="nginx", p22="ssh"),), finished=NOW))
    path = tmp_path / "draft.xlsx"
    draft_whitelist(two.one, SCHOOL, path)
    reviewed = fill(path, as_advised)
    with pytest.raises(UsageError, match=r"^line 1 of draft 1 was decided by somebody else meanwhile; nothing was"):
        two.cross(lambda context: apply_review(context, SCHOOL, reviewed, ReviewOptions()))
    entries = read_whitelist(two.one.database, SCHOOL.code)
    assert len(entries) == len({one.origin for one in entries}) == 2


def test_sheet_when_two_import_it_adds_each_entry_once(two: Two, tmp_path: Path) -> None:
    path = tmp_path / "white.csv"
    path.write_text("IP地址,端口\n10.0.0.1,80\n10.0.0.2,443\n", encoding="utf-8")
    done = two.cross(lambda context: import_entries(context, SCHOOL, path, "网信办", NOW))
    assert (len(done.added), done.known) == (0, 2)  # type: ignore[attr-defined]
    assert len(read_whitelist(two.one.database, SCHOOL.code)) == 2


FORM = Assignment(0, "", AssignmentKind.FORM, SCHOOL.code, "信息办", "图书馆", "填报资产", NOW + 9 * DAY)


def test_assignment_when_one_withdraws_it_the_other_s_reply_is_refused(two: Two) -> None:
    known = issue_assignment(two.one, SCHOOL, FORM)
    withdraw: Does = lambda context: do_assignment(context, known, Doing(Act.WITHDRAW, "作废"))  # noqa: E731
    with pytest.raises(UsageError, match=r"^任务-2026-0001 "):
        two.cross(lambda context: do_assignment(context, known, Doing(Act.REPLY, "已报")), withdraw)
    assert require_assignment(two.one, known.number).replies == 0


def test_assignment_when_two_escalate_it_counts_both(two: Two) -> None:
    known = issue_assignment(two.one, SCHOOL, FORM)
    two.cross(lambda context: do_assignment(context, known, Doing(Act.ESCALATE, "未答复", to="教育局")))
    assert require_assignment(two.one, known.number).escalations == 2


def test_finding_when_two_note_a_passed_re_test_one_of_them_is_kept(two: Two) -> None:
    known = require_finding(two.one, tell(two.one))
    with pytest.raises(UsageError, match=r"^隐患-2026-00001 is verified: there is nothing to re-test$"):
        two.cross(lambda context: retest_finding(context, known, Proof(by="信息办"), passed=True))
    assert len(read_closings(two.one.database, known.id)) == 1


def test_finding_when_two_close_it_as_its_issuer_it_is_closed_once(two: Two) -> None:
    known = require_finding(two.one, tell(two.one, notice="通 1", issuer="教育局"))
    with pytest.raises(UsageError, match="is closed by its issuer already"):
        two.cross(lambda context: settle_finding(context, known, Proof(note="已核实")))
    assert len(read_closings(two.one.database, known.id)) == 1


def test_findings_when_two_order_them_stand_in_one_order(two: Two) -> None:
    tell(two.one)

    def order(context: Context) -> RectificationOrder:
        (choice,) = choose_findings(context, SCHOOL, ())
        ids = tuple(one.id for one in choice.findings)
        draft = RectificationOrder(0, "", SCHOOL.code, "信息办", "教务处", NOW, NOW + DAY, ids)
        return issue_order(context, draft, choice.findings)

    with pytest.raises(UsageError, match=r"^隐患-2026-00001 became in_rectification meanwhile; nothing was issued"):
        two.cross(order)
    assert two.one.database.one("SELECT count(*) FROM rectification_order") == (1,)


def test_notice_not_known_when_two_tell_of_it_is_entered_once(two: Two) -> None:
    subjects = iter(("10.0.0.1", "10.0.0.2"))
    two.cross(
        lambda context: tell(context, next(subjects), notice="通 1", issuer="教育局"),
        lambda context: tell(context, "10.0.0.9", notice="通 1", issuer="教育局"),
    )
    assert [one.number for one in read_notices(two.one.database, SCHOOL.code)] == ["通 1"]
    assert len(list(read_findings(two.one.database, [SCHOOL.code]))) == 2


def test_notice_when_two_enter_it_is_refused_the_second_time(two: Two) -> None:
    draft = Notice(0, SCHOOL.code, "通 1", "教育局", "弱口令")
    with pytest.raises(UsageError, match="通 1"):
        two.cross(lambda context: add_notice(context, SCHOOL, draft))
    assert len(list(read_notices(two.one.database, SCHOOL.code))) == 1


def register(context: Context, tmp_path: Path, rows: str = "门户,10.0.0.1\n旧站,10.0.0.9\n") -> None:
    file = tmp_path / "register.csv"
    file.write_text(f"系统名称,IP地址\n{rows}", encoding="utf-8")
    import_register(context, SCHOOL, file, NOW)


def test_systems_when_two_gather_them_are_drafted_once(two: Two, tmp_path: Path) -> None:
    register(two.one, tmp_path)
    with two.one.database.transaction("tester", NOW) as transaction:
        transaction.execute("DELETE FROM system_version")
        transaction.execute("DELETE FROM system_event")
        transaction.execute("DELETE FROM system")
        transaction.audit("test", "systems")
    two.cross(lambda context: gather_systems(context, SCHOOL, NOW, dry_run=False))
    names = [one.facts.name for one in read_systems(two.one.database, SCHOOL.code)]
    assert sorted(names) == ["旧站", "门户"]


def test_system_when_two_approve_it_is_approved_once_and_a_retired_one_takes_no_names(two: Two, tmp_path: Path) -> None:
    register(two.one, tmp_path)
    gather_systems(two.one, SCHOOL, NOW, dry_run=False)
    number = read_systems(two.one.database, SCHOOL.code)[0].id
    take_step(two.one, SCHOOL, [number], SystemStep.SUBMITTED, NOW)
    with pytest.raises(UsageError, match=rf"^system {number} "):
        two.cross(lambda context: take_step(context, SCHOOL, [number], SystemStep.APPROVED, NOW))
    retire: Does = lambda context: take_step(context, SCHOOL, [number], SystemStep.RETIRED, NOW, "停用")  # noqa: E731
    with pytest.raises(UsageError, match="is retired; join the names to one that runs"):
        two.cross(lambda context: join_names(context, SCHOOL, number, ["别名"], NOW), retire)


def test_plan_to_be_off_when_two_end_it_is_ended_once(two: Two) -> None:
    prefix = ip_network("10.0.0.1/32")
    (plan,) = plan_offline(two.one, SCHOOL, [], [prefix], NOW, NOW + DAY, "检修")
    with pytest.raises(UsageError, match="no such plan: 1"):
        two.cross(lambda context: end_offline(context, SCHOOL, plan.id))


def test_assets_when_two_merge_them_and_two_undo_it_are_decided_once(two: Two) -> None:
    rows = (HostRow("10.0.0.1", ((22, "ssh"),), mac="00:00:5E:00:53:01"), HostRow("10.0.0.2", ((22, "ssh"),)))
    give(two.one, NmapRun(rows, finished=NOW))
    identify_unit(two.one, SCHOOL)
    with pytest.raises(UsageError, match=r"^no such asset: \d; `sentinel asset list` shows them$"):
        two.cross(lambda context: merge_assets(context, SCHOOL, 1, 2, "同一台"))
    (decision,) = read_decisions(two.one.database, SCHOOL.code)
    with pytest.raises(UsageError, match="no such decision in force"):
        two.cross(lambda context: undo_decision(context, SCHOOL, decision.id))


def test_publication_when_two_declare_or_import_it_is_in_force_once(two: Two, tmp_path: Path) -> None:
    mapping = Mapping(ip_address("203.0.113.5"), "tcp", 443, 443, ip_address("10.0.0.5"), 8443)
    wanted = Publication(0, SCHOOL.code, mapping, "hand", "", PublicationState.IN_FORCE, NOW)
    with pytest.raises(UsageError, match="it is in force already"):
        two.cross(lambda context: declare_publication(context, SCHOOL, wanted))
    file = tmp_path / "fw.txt"
    file.write_text("nat server protocol tcp global 203.0.113.6 443 inside 10.0.0.6 8443\n", encoding="utf-8")
    done = two.cross(lambda context: import_publications(context, SCHOOL, file, NOW))
    assert (len(done.added), done.known) == (0, 1)  # type: ignore[attr-defined]
    assert len(read_publications(two.one.database, SCHOOL.code)) == 2


def test_period_when_two_freeze_it_is_frozen_once_and_corrected_by_one(two: Two) -> None:
    two.one.clock.now = NOW  # type: ignore[attr-defined]
    snapshot, made = two.cross(lambda context: freeze(context, SCHOOL, PERIOD))  # type: ignore[misc]
    assert (snapshot.version, made) == (1, False)
    with pytest.raises(UsageError, match="2026-10 was corrected by somebody else meanwhile"):
        two.cross(lambda context: freeze(context, SCHOOL, PERIOD, "补报"))
    assert two.one.database.one("SELECT count(*) FROM snapshot") == (2,)


def test_contact_when_replaced_meanwhile_is_neither_verified_nor_ended(two: Two) -> None:
    def name(context: Context) -> None:
        seal = context.make_seal()
        with context.database.transaction("one", NOW + DAY) as transaction:
            write_contact(transaction, SCHOOL.code, "security", Person("示例甲", "13800000001"), seal)

    name(two.one)
    for step in (verify_contact, end_contact):
        (known,) = read_contacts(two.other.database, SCHOOL.code, two.other.load_seal())

        def act(context: Context, step: Callable[..., None] = step, known: object = known) -> None:
            with context.database.transaction("other", NOW) as transaction:
                step(transaction, known)

        with pytest.raises(UsageError, match="was ended or replaced meanwhile"):
            two.cross(act, name)
    assert len(read_contacts(two.one.database, SCHOOL.code)) == 1


def test_exit_when_two_end_it_is_ended_once(two: Two) -> None:
    add_exit(two.one, SCHOOL, "电信", ["203.0.113.0/28"])
    with pytest.raises(UsageError, match=r"^no exit '电信'"):
        two.cross(lambda context: withdraw_exit(context, SCHOOL, "电信"))


def grow(context: Context) -> dict[str, Unit]:
    """A city, two counties and a school below the first."""
    rows = (
        Unit("city", "示例市", UnitLevel.CITY),
        Unit("east", "东区", UnitLevel.COUNTY, parent="city"),
        Unit("west", "西区", UnitLevel.COUNTY, parent="city"),
        Unit("s1", "一小", UnitLevel.SCHOOL, parent="east"),
    )
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        return {one.code: write_unit(transaction, one) for one in rows}


def test_unit_when_moved_by_one_and_renamed_by_the_other_is_both(two: Two) -> None:
    tree = grow(two.one)

    def move(context: Context) -> None:
        with context.database.transaction("one", NOW) as transaction:
            move_unit(transaction, tree["s1"], tree["west"], NOW, "调整")

    def rename(context: Context) -> None:
        with context.database.transaction("other", NOW) as transaction:
            rename_unit(transaction, tree["s1"], "第一小学", NOW, "更名")

    two.cross(rename, move)
    found = find_unit(two.one.database, "s1")
    assert found is not None
    assert (found.name, found.parent, found.path) == ("第一小学", "west", "city/west/s1")


def test_unit_below_another_when_both_are_moved_at_once_keeps_a_right_path(two: Two) -> None:
    tree = grow(two.one)

    def move(code: str, parent: str) -> Does:
        def act(context: Context) -> None:
            with context.database.transaction("one", NOW, objects=True) as transaction:
                move_unit(transaction, tree[code], tree.get(parent), NOW, "调整")

        return act

    two.cross(move("s1", "west"), move("east", ""))
    assert two.one.database.one("SELECT path FROM unit WHERE code='s1'") == ("city/west/s1",)
    two.cross(move("s1", "east"), move("west", ""))
    assert two.one.database.one("SELECT path FROM unit WHERE code='s1'") == ("east/s1",)


def test_unit_when_two_set_different_fields_keeps_both(two: Two) -> None:
    tree = grow(two.one)
    known = tree["s1"]
    two.cross(
        lambda context: change_declared(context, known, replace(known, region="410102")),
        lambda context: change_declared(context, known, replace(known, name="第一小学")),
    )
    found = find_unit(two.one.database, "s1")
    assert found is not None
    assert (found.name, found.region) == ("第一小学", "410102")


def test_units_when_two_import_them_come_in_once(two: Two, tmp_path: Path) -> None:
    grow(two.one)
    file = tmp_path / "units.csv"
    file.write_text("单位代码,单位名称,层级,上级单位代码\n4101000001,二小,学校,east\n", encoding="utf-8")
    done = two.cross(lambda context: import_units(context, file, NOW))
    assert (len(done.plan.added), done.refused) == (0, [])  # type: ignore[attr-defined]
    assert two.one.database.one("SELECT count(*) FROM unit WHERE code='4101000001'") == (1,)


KEPT = ip_network("10.0.0.0/24")


@pytest.mark.parametrize("what", ["request", "sheet", "register", "draft", "told", "published", "offline", "scan file"])
def test_address_declared_to_stay_out_while_something_of_it_comes_in_stays_out(
    two: Two, tmp_path: Path, what: str
) -> None:
    give(two.one, NmapRun((host(1, p80="nginx"),), finished=NOW))
    sheet, register_, draft = tmp_path / "white.csv", tmp_path / "register.csv", tmp_path / "draft.xlsx"
    sheet.write_text("IP地址,端口\n10.0.0.1,80\n", encoding="utf-8")
    register_.write_text("系统名称,IP地址\n门户,10.0.0.1\n", encoding="utf-8")
    draft_whitelist(two.one, SCHOOL, draft)
    reviewed = fill(draft, as_advised)
    mapping = Mapping(ip_address("203.0.113.5"), "tcp", 443, 443, ip_address("10.0.0.5"), 8443)
    published = Publication(0, SCHOOL.code, mapping, "hand", "", PublicationState.IN_FORCE, NOW)
    comes: dict[str, Does] = {
        "request": lambda context: make_request(context, SCHOOL, replace(WANTED, valid_from=NOW)),
        "sheet": lambda context: import_entries(context, SCHOOL, sheet, "网信办", NOW),
        "register": lambda context: import_register(context, SCHOOL, register_, NOW),
        "draft": lambda context: apply_review(context, SCHOOL, reviewed, ReviewOptions()),
        "told": tell,
        "published": lambda context: declare_publication(context, SCHOOL, published),
        "offline": lambda context: plan_offline(context, SCHOOL, [], [KEPT], NOW, NOW + DAY, "检修"),
        "scan file": lambda context: give(context, NmapRun((host(2, p80="nginx"),), finished=NOW, mark="late")),
    }
    with pytest.raises(ParseError, match="stay out"):
        two.cross(comes[what], lambda context: add_keep_out(context, SCHOOL, (KEPT,)))
    for table in ("whitelist", "whitelist_request", "register", "finding", "publication", "planned_offline"):
        assert two.one.database.one(f"SELECT count(*) FROM {table}") == (0,), table
    assert two.one.database.one("SELECT count(*) FROM run") == (1,)


# Real threads: as many as come at once, each with a connection of its own.


def crowd(two: Two, size: int, act: Callable[[Context, int], object]) -> list[object]:
    """Let some people do the same at the same moment; gives what each got, or the error."""
    start = threading.Barrier(size, timeout=HANG_S)

    def one(number: int) -> object:
        with opened(two.home.path, Clock(), two.home.server) as context:
            start.wait()
            try:
                return act(context, number)
            except (UsageError, StoreError) as error:
                return error

    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(one, range(size), timeout=HANG_S))


def test_numbers_when_many_ask_at_once_are_all_different(two: Two) -> None:
    def ask(context: Context, number: int) -> tuple[str, str, str]:
        made = make_request(context, SCHOOL, replace(WANTED, valid_from=NOW))
        return made.number, issue_assignment(context, SCHOOL, FORM).number, tell(context, f"10.0.0.{number + 1}")

    done = crowd(two, 6, ask)
    assert not [one for one in done if isinstance(one, Exception)]
    for numbers in zip(*done, strict=True):  # type: ignore[arg-type]
        assert len(set(numbers)) == 6
    assert len(read_requests(two.one.database, SCHOOL.code)) == 6


def test_step_when_many_take_it_at_once_is_taken_by_one(two: Two) -> None:
    made = make_request(two.one, SCHOOL, replace(WANTED, valid_from=NOW))
    known = require_finding(two.one, tell(two.one))
    approval = replace(APPROVAL, despite="急用")

    def approve(context: Context, _: int) -> object:
        return approve_request(context, SCHOOL, made, approval)

    def pass_(context: Context, _: int) -> object:
        return retest_finding(context, known, Proof(by="信息办"), passed=True)

    for act in (approve, pass_):
        done = crowd(two, 6, act)
        lost = [one for one in done if isinstance(one, UsageError)]
        assert len(lost) == 5, done
        assert all("\n" not in str(one) for one in lost)


def test_transaction_when_the_server_s_default_is_to_read_the_past_still_reads_what_the_one_before_left(
    tmp_path: Path,
) -> None:
    """Under REPEATABLE READ a transaction would see what was there when it began to wait for its turn."""
    with made_home(tmp_path / "home", "postgresql") as home:
        place = home.server
        assert place is not None
        with psycopg.connect(host=place.host, dbname="postgres", user=place.user, autocommit=True) as raw:
            raw.execute(
                sql.SQL("ALTER DATABASE {} SET default_transaction_isolation='repeatable read'").format(
                    sql.Identifier(place.name)
                )
            )
        with opened(home.path, Clock(), place) as context:
            two = Two(home, context, context)
            done = crowd(two, 6, lambda each, _: issue_assignment(each, SCHOOL, FORM).number)
            assert sorted(map(str, done)) == [f"任务-2026-{number:04d}" for number in range(1, 7)]
