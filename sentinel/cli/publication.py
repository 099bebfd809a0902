"""`publication`: which public address leads to which inside host (公网映射), declared, imported, proposed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.importing import SOME_REFUSED, MapOption
from sentinel.cli.output import print_json, print_line, print_note, print_table, trial_words
from sentinel.cli.scope import WhyOption
from sentinel.cli.session import LAST_ROW, JsonOption, UnitOption, open_session, read_start, read_time
from sentinel.errors import UsageError
from sentinel.model.moment import local_date
from sentinel.model.publication import Mapping, Publication, PublicationState, parse_via

if TYPE_CHECKING:
    from sentinel.model.unit import IPAddress
    from sentinel.schedule.keep_out import KeptOut

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="公网映射：公网地址与端口通向哪台内网主机。")

STATE_WORDS = {"in_force": "有效", "proposed": "待确认", "declined": "已否决", "withdrawn": "已撤销"}
MOST_SHOWN = 50
_HIDDEN = "（已排除）"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="publication")


@group.command("add")
def add(
    outside: Annotated[
        str,
        typer.Argument(help="公网地址或域名与端口，如 203.0.113.5:443、203.0.113.5:80-89、203.0.113.5（全部端口）"),
    ],
    inside: Annotated[str, typer.Argument(help="内网地址与端口，如 10.0.0.5:8443；端口范围逐一对应，不写与公网相同")],
    proto: Annotated[str, typer.Option("--proto", help="tcp 或 udp")] = "tcp",
    name: Annotated[str, typer.Option("--name", help="对外的域名", show_default=False)] = "",
    via: Annotated[
        str, typer.Option("--via", help="经由：nat、waf、proxy 反向代理、site_group 站群、balancer 负载均衡、other")
    ] = "nat",
    note: Annotated[str, typer.Option("--note", help="备注", show_default=False)] = "",
    start: Annotated[str | None, typer.Option("--from", help="起始；只写日期为当日零时", show_default=False)] = None,
    end: Annotated[str | None, typer.Option("--until", help="截止；只写日期为当日终了", show_default=False)] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记一条公网映射；地图从此把内外两侧连在一起。"""
    from sentinel.report.published import inside_words, outside_words
    from sentinel.schedule.publishing import declare_publication
    from sentinel.store.publications import build_publication_words

    begin = read_start(start, "--from") if start else None
    until = read_time(end, "--until") if end else None
    if begin and until and until <= begin:
        raise UsageError("--until: lies before --from")
    mapping = _read_mapping(outside, inside, proto, name, via, note)
    with open_session() as context:
        owner = context.choose_unit(unit)
        wanted = Publication(0, owner.code, mapping, "declared", valid_from=begin, valid_to=until)
        stored = declare_publication(context, owner, wanted)
    if as_json:
        print_json(build_publication_words(stored))
    else:
        ends = f"{outside_words(stored.mapping).zh} → {inside_words(stored.mapping).zh}"
        print_line(f"已登记公网映射 {stored.id}：{ends}。下一步：sentinel map")


def _read_mapping(outside: str, inside: str, proto: str, name: str, via: str, note: str) -> Mapping:
    from sentinel.schedule.entries import parse_domain

    if proto not in {"tcp", "udp"}:
        raise UsageError("--proto: tcp or udp")
    if len(note) > 200 or not note.isprintable():
        raise UsageError("--note: at most 200 printable characters")
    inner_host, own, own_last = _read_end(inside)
    inner = _read_address(inner_host)
    if inner is None:
        raise UsageError(f"no inside address: {inside!r} (write 10.0.0.5, 10.0.0.5:8443 or 10.0.0.5:8080-8090)")
    host, port, last = _read_end(outside)
    public = _read_address(host)
    if own and not port:
        raise UsageError("a port inside needs a port outside: write 203.0.113.5:443 10.0.0.5:8443")
    if own and own_last - own != last - port:
        raise UsageError(
            f"{outside} leads to {last - port + 1} ports, {inside} to {own_last - own + 1}: ports lead one to one, "
            "as 203.0.113.5:8080-8090 10.0.0.5:80-90; without a port inside they are the same"
        )
    try:
        domain = parse_domain(name.lower()) if name else ""
        domain = domain if public else parse_domain(host.lower())
        same = 0 if own == port else own
        return Mapping(public, proto if port else "", port, last, inner, same, domain, parse_via(via), note.strip())
    except ValueError as error:
        raise UsageError(str(error)) from error


