"""How a command reaches its home: the global `--home`, the settings, and options many commands share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from sentinel.config import Settings, load_settings
from sentinel.errors import UsageError
from sentinel.log import configure_log
from sentinel.model.moment import parse_moment
from sentinel.model.place import parse_server_place

if TYPE_CHECKING:
    from sentinel.schedule.context import Context

JsonOption = Annotated[bool, typer.Option("--json", help="每行一个 JSON 对象")]
DatabaseOption = Annotated[
    str, typer.Option("--database", help="PostgreSQL：postgresql://用户@主机/库名；默认 SQLite", show_default=False)
]
UnitOption = Annotated[str | None, typer.Option("--unit", help="单位代码或名称", show_default=False)]
PersonsOption = Annotated[bool, typer.Option("--persons", help="显示责任人全名与电话，并记入审计；默认遮盖")]
NoCheckOption = Annotated[bool, typer.Option("--no-check", help="只更新地图，不评判")]
VantageOption = Annotated[
    str | None, typer.Option("--vantage", help="探测位置，默认取设置 vantage", show_default=False)
]

Choice = TypeVar("Choice", bound=StrEnum)

_DAY = re.compile(r"\d{4}-?\d\d-?\d\d")

FIRST_YEAR, LAST_YEAR = 1970, 9000
MAX_RATE = 1_000_000
LAST_ROW = (1 << 63) - 1
LONGEST_EXERCISE = 60

_given: list[Path | None] = [None]


def set_home(home: Path | None) -> None:
    """Keep the home given on the command line or in the environment."""
    _given[0] = home


def given_home() -> Path | None:
    """Give the home that was named, if one was."""
    return _given[0]


def choose_home() -> Path:
    """Give the home: the one named, else `~/sentinel`."""
    return given_home() or Path.home() / "sentinel"


def read_settings(home: Path | None) -> Settings:
    """Load the settings of a home and start the log at their level."""
    settings = load_settings(home)
    configure_log(settings.log_level)
    return settings


def read_database(text: str) -> str:
    """Read the option that names a database; without one, the environment's or SQLite.

    Raises:
        UsageError: it is no URL, or it holds a password.
    """
    if not text:
        return load_settings(None).database
    try:
        return str(parse_server_place(text))
    except ValueError as error:
        raise UsageError(f"--database: {error}") from error


@contextmanager
def open_session() -> Iterator[Context]:
    """Open the home for a command."""
    from sentinel.schedule.context import open_context

    home = choose_home()
    with open_context(home, read_settings(home)) as context:
        yield context


def read_time(text: str, option: str, first_year: int = FIRST_YEAR) -> datetime:
    """Read a time option.

    Raises:
        UsageError: it is no time, or one no calendar of here needs.
    """
    try:
        moment = parse_moment(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error
    if not first_year <= moment.year <= LAST_YEAR:
        raise UsageError(f"{option}: {text!r} lies outside the years {first_year} to {LAST_YEAR}")
    return moment


def read_start(text: str, option: str, first_year: int = FIRST_YEAR) -> datetime:
    """Read when something begins: a bare date begins with that day, as against `read_time`, which ends with it.

    Raises:
        UsageError: as `read_time`.
    """
    moment = read_time(text, option, first_year)
    return moment - timedelta(days=1) + timedelta(microseconds=1) if _DAY.fullmatch(text.strip()) else moment


def read_choice(text: str, kind: type[Choice], option: str) -> Choice | None:
    """Read an option that names one of a closed set; None for nothing.

    Raises:
        UsageError: it names none of them.
    """
    try:
        return kind(text) if text else None
    except ValueError as error:
        raise UsageError(f"{option}: {text!r} is none of {', '.join(one.value for one in kind)}") from error


def read_exercise(text: str) -> str:
    """Read the id of a drill; empty for a real matter.

    Raises:
        UsageError: it is longer than 60 characters, or not printable.
    """
    bare = text.strip()
    if len(bare) > LONGEST_EXERCISE or not bare.isprintable():
        raise UsageError(f"--exercise: at most {LONGEST_EXERCISE} printable characters")
    return bare
