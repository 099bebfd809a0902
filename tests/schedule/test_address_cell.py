"""What people write into a cell to say where something is."""

from __future__ import annotations

import pytest

from sentinel.schedule.address_cell import MAX_RANGE, read_places


def shown(text: str) -> list[str]:
    places = read_places(text)
    addresses = [str(one).removesuffix("/32").removesuffix("/128") for one in places.addresses]
    return [*addresses, *places.domains, *(f":{port}" for port in places.ports)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.1.0.5", ["10.1.0.5"]),
        ("１０．１．０．５", ["10.1.0.5"]),
        ("10。1。0。5", ["10.1.0.5"]),
        ("10.1.0.5、10.1.0.6，10.1.0.7；10.1.0.8", ["10.1.0.5", "10.1.0.6", "10.1.0.7", "10.1.0.8"]),
        ("10.1.0.5\n10.1.0.6", ["10.1.0.5", "10.1.0.6"]),
        ("10.1.0.5和10.1.0.6", ["10.1.0.5", "10.1.0.6"]),
        ("10.1.0.5|10.1.0.6 & 10.1.0.7", ["10.1.0.5", "10.1.0.6", "10.1.0.7"]),
        ("10.1.0.4-10.1.0.7", ["10.1.0.4/30"]),
        ("10.1.0.4 至 10.1.0.7", ["10.1.0.4/30"]),
        ("10.1.0.4～7", ["10.1.0.4/30"]),
        ("10.1.0.4-7", ["10.1.0.4/30"]),
        ("10.1.0.5—10.1.0.6", ["10.1.0.5", "10.1.0.6"]),
        ("10.1.0.5/6", ["10.1.0.5", "10.1.0.6"]),
        ("10.1.0.5/6/7", ["10.1.0.5", "10.1.0.6", "10.1.0.7"]),
        ("10.1.0.50/51", ["10.1.0.50", "10.1.0.51"]),
        ("10.1.0.0/24", ["10.1.0.0/24"]),
        ("10.1.0.0/255.255.255.0", ["10.1.0.0/24"]),
        ("10.1.0.5/32", ["10.1.0.5"]),
        ("10.1.0.*", ["10.1.0.0/24"]),
        ("内网：10.1.0.5（主）\n外网:202.0.2.10（备）", ["10.1.0.5", "202.0.2.10"]),
        ("VIP:10.1.0.5", ["10.1.0.5"]),
        ("10.1.0.5(202.0.2.10)", ["10.1.0.5", "202.0.2.10"]),
        ("10.1.0.5:8080", ["10.1.0.5", ":8080"]),
        ("http://10.1.0.5:8080/login?a=b#c", ["10.1.0.5", ":8080"]),
        ("https://WWW.School.Example/", ["www.school.example"]),
        ("www.school.example:8443/a", ["www.school.example", ":8443"]),
        ("*.school.example", ["*.school.example"]),
        ("2001:db8::5", ["2001:db8::5"]),
        ("2001:db8::/64", ["2001:db8::/64"]),
        ("http://[2001:db8::5]:80/", ["2001:db8::5", ":80"]),
        ("::ffff:10.1.0.5", ["10.1.0.5"]),
        ("：：ffff：10.1.0.5", ["10.1.0.5"]),
        ("http://[::ffff:10.1.0.5]:81/a", ["10.1.0.5", ":81"]),
        ("fd00::", ["fd00::"]),
        ("地址：fd00::、10.1.0.5：", ["fd00::", "10.1.0.5"]),
        ("10.1.0.5（::ffff:10.1.0.6）", ["10.1.0.5", "10.1.0.6"]),
        ("ipv6:::ffff:10.1.0.5", ["10.1.0.5"]),
        ("[2001:db8::5]:443", ["2001:db8::5", ":443"]),
        ("[2001:db8::5]", ["2001:db8::5"]),
        ("10.1.0.5（::1）", ["10.1.0.5", "::1"]),
        ("2001:db8::5：", ["2001:db8::5"]),
        ("10.1.0.5 10.1.0.5", ["10.1.0.5"]),
        ("无", []),
        ("——", []),
        ("/", []),
        ("DHCP", []),
        ("自动获取", []),
        ("", []),
    ],
)
def test_place_when_written_in_any_way_is_read(text: str, expected: list[str]) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10.1.0.300", "no address"),
        ("10.1.0", "no address"),
        ("10.1.0.5,80", "no address"),
        ("10.1.0.5/24", "a mask or a second address"),
        ("10.1.0.5/12", "a mask or a second address"),
        ("10.1.0.7/6/5", "no address"),
        ("10.1.0.9-10.1.0.5", "backwards"),
        ("10.0.0.1-10.9.0.1", str(MAX_RANGE)),
        ("10.0.0.0/4", "no address"),
        ("0.0.0.0", "no host can have"),
        ("::", "no host can have"),
        ("10.1.0.5 ::", "no host can have"),
        (":::1", "no address"),
        ("2001:db8", "no address"),
        ("2001:db8::5::", "no address"),
        ("fe80::1%eth0", "no address"),
        ("224.0.0.1", "no host can have"),
        ("10.1.0.5:99999", "no port"),
        ("服务器三台", "no address"),
        ("=HYPERLINK(1)", "no address"),
        ("10.1.0.5\x0010.1.0.6", "no address"),
    ],
)
def test_cell_that_cannot_be_read_is_refused_without_being_repeated(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_places(text)
    assert text not in str(caught.value)
