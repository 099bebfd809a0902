"""Facts of a unit in, the view of the self-check of graded protection out (等级保护自查报告).

A self-check proves problems and keeps evidence; whether a system conforms is for a licensed assessor to say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sentinel.model.control import Basis, Catalogue, Check, ClauseVerdict, Verdict
from sentinel.model.facts import UnitFacts
from sentinel.model.result import Method, Result, build_result
from sentinel.report.clean import clean, clean_all
from sentinel.report.values import NOTHING, Bar, Chart, Head, KeyFigure, Segment, Step, Text, build_head, joined
from sentinel.report.view_scope import Ending, build_ending
from sentinel.report.words import domain_text, term, text

TITLE: Final = Text("等级保护自查报告", "Self-check of graded protection")

STATES: Final = {
    Verdict.NONCONFORM: "problem",
    Verdict.PARTIAL: "partial",
    Verdict.CONFORM: "proven",
    Verdict.UNKNOWN: "unknown",
    Verdict.NOT_APPLICABLE: "excluded",
}
"""What a self-check may call a verdict; the words of a licensed assessor are not among them."""

_TONES: Final = {"problem": "critical", "partial": "high", "proven": "ok", "unknown": "unknown"}
_UNREGISTERED: Final = Text("未登记定级对象", "no grading object registered")
_WHOLE: Final = Text("单位整体", "the unit as a whole")
_METHODS: Final = {
    Method.RATE_2025: Text(
        "2025 版口径：已举证条款占适用条款的比例，部分存在问题不计入；口径未与原文核对",
        "by the 2025 template: share of applicable clauses with evidence, partly a problem counts as zero; "
        "not compared with the original",
    ),
    Method.SCORE_2021: Text(
        "2021 版口径：得分；公式凭记忆整理，权重为本项目的设定，与 2025 版口径不可比较；没有计分办法的目录不给出区间",
        "by the 2021 template: a score, from memory and with weights of this project; not comparable with 2025; "
        "none for catalogues without a way of scoring",
    ),
}
_STEPS: Final = 5
_EVIDENCE: Final = 3


@dataclass(frozen=True, slots=True)
class ClauseLine:
    """A clause with what is known of it; `state` is problem, partial, proven, unknown or excluded."""

    id: str
    number: str
    domain: Text
    control: str
    title: Text
    state: str
    state_text: Text
    check: Check
    check_text: Text
    basis: tuple[Text, ...]
    weight: int
    reason: Text
    evidence: tuple[str, ...]
    verified: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """Clauses by state, of a domain or of a way of checking."""

    name: Text
    problem: int
    partial: int
    proven: int
    unknown: int
    excluded: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.applicable + self.excluded

    @property
    def applicable(self) -> int:
        """Those that apply."""
        return self.problem + self.partial + self.proven + self.unknown


@dataclass(frozen=True, slots=True)
class Section:
    """One catalogue and one object.

    Attributes:
        catalogue: id of the catalogue.
        title: its title.
        source: the standard's number and date.
        system: name of the grading object; empty: the unit as one, for what belongs to no grading object.
        object: how the object is called.
        level: level at which it was judged; 0: none matters.
        is_beyond: the object's level is above what the catalogue holds.
        range: low and high end of its range; `—` where there is none.
        all: clauses of the section.
        domains: the same by domain, in the standard's order.
        checks: the same by way of checking.
        by_tool: proven by evidence of tools.
        attested: proven by the word of a person alone.
        chart: domains as a picture.
        clauses: every clause, in the standard's order.
        problems: proven problems, whole and partial, the heaviest first.
        unverified: clauses whose source nobody has seen.
    """

    catalogue: str
    title: Text
    source: str
    system: str
    object: Text
    level: int
    is_beyond: bool
    range: Text
    all: Tally
    domains: tuple[Tally, ...]
    checks: tuple[Tally, ...]
    by_tool: int
    attested: int
    chart: Chart
    clauses: tuple[ClauseLine, ...]
    problems: tuple[ClauseLine, ...]
    unverified: int


@dataclass(frozen=True, slots=True)
class ComplianceView:
    """Everything the self-check shows; `all` sums over all sections, `method` says how ranges are counted."""

    head: Head
    figures: tuple[KeyFigure, ...]
    steps: tuple[Step, ...]
    all: Tally
    sections: tuple[Section, ...]
    method: Method
    method_text: Text
    ending: Ending


def build_compliance(facts: UnitFacts) -> ComplianceView:
    """Build the view: one section per catalogue and object, in the order the verdicts come."""
    members: defaultdict[tuple[str, str], list[ClauseVerdict]] = defaultdict(list)
    for verdict in facts.verdicts:
        members[verdict.catalogue, verdict.system].append(verdict)
    titles = {catalogue.id: catalogue for catalogue in facts.catalogues}
    sections = tuple(
        _section(system, titles.get(catalogue), verdicts, facts.method)
        for (catalogue, system), verdicts in members.items()
    )
    total = _tally(text("all_clauses"), facts.verdicts)
    return ComplianceView(
        head=build_head(
            "compliance", TITLE, facts.unit, facts.period, facts.generated_at, facts.exercise, facts.pack_hash
        ),
        figures=_figures(total, sections),
        steps=_steps(sections),
        all=total,
        sections=sections,
        method=facts.method,
        method_text=_METHODS[facts.method],
        ending=build_ending(facts),
    )


def state_text(state: str) -> Text:
    """Give the words of a state."""
    return text(f"state_{state}")


def _section(system: str, known: Catalogue | None, verdicts: Sequence[ClauseVerdict], method: Method) -> Section:
    lines = tuple(_line(verdict) for verdict in verdicts)
    by_domain: defaultdict[str, list[ClauseVerdict]] = defaultdict(list)
    for verdict in verdicts:
        by_domain[verdict.clause.domain].append(verdict)
    domains = tuple(_tally(domain_text(clean(name, 30)), found) for name, found in by_domain.items())
    by_check = {check: [v for v in verdicts if v.clause.check is check] for check in Check}
    result = build_result(verdicts, known, system, method)
    name, shown = clean(verdicts[0].catalogue, 60), clean(system, 60)
    return Section(
        catalogue=name,
        title=Text(clean(known.title_zh, 80), clean(known.title_en, 120)) if known else Text(name, name),
        source=clean(known.source, 80) if known else "",
        system=shown,
        object=Text(shown, shown) if shown else _WHOLE if known and known.objects == "unit" else _UNREGISTERED,
        level=verdicts[0].level,
        is_beyond=known is not None and 0 < known.level < verdicts[0].level,
        range=_range(result),
        all=_tally(text("all_clauses"), verdicts),
        domains=domains,
        checks=tuple(_tally(term(check), found) for check, found in by_check.items() if found),
        by_tool=result.by_tool,
        attested=result.attested,
        chart=_chart(domains),
        clauses=lines,
        problems=_problems(lines),
        unverified=sum(not line.verified for line in lines),
    )


def _range(result: Result) -> Text:
    if result.low is None or result.high is None:
        return Text("—", "—")
    sign = "%" if result.method is Method.RATE_2025 else ""
    low, high = (f"{end:.1f}{sign}" for end in (result.low, result.high))
    return Text(f"{low} 至 {high}", f"{low} to {high}")


def _line(verdict: ClauseVerdict) -> ClauseLine:
    clause, state = verdict.clause, STATES[verdict.verdict]
    title, reason = clean(clause.title_zh, 120), clean(verdict.reason_zh, 160)
    return ClauseLine(
        id=clean(clause.id, 20),
        number=clean(clause.number, 30),
        domain=domain_text(clean(clause.domain, 30)),
        control=clean(clause.control, 40),
        title=Text(title, clean(clause.title_en, 200) or title),
        state=state,
        state_text=state_text(state),
        check=clause.check,
        check_text=term(clause.check),
        basis=tuple(term(basis) for basis in verdict.basis if basis is not Basis.NONE),
        weight=clause.weight,
        reason=Text(reason, clean(verdict.reason_en, 200) or reason),
        evidence=clean_all(verdict.evidence, 71, _EVIDENCE),
        verified=clause.verified,
    )


def _tally(name: Text, verdicts: Iterable[ClauseVerdict]) -> Tally:
    counts = Counter(STATES[verdict.verdict] for verdict in verdicts)
    return Tally(name, *(counts[state] for state in STATES.values()))


def _problems(lines: Sequence[ClauseLine]) -> tuple[ClauseLine, ...]:
    found = [line for line in lines if line.state in {"problem", "partial"}]
    return tuple(sorted(found, key=lambda line: (line.state != "problem", -line.weight)))


def _chart(domains: Sequence[Tally]) -> Chart:
    bars = tuple(
        Bar(
            tally.name,
            (
                Segment("critical", tally.problem),
                Segment("high", tally.partial),
                Segment("ok", tally.proven),
                Segment("unknown", tally.unknown),
            ),
            text("count", n=tally.applicable),
        )
        for tally in domains
    )
    legend = tuple((tone, state_text(state)) for state, tone in _TONES.items())
    sums = Counter[str]()
    for tally in domains:
        sums.update(problem=tally.problem, partial=tally.partial, proven=tally.proven, unknown=tally.unknown)
    return Chart(bars, text("axis_clauses"), text("alt_clauses", **{state: sums[state] for state in _TONES}), legend)


def _figures(total: Tally, sections: Sequence[Section]) -> tuple[KeyFigure, ...]:
    known = bool(sections)
    tool = sum(section.by_tool for section in sections)
    attested = sum(section.attested for section in sections)
    return (
        KeyFigure(
            text("key_clauses"),
            total.applicable if known else None,
            joined((_sections_note(sections), text("note_excluded", n=total.excluded))),
        ),
        KeyFigure(
            text("state_problem"),
            total.problem if known else None,
            text("note_partial", n=total.partial),
            "critical" if total.problem else "",
        ),
        KeyFigure(
            text("state_proven"), total.proven if known else None, text("note_proven", tool=tool, attested=attested)
        ),
        KeyFigure(
            text("state_unknown"),
            total.unknown if known else None,
            text("note_unanswered"),
            "unknown" if total.unknown else "",
        ),
    )


def _sections_note(sections: Sequence[Section]) -> Text:
    return text("note_sections", n=len(sections)) if len(sections) > 1 else NOTHING


def _steps(sections: Sequence[Section]) -> tuple[Step, ...]:
    if not sections:
        return (_gap("catalogue", 0),)
    gaps = _gap_steps([line for section in sections for line in section.clauses if line.state == "unknown"])
    by_control: defaultdict[tuple[str, str], list[ClauseLine]] = defaultdict(list)
    for section in sections:
        for line in section.problems:
            by_control[line.domain.zh, line.control].append(line)
    ranked = sorted(by_control.values(), key=lambda found: (found[0].state != "problem", -_weight(found)))
    return (*(_problem_step(found) for found in ranked[: _STEPS - len(gaps)]), *gaps)


def _weight(found: Sequence[ClauseLine]) -> int:
    return sum(line.weight for line in found)


def _problem_step(found: Sequence[ClauseLine]) -> Step:
    first = found[0]
    action = Text(f"整改：{first.control or first.title.zh}", f"Fix: {first.title.en}")
    numbers = tuple(dict.fromkeys(line.number or line.id for line in found))
    return Step(
        _TONES[first.state],
        first.state_text,
        action,
        first.reason if first.reason.zh else first.title,
        len(found),
        numbers[:4],
    )


def _gap_steps(unknown: Sequence[ClauseLine]) -> tuple[Step, ...]:
    machine = [line for line in unknown if line.check is Check.AUTO]
    people = [line for line in unknown if line.check is not Check.AUTO]
    steps = []
    if machine:
        steps.append(_gap("evidence", len(machine)))
    if people:
        steps.append(_gap("attest", len(people)))
    return tuple(steps)


def _gap(name: str, count: int) -> Step:
    return Step("unknown", state_text("unknown"), text(f"step_{name}"), text(f"gap_{name}", n=count), count)
