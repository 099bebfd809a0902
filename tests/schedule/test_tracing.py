from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from sentinel.errors import UsageError
from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState
from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.model.publication import Mapping, Publication
from sentinel.model.register import Exit, Person, RegisterEntry
from sentinel.model.rule import Severity
from sentinel.model.sighting import HoldingSource, Sighting
from sentinel.model.system import InformationSystem, SystemFacts
from sentinel.model.trace import Certainty, Gap, Place, Question, Trace
from sentinel.model.unit import Network, Unit, Zone
from sentinel.schedule.context import Context
from sentinel.schedule.declaring import add_exit, add_keep_out
from sentinel.schedule.intake import replace_networks
from sentinel.schedule.telling import Telling, add_finding
from sentinel.schedule.tracing import Around, choose_unit_of, mask_account, trace
from sentinel.store.database import Database
from sentinel.store.declared import write_exit
from sentinel.store.findings import write_findings
from sentinel.store.flows import write_capture
from sentinel.store.publications import write_publications
from sentinel.store.register import write_register
from sentinel.store.sightings import remove_sightings, unpack_address
from sentinel.store.systems import declare_system, read_systems, rename_system
from sentinel.store.unit_tree import insert_units
from sentinel.store.units import write_network, write_unit
from tests.homes import NOW, SCHOOL
from tests.schedule.nmapfile import HostRow, NmapRun, give
from tests.schedule.seen import CARD, OTHER, OUTSIDE, give_log, held, minute, nat, plugged, reading_logs


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("sentinel.schedule.tracing._VENDORS", ())
    with reading_logs():
        yield


RADIUS, PORTAL, ARP = HoldingSource.RADIUS, HoldingSource.PORTAL, HoldingSource.ARP
WHOLE: tuple[Sighting, ...] = (
    nat(-10, 20),
    held(-60, 60, name="pc-7"),
    held(-30, None, source=RADIUS, user="20261234", device="nas-1", port="GE1/0/7"),
    held(-300, -200, address="10.0.0.9"),
    plugged(-1),
    plugged(-1, port="up", device="sw-0"),
    *(plugged(-1, port="up", device="sw-0", mac=f"3c:22:fb:00:54:{number:02x}") for number in range(12)),
)


def ask(context: Context, address: str = OUTSIDE, port: int | None = 40001, at: float = 0, **words: object) -> Trace:
    show = bool(words.pop("show", False))
    question = Question(ip_address(address), minute(at), port, **words)  # type: ignore[arg-type]  # fields by name
    return trace(context, SCHOOL, question, show=show)


def the_place(answer: Trace) -> Place:
    (one,) = answer.places
    return one


def gaps(answer: Trace) -> list[Gap]:
    return [one.gap for one in answer.breaks]


def place_gaps(answer: Trace) -> list[Gap]:
    return [one.gap for one in the_place(answer).breaks]


def test_public_address_when_traced_leads_through_nat_lease_login_and_port(context: Context) -> None:
    give_log(context, *WHOLE)
    answer = ask(context)
    place = the_place(answer)
    (card,) = place.cards
    assert (str(place.address), place.certainty, gaps(answer)) == ("10.0.0.1", Certainty.CERTAIN, [])
    assert (card.mac, card.names, card.certainty) == (CARD, ("pc-7",), Certainty.CERTAIN)
    assert [link.held.holder.source for link in card.holdings] == [HoldingSource.DHCP, RADIUS]
    assert [(link.attached.device, link.cards) for link in card.attachments] == [("sw-3", 1), ("sw-0", 13)]
    assert [str(one.address) for one in card.others] == ["10.0.0.9"]
    assert [answer.accounts[one] for one in card.accounts] == ["20****34"]
    assert card.breaks == ()
    evidence = {link.translated.evidence for link in place.translations} | {
        link.held.evidence for link in card.holdings
    }
    assert len(evidence) == 1
    assert len(evidence.pop()) == 64


