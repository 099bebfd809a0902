from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState, SubjectKind
from sentinel.model.rule import Category, Detection, FieldValue, Rule, RuleText, Severity, Subject
from sentinel.respond.lifecycle import (
    REOPEN_WITHIN,
    Step,
    build_detail,
    build_key,
    end_exemption,
    exempt,
    order_rectification,
    prove_gone,
    take_detection,
    take_report,
)

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LIVE = [FindingState.OPEN, FindingState.RECTIFYING, FindingState.FIXED]
EXEMPT = [FindingState.ACCEPTED, FindingState.FALSE_POSITIVE]
GONE = [FindingState.VERIFIED, FindingState.AWAITING, FindingState.CLOSED]

RULE = Rule(
    "00000000-0000-4000-8000-000000000001",
    "exposure.redis-no-auth",
    RuleText("Redis 未设密码", remediation="设置密码"),
    RuleText("Redis without password", remediation="set a password"),
    Severity.CRITICAL,
    Category.SERVICE,
    clauses=("CE-04b",),
    due_days=7,
)


def detection(
    seen_at: datetime | None = NOW, rule: Rule = RULE, evidence: str = "e" * 64, text: str = "10.0.0.5:6379/tcp"
) -> Detection:
    subject = Subject(rule.category, "school", 3, text, {"port": 6379, "product": "Redis"}, evidence, seen_at)
    return Detection(rule, subject, ("port", "version", "product"))


def known(state: FindingState = FindingState.OPEN, **words: object) -> Finding:
    """A finding first seen 30 days ago, stored as row 9."""
    fresh = take_detection(None, detection(NOW - 30 * DAY), NOW - 30 * DAY).finding
    return replace(fresh, id=9, number="隐患-2026-00009", state=state, **words)  # type: ignore[arg-type]


def test_key_is_unit_rule_network_and_subject() -> None:
    assert build_key(detection()) == FindingKey("school", "exposure.redis-no-auth", 3, "10.0.0.5:6379/tcp")
    assert build_key(detection(NOW - DAY, evidence="f" * 64)) == build_key(detection())
    assert build_key(detection(text="10.0.0.6:6379/tcp")) != build_key(detection())


def test_first_detection_opens_a_finding_with_the_words_of_the_rule() -> None:
    step = take_detection(None, detection(NOW - DAY), NOW)
    assert (step.before, step.reason) == ("", "first seen")
    assert step.finding == Finding(
        id=0,
        number="",
        key=build_key(detection()),
        source=FindingSource.OWN_SCAN,
        severity=Severity.CRITICAL,
        state=FindingState.OPEN,
        first_seen=NOW - DAY,
        last_seen=NOW - DAY,
        due=NOW + 7 * DAY,
        clauses=("CE-04b",),
        evidence="e" * 64,
        title_zh="Redis 未设密码",
        title_en="Redis without password",
        remediation_zh="设置密码",
        remediation_en="set a password",
        detail="port=6379 product=Redis",
        discovered=NOW - DAY,
        learned=NOW,
        due_why="rule exposure.redis-no-auth 7d",
    )


def test_first_detection_by_a_rule_without_deadline_has_none() -> None:
    assert take_detection(None, detection(rule=replace(RULE, due_days=None)), NOW).finding.due is None
    assert take_detection(None, detection(rule=replace(RULE, due_days=0)), NOW).finding.due == NOW


def test_first_detection_in_traffic_says_so() -> None:
    flow = replace(RULE, category=Category.FLOW)
    assert take_detection(None, detection(rule=flow), NOW).finding.source is FindingSource.TRAFFIC


@pytest.mark.parametrize("category", Category)
def test_first_detection_says_what_it_is_about_whatever_the_rule_looks_at(category: Category) -> None:
    wanted = {
        Category.SERVICE: SubjectKind.ENDPOINT,
        Category.CERTIFICATE: SubjectKind.ENDPOINT,
        Category.HOST: SubjectKind.HOST,
        Category.FLOW: SubjectKind.HOST,
        Category.LOG: SubjectKind.HOST,
        Category.TLS: SubjectKind.ENDPOINT,
        Category.WEB: SubjectKind.ENDPOINT,
        Category.DNS: SubjectKind.DOMAIN,
        Category.DOMAIN: SubjectKind.DOMAIN,
        Category.UNIT: SubjectKind.UNIT,
        Category.SYSTEM: SubjectKind.SYSTEM,
        Category.ENTRY: SubjectKind.ENTRY,
    }
    finding = take_detection(None, detection(rule=replace(RULE, category=category)), NOW).finding
    assert finding.kind is wanted[category]


