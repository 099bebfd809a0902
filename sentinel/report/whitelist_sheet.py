"""The lines of a draft whitelist in, the sheets a reviewer fills in out (白名单草案); and those to mend, marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from sentinel.model.moment import local_text
from sentinel.model.proposal import Decision, DraftLine, Proposal, Registered
from sentinel.model.whitelist import PeerKind, WhitelistKind, format_addresses
from sentinel.report.workbook import Column, Marked, Sheet, Value

TITLE: Final = "白名单草案"
CODE: Final = "编号"
DECISION: Final = "决定"
APPROVER: Final = "审批部门或职务"
DOCUMENT: Final = "审批文号"
UNTIL: Final = "准许有效期至"
WHY: Final = "审批理由"

DECISIONS: Final[Mapping[Decision, str]] = {
    Decision.ALLOW: "放行",
    Decision.DENY: "不放行",
    Decision.SKIP: "暂不处理",
}
REGISTERED: Final[Mapping[Registered, str]] = {
    Registered.YES: "已登记",
    Registered.PARTLY: "仅登记主机",
    Registered.NO: "未登记",
    Registered.UNSEEN: "已登记，未见",
}
PEERS: Final[Mapping[PeerKind, str]] = {
    PeerKind.ANY: "任意",
    PeerKind.CAMPUS: "校内",
    PeerKind.INTERNET: "互联网",
    PeerKind.PREFIX: "指定网段",
}
_KINDS: Final = {WhitelistKind.PORT: "端口", WhitelistKind.DOMAIN: "域名", WhitelistKind.HOST: "主机"}

FIXED: Final = ("种类", "地址或域名", "协议", "端口", "服务", "来源")
"""Columns that say what a line speaks of; a reviewer decides on it and does not change it."""

_COLUMNS: Final = (
    Column(CODE, 17),
    Column("种类", 7),
    Column("地址或域名", 30),
    Column("协议", 7),
    Column("端口", 14),
    Column("服务", 16),
    Column("来源", 8),
    Column("用途", 26),
    Column("责任部门", 14),
    Column("登记情况", 14),
    Column("台数", 7),
    Column("最近所见", 18),
    Column("风险提示", 36),
    Column("建议", 10),
    Column("建议有效期至", 13),
    Column(DECISION, 11, choices=tuple(DECISIONS.values()), filled_in=True),
    Column(APPROVER, 16, filled_in=True),
    Column(DOCUMENT, 18, filled_in=True),
    Column(UNTIL, 13, filled_in=True),
    Column(WHY, 24, filled_in=True),
)
HEADS: Final = tuple(column.head for column in _COLUMNS)


def build_review(unit: str, lines: Sequence[DraftLine], now: datetime) -> tuple[Sheet, ...]:
    """Build the sheet to fill in, and one that says how."""
    return (Sheet(TITLE, _COLUMNS, map(_row, lines), is_form=True), _about(unit, lines, now))


def build_marked(rows: Iterable[tuple[Sequence[str], Mapping[int, str]]]) -> tuple[Sheet, ...]:
    """Build a sheet of the lines that were not taken, each with why by column, from 0, in the order of the heads.

    A reason at column -1 is of the whole line. The sheet can be filled in and read again.
    """
    columns = (*_COLUMNS, Column("问题", 50))
    return (Sheet(TITLE, columns, (_marked_row(cells, reasons) for cells, reasons in rows), is_form=True),)


def fixed_cells(one: Proposal) -> tuple[str, ...]:
    """Give what stands in the columns that say what a line speaks of."""
    where = one.domain if one.kind is WhitelistKind.DOMAIN else "、".join(format_addresses(one.addresses))
    peer = PEERS[one.peer] if one.kind is WhitelistKind.PORT else ""
    return _KINDS[one.kind], where, one.proto, str(one.ports), one.service, peer


def _row(line: DraftLine) -> tuple[Value, ...]:
    one = line.proposal
    return (
        line.code,
        *fixed_cells(one),
        purpose(one),
        one.department,
        REGISTERED[one.registered],
        one.hosts or None,
        local_text(one.last_seen) if one.last_seen else "未见",
        one.risk,
        DECISIONS[one.advice],
        one.until,
        *(None,) * 5,
    )


def purpose(one: Proposal) -> str:
    """Say what a line seems to be for: the system by the register, or what was seen where."""
    if one.reason:
        return one.reason
    if one.kind is WhitelistKind.DOMAIN:
        return "用途不明，归属待核实"
    segment = f"{one.network}整段" if one.whole else one.network
    return f"{segment}，用途待补"


def _marked_row(cells: Sequence[str], reasons: Mapping[int, str]) -> tuple[Value, ...]:
    shown: list[Value] = [Marked(text) if place in reasons else text for place, text in enumerate(cells)]
    words = [f"{HEADS[place]}：{why}" if place >= 0 else why for place, why in sorted(reasons.items())]
    return (*shown, Marked("；".join(words)))


def _about(unit: str, lines: Sequence[DraftLine], now: datetime) -> Sheet:
    return Sheet("填表说明", (Column("", 16), Column("", 100)), _words(unit, lines, now), is_form=True)


def _words(unit: str, lines: Sequence[DraftLine], now: datetime) -> Iterator[tuple[Value, Value]]:
    count = {word: sum(one.proposal.advice is word for one in lines) for word in Decision}
    yield "单位", unit
    yield "草案", f"第 {lines[0].draft} 号，{local_text(now)} 由扫描结果和台账生成，共 {len(lines)} 行"
    yield "建议", "，".join(f"{DECISIONS[word]} {count[word]} 行" for word in Decision if count[word])
    yield DECISION, "每行选放行、不放行或暂不处理；留空的行不处理，可以分几次交回。"
    yield APPROVER, "放行和不放行的行必填，写部门或职务，如 网络中心主任；不写姓名。"
    yield DOCUMENT, "审批单、会议纪要等的文号，可以留空。"
    yield UNTIL, "如 2027-06-30 或 长期；放行的行留空时取建议有效期，不放行的行留空为长期。"
    yield WHY, "留空时取用途一栏；否决建议时请写明理由。"
    yield "不要改动", f"{CODE}和{'、'.join(FIXED)}。要放行别的地址或端口，用 whitelist add 或 whitelist request add。"
    yield "来源", "校内：只在校内探测到，放行后从互联网能访问时仍算违规；任意：从互联网也能访问。"
    yield "登记情况", "仅登记主机：台账里有这台主机，没有这个端口。已登记，未见：台账里有，扫描没有见到，先核实再决定。"
    yield "风险提示", "属高危端口或不应暴露的服务，建议不放行；确需放行的，限定来源并写明理由。"
    yield "交回", "sentinel whitelist apply 本文件。草案之后地图有变化的行不会写入，会逐行指出，需重新生成草案。"