def test_account_when_shown_is_given_in_full_and_audited_without_it(context: Context) -> None:
    give_log(context, *WHOLE)
    assert set(ask(context, show=True).accounts.values()) == {"20261234"}
    ((subject, after),) = context.database.query("SELECT object, after FROM audit WHERE action='trace.show'")
    assert subject == f"unit {SCHOOL.code} address {OUTSIDE}"
    assert "20261234" not in after


def test_account_when_the_key_is_not_here_cannot_be_shown(context: Context) -> None:
    give_log(context, *WHOLE)
    context.key_file.unlink()
    answer = ask(context, show=True)
    assert set(answer.accounts.values()) == {None}
    assert gaps(answer) == [Gap.ACCOUNT_SEALED]


def test_inside_address_when_traced_needs_no_nat(context: Context) -> None:
    give_log(context, *WHOLE)
    place = the_place(ask(context, "10.0.0.1", None))
    assert (place.translations, [card.mac for card in place.cards]) == ((), [CARD])


# Broken links, each in its own words.


def test_nat_when_no_log_covers_the_time_is_missing_and_the_nearest_are_named(context: Context) -> None:
    give_log(context, nat(-300, -290), nat(200, 210))
    answer = ask(context)
    assert gaps(answer) == [Gap.NO_NAT_LOG]
    assert answer.breaks[0].nearest == (minute(-290), minute(200))
    assert answer.places == ()


def test_nat_when_the_log_does_not_name_the_port_is_said_so(context: Context) -> None:
    give_log(context, nat(-10, 20))
    assert gaps(ask(context, port=5)) == [Gap.PORT_NOT_NAMED]
    assert gaps(ask(context, proto="udp")) == [Gap.PORT_NOT_NAMED]


def test_nat_when_another_address_of_the_exit_is_in_the_log_the_log_is_there(context: Context) -> None:
    give_log(context, nat(-10, 20, outside="198.51.100.9"))
    assert gaps(ask(context)) == [Gap.NO_NAT_LOG]
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_exit(transaction, Exit(0, SCHOOL.code, "教育网", (ip_network("198.51.100.0/28"),)))
    answer = ask(context)
    assert (answer.exit, gaps(answer)) == ("教育网", [Gap.PORT_NOT_NAMED])


def test_exit_when_declared_with_its_network_is_no_second_place_beside_where_its_nat_leads(context: Context) -> None:
    add_exit(context, SCHOOL, "教育网", ["198.51.100.0/28"])
    give_log(context, *WHOLE)
    answer = ask(context)
    assert (answer.exit, [str(one.address) for one in answer.places], gaps(answer)) == ("教育网", ["10.0.0.1"], [])
    assert (ask(context, port=None).places, gaps(ask(context, port=None))) == ((), [Gap.PORT_NEEDED])
    neighbour = ask(context, "198.51.100.9")  # of which nothing tells that it is no host
    assert [str(one.address) for one in neighbour.places] == ["198.51.100.9"]


def test_nat_when_sessions_share_the_address_and_no_port_is_named_asks_for_it(context: Context) -> None:
    give_log(context, nat(-10, 20))
    assert gaps(ask(context, port=None)) == [Gap.PORT_NEEDED]


def test_nat_log_of_an_exit_with_many_addresses_is_there_for_each(context: Context) -> None:
    crowd = (nat(-20, 20, outside=f"192.0.{number // 250}.{1 + number % 250}") for number in range(600))
    give_log(context, *crowd, nat(-10, 20))
    assert gaps(ask(context, port=5)) == [Gap.PORT_NOT_NAMED]


def test_port_block_when_it_holds_the_port_or_none_was_named_answers(context: Context) -> None:
    give_log(context, nat(-10, 20, ports=(40000, 41023)))
    for port in (40000, 40512, 41023, None):
        assert str(the_place(ask(context, port=port)).address) == "10.0.0.1"
    assert gaps(ask(context, port=41024)) == [Gap.PORT_NOT_NAMED]


def test_session_when_it_began_days_ago_is_found(context: Context) -> None:
    give_log(context, nat(-9000, 30))
    assert str(the_place(ask(context)).address) == "10.0.0.1"


