"""Parsers of published mappings. The texts follow the makers' published references; none is a real device's export."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.errors import ParseError
from sentinel.model.publication import Mapping, Via
from sentinel.observe.fortinet_vip import is_fortinet_vip, parse_fortinet_vip
from sentinel.observe.iptables_dnat import is_iptables_dnat, parse_iptables_dnat
from sentinel.observe.nat_server import is_nat_server, parse_nat_server
from sentinel.observe.nginx_conf import is_nginx_conf, parse_nginx_conf
from sentinel.observe.published import Unread, count_mask, count_range, read_ports

PUBLIC = ip_address("203.0.113.9")


def told(found: Iterable[Mapping | Unread]) -> list[str]:
    """One line for each: `203.0.113.5 tcp 80-80 > 10.0.0.5 8080 name`, or the line of what was not read."""
    lines = []
    for one in found:
        if isinstance(one, Unread):
            lines.append(f"unread {one.line}")
        else:
            ends = f"{one.outside} {one.proto} {one.first_port}-{one.last_port} > {one.inside} {one.inside_port}"
            lines.append(f"{ends} {one.name}".strip())
    return lines


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "nat server web zone untrust protocol tcp global 203.0.113.5 www inside 10.0.0.5 8080 no-reverse unr-route",
            ["203.0.113.5 tcp 80-80 > 10.0.0.5 8080"],
        ),
        (
            "nat server 0 protocol tcp global 203.0.113.5 9000 9010 inside 10.0.0.5 9000 9010",
            ["203.0.113.5 tcp 9000-9010 > 10.0.0.5 9000"],
        ),
        ("nat server s global 203.0.113.5 inside 10.0.0.5", ["203.0.113.5  0-0 > 10.0.0.5 0"]),
        (
            "nat server protocol udp global 203.0.113.5 9000 9001 inside 10.0.0.5 10.0.0.6 53",
            ["203.0.113.5 udp 9000-9000 > 10.0.0.5 53", "203.0.113.5 udp 9001-9001 > 10.0.0.6 53"],
        ),
        (
            "nat server global 203.0.113.5 203.0.113.6 inside 10.0.0.5 10.0.0.6",
            ["203.0.113.5  0-0 > 10.0.0.5 0", "203.0.113.6  0-0 > 10.0.0.6 0"],
        ),
        ("nat static outbound 10.0.0.5 203.0.113.5", ["203.0.113.5  0-0 > 10.0.0.5 0"]),
        ("nat static inbound 203.0.113.5 10.0.0.5", ["203.0.113.5  0-0 > 10.0.0.5 0"]),
        (
            "nat static protocol tcp global 203.0.113.5 443 inside 10.0.0.5 8443 netmask 255.255.255.255",
            ["203.0.113.5 tcp 443-443 > 10.0.0.5 8443"],
        ),
        (
            "nat static global 203.0.113.4 inside 10.0.0.4 netmask 255.255.255.254",
            ["203.0.113.4  0-0 > 10.0.0.4 0", "203.0.113.5  0-0 > 10.0.0.5 0"],
        ),
        (
            "nat server protocol 6 global 2001:db8::5 443 inside fd00::5 8443",
            ["2001:db8::5 tcp 443-443 > fd00::5 8443"],
        ),
        ("undo nat server web", []),
        ("nat server web protocol tcp global 203.0.113.5 80 inside 10.0.0.5 80 disable", []),
        ("nat server protocol icmp global 203.0.113.5 inside 10.0.0.5", ["unread 1"]),
        ("nat server protocol tcp global 203.0.113.5 80 inside server-group 1", ["unread 1"]),
        ("nat server protocol tcp global 203.0.113.5 80 90 inside 10.0.0.5 10.0.0.6 80", ["unread 1"]),
        ("nat server protocol tcp global 203.0.113.999 80 inside 10.0.0.5 80", ["unread 1"]),
        ("nat static outbound net-to-net 10.0.0.1 10.0.0.9 global 203.0.113.0 24", ["unread 1"]),
        ("nat static global 203.0.0.0 inside 10.0.0.0 netmask 255.0.0.0", ["unread 1"]),
        ("nat server protocol tcp global 203.0.113.5 443 inside 10.0.0.5 84430", ["unread 1"]),
        ("nat server protocol udp global 203.0.113.5 99999 inside 10.0.0.5", ["unread 1"]),
        ("nat server protocol tcp global 203.0.113.5 0 inside 10.0.0.5 0", ["203.0.113.5 tcp 0-0 > 10.0.0.5 0"]),
        ("nat server protocol", ["unread 1"]),
        ("nat server global", ["unread 1"]),
    ],
)
def test_nat_server_line_when_read_gives_what_it_publishes(line: str, expected: list[str]) -> None:
    assert told(parse_nat_server([f" {line}\n"])) == expected


@pytest.mark.parametrize(
    "where", ["current-interface", "interface GigabitEthernet0/0/1", "interface GigabitEthernet 0/0/1"]
)
def test_nat_server_of_an_interface_needs_its_address(where: str) -> None:
    line = f"nat server protocol tcp global {where} 8080 inside 10.0.0.5 80"
    (unread,) = parse_nat_server([line])
    assert isinstance(unread, Unread)
    assert "--outside" in unread.reason
    assert told(parse_nat_server([line], PUBLIC)) == ["203.0.113.9 tcp 8080-8080 > 10.0.0.5 80"]


FORTINET = """
config firewall address
    edit "x"
        set subnet 10.0.0.0 255.0.0.0
    next
