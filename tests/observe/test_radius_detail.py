"""FreeRADIUS accounting: one sighting a session, joined from its records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from sentinel.model.observation import Observation
from sentinel.model.sighting import AttachmentObservation, HoldingObservation, HoldingSource
from sentinel.observe import accounting
from tests.observe import logs
from tests.observe.written import ends_of, losses_of, read

BEGIN, LATER, END = (datetime(2026, 11, 24, *clock, tzinfo=UTC) for clock in ((0, 30), (0, 31), (1, 30)))
RECORDS = [f"{record}\n\n" for record in logs.DETAIL.split("\n\n")[:3]]
WHOLE = HoldingObservation(
    ip_address("192.0.2.1"),
    HoldingSource.RADIUS,
    "00:00:5e:00:53:01",
    BEGIN,
    END,
    user="s2026001",
    device="192.0.2.250",
    port="GigabitEthernet1/0/7",
    vlan="120",
)


def sightings(text: str) -> list[Observation]:
    return [one for one in read(text) if isinstance(one, HoldingObservation | AttachmentObservation)]


def test_session_when_all_records_are_there_is_one_sighting() -> None:
    assert sightings(logs.DETAIL) == [WHOLE]
    (end,) = ends_of(read(logs.DETAIL))
    assert end.accounts


def test_session_when_it_has_not_ended_has_no_end() -> None:
    held, lasting = sightings(RECORDS[0] + RECORDS[1])
    assert isinstance(held, HoldingObservation)
    assert (held.since, held.until) == (BEGIN, LATER)
    assert lasting == replace(held, since=LATER, until=None)


def test_session_when_only_its_end_is_there_began_by_its_length() -> None:
    (one,) = sightings(RECORDS[2])
    assert isinstance(one, HoldingObservation)
    assert (one.since, one.until, one.mac) == (BEGIN, END, "")


def test_session_when_it_never_had_an_address_tells_the_port_of_the_card() -> None:
    assert sightings(RECORDS[0]) == [
        AttachmentObservation("00:00:5e:00:53:01", "192.0.2.250", "GigabitEthernet1/0/7", "120", BEGIN)
    ]


def test_session_when_its_address_changes_is_two_sightings() -> None:
    moved = RECORDS[2].replace("192.0.2.1\n", "192.0.2.2\n")
    first, second = sightings(RECORDS[0] + RECORDS[1] + moved)
    assert isinstance(first, HoldingObservation)
    assert isinstance(second, HoldingObservation)
    assert (str(first.address), first.since, first.until) == ("192.0.2.1", BEGIN, END)
    assert (str(second.address), second.since, second.until) == ("192.0.2.2", END, END)


def test_session_when_the_id_is_used_anew_is_another() -> None:
    again = RECORDS[0].replace("1795480200", "1795490200")
    assert len(sightings(RECORDS[0] + RECORDS[1] + again + RECORDS[1])) == 3
    assert len(sightings(RECORDS[0] + RECORDS[0] + RECORDS[1] + RECORDS[2])) == 1


def test_sessions_when_more_are_open_than_remembered_are_given_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounting, "MAX_OPEN", 1)
    text = "".join(RECORDS[1].replace("000001", f"00000{number}") for number in range(4))
    assert len(sightings(text)) == 8


def test_account_when_it_is_the_card_itself_is_none() -> None:
    one, _ = sightings(RECORDS[1].replace("s2026001", "00005e005301"))
    assert isinstance(one, HoldingObservation)
    assert one.user == ""
    (end,) = ends_of(read(RECORDS[1].replace("s2026001", "00005e005301")))
    assert not end.accounts


def test_access_point_when_named_is_the_port() -> None:
    one, _ = sightings(RECORDS[1].replace("\tFramed", '\tCalled-Station-Id = "00-00-5E-00-53-FE:campus"\n\tFramed'))
    assert isinstance(one, HoldingObservation)
    assert one.port == "campus"


def test_time_when_the_switch_held_the_record_back_is_earlier() -> None:
    (one,) = sightings(RECORDS[0] + RECORDS[1].replace("\tFramed", "\tAcct-Delay-Time = 30\n\tFramed") + RECORDS[2])
    assert one == WHOLE
    (late,) = sightings(RECORDS[0].replace("\tTimestamp = 1795480200\n", "") + RECORDS[2])
    assert isinstance(late, HoldingObservation)
    assert late.since == BEGIN


@pytest.mark.parametrize("status", ["Accounting-On", "Failed", ""])
def test_record_when_it_is_of_no_session_is_passed_over(status: str) -> None:
    observations = read(RECORDS[0].replace("= Start", f"= {status}") + logs.DETAIL)
    (end,) = ends_of(observations)
    assert end.passed_over == (("other records", 1),)
    assert len(sightings(logs.DETAIL)) == 1


def test_log_of_authentications_when_no_record_is_of_a_session_names_accounts_all_the_same() -> None:
    (end,) = ends_of(read(RECORDS[0].replace("\tAcct-Status-Type = Start\n", "")))
    assert (end.accounts, end.passed_over) == (True, (("other records", 1),))


def test_record_when_it_names_nobody_loses_only_itself() -> None:
    empty = 'Tue Nov 24 08:30:00 2026\n\tAcct-Status-Type = Start\n\tAcct-Session-Id = "9"\n\nnonsense\n'
    observations = read(empty + logs.DETAIL)
    assert [(one.rows, one.where) for one in losses_of(observations)] == [(2, "line 1")]


def test_record_when_without_an_id_stands_alone() -> None:
    (one,) = sightings(RECORDS[2].replace('\tAcct-Session-Id = "000001"\n', ""))
    assert isinstance(one, HoldingObservation)
    assert (one.since, one.until) == (BEGIN, END)


def test_record_the_file_ends_in_is_named_and_not_read_since_its_last_value_may_be_half_of_one() -> None:
    cut = RECORDS[0] + RECORDS[1][: RECORDS[1].index("192.0.2.1\n") + len("192.0.2.")]
    assert not any(isinstance(one, HoldingObservation) for one in sightings(cut))
    assert [loss.what for loss in losses_of(read(cut))] == [
        "1 row dropped, the first because of this: the file ends inside a record"
    ]
    (end,) = ends_of(read(cut))
    assert end.accounts
