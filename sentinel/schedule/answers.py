"""What people type about their unit in; values out. Full-width letters, Chinese commas and Chinese words are read.

Every ValueError says in Chinese what is wrong and what to write; none repeats a person's name or number.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from ipaddress import IPv4Address

from sentinel.collect.ranges import to_networks
from sentinel.model.moment import SHANGHAI
from sentinel.model.plain import read_plain_address, read_plain_prefix
from sentinel.model.register import Exit
from sentinel.model.scope import Level
from sentinel.model.unit import DEFAULT_NETWORK, IPNetwork, Network, Zone
from sentinel.observe.table import fold_width

MAX_NAME = 60
"""Characters of a name a person types."""

ZONE_NAMES = {
    Zone.SERVER: "服务器区",
    Zone.OFFICE: "办公区",
    Zone.DORMITORY: "宿舍区",
    Zone.WIRELESS: "无线网",
    Zone.IOT: "物联网",
    Zone.EXAM: "考试专网",
    Zone.DMZ: "DMZ",
    Zone.UNKNOWN: "其他网段",
}
LOGS_ONLY_ZONES = frozenset({Zone.DORMITORY, Zone.WIRELESS})
"""Where people live and carry their own machines: only logs are read unless somebody says otherwise."""

_ZONE_WORDS = {
    Zone.SERVER: "服务器区 服务器 服务器网 机房 数据中心 server servers",
    Zone.OFFICE: "办公区 办公 办公网 教学 教学区 教学网 行政 行政区 office",
    Zone.DORMITORY: "宿舍区 宿舍 宿舍网 学生宿舍 dormitory dorm",
    Zone.WIRELESS: "无线网 无线 无线区 无线网络 wifi wi-fi wlan wireless",
    Zone.IOT: "物联网 物联网区 物联 安防 监控 监控网 一卡通 iot",
    Zone.EXAM: "考试专网 考试 考试区 考试网 考场 exam",
    Zone.DMZ: "dmz 隔离区 对外服务区",
    Zone.UNKNOWN: "其他网段 其他 其它 未定 unknown other",
}
_ZONES = {word: zone for zone, words in _ZONE_WORDS.items() for word in words.split()}
_SCAN_WORDS = {"可探测": True, "可扫描": True, "scan": True, "只看日志": False, "仅日志": False, "logs-only": False}
_LEVELS = {
    Level.PASSIVE: "passive 只看日志 日志 0",
    Level.DISCOVER: "discover 端口 在线与端口 1",
    Level.SERVICE: "service 服务 识别服务 2",
    Level.CHECK: "check 核查 只读核查 3",
}
LEVEL_NAMES = {
    Level.PASSIVE: "只看日志",
    Level.DISCOVER: "在线与端口",
    Level.SERVICE: "识别服务",
    Level.CHECK: "只读核查",
}
_BETWEEN = re.compile(r"[\s,;、，；=]+")
_TYPED = str.maketrans("。—–〜～", ".----")
_SEAM = re.compile(r"(?<=[\u4e00-\u9fff]):\s*|(?<=[\u4e00-\u9fff])(?=\d{1,3}\.\d)")
"""Where a Chinese word ends and an address begins without a blank."""

_PLACE_LIKE = re.compile(r"[0-9a-f.:/*-]*[.:][0-9a-f.:/*-]*", re.IGNORECASE)
_CODE = re.compile(r"\d{10}")
_PHONE = re.compile(r"\+?[\d() -]{5,24}")
_MAIL = re.compile(r"[^\s@,;<>]{1,64}@[a-z0-9.-]{1,190}\.[a-z]{2,24}", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?|(\d{4})(\d\d)(\d\d)")
_LAST_YEAR = 2199
WIDEST = {4: 8, 6: 32}
_YES = frozenset({"是", "y", "yes", "对", "好", "确认"})
_NO = frozenset({"否", "n", "no", "不", "不是"})


def read_word(text: str, what: str) -> str:
    """Read a name or title: one printable line.

    Raises:
        ValueError: it is empty, too long, or holds what cannot be printed.
    """
    word = text.strip()
    if not word:
        raise ValueError(f"{what}不能为空")
    if len(word) > MAX_NAME or not word.isprintable():
        raise ValueError(f"{what}至多 {MAX_NAME} 个可显示的字符")
    return word


def read_code(text: str) -> str:
    """Read the 10-digit code of a school (学校（机构）标识码); nothing stays nothing.

    Raises:
        ValueError: it has not ten digits.
    """
    code = re.sub(r"[\s-]", "", fold_width(text))
    if code and not (_CODE.fullmatch(code) and code.isascii()):
        raise ValueError(f"学校（机构）标识码是 10 位数字，这里读到 {len(code)} 个字符")
    return code


def read_networks_line(text: str, unit: str, known: Sequence[Network]) -> tuple[Network, ...]:
    """Read `名称 区域 网段…` or `区域 网段…` and put it to the networks known so far.

    A second line of the same name adds to it. Dormitory and wireless networks are for logs only unless `可探测` is
    written; `只看日志` makes any network so.

    Raises:
        ValueError: it cannot be read, or a prefix overlaps one that is known.
    """
    words, prefixes = _part(text)
    flags = [_SCAN_WORDS[word.lower()] for word in words if word.lower() in _SCAN_WORDS]
    names = [word for word in words if word.lower() not in _SCAN_WORDS]
    zones = [_ZONES[word.lower()] for word in names if word.lower() in _ZONES]
    others = [word for word in names if word.lower() not in _ZONES]
    if len(zones) == 2 and not others:  # `机房 服务器区`: the first is what people call it
        zones, others = zones[1:], names[:1]
    if not prefixes:
        raise ValueError("没有网段；例：服务器区 10.1.0.0/24")
    if len(zones) != 1 or len(others) > 1 or len(flags) > 1:
        raise ValueError(f"区域须恰好写一个：{'、'.join(ZONE_NAMES.values())}；例：教学楼 办公区 10.2.0.0/16")
    (zone,) = zones
    name = read_word(others[0], "网络名称") if others else ZONE_NAMES[zone]
    if name == DEFAULT_NETWORK:
        raise ValueError("default 是其余地址所在的网络，请换一个名称")
    scannable = flags[0] if flags else zone not in LOGS_ONLY_ZONES
    before = next((one for one in known if one.name == name), None)
    if before and (before.zone is not zone or (flags and before.scannable != scannable)):
        raise ValueError(f"网络“{name}”前面已写成另一种区域或探测方式，请换一个名称")
    refuse_overlap(prefixes, known)
    if before:
        return tuple(replace(one, prefixes=(*one.prefixes, *prefixes)) if one is before else one for one in known)
    return (*known, Network(0, unit, name, zone, prefixes, scannable))


def read_exits_line(text: str, unit: str, known: Sequence[Exit], networks: Sequence[Network]) -> tuple[Exit, ...]:
    """Read `名称 公网地址…` and put it to the exits known so far; without a name it is called `出口`.

    Raises:
        ValueError: it cannot be read, or overlaps another exit or only a part of a network.
    """
    words, prefixes = _part(text)
    if not prefixes:
        raise ValueError("没有地址；例：教育网出口 203.0.113.0/28、203.0.113.100")
    if len(words) > 1:
        raise ValueError("出口名称只写一个词，其后写地址；例：电信出口 203.0.113.8")
    name = read_word(words[0], "出口名称") if words else f"出口{len(known) + 1}" if known else "出口"
    if name == DEFAULT_NETWORK or any(one.name == name for one in known):
        raise ValueError(f"出口名称“{name}”已用过，请换一个")
    for one in known:
        _refuse_shared(prefixes, one.prefixes, f"出口“{one.name}”")
    refuse_overlap([prefix for prefix in prefixes if not is_inside(prefix, networks)], networks)
    if any(one.name == name for one in networks) and not all(is_inside(prefix, networks) for prefix in prefixes):
        raise ValueError(f"“{name}”已是网络的名称，请换一个")
    return (*known, Exit(0, unit, name, prefixes))


def read_places(text: str) -> tuple[IPNetwork, ...]:
    """Read addresses, prefixes and ranges (`10.1.0.10-10.1.0.20`) and nothing else.

    Raises:
        ValueError: a word is none of these, or there is nothing.
    """
    words, prefixes = _part(text)
    if words:
        raise ValueError(f"“{words[0][:MAX_NAME]}”不是地址或网段；例：10.9.0.0/24、10.9.1.5")
    if not prefixes:
        raise ValueError("没有地址；例：10.9.0.0/24、10.9.1.5")
    return prefixes


def place_text(prefix: IPNetwork) -> str:
    """Write an address as one, not as a prefix of full length."""
    return str(prefix.network_address if prefix.prefixlen == prefix.max_prefixlen else prefix)


def place_list(prefixes: Iterable[IPNetwork]) -> str:
    """Write addresses and prefixes on one line."""
    return "、".join(map(place_text, prefixes))


def is_inside(prefix: IPNetwork, networks: Iterable[Network]) -> bool:
    """Tell whether one network's prefix holds the whole of it."""
    return any(
        prefix.version == one.version and int(one.network_address) <= int(prefix.network_address)
        and int(prefix.broadcast_address) <= int(one.broadcast_address)
        for network in networks for one in network.prefixes
    )  # fmt: skip


