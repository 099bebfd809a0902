"""`trace`: who was behind an address at a moment (溯源)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_time
from sentinel.cli.trace_json import build_trace_words
from sentinel.cli.trace_words import write_trace
from sentinel.errors import UsageError

if TYPE_CHECKING:
    from sentinel.model.unit import IPAddress

PROTOCOLS = ("tcp", "udp", "icmp")
MOST_TOLERANCE_S = 3_600
MOST_HOURS = 24 * 90


def register(app: typer.Typer) -> None:
    """Add the command of this group."""
    app.command("trace")(show_trace)


def show_trace(
    address: Annotated[str, typer.Argument(help="地址，公网地址带端口：192.0.2.1:40001、[2001:db8::1]:443")],
    at: Annotated[str, typer.Option("--at", help="时刻，不写时区为北京时间：2026-11-20T10:15:30")],
    unit: UnitOption = None,
    proto: Annotated[str, typer.Option("--proto", help="协议：tcp、udp、icmp", show_default=False)] = "",
    peer: Annotated[
        str, typer.Option("--peer", help="对端地址，可带端口；同一端口对多个对端时用以区分", show_default=False)
    ] = "",
    skew: Annotated[int, typer.Option("--skew", help="各设备时钟可能相差的秒数", min=0, max=MOST_TOLERANCE_S)] = 120,
    hours: Annotated[
        int, typer.Option("--hours", help="前后多少小时内的其他地址与挖矿流量", min=0, max=MOST_HOURS)
    ] = 24,
    show: Annotated[bool, typer.Option("--show", help="显示账号与责任人全名，并记入审计；默认遮盖")] = False,
    as_json: JsonOption = False,
) -> None:
    """溯源：某一时刻某地址（公网地址带端口）是哪台设备、谁、接在哪里、归谁管。"""
    from datetime import timedelta

    from sentinel.model.trace import Question
    from sentinel.schedule.tracing import Around, choose_unit_of, trace

    asked, port = read_end(address, "ADDRESS")
    other, other_port = read_end(peer, "--peer") if peer else (None, None)
    if proto and proto not in PROTOCOLS:
        raise UsageError(f"--proto: no such protocol: {proto!r} ({', '.join(PROTOCOLS)})")
    question = Question(asked, read_time(at, "--at"), port, proto, other, other_port, skew)
    with open_session() as context:
        owner = choose_unit_of(context, unit, asked, question.at)
        answer = trace(context, owner, question, Around(timedelta(hours=hours)), show=show)
    if as_json:
        print_json(build_trace_words(answer))
        return
    for line in write_trace(answer, owner.name):
        print_line(line)


def read_end(text: str, option: str) -> tuple[IPAddress, int | None]:
    """Read `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1` or `[2001:db8::1]:443`.

    Raises:
        UsageError: it is none of these.
    """
    from sentinel.model.plain import read_plain_address

    host, port = text.strip(), ""
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":")
        if rest and not rest.startswith(":"):
            port = "?"
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
        port = port or "?"
    try:
        address = read_plain_address(
            host.partition("%")[0]
        )  # a link's name says nothing outside the machine that wrote it
    except ValueError as error:
        raise UsageError(f"{option}: no address: {text!r}; write 192.0.2.1:40001 or [2001:db8::1]:443") from error
    if not port:
        return address, None
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65_535):
        raise UsageError(f"{option}: no port: {text!r}; write a number up to 65535 after the colon")
    return address, int(port)
