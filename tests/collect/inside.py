"""Scenarios that run inside a network namespace and print what was found and what left, as one JSON line."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from xml.etree import ElementTree

from sentinel.collect import COLLECTORS, nmap, second_opinion
from sentinel.collect.gate import Permit
from sentinel.collect.nmap import Job, JobResult
from sentinel.collect.privilege import raw_sockets
from sentinel.errors import ScopeError
from sentinel.model.ports import PortSet, parse_ports
from sentinel.model.scope import Level
from tests.collect.allow import permit_for, utc_now
from tests.collect.practice import answer_ssh, serve
from tests.collect.wire import Packet, capture, raise_loopback


def open_ports(results: list[JobResult]) -> list[list[object]]:
    """(address, protocol, port) of every port the XML files call open."""
    found: list[list[object]] = []
    for result in results:
        assert result.path is not None
        for host in ElementTree.parse(result.path).iter("host"):
            address = host.find("address").get("addr")  # type: ignore[union-attr]  # every host has one
            for port in host.iter("port"):
                if port.find("state").get("state") == "open":  # type: ignore[union-attr]
                    found.append([address, port.get("protocol"), int(port.get("portid") or 0)])
    return sorted(found, key=str)


def _scan(permit: Permit, ports: str, workdir: Path, *, unprivileged: bool = False) -> list[JobResult]:
    return list(nmap.scan(permit, parse_ports(ports), workdir=workdir, now=utc_now, unprivileged=unprivileged))


def _facts(results: list[JobResult], packets: list[Packet]) -> dict[str, object]:
    return {
        "ok": [result.ok for result in results],
        "reasons": [result.reason for result in results],
        "probes": sum(result.probes for result in results),
        "covered": sum(result.covered for result in results),
        "open": open_ports(results),
        "syns": sum(packet.is_syn for packet in packets),
        "targets": sorted({packet.destination for packet in packets if packet.is_syn}),
    }


class _Impostor:
    """Answers like a permit and lets everything pass."""

    unit, authorisation, level, rate_pps, allow_loopback = "x", 1, Level.CHECK, 10000, True
    networks = ()

    def check(self, *_: object) -> None:
        return


def refused(workdir: Path) -> dict[str, object]:
    """Call every collector without a valid permit; then once with one, so that silence is known to mean something."""
    inside, outside = ip_address("127.77.3.1"), ip_address("127.77.3.9")
    ports = parse_ports("2222")
    later = lambda: utc_now() + timedelta(days=2)  # noqa: E731
    permit = permit_for("127.77.3.1")
    job = Job(0, (outside,), tuple(ports.items()), 1, ("nmap", "-p", "2222", "127.77.3.9"))
    calls: dict[str, Callable[[object], object]] = {
        "nmap": lambda given: list(
            nmap.scan(given, ports, workdir=workdir, now=utc_now, jobs=[replace(job, addresses=(inside,))])  # type: ignore[arg-type]
        ),
        "second-opinion": lambda given: second_opinion.look_again(given, inside, ports, now=utc_now),  # type: ignore[arg-type]
    }
    stale: dict[str, Callable[[], object]] = {
        "nmap": lambda: list(nmap.scan(permit, ports, workdir=workdir, now=later)),
        "second-opinion": lambda: second_opinion.look_again(permit, inside, ports, now=later),
    }
    beyond: dict[str, Callable[[], object]] = {
        "nmap": lambda: list(nmap.scan(permit, ports, workdir=workdir, now=utc_now, jobs=[job])),
        "second-opinion": lambda: second_opinion.look_again(permit, outside, ports, now=utc_now),
    }
    forged = object.__new__(Permit)
    refusals: dict[str, int] = {}
    beyond_reason = ""
    with serve("127.77.3.1", 2222, answer_ssh) as one, serve("127.77.3.9", 2222, answer_ssh) as other:
        with capture() as packets:
            for name in COLLECTORS:
                for given in (None, _Impostor(), forged):
                    try:
                        calls[name](given)
                    except ScopeError:
                        refusals[name] = refusals.get(name, 0) + 1
                try:
                    stale[name]()
                except ScopeError:
                    refusals[name] = refusals.get(name, 0) + 1
                with suppress(ScopeError):
                    for result in beyond[name]():  # type: ignore[attr-defined]
                        beyond_reason = result.reason
                        assert not result.ok
        silence = len(packets)
        accepted = len(one.connections) + len(other.connections)
        heard: dict[str, list[str]] = {}
        for name in COLLECTORS:
            with capture() as packets:
                calls[name](permit)
            heard[name] = sorted({packet.destination for packet in packets if packet.is_syn})
    return {
        "refusals": refusals,
        "beyond": beyond_reason,
        "silence": silence,
        "accepted": accepted,
        "heard": heard,
    }


def exclusion(workdir: Path) -> dict[str, object]:
    """Scan a prefix with one address excluded; a listener waits there."""
    permit = permit_for("127.77.4.0/29", excluded=("127.77.4.5",), level=Level.DISCOVER)
    with serve("127.77.4.1", 2222, answer_ssh), serve("127.77.4.5", 2222, answer_ssh) as spared, capture() as packets:
        results = _scan(permit, "2222", workdir)
    return _facts(results, packets) | {"spared": len(spared.connections)}


def half_open(workdir: Path) -> dict[str, object]:
    """Scan with raw sockets, IPv4 and IPv6 in one permit, TCP and UDP."""
    permit = permit_for("127.77.5.1", "::1", level=Level.DISCOVER)
    with serve("127.77.5.1", 2222, answer_ssh) as four, serve("::1", 2223, answer_ssh) as six, capture() as packets:
        results = _scan(permit, "T:2222-2223,U:5300", workdir)
    return _facts(results, packets) | {
        "accepted": len(four.connections) + len(six.connections),
        "raw": raw_sockets().usable,
        "commands": [list(result.job.command) for result in results],
        "udp": sum(packet.proto == 17 and packet.port == 5300 for packet in packets),
    }


def pace(workdir: Path) -> dict[str, object]:
    """Scan 150 closed ports at 50 a second, with and without raw sockets, and look at the busiest second."""
    permit = permit_for("127.77.6.1", level=Level.DISCOVER, rate_pps=50)
    busiest: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for name, unprivileged in (("half-open", False), ("connect", True)):
        with capture() as packets:
            _scan(permit, "3000-3149", workdir / name, unprivileged=unprivileged)
        times = [packet.time for packet in packets if packet.is_syn]
        busiest[name] = max(sum(start <= each < start + 1 for each in times) for start in times)
        seconds[name] = times[-1] - times[0]
    return {"busiest": busiest, "seconds": seconds}


def silent(workdir: Path) -> dict[str, object]:
    """Scan an address nobody answers for behind a route, and two that nobody owns on a wire."""
    for line in (
        "route add 10.77.8.2/32 dev lo",
        "link add v0 type veth peer name v1",
        "addr add 10.77.7.1/24 dev v0",
        "link set v0 up",
        "link set v1 up",
    ):
        subprocess.run(["ip", *line.split()], check=True)
    with capture() as packets:
        connect = _scan(
            permit_for("127.77.7.1", "10.77.8.2", level=Level.DISCOVER), "4000-4039", workdir / "c", unprivileged=True
        )
    wire = _scan(permit_for("10.77.7.2/31", level=Level.DISCOVER), "4000-4039", workdir / "w")
    return {"connect": _facts(connect, packets), "wire": _facts(wire, [])}


def no_capability(workdir: Path) -> dict[str, object]:
    """Scan as root of a namespace that lost CAP_NET_RAW; UDP is asked for and cannot be sent."""
    events: list[str] = []
    permit = permit_for("127.77.8.1", level=Level.DISCOVER)
    ports: dict[str, PortSet] = parse_ports("T:2222,U:53")
    with serve("127.77.8.1", 2222, answer_ssh) as service:
        tell = lambda event: events.append(f"{event.kind}: {event.detail}")  # noqa: E731
        results = list(nmap.scan(permit, ports, workdir=workdir, now=utc_now, on_event=tell))
        only_udp = list(nmap.scan(permit, parse_ports("U:53") | {"tcp": PortSet()}, workdir=workdir, now=utc_now))
    return _facts(results, []) | {
        "raw": raw_sockets().usable,
        "reason": raw_sockets().reason,
        "events": events,
        "accepted": len(service.connections),
        "planned": sum(result.planned for result in results),
        "only_udp": [only_udp[0].path is None, only_udp[0].reason, only_udp[0].planned],
    }


if __name__ == "__main__":
    raise_loopback()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(globals()[sys.argv[1]](Path(folder))))
