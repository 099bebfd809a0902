"""`rules`: the rules by which units are judged, looked at, checked and tried."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_note, print_table
from sentinel.cli.session import JsonOption, choose_home, read_settings
from sentinel.cli.trace_words import wrap
from sentinel.errors import Mistake, RuleError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentinel.assess.pack import Pack
    from sentinel.model.rule import Category, Detection, Rule, Subject

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="检测规则与控制目录。")
_LEVELS = {"critical": "严重", "high": "高危", "medium": "中危", "low": "低危", "informational": "提示"}


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="rules")


@group.command("list")
def show(as_json: JsonOption = False) -> None:
    """列出检测规则。"""
    rules = _load().rules
    if as_json:
        for one in rules:
            print_json(_brief(one))
        return
    print_table(
        "检测规则",
        ("名称", "标题", "等级", "对象", "条款"),
        [(one.name, one.zh.title, _LEVELS[one.severity], one.category, "、".join(one.clauses)) for one in rules],
        "sentinel rules show 名称",
    )


def _brief(one: Rule) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "title": one.zh.title,
        "title_en": one.en.title,
        "level": one.severity,
        "category": one.category,
        "clauses": list(one.clauses),
        "high_risk": list(one.high_risk),
        "due_days": one.due_days,
        "file": one.file,
    }


@group.command("show")
def show_one(
    name: Annotated[str, typer.Argument(help="规则名称或 UUID")],
    as_json: JsonOption = False,
) -> None:
    """显示一条规则：判什么、为什么、怎样整改、对应哪些条款。"""
    one = _find(_load(), name)
    if as_json:
        words = {
            "description": one.zh.description,
            "description_en": one.en.description,
            "remediation": one.zh.remediation,
            "remediation_en": one.en.remediation,
            "false_positives": list(one.false_positives),
            "correlates": list(one.correlates),
            "valid_from": one.valid_from.isoformat() if one.valid_from else None,
            "valid_to": one.valid_to.isoformat() if one.valid_to else None,
            "line": one.line,
        }
        print_json(_brief(one) | words)
        return
    due = "无期限" if one.due_days is None else f"{one.due_days} 天"
    rows = [
        ("说明", one.zh.description),
        ("整改", one.zh.remediation),
        ("整改期限", due),
        ("条款", "、".join(one.clauses)),
        ("高风险情形", "、".join(one.high_risk)),
        ("所数的规则", "、".join(one.correlates)),
        ("可能误报", "；".join(one.false_positives)),
        ("文件", f"{one.file}:{one.line}"),
    ]
    print_line(f"{one.name}　{one.zh.title}（{_LEVELS[one.severity]}，{one.category}）")
    for label, text in rows:
        if text:
            for line in wrap(f"  {label}：{text}"):
                print_line(line)


@group.command("test")
def try_rules(
    names: Annotated[list[str] | None, typer.Argument(help="规则名称，默认全部", show_default=False)] = None,
    fields: Annotated[
        str | None, typer.Option("--fields", help='一个对象的字段，JSON，如 {"service": "redis"}', show_default=False)
    ] = None,
    category: Annotated[str, typer.Option("--category", help="该对象的类别")] = "service",
    log: Annotated[Path | None, typer.Option("--log", help="一份 Zeek 日志", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """试用规则：默认运行规则自带的例子，或判一个对象、一份日志；不读数据目录，不留记录。"""
    from datetime import UTC, datetime

    from sentinel.assess.judge import judge

    if fields is not None and log is not None:
        raise UsageError("--fields and --log: give one of them")
    pack = _load()  # every rule's own cases run here; one that fails ends the command with its line
    wanted = {_find(pack, name).name for name in names or ()}
    if fields is None and log is None:
        chosen = [one.name for one in pack.rules if not wanted or one.name in wanted]
        if as_json:
            for name in chosen:
                print_json({"rule": name, "fires": True, "quiet": True})
        else:
            print_line(f"{len(chosen)} 条规则的例子全部符合：应报的报，不应报的不报。")
        return
    subjects = _read_log(log) if log else iter([_read_subject(fields or "", category)])
    count = 0
    for found in judge(pack, subjects, datetime.now(UTC)):
        if not wanted or found.rule.name in wanted:
            count += 1
            _tell(found, as_json)
    if not as_json:
        print_line(f"命中 {count} 次。")


def _load() -> Pack:
    from sentinel.assess.pack import load_pack

    return load_pack(_folders())


def _find(pack: Pack, name: str) -> Rule:
    for one in pack.rules:
        if name in {one.name, one.id}:
            return one
    raise UsageError(f"no rule {name!r}; see `sentinel rules list`")


def _tell(found: Detection, as_json: bool) -> None:
    values = {name: _plain(value) for name, value in found.matched}
    if as_json:
        where = {"rule": found.rule.name, "level": found.rule.severity, "subject": found.subject.text}
        print_json(where | {"matched": values})
    else:
        words = "，".join(f"{name}={value}" for name, value in values.items())
        for line in wrap(f"{found.rule.name}　{found.subject.text}　{words}"[:300]):
            print_line(line)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool) else str(value)


def _read_subject(text: str, name: str) -> Subject:
    from sentinel.assess.fields import FIELDS
    from sentinel.assess.rulecases import read_case
    from sentinel.assess.yamlnodes import Complaints, read_yaml
    from sentinel.model.rule import Subject

    category = _read_category(name)
    complaints = Complaints("--fields")
    node = read_yaml(text.encode("utf-8", "replace"), complaints)  # JSON is YAML
    fields = read_case(node, FIELDS[category], complaints) if node and node.is_mapping else None
    if fields is None:
        reason = complaints.found[0].message if complaints.found else "no object of fields"
        raise UsageError(f"--fields: {reason}")
    return Subject(category, "", 0, "对象", fields)


def _read_category(name: str) -> Category:
    from sentinel.model.rule import Category

    try:
        return Category(name)
    except ValueError:
        raise UsageError(f"--category: no such category: {name!r} ({', '.join(Category)})") from None


def _read_log(path: Path) -> Iterator[Subject]:
    from sentinel.model.rule import Category, Subject
    from sentinel.observe.unpack import unpack
    from sentinel.observe.zeek_records import read_records

    try:
        stream = path.open("rb")
    except OSError as error:
        raise UsageError(f"--log: {path}: {error.strerror or error}") from error
    with stream:
        for record in read_records(unpack(stream)):
            host = record.fields.get("id.orig_h", "")
            yield Subject(Category.LOG, "", 0, str(host), record.fields, seen_at=record.time)


@group.command("check")
def check_rules(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="规则文件夹，默认自带与设置中的", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """检查规则文件，一次列出全部错误的文件与行号。"""
    from sentinel.assess.pack import check_pack

    mistakes = _check_named(tuple(folders)) if folders else check_pack(_folders())
    for one in mistakes:
        if as_json:
            print_json({"file": one.file, "line": one.line, "rule": one.rule, "message": one.message})
        else:
            print_line(str(one))
    if mistakes:
        print_note(f"sentinel: mistakes in the rules: {len(mistakes)}")
        raise typer.Exit(RuleError.status)
    if not as_json:
        print_line("规则没有错误。下一步：sentinel rules list")


def _check_named(folders: tuple[Path, ...]) -> tuple[Mistake, ...]:
    """Check folders together with the shipped rules, whose clauses and names they may not contradict."""
    from sentinel.assess.pack import check_pack
    from sentinel.config import data_folder

    named = tuple(str(folder) for folder in folders)
    shipped = data_folder("rules")
    if any(folder.resolve() == shipped.resolve() for folder in folders):
        return check_pack(folders)
    return tuple(one for one in check_pack((shipped, *folders)) if one.file.startswith(named))


def _folders() -> tuple[Path, ...]:
    from sentinel.config import data_folder

    settings = read_settings(choose_home())
    return (data_folder("rules"), *(Path(folder) for folder in settings.rules))
