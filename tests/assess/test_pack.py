from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentinel.assess.catalogues import read_limited
from sentinel.assess.pack import check_pack, load_pack
from sentinel.assess.yamlnodes import Complaints
from sentinel.errors import RuleError
from sentinel.model.rule import Category, Severity
from tests.assess.texts import CONTROLS, RULE


def test_load_pack_when_valid_then_the_rule_has_all_its_values(make_pack):
    pack = load_pack([make_pack()])
    (rule,) = pack.rules
    assert (rule.name, rule.severity, rule.category) == ("demo.redis", Severity.CRITICAL, Category.SERVICE)
    assert (rule.clauses, rule.high_risk, rule.due_days) == (("CE-04b",), ("6.4.3.1",), 1)
    assert rule.zh.remediation == "设置口令。"
    assert rule.line == 1
    assert rule.file.endswith("demo/redis.yml")
    assert [case.id for case in pack.high_risk] == ["6.4.3.1"]


def test_load_pack_when_a_file_changes_then_the_hash_changes_and_else_not(make_pack, vary):
    first = load_pack([make_pack()]).hash
    assert load_pack([make_pack()]).hash == first
    assert load_pack([make_pack({"demo/redis.yml": vary("due_days: 1", "due_days: 2")})]).hash != first


def test_load_pack_when_kept_then_it_is_read_from_there_until_a_file_changes(make_pack, vary, tmp_path):
    folder, cache = make_pack(), tmp_path / "cache"
    first = load_pack([folder], cache)
    (kept,) = cache.iterdir()
    again = load_pack([folder], cache)
    assert (again.rules, again.catalogues, again.high_risk) == (first.rules, first.catalogues, first.high_risk)
    assert (again.hash, again.compiled[0].term) == (first.hash, first.compiled[0].term)
    assert again.compiled[0].part.holds({"service": "redis", "guessed": False})
    kept.write_text(kept.read_text("utf-8").replace("设置口令。", "这里读到的"), "utf-8")
    assert load_pack([folder], cache).rules[0].zh.remediation == "这里读到的"
    changed = make_pack({"demo/redis.yml": vary("due_days: 1", "due_days: 2")})
    assert load_pack([changed], cache).rules[0].zh.remediation == "设置口令。"


