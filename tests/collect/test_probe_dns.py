"""Domains asked of a resolver of the test, name servers and sites of the practice school behind them."""

from __future__ import annotations

import errno
from ipaddress import IPv4Address

import pytest

from sentinel.collect import dns_asking
from sentinel.collect.dialer import NoAnswerError
from sentinel.collect.dns_asking import Names
from sentinel.collect.permit import Permit
from sentinel.collect.probe_dns import dmarc_state, domain_look, spf_state
from sentinel.collect.probing import probe_domains
from sentinel.drill.servers import planted_sites, sites
from sentinel.drill.servers.names import NameServer, dns_over_tcp, dns_over_udp
from sentinel.errors import ScopeError
from sentinel.model.probe import ProbeKind, ProbeObservation
from sentinel.model.scope import Level
from tests.collect.allow import permit_for, utc_now
from tests.collect.resolving import RESOLVER, resolving
from tests.collect.standing import standing
from tests.collect.test_probe_web import answering, page
from tests.collect.test_probing import HERE, serving

NOWHERE = permit_for("127.77.21.200")
GOOD = """
@ 60 IN SOA ns1 hostmaster 1 2 3 4 5
@ 60 IN NS ns1
@ 60 IN NS ns2
@ 60 IN MX 10 mail
@ 60 IN A 93.184.216.34
@ 60 IN AAAA 2a00:1450:4001::1
@ 60 IN TXT "v=spf1 mx" " -all"
@ 60 IN TXT "something else"
@ 60 IN CAA 0 issue "ca.example"
@ 60 IN DNSKEY 257 3 13 aGVsbG8=
@ 60 IN DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
_dmarc 60 IN TXT "v=DMARC1; p=reject; sp=none"
www 60 IN CNAME host.cdn.example.
old 60 IN CNAME gone.cdn.example.
sub 60 IN MX 5 mail
ns1 60 IN A 127.77.21.200
mail 60 IN A 10.0.0.9
"""
BARE = "@ 60 IN SOA ns1 hostmaster 1 2 3 4 5\n@ 60 IN NS ns1\n@ 60 IN MX 10 mail\n@ 60 IN A 10.0.0.1\n"
CDN = "@ 60 IN SOA ns1 hostmaster 1 2 3 4 5\nhost 60 IN A 10.0.0.5\n"
ZONES = {"school.example": GOOD, "bare.example": BARE, "cdn.example": CDN}


def look(name: str, zones: dict[str, str], *failing: str, permit: Permit = NOWHERE, **how) -> ProbeObservation:
    found: list[ProbeObservation] = []
    with resolving(zones, *failing, silent=how.pop("silent", False)) as port:
        probe_domains(permit, [name], found.append, look=domain_look(Names(RESOLVER, port), **how), now=utc_now)
    return found[0]


def see(name: str, zones: dict[str, str] = ZONES, *failing: str, **how) -> dict[str, object]:
    one = look(name, zones, *failing, **how)
    assert one.answered, one.reason
    return dict(one.values)


def test_domain_when_all_is_well_then_what_it_has_is_told() -> None:
    one = look("school.example", ZONES)
    assert (one.kind, one.address, one.proto, one.port, one.name) == (ProbeKind.DNS, None, "", 0, "school.example")
    assert dict(one.values) == {
        "exists": True,
        "zone": True,
        "public": True,
        "ipv4_address": ("93.184.216.34",),
        "ipv6_address": ("2a00:1450:4001::1",),
        "has_ipv6": True,
        "takes_mail": True,
        "mx": ("mail.school.example",),
        "name_servers": ("ns1.school.example", "ns2.school.example"),
        "ns_count": 2,
        "spf_state": "fail",
        "spf": "v=spf1 mx -all",
        "dmarc_state": "reject",
        "dmarc": "v=DMARC1; p=reject; sp=none",
        "has_caa": True,
        "caa": ('0 issue "ca.example"',),
        "dnssec": "signed",
        "untold": (
            "transfer_servers", "recursive_servers", "ipv6_reachable", "ipv6_same", "ipv6_links", "ipv6_links_missing",
            "site",
        ),
    }  # fmt: skip


def test_domain_when_nothing_is_set_up_then_each_is_missing() -> None:
    found = see("bare.example")
    assert (found["spf_state"], found["dmarc_state"], found["has_caa"], found["dnssec"]) == (
        "missing", "missing", False, "unsigned",
    )  # fmt: skip
    assert (found["ns_count"], found["public"], found["has_ipv6"]) == (1, False, False)


def test_domain_when_the_resolver_fails_then_nothing_is_called_missing() -> None:
    found = see("bare.example", ZONES, "_dmarc.bare.example")
    assert found["spf_state"] == "missing"
    assert "dmarc_state" not in found
    assert "dmarc_state" in found["untold"]
    assert "spf_state" not in found["untold"]
    one = look("bare.example", ZONES, "bare.example")
    assert (one.answered, one.values, one.reason) == (False, (), "the resolver gives no answer")


