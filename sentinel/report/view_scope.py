"""Facts of a unit in, the last chapter of its reports out: what was looked at, what was not, and the evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sentinel.model.endpoint import Run
from sentinel.model.facts import NetworkCoverage, UnitFacts
from sentinel.model.moment import local_date
from sentinel.model.silence import Silence
from sentinel.model.unit import Network
from sentinel.report.clean import clean
from sentinel.report.values import Bar, Chart, Segment, Share, Step, Text, joined
from sentinel.report.words import term, text


@dataclass(frozen=True, slots=True)
class NetworkLine:
    """A network with how much of it was looked at.

    Attributes:
        name: its name.
        zone: what it serves.
        prefixes: its address ranges.
        covered: addresses finished of addresses planned; an empty whole: no range was declared.
        ports: ports asked.
        newest: end of the newest run that covered any of it.
        hosts: hosts with an open port.
        scannable: false: only logs may be read.
    """

    name: str
    zone: Text
    prefixes: tuple[str, ...]
    covered: Share
    ports: str
    newest: datetime | None
    hosts: int
    scannable: bool


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run of the period with the sum of its evidence; `time_known` is false where the source's time is unusable."""

    time: datetime
    time_known: bool
    kind: Text
    tool: str
    source: str
    vantage: str
    operator: str
    coverage: str
    hosts: int
    endpoints: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Ending:
    """Scope, coverage, limits and evidence.

    Attributes:
        networks: coverage by network.
        chart: the same as a picture.
        total: addresses finished of addresses planned, over all networks.
        prefixes: prefixes declared.
        runs: runs of the period, newest first.
        unknowns: what is not known, one sentence each.
        pack_hash: SHA-256 over the rule pack that judged.
    """

    networks: tuple[NetworkLine, ...]
    chart: Chart
    total: Share
    prefixes: int
    runs: tuple[RunLine, ...]
    unknowns: tuple[Text, ...]
    pack_hash: str


def build_ending(facts: UnitFacts) -> Ending:
    """Build the last chapter."""
    networks = _network_lines(facts)
    total = covered_share(facts)
    return Ending(
        networks=networks,
        chart=_coverage_chart(networks, total),
        total=total,
        prefixes=sum(one.prefixes for one in facts.coverage),
        runs=tuple(_run_line(run) for run in facts.runs),
        unknowns=_unknowns(facts, networks, total),
        pack_hash=clean(facts.pack_hash, 64),
    )


def covered_share(facts: UnitFacts) -> Share:
    """Sum the coverage of all networks."""
    return Share(sum(min(c.covered, c.planned) for c in facts.coverage), sum(c.planned for c in facts.coverage))


def covered_words(facts: UnitFacts) -> Text:
    """Tell how many addresses of how many were checked, and in how many declared prefixes these lie."""
    total, prefixes = covered_share(facts), sum(one.prefixes for one in facts.coverage)
    told = text("part_of_addresses", part=total.part, whole=total.whole)
    return joined((told, text("note_prefixes", n=prefixes))) if prefixes else told


def has_looked(facts: UnitFacts) -> bool:
    """Tell whether anything was ever seen or read, so that a zero of the map may be printed as a zero.

    Findings do not count: that a unit was never scanned is itself a finding.
    """
    return bool(facts.runs or facts.rows or facts.hosts)


def count_or_unknown(facts: UnitFacts, count: int) -> int | None:
    """Give a count of findings, or None where a zero would speak of what no rule was ever applied to."""
    return None if not count and facts.unjudged else count


def gap_step(facts: UnitFacts) -> Step | None:
    """Name the greatest gap of knowledge as a thing to do; None when there is none."""
    total = covered_share(facts)
    if not has_looked(facts):
        return _gap(text("step_first_scan"), text("gap_never"), 0)
    if facts.unjudged:
        return _gap(text("step_check"), text("gap_unjudged", n=facts.unjudged), facts.unjudged)
    if total.missing or not total.whole:
        open_networks = [c for c in facts.coverage if c.covered < c.planned]
        examples = tuple(clean(c.network, 40) for c in sorted(open_networks, key=lambda c: c.covered - c.planned)[:3])
        cause = text("gap_addresses", n=total.missing) if total.whole else text("gap_undeclared")
        action = text("step_scan_rest") if total.whole else text("step_declare")
        return _gap(action, cause, len(open_networks), examples)
    if not facts.captures_analysed:
        return _gap(text("step_capture"), text("gap_captures"), 0)
    if not facts.whitelist_entries:
        return _gap(text("step_whitelist"), text("gap_whitelist"), len(facts.rows))
    return None


