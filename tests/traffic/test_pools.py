from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from sentinel.errors import ParseError
from sentinel.traffic import PoolName, load_pools

HEADER = "domain,coin,kind,ports,source,date\n"
SHIPPED = Path(__file__).parents[2] / "rules" / "feeds" / "pools.csv"


def feed_of(tmp_path: Path, text: str):
    path = tmp_path / "pools.csv"
    path.write_text(text, encoding="utf-8")
    return load_pools(path)


def test_load_pools_when_rows_are_whole_keeps_every_column(tmp_path):
    feed = feed_of(tmp_path, HEADER + "pool.example,XMR,pool|browser,3333|443,a list (MIT),2026-11-01\n")
    assert feed.match("eu.POOL.example.") == PoolName(
        "pool.example", "XMR", "pool|browser", (3333, 443), "a list (MIT)", date(2026, 11, 1)
    )


def test_match_when_suffixes_are_nested_takes_the_longest(tmp_path):
    feed = feed_of(tmp_path, HEADER + "pool.example,BTC,pool,,s,2026-11-01\nxmr.pool.example,XMR,pool,,s,2026-11-01\n")
    assert feed.match("a.xmr.pool.example").coin == "XMR"
    assert feed.match("a.pool.example").coin == "BTC"
    assert feed.match("notpool.example") is None
    assert feed.match("") is None


@pytest.mark.parametrize(
    ("coin", "single"), [("XMR", "XMR"), ("", ""), ("BTC|BTC/BCH", "BTC"), ("KAS|ZEC", ""), ("DASH|ZEC|HNS", "")]
)
def test_single_coin_when_there_is_doubt_is_empty(coin, single):
    assert PoolName("p.example", coin, "pool", (), "s", date(2026, 11, 1)).single_coin == single


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column domain"),
        ("domain,coin\npool.example,XMR\n", "no column kind, ports"),
        (HEADER + "not a domain,XMR,pool,,s,2026-11-01\n", "line 2: no domain name"),
        (HEADER + "pool.example,XMR,pool,,s,2026-11-01\nUP.example,XMR,pool,,s,2026-11-01\n", "line 3: no domain"),
        (HEADER + "pool.example,XMR,pool,33x,s,2026-11-01\n", "ports or date"),
        (HEADER + "pool.example,XMR,pool,70000,s,2026-11-01\n", "port out of range"),
        (HEADER + "pool.example,XMR,pool,,s,yesterday\n", "ports or date"),
        (HEADER + "pool.example,XMR\n", "ports or date"),
    ],
)
def test_load_pools_when_malformed_says_which_line(tmp_path, text, message):
    with pytest.raises(ParseError, match=message):
        feed_of(tmp_path, text)


def test_load_pools_when_unreadable_or_too_large_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ParseError, match="cannot read"):
        load_pools(tmp_path / "missing.csv")
    (tmp_path / "latin.csv").write_bytes(b"domain,coin,kind,ports,source,date\n\xff\xfe")
    with pytest.raises(ParseError, match="cannot read"):
        load_pools(tmp_path / "latin.csv")
    monkeypatch.setattr("sentinel.traffic.pools._LARGEST_BYTES", 3)
    with pytest.raises(ParseError, match="over 64 MiB"):
        feed_of(tmp_path, HEADER)


def test_shipped_feed_when_loaded_has_every_column_filled():
    feed = load_pools(SHIPPED)
    assert len(feed.names) > 900
    assert {name.listed for name in feed.names.values()} == {date(2026, 11, 1)}
    assert all(name.source and set(name.kind.split("|")) & {"pool", "browser"} for name in feed.names.values())
    assert feed.match("pool.supportxmr.com").coin == "XMR"
    assert feed.match("www.example.edu.cn") is None
