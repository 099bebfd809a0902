"""`scope paper`: the authorisation to sign and the notice to hand out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_note
from sentinel.cli.scope import group
from sentinel.cli.session import LAST_ROW, JsonOption, UnitOption, open_session
from sentinel.errors import UsageError


def register(_: typer.Typer) -> None:
    """Add the command to its group."""
    group.command("paper")(paper)


def paper(
    authorisation: Annotated[
        int | None,
        typer.Option(
            "--authorisation",
            help="授权编号，默认最新的有效授权；没有时为待签的草稿",
            min=1,
            max=LAST_ROW,
            show_default=False,
        ),
    ] = None,
    kind: Annotated[str, typer.Option("--paper", help="authorisation 授权书；notice 告知书；both 两份")] = "both",
    source: Annotated[str, typer.Option("--source", help="探测主机的地址，印在告知书上", show_default=False)] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="文件夹，或 .html、.docx 文件；默认数据目录的 papers", show_default=False),
    ] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """打印《网络安全扫描授权书》与《网络安全扫描告知书》：HTML（A4）与 DOCX，仅本人可读。"""
    from sentinel.schedule.papers import PAPERS, write_papers
    from sentinel.store.declared import read_contacts

    if kind not in {*PAPERS, "both"}:
        raise UsageError(f"--paper: {kind!r} is none of {', '.join((*PAPERS, 'both'))}")
    kinds = tuple(PAPERS) if kind == "both" else (kind,)
    with open_session() as context:
        owner = context.choose_unit(unit)
        written = write_papers(context, owner, authorisation=authorisation, source=source.strip(), kinds=kinds, out=out)
        contacts = read_contacts(context.database, owner.code, context.load_seal())
    if any(one.person is None for one in contacts):
        print_note("联系人密钥不在本机：文书的联系人一栏留空，取得密钥后重新打印，或手工填写。")
    if as_json:
        for path in written:
            print_json({"unit": owner.code, "file": str(path), "bytes": path.stat().st_size})
        return
    for path in written:
        print_line(f"已写入 {path}")
    words = "文书含联系电话，请只交给该看的人。" if any(one.person for one in contacts) else ""
    print_line(f"{words}下一步：签字盖章后 sentinel scope authorise")
