"""Measure the pages of `sentinel serve` at 50,000 endpoints: seconds to answer, largest contentful paint, memory.

Run `.venv/bin/python bench/console.py [ENDPOINTS]`. Cold is the first request of a kind to a fresh server, warm the
median of five more; the paint is Chromium's own figure (PerformanceObserver), the median of three windows for each
width. What takes a second or more is marked; the bench fails at two, for it may share its machine with others.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.console.large import make_large_home
from tests.console.served import Served, serving
from tests.homes import SCHOOL

ENDPOINTS = 50_000
LIMIT_MS = 1000
LOOSE_MS = 2000
PAINT = """() => new Promise(done => {
  let last = 0;
  new PerformanceObserver(list => { for (const one of list.getEntries()) last = Math.max(last, one.startTime); })
    .observe({type: "largest-contentful-paint", buffered: true});
  setTimeout(() => done(last), 300);
})"""


def pages(server: Served) -> dict[str, str]:
    """Give the address of every kind of page."""
    start = f"/unit/{SCHOOL.code}/"
    found = {"overview": start}
    found |= {name: start + name for name in ("map", "assets", "findings", "changes", "reports")}
    found["assets: search"] = f"{start}assets?q=nginx"
    found["assets: worst first"] = f"{start}assets?order=severity"
    found["assets: unregistered"] = f"{start}assets?registered=no&order=last_seen"
    found["findings: search"] = f"{start}findings?q=redis&order=due"
    found["one asset"] = first_link(
        server.page(f"{start}assets?order=severity"), r'href="(/unit/[^"]+/assets/\d+/[^"]+)"'
    )
    found["one finding"] = first_link(server.page(f"{start}findings"), r'href="(/unit/[^"]+/findings/\d+)"')
    return found


def first_link(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    assert match
    return match[1]


def answer_ms(server: Served, path: str) -> float:
    began = time.perf_counter()
    server.page(path)
    return (time.perf_counter() - began) * 1000


def paint_ms(browser: Browser, server: Served, path: str, width: int) -> float:
    name, _, value = server.cookie.partition("=")
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.add_cookies([{"name": name, "value": value, "url": server.base}])
    page = context.new_page()
    page.goto(server.base + path)
    paint = page.evaluate(PAINT)
    context.close()
    return float(paint)


def memory_mb(server: Served) -> float:
    text = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


def digest_s(server: Served) -> float:
    """Wait for what is made in the background: the changes and the overview's figures."""
    began = time.perf_counter()
    for name, sign in (("changes", 'class="count"'), ("", 'class="keys')):
        while sign not in server.page(f"/unit/{SCHOOL.code}/{name}"):
            time.sleep(0.5)
    return time.perf_counter() - began


def main() -> None:
    endpoints = int(sys.argv[1]) if len(sys.argv) > 1 else ENDPOINTS
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder) / "home"
        make_large_home(home, endpoints, now=datetime.now(UTC))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with serving(home) as server:
            server.enter()
            start = f"/unit/{SCHOOL.code}/"
            print(
                f"{endpoints} endpoints; overview while it is still summed up: {answer_ms(server, start):.0f} ms, ",
                end="",
            )
            print(f"paint {paint_ms(browser, server, start, 1440):.0f} ms; memory {memory_mb(server):.0f} MB")
            print(f"figures after {digest_s(server):.1f} s more; memory {memory_mb(server):.0f} MB")
            print(f"{'page':24}{'cold ms':>9}{'warm ms':>9}{'paint 1440':>12}{'paint 390':>11}")
            slow = []
            for name, path in pages(server).items():
                cold = answer_ms(server, path)
                warm = statistics.median(answer_ms(server, path) for _ in range(5))
                paints = [
                    statistics.median(paint_ms(browser, server, path, width) for _ in range(3)) for width in (1440, 390)
                ]
                print(f"{name:24}{cold:9.0f}{warm:9.0f}{paints[0]:12.0f}{paints[1]:11.0f}", end="")
                print("  a second or more" if max(paints) >= LIMIT_MS else "", flush=True)
                slow += [name for paint in paints if paint >= LOOSE_MS]
            print(f"memory {memory_mb(server):.0f} MB")
            browser.close()
    assert not slow, f"painted in two seconds or more: {', '.join(slow)}"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
