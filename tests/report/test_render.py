from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sentinel.errors import RenderError, UsageError
from sentinel.model.facts import CentreFacts, UnitFacts
from sentinel.report import CENTRE_REPORTS, REPORTS, UNIT_REPORTS, build_view, find_report
from sentinel.report.render import css_string, fingerprint, render_html, render_json, size_text
from tests.report.facts_factory import SCHOOL, make_centre, make_empty_facts, make_facts

TEMPLATES = Path(__file__).parents[2] / "reports"
GOLDEN = Path(__file__).parent / "golden"
RENEW = "SENTINEL_RENEW_GOLDEN"
NAMES = tuple(REPORTS)
LANGUAGES = ("zh", "en")


def facts_for(name: str, size: int = 12, *, hostile: bool = False) -> UnitFacts | CentreFacts:
    if name in CENTRE_REPORTS:
        return make_centre(size, hostile=hostile)
    return make_facts(size, hostile=hostile, outside=name == "brief")


def page(name: str, lang: str = "zh", size: int = 12, *, hostile: bool = False) -> str:
    return render_html(name, build_view(name, facts_for(name, size, hostile=hostile)), lang, TEMPLATES)


class Reader(HTMLParser):
    """Collects tags, attributes and what stands in figures and tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._raw = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._raw = tag in {"style", "script"}

    def handle_endtag(self, tag: str) -> None:
        self._raw = False

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.words.append(data)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["html", "json"])
def test_render_when_facts_are_the_same_then_the_report_equals_the_golden_file(name: str, form: str) -> None:
    view = build_view(name, facts_for(name))
    text = render_html(name, view, "zh", TEMPLATES) if form == "html" else render_json(name, view)
    golden = GOLDEN / f"{name}.{form}"
    if os.environ.get(RENEW):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8"), f"set {RENEW}=1 to renew, after looking at the pages"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("size", [12, 200, 3000])
def test_render_html_when_figures_are_drawn_then_each_has_caption_number_and_words(
    name: str, lang: str, size: int
) -> None:
    text = page(name, lang, size)
    figures = re.findall(r"<figure.*?</figure>", text, re.DOTALL)
    assert figures
    for number, figure in enumerate(figures, start=1):
        caption = re.search(r"<figcaption>(?:图 |Figure )(\d+)(?:　|\. )(\S.*?)</figcaption>", figure)
        assert caption is not None
        assert int(caption[1]) == number
        alternatives = re.findall(r'role="img"[^>]*aria-label="([^"]*)"', figure)
        assert alternatives
        assert all(len(words) > 5 for words in alternatives)
    tables = [int(found) for found in re.findall(r"<caption>(?:表 |Table )(\d+)", text)]
    assert tables == list(range(1, len(tables) + 1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_render_html_when_opened_then_nothing_is_loaded_and_nothing_runs(name: str, lang: str) -> None:
    text = page(name, lang, 400)
    reader = Reader(text)
    tags = {tag for tag, _ in reader.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "img", "form", "base"}
    for tag, attributes in reader.tags:
        assert not any(key.startswith("on") or key == "style" for key in attributes), (tag, attributes)
        for key in ("src", "href", "data", "action"):
            assert (attributes.get(key) or "data:image/png;base64,").startswith("data:image/png;base64,")
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text
    assert not re.findall(r"url\((?!#)", text)
    assert any("default-src 'none'" in (attributes.get("content") or "") for _, attributes in reader.tags)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_render_html_when_foreign_text_is_hostile_then_it_is_only_text(name: str, lang: str) -> None:
    text = page(name, lang, 60, hostile=True)
    assert "<script" not in text
    assert "</style><b>" not in text
    assert text.count("</style>") == 1
    assert "{{ 7*7 }}" in text
    assert not any(hidden in text for hidden in ("\u202e", "\u2066", "\x00", "\x1b"))
    assert "长" * 400 not in text
    assert not any(key.startswith("onload") for _, attributes in Reader(text).tags for key in attributes)
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ET.fromstring(drawing)


@pytest.mark.parametrize("name", NAMES)
def test_render_html_when_it_is_a_drill_then_a_banner_says_so(name: str) -> None:
    real = page(name)
    drill = render_html(name, build_view(name, replace(facts_for(name), exercise="秋季演练")), "zh", TEMPLATES)
    assert '<div class="drill">演练数据，非真实情况：<bdi>秋季演练</bdi></div>' in drill
    assert 'class="drill"' not in real


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [12, 400])
def test_render_html_when_language_is_english_then_no_chinese_of_ours_is_left(name: str, size: int) -> None:
    allowed = _chinese(facts_for(name, size))
    words = " ".join(Reader(page(name, "en", size)).words)
    left = {word for word in re.findall(r"[\u4e00-\u9fff]+", words) if not any(word in known for known in allowed)}
    assert left == set()


@pytest.mark.parametrize("name", NAMES)
def test_render_html_when_it_ends_then_scope_hash_and_seal_stand_there(name: str) -> None:
    view = build_view(name, facts_for(name))
    ending = render_html(name, view, "zh", TEMPLATES)[-900:]
    assert "系统生成，不替代等级测评" in ending
    assert view.head.pack_hash in ending
    assert fingerprint(view) in ending


def test_render_html_when_evidence_was_used_then_its_sums_are_printed_in_full() -> None:
    facts = make_facts(12)
    text = page("school")
    assert all(run.evidence in text for run in facts.runs)


def test_render_html_when_it_is_a_self_check_then_no_conclusion_of_an_assessor_is_printed() -> None:
    words = "".join(Reader(page("compliance", size=200)).words)
    assert "不符合" not in words
    assert "基本符合" not in words
    assert not re.search("结论[为是：]|判定为符合", words)
    assert "不替代有资质机构的等级测评" in words
    assert re.search(r"参考区间\s*\d+(\.\d)?% 至 \d+(\.\d)?%", words)


def test_render_html_when_nothing_was_scanned_then_unknown_stands_everywhere() -> None:
    for name in UNIT_REPORTS:
        words = "".join(Reader(render_html(name, build_view(name, make_empty_facts()), "zh", TEMPLATES)).words)
        assert words.count("未核查") > 3
        assert "没有问题" not in words.replace("不能理解为没有资产或没有问题", "")


def test_render_html_when_a_case_is_printed_then_its_nature_is_pending() -> None:
    text = page("mining", size=200)
    cases = text.count("处置单 ")
    assert cases > 5
    assert text.count("性质：待定") == text.count('class="card case')


@pytest.mark.parametrize(("size", "limit_kb"), [(12, 80), (200, 250), (3000, 250)])
def test_render_html_when_a_school_is_large_then_the_file_stays_small(size: int, limit_kb: int) -> None:
    assert len(page("school", size=size).encode()) < limit_kb * 1024


def test_render_html_when_the_template_wants_what_the_view_lacks_then_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.css.j2").write_text("")
    (tmp_path / "school.html.j2").write_text("one\n{{ view.head.unit }}\n{{ missing.word }}\n")
    with pytest.raises(RenderError, match=r"report school: .*'missing' is undefined"):
        render_html("school", build_view("school", make_empty_facts()), "zh", tmp_path)


def test_render_html_when_the_template_has_a_fault_then_file_and_line_are_named(tmp_path: Path) -> None:
    (tmp_path / "report.css.j2").write_text("")
    (tmp_path / "school.html.j2").write_text("one\n{% broken %}\n")
    with pytest.raises(RenderError, match=r"school\.html\.j2 line 2"):
        render_html("school", build_view("school", make_empty_facts()), "zh", tmp_path)


def test_render_html_when_templates_are_not_there_then_the_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"report\.css\.j2"):
        render_html("school", build_view("school", make_empty_facts()), "zh", tmp_path)


def test_render_html_when_the_language_is_unknown_then_it_is_refused() -> None:
    with pytest.raises(UsageError, match="no language 'fr'"):
        render_html("school", build_view("school", make_empty_facts()), "fr", TEMPLATES)


def test_find_report_when_the_name_is_unknown_then_the_known_ones_are_named() -> None:
    with pytest.raises(UsageError, match=r"no report 'x' .*brief, school, compliance, mining, map, overview"):
        find_report("x")


@pytest.mark.parametrize(("name", "facts"), [("school", make_centre(3)), ("overview", make_empty_facts())])
def test_build_view_when_facts_are_of_the_other_scope_then_it_is_refused(name: str, facts: UnitFacts) -> None:
    with pytest.raises(RenderError, match=f"report {name} needs the facts of a"):
        build_view(name, facts)


@pytest.mark.parametrize("name", NAMES)
def test_render_json_when_read_back_then_it_holds_what_the_page_folds(name: str) -> None:
    facts = facts_for(name, 400)
    view = build_view(name, facts)
    body = json.loads(render_json(name, view))
    assert body["report"] == name
    assert body["fingerprint"] == fingerprint(view)
    assert body["view"]["head"]["generated_at"] == "2026-11-22T01:30:00Z"
    if name == "school":
        assert isinstance(facts, UnitFacts)
        hosts = [host for panel in body["view"]["map"]["panels"] for host in panel["hosts"]]
        assert len(hosts) == len({(h.network, h.address) for h in facts.hosts}) + 1
        assert len(body["view"]["findings"]) == sum(finding.state.is_live for finding in facts.findings)


def test_fingerprint_when_one_fact_differs_then_it_differs() -> None:
    facts = make_empty_facts()
    renamed = replace(facts, unit=replace(SCHOOL, name="示例市第二中学"))
    assert fingerprint(build_view("school", facts)) == fingerprint(build_view("school", facts))
    assert fingerprint(build_view("school", facts)) != fingerprint(build_view("school", renamed))


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("ab1", '"ab1"'),
        ('"', '"\\000022"'),
        ("</style>", '"\\00003c\\00002fstyle\\00003e"'),
        ("校\\", '"\\006821\\00005c"'),
    ],
)
def test_css_string_when_words_are_hostile_then_they_stay_inside_the_string(words: str, written: str) -> None:
    assert css_string(words) == written


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (1023, "1,023 B"), (1024, "1.0 KiB"), (3 * 1024**3, "3.0 GiB"), (5000 * 1024**4, "5,000.0 TiB")],
)
def test_size_text_when_bytes_grow_then_the_unit_grows(size: int, words: str) -> None:
    assert size_text(size) == words


def _chinese(facts: UnitFacts | CentreFacts) -> set[str]:
    found = set()
    if isinstance(facts, CentreFacts):
        found |= {unit.name for unit in facts.units} | {facts.catalogue}
    else:
        found |= {facts.unit.name}
        found |= {run.operator for run in facts.runs}
        found |= {word for finding in facts.findings for word in (finding.number, finding.why, finding.by)}
        found |= {word for line in facts.standing.lines for word in (line.entry.system, line.entry.source)}
        found |= {*facts.owners.values(), *(line.entry.department for line in facts.standing.lines)}
        found |= {one.document for one in facts.authorisations}
        found |= {word for one in facts.systems for word in (one.facts.name, one.facts.department)}
    return found
