"""One answer of a web server and its page in; the facts rules are written about out, by field name.

Of the page itself nothing is kept: names, counts, words of lists of our own, and a sum.
"""

from __future__ import annotations

import re

from sentinel.collect.html_reader import decode_page
from sentinel.collect.web_fetch import Answer, Place
from sentinel.collect.web_link import Link, is_foreign, read_link
from sentinel.collect.web_page import Hidden, Page, find_gambling, find_identity_numbers, find_phones, read_page
from sentinel.collect.web_words import (
    DEFAULT_PAGES,
    ERRORS,
    FRAMEWORK_COOKIES,
    LISTINGS,
    MINING,
    SCRIPT_COOKIES,
    SESSION_COOKIES,
)

PAGE_FIELDS = (
    *("title", "generator", "frameworks", "login_form", "login_plain", "login_get", "dark_links", "dark_words"),
    *("hidden_links", "tampered_words", "script_hosts", "mining_signs", "mixed_content", "pii_id_cards", "pii_phones"),
    *("pii_masked", "icp", "police_filing", "default_page", "directory_listing", "error_details"),
)
"""Fields read from the page itself."""

HEADER_FIELDS = (
    *("missing_headers", "cookies_not_secure", "cookies_not_httponly", "auth_schemes", "server", "powered_by"),
    "html",
)
"""Fields read from what comes with it."""

_MAX_LIST = 32
_MAX_SAMPLES = 3
_ICP = re.compile(r"[\u4e00-\u9fff]{1,4}\s{0,3}ICP\s{0,3}[备证]\s{0,3}\d{6,8}\s{0,3}号(?:\s{0,3}-\s{0,3}\d{1,3})?")
_POLICE = re.compile(r"公网安备\s{0,5}\d{10,14}\s{0,3}号?")
_COOKIE = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,80})=")
_JQUERY = re.compile(r"jquery[-.]?(\d{1,2}\.\d{1,3}(?:\.\d{1,3})?)(?:\.min|\.slim|\.slim\.min)?\.js", re.IGNORECASE)
_THINKPHP = re.compile(r"thinkphp", re.IGNORECASE)


def read_facts(answer: Answer, place: Place, path: str) -> tuple[dict[str, object], Page]:
    """Give the facts of the answer to `path`, and the page they were read from."""
    here = Link("https" if place.is_tls else "http", place.host, place.port, path)
    text = decode_page(answer.body, answer.header("content-type"))
    is_page = _is_page(answer, text)
    page = read_page(text) if is_page else Page()
    facts: dict[str, object] = {
        "status": answer.status,
        "tls": place.is_tls,
        "html": is_page,
        "title": page.title,
        "generator": page.meta.get("generator"),
        "page_hash": page.fingerprint if is_page else None,
        "body_cut": not answer.whole or None,
        "error_details": find_error_details(text),
    }
    facts |= _of_headers(answer, place, is_page=is_page)
    facts |= _of_cookies(answer, place)
    facts["frameworks"] = _frameworks(answer, page)
    if is_page:
        facts |= _of_forms(page, here) | _of_tampering(page, here) | _of_scripts(page, here) | _of_people(page)
        facts |= _of_filing(page.text) | {
            "default_page": next((name for words, name in DEFAULT_PAGES if words.search(text)), None),
            "directory_listing": bool(LISTINGS.search(text)),
            "mixed_content": _mixed(page, here),
        }
    return facts, page


def own_hosts(page: Page, here: Link) -> tuple[str, ...]:
    """Give the other hosts of the same owner a page links to, at most 32, sorted."""
    links = (read_link(text, here) for text in page.links)
    hosts = {one.host for one in links if one is not None and not is_foreign(one, here.host)}
    return tuple(sorted(hosts - {here.host})[:_MAX_LIST])


def find_error_details(text: str) -> list[str]:
    """Give the kinds of error pages with the inside on them."""
    return [name for words, name in ERRORS if words.search(text)]


def _is_page(answer: Answer, text: str) -> bool:
    kind = answer.header("content-type").partition(";")[0].strip().lower()
    return kind in {"text/html", "application/xhtml+xml"} or (not kind and "<html" in text[:2000].lower())


def _of_headers(answer: Answer, place: Place, *, is_page: bool) -> dict[str, object]:
    policy = answer.header("content-security-policy").lower()
    missing = []
    if is_page and answer.status == 200:
        if place.is_tls and not answer.header("strict-transport-security"):
            missing.append("hsts")
        if not policy:
            missing.append("csp")
        if not answer.header("x-frame-options") and "frame-ancestors" not in policy:
            missing.append("frame")
        if "nosniff" not in answer.header("x-content-type-options").lower():
            missing.append("nosniff")
    powered = [answer.header(name) for name in ("x-powered-by", "x-aspnet-version", "x-generator")]
    challenge = [one.partition(" ")[0].lower() for one in answer.all("www-authenticate")]
    return {
        "server": answer.header("server"),
        "powered_by": [one for one in powered if one],
        "missing_headers": missing,
        "auth_schemes": sorted(set(challenge)),
    }