@pytest.mark.parametrize("told", [None, NOW + DAY])
def test_detection_without_a_time_or_from_the_future_counts_as_now(told: datetime | None) -> None:
    finding = take_detection(None, detection(told), NOW).finding
    assert finding.first_seen == finding.last_seen == NOW


@pytest.mark.parametrize("state", LIVE)
def test_live_finding_seen_again_stays_the_same_finding_in_silence(state: FindingState) -> None:
    before = known(state)
    worse = replace(RULE, severity=Severity.HIGH, due_days=1, clauses=("CE-04c",))
    step = take_detection(before, detection(NOW, worse, "f" * 64), NOW)
    assert (step.before, step.reason) == (state, "")
    assert step.finding == replace(
        before, last_seen=NOW, severity=Severity.HIGH, clauses=("CE-04c",), evidence="f" * 64
    )


def test_live_finding_seen_in_older_evidence_keeps_its_last_day() -> None:
    before = known(last_seen=NOW)
    assert take_detection(before, detection(NOW - DAY), NOW).finding.last_seen == NOW


@pytest.mark.parametrize("state", GONE)
def test_gone_finding_back_within_90_days_is_reopened_and_keeps_its_first_day(state: FindingState) -> None:
    before = known(state, closed_at=NOW - REOPEN_WITHIN, reopened=1, why="old", by="somebody", until=NOW)
    step = take_detection(before, detection(), NOW)
    assert (step.before, step.reason) == (state, "came back")
    assert step.finding == replace(
        before,
        state=FindingState.OPEN,
        last_seen=NOW,
        due=NOW + 7 * DAY,
        reopened=2,
        closed_at=None,
        why="",
        by="",
        until=None,
    )
    assert step.finding.first_seen == NOW - 30 * DAY
    assert (step.finding.id, step.finding.number) == (9, "隐患-2026-00009")


@pytest.mark.parametrize("closed_at", [NOW - REOPEN_WITHIN - timedelta(microseconds=1), None])
def test_gone_finding_back_after_90_days_starts_anew_under_its_number(closed_at: datetime | None) -> None:
    step = take_detection(known(FindingState.VERIFIED, closed_at=closed_at), detection(), NOW)
    assert step.finding.state is FindingState.OPEN
    assert step.finding.first_seen == NOW
    assert (step.finding.number, step.finding.reopened) == ("隐患-2026-00009", 1)


def test_reopening_within_is_ninety_days() -> None:
    assert timedelta(days=90) == REOPEN_WITHIN


@pytest.mark.parametrize("state", EXEMPT)
@pytest.mark.parametrize("until", [None, NOW, NOW + DAY])
def test_exempted_finding_seen_again_stays_exempted_and_visible(state: FindingState, until: datetime | None) -> None:
    before = known(state, why="lab", by="somebody", until=until)
    step = take_detection(before, detection(), NOW)
    assert (step.before, step.reason) == (state, "")
    assert step.finding == replace(before, last_seen=NOW)


@pytest.mark.parametrize("state", EXEMPT)
def test_exempted_finding_seen_after_the_end_is_open_again_with_its_first_day(state: FindingState) -> None:
    before = known(state, why="lab", by="somebody", until=NOW - timedelta(microseconds=1))
    step = take_detection(before, detection(), NOW)
    assert (step.before, step.reason) == (state, "exemption ended")
    assert step.finding.state is FindingState.OPEN
    assert step.finding.first_seen == NOW - 30 * DAY
    assert (step.finding.why, step.finding.by, step.finding.until) == ("", "", None)
    assert step.finding.due == NOW + 7 * DAY


def test_finding_proven_gone_is_verified_with_its_day() -> None:
    before = known(FindingState.RECTIFYING)
    step = prove_gone(before, NOW)
    assert step.finding == replace(before, state=FindingState.VERIFIED, closed_at=NOW)
    assert step.before == FindingState.RECTIFYING
    assert step.reason


@pytest.mark.parametrize("state", EXEMPT)
def test_exemption_keeps_who_why_and_until_when(state: FindingState) -> None:
    before = known()
    step = exempt(before, state, why="  lab network ", by="somebody", until=NOW + DAY)
    assert step == Step(
        replace(before, state=state, why="lab network", by="somebody", until=NOW + DAY),
        FindingState.OPEN,
        "lab network",
    )


@pytest.mark.parametrize("why", ["", "  \t"])
def test_exemption_without_a_reason_raises(why: str) -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        exempt(known(), FindingState.ACCEPTED, why=why, by="somebody", until=NOW)


