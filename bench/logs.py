"""Measure the readers of logs against naive reading: generated logs in, medians of rows per second and peak memory out.

Run `.venv/bin/python bench/logs.py`. Each measurement is a process of its own; reader and peer take turns. The peers do
less: `csv.DictReader` and `json.loads` give texts, no addresses, no moments, and join no sessions.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROWS = 300_000
BEGIN = datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
ARRIVED = datetime(2026, 11, 28, tzinfo=UTC)

MAPPING = """
name = "bench"
kind = "holding"
[fields]
user = "account"
address = "ip"
mac = "mac"
since = "on"
until = "off"
"""


def write_huawei(dice: random.Random, number: int) -> str:
    """Give a session as a Huawei USG logs it."""
    inside, peer, ports = addresses(dice)
    end = BEGIN + timedelta(seconds=number // 200)
    epoch = int(end.timestamp())
    return (
        f"<190>{end:%Y-%m-%d %H:%M:%S} USG6000E %%01SECLOG/6/SESSION_TEARDOWN(l):IPVer=4,Protocol=tcp,"
        f"SourceIP={inside},DestinationIP={peer},SourcePort={ports[0]},DestinationPort=443,"
        f"SourceNatIP=203.0.113.{number % 16},SourceNatPort={ports[1]},BeginTime={epoch - 30},EndTime={epoch},"
        "SendPkts=12,SendBytes=1874,RcvPkts=11,RcvBytes=9120,SourceVpnID=0,DestinationVpnID=0,SourceZone=trust,"
        "DestinationZone=untrust,PolicyName=out,CloseReason=tcp-fin.\n"
    )


def write_sangfor(dice: random.Random, number: int) -> str:
    """Give a session as a Sangfor AF logs it."""
    inside, peer, ports = addresses(dice)
    moment = BEGIN + timedelta(seconds=number // 200)
    return (
        f"{moment:%b %d %H:%M:%S} localhost nat: 日志类型:NAT日志, NAT类型:snat, 源IP:{inside}, 源端口:{ports[0]}, "
        f"目的IP:{peer}, 目的端口:443, 协议:6, 转换后的IP:203.0.113.{number % 16}, 转换后的端口:{ports[1]}\n"
    )


def write_portal(dice: random.Random, number: int) -> str:
    """Give a session as a portal exports it."""
    inside, _, _ = addresses(dice)
    moment = BEGIN + timedelta(seconds=number // 20)
    card = f"00:00:5e:{dice.randrange(256):02x}:{dice.randrange(256):02x}:{dice.randrange(256):02x}"
    end = moment + timedelta(seconds=3600)
    return f"s{dice.randrange(40_000):08d},{inside},{card},{moment:%Y-%m-%d %H:%M:%S},{end:%Y-%m-%d %H:%M:%S}\n"


def write_flow(dice: random.Random, number: int) -> str:
    """Give a flow as Suricata logs it."""
    inside, peer, ports = addresses(dice)
    moment = BEGIN + timedelta(seconds=number // 200)
    row = {
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.000000+0000",
        "flow_id": number,
        "event_type": "flow",
        "src_ip": peer,
        "src_port": ports[0],
        "dest_ip": inside,
        "dest_port": 443,
        "proto": "TCP",
        "app_proto": "tls",
        "flow": {"pkts_toserver": 10, "pkts_toclient": 9, "state": "closed", "reason": "timeout"},
        "tcp": {"tcp_flags": "1b", "tcp_flags_ts": "1b", "tcp_flags_tc": "1b", "state": "closed"},
    }
    return json.dumps(row) + "\n"


def addresses(dice: random.Random) -> tuple[str, str, tuple[int, int]]:
    """Give an inside address of 40,000 hosts, one of 60,000 peers, and two ports."""
    host, peer = dice.randrange(40_000), dice.randrange(60_000)
    inside = f"10.{host >> 14}.{host >> 7 & 127}.{host & 127}"
    return inside, f"198.18.{peer >> 8}.{peer & 255}", (dice.randrange(1024, 65_536), dice.randrange(1024, 65_536))


LOGS: dict[str, tuple[str, Callable[[random.Random, int], str]]] = {
    "huawei": ("", write_huawei),
    "sangfor": ("", write_sangfor),
    "portal": ("account,ip,mac,on,off\n", write_portal),
    "eve": ("", write_flow),
}


def write_log(path: Path, kind: str, rows: int) -> None:
    """Write a log; the same arguments give the same bytes."""
    head, write = LOGS[kind]
    dice = random.Random(rows)
    with path.open("w", encoding="utf-8") as file:
        file.write(head)
        file.writelines(write(dice, number) for number in range(rows))


def read_sentinel(path: Path, kind: str) -> int:
    """Count what sentinel's readers give."""
    from sentinel.observe import choose_parser, mapped_log
    from sentinel.observe.mapping import parse_mapping

    with path.open("rb") as stream:
        if kind == "portal":
            return sum(1 for _ in mapped_log.make_parse(parse_mapping(MAPPING.encode(), "bench"))(stream, ARRIVED))
        parser = choose_parser(stream.read(1 << 16), path.name)
    with path.open("rb") as stream:
        return sum(1 for _ in parser.read(stream, ARRIVED))


