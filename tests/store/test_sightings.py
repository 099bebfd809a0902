from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import IPv4Address, ip_address, ip_network

import pytest

from sentinel.errors import StoreError
from sentinel.inventory.joining import Stretch, join
from sentinel.model.moment import to_microseconds
from sentinel.model.sighting import HoldingSource
from sentinel.model.trace import Holder, LogKind, Told
from sentinel.model.unit import Network
from sentinel.store import sighting_reads as reads
from sentinel.store import sightings as store
from sentinel.store.database import Database, Transaction
from sentinel.store.declared import has_unopened
from sentinel.store.restore import sealed_rows
from sentinel.store.seal import Seal
from sentinel.store.stretches import Key, Span
from sentinel.store.units import read_networks
from tests.homes import NOW, SCHOOL

SEAL, OTHER_SEAL = Seal(b"k" * 32), Seal(b"o" * 32)
CARD = "3c:22:fb:00:53:01"
INSIDE, OUTSIDE = ip_address("10.0.0.1"), ip_address("198.51.100.7")
START = to_microseconds(NOW)
MINUTE = 60_000_000


def joined(_: Key, stretches: Sequence[Span]) -> Sequence[Span]:
    return join((Stretch(*one) for one in stretches), 5 * MINUTE)


def moment(minutes: float) -> int:
    return START + int(minutes * MINUTE)


def space(database: Database) -> int:
    return store.space_of(read_networks(database, SCHOOL.code))


def hold(transaction: Transaction, holder: Holder, *spans: tuple[float, float], told: str = "held") -> int:
    here = space(transaction.database)
    number = store.intern_holders(transaction, here, [holder])[holder]
    stretches = [(moment(start), moment(end), 1) for start, end in spans]
    key = (number, here, store.pack_address(INSIDE), told)
    return store.write_holdings(transaction, {key: stretches}, joined, 5 * MINUTE)


def nat(
    start: float, end: float | None, port: int = 40001, width: int = 1, inside: str = "10.0.0.1"
) -> store.TranslationRow:
    return store.TranslationRow(
        outside=store.pack_address(OUTSIDE),
        width=width,
        port_low=port,
        since=moment(start),
        until=None if end is None else moment(end),
        proto="tcp",
        network=1,
        inside=store.pack_address(ip_address(inside)),
        inside_port=51000 if width == 1 else None,
        peer=b"",
        peer_port=None,
        device="fw-1",
    )


def translate(database: Database, *rows: store.TranslationRow) -> None:
    with database.transaction("tester", NOW) as transaction:
        store.write_translations(transaction, space(database), 1, rows)
        transaction.audit("test", "test")


def ask(database: Database, port: int | None, at: float = 0, slack: float = 0) -> list[str]:
    start, end = NOW + timedelta(minutes=at - slack), NOW + timedelta(minutes=at + slack)
    return [str(one.inside) for one in reads.read_translated(database, space(database), OUTSIDE, port, start, end)]


@pytest.mark.parametrize("text", ["10.0.0.1", "2001:db8::1", "255.255.255.255"])
def test_address_when_packed_and_unpacked_is_the_same(text: str) -> None:
    assert store.unpack_address(store.pack_address(ip_address(text))) == ip_address(text)


def test_holding_when_written_in_parts_is_one_row_and_the_same_again_changes_none(database: Database) -> None:
    holder = Holder(HoldingSource.DHCP, CARD, name="pc-7")
    with database.transaction("tester", NOW) as transaction:
        assert hold(transaction, holder, (0, 10), (30, 40)) == 2
        assert hold(transaction, holder, (9, 31)) == 3  # two rows went, one came
        assert hold(transaction, holder, (0, 10), (9, 31)) == 0
        transaction.audit("test", "test")
    (held,) = reads.read_held(database, space(database), INSIDE, NOW, NOW)
    assert (held.holder, held.told, held.since, held.until) == (holder, Told.HELD, NOW, NOW + timedelta(minutes=40))


