from __future__ import annotations

import io
from datetime import date
from ipaddress import ip_network
from pathlib import Path

import openpyxl

from sentinel.model.ports import PortSet
from sentinel.model.proposal import Decision, DraftLine, Proposal, Registered
from sentinel.model.whitelist import PeerKind, WhitelistKind
from sentinel.report.whitelist_sheet import (
    CODE,
    DECISION,
    HEADS,
    TITLE,
    build_marked,
    build_review,
    fixed_cells,
    purpose,
)
from sentinel.report.workbook import write_workbook
from tests.report.facts_factory import NOW

PORT = Proposal(
    WhitelistKind.PORT,
    addresses=(ip_network("10.0.0.5/32"), ip_network("10.0.0.6/31")),
    proto="tcp",
    ports=PortSet.of_ports([80, 443]),
    service="http",
    peer=PeerKind.CAMPUS,
    network="=服务器区",
    hosts=3,
    last_seen=NOW,
    until=date(2027, 2, 20),
)
NAME = Proposal(WhitelistKind.DOMAIN, domain="www.school.example", registered=Registered.UNSEEN, advice=Decision.SKIP)
LINES = [DraftLine(3, 1, "0a1b2c3d" * 2, PORT), DraftLine(3, 2, "ffffffff" * 2, NAME)]


def opened(sheets, path: Path) -> openpyxl.Workbook:
    write_workbook(sheets, path, title="草案", author="学校", now=NOW)
    return openpyxl.load_workbook(io.BytesIO(path.read_bytes()))


def test_review_when_written_then_each_line_says_what_it_is_and_leaves_the_reviewer_room(tmp_path: Path) -> None:
    page = opened(build_review("示例学校", LINES, NOW), tmp_path / "a.xlsx")[TITLE]
    first = dict(zip(HEADS, (cell.value for cell in page[2]), strict=True))
    assert first[CODE] == "D3-1-0a1b2c3d"
    assert [first[head] for head in ("地址或域名", "端口", "来源", "建议", "台数")] == [
        "10.0.0.5-10.0.0.7", "80,443", "校内", "放行", 3,
    ]  # fmt: skip
    assert first["用途"] == "=服务器区，用途待补"
    assert page["H2"].data_type == "s"
    assert page["H2"].quotePrefix
    assert {first[head] for head in HEADS[HEADS.index(DECISION) :]} == {None}
    second = dict(zip(HEADS, (cell.value for cell in page[3]), strict=True))
    assert (second["最近所见"], second["登记情况"], second["建议"]) == ("未见", "已登记，未见", "暂不处理")


def test_review_when_opened_then_decisions_are_chosen_from_a_list_on_every_line(tmp_path: Path) -> None:
    page = opened(build_review("示例学校", LINES, NOW), tmp_path / "a.xlsx")[TITLE]
    (choice,) = page.data_validations.dataValidation
    column = openpyxl.utils.get_column_letter(HEADS.index(DECISION) + 1)
    assert (choice.type, choice.formula1, str(choice.sqref)) == (
        "list", '"放行,不放行,暂不处理"', f"{column}2:{column}3",
    )  # fmt: skip
    assert choice.showErrorMessage


def test_review_when_a_text_is_long_then_its_row_is_high_enough(tmp_path: Path) -> None:
    long = DraftLine(3, 3, "0" * 16, Proposal(WhitelistKind.DOMAIN, domain="a.example", risk="风险" * 40))
    page = opened(build_review("示例学校", [*LINES, long], NOW), tmp_path / "a.xlsx")[TITLE]
    assert page.row_dimensions[4].height >= 4 * page.row_dimensions[3].height


def test_review_when_read_by_a_person_then_a_second_sheet_says_how_to_fill_it_in(tmp_path: Path) -> None:
    page = opened(build_review("示例学校", LINES, NOW), tmp_path / "a.xlsx")["填表说明"]
    words = {row[0].value: row[1].value for row in page.iter_rows()}
    assert words["草案"].startswith("第 3 号")
    assert words["建议"] == "放行 1 行，暂不处理 1 行"


def test_marked_copy_when_written_then_bad_cells_are_coloured_and_told(tmp_path: Path) -> None:
    cells = [f"格{number}" for number in range(len(HEADS))]
    reasons = {HEADS.index(DECISION): "no decision", -1: "changed"}
    page = opened(build_marked([(cells, reasons)]), tmp_path / "a.xlsx")[TITLE]
    row = page[2]
    assert row[-1].value == "changed；决定：no decision"
    marked = [HEADS[number] for number, cell in enumerate(row[:-1]) if cell.fill.fill_type]
    assert marked == [DECISION]
    assert [cell.value for cell in row[:-1]] == cells


def test_fixed_cells_when_of_a_name_then_ports_and_peer_stay_blank() -> None:
    assert fixed_cells(NAME) == ("域名", "www.school.example", "", "", "", "")


def test_purpose_when_the_register_knows_none_then_it_says_what_is_missing() -> None:
    assert purpose(NAME) == "用途不明，归属待核实"
    assert purpose(Proposal(WhitelistKind.PORT, network="办公网", whole=True)) == "办公网整段，用途待补"
    assert purpose(Proposal(WhitelistKind.PORT, reason="门户")) == "门户"
