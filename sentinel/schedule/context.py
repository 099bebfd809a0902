"""What every job needs: the home, its database, the settings, and who acts."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sentinel.config import Settings, data_folder
from sentinel.errors import ConfigError, StoreError, UsageError
from sentinel.log import warning
from sentinel.model.unit import Unit
from sentinel.schedule.persons import hide_persons
from sentinel.store.database import Database
from sentinel.store.declared import has_unopened
from sentinel.store.evidence import EvidenceFolder
from sentinel.store.home import Home, open_home
from sentinel.store.schema import HEAD
from sentinel.store.seal import Seal, load_seal, make_seal
from sentinel.store.units import count_units, find_only_unit, find_unit, find_unit_called


def read_clock() -> datetime:
    """Give the present moment in UTC."""
    return datetime.now(UTC)


def readable_name(path: Path) -> str:
    """Give a file's name as text that can be stored: no phone number in it, and bytes that are GBK replaced."""
    return hide_persons(os.fsencode(path.name).decode("utf-8", "replace"))


@dataclass(frozen=True)
class Context:
    """The surroundings of a job.

    Attributes:
        home: its folders.
        database: its database.
        settings: its settings.
        actor: who acts, for audit and runs.
        clock: gives the present moment.
    """

    home: Home
    database: Database
    settings: Settings
    actor: str
    clock: Callable[[], datetime] = read_clock

    @property
    def evidence(self) -> EvidenceFolder:
        """The evidence blobs."""
        return EvidenceFolder(self.home.evidence)

    @property
    def key_file(self) -> Path:
        """Where the contact key lies, apart from the home, unless systemd hands it over."""
        configured = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(self.settings.contact_key or Path(configured) / "sentinel" / "contact.key")

    def load_seal(self) -> Seal | None:
        """Give the seal of personal data; None where its key is not on this machine."""
        return load_seal(self.key_file)

    def make_seal(self) -> Seal:
        """Give the seal of personal data, with a new key where there is none.

        Raises:
            ConfigError: the key would lie inside the home, and go with it when it is copied or stolen.
            StoreError: persons of this home are sealed with another key; a second one would split them.
        """
        if self.key_file.resolve().is_relative_to(self.home.path.resolve()):
            raise ConfigError(f"contact_key: {self.key_file} lies inside the home: choose a place apart from it")
        if has_unopened(self.database, self.load_seal()):
            raise StoreError(
                f"{self.key_file}: not the key this home's persons are sealed with; bring that one here, or, where it "
                "is lost, end them first (`unit contact end`, `register withdraw`, `register retire`)"
            )
        return make_seal(self.key_file)

    @property
    def rule_folders(self) -> tuple[Path, ...]:
        """The shipped rules and the home's own."""
        return (data_folder("rules"), *(Path(folder) for folder in self.settings.rules))

    def choose_unit(self, code_or_name: str | None) -> Unit:
        """Give the unit a command means: the named one, by a former name too, else the setting's, else the only one.

        Raises:
            UsageError: there is no such unit, or none was named and there are several.
        """
        wanted = self.settings.unit or None if code_or_name is None else code_or_name
        if wanted is not None:
            unit = find_unit(self.database, wanted) or find_unit_called(self.database, wanted)
            if unit is None:
                raise UsageError(f"no such unit: {wanted!r}; `sentinel unit list` shows them")
            return unit
        only = find_only_unit(self.database)
        if only is None:
            raise UsageError(f"which of {count_units(self.database)} units is meant? name it with --unit")
        return only


@contextmanager
def open_context(path: Path, settings: Settings) -> Iterator[Context]:
    """Open a home for a job.

    Raises:
        StoreError: there is no home, or it cannot be used.
    """
    home, database = open_home(path, settings.busy_timeout_s, settings.server)
    if database.upgraded:
        copy = database.upgraded.copy or "none: the server takes a failed upgrade back"
        warning("home upgraded", before=database.upgraded.before, after=HEAD, copy=copy)
    try:
        yield Context(home, database, settings, settings.operator or read_login())
    finally:
        database.close()


def read_login() -> str:
    """Give the system's name of who runs this; `unknown` where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
