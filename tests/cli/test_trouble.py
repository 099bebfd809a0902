"""What goes wrong around sentinel: no nmap, a full disk, a home that cannot be written, broken rules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import ROOT, Sentinel, run
from tests.cli.written import host, nmap, service

GOOD_RULE = """\
title: 演练规则
title_en: Practice rule
id: 6d1f0b5e-7c3a-4d2e-9a8b-0c1d2e3f4a5b
name: demo.practice
level: high
due_days: 5
tags:
  - mlps.ce-04b
logsource:
  product: sentinel
  category: service
detection:
  selection:
    port: 22
  condition: selection
remediation: 关闭。
remediation_en: Close it.
cases:
  fires: {port: 22}
  quiet: {port: 23}
"""
BROKEN_RULE = GOOD_RULE.replace("port: 22\n  condition", "prot: 22\n  condition").replace("level: high", "level: loud")


def inside(scenario: str) -> dict[str, Any]:
    """Run a scenario of tests/cli/mounts.py in a mount namespace of its own."""
    command = ["unshare", "--map-root-user", "--mount", sys.executable, "-m", "tests.cli.mounts", scenario]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.namespace
def test_disk_when_full_stores_nothing_by_halves_and_works_again_with_room() -> None:
    seen = inside("full")
    assert seen["import"]["status"] == 6
    assert "the disk is full; nothing of this step was stored" in seen["import"]["complaint"]
    assert (seen["map"], seen["again"], seen["doctor"]) == (0, 9750, ["ok"])
    assert [seen[name]["status"] for name in ("report", "check", "init", "init again")] == [6, 6, 6, 0]
    assert all(seen[name]["complaint"].count("\n") == 1 for name in ("import", "report", "check", "init"))
    assert seen["half a report"] == []


@pytest.mark.namespace
def test_home_when_it_cannot_be_written_ends_with_one_line_and_6() -> None:
    for name, told in inside("readonly").items():
        assert (name, told["status"], told["complaint"].count("\n")) == (name, 6, 1)
        assert told["complaint"].startswith("sentinel: ")


def test_scan_when_nmap_is_missing_says_what_to_install_and_ends_with_9(sentinel: Sentinel, tmp_path: Path) -> None:
    sentinel.authorise("127.78.1.1")
    complaint = sentinel.run("scan", "127.78.1.1", "--ports", "9", env={"PATH": str(tmp_path)}, expect=9).complaint
    assert complaint.startswith("sentinel: nmap is not installed: run `")


def test_other_commands_when_nmap_is_missing_work(sentinel: Sentinel, tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_text(nmap(host("192.0.2.1", service(22, "ssh"))))
    nowhere = {"PATH": str(tmp_path / "nothing")}
    assert sentinel.rows("import", file, env=nowhere)[0]["events"] == 1
    assert len(sentinel.rows("map", env=nowhere)) == 1
    assert sentinel.run("check", env=nowhere).status == 0


def test_rules_when_one_of_the_home_s_is_broken_name_file_and_line_and_end_with_8(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "broken.yml").write_text(BROKEN_RULE)
    file = tmp_path / "a.xml"
    file.write_text(nmap(host("192.0.2.1", service(22, "ssh"))))
    settings = sentinel.home / "sentinel.toml"
    settings.write_text(settings.read_text() + f"\nrules = [{json.dumps(str(own))}]\n")
    for words in (["check"], ["rules", "list"], ["report", "school", "--out", tmp_path / "r.html"], ["doctor"]):
        complaint = sentinel.run(*words, expect=8).complaint
        assert f"{own / 'broken.yml'}:" in complaint
    assert not (tmp_path / "r.html").exists()
    done = sentinel.run("import", file, "--json", expect=8)
    assert done.row["events"] == 1
    assert str(own / "broken.yml") in done.complaint
    assert len(sentinel.rows("map")) == 1, "the map is kept, only judging waits"
    assert sentinel.findings() == {}
    (own / "broken.yml").write_text(GOOD_RULE)
    sentinel.run("check")
    assert ("demo.practice", "192.0.2.1:22/tcp") in sentinel.findings()


def test_rules_check_when_a_folder_has_several_mistakes_lists_all_and_ends_with_8(tmp_path: Path) -> None:
    (tmp_path / "broken.yml").write_text(BROKEN_RULE)
    (tmp_path / "same.yml").write_text(GOOD_RULE)
    (tmp_path / "again.yml").write_text(GOOD_RULE)
    (tmp_path / "torn.yml").write_text("title: [\n")
    (tmp_path / "pattern.yml").write_text(
        GOOD_RULE.replace("    port: 22", "    product|re: '('").replace("demo.practice", "demo.pattern")
    )
    done = run("--home", tmp_path / "none", "rules", "check", tmp_path, "--json")
    assert done.status == 8
    assert all(list(row) == ["file", "line", "rule", "message"] for row in done.rows)
    named = {Path(row["file"]).name for row in done.rows}
    assert {"broken.yml", "torn.yml", "pattern.yml"} <= named
    assert named & {"same.yml", "again.yml"}
    assert {row["line"] for row in done.rows if row["file"].endswith("broken.yml")} >= {5, 14}
    assert done.complaint == f"sentinel: mistakes in the rules: {len(done.rows)}"
    people = run("--home", tmp_path / "none", "rules", "check", tmp_path)
    assert people.out.splitlines() == [f"{row['file']}:{row['line']}: {row['message']}" for row in done.rows]


def test_rules_check_when_a_folder_is_missing_ends_with_8(tmp_path: Path) -> None:
    done = run("--home", tmp_path / "none", "rules", "check", tmp_path / "nosuch")
    assert done.status == 8
    assert str(tmp_path / "nosuch") in done.out


def test_rules_check_when_all_is_well_ends_with_0(tmp_path: Path) -> None:
    assert run("--home", tmp_path / "none", "rules", "check", "--json").out == ""
    assert "没有错误" in run("--home", tmp_path / "none", "rules", "check").out


def test_rules_list_when_asked_gives_every_rule_of_the_installation() -> None:
    rows = run("--home", "/nonexistent", "rules", "list", "--json").rows
    assert len({row["name"] for row in rows}) == len(rows) > 50
    assert set(rows[0]) == {
        "id", "name", "title", "title_en", "level", "category", "clauses", "high_risk", "due_days", "file",
    }  # fmt: skip
    exposed = [row for row in rows if row["name"].startswith(("exposure.", "certificate."))]
    assert len(exposed) >= 20
    assert run("--home", "/nonexistent", "rules", "list").status == 0


def test_demo_when_the_folder_holds_something_else_touches_nothing(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = run("demo", "--out", tmp_path)
    assert done.status == 2
    assert f"{tmp_path}: holds something else; name an empty folder with --out" in done.complaint
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
    blocked = run("demo", "--out", tmp_path / "thesis.txt" / "demo")
    assert (blocked.status, blocked.err.count("\n")) == (6, 1)


def test_demo_when_nmap_is_missing_ends_with_9(tmp_path: Path) -> None:
    done = run("demo", "--out", tmp_path / "demo", env={"PATH": str(tmp_path)})
    assert done.status == 9
    assert not (tmp_path / "demo").exists()


def test_rules_check_when_a_sound_folder_of_ones_own_is_named_knows_the_shipped_clauses(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "practice.yml").write_text(GOOD_RULE, encoding="utf-8")
    assert run("rules", "check", folder).status == 0


def test_rules_check_when_an_own_rule_takes_a_shipped_name_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    text = GOOD_RULE.replace("demo.practice", "exposure.redis")
    (folder / "practice.yml").write_text(text, encoding="utf-8")
    done = run("rules", "check", folder, "--json")
    assert done.status == 8
    assert any("exposure.redis" in row["message"] for row in done.rows)
