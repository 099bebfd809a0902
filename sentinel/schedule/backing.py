"""A home and where its backups go in; a checked backup, by hand or once a day, and a home from one out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

from sentinel.config import Settings, edit_settings, load_settings, write_settings
from sentinel.errors import StoreError, UsageError
from sentinel.model.moment import SHANGHAI
from sentinel.schedule.context import Context, open_context, read_clock, read_login
from sentinel.store.archive import Manifest
from sentinel.store.backup import Surroundings, Tell, check_backup, remove_old_backups, write_backup
from sentinel.store.database import wrap_errors
from sentinel.store.home import hold_lock
from sentinel.store.restore import Restored, restore_backup
from sentinel.store.units import read_units

BUSY = "another backup or clearing of this home runs; try again when it is done"
FRESH = timedelta(hours=23)
"""A daily backup younger than this is today's."""

_LARGEST_RULE = 16 << 20
_STAMP = re.compile(r"-(\d{8}-\d{6})\.tar\Z")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written.

    Attributes:
        file: it.
        size_bytes: its size.
        manifest: what it says of itself.
        removed: older backups that were removed for it.
        outside: folders of own rules that lie outside the home and are not in it.
    """

    file: Path
    size_bytes: int
    manifest: Manifest
    removed: tuple[Path, ...]
    outside: tuple[Path, ...]


def back_up(context: Context, out: Path, tell: Tell, *, keep: int = 0, reports: bool = False) -> Backup:
    """Write a backup to a file, or into a folder under a name with unit and time; others may go on writing.

    With `keep` only so many backups of this home stay in the folder.

    Raises:
        UsageError: the target lies inside the home.
        StoreError: it is there already, cannot be written, or the home is damaged.
    """
    prefix = backup_prefix(context)
    stamp = context.clock().astimezone(SHANGHAI).strftime("%Y%m%d-%H%M%S")
    file = out / f"{prefix}{stamp}.tar" if out.is_dir() else out
    if context.home.path.resolve() in file.resolve().parents:
        raise UsageError(f"{file}: lies inside the home; a backup belongs elsewhere, best on another disk")
    if not file.parent.is_dir():
        raise StoreError(f"{file.parent}: no such folder; make it first")
    seal = context.load_seal()
    inside, outside = _rule_folders(context)
    files = [*_files_below(inside, context.home.path)]
    if reports:
        files += [(str(one.relative_to(context.home.path)), one) for one in context.home.reports.glob("*/*.html")]
    around = Surroundings(_version(), context.clock(), seal.id if seal else "", tuple(files))
    with hold_lock(context.home, "keep", BUSY):
        manifest = write_backup(context.database, context.home, file, around, tell)
        removed = remove_old_backups(file.parent, prefix, keep) if keep else ()
    return Backup(file, file.stat().st_size, manifest, removed, outside)


def check_file(file: Path, tell: Tell) -> Manifest:
    """Read a whole backup and hold it against its manifest.

    Raises:
        ParseError: it is no whole and sound backup.
        StoreError: it cannot be read.
    """
    with wrap_errors(file), TemporaryDirectory(prefix="sentinel-") as folder:
        return check_backup(file, Path(folder) / "sentinel.db", tell)


def restore_file(file: Path, place: Path, settings: Settings, tell: Tell) -> Restored:
    """Make a home from a backup, in a new or an empty folder, its tables where the setting `database` says.

    Raises:
        ConfigError: the settings in the backup cannot be read.
        ParseError: it is no whole and sound backup.
        StoreError: the place is taken or cannot be written, or the backup is of a newer sentinel.
    """

    def settle(home: Path) -> None:
        """Let the home's settings name where its tables are now; the old ones may live on."""
        if load_settings(home, {}).database != settings.database:
            write_settings(home, edit_settings(home, "database", settings.database or None))

    actor = settings.operator or read_login()
    return restore_backup(file, place, actor, read_clock(), tell, server=settings.server, settle=settle)


def judge_key(restored: Restored, settings: Settings) -> str:
    """Tell whether the contact key of this machine opens what is sealed.

    Gives `nothing` (is sealed), `opens`, `other` (key), `none` (no key here), or `unknown` (whose key it was).
    """
    if not restored.sealed:
        return "nothing"
    with open_context(restored.home.path, settings) as context:
        seal = context.load_seal()
    if seal is None:
        return "none"
    if not restored.manifest.key_id:
        return "unknown"
    return "opens" if seal.id == restored.manifest.key_id else "other"


def backup_prefix(context: Context) -> str:
    """Give how the names of this home's backups begin: by the unit of the settings, else by its first one."""
    units = read_units(context.database)
    code = context.settings.unit or (units[0].code if units else "home")
    return f"sentinel-{''.join(one if one.isalnum() or one in '-_' else '_' for one in code)[:60]}-"


def read_newest_backup(context: Context, folder: Path) -> datetime | None:
    """Give when the newest backup of this home in a folder was made, as its name tells."""
    moments = [
        datetime.strptime(match[1], "%Y%m%d-%H%M%S").replace(tzinfo=SHANGHAI)
        for file in folder.glob(f"{backup_prefix(context)}*.tar")
        if (match := _STAMP.search(file.name))
    ]
    return max(moments, default=None)


def _rule_folders(context: Context) -> tuple[list[Path], tuple[Path, ...]]:
    home = context.home.path.resolve()
    own = [Path(folder) for folder in context.settings.rules]
    var = context.home.var.resolve()
    inside = [one for folder in own if home in (one := folder.resolve()).parents and not one.is_relative_to(var)]
    return inside, tuple(folder for folder in own if folder.resolve() not in inside)


def _files_below(folders: list[Path], home: Path) -> Iterator[tuple[str, Path]]:
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            name = str(file.relative_to(home.resolve()))
            hidden = any(part.startswith(".") for part in Path(name).parts)
            if not hidden and file.is_file() and not file.is_symlink() and file.stat().st_size <= _LARGEST_RULE:
                yield name, file


def _version() -> str:
    try:
        return version("sentinel-campus")
    except PackageNotFoundError:
        return "unknown"
