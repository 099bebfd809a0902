"""Look at a web site as a visitor without an account does: its first page, where that leads, and what lies about.

Everything is asked with GET. Where a redirect leads to another host, to a name that was not asked about or to a port no
site stands on, it is recorded and not followed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sentinel.collect.dialer import Dialer, NoAnswerError
from sentinel.collect.look import Prober, ProbeTarget
from sentinel.collect.web_facts import HEADER_FIELDS, PAGE_FIELDS, own_hosts, read_facts
from sentinel.collect.web_fetch import Answer, Place, fetch
from sentinel.collect.web_link import Link, is_host, read_link
from sentinel.collect.web_page import Page
from sentinel.collect.web_paths import look_at_paths
from sentinel.model.plain import read_plain_address
from sentinel.model.probe import UNTOLD
from sentinel.model.scope import Level
from sentinel.model.unit import IPAddress

MAX_REDIRECTS = 5
_REFRESH = re.compile(r"\s*[0-5](?:\.\d*)?\s*[;,]\s*(?:url\s*=)?\s*[\"']?([^\"']{1,2000})", re.IGNORECASE)
_TOO_MANY = 429
_SITE_PORTS = frozenset({80, 443, 8080, 8443})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Journey:
    """Where the first page led.

    Attributes:
        place: the last place that answered.
        path: what it was asked for.
        facts: of its answer.
        goal: the last redirect, if there was one.
        is_followed: the last redirect was followed.
        is_loop: redirects had no end.
        own_hosts: other hosts of the same owner its last page links to.
    """

    place: Place
    path: str
    facts: dict[str, object]
    goal: Link | None = None
    is_followed: bool = True
    is_loop: bool = False
    own_hosts: tuple[str, ...] = ()


async def look_at_web(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
    """Look at a site by the target's name, or by its address where it has none.

    Raises:
        NoAnswerError: no web server answers.
    """
    place = Place(target.address, target.port, target.is_tls, target.name or str(target.address))
    if not is_host(place.host):
        raise NoAnswerError("its name is none a host can have")
    journey = await travel(dialer, place)
    facts: dict[str, object] = dict(journey.facts) if journey.place == place else {"tls": place.is_tls}
    goal = journey.goal
    facts["redirect_to"] = goal.text if goal else None
    facts["redirect_outside"] = (not journey.is_followed or None) if goal else None
    facts["redirect_loop"] = journey.is_loop or None
    if not place.is_tls:
        facts["redirect_https"] = bool(goal and goal.scheme == "https")
    if journey.place != place:
        facts["status"] = journey.facts["first_status"]
    facts.pop("first_status", None)
    found = await look_at_paths(dialer, place)
    details = [*_texts(facts.get("error_details")), *_texts(found.get("error_details"))]
    untold = _untold_of_page(journey) if journey.place == place else ()
    return (
        facts
        | found
        | {
            "error_details": list(dict.fromkeys(details)),
            UNTOLD: list(dict.fromkeys((*_texts(found.get(UNTOLD)), *untold))),
        }
    )


def _untold_of_page(journey: Journey) -> tuple[str, ...]:
    """Give the fields nothing is known about: those of a page that did not come, or not whole, or was an excuse."""
    status = journey.facts.get("status")
    if not isinstance(status, int) or status >= 500 or status == _TOO_MANY:
        return PAGE_FIELDS + HEADER_FIELDS
    return PAGE_FIELDS if journey.facts.get("body_cut") else ()


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


async def travel(dialer: Dialer, place: Place) -> Journey:
    """Ask for the first page and follow where it leads, on the same host and by the same name or address.

    Raises:
        NoAnswerError: the first answer is none.
    """
    path = "/"
    first: int | None = None
    goal: Link | None = None
    for _ in range(MAX_REDIRECTS + 1):
        try:
            answer = await fetch(dialer, place, path, Level.SERVICE)
        except NoAnswerError:
            if goal is None:
                raise
            return Journey(place, path, {"first_status": first}, goal)
        facts, page = read_facts(answer, place, path)
        first = answer.status if first is None else first
        facts["first_status"] = first
        here = Link("https" if place.is_tls else "http", place.host, place.port, path)
        link = _leads_to(answer, page, here)
        if link is None or link == here:
            return Journey(place, path, facts, goal, own_hosts=own_hosts(page, here))
        goal = link
        following = _place_of(link, place)
        if following is None:
            return Journey(place, path, facts, goal, is_followed=False)
        place, path = following, link.path
    return Journey(place, path, facts, goal, is_loop=True)


def _leads_to(answer: Answer, page: Page, here: Link) -> Link | None:
    if answer.status in _REDIRECTS:
        return read_link(answer.header("location"), here)
    if answer.status == 200 and (found := _REFRESH.match(page.meta.get("refresh", ""))):
        return read_link(found[1], here)
    return None


def _place_of(link: Link, place: Place) -> Place | None:
    """Give where to follow a link to; None where that is another host, or a port sites do not stand on.

    Where to go is said by whoever writes the page: it must not send the look, with a path of its choice, to another
    device of the school or to a port where each line that comes in is printed or carried out.
    """
    is_here = link.host == place.host or _address(link.host) == place.address
    if not is_here or link.port not in {*_SITE_PORTS, place.port}:
        return None
    return Place(place.address, link.port, link.scheme == "https", link.host)


def _address(host: str) -> IPAddress | None:
    try:
        return read_plain_address(host)
    except ValueError:
        return None


WEB = Prober(Level.SERVICE, look_at_web, further=Level.CHECK)
