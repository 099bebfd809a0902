from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from sentinel.drill.place.namespace import NamespaceRefusedError
from sentinel.drill.recording import session as record
from sentinel.drill.recording.live import PASSWORD, WORKER
from sentinel.drill.recording.mining import ETH_WALLET, MINING, POOL_WITH_LOOKUP, SITE_KEY, XMR_WALLET
from sentinel.drill.recording.pcap import RAW_IP, PcapWriter
from sentinel.drill.recording.plan import DEFAULT_CAST, Cast, plan_session
from sentinel.drill.recording.session import NAMESPACE, RELAY, Recording, record_session
from sentinel.drill.recording.web import DOWNLOAD_BYTES
from sentinel.errors import CollectError
from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.traffic import PoolFeed, analyze, load_pools
from sentinel.traffic.capture import read_packets
from sentinel.traffic.flows import split_key
from sentinel.traffic.fragments import Fragments
from sentinel.traffic.packet import TCP, find_segment

ROOT = Path(record.__file__).resolve().parents[3]
FEED = load_pools(ROOT / "rules" / "feeds" / "pools.csv")
MOST_BYTES, MOST_S = 6_000_000, 60.0
SEED = 4
CAST = Cast(
    miners=(IPv4Address("10.77.3.31"), IPv4Address("10.77.1.40")),
    others=tuple(IPv4Address(f"10.77.2.{last}") for last in range(11, 20)),
    public=IPv4Address("192.0.2.80"),
)


@pytest.fixture(scope="module", params=[pytest.param(NAMESPACE, marks=pytest.mark.namespace), RELAY])
def recording(request, tmp_path_factory) -> Recording:
    began = time.monotonic()
    made = record_session(
        tmp_path_factory.mktemp("recorded") / "session.pcap", cast=CAST, mode=request.param, seed=SEED
    )
    assert time.monotonic() - began < MOST_S
    return made


def detections(recording: Recording, feed: PoolFeed = FEED) -> list[FlowDetection]:
    found = list(analyze([recording.path], feed))
    assert all(isinstance(one, FlowDetection) for one in found)
    return found


def segments(recording: Recording) -> Iterator[tuple[int, tuple[str, int, str, int], bytes, bytes]]:
    """Give protocol, parties, header and payload of each packet."""
    with recording.path.open("rb") as stream:
        for link, _, data, _ in read_packets(stream):
            protocol, key, content, start, stop, _ = find_segment(link, data, Fragments())
            source, target, source_port, target_port = split_key(key)
            head = (content[start + 12] >> 4) * 4 if protocol == TCP else 8
            parties = str(IPv4Address(source)), source_port, str(IPv4Address(target)), target_port
            yield protocol, parties, content[start : start + head], content[start + head : stop]


def payloads(recording: Recording, name: str) -> list[tuple[bool, bytes]]:
    """Give what the conversations of one script said, packet by packet: by the client, and the bytes."""
    ends = {(one.client, one.client_port) for one in recording.conversations if one.name == name}
    assert ends
    return [
        ((source, port) in ends, payload)
        for _, (source, port, target, target_port), _, payload in segments(recording)
        if payload and ((source, port) in ends or (target, target_port) in ends)
    ]


def test_recording_when_analysed_gives_exactly_the_truth(recording):
    found = detections(recording)
    mining = {
        (one.family, one.client, one.client_port, one.server, one.server_port, one.expected)
        for one in recording.conversations
        if one.expected in {"mining", "suspect"}
    }
    flows = [one for one in found if one.flow_class is not FlowClass.NAME]
    assert {(one.family, one.host, one.host_port, one.peer, one.peer_port, one.flow_class) for one in flows} == mining
    assert len(flows) == len(mining) == sum(script.expected == "mining" for script in MINING)
    names = {(one.client, one.domain) for one in recording.conversations if one.expected == "name"}
    asked = [one for one in found if one.flow_class is FlowClass.NAME]
    assert {(one.host, one.name) for one in asked} == names
    assert len(asked) == len(names) == 2
    (looked_up,) = [one for one in asked if one.name == POOL_WITH_LOOKUP]
    assert (looked_up.family, looked_up.coin) == ("dns", "XMR")


