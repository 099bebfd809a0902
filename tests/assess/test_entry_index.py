from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from sentinel.assess.entry_index import EntryIndex, NameIndex, cut_ports
from sentinel.model.ports import PortSet
from sentinel.model.whitelist import WhitelistEntry, WhitelistKind


@given(st.integers(0, 65535), st.integers(0, 65535))
def test_ports_when_cut_into_blocks_then_they_are_the_same_ports_in_few_blocks(one, other):
    low, high = sorted((one, other))
    blocks = list(cut_ports(low, high))
    ranges = [(block << size, ((block + 1) << size) - 1) for size, block in blocks]
    assert PortSet.of(ranges).ranges == ((low, high),)
    assert sum(last - first + 1 for first, last in ranges) == high - low + 1
    assert len(blocks) <= 30


def test_entry_when_several_of_its_prefixes_hold_the_address_then_it_is_given_once():
    entry = WhitelistEntry(
        1, "u", WhitelistKind.PORT, addresses=(ip_network("10.0.0.0/24"), ip_network("10.0.0.5/32")), proto="tcp",
        ports=PortSet.of([(1, 100)]),
    )  # fmt: skip
    index = EntryIndex([entry])
    assert list(index.covering(ip_address("10.0.0.5"))) == [entry]
    assert list(index.covering_port(ip_address("10.0.0.5"), "tcp", 80)) == [entry]
    assert list(index.covering_port(ip_address("10.0.0.5"), "udp", 80)) == []
    assert index.holds(ip_address("10.0.0.9"))
    assert not index.holds(ip_address("10.0.1.9"))
    assert index
    assert not EntryIndex([])


def test_names_when_one_is_a_glob_then_a_final_dot_and_case_do_not_matter():
    entries = [
        WhitelistEntry(number, "u", WhitelistKind.DOMAIN, domain=domain)
        for number, domain in enumerate(["www.a.example", "*.A.example", "w?w.a.example"], start=1)
    ]
    index = NameIndex(entries)
    assert [one.id for one in index.covering("WWW.a.example.")] == [1, 2, 3]
    assert [one.id for one in index.covering("a.example")] == []
    assert index
    assert not NameIndex([])