end
config firewall vip
    edit "门户网站"
        set uuid 1
        set extip 203.0.113.5
        set extintf "wan1"
        set portforward enable
        set mappedip "10.0.0.5"
        set extport 443
        set mappedport 8443
    next
    edit "whole"
        set extip 203.0.113.6-203.0.113.7
        set mappedip "10.0.0.6-10.0.0.7"
    next
    edit "interface"
        set extip 0.0.0.0
        set portforward enable
        set protocol udp
        set extport 500-510
        set mappedip 10.0.0.8
    next
    edit "off"
        set status disable
        set extip 203.0.113.8
        set mappedip 10.0.0.9
    next
    edit "balanced"
        set type server-load-balance
        set server-type tcp
        set extip 203.0.113.10
        set extport 80
        config realservers
            edit 1
                set ip 10.0.0.11
                set port 8080
            next
            edit 2
                set ip 10.0.0.12
                set status disable
            next
        end
    next
    edit "odd"
        set extip 203.0.113.6-203.0.113.9
        set mappedip "10.0.0.6"
    next
end
config firewall policy
    edit 1
        set extip 203.0.113.99
        set mappedip 10.0.0.99
    next
end
"""


def line_of(entry: str) -> int:
    return FORTINET.splitlines().index(f'    edit "{entry}"') + 1


def test_fortinet_section_when_read_gives_its_entries_and_no_other_section() -> None:
    found = list(parse_fortinet_vip(FORTINET.splitlines(), PUBLIC))
    assert told(found) == [
        "203.0.113.5 tcp 443-443 > 10.0.0.5 8443",
        "203.0.113.6  0-0 > 10.0.0.6 0",
        "203.0.113.7  0-0 > 10.0.0.7 0",
        "203.0.113.9 udp 500-510 > 10.0.0.8 0",
        "203.0.113.10 tcp 80-80 > 10.0.0.11 8080",
        f"unread {line_of('odd')}",
    ]
    assert isinstance(found[0], Mapping)
    assert found[0].note == "门户网站"
    assert isinstance(found[4], Mapping)
    assert found[4].via is Via.BALANCER
    assert told(parse_fortinet_vip(FORTINET.splitlines()))[3] == f"unread {line_of('interface')}"


IPTABLES = r"""
# Generated by iptables-save v1.8.9
*filter
-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
[12:720] -A PREROUTING -d 203.0.113.5/32 -i eth0 -p tcp -m tcp --dport 80 -m comment --comment "门户 80" -j DNAT --to-destination 10.0.0.5:8080
-A PREROUTING -d 203.0.113.5/32 -p tcp -m multiport --dports 443,8000:8010 -j DNAT --to-destination 10.0.0.6
-A PREROUTING -d 203.0.113.7/32 -j DNAT --to-destination 10.0.0.7
-A PREROUTING -i eth0 -p udp -m udp --dport 53 -j DNAT --to-destination 10.0.0.8:53
-A PREROUTING ! -d 203.0.113.5/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5
-A PREROUTING -d 203.0.113.0/28 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5
-A PREROUTING -d 203.0.113.5/32 -p tcp -m tcp --dport 81 -j DNAT --to-destination 10.0.0.5-10.0.0.9
-A PREROUTING -p tcp -m tcp --dport 82 -j REDIRECT --to-ports 8082
-A PREROUTING -d 2001:db8::5/128 -p tcp -m tcp --dport 443 -j DNAT --to-destination [fd00::5]:8443
COMMIT
"""  # noqa: E501  lines as iptables-save writes them


def test_iptables_table_when_read_gives_its_dnat_rules() -> None:
    found = list(parse_iptables_dnat(IPTABLES.splitlines()))
    assert told(found) == [
        "203.0.113.5 tcp 80-80 > 10.0.0.5 8080",
        "203.0.113.5 tcp 443-443 > 10.0.0.6 0",
        "203.0.113.5 tcp 8000-8010 > 10.0.0.6 0",
        "203.0.113.7  0-0 > 10.0.0.7 0",
        "unread 11",
        "unread 12",
        "unread 13",
        "unread 14",
        "2001:db8::5 tcp 443-443 > fd00::5 8443",
    ]
    assert isinstance(found[0], Mapping)
    assert found[0].note == "门户 80"
    assert "203.0.113.9 udp 53-53 > 10.0.0.8 53" in told(parse_iptables_dnat(IPTABLES.splitlines(), PUBLIC))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("-p tcp -j DNAT --to-destination 10.0.0.5", ["203.0.113.5 tcp 0-0 > 10.0.0.5 0"]),
        ("-p tcp -j DNAT --to-destination 10.0.0.5:8080", ["unread 2"]),
        ("-p tcp --dport 80:90 -j DNAT --to-destination 10.0.0.5:8080", ["unread 2"]),
        ("-p tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080-8090", ["unread 2"]),
        ("-p tcp --dport 80:90 -j DNAT --to-destination 10.0.0.5:80-90", ["203.0.113.5 tcp 80-90 > 10.0.0.5 80"]),
    ],
)
def test_iptables_rule_says_no_more_than_it_does(rule: str, expected: list[str]) -> None:
    lines = ["*nat", f"-A PREROUTING -d 203.0.113.5/32 {rule}", "COMMIT"]
    assert told(parse_iptables_dnat(lines)) == expected


NGINX = """
user nginx; # server { proxy_pass http://10.9.9.9; }
events { worker_connections 1024; }
http {
    upstream portal { server 10.0.0.5:8080 weight=5; server 10.0.0.6; server 10.0.0.7 down; server unix:/tmp/s; }
    server {
        listen 203.0.113.5:443 ssl;
        listen [2001:db8::5]:443 ssl;
        server_name www.school.example "school.example" ~^x$ _;
        location / { proxy_pass http://portal; }
        location /api { if ($a) { proxy_pass http://10.0.0.8:9000/x; } }
    }
    server { listen 80; server_name jw.school.example; location / { proxy_pass https://10.0.0.9; } }
    server { listen 8081; location / { proxy_pass http://10.0.0.10; } }
    server { listen 203.0.113.5:80; server_name a.school.example; location / { proxy_pass http://$backend; } }
    server { listen 203.0.113.5:81; location / { proxy_pass http://127.0.0.1:3000; } }
    server { listen unix:/run/x; listen 203.0.113.5:82; location / { root /srv; } }
}
stream { upstream dns { server 10.0.0.53:53; } server { listen 203.0.113.5:53 udp; proxy_pass dns; } }
"""


def test_nginx_configuration_when_read_gives_what_it_passes_on() -> None:
    assert told(parse_nginx_conf(NGINX.splitlines())) == [
        "203.0.113.5 tcp 443-443 > 10.0.0.5 8080 www.school.example",
        "203.0.113.5 tcp 443-443 > 10.0.0.6 80 www.school.example",
        "203.0.113.5 tcp 443-443 > 10.0.0.5 8080 school.example",
        "203.0.113.5 tcp 443-443 > 10.0.0.6 80 school.example",
        "2001:db8::5 tcp 443-443 > 10.0.0.5 8080 www.school.example",
        "2001:db8::5 tcp 443-443 > 10.0.0.6 80 www.school.example",
        "2001:db8::5 tcp 443-443 > 10.0.0.5 8080 school.example",
        "2001:db8::5 tcp 443-443 > 10.0.0.6 80 school.example",
        "203.0.113.5 tcp 443-443 > 10.0.0.8 9000 www.school.example",
        "203.0.113.5 tcp 443-443 > 10.0.0.8 9000 school.example",
        "2001:db8::5 tcp 443-443 > 10.0.0.8 9000 www.school.example",
        "2001:db8::5 tcp 443-443 > 10.0.0.8 9000 school.example",
        "None tcp 80-80 > 10.0.0.9 443 jw.school.example",
        "unread 14",
        "unread 15",
        "unread 16",
        "203.0.113.5 udp 53-53 > 10.0.0.53 53",
    ]
    with_address = told(parse_nginx_conf(NGINX.splitlines(), PUBLIC))
    assert "203.0.113.9 tcp 8081-8081 > 10.0.0.10 80" in with_address
    assert "203.0.113.9 tcp 80-80 > 10.0.0.9 443 jw.school.example" in with_address


def test_nginx_server_without_listen_answers_on_port_80() -> None:
    text = "server { server_name a.example; proxy_pass http://10.0.0.5; }"
    assert told(parse_nginx_conf([text])) == ["None tcp 80-80 > 10.0.0.5 80 a.example"]


@pytest.mark.parametrize("text", ["server {", "}", "a {" * 30, "server { x } }"])
def test_nginx_configuration_whose_braces_do_not_match_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="brace"):
        list(parse_nginx_conf([text]))


SNIFFS: dict[str, tuple[Callable[[str], bool], str]] = {
    "nat-server": (is_nat_server, " nat server protocol tcp global 203.0.113.5 80 inside 10.0.0.5 80"),
    "fortinet": (is_fortinet_vip, FORTINET),
    "iptables": (is_iptables_dnat, IPTABLES),
    "nginx": (is_nginx_conf, NGINX),
}


@pytest.mark.parametrize("name", SNIFFS)
def test_text_is_told_by_its_own_format_only(name: str) -> None:
    sniff, _ = SNIFFS[name]
    assert [other for other, (_, text) in SNIFFS.items() if sniff(text)] == [name]
    assert not sniff("公网地址,内网地址\n203.0.113.5,10.0.0.5\n")


WORDS = st.sampled_from(
    re.split(
        r"\s+",
        "nat server static protocol tcp global inside 203.0.113.5 10.0.0.5 80 443 www config firewall vip edit set end "
        "next extip mappedip extport *nat -A PREROUTING -d -j DNAT --to-destination --dport ! { } ; listen proxy_pass "
        "upstream http://10.0.0.5 server_name a.example \" ' # 99999 :: 255.255.255.0 netmask 203.0.113.5-203.0.113.9",
    )
)


@settings(max_examples=150)
@given(st.lists(st.lists(st.one_of(WORDS, st.text(max_size=6)), max_size=14).map(" ".join), max_size=8))
def test_any_text_when_read_gives_mappings_or_lines_and_no_other_error(lines: list[str]) -> None:
    for parse in (parse_nat_server, parse_fortinet_vip, parse_iptables_dnat, parse_nginx_conf):
        try:
            found = list(parse(lines, PUBLIC))
        except ParseError:
            continue
        assert all(isinstance(one, Mapping | Unread) for one in found)


def test_ranges_that_are_none_are_refused() -> None:
    for wrong in ("", "0", "65536", "x", "1-", "²"):
        with pytest.raises(ValueError, match="port"):
            read_ports(wrong if wrong != "1-" else "1-x")
    with pytest.raises(ValueError, match="no range"):
        count_range("10.0.0.5", "10.0.0.4")
    with pytest.raises(ValueError, match="no mask"):
        count_mask("255.0.255.0")
