"""`asset`: things that keep their number when their address changes (资产身份)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import LAST_ROW, JsonOption, UnitOption, open_session
from sentinel.errors import UsageError
from sentinel.model.moment import local_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentinel.model.asset import Asset, AssetEvent, Decision, Identifier, Proposal
    from sentinel.schedule.context import Context

group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="资产身份：地址变了仍是同一台；合并、拆分由人决定，可以撤销。"
)

NumberArgument = Annotated[int, typer.Argument(help="资产编号", min=1, max=LAST_ROW)]
WhyOption = Annotated[str, typer.Option("--why", help="理由")]

STATES = {"present": "在用", "missing": "去向不明", "merged": "已并入", "dissolved": "证据已变"}
KINDS = {
    "ssh_host_key": "SSH 主机密钥",
    "tls_cert": "专用证书",
    "snmp_engine": "SNMP 引擎",
    "serial": "序列号",
    "dhcp_client_id": "DHCP 客户端标识",
    "mac": "网卡",
    "fqdn": "名称",
    "favicon": "网页图标",
    "os": "操作系统",
    "ports": "端口",
    "ip": "地址",
}
WEIGHTS = {"strong": "强", "medium": "中", "weak": "弱"}
EVENTS = {
    "appeared": "首次发现",
    "moved": "地址变化",
    "address_added": "另有地址",
    "card_changed": "换了网卡",
    "address_reused": "地址被别的设备占用",
    "returned": "再次出现",
    "merged": "人工合并",
    "split": "人工拆分",
    "undone": "撤销决定",
}
WHY = {
    "shared_mark": "两项资产出现同一标识",
    "two_cards": "一项资产同时有两张网卡：双网卡，或系统克隆",
    "other_network": "标识出现在另一网络",
}
PROPOSAL_STATES = {"open": "待定", "accepted": "已采纳", "rejected": "已否决", "moot": "已无必要"}


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(group, name="asset")


@group.command("list")
def show_assets(
    unit: UnitOption = None,
    everything: Annotated[bool, typer.Option("--all", help="连同已并入的与证据已变的")] = False,
    as_json: JsonOption = False,
) -> None:
    """列出资产；宿舍与无线网的手机只计数，不逐一建资产。"""
    from sentinel.schedule.identifying import count_phones, identify_unit
    from sentinel.store.identity import read_assets
    from sentinel.store.units import read_networks

    with open_session() as context:
        owner = context.choose_unit(unit)
        identify_unit(context, owner)
        found = read_assets(context.database, owner.code)
        networks = {one.id: one.name for one in read_networks(context.database, owner.code)}
        phones = count_phones(context, owner, context.clock())
    shown = [one for one in found if everything or one.state.value in {"present", "missing"}]
    if as_json:
        for one in shown:
            print_json(build_asset_words(one, networks))
        return
    print_table(
        f"{owner.name}的资产",
        ("编号>", "地址", "网络", "凭什么认得", "状态", "首次", "最近"),
        [
            (
                one.id,
                one.address,
                networks.get(one.network, ""),
                f"{KINDS[one.anchor.name.kind.value]} {one.anchor.name.value}"[:40],
                STATES[one.state.value] + (f" {one.merged_into}" if one.merged_into else ""),
                local_text(one.first_seen)[:10],
                local_text(one.last_seen)[:10],
            )
            for one in shown
        ],
        "sentinel asset show 编号；sentinel asset proposals",
        empty="sentinel import FILE；sentinel scan 目标",
    )
    for network, count in phones:
        print_line(f"{network.name}：近 30 天有 {count} 张网卡，只计数，供溯源。")


def build_asset_words(one: Asset, networks: dict[int, str]) -> dict[str, object]:
    """Write an asset as plain values, for JSON."""
    return {
        "id": one.id,
        "unit": one.unit,
        "network": networks.get(one.network),
        "address": one.address,
        "state": one.state,
        "merged_into": one.merged_into,
        "anchor": {"kind": one.anchor.name.kind, "value": one.anchor.name.value, "since": one.anchor.since},
        "first_seen": one.first_seen,
        "last_seen": one.last_seen,
    }


@group.command("show")
def show_asset(number: NumberArgument, unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """一项资产：凭哪些标识认得它，何时在哪个地址，发生过什么。"""
    from sentinel.schedule.identifying import identify_unit
    from sentinel.store.identity import find_asset, read_events, read_identifiers
    from sentinel.store.units import read_networks

    with open_session() as context:
        owner = context.choose_unit(unit)
        identify_unit(context, owner)
        found = find_asset(context.database, owner.code, number)
        if found is None:
            raise UsageError(f"no such asset: {number}; `sentinel asset list` shows them")
        networks = {one.id: one.name for one in read_networks(context.database, owner.code)}
        marks = read_identifiers(context.database, number)
        events = tuple(read_events(context.database, number))
    if as_json:
        print_json(build_asset_words(found, networks) | _history_words(marks, events, networks))
        return
    state = STATES[found.state.value] + (f"资产 {found.merged_into}" if found.merged_into else "")
    print_line(f"资产 {found.id}：{found.address}（{networks.get(found.network, '')}），{state}")
    print_table(
        "标识",
        ("标识", "值", "分量", "地址", "自", "至"),
        [
            (
                KINDS[one.name.kind.value],
                one.name.value[:50],
                WEIGHTS[one.weight.value],
                one.address,
                local_text(one.valid_from),
                local_text(one.valid_to),
            )
            for one in marks
        ],
    )
    print_table(
        "经过",
        ("时间", "事情", "内容", "谁"),
        [(local_text(one.at), EVENTS[one.kind.value], one.detail, one.actor or "证据") for one in events],
        f"sentinel trace {found.address} --at 时刻",
    )


def _history_words(
    marks: Iterable[Identifier], events: Iterable[AssetEvent], networks: dict[int, str]
) -> dict[str, object]:
    return {
        "identifiers": [
            {
                "kind": one.name.kind,
                "value": one.name.value,
                "address": one.address,
                "network": networks.get(one.network),
                "source": one.source,
                "weight": one.weight,
                "valid_from": one.valid_from,
                "valid_to": one.valid_to,
            }
            for one in marks
        ],
        "events": [
            {"kind": one.kind, "at": one.at, "detail": one.detail, "actor": one.actor or None} for one in events
        ],
    }


@group.command("merge")
def merge(
    one: NumberArgument,
    other: NumberArgument,
    why: WhyOption,
    unit: UnitOption = None,
) -> None:
    """两项资产是同一台：并入编号小的一项，可以撤销。"""
    from sentinel.schedule.identifying import merge_assets

    with open_session() as context:
        decision = merge_assets(context, context.choose_unit(unit), one, other, _reason(why))
    print_line(f"已合并，决定 {decision.id}。撤销：sentinel asset undo {decision.id}")


@group.command("split")
def split(
    number: NumberArgument,
    mark: Annotated[str, typer.Option("--mark", help="标识，写作 种类:值，如 mac:00:00:5e:00:53:01")],
    why: WhyOption,
    unit: UnitOption = None,
) -> None:
    """带有某标识的是另一台：拆成单独的资产，可以撤销。"""
    from sentinel.schedule.identifying import split_asset

    with open_session() as context:
        decision = split_asset(context, context.choose_unit(unit), number, mark, _reason(why))
    print_line(f"已拆分，决定 {decision.id}。撤销：sentinel asset undo {decision.id}")


def _reason(why: str) -> str:
    if not why.strip():
        raise UsageError("--why: may not be empty")
    return why.strip()


@group.command("proposals")
def show_proposals(
    unit: UnitOption = None,
    everything: Annotated[bool, typer.Option("--all", help="连同已经决定的")] = False,
    as_json: JsonOption = False,
) -> None:
    """列出等人决定的合并与拆分。"""
    from sentinel.schedule.identifying import identify_unit
    from sentinel.store.asset_decisions import read_proposals

    with open_session() as context:
        owner = context.choose_unit(unit)
        identify_unit(context, owner)
        found = [one for one in read_proposals(context.database, owner.code) if everything or one.state.value == "open"]
    if as_json:
        for one in found:
            print_json(_proposal_words(one))
        return
    print_table(
        f"{owner.name}待定的合并与拆分",
        ("编号>", "建议", "原因", "依据", "自", "状态"),
        [
            (
                one.id,
                {"merge": "合并", "split": "拆分"}[one.decision.kind.value],
                WHY[one.why],
                one.detail,
                local_text(one.first),
                PROPOSAL_STATES[one.state.value],
            )
            for one in found
        ],
        "sentinel asset accept 编号；sentinel asset reject 编号",
        empty="sentinel asset list",
    )


def _proposal_words(one: Proposal) -> dict[str, object]:
    return {
        "id": one.id,
        "kind": one.decision.kind,
        "marks": [str(side[1]) for side in (one.decision.one, one.decision.other) if side],
        "why": one.why,
        "detail": one.detail,
        "first": one.first,
        "state": one.state,
        "decided_by": one.decided_by or None,
    }


ProposalArgument = Annotated[int, typer.Argument(help="建议编号", min=1, max=LAST_ROW)]


@group.command("accept")
def accept(
    number: ProposalArgument,
    why: Annotated[str, typer.Option("--why", help="理由", show_default=False)] = "",
    unit: UnitOption = None,
) -> None:
    """采纳一项建议，可以撤销。"""
    from sentinel.schedule.identifying import accept_proposal

    with open_session() as context:
        decision = accept_proposal(context, context.choose_unit(unit), number, why.strip())
    print_line(f"已采纳，决定 {decision.id}。撤销：sentinel asset undo {decision.id}")


@group.command("reject")
def reject(number: ProposalArgument, unit: UnitOption = None) -> None:
    """否决一项建议，以后不再提出。"""
    from sentinel.schedule.identifying import reject_proposal

    with open_session() as context:
        reject_proposal(context, context.choose_unit(unit), number)
    print_line("已否决，以后不再提出。")


@group.command("undo")
def undo(
    number: Annotated[
        int | None, typer.Argument(help="决定编号；不写则列出有效的决定", min=1, max=LAST_ROW, show_default=False)
    ] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """撤销一项合并或拆分的决定；不写编号则列出。"""
    from sentinel.schedule.identifying import undo_decision

    with open_session() as context:
        owner = context.choose_unit(unit)
        if number is None:
            _show_decisions(context, owner.code, as_json=as_json)
            return
        undo_decision(context, owner, number)
    print_line(f"已撤销决定 {number}，资产恢复为证据所示。")


def _show_decisions(context: Context, unit: str, *, as_json: bool) -> None:
    from sentinel.store.asset_decisions import read_decisions

    found = [one for one in read_decisions(context.database, unit) if one.undone is None]
    if as_json:
        for one in found:
            print_json(_decision_words(one))
        return
    print_table(
        "有效的决定",
        ("编号>", "决定", "标识", "理由", "谁", "时间"),
        [
            (
                one.id,
                {"merge": "合并", "split": "拆分"}[one.kind.value],
                "、".join(str(side[1]) for side in (one.one, one.other) if side),
                one.reason,
                one.actor,
                local_text(one.at),
            )
            for one in found
        ],
        "sentinel asset undo 编号",
        empty="sentinel asset proposals",
    )


def _decision_words(one: Decision) -> dict[str, object]:
    return {
        "id": one.id,
        "kind": one.kind,
        "marks": [str(side[1]) for side in (one.one, one.other) if side],
        "reason": one.reason,
        "actor": one.actor,
        "at": one.at,
    }
