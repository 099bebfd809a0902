"""`attest`: what people answer where no machine can: asked, answered with papers, reviewed by somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_note, print_paragraph, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_choice, read_time
from sentinel.errors import UsageError
from sentinel.model.attestation import Answer, AttestationState
from sentinel.model.moment import local_date, local_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.model.attestation import Attestation
    from sentinel.schedule.attest_sheets import SheetImport
    from sentinel.schedule.attesting import Asked

group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="举证：条款中由人回答的问题，答复、材料、审核与历史。"
)

SystemOption = Annotated[str, typer.Option("--system", help="定级对象的系统名称，默认为单位整体", show_default=False)]
CiiOption = Annotated[bool, typer.Option("--cii", help="也列出关键信息基础设施，默认从不列出")]
UNIT_WORDS = "（单位整体）"
SOME_REFUSED = 3
MOST_TOLD = 50


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="attest")


@group.command("list")
def show_list(
    system: SystemOption = "",
    still: Annotated[bool, typer.Option("--open", help="只列还不算数的：没有答复、待审核、退回、过期、缺材料")] = False,
    cii: CiiOption = False,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """列出各对象要回答的问题与现状；全单位通用的问题列在单位整体下。"""
    from sentinel.schedule.attesting import choose_thing, list_asked, list_things

    with open_session() as context:
        owner = context.choose_unit(unit)
        things = [choose_thing(context, owner, system)] if system else list_things(context, owner, cii=cii)
        found = [one for one in list_asked(context, owner, things) if not (still and one.counts)]
    if as_json:
        for one in found:
            print_json(_asked_words(one))
        return
    print_table(
        "要回答的问题",
        ("对象", "问题", "内容", "答复", "编号>", "现状"),
        [
            (
                one.thing.system or UNIT_WORDS,
                one.question.id,
                one.question.zh,
                _answer_word(one.told),
                one.told.id if one.told else "",
                one.why if one.told else "未答复",
            )
            for one in found
        ],
        "sentinel attest answer 问题 --answer yes --by 部门 --file 材料；sentinel attest review",
    )


@group.command("sheet")
def write(
    out: Annotated[Path, typer.Option("--out", help="写到哪个 XLSX 文件")],
    system: SystemOption = "",
    everything: Annotated[bool, typer.Option("--all", help="单位与全部定级对象写在一张问卷里")] = False,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """写出自查问卷（XLSX），手工填写后用 attest import 读回。"""
    from sentinel.schedule.attest_sheets import write_sheet
    from sentinel.schedule.attesting import choose_thing, list_things

    if system and everything:
        raise UsageError("say either --system or --all")
    with open_session() as context:
        owner = context.choose_unit(unit)
        things = list_things(context, owner) if everything else [choose_thing(context, owner, system)]
        count = write_sheet(context, owner, things, out)
    if as_json:
        print_json({"file": str(out), "unit": owner.code, "system": system, "questions": count})
        return
    print_line(f"已写入 {out}，共 {count} 个问题。填好后：sentinel attest import 文件 --files 材料文件夹")


@group.command("import")
def read_back(
    file: Annotated[Path, typer.Argument(help="填好的自查问卷")],
    files: Annotated[
        Path | None, typer.Option("--files", help="材料所在的文件夹，默认与问卷同一文件夹", show_default=False)
    ] = None,
    marked: Annotated[
        Path | None, typer.Option("--marked", help="把没有读入的行连同原因另存为 XLSX", show_default=False)
    ] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """读回填好的问卷；写错的格逐个指出，其余各行照常读入；同一文件再读一次不增加答复。"""
    from sentinel.schedule.attest_sheets import import_sheet

    with open_session() as context:
        done = import_sheet(context, context.choose_unit(unit), file, files or file.parent, marked)
    if as_json:
        _print_import_json(file, done)
    else:
        _print_import(done, marked)
    if done.refused:
        raise typer.Exit(SOME_REFUSED)


@group.command("answer")
def answer(
    question: Annotated[str, typer.Argument(help="问题编号，如 room.fire")],
    told: Annotated[str, typer.Option("--answer", help="yes 是、partly 部分、no 否、na 不适用（须写 --text）")],
    by: Annotated[str, typer.Option("--by", help="答复部门或岗位，不写姓名")],
    text: Annotated[str, typer.Option("--text", help="说明；不适用时为理由", show_default=False)] = "",
    files: Annotated[list[Path] | None, typer.Option("--file", help="材料，可写多个", show_default=False)] = None,
    until: Annotated[
        str, typer.Option("--until", help="有效到何时，默认为该问题允许的最长期限", show_default=False)
    ] = "",
    system: SystemOption = "",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """回答一个问题；审核通过后才算数，答“是”要附所要求的材料。"""
    from sentinel.schedule.attesting import AnswerDraft, answer_question, choose_thing, find_question

    kind = read_choice(told, Answer, "--answer")
    if kind is None:
        raise UsageError(f"--answer: what is answered? {', '.join(Answer)}")
    end = read_time(until, "--until") if until else None
    with open_session() as context:
        owner = context.choose_unit(unit)
        thing = choose_thing(context, owner, system)
        draft = AnswerDraft(question, kind, text, by, end, files=tuple(files or ()))
        stored = answer_question(context, owner, thing, draft)
        wanted = find_question(context, question).evidence
    if as_json:
        print_json(_told_words(stored, thing.system))
        return
    print_line(f"已记下答复 {stored.id}，有效期至 {local_date(stored.valid_until)}，待审核。")
    if kind is Answer.YES and wanted and not stored.files:
        print_paragraph(f"没有附材料：需要 {wanted}。没有材料的“是”审核通过后仍列为未核查。")
    print_line(f"下一步：由另一人 sentinel attest review {stored.id} --accept --by 部门")


@group.command("review")
def review(
    number: Annotated[int, typer.Argument(help="答复的编号", min=1)],
    by: Annotated[str, typer.Option("--by", help="审核部门或岗位，不写姓名")],
    accept: Annotated[bool, typer.Option("--accept", help="审核通过")] = False,
    give_back: Annotated[bool, typer.Option("--return", help="退回重答")] = False,
    text: Annotated[str, typer.Option("--text", help="意见；退回时必填", show_default=False)] = "",
    same_person: Annotated[
        bool, typer.Option("--same-person", help="只有一个人的单位：答复与审核为同一人，记录在案")
    ] = False,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """审核一个答复：通过，或退回；答复与审核不得是同一账户或同一岗位。"""
    from sentinel.schedule.attesting import ReviewDraft, review_answer

    if accept == give_back:
        raise UsageError("say either --accept or --return")
    with open_session() as context:
        owner = context.choose_unit(unit)
        told = review_answer(context, owner, number, ReviewDraft(accept, by, text, same_person))
    if as_json:
        print_json(_told_words(told, ""))
        return
    note = "（答复与审核为同一人，已记录）" if told.same_person else ""
    print_line(f"答复 {number} {_state_word(told)}{note}。下一步：sentinel check")


@group.command("show")
def show(
    question: Annotated[str, typer.Argument(help="问题编号，如 room.fire")],
    system: SystemOption = "",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """显示一个问题：问什么、要什么材料，以及全部答复与审核的历史。"""
    from sentinel.schedule.attesting import choose_thing, find_question
    from sentinel.store.attestations import read_history

    with open_session() as context:
        owner = context.choose_unit(unit)
        wanted = find_question(context, question)
        thing = choose_thing(context, owner, system)
        history = [
            one
            for one in read_history(context.database, owner.code)
            if one.question == wanted.id and one.system == thing.id
        ]
    if as_json:
        for one in history:
            print_json(_told_words(one, thing.system))
        return
    scope = "全单位答一次，各系统通用" if wanted.scope == "unit" else "每个系统各答一次"
    rows = [("对象", thing.system or UNIT_WORDS), ("材料", wanted.evidence or "不需要")]
    rows += [("范围", scope), ("有效期", f"{wanted.valid_days} 天")]
    for one in history:
        rows.append((f"答复 {one.id}", f"{local_text(one.at)} {_answer_word(one)} {one.by}（{one.actor}）{one.words}"))
        rows += [("材料", f"{paper.name} {paper.sha256}{'' if paper.kept else '（已清理）'}") for paper in one.files]
        rows.append(("审核", _review_line(one)))
    print_table(f"{wanted.id}：{wanted.zh}", ("项目", "内容"), rows, f"sentinel attest answer {wanted.id} --help")


def _review_line(one: Attestation) -> str:
    if one.reviewed_at is None:
        return f"{_state_word(one)}，有效期至 {local_date(one.valid_until)}"
    same = "，答复与审核为同一人" if one.same_person else ""
    who = f"{local_text(one.reviewed_at)} {_state_word(one)} {one.reviewer_by}（{one.reviewer}）"
    return f"{who}{one.review_words}{same}，有效期至 {local_date(one.valid_until)}"


def _answer_word(told: Attestation | None) -> str:
    from sentinel.report.attest_sheet import ANSWERS

    return ANSWERS[told.answer] if told else "—"


def _state_word(told: Attestation) -> str:
    from sentinel.report.attest_sheet import STATES

    return STATES[told.state]


def _asked_words(one: Asked) -> dict[str, object]:
    told = _told_words(one.told, one.thing.system) if one.told else {}
    return {
        "unit": one.thing.unit,
        "system": one.thing.system,
        "question": one.question.id,
        "text": one.question.zh,
        "text_en": one.question.en,
        "answers": list(one.question.answers),
        "scope": one.question.scope,
        "wanted": one.question.evidence,
        "valid_days": one.question.valid_days,
        "clauses": list(one.clauses),
        "counts": one.counts,
        "why": one.why,
        "told": told or None,
    }


def _told_words(one: Attestation, system: str) -> dict[str, object]:
    return {
        "id": one.id,
        "unit": one.unit,
        "system": system,
        "question": one.question,
        "answer": one.answer,
        "words": one.words,
        "by": one.by,
        "actor": one.actor,
        "at": one.at,
        "valid_until": one.valid_until,
        "files": [{"name": paper.name, "sha256": paper.sha256, "kept": paper.kept} for paper in one.files],
        "state": one.state,
        "reviewer": one.reviewer,
        "reviewer_by": one.reviewer_by,
        "reviewed_at": one.reviewed_at,
        "review_words": one.review_words,
        "same_person": one.same_person,
    }


def _print_import_json(file: Path, done: SheetImport) -> None:
    for thing, told in done.answers:
        print_json({"event": "answered", **_told_words(told, thing.system)})
    for cell in done.refused:
        words = {"sheet": cell.sheet, "row": cell.row, "column": cell.column, "title": cell.title}
        print_json({"event": "refused", **words, "reason": cell.reason})
    counts = {"rows": done.rows, "answered": len(done.answers), "known": done.known, "blank": done.blank}
    print_json({"summary": {"file": str(file), **counts, "refused": len(done.refused)}})


def _print_import(done: SheetImport, marked: Path | None) -> None:
    from sentinel.schedule.register_reasons import reason_in_chinese

    cells: Sequence[object] = done.refused
    for cell in done.refused[:MOST_TOLD]:
        sheet = f"{cell.sheet} " if cell.sheet else ""
        why = reason_in_chinese(cell.reason)
        print_note(f"{sheet}第 {cell.row} 行 {cell.column} 列（{cell.title}）：{why}；该行未读入")
    if len(cells) > MOST_TOLD:
        print_note(f"另有 {len(cells) - MOST_TOLD} 格同样，该行未读入。")
    rows = {(one.sheet, one.row) for one in done.refused}
    kept = f"，已另存为 {marked}，改好后可再次读入" if marked and rows else ""
    print_paragraph(
        f"读入 {done.rows} 行：新答复 {len(done.answers)} 个，以前已读入 {done.known} 行，未填 {done.blank} 行，"
        f"未读入 {len(rows)} 行{kept}。"
    )
    numbers = [told.id for _, told in done.answers if told.state is AttestationState.PENDING]
    if numbers:
        print_line(f"下一步：由另一人 sentinel attest review {numbers[0]} --accept --by 部门（编号见 attest list）")
