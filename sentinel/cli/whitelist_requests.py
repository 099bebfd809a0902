"""`whitelist request`: go-live and port-opening requests, made, checked, approved, returned, withdrawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.importing import SOME_REFUSED
from sentinel.cli.output import print_json, print_paragraph, print_table
from sentinel.cli.scope import WhyOption, demand_reason, read_start
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_time
from sentinel.errors import UsageError
from sentinel.model.moment import local_date, local_text
from sentinel.model.whitelist_request import RequestKind, RequestState, RequestStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.model.whitelist import WhitelistEntry
    from sentinel.model.whitelist_request import RequestCheck, RequestEvent, WhitelistRequest

requests = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="上线申请、端口开放申请。")

NumberArgument = Annotated[str, typer.Argument(help="编号（申请-2026-0001）或序号")]
STATES = {"submitted": "待审批", "approved": "已批准", "returned": "已退回", "withdrawn": "已撤回"}
STEPS = {"submit": "提交", "check": "核查", "approve": "批准", "return": "退回", "withdraw": "撤回"}
KINDS = {"go-live": "上线", "port": "端口开放"}
OBSTACLES = {
    "unseen": "申请之后还没有扫描看全所申请的地址和端口",
    "unjudged": "有扫描结果尚未评判，先运行 sentinel check",
    "blocking": "有高危及以上的待整改隐患",
    "forbidden": "有明令不放行的白名单条目，禁止优先",
}
LONGEST_WORDS = 200


def register(group: typer.Typer) -> None:
    """Add the commands to their group."""
    group.add_typer(requests, name="request")


@requests.command("add")
def add(
    kind: Annotated[str, typer.Argument(help="go-live 系统上线，port 端口开放")],
    department: Annotated[str, typer.Option("--department", help="申请部门")],
    system: Annotated[str, typer.Option("--system", help="系统名称")],
    purpose: Annotated[str, typer.Option("--purpose", help="用途")],
    end: Annotated[str, typer.Option("--until", help="开放到何时；只写日期为当日终了")],
    start: Annotated[
        str | None, typer.Option("--from", help="自何时开放，默认现在；只写日期为当日零时", show_default=False)
    ] = None,
    addresses: Annotated[
        list[str] | None, typer.Option("--address", help="地址、网段或 10.0.0.5-10.0.0.9，可写多次")
    ] = None,
    ports: Annotated[list[str] | None, typer.Option("--port", help="端口，如 80,443/tcp，可写多次")] = None,
    domains: Annotated[list[str] | None, typer.Option("--domain", help="域名，可写多次")] = None,
    service: Annotated[str, typer.Option("--service", help="那里的服务，如 https；不写为不限")] = "",
    peer: Annotated[str, typer.Option("--peer", help="从哪里访问：any、campus、internet 或网段")] = "campus",
    replaces: Annotated[str, typer.Option("--replaces", help="代替哪份被退回的申请", show_default=False)] = "",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """提交上线申请或端口开放申请。"""
    from sentinel.model.whitelist_request import WhitelistRequest
    from sentinel.schedule.entries import read_request_places
    from sentinel.schedule.requests import make_request

    if kind not in set(RequestKind):
        raise UsageError(f"no such kind: {kind!r} ({', '.join(RequestKind)})")
    words = {"--department": department, "--system": system, "--purpose": purpose}
    _check_words(words)
    with open_session() as context:
        owner = context.choose_unit(unit)
        now = context.clock()
        wanted = WhitelistRequest(
            id=0,
            number="",
            unit=owner.code,
            kind=RequestKind(kind),
            state=RequestState.SUBMITTED,
            department=department.strip(),
            system=system.strip(),
            purpose=purpose.strip(),
            valid_from=read_start(start, "--from") if start else now,
            valid_to=read_time(end, "--until"),
            made_at=now,
            service=service.strip().lower(),
            replaces=replaces.strip(),
        )
        placed = read_request_places(wanted, addresses or (), ports or (), domains or (), peer)
        made = make_request(context, owner, placed)
    if as_json:
        print_json(build_request_words(made))
    else:
        print_paragraph(f"已提交 {made.number}：{made.system}，{_places(made)}，至 {local_date(made.valid_to)}。")
        print_paragraph(f"下一步：扫描所申请的地址，再用 sentinel whitelist request check {made.number}")


@requests.command("list")
def show_list(
    state: Annotated[
        str, typer.Option("--state", help="submitted、approved、returned 或 withdrawn", show_default=False)
    ] = "",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """列出申请，新的在前。"""
    from sentinel.store.whitelist_requests import read_requests

    if state and state not in set(RequestState):
        raise UsageError(f"--state: {state!r} is none of {', '.join(RequestState)}")
    with open_session() as context:
        owner = context.choose_unit(unit)
        found = read_requests(context.database, owner.code, RequestState(state) if state else None)
    if as_json:
        for one in found:
            print_json(build_request_words(one))
        return
    print_table(
        f"{owner.name}的申请",
        ("编号", "种类", "部门", "系统", "内容", "提交", "截止", "状态"),
        [
            (
                one.number,
                KINDS[one.kind],
                one.department,
                one.system,
                _places(one),
                local_date(one.made_at),
                local_date(one.valid_to),
                STATES[one.state],
            )
            for one in found
        ],
        "sentinel whitelist request check 编号",
        empty="sentinel whitelist request add go-live --department 部门 --system 系统 …",
    )


@requests.command("show")
def show(
    number: NumberArgument,
    out: Annotated[Path | None, typer.Option("--out", help="打印审批表（DOCX）", show_default=False)] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """显示一份申请和它的经过；--out 打印审批表。"""
    from sentinel.schedule.request_papers import save_request
    from sentinel.schedule.requests import choose_request, read_request_entries
    from sentinel.store.whitelist_requests import read_events

    with open_session() as context:
        owner = context.choose_unit(unit)
        request = choose_request(context, owner, number)
        events = read_events(context.database, request.id)
        entries = read_request_entries(context, request)
        if out is not None:
            save_request(context, owner, request, events, out)
    if as_json:
        print_json(
            build_request_words(request)
            | {"events": [_event_words(one) for one in events], "entries": [one.id for one in entries]}
        )
    else:
        _print_request(request, events, entries)
        if out is not None:
            print_paragraph(f"已写入 {out}。")


@requests.command("check")
def check(number: NumberArgument, unit: UnitOption = None, as_json: JsonOption = False) -> None:
    """核查一份申请：申请之后的扫描是否看全，见到什么，有无高危隐患；有碍批准时退出状态为 3。"""
    from sentinel.schedule.requests import check_request, choose_request

    with open_session() as context:
        owner = context.choose_unit(unit)
        request = choose_request(context, owner, number)
        done = check_request(context, owner, request)
    if as_json:
        print_json(_check_json(request, done))
    else:
        _print_check(request, done)
    if done.obstacles:
        raise typer.Exit(SOME_REFUSED)


@requests.command("approve")
def approve(
    number: NumberArgument,
    approved_by: Annotated[str, typer.Option("--approved-by", help="批准部门或职务")],
    document: Annotated[str, typer.Option("--document", help="批准文号")],
    end: Annotated[
        str | None, typer.Option("--until", help="准许到何时，不得晚于申请；默认同申请", show_default=False)
    ] = None,
    despite: Annotated[
        str, typer.Option("--despite", help="有碍批准仍要批准的理由，记入经过", show_default=False)
    ] = "",
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """批准一份申请，写入白名单；没有核查通过的要写明理由。"""
    from sentinel.schedule.requests import Approval, approve_request, choose_request
    from sentinel.store.scopes import build_whitelist_words

    _check_words({"--approved-by": approved_by, "--document": document})
    until = read_time(end, "--until") if end else None
    approval = Approval(approved_by.strip(), document.strip(), until, despite.strip()[:LONGEST_WORDS])
    with open_session() as context:
        owner = context.choose_unit(unit)
        request = choose_request(context, owner, number)
        entries = approve_request(context, owner, request, approval)
    if as_json:
        for one in entries:
            print_json(build_whitelist_words(one))
        return
    numbers = "、".join(str(one.id) for one in entries)
    print_paragraph(f"已批准 {request.number}，写入白名单 {numbers}，至 {local_date(entries[0].valid_to)}。")
    print_paragraph("下一步：sentinel check")


@requests.command("return")
def send_back(number: NumberArgument, why: WhyOption, unit: UnitOption = None) -> None:
    """退回一份申请；改好后另行提交，用 --replaces 指明。"""
    from sentinel.schedule.requests import choose_request, end_request

    demand_reason(why)
    with open_session() as context:
        request = choose_request(context, context.choose_unit(unit), number)
        end_request(context, request, RequestStep.RETURN, why.strip())
    print_paragraph(f"已退回 {request.number}。")


@requests.command("withdraw")
def withdraw(number: NumberArgument, why: WhyOption, unit: UnitOption = None) -> None:
    """撤回一份申请；已批准的，它写入的白名单一并撤销。"""
    from sentinel.schedule.requests import choose_request, end_request

    demand_reason(why)
    with open_session() as context:
        request = choose_request(context, context.choose_unit(unit), number)
        ended = end_request(context, request, RequestStep.WITHDRAW, why.strip())
    entries = f"，一并撤销白名单 {'、'.join(str(one.id) for one in ended)}" if ended else ""
    print_paragraph(f"已撤回 {request.number}{entries}。")


def build_request_words(one: WhitelistRequest) -> dict[str, object]:
    """Write a request as plain values."""
    return {
        "id": one.id,
        "number": one.number,
        "unit": one.unit,
        "kind": one.kind.value,
        "state": one.state.value,
        "department": one.department,
        "system": one.system,
        "purpose": one.purpose,
        "addresses": [str(prefix) for prefix in one.addresses],
        "domains": list(one.domains),
        "ports": {proto: str(ports) for proto, ports in one.ports},
        "service": one.service,
        "peer": one.peer.value,
        "peers": [str(prefix) for prefix in one.peers],
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "replaces": one.replaces,
        "made_at": one.made_at,
    }


def _event_words(one: RequestEvent) -> dict[str, object]:
    return {
        "at": one.at,
        "actor": one.actor,
        "step": one.step.value,
        "before": one.before,
        "after": one.after,
        "reason": one.reason,
        "detail": dict(one.detail),
    }


def _check_json(request: WhitelistRequest, done: RequestCheck) -> dict[str, object]:
    return {
        "number": request.number,
        "ok": not done.obstacles,
        "obstacles": list(done.obstacles),
        "addresses": done.addresses,
        "unseen": done.unseen,
        "run_at": done.run_at,
        "evidence": done.evidence,
        "seen": list(done.seen),
        "beyond": list(done.beyond),
        "blocking": [{"number": number, "title": title} for number, title in done.blocking],
        "forbidden": list(done.forbidden),
        "unjudged": done.unjudged,
    }


def _print_request(
    request: WhitelistRequest, events: Sequence[RequestEvent], entries: Sequence[WhitelistEntry]
) -> None:
    print_paragraph(f"{request.number} {KINDS[request.kind]}申请，{STATES[request.state]}")
    print_paragraph(f"{request.department}：{request.system}，{request.purpose}")
    print_paragraph(f"{_places(request)}；{local_date(request.valid_from)} 至 {local_date(request.valid_to)}")
    if request.replaces:
        print_paragraph(f"代替 {request.replaces}")
    if entries:
        print_paragraph(f"已写入白名单 {'、'.join(str(one.id) for one in entries)}")
    print_table(
        "经过",
        ("时间", "办理", "经办", "结果", "说明"),
        [(local_text(one.at), STEPS[one.step], one.actor, STATES[one.after], _event_text(one)) for one in events],
        f"sentinel whitelist request check {request.number}" if request.state == "submitted" else "",
    )


def _event_text(one: RequestEvent) -> str:
    detail = dict(one.detail)
    words = [one.reason]
    if one.step is RequestStep.APPROVE:
        words += [str(detail.get("approved_by", "")), str(detail.get("document", ""))]
    if one.step is RequestStep.CHECK:
        seen, blocking = detail.get("seen"), detail.get("blocking")
        words.append(
            f"未看到的地址 {detail.get('unseen')}，见到 {_length(seen)} 个端口，高危隐患 {_length(blocking)} 项"
        )
    return "；".join(word for word in words if word)


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


def _print_check(request: WhitelistRequest, done: RequestCheck) -> None:
    looked = f"最近一次 {local_text(done.run_at)}" if done.run_at else "还没有"
    print_paragraph(f"{request.number}：申请之后对它的扫描{looked}；{done.addresses} 个地址，未看全 {done.unseen} 个。")
    for title, words in (("所申请的端口现已开放", done.seen), ("未申请而开放", done.beyond)):
        if words:
            print_paragraph(f"{title}：{'、'.join(words)}")
    for number, title in done.blocking:
        print_paragraph(f"待整改：{number} {title}")
    if done.forbidden:
        print_paragraph(f"明令不放行的白名单：{'、'.join(map(str, done.forbidden))}")
    for word in done.obstacles:
        print_paragraph(f"有碍批准：{OBSTACLES[word]}。")
    if done.obstacles:
        print_paragraph(f"下一步：扫描、整改后再核查，或 sentinel whitelist request return {request.number}")
    else:
        print_paragraph(
            f"可以批准。下一步：sentinel whitelist request approve {request.number} --approved-by … --document …"
        )


def _places(one: WhitelistRequest) -> str:
    from sentinel.model.whitelist import format_addresses

    ports = " ".join(f"{ports}/{proto}" for proto, ports in one.ports)
    where = "、".join(format_addresses(one.addresses))
    return "；".join(word for word in (f"{where} {ports}".strip(), "、".join(one.domains)) if word)


def _check_words(words: dict[str, str]) -> None:
    for option, text in words.items():
        if not text.strip():
            raise UsageError(f"{option}: may not be empty")
        if len(text) > LONGEST_WORDS:
            raise UsageError(f"{option}: at most {LONGEST_WORDS} characters")
