"""Lines of a list of units and the units known in; which are new, which changed, and which lines cannot stand, out.

Lines come in any order. A line that cannot stand loses no other, but those under a unit only it would make.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sentinel.model.unit import Unit, UnitLevel
from sentinel.model.unit_history import UnitState
from sentinel.model.unit_kind import UnitKind


@dataclass(frozen=True, slots=True)
class UnitLine:
    """What one line says of a unit; None and empty say nothing.

    Attributes:
        code: its code; empty where it has none, then the name stands for it.
        name: its name.
        parent: code or name of the unit above.
        level: its level.
        region: its place.
        kind: what it is.
        credit: credit code.
        affiliation: who runs it.
        aliases: other names.
        valid_from: first moment.
        valid_to: first moment after it.
    """

    code: str
    name: str
    parent: str = ""
    level: UnitLevel | None = None
    region: str = ""
    kind: UnitKind = UnitKind.UNKNOWN
    credit: str = ""
    affiliation: str = ""
    aliases: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class LineFault:
    """A line that cannot stand.

    Attributes:
        line: its place among the lines, from 0.
        field: what is wrong of it: `code`, `parent` or `level`.
        reason: what is wrong and what to do, lower case.
    """

    line: int
    field: str
    reason: str


@dataclass(slots=True)
class UnitPlan:
    """What a list would change.

    Attributes:
        added: new units with their paths, parents before children.
        changed: units that differ, before and after.
        paths: new paths by code, of changed units and of those below them.
        same: lines that say what is known.
        codes: code of the unit each line that stands is about.
        faults: lines that cannot stand, in their order.
    """

    added: tuple[Unit, ...] = ()
    changed: tuple[tuple[Unit, Unit], ...] = ()
    paths: dict[str, str] = field(default_factory=dict)
    same: int = 0
    codes: dict[int, str] = field(default_factory=dict)
    faults: tuple[LineFault, ...] = ()


def plan_units(
    known: Iterable[Unit], lines: Sequence[UnitLine], under: Unit | None = None, at: datetime | None = None
) -> UnitPlan:
    """Plan what a list of a day (None: today) changes.

    New units without a parent stand under `under`, or at the root.
    """
    planner = _Planner({unit.code: unit for unit in known}, lines, under)
    return planner.plan(at)


class _Planner:
    def __init__(self, known: dict[str, Unit], lines: Sequence[UnitLine], under: Unit | None) -> None:
        self.known, self.lines, self.under = known, lines, under
        self.faults: dict[int, LineFault] = {}
        self.drafts: dict[str, Unit] = {}
        self.places: dict[str, list[int]] = {}
        self.codes: dict[int, str] = {}

    def plan(self, at: datetime | None) -> UnitPlan:
        self._take_lines()
        self._find_parents()
        self._drop_late(at)
        while self._drop_unplaced() or self._drop_loops():
            pass
        paths = build_paths({code: unit.parent for code, unit in self._merged().items()})
        drafts = [replace(unit, path=paths[unit.code]) for unit in self.drafts.values()]
        added = sorted((one for one in drafts if one.code not in self.known), key=lambda one: one.path)
        changed = tuple(
            (self.known[one.code], one) for one in drafts if one.code in self.known and self.known[one.code] != one
        )
        return UnitPlan(
            added=tuple(added),
            changed=changed,
            paths={code: paths[code] for code, unit in self.known.items() if unit.path != paths[code]},
            same=len(self.codes) - len(added) - len(changed),
            codes=self.codes,
            faults=tuple(self.faults[line] for line in sorted(self.faults)),
        )

    def _merged(self) -> dict[str, Unit]:
        return {**self.known, **self.drafts}

    def _take_lines(self) -> None:
        names = Counter(line.name for line in self.lines if not line.code)
        by_name: defaultdict[str, list[str]] = defaultdict(list)
        for unit in self.known.values():
            by_name[unit.name].append(unit.code)
        for place, line in enumerate(self.lines):
            code = line.code
            if not code:
                owners = by_name[line.name]
                code = owners[0] if len(owners) == 1 else line.name
                if names[line.name] > 1 or len(owners) > 1:
                    self._refuse(place, "code", "no code, and not the only unit of this name: write its code")
                    continue
            draft = self._draft(code, line)
            before = self.drafts.get(code)
            if before is None:
                self.drafts[code], self.places[code], self.codes[place] = draft, [place], code
            elif before == draft:
                self.places[code].append(place)
                self.codes[place] = code
            else:
                self._refuse(place, "code", "the code stands in an earlier row that says something else")

    def _draft(self, code: str, line: UnitLine) -> Unit:
        """Put what a line says over what is known; its parent is still as written."""
        old = self.known.get(code)
        kind = line.kind or (old.kind if old else UnitKind.UNKNOWN)
        base = old or Unit(code, line.name, guess_level(line.name, kind), self.under.code if self.under else "")
        return replace(
            base,
            name=line.name or base.name,
            level=line.level or base.level,
            parent=line.parent or base.parent,
            region=line.region or base.region,
            kind=kind,
            credit=line.credit or base.credit,
            affiliation=line.affiliation or base.affiliation,
            aliases=tuple(dict.fromkeys((*base.aliases, *line.aliases))),
            valid_from=line.valid_from or base.valid_from,
            valid_to=line.valid_to or base.valid_to,
        )

    def _find_parents(self) -> None:
        merged = self._merged()
        by_name: defaultdict[str, list[str]] = defaultdict(list)
        for code, unit in merged.items():
            by_name[unit.name].append(code)
        for code, draft in list(self.drafts.items()):
            if not draft.parent or draft.parent in merged:
                continue
            owners = by_name[draft.parent]
            if len(owners) == 1:
                self.drafts[code] = replace(draft, parent=owners[0])
            else:
                many = "several units are called so: write the code of the one above"
                none = "no such unit in the file or the home: add the unit above"
                self._drop(code, "parent", many if owners else none)

    def _drop_late(self, at: datetime | None) -> None:
        """Drop lines of units that changed after the day of the list: which of the two holds is for a person to say."""
        for code, draft in list(self.drafts.items()):
            old = self.known.get(code)
            if old is None or at is None or old.since is None or old.since <= at:
                continue
            if UnitState.of(draft).says() != UnitState.of(old).says():
                self._drop(code, "code", "the unit changed after the day of this list: use unit rename or unit move")

    def _drop_unplaced(self) -> bool:
        """Drop lines whose parent is not there, or of a lower level; tells whether there were any."""
        merged = self._merged()
        wrong = self._find_lowered(merged)
        for code, draft in () if wrong else self.drafts.items():
            above = merged.get(draft.parent)
            if draft.parent and above is None:
                wrong.append((code, "parent", "the row of the unit above was not taken"))
            elif above and not draft.level.may_stand_under(above.level):
                wrong.append(
                    (code, "level", f"a unit of level {draft.level} cannot stand under one of level {above.level}")
                )
        for code, what, reason in wrong:
            self._drop(code, what, reason)
        return bool(wrong)

    def _find_lowered(self, merged: Mapping[str, Unit]) -> list[tuple[str, str, str]]:
        """Find lines that put a known unit below the level of one that stands under it and stays as it is."""
        wrong: dict[str, tuple[str, str, str]] = {}
        for code, old in self.known.items():
            unit = merged[code]
            above = self.drafts.get(unit.parent)
            if above is None or (unit.parent, unit.level) != (old.parent, old.level):
                continue
            if not unit.level.may_stand_under(above.level):
                reason = f"{code} of level {unit.level} stands under it: a unit of level {above.level} cannot hold it"
                wrong.setdefault(above.code, (above.code, "level", reason))
        return list(wrong.values())

    def _drop_loops(self) -> bool:
        """Drop lines that put a unit below itself; tells whether there were any."""
        parents = {code: unit.parent for code, unit in self._merged().items()}
        wrong = [code for code in find_loops(parents) if code in self.drafts]
        for code in wrong:
            self._drop(code, "parent", "it stands below itself: the units above it lead back to it")
        return bool(wrong)

    def _drop(self, code: str, what: str, reason: str) -> None:
        del self.drafts[code]
        for place in self.places.pop(code):
            del self.codes[place]
            self._refuse(place, what, reason)

    def _refuse(self, place: int, what: str, reason: str) -> None:
        self.faults.setdefault(place, LineFault(place, what, reason))


def find_loops(parents: Mapping[str, str]) -> set[str]:
    """Give the codes that are their own ancestors, by the parent of each; a parent that is no key ends a way up."""
    done: set[str] = set()
    looping: set[str] = set()
    for start in parents:
        way: dict[str, None] = {}
        code = start
        while code in parents and code not in done and code not in way:
            way[code] = None
            code = parents[code]
        if code in way:
            on_way = list(way)
            looping.update(on_way[on_way.index(code) :])
        done.update(way)
    return looping


def build_paths(parents: Mapping[str, str]) -> dict[str, str]:
    """Give the path of every code by the parent of each.

    Raises:
        ValueError: some stand below themselves.
    """
    paths: dict[str, str] = {}
    for start in parents:
        way: list[str] = []
        code = start
        while code and code in parents and code not in paths:
            way.append(code)
            code = parents[code]
            if len(way) > len(parents):
                raise ValueError(f"{start} stands below itself")
        for one in reversed(way):
            above = paths.get(parents[one], "")
            paths[one] = f"{above}/{one}" if above else one
    return paths


_OFFICE = re.compile(r"(自治区|自治州|自治县|特别行政区|省|市|州|盟|地区|县|区|旗)(?:教育|教体|文教|教科|科教|教委)")
_OF_PLACE = {"省": UnitLevel.PROVINCE, "自治区": UnitLevel.PROVINCE, "特别行政区": UnitLevel.PROVINCE} | dict.fromkeys(
    ("市", "自治州", "州", "盟", "地区"), UnitLevel.CITY
)


def guess_level(name: str, kind: UnitKind) -> UnitLevel:
    """Tell the level of a unit nobody told: an office by the place it is named after, anything else is a school."""
    if "教育厅" in name or "省教育委员会" in name:
        return UnitLevel.PROVINCE
    found = _OFFICE.findall(name)
    if kind not in {UnitKind.UNKNOWN, UnitKind.BUREAU} or not found:
        return UnitLevel.SCHOOL
    if not re.search("(?:局|委|委员会|部门|处)(?:[（(].*[)）])?$", name):
        return UnitLevel.SCHOOL
    return _OF_PLACE.get(found[-1], UnitLevel.COUNTY)
