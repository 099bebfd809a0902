"""`probe`: closer looks at what is open."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import is_interactive, print_json, print_line, print_note
from sentinel.cli.session import JsonOption, NoCheckOption, UnitOption, VantageOption, open_session
from sentinel.errors import CollectError, ScopeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sentinel.collect.look import ProbeTarget
    from sentinel.model.probe import ProbeKind, ProbeObservation
    from sentinel.model.unit import IPNetwork
    from sentinel.schedule.probing import LookTotal, PlannedLooks

SOME_FAILED = 3
_WORDS = {
    "tls": "TLS 协议与套件",
    "ssh": "SSH 算法",
    "web": "网页",
    "login": "免登录访问",
    "snmp": "SNMP",
    "mail": "邮件服务",
    "dns": "域名记录",
}


def register(app: typer.Typer) -> None:
    """Add the command of this group."""
    app.command("probe")(probe)


def probe(
    targets: Annotated[
        list[str] | None, typer.Argument(help="地址、网段或域名，默认台账中全部开放端口与域名", show_default=False)
    ] = None,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", help="只做某类深查，可多次：tls、ssh、web、login、snmp、mail、dns", show_default=False),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="只显示将查什么，不发送")] = False,
    unit: UnitOption = None,
    vantage: VantageOption = None,
    no_check: NoCheckOption = False,
    as_json: JsonOption = False,
) -> None:
    """深查已开放的服务：协议版本、算法、页面、是否免登录；只读，不试口令。"""
    from sentinel.schedule.domain_looks import find_domains
    from sentinel.schedule.judging import judge_unit
    from sentinel.schedule.probing import LookTotal, find_targets, plan_looks, run_looks

    wanted = _read_kinds(kinds or [])
    with open_session() as context:
        owner = context.choose_unit(unit)
        if kinds and "snmp" in kinds and not context.settings.probe_snmp_public:
            raise UsageError("--kind snmp: the unit has not allowed it: set probe_snmp_public = true in sentinel.toml")
        prefixes, names = _read_targets(targets or [])
        found = _within(find_targets(context, owner, wanted), prefixes, names)
        domains: Iterable[str] = ()
        if "dns" in wanted and not prefixes:
            domains = sorted(names) or find_domains(context, owner)
        planned = plan_looks(context, owner, found, domains)
        _tell_refusals(planned, as_json)
        if plan or not planned.count:
            _print_plan(planned, as_json)
            if planned.refusals and not planned.count:
                raise ScopeError("refused, nothing was sent: the authorisations allow none of these looks")
            return
        total = LookTotal()
        run_looks(
            context,
            owner,
            planned,
            total,
            vantage=vantage or context.settings.vantage,
            on_look=lambda one: _tell_look(one, as_json),
        )
        _print_summary(total, as_json)
        if not no_check:
            judge_unit(context, owner)
    if total.failed and not total.answered:
        raise CollectError(f"no look found anything out: {next(iter(total.failed))}")
    if planned.refusals or total.failed:
        raise typer.Exit(SOME_FAILED)


def _read_kinds(texts: Sequence[str]) -> tuple[ProbeKind, ...]:
    from sentinel.model.probe import ProbeKind

    known = [kind.value for kind in ProbeKind]
    for text in texts:
        if text not in known:
            raise UsageError(f"--kind: no such kind of look: {text!r} ({', '.join(known)})")
    return tuple(ProbeKind(text) for text in texts) or tuple(ProbeKind)


def _read_targets(texts: Sequence[str]) -> tuple[list[IPNetwork], set[str]]:
    """Tell addresses and prefixes from names."""
    prefixes: list[IPNetwork] = []
    names: set[str] = set()
    for text in texts:
        try:
            prefixes.append(ip_network(text, strict=False))
        except ValueError as error:
            if not any(char.isalpha() for char in text) or "/" in text or ":" in text:
                raise UsageError(f"{error}; give addresses, prefixes or names of the map") from error
            names.add(text.lower().rstrip("."))
    return prefixes, names


def _within(found: Iterable[ProbeTarget], prefixes: Sequence[IPNetwork], names: set[str]) -> list[ProbeTarget]:
    return [
        one
        for one in found
        if not (prefixes or names)
        or one.name in names
        or any(one.address.version == each.version and one.address in each for each in prefixes)
    ]


def _tell_refusals(planned: PlannedLooks, as_json: bool) -> None:
    for one in planned.refusals:
        if as_json:
            print_json({"event": "refused", "target": one.target, "reason": one.reason, "detail": one.detail})
        else:
            print_note(f"拒绝 {one.target}：{one.detail}")


def _tell_look(one: ProbeObservation, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "event": "look",
                "kind": one.kind,
                "address": str(one.address) if one.address else None,
                "port": one.port,
                "name": one.name or None,
                "answered": one.answered,
                "reason": one.reason or None,
                "values": dict(one.values),
            }
        )
    elif is_interactive() or not one.answered:
        place = f"{one.address}:{one.port}" if one.address else one.name
        print_note(f"{_WORDS[one.kind]} {place}：{'已查' if one.answered else one.reason}")


def _print_plan(planned: PlannedLooks, as_json: bool) -> None:
    counts = planned.kinds
    _print_planned(planned, as_json)
    if as_json:
        print_json({"summary": {"planned": planned.count, "kinds": counts, "refused": len(planned.refusals)}})
        return
    words = "，".join(f"{_WORDS[kind]} {count}" for kind, count in sorted(counts.items()))
    print_line(f"将深查 {planned.count} 项：{words}。未发送任何报文。" if words else "没有可深查的开放服务或域名。")


def _print_planned(planned: PlannedLooks, as_json: bool) -> None:
    """List what would be looked at: one line for each port and each domain, one object for each look."""
    places: dict[str, dict[str, None]] = {}
    for permit, targets in planned.permits:
        for one in targets:
            if as_json:
                place = {"address": str(one.address), "port": one.port, "name": one.name or None}
                print_json({"event": "planned", "kind": one.kind, **place, "level": permit.level.word})
            host = f"[{one.address}]" if one.address.version == 6 else str(one.address)
            places.setdefault(f"{host}:{one.port}/{one.proto}", {})[_WORDS[one.kind]] = None
    for permit, names in planned.domains:
        for name in names:
            if as_json:
                place = {"address": None, "port": 0, "name": name}
                print_json({"event": "planned", "kind": "dns", **place, "level": permit.level.word})
            places.setdefault(name, {})[_WORDS["dns"]] = None
    if not as_json:
        for place_text, words in places.items():
            print_line(f"{place_text}  {'、'.join(words)}")


def _print_summary(total: LookTotal, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "summary": {
                    "planned": total.planned,
                    "answered": total.answered,
                    "failed": total.failed,
                    "sent": total.sent,
                    "changed": total.changed,
                }
            }
        )
        return
    failed = sum(total.failed.values())
    print_line(f"深查 {total.planned} 项：查明 {total.answered}，未果 {failed}，有变化 {total.changed}。")
    print_line("下一步：sentinel finding list")
