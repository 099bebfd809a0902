"""The errors a user may meet, each with the exit status the command line ends with.

    SentinelError            1   a fault of sentinel itself
    ├── UsageError           2   the command line names something that does not exist or cannot be read as given
    ├── ParseError           3   foreign bytes that could not be read (file, offset or line)
    ├── ScopeError           5   a target without a valid authorisation
    ├── StoreError           6   home, database or disk
    ├── ConfigError          7   sentinel.toml or the environment
    ├── RuleError            8   a rule or a control catalogue; holds every mistake of the pack
    ├── CollectError         9   a collecting tool is missing or failed (tool, target, exit status)
    └── RenderError         10   a report could not be built or written

Messages are lower case and say what, which, and what to do. Status 4 is no error: `traffic analyze` found mining.
"""

from __future__ import annotations

from dataclasses import dataclass


class SentinelError(Exception):
    """The root of the tree; `status` is the exit status of the process."""

    status = 1


class UsageError(SentinelError):
    """An argument names nothing known, or cannot be read as what it should be."""

    status = 2


class ParseError(SentinelError):
    """Foreign bytes could not be read.

    Attributes:
        where: file and, when known, line or byte offset, e.g. `scan.xml byte 1043`.
    """

    status = 3

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where


class ScopeError(SentinelError):
    """The gate refused; no packet was sent to what it refused."""

    status = 5


class StoreError(SentinelError):
    """The home, its database or its disk cannot be used."""

    status = 6


class ConfigError(SentinelError):
    """A setting is unknown, of the wrong kind, or out of range."""

    status = 7


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake of a rule file.

    Attributes:
        file: path as given.
        line: line in that file, from 1; 0 when the file as a whole is meant.
        message: what is wrong and what to do, lower case.
        rule: readable id of the rule, when it could be read.
    """

    file: str
    line: int
    message: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class RuleError(SentinelError):
    """A pack of rules has mistakes; all of them are in `mistakes`, sorted by file and line."""

    status = 8

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        more = f" (and {len(mistakes) - 1} more; see `sentinel rules check`)" if len(mistakes) > 1 else ""
        super().__init__(f"{self.mistakes[0]}{more}" if mistakes else "rule pack refused")


class CollectError(SentinelError):
    """A collecting tool is missing, was stopped, or failed."""

    status = 9


class RenderError(SentinelError):
    """A report could not be built or written."""

    status = 10
