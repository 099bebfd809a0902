"""Facts of a scan in; its two papers as values out: 扫描授权书 for who signs, 扫描告知书 for whom it concerns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sentinel.model.moment import SHANGHAI
from sentinel.model.plan import Plan
from sentinel.model.register import Exit, Person
from sentinel.model.scope import Authorisation, Level
from sentinel.model.unit import Unit
from sentinel.report.clean import clean

BLANK = "＿＿＿＿＿＿＿＿"
_NO_DAY = "＿＿＿＿年＿＿月＿＿日"
_MOST_PLACES = 40
"""Addresses and prefixes written in one cell; a school has fewer, and a longer list belongs in an annex."""

_REACH = {
    Level.PASSIVE: "只读取日志，不发送报文",
    Level.DISCOVER: "判断主机是否在线、哪些端口开放",
    Level.SERVICE: "判断主机是否在线、哪些端口开放，并读取服务的问候语、TLS 证书和网页标题",
    Level.CHECK: (
        "判断主机是否在线、哪些端口开放，读取服务的问候语、TLS 证书和网页标题，并对规则指明的项目做一次只读请求"
    ),
}
_DAYS = {"mon": "一", "tue": "二", "wed": "三", "thu": "四", "fri": "五", "sat": "六", "sun": "日"}


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph; `heading` ones stand in another font and stay with what follows."""

    text: str
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A ruled table; the widths are parts of the width of type."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """An official paper.

    Attributes:
        name: name of its file.
        title: as printed.
        unit: who issues it.
        number: line below the title.
        addressee: whom it speaks to; empty: nobody in particular.
        blocks: paragraphs and tables in order.
        signatures: what is signed and sealed, one place a line.
        day: its date in Chinese, or blanks to fill in.
    """

    name: str
    title: str
    unit: str
    number: str
    addressee: str
    blocks: tuple[Line | Grid, ...]
    signatures: tuple[str, ...]
    day: str


@dataclass(frozen=True, slots=True)
class Covered:
    """One row of the scope: a network, what of it is meant, and whether packets go there."""

    network: str
    zone: str
    places: tuple[str, ...]
    scannable: bool


@dataclass(frozen=True, slots=True)
class PaperFacts:
    """What both papers are made of.

    Attributes:
        unit: whose networks they are.
        scope: networks in the order declared; those for logs only come last.
        excluded: addresses and names an authorisation leaves out.
        keeps_out: something must stay out; what it is stands on no paper.
        exits: ways to the internet.
        authorisation: as entered; None: a draft to be signed.
        by: who signs; empty: to be filled in.
        rate_pps: packets a second at most.
        level: how far it reaches.
        person: whom to call; None or nobody: to be filled in.
        plan: when the unit is scanned by itself.
        source: address the packets come from; empty: to be filled in.
        now: day of the paper.
    """

    unit: Unit
    scope: tuple[Covered, ...]
    excluded: tuple[str, ...]
    keeps_out: bool
    exits: tuple[Exit, ...]
    authorisation: Authorisation | None
    by: str
    rate_pps: int
    level: Level
    person: Person | None
    plan: Plan | None
    source: str
    now: datetime


def build_authorisation_paper(facts: PaperFacts) -> Paper:
    """Build the paper that allows a scan; without an authorisation it is the draft to sign, with blanks."""
    signed = facts.authorisation
    blocks: list[Line | Grid] = [
        Line("一、授权事项", heading=True),
        Line(
            "兹授权本单位网络安全管理人员，使用 sentinel 对下列网络进行资产测绘与安全自查。"
            f"探测止于：{_REACH[facts.level]}。"
        ),
        _scope_grid(facts),
        Line("二、不在授权之内", heading=True),
        Line("上表未列出的地址，以及标明“只看日志”的网络，不发送任何报文。"),
        *([Line(f"除外：{_join(facts.excluded)}。")] if facts.excluded else []),
        *(
            [Line("涉密计算机和网络按保密规定已排除，既不触碰也不存储，其地址不写入本文书。")]
            if facts.keeps_out
            else []
        ),
        Line("三、限度", heading=True),
        *_limits(facts),
        Line("四、期限", heading=True),
        Line(f"{_span(signed)}。授权人可随时书面撤销，撤销后不再发起探测。"),
        Line("五、实施与联系", heading=True),
        *_contact(facts),
    ]
    by = clean(signed.by if signed else facts.by)
    signer = f"授权人（签字）：{BLANK}{f'（{by}）' if by else ''}"
    signatures = (f"授权单位（盖章）：{_unit(facts)}", signer, f"实施人（签字）：{BLANK}")
    number = f"文号：{clean(signed.document) if signed else BLANK}"
    return Paper("扫描授权书", "网络安全扫描授权书", _unit(facts), number, "", tuple(blocks), signatures, _NO_DAY)


def build_notice_paper(facts: PaperFacts) -> Paper:
    """Build the paper that tells departments what will happen, from where, what will not, and how to opt out."""
    signed = facts.authorisation
    basis = (
        f"依据{clean(signed.by)}批准的《{clean(signed.document)}》"
        if signed
        else f"经{_given(facts.by)}批准（文号 {BLANK}）"
    )
    blocks: list[Line | Grid] = [
        Line(f"为摸清网络资产、及早发现安全隐患，{basis}，将对下列网络进行安全扫描。现告知如下。"),
        Line("一、做什么", heading=True),
        Line(f"{_REACH[facts.level]}。结果用于资产台账核对与等级保护自查，只在校内使用。"),
        Line("二、时间", heading=True),
        Line(f"{_span(signed)}。{_plan(facts.plan)}"),
        Line("三、范围", heading=True),
        _scope_grid(facts),
        Line("四、从哪里来", heading=True),
        Line(
            f"探测主机的地址为 {_given(facts.source)}。"
            "系统日志或防护设备中来自其他地址的扫描与本次工作无关，请立即告知。"
        ),
        Line("五、不做什么", heading=True),
        *_limits(facts),
        Line("六、请各部门配合", heading=True),
        Line("扫描期间不必关机、不必更改配置。老旧打印机、门禁、实验设备等怕打扰的，请事先提出。"),
        Line(
            "需要暂缓或退出的，请在扫描开始前告知联系人，写明地址、时段和理由；所列地址将登记为除外，一个报文也不发。"
        ),
        Line("七、联系", heading=True),
        *_contact(facts),
    ]
    title = "网络安全扫描告知书"
    number = f"（{clean(signed.document)}）" if signed else ""
    return Paper(
        "扫描告知书",
        title,
        _unit(facts),
        number,
        "各部门、各二级单位，各信息系统负责人：",
        tuple(blocks),
        (f"{_unit(facts)}（盖章）",),
        day_text(facts.now),
    )


def day_text(moment: datetime) -> str:
    """Write a day as official papers do: `2026年11月22日`, without leading zeros. Source: GB/T 9704-2012, 7.3.5.4."""
    local = moment.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日"


def _unit(facts: PaperFacts) -> str:
    return clean(facts.unit.name, 60)


def _given(text: str) -> str:
    return clean(text, 60) if text else BLANK


def _join(places: tuple[str, ...]) -> str:
    shown = "、".join(clean(place, 80) for place in places[:_MOST_PLACES])
    return f"{shown} 等 {len(places)} 处" if len(places) > _MOST_PLACES else shown


def _scope_grid(facts: PaperFacts) -> Grid:
    rows = tuple(
        (clean(one.network, 60), clean(one.zone, 40), _join(one.places), "探测" if one.scannable else "只看日志")
        for one in facts.scope
    )
    return Grid(("网络", "区域", "地址", "方式"), rows or ((BLANK, "", BLANK, ""),), (24, 17, 43, 16))


def _limits(facts: PaperFacts) -> list[Line]:
    return [
        Line("不猜测口令，不利用漏洞，不登录系统，不修改、不下载业务内容，不做压力或拒绝服务测试。"),
        Line(f"每秒至多 {facts.rate_pps} 个报文或连接；由程序强制执行，无授权记录时不发送报文。"),
    ]


def _span(signed: Authorisation | None) -> str:
    if signed is None:
        return f"自{_NO_DAY}起，至{_NO_DAY}止"
    return f"自{day_text(signed.valid_from)}起，至{day_text(signed.valid_to)}止"


def _plan(plan: Plan | None) -> str:
    if plan is None or not plan.enabled:
        return "具体时间避开上课、考试与重大活动，开始前另行通知。"
    days = "每天" if plan.days == "daily" else "每周" + "、".join(_DAYS[day] for day in plan.days.split(","))
    return f"{days} {plan.at} 开始（北京时间）。"


def _contact(facts: PaperFacts) -> list[Line]:
    person = facts.person or Person()
    lines = [Line(f"联系人：{_given(person.name)}"), Line(f"电　话：{_given(person.phone)}")]
    if person.mail:
        lines.append(Line(f"邮　箱：{clean(person.mail)}"))
    if facts.exits:
        where = "；".join(
            f"{clean(one.name, 60)} {_join(tuple(str(prefix).removesuffix('/32') for prefix in one.prefixes))}"
            for one in facts.exits
        )
        lines.append(Line(f"本单位互联网出口：{where}。"))
    return lines
