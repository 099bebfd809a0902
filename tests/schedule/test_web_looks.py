"""Sites and domains looked at, taken in and judged: exactly the rules that should fire do, and go when it is mended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address

import pytest

from sentinel.drill.servers import planted_sites as planted
from sentinel.drill.servers import sites
from sentinel.drill.servers.conversation import Service
from sentinel.errors import ScopeError
from sentinel.model.finding import FindingState
from sentinel.model.probe import UNTOLD, Probe, ProbeKind
from sentinel.model.scope import Level
from sentinel.schedule.collecting import collect
from sentinel.schedule.context import Context
from sentinel.schedule.domain_looks import find_domains
from sentinel.schedule.judging import is_untold, judge_unit, read_pack
from sentinel.schedule.probing import LookTotal, find_targets, plan_looks, run_looks
from sentinel.schedule.web_looks import WebLooks
from sentinel.store.findings import read_findings
from tests.collect.resolving import RESOLVER, resolving
from tests.collect.standing import standing
from tests.collect.test_probing import HERE, serving
from tests.homes import NOW, SCHOOL, Clock
from tests.schedule.nmapfile import HostRow, NmapRun, give
from tests.schedule.test_probing import authorise, look, record, take

BASE = {"web.no-csp", "web.no-nosniff", "web.version-shown"}
NAME = "示例市第一中学"


def visit(context: Context, port: int, level: Level = Level.CHECK) -> LookTotal:
    """Put a web server into the map, look at it and judge."""
    give(context, NmapRun((HostRow(str(HERE), ((port, "nginx"),)),), ports=str(port)))
    authorise(context, str(HERE), level)
    planned = plan_looks(context, SCHOOL, find_targets(context, SCHOOL, (ProbeKind.WEB,)))
    total = LookTotal()
    run_looks(context, SCHOOL, planned, total, vantage="inside")
    judge_unit(context, SCHOOL)
    return total


def fired(context: Context, *topics: str) -> set[str]:
    live = read_findings(context.database, [SCHOOL.code], (FindingState.OPEN,))
    return {one.key.rule for one in live if one.key.rule.startswith(topics or ("web.", "dns."))}


@pytest.mark.parametrize(
    ("service", "rules"),
    [
        (sites.portal(80, NAME, "1.22.1"), set()),
        (planted.leaking_site(80, NAME, "1.22.1"), {"web.git-exposed", "web.backup-exposed"}),
        (planted.tampered_site(80, NAME, "1.22.1"), {"web.dark-link", "web.mining-script"}),
        (planted.register_page(80, NAME, "1.22.1"), {"web.personal-data"}),
        (planted.actuator_site(80, NAME, "1.22.1"), {"web.actuator-exposed"}),
        (planted.phpinfo_site(80, NAME), {"web.phpinfo"}),
        (sites.default_page(80, "2.2.15"), {"web.default-page"}),
        (sites.directory_listing(80, "1.4.59"), {"web.directory-listing"}),
        (sites.login_form(80, NAME, "教务系统"), {"web.login-plain", "web.no-frame-guard"}),
    ],
    ids=["portal", "leaking", "tampered", "register", "actuator", "phpinfo", "default", "listing", "login"],
)
def test_site_when_looked_at_then_exactly_the_rules_of_what_is_planted_fire(
    context: Context, service: Service, rules: set[str]
) -> None:
    with standing(service, address=str(HERE)) as (port,):
        total = visit(context, port)
    assert (total.planned, total.answered, total.changed) == (1, 1, 1)
    assert fired(context) == BASE | rules
    assert set(service.flaws) <= rules


def test_site_when_mended_then_its_findings_go(context: Context) -> None:
    assert isinstance(context.clock, Clock)
    with standing(planted.leaking_site(80, NAME, "1.22.1"), address=str(HERE)) as (port,):
        visit(context, port)
    assert "web.git-exposed" in fired(context)
    with standing(sites.portal(80, NAME, "1.22.1"), address=str(HERE), port=port):
        visit(context, port)
    assert fired(context) == BASE


def test_site_when_it_no_longer_answers_then_its_findings_stay(context: Context) -> None:
    with standing(planted.leaking_site(80, NAME, "1.22.1"), address=str(HERE)) as (port,):
        visit(context, port)
    with serving(lambda line: line.sendall(b"SSH-2.0-x\r\n"), "127.77.21.1") as other:
        total = visit(context, other)
    assert sum(total.failed.values()) == total.planned == 2
    assert "web.git-exposed" in fired(context)


def test_site_when_the_authorisation_reaches_service_only_then_it_is_seen_from_the_front(context: Context) -> None:
    with standing(planted.leaking_site(80, NAME, "1.22.1"), address=str(HERE)) as (port,):
        visit(context, port, Level.SERVICE)
    assert fired(context) == BASE


@pytest.mark.parametrize(
    ("values", "rule", "untold"),
    [
        ({"exposed": ["git"]}, "web.git-exposed", "exposed"),
        ({"dark_links": ["slots.example"], "dark_words": ["博彩"]}, "web.dark-link", "dark_links"),
        ({"mail_open_relay": True}, "mail.relay-inside", "mail_open_relay"),
        ({"versions": ["tls1.0"], "tls": True}, "tls.tls-1-0", "versions"),
        ({"transfer_servers": ["ns.a.example"]}, "dns.zone-transfer", "transfer_servers"),
    ],
)
def test_finding_when_a_later_look_found_nothing_out_about_it_then_it_stays_until_one_did(
    context: Context, values: dict[str, object], rule: str, untold: str
) -> None:
    topic = rule.partition(".")[0]
    service = {"mail": "smtp", "tls": "https"}.get(topic, "nginx")
    give(context, NmapRun((HostRow("10.0.0.1", ((25, service),)),), ports="25"))
    place: dict[str, object] = {"kind": ProbeKind(topic), "port": 25}
    if topic == "dns":
        place = {"kind": ProbeKind.DNS, "address": None, "proto": "", "port": 0, "name": "a.example"}
    for day, found, is_live in ((1, values, True), (1.1, {UNTOLD: [untold]}, True), (1.2, {"status": 200}, False)):
        take(context, record(day, look(day, found, **place)))
        judge_unit(context, SCHOOL)
        assert (rule in fired(context, topic)) is is_live, day


def test_count_when_a_look_left_open_what_is_counted_then_it_proves_nothing(context: Context) -> None:
    single = next(one.rule for one in read_pack(context).compiled if one.rule.name == "web.git-exposed")
    count = replace(single, name="x.count", correlates=("web.git-exposed",))
    asks = {"web.git-exposed": frozenset({"exposed"})}
    assert is_untold(count, "3300000001", asks, {"10.0.0.1:80/tcp": {"exposed"}})
    assert not is_untold(count, "3300000001", asks, {"10.0.0.1:80/tcp": {"title"}})
    assert not is_untold(single, "10.0.0.2:80/tcp", asks, {"10.0.0.1:80/tcp": {"exposed"}})


def web(values: dict[str, object], name: str = "", **changes: object) -> bytes:
    changes |= {"kind": ProbeKind.WEB, "port": 80, "name": name}
    return record(1, look(1, values, **changes))


def test_site_when_known_by_many_names_then_one_page_is_one_finding(context: Context) -> None:
    give(context, NmapRun((HostRow("10.0.0.1", ((80, "nginx"),)),)))
    same = {"html": True, "missing_headers": ["csp"], "status": 200}
    rows = [look(1, same, kind=ProbeKind.WEB, port=80, name=name) for name in ("", "a.example", "b.example")]
    other = look(1, same | {"title": "x"}, kind=ProbeKind.WEB, port=80, name="c.example")
    take(context, record(1, *rows, other))
    judge_unit(context, SCHOOL)
    found = read_findings(context.database, [SCHOOL.code], (FindingState.OPEN,))
    assert [one.key.subject for one in found if one.key.rule == "web.no-csp"] == [
        "10.0.0.1:80/tcp", "10.0.0.1:80/tcp c.example",
    ]  # fmt: skip


def test_scripts_when_they_come_from_a_site_of_the_feed_then_it_is_named(context: Context) -> None:
    give(context, NmapRun((HostRow("10.0.0.1", ((80, "nginx"),)),)))
    take(context, web({"script_hosts": ["cdn.example", "www.coinhive.com"]}))
    judge_unit(context, SCHOOL)
    assert fired(context) == {"web.mining-script"}


def probe_of(kind: ProbeKind, values: Iterable[tuple[str, object]]) -> Probe:
    return Probe(1, "inside", kind, ip_address("10.0.0.1"), "tcp", 80, "", tuple(values), NOW, NOW)  # type: ignore[arg-type]


def test_looks_when_of_another_kind_or_without_scripts_then_they_stay_as_they_are() -> None:
    looks = [
        probe_of(ProbeKind.TLS, [("a", 1)]),
        probe_of(ProbeKind.TLS, [("a", 1)]),
        probe_of(ProbeKind.WEB, [("a", 1)]),
        probe_of(ProbeKind.WEB, [("script_hosts", ("cdn.example",))]),
    ]
    assert list(WebLooks().distinct(looks)) == looks


@pytest.mark.parametrize(
    ("title", "rules"),
    [
        ("", {"web.login-plain-internet", "web.no-frame-guard"}),
        ("智慧校园 - 用户登录", {"web.no-frame-guard"}),
        ("核心交换机", {"web.no-frame-guard"}),
    ],
)
def test_login_when_the_title_tells_it_already_then_it_is_not_told_twice(
    context: Context, title: str, rules: set[str]
) -> None:
    run = NmapRun((HostRow("93.184.216.34", ((80, "nginx"),)),)).write().decode()
    script = f'<script id="http-title" output="{title}"><elem key="title">{title}</elem></script></port>'
    give(context, run.replace('conf="10"/></port>', f'conf="10"/>{script}').encode() if title else run.encode())
    values = {"login_plain": True, "login_form": True, "tls": False, "missing_headers": ["frame"]}
    take(context, web(values, address=ip_address("93.184.216.34")))
    judge_unit(context, SCHOOL)
    assert fired(context) == rules
    assert ("exposure.plain-login-internet" in fired(context, "exposure.")) is ("登录" in title)
    assert ("exposure.device-web-plain" in fired(context, "exposure.")) is ("交换机" in title)


ZONE = (
    '@ 60 IN SOA ns1 h 1 2 3 4 5\n@ 60 IN NS ns1\n@ 60 IN MX 5 mail\n@ 60 IN TXT "v=spf1 +all"\n'
    '_dmarc 60 IN TXT "v=DMARC1; p=none"\nold 60 IN CNAME gone\n'
)


def test_domains_when_looked_at_then_exactly_the_rules_of_what_is_wrong_fire(context: Context) -> None:
    give(context, NmapRun((HostRow("10.0.0.1", ((80, "nginx"),), name="old.school.example"),)))
    authorise(context, "*.school.example", Level.SERVICE)
    authorise(context, "school.example", Level.SERVICE)
    with resolving({"school.example": ZONE}) as port:
        settings = replace(context.settings, resolver=f"{RESOLVER}#{port}")
        asking = replace(context, settings=settings)
        domains = find_domains(asking, SCHOOL)
        planned = plan_looks(asking, SCHOOL, (), domains)
        assert dict(planned.kinds) == {ProbeKind.DNS: 2}
        total = LookTotal()
        run_looks(asking, SCHOOL, planned, total, vantage="inside")
    assert domains == ("old.school.example", "school.example")
    assert (total.planned, total.answered, total.sent, total.changed) == (2, 2, 0, 2)
    judge_unit(context, SCHOOL)
    rules = {"dns.spf-pass-all", "dns.dmarc-none", "dns.single-server", "dns.no-dnssec", "dns.no-caa"}
    assert fired(context) == rules | {"dns.dangling-alias"}


@pytest.mark.nmap
def test_cycle_when_domains_are_authorised_then_they_are_looked_at_too(context: Context) -> None:
    authorise(context, "school.example", Level.SERVICE)
    authorise(context, str(HERE), Level.DISCOVER)
    with resolving({"school.example": ZONE}) as port:
        settings = replace(context.settings, resolver=f"{RESOLVER}#{port}")
        done = collect(replace(context, settings=settings), SCHOOL, "9")
    assert (done.looks.planned, done.looks.answered) == (1, 1)


def test_domains_when_nobody_authorised_them_then_they_are_left_out_or_refused(context: Context) -> None:
    give(context, NmapRun((HostRow("10.0.0.1", ((80, "nginx"),), name="www.other.example"),)))
    authorise(context, "10.0.0.0/24", Level.CHECK)
    asking = replace(context, settings=replace(context.settings, own_domains=("other.example",)))
    assert find_domains(asking, SCHOOL) == ()
    planned = plan_looks(asking, SCHOOL, (), ["www.other.example"])
    assert (planned.count, [one.target for one in planned.refusals]) == (0, ["www.other.example"])
    with pytest.raises(ScopeError, match="refused"):
        run_looks(asking, SCHOOL, planned, LookTotal(), vantage="inside")


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ({"site": True, "public": True, "has_ipv6": False}, {"dns.ipv6-missing"}),
        ({"site": True, "public": False, "has_ipv6": False}, set()),
        ({"site": True, "has_ipv6": True, "ipv6_reachable": False}, {"dns.ipv6-unreachable"}),
        ({"site": True, "has_ipv6": True, "ipv6_reachable": True, "ipv6_same": False}, {"dns.ipv6-different"}),
        ({"site": True, "has_ipv6": True, "ipv6_reachable": True, "ipv6_same": True}, set()),
        (
            {"site": True, "public": True, "has_ipv6": True, "ipv6_links": 2, "ipv6_links_missing": ["b.a.example"]},
            {"dns.ipv6-links"},
        ),
        ({"transfer_servers": ["ns1.a.example"]}, {"dns.zone-transfer"}),
        ({"recursive_servers": ["ns1.a.example"]}, {"dns.open-resolver"}),
    ],
)
def test_domain_when_it_is_judged_then_each_rule_asks_for_its_own(
    context: Context, values: dict[str, object], rules: set[str]
) -> None:
    one = look(1, values, kind=ProbeKind.DNS, address=None, proto="", port=0, name="www.a.example")
    take(context, record(1, one))
    judge_unit(context, SCHOOL)
    assert fired(context) == rules