def _read_end(text: str) -> tuple[str, int, int]:
    """Read a host with or without its port or ports; 0: all of them."""
    from sentinel.observe.published import read_ports

    host, colon, ports = text.strip().rpartition(":")
    if text.endswith("]") or not colon or (":" in host and not host.endswith("]")):
        return text.strip(), 0, 0
    try:
        first, last = read_ports(ports)
        if last < first:
            raise ValueError("runs backwards")
    except ValueError as error:
        raise UsageError(
            f"{text!r}: no port or range of ports (write 203.0.113.5:443, 203.0.113.5:8080-8090, or no port for all)"
        ) from error
    return host, first, last


def _read_address(host: str) -> IPAddress | None:
    """Read an address; None where it is none."""
    from sentinel.model.plain import read_plain_address

    try:
        return read_plain_address(host.strip("[]"))
    except ValueError:
        return None


@group.command("list")
def show(
    everything: Annotated[bool, typer.Option("--all", help="待确认、已否决与已撤销的也列出")] = False,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """列出公网映射。"""
    from sentinel.schedule.keep_out import load_kept_out
    from sentinel.store.publications import read_publications

    states = tuple(PublicationState) if everything else (PublicationState.IN_FORCE,)
    with open_session() as context:
        owner = context.choose_unit(unit)
        found = read_publications(context.database, owner.code, states)
        kept = load_kept_out(context, owner)
    if as_json:
        for one in found:
            print_json(_words(one, kept))
        return
    _print(
        "公网映射",
        found,
        "sentinel map；sentinel publication withdraw 编号 --why 理由",
        kept=kept,
        empty="sentinel publication import 导出文件；sentinel publication propose",
    )


@group.command("propose")
def propose(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """由内外两侧相同的证书与少见的网页标题推断公网映射，待人确认；不发送报文。"""
    from sentinel.schedule.publishing import propose_publications
    from sentinel.store.publications import build_publication_words, read_publications

    with open_session() as context:
        owner = context.choose_unit(unit)
        new = propose_publications(context, owner, context.clock())
        waiting = read_publications(context.database, owner.code, [PublicationState.PROPOSED])
    if as_json:
        fresh = {one.id for one in new}
        for one in waiting:
            print_json(build_publication_words(one) | {"new": one.id in fresh})
        return
    _print(
        f"待确认的公网映射（新增 {len(new)} 条）",
        waiting,
        "sentinel publication accept 编号；sentinel publication decline 编号 --why 理由",
        empty="在校外探测一次：sentinel import FILE --vantage outside",
    )


@group.command("accept")
def accept(
    numbers: Annotated[list[int], typer.Argument(help="编号", min=1, max=LAST_ROW)],
    why: Annotated[str, typer.Option("--why", help="依据", show_default=False)] = "",
    unit: UnitOption = None,
) -> None:
    """确认推断出的公网映射，从此有效。"""
    _decide(numbers, PublicationState.IN_FORCE, why, unit)


@group.command("decline")
def decline(
    numbers: Annotated[list[int], typer.Argument(help="编号", min=1, max=LAST_ROW)],
    why: WhyOption,
    unit: UnitOption = None,
) -> None:
    """否决推断出的公网映射，以后不再提出。"""
    _decide(numbers, PublicationState.DECLINED, why, unit)


@group.command("withdraw")
def withdraw(
    numbers: Annotated[list[int], typer.Argument(help="编号", min=1, max=LAST_ROW)],
    why: WhyOption,
    unit: UnitOption = None,
) -> None:
    """撤销公网映射；再次导入原文件不会恢复。"""
    _decide(numbers, PublicationState.WITHDRAWN, why, unit)


def _decide(numbers: list[int], state: PublicationState, why: str, unit: str | None) -> None:
    from sentinel.store.publications import decide_publication

    reason = why.strip()
    if state is not PublicationState.IN_FORCE and not reason:
        raise UsageError("--why: may not be empty")
    with open_session() as context:
        owner = context.choose_unit(unit)
        with context.database.transaction(context.actor, context.clock()) as transaction:
            for number in dict.fromkeys(numbers):
                decide_publication(transaction, owner.code, number, state, reason[:200])
    print_line(f"{STATE_WORDS[state]}：{len(set(numbers))} 条。下一步：sentinel publication list")


@group.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="防火墙或代理导出的配置，或 XLSX、CSV 表")],
    format_name: Annotated[
        str,
        typer.Option(
            "--format", help="nat-server、fortinet、iptables、nginx、sheet；默认按内容辨认", show_default=False
        ),
    ] = "",
    outside: Annotated[
        str | None, typer.Option("--outside", help="文件中没有写明公网地址处用的地址", show_default=False)
    ] = None,
    mapping: MapOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="试运行：只显示读出什么，不登记")] = False,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """从华为、H3C、FortiGate、iptables、nginx 的配置或表格登记公网映射；文件本身不保存。"""
    from sentinel.schedule.mappings import parse_said
    from sentinel.schedule.publishing import import_publications
    from sentinel.schedule.register_reasons import reason_in_chinese
    from sentinel.schedule.unit_words import PUBLICATIONS
    from sentinel.store.publications import build_publication_words

    public = _read_address(outside) if outside else None
    if outside and public is None:
        raise UsageError(f"--outside: no address: {outside!r} (without a port: 203.0.113.5)")
    said = parse_said(mapping or (), PUBLICATIONS)
    with open_session() as context:
        owner = context.choose_unit(unit)
        done = import_publications(
            context,
            owner,
            file,
            context.clock(),
            format_name=format_name,
            outside=public,
            said=said,
            dry_run=dry_run,
        )
    if as_json:
        for unread in done.unread:
            where = f"{unread.where}: " if unread.where else ""
            print_json({"event": "unread", "line": unread.line, "reason": f"{where}{unread.reason}"})
        for one in done.added:
            print_json({"event": "added", **build_publication_words(one)})
        counts = {"added": len(done.added), "known": done.known, "unread": len(done.unread), "dry_run": dry_run}
        print_json({"summary": {"file": str(file), "format": done.format, "verified": done.verified, **counts}})
    else:
        for unread in done.unread[:MOST_SHOWN]:
            print_note(f"{unread.where or f'第 {unread.line} 行'} 未读：{reason_in_chinese(unread.reason)}")
        if not done.verified:
            print_note("这种格式按厂商公开的命令手册编写，尚未与真实设备的导出核对，请抽查。")
        hint = "" if dry_run else "sentinel map"
        _print("读出的公网映射" if dry_run else "新登记的公网映射", done.added[:MOST_SHOWN], hint)
        print_line(f"{'可新增' if dry_run else '新增'} {len(done.added)}，已有 {done.known}，未读 {len(done.unread)}。")
        if dry_run:
            print_line(trial_words())
    if done.unread:
        raise typer.Exit(SOME_REFUSED)


