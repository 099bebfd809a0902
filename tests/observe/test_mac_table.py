"""Tables of MAC addresses as switches print them: on which port each card was learned."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sentinel.model.observation import Observation
from sentinel.model.sighting import AttachmentObservation
from tests.observe import logs
from tests.observe.written import ends_of, losses_of, read

CARD = "00:00:5e:00:53:01"


def attachments(text: str | bytes) -> list[Observation]:
    return [one for one in read(text) if isinstance(one, AttachmentObservation)]


@pytest.mark.parametrize(
    ("text", "device", "port"),
    [
        (logs.MAC_HUAWEI, "CORE", "GE0/0/7"),
        (logs.MAC_HUAWEI_OLD, "", "GE0/0/7"),
        (logs.MAC_COMWARE, "SW-1", "GE1/0/7"),
        (logs.MAC_COMWARE_OLD, "SW-1", "GigabitEthernet1/0/7"),
        (logs.MAC_CISCO, "SW1", "Gi1/0/7"),
        (logs.MAC_NEXUS, "", "Eth1/7"),
        (logs.MAC_RUIJIE, "SW-2", "GigabitEthernet 0/7"),
    ],
)
def test_table_when_of_any_maker_tells_the_port_of_each_learned_card(text: str, device: str, port: str) -> None:
    assert attachments(text) == [AttachmentObservation(CARD, device, port, "120")]
    assert losses_of(read(text)) == []


def test_table_when_the_clock_stands_before_it_has_its_time() -> None:
    text = "2026-11-24 08:30:00\n" + logs.MAC_COMWARE
    moment = datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
    assert [one.time for one in attachments(text) if isinstance(one, AttachmentObservation)] == [moment]
    assert [one.finished for one in ends_of(read(text))] == [moment]


def test_table_when_written_by_powershell_is_read() -> None:
    assert len(attachments(b"\xff\xfe" + logs.MAC_HUAWEI.encode("utf-16-le"))) == 1


def test_row_when_it_cannot_be_read_loses_only_itself() -> None:
    observations = read(logs.MAC_COMWARE + "0000-5e00-5309 and nothing that is known\n")
    assert [one.rows for one in losses_of(observations)] == [1]


def test_card_when_it_is_a_group_is_passed_over() -> None:
    assert attachments(logs.MAC_COMWARE.replace("0000-5e00-5301", "0100-5e00-0001")) == []
