"""Measure judging endpoints against a whitelist: indexed entries beside the plain loop over all, in the same rounds.

Run `.venv/bin/python bench/whitelist.py`. 50,000 endpoints on 16,667 addresses are judged against 5,000 entries: single
hosts, ranges, segments and prohibitions, some for everywhere or with wide port ranges. The plain loop is
asked for every hundredth endpoint, or it would take minutes. Both take turns, times are CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_network, summarize_address_range

from sentinel.assess.listing import Listed, Listing, is_expected
from sentinel.model.ports import PortSet
from sentinel.model.unit import IPAddress
from sentinel.model.whitelist import EVERYWHERE, Peer, PeerKind, WhitelistAction, WhitelistEntry, WhitelistKind

ENDPOINTS, ENTRIES, STEP = 50_000, 5_000, 100
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
BASE = int(IPv4Address("10.0.0.0"))
CAMPUS = Peer(PeerKind.CAMPUS)
SERVICES = ((22, "ssh"), (80, "http"), (443, "https"))
Asked = tuple[IPAddress, int, str]


def build_endpoints() -> list[Asked]:
    """Build what is judged."""
    return [(IPv4Address(BASE + number // 3), *SERVICES[number % 3]) for number in range(ENDPOINTS)]


def build_entry(number: int) -> WhitelistEntry:
    """Build one entry: of ten, five are of a host, two of a range, two of a segment, and one forbids everywhere."""
    kind, place = number % 10, BASE + number * 13 % (ENDPOINTS // 3)
    ports = PortSet.of([(80, 80), (443, 443)])
    if kind < 5:
        addresses = (ip_network(place),)
    elif kind < 7:
        addresses = tuple(summarize_address_range(IPv4Address(place), IPv4Address(place + 20)))
        ports = PortSet.of_ports([22])
    elif kind < 9:
        addresses, ports = (ip_network((place & ~255, 24)),), PortSet.of([(1024 + number, 2048 + number)])
    elif number % 50 == 9:
        addresses, ports = (ip_network((place & ~15, 28)),), PortSet.of_ports([22])
    else:
        addresses, ports = EVERYWHERE, PortSet.of([(3000 + number, 3010 + number)])
    action = WhitelistAction.DENY if kind == 9 else WhitelistAction.ALLOW
    return WhitelistEntry(
        number, "u", WhitelistKind.PORT, addresses=addresses, proto="tcp", ports=ports, action=action
    )  # fmt: skip


def judge_indexed(entries: list[WhitelistEntry], asked: list[Asked]) -> list[Listed]:
    """Judge as sentinel does, building the index included."""
    listing = Listing(entries, NOW)
    return [listing.endpoint(address, "tcp", port, service) for address, port, service in asked]


def judge_plain(entries: list[WhitelistEntry], asked: list[Asked]) -> list[Listed]:
    """Judge by asking every entry."""
    valid = [one for one in entries if one.is_valid(NOW)]
    found = []
    for address, port, service in asked:
        covering = [one for one in valid if one.allows_port(address, "tcp", port) and one.meets(CAMPUS)]
        if any(one.is_deny for one in covering):
            found.append(Listed.DENIED)
        elif not covering:
            found.append(Listed.UNLISTED)
        else:
            fits = any(is_expected(one.service, service, "") for one in covering)
            found.append(Listed.LISTED if fits else Listed.MISMATCH)
    return found


def measure(rounds: int) -> dict[str, object]:
    """Let both take turns; gives medians, and refuses figures of verdicts that differ."""
    entries, endpoints = [build_entry(number) for number in range(1, ENTRIES + 1)], build_endpoints()
    sample = endpoints[::STEP]
    ours, plain = [], []
    for _ in range(rounds):
        began = time.process_time()
        verdicts = judge_indexed(entries, endpoints)
        ours.append(time.process_time() - began)
        began = time.process_time()
        expected = judge_plain(entries, sample)
        plain.append(time.process_time() - began)
        if verdicts[::STEP] != expected:
            sys.exit("the verdicts differ")
    seconds, loop = statistics.median(ours), statistics.median(plain)
    return {
        "endpoints": ENDPOINTS,
        "entries": ENTRIES,
        "rounds": rounds,
        "indexed_s": round(seconds, 3),
        "plain_s_for_a_hundredth": round(loop, 3),
        "times_faster_each": round(loop * STEP / seconds),
        "verdicts": {one.value: verdicts.count(one) for one in Listed if one in verdicts},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    sys.stdout.write(json.dumps(measure(parser.parse_args().rounds), indent=2) + "\n")