@pytest.mark.parametrize("broken", [b"", b"{", b'{"rules": 1}', b"\xff"])
def test_load_pack_when_what_is_kept_is_broken_then_the_files_are_read(make_pack, tmp_path, broken):
    folder = make_pack()
    load_pack([folder], tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(broken)
    assert load_pack([folder], tmp_path / "cache").rules == load_pack([folder]).rules


def test_load_pack_when_nothing_can_be_kept_then_it_is_loaded_all_the_same(make_pack, tmp_path):
    place = tmp_path / "a-file"
    place.write_text("")
    assert load_pack([make_pack()], place).rules


def test_load_pack_when_there_are_mistakes_then_nothing_is_kept(make_pack, vary, tmp_path):
    with pytest.raises(RuleError):
        load_pack([make_pack({"demo/redis.yml": vary("due_days: 1", "due_days: 0")})], tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_load_pack_when_files_change_often_then_few_are_kept(make_pack, vary, tmp_path):
    for days in range(1, 8):
        load_pack([make_pack({"demo/redis.yml": vary("due_days: 1", f"due_days: {days}")})], tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 4


def test_load_pack_when_a_catalogue_changes_then_the_hash_changes(make_pack):
    folder = make_pack()
    first = load_pack([folder]).hash
    path = folder / "controls" / "demo.yml"
    path.write_text(path.read_text(encoding="utf-8") + "# 注\n", encoding="utf-8")
    assert load_pack([folder]).hash != first


def test_load_pack_when_feeds_lie_beside_then_they_are_left_out(make_pack):
    assert len(load_pack([make_pack({"demo/redis.yml": RULE, "feeds/x.yml": "not: a rule"})]).rules) == 1


def test_load_pack_when_dates_are_bare_then_they_span_whole_days_in_shanghai(make_pack, vary):
    text = vary("due_days: 1", "valid_from: 2026-01-01\nvalid_to: 2026-12-31")
    (rule,) = load_pack([make_pack({"demo/redis.yml": text})]).rules
    assert rule.valid_from == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert rule.valid_to == datetime(2026, 12, 31, 15, 59, 59, 999999, tzinfo=UTC)


def test_load_pack_when_times_have_no_zone_then_they_are_shanghai(make_pack, vary):
    text = vary("due_days: 1", "valid_from: 2026-01-01 08:00:00")
    (rule,) = load_pack([make_pack({"demo/redis.yml": text})]).rules
    assert rule.valid_from == datetime(2026, 1, 1, tzinfo=UTC)


BAD = [
    ("title: Redis 无需口令即可读写\n", "", 1, "key 'title' is missing"),
    ("title_en: Redis answers without a password\n", "", 1, "key 'title_en' is missing"),
    ("remediation: 设置口令。\n", "", 1, "key 'remediation' is missing"),
    ("due_days: 1", "due_days: soon", 6, "due_days must be a whole number"),
    ("due_days: 1", "due_days: true", 6, "due_days must be a whole number"),
    ("due_days: 1", "colour: red", 6, "unknown key 'colour'"),
    ("due_days: 1", "valid_from: tomorrow", 6, "valid_from must be a date"),
    ("due_days: 1", "valid_from: 2026-02-31", 6, "unreadable value"),
    ("due_days: 1", "valid_from: 2026-02-02\nvalid_to: 2026-02-01", 1, "valid_to lies before valid_from"),
    ("due_days: 1", "falsepositives: none", 6, "falsepositives must be a list of texts"),
    ("due_days: 1", "title: again", 6, "key 'title' occurs twice; first in line 1"),
    ("due_days: 1", "7: x", 6, "key '7' is no text"),
    ("6d1f0b5e-7c3a-4d2e-9a8b-0c1d2e3f4a5b", "6d1f0b5e", 3, "is no UUID"),
    ("name: demo.redis", "name: Demo Redis", 4, "write topic.what-it-finds"),
    ("level: critical", "level: urgent", 5, "level 'urgent' is none of"),
    ("level: critical", "level: [high]", 5, "level must be text"),
    ("mlps.ce-04b", "mlps.CE-04b", 8, "must be lower case"),
    ("mlps.ce-04b", "mlps.ce-99z", 8, "names no clause"),
    ("high-risk.6.4.3.1", "high-risk.9.9", 9, "names no clause of a catalogue and no high-risk case"),
    ("product: sentinel", "product: windows", 11, "logsource.product must be sentinel"),
    ("category: service", "category: process", 12, "logsource.category must be one of"),
    ("category: service", "category: service\n  service: x", 13, "unknown key 'service' in logsource"),
    ("service: redis\n", "servise: redis\n", 15, "unknown field 'servise'"),
    ("service: redis\n", "service|like: redis\n", 15, "unknown modifier 'like'"),
    ("service: redis\n", "service|re: '(?=x)'\n", 15, "invalid perl operator"),
    ("service: redis\n", "service|re: '(('\n", 15, "missing"),
    ("service: redis\n", "service|contains|startswith: re\n", 15, "do not go together"),
    ("service: redis\n", "service|contains|re: re\n", 15, "do not go together"),
    ("service: redis\n", "service|i: re\n", 15, "do not go together"),
    ("service: redis\n", "service|all|all: [re]\n", 15, "do not go together"),
    ("service: redis\n", "service|contains|all: re\n", 15, "needs a list of values"),
    ("service: redis\n", "service|contains: 5\n", 15, "takes text"),
    ("service: redis\n", "service|exists: yep\n", 15, "'exists' takes true or false"),
    ("service: redis\n", "service|gt: 5\n", 15, "text fields cannot be compared"),
    ("service: redis\n", "service|cidr: 10.0.0.0/8\n", 15, "cidr needs an address field"),
    ("service: redis\n", "service|fieldref: port\n", 15, "no text field"),
    ("service: redis\n", "service: 5\n", 15, "wants text, not 5"),
    ("service: redis\n", "service: ''\n", 15, "empty text never matches"),
    ("service: redis\n", "service: []\n", 15, "needs a value"),
    ("service: redis\n", "service: {a: b}\n", 15, "needs a value"),
    ("service: redis\n", "service: [[a]]\n", 15, "values cannot be nested"),
    ("service: redis\n", "port: '6379'\n", 15, "wants a number"),
    ("service: redis\n", "port|gt: many\n", 15, "a comparison takes a number"),
    ("service: redis\n", "port|contains: '63'\n", 15, "needs a text field"),
    ("guessed: false\n  cond", "guessed: 'no'\n  cond", 16, "wants true or false"),
    ("service: redis\n", "address: 10.0.0.300\n", 15, "does not appear to be an IPv4 or IPv6 address"),
    ("service: redis\n", "address|cidr: 10.0.0.1/8\n", 15, "has host bits set"),
    ("condition: selection", "condition: selektion", 17, "unknown selection 'selektion'"),
    ("condition: selection", "condition: 1 of x*", 17, "no selection matches 'x*'"),
    ("condition: selection", "condition: selection |count() > 5", 17, "not supported"),
    ("condition: selection", "condition: [selection]", 17, "condition must be text"),
    ("condition: selection", "condition: selection and", 17, "cannot be read"),
    ("condition: selection", f"condition: {'(' * 60}selection{')' * 60}", 17, "too deeply nested"),
    ("  condition: selection\n", "", 14, "lacks its condition"),
    ("  selection:\n", "  other: {port: 1}\n  selection:\n", 14, "is not used by the condition"),
    ("  selection:\n", "  timeframe: 5m\n  selection:\n", 14, "correlation rules"),
    ("  selection:\n", "  not: {port: 1}\n  selection:\n", 14, "selection name 'not'"),
    ("  selection:\n    service: redis\n    guessed: false\n", "  selection: redis\n", 14, "must be a mapping"),
    ("  selection:\n    service: redis\n    guessed: false\n", "  selection: [redis]\n", 14, "keyword without a field"),
    ("guessed: false}\n  quiet", "guessed: true}\n  quiet", 21, "cases.fires does not fire"),
    ("guessed: true}", "guessed: false}", 22, "cases.quiet fires"),
    ("{service: redis, guessed: true}", "{}", 22, "cases.quiet must be a mapping"),
    ("{service: redis, guessed: true}", "{colour: red}", 22, "unknown field 'colour' in a case"),
    ("{service: redis, guessed: true}", "{port: x}", 22, "of a case wants a number"),
    ("{service: redis, guessed: true}", "{address: x}", 22, "of a case wants a address"),
    ("{service: redis, guessed: true}", "{port: [1, 2]}", 22, "holds one value, not a list"),
    ("  quiet:", "  silent:", 21, "unknown key 'silent' in cases"),
    (
        "  fires: {service: redis, guessed: false}\n  quiet: {service: redis, guessed: true}\n",
        "  []\n",
        21,
        "cases must be",
    ),
    (
        "detection:\n  selection:\n    service: redis\n    guessed: false\n  condition: selection\n",
        "detection: none\n",
        13,
        "detection must be a mapping",
    ),
    ("detection:\n", "detection: [\n", 15, "broken YAML"),
    ("detection:\n", "detection: &a\n", 13, "anchors and aliases"),
    ("detection:\n", "correlation: {type: event_count}\ndetection:\n", 13, "rules of a correlation"),
    ("cases:\n", "---\ncases:\n", 20, "one document for each file"),
    ("due_days: 1", "due_days: !!python/name:os.system", 6, "unreadable value"),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"), BAD, ids=[f"{i}-{row[3][:30]}" for i, row in enumerate(BAD)]
)
def test_check_pack_when_one_thing_is_wrong_then_its_line_is_named(make_pack, vary, old, new, line, message):
    mistakes = check_pack([make_pack({"demo/redis.yml": vary(old, new)})])
    hits = [mistake for mistake in mistakes if message in mistake.message and mistake.file.endswith("redis.yml")]
    assert [(mistake.line) for mistake in hits] == [line], [str(mistake) for mistake in mistakes]


def test_check_pack_when_a_rule_names_itself_then_its_mistakes_carry_the_name(make_pack, vary):
    mistakes = check_pack([make_pack({"demo/redis.yml": vary("level: critical", "level: urgent")})])
    assert {mistake.rule for mistake in mistakes if mistake.file.endswith("redis.yml")} == {"demo.redis"}


def test_check_pack_when_several_files_are_wrong_then_all_mistakes_come_sorted(make_pack, vary):
    rules = {
        "demo/redis.yml": vary("level: critical", "level: urgent"),
        "a/first.yml": "nonsense",
        "b/second.yml": "",
    }
    mistakes = check_pack([make_pack(rules)])
    assert mistakes == tuple(sorted(mistakes))
    assert {Path(mistake.file).name for mistake in mistakes} == {"redis.yml", "first.yml", "second.yml"}
    with pytest.raises(RuleError) as caught:
        load_pack([make_pack(rules)])
    assert caught.value.mistakes == mistakes


def test_check_pack_when_id_and_name_are_used_twice_then_both_are_named_with_the_first_place(make_pack):
    mistakes = check_pack([make_pack({"demo/redis.yml": RULE, "demo/second.yml": RULE})])
    assert [(mistake.line, mistake.message.split(" ")[0]) for mistake in mistakes] == [(3, "id"), (4, "name")]
    assert all("redis.yml:" in mistake.message and mistake.file.endswith("second.yml") for mistake in mistakes)


def test_check_pack_when_two_folders_share_an_id_then_it_is_a_mistake(make_pack, tmp_path, vary):
    other = tmp_path / "site"
    other.mkdir()
    (other / "mine.yml").write_text(vary("name: demo.redis", "name: site.redis"), encoding="utf-8")
    assert [mistake.message.split(" ")[0] for mistake in check_pack([make_pack(), other])] == ["id"]


@pytest.mark.parametrize("folders", [[], [Path("/nonexistent/rules")]])
def test_load_pack_when_there_is_no_folder_then_it_is_refused(folders):
    with pytest.raises(RuleError):
        load_pack(folders)


def test_load_pack_when_the_folder_is_empty_then_it_is_refused(tmp_path):
    with pytest.raises(RuleError, match="no rule file here"):
        load_pack([tmp_path])


HOSTILE = [
    ("huge", b"a: " + b"x" * (2 << 20), 0, "the limit is"),
    ("bomb", b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", 1, "anchors and aliases"),
    ("deep-flow", b"a: " + b"[" * 500_000, 1, "nested deeper"),
    ("deep-block", b"".join(b" " * n + b"a:\n" for n in range(40)), 17, "nested deeper"),
    ("wide", b"- a\n" * 200_000, 50_000, "more than 50000 values"),
    ("not-utf8", b"title: x\nname: \xff\xfe\n", 2, "not UTF-8"),
    ("control", b"title: x\nname: \x07\n", 2, "broken YAML"),
    ("tab", b"title: x\n\tname: y\n", 2, "broken YAML"),
    ("long-int", b"title: " + b"9" * 6000, 1, "unreadable value"),
    ("scalar", b"just text", 1, "a rule file is a mapping"),
    ("empty", b"", 1, "the file is empty"),
]


@pytest.mark.parametrize(("data", "line", "message"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_check_pack_when_the_file_is_hostile_then_it_is_refused_fast_with_its_line(make_pack, data, line, message):
    folder = make_pack({"demo/redis.yml": RULE, "evil.yml": data})
    check_pack([make_pack()])  # imports are not what is measured
    start = time.process_time()
    mistakes = [mistake for mistake in check_pack([folder]) if mistake.file.endswith("evil.yml")]
    assert time.process_time() - start < 1
    assert [mistake.line for mistake in mistakes if message in mistake.message] == [line], mistakes


@pytest.mark.parametrize("pattern", ["(a{1000}){1000}", "(((a{100}){100}){100})", "a" * 1001])
def test_check_pack_when_a_regex_is_too_large_then_it_is_refused_fast(make_pack, vary, pattern):
    folder = make_pack({"demo/redis.yml": vary("service: redis\n", f"service|re: '{pattern}'\n")})
    start = time.process_time()
    assert [mistake.line for mistake in check_pack([folder]) if "field 'service'" in mistake.message] == [15]
    assert time.process_time() - start < 1


@pytest.mark.parametrize("condition", ["not " * 21 + "selection", "selection or " * 60 + "selection"])
def test_check_pack_when_a_condition_is_too_long_then_it_is_refused(make_pack, vary, condition):
    folder = make_pack({"demo/redis.yml": vary("condition: selection", f"condition: {condition}")})
    assert [mistake.line for mistake in check_pack([folder]) if "too long" in mistake.message] == [17]


def test_check_pack_when_links_dangle_then_they_are_no_files(make_pack):
    folder = make_pack()
    (folder / "gone.yml").symlink_to(folder / "nowhere.yml")
    (folder / "controls" / "loop.yml").symlink_to(folder / "controls" / "loop.yml")
    assert check_pack([folder]) == ()


def test_read_limited_when_the_path_cannot_be_opened_then_it_complains(tmp_path):
    complaints = Complaints("x.yml")
    assert read_limited(tmp_path, complaints) == b""
    assert "cannot be read" in complaints.found[0].message


def test_check_pack_when_a_clause_names_an_unknown_rule_then_its_line_is_named(make_pack):
    folder = make_pack(controls=CONTROLS.replace("[demo.redis]", "[demo.redis, demo.nothing]"))
    (mistake,) = check_pack([folder])
    assert (mistake.line, mistake.message) == (14, "a clause names unknown rule 'demo.nothing'")


def test_check_pack_when_two_files_hold_one_catalogue_then_it_is_a_mistake(make_pack):
    folder = make_pack()
    text = (folder / "controls" / "demo.yml").read_text(encoding="utf-8")
    (folder / "controls" / "more.yml").write_text(text, encoding="utf-8")
    assert [mistake.message.split(" is already")[0] for mistake in check_pack([folder])] == [
        "catalogue 'demo-l2'",
        "catalogue 'demo-l3'",
    ]


def test_check_pack_when_foreign_sigma_tags_are_used_then_they_are_allowed(make_pack, vary):
    assert check_pack([make_pack({"demo/redis.yml": vary("high-risk.6.4.3.1", "attack.t1190")})]) == ()


def test_import_when_nothing_is_loaded_yet_then_the_heavy_packages_stay_out():
    code = (
        "import sys, sentinel.assess.pack, sentinel.assess.judge, sentinel.assess.controls, sentinel.assess.subjects\n"
        "print(sorted({'yaml', 'sigma', 're2', 'pyparsing'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("tag", ["high-risk.9.9.9.9", "ipv6.nowhere", "duty.m07", "gbt-39786.n9", "mlps.ce-99z"])
def test_check_pack_when_a_tag_names_no_clause_of_its_catalogue_then_it_is_refused(make_pack, vary, tag):
    mistakes = check_pack([make_pack(rules={"demo/redis.yml": vary("high-risk.6.4.3.1", tag)})])
    assert [one.message for one in mistakes if one.line == 9] == [
        f"tag {tag!r} names no clause of a catalogue and no high-risk case"
    ]


def test_load_pack_when_a_rule_is_tagged_then_all_its_tags_are_kept(make_pack):
    (rule,) = load_pack([make_pack()]).rules
    assert rule.tags == ("mlps.ce-04b", "high-risk.6.4.3.1")
