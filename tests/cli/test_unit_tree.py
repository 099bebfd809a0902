"""The tree of units, contacts, owners, pools, publications and consent, at the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import TRIAL, UNIT, Sentinel

CREDIT = "12100000400013155L"


@pytest.fixture
def tree(sentinel: Sentinel) -> Sentinel:
    return plant(sentinel)


@pytest.fixture(scope="module")
def still(make_home: Callable[[], Sentinel]) -> Sentinel:
    """A tree for commands that end before they change anything."""
    return plant(make_home())


def plant(sentinel: Sentinel) -> Sentinel:
    """Add two bureaus of counties and a school under the first."""
    sentinel.run("unit", "add", "3900000001", "示例一县教育局", "--level", "county", "--kind", "教育局")
    sentinel.run("unit", "add", "3900000002", "示例二县教育局", "--level", "county")
    sentinel.run("unit", "add", "3900000003", "示例小学", "--parent", "3900000001", "--kind", "小学")
    return sentinel


def test_unit_moved_and_renamed_is_shown_as_it_was_on_a_day(tree: Sentinel) -> None:
    moved = tree.run(
        "unit", "move", "3900000003", "--parent", "3900000002", "--at", "2026-09-01", "--why", "文", "--json"
    )
    assert moved.row["path"] == "3900000002/3900000003"
    renamed = tree.run("unit", "rename", "3900000003", "示例实验小学", "--at", "2026-10-01", "--why", "文二", "--json")
    assert (renamed.row["name"], renamed.row["aliases"]) == ("示例实验小学", ["示例小学"])
    spans = tree.rows("unit", "history", "--unit", "示例小学")
    assert [(one["name"], one["parent"], one["why"]) for one in spans] == [
        ("示例小学", "3900000001", ""),
        ("示例小学", "3900000002", "文"),
        ("示例实验小学", "3900000002", "文二"),
    ]
    assert spans[1]["since"] == "2026-08-31T16:00:00Z"
    then = {
        one["name"]: one["value"] for one in tree.rows("unit", "show", "--unit", "3900000003", "--at", "2026-08-31")
    }
    assert (then["名称"], then["路径"]) == ("示例小学", "3900000001/3900000003")
    assert "示例实验小学" in tree.run("unit", "history", "--unit", "3900000003").out
    assert [one["code"] for one in tree.rows("unit", "list", "--under", "3900000002")] == ["3900000002", "3900000003"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["move", "3900000001", "--parent", "3900000003", "--why", "x"], "cannot stand"),
        (["move", "3900000003", "--parent", "absent", "--why", "x"], "no such unit"),
        (["move", "3900000003", "--parent", "3900000002", "--why", " "], "--why"),
        (["move", "3900000003", "--parent", "3900000002", "--why", "x", "--at", "2100-01-01"], "in the future"),
        (["rename", "3900000003", " ", "--why", "x"], "a name is"),
        (["rename", "3900000003", "新", "--why", "x", "--at", "某天"], "--at"),
        (["set", "--unit", "3900000003", "--credit", "12100000400013155X"], "check character"),
        (["set", "--unit", "3900000003", "--kind", "某种"], "no such kind"),
        (["set", "--unit", "3900000003", "--region", "4101"], "6 digits"),
        (["set", "--unit", "3900000003", "--level", "province"], "cannot stand"),
        (["set", "--unit", "3900000003", "--from", "2026-02-01", "--until", "2026-01-01"], "before --from"),
        (["set", "--unit", "3900000003"], "nothing to change"),
        (["add", "3900000009", "示例\n小学"], "a name is"),
        (["network", "a\nb", "10.1.0.0/24", "--unit", "3900000003"], "a name is"),
        (["network", " ", "10.1.0.0/24", "--unit", "3900000003"], "a name is"),
        (["network", "网" * 101, "10.1.0.0/24", "--unit", "3900000003"], "a name is"),
        (["network", "lan", "0.0.0.0/0", "--unit", "3900000003"], "wider than /8"),
        (["network", "lan", "2000::/3", "--unit", "3900000003"], "wider than /32"),
        (["network", "lan", "224.0.0.0/8", "--unit", "3900000003"], "no addresses"),
        (["network", "lan", "255.255.255.255", "--unit", "3900000003"], "no addresses"),
        (["network", "lan", "fe80::/64", "--unit", "3900000003"], "no addresses"),
        (["add", "3900000009", "学" * 101], "a name is"),
        (["add", "3900000009", " "], "a name is"),
        (["add", " "], "a unit code is"),
        (["owner", "203.0.113"], "no address"),
        (["owner", "10.0.0.1", "--at", "2026-01-01"], "no dated owner"),
        (["contact", "list", "--role", "校长"], "no such role"),
        (["nat", "add", "池", "--outside", "x.y"], "--outside"),
        (["nat", "withdraw", "池"], "no NAT pool"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_command_of_the_tree_when_wrong_ends_with_one_line(still: Sentinel, words: list[str], told: str) -> None:
    done = still.run("unit", *words, *(["--unit", "3900000003"] if words[0] in {"contact", "nat"} else []), expect=2)
    assert told in done.complaint


def test_unit_is_described_and_a_code_of_another_form_is_taken_with_a_note(tree: Sentinel) -> None:
    done = tree.run(
        "unit", "set", "--unit", "3900000003", "--credit", CREDIT.lower(), "--kind", "幼儿园", "--affiliation", "民办",
        "--alias", "甲", "--alias", "乙", "--region", "410101", "--from", "1958-09-01", "--json",
    )  # fmt: skip
    row = done.row
    assert (row["credit"], row["kind"], row["affiliation"], row["aliases"], row["region"]) == (
        CREDIT, "kindergarten", "民办", ["甲", "乙"], "410101",
    )  # fmt: skip
    assert row["valid_from"] == "1958-08-31T16:00:00Z"
    assert "信用代码" in tree.run("unit", "show", "--unit", "3900000003").out
    named = tree.run("unit", "set", "--unit", "3900000003", "--code", "示例园", "--json")
    assert named.row["code"] == "示例园"
    assert "不是 10 位" in named.err
    assert tree.run("unit", "set", "--unit", "示例园", "--name", "改", "--correct", "--alias", "").status == 0
    assert [one["name"] for one in tree.rows("unit", "history", "--unit", "示例园")][-1] == "改"


def test_list_of_units_is_imported_shown_first_and_the_same_again_changes_nothing(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    file = tmp_path / "名单.csv"
    file.write_text(
        "标识码,学校名称,主管部门,办学类型,联系人,联系电话\n3900000002,示例小学,示例县教育局,小学,某某,13800000000\n"
        "3900000001,示例县教育局,,教育局,,\n3900000004,无上级,没有的局,,,\n",
        encoding="utf-8",
    )
    shown = sentinel.run("unit", "import", file, "--dry-run", expect=3)
    assert "将新增 2" in shown.out
    assert TRIAL in shown.out
    assert "第 4 行 C 列（主管部门）" in shown.err
    assert len(sentinel.rows("unit", "list")) == 1
    done = sentinel.run("unit", "import", file, "--json", expect=3)
    assert done.rows[-1]["summary"] | {"file": ""} == {
        "file": "", "rows": 3, "added": 2, "changed": 0, "same": 0, "refused": 1, "passed_over": 0, "contacts": 1,
        "dry_run": False,
    }  # fmt: skip
    assert "某某" not in done.out
    again = sentinel.run("unit", "import", file, expect=3)
    assert "新增 0，更改 0，未变 2，联系人 0" in again.out.replace("：新增", "：新增")
    file.write_text("标识码,学校名称\n3900000002,示例实验小学\n", encoding="utf-8")
    changed = sentinel.run("unit", "import", file, "--at", "2026-11-01")
    assert "名称 示例小学 → 示例实验小学" in changed.out
    assert "--at" in sentinel.run("unit", "import", file, "--at", "2100-01-01", expect=2).complaint


def test_contacts_of_several_roles_are_kept_apart_and_the_stale_ones_are_listed(sentinel: Sentinel) -> None:
    for role, name in (("leader", "某甲"), ("值班", "某乙")):
        sentinel.run("unit", "contact", "set", "--role", role, "--name", name, "--phone", "13800000000")
    rows = sentinel.rows("unit", "contact", "list")
    assert [(one["role"], one["name"]) for one in rows] == [("leader", "某*"), ("duty", "某*")]
    assert [one["role"] for one in sentinel.rows("unit", "contact", "list", "--role", "分管领导")] == ["leader"]
    assert sentinel.rows("unit", "contact", "list", "--stale", "30") == []
    (stale, _) = sentinel.rows("unit", "contact", "list", "--stale", "0")
    assert (stale["unit"], stale["days_unverified"]) == (UNIT, 0)
    assert "分管领导" in sentinel.run("unit", "contact", "list", "--stale", "0", "--unit", UNIT).out
    sentinel.run("unit", "contact", "end", "--role", "duty")
    assert [one["role"] for one in sentinel.rows("unit", "contact", "list")] == ["leader"]
    assert "分管领导 某*" in sentinel.run("unit", "show").out


def test_public_prefix_has_one_owner_and_private_ones_repeat(tree: Sentinel) -> None:
    tree.run("unit", "network", "out", "203.0.113.0/24", "--unit", "3900000001", "--since", "2026-01-01")
    refused = tree.run("unit", "network", "out", "203.0.113.0/28", "--unit", "3900000002", expect=2)
    assert "belongs to unit 3900000001" in refused.complaint
    (owner,) = tree.rows("unit", "owner", "203.0.113.7")
    assert (owner["unit"], owner["prefix"], owner["private"]) == ("3900000001", "203.0.113.0/24", False)
    assert tree.rows("unit", "owner", "203.0.113.7", "--at", "2025-12-31") == []
    for code in ("3900000001", "3900000002"):
        tree.run("unit", "network", "lan", "10.0.0.0/8", "--unit", code)
    assert [one["unit"] for one in tree.rows("unit", "owner", "10.1.1.1")] == ["3900000001", "3900000002"]
    assert "私网地址" in tree.run("unit", "owner", "10.1.1.1").out


def test_first_day_of_a_public_prefix_is_corrected_and_nothing_else_of_the_network(tree: Sentinel) -> None:
    of = ("--unit", "3900000001")
    tree.run("unit", "network", "wan", "203.0.113.0/24", "10.1.0.0/24", "--since", "2026-09-01", *of)
    assert tree.rows("unit", "owner", "203.0.113.7", "--at", "2026-03-01") == []
    done = tree.run("unit", "network", "wan", "--since", "2026-02-01", "--correct", *of)
    assert "已更正：203.0.113.0/24 自 2026-02-01 起归 示例一县教育局。" in done.out
    (row,) = tree.rows("unit", "network", "wan", "203.0.113.0/24", "--since", "2026-01-01", "--correct", *of)
    assert (row["prefix"], row["valid_from"]) == ("203.0.113.0/24", "2025-12-31T16:00:00Z")
    (owner,) = tree.rows("unit", "owner", "203.0.113.7", "--at", "2026-03-01")
    assert owner["unit"] == "3900000001"
    (network,) = [one for one in tree.rows("unit", "networks", *of) if one["name"] == "wan"]
    assert network["prefixes"] == ["203.0.113.0/24", "10.1.0.0/24"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--correct"], "give --since"),
        (["--correct", "--since", "2026-01-01", "--zone", "dmz"], "nothing else"),
        (["--correct", "--since", "2026-01-01", "--remove"], "nothing to correct"),
        (["--correct", "--since", "2026-01-01"], "no network"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_correction_of_a_network_when_wrong_ends_with_one_line(still: Sentinel, words: list[str], told: str) -> None:
    assert told in still.run("unit", "network", "none", *words, "--unit", "3900000001", expect=2).complaint


def test_exit_keeps_its_provider_and_line_and_pools_are_listed(sentinel: Sentinel) -> None:
    sentinel.run("unit", "exit", "add", "出口", "203.0.113.0/28", "--provider", "教育网", "--line", "A-001")
    sentinel.run("unit", "exit", "add", "出口", "203.0.113.0/27")
    (row,) = sentinel.rows("unit", "exit", "list")
    assert (row["provider"], row["line"], row["prefixes"]) == ("教育网", "A-001", ["203.0.113.0/27"])
    assert "A-001" in sentinel.run("unit", "exit", "list").out
    words = ("--outside", "203.0.113.16/28", "--inside", "10.0.0.0/8", "--block", "512")
    assert sentinel.run("unit", "nat", "add", "池", *words, "--json").row["block_ports"] == 512
    assert "512" in sentinel.run("unit", "nat", "list").out
    assert sentinel.run("unit", "nat", "withdraw", "池", "--json").row["withdrawn"] is True
    assert sentinel.rows("unit", "nat", "list") == []


def test_runs_tell_from_where_who_and_by_which_authorisation(sentinel: Sentinel, tmp_path: Path) -> None:
    scan = tmp_path / "scan.xml"
    scan.write_text(
        '<?xml version="1.0"?><nmaprun scanner="nmap" args="nmap 10.0.0.5" version="7.93">'
        '<scaninfo type="syn" protocol="tcp" services="80"/><host><status state="up" reason="x"/>'
        '<address addr="10.0.0.5" addrtype="ipv4"/><ports><port protocol="tcp" portid="80"><state state="open"/></port>'
        '</ports></host><runstats><finished time="1780000000" exit="success"/><hosts up="1" down="0" total="1"/>'
        "</runstats></nmaprun>",
        encoding="utf-8",
    )
    sentinel.run("import", scan, "--vantage", "outside")
    (run,) = sentinel.rows("unit", "runs")
    assert (run["vantage"], run["authorisation"], run["kind"]) == ("outside", None, "import")
    assert run["operator"]
    assert "outside" in sentinel.run("unit", "runs", "--last", "1").out
    sentinel.run("publication", "add", "203.0.113.5:443", "10.0.0.5:80", "--name", "www.school.example")
    (row,) = sentinel.rows("map")
    assert [(one["address"], one["port"], one["name"]) for one in row["publications"]] == [
        ("203.0.113.5", 443, "www.school.example")
    ]
    assert "公网映射" in sentinel.run("map").out


def test_publications_are_declared_imported_and_withdrawn(sentinel: Sentinel, tmp_path: Path) -> None:
    file = tmp_path / "fw.cfg"
    file.write_text(
        "nat server protocol tcp global current-interface 443 inside 10.0.0.5 8443\n"
        "nat server global 203.0.113.6 inside 10.0.0.6\n",
        encoding="utf-8",
    )
    shown = sentinel.run("publication", "import", file, "--dry-run", expect=3)
    assert "第 1 行 未读：公网地址是接口的地址：用 --outside 公网地址 写明" in shown.err
    assert "可新增 1" in shown.out
    assert TRIAL in shown.out
    done = sentinel.run("publication", "import", file, "--outside", "203.0.113.5", "--json")
    assert done.rows[-1]["summary"] | {"file": ""} == {
        "file": "", "format": "nat-server", "verified": False, "added": 2, "known": 0, "unread": 0, "dry_run": False,
    }  # fmt: skip
    assert "尚未与真实设备的导出核对" in sentinel.run("publication", "import", file, "--outside", "203.0.113.5").err
    rows = sentinel.rows("publication", "list")
    assert [(one["outside"], one["first_port"], one["inside_port"]) for one in rows] == [
        ("203.0.113.5", 443, 8443), ("203.0.113.6", 0, 0),
    ]  # fmt: skip
    sentinel.run("publication", "withdraw", str(rows[0]["id"]), "--why", "停用")
    assert len(sentinel.rows("publication", "list")) == 1
    assert len(sentinel.rows("publication", "list", "--all")) == 2
    assert "已撤销" in sentinel.run("publication", "list", "--all").out
    assert sentinel.rows("publication", "propose") == []
    assert "共 0 条" in sentinel.run("publication", "propose").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", "203.0.113.5:443", "10.0.0"], "no inside address"),
        (["add", "203.0.113.5:443", "10.0.0.5", "--proto", "icmp"], "--proto"),
        (["add", "203.0.113.5:99999", "10.0.0.5"], "no port or range of ports (write 203.0.113.5:443"),
        (["add", "203.0.113.5:90-80", "10.0.0.5"], "no port or range of ports"),
        (["add", "203.0.113.5:80-90", "10.0.0.5:80"], "leads to 11 ports, 10.0.0.5:80 to 1"),
        (["add", "203.0.113.5:80", "10.0.0.5:80-81"], "lead one to one"),
        (["add", "203.0.113.5", "10.0.0.5:80"], "a port inside"),
        (["add", "10.0.0.5:80", "10.0.0.5:80"], "same address"),
        (["add", "203.0.113.5:443", "10.0.0.5", "--via", "管道"], "no such way"),
        (["add", "203.0.113.5:443", "10.0.0.5", "--from", "2026-02-01", "--until", "2026-01-01"], "before --from"),
        (["accept", "99"], "no publication 99"),
        (["decline", "99", "--why", " "], "--why"),
        (["withdraw", "99", "--why", "x"], "no publication 99"),
        (["import", "absent.cfg", "--outside", "x"], "--outside"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_publication_command_when_wrong_ends_with_one_line(untouched: Sentinel, words: list[str], told: str) -> None:
    assert told in untouched.run("publication", *words, expect=2).complaint


def test_publication_of_a_range_of_ports_leads_one_to_one(sentinel: Sentinel) -> None:
    told = sentinel.run("publication", "add", "203.0.113.5:8080-8089", "10.0.0.5:80-89").out
    assert "203.0.113.5:8080-8089/tcp → 10.0.0.5:80-89/tcp" in told
    sentinel.run("publication", "add", "203.0.113.6:8080-8089", "10.0.0.6")
    sentinel.run("publication", "add", "www.school.example:8443-8444", "10.0.0.7:443-444")
    rows = sentinel.rows("publication", "list")
    assert {
        (one["outside"] or one["name"], one["first_port"], one["last_port"], one["inside_port"]) for one in rows
    } == {
        ("203.0.113.5", 8080, 8089, 80),
        ("203.0.113.6", 8080, 8089, 8080),
        ("www.school.example", 8443, 8444, 443),
    }


def test_publications_of_a_sheet_name_the_wrong_cells_in_chinese(sentinel: Sentinel, tmp_path: Path) -> None:
    file = tmp_path / "映射.csv"
    file.write_text(
        "公网地址,公网端口,内网地址,内网端口,经由\n203.0.113.5,443,无此机,443,\n203.0.113.5,80-90,10.0.0.5,8080-8081,\n"
        "203.0.113.5,443,10.0.0.5,8443,管道\n",
        encoding="utf-8",
    )
    told = sentinel.run("publication", "import", file, expect=3).err
    assert "C2 内网地址 未读：不是地址：写一个地址，如 203.0.113.5" in told
    assert "D3 内网端口 未读：内外端口个数不同" in told
    assert "E4 经由 未读：不是经由方式" in told
    reasons = [one["reason"] for one in sentinel.run("publication", "import", file, "--json", expect=3).rows[:-1]]
    assert reasons[1].startswith("D3 内网端口: as many ports inside as outside")


def test_consent_of_a_third_party_is_entered_listed_and_withdrawn(sentinel: Sentinel) -> None:
    bare = sentinel.run("scope", "consent", "add", "某云", "192.0.2.9", "*.cloud.example", "--json").row
    assert (bare["document"], bare["targets"]) == ("", ["192.0.2.9", "*.cloud.example"])
    words = ("--document", "同意函 1 号", "--from", "2026-01-01", "--until", "2099-12-31")
    sentinel.run("scope", "consent", "add", "某云", "192.0.2.9", *words)
    rows = sentinel.rows("scope", "consent", "list")
    assert [one["in_force"] for one in rows] == [False, True]
    sentinel.run("scope", "consent", "withdraw", str(rows[1]["id"]), "--why", "到期")
    assert "撤销" in sentinel.run("scope", "consent", "list").out
    sentinel.run("scope", "consent", "withdraw", str(rows[0]["id"]), "--why", "迁回", "--moved")
    assert len(sentinel.rows("scope", "consent", "list")) == 1
    for wrong, told in (
        (("add", "某云", "192.0.2.9", "--document", "函"), "--until"),
        (("add", "某云", "192.0.2.9", "--until", "2099-01-01"), "--document"),
        (("add", "某云", "x y"), "x y"),
        (("add", " ", "192.0.2.9"), "party"),
        (("withdraw", "99", "--why", "x"), "no such consent"),
    ):
        assert told in sentinel.run("scope", "consent", *wrong, expect=2).complaint


def test_scan_of_what_somebody_else_hosts_is_refused_without_a_packet(sentinel: Sentinel) -> None:
    words = (
        "--by",
        "办公室",
        "--document",
        "1号",
        "--from",
        "2026-01-01",
        "--until",
        "2099-12-31",
        "--level",
        "service",
    )
    sentinel.run("scope", "authorise", "192.0.2.0/24", *words)
    sentinel.run("scope", "consent", "add", "某云", "192.0.2.9")
    done = sentinel.run("scan", "192.0.2.9", "--plan", "--json", expect=5)
    assert "no_consent" in done.out + done.err or "hosted by a third party" in done.err