def test_domain_when_the_resolver_is_silent_then_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_asking, "_LIFETIME_S", 0.2)
    assert look("bare.example", ZONES, silent=True).reason == "the resolver does not answer"


def test_domain_when_it_does_not_exist_then_that_is_all() -> None:
    found = see("gone.example")
    assert (found["exists"], found["zone"], found["takes_mail"], found["has_ipv6"]) == (False, False, False, False)
    assert "spf_state" not in found


def test_domain_when_it_is_an_alias_then_where_it_leads_and_whether_that_is_there_is_told() -> None:
    good, gone = see("www.school.example"), see("old.school.example")
    assert (good["alias"], good["alias_dangling"], good["zone"]) == ("host.cdn.example", False, False)
    assert (gone["alias"], gone["alias_dangling"], gone["exists"]) == ("gone.cdn.example", True, False)
    assert "alias" not in see("school.example")


def test_domain_when_it_lies_below_then_the_policy_above_holds() -> None:
    found = see("sub.school.example")
    assert (found["zone"], found["spf_state"], found["dmarc_state"]) == (False, "missing", "none")
    assert "has_caa" not in found


def test_domain_when_the_parent_promises_signatures_and_there_are_none_then_it_is_broken() -> None:
    zone = BARE + "@ 60 IN DS 1 13 2 " + "0" * 64 + "\n"
    assert see("bare.example", {"bare.example": zone})["dnssec"] == "broken"


@pytest.mark.parametrize(
    ("records", "state"),
    [
        ([], "missing"),
        (["v=spf1 -all", "v=spf1 mx -all"], "several"),
        (["v=spf1 +all"], "pass-all"),
        (["v=spf1 mx all"], "pass-all"),
        (["v=spf1 ?all"], "neutral"),
        (["v=spf1 include:_spf.example ~ALL"], "softfail"),
        (["v=spf1 a:all.example -all"], "fail"),
        (["v=spf1 redirect=_spf.example"], "redirect"),
        (["v=spf1 mx"], "open"),
    ],
)
def test_spf_when_read_then_it_comes_to_one_thing(records: list[str], state: str) -> None:
    assert spf_state(records) == state


@pytest.mark.parametrize(
    ("records", "inherited", "state"),
    [
        (["v=DMARC1; p=none"], False, "none"),
        (["v=DMARC1;p=Quarantine;sp=none"], False, "quarantine"),
        (["v=DMARC1;p=quarantine;sp=none"], True, "none"),
        (["v=DMARC1;p=quarantine"], True, "quarantine"),
        (["v=DMARC1; rua=mailto:a@b.example"], False, "invalid"),
        (["v=DMARC1; p=maybe"], False, "invalid"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], False, "several"),
    ],
)
def test_dmarc_when_read_then_it_comes_to_one_thing(records: list[str], inherited: bool, state: str) -> None:
    assert dmarc_state(records, inherited=inherited) == state


HOSTS = (("ns1", IPv4Address("127.77.21.1")), ("www", IPv4Address("10.0.0.5")))


@pytest.mark.parametrize(
    ("server", "gives", "resolves"),
    [
        (NameServer("9.18", "bare.example", HOSTS), None, None),
        (NameServer("9.16", "bare.example", HOSTS, transfer=True), ("ns1.bare.example",), None),
        (NameServer("9.11", "bare.example", HOSTS, recursion=True), None, ("ns1.bare.example",)),
    ],
)
def test_name_server_when_it_gives_too_much_then_it_is_named(server: NameServer, gives, resolves) -> None:
    zones = {"bare.example": f"{BARE}ns1 60 IN A {HERE}\n"}
    with standing(dns_over_tcp(53, server), dns_over_udp(53, server), address=str(HERE)) as (port,):
        check = see("bare.example", zones, permit=permit_for(str(HERE), level=Level.CHECK), port=port, web_ports=())
        service = see("bare.example", zones, permit=permit_for(str(HERE)), port=port, web_ports=())
        outside = see("bare.example", zones, permit=NOWHERE, port=port, web_ports=())
    assert (check["servers_asked"], check.get("transfer_servers"), check.get("recursive_servers")) == (
        True, gives, resolves,
    )  # fmt: skip
    for found in (service, outside):
        assert not {"servers_asked", "transfer_servers", "recursive_servers"} & set(found)
        assert {"transfer_servers", "recursive_servers"} <= set(found["untold"])
    assert not {"transfer_servers", "recursive_servers"} & set(check["untold"])


