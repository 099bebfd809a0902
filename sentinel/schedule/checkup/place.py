"""A home in; what of it is sound, and what needs a person, out."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sentinel.config import Settings, data_folder, load_settings
from sentinel.errors import ConfigError, RuleError, StoreError
from sentinel.schedule.checkup.checked import Checked
from sentinel.schedule.checkup.upkeep import examine_upkeep
from sentinel.schedule.context import Context, open_context
from sentinel.store.audit import find_broken_link
from sentinel.store.database import wrap_errors
from sentinel.store.evidence import read_some_sums
from sentinel.store.home import Home
from sentinel.store.schema import HEAD

_FREE_BYTES = 1 << 30
_FREE_INODES = 10_000
_LARGE_WAL = 256 << 20
_SAMPLE = 20
_RESTORE = "sentinel --home 新目录 restore 备份"


def examine_home(home: Home) -> tuple[Checked, ...]:
    """Look at a home and its settings; without one, at the rules alone."""
    try:
        settings = load_settings(home.path)
    except ConfigError as error:
        return (Checked("设置", "missing", str(error), f"更正 {home.settings}", error),)
    rules = _rules(settings)
    if not home.is_made():
        step = f"sentinel --home {home.path} init --unit 名称"
        return (rules, Checked("数据目录", "limited", f"{home.path} 尚未建立；不能保存任何结果", step))
    try:
        with open_context(home.path, settings) as context, wrap_errors(home.database):
            return (rules, *_opened(context))
    except StoreError as error:
        return (
            rules,
            Checked(
                "数据目录",
                "missing",
                str(error),
                f"检查属主、挂载与磁盘；必要时 {_RESTORE}",
                error,
            ),
        )


def _opened(context: Context) -> Iterator[Checked]:
    yield _disk(context.home)
    yield _server(context) if context.home.server else _database(context.home)
    yield _audit(context)
    yield _evidence(context)
    yield from examine_upkeep(context)


def _rules(settings: Settings) -> Checked:
    from sentinel.assess.pack import load_pack

    try:
        pack = load_pack((data_folder("rules"), *map(Path, settings.rules)))
    except RuleError as error:
        return Checked("规则", "missing", f"{error}；不能评判", "sentinel rules check", error)
    return Checked("规则", "ok", f"{len(pack.rules)} 条规则，{len(pack.catalogues)} 个控制目录，哈希 {pack.hash[:12]}")


def _disk(home: Home) -> Checked:
    free = shutil.disk_usage(home.var).free
    inodes = os.statvfs(home.var)
    words = f"{home.path} 所在磁盘剩余 {free / (1 << 30):.1f} GiB"
    step = "清理磁盘，或用 sentinel backup 与 restore 迁到别的磁盘"
    if free < _FREE_BYTES:
        return Checked("磁盘", "limited", f"{words}，不足 1 GiB；写满后扫描与导入会失败（已存的不受影响）", step)
    if inodes.f_files and inodes.f_favail < _FREE_INODES:
        return Checked("磁盘", "limited", f"{words}，但只剩 {inodes.f_favail} 个 inode；用尽后不能新建文件", step)
    return Checked("磁盘", "ok", words)


def _database(home: Home) -> Checked:
    """Let SQLite look at every page without the cross-checks of indexes, which take minutes on large homes.

    Raises:
        sqlite3.Error: it cannot even be read.
    """
    wal = home.database.with_name(home.database.name + "-wal")
    wal_bytes = wal.stat().st_size if wal.exists() else 0
    with closing(sqlite3.connect(home.database)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    words = f"结构版本 {HEAD}，{home.database.stat().st_size / (1 << 20):.1f} MiB"
    if found != "ok":
        error = StoreError(f"{home.database}: the database is damaged; restore the home from a backup")
        return Checked("数据库", "missing", f"{words}；页面损坏：{found}", _RESTORE, error)
    if wal_bytes > _LARGE_WAL:
        return Checked(
            "数据库",
            "limited",
            f"{words}；未合并的日志有 {wal_bytes / (1 << 20):.0f} MiB，打开会变慢：有进程长时间未结束",
            "结束长时间运行的 sentinel 命令",
        )
    return Checked("数据库", "ok", f"{words}，逐页检查无误")


def _server(context: Context) -> Checked:
    """Tell which server answers, and how fast: every command asks it some hundred times."""
    began = time.perf_counter()
    context.database.one("SELECT 1")
    words = f"{context.database.engine.describe()}，{context.home.server}"
    words += f"，结构版本 {HEAD}，往返 {(time.perf_counter() - began) * 1000:.1f} 毫秒"
    if context.home.database.exists():
        step = f"确认其中的数据不再需要后，移走 {context.home.database}"
        return Checked("数据库", "limited", f"{words}；var/ 中另有一个不再使用的 SQLite 文件", step)
    return Checked("数据库", "ok", words)


def _audit(context: Context) -> Checked:
    broken = find_broken_link(context.database.connection)
    if broken is None:
        return Checked("审计链", "ok", "逐条核对，未见改动")
    error = StoreError(f"{context.home.place}: the audit chain is broken from row {broken} on")
    return Checked("审计链", "missing", f"第 {broken} 条起与哈希链不符", f"{_RESTORE}，并查明改动", error)


def _evidence(context: Context) -> Checked:
    sums = read_some_sums(context.database, _SAMPLE)
    bad = [one for one in sums if not context.evidence.verify(one)]
    if bad:
        error = StoreError(f"{context.home.evidence}: evidence {bad[0]} is missing or damaged")
        return Checked(
            "证据",
            "missing",
            f"{len(bad)} 份证据缺失或损坏，如 {bad[0][:12]}",
            _RESTORE,
            error,
        )
    return Checked("证据", "ok", f"抽查 {len(sums)} 份，哈希一致" if sums else "尚无证据")
