from __future__ import annotations

import io
import os
import socket
import struct
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sentinel.drill.place.namespace import NamespaceRefusedError
from sentinel.drill.recording import session as record
from sentinel.drill.recording.mining import ETH_WALLET, PASSWORD, SCRIPTS, WORKER, XMR_WALLET
from sentinel.drill.recording.pcap import RAW_IP, PcapWriter
from sentinel.drill.recording.session import NAMESPACE, RELAY, Recording, record_session
from sentinel.errors import CollectError
from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.traffic import PoolFeed, analyze
from sentinel.traffic.capture import read_packets
from sentinel.traffic.fragments import Fragments
from sentinel.traffic.packet import find_segment

ROOT = Path(record.__file__).resolve().parents[3]
EMPTY_FEED = PoolFeed({})


@pytest.fixture(scope="module", params=[pytest.param(NAMESPACE, marks=pytest.mark.namespace), RELAY])
def recording(request, tmp_path_factory) -> Recording:
    return record_session(tmp_path_factory.mktemp("recorded") / "session.pcap", request.param)


def test_recording_when_analysed_gives_exactly_the_truth(recording):
    found = list(analyze([recording.path], EMPTY_FEED))
    assert all(isinstance(f, FlowDetection) and f.flow_class is FlowClass.MINING for f in found)
    truth = {(c.family, c.client, c.client_port, c.server, c.server_port) for c in recording.conversations if c.family}
    assert {(f.family, f.host, f.host_port, f.peer, f.peer_port) for f in found} == truth
    assert len(found) == len(truth) == sum(bool(script.family) for script in SCRIPTS)


def test_recording_when_analysed_shows_no_secret(recording):
    for found in analyze([recording.path], EMPTY_FEED):
        shown = f"{found.evidence} {found.wallet} {found.agent}"
        assert not any(secret in shown for secret in (PASSWORD, XMR_WALLET, ETH_WALLET, WORKER))


def test_recording_holds_whole_connections_once_and_at_the_present(recording):
    with recording.path.open("rb") as stream:
        packets = list(read_packets(stream))
    assert len(packets) == recording.packets
    flags: dict[bytes, list[int]] = {}
    for link, _, data, _ in packets:
        _, key, content, start, _, _ = find_segment(link, data, Fragments())
        flags.setdefault(key, []).append(content[start + 13])
    assert len(flags) == 2 * len(SCRIPTS)
    for seen in flags.values():
        assert sum(bool(flag & 2) for flag in seen) == 1
        assert sum(bool(flag & 1) for flag in seen) == 1
    (first,) = [f for f in analyze([recording.path], EMPTY_FEED) if f.family == "stratum"]
    assert abs(datetime.now(UTC) - first.first_seen) < timedelta(minutes=2)


def test_recording_when_relayed_has_right_checksums(tmp_path):
    with record_session(tmp_path / "relayed.pcap", RELAY).path.open("rb") as stream:
        for _, _, data, _ in read_packets(stream):
            pseudo = data[12:20] + struct.pack("!HH", 6, len(data) - 20)
            for covered in (data[:20], pseudo + data[20:]):
                padded = covered + b"\0" * (len(covered) % 2)
                total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
                while total >> 16:
                    total = (total & 0xFFFF) + (total >> 16)
                assert total == 0xFFFF


def test_record_session_without_a_mode_takes_the_relay_when_namespaces_are_refused(tmp_path, monkeypatch):
    asked = []

    def refuse(out: Path, mode: str) -> Recording:
        asked.append(mode)
        if mode == NAMESPACE:
            raise NamespaceRefusedError("refused")
        return Recording(out, mode, 0, ())

    monkeypatch.setattr(record, "_record", refuse)
    assert record_session(tmp_path / "x.pcap").mode == RELAY
    assert asked == [NAMESPACE, RELAY]


def test_record_session_when_namespaces_are_refused_by_the_machine_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "_REFUSED_STATUS", 1)
    with pytest.raises(NamespaceRefusedError, match="FileNotFoundError"):
        record_session(tmp_path / "missing" / "x.pcap", RELAY)


@pytest.mark.parametrize("mode", [pytest.param(NAMESPACE, marks=pytest.mark.namespace), RELAY])
def test_record_session_when_the_file_cannot_be_written_raises_in_one_line(tmp_path, mode):
    with pytest.raises(CollectError, match="No such file") as caught:
        record_session(tmp_path / "missing" / "x.pcap", mode)
    assert "\n" not in str(caught.value)


def test_record_session_when_it_takes_too_long_raises(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "TIMEOUT_S", 0.05)
    with pytest.raises(CollectError, match="timed out"):
        record_session(tmp_path / "x.pcap", RELAY)


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
    assert time.monotonic() - began < 10
    os.close(reader)


def test_recorder_when_its_parent_is_gone_already_ends_at_once():
    code = "from sentinel.drill.place.namespace import die_with_parent; die_with_parent(1 << 30)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=20).returncode == 1


@pytest.mark.namespace
def test_namespace_when_entered_owns_its_prefix_and_nothing_else():
    code = (
        "import socket; from sentinel.drill.place.namespace import enter_namespace;"
        "enter_namespace('10.77.0.1', '255.255.0.0');"
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
