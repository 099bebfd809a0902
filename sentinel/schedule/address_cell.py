"""A cell in which people write where something is, in; addresses, names and ports out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_network, summarize_address_range

from sentinel.model.unit import IPNetwork
from sentinel.observe.table import fold_width
from sentinel.observe.text import is_host, parse_port
from sentinel.schedule.entries import parse_domain, parse_prefix

MAX_RANGE = 65_536
"""Addresses of one range; a longer one is a slip of the keyboard."""

NOTHING = frozenset(
    {
        *{"", "-", "--", "—", "——", "/", "\\", "无", "暂无", "没有", "n/a", "na", "none", "null", "空", "未知", "不详"},
        *{"待定", "不涉及", "dhcp", "动态", "动态获取", "自动获取", "自动分配", "动态分配"},
    }
)

_TYPED = str.maketrans("。．—–‐～〜", "..---~~")
_ASIDE = re.compile(r"[(【]([^()【】]*)[)】]|\[([^\[\]:]*)\]")
_ROUTED = re.compile(r"[0-9a-f]+[.:][0-9a-f.:]+|::[0-9a-f]*")
_RANGE_WORDS = re.compile(r"(?<=[0-9a-f])\s*(?:至|到|~|-+)\s*(?=[0-9a-f])")
_BETWEEN = re.compile(r"[\s,;、|&+]+|[和及与或]")
_LABEL = re.compile(r"[^\x00-\x7f]+:?|(?:vip|ipv?[46]?|ip地址)[:=](?=[0-9a-f]|::)")
_TAIL = re.compile(r"[^\x00-\x7f]+\Z")
_EDGES = re.compile(r"\A(?:[/.]|:(?!:))+|(?:[/.]|(?<!:):)+\Z")
"""Signs around an address that are none of it; the two points an IPv6 address begins or ends with are."""

_V4 = r"(?:\d{1,3}\.){3}\d{1,3}"
_URL = re.compile(r"[a-z]{3,5}://(?:\[([0-9a-f:.]+)\]|([^/?#@:\[\]]+))(?::(\d{1,5}))?(?:[/?#].*)?", re.DOTALL)
_WITH_PORT = re.compile(rf"({_V4}):(\d{{1,5}})(?:/.*)?")
_BRACKETED = re.compile(r"\[([0-9a-f:.]+)\](?::(\d{1,5}))?(?:/[^0-9].*)?")
_RANGE = re.compile(rf"({_V4})-({_V4})")
_SHORT_RANGE = re.compile(rf"({_V4})-(\d{{1,3}})")
_SLASHED = re.compile(rf"({_V4})((?:/\d{{1,3}})+)")
_STAR = re.compile(r"(\d{1,3}\.\d{1,3}\.\d{1,3})\.[*x]")
_NAME_WITH_PORT = re.compile(r"([a-z0-9*][a-z0-9*.-]*\.[a-z][a-z0-9-]+)(?::(\d{1,5}))?(?:/.*)?")
_NO_PLACE = "no address, range or domain (write 10.0.0.5, 10.0.0.5-10.0.0.9, 10.0.0.0/24 or www.school.example)"


@dataclass(slots=True)
class Places:
    """What a cell names, each once, in its order.

    Attributes:
        addresses: addresses and prefixes.
        domains: names.
        ports: ports written behind an address or a name; that of a web address only where it is written out.
    """

    addresses: dict[IPNetwork, None] = field(default_factory=dict)
    domains: dict[str, None] = field(default_factory=dict)
    ports: dict[int, None] = field(default_factory=dict)


def read_places(text: str, into: Places | None = None) -> Places:
    """Read a cell; words in Chinese beside an address (`主：10.0.0.5（内网）`) are passed over.

    Raises:
        ValueError: a piece of it is none of these; the message does not repeat it.
    """
    places = into if into is not None else Places()
    plain = fold_width(text).lower().translate(_TYPED)
    plain = _ASIDE.sub(lambda found: f" {found[1] or ''} " if _ROUTED.search(found[1] or "") else " ", plain)
    plain = _RANGE_WORDS.sub("-", plain)
    is_blank, found_any = True, False
    for word in _BETWEEN.split(plain):
        if word not in NOTHING:
            is_blank = False
            piece = _EDGES.sub("", _TAIL.sub("", _LABEL.sub("", word, count=1)))
            if piece not in NOTHING:
                found_any = True
                _read_piece(piece, places)
    if not is_blank and not found_any:
        raise ValueError(_NO_PLACE)
    return places


def _read_piece(piece: str, places: Places) -> None:
    if url := _URL.fullmatch(piece):
        _read_host(url[1] or url[2], url[3], places)
    elif single := _WITH_PORT.fullmatch(piece) or _BRACKETED.fullmatch(piece):
        _read_host(single[1], single[2], places)
    elif span := _RANGE.fullmatch(piece):
        _add_range(span[1], span[2], places)
    elif span := _SHORT_RANGE.fullmatch(piece):
        _add_range(span[1], f"{span[1].rpartition('.')[0]}.{span[2]}", places)
    elif star := _STAR.fullmatch(piece):
        places.addresses[_prefix(f"{star[1]}.0/24")] = None
    elif slashed := _SLASHED.fullmatch(piece):
        _read_slashed(piece, slashed[1], [int(one) for one in slashed[2].split("/")[1:]], places)
    elif name := _NAME_WITH_PORT.fullmatch(piece):
        _read_host(name[1], name[2], places)
    else:
        places.addresses[_prefix(piece)] = None


def _read_host(host: str, port: str | None, places: Places) -> None:
    try:
        places.addresses[_prefix(host)] = None
    except ValueError:
        places.domains[parse_domain(host)] = None
    if port:
        number = parse_port(port)
        if not number:
            raise ValueError("no port behind the address (ports run from 1 to 65535)")
        places.ports[number] = None


def _read_slashed(piece: str, first: str, numbers: list[int], places: Places) -> None:
    """Read `10.0.0.0/24`, and `10.0.0.5/6/7` for three hosts where it can mean nothing else.

    A single number from 8 to 32 behind an address inside a prefix may be its mask or the end of a second address.
    """
    if len(numbers) == 1 and 8 <= numbers[0] <= 32:
        try:
            places.addresses[_prefix(piece)] = None
        except ValueError as error:
            raise ValueError("is the number behind / a mask or a second address? write each address whole") from error
        return
    head, _, last = first.rpartition(".")
    ends = [int(last), *numbers]
    if not ends[0] or sorted(set(ends)) != ends:
        raise ValueError(_NO_PLACE)
    for end in ends:
        places.addresses[_prefix(f"{head}.{end}")] = None


def _add_range(first: str, last: str, places: Places) -> None:
    try:
        low, high = IPv4Address(first), IPv4Address(last)
    except ValueError as error:
        raise ValueError(_NO_PLACE) from error
    if not int(low) <= int(high) < int(low) + MAX_RANGE:
        raise ValueError(f"a range that runs backwards or holds more than {MAX_RANGE} addresses")
    places.addresses.update(dict.fromkeys(summarize_address_range(low, high)))


def _prefix(text: str) -> IPNetwork:
    try:
        prefix = parse_prefix(text)
    except ValueError as error:
        raise ValueError(str(error) if "too wide" in str(error) else _NO_PLACE) from error
    if not is_host(ip_network(prefix).network_address) and prefix.num_addresses == 1:
        raise ValueError("an address no host can have")
    return prefix
