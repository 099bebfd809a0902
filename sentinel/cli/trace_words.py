"""A trace as people read it, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from sentinel.cli.output import WIDTH, clean
from sentinel.model.moment import local_text
from sentinel.model.trace import Certainty, Gap, LogKind, Told

if TYPE_CHECKING:
    from sentinel.model.trace import (
        AttachmentLink,
        Break,
        Card,
        Held,
        HoldingLink,
        Place,
        Trace,
        TranslationLink,
    )

SURE = {Certainty.CERTAIN: "确定", Certainty.LIKELY: "很可能", Certainty.POSSIBLE: "可能"}
LOGS = {
    LogKind.NAT: "NAT 日志",
    LogKind.RADIUS: "802.1X 计费",
    LogKind.PORTAL: "认证门户",
    LogKind.DHCP: "DHCP",
    LogKind.ARP: "ARP 表",
    LogKind.NEIGHBOUR: "邻居表",
    LogKind.MAC: "MAC 地址表",
}
ZONES = {
    "server": "服务器区",
    "office": "办公区",
    "dormitory": "宿舍区",
    "wireless": "无线网",
    "iot": "物联网",
    "exam": "考试专网",
    "dmz": "DMZ",
    "unknown": "未说明用途",
}
_PIECES = re.compile(r"\s*[^\s，；：]{1,60}[，；：]?|\s+|[，；：]")

SHOWN = 8
"""Lines of one kind that are shown; the rest is counted."""


def write_trace(answer: Trace, unit: str) -> Iterator[str]:
    """Write a trace as lines for people, none wider than the terminal's 100 columns."""
    for line in _lines(answer, unit):
        yield from wrap(clean(line))


def wrap(line: str) -> Iterator[str]:
    """Break a line behind a comma or blank where it gets too wide; what follows is indented further."""
    indent = " " * (len(line) - len(line.lstrip()) + 3)
    row, width = "", 0
    for piece in _PIECES.findall(line):
        size = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in piece)
        if row.strip() and width + size > WIDTH:
            yield row.rstrip()
            row, width = indent, len(indent)
        row, width = row + piece, width + size
    yield row.rstrip()


def _lines(answer: Trace, unit: str) -> Iterator[str]:
    asked = answer.question
    port = f":{asked.port}" if asked.port is not None else ""
    address = f"[{asked.address}]" if port and asked.address.version == 6 else str(asked.address)
    yield f"溯源：{address}{port}{f'/{asked.proto}' if asked.proto else ''}（{unit}）"
    yield f"时刻：{local_text(asked.at, seconds=True)}，时钟误差按前后 {asked.tolerance_s} 秒计"
    if answer.exit:
        yield f"出口：{answer.exit}"
    for one in answer.breaks:
        yield f"✗ {explain_break(one, asked.at)}"
    for number, place in enumerate(answer.places, 1):
        yield ""
        yield from _place(answer, place, number)
    yield ""
    yield from _closing(answer)


def _closing(answer: Trace) -> Iterator[str]:
    if not answer.places:
        yield "链条在此中断，没有查到内网地址。"
        return
    sure = [one for one in answer.places if one.certainty is not Certainty.POSSIBLE]
    if len(answer.places) > 1:
        yield f"共 {len(answer.places)} 个可能的内网地址，请用 --peer、--proto 或缩小 --skew 区分。"
    elif sure and len(answer.places[0].cards) > 1:
        yield f"共 {len(answer.places[0].cards)} 个可能的设备，按把握从大到小排列，请结合现场核实。"
    if any(name and "*" in name for name in answer.accounts.values()):
        yield "账号已遮盖；确需查看加 --show，查看记入审计。"


def _place(answer: Trace, place: Place, number: int) -> Iterator[str]:
    mark = f"{number}. " if len(answer.places) > 1 else ""
    zone = ZONES[place.zone.value]
    outside = "" if place.in_scope else "，不在已登记的网段内"
    yield f"{mark}内网地址 {place.address}（{place.network}，{zone}{outside}）［{SURE[place.certainty]}］"
    for link in place.translations[:SHOWN]:
        yield f"   NAT：{_translation(link)}"
    for one in place.breaks:
        if one.gap is not Gap.NO_OWNER:
            yield f"   ✗ {explain_break(one, answer.question.at)}"
    for place_in_row, card in enumerate(place.cards, 1):
        yield from _card(answer, card, place_in_row if len(place.cards) > 1 else 0)
    yield from _surroundings(place)


