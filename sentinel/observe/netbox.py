"""An export of NetBox (CSV of its lists, or JSON of its REST interface) in; a sheet of register lines out.

What NetBox says is declared, not seen: an address or device in it belongs into the register, where what is seen is held
against it, and never onto the map. Prefixes are passed over: a range that is planned is no system somebody runs.
Source: NetBox 3.7 and 4.x, ip-addresses, devices, virtual machines and prefixes.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sentinel.errors import ParseError
from sentinel.observe.lines import BOM
from sentinel.observe.table import MAX_CELL, MAX_ROWS, Cell, Sheet, TableRow
from sentinel.observe.text import cut_text, decode_bytes, plain_text

NAME = "netbox"

TITLES = ("系统名称", "IP地址", "域名", "责任部门", "资产类型", "位置", "备注")
"""The heads of the sheet, as registers call them."""

_ACTIVE = frozenset({"active", "dhcp", "slaac", "staged", "", "使用中", "活动", "激活"})
_API = re.compile(
    rb'"url"\s*:\s*"[^"]{0,300}/api/(?:ipam/(?:ip-addresses|prefixes)|dcim/devices|virtualization/virtual-machines)/'
)
_CSV_MARKS = (
    frozenset({"ip address", "vrf", "dns name"}),
    frozenset({"address", "vrf", "dns_name"}),
    frozenset({"name", "site", "manufacturer", "ip address"}),
    frozenset({"name", "device_type", "site", "manufacturer"}),
    frozenset({"name", "cluster", "vcpus"}),
)

_CSV_WORDS = {
    "system": ("device", "virtual_machine", "virtual machine", "parent", "name"),
    "address": ("ip address", "address", "primary_ip4", "primary ipv4", "ipv4 address"),
    "domain": ("dns name", "dns_name"),
    "tenant": ("tenant",),
    "kind": ("device type", "device_type", "type", "role"),
    "place": ("site", "location", "cluster"),
    "note": ("description",),
    "status": ("status",),
}


@dataclass(frozen=True, slots=True)
class Export:
    """What an export holds.

    Attributes:
        sheet: its lines, under heads registers have.
        passed_over: prefixes, and what it does not call active.
    """

    sheet: Sheet
    passed_over: int


_Line = tuple[str, str, str, str, str, str, str]


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like an export of NetBox."""
    text = head.removeprefix(BOM).lstrip()
    if text[:1] in {b"{", b"["}:
        return bool(_API.search(text))
    return _find_head(decode_bytes(text.split(b"\n", 1)[0])) is not None


def read_export(data: bytes, name: str) -> Export:
    """Read an export whole; of a row NetBox does not call active nothing is taken.

    Raises:
        ParseError: it cannot be read, or has more rows than a register.
    """
    text = data.removeprefix(BOM)
    rows = _read_json(text, name) if text.lstrip()[:1] in {b"{", b"["} else _read_csv(text, name)
    lines: list[TableRow] = [TableRow(NAME, 1, tuple(Cell(title) for title in TITLES))]
    passed = 0
    for number, line in rows:
        if line is None:
            passed += 1
            continue
        if len(lines) > MAX_ROWS:
            raise ParseError(f"more than {MAX_ROWS} rows, which no register has", name)
        lines.append(TableRow(NAME, number, tuple(Cell(cut_text(cell, MAX_CELL)) for cell in line)))
    return Export(Sheet(NAME, tuple(lines)), passed)


def _find_head(line: str) -> dict[str, int] | None:
    try:
        titles = [title.strip().lower() for title in next(csv.reader([line]), [])]
    except csv.Error:
        return None
    if not any(marks <= set(titles) for marks in _CSV_MARKS):
        return None
    return {
        word: next((titles.index(title) for title in known if title in titles), -1)
        for word, known in _CSV_WORDS.items()
    }


def _read_csv(data: bytes, name: str) -> Iterator[tuple[int, _Line | None]]:
    text = decode_bytes(data).replace("\0", " ")
    places = _find_head(text.split("\n", 1)[0])
    if places is None:
        raise ParseError("no head of a NetBox list", name)
    reader = csv.reader(io.StringIO(text))
    try:
        for cells in reader:
            if reader.line_num == 1 or not any(cell.strip() for cell in cells):
                continue

            def at(word: str, cells: list[str] = cells) -> str:
                place = places[word]
                return cells[place].strip().strip("—") if 0 <= place < len(cells) else ""

            line = at("system"), _bare(at("address")), at("domain"), at("tenant"), at("kind"), at("place"), at("note")
            yield reader.line_num, line if at("status").lower() in _ACTIVE and any(line[:3]) else None
    except csv.Error as error:
        raise ParseError(f"no CSV: {error}", f"{name} line {reader.line_num}") from error


def _read_json(data: bytes, name: str) -> Iterator[tuple[int, _Line | None]]:
    try:
        value = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise ParseError("no JSON: the export is cut off or damaged", name) from error
    rows = value.get("results") if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise ParseError("no list of results", name)
    for number, row in enumerate(rows, 2):
        if isinstance(row, dict) and "prefix" not in row and _word(row.get("status")).lower() in _ACTIVE:
            line = _json_line(row)
            yield number, line if any(line[:3]) else None
        else:
            yield number, None


def _json_line(row: Mapping[str, object]) -> _Line:
    """Read an address, a device or a virtual machine."""
    is_address = "address" in row
    owner = _table(row.get("assigned_object"))
    holder = _table(owner.get("device")) or _table(owner.get("virtual_machine"))
    primary = _table(row.get("primary_ip") or row.get("primary_ip4") or row.get("primary_ip6"))
    return (
        _word(holder.get("name")) if is_address else _word(row.get("name")),
        _bare(_word(row.get("address")) if is_address else _word(primary.get("address"))),
        _word(row.get("dns_name")),
        _word(row.get("tenant")),
        _word(row.get("role")) or _word(_table(row.get("device_type")).get("model")),
        " ".join(text for text in (_word(row.get("site")), _word(row.get("location"))) if text),
        _word(row.get("description")),
    )


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _word(value: object) -> str:
    """Give a text, or the name of an object that stands in its place."""
    if isinstance(value, dict):
        return next((plain_text(value[key]) for key in ("value", "name", "display", "address") if value.get(key)), "")
    return plain_text(value)


def _bare(address: str) -> str:
    """Give an address without the length of its prefix, which says where it is configured, not what it is."""
    return address.partition("/")[0]
