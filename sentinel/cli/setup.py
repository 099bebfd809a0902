"""`init` makes a home, `doctor` says what the machine can and cannot do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_note, print_table
from sentinel.cli.scope import AUTHORISE
from sentinel.cli.session import DatabaseOption, JsonOption, choose_home, read_database, read_settings
from sentinel.errors import UsageError
from sentinel.model.moment import local_date
from sentinel.model.unit import UnitLevel

if TYPE_CHECKING:
    from sentinel.model.scope import Authorisation
    from sentinel.model.unit import Unit
    from sentinel.schedule.enrolment import Enrolment


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("init")(init)
    app.command("doctor")(doctor)


def init(
    unit: Annotated[
        str | None, typer.Option("--unit", help="单位名称；未给 --code 时也作代码；不写则逐题询问", show_default=False)
    ] = None,
    code: Annotated[str | None, typer.Option("--code", help="10 位学校（机构）标识码", show_default=False)] = None,
    level: Annotated[str, typer.Option(help="层级：province、city、county、school、department")] = "school",
    network: Annotated[
        list[str] | None,
        typer.Option("--network", help="网段，如 '服务器区 10.1.0.0/24'；可写多次", show_default=False),
    ] = None,
    exit_: Annotated[
        list[str] | None,
        typer.Option("--exit", help="出口，如 '教育网出口 203.0.113.0/28'；可写多次", show_default=False),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="授权人或部门", show_default=False)] = "",
    document: Annotated[
        str, typer.Option("--document", help="授权文件的文号；写了才登记授权", show_default=False)
    ] = "",
    until: Annotated[str, typer.Option("--until", help="授权截止日期，默认 180 天后", show_default=False)] = "",
    scan_level: Annotated[
        str, typer.Option("--scan-level", help="授权层级：discover、service 或 check，默认 service", show_default=False)
    ] = "",
    contact: Annotated[str, typer.Option("--contact", help="网络安全联系人姓名", show_default=False)] = "",
    phone: Annotated[str, typer.Option("--phone", help="联系人电话", show_default=False)] = "",
    mail: Annotated[str, typer.Option("--mail", help="联系人邮箱", show_default=False)] = "",
    classified: Annotated[
        str, typer.Option("--classified", help="涉密：none 没有；kept-out 有，已排除在外", show_default=False)
    ] = "",
    keep_out: Annotated[
        list[str] | None, typer.Option("--keep-out", help="必须排除的地址；可写多次", show_default=False)
    ] = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """新建数据目录。不写 --unit 时逐题询问；写了则不提问。都不发送报文。"""
    home, wanted_level, where = choose_home(), read_level(level), read_database(database)
    more = (network, exit_, by, document, until, scan_level, contact, phone, mail, classified, keep_out)
    if unit is None:
        if code or any(more):
            raise UsageError("--unit: needed beside the other answers; without any option sentinel asks")
        one = _ask(home, wanted_level)
    else:
        from sentinel.cli.enrol import read_options

        one = read_options(
            _read_unit(unit, code, wanted_level),
            networks=network or [],
            exits=exit_ or [],
            by=by,
            document=document,
            until=until,
            level=scan_level,
            contact=(contact, phone, mail),
            classified=classified,
            keep_out=keep_out or [],
        )
    _found(home, one, as_json, where)


def _read_unit(unit: str, code: str | None, level: UnitLevel) -> Unit:
    from sentinel.model.unit import Unit

    name = unit.strip()
    for text, option in ((name, "--unit"), (code or name, "--code")):
        if not text or not text.isprintable():
            raise UsageError(f"{option}: needs printable text")
    return Unit(code or name, name, level)


def _ask(home: Path, level: UnitLevel) -> Enrolment:
    from sentinel.cli.enrol import interview
    from sentinel.store.home import require_free

    require_free(home)
    one = interview(level)
    if one is None:
        print_note("已放弃，未建立任何内容。")
        raise typer.Exit(UsageError.status)
    return one


def _found(home: Path, one: Enrolment, as_json: bool, database: str) -> None:
    """Make the home, and the papers where more than a name was answered."""
    from sentinel.schedule.enrolment import found_home

    enrolled = found_home(home, one, read_settings, database)
    words: dict[str, object] = {"home": str(home), "unit": enrolled.unit.code, "name": enrolled.unit.name}
    papers = _write_papers(home, enrolled.unit) if one.is_more_than_a_name else ()
    if as_json:
        if one.is_more_than_a_name:
            words["networks"] = len(one.all_networks)
            words["authorisation"] = enrolled.authorisation.id if enrolled.authorisation else None
            words["papers"] = [str(paper) for paper in papers]
        print_json(words)
        return
    print_line(f"已建立数据目录 {home}，单位 {enrolled.unit.name}。")
    if not one.is_more_than_a_name:
        print_line("下一步：导入已有结果 `sentinel import FILE`，或登记扫描授权 `sentinel scope authorise`。")
        return
    _tell_authorisation(one, enrolled.authorisation)
    if papers:
        print_line(f"文书（含联系电话，仅本人可读，不进备份）：{papers[0].parent}")
        print_line(f"  {'、'.join(paper.name for paper in papers)}")
    print_line("下一步：导入已有结果 `sentinel import FILE…`，再看 `sentinel brief`；更改答案 `sentinel unit show`。")


def _write_papers(home: Path, unit: Unit) -> tuple[Path, ...]:
    from sentinel.schedule.context import open_context
    from sentinel.schedule.papers import write_papers

    with open_context(home, read_settings(home)) as context:
        return write_papers(context, unit)


def _tell_authorisation(one: Enrolment, stored: Authorisation | None) -> None:
    if stored:
        until = local_date(stored.valid_to)
        print_line(
            f"已登记扫描授权 {stored.id}：{len(stored.targets)} 处网段，至 {until}，每秒至多 {stored.rate_pps} 个报文。"
        )
    elif one.document:
        print_line("未登记扫描授权：还没有可探测的网段。登记网段后：")
        print_line(f"  {AUTHORISE}")
    else:
        print_line("未登记扫描授权，不发送任何报文。授权书签字盖章后：")
        print_line(f"  {AUTHORISE}")


def read_level(text: str) -> UnitLevel:
    """Read a unit level.

    Raises:
        UsageError: it is none.
    """
    try:
        return UnitLevel(text)
    except ValueError as error:
        raise UsageError(f"no such level: {text!r} ({', '.join(UnitLevel)})") from error


def doctor(as_json: JsonOption = False) -> None:
    """检查本机与数据目录：缺什么、有何影响、如何补上。"""
    from sentinel.schedule.checkup import examine

    home = choose_home()
    checked = examine(home)
    if as_json:
        for one in checked:
            print_json({"name": one.name, "state": one.state, "detail": one.detail, "remedy": one.remedy})
    else:
        marks = {"ok": "正常", "limited": "受限", "missing": "缺少"}
        print_table(
            "本机检查",
            ("项目", "状态", "说明", "补救"),
            [(one.name, marks[one.state], one.detail, one.remedy) for one in checked],
        )
    for one in checked:
        if one.error is not None:
            raise one.error
