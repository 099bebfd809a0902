from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.console.served import Served, serving
from tests.homes import SCHOOL, copy_home

pytestmark = pytest.mark.browser

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
WIDTHS = (1440, 390)
BROKEN = """() => {
  const root = document.documentElement, out = [];
  if (root.scrollWidth > innerWidth) out.push("wider than the window: " + root.scrollWidth);
  for (const one of document.querySelectorAll("nav a, .bar .side, h1, .sev, .port, button, select"))
    if (one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll"))
      out.push(one.outerHTML.slice(0, 90));
  return out;
}"""


@dataclass
class Seen:
    """What a page did that it should not."""

    base: str
    troubles: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> Page:
        """Note every console line of weight, error, dialog, refused resource and stranger asked."""
        page.on("console", lambda m: self.troubles.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on("dialog", lambda dialog: (self.troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda one: None if self.is_own(one.url) else self.troubles.append(f"asked {one.url[:80]}"))
        return page

    def is_own(self, url: str) -> bool:
        return url.startswith((f"{self.base}/", "data:image/png"))


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
    yield chromium
    chromium.close()


@contextmanager
def looking(browser: Browser, server: Served, width: int, *, scripts: bool = True) -> Iterator[tuple[Page, Seen]]:
    """Open a window of a width, entered by the cookie of the server's client; it must cause no trouble at all."""
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    context.set_default_timeout(20_000)
    if server.cookie:
        name, _, value = server.cookie.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": server.base}])
    seen = Seen(server.base)
    try:
        yield seen.watch(context.new_page()), seen
    finally:
        context.close()
    assert seen.troubles == []


def addresses(page: Page, base: str) -> list[str]:
    """Give the address of every kind of page, one host and one finding among them."""
    start = f"{base}/unit/{SCHOOL.code}/"
    found = [start, *(f"{start}{name}" for name in ("map", "assets", "findings", "changes", "reports"))]
    for listing, link in (("assets?order=severity", "td.subject a"), ("findings", "td.id a")):
        page.goto(start + listing)
        if page.locator(link).count():
            found.append(base + (page.locator(link).first.get_attribute("href") or ""))
    return found


@pytest.fixture(scope="module", params=["small", "hostile", "empty"])
def home_served(
    request: pytest.FixtureRequest, small_home: Path, hostile_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    own = tmp_path_factory.mktemp("console") / request.param  # other tests serve the homes themselves meanwhile
    if request.param == "empty":
        home = copy_home(own).path
    else:
        home = Path(shutil.copytree(small_home if request.param == "small" else hostile_home, own))
    with serving(home) as server:
        server.enter()
        yield server


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_when_opened_fits_and_causes_no_trouble(
    browser: Browser, home_served: Served, width: int, lang: str
) -> None:
    with looking(browser, home_served, width) as (page, _):
        for address in addresses(page, home_served.base):
            page.goto(f"{address}?lang={lang}")
            if page.locator("#digest[hx-get]").count():
                page.locator("#digest .keys").wait_for()
            if page.locator("#pictures[hx-get]").count():
                page.locator("#pictures .keys").wait_for()
            assert page.evaluate(BROKEN) == [], address
            assert page.locator("main h1").count() == 1


def test_every_page_when_scripts_are_off_shows_the_same(browser: Browser, small_home: Path) -> None:
    with serving(small_home) as server, looking(browser, server, 390, scripts=False) as (page, _):
        page.goto(server.base)
        page.fill("input[name=token]", server.token)
        page.click("form.enter button")
        page.wait_for_url(re.compile("/unit/"))
        page.locator(".keys").wait_for()  # the page comes again by itself until the figures are there
        page.click("nav a:has-text('资产')")
        page.fill("input[name=q]", "redis")
        page.click("form.ask button")
        assert page.locator("td.ports").first.inner_text().find("redis") >= 0
        first = page.locator("td.subject a").first.inner_text()
        page.goto(f"{server.base}/unit/{SCHOOL.code}/assets")
        first = page.locator("td.subject a").first.inner_text()
        page.click(".pager .next")
        assert page.locator("td.subject a").first.inner_text() != first
        page.click(".pager .next")
        page.click(".pager .previous")
        page.click(".pager .previous")
        assert page.locator("td.subject a").first.inner_text() == first
        assert page.locator(".pager .previous").count() == 0
        page.click("td.subject a >> nth=0")
        assert page.locator("h2:has-text('历史')").count() == 1
        page.click("nav a:has-text('隐患')")
        page.select_option("select[name=severity]", "critical")
        page.click("form.ask button")
        assert {text.strip() for text in page.locator("td .sev").all_inner_texts()} == {"◆ 严重"}
        page.click(".side a")
        assert page.locator("h1").inner_text() == "Findings"


def settle(page: Page) -> None:
    """Wait as a person does, until the new list stands where the old one stood."""
    busy = page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")
    busy.first.wait_for(state="detached")


def test_search_when_typed_shows_results_without_a_new_page(browser: Browser, small_home: Path) -> None:
    with serving(small_home) as server:
        server.enter()
        with looking(browser, server, 1440) as (page, _):
            page.goto(f"{server.base}/unit/{SCHOOL.code}/assets")
            page.evaluate("window.same = true")
            page.locator("input[name=q]").press_sequentially("http")
            page.wait_for_url(re.compile("q=http"))
            settle(page)
            assert all("http" in text for text in page.locator("td.ports").all_inner_texts())
            page.select_option("select[name=order]", "severity")
            page.wait_for_url(re.compile("order=severity"))
            settle(page)
            page.click(".pager .next")
            page.wait_for_url(re.compile("after="))
            settle(page)
            assert page.evaluate("window.same") is True
            assert page.evaluate("Object.keys(localStorage).length") == 0
            page.go_back()
            page.wait_for_url(lambda url: "after=" not in url)
            page.locator("td.ports").first.wait_for()


def test_choice_when_made_asks_once_and_is_one_step_back(browser: Browser, small_home: Path) -> None:
    with serving(small_home) as server:
        server.enter()
        with looking(browser, server, 1440) as (page, _):
            page.goto(f"{server.base}/unit/{SCHOOL.code}/assets")
            steps = page.evaluate("history.length")
            asked: list[str] = []
            page.on("request", lambda one: asked.append(one.url) if "/assets" in one.url else None)
            page.select_option("select[name=order]", "severity")
            page.wait_for_url(re.compile("order=severity"))
            settle(page)
            page.locator("input[name=q]").fill("http")
            page.wait_for_url(re.compile("q=http"))
            settle(page)
            page.locator("input[name=q]").blur()
            page.wait_for_timeout(1000)
            assert len(asked) == 2
            assert page.evaluate("history.length") == steps + 2


def test_address_with_token_when_opened_lets_in_and_leaves_no_trace(browser: Browser, small_home: Path) -> None:
    with serving(small_home) as server, looking(browser, server, 1440) as (page, seen):
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url))
        page.goto(f"{server.base}/enter#{server.token}")
        page.wait_for_url(re.compile("/unit/"))
        assert not any(server.token in url for url in asked)
        page.go_back()
        assert server.token not in page.url
        seen.troubles.clear()


def test_hostile_texts_when_shown_run_nothing_and_stay_readable(browser: Browser, hostile_home: Path) -> None:
    with serving(hostile_home) as server:
        server.enter()
        with looking(browser, server, 1440) as (page, _):
            page.add_init_script("window.ran = []; window.alert = word => window.ran.push(word)")
            start = f"{server.base}/unit/{SCHOOL.code}/"
            for listing in ("assets", "findings", "changes"):
                page.goto(start + listing)
                page.locator("td").first.wait_for()
                text = page.locator("#results").inner_text()
                assert "<script>alert(1)</script>" in text
                assert "‹202E›" in text
                assert page.locator("#results script, #results img, #results [onerror], #results [onload]").count() == 0
                assert page.locator("#results a:not([href^='/unit/'])").count() == 0
                links = page.locator("td.subject a, td.id a").evaluate_all("found => found.map(one => one.href)")
                for link in dict.fromkeys(links):
                    page.goto(link)
                    assert page.locator("main img, main script").count() == 0
                    assert page.evaluate("window.ran") == []
                    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                    assert len(page.content()) < 60_000


def test_report_file_when_opened_runs_no_script(browser: Browser, hostile_home: Path) -> None:
    with serving(hostile_home) as server:
        server.enter()
        listing = server.page(f"/unit/{SCHOOL.code}/reports")
        assert "secret.html" not in listing
        answer, _ = server.ask(f"/unit/{SCHOOL.code}/reports/file/data.json")
        assert (answer.getheader("content-disposition") or "").startswith("attachment")
        with looking(browser, server, 1440) as (page, seen):
            page.goto(f"{server.base}/unit/{SCHOOL.code}/reports")
            page.evaluate("for (const one of document.querySelectorAll('a')) one.removeAttribute('target')")
            page.click("a:has-text('school-20261122')")
            page.locator("p:has-text('报告正文')").wait_for()
            refused = [one for one in seen.troubles if "Content Security Policy" in one or "sandboxed" in one]
            assert len(refused) == len(seen.troubles) > 0
            seen.troubles.clear()


@pytest.mark.parametrize("name", ["school", "compliance", "mining"])
def test_current_report_when_asked_for_is_made_and_shown(browser: Browser, small_home: Path, name: str) -> None:
    with serving(small_home) as server:
        server.enter()
        with looking(browser, server, 1440) as (page, _):
            page.goto(f"{server.base}/unit/{SCHOOL.code}/reports/current/{name}")
            page.locator("footer.seal").wait_for(timeout=60_000)
            assert page.locator("body").evaluate("one => getComputedStyle(one).maxWidth") == "1060px"


def test_overview_when_hosts_are_drawn_leads_to_each_of_them(browser: Browser, hostile_home: Path) -> None:
    with serving(hostile_home) as server:
        server.enter()
        with looking(browser, server, 1440) as (page, _):
            page.goto(f"{server.base}/unit/{SCHOOL.code}/?lang=en")
            page.locator(".host b a").first.wait_for()
            address = page.locator(".host b a").first.inner_text()
            page.click(".host b a >> nth=0")
            assert address in page.locator("h1").inner_text()
            assert "lang=en" in page.url
