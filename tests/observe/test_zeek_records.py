"""Rows of Zeek logs with all of their fields, as rules about logs see them."""

from __future__ import annotations

import io
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.observe.zeek_records import read_records

HTTP = (
    b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\thttp\n"
    b"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tmethod\thost\turi\tuser_agent\tstatus_code\ttags\tok\tx\n"
    b"#types\ttime\tstring\taddr\tport\taddr\tport\tstring\tstring\tstring\tstring\tcount\tset[enum]\tbool\tinterval\n"
    b"1764000000.5\tC1\t10.1.0.7\t50000\t192.0.2.8\t80\tGET\tpool.example\t/a\\x09b\t-\t200\ta,b\tT\t1.5\n"
    b"1764000001.0\tC2\t10.1.0.7\n"
    b"1764000002.0\tC3\tnowhere\tx\t2001:db8::1\t80\tGET\t(empty)\t/\tcurl\t-\t(empty)\tF\t-\n"
    b"#close\t2025-11-24-08-00-00\n"
)


def test_rows_of_a_text_log_have_the_types_of_its_header() -> None:
    first, second = read_records(io.BytesIO(HTTP))
    assert first.path == "http"
    assert first.time is not None
    assert first.time.isoformat() == "2025-11-24T16:00:00.500000+00:00"
    names = ("id.orig_h", "id.orig_p", "status_code", "tags", "ok", "x", "uri")
    assert {name: first.fields[name] for name in names} == {
        "id.orig_h": ip_address("10.1.0.7"), "id.orig_p": 50000, "status_code": 200, "tags": ("a", "b"), "ok": True,
        "x": 1.5, "uri": "/a b",
    }  # fmt: skip
    assert first.fields["log_source"] == ("zeek.http",)
    assert (first.fields["c-uri"], first.fields["cs-host"], first.fields["sc-status"]) == ("/a b", "pool.example", 200)
    assert "user_agent" not in first.fields
    assert (second.fields["id.orig_h"], second.fields["id.orig_p"]) == ("nowhere", "x")
    assert (second.fields["id.resp_h"], second.fields["c-useragent"]) == (ip_address("2001:db8::1"), "curl")
    assert "host" not in second.fields


def test_rows_of_a_json_log_have_their_own_types_and_their_kind_is_told_or_guessed() -> None:
    rows = (
        b'{"_path":"dns","ts":1764000000,"id.orig_h":"10.1.0.7","id.resp_h":"10.1.0.2","query":"a.example",'
        b'"qtype_name":"A","answers":["192.0.2.1","b.example"],"rejected":false,"deep":{"x":1},"none":null}\n'
        b'{"ts":1764000000,"id.orig_h":"10.1.0.7","id.orig_p":1,"id.resp_h":"10.1.0.2","id.resp_p":53,"proto":"udp",'
        b'"query":"c.example","qtype":16,"qtype_name":"TXT"}\n'
        b"[1]\n{broken\n"
        b'{"nothing":"known"}\n'
    )
    first, second = read_records(io.BytesIO(rows))
    assert first.fields["log_source"] == ("zeek.dns", "dns")
    assert (first.fields["record_type"], first.fields["answer"]) == ("A", ("192.0.2.1", "b.example"))
    assert (first.fields["rejected"], "deep" in first.fields, "none" in first.fields) == (False, False, False)
    assert (second.path, second.fields["record_type"]) == ("dns", "TXT")


@pytest.mark.parametrize("data", [b"", b"#fields\n", b"a\tb\n", b"x" * 2_000_000, b"#separator \\x2c\n#fields,a\nv\n"])
def test_rows_when_there_are_none_then_nothing_is_given(data: bytes) -> None:
    assert list(read_records(io.BytesIO(data))) == []


@given(st.binary(max_size=300))
def test_rows_when_the_log_is_hostile_then_nothing_is_raised(data: bytes) -> None:
    list(read_records(io.BytesIO(HTTP[:300] + data)))
    list(read_records(io.BytesIO(data)))