def test_recording_when_analysed_without_a_feed_misses_only_what_is_encrypted(recording):
    found = {(one.host, one.host_port) for one in detections(recording, PoolFeed({}))}
    clear = {(c.client, c.client_port) for c in recording.conversations if c.family and not c.encrypted}
    assert found == clear
    assert sum(bool(c.family and c.encrypted) for c in recording.conversations) == 2


def test_recording_when_analysed_shows_no_secret(recording):
    for found in detections(recording):
        shown = f"{found.evidence} {found.wallet} {found.agent}"
        assert not any(secret in shown for secret in (PASSWORD, XMR_WALLET, ETH_WALLET, WORKER, SITE_KEY))


def test_recording_holds_what_was_planned_whichever_way_it_was_made(recording):
    assert recording.conversations == tuple(one.conversation for one in plan_session(CAST, SEED))
    inside = {str(one) for one in (*CAST.miners, *CAST.others)}
    assert {one.client for one in recording.conversations if one.family} == {str(one) for one in CAST.miners}
    assert {one.client for one in recording.conversations if one.name != "visitor"} <= inside


def test_recording_holds_whole_connections_once_and_at_the_present(recording):
    flags: dict[tuple[str, int, str, int], list[int]] = {}
    packets = list(segments(recording))
    for protocol, parties, head, _ in packets:
        if protocol == TCP:
            flags.setdefault(parties, []).append(head[13])
    streams = [one for one in recording.conversations if one.proto == "tcp"]
    assert set(flags) == {
        way
        for one in streams
        for way in (
            (one.client, one.client_port, one.server, one.server_port),
            (one.server, one.server_port, one.client, one.client_port),
        )
    }
    for seen in flags.values():
        assert sum(bool(flag & 2) for flag in seen) == 1
        assert sum(bool(flag & 1) for flag in seen) == 1
    assert len(packets) == recording.packets
    (first, *_) = [one for one in detections(recording) if one.family == "stratum"]
    assert abs(datetime.now(UTC) - first.first_seen) < timedelta(minutes=2)


def test_recording_is_small_and_lost_nothing_of_the_download(recording):
    assert recording.path.stat().st_size == recording.size_bytes < MOST_BYTES
    received = sum(len(payload) for by_client, payload in payloads(recording, "download") if not by_client)
    assert DOWNLOAD_BYTES < received < DOWNLOAD_BYTES + 1000


def test_recording_holds_questions_and_answers_over_udp(recording):
    for name, size in (("clock", 2), ("lookup", 1)):
        held = sum(one.name == name for one in recording.conversations)
        said = payloads(recording, name)
        assert [sum(by_client is side for by_client, _ in said) for side in (True, False)] == [held * size] * 2


def test_recording_holds_a_subscription_split_over_segments(recording):
    said = [payload for by_client, payload in payloads(recording, "stratum-split") if by_client]
    assert said[0].endswith(b'"mining.')
    assert said[1].startswith(b'subscribe"')


def test_recording_holds_one_long_talk_with_several_shares(recording):
    said = [payload for by_client, payload in payloads(recording, "stratum-long") if by_client]
    assert sum(b"mining.submit" in payload for payload in said) >= 10
    (found,) = [one for one in detections(recording) if one.peer_port == 3333]
    assert found.last_seen - found.first_seen > timedelta(seconds=4)


@pytest.mark.parametrize("name", ["stratum-tls", "stratum-tls-no-lookup", "secure-page"])
def test_recording_shows_nothing_of_what_is_encrypted_but_the_name(recording, name):
    said = payloads(recording, name)
    assert any(by_client and payload.startswith(b"\x16\x03") for by_client, payload in said)
    assert not any(word in payload for _, payload in said for word in (b"mining.", b"<html", WORKER.encode()))


@pytest.mark.parametrize(("cast", "wanted"), [(None, DEFAULT_CAST), (CAST, CAST)])
def test_record_session_without_a_mode_takes_the_relay_when_namespaces_are_refused(tmp_path, monkeypatch, cast, wanted):
    asked = []

    def refuse(out: Path, mode: str, cast: Cast, seed: int) -> Recording:
        asked.append((mode, cast, seed))
        if mode == NAMESPACE:
            raise NamespaceRefusedError("refused")
        return Recording(out, mode, 0, ())

    monkeypatch.setattr(record, "_record", refuse)
    assert record_session(tmp_path / "x.pcap", cast=cast, seed=8).mode == RELAY
    assert asked == [(NAMESPACE, wanted, 8), (RELAY, wanted, 8)]


