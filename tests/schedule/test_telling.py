"""Findings somebody tells of, notices, and the two closings: from the words to the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from sentinel.errors import ParseError, UsageError
from sentinel.model.finding import ClosingKind, Finding, FindingSource, FindingState, SubjectKind
from sentinel.model.notice import Direction, Notice
from sentinel.model.register import KeepOut, Person
from sentinel.model.rule import Severity
from sentinel.model.unit import Network
from sentinel.schedule.closing import Proof, require_finding, retest_finding, settle_finding
from sentinel.schedule.context import Context
from sentinel.schedule.declaring import add_keep_out
from sentinel.schedule.facts import read_period, read_unit_facts
from sentinel.schedule.intake import replace_networks
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.notices import add_notice, link_notice, require_notice, unlink_notice
from sentinel.schedule.telling import Telling, add_finding
from sentinel.store.closings import read_closings, read_finding_evidence, read_finding_person
from sentinel.store.declared import has_unopened, write_keep_out
from sentinel.store.evidence import read_evidence
from sentinel.store.evidence_budget import HeldBy, read_holdings
from sentinel.store.findings import count_live, read_findings
from sentinel.store.notices import read_notices, read_notices_of
from sentinel.store.units import read_networks, write_network
from tests.homes import NOW, SCHOOL, Clock
from tests.schedule.nmapfile import NmapRun, give, host

DAY = timedelta(days=1)
URL = "https://www.school.example/login"
BUREAU = "示例市教育局"
TOLD = Telling(URL, "SQL 注入", Severity.HIGH, notice="7号", issuer=BUREAU, due=NOW + 9 * DAY, reference="WD-1")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def tell(context: Context, told: Telling = TOLD) -> Finding:
    return add_finding(context, SCHOOL, told)[0]


def later(context: Context, days: int) -> None:
    assert isinstance(context.clock, Clock)
    context.clock.now = NOW + days * DAY


def test_finding_told_by_a_notice_knows_its_source_times_deadline_and_who_closes_it(context: Context) -> None:
    found, before = add_finding(context, SCHOOL, replace(TOLD, discovered=NOW - 3 * DAY, occurred=NOW - 5 * DAY))
    assert before == ""
    assert (found.number, found.source, found.kind) == ("隐患-2026-00001", FindingSource.NOTICE, SubjectKind.URL)
    assert (found.occurred, found.discovered, found.learned) == (NOW - 5 * DAY, NOW - 3 * DAY, NOW)
    assert (found.due, found.due_why, found.issuer) == (NOW + 9 * DAY, "notice 7号", BUREAU)
    assert (found.key.network, found.reference) == (0, "WD-1")
    (notice,) = read_notices(context.database, SCHOOL.code)
    assert (notice.number, notice.issuer, notice.title, notice.received_at) == ("7号", BUREAU, "SQL 注入", NOW)
    assert read_notices_of(context.database, found.id) == (notice,)


def test_finding_told_by_hand_is_closed_by_its_retest(context: Context) -> None:
    found = tell(context, Telling("10.0.0.5:8080", "弱口令", Severity.HIGH, due=NOW + DAY))
    assert (found.source, found.issuer, found.due_why) == (FindingSource.HAND, "", "hand")
    assert found.key.network == read_networks(context.database, SCHOOL.code)[0].id
    assert retest_finding(context, found, Proof(), passed=True).state is FindingState.VERIFIED


def test_finding_told_again_in_other_words_is_the_same_and_links_the_second_notice(context: Context) -> None:
    first = tell(context)
    again, before = add_finding(
        context, SCHOOL, replace(TOLD, subject="HTTPS://WWW.SCHOOL.EXAMPLE:443/login", title="sql注入", notice="8号")
    )
    assert (again.id, before) == (first.id, "open")
    assert [one.number for one in read_notices_of(context.database, first.id)] == ["7号", "8号"]


@pytest.mark.parametrize(("days", "first"), [(89, NOW), (91, NOW + 91 * DAY)])
def test_finding_told_again_after_its_closing_is_reopened_within_90_days_and_starts_anew_later(
    context: Context, days: int, first: object
) -> None:
    found = tell(context)
    retest_finding(context, found, Proof(), passed=True)
    later(context, days)
    again = tell(context, replace(TOLD, notice="9号", due=None))
    assert (again.number, again.state, again.reopened) == (found.number, FindingState.OPEN, 1)
    assert (again.first_seen, again.discovered) == (first, first)


def test_finding_of_a_drill_never_meets_a_real_one_and_enters_no_count(context: Context) -> None:
    real = tell(context, replace(TOLD, notice="", issuer=""))
    drilled = tell(context, replace(TOLD, notice="", issuer="", exercise="演练一"))
    assert drilled.id != real.id
    assert count_live(context.database, SCHOOL.code) == 1
    facts = read_unit_facts(context, SCHOOL, read_period(None, NOW))
    assert [one.id for one in facts.findings] == [real.id]
    tell(context)
    with pytest.raises(UsageError, match="not of the same drill"):
        tell(context, replace(TOLD, exercise="演练一"))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (replace(TOLD, issuer=""), "name who issued it"),
        (replace(TOLD, notice="", issuer="", source=FindingSource.UPPER_SCAN), "--issuer"),
        (replace(TOLD, subject="教务系统"), "subject"),
        (replace(TOLD, title=" "), "--title"),
        (replace(TOLD, detail="x" * 401), "detail"),
        (replace(TOLD, subject="nobody", kind=SubjectKind.UNIT), "no such unit"),
    ],
)
def test_telling_that_lacks_something_is_refused_and_leaves_nothing(
    context: Context, told: Telling, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        tell(context, told)
    assert list(read_findings(context.database, [SCHOOL.code])) == []
    assert list(read_notices(context.database, SCHOOL.code)) == []


def test_systems_and_units_are_subjects_too(context: Context) -> None:
    system = tell(context, Telling("教务系统", "未备案", Severity.LOW, kind=SubjectKind.SYSTEM))
    unit = tell(context, Telling(SCHOOL.name, "无制度", Severity.LOW, kind=SubjectKind.UNIT))
    assert (system.key.subject, unit.key.subject) == ("教务系统", SCHOOL.code)
    assert {system.key.network, unit.key.network} == {0}


@pytest.mark.parametrize("subject", ["10.9.0.5", "10.9.0.5:80", "http://10.9.0.5/x"])
def test_address_that_must_stay_out_is_refused_and_not_repeated(context: Context, subject: str) -> None:
    with context.database.transaction("tester", NOW) as transaction:
        write_keep_out(transaction, KeepOut(0, SCHOOL.code, (ip_network("10.9.0.0/24"),), "x"))
    with pytest.raises(ParseError) as caught:
        tell(context, replace(TOLD, subject=subject))
    assert "10.9" not in str(caught.value)


def test_person_is_sealed_and_numbers_in_words_are_masked(context: Context) -> None:
    person = Person("张三", "13800001234")
    found = tell(context, replace(TOLD, person=person, detail="联系 13900005678", file=None))
    assert read_finding_person(context.database, found, context.load_seal()) == person
    assert not has_unopened(context.database, context.load_seal())
    assert has_unopened(context.database, None)
    dump = "\n".join(context.database.connection.iterdump())
    assert not [one for one in ("张三", "13800001234", "13900005678") if one in dump]


def test_file_is_kept_as_proof_also_after_a_newer_one_came(context: Context, tmp_path: Path) -> None:
    for name in ("一.pdf", "二.pdf"):
        (tmp_path / name).write_bytes(name.encode())
        found = tell(context, replace(TOLD, file=tmp_path / name))
    sums = read_finding_evidence(context.database, found.id)
    assert len(set(sums)) == 2
    assert {one.held_by for one in read_holdings(context.database, context.evidence)} == {HeldBy.PROOF}
    assert all(read_evidence(context.database, one) for one in sums)


@pytest.mark.parametrize("content", [None, b""])
def test_file_that_cannot_be_read_or_is_empty_is_refused(
    context: Context, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "a.pdf").write_bytes(content)
    with pytest.raises(ParseError, match=r"a\.pdf"):
        tell(context, replace(TOLD, file=tmp_path / "a.pdf"))
    assert list(read_findings(context.database, [SCHOOL.code])) == []


def test_both_closings_are_kept_with_who_when_and_evidence(context: Context, tmp_path: Path) -> None:
    found = tell(context)
    (tmp_path / "复测.txt").write_text("通过")
    assert retest_finding(context, found, Proof(note="还在"), passed=False).state is FindingState.OPEN
    later(context, 1)
    tested = retest_finding(
        context, require_finding(context, found.number), Proof("信息中心", file=tmp_path / "复测.txt"), passed=True
    )
    assert tested.state is FindingState.AWAITING
    later(context, 2)
    closed = settle_finding(context, tested, Proof(document="销号〔2026〕3号"))
    assert (closed.state, closed.closed_at) == (FindingState.CLOSED, NOW + DAY)
    failed, passed, settled = read_closings(context.database, found.id)
    assert (failed.kind, failed.passed, failed.by, failed.note) == (ClosingKind.RETEST, False, SCHOOL.name, "还在")
    assert (passed.passed, passed.at, passed.by) == (True, NOW + DAY, "信息中心")
    assert read_evidence(context.database, passed.evidence) is not None
    assert (settled.kind, settled.at, settled.by, settled.document) == (
        ClosingKind.ISSUER,
        NOW + 2 * DAY,
        BUREAU,
        "销号〔2026〕3号",
    )
    with pytest.raises(UsageError, match="closed by its issuer already"):
        settle_finding(context, closed, Proof())


def test_closing_as_issuer_of_a_finding_nobody_issued_needs_a_name(context: Context) -> None:
    found = tell(context, replace(TOLD, notice="", issuer=""))
    with pytest.raises(UsageError, match="who closes"):
        settle_finding(context, found, Proof(note="x"))
    with pytest.raises(UsageError, match="--note"):
        settle_finding(context, found, Proof(by=BUREAU))
    assert settle_finding(context, found, Proof(by=BUREAU, note="已停用")).state is FindingState.CLOSED


def test_own_finding_that_judging_proves_gone_has_a_retest_with_its_evidence(context: Context) -> None:
    give(context, NmapRun((host(1, p23="telnet"),), ports="23"))
    judge_unit(context, SCHOOL)
    (found,) = [one for one in read_findings(context.database, [SCHOOL.code]) if one.key.rule == "exposure.telnet"]
    assert (found.kind, found.discovered, found.due_why[:20]) == (SubjectKind.ENDPOINT, NOW, "rule exposure.telnet")
    later(context, 1)
    run = give(context, NmapRun((host(1, p23="closed"),), ports="23", finished=NOW + DAY))
    judge_unit(context, SCHOOL)
    gone = require_finding(context, found.number)
    assert gone.state is FindingState.VERIFIED
    (closing,) = read_closings(context.database, found.id)
    assert (closing.kind, closing.passed, closing.at) == (ClosingKind.RETEST, True, NOW + DAY)
    assert read_evidence(context.database, closing.evidence) is not None
    assert closing.evidence != found.evidence
    assert run is not None


def test_notice_when_linked_to_an_own_finding_makes_its_issuer_close_it_and_when_unlinked_no_more(
    context: Context,
) -> None:
    found = tell(context, replace(TOLD, notice="", issuer=""))
    retest_finding(context, found, Proof(), passed=True)
    first = add_notice(context, SCHOOL, Notice(0, SCHOOL.code, "7号", BUREAU, "通报"))
    second = add_notice(context, SCHOOL, Notice(0, SCHOOL.code, "8号", "示例省教育厅", "通报"))
    sent = add_notice(context, SCHOOL, Notice(0, SCHOOL.code, "1号", "示例学校", "通报", direction=Direction.OUT))
    states = []
    for notice, act in (
        (sent, link_notice),
        (first, link_notice),
        (second, link_notice),
        (second, link_notice),
        (first, unlink_notice),
        (second, unlink_notice),
    ):
        act(context, SCHOOL, notice, [found.number])
        now = require_finding(context, found.number)
        states.append((now.state.value, now.issuer))
    assert states == [
        ("verified", ""),
        ("awaiting_issuer", BUREAU),
        ("awaiting_issuer", BUREAU),
        ("awaiting_issuer", BUREAU),
        ("awaiting_issuer", "示例省教育厅"),
        ("verified", ""),
    ]


def test_finding_from_outside_keeps_its_issuer_whatever_is_linked(context: Context) -> None:
    found = tell(context)
    (notice,) = read_notices(context.database, SCHOOL.code)
    assert unlink_notice(context, SCHOOL, notice, [found.number]) != ()
    assert unlink_notice(context, SCHOOL, notice, [found.number]) == ()
    assert require_finding(context, found.number).issuer == BUREAU


def test_link_when_one_finding_is_not_there_links_none(context: Context) -> None:
    found = tell(context)
    notice = add_notice(context, SCHOOL, Notice(0, SCHOOL.code, "8号", BUREAU, "通报"))
    with pytest.raises(UsageError, match="no such finding"):
        link_notice(context, SCHOOL, notice, [found.number, "隐患-2026-99999"])
    assert len(read_notices_of(context.database, found.id)) == 1
    with pytest.raises(UsageError, match="no such notice"):
        require_notice(context, SCHOOL, "99号")


def test_notice_keeps_its_file_and_masks_numbers(context: Context, tmp_path: Path) -> None:
    (tmp_path / "通报.pdf").write_bytes(b"%PDF")
    draft = Notice(0, SCHOOL.code, "7号", BUREAU, "联系 13900005678")
    stored = add_notice(context, SCHOOL, draft, tmp_path / "通报.pdf")
    assert "13900005678" not in stored.title
    assert read_evidence(context.database, stored.evidence) is not None
    with pytest.raises(UsageError, match="is here already"):
        add_notice(context, SCHOOL, draft)
    with pytest.raises(UsageError, match="printable"):
        add_notice(context, SCHOOL, replace(draft, number=" "))


def test_address_declared_to_stay_out_later_leaves_told_findings_of_urls_too(context: Context) -> None:
    found = tell(context, replace(TOLD, subject="http://10.9.0.5/x"))
    add_keep_out(context, SCHOOL, (ip_network("10.9.0.0/24"),))
    blind = require_finding(context, found.number)
    assert "10.9" not in blind.key.subject
    assert blind.state is FindingState.CLOSED


def test_told_host_moves_with_its_network_and_is_met_there(context: Context) -> None:
    told = Telling("10.0.0.5", "弱口令", Severity.HIGH)
    found = tell(context, told)
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        lan = write_network(transaction, Network(0, SCHOOL.code, "lan", prefixes=(ip_network("10.0.0.0/24"),)))
        replace_networks(context, transaction, SCHOOL)
    assert require_finding(context, found.number).key.network == lan.id
    assert tell(context, told).id == found.id


@pytest.mark.parametrize("word", ["title", "detail", "remedy", "reference"])
def test_finding_when_its_words_name_an_address_that_stays_out_is_refused(context: Context, word: str) -> None:
    add_keep_out(context, SCHOOL, (ip_network("10.9.0.0/24"),))
    told = {"title": "弱口令", word: "见 10.9.0.5"}
    with pytest.raises(ParseError, match="stay out"):
        tell(context, Telling("10.0.0.5", severity=Severity.HIGH, **told))  # type: ignore[arg-type]  # fields by name
