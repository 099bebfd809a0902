"""Measure the asset ledger against openpyxl with the workbook in memory: facts in, medians of CPU time and memory out.

Run `.venv/bin/python bench/ledger.py`. Each measurement is a process of its own; the writers take turns. The facts are
those of 16,667 hosts with 50,000 open ports and 2,000 lines of a register, always the same. What building the facts and
reconciling them takes is told apart from the writing.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_network
from pathlib import Path

from sentinel.inventory.reconcile import reconcile
from sentinel.model.endpoint import Endpoint, EndpointKey, EndpointState, Fingerprint, Host, MapRow
from sentinel.model.facts import Period, UnitFacts
from sentinel.model.register import RegisterEntry
from sentinel.model.unit import Network, Unit, Zone
from sentinel.report.ledger import build_ledger
from sentinel.report.workbook import write_workbook

PORTS = 50_000
LINES = 2_000
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
BASE = int(IPv4Address("10.0.0.0"))
SERVICES = ((22, "ssh", "OpenSSH"), (80, "http", "nginx"), (443, "https", "nginx"))


def build_facts() -> tuple[UnitFacts, float]:
    """Build the facts; gives the seconds that reconciling took too."""
    rows = tuple(map(build_row, range(PORTS)))
    hosts = tuple(
        Host(
            "lan",
            Zone.SERVER,
            IPv4Address(BASE + number),
            (f"h{number}.school.example",),
            first_seen=NOW,
            last_seen=NOW,
        )
        for number in range((PORTS + 2) // 3)
    )
    lines = tuple(map(build_line, range(LINES)))
    began = time.process_time()
    standing = reconcile(lines, rows, hosts, (), NOW)
    seconds = time.process_time() - began
    unit, period = Unit("school", "示例学校"), Period(NOW, NOW, "2026-11")
    networks = (Network(1, "school", "lan", Zone.SERVER),)
    facts = UnitFacts(unit, networks, rows, hosts, (), (), (), (), (), (), 0, period, NOW, "", standing=standing)
    return facts, seconds


def build_row(number: int) -> MapRow:
    """Build one open port."""
    port, service, product = SERVICES[number % 3]
    key = EndpointKey(1, "inside", IPv4Address(BASE + number // 3), "tcp", port)
    endpoint = Endpoint(key, EndpointState.OPEN, Fingerprint(service, False, product, "1.0"), NOW, last_confirmed=NOW)
    return MapRow("school", "lan", Zone.SERVER, endpoint)


def build_line(number: int) -> RegisterEntry:
    """Build one line of the register: every seventh address from the first."""
    place = (ip_network(BASE + number * 7),)
    return RegisterEntry(
        number + 1, "school", "r.xlsx", "", "", number + 2, f"系统{number}", place, department="教务处"
    )


def write_ours(facts: UnitFacts, path: Path) -> None:
    """Write the ledger as sentinel does."""
    write_workbook(build_ledger(facts, {}), path, title="台账", author="学校", now=NOW)


def write_plain(facts: UnitFacts, path: Path) -> None:
    """Write the same cells with openpyxl's ordinary workbook."""
    from openpyxl import Workbook

    book = Workbook()
    for sheet in build_ledger(facts, {}):
        page = book.create_sheet(sheet.title)
        page.append([column.head for column in sheet.columns])
        for row in sheet.rows:
            page.append([one.replace(tzinfo=None) if isinstance(one, datetime) else one for one in row])
    book.save(path)


WRITERS: dict[str, Callable[[UnitFacts, Path], None]] = {"sentinel": write_ours, "openpyxl": write_plain}


def measure(name: str) -> dict[str, float]:
    """Write once in this process."""
    facts, reconciled = build_facts()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.xlsx"
        began = time.process_time()
        WRITERS[name](facts, path)
        seconds = time.process_time() - began
        size_kb = path.stat().st_size / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "added_mib": (peak - before) / 1024, "size_kb": size_kb, "reconciled_s": reconciled}


def main() -> None:
    """Let the writers take turns and print the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--one", choices=WRITERS)
    given = options.parse_args()
    if given.one:
        sys.stdout.write(json.dumps(measure(given.one)))
        return
    found: dict[str, list[dict[str, float]]] = {name: [] for name in WRITERS}
    for _ in range(given.rounds):
        for name, results in found.items():
            done = subprocess.run([sys.executable, __file__, "--one", name], capture_output=True, text=True, check=True)
            results.append(json.loads(done.stdout))
    for name, results in found.items():
        middle = {key: statistics.median(one[key] for one in results) for key in results[0]}
        sys.stdout.write(
            f"{name:9} {middle['seconds']:6.2f} s  +{middle['added_mib']:6.1f} MiB  {middle['size_kb']:7.0f} kB"
            f"  (reconciling: {middle['reconciled_s']:.2f} s)\n"
        )


if __name__ == "__main__":
    main()
