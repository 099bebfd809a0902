from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest

from sentinel.assess.fields import FIELDS, Kind
from sentinel.assess.listing import Listing
from sentinel.assess.subjects import (
    build_certificate_subject,
    build_domain_subjects,
    build_flow_subject,
    build_host_subjects,
    build_service_subject,
    build_system_subject,
    build_unit_subject,
)
from sentinel.model.blanket import Blankets, blanket_key
from sentinel.model.endpoint import Endpoint, EndpointKey, EndpointState, Fingerprint, Host, MapRow
from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.model.observation import Certificate, NameObservation
from sentinel.model.probe import Probe, ProbeKind, ProbeValue
from sentinel.model.rule import Category, Subject
from sentinel.model.system import InformationSystem, SystemFacts, SystemState
from sentinel.model.unit import Network, Zone
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NOTHING = Listing((), NOW)
REDIS = Fingerprint("redis", False, "Redis key-value store", "7.0.15")


def row(
    address="10.0.0.5", port=6379, seen=REDIS, names=(), certificate=None, vantage="inside", network=1, **more
) -> MapRow:
    key = EndpointKey(network, vantage, ip_address(address), "tcp", port)
    values = {"last_confirmed": NOW, "evidence": "sum"} | more
    endpoint = Endpoint(
        key, EndpointState.OPEN, seen, valid_from=NOW - timedelta(days=3), certificate=certificate, **values
    )
    return MapRow("u", "server-lan", Zone.SERVER, endpoint, names)


def certificate(**values) -> Certificate:
    base = {
        "not_before": NOW - timedelta(days=10),
        "not_after": NOW + timedelta(days=80),
        "names": ("www.school.example",),
    }
    return Certificate(**(base | values))


def certificate_fields(host_names=(), **values) -> dict:
    subject = build_certificate_subject(row(names=host_names, certificate=certificate(**values)), NOW)
    assert subject is not None
    return dict(subject.fields)


def test_service_subject_when_built_then_text_fields_and_evidence_are_those_of_the_row():
    subject = build_service_subject(
        row(names=("db.school.example",), title="T", extra="E", cpes=("cpe:/a:x",)), NOTHING, NOW
    )
    assert (subject.text, subject.unit, subject.network) == ("10.0.0.5:6379/tcp", "u", 1)
    assert (subject.evidence, subject.seen_at, subject.category) == ("sum", NOW, Category.SERVICE)
    assert subject.fields == {
        "address": ip_address("10.0.0.5"),
        "port": 6379,
        "proto": "tcp",
        "service": "redis",
        "guessed": False,
        "product": "Redis key-value store",
        "version": "7.0.15",
        "title": "T",
        "banner": "E",
        "cpe": ("cpe:/a:x",),
        "zone": "server",
        "vantage": "inside",
        "names": ("db.school.example",),
        "in_scope": True,
        "internet": False,
        "whitelist": "none",
        "open_days": 3,
    }


def looked(days: int, kind: ProbeKind = ProbeKind.LOGIN, **values: ProbeValue) -> Probe:
    """A look at the Redis of `row`, so many days ago."""
    when = NOW - timedelta(days=days)
    return Probe(1, "inside", kind, ip_address("10.0.0.5"), "tcp", 6379, "", tuple(values.items()), when, when, "s")


def test_service_subject_when_looked_at_more_closely_then_what_was_found_stands_beside_the_map():
    looks = [
        looked(1, no_login=True, login_product="redis", version="9", other=1),
        looked(2, ProbeKind.SSH, ssh_kex=("a", "b")),
        looked(2, ProbeKind.MAIL, mail_auth="PLAIN", mail_starttls="yes"),
    ]
    fields = build_service_subject(row(), NOTHING, NOW, looks).fields
    plain = build_service_subject(row(), NOTHING, NOW).fields
    assert {name: value for name, value in fields.items() if name not in plain} == {
        "no_login": True,
        "login_product": "redis",
        "ssh_kex": ("a", "b"),
        "mail_auth": "PLAIN",
    }
    assert fields["version"] == "7.0.15"


@pytest.mark.parametrize(("days", "told"), [(2, True), (3, True), (4, False)])
@pytest.mark.parametrize("name", ["no_login", "snmp_public", "mail_plain_login"])
def test_service_subject_when_a_refutation_is_older_than_the_service_then_it_holds_no_more(days, told, name):
    fields = build_service_subject(row(), NOTHING, NOW, [looked(days, **{name: False})]).fields
    assert (name in fields) is told
    assert build_service_subject(row(), NOTHING, NOW, [looked(days, **{name: True})]).fields[name] is True


