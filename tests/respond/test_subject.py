"""What somebody wrote a finding is about: read the same however it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.model.finding import SubjectKind
from sentinel.respond.subject import build_check, read_subject


@pytest.mark.parametrize(
    ("written", "kind", "text"),
    [
        ("10.0.0.5", SubjectKind.HOST, "10.0.0.5"),
        (" 10.0.0.5 ", SubjectKind.HOST, "10.0.0.5"),
        ("2001:DB8::5", SubjectKind.HOST, "2001:db8::5"),
        ("::ffff:10.0.0.5", SubjectKind.HOST, "10.0.0.5"),
        ("fe80::5%eth0", SubjectKind.HOST, "fe80::5"),
        ("[::ffff:10.0.0.5]:443", SubjectKind.ENDPOINT, "10.0.0.5:443/tcp"),
        ("http://[::ffff:10.0.0.5]/x", SubjectKind.URL, "http://10.0.0.5/x"),
        ("10.0.0.5:443", SubjectKind.ENDPOINT, "10.0.0.5:443/tcp"),
        ("10.0.0.5:53/udp", SubjectKind.ENDPOINT, "10.0.0.5:53/udp"),
        ("[2001:db8:0::5]:443", SubjectKind.ENDPOINT, "[2001:db8::5]:443/tcp"),
        ("WWW.School.Example.", SubjectKind.DOMAIN, "www.school.example"),
        ("教务.学校.example", SubjectKind.DOMAIN, "教务.学校.example"),
        ("HTTPS://WWW.school.example:443", SubjectKind.URL, "https://www.school.example/"),
        ("http://u:p@a.example:8080/B?q=1#f", SubjectKind.URL, "http://a.example:8080/B?…"),
        ("http://a.example/x#/me", SubjectKind.URL, "http://a.example/x?…"),
        ("http://a.example/x?…", SubjectKind.URL, "http://a.example/x?…"),
        ("http://[2001:db8::5]/x", SubjectKind.URL, "http://[2001:db8::5]/x"),
        ("http://10.0.0.5/x", SubjectKind.URL, "http://10.0.0.5/x"),
    ],
)
def test_subject_when_it_can_be_told_is_one_text_of_one_kind(written: str, kind: SubjectKind, text: str) -> None:
    found = read_subject(written)
    assert (found.kind, found.text) == (kind, text)
    assert read_subject(found.text) == found
    assert read_subject(written, kind) == found
    assert found.has_network == (kind in {SubjectKind.HOST, SubjectKind.ENDPOINT})


@pytest.mark.parametrize("written", ["http://10.0.0.5/x", "10.0.0.5:1", "10.0.0.5"])
def test_address_in_a_subject_is_known(written: str) -> None:
    assert str(read_subject(written).address) == "10.0.0.5"


@pytest.mark.parametrize("kind", [SubjectKind.SYSTEM, SubjectKind.UNIT])
def test_system_and_unit_when_said_so_are_taken_as_written(kind: SubjectKind) -> None:
    assert read_subject(" 教务  系统 ", kind).text == "教务 系统"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "  ",
        "教务系统",
        "10.0.0.256",
        "10.0.0.5:0",
        "10.0.0.5:65536",
        "10.0.0.5:x",
        "a b.example",
        "x" * 501,
        "a\x00b",
        "javascript://a.example/x",
        "http://",
        "http://a.example:99999/",
        "http://[::1/x",
        "1.2.3",
        "-a.example",
    ],
)
def test_subject_that_cannot_be_told_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"is no|printable"):
        read_subject(written)


def test_subject_of_another_kind_than_said_is_refused() -> None:
    with pytest.raises(ValueError, match="is no domain"):
        read_subject("10.0.0.5", SubjectKind.DOMAIN)


@given(st.text(max_size=60))
def test_any_text_is_read_to_a_fixed_point_or_refused(written: str) -> None:
    try:
        found = read_subject(written)
    except ValueError:
        return
    assert found.text.isprintable()
    assert read_subject(found.text) == found


@pytest.mark.parametrize(
    ("one", "other"), [("SQL 注入", "sql注入"), ("弱口令（后台）", "弱口令 后台"), ("“越权”访问", "越权访问")]
)
def test_check_when_a_title_is_written_another_way_is_the_same(one: str, other: str) -> None:
    assert build_check(one) == build_check(other) != ""
    assert len(build_check("x" * 500)) == 80
