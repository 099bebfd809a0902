"""States of places and systems in; their words out, with the day a reason rests on."""

from __future__ import annotations

from typing import Final

from sentinel.model.moment import local_date
from sentinel.model.standing import Reason
from sentinel.model.system import SystemState
from sentinel.model.upkeep import Mark, PlaceKind, PlaceReason, PlaceState
from sentinel.report.values import Text

_STATES: Final = {
    PlaceState.OFF_CAMPUS: Text("双非网站", "off campus"),
    PlaceState.UNREGISTERED: Text("发现未登记", "seen, not registered"),
    PlaceState.ZOMBIE: Text("僵尸资产", "zombie"),
    PlaceState.STALE: Text("登记过期", "stale"),
    PlaceState.UNSEEN: Text("登记未发现", "registered, not seen"),
    PlaceState.OFFLINE: Text("计划停用", "offline by plan"),
    PlaceState.UNCHECKED: Text("未核查", "not checked"),
    PlaceState.RETIRED: Text("已停用", "retired"),
    PlaceState.SEEN: Text("登记且发现", "registered and seen"),
}

_REASONS: Final[dict[Reason | PlaceReason, Text]] = {
    Reason.PORT_OPEN: Text("登记的端口开放", "a registered port is open"),
    Reason.HOST_SEEN: Text("主机在线", "the host was seen"),
    Reason.NOTHING_ANSWERED: Text("扫描已完成，无应答", "a finished scan got no answer"),
    Reason.PORTS_SHUT: Text("主机在线，登记的端口未开放", "the host answers, the registered ports are shut"),
    Reason.NOT_COVERED: Text("没有扫描覆盖该地址", "no scan covered the address"),
    Reason.PORTS_NOT_COVERED: Text("主机在线，没有扫描覆盖该端口", "the host answers, no scan covered the port"),
    Reason.ANSWERS_EVERYTHING: Text("主机对任何端口都应答，无法判断", "the host answers on every port"),
    Reason.NAME_NOT_RESOLVED: Text("域名指向的地址未知", "the address of the name is not known"),
    Reason.NO_PLACE: Text("没有登记地址和域名", "neither address nor name"),
    Reason.LISTED: Text("登记在册", "listed"),
    Reason.PORTS_UNLISTED: Text("主机在册，有未登记的端口", "listed, with ports that are not"),
    Reason.LISTING_EXPIRED: Text("登记的有效期已过", "its listing has ended"),
    Reason.NOT_LISTED: Text("不在登记内", "not listed"),
    Reason.LOGS_ONLY: Text("宿舍、无线等网络，无须登记", "a network for logs only"),
    Reason.NO_REGISTER: Text("还没有登记可比", "there is no register"),
    PlaceReason.NOT_CONFIRMED: Text("逾期未确认", "not confirmed in time"),
    PlaceReason.SYSTEM_RETIRED: Text("系统已停用", "its system was retired"),
    PlaceReason.PLAN_IN_FORCE: Text("在计划停用期内，至", "within a planned time, until"),
    PlaceReason.PLAN_OVER: Text("计划停用期已过，仍无应答", "the planned time is over, still no answer"),
    PlaceReason.ANSWERS_IN_PLAN: Text("在计划停用期内却仍应答，至", "answers within the planned time, until"),
    PlaceReason.OUTSIDE_ALL: Text("域名和地址都不是本单位的", "neither its name nor its address is the unit's"),
    PlaceReason.NOBODY_ANSWERS: Text(
        "在线，无人负责，长期没有变化也未确认，自", "nobody answers for it, unchanged since"
    ),
    PlaceReason.DEFAULT_PAGE_ONLY: Text("只有安装后的默认页面，自", "shows a default page only, since"),
    PlaceReason.HOST_LISTED: Text("所在主机在册，域名未登记", "its host is listed, the name is not"),
}

_KINDS: Final = {
    PlaceKind.SYSTEM: Text("信息系统", "system"),
    PlaceKind.HOST: Text("主机", "host"),
    PlaceKind.LINE: Text("登记", "line"),
    PlaceKind.DOMAIN: Text("域名", "domain"),
}

_WAYS: Final = {
    SystemState.DRAFT: Text("草稿", "draft"),
    SystemState.SUBMITTED: Text("已提交", "submitted"),
    SystemState.APPROVED: Text("已审核", "approved"),
    SystemState.RETURNED: Text("已退回", "returned"),
    SystemState.RETIRED: Text("已停用", "retired"),
}


def place_state(state: PlaceState) -> Text:
    """Name a state."""
    return _STATES[state]


def place_kind(kind: PlaceKind) -> Text:
    """Name what a state is about."""
    return _KINDS[kind]


def system_state(state: SystemState) -> Text:
    """Name where a system stands on its way through the register."""
    return _WAYS[state]


def place_reason(mark: Mark) -> Text:
    """Tell why something stands so, with the day the reason rests on."""
    told = _REASONS[mark.reason]
    if mark.since is None:
        return Text(told.zh.removesuffix("，自").removesuffix("，至"), told.en.removesuffix(" since"))
    day = local_date(mark.since)
    if told.zh.endswith(("自", "至")):
        return Text(f"{told.zh} {day}", f"{told.en} {day}")
    return Text(f"{told.zh}（{day}）", f"{told.en} ({day})")
