"""A go-live or port-opening request with its steps in, the form to sign as DOCX out (上线审批表、端口开放审批表)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sentinel.model.moment import local_date, local_text
from sentinel.model.whitelist import PeerKind, format_addresses
from sentinel.model.whitelist_request import RequestEvent, RequestKind, RequestState, RequestStep, WhitelistRequest
from sentinel.report.clean import clean
from sentinel.report.docx_page import HEAVY, TYPE_WIDTH_MM, add_paragraph, add_table, add_title, new_page, write_docx

TITLES: Final[Mapping[RequestKind, str]] = {
    RequestKind.GO_LIVE: "信息系统上线审批表",
    RequestKind.PORT: "网络端口开放审批表",
}
_STATES: Final = {
    RequestState.SUBMITTED: "待审批",
    RequestState.APPROVED: "已批准",
    RequestState.RETURNED: "已退回",
    RequestState.WITHDRAWN: "已撤回",
}
_STEPS: Final = {
    RequestStep.SUBMIT: "提交",
    RequestStep.CHECK: "核查",
    RequestStep.APPROVE: "批准",
    RequestStep.RETURN: "退回",
    RequestStep.WITHDRAW: "撤回",
}
_PEERS: Final = {PeerKind.ANY: "任意（含互联网）", PeerKind.CAMPUS: "校内", PeerKind.INTERNET: "互联网"}
_HEAD_PT: Final = 14
_HEAD_LINE_PT: Final = 24
"""A form of one sheet: its heads are smaller than those of a notice."""

_SIGN: Final = "\n签字（盖章）：　　　　　　　　　年　　月　　日"


@dataclass(frozen=True, slots=True)
class RequestPaper:
    """A request as it is printed.

    Attributes:
        unit: name of the unit.
        request: the request.
        events: its steps, oldest first.
        printed_at: when it is printed.
    """

    unit: str
    request: WhitelistRequest
    events: tuple[RequestEvent, ...]
    printed_at: datetime


def print_request(paper: RequestPaper) -> bytes:
    """Print the form: what is asked for, what the check saw, and room for each signature."""
    one = paper.request
    title = TITLES[one.kind]
    document = new_page(title, paper.unit, paper.printed_at)
    add_title(document, title)
    number = f"编号：{one.number}　　单位：{clean(paper.unit, 60)}"
    add_paragraph(document, number, size_pt=_HEAD_PT, align="center", indent=0, line_pt=_HEAD_LINE_PT)
    width = (34, TYPE_WIDTH_MM - 34)
    add_table(document, (), _asked(one), width)
    add_paragraph(document, "核查情况", font=HEAVY, size_pt=_HEAD_PT, align="left", indent=0, line_pt=_HEAD_LINE_PT)
    add_table(document, (), _checked(paper.events), width)
    add_paragraph(document, "办理经过", font=HEAVY, size_pt=_HEAD_PT, align="left", indent=0, line_pt=_HEAD_LINE_PT)
    steps = [
        (local_text(event.at), _STEPS[event.step], clean(event.reason, 200) or "　", _STATES[RequestState(event.after)])
        for event in paper.events
    ]
    add_table(document, ("时间", "办理", "说明", "结果"), steps, (38, 20, TYPE_WIDTH_MM - 80, 22))
    add_paragraph(document, "审批意见", font=HEAVY, size_pt=_HEAD_PT, align="left", indent=0, line_pt=_HEAD_LINE_PT)
    signs = [(who, _SIGN) for who in ("申请部门负责人", "网络安全职能部门", "单位分管领导")]
    add_table(document, (), signs, width)
    add_paragraph(document, "系统生成；未签字盖章无效。", size_pt=10.5, align="left", indent=0, line_pt=18)
    return write_docx(document)


def _asked(one: WhitelistRequest) -> list[tuple[str, str]]:
    ports = "，".join(f"{ports}/{proto}" for proto, ports in one.ports)
    peer = _PEERS.get(one.peer) or "、".join(format_addresses(one.peers))
    rows = [
        ("申请部门", one.department),
        ("系统名称", one.system),
        ("地址", "、".join(format_addresses(one.addresses))),
        ("端口", ports),
        ("服务", one.service),
        ("域名", "、".join(one.domains)),
        ("访问来源", peer),
        ("用途", one.purpose),
        ("开放时间", f"{local_date(one.valid_from)} 至 {local_date(one.valid_to)}"),
        ("代替的申请", one.replaces),
    ]
    return [(head, clean(words, 600)) for head, words in rows if words]


def _checked(events: Sequence[RequestEvent]) -> list[tuple[str, str]]:
    """Tell what the newest check saw; an approval is one too."""
    newest = next((one for one in reversed(events) if one.step in {RequestStep.CHECK, RequestStep.APPROVE}), None)
    if newest is None:
        return [("核查", "尚未核查")]
    detail = dict(newest.detail)
    rows = [
        ("核查时间", local_text(newest.at)),
        ("扫描范围", f"所申请的 {detail.get('addresses', 0)} 个地址，未看全 {detail.get('unseen', 0)} 个"),
        ("见到的开放端口", _words(detail.get("seen")) or "未见"),
        ("未申请而开放", _words(detail.get("beyond")) or "无"),
        ("高危及以上待整改隐患", _words(detail.get("blocking")) or "无"),
    ]
    if detail.get("forbidden"):
        rows.append(("明令不放行的白名单", _words(detail.get("forbidden"))))
    if detail.get("evidence"):
        rows.append(("证据 SHA-256", str(detail["evidence"])))
    if newest.step is RequestStep.APPROVE:
        rows.append(("批准", f"{detail.get('approved_by', '')}，{detail.get('document', '')}"))
    return [(head, clean(words, 600)) for head, words in rows]


def _words(value: object) -> str:
    return "、".join(map(str, value)) if isinstance(value, list) else ""
