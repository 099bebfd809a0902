"""Logs through `import`: sightings counted, accounts not kept, kept-out addresses refused, packed files read."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from sentinel.errors import ParseError
from sentinel.inventory.summary import SightingCounts
from sentinel.model.finding import FindingSource
from sentinel.observe.mapping import parse_mapping
from sentinel.schedule.context import Context
from sentinel.schedule.importing import Taken, take_file
from sentinel.schedule.intake import replace_networks
from sentinel.schedule.reading import read_map
from sentinel.store.evidence import read_evidence
from sentinel.store.findings import read_findings
from sentinel.store.register import read_register
from tests.cli.written import host, nmap, service
from tests.homes import SCHOOL, opened
from tests.observe import logs
from tests.observe.test_netbox import ADDRESSES
from tests.observe.test_nuclei_json import ROWS
from tests.schedule.test_intake_order import dump
from tests.schedule.test_keep_out import keep


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with opened(tmp_path / "home") as context:
        yield context


def take(context: Context, folder: Path, data: str | bytes, name: str = "log", mapping: str = "") -> Taken:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    described = parse_mapping(mapping.encode(), "m.toml") if mapping else None
    return take_file(context, SCHOOL, path, "inside", mapping=described)


def runs(context: Context) -> int:
    return int(next(iter(context.database.query("SELECT count(*) FROM run")))[0])


@pytest.mark.parametrize(
    ("text", "format_", "counts", "kept"),
    [
        (logs.DETAIL, "radius-detail", SightingCounts(1, 0, 0), False),
        (logs.MAC_HUAWEI, "mac-table", SightingCounts(0, 1, 0), True),
        (logs.NAT["sangfor"], "nat-log", SightingCounts(0, 0, 1), True),
        (logs.NAT["topsec"].replace("user=", "user=zhangsan"), "nat-log", SightingCounts(0, 0, 1), False),
        (logs.EVE, "suricata-eve", SightingCounts(1, 0, 0), True),
        (logs.RADIUS_LOG, "zeek", SightingCounts(1, 0, 0), False),
    ],
)
def test_log_when_imported_is_counted_and_kept_unless_it_names_accounts(
    context: Context, tmp_path: Path, text: str, format_: str, counts: SightingCounts, kept: bool
) -> None:
    taken = take(context, tmp_path, text)
    assert taken.intake is not None
    run = taken.intake.run
    assert (taken.format, taken.intake.sightings, taken.intake.kept) == (format_, counts, kept)
    assert (read_evidence(context.database, run.evidence) is not None) is kept
    assert context.evidence.path_of(run.evidence).exists() is kept
    again = take(context, tmp_path, text, "the same under another name")
    assert again.intake is not None
    assert (again.intake.known, again.intake.kept, runs(context)) == (True, kept, 1)


def test_account_when_in_a_log_stands_nowhere_in_the_home(context: Context, tmp_path: Path) -> None:
    take(context, tmp_path, logs.DETAIL)
    take(context, tmp_path, logs.ACCOUNTING_LOG, "portal.csv", logs.ACCOUNTING_MAPPING)
    home = b"".join(path.read_bytes() for path in context.home.path.rglob("*") if path.is_file())
    assert b"s2026001" not in home


def test_map_when_built_anew_needs_no_log_that_was_not_kept(context: Context, tmp_path: Path) -> None:
    take(context, tmp_path, nmap(host("192.0.2.1", service(22, "ssh"))), "scan.xml")
    take(context, tmp_path, logs.DETAIL)
    take(context, tmp_path, logs.ACCOUNTING_LOG, "portal.csv", logs.ACCOUNTING_MAPPING)
    take(context, tmp_path, logs.REGEX_LOG, "nat.txt", logs.REGEX_MAPPING)
    before = dump(context, SCHOOL)
    with context.database.transaction("tester", context.clock()) as transaction:
        replace_networks(context, transaction, SCHOOL)
        transaction.audit("map.rebuild", "in a test")
    assert dump(context, SCHOOL) == before


def test_scan_when_older_than_a_log_takes_its_place_in_time(context: Context, tmp_path: Path) -> None:
    take(context, tmp_path, logs.NAT["sangfor"])
    taken = take(context, tmp_path, nmap(host("192.0.2.1", service(22, "ssh"))), "scan.xml")
    assert taken.intake is not None
    assert taken.intake.run.events > 0
    assert [str(row.endpoint.key.address) for row in read_map(context, SCHOOL)] == ["192.0.2.1"]


@pytest.mark.parametrize("prefix", ["10.0.0.0/24", "203.0.113.0/24", "198.51.100.7/32"])
@pytest.mark.parametrize("maker", ["sangfor", "conntrack", "cisco-asa"])
def test_log_when_it_names_a_kept_out_address_is_refused_whole(
    context: Context, tmp_path: Path, prefix: str, maker: str
) -> None:
    keep(context, prefix)
    with pytest.raises(ParseError, match="holds 1 address that is declared to stay out: nothing of it was stored"):
        take(context, tmp_path, logs.NAT[maker])
    assert runs(context) == 0


@pytest.mark.parametrize("packed", [False, True])
def test_log_when_a_kept_out_address_is_written_unlike_its_text_is_refused(
    context: Context, tmp_path: Path, packed: bool
) -> None:
    keep(context, "2001:db8::1/128")
    mapping = 'name="x"\nkind="holding"\n[fields]\naddress=1\nmac=2\n'
    data = b"2001:db8:0:0:0:0:0:1,0000-5e00-5301\n"
    with pytest.raises(ParseError, match="declared to stay out"):
        take(context, tmp_path, gzip.compress(data) if packed else data, "log.csv", mapping)


def test_log_when_its_kept_out_address_is_told_by_the_reading_alone_is_refused(
    context: Context, tmp_path: Path
) -> None:
    keep(context, "192.0.2.1/32")
    mapping = 'name="x"\nkind="holding"\nformat="regex"\npattern="ip=(?P<address>[0-9.]+)x"\n'
    with pytest.raises(ParseError, match="declared to stay out"):
        take(context, tmp_path, "ip=192.0.2.1x\n", "log.csv", mapping)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_packed_file_when_kept_is_kept_as_it_came(context: Context, tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    data = pack(nmap(host("192.0.2.1", service(22, "ssh"))).encode())
    taken = take(context, tmp_path, data, "scan.xml.gz")
    assert taken.intake is not None
    assert (taken.format, taken.intake.run.endpoints_open) == ("nmap-xml", 1)
    with context.evidence.open(taken.intake.run.evidence) as stream:
        assert stream.read() == data
    before = dump(context, SCHOOL)
    with context.database.transaction("tester", context.clock()) as transaction:
        replace_networks(context, transaction, SCHOOL)
        transaction.audit("map.rebuild", "in a test")
    assert dump(context, SCHOOL) == before


def test_packed_file_when_damaged_changes_nothing(context: Context, tmp_path: Path) -> None:
    data = bytearray(gzip.compress(logs.EVE.encode() * 50))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ParseError):
        take(context, tmp_path, bytes(data), "eve.json.gz")
    assert runs(context) == 0


def test_packed_sheet_when_imported_is_read_as_the_sheet(context: Context, tmp_path: Path) -> None:
    text = "系统名称,IP地址\n教务系统,192.0.2.1\n"
    taken = take(context, tmp_path, gzip.compress(text.encode()), "台账.csv.gz")
    assert taken.register is not None
    assert len(taken.register.added) == 1


def test_nuclei_results_when_imported_become_findings(context: Context, tmp_path: Path) -> None:
    taken = take(context, tmp_path, logs.NUCLEI, "nuclei.jsonl")
    assert taken.flaws is not None
    assert (taken.flaws.opened, taken.flaws.informational) == (1, 1)
    (finding,) = read_findings(context.database, [SCHOOL.code])
    assert (finding.source, finding.key.rule) == (FindingSource.REPORT, f"report.nuclei.{ROWS[0]['template-id']}")


def test_netbox_export_when_imported_is_declared_not_seen(context: Context, tmp_path: Path) -> None:
    taken = take(context, tmp_path, ADDRESSES, "netbox.csv")
    assert (taken.format, taken.passed_over, taken.intake) == ("netbox", 1, None)
    (line,) = read_register(context.database, SCHOOL.code, None)
    assert [str(one) for one in line.addresses] == ["192.0.2.1/32"]
    assert runs(context) == 0


def test_mapped_log_when_no_row_fits_changes_nothing(context: Context, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match=r"^nat\.txt: no row of it is what the mapping"):
        take(context, tmp_path, "hello\n", "nat.txt", logs.REGEX_MAPPING)
    assert runs(context) == 0
