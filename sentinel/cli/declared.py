"""`unit show`, `unit set`, `unit exit`, `unit contact`, `unit keep-out`: the answers of `init`, shown and changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_note, print_table
from sentinel.cli.scope import WhyOption
from sentinel.cli.session import LAST_ROW, JsonOption, UnitOption, open_session
from sentinel.cli.setup import read_level
from sentinel.cli.units import ZONE_WORDS
from sentinel.cli.units import group as unit_group
from sentinel.errors import UsageError
from sentinel.model.moment import local_date

if TYPE_CHECKING:
    from sentinel.model.register import Contact, Exit, KeepOut, Person
    from sentinel.model.unit import Unit
    from sentinel.schedule.context import Context

exits = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="互联网出口与公网地址。")
contacts = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="网络安全联系人，加密保存。")
keep_outs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="必须排除的地址：不探测，也不导入。")

LEVEL_WORDS = {"province": "省", "city": "市", "county": "县", "school": "学校", "department": "二级单位"}
STATES = {"none": "没有", "kept_out": "有，已排除在外"}
_OTHER = {"none": "kept-out", "kept_out": "none", "": "none|kept-out"}
MARKED = "（密钥不在本机，不能显示）"


def register(_: typer.Typer) -> None:
    """Add the commands of this group."""
    unit_group.command("show")(show)
    unit_group.command("set")(change)
    unit_group.add_typer(exits, name="exit")
    unit_group.add_typer(contacts, name="contact")
    unit_group.add_typer(keep_outs, name="keep-out")


def show(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """显示建立时的全部答案，以及更改每一项的命令。"""
    with open_session() as context:
        owner = context.choose_unit(unit)
        rows = list(_read_answers(context, owner))
    if as_json:
        for name, value, command in rows:
            print_json({"name": name, "value": value, "command": command})
        return
    print_table(owner.name, ("项目", "现值", "更改"), rows, "sentinel import FILE…；sentinel brief")


def _read_answers(context: Context, owner: Unit) -> Iterator[tuple[str, str, str]]:
    """Give each answer with the command that changes it."""
    from sentinel.schedule.answers import place_list
    from sentinel.schedule.enrolment import CLASSIFIED
    from sentinel.store.declared import read_answers, read_contacts, read_exits, read_keep_outs
    from sentinel.store.units import read_networks

    answers = read_answers(context.database, owner.code)
    yield "名称", owner.name, "sentinel unit set --name 名称"
    yield "代码", owner.code, "sentinel unit set --code 代码"
    yield "层级", LEVEL_WORDS[owner.level], "sentinel unit set --level school"
    yield "属地", owner.region or "未填", "sentinel unit set --region 代码"
    for network in read_networks(context.database, owner.code):
        places = place_list(network.prefixes) or "其余地址"
        words = f"{network.name}（{ZONE_WORDS[network.zone]}）{places} {'可探测' if network.scannable else '只看日志'}"
        yield (
            "网段",
            words,
            "sentinel unit network 名称 网段 --zone 区域" if network.prefixes else "sentinel unit networks",
        )
    for one in read_exits(context.database, owner.code):
        yield "出口", f"{one.name} {place_list(one.prefixes)}", "sentinel unit exit add 名称 地址"
    yield from _read_authority(context, owner, answers)
    contacts = read_contacts(context.database, owner.code, context.load_seal())
    yield "联系人", "；".join(_masked(one.person) for one in contacts) or "未登记", "sentinel unit contact set"
    yield (
        "涉密",
        STATES.get(answers.get(CLASSIFIED, ""), "未答"),
        f"sentinel unit keep-out answer {_OTHER.get(answers.get(CLASSIFIED, ''), 'none')}",
    )
    kept = read_keep_outs(context.database, owner.code)
    yield "排除", f"{len(kept)} 条" if kept else "没有", "sentinel unit keep-out add 地址"


def _read_authority(context: Context, owner: Unit, answers: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    from sentinel.schedule.enrolment import AUTHORITY
    from sentinel.store.scopes import read_authorisations

    now = context.clock()
    held = [one for one in read_authorisations(context.database, owner.code) if one.is_valid(now)]
    for row in held:
        words = f"{row.id}：{row.by}，{row.document}，至 {local_date(row.valid_to)}"
        yield "授权", words, f"sentinel scope withdraw {row.id} --why 理由"
    if not held:
        by = answers.get(AUTHORITY)
        yield "授权", f"没有有效授权{f'（{by}待签）' if by else ''}", "sentinel scope authorise 网段 …"


def change(
    name: Annotated[str | None, typer.Option("--name", help="单位名称", show_default=False)] = None,
    code: Annotated[str | None, typer.Option("--code", help="代码；已有的记录随之更改", show_default=False)] = None,
    level: Annotated[
        str | None, typer.Option("--level", help="层级：province、city、county、school、department", show_default=False)
    ] = None,
    region: Annotated[str | None, typer.Option("--region", help="所在地代码（属地）", show_default=False)] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """更改单位的名称、代码、层级或属地。"""
    from sentinel.schedule.declaring import set_unit

    if name is code is level is region is None:
        raise UsageError("nothing to change: give --name, --code, --level or --region")
    for text, option in ((name, "--name"), (code, "--code")):
        if text is not None and not (text.strip() and text.isprintable()):
            raise UsageError(f"{option}: needs printable text")
    with open_session() as context:
        owner = context.choose_unit(unit)
        changed = set_unit(
            context,
            owner,
            name=name.strip() if name else None,
            code=code.strip() if code else None,
            level=read_level(level) if level else None,
            region=region,
        )
    if as_json:
        words = {"code": changed.code, "name": changed.name, "level": changed.level, "region": changed.region}
        print_json(words)
    else:
        print_line(f"已更改：{changed.name}（{changed.code}），{LEVEL_WORDS[changed.level]}。")


@exits.command("add")
def add_exit(
    name: Annotated[str, typer.Argument(help="出口名称，如 教育网出口")],
    addresses: Annotated[list[str], typer.Argument(help="公网地址或网段")],
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记或更改一个出口；其公网地址成为 DMZ 网络。"""
    from sentinel.schedule.answers import place_list
    from sentinel.schedule.declaring import add_exit as add

    with open_session() as context:
        stored = add(context, context.choose_unit(unit), name, addresses)
    if as_json:
        print_json(_exit_words(stored))
    else:
        print_line(f"已登记出口 {stored.name}：{place_list(stored.prefixes)}。")


