"""`unit contact`: whom to call at a unit and for what; sealed at rest, masked unless asked, verified now and then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session
from sentinel.errors import UsageError
from sentinel.model.moment import local_date
from sentinel.model.register import ContactRole, parse_role

if TYPE_CHECKING:
    from sentinel.model.register import Contact, Person
    from sentinel.model.unit import Unit
    from sentinel.schedule.context import Context

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="网络安全联系人等，加密保存。")

MARKED = "（密钥不在本机，不能显示）"
MAX_DAYS = 36_500
_ROLES = (
    "security 网络安全联系人、head 网络安全负责人、leader 分管领导、technical 技术联系人、general 联系人、duty 值班"
)

RoleOption = Annotated[str | None, typer.Option("--role", help=f"职责：{_ROLES}", show_default=False)]


@group.command("set")
def set_contact(
    name: Annotated[str | None, typer.Option("--name", help="姓名；不写则询问", show_default=False)] = None,
    phone: Annotated[str, typer.Option("--phone", help="电话", show_default=False)] = "",
    mail: Annotated[str, typer.Option("--mail", help="邮箱", show_default=False)] = "",
    role: RoleOption = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记或更换一种职责的联系人，默认网络安全联系人；不写选项时询问，免得号码留在命令历史中。"""
    from sentinel.cli.enrol import ask_person, read_person
    from sentinel.store.declared import write_contact

    task = _read_role(role) or ContactRole.SECURITY
    if name is None and (phone or mail):
        raise UsageError("--phone, --mail: need --name; without any option sentinel asks")
    try:
        person = ask_person() if name is None else read_person(name, phone, mail)
    except ValueError as error:
        raise UsageError(f"--name: {error}") from error
    if person.is_nobody:
        raise UsageError("a contact needs a name; `sentinel unit contact end` ends one")
    with open_session() as context:
        owner = context.choose_unit(unit)
        seal = context.make_seal()
        with context.database.transaction(context.actor, context.clock()) as transaction:
            stored = write_contact(transaction, owner.code, task.value, person, seal)
        key = context.key_file
    if as_json:
        print_json(_contact_words(stored, shown=False))
    else:
        print_line(f"已登记{task.zh} {_masked(stored.person)}。密钥须与数据目录分开保管：")
        print_line(f"  {key}")


@group.command("list")
def list_contacts(
    unit: UnitOption = None,
    role: RoleOption = None,
    stale: Annotated[
        int | None,
        typer.Option(
            "--stale",
            help="只列超过这么多天未核实的；不写 --unit 时列出全部单位的",
            min=0,
            max=MAX_DAYS,
            show_default=False,
        ),
    ] = None,
    reveal: Annotated[bool, typer.Option("--show", help="显示全文，并记入审计")] = False,
    as_json: JsonOption = False,
) -> None:
    """列出联系人；默认遮盖。"""
    task = _read_role(role)
    with open_session() as context:
        found = [one for one in _read(context, unit, stale) if task is None or one.role == task]
        if reveal and found:
            with context.database.transaction(context.actor, context.clock()) as transaction:
                for one in found:
                    transaction.audit("contact.show", f"contact {one.id} of unit {one.unit}")
        now = context.clock()
    if as_json:
        for one in found:
            days = {"days_unverified": (now - one.verified).days} if stale is not None else {}
            print_json(_contact_words(one, shown=reveal) | days)
        return
    rows = []
    for one in found:
        person = _person(one.person, shown=reveal)
        cells = (person.name, person.phone, person.mail) if person else (MARKED, "", "")
        rows.append((*((one.unit,) if stale is not None else ()), _role_word(one), *cells, local_date(one.verified)))
    heads = (*(("单位",) if stale is not None else ()), "职责", "姓名", "电话", "邮箱", "核实")
    title = "联系人" if stale is None else f"超过 {stale} 天未核实的联系人"
    print_table(title, heads, rows, "sentinel unit contact verify", empty="sentinel unit contact set")


def _read(context: Context, unit: str | None, stale: int | None) -> tuple[Contact, ...]:
    from sentinel.store.declared import read_contacts, read_stale_contacts

    if stale is None:
        return read_contacts(context.database, context.choose_unit(unit).code, context.load_seal())
    before = context.clock() - timedelta(days=stale)
    owner = context.choose_unit(unit) if unit is not None else None
    return read_stale_contacts(context.database, before, owner, context.load_seal())


@group.command("verify")
def verify(role: RoleOption = None, unit: UnitOption = None) -> None:
    """确认联系人仍然有效；不写 --role 时为该单位的全部联系人。"""
    from sentinel.store.declared import verify_contact

    with open_session() as context:
        owner = context.choose_unit(unit)
        found = _require_contacts(context, owner, role)
        with context.database.transaction(context.actor, context.clock()) as transaction:
            for one in found:
                verify_contact(transaction, one)
    print_line("已核实联系人。")


@group.command("end")
def end(role: RoleOption = None, unit: UnitOption = None) -> None:
    """撤销联系人，姓名与号码随即删除；不写 --role 时为该单位的全部联系人。"""
    from sentinel.store.declared import end_contact

    with open_session() as context:
        owner = context.choose_unit(unit)
        found = _require_contacts(context, owner, role)
        with context.database.transaction(context.actor, context.clock()) as transaction:
            for one in found:
                end_contact(transaction, one)
    print_line("已撤销联系人。下一步：sentinel unit contact set")


def _require_contacts(context: Context, owner: Unit, role: str | None) -> tuple[Contact, ...]:
    from sentinel.store.declared import read_contacts

    task = _read_role(role)
    found = tuple(one for one in read_contacts(context.database, owner.code) if task is None or one.role == task)
    if not found:
        raise UsageError(f"{owner.name} has no such contact; `sentinel unit contact set` enters one")
    return found


def describe_contacts(contacts: Iterable[Contact]) -> str:
    """Write contacts on one line, masked."""
    return "；".join(f"{_role_word(one)} {_masked(one.person)}" for one in contacts)


def _read_role(text: str | None) -> ContactRole | None:
    if text is None:
        return None
    try:
        return parse_role(text)
    except ValueError as error:
        raise UsageError(f"--role: {error}") from error


def _role_word(one: Contact) -> str:
    try:
        return ContactRole(one.role).zh
    except ValueError:
        return one.role


def _person(person: Person | None, *, shown: bool) -> Person | None:
    return person if shown or person is None else person.masked


def _masked(person: Person | None) -> str:
    hidden = _person(person, shown=False)
    return "  ".join(filter(None, (hidden.name, hidden.phone, hidden.mail))) if hidden else MARKED


def _contact_words(one: Contact, *, shown: bool) -> dict[str, object]:
    person = _person(one.person, shown=shown)
    words: dict[str, object] = {"unit": one.unit, "role": one.role}
    words |= {field: getattr(person, field) if person else None for field in ("name", "phone", "mail")}
    return words | {"since": one.since, "verified": one.verified}
