from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.inventory.proposal import MOST_SPANS, SeenName, SeenPort, build_proposals
from sentinel.model.ports import PortSet
from sentinel.model.proposal import Decision, Proposal, Registered
from sentinel.model.register import RegisterEntry
from sentinel.model.whitelist import PeerKind, WhitelistKind, format_addresses

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
LAN = ip_network("10.0.0.0/24")


def seen(address: str, port: int, service: str = "", **more) -> SeenPort:
    words = {"network": "lan", "segment": LAN, "proto": "tcp", "last_seen": NOW} | more
    return SeenPort(address=ip_address(address), port=port, service=service, **words)


def line(address: str = "", ports: tuple[int, ...] = (), domains: tuple[str, ...] = (), **more) -> RegisterEntry:
    words = {"system": "门户", "department": "宣传部"} | more
    return RegisterEntry(
        1, "u", "r.xlsx", "", "", 2,
        addresses=(ip_network(address),) if address else (),
        ports=(("tcp", PortSet.of_ports(ports)),) if ports else (),
        domains=domains,
        **words,
    )  # fmt: skip


def propose(*ports: SeenPort, names=(), register=()) -> list[Proposal]:
    return list(build_proposals(ports, names, register, NOW))


def places(one: Proposal) -> str:
    where = one.domain or "、".join(format_addresses(one.addresses))
    return f"{where} {one.ports}".strip()


def test_port_when_nobody_registered_it_then_it_is_proposed_for_a_quarter_from_where_it_was_seen():
    (one,) = propose(seen("10.0.0.5", 443, "https"))
    assert (places(one), one.proto, one.service, one.peer) == ("10.0.0.5 443", "tcp", "https", PeerKind.CAMPUS)
    assert (one.registered, one.advice, one.until) == (Registered.NO, Decision.ALLOW, date(2027, 2, 20))
    assert (one.hosts, one.whole, one.last_seen, one.members) == (1, False, NOW, ("10.0.0.5:443/tcp https",))


def test_port_when_seen_from_inside_and_outside_then_it_is_one_line_for_any_peer():
    (one,) = propose(seen("10.0.0.5", 443), seen("10.0.0.5", 443, "https", outside=True, last_seen=NOW + timedelta(1)))
    assert (one.peer, one.service, one.hosts, one.last_seen) == (PeerKind.ANY, "https", 1, NOW + timedelta(1))


def test_port_when_the_register_knows_it_then_system_and_department_stand_there_until_its_last_day():
    end = datetime(2027, 6, 30, 15, 59, tzinfo=UTC)
    (one,) = propose(seen("10.0.0.5", 443), register=[line("10.0.0.5", (80, 443), valid_to=end)])[:1]
    assert (one.reason, one.department, one.registered) == ("门户", "宣传部", Registered.YES)
    assert one.until == date(2027, 6, 30)
    (other,) = propose(seen("10.0.0.5", 443), register=[line("10.0.0.5", (443,))])
    assert other.until == date(2027, 11, 22)


def test_port_when_only_its_host_is_registered_then_that_is_told():
    first, missing = propose(seen("10.0.0.5", 8080), register=[line("10.0.0.5", (443,))])
    assert (places(first), first.registered, first.department) == ("10.0.0.5 8080", Registered.PARTLY, "宣传部")
    assert (places(missing), missing.registered) == ("10.0.0.5 443", Registered.UNSEEN)


def test_line_when_expired_then_it_registers_nothing():
    old = line("10.0.0.5", (443,), valid_to=NOW - timedelta(1))
    assert [one.registered for one in propose(seen("10.0.0.5", 443), register=[old])] == [Registered.NO]


def test_risk_when_there_is_one_then_the_line_comes_first_and_is_to_be_denied_without_end():
    first, second = propose(seen("10.0.0.5", 80), seen("10.0.0.9", 3389, risk="远程桌面"))
    assert (places(first), first.advice, first.risk, first.until) == ("10.0.0.9 3389", Decision.DENY, "远程桌面", None)
    assert second.advice is Decision.ALLOW


def test_ports_when_a_system_has_the_same_on_all_hosts_then_they_are_one_line():
    hosts = ("10.0.0.4", "10.0.0.5", "10.0.0.6")
    register = [line(host) for host in hosts]
    ports = [seen(host, port, "http") for host in hosts for port in (80, 8080)]
    (one,) = propose(*ports, register=register)
    assert (places(one), one.hosts) == ("10.0.0.4-10.0.0.6 80,8080", 3)
    first, second = propose(*ports, seen("10.0.0.5", 81, "http"), register=register)
    assert [places(first), places(second)] == ["10.0.0.4、10.0.0.6 80,8080", "10.0.0.5 80-81,8080"]


@pytest.mark.parametrize(
    ("count", "others", "port", "service", "risk", "segment", "whole"),
    [
        (8, 8, 80, "http", "", LAN, True),
        (8, 9, 80, "http", "", LAN, False),
        (7, 0, 80, "http", "", LAN, False),
        (3, 90, 9100, "jetdirect", "", LAN, True),
        (3, 90, 631, "", "", LAN, True),
        (3, 90, 631, "http", "", LAN, False),
        (2, 0, 9100, "jetdirect", "", LAN, False),
        (20, 0, 3389, "ms-wbt-server", "远程桌面", LAN, False),
        (20, 0, 80, "http", "", ip_network("10.0.0.0/16"), False),
        (20, 0, 80, "http", "", None, False),
    ],
)
def test_segment_when_most_of_it_or_printers_have_a_port_then_the_line_speaks_for_it(
    count, others, port, service, risk, segment, whole
):
    ports = [seen(f"10.0.0.{2 * number}", port, service, risk=risk, segment=segment) for number in range(1, count + 1)]
    ports += [seen(f"10.0.0.{2 * number + 1}", 22, "ssh", segment=segment) for number in range(others)]
    one = next(one for one in propose(*ports) if port in one.ports)
    assert one.whole is whole
    assert (one.addresses == (segment,)) is whole
    assert one.hosts == count


