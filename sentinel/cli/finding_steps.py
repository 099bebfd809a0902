"""`finding add`, `finding show`, `finding retest`, `finding close`: told findings, the two closings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.finding import build_finding_words
from sentinel.cli.finding import group as finding_group
from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_choice, read_exercise, read_time
from sentinel.errors import UsageError
from sentinel.model.moment import local_date, local_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sentinel.model.finding import Closing, Disclosure, Finding, FindingSource, SubjectKind
    from sentinel.model.notice import Notice
    from sentinel.model.register import Person
    from sentinel.model.rule import Severity
    from sentinel.schedule.context import Context

ReferenceArgument = Annotated[str, typer.Argument(help="编号（隐患-2026-00001）或序号")]
ByOption = Annotated[str, typer.Option("--by", help="由哪个单位或部门", show_default=False)]
DocumentOption = Annotated[str, typer.Option("--document", help="文号", show_default=False)]
FileOption = Annotated[Path | None, typer.Option("--file", help="依据的文件，留作证据", show_default=False)]
KindOption = Annotated[
    str, typer.Option("--kind", help="对象：endpoint、host、domain、url、system、unit", show_default=False)
]
SourceOption = Annotated[
    str, typer.Option("--source", help="来源：by_hand、outside_notice、upper_scan", show_default=False)
]
DisclosureOption = Annotated[str, typer.Option("--disclosure", help="公开程度：public、internal、restricted")]

MARKED = "（密钥不在本机，不能显示）"
_DUE = {"rule": "规则", "notice": "通报", "order": "整改通知书", "hand": "人工登记"}


def register(_: typer.Typer) -> None:
    """Add the commands to the group of findings."""
    finding_group.command("add")(add)
    finding_group.command("show")(show)
    finding_group.command("retest")(retest)
    finding_group.command("close")(close)


def add(
    subject: Annotated[str, typer.Argument(help="网址、域名、地址、地址:端口；系统或单位另写 --kind")],
    title: Annotated[str, typer.Option("--title", help="是什么问题")],
    severity: Annotated[str, typer.Option("--severity", help="等级：critical、high、medium、low")],
    kind: KindOption = "",
    check: Annotated[str, typer.Option("--check", help="弱点的短名，如 CVE 编号", show_default=False)] = "",
    notice: Annotated[str, typer.Option("--notice", help="外部通报的编号", show_default=False)] = "",
    issuer: Annotated[str, typer.Option("--issuer", help="通报单位，由它销号", show_default=False)] = "",
    source: SourceOption = "",
    reference: Annotated[str, typer.Option("--reference", help="对方的编号", show_default=False)] = "",
    occurred: Annotated[str, typer.Option("--occurred", help="何时发生", show_default=False)] = "",
    discovered: Annotated[str, typer.Option("--discovered", help="对方何时发现", show_default=False)] = "",
    reported: Annotated[str, typer.Option("--reported", help="何时上报", show_default=False)] = "",
    due: Annotated[str, typer.Option("--due", help="整改期限", show_default=False)] = "",
    responsible: Annotated[str, typer.Option("--responsible", help="责任单位或部门", show_default=False)] = "",
    person: Annotated[str, typer.Option("--person", help="责任人，加密保存", show_default=False)] = "",
    phone: Annotated[str, typer.Option("--phone", help="责任人电话，加密保存", show_default=False)] = "",
    disclosure: DisclosureOption = "internal",
    remedy: Annotated[str, typer.Option("--remedy", help="整改建议", show_default=False)] = "",
    detail: Annotated[str, typer.Option("--detail", help="事实", show_default=False)] = "",
    file: FileOption = None,
    exercise: Annotated[str, typer.Option("--exercise", help="演练编号；演练不进统计", show_default=False)] = "",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记一条隐患：人工发现的，或外部通报的；同一问题再次登记仍是同一条。"""
    from sentinel.model.register import Person
    from sentinel.schedule.telling import Telling, add_finding

    moment = _read_moment
    level, origin, about, readers = _read_sets(severity, source, kind, disclosure)
    told = Telling(
        subject=subject,
        title=title,
        severity=level,
        kind=about,
        check=check,
        source=origin,
        notice=notice,
        issuer=issuer,
        reference=reference,
        occurred=moment(occurred, "--occurred"),
        discovered=moment(discovered, "--discovered"),
        reported=moment(reported, "--reported"),
        due=moment(due, "--due"),
        responsible=responsible,
        person=Person(person, phone),
        disclosure=readers,
        remedy=remedy,
        detail=detail,
        file=file,
        exercise=read_exercise(exercise),
    )
    with open_session() as context:
        stored, before = add_finding(context, context.choose_unit(unit), told)
    _tell_added(stored, before, as_json=as_json)