def test_holder_when_no_log_covers_the_time_is_missing_and_the_logs_are_named(context: Context) -> None:
    give_log(context, nat(-10, 20))
    answer = ask(context)
    assert place_gaps(answer) == [Gap.NO_HOLDING_LOG, Gap.NO_OWNER]


def test_holder_when_the_logs_do_not_name_the_address_is_said_so(context: Context) -> None:
    give_log(context, nat(-10, 20), held(-1, 60, address="10.0.0.77"), held(0, 60, address="10.0.0.78"))
    assert place_gaps(ask(context)) == [Gap.NOT_HELD, Gap.NO_OWNER]


def card_gaps(context: Context, *seen: Sighting) -> list[Gap]:
    give_log(context, *seen)
    (card,) = the_place(ask(context, "10.0.0.1", None)).cards
    return [one.gap for one in card.breaks]


def test_card_when_no_table_and_no_login_log_covers_the_time_lacks_port_and_account(context: Context) -> None:
    assert card_gaps(context, held(-60, 60)) == [Gap.NO_MAC_TABLE, Gap.NO_ACCOUNT]


def test_card_when_tables_and_login_logs_do_not_name_it_is_said_so(context: Context) -> None:
    login = held(0, 0, address="10.0.0.9", mac=OTHER, source=PORTAL, user="x")
    assert card_gaps(context, held(-60, 60), plugged(-1, mac=OTHER), login) == [Gap.NOT_ATTACHED, Gap.ACCOUNT_NOT_NAMED]


def test_card_when_made_up_or_not_told_is_said_so(context: Context) -> None:
    assert card_gaps(context, held(-60, 60, mac="da:a1:19:00:53:01"))[0] is Gap.RANDOM_CARD


def test_login_when_it_tells_no_card_is_said_so(context: Context) -> None:
    assert card_gaps(context, held(-60, 60, mac="", source=PORTAL, user="x")) == [Gap.NO_CARD]


def test_server_when_nobody_logs_in_there_lacks_no_account(context: Context) -> None:
    declare(context, "servers", "10.0.0.0/24", Zone.SERVER)
    assert card_gaps(context, held(-60, 60), plugged(-1)) == []


def test_sightings_when_deleted_on_time_are_said_to_be(context: Context) -> None:
    give_log(context, nat(-10, 20), held(-60, 60))
    with context.database.transaction("tester", NOW) as transaction:
        remove_sightings(transaction, minute(100), "translation")
        remove_sightings(transaction, minute(100), "holding")
        transaction.audit("test", "test")
    assert gaps(ask(context, at=-500)) == [Gap.PURGED]
    assert place_gaps(ask(context, "10.0.0.1", None, at=-500)) == [Gap.PURGED, Gap.NO_OWNER]


def test_address_when_declared_to_stay_out_is_told_by_no_sighting_and_no_asset(context: Context) -> None:
    give_log(context, *WHOLE, nat(-10, 20, inside="10.0.0.9", ports=(40002, 40002)), held(0, 60, address="10.0.0.77"))
    assert the_place(ask(context, "10.0.0.1", None)).asset == 1
    add_keep_out(context, SCHOOL, (ip_network("10.0.0.1/32"),))
    with pytest.raises(UsageError, match="must stay out"):
        ask(context, "10.0.0.1", None)
    assert ask(context).places == ()
    assert [str(one.address) for one in ask(context, port=40002).places] == ["10.0.0.9"]
    for table, column in (("holding", "address"), ("mark", "address"), ("identifier", "address"), ("asset", "address"),
                          ("translation", "inside")):  # fmt: skip
        rows = context.database.query(f"SELECT {column} FROM {table}")
        assert str(ip_address("10.0.0.1")) not in {str(unpack_address(bytes(packed))) for (packed,) in rows}, table
    events = context.database.query("SELECT detail FROM asset_event")
    assert not any("10.0.0.1" in detail.split() for (detail,) in events)
    assert context.database.one("SELECT count(*) FROM audit WHERE action='sighting.remove'") == (1,)


# Several candidates.