def refuse_overlap(prefixes: Iterable[IPNetwork], networks: Iterable[Network]) -> None:
    """Refuse prefixes that share addresses with a network.

    Raises:
        ValueError: one does.
    """
    prefixes = tuple(prefixes)
    for network in networks:
        _refuse_shared(prefixes, network.prefixes, f"网络“{network.name}”")


def read_level(text: str) -> Level:
    """Read how far an authorisation reaches, by name, number or in Chinese.

    Raises:
        ValueError: it is none.
    """
    word = fold_width(text).strip().lower()
    for level, words in _LEVELS.items():
        if word in words.split():
            return level
    raise ValueError("层级写 1（在线与端口）、2（识别服务）或 3（只读核查）")


def read_until(text: str, now: datetime) -> datetime:
    """Read the last day of an authorisation: `2026-12-31`, `2026年12月31日`, `20261231`; it ends with that day.

    Raises:
        ValueError: it is no day, or it is over.
    """
    found = _DAY.fullmatch(re.sub(r"\s", "", fold_width(text).translate(_TYPED)))
    if not found:
        raise ValueError("日期写成 2026-12-31 或 2026年12月31日")
    year, month, day = int(found[1] or found[4]), int(found[2] or found[5]), found[3] or found[6]
    try:
        last = date(year, month, int(day) if day else monthrange(year, month)[1])
    except ValueError as error:
        raise ValueError("没有这一天；日期写成 2026-12-31") from error
    moment = datetime.combine(last, time.max, SHANGHAI).astimezone(UTC)
    if moment <= now or year > _LAST_YEAR:
        raise ValueError(f"截止日期须在今天之后、{_LAST_YEAR} 年之前")
    return moment