def _read_moment(text: str, option: str) -> datetime | None:
    return read_time(text, option) if text else None


def _read_sets(
    severity: str, source: str, kind: str, disclosure: str
) -> tuple[Severity, FindingSource | None, SubjectKind | None, Disclosure]:
    from sentinel.model.finding import Disclosure, FindingSource, SubjectKind
    from sentinel.model.rule import Severity

    level = read_choice(severity, Severity, "--severity")
    origin = read_choice(source, FindingSource, "--source")
    if level is None:
        raise UsageError("--severity: how bad? critical, high, medium or low")
    if origin in {FindingSource.OWN_SCAN, FindingSource.TRAFFIC}:
        raise UsageError(f"--source: {origin} findings come from judging, not from a person")
    readers = read_choice(disclosure, Disclosure, "--disclosure") or Disclosure.INTERNAL
    return level, origin, read_choice(kind, SubjectKind, "--kind"), readers


def _tell_added(stored: Finding, before: str, *, as_json: bool) -> None:
    if as_json:
        print_json(build_finding_words(stored) | {"before": before or None})
        return
    from sentinel.model.finding import FindingState

    again = before and FindingState(before).is_gone and stored.state.is_live
    what = "此前已复测通过或销号，再次报告，重新打开" if again else "是已有的隐患，已补记" if before else "已登记"
    print_line(f"{stored.number} {what}：{stored.title_zh}，{_state(stored)}。")
    print_line(f"下一步：sentinel finding show {stored.number}")


def show(
    reference: ReferenceArgument,
    reveal: Annotated[bool, typer.Option("--show", help="显示责任人全文，并记入审计")] = False,
    as_json: JsonOption = False,
) -> None:
    """显示一条隐患的全部内容：来源、时间、责任、通报与通知书、两次关闭、经过。"""
    from sentinel.schedule.closing import require_finding

    with open_session() as context:
        finding = require_finding(context, reference)
        history = _read_history(context, finding)
        if reveal and history.person is not None and not history.person.is_nobody:
            with context.database.transaction(context.actor, context.clock()) as transaction:
                transaction.audit("finding.show_person", f"finding {finding.number}")
    person = history.person if reveal or history.person is None else history.person.masked
    if as_json:
        print_json(build_finding_words(finding) | _history_words(history, person))
        return
    print_table(
        f"{finding.number}：{finding.title_zh}",
        ("项目", "内容"),
        [*_lines(finding, person), *_history_lines(history)],
        f"sentinel finding retest {finding.number} --passed" if finding.state.is_live else "sentinel finding list",
    )


@dataclass(frozen=True, slots=True)
class _History:
    """What is kept beside a finding."""

    person: Person | None
    notices: tuple[Notice, ...]
    orders: tuple[str, ...]
    closings: tuple[Closing, ...]
    files: tuple[str, ...]
    events: tuple[tuple[datetime, str, str, str, str], ...]


def _read_history(context: Context, finding: Finding) -> _History:
    from sentinel.store.closings import read_closings, read_finding_evidence, read_finding_person
    from sentinel.store.finding_pages import read_events
    from sentinel.store.notices import read_notices_of
    from sentinel.store.orders import read_orders_of

    database = context.database
    return _History(
        read_finding_person(database, finding, context.load_seal()),
        read_notices_of(database, finding.id),
        read_orders_of(database, finding.id),
        read_closings(database, finding.id),
        read_finding_evidence(database, finding.id),
        read_events(database, finding.id),
    )


def _history_words(history: _History, person: Person | None) -> dict[str, object]:
    return {
        "person": {"name": person.name, "phone": person.phone, "mail": person.mail} if person else None,
        "notices": [{"number": one.number, "issuer": one.issuer} for one in history.notices],
        "orders": list(history.orders),
        "files": list(history.files),
        "closings": [
            {
                "kind": one.kind,
                "passed": one.passed,
                "at": one.at,
                "by": one.by,
                "evidence": one.evidence or None,
                "document": one.document or None,
                "note": one.note or None,
                "actor": one.actor,
            }
            for one in history.closings
        ],
        "events": [
            {"at": at, "actor": actor, "before": before or None, "after": after, "reason": reason}
            for at, actor, before, after, reason in history.events
        ],
    }