def read_naive(path: Path, kind: str) -> int:
    """Count rows as a script would: `json.loads` or `csv.DictReader`; of text logs, the pairs of each line."""
    with path.open(encoding="utf-8", newline="") as file:
        if kind == "eve":
            return sum(1 for line in file if json.loads(line))
        if kind == "portal":
            return sum(1 for row in csv.DictReader(file) if row)
        sign = "=" if kind == "huawei" else ":"
        return sum(1 for row in csv.reader(file) if dict(pairs(row, sign)))


def pairs(cells: list[str], sign: str) -> Iterator[tuple[str, str]]:
    """Give the pairs of a row of cells."""
    for cell in cells:
        name, _, value = cell.partition(sign)
        yield name, value


READERS: dict[str, Callable[[Path, str], int]] = {"sentinel": read_sentinel, "naive": read_naive}


def peak_mb() -> float:
    """Read the largest resident size this process had, in MB of 2^20 bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM in /proc/self/status")


def run_child(name: str, kind: str, path: Path) -> None:
    """Read once and print the measurement as a line of JSON; processor time, since others may share the machine."""
    began, spent = time.perf_counter(), time.process_time()
    count = READERS[name](path, kind)
    wall, spent = time.perf_counter() - began, time.process_time() - spent
    print(json.dumps({"count": count, "wall_s": wall, "cpu_s": spent, "peak_mb": peak_mb()}))


def measure(name: str, kind: str, path: Path) -> dict[str, float]:
    """Run one reader in a process of its own."""
    command = [sys.executable, __file__, "--child", name, "--kind", kind, "--file", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    """Generate each log, let reader and peer take turns, print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--kind", choices=sorted(LOGS), help="measure this log alone")
    parser.add_argument("--child", choices=sorted(READERS), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        run_child(options.child, options.kind, options.file)
        return
    with tempfile.TemporaryDirectory() as folder:
        for kind in [options.kind] if options.kind else LOGS:
            path = Path(folder) / f"{kind}.log"
            write_log(path, kind, options.rows)
            print(f"{kind}: {options.rows:,} rows, {path.stat().st_size / 1e6:.1f} MB, {options.rounds} rounds")
            results: dict[str, list[dict[str, float]]] = {name: [] for name in READERS}
            for _ in range(options.rounds):
                for name in READERS:
                    results[name].append(measure(name, kind, path))
            for name, rounds in results.items():
                wall, cpu, peak = (
                    statistics.median(one[key] for one in rounds) for key in ("wall_s", "cpu_s", "peak_mb")
                )
                rate = options.rows / cpu
                print(f"  {name:9} {wall:6.2f} s  {cpu:6.2f} s cpu  {rate:10,.0f} rows/s  {peak:7.1f} MB")
            path.unlink()


if __name__ == "__main__":
    main()