def _translation(link: TranslationLink) -> str:
    one = link.translated
    if one.is_whole:
        what = f"{one.outside} 整个地址"
    elif one.ports[0] == one.ports[1]:
        what = f"{one.outside}:{one.ports[0]}/{one.proto or '所有协议'}"
    else:
        what = f"{one.outside} 端口块 {one.ports[0]}-{one.ports[1]}"
    inside = f"{one.inside}:{one.inside_port}" if one.inside_port is not None else str(one.inside)
    peer = f"，对端 {one.peer}{f':{one.peer_port}' if one.peer_port is not None else ''}" if one.peer else ""
    if one.declared:
        return f"{what} → {inside}，登记的公网映射，没有日志［{_sure(link.certainty, link.off_s)}］"
    return (
        f"{what} → {inside}{peer}，{_span(one.since, one.until)}"
        f"{_told_by('NAT 日志', one.device, one.evidence)}［{_sure(link.certainty, link.off_s)}］"
    )


def _card(answer: Trace, card: Card, number: int) -> Iterator[str]:
    head = f"设备 {number}" if number else "设备"
    maker = "随机地址，无厂商" if card.is_random else card.vendor or "厂商不明"
    name = f"，主机名 {'、'.join(card.names[:3])}" if card.names else ""
    yield f"   {head}：{f'{card.mac}（{maker}）' if card.mac else '网卡地址不明'}{name}［{SURE[card.certainty]}］"
    for link in card.holdings[:SHOWN]:
        yield f"      {_holding(link)}"
    if card.accounts:
        names = [answer.accounts.get(one) or "（本机无密钥，不能显示）" for one in card.accounts]
        yield f"      账号：{'、'.join(names)}"
    for attachment in card.attachments[:3]:
        yield f"      接入：{_attachment(attachment)}"
    for one in card.breaks:
        yield f"      ✗ {explain_break(one, answer.question.at)}"
    if card.others:
        yield f"      同一设备或账号前后还用过 {len({one.address for one in card.others})} 个地址："
        for held in card.others[:SHOWN]:
            yield f"         {held.address}，{_span(held.since, _end(held))}，{LOGS[LogKind(held.holder.source.value)]}"


def _holding(link: HoldingLink) -> str:
    held = link.held
    source = LOGS[LogKind(held.holder.source.value)]
    where = "，".join(
        text for text in (held.holder.port, f"VLAN {held.holder.vlan}" if held.holder.vlan else "") if text
    )
    said = {Told.SEEN: "见到", Told.HELD: "占用", Told.BEGUN: "自此开始", Told.ENDED: "至此结束"}[held.told]
    return (
        f"{said} {_span(held.since, _end(held))}{_told_by(source, held.holder.device, held.evidence)}"
        f"{f'，{where}' if where else ''}［{_sure(link.certainty, link.off_s)}］"
    )


def _end(held: Held) -> datetime | None:
    return None if held.told is Told.BEGUN else held.until


def _attachment(link: AttachmentLink) -> str:
    one = link.attached
    vlan = f"，VLAN {one.vlan}" if one.vlan else ""
    crowd = f"，该端口有 {link.cards} 张网卡，应为上联" if link.cards > 8 else ""
    return (
        f"{one.device or '（设备不明）'} {one.port}{vlan}{crowd}，{_span(one.since, one.until)}"
        f"{_told_by('MAC 地址表', '', one.evidence)}［{_sure(link.certainty, link.off_s)}］"
    )


def _surroundings(place: Place) -> Iterator[str]:
    yield f"   归属：{_owner(place)}"
    if place.asset is not None:
        yield f"   资产：{place.asset}（sentinel asset show {place.asset}）"
    if place.names or place.os:
        yield f"   已知：{'、'.join([*place.names[:5], *([place.os] if place.os else [])])}"
    if place.endpoints:
        ports = [f"{one.key.port}/{one.key.proto} {one.fingerprint.service}".strip() for one in place.endpoints]
        yield f"   当时开放端口：{_some(dict.fromkeys(ports))}"
    for finding in place.findings[:SHOWN]:
        yield f"   当时的隐患：{finding.number} {finding.title_zh or finding.key.rule}"
    if len(place.findings) > SHOWN:
        yield f"   当时的隐患共 {len(place.findings)} 条"
    for evidence, flow in place.flows[:SHOWN]:
        yield (
            f"   挖矿流量：{flow.family} → {flow.peer}{f':{flow.peer_port}' if flow.peer_port else ''}，"
            f"{local_text(flow.first_seen)}，证据 {evidence[:12]}"
        )


