from __future__ import annotations

import io
from datetime import timedelta
from ipaddress import ip_network

import pytest
from docx import Document

from sentinel.model.ports import PortSet
from sentinel.model.whitelist import PeerKind
from sentinel.model.whitelist_request import RequestEvent, RequestKind, RequestState, RequestStep, WhitelistRequest
from sentinel.report.request_paper import RequestPaper, print_request
from tests.report.facts_factory import NOW

REQUEST = WhitelistRequest(
    1, "申请-2026-0001", "u", RequestKind.GO_LIVE, RequestState.SUBMITTED, "教务处", "选课系统", "期末选课", NOW,
    NOW + timedelta(days=90), NOW, (ip_network("10.0.0.5/32"),), ("xk.school.example",),
    (("tcp", PortSet.of_ports([443])),), "https", PeerKind.INTERNET,
)  # fmt: skip
SUBMIT = RequestEvent(NOW, "tester", RequestStep.SUBMIT, "", "submitted", "期末选课")
CHECK = RequestEvent(
    NOW, "tester", RequestStep.CHECK, "submitted", "submitted", "",
    (("addresses", 1), ("unseen", 0), ("evidence", "ab" * 32), ("seen", ["10.0.0.5:443/tcp http"]), ("beyond", []),
     ("blocking", ["隐患-2026-00001"]), ("forbidden", [3])),
)  # fmt: skip
APPROVE = RequestEvent(
    NOW, "tester", RequestStep.APPROVE, "submitted", "approved", "", (("approved_by", "网信办"), ("document", "1 号"))
)


def shown(request: WhitelistRequest, *events: RequestEvent) -> tuple[list[str], dict[str, str]]:
    document = Document(io.BytesIO(print_request(RequestPaper("示例学校", request, events, NOW))))
    cells = {row.cells[0].text: row.cells[1].text for table in document.tables for row in table.rows}
    return [one.text for one in document.paragraphs], cells


def test_form_when_printed_then_it_says_what_is_asked_for_and_leaves_room_to_sign() -> None:
    words, cells = shown(REQUEST, SUBMIT)
    assert words[0] == "信息系统上线审批表"
    assert cells["申请部门"] == "教务处"
    assert (cells["地址"], cells["端口"], cells["访问来源"]) == ("10.0.0.5", "443/tcp", "互联网")
    assert cells["核查"] == "尚未核查"
    assert "签字（盖章）" in cells["单位分管领导"]
    assert "代替的申请" not in cells


def test_form_when_checked_then_it_shows_what_the_scan_saw() -> None:
    _, cells = shown(REQUEST, SUBMIT, CHECK)
    assert cells["见到的开放端口"] == "10.0.0.5:443/tcp http"
    assert cells["未申请而开放"] == "无"
    assert (cells["高危及以上待整改隐患"], cells["明令不放行的白名单"]) == ("隐患-2026-00001", "3")


def test_form_when_approved_then_it_names_who_and_by_which_paper() -> None:
    _, cells = shown(REQUEST, SUBMIT, CHECK, APPROVE)
    assert cells["批准"] == "网信办，1 号"


@pytest.mark.parametrize("words", ["\x00\x1b[31m", "长" * 5000, "\u202e"])
def test_form_when_a_text_is_hostile_then_it_is_printed_all_the_same(words: str) -> None:
    from dataclasses import replace

    _, cells = shown(replace(REQUEST, kind=RequestKind.PORT, purpose=words, peer=PeerKind.PREFIX,
                             peers=(ip_network("10.9.0.0/24"),), replaces="申请-2026-0000"), SUBMIT)  # fmt: skip
    assert cells["访问来源"] == "10.9.0.0/24"
    assert len(cells["用途"]) <= 601