def test_service_subject_when_ipv6_then_the_address_stands_in_brackets():
    assert build_service_subject(row("2001:db8::5"), NOTHING, NOW).text == "[2001:db8::5]:6379/tcp"


def test_service_subject_when_nothing_is_known_then_those_fields_are_absent():
    fields = build_service_subject(row(seen=Fingerprint()), NOTHING, NOW).fields
    assert not {"service", "guessed", "product", "version", "tunnel", "title", "banner", "cpe", "names"} & set(fields)


def test_service_subject_when_never_confirmed_then_the_start_of_the_interval_counts():
    assert build_service_subject(row(last_confirmed=None), NOTHING, NOW).seen_at == NOW - timedelta(days=3)


@pytest.mark.parametrize(
    ("address", "vantage", "wanted"),
    [
        ("10.0.0.5", "inside", False),
        ("10.0.0.5", "outside", True),
        ("1.1.1.1", "inside", True),
        ("2606:4700::1", "inside", True),
    ],
)
def test_service_subject_when_global_or_seen_from_outside_then_it_is_internet(address, vantage, wanted):
    assert build_service_subject(row(address, vantage=vantage), NOTHING, NOW).fields["internet"] is wanted


def test_certificate_subject_when_there_is_no_certificate_then_there_is_none():
    assert build_certificate_subject(row(), NOW) is None


def test_certificate_subject_when_its_end_is_near_or_past_then_the_calendar_tells_since_when():
    """The last scan, perhaps of weeks ago, told neither."""
    near = build_certificate_subject(row(certificate=certificate(not_after=NOW + timedelta(days=6))), NOW)
    assert near is not None
    assert dict(near.told) == {"days_left": NOW}
    ended = NOW - timedelta(days=2)
    past = build_certificate_subject(row(certificate=certificate(not_after=ended)), NOW)
    assert past is not None
    assert dict(past.told)["expired"] == ended


def test_certificate_subject_when_built_then_it_has_the_text_of_its_endpoint():
    subject = build_certificate_subject(row(port=443, certificate=certificate()), NOW)
    assert subject is not None
    assert (subject.text, subject.category) == ("10.0.0.5:443/tcp", Category.CERTIFICATE)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"not_after": NOW + timedelta(days=7)}, (7, False)),
        ({"not_after": NOW + timedelta(hours=1)}, (0, False)),
        ({"not_after": NOW}, (0, False)),
        ({"not_after": NOW - timedelta(seconds=1)}, (-1, True)),
        ({"not_after": None}, (None, None)),
    ],
)
def test_certificate_subject_when_it_ends_then_days_left_are_whole_and_rounded_down(values, wanted):
    fields = certificate_fields(**values)
    assert (fields.get("days_left"), fields.get("expired")) == wanted


def test_certificate_subject_when_it_begins_later_then_it_is_not_yet_valid():
    fields = certificate_fields(not_before=NOW + timedelta(days=1))
    assert (fields["not_yet_valid"], fields["days_valid"]) == (True, 79)
    assert {"not_yet_valid", "days_valid"}.isdisjoint(certificate_fields(not_before=None))


MATCHES = [
    ((), {}, None),
    (("www.school.example",), {}, False),
    (("WWW.school.example.",), {}, False),
    (("lib.school.example",), {}, True),
    (("lib.school.example", "www.school.example"), {}, False),
    (("pc-01",), {}, None),
    (("lib.school.example",), {"names": ("*.school.example",)}, False),
    (("a.lib.school.example",), {"names": ("*.school.example",)}, True),
    (("school.example",), {"names": ("*.school.example",)}, True),
    (("lib.school.example",), {"names": ("10.0.0.5",)}, False),
    (("lib.school.example",), {"names": (), "subject": "lib.school.example"}, False),
    (("lib.school.example",), {"names": (), "subject": "Router"}, None),
    (("lib.school.example",), {"names": ()}, None),
]


@pytest.mark.parametrize(("names", "values", "wanted"), MATCHES)
def test_certificate_subject_when_names_are_known_then_mismatch_is_decided(names, values, wanted):
    assert certificate_fields(names, **values).get("name_mismatch") is wanted