@exits.command("list")
def list_exits(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出出口。"""
    from sentinel.schedule.answers import place_list
    from sentinel.store.declared import read_exits

    with open_session() as context:
        found = read_exits(context.database, context.choose_unit(unit).code)
    if as_json:
        for one in found:
            print_json(_exit_words(one))
        return
    rows = [(one.name, place_list(one.prefixes)) for one in found]
    print_table("出口", ("名称", "公网地址"), rows, "sentinel unit exit add 名称 地址")


@exits.command("withdraw")
def withdraw_exit(
    name: Annotated[str, typer.Argument(help="出口名称")], unit: UnitOption = None, as_json: JsonOption = False
) -> None:
    """撤销一个出口及为它登记的网络。"""
    from sentinel.schedule.declaring import withdraw_exit as withdraw

    with open_session() as context:
        ended = withdraw(context, context.choose_unit(unit), name)
    if as_json:
        print_json(_exit_words(ended) | {"withdrawn": True})
    else:
        print_line(f"已撤销出口 {ended.name}。")


def _exit_words(one: Exit) -> dict[str, object]:
    return {"unit": one.unit, "name": one.name, "prefixes": [str(prefix) for prefix in one.prefixes]}


@contacts.command("set")
def set_contact(
    name: Annotated[str | None, typer.Option("--name", help="姓名；不写则询问", show_default=False)] = None,
    phone: Annotated[str, typer.Option("--phone", help="电话", show_default=False)] = "",
    mail: Annotated[str, typer.Option("--mail", help="邮箱", show_default=False)] = "",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记或更换联系人；不写选项时询问，免得号码留在命令历史中。"""
    from sentinel.cli.enrol import ask_person, read_person
    from sentinel.schedule.enrolment import SECURITY
    from sentinel.store.declared import write_contact

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
            stored = write_contact(transaction, owner.code, SECURITY, person, seal)
        key = context.key_file
    if as_json:
        print_json(_contact_words(stored, shown=False))
    else:
        print_line(f"已登记联系人 {_masked(stored.person)}。密钥须与数据目录分开保管：")
        print_line(f"  {key}")


@contacts.command("list")
def list_contacts(
    unit: UnitOption = None,
    reveal: Annotated[bool, typer.Option("--show", help="显示全文，并记入审计")] = False,
    as_json: JsonOption = False,
) -> None:
    """列出联系人；默认遮盖。"""
    from sentinel.store.declared import read_contacts

    with open_session() as context:
        owner = context.choose_unit(unit)
        found = read_contacts(context.database, owner.code, context.load_seal())
        if reveal and found:
            with context.database.transaction(context.actor, context.clock()) as transaction:
                for one in found:
                    transaction.audit("contact.show", f"contact {one.id} of unit {owner.code}")
    if as_json:
        for one in found:
            print_json(_contact_words(one, shown=reveal))
        return
    rows = []
    for one in found:
        person = _person(one.person, shown=reveal)
        cells = (person.name, person.phone, person.mail) if person else (MARKED, "", "")
        rows.append(("网络安全", *cells, local_date(one.verified)))
    heads = ("职责", "姓名", "电话", "邮箱", "核实")
    print_table("联系人", heads, rows, "sentinel unit contact verify", empty="sentinel unit contact set")


@contacts.command("verify")
def verify(unit: UnitOption = None) -> None:
    """确认联系人仍然有效。"""
    from sentinel.store.declared import verify_contact

    with open_session() as context:
        owner = context.choose_unit(unit)
        found = _require_contacts(context, owner)
        with context.database.transaction(context.actor, context.clock()) as transaction:
            for one in found:
                verify_contact(transaction, one)
    print_line("已核实联系人。")


@contacts.command("end")
def end(unit: UnitOption = None) -> None:
    """撤销联系人，姓名与号码随即删除。"""
    from sentinel.store.declared import end_contact

    with open_session() as context:
        owner = context.choose_unit(unit)
        found = _require_contacts(context, owner)
        with context.database.transaction(context.actor, context.clock()) as transaction:
            for one in found:
                end_contact(transaction, one)
    print_line("已撤销联系人。下一步：sentinel unit contact set")


def _require_contacts(context: Context, owner: Unit) -> tuple[Contact, ...]:
    from sentinel.store.declared import read_contacts

    found = read_contacts(context.database, owner.code)
    if not found:
        raise UsageError(f"{owner.name} has no contact; `sentinel unit contact set` enters one")
    return found


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


@keep_outs.command("add")
def add_keep_out(
    addresses: Annotated[list[str], typer.Argument(help="地址或网段，如 10.9.0.0/24")],
    why: Annotated[str, typer.Option("--why", help="理由，不写内容细节")] = "按保密规定排除",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记必须排除的地址；地图中已有的随即移出。"""
    from sentinel.schedule.answers import place_list, read_places
    from sentinel.schedule.declaring import add_keep_out as add

    try:
        places = read_places(" ".join(addresses))
    except ValueError as error:
        raise UsageError(f"addresses: {error}") from error
    with open_session() as context:
        stored, gone = add(context, context.choose_unit(unit), places, why.strip())
    if as_json:
        words = {"hosts_removed": gone.hosts, "lines_withdrawn": gone.lines, "entries_withdrawn": gone.entries}
        print_json(_keep_out_words(stored) | words | {"findings_closed": gone.findings})
        return
    print_line(f"已登记排除 {stored.id}：{place_list(stored.prefixes)}。对此后的探测与导入立即生效。")
    if any((gone.hosts, gone.lines, gone.entries, gone.findings)):
        print_note(
            f"地图中的 {gone.hosts} 台主机已移出；撤下台账 {gone.lines} 条、白名单 {gone.entries} 条，"
            f"隐患 {gone.findings} 条已隐去地址。"
        )
        print_note("此前导入的原始证据、审计、已出的文书与备份中可能仍有它们，请按保密规定处理。")


@keep_outs.command("list")
def list_keep_outs(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出必须排除的地址。"""
    from sentinel.schedule.answers import place_list
    from sentinel.store.declared import read_keep_outs

    with open_session() as context:
        found = read_keep_outs(context.database, context.choose_unit(unit).code)
    if as_json:
        for one in found:
            print_json(_keep_out_words(one))
        return
    rows = [(one.id, place_list(one.prefixes), one.reason) for one in found]
    hint = "sentinel unit keep-out withdraw 编号 --why 理由"
    print_table("必须排除的地址", ("编号>", "地址", "理由"), rows, hint, empty="sentinel unit keep-out add 地址")


@keep_outs.command("withdraw")
def withdraw_keep_out(
    number: Annotated[int, typer.Argument(help="编号", min=1, max=LAST_ROW)],
    why: WhyOption,
    unit: UnitOption = None,
) -> None:
    """撤销一条排除。"""
    from sentinel.schedule.declaring import withdraw_keep_out as withdraw

    if not why.strip():
        raise UsageError("--why: may not be empty")
    with open_session() as context:
        withdraw(context, context.choose_unit(unit), number, why.strip())
    print_line(f"已撤销排除 {number}。没有授权，仍不发送报文。")


@keep_outs.command("answer")
def answer(
    state: Annotated[str, typer.Argument(help="none 没有涉密；kept-out 有，已排除在外")], unit: UnitOption = None
) -> None:
    """更改涉密一问的答案。"""
    from sentinel.cli.enrol import read_classified
    from sentinel.schedule.enrolment import CLASSIFIED
    from sentinel.store.declared import read_keep_outs, write_answer

    try:
        wanted = read_classified(state)
    except ValueError as error:
        raise UsageError(f"state: {error}") from error
    with open_session() as context:
        owner = context.choose_unit(unit)
        if wanted == "none" and read_keep_outs(context.database, owner.code):
            raise UsageError("addresses are declared to stay out; withdraw them first (`sentinel unit keep-out list`)")
        with context.database.transaction(context.actor, context.clock()) as transaction:
            write_answer(transaction, owner.code, CLASSIFIED, wanted)
    print_line(f"涉密：{STATES[wanted]}。")


def _keep_out_words(one: KeepOut) -> dict[str, object]:
    prefixes = [str(prefix) for prefix in one.prefixes]
    return {"id": one.id, "unit": one.unit, "prefixes": prefixes, "reason": one.reason}