@pytest.mark.parametrize("state", [*LIVE, *GONE])
def test_exemption_into_a_state_that_is_none_raises(state: FindingState) -> None:
    with pytest.raises(ValueError, match="is no exemption"):
        exempt(known(), state, why="why", by="somebody", until=NOW)


@pytest.mark.parametrize(
    ("matched", "text"),
    [
        ((), ""),
        ((("port", 6379), ("tls", False)), "port=6379 tls=False"),
        ((("names", ("a.example", "b.example")),), "names=a.example,b.example"),
        ((("title", "a\nb\x1b[31m\u202ec"),), "title=a b [31m c"),
        ((("title", "教务系统"),), "title=教务系统"),
    ],
)
def test_detail_is_one_printable_line(matched: tuple[tuple[str, FieldValue], ...], text: str) -> None:
    assert build_detail(matched) == text


def test_detail_when_long_is_cut_at_400() -> None:
    assert len(build_detail((("banner", "x" * 10_000),))) == 400


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FindingState.OPEN, FindingState.RECTIFYING),
        (FindingState.RECTIFYING, FindingState.RECTIFYING),
        (FindingState.FIXED, FindingState.FIXED),
    ],
)
def test_order_when_the_finding_is_live_then_it_is_in_rectification_and_names_the_order(
    before: FindingState, after: FindingState
) -> None:
    step = order_rectification(known(before), "整改-2026-0001", NOW + 9 * DAY)
    assert (step.finding.state, step.before) == (after, before)
    assert step.reason == "ordered by 整改-2026-0001"


def test_order_when_the_finding_has_a_deadline_then_it_keeps_it() -> None:
    assert order_rectification(known(due=NOW), "整改-2026-0001", NOW + 9 * DAY).finding.due == NOW
    assert order_rectification(known(due=None), "整改-2026-0001", NOW + 9 * DAY).finding.due == NOW + 9 * DAY


@pytest.mark.parametrize("state", [*EXEMPT, *GONE])
def test_order_when_nothing_is_to_do_then_it_is_refused(state: FindingState) -> None:
    with pytest.raises(ValueError, match="there is nothing to rectify"):
        order_rectification(known(state), "整改-2026-0001", NOW)


def reported(seen_at: datetime, **words: object) -> Finding:
    """The same finding as a third-party report tells it."""
    told = replace(known(), id=0, number="", source=FindingSource.REPORT, last_seen=seen_at, first_seen=seen_at)
    words = {"title_zh": "报告的标题", "evidence": "f" * 64, "reference": "10863", "severity": Severity.LOW, **words}
    return replace(told, **words)  # type: ignore[arg-type]


def test_report_when_it_is_the_first_opens_the_finding_as_it_tells_it() -> None:
    told = reported(NOW)
    assert take_report(None, told, NOW) == Step(told, "", "first reported")


@pytest.mark.parametrize("state", LIVE)
def test_report_when_newer_moves_last_seen_and_words_and_keeps_the_first_day(state: FindingState) -> None:
    step = take_report(known(state), reported(NOW), NOW)
    assert (step.before, step.reason) == (state, "")
    found = step.finding
    assert (found.id, found.state, found.last_seen, found.first_seen) == (9, state, NOW, NOW - 30 * DAY)
    assert (found.title_zh, found.reference, found.severity) == ("报告的标题", "10863", Severity.LOW)


def test_report_when_older_moves_the_first_day_back_and_leaves_the_words() -> None:
    before = known()
    found = take_report(before, reported(NOW - 60 * DAY), NOW).finding
    assert (found.first_seen, found.last_seen) == (NOW - 60 * DAY, before.last_seen)
    assert (found.title_zh, found.severity, found.evidence) == (before.title_zh, before.severity, before.evidence)


def test_reports_in_either_order_end_the_same() -> None:
    one, two = reported(NOW - 2 * DAY, title_zh="旧"), reported(NOW - DAY, title_zh="新", evidence="a" * 64)
    there = take_report(take_report(None, one, NOW).finding, two, NOW).finding
    back = take_report(take_report(None, two, NOW).finding, one, NOW).finding
    assert replace(there, due=None) == replace(back, due=None)
    assert there.title_zh == "新"


@pytest.mark.parametrize("state", GONE)
def test_report_when_older_than_the_closing_leaves_the_finding_closed(state: FindingState) -> None:
    closed = known(state, closed_at=NOW - 5 * DAY)
    step = take_report(closed, reported(NOW - 6 * DAY), NOW)
    assert (step.finding.state, step.finding.closed_at, step.reason) == (state, NOW - 5 * DAY, "")