def test_host_subjects_when_rows_share_an_address_then_they_are_one_host():
    rows = [
        row(port=443, seen=Fingerprint("http"), vantage="outside", names=("b.example",)),
        row(port=6379, evidence="newer", last_confirmed=NOW + timedelta(hours=1)),
        row(port=6379, vantage="outside"),
        row(port=22, seen=Fingerprint("ssh", guessed=True)),
        row("10.0.0.4"),
        row(network=2),
    ]
    host = Host(
        "server-lan", Zone.SERVER, ip_address("10.0.0.5"), ("a.example",), mac="aa:bb:cc:dd:ee:ff", os="Linux 5.x"
    )
    subjects = list(build_host_subjects(rows, NOTHING, [host]))
    assert [(one.network, one.text) for one in subjects] == [(1, "10.0.0.4"), (1, "10.0.0.5"), (2, "10.0.0.5")]
    fields = subjects[1].fields
    assert (fields["open_count"], fields["ports"], fields["services"]) == (3, (22, 443, 6379), ("http", "redis"))
    assert (fields["names"], fields["os"], fields["mac_known"]) == (("a.example", "b.example"), "Linux 5.x", True)
    assert (fields["vantage"], fields["internet"]) == (("inside", "outside"), True)
    assert subjects[1].evidence == "newer"
    assert subjects[0].fields["mac_known"] is False
    assert "os" not in subjects[0].fields


def test_host_subjects_when_a_whitelist_exists_then_its_verdict_is_a_field():
    entry = WhitelistEntry(1, "u", WhitelistKind.HOST, addresses=(ip_network("10.0.0.0/30"),))
    listing = Listing([entry], NOW)
    (subject,) = build_host_subjects([row()], listing)
    assert subject.fields["whitelist"] == "unlisted"


def test_first_address_of_a_blanket_answers_for_everything_and_others_for_themselves() -> None:
    key = blanket_key(row("10.0.0.0").endpoint.key)
    assert key is not None
    rows = [row("10.0.0.0"), row("10.0.0.7")]
    subjects = build_host_subjects(rows, NOTHING, blankets=Blankets({key: REDIS}))
    assert [one.fields["answers_all"] for one in subjects] == [True, False]


def test_domain_subjects_when_names_come_from_map_and_traffic_then_they_are_joined():
    seen = [
        NameObservation("WWW.school.example", ip_address("10.0.0.9"), NOW + timedelta(hours=2), "dns"),
        NameObservation("dns.school.example", source="tls"),
    ]
    rows = [row(names=("www.school.example", "pc-01", "printer.local", "5.0.0.10.in-addr.arpa"))]
    subjects = list(build_domain_subjects(rows, NOTHING, "u", seen))
    assert [one.text for one in subjects] == ["dns.school.example", "www.school.example"]
    fields = subjects[1].fields
    assert fields["addresses"] == (ip_address("10.0.0.5"), ip_address("10.0.0.9"))
    assert (fields["ports"], fields["sources"], fields["internet"]) == ((6379,), ("dns", "map"), False)
    assert (subjects[1].network, subjects[1].evidence, subjects[1].seen_at) == (0, "sum", NOW + timedelta(hours=2))
    assert (subjects[0].evidence, subjects[0].seen_at) == ("", None)


@pytest.mark.parametrize("name", ["10.0.0.5", "localhost", "a.local", ""])
def test_domain_subjects_when_a_name_is_no_domain_then_it_is_left_out(name):
    assert list(build_domain_subjects([row(names=(name,))], NOTHING, "u")) == []


@pytest.mark.parametrize(("address", "vantage"), [("1.1.1.1", "inside"), ("10.0.0.5", "outside")])
def test_domain_subjects_when_reachable_from_outside_then_they_are_internet(address, vantage):
    (subject,) = build_domain_subjects([row(address, names=("a.example",), vantage=vantage)], NOTHING, "u")
    assert subject.fields["internet"] is True


def flow(**values) -> FlowDetection:
    base = {"file": "x.pcap", "host": "10.0.3.7", "host_port": 50000, "peer": "198.51.100.9", "peer_port": 3333}
    rest = {"family": "stratum", "flow_class": FlowClass.MINING, "certainty": 1.0, "last_seen": NOW}
    return FlowDetection(**(base | rest | values))


def test_flow_subject_when_built_then_its_text_is_host_and_family():
    subject = build_flow_subject(flow(coin="XMR"), "u", 4, Zone.OFFICE, "sum")
    assert (subject.text, subject.network, subject.evidence, subject.seen_at) == ("10.0.3.7 stratum", 4, "sum", NOW)
    assert (subject.fields["class"], subject.fields["coin"], subject.fields["zone"]) == ("mining", "XMR", "office")
    assert subject.fields["peer"] == ip_address("198.51.100.9")