@pytest.mark.namespace
def test_record_session_when_told_only_the_file_records_the_default_cast(tmp_path):
    made = record_session(tmp_path / "x.pcap")
    assert made.mode == NAMESPACE
    assert made.conversations == tuple(one.conversation for one in plan_session(DEFAULT_CAST, 1))
    miners = {str(one) for one in DEFAULT_CAST.miners}
    assert {one.host for one in detections(made)} == miners


def test_record_session_when_namespaces_are_refused_by_the_machine_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "_REFUSED_STATUS", 1)
    with pytest.raises(NamespaceRefusedError, match="FileNotFoundError"):
        record_session(tmp_path / "missing" / "x.pcap", mode=RELAY)


@pytest.mark.parametrize("mode", [pytest.param(NAMESPACE, marks=pytest.mark.namespace), RELAY])
def test_record_session_when_the_file_cannot_be_written_raises_in_one_line(tmp_path, mode):
    with pytest.raises(CollectError, match="No such file") as caught:
        record_session(tmp_path / "missing" / "x.pcap", mode=mode)
    assert "\n" not in str(caught.value)


def test_record_session_when_it_takes_too_long_raises(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "TIMEOUT_S", 0.05)
    with pytest.raises(CollectError, match="timed out"):
        record_session(tmp_path / "x.pcap", mode=RELAY)


def test_recorder_when_its_parent_dies_dies_too():
    child = "import os, sys, time; from sentinel.drill.place.namespace import die_with_parent;"
    child += "die_with_parent(os.getppid()); os.write(int(sys.argv[1]), b'up'); time.sleep(60)"
    middle = "import subprocess, sys, time;"
    middle += f"subprocess.Popen([sys.executable, '-c', {child!r}, sys.argv[1]], pass_fds=[int(sys.argv[1])]);"
    middle += "time.sleep(60)"
    reader, writer = os.pipe()
    with subprocess.Popen([sys.executable, "-c", middle, str(writer)], pass_fds=[writer], cwd=ROOT) as parent:
        os.close(writer)
        assert os.read(reader, 2) == b"up"
        parent.kill()
    began = time.monotonic()
    assert os.read(reader, 1) == b""  # every holder of the other end is gone
    assert time.monotonic() - began < 50
    os.close(reader)


def test_recorder_when_its_parent_is_gone_already_ends_at_once():
    code = "from sentinel.drill.place.namespace import die_with_parent; die_with_parent(1 << 30)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=20).returncode == 1


@pytest.mark.namespace
def test_namespace_when_entered_owns_its_address_and_nothing_else():
    code = (
        "import socket; from ipaddress import ip_address; from sentinel.drill.place.link import add_address;"
        "from sentinel.drill.place.namespace import leave_network; leave_network(as_user=True);"
        "add_address(ip_address('10.77.9.9'));"
        "a = socket.socket(); a.bind(('10.77.9.9', 0)); b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "try:\n b.connect(('192.0.2.1', 9))\nexcept OSError as error:\n print(error.errno)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=20, capture_output=True)
    assert done.stdout == b"101\n"  # network is unreachable
    with socket.socket() as outside, pytest.raises(OSError):
        outside.bind(("10.77.9.9", 0))


def test_pcap_writer_when_read_back_gives_the_packets():
    stream = io.BytesIO()
    writer = PcapWriter(stream, RAW_IP)
    for packet in (b"one", b"", b"three"):
        writer.write(packet)
    stream.seek(0)
    assert [(link, data) for link, _, data, _ in read_packets(stream)] == [(101, b"one"), (101, b""), (101, b"three")]
    assert writer.packets == 3


def test_recorder_when_the_current_folder_holds_a_module_of_that_name_does_not_run_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("from pathlib import Path\nPath('ran').touch()\nraise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    assert record_session(tmp_path / "session.pcap", mode=RELAY).packets > 0
    assert not (tmp_path / "ran").exists()