@pytest.mark.parametrize("state", GONE)
@pytest.mark.parametrize(("gap", "keeps"), [(5 * DAY, True), (REOPEN_WITHIN + DAY, False)])
def test_report_when_newer_than_the_closing_opens_again(state: FindingState, gap: timedelta, keeps: bool) -> None:
    closed = known(state, closed_at=NOW - gap)
    step = take_report(closed, reported(NOW), NOW)
    assert (step.before, step.reason) == (state, "reported again")
    assert (step.finding.state, step.finding.reopened, step.finding.closed_at) == (FindingState.OPEN, 1, None)
    assert step.finding.first_seen == (closed.first_seen if keeps else NOW)


@pytest.mark.parametrize("state", EXEMPT)
def test_report_when_the_finding_is_exempted_leaves_it_so_until_its_day(state: FindingState) -> None:
    exempted = known(state, why="下学期更换", by="分管领导", until=NOW + DAY)
    kept = take_report(exempted, reported(NOW), NOW)
    assert (kept.finding.state, kept.finding.why, kept.reason) == (state, "下学期更换", "")
    over = take_report(exempted, reported(NOW + 2 * DAY), NOW + 2 * DAY)
    assert (over.finding.state, over.finding.why, over.reason) == (FindingState.OPEN, "", "exemption ended")


def test_exemption_when_it_has_no_end_or_is_not_over_stays() -> None:
    assert end_exemption(known(FindingState.ACCEPTED), NOW) is None
    assert end_exemption(known(FindingState.ACCEPTED, until=NOW), NOW) is None
    step = end_exemption(known(FindingState.ACCEPTED, until=NOW - DAY), NOW)
    assert step is not None
    assert (step.finding.state, step.before) == (FindingState.OPEN, FindingState.ACCEPTED)


def timely(seen_at: datetime | None, *matched: str, **told: datetime) -> Detection:
    fields = dict.fromkeys(matched, True)
    subject = Subject(Category.ENTRY, "school", 0, "10.0.0.5 #1", fields, "", seen_at, tuple(told.items()))
    return Detection(replace(RULE, category=Category.ENTRY), subject, matched)


def test_finding_of_what_the_calendar_tells_begins_with_the_last_of_it_and_is_seen_whenever_it_is_judged() -> None:
    due = timely(NOW - 3 * DAY, "in_force", "due_step", in_force=NOW - 90 * DAY, due_step=NOW - 9 * DAY)
    found = take_detection(None, due, NOW).finding
    assert (found.first_seen, found.discovered, found.last_seen) == (NOW - 9 * DAY, NOW - 9 * DAY, NOW)
    assert found.learned == NOW
    again = take_detection(found, due, NOW + DAY).finding
    assert (again.first_seen, again.last_seen) == (NOW - 9 * DAY, NOW + DAY)


@pytest.mark.parametrize(("looked", "since"), [(NOW - 3 * DAY, NOW - 3 * DAY), (NOW - 20 * DAY, NOW - 9 * DAY)])
def test_finding_of_the_calendar_and_of_a_look_begins_with_the_later_of_both(looked: datetime, since: datetime) -> None:
    one = timely(looked, "expired", "unexcused_count", expired=NOW - 9 * DAY)
    found = take_detection(None, one, NOW).finding
    assert (found.first_seen, found.discovered, found.last_seen) == (since, since, since)


def test_finding_of_a_look_alone_is_dated_by_it_whatever_the_calendar_tells_of_other_fields() -> None:
    found = take_detection(None, timely(NOW - 3 * DAY, "unseen_days", due_step=NOW - 9 * DAY), NOW).finding
    assert (found.first_seen, found.last_seen) == (NOW - 3 * DAY, NOW - 3 * DAY)
    ahead = take_detection(None, timely(None, "due_step", due_step=NOW + DAY), NOW).finding
    assert ahead.first_seen == NOW, "never later than now"


@pytest.mark.parametrize(("looked", "since"), [(NOW - 20 * DAY, NOW - 9 * DAY), (NOW - 3 * DAY, NOW - 3 * DAY)])
def test_finding_of_an_expired_certificate_begins_with_its_end_or_the_look_that_showed_it(
    looked: datetime, since: datetime
) -> None:
    one = replace(timely(looked, "expired", expired=NOW - 9 * DAY), rule=replace(RULE, category=Category.CERTIFICATE))
    found = take_detection(None, one, NOW).finding
    assert (found.first_seen, found.last_seen) == (since, since)
