"""A log that a mapping describes in; who held what, where cards were, what a NAT made of connections, out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import BinaryIO

from sentinel.errors import ParseError
from sentinel.model.observation import Observation, RunEnd, RunObservation
from sentinel.model.sighting import AttachmentObservation, HoldingObservation, TranslationObservation
from sentinel.model.unit import IPAddress
from sentinel.observe.accounting import MAX_SECONDS, Logins, Phase, Record, begin_of, read_seconds
from sentinel.observe.dhcp_lease import clean_client_id
from sentinel.observe.lines import Tally, read_text_lines
from sentinel.observe.log_time import ReadTime, make_reader
from sentinel.observe.mapping import ATTACHMENT, HOLDING, LogMapping, Place
from sentinel.observe.nat_event import ALL_PORTS, Sessions, read_address, read_protocol
from sentinel.observe.nat_event import Phase as NatPhase
from sentinel.observe.text import clean_name, cut_text, parse_port, read_mac

NAME = "mapped-log"

MAX_TEXT = 32_768
"""Characters of a row."""

_SHORTEST_CARD = 11
"""Characters a card's address takes at least, as `0:1c:2:3:4:5`; a shorter account name is none."""

_NAT_PHASES = {Phase.BEGIN: NatPhase.BEGIN, Phase.END: NatPhase.END, Phase.WHOLE: NatPhase.WHOLE}

Say = Callable[[str], str]
"""Gives what a row says for one of our words; nothing where it does not."""


def make_parse(mapping: LogMapping) -> Callable[[BinaryIO, datetime | None], Iterator[Observation]]:
    """Make what reads a log by a mapping; times without a year lie nearest before the moment of arrival."""
    return partial(_parse, mapping)


def _parse(mapping: LogMapping, stream: BinaryIO, arrived: datetime | None) -> Iterator[Observation]:
    """Yield the run, each session when it has ended or the log has, what was lost, and the run's end.

    The log counts as naming accounts unless its mapping says that none of its columns does, and its rows agree.

    Raises:
        ParseError: a column is missing, or no row can be read.
    """
    yield RunObservation(f"{NAME} {mapping.name}")
    reader = _Reader(mapping, make_reader(mapping.time, mapping.zone, arrived))
    tally, other = Tally(), 0
    rows = _Rows(mapping)
    for number, line in read_text_lines(stream):
        if line is None or len(line) > MAX_TEXT:
            tally.drop(f"line {number}", "the line is too long")
            continue
        if not line.strip():
            continue
        say = rows.read(number, line)
        if say is None:
            other += mapping.groups is not None
            continue
        found = reader.read(say)
        if isinstance(found, str):
            tally.drop(f"line {number}", found)
            continue
        tally.good += 1
        yield from found
    yield from reader.logins.rest()
    yield from reader.sessions.rest()
    yield from tally.losses()
    if not tally.good:
        raise ParseError(f"no row of it is what the mapping {mapping.name!r} describes")
    yield RunEnd(accounts=mapping.accounts or reader.accounts, passed_over=(("other lines", other),) if other else ())


@dataclass(slots=True)
class _Rows:
    """Takes rows apart."""

    mapping: LogMapping
    _places: dict[str, int] = field(default_factory=dict)
    _has_head: bool = False

    def read(self, number: int, line: str) -> Say | None:
        """Give what a row says; None for the heads, and for a line the pattern does not match.

        Raises:
            ParseError: a column the mapping names is not in the heads.
        """
        mapping = self.mapping
        if mapping.groups is not None:
            groups = mapping.groups(line)
            if groups is None:
                return None
            return lambda word: groups[str(mapping.fields[word])].strip() if word in mapping.fields else ""
        cells = split(line, mapping.delimiter)
        if not self._has_head:
            self._has_head = True
            is_numbered = all(isinstance(place, int) for place in mapping.fields.values())
            titles = mapping.columns if mapping.columns or is_numbered else tuple(cells)
            self._places = _find(mapping.fields, [title.strip() for title in titles], number)
            if titles and not mapping.columns:
                return None
        places, count = self._places, len(cells)

        def say(word: str) -> str:
            place = places.get(word, count)
            return cells[place].strip() if place < count else ""

        return say


def _find(fields: Mapping[str, Place], titles: list[str], number: int) -> dict[str, int]:
    places = {}
    for word, place in fields.items():
        if isinstance(place, int):
            places[word] = place
        elif place in titles:
            places[word] = titles.index(place)
        else:
            have = cut_text(", ".join(titles), 120)
            raise ParseError(f"no column is called {place!r} (it has {have})", f"line {number}")
    return places


