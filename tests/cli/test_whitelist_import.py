"""`whitelist import`: a register or a whitelist sheet becomes entries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import UNIT, Sentinel
from tests.cli.written import host, nmap, service

GOOD = "系统名称,IP地址,端口,域名,责任人,审批人\n门户,192.0.2.1,８０、443,www.school.example,欧阳示例,欧阳示例\n"
BAD = "教务,192.0.2.2,8o80,,欧阳示例,欧阳示例\n邮件,192.0.2.3,25,,欧阳示例,欧阳示例\n"


def write(folder: Path, text: str, encoding: str = "gb18030") -> Path:
    path = folder / "登记表.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_import_when_all_is_good_gives_the_entries_and_a_summary(sentinel: Sentinel, tmp_path: Path) -> None:
    file = write(tmp_path, GOOD)
    port, domain, last = sentinel.rows("whitelist", "import", file)
    assert last == {"summary": {"file": str(file), "rows": 1, "added": 2, "known": 0, "withdrawn": 0, "refused": 0}}
    assert (port.pop("event"), domain.pop("event")) == ("added", "added")
    assert (port.pop("shadowed_by"), domain.pop("shadowed_by")) == ([], [])
    assert [port, domain] == sentinel.rows("whitelist", "list")
    assert (port["unit"], port["kind"], port["addresses"], port["proto"]) == (UNIT, "port", ["192.0.2.1/32"], "tcp")
    assert (port["ports"], domain["domain"]) == ("80,443", "www.school.example")
    assert port["reason"] == "门户（登记表.csv 第 2 行）"
    assert port["approved_by"] == "见 登记表.csv 审批人栏"


def test_import_when_a_cell_is_bad_names_it_takes_the_rest_and_ends_with_3(sentinel: Sentinel, tmp_path: Path) -> None:
    file = write(tmp_path, GOOD + BAD)
    done = sentinel.run("whitelist", "import", file, "--approved-by", "信息中心", "--reason", "年度台账", expect=3)
    assert "读入 3 行，新增白名单 3 条，已有 0 条，不能读取的单元格 1 个。" in done.out
    assert done.complaint.startswith("第 3 行 C 列（端口）：不是端口：写 443")
    assert "欧阳示例" not in done.out + done.err
    listed = sentinel.rows("whitelist", "list")
    assert [one["reason"].partition("：")[0] for one in listed] == ["年度台账"] * 3
    assert {one["approved_by"] for one in listed} == {"信息中心"}
    rows = sentinel.rows("whitelist", "import", file, "--approved-by", "信息中心", expect=3)
    assert rows[0] == {
        "event": "refused",
        "sheet": "",
        "row": 3,
        "column": "C",
        "title": "端口",
        "reason": "no ports (write 443 or 22,80-90; ports run from 0 to 65535)",
    }
    assert rows[1]["summary"] == {"file": str(file), "rows": 3, "added": 0, "known": 3, "withdrawn": 0, "refused": 1}


def test_import_when_done_is_what_the_check_asks(sentinel: Sentinel, tmp_path: Path) -> None:
    scan = tmp_path / "a.xml"
    scan.write_text(nmap(host("192.0.2.1", service(443, "http"), service(8080, "http"))))
    sentinel.run("whitelist", "import", write(tmp_path, GOOD, "utf-8-sig"))
    sentinel.run("import", scan)
    unlisted = [subject for rule, subject in sentinel.findings() if rule == "whitelist.unlisted-port"]
    assert unlisted == ["192.0.2.1:8080/tcp"]


@pytest.mark.parametrize(
    ("text", "words", "status", "told"),
    [
        ("系统名称,端口\n门户,80\n", (), 3, "登记表.csv: no head row with a column IP地址"),
        ("", (), 3, "登记表.csv: nothing stands in it"),
        ("IP地址\n192.0.2.1\n", (), 2, "--approved-by: 登记表.csv has no column of approvals"),
        (None, (), 3, "登记表.csv: cannot be read: No such file"),
        (GOOD, ("--unit", "别的学校"), 2, "no such unit"),
    ],
)
def test_import_when_it_cannot_be_done_ends_with_one_line_and_adds_nothing(
    untouched: Sentinel, tmp_path: Path, text: str | None, words: tuple[str, ...], status: int, told: str
) -> None:
    file = tmp_path / "登记表.csv" if text is None else write(tmp_path, text, "utf-8")
    assert told in untouched.run("whitelist", "import", file, *words, expect=status).complaint


def test_import_when_no_row_is_good_adds_nothing_and_ends_with_3(untouched: Sentinel, tmp_path: Path) -> None:
    done = untouched.run("whitelist", "import", write(tmp_path, "IP地址,审批人\n这里,某人\n"), expect=3)
    assert "新增白名单 0 条" in done.out
    assert done.complaint.startswith("第 2 行 A 列（IP地址）：不是地址或网段")


def test_import_when_an_address_must_stay_out_is_refused_whole_without_telling_which(
    untouched: Sentinel, tmp_path: Path
) -> None:
    untouched.run("unit", "keep-out", "add", "192.0.2.1")
    done = untouched.run("whitelist", "import", write(tmp_path, GOOD), "--approved-by", "信息中心", expect=3)
    assert "192.0.2.1" not in done.out + done.err
    assert untouched.rows("whitelist", "list") == []
