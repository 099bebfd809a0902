"""The six questions of `sentinel init`, and the same answers as options; an Enrolment out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from sentinel.cli.interview import ask, ask_lines
from sentinel.cli.output import print_note
from sentinel.errors import UsageError
from sentinel.model.moment import local_date
from sentinel.model.register import Person
from sentinel.model.scope import Level
from sentinel.model.unit import IPNetwork, Unit, UnitLevel
from sentinel.observe.table import fold_width
from sentinel.schedule import answers
from sentinel.schedule.enrolment import DEFAULT_DAYS, DEFAULT_LEVEL, Enrolment, build_unit, check_enrolment

_NEW = Unit("", "")
_LEVEL_HELP = "1 在线与端口；2 另识别服务；3 另做只读核查"
_INNER = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))
"""Private addresses, which nobody outside sees. Source: RFC 1918, RFC 6598, RFC 4193."""

_STATES = {"": "未答", "none": "没有", "kept_out": "有，已排除在外"}


def interview(level: UnitLevel) -> Enrolment | None:
    """Ask the six questions, show the answers, let any be answered again; None: given up.

    Raises:
        UsageError: the input ended before the answers did.
    """
    print_note("建立数据目录：共六个问题。方括号里是默认值，回车即采用；以后都可以更改。不发送任何报文。")
    one = Enrolment(replace(_NEW, level=level))
    for question in _QUESTIONS:
        one = question(one)
    while True:
        _show_answers(one)
        choice = ask("回车确认；写 1 至 6 重答该题；写 q 放弃", _read_choice)
        if choice == "q":
            return None
        if choice:
            one = _QUESTIONS[int(choice) - 1](one)
            continue
        try:
            check_enrolment(one)
        except ValueError as error:
            print_note(f"  {error}。请写题号重答。")
            continue
        return one


def _read_choice(text: str) -> str:
    word = fold_width(text).strip().lower()
    if word in {"y", "yes", "是", "对", "确认"}:
        return ""
    if word and word not in {"1", "2", "3", "4", "5", "6", "q"}:
        raise ValueError("写 1 至 6、q，或直接回车")
    return word


def _ask_unit(one: Enrolment) -> Enrolment:
    print_note("一、单位")
    known = "" if one.unit.code == _NEW.code else one.unit.name
    name = ask("  单位名称（例：示例市第一中学）", lambda text: answers.read_word(text, "单位名称"), default=known)
    code = ask("  10 位学校（机构）标识码（例：4101000001；没有可回车）", answers.read_code)
    return replace(one, unit=build_unit(name, code, one.unit.level))


def _ask_networks(one: Enrolment) -> Enrolment:
    print_note("二、网段与区域：每行一个，写“名称 区域 网段”或“区域 网段”；空行结束")
    print_note("  例：服务器区 10.1.0.0/24、10.1.1.0/24    例：图书馆 办公区 10.2.0.0/16")
    print_note(f"  区域：{'、'.join(answers.ZONE_NAMES.values())}")
    print_note("  宿舍区与无线网默认只看日志，不探测；确要探测的，在行末写“可探测”")
    known: list[Enrolment] = [replace(one, networks=())]

    def take(text: str) -> None:
        known[0] = replace(known[0], networks=answers.read_networks_line(text, "", known[0].networks))

    ask_lines("  网段", take)
    return known[0]


def _ask_exits(one: Enrolment) -> Enrolment:
    print_note("三、互联网出口与公网地址：每行一个，写“名称 地址”；空行结束")
    print_note("  例：教育网出口 203.0.113.0/28、203.0.113.100    没有自己的公网地址可回车")
    known: list[Enrolment] = [replace(one, exits=())]

    def take(text: str) -> None:
        known[0] = replace(known[0], exits=answers.read_exits_line(text, "", known[0].exits, one.networks))

    ask_lines("  出口", take)
    return known[0]


def _ask_authority(one: Enrolment) -> Enrolment:
    print_note("四、谁、依据什么文件授权扫描：没有文件就没有授权，也不发一个报文")
    by = ask(
        "  授权人或部门（例：分管副校长；未定可回车）", lambda text: answers.read_word(text, "授权人") if text else ""
    )
    one = replace(one, by=by, document="", until=None, level=DEFAULT_LEVEL)
    if not by:
        return one
    document = ask(
        "  授权文件的文号（例：校网信〔2026〕12号；尚未签发可回车，稍后打印授权书送签）",
        lambda text: answers.read_word(text, "文号") if text else "",
    )
    if not document:
        return one
    now = datetime.now(UTC)
    until = ask(
        "  授权截止日期（例：2026-12-31）",
        lambda text: answers.read_until(text, now),
        default=local_date(now + timedelta(days=DEFAULT_DAYS)),
    )
    level = ask(f"  授权到哪一步（{_LEVEL_HELP}）", _read_scan_level, default=str(int(DEFAULT_LEVEL)))
    return replace(one, document=document, until=until, level=level)


def _ask_contact(one: Enrolment) -> Enrolment:
    print_note("五、网络安全联系人：加密保存，密钥与数据目录分开；显示时遮盖，只印在文书上")
    return replace(one, person=ask_person())


def ask_person() -> Person:
    """Ask whom to call; without a name it is nobody.

    Raises:
        UsageError: the input ended.
    """
    name = ask("  姓名（例：张老师；可回车跳过）", lambda text: answers.read_word(text, "姓名") if text else "")
    if not name:
        return Person()
    phone = ask("  电话（例：0371-60000000）", answers.read_phone)
    mail = ask("  邮箱（例：wlzx@school.edu.cn；可回车）", answers.read_mail)
    return Person(name, phone, mail)


def _ask_classified(one: Enrolment) -> Enrolment:
    print_note("六、有没有处理国家秘密的计算机或网络（涉密）：一律不得登记，也不得导入其任何资料")
    state = ask("  1 没有；2 有，不接入、不登记，已排除在外", read_classified, default="1")
    one = replace(one, classified=state, keep_out=())
    if state == "none":
        return one
    print_note(
        "  为防误碰，可写出必须排除的地址（拒绝探测，也拒绝导入）；每行一处，空行结束    例：10.9.0.0/24、10.8.1.5"
    )
    known: list[Enrolment] = [one]

    def take(text: str) -> None:
        places = answers.read_places(text)
        wanted = replace(known[0], keep_out=tuple(dict.fromkeys((*known[0].keep_out, *places))))
        check_enrolment(wanted)
        known[0] = wanted

    ask_lines("  排除的地址", take)
    return known[0]


_QUESTIONS = (_ask_unit, _ask_networks, _ask_exits, _ask_authority, _ask_contact, _ask_classified)


def read_classified(text: str) -> str:
    """Read whether anything is classified: `none` or `kept_out`.

    Raises:
        ValueError: it is neither.
    """
    word = fold_width(text).strip().lower()
    if word in {"1", "无", "没有", "否", "none", "n", "no"}:
        return "none"
    if word in {"2", "有", "是", "kept-out", "kept_out", "y", "yes"}:
        return "kept_out"
    raise ValueError("请写 1（没有）或 2（有，已排除在外）")


def _read_scan_level(text: str) -> Level:
    level = answers.read_level(text)
    if level is Level.PASSIVE:
        raise ValueError("层级写 1、2 或 3；只看日志不需要授权")
    return level


def _show_answers(one: Enrolment) -> None:
    print_note("")
    print_note("请核对：")
    for title, lines in describe_enrolment(one):
        for place, line in enumerate(lines):
            print_note(f"  {title if place == 0 else ' ' * 6}  {line}")


def describe_enrolment(one: Enrolment) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Put the answers into titled lines for people, the contact masked."""
    networks = tuple(
        f"{each.name}（{answers.ZONE_NAMES[each.zone]}）{answers.place_list(each.prefixes)}"
        f"  {'可探测' if each.scannable else '只看日志'}"
        for each in one.networks
    )
    exits = tuple(f"{each.name} {answers.place_list(each.prefixes)}{_private(each.prefixes)}" for each in one.exits)
    person = one.person.masked
    code = f"（{one.unit.code}）" if one.unit.code != one.unit.name else "（无标识码）"
    kept = f"，另列出 {len(one.keep_out)} 处地址" if one.keep_out else ""
    return (
        ("1 单位", (f"{one.unit.name}{code}",)),
        ("2 网段", networks or ("未登记，以后用 sentinel unit network",)),
        ("3 出口", exits or ("未登记，以后用 sentinel unit exit add",)),
        ("4 授权", (_authority(one),)),
        ("5 联系", ("  ".join(filter(None, (person.name, person.phone, person.mail))) or "未登记",)),
        ("6 涉密", (_STATES[one.classified] + kept,)),
    )


