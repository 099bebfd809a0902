"""`setting`: the settings of a home, shown and changed without an editor."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, choose_home, open_session
from sentinel.config import Settings, edit_settings, load_settings, write_settings
from sentinel.errors import ConfigError, StoreError, UsageError

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="设置：查看与更改 sentinel.toml。")

NameArgument = Annotated[str, typer.Argument(help="设置的名称，见 sentinel setting list")]
_LONGEST = 40


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="setting")


@group.command("list")
def show(as_json: JsonOption = False) -> None:
    """列出全部设置、现值与来源。"""
    home = choose_home()
    now, filed = load_settings(home), load_settings(home, {})
    rows = []
    for one in fields(Settings):
        value = getattr(now, one.name)
        if f"SENTINEL_{one.name.upper()}" in os.environ:
            source = "环境变量"
        else:
            source = "默认" if getattr(filed, one.name) == one.default else "文件"
        rows.append((one.name, value, source, one.metadata["zh"]))
    if as_json:
        for name, value, source, meaning in rows:
            print_json({"name": name, "value": value, "source": source, "meaning": meaning})
        return
    shown = [(name, _short(value), source, meaning) for name, value, source, meaning in rows]
    print_table("设置", ("名称", "现值", "来源", "含义"), shown, "sentinel setting set 名称 值")


def _short(value: object) -> str:
    text = "、".join(value) if isinstance(value, tuple) else str(value)
    return f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text or "空"


@group.command("set")
def change(
    name: NameArgument,
    value: Annotated[str, typer.Argument(help="值；多个文件夹以 : 分隔")],
    as_json: JsonOption = False,
) -> None:
    """更改一项设置；文件中的注释与其余各项不变。"""
    _write(name, value, as_json)


@group.command("unset")
def reset(name: NameArgument, as_json: JsonOption = False) -> None:
    """把一项设置改回默认值。"""
    _write(name, None, as_json)


def _check_value(home: Path, name: str, value: str) -> None:
    """Refuse what is a good value by itself and would leave the home unusable, or its persons unsealed."""
    if name == "contact_key" and value and Path(value).resolve().is_relative_to(home.resolve()):
        raise ConfigError(f"contact_key: {value} lies inside the home: choose a place apart from it")
    if name == "database":
        _check_database(home, value)
    if name == "unit" and value:
        from sentinel.store.units import find_unit

        with open_session() as context:
            if find_unit(context.database, value) is None:
                raise UsageError(f"no such unit: {value!r}; `sentinel unit list` shows them")


def _check_database(home: Path, value: str) -> None:
    """Refuse a database that holds no home: tables move by `backup` and `restore`, not by a setting."""
    from sentinel.model.place import parse_server_place
    from sentinel.store.home import open_home

    server = parse_server_place(value) if value.strip() else None
    _, database = open_home(home, load_settings(home).busy_timeout_s, server)
    database.close()


def _write(name: str, value: str | None, as_json: bool) -> None:
    from sentinel.schedule.declaring import note_setting
    from sentinel.store.home import SETTINGS_BUSY, Home, hold_lock

    home = choose_home()
    if not Home(home).is_made():
        raise StoreError(f"{home}: no home here; make one with `sentinel --home {home} init`")
    with hold_lock(Home(home), "settings", SETTINGS_BUSY):
        text = edit_settings(home, name, value)
        _check_value(home, name, value or "")
        before = getattr(load_settings(home, {}), name)
        write_settings(home, text)
        after = getattr(load_settings(home, {}), name)
    with open_session() as context:
        note_setting(context, name, before, after)
    if as_json:
        print_json({"name": name, "before": before, "value": after})
        return
    print_line(f"{name}：{_short(before)} → {_short(after)}。")
    if f"SENTINEL_{name.upper()}" in os.environ:
        print_line(f"注意：环境变量 SENTINEL_{name.upper()} 优先于文件，现在起作用的是它。")
