"""What nobody should be able to fetch from a site: the paths that are asked for, and what proves that it is there.

Each is read by its first bytes only and counts only when it is what it would have to be; nothing read is kept.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass

from sentinel.collect.dialer import Dialer, NoAnswerError
from sentinel.collect.html_reader import decode_page
from sentinel.collect.web_facts import find_error_details
from sentinel.collect.web_fetch import Answer, Place, fetch
from sentinel.model.probe import UNTOLD
from sentinel.model.scope import Level

_MOST = 8 * 1024
_MAX_ROBOTS = 16
BUDGET_S = 45.0
"""After so long no further path is asked for: a slow server is not kept busy, and what was found is not lost."""

_ARCHIVE = re.compile(rb"\A(?:PK\x03\x04|Rar!\x1a\x07|\x1f\x8b\x08|7z\xbc\xaf\x27\x1c)")
_DUMP = re.compile(
    rb"(?:-- (?:MySQL|MariaDB|PostgreSQL|phpMyAdmin)|-- Host:|/\*!40\d{3}|CREATE TABLE|INSERT INTO|DROP TABLE)"
)
_ENV = re.compile(rb"^(?:APP|DB|REDIS|MAIL|AWS|JWT|SECRET|DATABASE|MYSQL)_?[A-Z0-9_]*[ \t]*=", re.MULTILINE)
_ACTUATOR = re.compile(
    rb"\A\s*\{\s*\"_links\"(?s:.){0,4000}\"(?:env|beans|heapdump|threaddump|mappings|configprops|loggers|httptrace|jolokia)\""
)
_PHPINFO = re.compile(rb"<title>(?:PHP [\d.]+[^<]{0,80}- )?phpinfo\(\)</title>|<h1 class=\"p\">PHP Version")
_DISALLOW = re.compile(r"^\s*disallow\s*:\s*(/[\x21-\x7e]{1,100})", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Leak:
    """A thing that should not be reachable.

    Attributes:
        word: what stands for it in the field `exposed`.
        paths: where it is looked for.
        proof: what the first bytes must hold.
    """

    word: str
    paths: tuple[str, ...]
    proof: re.Pattern[bytes]


LEAKS = (
    Leak("git", ("/.git/HEAD",), re.compile(rb"\A(?:ref: refs/[\x21-\x7e]+|[0-9a-f]{40})\s*\Z")),
    Leak(
        "svn", ("/.svn/entries", "/.svn/wc.db"), re.compile(rb"\A(?:\d{1,2}\s*\n\s*dir\n|\d{1,2}\n\Z|SQLite format 3)")
    ),
    Leak("env", ("/.env",), _ENV),
    Leak("backup", ("/wwwroot.zip", "/www.zip", "/web.rar", "/backup.zip"), _ARCHIVE),
    Leak("backup", ("/backup.sql", "/db.sql"), _DUMP),
    Leak("actuator", ("/actuator",), _ACTUATOR),
    Leak("actuator", ("/actuator/env", "/env"), re.compile(rb"\"(?:propertySources|activeProfiles)\"\s*:")),
    Leak("phpinfo", ("/phpinfo.php", "/info.php"), _PHPINFO),
    Leak("server-status", ("/server-status",), re.compile(rb"<title>Apache Status</title>|Server uptime:")),
)
"""Every thing looked for; one word may stand for several."""


async def look_at_paths(dialer: Dialer, place: Place) -> dict[str, object]:
    """Ask for each path; a server that has every path proves nothing, one that stops answering is left alone.

    The paths need level check; without it nothing is asked. What was not found out stands in `untold`.
    """
    untold = dict.fromkeys(("error_details", "soft_404", "robots", "exposed"))
    facts: dict[str, object] = {}
    try:
        if dialer.allows(place.address, Level.CHECK):
            missing = await _ask(dialer, place, f"/{secrets.token_hex(8)}.html")
            facts["error_details"] = find_error_details(decode_page(missing.body, missing.header("content-type")))
            facts["soft_404"] = 200 <= missing.status < 300
            untold = dict.fromkeys(("robots", "exposed"))
            facts["robots"] = await _read_robots(dialer, place)
            untold.pop("robots")
            if not facts["soft_404"]:
                facts["exposed"], is_whole = await _find_leaks(dialer, place)
                untold = {} if is_whole else untold
    except NoAnswerError:
        pass  # what was found until then was found
    return facts | {UNTOLD: list(untold)}


async def _find_leaks(dialer: Dialer, place: Place) -> tuple[list[str], bool]:
    """Give what lies about, and whether every path was asked for."""
    found: dict[str, None] = {}
    ends = time.monotonic() + BUDGET_S
    try:
        for leak in LEAKS:
            for path in leak.paths:
                if leak.word in found:
                    break
                if time.monotonic() > ends:
                    return list(found), False
                answer = await _ask(dialer, place, path)
                if answer.status == 200 and leak.proof.search(answer.body):
                    found[leak.word] = None
    except NoAnswerError:
        return list(found), False
    return list(found), True


async def _read_robots(dialer: Dialer, place: Place) -> list[str]:
    answer = await _ask(dialer, place, "/robots.txt")
    if answer.status != 200 or not answer.header("content-type").lower().startswith("text/plain"):
        return []
    return list(dict.fromkeys(_DISALLOW.findall(decode_page(answer.body, ""))))[:_MAX_ROBOTS]


async def _ask(dialer: Dialer, place: Place, path: str) -> Answer:
    return await fetch(dialer, place, path, Level.CHECK, _MOST)