def test_holding_when_hundreds_are_written_at_once_each_joins_its_own(database: Database) -> None:
    here = space(database)
    holders = [Holder(HoldingSource.ARP, f"3c:22:fb:00:{number >> 8:02x}:{number & 255:02x}") for number in range(900)]
    with database.transaction("tester", NOW) as transaction:
        numbers = store.intern_holders(transaction, here, holders)
        for start in (0, 3, 100):
            told = {
                (number, here, store.pack_address(INSIDE), "seen"): [(moment(start), moment(start), 1)]
                for number in numbers.values()
            }
            store.write_holdings(transaction, told, joined, 5 * MINUTE)
        transaction.audit("test", "test")
    assert database.one("SELECT count(*), count(DISTINCT holder) FROM holding") == (1800, 900)


def test_begun_holding_when_asked_about_days_later_is_still_given(database: Database) -> None:
    with database.transaction("tester", NOW) as transaction:
        hold(transaction, Holder(HoldingSource.DHCP, CARD), (0, 0), told="begun")
        hold(transaction, Holder(HoldingSource.ARP, CARD), (0, 0), told="seen")
        transaction.audit("test", "test")
    later = NOW + timedelta(days=3)
    assert [one.told for one in reads.read_held(database, space(database), INSIDE, later, later)] == [Told.BEGUN]
    assert reads.read_held(database, space(database), INSIDE, NOW + timedelta(days=9), NOW + timedelta(days=9)) == ()
    assert len(reads.read_held_by(database, space(database), NOW, NOW, mac=CARD)) == 2


@pytest.mark.parametrize(
    ("port", "at", "inside"),
    [
        (40001, 5, ["10.0.0.1"]),
        (40001, 15, []),
        (40002, 5, []),
        (39000, 5, ["10.0.0.2"]),
        (39511, 5, ["10.0.0.2"]),
        (39512, 5, []),
    ],
)
def test_translation_when_asked_for_by_port_and_moment_is_the_session_or_block_that_holds_it(
    database: Database, port: int, at: float, inside: list[str]
) -> None:
    translate(database, nat(0, 10), nat(0, None, 39000, 512, "10.0.0.2"))
    assert ask(database, port, at) == inside


def test_translation_when_no_port_is_asked_for_is_a_block_or_a_whole_address(database: Database) -> None:
    translate(database, nat(0, 10), nat(0, 10, 0, 65_536, "10.0.0.2"), nat(0, 10, 39000, 512, "10.0.0.3"))
    assert sorted(ask(database, None, 5)) == ["10.0.0.2", "10.0.0.3"]
    assert sorted(ask(database, 40001, 5)) == ["10.0.0.1", "10.0.0.2"]


def test_session_when_it_lasts_for_a_week_is_found_where_no_shorter_one_is(database: Database) -> None:
    translate(database, nat(0, 10_080))
    assert ask(database, 40001, 9000) == ["10.0.0.1"]


def test_session_when_written_again_keeps_the_latest_end(database: Database) -> None:
    for end in (None, 7, 5, None):
        translate(database, nat(0, end))
    assert database.one("SELECT count(*), max(until_us) FROM translation") == (1, moment(7))


def test_translations_when_of_another_unit_are_not_seen(database: Database) -> None:
    translate(database, nat(0, 10))
    assert reads.is_translated(database, space(database), OUTSIDE)
    assert not reads.is_translated(database, space(database) + 1, OUTSIDE)
    assert not reads.has_sessions(database, space(database), IPv4Address("198.51.100.8"))


