"""nfdump's lists: a server is who answered in an established TCP conversation, told by both directions."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from sentinel.errors import ParseError
from sentinel.observe import nfdump_csv
from tests.observe import logs
from tests.observe.shown import ports_of
from tests.observe.written import ends_of, hosts_of, losses_of, read

HEAD = logs.NFDUMP_16.splitlines()[0]


def flow(
    source: str, target: str, flags: str = "...AP.SF", packets: int = 5, since: str = "08:30:00", back: int = 0
) -> str:
    (one, first), (two, second) = source.split(":"), target.split(":")
    span = f"2026-11-24 {since},2026-11-24 08:30:05,5.0"
    return f"{span},{one},{two},{first},{second},TCP,{flags},0,0,{packets},100,{back},0"


def servers(*rows: str) -> list[tuple[str, int]]:
    shown = ports_of(read("\n".join([HEAD, *rows]) + "\n"))
    return [(address, port) for address, _, port, *_ in shown]


@pytest.mark.parametrize(("text", "port"), [(logs.NFDUMP_16, 443), (logs.NFDUMP_17, 8443)])
def test_list_when_of_either_version_gives_the_server(text: str, port: int) -> None:
    observations = read(text)
    assert ports_of(observations) == [("192.0.2.1", "tcp", port, "open", "", "")]
    (host,) = hosts_of(observations)
    assert (host.up, host.answered, host.complete, host.rest) == (True, True, False, ())
    (end,) = ends_of(observations)
    assert end.finished is not None
    assert end.finished > datetime(2026, 11, 24, 0, 30, tzinfo=UTC)


def test_server_when_its_port_is_the_larger_is_the_side_that_began_later() -> None:
    ask, answer = flow("192.0.2.9:1000", "192.0.2.1:40000"), flow("192.0.2.1:40000", "192.0.2.9:1000", since="08:30:01")
    assert servers(ask, answer) == [("192.0.2.1", 40000)]
    assert servers(answer, ask) == [("192.0.2.1", 40000)]


@pytest.mark.parametrize("flags", ["......S.", "...A.R..", "........"])
def test_server_when_either_side_set_nothing_up_is_none(flags: str) -> None:
    there, back = ("192.0.2.9:50000", "192.0.2.1:443"), ("192.0.2.1:443", "192.0.2.9:50000")
    quiet = 1 if flags == "........" else 5
    assert servers(flow(*there), flow(*back, flags, quiet)) == []
    assert servers(flow(*there, flags, quiet), flow(*back)) == []


def test_server_when_only_one_direction_is_there_is_none() -> None:
    assert servers(flow("192.0.2.9:50000", "192.0.2.1:443"), flow("192.0.2.9:50000", "192.0.2.1:443")) == []


def test_server_when_one_record_holds_both_directions_is_its_target() -> None:
    assert servers(flow("192.0.2.9:50000", "192.0.2.1:443", back=4)) == [("192.0.2.1", 443)]


def test_server_when_seen_again_is_told_once() -> None:
    rows = [flow(f"192.0.2.9:{port}", "192.0.2.1:443", back=4) for port in range(50000, 50010)]
    assert servers(*rows) == [("192.0.2.1", 443)]


def test_pairs_when_more_than_remembered_forget_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nfdump_csv, "MAX_PAIRS", 1)
    first, second = flow("192.0.2.9:50000", "192.0.2.1:443"), flow("192.0.2.9:50001", "192.0.2.1:443")
    assert servers(first, second, flow("192.0.2.1:443", "192.0.2.9:50000")) == []


def test_row_when_broken_loses_only_itself() -> None:
    observations = read(
        logs.NFDUMP_16.replace("Summary", "x,y\n2026-11-24 08:30:00,,,nobody,192.0.2.1,1,2,TCP,A,,,9,,,\nSummary")
    )
    assert [one.rows for one in losses_of(observations)] == [2]
    assert len(hosts_of(observations)) == 1


def test_row_when_of_another_protocol_shows_nothing() -> None:
    assert servers(flow("192.0.2.9:50000", "192.0.2.1:53", back=4).replace("TCP", "UDP")) == []


@pytest.mark.parametrize("text", ["", "a,b,c\n"])
def test_file_when_it_has_no_head_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="no head"):
        list(nfdump_csv.parse(io.BytesIO(text.encode())))
