"""`register`, the part about information systems: the template, their listing, and their way to approval."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table, trial_words
from sentinel.cli.session import LAST_ROW, JsonOption, PersonsOption, UnitOption, open_session, read_time
from sentinel.errors import UsageError
from sentinel.model.moment import local_date, local_text
from sentinel.model.system import InformationSystem, SystemEvent, SystemPersons, SystemState, SystemStep

if TYPE_CHECKING:
    from sentinel.model.register import Person

_STEPS = {
    SystemStep.DECLARED: "登记",
    SystemStep.CHANGED: "变更",
    SystemStep.SUBMITTED: "提交",
    SystemStep.APPROVED: "审核通过",
    SystemStep.RETURNED: "退回",
    SystemStep.RETIRED: "停用",
    SystemStep.CONFIRMED: "确认",
}
_HIDDEN = frozenset({"cii"})
"""Never told unless asked for: which systems are critical infrastructure is nothing for a listing."""

NumbersArgument = Annotated[list[int], typer.Argument(help="信息系统的编号", min=1, max=LAST_ROW)]
WhyOption = Annotated[str, typer.Option("--why", help="理由", show_default=False)]


def register(group: typer.Typer) -> None:
    """Add these commands to the group `register`."""
    group.command("template")(write_template_file)
    group.command("systems")(show_systems)
    group.command("show")(show_system)
    group.command("gather")(gather)
    group.command("join")(join)
    group.command("rename")(rename_system)
    group.command("submit")(submit)
    group.command("approve")(approve)
    group.command("return")(send_back)
    group.command("retire")(retire)
    group.command("confirm")(confirm)


def write_template_file(
    out: Annotated[Path, typer.Option("--out", help="写到哪个 XLSX 文件")],
    force: Annotated[bool, typer.Option("--force", help="覆盖已有的文件")] = False,
) -> None:
    """写出登记表模板：信息系统、主机与域名两张表，附示例与填写说明。"""
    from sentinel.schedule.context import read_clock
    from sentinel.schedule.register_forms import write_template

    if out.suffix.lower() != ".xlsx":
        raise UsageError("--out: name a file that ends in .xlsx")
    if out.exists() and not force:
        raise UsageError(f"--out: {out} is there already; add --force to replace it")
    write_template(out, read_clock())
    print_line(f"已写出 {out}。填好后：sentinel register import {out} --marked 退回.xlsx")


def show_systems(
    unit: UnitOption = None,
    state: Annotated[
        list[SystemState] | None, typer.Option("--state", help="只列此状态的，可重复", show_default=False)
    ] = None,
    department: Annotated[str, typer.Option("--department", help="只列责任部门含此字样的", show_default=False)] = "",
    name: Annotated[str, typer.Option("--name", help="只列名称、别名或曾用名含此字样的", show_default=False)] = "",
    level: Annotated[
        int | None, typer.Option("--level", help="只列此等级的，0 为未定级", min=0, max=5, show_default=False)
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="按此时的登记，默认现在", show_default=False)] = None,
    persons: PersonsOption = False,
    as_json: JsonOption = False,
) -> None:
    """列出登记的信息系统及其状态；责任人遮盖，除非写明 --persons。"""
    from sentinel.model.system import fold_system
    from sentinel.store.systems import read_systems

    moment = read_time(at, "--at") if at else None
    with open_session() as context:
        owner = context.choose_unit(unit)
        systems = read_systems(context.database, owner.code, context.load_seal(), moment)
        found = [
            one
            for one in systems
            if (not state or one.state in state)
            and department.strip() in one.facts.department
            and any(fold_system(name) in fold_system(each) for each in one.all_names)
            and (level is None or (one.facts.level or 0) == level)
        ]
        if persons and found:
            with context.database.transaction(context.actor, context.clock()) as transaction:
                transaction.audit("register.show", f"unit {owner.code}", after={"systems": len(found)})
    if as_json:
        for one in found:
            print_json(build_system_words(one, persons=persons))
        return
    print_systems(f"{owner.name}的信息系统", found, persons=persons)


def print_systems(title: str, found: list[InformationSystem], *, persons: bool = False) -> None:
    """Print systems as a table."""
    from sentinel.report.place_words import system_state

    print_table(
        title,
        ("编号>", "系统名称", "状态", "等级", "等保备案号", "责任部门", "管理员", "最近确认"),
        [
            (
                one.id,
                one.facts.name,
                system_state(one.state).zh,
                level_words(one.facts.level),
                one.facts.filing,
                one.facts.department,
                _person_words(one, persons=persons),
                local_date(one.confirmed_at) if one.confirmed_at else "",
            )
            for one in found
        ],
        "sentinel register show 编号；register submit|approve|confirm 编号",
        empty="sentinel register template --out 登记表.xlsx，或 sentinel register gather",
    )


def address_text(prefix: object) -> str:
    """Write a prefix as people do: of one address without its length."""
    return str(prefix).removesuffix("/32").removesuffix("/128")


def level_words(level: int | None) -> str:
    """Write a level as people do."""
    return f"{'一二三四五'[level - 1]}级" if level else ""


def _person_words(one: InformationSystem, *, persons: bool) -> str:
    if one.persons is None:
        return "（无密钥）"
    shown = one.persons.administrator if persons else one.persons.administrator.masked
    return " ".join(text for text in (shown.name, shown.phone) if text)


def build_system_words(one: InformationSystem, *, persons: bool = False, cii: bool = False) -> dict[str, object]:
    """Write a system as plain values, for JSON; persons are masked, and critical infrastructure is not told."""
    from sentinel.schedule.system_store import told_facts

    told = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in told_facts(one.facts).items()
        if cii or name not in _HIDDEN
    }
    return {
        "id": one.id or None,
        "unit": one.unit,
        "state": one.state.value,
        "level": one.facts.level,
        **told,
        "names": list(one.names),
        "persons": _persons_json(one.persons, persons=persons),
        "declared_at": one.declared_at,
        "confirmed_at": one.confirmed_at,
        "state_at": one.state_at,
        "source": one.source,
        "sheet": one.sheet,
        "row": one.row or None,
    }


def _persons_json(told: SystemPersons | None, *, persons: bool) -> dict[str, object] | None:
    if told is None:
        return None
    shown = told if persons else told.masked
    roles = {"leader": shown.leader, "administrator": shown.administrator, "operator": shown.operator}
    return {role: {"name": one.name, "phone": one.phone, "mail": one.mail} for role, one in roles.items()}


def show_system(
    number: Annotated[int, typer.Argument(help="信息系统的编号", min=1, max=LAST_ROW)],
    unit: UnitOption = None,
    at: Annotated[str | None, typer.Option("--at", help="按此时的登记，默认现在", show_default=False)] = None,
    persons: PersonsOption = False,
    cii: Annotated[bool, typer.Option("--cii", help="也列出是否关键信息基础设施，并记入审计")] = False,
    as_json: JsonOption = False,
) -> None:
    """列出一个信息系统的登记内容、主机与域名、历次步骤。"""
    from sentinel.inventory.systems import lines_of
    from sentinel.store.register import read_register
    from sentinel.store.systems import read_former_names, read_system_events, read_systems

    moment = read_time(at, "--at") if at else None
    with open_session() as context:
        owner = context.choose_unit(unit)
        systems = read_systems(context.database, owner.code, context.load_seal(), moment)
        one = next((system for system in systems if system.id == number), None)
        if one is None:
            raise UsageError(
                f"no such system{' at that time' if at else ''}: {number}; see `sentinel register systems`"
            )
        lines = lines_of(one, read_register(context.database, owner.code), systems)
        former = [
            (name, until)
            for name, until in read_former_names(context.database, owner.code).get(number, ())
            if moment is None or until <= moment
        ]
        events = [
            event
            for event in read_system_events(context.database, owner.code, number)
            if moment is None or event.at <= moment
        ]
        if persons or cii:
            with context.database.transaction(context.actor, context.clock()) as transaction:
                after = {"system": number, "persons": persons, "cii": cii}
                transaction.audit("register.show", f"unit {owner.code}", after=after)
    if as_json:
        places = {
            "addresses": [str(prefix) for line in lines for prefix in line.addresses],
            "domains": [name for line in lines for name in line.domains],
            "lines": [line.id for line in lines],
            "former_names": [{"name": name, "until": until} for name, until in former],
        }
        print_json({**build_system_words(one, persons=persons, cii=cii), **places, "steps": _event_words(events)})
        return
    _print_facts(one, persons=persons, cii=cii)
    if former:
        print_line(f"  曾用名：{'、'.join(f'{name}（至 {local_date(until)}）' for name, until in former)}")
    places_told = [text for line in lines for text in (*map(address_text, line.addresses), *line.domains)]
    print_line(
        f"  主机与域名：{'、'.join(places_told[:12])}{f' 等 {len(places_told)} 个' if len(places_told) > 12 else ''}"
    )
    print_table(
        "历次步骤",
        ("时间", "步骤", "何人", "理由"),
        [(local_text(event.at), _STEPS[event.step], event.actor, event.reason) for event in events],
        "sentinel register submit|approve|return|retire|confirm 编号",
    )


def _event_words(events: list[SystemEvent]) -> list[dict[str, object]]:
    from sentinel.model.moment import iso_utc

    return [{"at": iso_utc(one.at), "step": one.step.value, "actor": one.actor, "reason": one.reason} for one in events]


def _print_facts(one: InformationSystem, *, persons: bool, cii: bool) -> None:
    from sentinel.inventory.filing import filing_province
    from sentinel.report.place_words import system_state
    from sentinel.schedule.system_fields import SYSTEM_FIELDS, TOLD_LEVEL, Kind
    from sentinel.schedule.system_store import told_facts

    told = told_facts(one.facts)
    print_line(f"信息系统 {one.id}　{one.facts.name}（{system_state(one.state).zh}）")
    print_line(f"  等级：{level_words(one.facts.level) or '未定级或未填'}")
    for column in (*SYSTEM_FIELDS, TOLD_LEVEL):
        value = told.get(column.name)
        if column.kind in {Kind.PERSON, Kind.PHONE, Kind.MAIL} or value is None or column.name == "name":
            continue
        if column.name in _HIDDEN and not cii:
            continue
        words = ("是" if value else "否") if isinstance(value, bool) else value
        if column.kind is Kind.LEVEL and isinstance(value, int):
            words = level_words(value)
        if column.kind is Kind.FILING and (province := filing_province(one.facts.filing)):
            words = f"{value}（前两位为{province}，仅供参考）"
        print_line(f"  {column.word}：{words}")
    for role, word in (("leader", "分管领导"), ("administrator", "管理员"), ("operator", "运维联系人")):
        person: Person | None = getattr(one.persons, role) if one.persons else None
        if person is None:
            print_line(f"  {word}：（无密钥）")
        elif not person.is_nobody:
            shown = person if persons else person.masked
            print_line(f"  {word}：{' '.join(text for text in (shown.name, shown.phone, shown.mail) if text)}")
    if one.names:
        print_line(f"  别名：{'、'.join(one.names)}")
    if one.confirmed_at:
        print_line(f"  最近确认：{local_date(one.confirmed_at)}")


def gather(
    unit: UnitOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="试运行：只列出，不登记")] = False,
    as_json: JsonOption = False,
) -> None:
    """把台账条目按系统名称归并，为还没有登记的系统各建一个草稿。"""
    from sentinel.schedule.system_store import gather_systems

    with open_session() as context:
        owner = context.choose_unit(unit)
        found = list(gather_systems(context, owner, context.clock(), dry_run=dry_run))
    if as_json:
        for one in found:
            print_json(build_system_words(one))
        return
    print_systems(f"{'可归并出' if dry_run else '已建草稿'}的信息系统", found)
    if dry_run:
        print_line(trial_words())


def join(
    number: Annotated[int, typer.Argument(help="信息系统的编号", min=1, max=LAST_ROW)],
    names: Annotated[list[str], typer.Argument(help="台账中的其他叫法")],
    unit: UnitOption = None,
) -> None:
    """写明台账中的其他叫法也是这个系统。"""
    from sentinel.schedule.system_store import join_names

    with open_session() as context:
        one = join_names(context, context.choose_unit(unit), number, names, context.clock())
    print_line(f"{one.facts.name} 又称：{'、'.join(one.names)}。")


def rename_system(
    number: Annotated[int, typer.Argument(help="信息系统的编号", min=1, max=LAST_ROW)],
    name: Annotated[str, typer.Argument(help="新的名称")],
    why: WhyOption = "",
    unit: UnitOption = None,
) -> None:
    """给信息系统改名，自现在起；原名留作曾用名，按原名仍能查到和导入。"""
    from sentinel.schedule.persons import hide_persons
    from sentinel.schedule.system_store import rename

    with open_session() as context:
        one, before = rename(
            context, context.choose_unit(unit), number, name, hide_persons(why.strip()), context.clock()
        )
    print_line(f"{one.id} 原名{before}，现名{one.facts.name}。下一步：sentinel register show {one.id}")


def _step(numbers: list[int], unit: str | None, step: SystemStep, why: str = "") -> None:
    from sentinel.report.place_words import system_state
    from sentinel.schedule.persons import hide_persons
    from sentinel.schedule.system_store import take_step

    if step in {SystemStep.RETURNED, SystemStep.RETIRED} and not why.strip():
        raise UsageError("--why: may not be empty")
    with open_session() as context:
        owner = context.choose_unit(unit)
        done = take_step(context, owner, numbers, step, context.clock(), hide_persons(why.strip()))
    for one in done:
        print_line(f"{one.id} {one.facts.name}：{_STEPS[step]}，现为{system_state(one.state).zh}。")


def submit(numbers: NumbersArgument, unit: UnitOption = None, why: WhyOption = "") -> None:
    """提交草稿或已退回的信息系统，等待审核。"""
    _step(numbers, unit, SystemStep.SUBMITTED, why)


def approve(numbers: NumbersArgument, unit: UnitOption = None, why: WhyOption = "") -> None:
    """审核通过已提交的信息系统。"""
    _step(numbers, unit, SystemStep.APPROVED, why)


def send_back(
    numbers: NumbersArgument, why: Annotated[str, typer.Option("--why", help="退回的理由")], unit: UnitOption = None
) -> None:
    """退回已提交或已审核的信息系统。"""
    _step(numbers, unit, SystemStep.RETURNED, why)


def retire(
    numbers: NumbersArgument, why: Annotated[str, typer.Option("--why", help="停用的理由")], unit: UnitOption = None
) -> None:
    """停用信息系统；其主机若仍应答，核对时列为登记过期仍在用。"""
    _step(numbers, unit, SystemStep.RETIRED, why)


def confirm(numbers: NumbersArgument, unit: UnitOption = None, why: WhyOption = "") -> None:
    """确认信息系统的登记内容现在仍然属实（动态更新）。"""
    _step(numbers, unit, SystemStep.CONFIRMED, why)
