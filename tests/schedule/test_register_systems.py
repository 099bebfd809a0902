"""Information systems out of sheets people keep: what is read, what is named, what is kept out, what falls due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from sentinel.errors import ParseError, UsageError
from sentinel.inventory.systems import lines_of
from sentinel.model.register import KeepOut, Person
from sentinel.model.system import InformationSystem, SystemState, SystemStep
from sentinel.schedule.context import Context
from sentinel.schedule.facts import read_period, read_unit_facts
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.keep_out import build_kept_out
from sentinel.schedule.owners import read_owners
from sentinel.schedule.register_forms import write_marked_copy, write_template
from sentinel.schedule.register_import import RegisterImport, import_register
from sentinel.schedule.removal import remove_told
from sentinel.schedule.system_store import gather_systems, join_names, rename, take_step
from sentinel.schedule.upkeep import end_offline, plan_offline
from sentinel.store.declared import write_keep_out
from sentinel.store.findings import read_findings
from sentinel.store.offline import read_offline
from sentinel.store.register import read_register
from sentinel.store.systems import read_former_names, read_systems
from tests.homes import NOW, SCHOOL, Clock, opened

HEAD = (
    "系统名称,IP地址,端口,责任部门,分管领导,领导电话,管理员,联系电话,业务信息安全等级,系统服务等级,"
    "等保备案号,测评时间,符合率,ICP备案号,密评"
)
GOOD = (
    "教务系统,10.1.0.5,443,教务处,示例甲,0371-60000001,示例乙,13800000001,二级,第三级(S2A3),４１０１００１２３４５－０００１２,"
    "2026.5.20,82.5%,豫ICP备12345678号-1,已通过"
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def context(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with opened(tmp_path / "home", clock) as context:
        yield context


def give(
    context: Context, path: Path, *rows: str, head: str = HEAD, code: str = "utf-8", **more: object
) -> RegisterImport:
    path.write_bytes(("\n".join((head, *rows)) + "\n").encode(code))
    return import_register(context, SCHOOL, path, context.clock(), **more)  # type: ignore[arg-type]


def systems(context: Context) -> tuple[InformationSystem, ...]:
    return read_systems(context.database, SCHOOL.code, context.load_seal())


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return tmp_path / "系统台账.csv"


@pytest.mark.parametrize("code", ["utf-8", "gb18030", "utf-8-sig"])
def test_foreign_sheet_with_columns_of_systems_declares_them_beside_its_lines(
    context: Context, sheet: Path, code: str
) -> None:
    done = give(context, sheet, GOOD, code=code)
    assert (done.refused, done.passed_over, len(done.added)) == ([], [], 1)
    (one,) = systems(context)
    facts = one.facts
    assert (facts.name, facts.department, facts.business_level, facts.service_level) == ("教务系统", "教务处", 2, 3)
    assert (facts.filing, facts.assessed_on, facts.assessment_rate) == ("41010012345-00012", date(2026, 5, 20), 82.5)
    assert (facts.icp, facts.crypto) == ("豫ICP备12345678号-1", "已通过")
    assert one.persons is not None
    assert one.persons.leader == Person("示例甲", "0371-60000001")
    assert one.persons.administrator == Person("示例乙", "13800000001")
    assert one.state is SystemState.DRAFT
    assert done.stored is not None
    assert done.stored.added == ["教务系统"]


def test_foreign_sheet_without_such_columns_declares_no_system(context: Context, sheet: Path) -> None:
    done = give(context, sheet, "教务系统,10.1.0.5", head="系统名称,IP地址")
    assert (len(done.added), systems(context)) == (1, ())


def test_foreign_row_with_a_bad_cell_is_taken_without_it_and_strictly_not_at_all(context: Context, sheet: Path) -> None:
    bad = GOOD.replace("二级", "六级")
    done = give(context, sheet, bad)
    assert [(cell.column, cell.row) for cell in done.passed_over] == [("I", 2)]
    assert (done.refused, len(done.added), systems(context)[0].facts.business_level) == ([], 1, None)
    strict = give(context, sheet.with_name("b.csv"), bad.replace("教务", "学工"), strict=True)
    assert [(cell.column, cell.row) for cell in strict.refused] == [("I", 2)]
    assert (strict.added, len(systems(context))) == ((), 1)


def test_rows_of_one_system_become_one_and_what_differs_is_named(context: Context, sheet: Path) -> None:
    second = "教务 系统,10.1.0.6,443,信息中心,,,,,,,,,,,"
    done = give(context, sheet, GOOD, second)
    assert len(done.added) == 2
    assert [(cell.row, cell.column, cell.reason) for cell in done.passed_over] == [
        (3, "D", "says otherwise than row 2, which counts")
    ]
    (one,) = systems(context)
    assert one.facts.department == "教务处"


@pytest.mark.parametrize(
    ("title", "bad", "words"),
    [
        ("等保级别", "二级", "not the higher"),
        ("等保备案号", "=A1", "a formula without a stored value"),
        ("测评时间", "2027-01-01", "still to come"),
        ("符合率", "-3", "no rate"),
        ("密评", "做过", "none of 未开展"),
        ("是否专家评审", "可能", "neither yes nor no"),
        ("上级系统", "教务系统", "the system itself"),
        ("上级系统", "没有", ""),
        ("个人信息条数", "1.2万", ""),
        ("个人信息条数", "3.5", "no whole number"),
        ("教育app备案号", "教APP备4100001号", ""),
        ("数据等级", "重要数据", ""),
        ("定级时间", "2025年3月", ""),
        ("定级时间", "2025-03-01 至 2025-04-01", "two dates"),
    ],
)
def test_cell_of_a_system_is_read_or_named(context: Context, sheet: Path, title: str, bad: str, words: str) -> None:
    done = give(context, sheet, f"教务系统,三级,{bad}", head=f"系统名称,业务信息等级,{title}", strict=True)
    assert [(cell.row, cell.column) for cell in done.refused] == ([(2, "C")] if words else [])
    assert all(words in cell.reason and bad not in cell.reason for cell in done.refused)


def test_sheet_read_again_changes_nothing_and_a_change_sends_an_approved_one_back(
    context: Context, sheet: Path, clock: Clock
) -> None:
    give(context, sheet, GOOD)
    number = systems(context)[0].id
    take_step(context, SCHOOL, [number], SystemStep.SUBMITTED, clock())
    take_step(context, SCHOOL, [number], SystemStep.APPROVED, clock())
    clock.now += timedelta(days=1)
    same = give(context, sheet, GOOD)
    assert same.stored is not None
    assert (same.stored.known, systems(context)[0].state) == (1, SystemState.APPROVED)
    less = give(context, sheet, "教务系统,10.1.0.5,三级", head="系统名称,IP地址,业务信息等级")
    assert less.stored is not None
    assert less.stored.changed == ["教务系统"]
    (one,) = systems(context)
    assert (one.state, one.facts.business_level, one.facts.filing) == (SystemState.DRAFT, 3, "41010012345-00012")
    assert one.persons is not None
    assert one.persons.leader.name == "示例甲", "what a foreign sheet does not say stays"


def test_template_with_a_blank_cell_withdraws_what_was_declared(context: Context, tmp_path: Path) -> None:
    path = tmp_path / "登记表.xlsx"
    write_template(path, NOW)

    def fill(**cells: object) -> RegisterImport:
        book = load_workbook(path)
        page = book["信息系统"]
        for title, value in cells.items():
            column = next(cell.column for cell in page[1] if str(cell.value).rstrip("*") == title)
            page.cell(2, column).value = value
        book.save(path)
        return import_register(context, SCHOOL, path, NOW)

    assert fill(系统名称="教务系统", 责任部门="教务处", 是否涉密="否").refused == []
    assert fill(责任部门=None, 服务范围="全校").refused == []
    (one,) = systems(context)
    assert (one.facts.department, one.facts.scope) == ("", "全校")


def test_template_as_it_is_written_declares_nothing_of_its_examples(context: Context, tmp_path: Path) -> None:
    write_template(tmp_path / "登记表.xlsx", NOW)
    done = import_register(context, SCHOOL, tmp_path / "登记表.xlsx", NOW)
    assert (done.rows, done.lines, done.systems, done.refused) == (0, (), (), [])
    assert done.is_template


def test_merged_cells_name_the_second_row_and_a_formula_with_a_value_counts_by_it(
    context: Context, tmp_path: Path
) -> None:
    book = Workbook()
    page = book.worksheets[0]
    for row in (("系统名称", "IP地址", "业务信息等级"), ("教务系统", "10.1.0.5", "二级"), (None, "10.1.0.6", "=B9")):
        page.append(row)
    page.merge_cells("A2:A3")
    book.create_sheet("说明").append(["这里没有表头"])
    book.save(tmp_path / "台账.xlsx")
    done = import_register(context, SCHOOL, tmp_path / "台账.xlsx", NOW)
    assert [line.system for line in done.added] == ["教务系统", "教务系统"]
    assert [(cell.sheet, cell.row, cell.column) for cell in done.passed_over] == [("Sheet", 3, "C")]
    assert [one.facts.business_level for one in systems(context)] == [2]


@pytest.mark.parametrize(("title", "word"), [("是否涉密", "是"), ("密级", "秘密"), ("涉密等级", "机密")])
def test_file_with_a_row_that_says_it_is_classified_is_refused_whole(
    context: Context, sheet: Path, title: str, word: str
) -> None:
    with pytest.raises(ParseError, match=r"holds 1 row that says it is classified") as caught:
        give(context, sheet, "网站,10.1.0.4,否", f"某系统,10.1.0.5,{word}", head=f"系统名称,IP地址,{title}")
    assert "某系统" not in str(caught.value)
    assert read_register(context.database, SCHOOL.code) == ()
    assert not give(context, sheet, "网站,10.1.0.4,否", "乙,10.1.0.6,", head=f"系统名称,IP地址,{title}").refused


@pytest.mark.parametrize("column", ["服务器所在地", "互动栏目", "备注"])
def test_file_with_an_address_that_must_stay_out_is_refused_whatever_the_column(
    context: Context, sheet: Path, column: str
) -> None:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_keep_out(transaction, KeepOut(0, SCHOOL.code, (ip_network("10.9.0.0/24"),), "涉密"))
    with pytest.raises(ParseError, match="declared to stay out"):
        give(context, sheet, "教务系统,二级,机房 10.9.0.7", head=f"系统名称,业务信息等级,{column}")
    assert systems(context) == ()


def test_plan_for_addresses_that_must_stay_out_is_refused_and_taken_out_later(context: Context) -> None:
    prefix = ip_network("10.9.0.0/24")
    plan_offline(context, SCHOOL, (), [prefix], NOW, NOW + timedelta(days=1), "检修")
    kept = build_kept_out([prefix])
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_keep_out(transaction, KeepOut(0, SCHOOL.code, (prefix,), "涉密"))
        remove_told(transaction, SCHOOL, kept)
    assert read_offline(context.database, SCHOOL.code) == ()
    with pytest.raises(ParseError, match="declared to stay out"):
        plan_offline(context, SCHOOL, (), [prefix], NOW, NOW + timedelta(days=1), "检修")


def test_plan_needs_an_end_ahead_a_reason_and_something_to_be_off(context: Context) -> None:
    prefix = [ip_network("10.1.0.0/24")]
    with pytest.raises(UsageError, match="is over"):
        plan_offline(context, SCHOOL, (), prefix, NOW - timedelta(days=2), NOW - timedelta(days=1), "检修")
    with pytest.raises(UsageError, match="--why"):
        plan_offline(context, SCHOOL, (), prefix, NOW, NOW + timedelta(days=1), " ")
    with pytest.raises(UsageError, match="name systems"):
        plan_offline(context, SCHOOL, (), (), NOW, NOW + timedelta(days=1), "检修")
    with pytest.raises(UsageError, match="no such plan: 7"):
        end_offline(context, SCHOOL, 7)


def test_marked_copy_of_a_foreign_sheet_shows_what_was_left_out_of_rows_that_were_taken(
    context: Context, sheet: Path, tmp_path: Path
) -> None:
    done = give(context, sheet, GOOD.replace("二级", "六级").replace("443", "99999"), "坏行,10.1.0.999" + "," * 13)
    assert write_marked_copy(context, SCHOOL, done, tmp_path / "b.xlsx", NOW) == 2
    page = load_workbook(tmp_path / "b.xlsx")["台账"]
    assert page["I2"].comment.text.endswith("（该行已登记，此格未用）")
    assert page["B3"].comment.text.startswith("IP地址：不是地址")
    book = load_workbook(tmp_path / "b.xlsx")
    book["台账"]["C2"], book["台账"]["I2"], book["台账"]["B3"] = "443", "二级", "10.1.0.99"
    book.save(tmp_path / "b.xlsx")
    (first,) = done.added
    mended = import_register(context, SCHOOL, tmp_path / "b.xlsx", NOW)
    assert ([line.id for line in mended.withdrawn], mended.why, len(mended.added)) == ([first.id], "mended", 2)
    assert [line.source for line in read_register(context.database, SCHOOL.code)] == ["b.xlsx", "b.xlsx"]
    again = import_register(context, SCHOOL, tmp_path / "b.xlsx", NOW)
    assert (again.added, again.withdrawn, again.known) == ((), (), 2)
    nothing = give(context, sheet.with_name("c.csv"), "网站,10.1.0.7" + "," * 13)
    assert write_marked_copy(context, SCHOOL, nothing, tmp_path / "c.xlsx", NOW) == 0
    assert not (tmp_path / "c.xlsx").exists()


def test_lines_are_gathered_into_drafts_once_with_what_they_agree_on(context: Context, sheet: Path) -> None:
    head = "系统名称,IP地址,责任部门,责任人,启用日期"
    rows = (
        "教务系统,10.1.0.5,教务处,示例甲,2024-03-01",
        "教务 系统,10.1.0.6,教务处,示例甲,2023-03-01",
        "网站,10.1.0.7,党办,,",
        "网站,10.1.0.8,网信办,,",
        ",10.1.0.9,,,",
    )
    give(context, sheet, *rows, head=head)
    assert len(gather_systems(context, SCHOOL, NOW, dry_run=True)) == 2
    assert systems(context) == ()
    gather_systems(context, SCHOOL, NOW, dry_run=False)
    first, second = systems(context)
    assert (first.facts.name, first.facts.department, first.facts.live_on) == ("教务系统", "教务处", date(2023, 3, 1))
    assert first.persons is not None
    assert first.persons.administrator == Person("示例甲")
    assert (second.facts.department, second.has_persons) == ("", False)
    assert gather_systems(context, SCHOOL, NOW, dry_run=False) == ()


def test_name_of_another_system_cannot_be_joined(context: Context, sheet: Path) -> None:
    give(context, sheet, "教务系统,二级", "网站,二级", head="系统名称,业务信息等级")
    first, second = (one.id for one in systems(context))
    assert join_names(context, SCHOOL, first, ["教务平台"], NOW).names == ("教务平台",)
    with pytest.raises(UsageError, match=f"is the name of system {second}"):
        join_names(context, SCHOOL, first, ["网 站"], NOW)
    with pytest.raises(UsageError, match="no such system: 99"):
        join_names(context, SCHOOL, 99, ["x"], NOW)


def test_step_that_one_of_several_cannot_take_is_taken_by_none(context: Context, sheet: Path) -> None:
    give(context, sheet, "教务系统,二级", "网站,二级", head="系统名称,业务信息等级")
    first, second = (one.id for one in systems(context))
    take_step(context, SCHOOL, [first], SystemStep.SUBMITTED, NOW)
    with pytest.raises(UsageError, match=f"system {second} 网站 is draft"):
        take_step(context, SCHOOL, [first, second], SystemStep.APPROVED, NOW)
    assert [one.state for one in systems(context)] == [SystemState.SUBMITTED, SystemState.DRAFT]


def test_system_not_confirmed_in_time_is_a_finding_until_somebody_does(
    context: Context, sheet: Path, clock: Clock
) -> None:
    give(context, sheet, "教务系统,教务处,二级", head="系统名称,责任部门,业务信息等级")
    number = systems(context)[0].id

    def live() -> list[tuple[str, str]]:
        judge_unit(context, SCHOOL)
        found = read_findings(context.database, [SCHOOL.code])
        return [(one.key.rule, one.key.subject) for one in found if one.state.is_live and "register." in one.key.rule]

    assert live() == []
    clock.now += timedelta(days=181)
    assert live() == [("register.confirmation-overdue", "教务系统")]
    (finding,) = [one for one in read_findings(context.database, [SCHOOL.code]) if "register." in one.key.rule]
    assert read_owners(context, SCHOOL).department(finding.key.subject) == "教务处"
    take_step(context, SCHOOL, [number], SystemStep.CONFIRMED, clock())
    assert live() == []
    clock.now += timedelta(days=181)
    assert len(live()) == 1
    take_step(context, SCHOOL, [number], SystemStep.RETIRED, clock(), "取代")
    assert live() == [], "what runs no more need not be confirmed"


def test_filing_that_ends_is_a_finding(context: Context, sheet: Path) -> None:
    give(
        context,
        sheet,
        "甲,二级,2023-11-01,2026-11-21",
        "乙,二级,2023-11-01,2026-12-21",
        "丙,二级,2026-11-01,2029-11-01",
        head="系统名称,业务信息等级,备案时间,备案有效期至",
    )
    judge_unit(context, SCHOOL)
    found = {(one.key.rule, one.key.subject) for one in read_findings(context.database, [SCHOOL.code])}
    assert {one for one in found if one[0].startswith("register.")} == {
        ("register.filing-expired", "甲"),
        ("register.filing-expires", "乙"),
    }


def test_facts_of_a_unit_fill_lines_from_their_systems_and_tell_how_all_stands(context: Context, sheet: Path) -> None:
    give(context, sheet, GOOD)
    facts = read_unit_facts(context, SCHOOL, read_period(None, context.clock()))
    assert [one.facts.name for one in facts.systems] == ["教务系统"]
    assert [(one.kind.value, one.mark.state.value) for one in facts.places] == [
        ("system", "not_checked"),
        ("line", "not_checked"),
    ]
    assert facts.standing.lines[0].entry.mlps_level == "三级"


def test_system_when_renamed_is_found_by_its_old_name_which_is_dated(
    context: Context, sheet: Path, clock: Clock
) -> None:
    give(context, sheet, GOOD)
    (one,) = systems(context)
    later = NOW + timedelta(days=5)
    renamed, before = rename(context, SCHOOL, one.id, "智慧教务", "升级", later)
    assert (before, renamed.facts.name, renamed.names) == ("教务系统", "智慧教务", ("教务系统",))
    assert read_former_names(context.database, SCHOOL.code) == {one.id: (("教务系统", later),)}
    (then,) = read_systems(context.database, SCHOOL.code, at=later - timedelta(days=1))
    assert (then.facts.name, then.names) == ("教务系统", ())
    (now,) = systems(context)
    assert now.persons == one.persons, "sealed anew for the new version"
    assert replace(now.facts, name=one.facts.name) == one.facts
    assert len(lines_of(now, read_register(context.database, SCHOOL.code), systems(context))) == 1
    clock.now = later
    done = give(context, sheet.with_name("旧名.csv"), GOOD.replace("10.1.0.5", "10.1.0.6").replace("教务处", "信息办"))
    assert done.stored is not None
    assert (done.stored.added, done.stored.changed) == ([], ["智慧教务"])
    assert gather_systems(context, SCHOOL, later, dry_run=True) == ()
    back, _ = rename(context, SCHOOL, one.id, "教务系统", "", later + timedelta(days=1))
    assert (back.facts.name, back.names) == ("教务系统", ("智慧教务",))
    assert [name for name, _ in read_former_names(context.database, SCHOOL.code)[one.id]] == ["教务系统", "智慧教务"]


def test_system_when_renamed_keeps_the_numbers_of_its_findings(context: Context, sheet: Path, clock: Clock) -> None:
    give(context, sheet, "教务系统,教务处,三级", head="系统名称,责任部门,业务信息等级")
    judge_unit(context, SCHOOL)
    before = {one.number: one.key.rule for one in read_findings(context.database, [SCHOOL.code]) if one.state.is_live}
    assert before
    rename(context, SCHOOL, systems(context)[0].id, "智慧教务", "", clock())
    judge_unit(context, SCHOOL)
    after = [one for one in read_findings(context.database, [SCHOOL.code]) if one.key.subject == "智慧教务"]
    assert {one.number: one.key.rule for one in after if one.state.is_live} == {
        number: rule for number, rule in before.items() if rule in {one.key.rule for one in after}
    }
    assert not [one for one in read_findings(context.database, [SCHOOL.code]) if one.key.subject == "教务系统"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("网 站", "'网 站' is a name of system 2 网站"),
        ("主页", "'主页' is a name of system 2 网站"),
        ("教务系统", "system 1 is called '教务系统' already"),
        (" ", "a name is 1 to"),
        ("长" * 201, "a name is 1 to"),
    ],
)
def test_system_when_renamed_to_what_is_taken_or_no_name_is_refused(
    context: Context, sheet: Path, name: str, told: str
) -> None:
    give(context, sheet, "教务系统,二级", "网站,二级", head="系统名称,业务信息等级")
    join_names(context, SCHOOL, 2, ["主页"], NOW)
    with pytest.raises(UsageError, match=told):
        rename(context, SCHOOL, 1, name, "", NOW)
    take_step(context, SCHOOL, [1], SystemStep.RETIRED, NOW, "停用")
    with pytest.raises(UsageError, match=r"is retired|a name is"):
        rename(context, SCHOOL, 1, name if name == " " else "新名", "", NOW)
    with pytest.raises(UsageError, match="no such system: 99"):
        rename(context, SCHOOL, 99, "新名", "", NOW)
