"""NAT logs of every maker, told by their text: what an inside address became, from when to when."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from ipaddress import ip_address
from time import process_time

import pytest

from sentinel.errors import ParseError
from sentinel.model.observation import Loss, Observation, RunEnd
from sentinel.model.sighting import TranslationObservation
from sentinel.observe import choose_parser, nat_event, nat_log
from tests.observe import logs

BEGIN, END = datetime(2026, 11, 24, 0, 30, tzinfo=UTC), datetime(2026, 11, 24, 0, 31, tzinfo=UTC)
DEVICES = {
    "huawei-usg": "USG6000E", "h3c-secpath": "FW-1", "hillstone": "1304415150000000", "topsec": "TopsecOS",
    "cgn": "192.0.2.33", "h3c-comware5": "FW-0", "fortinet": "FG-1", "palo-alto": "PA-1", "ulogd": "gw",
    "cisco-asa": "asa-1",
}  # fmt: skip
ONLY_BEGIN = {"sangfor", "hillstone", "topsec", "cgn"}
NO_PEER = {"cgn"}


def read(text: str, arrived: datetime | None = logs.ARRIVED) -> list[Observation]:
    stream = io.BytesIO(text.encode())
    return list(nat_log.parse_dated(stream, arrived) if arrived else nat_log.parse(stream))


def translations(text: str, arrived: datetime | None = logs.ARRIVED) -> list[TranslationObservation]:
    return [one for one in read(text, arrived) if isinstance(one, TranslationObservation)]


def end_of(text: str) -> RunEnd:
    (end,) = [one for one in read(text) if isinstance(one, RunEnd)]
    return end


@pytest.mark.parametrize("maker", logs.NAT)
def test_log_when_of_a_maker_gives_the_session(maker: str) -> None:
    assert choose_parser(logs.NAT[maker].encode(), "log").name == nat_log.NAME
    assert translations(logs.NAT[maker]) == [
        TranslationObservation(
            "tcp",
            ip_address("10.0.0.5"),
            ip_address("203.0.113.5"),
            (40001, 40001),
            40000,
            None if maker in NO_PEER else ip_address("198.51.100.7"),
            None if maker in NO_PEER else 443,
            BEGIN,
            None if maker in ONLY_BEGIN else END,
            DEVICES.get(maker, ""),
        )
    ]
    assert not end_of(logs.NAT[maker]).accounts


def test_log_when_of_all_makers_at_once_gives_every_session() -> None:
    text = "".join(logs.NAT.values()) + "Nov 24 08:30:00 gw sshd[1]: hello\n"
    assert len(translations(text)) == len(logs.NAT)
    assert end_of(text).passed_over == (("other lines", 1),)


def test_log_when_in_gb18030_is_read() -> None:
    data = logs.NAT["sangfor"].encode("gb18030")
    assert choose_parser(data, "log").name == nat_log.NAME
    found = list(nat_log.parse_dated(io.BytesIO(data), logs.ARRIVED))
    assert sum(isinstance(one, TranslationObservation) for one in found) == 1


def test_time_when_the_line_tells_no_year_lies_before_the_arrival() -> None:
    later = datetime(2027, 2, 1, tzinfo=UTC)
    earlier = datetime(2026, 11, 1, tzinfo=UTC)
    assert [one.since for one in translations(logs.NAT["sangfor"], later)] == [BEGIN]
    assert [one.since for one in translations(logs.NAT["sangfor"], earlier)] == [BEGIN.replace(year=2025)]
    assert [one.since for one in translations(logs.NAT["sangfor"], None)] == [None]


ASA = "<166>Nov 24 2026 08:{}:00 asa-1 : %ASA-6-{}\n"
DYNAMIC = "{} dynamic TCP translation from inside:10.0.0.5/40000 to outside:203.0.113.5/40001{}"
BLOCK = "{} TCP block of ports for translation from inside:10.0.0.5 to outside:203.0.113.5/1024-1535."
USER_BLOCK = (
    "<134> 1 2026 Nov 24 08:{}:00 192.0.2.33 cnelog - NAT444:Userbased{} [- 10.0.0.5 - 203.0.113.5 - 1024 1535]\n"
)


@pytest.mark.parametrize(
    ("text", "proto"),
    [
        (
            ASA.format(30, "305014: " + BLOCK.format("Allocated"))
            + ASA.format(31, "305015: " + BLOCK.format("Released")),
            "tcp",
        ),
        (USER_BLOCK.format(30, "A") + USER_BLOCK.format(31, "W"), ""),
    ],
)
def test_block_of_ports_when_given_and_taken_back_has_its_span(text: str, proto: str) -> None:
    (one,) = translations(text)
    assert (one.proto, one.ports, one.inside_port, one.since, one.until) == (proto, (1024, 1535), None, BEGIN, END)


def test_slot_when_only_its_end_is_in_the_log_began_by_its_length() -> None:
    (one,) = translations(ASA.format(31, "305012: " + DYNAMIC.format("Teardown", " duration 0:01:00")))
    assert (one.since, one.until, one.ports) == (BEGIN, END, (40001, 40001))


def test_session_when_it_never_ends_is_given_without_an_end() -> None:
    (one,) = translations(logs.NAT["cisco-asa"].splitlines(keepends=True)[0])
    assert (one.since, one.until) == (BEGIN, None)


def test_session_when_only_its_end_is_in_the_log_has_no_beginning() -> None:
    (one,) = translations(logs.NAT["conntrack"].splitlines(keepends=True)[2])
    assert (one.since, one.until) == (None, END)


def test_session_when_the_end_tells_nothing_more_and_the_beginning_is_missing_gives_nothing() -> None:
    assert translations(logs.NAT["cisco-asa"].splitlines(keepends=True)[1]) == []


def test_sessions_when_more_are_open_than_remembered_are_given_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nat_event, "MAX_OPEN", 2)
    begin = logs.NAT["conntrack"].splitlines(keepends=True)[0]
    found = translations("".join(begin.replace("40000", str(port)) for port in range(50000, 50005)))
    assert [one.inside_port for one in found] == [50000, 50001, 50002, 50003, 50004]


def test_server_when_published_is_the_inside_of_its_translation() -> None:
    text = (
        "<190>Nov 24 08:30:00 1304415150000000(root) 46083624 Traffic@FLOW: NAT: 198.51.100.7:40000->203.0.113.5:443"
        "(TCP), dnat to 10.0.0.8:8443, vr trust-vr, user -@-, host -, rule 4\n"
    )
    (one,) = translations(text)
    assert (str(one.inside), one.inside_port, str(one.outside), one.ports) == (
        "10.0.0.8",
        8443,
        "203.0.113.5",
        (443, 443),
    )
    assert (str(one.peer), one.peer_port) == ("198.51.100.7", 40000)


@pytest.mark.parametrize(
    ("maker", "old", "new"),
    [
        ("huawei-usg", ",CloseReason", ",UserName=zhangsan,CloseReason"),
        ("h3c-secpath", "Event(", "UserName(1113)=zhangsan;Event("),
        ("hillstone", "user -@UNKNOWN", "user zhangsan@local"),
        ("topsec", "user= ", "user=zhangsan "),
        ("fortinet", "sentbyte=", 'user="zhangsan" sentbyte='),
        ("palo-alto", "out,,,ssl", r"out,school\zhangsan,,ssl"),
        ("cisco-asa", "10.0.0.5/40000 (", r"10.0.0.5/40000(LOCAL\zhangsan) ("),
    ],
)
def test_log_when_it_names_an_account_says_so(maker: str, old: str, new: str) -> None:
    text = logs.NAT[maker].replace(old, new)
    assert text != logs.NAT[maker]
    assert len(translations(text)) == 1
    assert end_of(text).accounts


@pytest.mark.parametrize("maker", logs.NAT)
def test_session_when_nothing_was_translated_is_read_and_gives_nothing(maker: str) -> None:
    text = logs.NAT[maker].replace("203.0.113.5", "10.0.0.5")
    assert translations(text) == []
    assert not [one for one in read(text) if isinstance(one, Loss)]


@pytest.mark.parametrize("maker", ["huawei-usg", "h3c-secpath", "sangfor", "cgn", "palo-alto", "conntrack"])
def test_row_when_an_address_cannot_be_read_loses_only_that_row(maker: str) -> None:
    bad = logs.NAT[maker].replace("10.0.0.5", "10.0.0.555")
    (loss,) = [one for one in read(bad + logs.NAT["hillstone"]) if isinstance(one, Loss)]
    assert loss.rows == len(bad.splitlines()) - (maker == "conntrack")
    assert loss.where == "line 1"


def test_log_when_no_line_is_a_session_is_refused_with_what_to_do() -> None:
    with pytest.raises(ParseError, match="--mapping"):
        read("Nov 24 08:30:00 gw sshd[1]: hello\n")


def test_line_when_too_long_is_lost_and_the_others_are_not() -> None:
    observations = read("x" * 20_000 + "\n" + logs.NAT["sangfor"])
    assert [one.what for one in observations if isinstance(one, Loss)] == [
        "1 row dropped, the first because of this: the line is too long"
    ]
    assert len(translations("x" * 20_000 + "\n" + logs.NAT["sangfor"])) == 1


@pytest.mark.parametrize("subtype", ["start", "deny"])
def test_palo_alto_when_the_row_is_no_end_is_a_beginning_or_nothing(subtype: str) -> None:
    found = translations(logs.NAT["palo-alto"].replace(",end,", f",{subtype},"))
    assert [one.until for one in found] == ([None] if subtype == "start" else [])


HOSTILE = {
    "conntrack": "[NEW] t 6 " * 300 + "src=" * 2000 + "] ",
    "userlog": "USERLOG/1/NAT: TCP; 1.1.1.1:1-->1.1.1.1:1; 1.1.1.1:1; [" + "-2020/" * 2500,
    "cgn": "based " + "NAT" * 5000,
    "hillstone": "nat to " + "1:1" * 5000,
    "topsec": "id=tos " + "a" * 16_000,
    "asa-slot": "%ASA-6-305011: Built dynamic TCP translation from " + "a:" * 2000 + "a/1 to " + "a:" * 2000,
    "asa-session": "%ASA-6-302013: Built inbound TCP connection 1 for " + "a:" * 2000 + "a/1 (1:1/1) to " + "a:" * 2000,
    "asa-block": "%ASA-6-305014: Allocated TCP block of ports for translation from "
    + "a:" * 2000
    + "a to "
    + "a:" * 2000,
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
def test_line_when_made_to_keep_a_pattern_busy_is_read_in_linear_time(line: str) -> None:
    started = process_time()
    with pytest.raises(ParseError):
        translations("\n".join([line[: nat_log.MAX_TEXT]] * 10))
    assert process_time() - started < 1


def test_fortinet_when_the_word_it_is_told_by_is_part_of_another_is_no_translation() -> None:
    assert translations("srcip=10.0.0.5 dstip=198.51.100.7 xtrandisp=snat transip=203.0.113.5\n") == []
