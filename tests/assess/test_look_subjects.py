"""What closer looks make out, each fact once however many looks saw it."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address

import pytest

from sentinel.assess.look_subjects import build_certificate_subjects, build_look_subjects
from sentinel.model.endpoint import MapRow
from sentinel.model.observation import Certificate
from sentinel.model.probe import Probe, ProbeKind, clean_values
from sentinel.model.rule import Category
from tests.assess.test_subjects import NOW, certificate, row

AGREED = {"tls": True, "versions": ["tls1.2", "tls1.0"], "weak_suites": ["rc4"], "forward_secrecy": True}
SHOWN = {
    "certificate_sha256": "aa",
    "names": ["www.school.example"],
    "key_type": "rsa",
    "key_bits": 1024,
    "not_before": (NOW - timedelta(days=5)).isoformat(),
    "not_after": (NOW + timedelta(days=5)).isoformat(),
    "chain_complete": False,
    "self_signed": False,
}


def look(values: dict, name: str = "", seen: datetime = NOW, kind: ProbeKind = ProbeKind.TLS) -> Probe:
    address = None if kind is ProbeKind.DNS else ip_address("10.0.0.5")
    return Probe(1, "inside", kind, address, "tcp", 443, name, clean_values(values), seen, seen, "look")


def fields_of(*looks: Probe) -> list[dict]:
    return [dict(one.fields) for one in build_look_subjects(looks, row(port=443), "u", NOW)]


def shown_by(*looks: Probe, own: Certificate | None = None, confirmed: datetime | None = NOW) -> list:
    seen: MapRow = row(port=443, certificate=own, names=("www.school.example",), last_confirmed=confirmed)
    return list(build_certificate_subjects(seen, looks, NOW))


def test_tls_look_when_built_then_its_values_and_what_follows_from_its_dates_are_fields() -> None:
    (subject,) = build_look_subjects([look(AGREED | SHOWN)], row(port=443), "u", NOW)
    assert (subject.category, subject.text, subject.evidence) == (Category.TLS, "10.0.0.5:443/tcp", "look")
    fields = dict(subject.fields)
    assert (fields["versions"], fields["weak_suites"]) == (("tls1.2", "tls1.0"), ("rc4",))
    assert (fields["days_left"], fields["expired"], fields["not_yet_valid"]) == (5, False, False)
    assert (fields["zone"], fields["look_age_days"]) == ("server", 0)


@pytest.mark.parametrize("date", ["soon", "2026-11-22T00:00:00", 5, ""])
def test_tls_look_when_its_dates_are_none_then_nothing_follows_whatever_else_it_says(date) -> None:
    (fields,) = fields_of(look({"tls": True, "not_after": date, "days_left": 3, "expired": True}))
    assert not {"days_left", "expired", "not_yet_valid"} & set(fields)


def test_tls_looks_when_they_found_the_same_then_only_the_first_says_so() -> None:
    by_name = look(AGREED | SHOWN | {"needs_name": False}, "www.school.example")
    first, second = fields_of(by_name, look(AGREED | SHOWN))
    assert (first.get("asked_name"), second["asked_name"]) == (None, "www.school.example")
    assert first["versions"] == ("tls1.2", "tls1.0")
    assert not {"versions", "weak_suites", "chain_complete", "key_bits", "days_left"} & set(second)
    assert (second["tls"], second["needs_name"]) == (True, False)


def test_tls_looks_when_they_found_something_else_then_each_says_all_of_it() -> None:
    other = AGREED | {"versions": ["tls1.2"]} | SHOWN | {"certificate_sha256": "bb"}
    first, second = fields_of(look(AGREED | SHOWN), look(other, "old.school.example"))
    assert (first["versions"], second["versions"]) == (("tls1.2", "tls1.0"), ("tls1.2",))
    assert second["weak_suites"] == ("rc4",)
    assert second["certificate_sha256"] == "bb"


def test_tls_looks_when_no_name_is_covered_then_that_is_left_to_the_rules_for_certificates() -> None:
    wrong = [look({"name_mismatch": True}, name) for name in ("a.example", "b.example")]
    assert ["name_mismatch" in fields for fields in fields_of(*wrong)] == [False, False]
    right = look({"name_mismatch": False}, "c.example")
    assert [fields["name_mismatch"] for fields in fields_of(*wrong, right)] == [True, True, False]


def test_looks_of_other_kinds_when_built_then_they_are_what_they_were() -> None:
    domain = look({}, "school.example", kind=ProbeKind.DNS)
    web, ssh = look({}, kind=ProbeKind.WEB), look({"ssh_protocol": "2.0"}, kind=ProbeKind.SSH)
    found = list(build_look_subjects([web, ssh, domain], None, "u", NOW))
    assert [(one.category, one.text) for one in found] == [
        (Category.WEB, "10.0.0.5:443/tcp"),
        (Category.DNS, "school.example"),
    ]


def test_certificate_when_no_look_was_made_then_it_is_that_of_the_map() -> None:
    assert shown_by() == []
    (one,) = shown_by(own=certificate(sha256="cc"))
    assert one.evidence == "sum"


def test_certificate_when_only_a_look_saw_it_then_it_is_judged_as_any() -> None:
    (one,) = shown_by(look(SHOWN), confirmed=None)
    assert (one.category, one.text, one.evidence) == (Category.CERTIFICATE, "10.0.0.5:443/tcp", "look")
    fields = dict(one.fields)
    assert (fields["key_type"], fields["key_bits"], fields["days_left"], fields["days_valid"]) == ("rsa", 1024, 5, 10)
    assert (fields["names"], fields["name_mismatch"]) == (("www.school.example",), False)


@pytest.mark.parametrize(("days", "bits"), [(-1, None), (0, 1024), (1, 1024)])
def test_certificate_when_map_and_look_differ_then_the_newer_one_counts(days: int, bits: int | None) -> None:
    found = shown_by(look(SHOWN, seen=NOW + timedelta(days=days)), own=certificate(sha256="cc"))
    assert [one.fields.get("key_bits") for one in found] == [bits]


def test_certificate_when_a_name_shows_another_then_it_is_judged_too_and_each_once() -> None:
    other = SHOWN | {"certificate_sha256": "bb", "names": ["b.example"]}
    found = shown_by(
        look(SHOWN),
        look(SHOWN | {"name_mismatch": True}, "a.example"),
        look(other | {"name_mismatch": False}, "b.example"),
        look(other | {"name_mismatch": True}, "c.example"),
    )
    assert [one.text for one in found] == ["10.0.0.5:443/tcp", "10.0.0.5:443/tcp b.example"]
    assert [one.fields.get("name_mismatch") for one in found] == [False, None]


def test_certificate_when_no_asked_name_is_covered_then_it_is_said_once() -> None:
    wrong = SHOWN | {"names": ["x.example"]}
    found = shown_by(look(wrong), look(wrong | {"name_mismatch": True}, "www.school.example"))
    assert [one.fields.get("name_mismatch") for one in found] == [True]


def test_certificate_when_its_list_of_names_was_cut_then_nothing_is_said_of_names() -> None:
    many = SHOWN | {"names": [f"n{number}.example" for number in range(80)]}
    (one,) = shown_by(look(many))
    assert "name_mismatch" not in one.fields


def test_certificate_when_a_foreign_record_tells_nonsense_then_it_is_left_out() -> None:
    odd = {"certificate_sha256": "aa", "names": 5, "key_bits": True, "self_signed": "no", "key_type": 7, "not_after": 1}
    (one,) = shown_by(look(odd))
    assert not {"names", "key_bits", "self_signed", "key_type", "days_left"} & set(one.fields)
    assert shown_by(look({"certificate_sha256": 5})) == []
    assert [one.evidence for one in shown_by(look({"tls": False}), own=certificate(sha256="cc"))] == ["sum"]
