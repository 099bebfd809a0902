from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.collect.target import parse_target, printable
from sentinel.model.plain import read_plain_prefix


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.5", "192.0.2.5"),
        ("192.0.2.5/32", "192.0.2.5"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8::/120", "2001:db8::/120"),
        ("::1", "::1"),
        ("::ffff:192.0.2.5", "192.0.2.5"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
    ],
)
def test_parse_target_when_address_or_prefix_then_network(text: str, canonical: str) -> None:
    target = parse_target(text)
    assert (target.text, target.network, target.name) == (canonical, ip_network(canonical), "")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("www.school.example", "www.school.example"),
        ("WWW.School.Example.", "www.school.example"),
        ("localhost", "localhost"),
        ("163.com", "163.com"),
        ("*.school.example", "*.school.example"),
        ("xn--fiqs8s.example", "xn--fiqs8s.example"),
        ("学校.中国", "xn--48s290a.xn--fiqs8s"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example"),
    ],
)
def test_parse_target_when_domain_name_then_lower_ascii(text: str, name: str) -> None:
    target = parse_target(text)
    assert (target.text, target.network, target.name) == (name, None, name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-iL /etc/passwd",
        "-iL/etc/passwd",
        "--script=x",
        "-oN",
        "192.0.2.1 -sV",
        "192.0.2.1\t",
        "192.0.2.1\n192.0.2.2",
        "192.0.2.1\x00",
        "192.0.2.1;reboot",
        "$(reboot)",
        "`reboot`",
        "192.0.2.1|x",
        "192.0.2.1&",
        "192.0.2.1-5",
        "192.0.2.*",
        "192.0.2.1,2",
        "10.0.0-255.1-254",
        "192.0.2",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0x7f000001",
        "school.0x1",
        "0127.0.0.1",
        "192.0.2.256",
        "192.0.2.5/24",
        "192.0.2.0/33",
        "192.0.2.0/024",
        "192.0.2.0/",
        "192.0.2.0/-1",
        "192.0.2.0/255.255.255.0",
        "192.0.2.0/24/24",
        "2001:db8::/129",
        "2001:db8::1/64",
        "fe80::1%eth0",
        "fe80::1%1",
        "[::1]",
        "::1:",
        "http://school.example",
        "http://school.example/",
        "school.example/24",
        "school.example:80",
        "user@school.example",
        "school..example",
        ".school.example",
        "school.example..",
        "-school.example",
        "school-.example",
        "sch_ool.example",
        "school.example-",
        "*",
        "*.",
        "*.example",
        "www.*.example",
        "**.school.example",
        "1\uff12\uff17.0.0.1",
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020.0.1",
        "school\u3002example",
        "school\uff0eexample",
        "\uff53chool.example",
        "sch\u00adool.example",
        "\u202eschool.example",
        "\u0661\u0662\u0667.0.0.1",
        "\u0661school.example",
        f"{'a' * 64}.example",
        f"{'学' * 64}.example",
        ".".join(["a" * 50] * 6),
        "a." * 126 + "aa.example",
        "*." + "a." * 122 + "examples",
    ],
)
def test_parse_target_when_anything_else_then_refused(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_target(text)
    message = str(caught.value)
    assert message
    assert "\n" not in message
    assert message[0] == message[0].lower() or message.startswith("no IP")


def test_parse_target_when_host_bits_are_set_then_both_readings_are_offered() -> None:
    with pytest.raises(ValueError, match=r"192\.0\.2\.0/24 for the prefix or 192\.0\.2\.5 for the address"):
        parse_target("192.0.2.5/24")


_OPTION_PARTS = st.sampled_from(
    [
        "-iL",
        "--script",
        "=",
        " ",
        "-",
        "/etc/passwd",
        "127.0.0.1",
        "school.example",
        "\t",
        "'",
        '"',
        "\\",
        "$",
        "*",
        "-oN",
    ]
)


@given(st.one_of(st.text(max_size=40), st.lists(_OPTION_PARTS, max_size=5).map("".join)))
def test_parse_target_when_any_text_then_result_cannot_be_an_option(text: str) -> None:
    try:
        target = parse_target(text)
    except ValueError:
        return
    assert target.text.isascii()
    assert target.text.isprintable()
    assert set(target.text) <= set("abcdefghijklmnopqrstuvwxyz0123456789.:/-*")
    assert not target.text.startswith("-")
    assert len(target.text) <= 253
    assert parse_target(target.text) == target


@given(st.ip_addresses())
def test_parse_target_when_any_address_then_same_address(address: object) -> None:
    assert parse_target(str(address)).network == read_plain_prefix(str(address))


def test_printable_when_text_is_hostile_then_short_and_shown() -> None:
    shown = printable("\x1b[31m" + "a\u202eb\n" + "c" * 300)
    assert len(shown) == 200
    assert shown.isprintable()
    assert shown.startswith("\ufffd[31ma\ufffdb\ufffdc")
