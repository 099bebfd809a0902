"""sentinel's own record of closer looks, whole, cut, and hostile."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.errors import ParseError
from sentinel.model.observation import Loss, RunEnd, RunObservation
from sentinel.model.probe import MAX_ITEMS, MAX_TEXT, MAX_VALUES, ProbeKind, ProbeObservation, clean_values
from sentinel.observe import choose_parser
from sentinel.observe.probe_log import NAME, parse, write_end, write_head, write_look

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
HEAD = write_head("sentinel-probe 0.1", NOW)


def look(**changes: object) -> ProbeObservation:
    fields: dict[str, object] = {
        "kind": ProbeKind.TLS,
        "address": ip_address("10.0.0.5"),
        "proto": "tcp",
        "port": 443,
        "name": "www.school.example",
        "time": NOW,
        "answered": True,
        "values": clean_values({"versions": ["tls1.2", "tls1.3"], "bits": 2048, "old": False, "nothing": None}),
    }
    return ProbeObservation(**(fields | changes))  # type: ignore[arg-type]  # the changes are fields by name


def read(data: bytes) -> list[object]:
    return list(parse(io.BytesIO(data)))


def test_record_when_whole_then_every_look_is_read_as_it_was_written() -> None:
    looks = [
        look(),
        look(kind=ProbeKind.SSH, port=22, name="", answered=False, reason="no answer: it took too long", values=()),
        look(kind=ProbeKind.DNS, address=None, proto="", port=0, name="school.example"),
        look(address=ip_address("2001:db8::5")),
    ]
    data = HEAD + b"".join(map(write_look, looks)) + write_end(NOW, 17)
    run, *found, end = read(data)
    assert isinstance(run, RunObservation)
    assert (run.tool, run.version, run.started) == ("sentinel-probe", "0.1", NOW)
    assert found == looks
    assert isinstance(end, RunEnd)
    assert (end.finished, end.probes) == (NOW, 17)
    assert choose_parser(data, "x").name == NAME


def test_record_when_cut_short_then_what_is_whole_is_read_and_the_cut_is_told() -> None:
    data = HEAD + write_look(look()) + write_look(look())[:40]
    _, found, *losses = read(data)
    assert found == look()
    assert [type(one) for one in losses] == [Loss, Loss]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"address": "10.0.0.999"}, "address"),
        ({"port": 70_000}, "port"),
        ({"port": True}, "port"),
        ({"proto": "icmp"}, "port"),
        ({"time": "yesterday"}, "time"),
        ({"address": None, "name": ""}, "neither"),
        ({"values": [1]}, "values"),
        ({"values": {"a": {"b": 1}}}, "no value of a probe"),
        ({"values": {"a": ["x", 1]}}, "not both"),
        ({"values": {str(number): 1 for number in range(MAX_VALUES + 1)}}, "limit"),
        ({"kind": "nonsense"}, "nonsense"),
    ],
)
def test_look_when_something_is_wrong_with_it_then_it_alone_is_lost(changes: dict[str, object], words: str) -> None:
    row = json.loads(write_look(look())) | changes
    _, kept, *rest = read(HEAD + write_look(look()) + json.dumps(row).encode() + b"\n" + write_end(NOW, 1))
    assert kept == look()
    losses = [one for one in rest if isinstance(one, Loss)]
    assert len(losses) == 1
    assert losses[0].where == "line 3"
    assert words in losses[0].what


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'{"sentinel": "probes", "version": 2}\n',
        b'{"sentinel": "other"}\n',
        b"nonsense\n",
        HEAD + b"nonsense\n",
        HEAD + b"[" * 100_000 + b"\n",
    ],
)
def test_record_when_nothing_of_it_can_be_read_then_it_is_refused(data: bytes) -> None:
    with pytest.raises(ParseError):
        read(data)


def test_values_when_long_then_they_are_cut() -> None:
    cut = clean_values({"text": "x" * 1000, "many": ["y" * 1000] * 100})
    assert cut == (("many", ("y" * MAX_TEXT,) * MAX_ITEMS), ("text", "x" * MAX_TEXT))


@given(st.binary(max_size=400))
def test_record_when_bytes_are_hostile_then_nothing_but_its_own_error(data: bytes) -> None:
    with suppress(ParseError):
        read(HEAD + data)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["kind", "address", "proto", "port", "name", "time", "answered", "values"]), JSON)
)
def test_look_when_its_values_are_of_any_kind_then_it_is_read_or_lost(changes: dict[str, object]) -> None:
    row = json.loads(write_look(look())) | changes
    found = read(HEAD + write_look(look()) + json.dumps(row).encode() + b"\n" + write_end(NOW, 1))
    assert found[1] == look()
