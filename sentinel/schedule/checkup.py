"""The machine and the home in; what works, what is limited, what is missing and what mends it out."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sentinel.collect.privilege import raw_sockets
from sentinel.collect.tool import install_command, installed_nmap
from sentinel.config import Settings, data_folder, load_settings
from sentinel.errors import CollectError, ConfigError, RuleError, SentinelError, StoreError
from sentinel.store.audit import find_broken_link
from sentinel.store.database import wrap_errors
from sentinel.store.evidence import EvidenceFolder, read_some_sums
from sentinel.store.home import Home, open_home

State = Literal["ok", "limited", "missing"]
_FREE_BYTES = 1 << 30
_SAMPLE = 20


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at.

    Attributes:
        name: what.
        state: ok, limited (something costs more or less is seen), or missing.
        detail: what was found, and what it costs.
        remedy: the command or step that mends it; empty when nothing is to do.
        error: what commands on this home end with because of it; None: most still work.
    """

    name: str
    state: State
    detail: str
    remedy: str = ""
    error: SentinelError | None = None


def examine(home: Path) -> tuple[Checked, ...]:
    """Look at the machine and at a home; nothing is sent."""
    return (
        _python(),
        _nmap(),
        _raw(),
        _second_opinion(),
        _browser(),
        _clock(),
        *_home(Home(home)),
    )


def _python() -> Checked:
    version = ".".join(map(str, sys.version_info[:3]))
    return Checked("Python", "ok", f"Python {version}，SQLite {sqlite3.sqlite_version}")


def _nmap() -> Checked:
    try:
        return Checked("nmap", "ok", f"nmap {installed_nmap().version}")
    except CollectError as error:
        return Checked("nmap", "missing", f"{error}；不能探测，仍可导入与评判", install_command())


def _raw() -> Checked:
    state = raw_sockets()
    if state.usable:
        return Checked("原始套接字", "ok", "可用 SYN 与 UDP 探测")
    return Checked(
        "原始套接字",
        "limited",
        f"{state.reason}；只用 TCP 连接探测，UDP 端口记为未核查",
        "以 root 运行或授予 cap_net_raw",
    )


def _second_opinion() -> Checked:
    from importlib.util import find_spec

    if find_spec("nmap") is not None:
        return Checked("python-nmap", "ok", "可作单机复核")
    return Checked("python-nmap", "limited", "未安装；不影响扫描，只少单机复核", "pip install python-nmap==0.7.1")


def _browser() -> Checked:
    found = next(
        (shutil.which(one) for one in ("chromium", "chromium-browser", "google-chrome") if shutil.which(one)), None
    )
    if found:
        return Checked("浏览器", "ok", f"{found}，可打开与打印报告")
    return Checked(
        "浏览器", "limited", "本机没有 Chromium；报告可在任何浏览器打开", "apt-get install chromium fonts-noto-cjk"
    )


def _clock() -> Checked:
    now = datetime.now(UTC)
    if now.year < 2026:
        return Checked("时钟", "missing", f"系统时间为 {now:%Y-%m-%d}，授权与时限都会算错", "校准系统时间")
    return Checked("时钟", "ok", f"系统时间 {now:%Y-%m-%d %H:%M} UTC")


def _rules(settings: Settings) -> Checked:
    from sentinel.assess.pack import load_pack

    try:
        pack = load_pack((data_folder("rules"), *map(Path, settings.rules)))
    except RuleError as error:
        return Checked("规则", "missing", f"{error}；不能评判", "sentinel rules check", error)
    return Checked("规则", "ok", f"{len(pack.rules)} 条规则，{len(pack.catalogues)} 个控制目录，哈希 {pack.hash[:12]}")


def _home(home: Home) -> tuple[Checked, ...]:
    try:
        settings = load_settings(home.path)
    except ConfigError as error:
        return (Checked("设置", "missing", str(error), f"更正 {home.settings}", error),)
    if not home.is_made():
        step = f"sentinel --home {home.path} init --unit 名称"
        return (_rules(settings), Checked("数据目录", "limited", f"{home.path} 尚未建立", step))
    try:
        _, database = open_home(home.path)
        try:
            with wrap_errors(home.database):
                broken = find_broken_link(database.connection)
                sums = read_some_sums(database, _SAMPLE)
        finally:
            database.close()
    except StoreError as error:
        return (_rules(settings), Checked("数据目录", "missing", str(error), "检查属主、挂载与磁盘", error))
    return (_rules(settings), _disk(home), _audit(home, broken), _evidence(home, sums))


def _disk(home: Home) -> Checked:
    free = shutil.disk_usage(home.var).free
    words = f"{home.path} 所在磁盘剩余 {free / (1 << 30):.1f} GiB"
    if free < _FREE_BYTES:
        return Checked("磁盘", "limited", f"{words}，不足 1 GiB", "清理磁盘或迁移数据目录")
    return Checked("磁盘", "ok", words)


def _audit(home: Home, broken: int | None) -> Checked:
    if broken is None:
        return Checked("审计链", "ok", "逐条核对，未见改动")
    error = StoreError(f"{home.database}: the audit chain is broken from row {broken} on")
    return Checked("审计链", "missing", f"第 {broken} 条起与哈希链不符", "从备份恢复，并查明改动", error)


def _evidence(home: Home, sums: Sequence[str]) -> Checked:
    folder = EvidenceFolder(home.evidence)
    bad = [one for one in sums if not folder.verify(one)]
    if bad:
        error = StoreError(f"{home.evidence}: evidence {bad[0]} is missing or damaged")
        return Checked("证据", "missing", f"{len(bad)} 份证据缺失或损坏，如 {bad[0][:12]}", "从备份恢复", error)
    return Checked("证据", "ok", f"抽查 {len(sums)} 份，哈希一致" if sums else "尚无证据")
