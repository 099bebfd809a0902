"""The package of an XLSX workbook in; a refusal of what could hurt its reader, the places of formulas and merges out.

openpyxl hands the parts to ElementTree, which fetches nothing from outside but expands entities declared in the part
itself as far as expat lets it (100-fold above 8 MB in expat 2.4 and later, without bound before). No spreadsheet
program writes a document type, so a part that has one is refused, whatever it declares and in whatever encoding.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from xml.parsers import expat

from sentinel.errors import ParseError

MAX_PARTS = 2_000
"""Files inside a workbook; each picture and each sheet is one."""

MAX_UNZIPPED = 32 * 1024 * 1024
"""Bytes of all parts as the zip directory tells them; zipfile gives no more of a part than is told there."""

MAX_ELEMENTS = 2_000_000
"""Elements of all parts. A register of 20,000 rows and 30 columns has about 1,200,000; a tree of all takes 210 MB."""

MAX_CELLS = 16_384
"""Cells of one row, which openpyxl holds in memory at once; a spreadsheet has no more columns."""

MAX_MERGES = 50_000
"""Merged ranges kept of one part; a register of 20,000 rows has one for every second cell of a few columns at most."""

_CHUNK = 64 * 1024
_ENCRYPTED = 0x1
_CELL = re.compile(r"([A-Z]{1,3})\d{1,7}")
_RANGE = re.compile(r"([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})")

Formulas = dict[int, set[int]]
"""Columns of the formulas of a sheet by row, both counted from 1."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A range of merged cells that spans rows: its first column, its first and its last row, counted from 1."""

    column: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Part:
    """What openpyxl does not tell of a sheet read row by row.

    Attributes:
        formulas: where they are.
        merged: ranges of merged cells that span rows.
    """

    formulas: Formulas = field(default_factory=dict)
    merged: list[Merged] = field(default_factory=list)


def inspect_package(package: zipfile.ZipFile) -> dict[str, Part]:
    """Give the formulas and merged ranges of each part by its name, once all parts were looked through.

    Raises:
        ParseError: unzipped it is too large, it has a password, or a part declares a document type.
    """
    parts = package.infolist()
    if len(parts) > MAX_PARTS:
        raise ParseError(f"a zip file of more than {MAX_PARTS} parts")
    if sum(part.file_size for part in parts) > MAX_UNZIPPED:
        raise ParseError(
            f"unzipped it is larger than {MAX_UNZIPPED // 1024 // 1024} MB: delete blank rows and pictures"
        )
    if any(part.flag_bits & _ENCRYPTED or part.compress_type not in _KNOWN_KINDS for part in parts):
        raise ParseError("a zip file with a password or of a kind no spreadsheet is")
    found: dict[str, Part] = {}
    left = MAX_ELEMENTS
    for part in parts:
        reader = _PartReader(left)
        reader.read(package, part)
        left -= reader.elements
        found[part.filename] = Part(reader.formulas, reader.merged)
    return found


_KNOWN_KINDS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class _PartReader:
    """Reads a part to its end, or to where it is no XML, which is as far as openpyxl gets too.

    Counts rows and cells as openpyxl 3.1 does: by their own number where they have one.
    """

    __slots__ = ("_cells", "_column", "_limit", "_row", "elements", "formulas", "merged")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._row = self._column = self._cells = 0
        self.elements = 0
        self.formulas: Formulas = {}
        self.merged: list[Merged] = []

    def read(self, package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        if hasattr(parser, "SetReparseDeferralEnabled"):  # expat 2.6 would tell of a declaration too late
            parser.SetReparseDeferralEnabled(False)
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        try:
            with package.open(part) as stream:
                while chunk := stream.read(_CHUNK):
                    parser.Parse(chunk, False)
        except (expat.ExpatError, LookupError, ValueError):  # the last two: an encoding Python has not or cannot map
            return

    def _refuse_doctype(self, *_: object) -> None:
        raise ParseError("a part of the workbook declares a document type, which no spreadsheet program writes")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > self._limit:
            raise ParseError(f"a workbook of more than {MAX_ELEMENTS} elements, which no register is")
        match name.rpartition(" ")[2]:
            case "row":
                self._row = int(float(attributes["r"])) if "r" in attributes else self._row + 1
                self._column = self._cells = 0
            case "c":
                place = _CELL.fullmatch(attributes.get("r", ""))
                self._column = _column_number(place[1]) if place else self._column + 1
                self._cells += 1
                if self._cells > MAX_CELLS:
                    raise ParseError(f"a row of more than {MAX_CELLS} cells, which no spreadsheet has")
            case "f":
                self.formulas.setdefault(self._row, set()).add(self._column)
            case "mergeCell" if len(self.merged) < MAX_MERGES:
                found = _RANGE.fullmatch(attributes.get("ref", ""))
                if found and int(found[2]) < int(found[3]):
                    self.merged.append(Merged(_column_number(found[1]), int(found[2]), int(found[3])))


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
