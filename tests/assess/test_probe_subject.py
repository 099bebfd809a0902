"""Looks at sites and domains as the subjects rules ask: fields of their category and kind, nothing foreign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from sentinel.assess.subjects import build_probe_subject
from sentinel.model.endpoint import Endpoint, EndpointKey, EndpointState, Fingerprint, MapRow
from sentinel.model.probe import Probe, ProbeKind, clean_values
from sentinel.model.rule import Category, Subject
from sentinel.model.unit import Zone

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ADDRESS = ip_address("10.0.0.5")


def row(title: str = "") -> MapRow:
    key = EndpointKey(1, "inside", ADDRESS, "tcp", 80)
    seen = Fingerprint("http", False, "nginx", "1.22")
    return MapRow("u", "lan", Zone.SERVER, Endpoint(key, EndpointState.OPEN, seen, valid_from=NOW, title=title), ())


def subject(kind: ProbeKind, name: str, row: MapRow | None, **values: object) -> Subject | None:
    site = kind is not ProbeKind.DNS
    place = (ADDRESS, "tcp", 80) if site else (None, "", 0)
    look = Probe(1, "inside", kind, *place, name, clean_values(values), NOW, NOW - timedelta(days=2), "sum")
    return build_probe_subject(look, row, "u", NOW)


def test_site_when_built_then_its_text_is_the_endpoint_and_the_name_it_was_asked_by() -> None:
    built = subject(ProbeKind.WEB, "www.a.example", row("登录"), status=200, exposed=["git"], stranger="x", tls="yes")
    assert built is not None
    assert (built.text, built.category, built.unit, built.evidence) == (
        "10.0.0.5:80/tcp www.a.example", Category.WEB, "u", "sum",
    )  # fmt: skip
    assert built.fields == {
        "status": 200,
        "exposed": ("git",),
        "asked_name": "www.a.example",
        "look_age_days": 2,
        "address": ADDRESS,
        "port": 80,
        "proto": "tcp",
        "zone": "server",
        "vantage": "inside",
        "internet": False,
        "map_title": "登录",
    }


def test_site_when_asked_by_no_name_or_not_in_the_map_then_those_fields_are_absent() -> None:
    built = subject(ProbeKind.WEB, "", row(), title="x")
    gone = subject(ProbeKind.WEB, "", None, title="x")
    assert built is not None
    assert gone is not None
    assert built.text == gone.text == "10.0.0.5:80/tcp"
    assert not {"asked_name", "map_title"} & (set(built.fields) | set(gone.fields))
    assert gone.fields["zone"] == "unknown"


def test_domain_when_built_then_its_text_is_the_domain() -> None:
    built = subject(ProbeKind.DNS, "a.example", None, spf_state="missing", ns_count=1, mx=["m.a.example"])
    assert built is not None
    assert (built.text, built.category) == ("a.example", Category.DNS)
    assert built.fields == {
        "spf_state": "missing",
        "ns_count": 1,
        "mx": ("m.a.example",),
        "asked_name": "a.example",
        "look_age_days": 2,
        "vantage": "inside",
    }


def test_look_when_it_belongs_to_the_service_then_it_is_no_subject_of_its_own() -> None:
    assert subject(ProbeKind.LOGIN, "", row(), no_login=True) is None
