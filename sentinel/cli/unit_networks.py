"""`unit nat`, `unit owner`, `unit runs`: what lies behind public addresses, whose they are, who looked from where."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_time
from sentinel.cli.units import group
from sentinel.errors import UsageError
from sentinel.model.moment import local_date, local_text

if TYPE_CHECKING:
    from sentinel.model.unit import IPAddress, IPNetwork
    from sentinel.schedule.context import Context

nat = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="NAT 地址池。")
MAX_NAME, MAX_BLOCK = 60, 64_512


def register(_: typer.Typer) -> None:
    """Add the commands of this group."""
    group.add_typer(nat, name="nat")
    group.command("owner")(show_owner)
    group.command("runs")(show_runs)


@nat.command("add")
def add(
    name: Annotated[str, typer.Argument(help="地址池名称，如 出口地址池")],
    outside: Annotated[list[str], typer.Option("--outside", help="公网地址或网段，可多次")],
    inside: Annotated[
        list[str] | None, typer.Option("--inside", help="经它上网的内网网段，可多次", show_default=False)
    ] = None,
    block: Annotated[
        int, typer.Option("--block", help="端口块大小：每个内网地址一次分得的端口数；0 为不分块", min=0, max=MAX_BLOCK)
    ] = 0,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记或更改一个 NAT 地址池；溯源时由公网地址与端口找内网地址用。"""
    from sentinel.model.nat import NatPool
    from sentinel.schedule.kept_words import refuse_whole
    from sentinel.store.nat_pools import build_pool_words, write_nat_pool

    wanted = name.strip()
    if not wanted or len(wanted) > MAX_NAME or not wanted.isprintable():
        raise UsageError(f"a name is 1 to {MAX_NAME} printable characters")
    public, hidden = _read(outside, "--outside"), _read(inside or [], "--inside")
    with open_session() as context:
        owner = context.choose_unit(unit)
        refuse_whole(context, owner, (*public, *hidden))
        pool = NatPool(0, owner.code, wanted, public, hidden, block)
        with context.database.transaction(context.actor, context.clock()) as transaction:
            stored = write_nat_pool(transaction, pool)
    if as_json:
        print_json(build_pool_words(stored))
    else:
        print_line(f"已登记地址池 {stored.name}：{'、'.join(map(str, stored.outside))}。")


