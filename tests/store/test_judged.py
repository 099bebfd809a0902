"""When a unit was last judged: what arrived since is told apart, also after the unit got another code."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sentinel.schedule.declaring import set_unit
from sentinel.schedule.judging import judge_unit
from sentinel.store.flows import write_capture
from sentinel.store.home import Home
from sentinel.store.judged import count_unjudged, read_newest_check, read_unjudged
from sentinel.store.units import write_unit
from tests.homes import NOW, SCHOOL, Clock, opened
from tests.schedule.nmapfile import NmapRun, at, give, host


def test_count_unjudged_when_something_arrives_then_it_counts_until_the_unit_is_judged(home: Home) -> None:
    clock = Clock()
    with opened(home.path, clock, server=home.server) as context:
        assert (read_newest_check(context.database, SCHOOL.code), count_unjudged(context.database, SCHOOL.code)) == (
            None,
            0,
        )
        give(context, NmapRun((host(1, p23="telnet"),), finished=at(99)))
        with context.database.transaction("tester", NOW) as transaction:
            write_capture(transaction, SCHOOL.code, "ab" * 32, "a.pcap", [])
            transaction.audit("traffic.analyze", "a.pcap")
        assert count_unjudged(context.database, SCHOOL.code) == 2
        assert len(read_unjudged(context.database, SCHOOL.code)) == 1
        clock.now = NOW + timedelta(hours=1)
        judge_unit(context, SCHOOL)
        assert count_unjudged(context.database, SCHOOL.code) == 0
        clock.now = NOW + timedelta(hours=2)
        give(context, NmapRun((host(2, p23="telnet"),), finished=at(99)))
        assert count_unjudged(context.database, SCHOOL.code) == 1
        assert read_newest_check(context.database, SCHOOL.code) == NOW + timedelta(hours=1)


def test_read_newest_check_when_the_code_changed_then_follows_the_unit_and_not_the_code(home: Home) -> None:
    with opened(home.path, server=home.server) as context:
        judge_unit(context, SCHOOL)
        set_unit(context, SCHOOL, code="3910100001")
        with context.database.transaction("tester", NOW, objects=True) as transaction:
            write_unit(transaction, replace(SCHOOL, name="另一所学校", path=""))
        assert read_newest_check(context.database, "3910100001") == NOW
        assert read_newest_check(context.database, SCHOOL.code) is None
