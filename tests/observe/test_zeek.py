"""How Zeek's logs are read: heads, separators, JSON lines, times, and what is lost."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from sentinel.errors import ParseError
from sentinel.model.observation import OPEN, HostObservation
from sentinel.observe import zeek as zeek_parser
from sentinel.observe.lines import MAX_LINE
from tests.observe.shown import names_of, ports_of
from tests.observe.written import (
    CONN_FIELDS,
    CONN_TYPES,
    conn,
    conn_log,
    ends_of,
    hosts_of,
    losses_of,
    read,
    run_of,
    zeek,
)

MOMENT = datetime.fromtimestamp(1_790_000_000.5, UTC)


def test_log_when_read_is_a_run_with_its_times_and_its_rows() -> None:
    observations = read(conn_log(conn()))
    run = observations[0]
    assert run == run_of(observations)
    assert run.tool == "zeek"
    assert run.started == datetime(2026, 9, 21, 14, 0, tzinfo=UTC)
    assert [one.finished for one in ends_of(observations)] == [datetime(2026, 9, 21, 15, 0, tzinfo=UTC)]
    (host,) = hosts_of(observations)
    assert (host.up, host.answered, host.complete, host.time) == (True, True, False, MOMENT)


def test_log_when_it_was_not_closed_tells_no_end() -> None:
    assert ends_of(read(zeek("conn", CONN_FIELDS, CONN_TYPES, conn(), close=False))) == []


def test_rows_when_their_columns_do_not_fit_are_lost_and_the_rest_read() -> None:
    observations = read(conn_log(conn(), conn() + "\tmore", "short", conn()))
    assert len(hosts_of(observations)) == 2
    (loss,) = losses_of(observations)
    assert (loss.rows, loss.where) == (2, "line 10")
    assert "16 columns where the header has 15" in loss.what


def test_log_when_cut_inside_a_row_keeps_the_rows_before() -> None:
    text = zeek("conn", CONN_FIELDS, CONN_TYPES, conn(), conn(), close=False)[:-30]
    observations = read(text)
    assert len(hosts_of(observations)) == 1
    assert [one.rows for one in losses_of(observations)] == [1]


def test_row_when_longer_than_the_limit_is_lost() -> None:
    observations = read(conn_log(conn(), "x" * (MAX_LINE + 1), conn()))
    assert len(hosts_of(observations)) == 2
    assert losses_of(observations)[0].what.endswith("the line is too long")


@pytest.mark.parametrize("separator", ["|", ";", " "])
def test_log_when_its_separator_is_another_is_read(separator: str) -> None:
    text = zeek("known_hosts", ("ts", "host"), ("time", "addr"), "1790000000.5\t192.0.2.1")
    text = text.replace("\t", separator).replace("\\x09", f"\\x{ord(separator):02x}")
    assert len(hosts_of(read(text))) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "### a comment before the header\n" + text,
        lambda text: text.replace("#path\tconn\n", ""),
        lambda text: text.replace("#separator \\x09\n", ""),
        lambda text: text.replace("#open\t", "#open ").replace("#close\t", "#close "),
        lambda text: text.replace("\n#types", "\n\n#types"),
    ],
)
def test_log_when_its_head_is_unusual_is_read(change) -> None:
    observations = read(change(conn_log(conn())))
    assert len(hosts_of(observations)) == 1
    assert losses_of(observations) == []
    assert len(ends_of(observations)) == 1


def test_log_when_others_follow_in_the_same_file_reads_each_by_its_header() -> None:
    second = zeek("known_hosts", ("ts", "host"), ("time", "addr"), "1790000000.5\t192.0.2.7")
    assert [str(one.address) for one in hosts_of(read(conn_log(conn()) + second))] == ["192.0.2.1", "192.0.2.7"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (zeek("weird", ("ts", "name"), ("time", "string"), "1\tx"), "'weird'"),
        (zeek("conn", ("ts", "uid"), ("time", "string"), "1\tx"), "'id.resp_h'"),
        (zeek("x", ("ts", "uid"), ("time", "string")).replace("#path\tx\n", ""), "ts, uid"),
        ("#separator \\x09\n#path\tconn\n", "#fields"),
        ("#separator \\x09\n#path\tconn\n1\t2\n", "columns"),
        ('{"_path":"weird","ts":1,"uid":"C"}\n', "'weird'"),
        ('{"ts":1,"uid":"C","unheard":2}\n', "unheard"),
        ('{"ts":1,"uid":\n', "no JSON object"),
    ],
)
def test_log_when_not_one_sentinel_reads_raises_and_names_it(text: str, named: str) -> None:
    with pytest.raises(ParseError, match=named):
        read(text)


def lines(*rows: dict[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


CONN_OBJECT: dict[str, object] = {
    "ts": 1790000000.5, "uid": "C1", "id.resp_h": "192.0.2.1", "id.resp_p": 22, "proto": "tcp", "service": "ssh",
    "conn_state": "SF", "local_resp": True, "resp_pkts": 3, "resp_bytes": 20,
}  # fmt: skip


@pytest.mark.parametrize("time", [1790000000.5, 1790000000500, "2026-09-21T14:13:20.500000Z", "1790000000.5"])
def test_json_when_its_times_are_of_any_kind_is_read(time: object) -> None:
    observations = read(lines({**CONN_OBJECT, "ts": time}))
    assert ports_of(observations) == [("192.0.2.1", "tcp", 22, OPEN, "ssh", "")]
    assert hosts_of(observations)[0].time == MOMENT
    assert ends_of(observations) == []


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "T", None, [], True])
def test_json_when_its_time_is_impossible_keeps_the_row(time: object) -> None:
    assert [one.time for one in hosts_of(read(lines({**CONN_OBJECT, "ts": time})))] == [None]


def test_json_when_a_value_is_a_list_or_bool_is_read() -> None:
    observations = read(
        lines({"ts": 1, "uid": "C", "query": "A.example", "AA": False, "RD": True, "answers": ["192.0.2.1", "x"]})
    )
    assert names_of(observations) == [("a.example", "192.0.2.1", "dns")]
    assert hosts_of(read(lines({**CONN_OBJECT, "local_resp": False}))) == []


@pytest.mark.parametrize("depth", [5, *range(900, 1000, 5), 100_000])
def test_json_when_a_value_is_nested_to_the_limit_is_read_or_lost(depth: int) -> None:
    nested = lines(CONN_OBJECT).replace('"ssh"', "[" * depth + "]" * depth)
    observations = read(lines(CONN_OBJECT) + nested)
    assert len(hosts_of(observations)) + sum(one.rows for one in losses_of(observations)) == 2


def test_json_when_rows_of_another_log_follow_reads_what_it_knows() -> None:
    observations = read(
        lines(
            {"_path": "conn", **CONN_OBJECT}, {"_path": "known_hosts", "ts": 1, "host": "192.0.2.9"}, {"_path": "weird"}
        )
        + "{\n[]\n"
    )
    assert [str(one.address) for one in hosts_of(observations)] == ["192.0.2.1", "192.0.2.9"]
    (loss,) = losses_of(observations)
    assert (loss.rows, loss.where) == (3, "line 3")
    assert "'weird'" in loss.what


def test_json_when_a_line_begins_with_a_hash_is_a_lost_row() -> None:
    assert losses_of(read(lines(CONN_OBJECT) + "#close\n"))[0].rows == 1


def test_json_when_no_row_has_an_address_raises() -> None:
    with pytest.raises(ParseError, match="line 1"):
        list(zeek_parser.parse(io.BytesIO(lines({**CONN_OBJECT, "id.resp_h": 5}).encode())))


def test_hosts_when_from_zeek_are_never_complete() -> None:
    assert all(not one.complete for one in read(conn_log(conn())) if isinstance(one, HostObservation))


def test_conn_without_an_answer_keeps_the_originator_and_calls_nobody_up() -> None:
    rows = hosts_of(read(conn_log(conn(conn_state="S0"))))
    assert [(one.up, one.answered, one.endpoints) for one in rows] == [(False, False, ())]