def _gap(action: Text, cause: Text, objects: int, examples: tuple[str, ...] = ()) -> Step:
    return Step("unknown", text("not_checked"), action, cause, objects, examples)


def _network_lines(facts: UnitFacts) -> tuple[NetworkLine, ...]:
    coverage = {line.network: line for line in facts.coverage}
    hosts = Counter(network for network, _ in {(row.network, row.endpoint.key.address) for row in facts.rows})
    names = dict.fromkeys((*(network.name for network in facts.networks), *coverage, *sorted(hosts)))
    declared = {network.name: network for network in facts.networks}
    return tuple(_network_line(name, declared.get(name), coverage.get(name), hosts[name]) for name in names)


def _network_line(name: str, network: Network | None, known: NetworkCoverage | None, hosts: int) -> NetworkLine:
    known = known or NetworkCoverage(name, 0, 0)
    return NetworkLine(
        name=clean(name, 40),
        zone=term(network.zone) if network else text("zone_unknown"),
        prefixes=tuple(str(prefix) for prefix in network.prefixes) if network else (),
        covered=Share(min(known.covered, known.planned), known.planned),
        ports=clean(known.ports, 60),
        newest=known.newest,
        hosts=hosts,
        scannable=network.scannable if network else True,
    )


def _coverage_chart(networks: Sequence[NetworkLine], total: Share) -> Chart:
    bars = tuple(
        Bar(
            Text(f"{line.name} {line.zone.zh}", f"{line.name} {line.zone.en}"),
            (Segment("accent", line.covered.part), Segment("unknown", line.covered.missing)),
            _coverage_note(line),
            unknown=not line.covered.whole,
        )
        for line in networks
    )
    legend = (("accent", text("covered")), ("unknown", text("not_checked")))
    alt = text("alt_coverage", part=total.part, whole=total.whole)
    return Chart(bars, text("axis_share"), alt, legend, shares=True)


def _coverage_note(line: NetworkLine) -> Text:
    if not line.covered.whole:
        return text("no_range")
    note = text("part_of", part=line.covered.part, whole=line.covered.whole)
    return note if line.scannable else Text(f"{note.zh} {text('logs_only').zh}", f"{note.en} {text('logs_only').en}")


def _run_line(run: Run) -> RunLine:
    return RunLine(
        time=run.time,
        time_known=run.time_quality != "unknown",
        kind=text("run_scan") if run.kind == "scan" else text("run_import"),
        tool=clean(run.tool, 40),
        source=clean(run.source, 80),
        vantage=clean(run.vantage, 30),
        operator=clean(run.operator, 40),
        coverage=clean(run.coverage_text, 80),
        hosts=run.hosts_up,
        endpoints=run.endpoints_open,
        evidence=clean(run.evidence, 71),
    )


def _unknowns(facts: UnitFacts, networks: Sequence[NetworkLine], total: Share) -> tuple[Text, ...]:
    logs = [line.name for line in networks if not line.scannable]
    vague = sum(row.endpoint.fingerprint.guessed or not row.endpoint.fingerprint.service for row in facts.rows)
    outside = len({row.endpoint.key.address for row in facts.rows if not row.endpoint.in_scope})
    timeless = sum(run.time_quality == "unknown" for run in facts.runs)
    found = (
        (not has_looked(facts), text("unknown_never")),
        (facts.unjudged > 0, text("unknown_unjudged", n=facts.unjudged)),
        (not total.whole, text("unknown_undeclared")),
        (total.missing > 0, text("unknown_addresses", n=total.missing, whole=total.whole)),
        (bool(logs), text("unknown_logs", names="、".join(logs[:4]), n=len(logs))),
        (facts.silent_hosts > 0, text("unknown_silent", n=facts.silent_hosts)),
        (vague > 0, text("unknown_services", n=vague, whole=len(facts.rows))),
        (outside > 0, text("unknown_outside", n=outside)),
        (not facts.captures_analysed, text("unknown_mining")),
        (not facts.whitelist_entries, text("unknown_whitelist")),
        (timeless > 0, text("unknown_times", n=timeless)),
        (True, text("unknown_always")),
    )
    return tuple(sentence for holds, sentence in found if holds)


def silence_words(silences: Iterable[Silence]) -> tuple[Text, ...]:
    """Say by which channels something used to arrive and no longer does."""
    return tuple(
        text(f"unknown_silent_{one.channel.value}", days=one.days, day=local_date(one.last))
        for one in silences
        if one.is_silent and one.days is not None and one.last is not None
    )