def read_phone(text: str) -> str:
    """Read a phone number as written; nothing stays nothing.

    Raises:
        ValueError: it is none; the message does not repeat it.
    """
    phone = " ".join(fold_width(text).translate(_TYPED).split())
    if phone and not (_PHONE.fullmatch(phone) and 5 <= sum(one.isdigit() for one in phone) <= 15):
        raise ValueError("电话写成 0371-60000000 或 13800000000")
    return phone


def read_mail(text: str) -> str:
    """Read a mail address; nothing stays nothing.

    Raises:
        ValueError: it is none; the message does not repeat it.
    """
    mail = fold_width(text).strip()
    if mail and not _MAIL.fullmatch(mail):
        raise ValueError("邮箱写成 name@school.edu.cn")
    return mail


def read_yes(text: str) -> bool:
    """Read yes or no.

    Raises:
        ValueError: it is neither.
    """
    word = fold_width(text).strip().lower()
    if word in _YES | _NO:
        return word in _YES
    raise ValueError("请写“是”或“否”")


def _part(text: str) -> tuple[list[str], tuple[IPNetwork, ...]]:
    """Part the words of a line from the addresses in it."""
    plain = _SEAM.sub(" ", fold_width(text).translate(_TYPED))
    words: list[str] = []
    prefixes: list[IPNetwork] = []
    for piece in filter(None, _BETWEEN.split(re.sub(r"\s*-\s*(?=\d)", "-", plain))):
        if not _PLACE_LIKE.fullmatch(piece):
            words.append(piece)
            continue
        found = _read_place(piece)
        _refuse_shared(found, prefixes, "本行前面的网段")
        prefixes += found
    return words, tuple(prefixes)


def _read_place(piece: str) -> tuple[IPNetwork, ...]:
    low, dash, high = piece.partition("-")
    try:
        found = _read_span(low, high) if dash else (read_plain_prefix(piece, strict=False),)
    except ValueError as error:
        raise ValueError(f"“{piece[:MAX_NAME]}”不是地址或网段；例：10.1.0.0/24") from error
    whole = found[0]
    written = low.partition("/")[0]
    if not dash and read_plain_address(written) != whole.network_address:
        raise ValueError(f"“{piece}”的主机位不为零：整个网段写 {whole}，一个地址写 {written}")
    if any(one.prefixlen < WIDEST[one.version] for one in found):
        raise ValueError(f"“{piece}”太大：IPv4 至多写到 /8，IPv6 至多写到 /32")
    if whole.is_multicast or whole.is_unspecified or whole.is_link_local:
        raise ValueError(f"“{piece}”不是可登记的单播地址")
    return found


def _read_span(low: str, high: str) -> tuple[IPNetwork, ...]:
    first, last = (
        read_plain_address(low),
        read_plain_address(high if "." in high or ":" in high else _last_byte(low, high)),
    )
    if first.version != last.version or int(last) < int(first):
        raise ValueError("no range")
    return to_networks([(first.version, int(first), int(last))])


def _last_byte(low: str, high: str) -> str:
    """Complete `10.1.0.10-20`."""
    return f"{low.rpartition('.')[0]}.{high}" if isinstance(read_plain_address(low), IPv4Address) else high


def _refuse_shared(prefixes: Iterable[IPNetwork], others: Iterable[IPNetwork], where: str) -> None:
    others = tuple(others)
    for prefix in prefixes:
        for other in others:
            if prefix.version == other.version and prefix.overlaps(other):
                raise ValueError(f"{prefix} 与{where}的 {other} 重叠，一个地址只能属于一个网络")
