"""`range`: a practice school that stays up, to scan, to teach on, and for drills."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentinel.cli.ground import MODES, tell_ground
from sentinel.cli.output import print_json, print_line, print_note, print_table
from sentinel.cli.session import JsonOption
from sentinel.errors import UsageError

if TYPE_CHECKING:
    from sentinel.drill.place.ground import Mode

DirOption = Annotated[
    Path | None, typer.Option("--dir", help="靶场的文件夹（控制口与真值文件），默认每个用户一个", show_default=False)
]
ModeOption = Annotated[
    str | None,
    typer.Option(
        "--mode",
        help="user-namespace、network-namespace 或 loopback，默认自动选择最好的",
        show_default=False,
    ),
]
_LARGEST_SEED = 1_000_000
_CROWDED = 0.35
"""Share of the addresses of a crowd's network that are hosts, unless told otherwise."""


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(help="练习靶场：一所真实协议的演示学校，供扫描、教学与演练。", no_args_is_help=True)
    group.command("up")(up)
    group.command("status")(status)
    group.command("cue")(cue)
    group.command("down")(down)
    app.add_typer(group, name="range")


def up(
    mode: ModeOption = None,
    seed: Annotated[int, typer.Option("--seed", help="种子；同一种子给出同一所学校", min=1, max=_LARGEST_SEED)] = 1,
    size: Annotated[int | None, typer.Option("--size", help="主机数，默认最大", min=3, show_default=False)] = None,
    crowd: Annotated[
        str | None,
        typer.Option(
            "--crowd",
            help="不要学校，要一个大网段里成百上千台主机，如 10.32.0.0/20（需 nft 与 ip）",
            show_default=False,
        ),
    ] = None,
    loss: Annotated[float, typer.Option("--loss", help="--crowd 的丢包率，百分数，每个方向", min=0, max=99)] = 0.0,
    delay: Annotated[float, typer.Option("--delay", help="--crowd 的时延，毫秒，每个方向", min=0, max=10_000)] = 0.0,
    native: Annotated[bool, typer.Option("--native", help="另加一台主机，运行本机已安装的真实服务")] = False,
    native_from: Annotated[
        Path | None,
        typer.Option(
            "--native-from", help="同 --native，先用此文件夹里解包的软件包（scripts/unpack.sh）", show_default=False
        ),
    ] = None,
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """启动靶场，命令结束后继续运行，直到 range down。"""
    from sentinel.drill.school.plan import MAX_SIZE
    from sentinel.drill.standing.control import Crowd, Native, start_range
    from sentinel.drill.standing.folder import default_folder

    wanted = None if crowd is None else Crowd(_read_base(crowd), loss / 100, delay)
    if wanted is None and (loss or delay):
        raise UsageError("--loss and --delay belong to --crowd")
    if native_from is not None and not native_from.is_dir():
        raise UsageError(f"--native-from: no such folder: {native_from}; make it with scripts/unpack.sh")
    real = Native(native_from) if native or native_from else None
    if wanted is not None and real is not None:
        raise UsageError("--native belongs to a school; a crowd has no such host")
    most = MAX_SIZE if wanted is None else int(wanted.base.num_addresses * _CROWDED)
    told = start_range(folder or default_folder(), read_mode(mode), seed, size or most, wanted, real)
    if as_json:
        print_json(told)
        return
    tell_ground(told["mode"], told["refused"], told["losses"], told["foreign"])
    _tell_left_out(told["left_out"])
    _print_status(told)


def status(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """显示靶场：在哪里、有什么、放过哪些情节、怎样进入。"""
    from sentinel.drill.standing.control import find_range
    from sentinel.drill.standing.folder import default_folder

    told = find_range(folder or default_folder())
    if as_json:
        print_json({"up": told is not None, **(told or {})})
    elif told is None:
        print_line("没有运行中的靶场。下一步：sentinel range up")
    else:
        _print_status(told)


def cue(
    name: Annotated[str, typer.Argument(help="情节名，如 service-opens；change 为全部")],
    folder: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """放出一个情节：学校随之变化，应有的差异写在真值文件里。"""
    from sentinel.drill.standing.control import play_cue
    from sentinel.drill.standing.folder import default_folder

    told = play_cue(folder or default_folder(), name)
    if as_json:
        print_json(told)
        return
    _print_changes(told, name)


def down(folder: DirOption = None, as_json: JsonOption = False) -> None:
    """结束靶场，不留任何进程、地址和文件。"""
    from sentinel.drill.standing.control import end_range
    from sentinel.drill.standing.folder import default_folder

    told = end_range(folder or default_folder())
    if as_json:
        print_json({"up": False, "pid": told["pid"]})
    else:
        print_line("靶场已结束。")


def _read_base(text: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except ValueError as error:
        raise UsageError(f"--crowd: {text!r} is no IPv4 network, such as 10.32.0.0/20") from error


def read_mode(text: str | None) -> Mode | None:
    """Read the value of `--mode`; None leaves the choice to the machine.

    Raises:
        UsageError: there is no such mode.
    """
    from sentinel.drill.place.ground import Mode

    if text is None:
        return None
    if text not in MODES:
        raise UsageError(f"--mode: no such mode: {text!r} ({', '.join(MODES)})")
    return Mode(text)


def _tell_left_out(left_out: Sequence[Sequence[str]]) -> None:
    from sentinel.drill.native.plan import NOT_FOUND

    absent = [name for name, reason in left_out if reason == NOT_FOUND]
    if absent:
        print_note(f"未安装的真实服务：{'、'.join(absent)}。")
    for name, reason in left_out:
        if reason != NOT_FOUND:
            print_note(f"未启动的真实服务：{name}（{reason}）。")


def _print_status(told: dict[str, Any]) -> None:
    rows = [
        ("学校", f"{told['school'] or '大网段'}（种子 {told['seed']}）"),
        ("所在", MODES[told["mode"]] + (f"，端口加 {told['offset']}" if told["offset"] else "")),
        ("网段", "、".join(told["networks"])),
        ("主机", told["hosts"]),
        ("开放端口", f"TCP {told['tcp']}，UDP {told['udp']}（其中 IPv6 {told['ipv6']}）"),
        ("情节", "、".join(told["cues"]) or "无"),
        ("已放出", "、".join(told["played"]) or "无"),
        ("真值文件", told["truth"]),
        ("进程", told["pid"]),
    ]
    if told["native"]:
        rows.insert(5, ("真实服务", "、".join(told["native"])))
    if told["kind"] == "crowd":
        rows.insert(3, ("线路", f"丢包 {told['loss']:.1%}，时延 {told['delay_ms']:g} 毫秒（每个方向）"))
    step = "sentinel range cue change；" if told["cues"] else ""
    print_table("靶场", ("项目", "内容"), rows, f"{step}结束用 sentinel range down")
    if enter := build_entry(told):
        print_line(f"进入演练网络：{enter} bash")


def build_entry(told: dict[str, Any]) -> str:
    """Give the words before a command that runs it inside the range's network; empty on loopback."""
    if told["mode"] == "loopback":
        return ""
    user = "--user --preserve-credentials " if told["mode"] == "user-namespace" else ""
    return f"nsenter {user}--net --target {told['pid']}"


def _name_fields(fields: Sequence[str]) -> str:
    words = {"certificate": "证书", "product": "产品", "service": "服务", "version": "版本"}
    return "、".join(words[one] for one in fields)


def _print_changes(told: dict[str, Any], name: str) -> None:
    import json

    expected = json.loads(Path(told["truth"]).read_text("utf-8"))["cues"][name]
    kinds = {"new": "新增", "gone": "消失", "changed": "变化"}
    print_table(
        f"情节 {name} 已放出；再次扫描后应有的差异",
        ("类型", "地址", "端口", "变化"),
        [
            (kinds[one["kind"]], one["address"], f"{one['port']}/{one['proto']}", _name_fields(one["what"]))
            for one in expected
        ],
        "再扫描一次，用 sentinel diff 对照",
    )
    print_note(f"已放出：{'、'.join(told['played'])}")