def split(line: str, delimiter: str) -> list[str]:
    """Take a row of cells apart; quotation marks hold a cell together, and none leaves its line."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


@dataclass(slots=True)
class _Reader:
    mapping: LogMapping
    time: ReadTime
    logins: Logins = field(default_factory=Logins)
    sessions: Sessions = field(default_factory=Sessions)
    accounts: bool = False

    def read(self, say: Say) -> Iterator[Observation] | tuple[()] | str:
        """Give what a row shows, or why it cannot be read; an event the mapping does not name shows nothing."""
        if not self.accounts and self._names_account(say):
            self.accounts = True
        phase = self._phase(say)
        if phase is None:
            return ()
        if self.mapping.kind == ATTACHMENT:
            return self._attachment(say)
        return self._holding(say, phase) if self.mapping.kind == HOLDING else self._translation(say, phase)

    def _names_account(self, say: Say) -> bool:
        """Tell whether a row names an account, also one that is passed over or lost; the card itself is none."""
        user = say("user") if "user" in self.mapping.fields else ""
        if not user or self.mapping.kind != HOLDING:
            return bool(user)
        mac = read_mac(say("mac"))
        return not (mac and len(user) >= _SHORTEST_CARD and read_mac(user) == mac)

    def _phase(self, say: Say) -> Phase | None:
        if not self.mapping.events:
            return Phase.WHOLE
        return self.mapping.events.get(say("event").lower())

    def _device(self, say: Say) -> str:
        return cut_text(say("device")) or self.mapping.device

    def _attachment(self, say: Say) -> Iterator[Observation] | str:
        mac = read_mac(say("mac"))
        if not mac:
            return "no card's address"
        port, vlan = cut_text(say("port"), 60), cut_text(say("vlan"), 40)
        return iter((AttachmentObservation(mac, self._device(say), port, vlan, self.time(say("time"))),))

    def _holding(self, say: Say, phase: Phase) -> Iterator[Observation] | str:
        address, mac = read_address(say("address")), read_mac(say("mac"))
        if address is None and (say("address") or not mac):
            return "an address cannot be read"
        user = cut_text(say("user"))
        user = "" if mac and len(user) >= _SHORTEST_CARD and read_mac(user) == mac else user
        session = cut_text(say("session"))
        if phase is Phase.WHOLE and not session:
            return iter((self._whole(say, address, mac, user),)) if address else self._attachment(say)
        record = Record(
            phase,
            self.time(say("until")) or self.time(say("time")),
            self.mapping.source,
            read_seconds(say("duration")),
            address,
            self.time(say("since")),
            mac,
            clean_name(say("name")),
            clean_client_id(say("client_id")),
            user,
            self._device(say),
            cut_text(say("port"), 60),
            cut_text(say("vlan"), 40),
        )
        return self.logins.take((record.device, session) if session else "", record)

    def _whole(self, say: Say, address: IPAddress, mac: str, user: str) -> HoldingObservation:
        """Build a row that tells all of a session, or a moment; most are, so that it is worth its own way."""
        since, until = self._span(say, Phase.WHOLE)
        if until is None and say("time") and not say("since"):
            until = since
        return HoldingObservation(
            address,
            self.mapping.source,
            mac,
            since,
            until,
            clean_name(say("name")),
            clean_client_id(say("client_id")),
            user,
            self._device(say),
            cut_text(say("port"), 60),
            cut_text(say("vlan"), 40),
        )

    def _translation(self, say: Say, phase: Phase) -> Iterator[Observation] | str:
        inside, outside = read_address(say("inside")), read_address(say("outside"))
        if inside is None or outside is None:
            return "an address cannot be read"
        first = parse_port(say("outside_port"))
        last = parse_port(say("outside_last")) if say("outside_last") else first
        if (say("outside_port") and first is None) or (first is not None and (last is None or last < first)):
            return "a port cannot be read"
        since, until = self._span(say, phase)
        one = TranslationObservation(
            read_protocol(say("proto")),
            inside,
            outside,
            ALL_PORTS if first is None or last is None else (first, last),
            parse_port(say("inside_port")),
            read_address(say("peer")),
            parse_port(say("peer_port")),
            since,
            until,
            self._device(say),
        )
        key = cut_text(say("session")) or (one.proto, inside, one.inside_port, outside, one.ports, one.peer)
        if phase is Phase.UPDATE:
            return iter(())
        return self.sessions.take((_NAT_PHASES[phase], (one.device, key), one))

    def _span(self, say: Say, phase: Phase) -> tuple[datetime | None, datetime | None]:
        """Give beginning and end of a session, by its own columns or by the one moment and the length there are."""
        since, until, time = self.time(say("since")), self.time(say("until")), self.time(say("time"))
        if phase is Phase.BEGIN:
            return since or time, None
        if phase is Phase.WHOLE and not (say("until") or say("duration")):
            return since or time, None
        end = until or time
        seconds = read_seconds(say("duration"))
        if since is None and seconds is not None and seconds <= MAX_SECONDS:
            since = begin_of(Record(Phase.END, end, self.mapping.source, seconds))
        return since, end if since is None or end is None or end >= since else since