def test_clocks_when_they_may_disagree_give_several_candidates_and_none_when_not(context: Context) -> None:
    give_log(context, nat(-10, -1), nat(1, 20, inside="10.0.0.2"))
    assert [str(one.address) for one in ask(context).places] == ["10.0.0.1", "10.0.0.2"]
    assert {one.certainty for one in ask(context).places} == {Certainty.POSSIBLE}
    assert ask(context, tolerance_s=0).places == ()
    assert [str(one.address) for one in ask(context, tolerance_s=0, at=5).places] == ["10.0.0.2"]


def test_port_when_used_for_several_peers_at_once_is_told_apart_by_the_peer(context: Context) -> None:
    give_log(context, nat(-10, 20), nat(-10, 20, inside="10.0.0.2", peer="203.0.113.10"))
    assert len(ask(context).places) == 2
    assert str(the_place(ask(context, peer=ip_address("203.0.113.10"))).address) == "10.0.0.2"


def test_cards_when_two_held_the_address_within_the_disagreement_are_both_given(context: Context) -> None:
    give_log(context, held(-60, -1), held(1, 60, mac=OTHER))
    assert [card.mac for card in the_place(ask(context, "10.0.0.1", None)).cards] == [CARD, OTHER]


def test_port_when_used_anew_hundreds_of_times_that_day_still_leads_to_who_had_it_then(context: Context) -> None:
    after = (nat(10 + 2 * number, 11 + 2 * number, inside="10.0.0.2") for number in range(600))
    give_log(context, nat(-1, 1), *after)
    assert str(the_place(ask(context)).address) == "10.0.0.1"


# What surrounds the address.


def declare(context: Context, name: str, prefix: str, zone: Zone = Zone.OFFICE) -> Network:
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        network = write_network(transaction, Network(0, SCHOOL.code, name, zone, (ip_network(prefix),)))
        replace_networks(context, transaction, SCHOOL)
    return network


def scan(context: Context, at: float, *ports: tuple[int, str]) -> None:
    row = HostRow("10.0.0.1", ports, name="pc-7.example", mac=CARD)
    give(context, NmapRun((row,), finished=minute(at)))


def test_address_when_traced_shows_its_ports_names_asset_and_maker_of_then(context: Context) -> None:
    give_log(context, held(-60, 60))
    scan(context, -100, (22, "ssh"), (80, "closed"))
    scan(context, 100, (22, "closed"), (80, "nginx"))
    place = the_place(ask(context, "10.0.0.1", None))
    assert [one.key.port for one in place.endpoints] == [22]
    assert (place.names, place.asset, place.cards[0].vendor) == (("pc-7.example",), 1, "Maker")
    assert [one.key.port for one in the_place(ask(context, "10.0.0.1", None, at=200)).endpoints] == [80]


def test_maker_when_only_a_card_that_begins_alike_was_seen_is_told_by_it(context: Context) -> None:
    scan(context, -100, (22, "ssh"))
    give_log(
        context, held(-60, 60, address="10.0.0.5", mac=OTHER), held(-60, 60, address="10.0.0.6", mac="aa" + OTHER[2:])
    )
    assert the_place(ask(context, "10.0.0.5", None)).cards[0].vendor == "Maker"
    assert the_place(ask(context, "10.0.0.6", None)).cards[0].vendor == ""