def test_line_when_it_would_name_too_many_places_then_it_is_cut():
    ports = [seen(f"10.{number}.0.1", 80, segment=None) for number in range(MOST_SPANS + 5)]
    first, second = propose(*ports)
    assert (len(first.addresses), len(second.addresses)) == (MOST_SPANS, 5)


def test_name_when_registered_then_it_is_proposed_and_else_left_to_a_person():
    known, unknown = propose(
        names=[SeenName("www.school.example", (ip_address("10.0.0.5"),), NOW), SeenName("xx.other.example")],
        register=[line(domains=("WWW.school.example.",))],
    )
    assert (known.domain, known.advice, known.reason, known.hosts) == ("www.school.example", Decision.ALLOW, "门户", 1)
    assert (unknown.advice, unknown.registered, unknown.until) == (Decision.SKIP, Registered.NO, None)
    dated = line(domains=("www.school.example",), valid_to=NOW + timedelta(9))
    assert propose(names=[SeenName("www.school.example")], register=[dated])[0].until == date(2026, 12, 1)


def test_registered_when_not_seen_then_it_is_to_be_looked_into_unless_the_host_of_a_name_is_up():
    register = [line("10.0.0.5", (80,), ("www.school.example",)), line("10.0.0.9", (80, 443), ("old.school.example",))]
    made = {places(one): one for one in propose(seen("10.0.0.5", 80), register=register)}
    assert made["www.school.example"].advice is Decision.ALLOW
    assert made["www.school.example"].last_seen == NOW
    assert made["old.school.example"].advice is Decision.SKIP
    gone = made["10.0.0.9 80,443"]
    assert (gone.registered, gone.advice, gone.hosts, gone.members) == (Registered.UNSEEN, Decision.SKIP, 0, ())


def test_registered_when_twice_or_as_an_endless_range_then_no_line_is_made_of_it():
    twice = [line("10.0.0.9", (80,)), line("10.0.0.9", (80,))]
    assert len(propose(register=twice)) == 1
    assert propose(register=[line("10.0.0.9", tuple(range(1, 1000)))]) == []
    assert propose(register=[line("10.0.0.0/24", (80,))]) == []


def test_ipv6_when_seen_then_its_members_stand_in_brackets():
    (one,) = propose(seen("2001:db8::5", 443, segment=ip_network("2001:db8::/64")))
    assert (places(one), one.members) == ("2001:db8::5 443", ("[2001:db8::5]:443/tcp",))


looks = st.builds(
    seen,
    st.integers(1, 30).map(lambda low: f"10.0.0.{low}"),
    st.sampled_from([22, 80, 443, 631, 9100]),
    st.sampled_from(["", "http", "ssh", "ipp"]),
    outside=st.booleans(),
    risk=st.sampled_from(["", "", "风险"]),
)
registers = st.lists(
    st.builds(
        line,
        st.sampled_from(["10.0.0.5", "10.0.0.6", "10.0.0.0/28", "10.0.0.0/24"]),
        st.sampled_from([(), (80,), (22, 443)]),
        system=st.sampled_from(["", "门户", "邮件"]),
    ),
    max_size=3,
)


@given(st.lists(looks, max_size=40), registers)
def test_draft_when_made_then_each_port_is_in_exactly_one_line_and_no_risk_is_allowed(ports, register):
    made = [one for one in propose(*ports, register=register) if one.registered is not Registered.UNSEEN]
    told = [word.partition(" ")[0] for one in made for word in one.members]
    assert sorted(told) == sorted({f"{one.address}:{one.port}/tcp" for one in ports})
    for one in made:
        assert one.advice is (Decision.DENY if one.risk else Decision.ALLOW)
        covered = {
            f"{one_address}:{port}/tcp"
            for prefix in one.addresses
            for one_address in (prefix if one.whole else list(prefix))
            for port in one.ports
        }
        members = {word.partition(" ")[0] for word in one.members}
        assert members <= covered
        if not one.whole:
            assert members == covered


@given(st.lists(looks, max_size=20), registers, st.randoms(use_true_random=False))
def test_draft_when_made_from_the_same_in_another_order_then_its_lines_are_the_same(ports, register, order):
    unique = {(one.address, one.port): one for one in ports}
    first = propose(*unique.values(), register=register)
    shuffled = list(unique.values())
    order.shuffle(shuffled)
    assert {one.mark for one in propose(*shuffled, register=register)} == {one.mark for one in first}


def test_mark_when_the_map_changes_then_it_changes_and_when_only_time_passes_it_does_not():
    (one,) = propose(seen("10.0.0.5", 443, "https"))
    (later,) = propose(seen("10.0.0.5", 443, "https", last_seen=NOW + timedelta(9)))
    (other,) = propose(seen("10.0.0.5", 443, "ssh"))
    assert one.mark == later.mark
    assert one.mark != other.mark
    assert one.kind is WhitelistKind.PORT