def _words(one: Publication, kept: KeptOut) -> dict[str, object]:
    """Write a publication without the ends that must stay out: one withdrawn for that reason is listed still."""
    from sentinel.store.publications import build_publication_words

    mapping = one.mapping
    hidden: dict[str, str | None] = {
        name: None
        for name, end in (("outside", mapping.outside), ("inside", mapping.inside))
        if end is not None and kept.meets(end)
    }
    hidden |= {key: "" for key, words in (("note", one.mapping.note), ("reason", one.reason)) if kept.writes(words)}
    return build_publication_words(one) | hidden | {"kept_out": bool(hidden)}


def _print(
    title: str, found: Iterable[Publication], hint: str, *, empty: str = "", kept: KeptOut | None = None
) -> None:
    from sentinel.report.published import SOURCES

    print_table(
        title,
        ("编号>", "公网", "内网", "域名", "经由", "来源", "状态", "截止"),
        [
            (
                one.id or "",
                _outside(one, kept),
                _inside(one, kept),
                one.mapping.name,
                one.mapping.via.zh,
                SOURCES.get(one.source, one.source) + (f" {one.reason[:20]}" if one.reason else ""),
                STATE_WORDS[one.state],
                local_date(one.valid_to) if one.valid_to else "",
            )
            for one in found
        ],
        hint,
        empty=empty,
    )


def _outside(one: Publication, kept: KeptOut | None = None) -> str:
    from sentinel.report.published import outside_words

    mapping = one.mapping
    hidden = kept and mapping.outside is not None and kept.meets(mapping.outside)
    return _HIDDEN if hidden else outside_words(mapping).zh


def _inside(one: Publication, kept: KeptOut | None = None) -> str:
    from sentinel.report.published import inside_words

    return _HIDDEN if kept and kept.meets(one.mapping.inside) else inside_words(one.mapping).zh