def test_maker_when_nmap_is_installed_is_read_from_its_list(
    context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prefixes = tmp_path / "prefixes"
    prefixes.write_text("# a comment\n000000 Nobody\n3C22FB Somebody\n")
    monkeypatch.setattr("sentinel.schedule.tracing._VENDORS", (tmp_path / "none", prefixes))
    give_log(context, held(-60, 60), held(-60, 60, address="10.0.0.6", mac="00:11:22:00:53:01"))
    assert the_place(ask(context, "10.0.0.1", None)).cards[0].vendor == "Somebody"
    assert the_place(ask(context, "10.0.0.6", None)).cards[0].vendor == ""


def finding(number: int, subject: str, first: datetime, closed: datetime | None = None) -> Finding:
    return Finding(
        id=0,
        number=f"隐患-2026-{number:05}",
        key=FindingKey(SCHOOL.code, "exposure.redis", 1, subject),
        source=FindingSource.OWN_SCAN,
        severity=Severity.HIGH,
        state=FindingState.CLOSED if closed else FindingState.OPEN,
        first_seen=first,
        last_seen=first,
        closed_at=closed,
    )


def test_findings_when_they_lived_then_are_shown_and_those_of_a_neighbour_are_not(context: Context) -> None:
    give_log(context, held(-60, 60))
    with context.database.transaction("tester", NOW) as transaction:
        for number, (subject, first, closed) in enumerate(
            [
                ("10.0.0.1:6379/tcp", -500, None),
                ("10.0.0.1 stratum", -500, 500),
                ("10.0.0.1:80/tcp", -500, -400),
                ("10.0.0.1:81/tcp", 500, None),
                ("10.0.0.11:6379/tcp", -500, None),
            ],
            1,
        ):
            made = finding(number, subject, minute(first), minute(closed) if closed else None)
            write_findings(transaction, [(made, "", "")])
        transaction.audit("test", "test")
    place = the_place(ask(context, "10.0.0.1", None))
    assert [one.key.subject for one in place.findings] == ["10.0.0.1:6379/tcp", "10.0.0.1 stratum"]


def test_finding_about_a_page_of_the_address_is_shown_and_that_of_a_neighbour_is_not(context: Context) -> None:
    give_log(context, held(-60, 60))
    context.clock.now = minute(-10)  # type: ignore[attr-defined]  # the clock of the tests
    told = [
        add_finding(context, SCHOOL, Telling(f"http://{host}/login", "弱口令", Severity.HIGH))[0].number
        for host in ("10.0.0.1", "10.0.0.1:8080", "10.0.0.11", "a.example")
    ]
    context.clock.now = NOW  # type: ignore[attr-defined]  # the clock of the tests
    assert [one.number for one in the_place(ask(context, "10.0.0.1", None)).findings] == told[:2]


def test_mining_when_it_was_within_the_hours_is_shown(context: Context) -> None:
    give_log(context, held(-60, 60))
    flows = [
        FlowDetection(
            file="a.pcap",
            host=host,
            host_port=50_000,
            peer="203.0.113.9",
            peer_port=3333,
            family="stratum",
            flow_class=FlowClass.MINING,
            certainty=1.0,
            first_seen=minute(at),
            last_seen=minute(at + 5),
        )
        for host, at in (("10.0.0.1", 30), ("10.0.0.1", 3000), ("10.0.0.11", 30))
    ]
    with context.database.transaction("tester", NOW) as transaction:
        write_capture(transaction, SCHOOL.code, "a" * 64, "a.pcap", flows)
        transaction.audit("test", "test")
    assert [flow.first_seen for _, flow in the_place(ask(context, "10.0.0.1", None)).flows] == [minute(30)]


def test_owner_when_registered_is_named_with_the_person_masked_unless_shown(context: Context) -> None:
    give_log(context, held(-60, 60))
    line = RegisterEntry(
        id=0,
        unit=SCHOOL.code,
        source="台账.xlsx",
        source_sha256="a" * 64,
        sheet="台账",
        row=2,
        system="教务系统",
        addresses=(ip_network("10.0.0.1/32"),),
        department="信息中心",
        person=Person("示例人", "13800001234"),
        imported_at=NOW,
    )
    with context.database.transaction("tester", NOW) as transaction:
        write_register(transaction, [line], context.make_seal())
        transaction.audit("test", "test")
    place = the_place(ask(context, "10.0.0.1", None))
    assert place.line is not None
    assert (place.department, place.line.system, place.line.person) == (
        "信息中心",
        "教务系统",
        Person("示例人", "13800001234").masked,
    )
    shown = the_place(ask(context, "10.0.0.1", None, show=True)).line
    assert shown is not None
    assert shown.person == Person("示例人", "13800001234")


def test_system_of_an_owner_when_renamed_is_called_as_it_was_then(context: Context) -> None:
    line = RegisterEntry(0, SCHOOL.code, "台账.xlsx", "a" * 64, "台账", 2, "门户网站", (ip_network("10.0.0.1/32"),))
    give_log(context, held(-120, 60))
    with context.database.transaction("tester", minute(-60)) as transaction:
        write_register(transaction, [line], context.make_seal())
        declare_system(transaction, InformationSystem(0, SCHOOL.code, SystemFacts("门户网站")), "", None)
        transaction.audit("test", "test")
    with context.database.transaction("tester", minute(0)) as transaction:
        (known,) = read_systems(context.database, SCHOOL.code)
        rename_system(transaction, known, "智慧门户", "升级", None)
        transaction.audit("test", "test")
    called = []
    for at in (-90, -1, 1):
        owner = the_place(ask(context, "10.0.0.1", None, at=at)).line
        assert owner is not None
        called.append(owner.system)
    assert called == ["门户网站", "门户网站", "智慧门户"]


def test_other_addresses_when_asked_for_more_hours_are_those_of_card_and_account(context: Context) -> None:
    give_log(
        context,
        held(-60, 60, source=RADIUS, user="20261234"),
        held(-2000, -1900, address="10.0.0.8"),
        held(-200, -100, address="10.0.0.9", mac=OTHER, source=RADIUS, user="20261234"),
    )
    question = Question(ip_address("10.0.0.1"), minute(0))
    for hours, others in ((1, []), (24, ["10.0.0.9"]), (48, ["10.0.0.8", "10.0.0.9"])):
        (card,) = trace(context, SCHOOL, question, Around(timedelta(hours=hours))).places[0].cards
        assert [str(one.address) for one in card.others] == others


def test_public_server_when_it_is_no_nat_address_is_traced_itself(context: Context) -> None:
    declare(context, "dmz", "198.51.100.0/28", Zone.DMZ)
    answer = ask(context)
    assert [str(one.address) for one in answer.places] == [OUTSIDE]
    assert the_place(answer).network == "dmz"


def test_unit_when_not_named_is_the_one_the_address_belongs_to(context: Context) -> None:
    other = Unit("other", "示例二中", path="other")
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        write_unit(transaction, other)
        write_exit(transaction, Exit(0, other.code, "出口", (ip_network("203.0.113.0/28"),)))
    give_log(context, nat(-10, 20))
    assert choose_unit_of(context, None, ip_address(OUTSIDE), NOW).code == SCHOOL.code
    assert choose_unit_of(context, None, ip_address("203.0.113.1"), NOW).code == other.code
    assert choose_unit_of(context, "other", ip_address(OUTSIDE), NOW).code == other.code
    with pytest.raises(UsageError, match=r"^no unit declared or saw 192\.0\.2\.1; which one is meant"):
        choose_unit_of(context, None, ip_address("192.0.2.1"), NOW)
    with pytest.raises(UsageError, match="no such unit"):
        choose_unit_of(context, "nobody", ip_address(OUTSIDE), NOW)


def test_unit_when_several_know_a_private_address_is_none_of_them_and_they_are_named(context: Context) -> None:
    """One declared it, one scanned it, one had it in a lease; no two of them are ever merged."""
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        for number in range(1, 15):
            write_unit(transaction, Unit(f"u{number:02}", f"示例{number}", path=f"u{number:02}"))
        write_network(transaction, Network(0, "u01", "lan", Zone.OFFICE, (ip_network("10.0.0.0/24"),)))
    asked = ip_address("10.0.0.1")
    assert choose_unit_of(context, None, asked, NOW).code == "u01"
    give(context, NmapRun((HostRow("10.0.0.1", ((22, "ssh"),)),), finished=NOW))
    with pytest.raises(UsageError, match=r"^10\.0\.0\.1 is known to several units: school, u01; name the one"):
        choose_unit_of(context, None, asked, NOW)
    give_log(context, held(-60, 60, address="10.0.0.3"), unit=Unit("u02", "示例2", path="u02"))
    with pytest.raises(UsageError, match="several units: u01, u02;"):
        choose_unit_of(context, None, ip_address("10.0.0.3"), NOW)
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        for number in range(2, 15):
            write_network(transaction, Network(0, f"u{number:02}", "lan", Zone.OFFICE, (ip_network("10.0.0.0/16"),)))
    with pytest.raises(UsageError, match=r"several units: school, u01, .*, u09 and more; name"):
        choose_unit_of(context, None, asked, NOW)


def test_unit_of_a_public_address_is_who_owned_it_then_whatever_others_saw_of_it(context: Context) -> None:
    other, public = Unit("other", "示例二中", path="other"), (ip_network("198.51.100.0/28"),)
    with context.database.transaction("tester", NOW - timedelta(days=9), objects=True) as transaction:
        write_unit(transaction, other)
        write_network(transaction, Network(0, other.code, "exit", Zone.DMZ, public))
    give(context, NmapRun((HostRow(OUTSIDE, ((443, "http"),)),), finished=NOW))
    assert choose_unit_of(context, None, ip_address(OUTSIDE), NOW).code == other.code
    before = NOW - timedelta(days=30)
    with pytest.raises(UsageError, match="several units: other, school;"):
        choose_unit_of(context, None, ip_address(OUTSIDE), before)


def test_unit_when_not_named_is_looked_for_in_a_few_statements_however_many_units_there_are(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"statements": 0, "rows": 0}
    query, one = Database.query, Database.one

    def counted_query(self: Database, statement: str, values: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
        counts["statements"] += 1
        for row in query(self, statement, values):
            counts["rows"] += 1
            yield row

    def counted_one(self: Database, statement: str, values: tuple[object, ...] = ()) -> tuple[object, ...] | None:
        counts["statements"] += 1
        counts["rows"] += 1
        return one(self, statement, values)

    def add(first: int, last: int) -> None:
        with context.database.transaction("tester", NOW) as transaction:
            codes = [f"n{each:05}" for each in range(first, last)]
            insert_units(transaction, (Unit(code, f"示例 {code}", path=code) for code in codes))
            transaction.execute(
                "UPDATE network SET prefixes='[\"10.0.0.0/16\"]' WHERE unit>=? AND unit<=?", (codes[0], codes[-1])
            )
            transaction.audit("test", "units")

    def ask_twice() -> tuple[int, int]:
        counts.update(statements=0, rows=0)
        with monkeypatch.context() as patched:
            patched.setattr(Database, "query", counted_query)
            patched.setattr(Database, "one", counted_one)
            for address in ("10.0.0.1", "192.0.2.1"):
                with pytest.raises(UsageError):
                    choose_unit_of(context, None, ip_address(address), NOW)
        return counts["statements"], counts["rows"]

    add(0, 30)
    few = ask_twice()
    add(30, 3000)
    assert ask_twice() == few
    assert few[0] <= 20
    assert few[1] <= 40


def test_publication_when_in_force_leads_to_its_host_where_no_log_does(context: Context) -> None:
    mapping = Mapping(ip_address(OUTSIDE), "tcp", 443, 443, ip_address("10.0.0.7"))
    with context.database.transaction("tester", NOW) as transaction:
        write_publications(transaction, [Publication(0, SCHOOL.code, mapping, "declared")])
        transaction.audit("test", "test")
    answer = ask(context, port=443)
    assert (str(the_place(answer).address), the_place(answer).certainty, gaps(answer)) == (
        "10.0.0.7",
        Certainty.LIKELY,
        [],
    )
    assert gaps(ask(context, port=444)) == [Gap.NO_NAT_LOG]


def test_public_host_when_nobody_declared_its_network_is_traced_itself(context: Context) -> None:
    give_log(context, held(-60, 60, address="192.0.2.5"))
    answer = ask(context, "192.0.2.5", None)
    assert ([str(one.address) for one in answer.places], gaps(answer)) == (["192.0.2.5"], [])


@pytest.mark.parametrize(
    ("name", "masked"),
    [("20261234", "20****34"), ("zhang", "zh*ng"), ("li", "l***"), ("zhang@a.example", "z***@a.example"), ("", "***")],
)
def test_account_when_masked_shows_only_what_tells_one_from_another(name: str, masked: str) -> None:
    assert mask_account(name) == masked
