"""A description of somebody's log (TOML) in; which column or group says what, and how to read it, out.

The keys: `name`, `kind` (holding, attachment, translation), `source` (of a holding), `format` (csv or regex),
`delimiter`, `columns` (where no row of heads names them), `pattern`, `time`, `zone`, `device`, `accounts` (false: no
column of the log, told here or not, names an account of a person), the table `fields`
(our word = column, its number from 1, or group) and the table `events` (begin, update, end = words in the column
`event`). docs/commands.md describes them with examples.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from sentinel.errors import ParseError
from sentinel.model.sighting import HoldingSource
from sentinel.observe.accounting import Phase
from sentinel.observe.log_time import make_reader, read_zone
from sentinel.observe.text import cut_text

MAX_FILE = 64 * 1024
MAX_PATTERN = 4_000
MAX_MEMORY = 8 << 20
"""Bytes RE2 may take for a pattern and its automaton."""

HOLDING, ATTACHMENT, TRANSLATION = "holding", "attachment", "translation"
CSV, REGEX = "csv", "regex"

_TIMES = ("time", "since", "until", "duration")
FIELDS = {
    HOLDING: ("address", "mac", "name", "client_id", "user", "device", "port", "vlan", "session", "event", *_TIMES),
    ATTACHMENT: ("mac", "device", "port", "vlan", "time"),
    TRANSLATION: (
        "inside", "inside_port", "outside", "outside_port", "outside_last", "peer", "peer_port", "proto", "user",
        "device", "session", "event", *_TIMES,
    ),
}  # fmt: skip
"""What a column may say, by kind."""

NEEDED = {HOLDING: (("address", "mac"),), ATTACHMENT: (("mac",),), TRANSLATION: (("inside",), ("outside",))}
"""Of each group one must be there."""

_KEYS = frozenset(
    "name kind source format delimiter columns pattern time zone device accounts fields events".split()  # noqa: SIM905
)
_PHASES = {"begin": Phase.BEGIN, "update": Phase.UPDATE, "end": Phase.END, "whole": Phase.WHOLE}
_DELIMITERS = {"tab": "\t", "space": " "}

Place = str | int
"""A column's title, its number from 0, or the name of a group."""

Groups = Callable[[str], Mapping[str, str] | None]
"""Gives the named groups a line has; None where it does not match."""


@dataclass(frozen=True, slots=True)
class LogMapping:
    """How a log is read.

    Attributes:
        name: short name of the system, told in the run.
        kind: what a row is: `holding`, `attachment` or `translation`.
        source: what told of a holding.
        fields: where each of our words stands.
        time: form of times, as `log_time.make_reader` takes it.
        zone: zone of times that tell none.
        device: who told it, where no column does.
        delimiter: between cells; empty for a pattern.
        columns: titles of columns, where the file has no row of heads.
        groups: reads a line by pattern; None for cells.
        events: what of a session a row tells, by the lower-case word in the column `event`.
        accounts: some column may name accounts of persons, also one no field is read from.
    """

    name: str
    kind: str
    source: HoldingSource
    fields: Mapping[str, Place]
    time: str
    zone: tzinfo
    device: str = ""
    delimiter: str = ","
    columns: tuple[str, ...] = ()
    groups: Groups | None = None
    events: Mapping[str, Phase] = field(default_factory=dict)
    accounts: bool = True


def parse_mapping(data: bytes, file: str) -> LogMapping:
    """Read a mapping file.

    Raises:
        ParseError: it is no TOML, or a key of it is unknown, missing or wrong; the line says which.
    """
    if len(data) > MAX_FILE:
        raise ParseError(f"a mapping of more than {MAX_FILE // 1024} KB", file)
    try:
        said = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ParseError(f"no TOML: {cut_text(str(error))}", file) from error
    try:
        return _build(said)
    except ValueError as error:
        raise ParseError(str(error), file) from error


