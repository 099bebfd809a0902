"""`run`: the scheduler; `serve`: the pages; `service`: both as services of systemd."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_note, print_table, trial_words
from sentinel.cli.session import JsonOption, UnitOption, choose_home, open_session, read_settings
from sentinel.errors import UsageError
from sentinel.log import add_log_file
from sentinel.model.moment import local_text

if TYPE_CHECKING:
    from sentinel.model.plan import Plan
    from sentinel.schedule.context import Context
    from sentinel.schedule.service.systemctl import Systemctl
    from sentinel.schedule.service.unitfile import Service

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="作为 systemd 服务运行：安装、查看、卸载。")

SystemOption = Annotated[
    bool | None,
    typer.Option("--system/--user", help="整机的服务（默认，root 时）或当前用户的服务", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("run")(run)
    app.command("serve")(serve)
    app.add_typer(group, name="service")


def run(
    once: Annotated[bool, typer.Option("--once", help="只补做到期未做的巡检，然后结束")] = False,
) -> None:
    """按各单位的巡检时间运行；错过的补做一次；同一数据目录只许一个。"""
    from sentinel.schedule.clock import run_clock, run_missed
    from sentinel.store.home import Home

    home = choose_home()
    settings = read_settings(home)
    if Home(home).is_made():
        add_log_file(Home(home).logs / "run.log", settings.log_size_mib, settings.log_keep)
    if once:
        print_line(f"补做 {run_missed(home, settings, print_note)} 个单位的巡检。")
    else:
        run_clock(home, settings, print_note)


@group.command("install")
def install(
    serve: Annotated[bool, typer.Option("--serve", help="连同网页（sentinel serve）")] = False,
    host: Annotated[
        str | None,
        typer.Option("--host", help="网页监听的地址，非本机地址一律用 TLS；须有 --serve", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=1024, max=65_535, help="网页的端口，8642 若未给出；须有 --serve", show_default=False
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="浏览器中所用的其他主机名，可多次；须有 --serve", show_default=False),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="网页自备的证书（PEM）；须有 --serve", show_default=False)
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="自备证书的私钥（PEM，无口令）；须有 --serve", show_default=False)
    ] = None,
    system: SystemOption = None,
    raw: Annotated[bool, typer.Option("--raw", help="授予 CAP_NET_RAW，可用 SYN 与 UDP 探测；限整机的服务")] = False,
    at: Annotated[
        str | None, typer.Option("--at", help="设定每天几点巡检，北京时间，如 02:30", show_default=False)
    ] = None,
    unit: UnitOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="试运行：只打印将写入的文件，不写入")] = False,
    as_json: JsonOption = False,
) -> None:
    """安装并启动 systemd 服务，只许写数据目录；开机自动运行。"""
    from sentinel.schedule.service.install import install as install_units
    from sentinel.store.units import write_plan

    pages = _page_words(host, port, name or (), certificate, key)
    if pages and not serve:
        raise UsageError(f"{pages[0]}: is for the pages; add --serve")
    with open_session() as context:
        systemctl = _choose(system)
        services = _services(context, systemctl, pages if serve else None, raw=raw)
        if dry_run:
            _show_units(systemctl, services, as_json=as_json)
            return
        plan = _build_plan(context, unit, at) if at is not None else None
        files = install_units(systemctl, services)
        if plan is not None:
            with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
                write_plan(transaction, plan)
        planned = _is_planned(context)
    _show_files(files, "已安装并启动", as_json=as_json)
    if as_json:
        return
    if not systemctl.system:
        print_line("注销后继续运行，须执行一次：loginctl enable-linger")
    print_line(f"下一步：{'sentinel service status' if planned else 'sentinel unit plan --at 02:30（还没有巡检时间）'}")


@group.command("status")
def status(as_json: JsonOption = False) -> None:
    """服务是否在运行、下次巡检何时、最近的日志。"""
    from sentinel.schedule.service.install import read_states
    from sentinel.schedule.service.systemctl import Systemctl

    with open_session() as context:
        managers = (Systemctl(system=True), Systemctl(system=False))
        states = read_states(context, managers, context.clock())
    if as_json:
        for one in states:
            print_json(
                {
                    "name": one.name,
                    "file": str(one.file) if one.file else None,
                    "system": one.system if one.file else None,
                    "active": one.active or None,
                    "enabled": one.enabled,
                    "here": one.here,
                    "next_due": one.next_due,
                    "lines": list(one.lines),
                }
            )
        return
    installed = [one for one in states if one.file]
    words = {"active": "运行中", "inactive": "未运行", "failed": "失败", "activating": "正在启动", "": "systemd 不应答"}
    print_table(
        "服务",
        ("服务", "范围", "状态", "开机启动", "数据目录", "下次巡检"),
        [
            (
                one.name,
                "整机" if one.system else "用户",
                words.get(one.active, one.active),
                "是" if one.enabled else "否",
                "本目录" if one.here else "另一个",
                local_text(one.next_due),
            )
            for one in installed
        ],
        empty="sentinel service install",
    )
    if not any(one.is_reachable() for one in managers):
        print_line("本机没有 systemd 应答；可在终端或 tmux 中执行 sentinel run。")
    for one in installed:
        for line in one.lines:
            print_line(f"{one.name.removeprefix('sentinel-').removesuffix('.service')}: {line[:90]}")


@group.command("remove")
def remove(system: SystemOption = None, as_json: JsonOption = False) -> None:
    """停止并卸载由 sentinel 写入的服务；不动数据与设置。"""
    from sentinel.schedule.service.install import remove as remove_units

    removed = remove_units(_choose(system))
    _show_files(removed, "已停止并卸载", as_json=as_json)
    if not removed and not as_json:
        print_line("没有由 sentinel 安装的服务。")


def _choose(system: bool | None) -> Systemctl:
    from sentinel.schedule.service.systemctl import Systemctl

    wanted = os.geteuid() == 0 if system is None else system
    if wanted and os.geteuid() != 0:
        raise UsageError("--system: needs root; run it with sudo, or use --user")
    return Systemctl(system=wanted)


def _show_files(files: Iterable[Path], done: str, *, as_json: bool) -> None:
    for path in files:
        if as_json:
            print_json({"name": path.name, "file": str(path)})
        else:
            print_line(f"{done} {path.name}（{path}）。")


def _show_units(systemctl: Systemctl, services: Iterable[Service], *, as_json: bool) -> None:
    from sentinel.schedule.service.unitfile import build_unit

    for one in services:
        path, text = systemctl.folder / one.name, build_unit(one)
        if as_json:
            print_json({"name": one.name, "file": str(path), "text": text})
            continue
        print_line(f"# {path}")
        for line in text.splitlines():
            print_line(line)
    if not as_json:
        print_line(f"# {trial_words()}")  # a comment: what is printed may be kept as a unit file


def _page_words(
    host: str | None, port: int | None, names: Iterable[str], certificate: Path | None, key: Path | None
) -> tuple[str, ...]:
    """Give the words `serve` is to be started with.

    Raises:
        UsageError: a certificate without its key, or a file that is not there.
    """
    if (certificate is None) != (key is None):
        raise UsageError("--certificate and --key belong together")
    for option, file in (("--certificate", certificate), ("--key", key)):
        if file is not None and not file.is_file():
            raise UsageError(f"{option} {file}: no such file")
    files = (("--certificate", certificate and certificate.absolute()), ("--key", key and key.absolute()))
    given = (("--host", host), ("--port", port), *(("--name", one) for one in names), *files)
    return tuple(word for option, value in given if value is not None for word in (option, str(value)))


def _services(context: Context, systemctl: Systemctl, pages: tuple[str, ...] | None, *, raw: bool) -> list[Service]:
    """Give the services to be; `pages` are the words of `serve`, None: without it."""
    from sentinel.schedule.service.program import find_program
    from sentinel.schedule.service.unitfile import Service

    if raw and not systemctl.system:
        raise UsageError("--raw: a service of a user can hold no capability; use --system")
    home = context.home.path.absolute()
    owner = _owner(context.home.path)
    key = context.key_file if systemctl.system and _is_key_of(owner, context.key_file) else None
    backups = Path(context.settings.backup_dir) if context.settings.backup_dir else None
    commands = ("run",) if pages is None else ("run", "serve")
    return [
        Service(
            command=command,
            program=find_program(Path(sys.executable)),
            home=home,
            system=systemctl.system,
            user=owner if systemctl.system else "",
            raw=raw and command == "run",
            key=key,
            writable=(backups.absolute(),) if backups and command == "run" else (),
            words=pages or () if command == "serve" else (),
            server=context.home.server is not None,
        )
        for command in commands
    ]


def _is_key_of(owner: str, key: Path) -> bool:
    """Tell whether a key belongs to the owner of the home: with sudo it may be root's, which opens nothing here."""
    return key.is_file() and _owner(key) == owner