@nat.command("list")
def show_pools(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出 NAT 地址池。"""
    from sentinel.schedule.keep_out import load_kept_out
    from sentinel.schedule.kept_words import Kept, join_state, show_prefixes
    from sentinel.store.nat_pools import build_pool_words, read_nat_pools

    with open_session() as context:
        owner = context.choose_unit(unit)
        found = read_nat_pools(context.database, owner.code)
        kept = load_kept_out(context, owner)
    rows = []
    for one in found:
        outside, inside = show_prefixes(kept, one.outside), show_prefixes(kept, one.inside)
        ends = (outside.kept, inside.kept)  # a pool without one of its ends leads nowhere
        state = Kept.WHOLE if Kept.WHOLE in ends else Kept.PART if Kept.PART in ends else Kept.NONE
        places = {"outside": outside.texts, "inside": inside.texts}
        if as_json:
            print_json(build_pool_words(one) | places | {"in_force": state is not Kept.WHOLE, "kept_out": state})
        rows.append((one.name, outside.line, inside.line, one.block_ports or "不分块", join_state("有效", state)))
    hint = "sentinel unit nat add 名称 --outside 公网网段 --inside 内网网段"
    if not as_json:
        print_table("NAT 地址池", ("名称", "公网地址", "内网网段", "端口块>", "状态"), rows, hint)


@nat.command("withdraw")
def withdraw(
    name: Annotated[str, typer.Argument(help="地址池名称")], unit: UnitOption = None, as_json: JsonOption = False
) -> None:
    """撤销一个 NAT 地址池。"""
    from sentinel.store.nat_pools import build_pool_words, withdraw_nat_pool

    with open_session() as context:
        owner = context.choose_unit(unit)
        with context.database.transaction(context.actor, context.clock()) as transaction:
            ended = withdraw_nat_pool(transaction, owner.code, name)
    if as_json:
        print_json(build_pool_words(ended) | {"withdrawn": True})
    else:
        print_line(f"已撤销地址池 {ended.name}。")


def _read(texts: list[str], option: str) -> tuple[IPNetwork, ...]:
    from sentinel.schedule.answers import read_places

    try:
        return read_places(" ".join(texts)) if texts else ()
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error


def show_owner(
    address: Annotated[str, typer.Argument(help="地址")],
    at: Annotated[
        str | None, typer.Option("--at", help="何时，默认现在；只写日期为当日终了", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """查一个地址归哪个单位；公网地址按日期查，私网地址列出登记了它的单位。"""
    from sentinel.model.plain import read_plain_address
    from sentinel.model.unit import is_private

    try:
        asked = read_plain_address(address.strip())
    except ValueError as error:
        raise UsageError(f"no address: {address!r}") from error
    moment = read_time(at, "--at") if at else None
    with open_session() as context:
        private = is_private(ip_network(asked))
        if private and moment:
            raise UsageError("--at: private addresses have no dated owner; leave it out")
        rows = _read_private(context, asked) if private else _read_public(context, asked, moment or context.clock())
    if as_json:
        for row in rows:
            print_json({"address": str(asked), "private": private, **row})
        return
    cells = [
        (
            row["unit"],
            row["name"],
            row["network"],
            row["prefix"],
            local_date(row["valid_from"]) if row["valid_from"] else "",  # type: ignore[arg-type]  # a datetime or None
            local_date(row["valid_to"]) if row["valid_to"] else "",  # type: ignore[arg-type]  # a datetime or None
        )
        for row in rows
    ]
    title = f"{asked} 是私网地址，各校可以相同；登记了它的网络" if private else f"{asked} 归属"
    empty = "sentinel unit network 名称 网段 --unit 代码 --since 日期"
    print_table(title, ("单位", "名称", "网络", "网段", "自", "至"), cells, "sentinel unit networks", empty=empty)


def _read_public(context: Context, asked: IPAddress, moment: datetime) -> list[dict[str, object]]:
    from sentinel.store.ownership import find_owners
    from sentinel.store.unit_tree import read_unit_at
    from sentinel.store.units import find_unit

    rows: list[dict[str, object]] = []
    for one in find_owners(context.database, asked, moment):
        unit = find_unit(context.database, one.unit)
        name = read_unit_at(context.database, unit, moment).name if unit else ""
        dates = {"valid_from": one.valid_from, "valid_to": one.valid_to}
        rows.append({"unit": one.unit, "name": name, "network": one.network, "prefix": str(one.prefix), **dates})
    return rows


def _read_private(context: Context, asked: IPAddress) -> list[dict[str, object]]:
    from sentinel.store.ownership import find_declared

    return [
        {"unit": unit, "name": name, "network": network, "prefix": str(prefix), "valid_from": None, "valid_to": None}
        for unit, name, network, prefix in find_declared(context.database, asked)
    ]


def show_runs(
    unit: UnitOption = None,
    last: Annotated[int, typer.Option("--last", help="最近几次", min=1, max=10_000)] = 20,
    as_json: JsonOption = False,
) -> None:
    """列出历次探测与导入：从哪里看、谁操作、依据哪份授权。"""
    from sentinel.store.run_authority import read_run_listing

    with open_session() as context:
        owner = context.choose_unit(unit)
        rows = read_run_listing(context.database, owner.code, last)
    if as_json:
        for run, authorisation in rows:
            words = {"id": run.id, "unit": run.unit, "kind": run.kind, "time": run.time, "vantage": run.vantage}
            more = {"operator": run.operator, "authorisation": authorisation, "tool": run.tool, "source": run.source}
            counts = {"hosts_up": run.hosts_up, "endpoints_open": run.endpoints_open, "events": run.events}
            print_json({**words, **more, "evidence": run.evidence, "coverage": run.coverage_text, **counts})
        return
    print_table(
        f"{owner.name}的历次探测与导入",
        ("编号>", "时间", "种类", "探测位置", "操作者", "授权>", "工具", "主机>", "端口>"),
        [
            (
                run.id,
                local_text(run.time),
                "探测" if run.kind == "scan" else "导入",
                run.vantage,
                run.operator,
                authorisation or "",
                run.tool or run.format,
                run.hosts_up,
                run.endpoints_open,
            )
            for run, authorisation in rows
        ],
        "sentinel scope list；sentinel evidence list",
        empty="sentinel import FILE；sentinel scan 目标",
    )