def _build(said: dict[str, object]) -> LogMapping:
    unknown = next((key for key in said if key not in _KEYS), None)
    if unknown is not None:
        raise ValueError(f"no such key: {cut_text(unknown, 60)!r} ({', '.join(sorted(_KEYS))})")
    kind = _choice(said, "kind", tuple(FIELDS))
    form = _choice(said, "format", (CSV, REGEX), CSV)
    groups, names = _compile(_word(said, "pattern")) if form == REGEX else (None, ())
    fields = _fields(said, kind, names if form == REGEX else None)
    source = _choice(said, "source", tuple(one.value for one in HoldingSource), "portal" if kind == HOLDING else "dhcp")
    zone = read_zone(_word(said, "zone", "+08:00"))
    if zone is None:
        raise ValueError("zone: write it as +08:00, or UTC")
    time = _word(said, "time", "%Y-%m-%d %H:%M:%S")
    try:
        make_reader(time, zone)
    except ValueError as error:
        raise ValueError(f"time: {error}") from error
    delimiter = _word(said, "delimiter", ",")
    delimiter = _DELIMITERS.get(delimiter, delimiter)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ValueError("delimiter: one character, or tab, or space")
    accounts = said.get("accounts", True)
    if not isinstance(accounts, bool):
        raise ValueError("accounts: true or false is wanted")  # noqa: TRY004  a mistake of the file like the others
    events = _events(said)
    if events and "event" not in fields:
        raise ValueError("events: no field says in which column the event stands (fields.event)")
    return LogMapping(
        name=cut_text(_word(said, "name"), 60),
        kind=kind,
        source=HoldingSource(source),
        fields=fields,
        time=time,
        zone=zone,
        device=cut_text(_word(said, "device", "")),
        delimiter="" if form == REGEX else delimiter,
        columns=_words(said.get("columns", []), "columns"),
        groups=groups,
        events=events,
        accounts=accounts,
    )


def _word(said: dict[str, object], key: str, default: str | None = None) -> str:
    value = said.get(key, default)
    if value is None:
        raise ValueError(f"{key} is missing")
    if not isinstance(value, str) or (not value and default is None):
        raise ValueError(f"{key}: a text is wanted")
    return value


def _words(value: object, key: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise ValueError(f"{key}: a list of texts is wanted")
    return tuple(str(one) for one in value)


def _choice(said: dict[str, object], key: str, choices: tuple[str, ...], default: str | None = None) -> str:
    word = _word(said, key, default)
    if word not in choices:
        raise ValueError(f"{key}: {cut_text(word, 40)!r} is none of {', '.join(choices)}")
    return word


def _table(said: dict[str, object], key: str) -> dict[str, object]:
    value = said.get(key, {})
    if not isinstance(value, dict):
        raise ValueError(f"{key}: a table is wanted ([{key}])")  # noqa: TRY004  a mistake of the file like the others
    return value


def _fields(said: dict[str, object], kind: str, groups: tuple[str, ...] | None) -> dict[str, Place]:
    """Read where each word stands; groups of a pattern that bear our words need no row."""
    fields: dict[str, Place] = {name: name for name in groups or () if name in FIELDS[kind]}
    for name, place in _table(said, "fields").items():
        if name not in FIELDS[kind]:
            raise ValueError(f"fields: a {kind} has no {cut_text(name, 40)!r} ({', '.join(FIELDS[kind])})")
        if groups is not None and place not in groups:
            raise ValueError(f"fields.{name}: the pattern has no group {cut_text(str(place), 40)!r}")
        if isinstance(place, int) and not isinstance(place, bool) and place > 0:
            fields[name] = place - 1
        elif isinstance(place, str) and place:
            fields[name] = place
        else:
            raise ValueError(f"fields.{name}: the title of a column, or its number from 1")
    for wanted in NEEDED[kind]:
        if not any(name in fields for name in wanted):
            raise ValueError(f"fields: a {kind} needs {' or '.join(wanted)}")
    return fields


def _events(said: dict[str, object]) -> dict[str, Phase]:
    events: dict[str, Phase] = {}
    for name, words in _table(said, "events").items():
        if name not in _PHASES:
            raise ValueError(f"events: no such thing: {cut_text(name, 40)!r} ({', '.join(_PHASES)})")
        for word in _words(words, f"events.{name}"):
            events[word.strip().lower()] = _PHASES[name]
    return events


def _compile(pattern: str) -> tuple[Groups, tuple[str, ...]]:
    """Compile a pattern for RE2, which reads any line in linear time."""
    import re2

    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"pattern: {len(pattern)} characters; the limit is {MAX_PATTERN}")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"pattern: RE2 refuses it: {cut_text(text)}") from error
    names = tuple(str(name) for name in compiled.groupindex)
    if not names:
        raise ValueError("pattern: no group has a name; write (?P<address>…)")
    search = compiled.search

    def groups(line: str) -> Mapping[str, str] | None:
        found = search(line)
        return {name: found[name] or "" for name in names} if found is not None else None

    return groups, names
