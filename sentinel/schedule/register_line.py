"""One row of a unit's register in; its line, and the cells that could not be read, out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sentinel.model.ports import PortSet, parse_ranges
from sentinel.model.register import Person, RegisterEntry
from sentinel.observe.table import TableRow, column_letter, fold_width
from sentinel.schedule.address_cell import NOTHING, Places, read_places
from sentinel.schedule.columns import Field, Head, clean_title
from sentinel.schedule.persons import MAIL, PHONE, hide_persons
from sentinel.schedule.register_row import CellError, RowReader

MAX_NAME, MAX_NOTE = 120, 500
"""Characters kept of one text, and of all that is noted of a line."""

_FOOTER = re.compile(
    r"(?:合\s*计|总\s*计|小\s*计|共\s*计|total)\s*(?:[:：(（\d]|\Z)|"
    r"(?:填表|填报|制表|审核|复核|批准|联系|负责)(?:人|单位|部门|日期|时间)?(?:签字|签名)?\s*(?:[:：]|\Z)|"
    r"(?:单位)?[(（]?(?:盖章|公章|签字)[)）]?\s*(?:[:：]|\Z)|(?:备?注|说明|日期|注意)\s*[:：]"
)
"""How the rows below a sheet's last line begin; a system called 审核系统 is none of them."""

_STATE, _FROM, _NOBODYS = "登记状态", "台账出处", frozenset({"未登记", "未核查"})
"""Columns of the ledger sentinel writes, and the states of a host no line of the register holds."""

_FILLED = (
    Field.SYSTEM,
    Field.DEPARTMENT,
    Field.PERSON,
    Field.PHONE,
    Field.LEVEL,
    Field.FILING,
    Field.KIND,
    Field.PLACE,
)
"""Columns by which somebody answers for a host the ledger lists."""

_SAYS_SOMETHING = re.compile(r"[0-9A-Za-z]")
"""An address column without a letter or figure (`无固定`, `内部使用`) names no place, wrongly written or not."""


def build_person(name: str, phone: str = "", mail: str = "") -> Person:
    """Build a person from three cells; a phone or mail written behind a name is taken for what it is."""
    if not phone and (found := PHONE.search(name)):
        name, phone = name.replace(found[0], " "), found[0]
    if not mail and (found := MAIL.search(f"{name} {phone}")):
        mail = found[0]
        name, phone = name.replace(mail, " "), phone.replace(mail, " ")
    return Person(*(" ".join(text.split()).strip(" ,;/、，；:：()（）")[:MAX_NAME] for text in (name, phone, mail)))


@dataclass(slots=True)
class LineReader:
    """Reads one row.

    Attributes:
        row: the row.
        head: what the columns of its sheet say.
        refused: cells for which the row is not taken: of its address, its names, or all of them.
        passed_over: cells that could not be read while the row was taken.
        unfilled: a host of the ledger sentinel wrote that nobody has filled in: that it was seen registers nothing.
    """

    row: TableRow
    head: Head
    refused: list[CellError] = field(default_factory=list)
    passed_over: list[CellError] = field(default_factory=list)
    unfilled: bool = False

    def read(self, unit: str, source: str, source_sha256: str) -> RegisterEntry | None:
        """Give the line; None for a row that says nothing, a footer, a head that comes again, and a refused row."""
        reader = RowReader(self.row, self.head)
        if self.says_nothing:
            return None
        self.unfilled = self._is_unfilled()
        if self.unfilled:
            return None
        places = self._places()
        ports = self._ports(reader, places)
        system = self._text(Field.SYSTEM)
        if not self.refused and not (system or places.addresses or places.domains):
            self._refuse(
                self.head.first(Field.SYSTEM, Field.ADDRESS, Field.DOMAIN), "neither a system, an address nor a domain"
            )
        begin, end = reader.validity()
        self.passed_over += reader.refused
        if begin and end and end < begin:
            end = None
        if self.refused:
            return None
        return RegisterEntry(
            id=0,
            unit=unit,
            source=source,
            source_sha256=source_sha256,
            sheet=self.row.sheet,
            row=self.row.number,
            system=system,
            addresses=tuple(places.addresses),
            domains=tuple(places.domains),
            ports=ports,
            department=self._text(Field.DEPARTMENT),
            person=self._person(),
            mlps_level=self._text(Field.LEVEL),
            filing=self._text(Field.FILING),
            kind=self._text(Field.KIND),
            place=self._text(Field.PLACE),
            note=hide_persons("；".join(self._texts(Field.NOTE)))[:MAX_NOTE],
            valid_from=begin,
            valid_to=end,
        )

    @property
    def says_nothing(self) -> bool:
        """The row is blank, a footer, or the head once more."""
        return RowReader(self.row, self.head).is_blank or self._is_head_again() or self._is_footer()

    def _is_head_again(self) -> bool:
        """The head is printed again on each page of some sheets."""
        filled = [(column, cell) for column, cell in enumerate(self.row.cells, 1) if not cell.is_blank]
        titles = self.head.titles | self.head.unknown
        return bool(filled) and all(
            clean_title(cell.text) == clean_title(titles.get(column, "")) for column, cell in filled
        )

    def _is_unfilled(self) -> bool:
        named = {clean_title(title): column for column, title in (self.head.titles | self.head.unknown).items()}
        state, told = (self.row.at(named.get(clean_title(title), 0)).text.strip() for title in (_STATE, _FROM))
        return state in _NOBODYS and not told and not any(self._texts(what) for what in (*_FILLED, Field.NOTE))

    def _is_footer(self) -> bool:
        first = next((cell.text for cell in self.row.cells if not cell.is_blank), "")
        places = (cell for column in self.head.columns.get(Field.ADDRESS, ()) if (cell := self.row.at(column)).text)
        return bool(_FOOTER.match(first.strip().lower())) and not any(
            re.search(r"\d[.。．]\d", one.text) for one in places
        )

    def _places(self) -> Places:
        places = Places()
        for what in (Field.ADDRESS, Field.DOMAIN):
            for column in self.head.columns.get(what, ()):
                cell = self.row.at(column)
                if cell.fault:
                    self._refuse(column, cell.fault)
                    continue
                try:
                    read_places(cell.text, places)
                except ValueError as error:
                    kept = self.refused if _SAYS_SOMETHING.search(fold_width(cell.text)) else self.passed_over
                    self._note(kept, column, str(error))
        return places

    def _ports(self, reader: RowReader, places: Places) -> tuple[tuple[str, PortSet], ...]:
        found, _ = reader.ports()
        if places.ports:
            behind = parse_ranges(",".join(map(str, places.ports)))
            found["tcp"] = found.get("tcp", PortSet()) | behind
        return tuple(found.items())

    def _texts(self, what: Field) -> list[str]:
        texts = (self.row.at(column).text for column in self.head.columns.get(what, ()))
        return [text for text in texts if fold_width(text).strip().lower() not in NOTHING]

    def _text(self, what: Field) -> str:
        return hide_persons(next(iter(self._texts(what)), ""))[:MAX_NAME]

    def _person(self) -> Person:
        return build_person(*(" ".join(self._texts(what)) for what in (Field.PERSON, Field.PHONE, Field.MAIL)))

    def _refuse(self, column: int, reason: str) -> None:
        self._note(self.refused, column, reason)

    def _note(self, kept: list[CellError], column: int, reason: str) -> None:
        title = self.head.titles.get(column, "")
        error = CellError(self.row.sheet, self.row.number, column_letter(column), title, reason)
        if error not in kept:
            kept.append(error)