def test_flow_subject_when_parts_are_unknown_then_those_fields_are_absent():
    subject = build_flow_subject(flow(peer="resolver", peer_port=None, host_port=None), "u", 1)
    assert {"peer", "peer_port", "host_port", "coin", "name", "agent"}.isdisjoint(subject.fields)


def test_unit_subject_when_built_then_it_counts_days_and_prefixes():
    networks = [
        Network(1, "u", "a", prefixes=(ip_network("10.0.0.0/24"), ip_network("10.0.1.0/24"))),
        Network(2, "u", "default"),
    ]
    subject = build_unit_subject(
        "u", NOTHING, NOW, networks=networks, newest_scan=NOW - timedelta(days=31), endpoints=9
    )
    assert (subject.text, subject.network) == ("u", 0)
    assert subject.fields == {
        "has_whitelist": False,
        "scanned": True,
        "last_scan_days": 31,
        "networks": 2,
        "endpoints": 9,
    }


def test_unit_subject_when_never_scanned_then_there_are_no_days():
    listing = Listing([WhitelistEntry(1, "u", WhitelistKind.DOMAIN, domain="a.example")], NOW)
    fields = build_unit_subject("u", listing, NOW).fields
    assert (fields["scanned"], fields["has_whitelist"]) == (False, True)
    assert "last_scan_days" not in fields


def all_subjects() -> list[Subject]:
    rows = [row(port=443, names=("www.school.example",), title="T", extra="E", cpes=("c",), certificate=certificate())]
    shown = build_certificate_subject(rows[0], NOW)
    assert shown is not None
    return [
        build_service_subject(rows[0], NOTHING, NOW),
        shown,
        *build_host_subjects(rows, NOTHING),
        *build_domain_subjects(rows, NOTHING, "u"),
        build_flow_subject(flow(coin="XMR", name="n.example", agent="a"), "u", 1),
        build_unit_subject("u", NOTHING, NOW, newest_scan=NOW),
    ]


@pytest.mark.parametrize("subject", all_subjects(), ids=lambda subject: subject.category.value)
def test_subjects_when_built_then_every_field_is_documented_with_its_type(subject):
    kinds = {
        Kind.TEXT: str,
        Kind.NUMBER: (int, float),
        Kind.FLAG: bool,
        Kind.ADDRESS: type(ip_address("::")).__mro__[1],
    }
    known = FIELDS[subject.category]
    for name, value in subject.fields.items():
        values = value if isinstance(value, tuple) else (value,)
        assert isinstance(value, tuple) is known[name].many, name
        for item in values:
            if known[name].kind is Kind.ADDRESS:
                assert hasattr(item, "max_prefixlen"), name
            else:
                assert isinstance(item, kinds[known[name].kind]), name
                assert isinstance(item, bool) is (known[name].kind is Kind.FLAG), name


def test_system_subject_when_all_is_declared_tells_its_days_and_never_what_is_critical() -> None:
    facts = SystemFacts(
        "教务系统",
        department="教务处",
        business_level=3,
        filing="41010012345-00001",
        filing_expires=date(2026, 11, 21),
        assessed_on=date(2026, 11, 12),
        valid_until=date(2026, 12, 2),
        cii=True,
    )
    system = InformationSystem(1, "school", facts, state=SystemState.APPROVED)
    subject = build_system_subject(system, date(2026, 11, 22), confirm_by=NOW - timedelta(days=3), now=NOW)
    assert (subject.category, subject.text, subject.network) == (Category.SYSTEM, "教务系统", 0)
    assert dict(subject.fields) == {
        "name": "教务系统",
        "state": "approved",
        "level": 3,
        "confirm_overdue_days": 3,
        "filed": True,
        "filing_days_left": -1,
        "assessed_days": 10,
        "days_left": 10,
        "has_department": True,
    }
    assert dict(subject.fields).keys() <= FIELDS[Category.SYSTEM].keys()


def test_system_subject_when_little_is_declared_leaves_the_rest_out() -> None:
    system = InformationSystem(1, "school", SystemFacts("网站"))
    subject = build_system_subject(system, date(2026, 11, 22), confirm_by=NOW + timedelta(days=3), now=NOW)
    assert dict(subject.fields) == {"name": "网站", "state": "draft", "filed": False, "has_department": False}