def _owner(place: Place) -> str:
    line = place.line
    if line is None and not place.department:
        return f"台账中没有这个地址；所在网络 {place.network}"
    person = f"，责任人 {line.person.name}" if line and line.person and line.person.name else ""
    system = f"，系统 {line.system}" if line and line.system else ""
    return f"{place.department or '未填部门'}{system}{person}"


def _some(texts: Iterable[str]) -> str:
    found = list(texts)
    return "、".join(found[:SHOWN]) + (f" 等 {len(found)} 个" if len(found) > SHOWN else "")


def _span(since: datetime, until: datetime | None) -> str:
    start = local_text(since, seconds=True)
    if until is None:
        return f"{start} 起，何时结束没有记录"
    if until == since:
        return start
    end = local_text(until, seconds=True)
    return f"{start} 至 {end[11:] if start[:10] == end[:10] else end}"


def _told_by(source: str, device: str, evidence: str) -> str:
    return f"，{source}{f' {device}' if device else ''}{f'，证据 {evidence[:12]}' if evidence else ''}"


def _sure(certainty: Certainty, off_s: int) -> str:
    return f"{SURE[certainty]}，相差 {_duration(off_s)}" if off_s else SURE[certainty]


def _duration(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} 秒"
    return f"{seconds // 60} 分钟" if seconds < 7200 else f"{seconds // 3600} 小时"


BREAKS = {
    Gap.NO_NAT_LOG: "没有覆盖 {when} 的该出口 NAT 日志{nearest}：请导入该时段的 NAT（会话或端口块）日志",
    Gap.PORT_NOT_NAMED: "该时段的 NAT 日志已导入，但其中没有这个地址和端口：请核对端口、时间与时区；"
    "会话结束时才记日志的设备，请再导入其后的日志",
    Gap.PORT_NEEDED: "这个公网地址由多台设备共用：请写明端口，如 {subject}:端口",
    Gap.NO_HOLDING_LOG: "没有覆盖 {when} 的 {logs}{nearest}：请导入其中任何一种",
    Gap.NOT_HELD: "该时段的 {logs} 已导入，但都没有提到 {subject}",
    Gap.NO_CARD: "日志没有给出网卡地址，不能继续查厂商与端口：请导入 DHCP 日志或 ARP 表",
    Gap.RANDOM_CARD: "网卡地址是系统随机生成的（多为手机），换网络或过一段时间会变，请以账号为准",
    Gap.NO_MAC_TABLE: "没有 {when} 前后一天的交换机 MAC 地址表{nearest}：请导入，以确定接在哪个端口",
    Gap.NOT_ATTACHED: "当时的 MAC 地址表里没有 {subject}",
    Gap.NO_ACCOUNT: "没有覆盖 {when} 的 {logs} 日志{nearest}，不知道是哪个账号",
    Gap.ACCOUNT_NOT_NAMED: "该时段的 {logs} 日志里没有这台设备，不知道是哪个账号",
    Gap.ACCOUNT_SEALED: "账号已加密，本机没有联系人密钥，不能显示",
    Gap.NO_OWNER: "台账中没有 {subject}",
    Gap.PURGED: "{purged} 以前的 {logs} 记录已按保存期限删除",
}


def explain_break(one: Break, at: datetime) -> str:
    """Say in plain words what is missing, and what to do about it."""
    logs = "、".join(LOGS[kind] for kind in one.kinds)
    purged = local_text(one.nearest[1])
    return BREAKS[one.gap].format(
        logs=logs, when=local_text(at), subject=one.subject, nearest=_nearest(one), purged=purged
    )


def _nearest(one: Break) -> str:
    before, after = one.nearest
    if before is None and after is None:
        return "（从未导入过）"
    parts = [
        f"此前最近到 {local_text(before)}" if before else "",
        f"此后最早自 {local_text(after)}" if after else "",
    ]
    return f"（{'，'.join(filter(None, parts))}）"
