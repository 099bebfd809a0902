"""Packed files: read as if they were not; bombs and damage refused, what is cut off kept and told."""

from __future__ import annotations

import gzip
import io
import lzma
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.errors import ParseError
from sentinel.model.observation import Loss, RunEnd, RunObservation
from sentinel.observe import Parser, choose_parser, unpack
from sentinel.observe.unpack import open_unpacked
from tests.observe import logs
from tests.observe.written import ends_of, host, hosts_of, nmap

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor(level=3).compress,
    "xz": lzma.compress,
}
TEXT = "".join(f"{number} row of a log that is long enough to be cut\n" for number in range(20_000)).encode()


def read_whole(data: bytes) -> tuple[bytes, str]:
    opened = open_unpacked(io.BytesIO(data))
    return opened.stream.read(), opened.fault


@pytest.mark.parametrize("name", PACKERS)
def test_stream_when_packed_is_read_as_its_own_bytes(name: str) -> None:
    assert read_whole(PACKERS[name](TEXT)) == (TEXT, "")


@pytest.mark.parametrize("name", PACKERS)
def test_stream_when_several_members_follow_each_other_is_read_as_one(name: str) -> None:
    packed = PACKERS[name](TEXT) + PACKERS[name](b"more\n") + b"\0" * 100
    assert read_whole(packed) == (TEXT + b"more\n", "")


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.999])
def test_stream_when_cut_off_keeps_what_was_readable_and_tells_so(name: str, part: float) -> None:
    packed = PACKERS[name](TEXT)
    read, fault = read_whole(packed[: int(len(packed) * part)])
    assert TEXT.startswith(read)
    assert fault == f"the {name} data ends early: the file was cut off"


@pytest.mark.parametrize("name", PACKERS)
def test_stream_when_something_else_follows_tells_so(name: str) -> None:
    assert read_whole(PACKERS[name](TEXT) + b"something else") == (
        TEXT, f"what follows the {name} data was passed over",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["gzip", "xz"])
def test_stream_when_damaged_is_refused(name: str) -> None:
    packed = bytearray(PACKERS[name](TEXT))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(ParseError, match=f"the {name} data is damaged"):
        read_whole(bytes(packed))


def test_stream_when_zstandard_with_a_sum_is_damaged_is_refused() -> None:
    packed = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(TEXT))
    packed[-1] ^= 0xFF
    with pytest.raises(ParseError, match="the zstd data is damaged"):
        read_whole(bytes(packed))


@pytest.mark.parametrize("name", PACKERS)
def test_stream_when_a_bomb_is_refused_in_one_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "FREE", 1 << 20)
    with pytest.raises(ParseError, match="more than 300 times its size") as caught:
        read_whole(PACKERS[name](bytes(48 << 20)))
    assert "\n" not in str(caught.value)


def test_stream_when_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_UNPACKED", 1 << 19)
    with pytest.raises(ParseError, match="split the file"):
        read_whole(gzip.compress(TEXT))


def test_stream_when_plain_is_given_back_as_it_is() -> None:
    plain = io.BytesIO(b"plain")
    assert open_unpacked(plain).stream is plain
    buffered = io.BufferedReader(io.BytesIO(b"plain"))  # type: ignore[type-var,unused-ignore]
    assert open_unpacked(buffered).stream.read() == b"plain"


@pytest.mark.parametrize("name", PACKERS)
def test_file_when_packed_is_known_by_what_is_in_it(name: str) -> None:
    packed = PACKERS[name](logs.NFDUMP_16.encode())
    parser = choose_parser(packed, "flows")
    assert parser.name == "nfdump-csv"
    observations = list(parser.read(io.BytesIO(packed), logs.ARRIVED))
    assert len(hosts_of(observations)) == 1
    assert isinstance(observations[-1], RunEnd)


def test_file_when_packed_and_cut_off_has_a_loss() -> None:
    raw = zlib.compressobj(wbits=31)
    packed = raw.compress(logs.NFDUMP_16.encode()) + raw.flush(zlib.Z_SYNC_FLUSH)
    observations = list(choose_parser(packed, "flows").read(io.BytesIO(packed), logs.ARRIVED))
    assert len(hosts_of(observations)) == 1
    assert observations[-2] == Loss("the gzip data ends early: the file was cut off")


def test_scan_when_packed_and_cut_off_calls_no_address_silent() -> None:
    raw = zlib.compressobj(wbits=31)
    packed = raw.compress(nmap(host("192.0.2.1"), total=8).encode()) + raw.flush(zlib.Z_SYNC_FLUSH)
    (end,) = ends_of(choose_parser(packed, "scan").read(io.BytesIO(packed), logs.ARRIVED))
    (whole,) = ends_of(
        choose_parser(packed, "scan").read(
            io.BytesIO(gzip.compress(nmap(host("192.0.2.1"), total=8).encode())), logs.ARRIVED
        )
    )
    assert (end.silent, bool(whole.silent)) == ((), True)


@settings(max_examples=150, deadline=None, database=None)
@given(
    name=st.sampled_from(sorted(PACKERS)),
    cut=st.floats(0, 1),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=3),
)
def test_stream_when_cut_and_damaged_reads_or_refuses(name: str, cut: float, flips: list[tuple[float, int]]) -> None:
    data = bytearray(PACKERS[name](TEXT[:4_000]))
    for place, bit in flips:
        data[int(place * len(data))] ^= 1 << bit
    parser = Parser("any", lambda _: True, lambda stream: iter([RunObservation(str(len(stream.read())))]))
    try:
        list(parser.read(io.BytesIO(bytes(data[: int(len(data) * cut)])), logs.ARRIVED))
    except ParseError:
        return
