"""What the real nmap makes of a whole practice school: `python -m tests.drill.school.looking MODE` tells it in JSON.

Nothing of it leaves a network namespace: the school takes its own, or lives on the loopback interface of one that was
made for the test, where no other school can be.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sentinel.drill.place.ground import Ground, Mode, take_ground
from sentinel.drill.school.cues import ALL_CUES
from sentinel.drill.school.host import Manner
from sentinel.drill.school.plan import AFTER, Place, School, plan_school
from sentinel.drill.school.running import RunningSchool, start_school

ROOT = Path(__file__).resolve().parents[3]
GROUNDS = {
    "namespace": Ground(Mode.USER_NAMESPACE, ipv6=True),
    "loopback": Ground(Mode.LOOPBACK, ipv6=True, offset=10_000),
}
"""What is expected to be had; the school of the test is number 1 on each."""

NEVER_OPEN = range(30_000, 30_010)
NOBODY = "10.77.1.200"
_PARTS = 4
_Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class SeenPort:
    """An open port as nmap wrote it; a name from its table of ports is no finding."""

    proto: str
    address: str
    port: int
    service: str
    product: str
    version: str
    tunnel: str
    title: str
    pem: str

    @property
    def place(self) -> Place:
        return self.proto, ip_address(self.address), self.port


@dataclass(frozen=True)
class Look:
    """Everything one run of this program told.

    Attributes:
        before: open ports before any cue.
        after: the same after all of them.
        quiet: (state, reason) of the ports of hosts that serve nothing, by address and transport.
        certificates: SHA-256 of the certificates shown before, by address and port.
        certificates_after: the same after all cues.
        authority: the school's own, as PEM.
        mining: who the pool talks to.
        seconds: how long it took from the first packet to the last.
    """

    before: dict[Place, SeenPort]
    after: dict[Place, SeenPort]
    quiet: dict[str, dict[str, list[list[str]]]]
    certificates: dict[tuple[_Address, int], str]
    certificates_after: dict[tuple[_Address, int], str]
    authority: str
    mining: list[str]
    seconds: float


def plan_of(kind: str) -> School:
    return plan_school(GROUNDS[kind].lot(1))


def start_nmap(*words: str | int | _Address) -> subprocess.Popen[str]:
    """Start an nmap that tells what it finds as XML."""
    options = ("-Pn", "-n", "-T4", "--max-retries", "2", "-oX", "-")
    return subprocess.Popen(
        ["nmap", *options, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> ElementTree.Element:
    """Wait for it; what its library of RPC says of a low port it cannot bind, to try the next, is no failure."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return ElementTree.fromstring(output)


def seen_port(address: str, port: ElementTree.Element) -> SeenPort:
    named = port.find("service[@method='probed']")
    told = {} if named is None else named.attrib
    service = port.find("service")
    title = port.find("script[@id='http-title']/elem[@key='title']")
    pem = port.find("script[@id='ssl-cert']/elem[@key='pem']")
    return SeenPort(
        *(port.get("protocol"), address, int(port.get("portid"))),
        *(told.get(key, "") for key in ("name", "product", "version")),
        tunnel="" if service is None else service.get("tunnel", ""),
        title="" if title is None else unescaped(title.text or ""),
        pem="" if pem is None else pem.text or "",
    )


def unescaped(text: str) -> str:
    """Read the \\xE7\\x94… that nmap writes for bytes beyond ASCII."""
    return re.sub(rb"\\x([0-9A-F]{2})", lambda hit: bytes.fromhex(hit[1].decode()), text.encode()).decode()


def open_ports(root: ElementTree.Element) -> Iterable[SeenPort]:
    for host in root.iter("host"):
        for port in host.iter("port"):
            if port.find("state").get("state") == "open":
                yield seen_port(host.find("address").get("addr"), port)


