"""`traffic`: the search of capture files for mining."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_note, print_table
from sentinel.cli.session import JsonOption, NoCheckOption, UnitOption, given_home, open_session
from sentinel.errors import ParseError
from sentinel.model.moment import local_text

if TYPE_CHECKING:
    from sentinel.model.flow import FlowDetection

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="流量中的挖矿行为。")

FOUND = 4
NONE_READ = 3


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="traffic")


@group.callback()
def root() -> None:
    """Keep `analyze` a command of a group."""


@group.command("analyze")
def analyze(
    files: Annotated[list[Path], typer.Argument(help="抓包文件：pcap、pcapng")],
    unit: UnitOption = None,
    no_check: NoCheckOption = False,
    as_json: JsonOption = False,
) -> None:
    """查找抓包中的挖矿；给出 --home 时存为安全隐患。"""
    from sentinel.model.flow import FlowClass
    from sentinel.schedule.hunting import hunt_files, refuse_hunt, store_hunt
    from sentinel.schedule.keep_out import build_kept_out, load_kept_out

    found: list[FlowDetection] = []
    unreadable = 0
    with ExitStack() as stack:
        context = stack.enter_context(open_session()) if given_home() is not None else None
        owner = context.choose_unit(unit) if context else None
        kept_out = load_kept_out(context, owner) if context and owner else build_kept_out(())
        results = []
        for result in hunt_files(files):
            try:
                refuse_hunt(result, kept_out)
            except ParseError as error:
                unreadable += 1
                print_note(f"sentinel: {error}")
                continue
            for one in result.flows:
                found.append(one)
                if as_json:
                    print_json(build_flow_words(one))
            for problem in result.problems:
                unreadable += problem.fatal
                print_note(f"sentinel: {problem.file}: {problem.reason}")
            results.append(result)
        if not as_json:
            _print(found, stored=context is not None)
        if context and owner:
            store_hunt(context, owner, results, check=not no_check)
    if any(one.flow_class in {FlowClass.MINING, FlowClass.SUSPECT} for one in found):
        raise typer.Exit(FOUND)
    if unreadable and not found:
        raise typer.Exit(NONE_READ)


def build_flow_words(one: FlowDetection) -> dict[str, object]:
    """Write a detection as plain values, for JSON."""
    return {
        "file": one.file,
        "host": one.host,
        "host_port": one.host_port,
        "peer": one.peer,
        "peer_port": one.peer_port,
        "family": one.family,
        "class": one.flow_class,
        "certainty": one.certainty,
        "coin": one.coin,
        "first_seen": one.first_seen,
        "last_seen": one.last_seen,
        "packets": one.packets,
        "bytes": one.payload_bytes,
        "evidence": one.evidence,
        "name": one.name,
        "agent": one.agent,
        "wallet": one.wallet,
    }


def _print(found: list[FlowDetection], *, stored: bool) -> None:
    words = {"mining": "挖矿", "suspect": "疑似挖矿", "node": "区块链节点", "name": "仅域名命中"}
    print_table(
        "流量分析",
        ("主机", "对端", "协议", "类别", "把握>", "币种", "首次", "报文>"),
        [
            (
                one.host,
                one.name or (f"{one.peer}:{one.peer_port}" if one.peer_port else one.peer),
                one.family,
                words[one.flow_class],
                f"{one.certainty:.2f}",
                one.coin,
                local_text(one.first_seen),
                one.packets,
            )
            for one in found
        ],
        "sentinel report mining --out 挖矿.html" if stored else "带 --home 再运行一次，存为安全隐患",
        empty="换一段更长的抓包，或在出口处抓取",
    )
    if not found:
        print_line("未发现挖矿，这只说明抓包里能读出的部分没有。")
