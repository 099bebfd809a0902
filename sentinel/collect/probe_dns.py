"""Look at a domain: where it leads, who answers for it, who may send mail in its name, and what IPv6 serves.

Source: RFC 7208 (SPF), RFC 7489 (DMARC), RFC 8659 (CAA), RFC 4033 (DNSSEC).
"""

from __future__ import annotations

import errno
import re
from collections.abc import Awaitable, Iterable

from sentinel.collect.dialer import Dialer, NoAnswerError
from sentinel.collect.dns_asking import Names, gives_zone, resolves_for_us
from sentinel.collect.look import DomainLook
from sentinel.collect.probe_web import Journey, travel
from sentinel.collect.web_fetch import Place
from sentinel.model.plain import read_plain_address
from sentinel.model.probe import UNTOLD
from sentinel.model.scope import Level
from sentinel.model.unit import IPAddress

_MAX_SERVERS = 8
_ALL = re.compile(r"\s([+?~-]?)all(?=\s|$)", re.IGNORECASE)
_POLICY = re.compile(r"(?:^|;)\s*p\s*=\s*([a-z]+)", re.IGNORECASE)
_SUBDOMAIN_POLICY = re.compile(r"(?:^|;)\s*sp\s*=\s*([a-z]+)", re.IGNORECASE)
_MAILBOX = re.compile(r"(mailto:)[^@\s,;!\"]{0,200}@", re.IGNORECASE)
_ALL_STATES = {"": "pass-all", "+": "pass-all", "?": "neutral", "~": "softfail", "-": "fail"}
_POLICIES = frozenset({"none", "quarantine", "reject"})
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPERM})
"""What it is called when the looking machine itself has no way there; it says nothing about the site."""

_ASKED = (
    *("exists", "public", "alias", "alias_dangling", "has_ipv6", "zone", "takes_mail", "mx", "ns_count", "has_caa"),
    *("dnssec", "spf_state", "dmarc_state", "ipv6_links_missing"),
)
_SERVERS = ("transfer_servers", "recursive_servers")
_COMPARED = ("ipv6_reachable", "ipv6_same", "ipv6_links", "ipv6_links_missing")
_WEB_PORTS = ((443, True), (80, False))


def domain_look(names: Names, *, port: int = 53, web_ports: tuple[tuple[int, bool], ...] = _WEB_PORTS) -> DomainLook:
    """Give the look at a domain that asks `names`; `port` is where name servers listen."""

    async def look(domain: str, dialer: Dialer) -> dict[str, object]:
        unknown = names.unknown
        facts = await _read_addresses(names, domain)
        facts |= await _read_zone(names, domain)
        if facts.get("zone"):
            facts |= await _ask_servers(names, dialer, domain, _strings(facts.get("name_servers")), port)
        if not facts:
            raise NoAnswerError("the resolver gives no answer")
        facts |= await _compare_versions(names, dialer, domain, facts, web_ports)
        return facts | {UNTOLD: _untold(facts, has_all=names.unknown == unknown)}

    return look


def _untold(facts: dict[str, object], *, has_all: bool) -> list[str]:
    """Give the fields nothing was found out about: what the resolver, the name servers or the site did not tell."""
    untold = [] if has_all else [field for field in _ASKED if facts.get(field) in (None, [])]
    untold += [] if facts.pop("servers_told", False) or facts.get("zone") is False else list(_SERVERS)
    if facts.get("has_ipv6") is not False:
        untold += [field for field in _COMPARED if facts.get(field) is None]
    return [*dict.fromkeys(untold if facts.get("site") else [*untold, "site"])]


async def _read_addresses(names: Names, domain: str) -> dict[str, object]:
    four, six = await names.find(domain, "A"), await names.find(domain, "AAAA")
    facts: dict[str, object] = {}
    if four.is_known:
        facts["exists"] = four.exists
        facts["ipv4_address"] = list(four.values)
        facts["public"] = any(_is_global(one) for one in (*four.values, *six.values))
        if four.name and four.name != domain:
            facts["alias"] = four.name
            facts["alias_dangling"] = not four.exists
    if six.is_known and (four.is_known or six.values):
        facts["ipv6_address"] = list(six.values)
        facts["has_ipv6"] = bool(six.values)
    return facts


async def _read_zone(names: Names, domain: str) -> dict[str, object]:
    """Read what stands at the top of a zone; mail is looked at wherever it is delivered to."""
    servers, mail = await names.find(domain, "NS"), await names.find(domain, "MX")
    is_zone = bool(servers.values) and servers.name == domain
    facts: dict[str, object] = {"zone": is_zone} if servers.is_known else {}
    exchangers = [one.split(" ")[-1].rstrip(".").lower() for one in mail.values]
    if mail.is_known:
        facts["mx"] = [one for one in exchangers if one]
        facts["takes_mail"] = any(exchangers)
    if is_zone:
        found = [one.rstrip(".").lower() for one in servers.values]
        facts |= {"name_servers": found, "ns_count": len(found)}
        facts |= await _read_authority(names, domain)
    if is_zone or any(exchangers):
        facts |= await _read_mail_policy(names, domain)
    return facts


async def _read_authority(names: Names, domain: str) -> dict[str, object]:
    facts: dict[str, object] = {}
    for name in _upwards(domain):
        caa = await names.find(name, "CAA")
        if not caa.is_known:
            break
        if caa.values:
            facts |= {"has_caa": True, "caa": [_hide_people(one) for one in caa.values]}
            break
    else:
        facts["has_caa"] = False
    signer, key = await names.find(domain, "DS"), await names.find(domain, "DNSKEY")
    if signer.is_known and key.is_known:
        facts["dnssec"] = ("signed" if key.values else "broken") if signer.values else "unsigned"
    return facts


