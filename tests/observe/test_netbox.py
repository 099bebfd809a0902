"""NetBox exports: what they declare, as lines of a register."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.errors import ParseError
from sentinel.observe import netbox

# NetBox 4.1: the heads of its lists and the fields of its REST interface, values of our own.
ADDRESSES = (
    "IP Address,VRF,Status,Role,Tenant,Assigned,DNS Name,Description\n"
    "192.0.2.1/24,,Active,,信息中心,True,www.school.example,门户\n192.0.2.9/24,,Reserved,,,False,,\n"
)
DEVICES = (
    "Name,Status,Tenant,Site,Location,Rack,Role,Manufacturer,Type,IP Address\n"
    'core-1,Active,信息中心,主校区,"机房, 一层",A1,核心交换,H3C,S6520,192.0.2.254/24\n'
)
DEVICE = {
    "url": "https://netbox.school.example/api/dcim/devices/1/",
    "name": "core-1",
    "device_type": {"model": "S6520"},
    "role": {"name": "核心交换"},
    "tenant": {"name": "信息中心"},
    "site": {"name": "主校区"},
    "status": {"value": "active", "label": "Active"},
    "primary_ip": {"address": "192.0.2.254/24"},
    "description": "",
}
ADDRESS = {
    "url": "https://netbox.school.example/api/ipam/ip-addresses/1/",
    "address": "192.0.2.1/24",
    "tenant": None,
    "status": {"value": "active"},
    "assigned_object": {"device": {"name": "web-1"}},
    "dns_name": "www.school.example",
    "description": "门户",
}
PREFIX = {"url": "https://netbox.school.example/api/ipam/prefixes/1/", "prefix": "192.0.2.0/24", "status": "active"}


def lines(data: str) -> list[tuple[int, list[str]]]:
    sheet = netbox.read_export(data.encode(), "export").sheet
    assert [cell.text for cell in sheet.rows[0].cells] == list(netbox.TITLES)
    return [(row.number, [cell.text for cell in row.cells]) for row in sheet.rows[1:]]


def results(*rows: object) -> str:
    return json.dumps({"count": len(rows), "next": None, "results": rows}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (ADDRESSES, (2, ["", "192.0.2.1", "www.school.example", "信息中心", "", "", "门户"])),
        (DEVICES, (2, ["core-1", "192.0.2.254", "", "信息中心", "S6520", "主校区", ""])),
        (results(DEVICE), (2, ["core-1", "192.0.2.254", "", "信息中心", "核心交换", "主校区", ""])),
        (results(ADDRESS), (2, ["web-1", "192.0.2.1", "www.school.example", "", "", "", "门户"])),
        (json.dumps([ADDRESS]), (2, ["web-1", "192.0.2.1", "www.school.example", "", "", "", "门户"])),
    ],
)
def test_export_when_of_any_kind_gives_register_lines(text: str, row: tuple[int, list[str]]) -> None:
    assert netbox.sniff(text.encode())
    assert lines(text) == [row]


@pytest.mark.parametrize(
    "text",
    [
        ADDRESSES,
        results(ADDRESS, PREFIX),
        results(ADDRESS, {**DEVICE, "status": {"value": "offline"}}),
        results(ADDRESS, 7),
    ],
)
def test_export_when_something_in_it_is_not_in_use_passes_it_over(text: str) -> None:
    assert netbox.read_export(text.encode(), "export").passed_over == 1
    assert len(lines(text)) == 1


@pytest.mark.parametrize("text", ["系统名称,IP地址\nx,192.0.2.1\n", '{"results": []}', "", "[1]", '"'])
def test_file_when_foreign_is_not_taken_for_an_export(text: str) -> None:
    assert not netbox.sniff(text.encode())


@pytest.mark.parametrize("text", [results(ADDRESS)[:-5], json.dumps({"url": ADDRESS["url"]}), "a,b\n"])
def test_export_when_it_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="export: no "):
        netbox.read_export(text.encode(), "export")


def test_export_when_it_has_more_rows_than_a_register_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netbox, "MAX_ROWS", 1)
    with pytest.raises(ParseError, match="more than 1 rows"):
        netbox.read_export(results(ADDRESS, DEVICE).encode(), "export")


@settings(max_examples=150, deadline=None, database=None)
@given(
    text=st.sampled_from([ADDRESSES, DEVICES, results(DEVICE, ADDRESS, PREFIX)]),
    place=st.floats(0, 1, exclude_max=True),
    removed=st.integers(0, 40),
    added=st.one_of(st.binary(max_size=8), st.sampled_from([b'"', b"\0", b"\r", b"," * 300, b"9" * 5_000])),
)
def test_export_when_damaged_reads_or_refuses(text: str, place: float, removed: int, added: bytes) -> None:
    data = text.encode()
    at = int(place * len(data))
    damaged = data[:at] + added + data[at + removed :]
    netbox.sniff(damaged)
    try:
        netbox.read_export(damaged, "export")
    except ParseError:
        return