def _lines(one: Finding, person: Person | None) -> Iterator[tuple[str, str]]:
    from sentinel.report.words import term

    yield "等级", term(one.severity).zh
    yield "状态", _state(one)
    yield "对象", f"{one.key.subject}（{term(one.kind).zh}）"
    yield "来源", term(one.source).zh + (f"，{one.reference}" if one.reference else "")
    for name, moment in (
        ("发生", one.occurred),
        ("发现", one.discovered or one.first_seen),
        ("获知", one.learned),
        ("上报", one.reported),
        ("末次所见", one.last_seen),
    ):
        if moment is not None:
            yield name, local_text(moment)
    yield "期限", f"{local_date(one.due)}{f'（{_due_words(one.due_why)}）' if one.due_why else ''}"
    yield "责任单位", one.responsible or "未填（以台账为准）"
    if person is None:
        yield "责任人", MARKED
    elif not person.is_nobody:
        yield "责任人", " ".join(filter(None, (person.name, person.phone, person.mail)))
    yield "公开程度", term(one.disclosure).zh
    if one.issuer:
        yield "由谁销号", one.issuer
    yield "事实", one.detail or "—"
    yield "整改建议", one.remediation_zh or "—"
    yield "证据", one.evidence or "—"
    if one.exercise:
        yield "演练", f"{one.exercise}（不进统计）"
    if one.why:
        yield "理由", f"{one.why}（{one.by}，至 {local_date(one.until)}）"


def _history_lines(history: _History) -> Iterator[tuple[str, str]]:
    from sentinel.model.finding import ClosingKind
    from sentinel.report.event_words import event_reason

    for notice in history.notices:
        yield "通报", f"{notice.number}（{notice.issuer}）{notice.title}"
    for order in history.orders:
        yield "整改通知书", order
    for sha in history.files:
        yield "附件", sha
    for one in history.closings:
        name = "销号" if one.kind is ClosingKind.ISSUER else "复测通过" if one.passed else "复测未通过"
        parts = (
            local_text(one.at),
            one.by,
            one.document,
            one.note,
            f"证据 {one.evidence[:16]}" if one.evidence else "",
        )
        yield name, "，".join(filter(None, parts))
    for at, actor, before, after, reason in reversed(history.events):
        yield "经过", f"{local_text(at)} {actor}：{_state_word(before)}→{_state_word(after)} {event_reason(reason).zh}"


def retest(
    reference: ReferenceArgument,
    passed: Annotated[bool, typer.Option("--passed", help="复测通过：问题已不存在")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="复测未通过：问题仍在")] = False,
    by: ByOption = "",
    document: DocumentOption = "",
    note: Annotated[str, typer.Option("--note", help="说明", show_default=False)] = "",
    file: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """记下本单位的一次复测；外部通报的隐患通过后待通报单位销号。"""
    from sentinel.schedule.closing import Proof, require_finding, retest_finding

    if passed == failed:
        raise UsageError("say either --passed or --failed")
    with open_session() as context:
        finding = require_finding(context, reference)
        stored = retest_finding(context, finding, Proof(by, document, note, file), passed=passed)
    _tell(stored, as_json=as_json)


def close(
    reference: ReferenceArgument,
    as_issuer: Annotated[bool, typer.Option("--as-issuer", help="确认是通报单位销号")] = False,
    by: ByOption = "",
    document: DocumentOption = "",
    note: Annotated[str, typer.Option("--note", help="理由；没有复测通过而销号时必填", show_default=False)] = "",
    file: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """记下通报单位的销号（第二次关闭），连同由谁、何时、依据。"""
    from sentinel.schedule.closing import Proof, require_finding, settle_finding

    if not as_issuer:
        raise UsageError("--as-issuer: only who issued a finding closes it; a unit re-tests it (`finding retest`)")
    with open_session() as context:
        stored = settle_finding(context, require_finding(context, reference), Proof(by, document, note, file))
    _tell(stored, as_json=as_json)


def _tell(stored: Finding, *, as_json: bool) -> None:
    if as_json:
        print_json(build_finding_words(stored))
    else:
        print_line(f"{stored.number}：{_state(stored)}{f'，由{stored.issuer}销号' if stored.issuer else ''}。")


def _state(one: Finding) -> str:
    from sentinel.report.words import term

    return term(one.state).zh


def _state_word(state: str) -> str:
    from sentinel.model.finding import FindingState
    from sentinel.report.words import term

    return term(FindingState(state)).zh if state in set(FindingState) else state or "无"


def _due_words(why: str) -> str:
    first, _, rest = why.partition(" ")
    return " ".join(filter(None, (_DUE.get(first, first), rest)))