@pytest.mark.parametrize(
    "answer",
    [b"", b"\x00", b"\x00\x05hello", b"\x00\x0c" + b"\0" * 12, b"\xff\xff" + b"x" * 70_000, b"\x00\x00" * 50],
)
def test_name_server_when_it_talks_nonsense_then_it_gives_nothing(answer: bytes) -> None:
    zones = {"bare.example": f"{BARE}ns1 60 IN A {HERE}\n"}
    with serving(lambda line: (line.recv(100), line.sendall(answer))) as port:
        found = see("bare.example", zones, permit=permit_for(str(HERE), level=Level.CHECK), port=port, web_ports=())
    assert "transfer_servers" not in found
    assert "transfer_servers" in found["untold"]
    assert found["zone"] is True


SIX = "::1"


def versions(four, six, *, permit: Permit | None = None, aaaa: bool = True) -> dict[str, object]:
    """Look at a site that serves one thing over IPv4 and another over IPv6, at one port."""
    zone = f"@ 60 IN SOA ns1 h 1 2 3 4 5\nwww 60 IN A {HERE}\n" + (f"www 60 IN AAAA {SIX}\n" if aaaa else "")
    with standing(four, address=str(HERE)) as (port,):
        how = {"permit": permit or permit_for(str(HERE), SIX), "web_ports": ((1, True), (port, False))}
        if six is None:
            return see("www.six.example", {"six.example": zone}, **how)
        with standing(six, address=SIX, port=port):
            return see("www.six.example", {"six.example": zone}, **how)


PORTAL = sites.portal(80, "示例中学", "1.22.1")


def test_site_when_both_versions_serve_it_then_they_are_compared() -> None:
    found = versions(PORTAL, sites.portal(80, "示例中学", "1.22.1"))
    assert (found["site"], found["ipv6_reachable"], found["ipv6_same"]) == (True, True, True)
    found = versions(PORTAL, planted_sites.register_page(80, "示例中学", "1.22.1"))
    assert (found["ipv6_reachable"], found["ipv6_same"]) == (True, False)


def test_site_when_it_links_to_others_of_its_owner_then_those_without_ipv6_are_told() -> None:
    links = [
        "http://lib.six.example/",
        "//new.six.example/a",
        "/own",
        "https://else.example/",
        "http://bad.six.example/",
    ]
    body = "".join(f"<a href={one}>x</a>" for one in links)
    zone = f"@ 60 IN SOA ns1 h 1 2 3 4 5\nwww 60 IN A {HERE}\nwww 60 IN AAAA {SIX}\nnew 60 IN AAAA {SIX}\n"
    talk, _ = answering({"*": page(body)})
    with serving(talk) as port:
        how = {"permit": permit_for(str(HERE)), "web_ports": ((port, False),)}
        found = see("www.six.example", {"six.example": zone}, "bad.six.example", **how)
    assert (found["ipv6_links"], found["ipv6_links_missing"]) == (2, ("lib.six.example",))


def test_site_when_nothing_listens_over_ipv6_then_it_is_told() -> None:
    found = versions(PORTAL, None)
    assert (found["site"], found["has_ipv6"], found["ipv6_reachable"]) == (True, True, False)
    assert "ipv6_same" not in found


def test_site_when_the_permit_does_not_hold_its_ipv6_address_then_nothing_is_said_of_it() -> None:
    found = versions(PORTAL, None, permit=permit_for(str(HERE)))
    assert found["site"] is True
    assert "ipv6_reachable" not in found
    assert "ipv6_reachable" not in versions(PORTAL, None, aaaa=False)


def test_site_when_the_looking_machine_has_no_way_over_ipv6_then_nothing_is_said_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sentinel.collect import probe_dns

    whole = probe_dns.travel

    async def travel(dialer, place):
        if place.address.version == 6:
            raise NoAnswerError("no connection") from OSError(errno.ENETUNREACH, "network is unreachable")
        return await whole(dialer, place)

    monkeypatch.setattr(probe_dns, "travel", travel)
    found = versions(PORTAL, None)
    assert found["site"] is True
    assert "ipv6_reachable" not in found


def test_domains_when_there_is_no_permit_then_nobody_is_asked() -> None:
    with pytest.raises(ScopeError, match="no permit"):
        probe_domains(None, ["a.example"], lambda _: None, look=domain_look(Names()), now=utc_now)  # type: ignore[arg-type]


def test_domain_when_reports_go_to_people_then_they_are_not_told() -> None:
    zone = (
        '@ 60 IN SOA ns h 1 2 3 4 5\n@ 60 IN NS ns\n@ 60 IN CAA 0 iodef "mailto:zhang.san@a.example"\n'
        '_dmarc 60 IN TXT "v=DMARC1; p=none; rua=mailto:li.si@a.example!10m,MAILTO:w+5@b.example"\n'
    )
    found = dict(look("a.example", {"a.example": zone}).values)
    assert found["dmarc"] == "v=DMARC1; p=none; rua=mailto:***@a.example!10m,MAILTO:***@b.example"
    assert found["caa"] == ('0 iodef "mailto:***@a.example"',)
