"""`trace` and `asset` through the real command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sentinel.config import Settings
from sentinel.model.moment import iso_utc
from sentinel.schedule.context import Context, open_context
from sentinel.store.units import read_units
from tests.cli.command import Sentinel
from tests.schedule.nmapfile import HostRow, NmapRun, at, give
from tests.schedule.seen import CARD, OTHER, OUTSIDE, RADIUS, give_log, held, minute, nat, plugged, reading_logs

AT = ("--at", iso_utc(minute(0)))
ACCOUNT = "20261234"


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment in which the contact key of the home lies."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def fill(context: Context) -> None:
    (unit,) = read_units(context.database)
    log = (
        nat(-10, 20),
        held(-60, 60, name="pc-7"),
        held(-30, None, source=RADIUS, user=ACCOUNT, device="nas-1", port="GE1/0/7"),
        held(-300, -200, address="10.0.0.9"),
        plugged(-1),
    )
    give_log(context, *log, unit=unit)
    for day, rows in ((97, (("10.0.0.1", CARD), ("10.0.0.2", OTHER))), (97.2, (("10.0.0.1", CARD),))):
        hosts = tuple(HostRow(address, ((22, "ssh"),), mac=mac) for address, mac in rows)
        give(context, NmapRun(hosts, finished=at(day), mark=str(day)), unit=unit)


@pytest.fixture
def filled(sentinel: Sentinel, key: dict[str, str]) -> Sentinel:
    with reading_logs(), open_context(sentinel.home, Settings()) as context:
        fill(context)
    assert key
    return sentinel


def test_trace_when_asked_prints_the_chain_with_the_account_masked(filled: Sentinel, key: dict[str, str]) -> None:
    done = filled.run("trace", f"{OUTSIDE}:40001", *AT, "--proto", "tcp", env=key)
    for words in (
        "内网地址 10.0.0.1",
        "NAT：198.51.100.7:40001/tcp",
        CARD,
        "主机名 pc-7",
        "账号：20****34",
        "接入：sw-3",
    ):
        assert words in done.out
    assert ACCOUNT not in done.out
    assert "台账中没有这个地址" in done.out


def test_trace_when_asked_for_json_gives_every_link_with_its_evidence(filled: Sentinel, key: dict[str, str]) -> None:
    row = filled.run("trace", f"{OUTSIDE}:40001", *AT, "--json", env=key).row
    (place,) = row["places"]
    (card,) = place["cards"]
    assert (place["address"], place["certainty"], card["mac"]) == ("10.0.0.1", "certain", CARD)
    assert card["accounts"] == ["20****34"]
    assert [one["source"] for one in card["holdings"]] == ["dhcp", "radius"]
    assert [one["address"] for one in card["others"]] == ["10.0.0.9"]
    told = [*place["translations"], *card["holdings"], *card["attachments"]]
    assert all(len(one["evidence"]) == 64 and one["since"] and one["certainty"] for one in told)


def test_trace_when_shown_gives_the_account_and_leaves_an_audit_row(filled: Sentinel, key: dict[str, str]) -> None:
    assert f"账号：{ACCOUNT}" in filled.run("trace", "10.0.0.1", *AT, "--show", env=key).out
    with closing(sqlite3.connect(filled.home / "var" / "sentinel.db")) as database:
        rows = database.execute("SELECT object, after FROM audit WHERE action='trace.show'").fetchall()
    assert len(rows) == 1
    assert ACCOUNT not in str(rows)


def test_trace_when_the_key_is_elsewhere_says_that_the_account_cannot_be_shown(
    filled: Sentinel, tmp_path: Path
) -> None:
    done = filled.run("trace", "10.0.0.1", *AT, "--show", env={"XDG_CONFIG_HOME": str(tmp_path / "other")})
    assert "本机没有联系人密钥" in done.out
    assert ACCOUNT not in done.out


def test_trace_when_a_link_is_missing_names_it(filled: Sentinel, key: dict[str, str]) -> None:
    asked = filled.run("trace", f"{OUTSIDE}:5", *AT, env=key)
    assert "其中没有这个地址和端口" in asked.out
    assert "链条在此中断" in asked.out
    asked = filled.run("trace", f"{OUTSIDE}:40001", "--at", "2026-11-01", env=key)
    assert "没有覆盖 2026-11-01 23:59 的该出口 NAT 日志（此后最早自" in asked.out
    assert "请写明端口" in filled.run("trace", OUTSIDE, *AT, env=key).out
    assert "从未导入过" in filled.run("trace", "2001:db8::7", *AT, env=key).out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("trace", "nowhere", *AT), "ADDRESS: no address"),
        (("trace", "10.0.0.1:x", *AT), "ADDRESS: no port"),
        (("trace", "10.0.0.1:70000", *AT), "ADDRESS: no port"),
        (("trace", "10.0.0.1:", *AT), "ADDRESS: no port"),
        (("trace", "[2001:db8::1]x", *AT), "ADDRESS: no port"),
        (("trace", "10.0.0.1", *AT, "--peer", "x"), "--peer: no address"),
        (("trace", "10.0.0.1", *AT, "--proto", "gre"), "--proto: no such protocol"),
        (("trace", "10.0.0.1", "--at", "yesterday"), "--at:"),
        (("asset", "show", "9"), "no such asset: 9"),
        (("asset", "merge", "1", "2", "--why", " "), "--why: may not be empty"),
        (("asset", "accept", "7"), "no such open proposal: 7"),
        (("asset", "undo", "7"), "no such decision in force: 7"),
    ],
)
def test_command_when_wrong_is_refused_in_one_line(untouched: Sentinel, words: tuple[str, ...], complaint: str) -> None:
    done = untouched.run(*words, expect=2)
    assert complaint in done.complaint


def test_address_when_of_version_six_is_read_with_and_without_a_port(filled: Sentinel, key: dict[str, str]) -> None:
    assert filled.run("trace", "[2001:db8::7]:443", *AT, "--json", env=key).row["port"] == 443
    assert filled.run("trace", "2001:db8::7", *AT, "--json", env=key).row["port"] is None


def test_assets_when_listed_shown_merged_and_undone_keep_their_numbers(filled: Sentinel) -> None:
    before = filled.rows("asset", "list")
    assert [(row["id"], row["address"], row["state"]) for row in before] == [
        (1, "10.0.0.1", "present"),
        (2, "10.0.0.2", "present"),
    ]
    row = filled.run("asset", "show", "1", "--json").row
    assert {one["kind"] for one in row["identifiers"]} >= {"mac", "ip"}
    assert "网卡" in filled.run("asset", "show", "1").out
    filled.run("asset", "merge", "1", "2", "--why", "一台双网卡服务器")
    assert [row["id"] for row in filled.rows("asset", "list")] == [1]
    assert [(row["id"], row["merged_into"]) for row in filled.rows("asset", "list", "--all")] == [(1, None), (2, 1)]
    (decision,) = filled.rows("asset", "undo")
    assert (decision["kind"], decision["reason"]) == ("merge", "一台双网卡服务器")
    assert "有效的决定" in filled.run("asset", "undo").out
    filled.run("asset", "undo", str(decision["id"]))
    assert [row["id"] for row in filled.rows("asset", "list")] == [1, 2]
    assert "共 2 条" in filled.run("asset", "list").out


def test_asset_when_split_by_a_mark_is_another_until_undone(filled: Sentinel) -> None:
    filled.run("asset", "merge", "1", "2", "--why", "误")
    done = filled.run("asset", "split", "1", "--mark", f"mac:{OTHER}", "--why", "两台克隆的虚拟机")
    assert "撤销：sentinel asset undo 2" in done.out
    assert len(filled.rows("asset", "list")) == 2


def test_proposals_when_listed_are_accepted_or_rejected(filled: Sentinel, key: dict[str, str]) -> None:
    with reading_logs(), open_context(filled.home, Settings()) as context:
        (unit,) = read_units(context.database)
        for number, (address, mac) in enumerate((("10.0.0.1", CARD), ("10.0.0.2", OTHER))):
            give_log(context, held(number, 60, address, mac, client_id="00010001aa"), mark=str(number), unit=unit)
    (row,) = filled.rows("asset", "proposals")
    assert (row["kind"], row["why"], row["state"]) == ("merge", "shared_mark", "open")
    assert "两项资产出现同一标识" in filled.run("asset", "proposals").out
    filled.run("asset", "accept", str(row["id"]))
    assert filled.rows("asset", "proposals") == []
    (decision,) = filled.rows("asset", "undo")
    filled.run("asset", "undo", str(decision["id"]))
    filled.run("asset", "reject", str(row["id"]))
    assert [one["state"] for one in filled.rows("asset", "proposals", "--all")] == ["rejected"]


@pytest.mark.parametrize("written", ["::ffff:10.0.0.1", "[::ffff:10.0.0.1]"])
def test_address_when_written_the_ipv6_way_is_the_same(filled: Sentinel, key: dict[str, str], written: str) -> None:
    assert "内网地址 10.0.0.1" in filled.run("trace", written, *AT, env=key).out
