from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from sentinel.inventory.addresses import AddressSet
from sentinel.model.endpoint import AddressRanges
from sentinel.model.unit import IPAddress

addresses = st.one_of(
    st.integers(0, 200).map(lambda one: ip_address((10 << 24) + one)),
    st.integers(0, 200).map(lambda one: ip_address((0x20010DB8 << 96) + one)),
    st.sampled_from([ip_address(text) for text in ("0.0.0.0", "255.255.255.255", "::", "::1", "ffff::ffff")]),
    st.ip_addresses(),
)


@given(st.lists(addresses, max_size=80), st.lists(addresses, max_size=10))
def test_address_set_always_behaves_like_a_set(put_in: list[IPAddress], others: list[IPAddress]) -> None:
    made, plain = AddressSet(), set()
    for address in put_in:
        assert made.add(address) == (address not in plain)
        plain.add(address)
    assert len(made) == len(plain)
    assert all((address in made) == (address in plain) for address in (*put_in, *others))
    assert made.build_ranges() == AddressRanges(tuple((address, address) for address in plain))
