"""`scope consent`: what a third party hosts for the unit, and its written consent to be scanned."""

from __future__ import annotations

from typing import Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.scope import WhyOption
from sentinel.cli.scope import group as scope_group
from sentinel.cli.session import LAST_ROW, JsonOption, UnitOption, open_session, read_start, read_time
from sentinel.errors import UsageError
from sentinel.model.moment import local_date

consents = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="第三方托管的系统，及托管方的书面同意。")
MAX_WORD = 100


def register(_: typer.Typer) -> None:
    """Add the commands of this group."""
    scope_group.add_typer(consents, name="consent")


@consents.command("add")
def add(
    party: Annotated[str, typer.Argument(help="托管方，如 某云服务商")],
    targets: Annotated[list[str], typer.Argument(help="由它托管的地址、网段或域名（可用 *.）")],
    document: Annotated[
        str, typer.Option("--document", help="书面同意的文号或名称；不写即尚未同意，一律不探测", show_default=False)
    ] = "",
    start: Annotated[
        str | None, typer.Option("--from", help="同意的起始；只写日期为当日零时；默认现在", show_default=False)
    ] = None,
    end: Annotated[
        str | None, typer.Option("--until", help="同意的截止；只写日期为当日终了", show_default=False)
    ] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记由第三方托管的地址与域名；没有托管方有效的书面同意，不发送报文。"""
    from sentinel.collect.gate import parse_target, printable
    from sentinel.model.hosting import Hosting
    from sentinel.schedule.keep_out import refuse_kept_out
    from sentinel.store.hostings import build_hosting_words, write_hosting

    name, paper = party.strip(), document.strip()
    if not name or any(len(text) > MAX_WORD or not text.isprintable() for text in (name, paper)):
        raise UsageError(f"party, --document: at most {MAX_WORD} printable characters")
    if bool(paper) != bool(end) or (start and not paper):
        raise UsageError("--document: a consent needs its document and --until; without both nothing is consented to")
    wanted = []
    for text in targets:
        try:
            wanted.append(parse_target(text))
        except ValueError as error:
            raise UsageError(f"{printable(text)}: {error}") from error
    with open_session() as context:
        owner = context.choose_unit(unit)
        begin = (read_start(start, "--from") if start else context.clock()) if paper else None
        until = read_time(end, "--until") if end else None
        if begin and until and until <= begin:
            raise UsageError("--until: lies before --from")
        with context.database.transaction(context.actor, context.clock()) as transaction:
            refuse_kept_out(context, owner, [one.network for one in wanted if one.network is not None], "TARGET")
            stored = write_hosting(transaction, Hosting(0, owner.code, name, tuple(wanted), paper, begin, until))
    if as_json:
        print_json(build_hosting_words(stored))
    else:
        state = f"同意至 {local_date(until)}" if until else "尚无书面同意，不探测"
        print_line(f"已登记托管 {stored.id}：{name}，{state}。")


@consents.command("list")
def show(unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """列出第三方托管与同意，到期与撤销的也在内。"""
    from sentinel.schedule.keep_out import load_kept_out
    from sentinel.schedule.kept_words import Kept, join_state, show_targets
    from sentinel.store.hostings import build_hosting_words, read_hostings

    with open_session() as context:
        owner = context.choose_unit(unit)
        now = context.clock()
        found = read_hostings(context.database, owner.code)
        kept = load_kept_out(context, owner)
    shown = {one.id: show_targets(kept, one.targets) for one in found}
    if as_json:
        for one in found:
            in_force = one.is_consent(now) and shown[one.id].kept is not Kept.WHOLE
            places = {"targets": shown[one.id].texts, "in_force": in_force, "kept_out": shown[one.id].kept}
            print_json(build_hosting_words(one) | places)
        return
    print_table(
        f"{owner.name}的第三方托管",
        ("编号>", "托管方", "地址、域名", "同意文件", "截止", "状态"),
        [
            (
                one.id,
                one.party,
                shown[one.id].line,
                one.document,
                local_date(one.valid_to) if one.valid_to else "",
                join_state("有效", shown[one.id].kept)
                if one.is_consent(now)
                else "撤销"
                if one.withdrawn_at
                else "未同意或不在有效期",
            )
            for one in found
        ],
        "sentinel scope consent add 托管方 目标 --document 文号 --until 日期",
    )


@consents.command("withdraw")
def withdraw(
    number: Annotated[int, typer.Argument(help="编号", min=1, max=LAST_ROW)],
    why: WhyOption,
    moved: Annotated[bool, typer.Option("--moved", help="不再由它托管：以后不再需要它的同意")] = False,
    unit: UnitOption = None,
) -> None:
    """撤销一份同意，立即生效；其中的地址仍由第三方托管，不再探测。"""
    from sentinel.store.hostings import withdraw_hosting

    if not why.strip():
        raise UsageError("--why: may not be empty")
    with open_session() as context:
        owner = context.choose_unit(unit)
        with context.database.transaction(context.actor, context.clock()) as transaction:
            withdraw_hosting(transaction, owner.code, number, why.strip(), moved=moved)
    print_line(f"托管 {number} 已终止，不再需要其同意。" if moved else f"已撤销同意 {number}，其中的地址不再探测。")
