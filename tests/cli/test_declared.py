"""`unit show|set|exit|contact|keep-out`, `setting`, `scope paper`: every answer is changed later and stays changed."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import docx
import pytest

from sentinel.store.home import Home, hold_lock
from tests.cli.command import UNIT, Sentinel
from tests.cli.written import host, nmap, service


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"SENTINEL_CONTACT_KEY": str(tmp_path / "keys" / "contact.key")}


def answers(sentinel: Sentinel, env: dict[str, str]) -> dict[str, list[str]]:
    """What `unit show` says, by the name of the answer."""
    found: dict[str, list[str]] = {}
    for row in sentinel.rows("unit", "show", env=env):
        assert row["command"].startswith("sentinel ")
        found.setdefault(row["name"], []).append(row["value"])
    return found


def test_unit_when_changed_in_name_level_and_region_is_shown_so(sentinel: Sentinel, env: dict[str, str]) -> None:
    sentinel.run("unit", "set", "--name", "新名中学", "--level", "county", "--region", "410100")
    shown = answers(sentinel, env)
    assert (shown["名称"], shown["层级"], shown["属地"]) == (["新名中学"], ["县"], ["410100"])
    assert shown["代码"] == [UNIT]


def test_unit_when_its_code_changes_takes_everything_along(
    sentinel: Sentinel, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.xml").write_text(nmap(host("192.0.2.1", service(23, "telnet"), service(22, "ssh"))))
    sentinel.run("unit", "add", "dept", "信息学院", "--level", "department", "--parent", UNIT)
    sentinel.run("unit", "network", "lan", "192.0.2.0/24")
    sentinel.run("import", tmp_path / "a.xml")
    sentinel.run("unit", "contact", "set", "--name", "张三", "--phone", "13800001234", env=env)
    sentinel.run("unit", "keep-out", "add", "198.51.100.7")
    sentinel.authorise("192.0.2.0/24")
    before = {key: row["number"] for key, row in sentinel.findings().items() if key[1] != UNIT}
    assert before
    sentinel.run("unit", "set", "--code", "4101000001", env=env)
    assert [(row["code"], row["parent"]) for row in sentinel.rows("unit", "list")] == [
        ("4101000001", ""), ("dept", "4101000001"),
    ]  # fmt: skip
    assert tomllib.loads((sentinel.home / "sentinel.toml").read_text())["unit"] == "4101000001"
    assert sentinel.places() == {("192.0.2.1", 22), ("192.0.2.1", 23)}
    sentinel.run("check")
    after = {key: row for key, row in sentinel.findings().items() if key in before}
    assert {key: row["number"] for key, row in after.items()} == before
    assert {row["unit"] for row in sentinel.findings().values()} == {"4101000001"}
    (contact,) = sentinel.rows("unit", "contact", "list", "--show", env=env)
    assert (contact["name"], contact["phone"]) == ("张三", "13800001234")
    assert [row["unit"] for row in sentinel.rows("scope", "list")] == ["4101000001"]
    assert len(sentinel.rows("unit", "keep-out", "list")) == 1
    assert "正常" in sentinel.run("doctor").out


def test_unit_when_its_code_changes_without_the_contact_key_stays_as_it_was(
    sentinel: Sentinel, env: dict[str, str], tmp_path: Path
) -> None:
    sentinel.run("unit", "contact", "set", "--name", "张三", "--phone", "13800001234", env=env)
    other = {"SENTINEL_CONTACT_KEY": str(tmp_path / "none")}
    assert "key" in sentinel.run("unit", "set", "--code", "4101000001", env=other, expect=6).complaint
    assert [row["code"] for row in sentinel.rows("unit", "list")] == [UNIT]
    assert tomllib.loads((sentinel.home / "sentinel.toml").read_text())["unit"] == UNIT


@pytest.mark.parametrize("words", [[], ["--name", " "], ["--code", "a/b"], ["--code", "dept"], ["--level", "planet"]])
def test_unit_when_the_change_is_none_is_refused(sentinel: Sentinel, words: list[str]) -> None:
    sentinel.run("unit", "add", "dept", "信息学院")
    before = sentinel.rows("unit", "list")
    assert sentinel.run("unit", "set", "--unit", UNIT, *words, expect=2).complaint
    assert sentinel.rows("unit", "list") == before


def test_network_when_removed_leaves_its_addresses_to_the_default_one(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(nmap(host("192.0.2.1", service(23, "telnet"))))
    sentinel.run("unit", "network", "lan", "192.0.2.0/24")
    sentinel.run("import", tmp_path / "a.xml")
    numbers = {row["number"] for row in sentinel.rows("finding", "list")}
    assert sentinel.rows("unit", "network", "lan", "--remove")[0]["removed"] is True
    (row,) = sentinel.rows("map")
    assert (row["network"], row["in_scope"]) == ("default", False)
    sentinel.run("check")
    assert {row["number"] for row in sentinel.rows("finding", "list")} >= numbers
    for words in (["default", "--remove"], ["lan", "--remove"], ["lan", "192.0.2.0/24", "--remove"], ["lan"]):
        assert sentinel.run("unit", "network", *words, expect=2).complaint


def test_network_when_changed_keeps_what_was_not_said(sentinel: Sentinel) -> None:
    (row,) = sentinel.rows("unit", "network", "dorm", "10.9.0.0/16", "--zone", "dormitory")
    assert row["scannable"] is False
    (row,) = sentinel.rows("unit", "network", "dorm", "10.8.0.0/16")
    assert (row["zone"], row["scannable"], row["prefixes"]) == ("dormitory", False, ["10.8.0.0/16"])
    (row,) = sentinel.rows("unit", "network", "dorm", "10.8.0.0/16", "--scannable")
    assert row["scannable"] is True
    (row,) = sentinel.rows("unit", "network", "dorm", "10.8.0.0/16")
    assert row["scannable"] is True


def test_exit_when_added_changed_and_withdrawn_brings_its_network_along(sentinel: Sentinel) -> None:
    def networks() -> dict[str, list[str]]:
        return {row["name"]: row["prefixes"] for row in sentinel.rows("unit", "networks")}

    sentinel.run("unit", "network", "dmz", "203.0.113.0/28", "--zone", "dmz")
    sentinel.run("unit", "exit", "add", "教育网", "202.112.0.0/28", "203.0.113.9")
    assert networks() == {"default": [], "dmz": ["203.0.113.0/28"], "教育网": ["202.112.0.0/28"]}
    sentinel.run("unit", "exit", "add", "教育网", "202.112.0.16/28")
    assert networks()["教育网"] == ["202.112.0.16/28"]
    assert [row["prefixes"] for row in sentinel.rows("unit", "exit", "list")] == [["202.112.0.16/28"]]
    assert "重叠" in sentinel.run("unit", "exit", "add", "电信", "202.112.0.0/24", expect=2).complaint
    sentinel.run("unit", "exit", "withdraw", "教育网")
    assert networks() == {"default": [], "dmz": ["203.0.113.0/28"]}
    assert sentinel.rows("unit", "exit", "list") == []
    assert sentinel.run("unit", "exit", "withdraw", "教育网", expect=2).complaint


def test_contact_when_set_is_masked_until_it_is_asked_for(sentinel: Sentinel, env: dict[str, str]) -> None:
    done = sentinel.run("unit", "contact", "set", "--name", "张三", "--phone", "13800001234", env=env)
    assert "13800001234" not in done.out
    (masked,) = sentinel.rows("unit", "contact", "list", env=env)
    assert (masked["name"], masked["phone"]) == ("张*", "138****1234")
    (shown,) = sentinel.rows("unit", "contact", "list", "--show", env=env)
    assert (shown["name"], shown["phone"]) == ("张三", "13800001234")
    sentinel.run("unit", "contact", "set", "--name", "李四", "--phone", "0371-60001234", env=env)
    sentinel.run("unit", "contact", "verify", env=env)
    (row,) = sentinel.rows("unit", "contact", "list", "--show", env=env)
    assert row["name"] == "李四"
    assert "--name" in sentinel.run("unit", "contact", "set", "--phone", "12345678", env=env, expect=2).complaint
    sentinel.run("unit", "contact", "end")
    assert sentinel.rows("unit", "contact", "list", env=env) == []
    assert sentinel.run("unit", "contact", "end", expect=2).complaint


def test_keep_out_when_added_takes_hosts_off_the_map_refuses_the_file_and_can_be_withdrawn(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    (tmp_path / "a.xml").write_text(nmap(host("192.0.2.1", service(22, "ssh")), host("192.0.2.2", service(22, "ssh"))))
    (tmp_path / "b.xml").write_text(nmap(host("192.0.2.4", service(22, "ssh")), target="192.0.2.4/32"))
    sentinel.run("import", tmp_path / "a.xml")
    (added,) = sentinel.rows("unit", "keep-out", "add", "192.0.2.2")
    assert added["hosts_removed"] == 1
    assert sentinel.places() == {("192.0.2.1", 22)}
    rows = sentinel.rows("import", tmp_path / "a.xml", tmp_path / "b.xml", expect=3)
    assert [row["error"] is None for row in rows] == [False, True]
    assert "holds 1 address that is declared to stay out" in rows[0]["error"]
    assert "192.0.2.2" not in rows[0]["error"]
    assert "stay out" in sentinel.run("unit", "network", "x", "192.0.2.2/32", expect=2).complaint
    for place in ("192.0.2.0/29", "::ffff:192.0.2.2"):
        entry = ("whitelist", "add", "host", place, "--reason", "x", "--approved-by", "y")
        assert "stay out" in sentinel.run(*entry, expect=3).complaint
    (entered,) = sentinel.rows("whitelist", "add", "host", "::ffff:192.0.2.9", "--reason", "x", "--approved-by", "y")
    assert entered["addresses"] == ["192.0.2.9/32"]
    sentinel.run("unit", "keep-out", "withdraw", str(added["id"]), "--why", "登记有误")
    assert sentinel.places() == {("192.0.2.1", 22), ("192.0.2.2", 22), ("192.0.2.4", 22)}
    assert sentinel.rows("unit", "keep-out", "list") == []


def test_classified_answer_when_it_contradicts_what_stays_out_is_refused(
    sentinel: Sentinel, env: dict[str, str]
) -> None:
    sentinel.run("unit", "keep-out", "answer", "none")
    assert answers(sentinel, env)["涉密"] == ["没有"]
    sentinel.run("unit", "keep-out", "add", "192.0.2.2")
    assert answers(sentinel, env)["涉密"] == ["有，已排除在外"]
    assert "withdraw them first" in sentinel.run("unit", "keep-out", "answer", "none", expect=2).complaint
    assert sentinel.run("unit", "keep-out", "answer", "maybe", expect=2).complaint


def test_setting_when_changed_keeps_every_comment_and_every_other_setting(sentinel: Sentinel) -> None:
    path = sentinel.home / "sentinel.toml"
    text = path.read_text().replace("# rate_pps = 100", "rate_pps = 70  # 夜间可放宽") + "\n# 本校自己的注释\n"
    path.write_text(text)
    path.chmod(0o640)
    (done,) = sentinel.rows("setting", "set", "rate_pps", "50")
    assert done == {"name": "rate_pps", "before": 70, "value": 50}
    assert path.read_text() == text.replace("rate_pps = 70  #", "rate_pps = 50  #")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    sentinel.run("setting", "set", "language", "en")
    sentinel.run("setting", "unset", "language")
    assert path.read_text() == text.replace("rate_pps = 70  #", "rate_pps = 50  #")
    rows = {row["name"]: row for row in sentinel.rows("setting", "list", env={"SENTINEL_VANTAGE": "outside"})}
    assert (rows["rate_pps"]["value"], rows["rate_pps"]["source"]) == (50, "文件")
    assert (rows["vantage"]["value"], rows["vantage"]["source"]) == ("outside", "环境变量")
    assert rows["language"]["source"] == "默认"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nosuch", "1"], "nosuch: unknown setting"),
        (["rate_pps", "fast"], "rate_pps: must be a whole number"),
        (["language", "fr"], "language: must be one of"),
    ],
)
def test_setting_when_it_is_none_is_refused_and_the_file_stays(sentinel: Sentinel, words: list[str], told: str) -> None:
    before = (sentinel.home / "sentinel.toml").read_bytes()
    assert told in sentinel.run("setting", "set", *words, expect=7).complaint
    assert (sentinel.home / "sentinel.toml").read_bytes() == before


def test_paper_when_nothing_is_signed_is_a_draft_with_blanks_and_names_whom_to_call(
    sentinel: Sentinel, env: dict[str, str], tmp_path: Path
) -> None:
    sentinel.run("unit", "network", "服务器", "10.1.0.0/24", "--zone", "server")
    sentinel.run("unit", "contact", "set", "--name", "张三", "--phone", "13800001234", env=env)
    sentinel.run("scope", "paper", "--out", tmp_path / "out", "--source", "10.1.0.3", env=env)
    files = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
    html = files["扫描告知书.html"].read_text()
    word = docx.Document(str(files["扫描告知书.docx"]))
    text = "\n".join(paragraph.text for paragraph in word.paragraphs)
    for wanted in ("网络安全扫描告知书", "张三", "13800001234", "10.1.0.3", "一个报文也不发", "不猜测口令", "＿＿年"):
        assert wanted in html
        assert wanted in text
    assert "10.1.0.0/24" in [cell.text for row in word.tables[0].rows for cell in row.cells]
    assert "文号：＿＿" in files["扫描授权书.html"].read_text()


def test_paper_of_an_authorisation_tells_its_document_time_and_reach(
    sentinel: Sentinel, env: dict[str, str], tmp_path: Path
) -> None:
    sentinel.run("unit", "network", "服务器", "192.0.2.0/24", "--zone", "server")
    row = sentinel.authorise("192.0.2.0/25", "www.school.example", level="discover", options=["--exclude", "192.0.2.9"])
    out = tmp_path / "授权书.html"
    words = ("--authorisation", str(row["id"]), "--paper", "authorisation", "--out", out)
    (written,) = sentinel.rows("scope", "paper", *words, env=env)
    assert written["file"] == str(out)
    html = out.read_text()
    for wanted in (
        "演练授权",
        "2099年12月31日",
        "192.0.2.0/25",
        "www.school.example",
        "除外：192.0.2.9",
        "5000 个报文",
    ):
        assert wanted in html
    for wrong in (["--authorisation", "99"], ["--out", out], ["--paper", "both", "--out", tmp_path / "x.docx"]):
        assert sentinel.run("scope", "paper", *wrong, env=env, expect=2).complaint


def test_keep_out_when_added_later_withdraws_lines_and_entries_and_blinds_findings(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    (tmp_path / "a.xml").write_text(nmap(host("192.0.2.2", service(6379, "redis")), host("192.0.2.3")))
    (tmp_path / "台账.csv").write_text("系统名称,IP地址\n缓存,192.0.2.2\n网站,192.0.2.3\n全网,192.0.2.0/24\n")
    (tmp_path / "漏洞.csv").write_text(
        "漏洞名称,风险等级,IP地址,端口\n弱口令,高危,192.0.2.2,22\n弱口令,高危,192.0.2.3,22\n"
    )
    sentinel.run("whitelist", "add", "host", "192.0.2.2", "--reason", "x", "--approved-by", "y")
    sentinel.run("import", *(tmp_path / name for name in ("a.xml", "台账.csv", "漏洞.csv")))
    before = {one["number"]: one for one in sentinel.rows("finding", "list")}
    assert sum("192.0.2.2" in str(one["subject"]) for one in before.values()) >= 2
    (added,) = sentinel.rows("unit", "keep-out", "add", "192.0.2.2")
    counts = (added["hosts_removed"], added["lines_withdrawn"], added["entries_withdrawn"])
    assert counts == (1, 1, 1)
    sentinel.run("check")
    after = {one["number"]: one for one in sentinel.rows("finding", "list")}
    assert set(before) <= set(after)
    closed = [number for number, one in before.items() if "192.0.2.2" in str(one["subject"])]
    assert added["findings_closed"] == len(closed)
    assert {after[number]["state"] for number in closed} == {"closed"}  # nobody looked, so nothing was re-tested
    assert [one["system"] for one in sentinel.rows("register", "list")] == ["网站", "全网"]
    for words in (("finding", "list"), ("register", "list"), ("whitelist", "list"), ("map",)):
        assert '192.0.2.2"' not in sentinel.run(*words, "--json").out
        assert "192.0.2.2:" not in sentinel.run(*words, "--json").out
    sentinel.run("unit", "keep-out", "withdraw", str(added["id"]), "--why", "登记有误")
    sentinel.run("import", *(tmp_path / name for name in ("台账.csv", "漏洞.csv")))
    told = [one["subject"] for one in sentinel.rows("finding", "list", "--live")]
    assert "192.0.2.2:22/tcp" in told
    assert [one["system"] for one in sentinel.rows("register", "list")] == ["网站", "全网", "缓存"]


def test_setting_when_it_would_leave_the_home_unusable_is_refused(sentinel: Sentinel) -> None:
    key = str(sentinel.home / "contact.key")
    assert "inside the home" in sentinel.run("setting", "set", "contact_key", key, expect=7).complaint
    assert "no such unit: '9'" in sentinel.run("setting", "set", "unit", "9", expect=2).complaint
    assert "9" not in {str(one["value"]) for one in sentinel.rows("setting", "list") if one["name"] == "unit"}


def test_show_names_the_command_that_changes_the_answer_to_the_other_one(sentinel: Sentinel) -> None:
    for state, other in (("none", "kept-out"), ("kept-out", "none")):
        sentinel.run("unit", "keep-out", "answer", state)
        (command,) = (one["command"] for one in sentinel.rows("unit", "show") if one["name"] == "涉密")
        assert command == f"sentinel unit keep-out answer {other}"


def test_paper_when_the_contact_key_is_elsewhere_says_that_the_contact_is_left_blank(
    sentinel: Sentinel, env: dict[str, str], tmp_path: Path
) -> None:
    sentinel.run("unit", "contact", "set", "--name", "张三", "--phone", "13800001234", env=env)
    assert "文书含联系电话" in sentinel.run("scope", "paper", "--out", tmp_path / "out", env=env).out
    without = {"SENTINEL_CONTACT_KEY": str(tmp_path / "nowhere" / "contact.key")}
    done = sentinel.run("scope", "paper", "--out", tmp_path / "other", env=without)
    assert "密钥不在本机" in done.err
    assert "文书含联系电话" not in done.out
    assert "13800001234" not in (tmp_path / "other" / "扫描告知书.html").read_text()


def test_contact_when_the_key_is_another_is_refused_until_the_old_one_is_ended(
    sentinel: Sentinel, env: dict[str, str], tmp_path: Path
) -> None:
    sentinel.run("unit", "contact", "set", "--name", "张三", "--phone", "13800001234", env=env)
    other = {"SENTINEL_CONTACT_KEY": str(tmp_path / "elsewhere" / "contact.key")}
    words = ("unit", "contact", "set", "--name", "李四", "--phone", "13800005678")
    assert "not the key" in sentinel.run(*words, env=other, expect=6).complaint
    assert not (tmp_path / "elsewhere").exists(), "no second key is made"
    (kept,) = sentinel.rows("unit", "contact", "list", "--show", env=env)
    assert kept["name"] == "张三"
    sentinel.run("unit", "contact", "end", env=other)
    sentinel.run(*words, env=other)
    (row,) = sentinel.rows("unit", "contact", "list", "--show", env=other)
    assert row["name"] == "李四"


def test_setting_when_another_process_changes_one_is_refused_in_one_line(sentinel: Sentinel) -> None:
    before = (sentinel.home / "sentinel.toml").read_text(encoding="utf-8")
    with hold_lock(Home(sentinel.home), "settings", "busy"):
        told = sentinel.run("setting", "set", "rate_pps", "50", expect=6).complaint
    assert "another process changes the settings" in told
    assert (sentinel.home / "sentinel.toml").read_text(encoding="utf-8") == before
    sentinel.run("setting", "set", "rate_pps", "50")