def look(plan: School, *, raw: bool) -> list[SeenPort]:
    """Ask every host for every port of the school, and some that nobody has, all at once."""
    places = {*plan.places(), *plan.places(AFTER)}
    hosts = [host for host in plan.hosts(AFTER) if host.manner is Manner.SERVES]
    old = [host.address for host in hosts]
    new = [address for host in hosts for address in host.addresses if address.version == 6]
    tcp = listed({port for proto, _, port in places if proto == "tcp"} | set(NEVER_OPEN))
    udp = listed({port for proto, _, port in places if proto == "udp"})
    versions = ("-sV", "--version-intensity", 7, "--script", "ssl-cert,http-title")
    kind = "-sS" if raw else "-sT"
    running = [start_nmap(kind, *versions, "-p", tcp, *old[part::_PARTS]) for part in range(_PARTS)]
    running += [start_nmap("-6", kind, *versions, "-p", tcp, *new)] if new else []
    if udp:
        running += [start_nmap("-sU", *versions, "-p", udp, *old), start_nmap("-6", "-sU", *versions, "-p", udp, *new)]
    return [seen for process in running for seen in open_ports(finish(process))]


def listed(ports: Iterable[int]) -> str:
    return ",".join(map(str, sorted(ports)))


def start_quiet(plan: School) -> list[tuple[str, subprocess.Popen[str]]]:
    """Ask the hosts that serve nothing, and an address nobody has, for many ports."""
    quiet = [host.address for host in plan.before if not host.services]
    return [
        ("tcp", start_nmap("-sS", "-p", "1-1000,27017,65535", *quiet, NOBODY)),
        ("udp", start_nmap("-sU", "-p", "53,161", *quiet, NOBODY)),
    ]


def states(running: Sequence[tuple[str, subprocess.Popen[str]]]) -> dict[str, dict[str, list[list[str]]]]:
    """Tell the states of the ports, with nmap's reasons, by address and transport."""
    found: dict[str, dict[str, list[list[str]]]] = {}
    for proto, process in running:
        for host in finish(process).iter("host"):
            told = {(one.get("state"), one.get("reason")) for one in host.iter("state")}
            for rest in host.iter("extraports"):
                told |= {(rest.get("state"), one.get("reason")) for one in rest.iter("extrareasons")}
            found.setdefault(host.find("address").get("addr"), {})[proto] = [list(one) for one in sorted(told)]
    return found


def miners(plan: School) -> list[str]:
    """List who talks to the pool now, as the kernel's table of connections has it. Source: proc_pid_net(5)."""
    found = set()
    for row in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        own, peer, state = (column.partition(":")[0] for column in row.split()[1:4])
        if state == "01" and peer == plan.lot.pool.packed[::-1].hex().upper():
            found.add(str(IPv4Address(bytes.fromhex(own)[::-1])))
    return sorted(found)


def tell(school: RunningSchool, *, raw: bool) -> dict[str, Any]:
    """Look, let everything happen, and look again."""
    started = time.monotonic()
    quiet = start_quiet(school.plan) if raw else []
    before = look(school.plan, raw=raw)
    certificates = shown(school)
    mining = miners(school.plan)
    school.cue(ALL_CUES)
    after = look(school.plan, raw=raw)
    return {
        "before": [astuple(one) for one in before],
        "after": [astuple(one) for one in after],
        "quiet": states(quiet),
        "certificates": certificates,
        "certificates_after": shown(school),
        "authority": school.authority_pem,
        "mining": mining,
        "seconds": time.monotonic() - started,
    }


def shown(school: RunningSchool) -> list[tuple[str, int, str]]:
    return [(str(address), port, digest) for (address, port), digest in school.certificates.items()]


def watch(kind: str) -> str:
    """Run this program in a network of its own, and give what it told."""
    words = [sys.executable, "-m", "tests.drill.school.looking", kind]
    if kind == "loopback":
        words = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *words]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_look(text: str) -> Look:
    told = json.loads(text)
    before, after = ([SeenPort(*one) for one in told[key]] for key in ("before", "after"))
    return Look(
        before={one.place: one for one in before},
        after={one.place: one for one in after},
        quiet=told["quiet"],
        certificates=by_port(told["certificates"]),
        certificates_after=by_port(told["certificates_after"]),
        authority=told["authority"],
        mining=told["mining"],
        seconds=told["seconds"],
    )


def by_port(rows: Iterable[Sequence[Any]]) -> dict[tuple[_Address, int], str]:
    return {(ip_address(address), port): digest for address, port, digest in rows}


def main(kind: str) -> None:
    """Start the full school on its ground, and look at it."""
    ground = take_ground(GROUNDS[kind].mode)
    ground = ground.make_room(plan_school(ground.lot(1)).true_ports)
    assert ground == GROUNDS[kind], ground
    with start_school(ground.lot(1)) as school:
        json.dump(tell(school, raw=ground.has_own_network), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
