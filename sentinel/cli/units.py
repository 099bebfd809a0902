"""`unit`: the tree of units, their networks and the times of their cycles."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.scope import AUTHORISE
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_start
from sentinel.cli.setup import read_level
from sentinel.cli.unit_words import (
    LEVEL_WORDS,
    AffiliationOption,
    AliasOption,
    CreditOption,
    KindOption,
    RegionOption,
    SinceOption,
    build_unit_words,
    describe,
    note_code,
)
from sentinel.errors import UsageError
from sentinel.model.unit import IPNetwork, Network, Zone

if TYPE_CHECKING:
    from sentinel.model.plan import Plan

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="单位、网络与巡检时间。")

ZONE_WORDS = {
    Zone.SERVER: "服务器区",
    Zone.OFFICE: "办公",
    Zone.DORMITORY: "宿舍",
    Zone.WIRELESS: "无线",
    Zone.IOT: "物联网",
    Zone.EXAM: "考试",
    Zone.DMZ: "DMZ",
    Zone.UNKNOWN: "未定",
}


MAX_NAME = 100
DAY_WORDS = {"mon": "一", "tue": "二", "wed": "三", "thu": "四", "fri": "五", "sat": "六", "sun": "日"}


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="unit")


@group.command("add")
def add(
    code: Annotated[str, typer.Argument(help="单位代码")],
    name: Annotated[str | None, typer.Argument(help="单位名称，默认同代码", show_default=False)] = None,
    level: Annotated[str, typer.Option(help="层级：province、city、county、school、department")] = "school",
    parent: Annotated[str, typer.Option(help="上级单位代码（隶属）")] = "",
    region: RegionOption = None,
    kind: KindOption = None,
    credit: CreditOption = None,
    affiliation: AffiliationOption = None,
    alias: AliasOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记一个单位。"""
    from sentinel.model.unit import Unit
    from sentinel.store.units import write_unit

    called = code if name is None else name.strip()
    if name is not None and (not called or len(called) > MAX_NAME or not called.isprintable()):
        raise UsageError(f"a name is 1 to {MAX_NAME} printable characters")
    bare = Unit(code, called, read_level(level), parent=parent)
    wanted = describe(bare, region, kind, credit, affiliation, alias)
    with (
        open_session() as context,
        context.database.transaction(context.actor, context.clock(), objects=True) as transaction,
    ):
        stored = write_unit(transaction, wanted)
    note_code(stored.code)
    if as_json:
        print_json(build_unit_words(stored))
    else:
        print_line(f"已登记单位 {stored.name}（{stored.code}）。")