def _private(prefixes: tuple[IPNetwork, ...]) -> str:
    inner = any(one.version == other.version and one.overlaps(other) for one in prefixes for other in _INNER)
    return "（不是公网地址，请核对）" if inner else ""


def _authority(one: Enrolment) -> str:
    if not one.by:
        return "未定；签好授权书后用 sentinel scope authorise 登记"
    if not one.document:
        return f"{one.by}，文件未签发；签好授权书后用 sentinel scope authorise 登记"
    until = one.until or datetime.now(UTC) + timedelta(days=DEFAULT_DAYS)
    return f"{one.by}，{one.document}，至 {local_date(until)}，{answers.LEVEL_NAMES[one.level]}"


def read_options(
    unit: Unit,
    *,
    networks: list[str],
    exits: list[str],
    by: str,
    document: str,
    until: str,
    level: str,
    contact: tuple[str, str, str],
    classified: str,
    keep_out: list[str],
) -> Enrolment:
    """Read the answers from options.

    Raises:
        UsageError: one cannot be read; the line names the option.
    """
    one = Enrolment(unit)
    option = "--by"
    try:
        one = replace(one, by=answers.read_word(by, "授权人") if by else "")
        option = "--document"
        one = replace(one, document=answers.read_word(document, "文号") if document else "")
        option = "--network"
        for text in networks:
            one = replace(one, networks=answers.read_networks_line(text, unit.code, one.networks))
        option = "--exit"
        for text in exits:
            one = replace(one, exits=answers.read_exits_line(text, unit.code, one.exits, one.networks))
        option = "--until"
        one = replace(one, until=answers.read_until(until, datetime.now(UTC)) if until else None)
        option = "--scan-level"
        one = replace(one, level=_read_scan_level(level) if level else DEFAULT_LEVEL)
        option = "--contact"
        one = replace(one, person=read_person(*contact))
        option = "--classified"
        one = replace(one, classified=read_classified(classified) if classified else "kept_out" if keep_out else "")
        option = "--keep-out"
        places = [place for text in keep_out for place in answers.read_places(text)]
        if places and one.classified == "none":
            raise ValueError("写了排除的地址，涉密就不是“没有”")
        one = replace(one, keep_out=tuple(dict.fromkeys(places)))
        check_enrolment(one)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error
    if (until or level) and not one.document:
        raise UsageError("--until, --scan-level: need --document, what they are an authorisation of")
    if one.document and not one.by:
        raise UsageError("--document: needs --by, who authorises by it")
    return one


def read_person(name: str, phone: str, mail: str) -> Person:
    """Read a contact; without a name there must be neither phone nor mail.

    Raises:
        ValueError: it cannot be read.
    """
    if not name.strip():
        if phone.strip() or mail.strip():
            raise ValueError("有电话或邮箱，就要写姓名")
        return Person()
    return Person(answers.read_word(name, "姓名"), answers.read_phone(phone), answers.read_mail(mail))
