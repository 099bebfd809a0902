"""The machine in; what of it sentinel can use, and what each missing thing costs, out."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from sentinel.collect.child import run_child
from sentinel.collect.privilege import raw_sockets
from sentinel.collect.tool import install_command, installed_nmap
from sentinel.errors import CollectError
from sentinel.schedule.checkup.checked import Checked

_ANSWER_S = 10.0
_ANSWER_BYTES = 1 << 20
_OLDEST_KERNEL = (5, 10)
_SHANGHAI_S = 8 * 3600


def examine_machine() -> tuple[Checked, ...]:
    """Look at the machine; nothing is sent."""
    return (
        _python(),
        _kernel(),
        _glibc(),
        _nmap(),
        _raw(),
        _second_opinion(),
        _jit(),
        _browser(),
        _fonts(),
        _clock(),
        _zone(),
    )


def _python() -> Checked:
    version = ".".join(map(str, sys.version_info[:3]))
    return Checked("Python", "ok", f"Python {version}，SQLite {sqlite3.sqlite_version}")


def _kernel() -> Checked:
    system, release = os.uname().sysname, os.uname().release
    number = tuple(int(piece) for piece in release.split("-")[0].split(".")[:2] if piece.isdigit())
    words = f"{system} {release}，{os.uname().machine}"
    if system != "Linux":
        return Checked("内核", "limited", f"{words}；只在 Linux 上试过，原始套接字与靶场不可用", "改用 Debian 12 或 13")
    if number < _OLDEST_KERNEL:
        return Checked("内核", "limited", f"{words}，早于 5.10；未试过", "升级内核，如 apt-get dist-upgrade")
    return Checked("内核", "ok", words)


def _glibc() -> Checked:
    library, version = platform.libc_ver()
    if library == "glibc":
        return Checked("glibc", "ok", f"glibc {version}")
    return Checked(
        "glibc",
        "limited",
        "不是 glibc（如 Alpine 的 musl）；离线包中的轮子装不上，须在本机编译",
        "改用 Debian 12 或 13",
    )


def _nmap() -> Checked:
    try:
        return Checked("nmap", "ok", f"nmap {installed_nmap().version}")
    except CollectError as error:
        return Checked("nmap", "missing", f"{error}；不能探测，仍可导入与评判", install_command())


def _raw() -> Checked:
    state = raw_sockets()
    who = "root" if os.geteuid() == 0 else f"普通用户（uid {os.geteuid()}）"
    if state.usable:
        return Checked("原始套接字", "ok", f"{who}，可用 SYN 与 UDP 探测")
    return Checked(
        "原始套接字",
        "limited",
        f"{who}，{state.reason}；只用 TCP 连接探测，UDP 端口记为未核查",
        "以 root 运行，或 sentinel service install --system --raw",
    )


def _second_opinion() -> Checked:
    if find_spec("nmap") is not None:
        return Checked("python-nmap", "ok", "可作单机复核")
    return Checked("python-nmap", "limited", "未安装；不影响扫描，只少单机复核", "pip install python-nmap==0.7.1")


def _jit() -> Checked:
    if find_spec("numba") is not None:
        return Checked("即时编译", "ok", "已安装 numba，用不到：抓包由纯 Python 读取")
    return Checked("即时编译", "ok", "未安装 numba，也用不到：抓包由纯 Python 读取，不影响结果")


def _browser() -> Checked:
    found = next(
        (shutil.which(one) for one in ("chromium", "chromium-browser", "google-chrome") if shutil.which(one)), None
    )
    if found:
        return Checked("浏览器", "ok", f"{found}，可打开与打印报告")
    return Checked("浏览器", "limited", "本机没有 Chromium；报告可在任何浏览器打开", "apt-get install chromium")


def _fonts() -> Checked:
    step = "apt-get install fonts-noto-cjk"
    if shutil.which("fc-list") is None:
        return Checked("中文字体", "limited", "没有 fc-list，无法查看；若缺字体，本机打印的报告会出现方框", step)
    found = sorted({line.strip() for line in _ask("fc-list", ":lang=zh", "family").splitlines() if line.strip()})
    if found:
        return Checked("中文字体", "ok", f"{len(found)} 种，如 {found[0].split(',')[0]}")
    return Checked("中文字体", "limited", "没有中文字体；本机打印的报告会出现方框，其他机器上打开不受影响", step)


def _clock() -> Checked:
    now = datetime.now(UTC)
    if now.year < 2026:
        return Checked(
            "时钟", "missing", f"系统时间为 {now:%Y-%m-%d}，授权与时限都会算错", "timedatectl set-ntp true，或手工校准"
        )
    words = f"系统时间 {now:%Y-%m-%d %H:%M} UTC"
    told = {"yes": "，已与时间服务器同步", "no": "，未与时间服务器同步"}.get(
        _ask("timedatectl", "show", "--property=NTPSynchronized", "--value").strip(), "；本机没有说明是否同步"
    )
    if "未与" in told:
        return Checked(
            "时钟", "limited", f"{words}{told}；时间走偏后，授权起止与变化先后都会偏", "timedatectl set-ntp true"
        )
    return Checked("时钟", "ok", f"{words}{told}")


def _zone() -> Checked:
    here = datetime.now().astimezone()
    offset = here.utcoffset() or timedelta()
    if offset.total_seconds() == _SHANGHAI_S:
        return Checked("时区", "ok", f"{here.tzname()}，与北京时间一致")
    return Checked(
        "时区",
        "limited",
        f"本机时区 {here.tzname()}，sentinel 一律显示北京时间；其他日志的时间与之相差 "
        f"{abs(_SHANGHAI_S - offset.total_seconds()) / 3600:g} 小时",
        "timedatectl set-timezone Asia/Shanghai",
    )


def _ask(program: str, *words: str) -> str:
    """Run a program of the system that only tells something; nothing when it is missing or fails."""
    path = shutil.which(program)
    if path is None:
        return ""
    answer = bytearray()
    try:
        ending = run_child(
            [path, *words], take=answer.extend, cwd=Path("/"), timeout_s=_ANSWER_S, max_bytes=_ANSWER_BYTES
        )
    except CollectError:
        return ""
    return answer.decode("utf-8", "replace") if ending.status == 0 else ""
