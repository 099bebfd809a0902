"""nuclei's results: hosts that answered, and what is wrong with them."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from sentinel.errors import ParseError
from sentinel.model.observation import Loss
from sentinel.model.reported import ReportedFlaw
from sentinel.model.rule import Severity
from sentinel.observe.nuclei_json import read_flaws
from tests.observe import logs
from tests.observe.shown import ports_of
from tests.observe.written import hosts_of, losses_of, read

ROWS = [json.loads(line) for line in logs.NUCLEI.splitlines()]


def flaws(text: str) -> list[ReportedFlaw]:
    return [one for one in read_flaws(io.BytesIO(text.encode())) if isinstance(one, ReportedFlaw)]


def changed(**changes: object) -> str:
    return json.dumps({**ROWS[0], **changes}) + "\n"


def test_results_when_read_give_hosts_and_ports() -> None:
    assert ports_of(read(logs.NUCLEI)) == [
        ("192.0.2.1", "tcp", 8080, "open", "http", ""),
        ("192.0.2.2", "tcp", 443, "open", "http", "ssl"),
    ]


def test_results_when_read_give_flaws() -> None:
    first, second = flaws(logs.NUCLEI)
    assert first == ReportedFlaw(
        check="CVE-2021-41773",
        title="Apache 2.4.49 Path Traversal",
        severity=Severity.HIGH,
        address=hosts_of(read(logs.NUCLEI))[0].address,
        proto="tcp",
        port=8080,
        service="http",
        references=("CVE-2021-41773",),
        solution="Update.",
        time=datetime(2026, 11, 24, 0, 30, 0, 123456, tzinfo=UTC),
    )
    assert (second.check, second.severity) == ("tech-detect.nginx", Severity.INFORMATIONAL)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=None),
        "[" + ",\n".join(map(json.dumps, ROWS)) + "]\n",
        "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
    ],
)
def test_results_when_in_a_list_are_read(text: str) -> None:
    assert len(hosts_of(read(text))) == 2
    assert losses_of(read(text)) == []


@pytest.mark.parametrize(
    ("info", "severity"),
    [
        ({"severity": "unknown", "classification": {"cvss-score": 9.8}}, Severity.CRITICAL),
        ({"severity": "unknown"}, Severity.INFORMATIONAL),
        ({"severity": "MEDIUM"}, Severity.MEDIUM),
    ],
)
def test_flaw_when_its_level_is_not_told_is_rated_by_its_score(info: dict[str, object], severity: Severity) -> None:
    assert [one.severity for one in flaws(changed(info=info))] == [severity]


def test_flaw_when_only_a_name_is_told_is_at_the_name() -> None:
    (one,) = flaws(changed(ip="", host="oa.school.example", **{"matched-at": "https://oa.school.example/x"}))
    assert (one.address, one.name, one.port) == (None, "oa.school.example", 443)
    assert hosts_of(read(changed(ip="", **{"matched-at": "https://oa.school.example/x"}))) == []


def test_flaw_when_nowhere_is_left_out() -> None:
    assert flaws(changed(ip="", host="", **{"matched-at": ""})) == []


@pytest.mark.parametrize("place", ["http://[bad", "http://192.0.2.1:99999/"])
def test_flaw_when_its_place_is_no_url_keeps_what_is_told(place: str) -> None:
    (one,) = flaws(changed(**{"matched-at": place}))
    assert (str(one.address), one.port) == ("192.0.2.1", 8080)


def test_row_when_broken_loses_only_itself() -> None:
    assert [one.rows for one in losses_of(read(logs.NUCLEI + "{\n" + '{"a":1}\n'))] == [2]
    assert sum(isinstance(one, Loss) for one in read_flaws(io.BytesIO((logs.NUCLEI + "{\n").encode()))) == 1


def test_results_when_none_can_be_read_are_refused() -> None:
    with pytest.raises(ParseError, match="no result of nuclei's"):
        flaws("{\n")
