from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.model.observation import Certificate
from sentinel.report.hosts import build_panels
from sentinel.report.services import build_certificates, build_services, certificate_chart, service_chart
from tests.report.facts_factory import NOW, make_facts

FACTS = make_facts(200)
GOOD = Certificate(
    "ab",
    "www.school.example",
    "Example CA",
    (),
    NOW - timedelta(days=9),
    NOW + timedelta(days=200),
    "rsa",
    2048,
    "sha256",
    False,
)


def certificates(*shown: Certificate):
    row = next(row for row in FACTS.rows if row.endpoint.certificate)
    rows = [replace(row, endpoint=replace(row.endpoint, certificate=certificate)) for certificate in shown]
    return build_certificates(rows, NOW)


def test_build_services_when_counted_then_every_endpoint_is_in_one_service() -> None:
    lines = build_services(FACTS.rows, build_panels(FACTS, FACTS.findings))
    assert sum(line.endpoints for line in lines) == len(FACTS.rows)
    assert [line.endpoints for line in lines] == sorted((line.endpoints for line in lines), reverse=True)


def test_build_services_when_http_is_inside_tls_then_it_is_https() -> None:
    names = {line.name.zh for line in build_services(FACTS.rows, ())}
    assert {"网页 HTTP", "网页 HTTPS", "未识别"} <= names


def test_service_chart_when_names_are_guessed_then_they_are_hatched() -> None:
    lines = build_services(FACTS.rows, ())
    rdp = next(bar for bar in service_chart(lines).bars if bar.label.en == "Remote desktop RDP")
    assert [segment.tone for segment in rdp.segments] == ["accent", "unknown"]
    assert rdp.segments[0].value == 0
    assert rdp.segments[1].value > 0


def test_service_chart_when_there_are_many_then_the_rest_is_one_bar() -> None:
    lines = build_services(FACTS.rows, ())
    chart = service_chart(lines)
    assert len(lines) > 12
    assert len(chart.bars) == 13
    assert sum(bar.total for bar in chart.bars) == len(FACTS.rows)


@pytest.mark.parametrize(
    ("changes", "faults", "tone"),
    [
        ({}, [], ""),
        ({"not_after": NOW - timedelta(days=1)}, ["已过期"], "high"),
        ({"not_after": NOW + timedelta(days=10)}, ["30 天内到期"], "medium"),
        ({"not_before": NOW + timedelta(days=1)}, ["尚未生效"], "medium"),
        ({"self_signed": True}, ["自签名"], "low"),
        ({"key_bits": 1024}, ["密钥过短"], "medium"),
        ({"key_type": "ec", "key_bits": 256}, [], ""),
        ({"signature": "sha1WithRSAEncryption"}, ["签名算法过时"], "medium"),
        ({"not_after": None, "not_before": None, "key_bits": None, "self_signed": None}, [], ""),
    ],
)
def test_build_certificates_when_certificate_is_faulty_then_faults_are_named(changes, faults, tone) -> None:
    (line,) = certificates(replace(GOOD, **changes))
    assert [fault.zh for fault in line.faults] == faults
    assert line.tone == tone


def test_build_certificates_when_sorted_then_faulty_ones_come_first() -> None:
    expired = replace(GOOD, sha256="cd", not_after=NOW - timedelta(days=3))
    first, second = certificates(GOOD, expired)
    assert (first.days_left, second.days_left) == (-3, 200)


def test_build_certificates_when_one_is_on_many_ports_then_it_is_one_row() -> None:
    (line,) = certificates(*[GOOD] * 6)
    assert (line.count, len(line.places)) == (6, 4)


def test_certificate_chart_when_validity_differs_then_each_falls_into_its_row() -> None:
    ends = (-1, 5, 60, 300)
    shown = [replace(GOOD, sha256=str(days), not_after=NOW + timedelta(days=days)) for days in ends]
    lines = certificates(*shown, replace(GOOD, sha256="none", not_after=None))
    assert [bar.total for bar in certificate_chart(lines, 2).bars] == [1, 1, 1, 1, 3]
