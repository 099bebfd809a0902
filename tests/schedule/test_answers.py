from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sentinel.model.register import Exit
from sentinel.model.scope import Level
from sentinel.model.unit import Network, Zone
from sentinel.schedule import answers
from tests.homes import NOW


def networks(*lines: str) -> tuple[Network, ...]:
    known: tuple[Network, ...] = ()
    for line in lines:
        known = answers.read_networks_line(line, "u", known)
    return known


@pytest.mark.parametrize(
    ("line", "name", "zone", "places", "scannable"),
    [
        ("服务器区 10.1.0.0/24, 10.1.1.0/24", "服务器区", Zone.SERVER, "10.1.0.0/24、10.1.1.0/24", True),
        ("server=10.1.0.0/24", "服务器区", Zone.SERVER, "10.1.0.0/24", True),
        ("图书馆　办公区　１０.２.０.０／１６", "图书馆", Zone.OFFICE, "10.2.0.0/16", True),
        ("机房 服务器区 10.1.0.0/24", "机房", Zone.SERVER, "10.1.0.0/24", True),
        ("宿舍：10.3.0.0/16", "宿舍区", Zone.DORMITORY, "10.3.0.0/16", False),
        ("WiFi 10.4.0.0/16；10.5.0.0/16", "无线网", Zone.WIRELESS, "10.4.0.0/16、10.5.0.0/16", False),
        ("宿舍 可探测 10.3.0.0/16", "宿舍区", Zone.DORMITORY, "10.3.0.0/16", True),
        ("办公 只看日志 10.3.0.0/16", "办公区", Zone.OFFICE, "10.3.0.0/16", False),
        ("监控10.8.0.10-20", "物联网", Zone.IOT, "10.8.0.10/31、10.8.0.12/30、10.8.0.16/30、10.8.0.20", True),
        ("exam 10.8.0.0/255.255.255.0", "考试专网", Zone.EXAM, "10.8.0.0/24", True),
        ("dmz 2001:db8::/48 10。9。0。0/24", "DMZ", Zone.DMZ, "2001:db8::/48、10.9.0.0/24", True),
    ],
)
def test_network_line_in_any_usual_writing_is_read(
    line: str, name: str, zone: Zone, places: str, scannable: bool
) -> None:
    (network,) = networks(line)
    assert (network.name, network.zone, network.scannable) == (name, zone, scannable)
    assert answers.place_list(network.prefixes) == places


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["10.1.0.0/24"], "区域须恰好写一个"),
        (["图书馆 10.1.0.0/24"], "区域须恰好写一个"),
        (["服务器区"], "没有网段"),
        (["办公 10.1.0.5/24"], "主机位不为零：整个网段写 10.1.0.0/24"),
        (["办公 300.1.1.1"], "不是地址或网段"),
        (["办公 10.0.0.0/7"], "太大"),
        (["办公 10.1.0.20-10"], "不是地址或网段"),
        (["办公 224.0.0.0/24"], "不是可登记的单播地址"),
        (["default 办公 10.1.0.0/24"], "请换一个名称"),
        (["办公 10.1.0.0/24 10.1.0.128/25"], "重叠"),
        (["办公 10.1.0.0/16", "服务器 10.1.1.0/24"], "10.1.1.0/24 与网络“办公区”的 10.1.0.0/16 重叠"),
        (["甲 办公 10.1.0.0/24", "甲 服务器 10.2.0.0/24"], "另一种区域"),
    ],
)
def test_network_line_that_cannot_be_meant_is_refused_with_what_to_write(lines: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        networks(*lines)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_network_line_of_the_same_name_adds_to_it() -> None:
    (network,) = networks("办公 10.1.0.0/24", "办公 10.2.0.0/24")
    assert answers.place_list(network.prefixes) == "10.1.0.0/24、10.2.0.0/24"


def test_exit_lines_are_named_and_may_lie_in_a_network_but_not_across_its_edge() -> None:
    known = networks("dmz 203.0.113.0/28")
    exits: tuple[Exit, ...] = ()
    for line in ("202.112.0.0/28", "电信：203.0.113.8，202.112.1.9", "202.112.2.1"):
        exits = answers.read_exits_line(line, "u", exits, known)
    assert [one.name for one in exits] == ["出口", "电信", "出口3"]
    for line in ("移动 203.0.113.0/24", "电信 202.112.9.1", "移动 202.112.0.7", "移动", "甲 乙 202.112.9.1"):
        with pytest.raises(ValueError, match=r"\w"):
            answers.read_exits_line(line, "u", exits, known)


@pytest.mark.parametrize(
    "text",
    ["2026-12-31", "2026年12月31日", "20261231", "2026/12/31", "２０２６．１２．３１", "2026年12月", " 2026-12 "],
)
def test_last_day_in_any_usual_writing_ends_with_that_day(text: str) -> None:
    assert answers.read_until(text, NOW) == datetime(2026, 12, 31, 15, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "明天", "2026-02-30", "2026-11-21", "9999-12-31", "12-31"])
def test_last_day_that_is_none_or_over_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        answers.read_until(text, NOW)


def test_code_is_ten_digits_or_nothing() -> None:
    assert answers.read_code("４１０１ ０００００１") == "4101000001"
    assert answers.read_code(" ") == ""
    for text in ("123", "41010000012", "410100000a", "①②③④⑤⑥⑦⑧⑨⑩"):
        with pytest.raises(ValueError, match="10 位数字"):
            answers.read_code(text)


@pytest.mark.parametrize("text", ["1", "discover", "端口", "１"])
def test_level_by_number_name_or_word(text: str) -> None:
    assert answers.read_level(text) is Level.DISCOVER


@pytest.mark.parametrize("text", ["abc", "123", "1" * 20, "13800001234;rm"])
def test_phone_that_is_none_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        answers.read_phone(text)
    assert text not in str(caught.value)