async def _read_mail_policy(names: Names, domain: str) -> dict[str, object]:
    facts: dict[str, object] = {}
    texts = await names.find(domain, "TXT")
    if texts.is_known:
        records = [one for one in texts.values if one.lower() == "v=spf1" or one.lower().startswith("v=spf1 ")]
        facts |= {"spf_state": spf_state(records), "spf": records[0] if len(records) == 1 else None}
    for name in _upwards(domain):
        found = await names.find(f"_dmarc.{name}", "TXT")
        if not found.is_known:
            return facts
        records = [one for one in found.values if one.lower().replace(" ", "").startswith("v=dmarc1")]
        if records:
            return facts | {
                "dmarc_state": dmarc_state(records, inherited=name != domain),
                "dmarc": _hide_people(records[0]),
            }
    return facts | {"dmarc_state": "missing"}


def spf_state(records: list[str]) -> str:
    """Tell what the SPF records of a domain come to: `missing several pass-all neutral softfail fail redirect open`."""
    if len(records) != 1:
        return "several" if records else "missing"
    if found := _ALL.search(records[0]):
        return _ALL_STATES[found[1]]
    return "redirect" if "redirect=" in records[0].lower() else "open"


def dmarc_state(records: list[str], *, inherited: bool) -> str:
    """Tell what DMARC records come to: `several invalid none quarantine reject`; names below may have their own."""
    if len(records) > 1:
        return "several"
    below = _SUBDOMAIN_POLICY.search(records[0]) if inherited else None
    found = below or _POLICY.search(records[0])
    policy = found[1].lower() if found else ""
    return policy if policy in _POLICIES else "invalid"


async def _ask_servers(
    names: Names, dialer: Dialer, domain: str, servers: Iterable[str], port: int
) -> dict[str, object]:
    """Ask the name servers inside a permit that reaches check for the whole zone and for a name of others."""
    giving: dict[str, None] = {}
    resolving: dict[str, None] = {}
    asked, untold = False, False
    for server in list(servers)[:_MAX_SERVERS]:
        for address in await _addresses(names, server):
            if not dialer.allows(address, Level.CHECK):
                continue
            gives = await _is_yes(gives_zone(dialer, address, domain, port))
            resolves = await _is_yes(resolves_for_us(dialer, address, port))
            asked = asked or gives is not None or resolves is not None
            untold = untold or gives is None or resolves is None
            giving |= {server: None} if gives else {}
            resolving |= {server: None} if resolves else {}
    return {
        "servers_asked": asked or None,
        "servers_told": asked and not untold,
        "transfer_servers": list(giving),
        "recursive_servers": list(resolving),
    }


async def _is_yes(question: Awaitable[bool]) -> bool | None:
    """Await an answer; None where none comes, which says neither yes nor no."""
    try:
        return await question
    except NoAnswerError:
        return None


async def _addresses(names: Names, server: str) -> list[IPAddress]:
    found = [*(await names.find(server, "A")).values, *(await names.find(server, "AAAA")).values]
    return [read_plain_address(one) for one in found]


async def _compare_versions(
    names: Names, dialer: Dialer, domain: str, facts: dict[str, object], ports: tuple[tuple[int, bool], ...]
) -> dict[str, object]:
    """Fetch the first page over IPv4 and over IPv6, tell whether they are the same and how far its links have IPv6."""
    old, new = (_allowed(dialer, facts.get(field)) for field in ("ipv4_address", "ipv6_address"))
    for port, is_tls in ports if old else ():
        try:
            before = await travel(dialer, Place(old[0], port, is_tls, domain))
        except NoAnswerError:
            continue
        found: dict[str, object] = {"site": True}
        if facts.get("has_ipv6"):
            found |= await _look_at_links(names, before)
        return found | (await _repeat(dialer, Place(new[0], port, is_tls, domain), before) if new else {})
    return {}


def _allowed(dialer: Dialer, addresses: object) -> list[IPAddress]:
    found = map(read_plain_address, _strings(addresses))
    return [one for one in found if dialer.allows(one, Level.SERVICE)]


async def _repeat(dialer: Dialer, place: Place, before: Journey) -> dict[str, object]:
    try:
        after = await travel(dialer, place)
    except NoAnswerError as error:
        has_way = getattr(error.__cause__, "errno", None) not in _NO_WAY
        return {"ipv6_reachable": False if has_way else None}
    return {"ipv6_reachable": True, "ipv6_same": _shows(before) == _shows(after)}


async def _look_at_links(names: Names, journey: Journey) -> dict[str, object]:
    """Ask which hosts of the same owner a first page links to (二级链接) have IPv6 addresses."""
    answers = {host: await names.find(host, "AAAA") for host in journey.own_hosts}
    known = {host: bool(answer.values) for host, answer in answers.items() if answer.is_known}
    return {"ipv6_links": len(known), "ipv6_links_missing": [host for host, has_ipv6 in known.items() if not has_ipv6]}


def _shows(journey: Journey) -> tuple[object, ...]:
    facts, goal = journey.facts, journey.goal
    return facts.get("status"), facts.get("title"), facts.get("page_hash"), goal.text if goal else None


def _upwards(domain: str) -> list[str]:
    """Give the domain and those above it, of two labels at least."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def _hide_people(record: str) -> str:
    """Leave out whose mailboxes reports go to; at which domain they are is no secret."""
    return _MAILBOX.sub(r"\1***@", record)


def _strings(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _is_global(text: str) -> bool:
    return read_plain_address(text).is_global
