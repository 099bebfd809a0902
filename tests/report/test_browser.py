from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from sentinel.report import CENTRE_REPORTS, REPORTS, build_view
from sentinel.report.render import render_html
from tests.report.facts_factory import make_centre, make_empty_facts, make_facts

TEMPLATES = Path(__file__).parents[2] / "reports"
MEASURE = """
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, root = page.documentElement;
    const cut = [], overlaps = [], bare = [];
    for (const svg of page.querySelectorAll("svg[role=img]")) {
      const box = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll("text")].map(t => [t.textContent, t.getBoundingClientRect()]);
      for (const [words, t] of texts)
        if (t.left < box.left - 2 || t.right > box.right + 2 || t.top < box.top - 4 || t.bottom > box.bottom + 3)
          cut.push(words);
      texts.forEach(([a, s], i) => texts.slice(0, i).forEach(([b, t]) => {
        const wide = Math.min(s.right, t.right) - Math.max(s.left, t.left);
        const high = Math.min(s.bottom, t.bottom) - Math.max(s.top, t.top);
        if (wide > 1 && high > Math.min(s.height, t.height) * 0.45) overlaps.push(a + " | " + b);
      }));
    }
    for (const host of page.querySelectorAll(".host, .key, .card, .tile"))
      if (host.scrollWidth > host.clientWidth + 1) bare.push(host.textContent.trim().slice(0, 40));
    const styled = page.defaultView.getComputedStyle(page.body).maxWidth === "1060px";
    return {width: root.scrollWidth, styled, cut, overlaps, bare};
  });
  document.body.textContent = "RESULT" + JSON.stringify(found) + "END";
});
"""


def pages(name: str, lang: str) -> list[str]:
    if name in CENTRE_REPORTS:
        facts = [make_centre(3), make_centre(24), make_centre(300)]
    else:
        big, hostile = make_facts(3000, outside=True), make_facts(40, hostile=True, outside=True)
        facts = [make_empty_facts(), make_facts(12), make_facts(200), big, hostile]
        if name == "map":
            centre = replace(make_centre(24), own=make_facts(290))
            facts += [centre, make_centre(4000), make_centre(24, hostile=True)]
    return [render_html(name, build_view(name, found), lang, TEMPLATES) for found in facts]


def measure(folder: Path, width: int, found: list[str]) -> list[dict[str, object]]:
    frames = "".join(f'<iframe width="{width}" height="800" srcdoc="{escape(text)}"></iframe>' for text in found)
    wrapper = folder / "wrapper.html"
    style = "<style>iframe{border:0;display:block}</style>"
    wrapper.write_text(f"<!doctype html><meta charset=utf-8>{style}<body>{frames}<script>{MEASURE}</script>", "utf-8")
    browser = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
    command = [
        browser,
        *flags,
        f"--user-data-dir={folder / 'profile'}",
        "--window-size=1600,900",
        "--dump-dom",
        wrapper.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    match = re.search("RESULT(.*)END", done.stdout, re.DOTALL)
    assert match, done.stderr[-2000:]
    result = json.loads(match[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))
    assert isinstance(result, list)
    return result


@pytest.mark.browser
@pytest.mark.parametrize("name", tuple(REPORTS))
@pytest.mark.parametrize(("lang", "width"), [("zh", 390), ("en", 390), ("zh", 1440)])
def test_report_when_opened_in_a_browser_then_it_fits_and_no_label_is_cut_or_covered(
    tmp_path: Path, name: str, lang: str, width: int
) -> None:
    found = pages(name, lang)
    results = measure(tmp_path, width, found)
    assert len(results) == len(found)
    for result in results:
        assert result["styled"], "the style was refused by the policy"
        assert result["width"] == width
        assert result["cut"] == []
        assert result["overlaps"] == []
        assert result["bare"] == []