def _of_cookies(answer: Answer, place: Place) -> dict[str, object]:
    unsafe, readable = [], []
    for cookie in answer.all("set-cookie")[:_MAX_LIST]:
        found = _COOKIE.match(cookie)
        if not found:
            continue
        flags = {one.strip().lower() for one in cookie.split(";")[1:]}
        is_session = bool(SESSION_COOKIES.search(found[1])) and not SCRIPT_COOKIES.search(found[1])
        if place.is_tls and is_session and "secure" not in flags:
            unsafe.append(found[1])
        if is_session and "httponly" not in flags:
            readable.append(found[1])
    return {"cookies_not_secure": unsafe, "cookies_not_httponly": readable}


def _frameworks(answer: Answer, page: Page) -> list[str]:
    names = [found[1] for cookie in answer.all("set-cookie") if (found := _COOKIE.match(cookie))]
    found_names = [framework for marks, framework in FRAMEWORK_COOKIES if any(marks.match(name) for name in names)]
    if _THINKPHP.search(answer.header("x-powered-by")):
        found_names.append("ThinkPHP")
    for source in page.scripts:
        if version := _JQUERY.search(source):
            found_names.append(f"jQuery {version[1]}")
        if "/wp-content/" in source or "/wp-includes/" in source:
            found_names.append("WordPress")
    return list(dict.fromkeys(found_names))[:_MAX_LIST]


def _of_forms(page: Page, here: Link) -> dict[str, object]:
    asking = [form for form in page.forms if form.has_password]
    goals = [read_link(form.action, here) or here for form in asking]
    return {
        "login_form": bool(asking),
        "login_plain": bool(asking) and (here.scheme == "http" or any(goal.scheme == "http" for goal in goals)),
        "login_get": any(form.method != "post" for form in asking if form.action),
    }


def _of_tampering(page: Page, here: Link) -> dict[str, object]:
    dark: dict[str, None] = {}
    hidden: dict[str, None] = {}
    words: dict[str, None] = {}
    for part in page.hidden:
        hosts = _foreign_hosts(part, here)
        hidden.update(dict.fromkeys(hosts))
        sold = find_gambling(" ".join((*part.words, *part.links)))
        if hosts and sold:
            dark.update(dict.fromkeys(hosts))
            words.update(dict.fromkeys(sold))
    shown = find_gambling(" ".join((page.title, page.meta.get("keywords", ""), page.meta.get("description", ""))))
    return {
        "dark_links": list(dark)[:_MAX_LIST],
        "dark_words": list(words)[:_MAX_LIST],
        "hidden_links": list(hidden)[:_MAX_LIST],
        "tampered_words": shown[:_MAX_LIST] if len(shown) > 1 else [],
    }


def _foreign_hosts(part: Hidden, here: Link) -> list[str]:
    links = (read_link(link, here) for link in part.links)
    return [one.host for one in links if one is not None and is_foreign(one, here.host)]


def _of_scripts(page: Page, here: Link) -> dict[str, object]:
    links = [one for source in page.loaded if (one := read_link(source, here)) is not None]
    hosts = dict.fromkeys(one.host for one in links if is_foreign(one, here.host))
    code = "\n".join((*page.scripts, *page.inline))
    return {
        "script_hosts": list(hosts)[:_MAX_LIST],
        "mining_signs": [name for marks, name in MINING if marks.search(code)],
    }


def _of_people(page: Page) -> dict[str, object]:
    text = page.text
    numbers, phones = find_identity_numbers(text), find_phones(text)
    masked = [f"{one[:2]}{'*' * 14}{one[-2:]}" for one in sorted(numbers)[:_MAX_SAMPLES]]
    return {"pii_id_cards": len(numbers), "pii_phones": len(phones), "pii_masked": masked}


def _of_filing(text: str) -> dict[str, object]:
    icp, police = _ICP.search(text), _POLICE.search(text)
    return {
        "icp": re.sub(r"\s", "", icp[0]) if icp else None,
        "police_filing": re.sub(r"\s", "", police[0]) if police else None,
    }


def _mixed(page: Page, here: Link) -> list[str]:
    """Give the hosts a page inside TLS loads what can change it from in clear."""
    if here.scheme != "https":
        return []
    links = (read_link(source, here) for source in page.loaded)
    return list(dict.fromkeys(one.host for one in links if one is not None and one.scheme == "http"))[:_MAX_LIST]