def test_account_when_interned_is_found_with_its_key_and_opened_with_no_other(database: Database) -> None:
    here = space(database)
    with database.transaction("tester", NOW) as transaction:
        first = store.intern_accounts(transaction, here, ["20261234", "zhang"], lambda: SEAL)
        again = store.intern_accounts(transaction, here, ["zhang", "zhang"], lambda: SEAL)
        elsewhere = store.intern_accounts(transaction, here + 1, ["zhang"], lambda: SEAL)
        assert store.intern_accounts(transaction, here, [], lambda: 1 / 0) == {}  # type: ignore[arg-type,return-value]
        transaction.audit("test", "test")
    assert again == {"zhang": first["zhang"]} != elsewhere
    number = first["20261234"]
    assert store.open_accounts(database, [number], SEAL) == {number: "20261234"}
    assert (
        store.open_accounts(database, [number], OTHER_SEAL)
        == store.open_accounts(database, [number], None)
        == {number: None}
    )
    assert not has_unopened(database, SEAL)
    assert has_unopened(database, OTHER_SEAL)
    assert sealed_rows(database) == store.count_accounts(database) == 3


def test_attachments_when_counted_by_port_are_different_cards(database: Database) -> None:
    here = space(database)
    told: dict[Key, Sequence[Span]] = {
        (here, f"3c:22:fb:00:53:0{number}", "sw-1", "up", ""): [(moment(0), moment(10), 1)] for number in range(3)
    }
    with database.transaction("tester", NOW) as transaction:
        assert store.write_attachments(transaction, told, joined, 0) == 3
        transaction.audit("test", "test")
    assert reads.count_cards_on(database, here, "sw-1", "up", NOW, NOW) == 3
    assert reads.count_cards_on(database, here, "sw-1", "up", NOW - timedelta(hours=2), NOW - timedelta(hours=1)) == 0
    (one,) = reads.read_attached(database, here, CARD, NOW, NOW)
    assert (one.device, one.port) == ("sw-1", "up")


def test_log_spans_when_asked_for_give_the_nearest_before_and_after(database: Database) -> None:
    here = space(database)
    outside = store.pack_address(OUTSIDE)
    spans = {
        (LogKind.NAT, "fw-1", outside): [(moment(-60), moment(-30), 1), (moment(30), moment(60), 1)],
        (LogKind.DHCP, "", b""): [(moment(-5), moment(5), 1)],
    }
    with database.transaction("tester", NOW) as transaction:
        for _ in range(2):
            store.write_log_spans(transaction, here, spans)
        transaction.audit("test", "test")
    nearest = reads.read_nearest(database, here, (LogKind.NAT,), NOW)
    assert nearest == (NOW - timedelta(minutes=30), NOW + timedelta(minutes=30))
    assert reads.read_nearest(database, here, (LogKind.NAT,), NOW, ["fw-2"]) == (None, None)
    assert reads.read_spans(database, here, (LogKind.NAT,), NOW, NOW) == ()
    assert [one.kind for one in reads.read_spans(database, here, (LogKind.DHCP, LogKind.NAT), NOW, NOW)] == [
        LogKind.DHCP
    ]
    assert reads.read_nat_devices(database, here, [ip_network("198.51.100.0/28")]) == ("fw-1",)
    assert reads.read_nat_devices(database, here, [ip_network("198.51.101.0/28")]) == ()


def test_old_sightings_when_removed_take_the_names_nothing_points_to(database: Database) -> None:
    with database.transaction("tester", NOW) as transaction:
        hold(transaction, Holder(HoldingSource.DHCP, CARD), (0, 10), (100, 110))
        hold(transaction, Holder(HoldingSource.ARP, CARD), (0, 10))
        transaction.audit("test", "test")
    cut = NOW + timedelta(minutes=50)
    assert store.count_old_sightings(database, cut, "holding") == 2
    with database.transaction("tester", NOW) as transaction:
        assert store.remove_sightings(transaction, cut, "holding") == 2
        assert store.remove_sightings(transaction, cut - timedelta(minutes=9), "holding") == 0
        transaction.audit("test", "test")
    assert database.one("SELECT count(*) FROM holder") == (1,)
    assert store.read_horizons(database) == {"holding": to_microseconds(cut)}


def test_space_when_there_is_no_default_network_is_refused() -> None:
    with pytest.raises(StoreError, match="no default network"):
        store.space_of([Network(3, "school", "lan")])
