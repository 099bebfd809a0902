"""Logs as the makers' devices write them, taken in as files, and a trace through them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest

from sentinel.model.evidence import RunKind
from sentinel.model.trace import Certainty, Gap, Question
from sentinel.schedule.context import Context
from sentinel.schedule.intake import Origin, take_in
from sentinel.schedule.tracing import trace
from tests.homes import SCHOOL, Clock, opened
from tests.observe import logs

AT = datetime(2026, 11, 24, 0, 30, 30, tzinfo=UTC)
ASKED = Question(ip_address("203.0.113.5"), AT, 40001, "tcp")
ONLY_BEGIN = {"sangfor", "hillstone", "topsec", "cgn"}


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with opened(tmp_path / "home", Clock(logs.ARRIVED)) as context:
        yield context


def take(context: Context, text: str, name: str = "log") -> None:
    take_in(context, SCHOOL, io.BytesIO(text.encode()), Origin(name, RunKind.IMPORT, "inside"))


@pytest.mark.parametrize("maker", logs.NAT)
def test_nat_log_of_a_maker_when_imported_leads_from_the_public_port_inside(context: Context, maker: str) -> None:
    take(context, logs.NAT[maker])
    answer = trace(context, SCHOOL, ASKED)
    (place,) = answer.places
    assert str(place.address) == "10.0.0.5"
    assert place.certainty is (Certainty.LIKELY if maker in ONLY_BEGIN else Certainty.CERTAIN)
    assert len(place.translations[0].translated.evidence) == 64
    assert answer.breaks == ()


def test_nat_log_when_it_does_not_name_the_port_is_told_from_one_that_is_not_there(context: Context) -> None:
    asked = Question(ASKED.address, AT, 5, "tcp")
    assert [one.gap for one in trace(context, SCHOOL, asked).breaks] == [Gap.NO_NAT_LOG]
    take(context, logs.NAT["huawei-usg"])
    assert [one.gap for one in trace(context, SCHOOL, asked).breaks] == [Gap.PORT_NOT_NAMED]


def test_login_record_when_imported_names_the_card_and_hides_the_account(context: Context) -> None:
    take(context, logs.NAT["huawei-usg"])
    take(context, logs.DETAIL.replace("Framed-IP-Address = 192.0.2.1", "Framed-IP-Address = 10.0.0.5"), "detail")
    answer = trace(context, SCHOOL, ASKED)
    ((card,),) = (place.cards for place in answer.places)
    assert (card.mac, card.certainty) == ("00:00:5e:00:53:01", Certainty.CERTAIN)
    assert {link.held.holder.port for link in card.holdings} == {"GigabitEthernet1/0/7"}
    assert list(answer.accounts.values()) == ["s2****01"]


def test_lease_of_which_the_server_tells_only_the_end_names_the_card_when_it_was_exported(context: Context) -> None:
    head = '"IPAddress","ScopeId","ClientId","HostName","AddressState","LeaseExpiryTime"\n'
    row = '"10.0.0.5","10.0.0.0","00-00-5e-00-53-01","LAB-05","Active","2026/12/05 08:00:00"\n'
    take(context, head + row, "leases.csv")
    (place,) = trace(context, SCHOOL, Question(ip_address("10.0.0.5"), logs.ARRIVED)).places
    assert [(card.mac, card.certainty) for card in place.cards] == [("00:00:5e:00:53:01", Certainty.CERTAIN)]
