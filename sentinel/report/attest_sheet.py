"""Questions put to objects in; the sheets of a questionnaire, and of what could not be taken of one, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sentinel.model.attestation import Answer, Attestation, AttestationState
from sentinel.model.control import Question
from sentinel.model.moment import local_date, local_text
from sentinel.report.workbook import Column, Marked, Sheet, Value

TITLE: Final = "自查问卷"
ANSWERS: Final = {Answer.YES: "是", Answer.PARTLY: "部分", Answer.NO: "否", Answer.NA: "不适用"}
STATES: Final = {
    AttestationState.PENDING: "待审核",
    AttestationState.ACCEPTED: "已通过",
    AttestationState.RETURNED: "已退回",
}
UNIT: Final = "（单位整体）"

OBJECT, QUESTION, TEXT, PAPERS = "对象", "问题编号", "问题", "需要的材料"
ANSWER, WHY, FILES, BY, DAY, UNTIL = "答复", "说明", "材料文件", "答复部门或岗位", "答复日期", "有效期至"
FIXED: Final = (OBJECT, QUESTION)
_COLUMNS: Final = (
    Column(OBJECT, 18),
    Column(QUESTION, 20),
    Column(TEXT, 44),
    Column(PAPERS, 26),
    Column("现有答复", 16),
    Column(ANSWER, 10, choices=tuple(ANSWERS.values()), filled_in=True),
    Column(WHY, 30, filled_in=True),
    Column(FILES, 26, filled_in=True),
    Column(BY, 18, filled_in=True),
    Column(DAY, 13, filled_in=True),
    Column(UNTIL, 13, filled_in=True),
)
HEADS: Final = tuple(column.head for column in _COLUMNS)


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A question as it stands in a questionnaire: of which object, what, and the newest answer."""

    system: str
    question: Question
    told: Attestation | None


def build_sheets(unit: str, lines: Sequence[SheetLine], now: datetime) -> tuple[Sheet, ...]:
    """Build the sheet to fill in, and one that says how."""
    about = Sheet("填表说明", (Column("", 16), Column("", 100)), _about(unit, lines, now), is_form=True)
    return (Sheet(TITLE, _COLUMNS, map(_row, lines), is_form=True), about)


def build_marked(rows: Iterable[tuple[Sequence[str], Mapping[int, str]]]) -> tuple[Sheet, ...]:
    """Build a sheet of the rows that were not taken, each with why by column, from 0; it can be read in again."""
    return (Sheet(TITLE, (*_COLUMNS, Column("错误说明", 50)), (_marked(*row) for row in rows), is_form=True),)


def _row(line: SheetLine) -> tuple[Value, ...]:
    told = f"{ANSWERS[line.told.answer]}，{STATES[line.told.state]}" if line.told else ""
    until = f"，至 {local_date(line.told.valid_until)}" if line.told else ""
    question = line.question
    return (line.system or UNIT, question.id, question.zh, question.evidence, told + until, *(None,) * 6)


def _marked(cells: Sequence[str], reasons: Mapping[int, str]) -> tuple[Value, ...]:
    shown: list[Value] = [Marked(text) if place in reasons else text for place, text in enumerate(cells)]
    words = [f"{HEADS[place]}：{why}" if place >= 0 else why for place, why in sorted(reasons.items())]
    return (*shown, Marked("；".join(words)))


def _about(unit: str, lines: Sequence[SheetLine], now: datetime) -> Iterator[tuple[Value, Value]]:
    yield "单位", unit
    yield "问卷", f"{local_text(now)} 生成，共 {len(lines)} 个问题；对象写明是哪个信息系统，{UNIT}为全单位答一次的问题"
    yield ANSWER, "只能选 是、部分、否、不适用。留空的行不处理，可以分几次交回。"
    yield WHY, "答“不适用”必须写明理由；答“部分”“否”的请写明差什么。不写姓名、电话、身份证号。"
    yield FILES, "材料的文件名，多个用顿号分开；与本表一起交回，放在同一文件夹。答“是”而没有所要求的材料，不算举证。"
    yield BY, "写部门或岗位，如 信息中心、网络安全管理员，不写姓名。有答复的行必填。"
    yield DAY, "如 2026-11-20；留空为读入的日期，至多追溯一年。"
    yield UNTIL, "留空为该问题允许的最长期限；可以写得更短。"
    yield "不要改动", f"{'、'.join(FIXED)}两列和表头。"
    yield "审核", "答复读入后须由另一人审核通过才算数：sentinel attest review 编号 --accept --by 部门"
    yield "交回", "sentinel attest import 本文件 --files 材料所在文件夹"
