"""Logs a mapping describes: columns or groups of a pattern, joined where rows tell beginnings and ends."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentinel.errors import ParseError
from sentinel.model.observation import Loss, Observation, RunEnd, RunObservation
from sentinel.model.sighting import AttachmentObservation, HoldingObservation, HoldingSource, TranslationObservation
from sentinel.observe.mapped_log import make_parse
from sentinel.observe.mapping import parse_mapping
from tests.observe import logs

SHIPPED = Path(__file__).parents[2] / "rules" / "mappings"
BEGIN, MIDDLE, LAST, END = (
    datetime(2026, 11, 24, *clock, tzinfo=UTC) for clock in ((0, 30), (0, 31), (0, 40), (1, 30))
)


def read(mapping: str, log: str | bytes) -> list[Observation]:
    data = log.encode() if isinstance(log, str) else log
    return list(make_parse(parse_mapping(mapping.encode(), "mapping.toml"))(io.BytesIO(data), logs.ARRIVED))


def sightings(mapping: str, log: str | bytes) -> list[Observation]:
    return [one for one in read(mapping, log) if not isinstance(one, RunObservation | RunEnd | Loss)]


def holdings(mapping: str, log: str | bytes) -> list[HoldingObservation]:
    return [one for one in sightings(mapping, log) if isinstance(one, HoldingObservation)]


def test_accounting_when_joined_by_session_gives_each_address_its_span() -> None:
    first, second = holdings(logs.ACCOUNTING_MAPPING, logs.ACCOUNTING_LOG)
    assert (str(first.address), first.since, first.until) == ("192.0.2.1", BEGIN, LAST)
    assert (str(second.address), second.since, second.until, second.port) == ("192.0.2.2", LAST, END, "AP-1")
    assert {(one.source, one.mac, one.user) for one in (first, second)} == {
        (HoldingSource.PORTAL, "00:00:5e:00:53:01", "s2026001")
    }
    (end,) = [one for one in read(logs.ACCOUNTING_MAPPING, logs.ACCOUNTING_LOG) if isinstance(one, RunEnd)]
    assert end.accounts


def test_pattern_when_its_groups_bear_our_words_gives_translations() -> None:
    (one,) = sightings(logs.REGEX_MAPPING, logs.REGEX_LOG)
    assert isinstance(one, TranslationObservation)
    assert (str(one.inside), one.inside_port, str(one.outside), one.ports) == (
        "10.0.0.5", 40000, "203.0.113.5", (40001, 40001),
    )  # fmt: skip
    assert (one.proto, one.since, one.until, one.device) == ("tcp", BEGIN, MIDDLE, "gw-1")
    (end,) = [one for one in read(logs.REGEX_MAPPING, logs.REGEX_LOG) if isinstance(one, RunEnd)]
    assert (end.accounts, end.passed_over) == (True, (("other lines", 1),))


@pytest.mark.parametrize(
    ("mapping", "log", "accounts"),
    [
        (logs.REGEX_MAPPING, logs.REGEX_LOG, True),
        (f"accounts = true\n{logs.REGEX_MAPPING}", logs.REGEX_LOG, True),
        (f"accounts = false\n{logs.REGEX_MAPPING}", logs.REGEX_LOG, False),
        (f"accounts = false\n{logs.ACCOUNTING_MAPPING}", logs.ACCOUNTING_LOG, True),
    ],
    ids=["untold", "true", "false", "false, but its rows name some"],
)
def test_log_counts_as_naming_accounts_unless_the_mapping_says_that_no_column_does(
    mapping: str, log: str, accounts: bool
) -> None:
    assert [one.accounts for one in read(mapping, log) if isinstance(one, RunEnd)] == [accounts]


def test_mapping_whose_word_on_accounts_is_none_is_refused() -> None:
    with pytest.raises(ParseError, match="accounts: true or false"):
        parse_mapping(f'accounts = "no"\n{logs.REGEX_MAPPING}'.encode(), "m.toml")


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_mapping_when_its_columns_are_there_reads_whole_sessions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    mapping = parse_mapping(text.encode(), path.name)
    cells = {
        "address": "192.0.2.1", "mac": "0000-5E00-5301", "user": "s2026001", "since": "2026-11-24 08:30:00",
        "until": "2026-11-24 09:30:00", "session": "a1",
    }  # fmt: skip
    titles = [str(title) for title in mapping.fields.values()]
    row = [cells.get(word, "x") for word in mapping.fields]
    (one,) = holdings(text, ",".join(titles) + "\n" + ",".join(row) + "\n")
    assert (str(one.address), one.mac, one.user, one.since, one.until) == (
        "192.0.2.1", "00:00:5e:00:53:01", "s2026001", BEGIN, END,
    )  # fmt: skip


PORTAL = (
    'name = "x"\nkind = "holding"\n[fields]\naddress = "ip"\nmac = "mac"\nsince = "on"\nuntil = "off"\nduration = "s"\n'
)


@pytest.mark.parametrize(
    ("row", "since", "until"),
    [
        ("192.0.2.1,0000-5e00-5301,2026-11-24 08:30:00,2026-11-24 09:30:00,", BEGIN, END),
        ("192.0.2.1,0000-5e00-5301,2026-11-24 08:30:00,,", BEGIN, None),
        ("192.0.2.1,0000-5e00-5301,,2026-11-24 09:30:00,3600", BEGIN, END),
        ("192.0.2.1,0000-5e00-5301,,2026-11-24 09:30:00,", None, END),
        ('192.0.2.1,"0000-5e00-5301","2026-11-24 09:30:00",2026-11-24 08:30:00,', END, END),
        ("192.0.2.1,,,,", None, None),
    ],
)
def test_row_when_whole_has_the_span_its_columns_tell(row: str, since: datetime | None, until: datetime | None) -> None:
    (one,) = holdings(PORTAL, f"ip,mac,on,off,s\n{row}\n")
    assert (one.since, one.until) == (since, until)


def test_row_when_only_a_moment_is_told_is_a_moment() -> None:
    mapping = 'name="x"\nkind="holding"\nsource="arp"\n[fields]\naddress=1\nmac=2\ntime=3\n'
    (one,) = holdings(mapping, "192.0.2.1,0000-5e00-5301,2026-11-24 08:30:00\n")
    assert (one.source, one.since, one.until) == (HoldingSource.ARP, BEGIN, BEGIN)


def test_columns_when_named_by_the_mapping_need_no_heads() -> None:
    mapping = 'name="x"\nkind="holding"\ncolumns=["mac","ip"]\ndelimiter="tab"\n[fields]\naddress="ip"\nmac="mac"\n'
    assert len(holdings(mapping, "0000-5e00-5301\t192.0.2.1\n")) == 1


def test_attachment_when_mapped_tells_the_port_of_the_card() -> None:
    mapping = 'name="x"\nkind="attachment"\ndevice="sw"\n[fields]\nmac="mac"\nport="port"\nvlan="vlan"\ntime="t"\n'
    log = "mac,port,vlan,t\n0000-5e00-5301,GE1,120,2026-11-24 08:30:00\nnone,GE2,1,\n"
    assert sightings(mapping, log) == [AttachmentObservation("00:00:5e:00:53:01", "sw", "GE1", "120", BEGIN)]
    assert [one.rows for one in read(mapping, log) if isinstance(one, Loss)] == [1]


BLOCKS = (
    'name="x"\naccounts=false\nkind="translation"\n[fields]\ninside="in"\noutside="out"\noutside_port="first"\noutside_last="last"\n'
    'since="on"\nuntil="off"\nduration="s"\nuser="who"\n'
)


@pytest.mark.parametrize(
    ("row", "ports"),
    [
        ("10.0.0.5,203.0.113.5,1024,2047,2026-11-24 08:30:00,2026-11-24 09:30:00,,", (1024, 2047)),
        ("10.0.0.5,203.0.113.5,1024,,,2026-11-24 09:30:00,3600,", (1024, 1024)),
        ("10.0.0.5,203.0.113.5,,,2026-11-24 08:30:00,2026-11-24 09:30:00,,", (0, 65535)),
    ],
)
def test_block_when_mapped_has_ports_and_span(row: str, ports: tuple[int, int]) -> None:
    (one,) = sightings(BLOCKS, f"in,out,first,last,on,off,s,who\n{row}\n")
    assert isinstance(one, TranslationObservation)
    assert (one.ports, one.since, one.until) == (ports, BEGIN, END)


@pytest.mark.parametrize(
    "cells", ["x,203.0.113.5,1,", "10.0.0.5,,1,", "10.0.0.5,203.0.113.5,70000,", "10.0.0.5,203.0.113.5,9,8"]
)
def test_row_when_it_cannot_be_read_loses_only_itself(cells: str) -> None:
    log = f"in,out,first,last,on,off,s,who\n{cells},,,,\n10.0.0.5,203.0.113.5,1,2,,,,zhangsan\n"
    observations = read(BLOCKS, log)
    assert [one.where for one in observations if isinstance(one, Loss)] == ["line 2"]
    assert [one.accounts for one in observations if isinstance(one, RunEnd)] == [True]


def test_row_when_passed_over_or_unreadable_still_tells_that_the_log_names_accounts() -> None:
    head = "in,out,first,last,on,off,s,who\n"
    for row in ("10.0.0.5,,1,2,,,,zhangsan\n", "x,203.0.113.5,1,2,,,,zhangsan\n"):
        observations = read(BLOCKS, f"{head}{row}10.0.0.5,203.0.113.5,1,2,,,,\n")
        assert [one.accounts for one in observations if isinstance(one, RunEnd)] == [True]


def test_log_when_in_gb18030_is_read() -> None:
    assert len(holdings(logs.ACCOUNTING_MAPPING, logs.ACCOUNTING_LOG.encode("gb18030"))) == 2


def test_log_when_a_column_is_missing_names_it() -> None:
    with pytest.raises(ParseError, match=r"line 1: no column is called 'mac' \(it has ip, x\)"):
        read(PORTAL, "ip,x\n192.0.2.1,1\n")


@pytest.mark.parametrize("log", ["", "ip,mac,on,off,s\n"])
def test_log_when_it_has_no_row_is_refused(log: str) -> None:
    with pytest.raises(ParseError, match="no row of it is what the mapping 'x' describes"):
        read(PORTAL, log)


GOOD = 'name = "x"\nkind = "holding"\n'
FIELDS = '[fields]\naddress = "ip"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "no TOML"),
        ("\xff\xfe", "needs|no TOML|missing"),
        ('kind = "holding"\n' + FIELDS, "name is missing"),
        ('name = ""\nkind = "holding"\n' + FIELDS, "name: a text is wanted"),
        ('name = 7\nkind = "holding"\n' + FIELDS, "name: a text is wanted"),
        ('name = "x"\n' + FIELDS, "kind is missing"),
        ('name = "x"\nkind = "host"\n' + FIELDS, "kind: 'host' is none of holding, attachment, translation"),
        (GOOD + "colour = 1\n" + FIELDS, "no such key: 'colour'"),
        (GOOD + 'source = "guess"\n' + FIELDS, "source: 'guess' is none of"),
        (GOOD + 'zone = "local"\n' + FIELDS, "zone: write it as"),
        (GOOD + 'time = "%Q"\n' + FIELDS, "time: no such sign"),
        (GOOD + 'delimiter = "::"\n' + FIELDS, "delimiter: one character"),
        (GOOD + "columns = 3\n" + FIELDS, "columns: a list of texts"),
        (GOOD + "fields = 3\n", r"fields: a table is wanted"),
        (GOOD + "[fields]\n", "a holding needs address or mac"),
        (GOOD + '[fields]\naddress = "ip"\ninside = "x"\n', "fields: a holding has no 'inside'"),
        (GOOD + "[fields]\naddress = 0\n", "fields.address: the title of a column, or its number from 1"),
        (GOOD + FIELDS + '[events]\nbegin = ["on"]\n', "no field says in which column the event stands"),
        (GOOD + FIELDS + 'event = "e"\n[events]\nboom = ["on"]\n', "events: no such thing: 'boom'"),
        (GOOD + 'format = "regex"\n' + FIELDS, "pattern is missing"),
        (GOOD + 'format = "regex"\npattern = "("\n', "pattern: RE2 refuses it"),
        (GOOD + 'format = "regex"\npattern = "(?P<a>x)(?=y)"\n', "pattern: RE2 refuses it"),
        (GOOD + 'format = "regex"\npattern = "x"\n', "no group has a name"),
        (
            GOOD + 'format = "regex"\npattern = "(?P<mac>x)"\n[fields]\naddress = "ip"\n',
            "the pattern has no group 'ip'",
        ),
        (GOOD + f'format = "regex"\npattern = "{"x" * 5000}"\n', "5000 characters; the limit is 4000"),
        ("#" * 70_000, "more than 64 KB"),
    ],
)
def test_mapping_when_wrong_says_what(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message) as caught:
        parse_mapping(text.encode("utf-8", "surrogatepass"), "m.toml")
    assert str(caught.value).startswith("m.toml: ")
    assert "\n" not in str(caught.value)