def _owner(path: Path) -> str:
    """Give the name of a file's owner; its number where it has no name, which systemd takes as well."""
    try:
        return path.owner()
    except KeyError:
        return str(path.stat().st_uid)


def _build_plan(context: Context, unit: str | None, at: str) -> Plan:
    from sentinel.model.plan import Plan
    from sentinel.schedule.plan import check_plan

    return check_plan(Plan(context.choose_unit(unit).code, at))


def _is_planned(context: Context) -> bool:
    from sentinel.store.units import read_plans

    return any(plan.enabled for plan in read_plans(context.database))


def serve(
    host: Annotated[str, typer.Option("--host", help="监听的地址；非本机地址一律用 TLS")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="端口，0 为任一空闲端口")] = 8642,
    unit: Annotated[str | None, typer.Option("--unit", help="只显示这一个单位", show_default=False)] = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="浏览器中所用的其他主机名，可多次", show_default=False)
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="自备证书（PEM）", show_default=False)
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="自备证书的私钥（PEM，无口令）", show_default=False)] = None,
    new_token: Annotated[bool, typer.Option("--new-token", help="为正在运行的页面再发一个进入口令")] = False,
) -> None:
    """以只读网页显示概览、资产、隐患、变化与报告；默认只限本机。"""
    from sentinel.console import serve as console

    home = choose_home()
    if new_token:
        console.new_token(home, print_line)
        return
    where = console.Address(host, port, unit, tuple(name or ()), certificate, key)
    console.run_console(home, read_settings(home), where, print_line)