@group.command("list")
def show(
    under: Annotated[str | None, typer.Option("--under", help="只列这个单位及其下级", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """列出全部单位及其巡检时间，上级在前。"""
    from sentinel.store.units import read_plans, read_units

    with open_session() as context:
        units = read_units(context.database, context.choose_unit(under) if under is not None else None)
        plans = {plan.unit: plan for plan in read_plans(context.database)}
        now = context.clock()
    if as_json:
        for one in units:
            plan = _plan_words(plans[one.code]) if one.code in plans else None
            print_json(build_unit_words(one) | {"plan": plan})
        return
    print_table(
        "单位",
        ("代码", "名称", "层级", "上级", "巡检", "上次结果"),
        [
            (
                one.code,
                "  " * one.path.count("/") + one.name + ("" if one.exists(now) else "（不在存续期）"),
                one.kind.zh or LEVEL_WORDS[one.level],
                one.parent,
                _plan_text(plans[one.code]) if one.code in plans else "",
                plans[one.code].last_result if one.code in plans else "",
            )
            for one in units
        ],
        "sentinel unit network 名称 网段 --unit 代码；sentinel unit plan --at 02:30",
    )


@group.command("network")
def network(
    name: Annotated[str, typer.Argument(help="网络名称，如 server-lan")],
    prefixes: Annotated[list[str] | None, typer.Argument(help="网段，如 10.1.0.0/24")] = None,
    unit: UnitOption = None,
    zone: Annotated[
        str | None,
        typer.Option(
            help="区域：server、office、dormitory、wireless、iot、exam、dmz、unknown；默认不变", show_default=False
        ),
    ] = None,
    logs_only: Annotated[
        bool | None,
        typer.Option(
            "--logs-only/--scannable",
            help="只看日志，不发送报文；或可探测。默认不变，新登记的宿舍与无线只看日志",
            show_default=False,
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="撤销这个网络，其地址归入 default")] = False,
    since: SinceOption = None,
    correct: Annotated[
        bool, typer.Option("--correct", help="只更正公网网段的归属起始，须与 --since 同用；不写网段即全部")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """登记、更改或撤销一个网络，已有证据随之重新归位。"""
    from sentinel.model.unit import DEFAULT_NETWORK

    if remove and correct:
        raise UsageError("--correct: a network that is removed has nothing to correct")
    if remove:
        _remove(name, prefixes, unit, as_json)
        return
    if correct:
        if zone is not None or logs_only is not None or since is None:
            raise UsageError("--correct: corrects the day a public prefix is owned from, nothing else; give --since")
        _correct(name, prefixes, unit, read_start(since, "--since"), as_json)
        return
    if name == DEFAULT_NETWORK:
        raise UsageError("the default network takes what no other holds; give this one another name")
    if not prefixes:
        raise UsageError("missing argument 'prefixes'; see `sentinel unit network --help`")
    if not name.strip() or name != name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise UsageError(f"a name is 1 to {MAX_NAME} printable characters, without blanks around it")
    if zone is not None and zone not in set(Zone):
        raise UsageError(f"no such zone: {zone!r} ({', '.join(Zone)})")
    wanted = tuple(dict.fromkeys(_read_prefix(text) for text in prefixes))
    begin = read_start(since, "--since") if since else None
    stored = _write(name, wanted, Zone(zone) if zone else None, logs_only, unit, begin)
    if as_json:
        print_json(_words(stored))
    else:
        places = "、".join(map(str, stored.prefixes))
        print_line(f"已登记网络 {stored.name}：{places}，{_scan_word(stored.scannable)}。")


def _write(
    name: str,
    prefixes: tuple[IPNetwork, ...],
    zone: Zone | None,
    logs_only: bool | None,
    unit: str | None,
    since: datetime | None,
) -> Network:
    """Write a network; what was not said stays as it was, and a dormitory is for logs only unless said otherwise."""
    from sentinel.schedule.answers import LOGS_ONLY_ZONES
    from sentinel.schedule.intake import replace_networks
    from sentinel.schedule.keep_out import load_kept_out
    from sentinel.store.units import read_networks, write_network

    with open_session() as context:
        owner = context.choose_unit(unit)
        with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
            kept = load_kept_out(context, owner)
            for prefix in prefixes:
                if kept.count([prefix]) == prefix.num_addresses:
                    raise UsageError(f"{prefix} is declared to stay out: see `sentinel unit keep-out list`")
            before = next((one for one in read_networks(context.database, owner.code) if one.name == name), None)
            serves = zone or (before.zone if before else Zone.UNKNOWN)
            usual = before.scannable if before and serves is before.zone else serves not in LOGS_ONLY_ZONES
            wanted = Network(0, owner.code, name, serves, prefixes, usual if logs_only is None else not logs_only)
            stored = write_network(transaction, wanted, since)
            replace_networks(context, transaction, owner)
    return stored


def _remove(name: str, prefixes: list[str] | None, unit: str | None, as_json: bool) -> None:
    from sentinel.schedule.declaring import remove_network

    if prefixes:
        raise UsageError("--remove: takes the whole network away; name no prefixes")
    with open_session() as context:
        removed = remove_network(context, context.choose_unit(unit), name)
    if as_json:
        print_json(_words(removed) | {"removed": True})
    else:
        print_line(f"已撤销网络 {removed.name}，其地址归入 default 网络。")


def _correct(name: str, prefixes: list[str] | None, unit: str | None, since: datetime, as_json: bool) -> None:
    from sentinel.model.moment import local_date
    from sentinel.model.unit import is_private
    from sentinel.store.ownership import correct_claims
    from sentinel.store.units import read_networks

    with open_session() as context:
        owner = context.choose_unit(unit)
        found = next((one for one in read_networks(context.database, owner.code) if one.name == name), None)
        if found is None:
            raise UsageError(f"no network {name!r} of {owner.name}; `sentinel unit networks` shows them")
        said = tuple(dict.fromkeys(_read_prefix(text) for text in prefixes or ()))
        wanted = said or tuple(one for one in found.prefixes if not is_private(one))
        if not wanted:
            raise UsageError(f"network {name!r} has no public prefix: private ones have no dated owner")
        with context.database.transaction(context.actor, context.clock()) as transaction:
            changed = correct_claims(transaction, found, wanted, since)
    for one in changed if as_json else ():
        print_json({"unit": one.unit, "network": one.network, "prefix": str(one.prefix), "valid_from": one.valid_from})
    if not as_json:
        places = "、".join(str(one.prefix) for one in changed)
        print_line(f"已更正：{places} 自 {local_date(since)} 起归 {owner.name}。")


@group.command("networks")
def networks(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出一个单位的网络。"""
    from sentinel.store.units import read_networks

    with open_session() as context:
        owner = context.choose_unit(unit)
        found = read_networks(context.database, owner.code)
    if as_json:
        for one in found:
            print_json(_words(one))
        return
    print_table(
        f"{owner.name}的网络",
        ("名称", "区域", "网段", "探测"),
        [
            (one.name, ZONE_WORDS[one.zone], "、".join(map(str, one.prefixes)) or "其余地址", _scan_word(one.scannable))
            for one in found
        ],
        AUTHORISE,
    )


@group.command("plan")
def plan(
    at: Annotated[str, typer.Option("--at", help="每天几点，北京时间，如 02:30")],
    unit: UnitOption = None,
    days: Annotated[str, typer.Option(help="daily，或 mon,thu 等")] = "daily",
    ports: Annotated[str, typer.Option(help="端口（nmap 写法），默认取设置 ports")] = "",
    off: Annotated[bool, typer.Option("--off", help="停用")] = False,
    as_json: JsonOption = False,
) -> None:
    """设定一个单位的巡检时间，由 `sentinel run` 执行。"""
    from sentinel.model.plan import Plan
    from sentinel.schedule.plan import check_plan
    from sentinel.store.units import write_plan

    with open_session() as context:
        owner = context.choose_unit(unit)
        wanted = check_plan(Plan(owner.code, at, days.lower(), not off, ports))
        with context.database.transaction(context.actor, context.clock(), objects=True) as transaction:
            write_plan(transaction, wanted)
    if as_json:
        print_json({"unit": owner.code, **_plan_words(wanted)})
    else:
        print_line(f"{owner.name}的巡检：{_plan_text(wanted)}。下一步：sentinel run")


def _read_prefix(text: str) -> IPNetwork:
    from sentinel.model.plain import read_plain_prefix
    from sentinel.schedule.answers import WIDEST

    try:
        found = read_plain_prefix(text)
    except ValueError as error:
        raise UsageError(f"no network: {text!r} (write 10.1.0.0/24; the host bits must be zero)") from error
    first = found.network_address
    if found.prefixlen < WIDEST[found.version]:
        raise UsageError(f"{found} is wider than /{WIDEST[found.version]}: write what the unit really has")
    if first.is_multicast or first.is_unspecified or first.is_link_local or first.is_reserved:
        raise UsageError(f"{found} holds no addresses a host of a unit can have")
    return found


def _words(one: Network) -> dict[str, object]:
    return {
        "unit": one.unit,
        "name": one.name,
        "zone": one.zone,
        "prefixes": [str(prefix) for prefix in one.prefixes],
        "scannable": one.scannable,
    }


def _plan_words(one: Plan) -> dict[str, object]:
    return {
        "at": one.at,
        "days": one.days,
        "enabled": one.enabled,
        "ports": one.ports,
        "last_due": one.last_due,
        "last_finished": one.last_finished,
        "last_result": one.last_result,
    }


def _plan_text(one: Plan) -> str:
    if not one.enabled:
        return "停用"
    days = "每天" if one.days == "daily" else "周" + "".join(DAY_WORDS[day] for day in one.days.split(","))
    return f"{days} {one.at}"


def _scan_word(scannable: bool) -> str:
    return "可探测" if scannable else "只看日志"
