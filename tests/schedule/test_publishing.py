"""Publications from files, by hand, by proof; what they join; who may be scanned with consent; whose map is whose."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from sentinel.errors import ParseError, UsageError
from sentinel.model.hosting import Hosting
from sentinel.model.publication import Mapping, Publication, PublicationState
from sentinel.model.register import KeepOut
from sentinel.model.scope import RefusalReason, Target
from sentinel.model.unit import Network, Unit
from sentinel.schedule.context import Context
from sentinel.schedule.declaring import add_keep_out, withdraw_keep_out
from sentinel.schedule.mappings import parse_said
from sentinel.schedule.publishing import (
    FORMATS,
    PublicationImport,
    declare_publication,
    import_publications,
    propose_publications,
    read_published,
)
from sentinel.schedule.reading import read_map
from sentinel.schedule.scanning import plan_scan
from sentinel.schedule.unit_words import PUBLICATIONS
from sentinel.store.audit import newest_audit, read_audit
from sentinel.store.declared import write_keep_out
from sentinel.store.hostings import write_hosting
from sentinel.store.publications import decide_publication, read_publications
from sentinel.store.units import read_networks, write_network, write_unit
from tests.homes import NOW, SCHOOL
from tests.schedule.nmapfile import HostRow, NmapRun, give
from tests.schedule.test_scanning import PORTS, authorise

OUT, IN = ip_address("203.0.113.5"), ip_address("10.0.0.5")
NAT = "nat server protocol tcp global 203.0.113.5 443 inside 10.0.0.5 8443\n"


def take(context: Context, path: Path, text: str | bytes, **options: object) -> PublicationImport:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return import_publications(context, SCHOOL, path, NOW, **options)  # type: ignore[arg-type]  # options by name


def ends(publications: tuple[Publication, ...]) -> list[str]:
    return [
        f"{one.mapping.outside or one.mapping.name}:{one.mapping.first_port} {one.mapping.inside}"
        for one in publications
    ]


def test_export_of_a_firewall_is_entered_once_and_what_was_withdrawn_does_not_come_back(
    context: Context, tmp_path: Path
) -> None:
    done = take(context, tmp_path / "fw.txt", NAT)
    assert (done.format, done.verified, ends(done.added)) == ("nat-server", False, ["203.0.113.5:443 10.0.0.5"])
    before = newest_audit(context.database.connection)
    again = take(context, tmp_path / "fw.txt", NAT)
    assert (again.added, again.known) == ((), 1)
    assert newest_audit(context.database.connection) == before
    (stored,) = read_publications(context.database, SCHOOL.code)
    with context.database.transaction("tester", NOW) as transaction:
        decide_publication(transaction, SCHOOL.code, stored.id, PublicationState.WITHDRAWN, "停用")
    assert take(context, tmp_path / "fw.txt", NAT).known == 1
    assert not read_published(context, SCHOOL, NOW)


def test_configuration_with_more_mappings_than_any_firewall_has_is_refused_and_named_once(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentinel.schedule.publishing.MAX_FOUND", 1)
    line = "nat server protocol tcp global 203.0.113.5 {0} inside 10.0.0.5 {0}\n"
    with pytest.raises(ParseError, match=r"^a\.cfg: more than 1 mappings"):
        take(context, tmp_path / "a.cfg", line.format(80) + line.format(81))


def test_dry_run_enters_nothing(context: Context, tmp_path: Path) -> None:
    before = newest_audit(context.database.connection)
    assert len(take(context, tmp_path / "fw.txt", NAT, dry_run=True).added) == 1
    assert newest_audit(context.database.connection) == before


def test_export_is_not_kept_and_its_secrets_are_nowhere(context: Context, tmp_path: Path) -> None:
    secret = "cipher-Zq81"
    take(context, tmp_path / "fw.txt", f"local-user admin password irreversible-cipher {secret}\n{NAT}")
    assert not list(context.home.evidence.rglob("*.zst"))
    wal = Path(f"{context.home.database}-wal")
    assert secret.encode() not in context.home.database.read_bytes() + (wal.read_bytes() if wal.exists() else b"")
    assert all(secret not in one.after for one in read_audit(context.database.connection, 50))


def test_configuration_in_gbk_is_read_and_bytes_that_are_no_text_are_refused(context: Context, tmp_path: Path) -> None:
    text = f"# 出口防火墙\n{NAT}".encode("gb18030")
    assert len(take(context, tmp_path / "fw.txt", text).added) == 1
    with pytest.raises(ParseError, match="not a text"):
        take(context, tmp_path / "fw.bin", b"\x00\x01" + NAT.encode())
    with pytest.raises(ParseError, match="nothing is published"):
        take(context, tmp_path / "x.conf", "interface 1\n", format_name="nat-server")
    with pytest.raises(UsageError, match="no such format"):
        take(context, tmp_path / "x.conf", NAT, format_name="cisco")
    with pytest.raises(UsageError, match="only sheets"):
        take(context, tmp_path / "x.conf", NAT, said={"a": None})


def test_sheet_is_read_by_its_titles_and_every_wrong_row_by_its_cell(context: Context, tmp_path: Path) -> None:
    text = (
        "序号,公网IP,公网端口,协议,域名,内网IP,内网端口,方式,有效期至,备注\n"
        "1,203.0.113.5,443,TCP,https://www.school.example/x,10.0.0.5,8443,WAF,2027-12-31,门户 13812345678\n"
        "2,203.0.113.6,,,,10.0.0.6,,静态映射,,\n"
        "3,203.0.113.7:8080,,,,10.0.0.7:80,,,,\n"
        "4,203.0.113.8,80,tcp,,不是地址,,,,\n"
        "5,203.0.113.9,99999,tcp,,10.0.0.9,,,,\n"
        "6,,443,tcp,,10.0.0.10,,,,\n"
        "7,203.0.113.11,443,tcp,,10.0.0.11,,管道,,\n"
        "8,203.0.113.12,443,tcp,,10.0.0.12,,,某天,\n"
        ",,,,,,,,,\n"
    )
    done = take(context, tmp_path / "映射.csv", text)
    assert ends(done.added) == ["203.0.113.5:443 10.0.0.5", "203.0.113.6:0 10.0.0.6", "203.0.113.7:8080 10.0.0.7"]
    assert [one.line for one in done.unread] == [5, 6, 7, 8, 9]
    assert done.unread[0].where == "F5 内网IP"
    first = done.added[0]
    assert (first.mapping.name, first.mapping.via) == ("www.school.example", "waf")
    assert "13812345678" not in first.mapping.note
    assert first.valid_to is not None
    assert (done.format, done.verified) == ("sheet", True)


def test_columns_of_a_sheet_may_be_told_and_are_kept(context: Context, tmp_path: Path) -> None:
    text = "外,里\n203.0.113.5,10.0.0.5\n"
    with pytest.raises(ParseError, match="公网地址"):
        take(context, tmp_path / "a.csv", text)
    said = parse_said(["外=公网地址", "里=内网地址"], PUBLICATIONS)
    assert len(take(context, tmp_path / "a.csv", text, said=said, dry_run=True).added) == 1
    with pytest.raises(ParseError, match="公网地址"):
        take(context, tmp_path / "a.csv", text)
    assert len(take(context, tmp_path / "a.csv", text, said=said).added) == 1
    assert take(context, tmp_path / "a.csv", text).known == 1


def test_mapping_to_what_must_stay_out_is_refused_as_a_whole(context: Context, tmp_path: Path) -> None:
    with context.database.transaction("tester", NOW) as transaction:
        write_keep_out(transaction, KeepOut(0, SCHOOL.code, (ip_network("10.0.0.5/32"),), "涉密"))
    with pytest.raises(ParseError, match="declared to stay out") as caught:
        take(context, tmp_path / "fw.txt", NAT)
    assert "10.0.0.5" not in str(caught.value)
    wanted = Publication(0, SCHOOL.code, Mapping(OUT, "tcp", 443, 443, IN), "declared")
    with pytest.raises(ParseError, match="declared to stay out"):
        declare_publication(context, SCHOOL, wanted)
    assert read_publications(context.database, SCHOOL.code) == ()


def test_publication_declared_twice_is_refused(context: Context) -> None:
    wanted = Publication(0, SCHOOL.code, Mapping(OUT, "tcp", 443, 443, IN), "declared")
    stored = declare_publication(context, SCHOOL, wanted)
    assert stored == replace(wanted, id=stored.id, created=NOW)
    with pytest.raises(UsageError, match="in force already"):
        declare_publication(context, SCHOOL, wanted)


def test_every_format_says_whether_it_was_verified() -> None:
    assert [one.name for one in FORMATS] == ["fortinet", "iptables", "nat-server", "nginx"]
    assert all(one.zh for one in FORMATS)


TITLE = '<script id="http-title" output="{0}"><elem key="title">{0}</elem></script>'


def seen(address: str, port: int, title: str) -> bytes:
    raw = NmapRun((HostRow(address, ((port, "nginx"),)),), ports=str(port)).write().decode()
    return raw.replace("</port>", TITLE.format(title) + "</port>").encode()


def test_same_rare_title_on_both_sides_is_proposed_once_and_joins_the_views_when_accepted(context: Context) -> None:
    give(context, seen("203.0.113.5", 443, "示例学校教务系统"), name="out.xml", vantage="outside")
    give(context, seen("10.0.0.5", 8443, "示例学校教务系统"), name="in.xml")
    (one,) = propose_publications(context, SCHOOL, NOW)
    assert (one.state, one.source, one.reason) == (PublicationState.PROPOSED, "title", "示例学校教务系统")
    assert propose_publications(context, SCHOOL, NOW) == ()
    assert not read_published(context, SCHOOL, NOW)
    with context.database.transaction("tester", NOW) as transaction:
        decide_publication(transaction, SCHOOL.code, one.id, PublicationState.IN_FORCE, "")
    published = read_published(context, SCHOOL, NOW)
    joined = {
        str(row.endpoint.key.address): [way.text for way in published.ways_of(row)] for row in read_map(context, SCHOOL)
    }
    assert joined == {"203.0.113.5": ["10.0.0.5:8443/tcp"], "10.0.0.5": ["203.0.113.5:443/tcp"]}


def test_private_addresses_of_two_schools_are_two_hosts_in_two_maps(context: Context) -> None:
    other = Unit("other", "另一学校", path="other")
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_unit(transaction, other)
        for code in ("school", "other"):
            write_network(transaction, Network(0, code, "lan", prefixes=(ip_network("10.0.0.0/8"),)))
    give(context, NmapRun((HostRow("10.0.0.5", ((22, "ssh"),)),)))
    give(context, NmapRun((HostRow("10.0.0.5", ((80, "nginx"),)),), mark="other"), unit=other)
    ports = {unit.code: [row.endpoint.key.port for row in read_map(context, unit)] for unit in (SCHOOL, other)}
    assert ports == {"school": [22], "other": [80]}
    networks = {row.endpoint.key.network for unit in (SCHOOL, other) for row in read_map(context, unit)}
    assert len(networks) == 2
    assert {one.unit for one in read_networks(context.database, "other")} == {"other"}


def test_scan_of_a_hosted_address_needs_the_consent_of_its_host(context: Context) -> None:
    authorise(context, "192.0.2.0/24")
    target = Target("192.0.2.9/32", ip_network("192.0.2.9/32"))
    with context.database.transaction("tester", NOW) as transaction:
        write_hosting(transaction, Hosting(0, SCHOOL.code, "某云", (target,)))
    planned = plan_scan(context, SCHOOL, ["192.0.2.8/31"], PORTS)
    assert [one.reason for one in planned.refusals] == [RefusalReason.NO_CONSENT]
    assert [str(address) for permit, _ in planned.permits for address in permit.addresses()] == ["192.0.2.8"]
    until = NOW + timedelta(hours=1)
    with context.database.transaction("tester", NOW) as transaction:
        write_hosting(transaction, Hosting(0, SCHOOL.code, "某云", (target,), "同意函", NOW, until))
    planned = plan_scan(context, SCHOOL, ["192.0.2.9"], PORTS)
    assert planned.refusals == ()
    assert [permit.valid_to for permit, _ in planned.permits] == [until]


def test_publication_when_its_inside_is_declared_to_stay_out_leads_nowhere_any_more(
    context: Context, tmp_path: Path
) -> None:
    take(context, tmp_path / "fw.txt", NAT)
    add_keep_out(context, SCHOOL, (ip_network("10.0.0.0/28"),))
    assert read_publications(context.database, SCHOOL.code, (PublicationState.IN_FORCE,)) == ()
    assert [one.state for one in read_publications(context.database, SCHOOL.code)] == [PublicationState.WITHDRAWN]


def test_mapping_that_had_to_stay_out_is_refused_while_it_does_and_comes_back_afterwards(
    context: Context, tmp_path: Path
) -> None:
    take(context, tmp_path / "fw.txt", NAT)
    kept, _ = add_keep_out(context, SCHOOL, (ip_network("10.0.0.5/32"),))
    with pytest.raises(ParseError, match="holds 1 address that is"):
        take(context, tmp_path / "fw.txt", NAT)
    withdraw_keep_out(context, SCHOOL, kept.id, "登记有误")
    assert len(take(context, tmp_path / "fw.txt", NAT).added) == 1


def test_mapping_whose_note_names_what_stays_out_is_refused(context: Context) -> None:
    add_keep_out(context, SCHOOL, (ip_network("10.0.0.5/32"),))
    mapping = Mapping(ip_address("203.0.113.6"), "tcp", 443, 443, ip_address("10.0.0.6"), note="原在 10.0.0.5")
    with pytest.raises(ParseError, match="holds 1 address that is"):
        declare_publication(context, SCHOOL, Publication(0, SCHOOL.code, mapping, "declared"))
