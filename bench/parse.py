"""Measure the nmap XML parser against python-nmap: a generated scan in, medians of wall time and peak memory out.

Run `.venv/bin/python bench/parse.py`. Each measurement is a process of its own; the parsers take turns. The file holds
65,536 hosts and 293,644 listed ports as `nmap -sS -sV` writes them, about 90 MB, always the same bytes.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from typing import TextIO

HOSTS = 65_536
PORTS = 293_644
FIRST_ADDRESS = int(IPv4Address("10.0.0.0"))
START_EPOCH = 1_790_000_000

SERVICES = (
    (22, 'name="ssh" product="OpenSSH" version="9.2p1"', "cpe:/a:openbsd:openssh:9.2p1"),
    (80, 'name="http" product="nginx" version="1.22.1"', "cpe:/a:igor_sysoev:nginx:1.22.1"),
    (443, 'name="http" product="nginx" version="1.22.1" tunnel="ssl"', "cpe:/a:igor_sysoev:nginx:1.22.1"),
    (445, 'name="microsoft-ds" product="Samba smbd" version="4.17"', ""),
    (3306, 'name="mysql" product="MySQL" version="8.0.36"', "cpe:/a:mysql:mysql:8.0.36"),
    (6379, 'name="redis" product="Redis key-value store" version="7.0.15"', ""),
    (8080, 'name="http" product="Apache Tomcat" version="9.0.70"', "cpe:/a:apache:tomcat:9.0.70"),
    (9100, 'name="jetdirect"', ""),
    (3389, 'name="ms-wbt-server"', ""),
)

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<nmaprun scanner="nmap" args="nmap -sS -sV -oX - 10.0.0.0/16" start="{start}" version="7.93" xmloutputversion="1.05">
<scaninfo type="syn" protocol="tcp" numservices="65535" services="1-65535"/>
<verbose level="0"/>
<debugging level="0"/>
"""
HOST_HEAD = """<host starttime="{start}" endtime="{end}"><status state="up" reason="arp-response" reason_ttl="0"/>
<address addr="{address}" addrtype="ipv4"/>
<address addr="{mac}" addrtype="mac" vendor="Hikvision"/>
<hostnames><hostname name="h{number}.school.example" type="PTR"/></hostnames>
<ports><extraports state="closed" count="{rest}">
<extrareasons reason="resets" count="{rest}"/>
</extraports>
"""
HOST_TAIL = """</ports>
<times srtt="{rtt}" rttvar="3768" to="100000"/>
</host>
"""
TAIL = """<runstats><finished time="{end}" elapsed="86400" exit="success"/>
<hosts up="{hosts}" down="0" total="{hosts}"/>
</runstats>
</nmaprun>
"""


def write_port(file: TextIO, dice: random.Random, port: int | None) -> None:
    """Write one `<port>` element; `port` None takes the service's own port."""
    own, words, cpe = dice.choice(SERVICES)
    name = f"<cpe>{cpe}</cpe>" if cpe else ""
    file.write(
        f'<port protocol="tcp" portid="{own if port is None else port}">'
        '<state state="open" reason="syn-ack" reason_ttl="64"/>'
        f'<service {words} method="probed" conf="10">{name}</service></port>\n'
    )


def write_scan(path: Path, hosts: int, ports: int) -> None:
    """Write an nmap XML file with that many hosts and listed ports; the same arguments give the same bytes."""
    dice = random.Random(65_536)
    with path.open("w", encoding="ascii") as file:
        file.write(HEAD.format(start=START_EPOCH))
        for number in range(hosts):
            count = ports * (number + 1) // hosts - ports * number // hosts
            end = START_EPOCH + number
            mac = f"44:19:B6:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}"
            address = IPv4Address(FIRST_ADDRESS + number)
            file.write(
                HOST_HEAD.format(start=end - 60, end=end, address=address, mac=mac, number=number, rest=65_535 - count)
            )
            for index in range(count):
                write_port(file, dice, None if index == 0 else 10_000 + dice.randrange(50) * 10 + index)
            file.write(HOST_TAIL.format(rtt=dice.randrange(200, 90_000)))
        file.write(TAIL.format(end=START_EPOCH + hosts, hosts=hosts))


def run_sentinel(path: Path) -> tuple[int, int]:
    """Count hosts and ports with sentinel's parser."""
    from sentinel.model.observation import HostObservation
    from sentinel.observe import nmap_xml

    hosts = ports = 0
    with path.open("rb") as stream:
        for item in nmap_xml.parse(stream):
            if isinstance(item, HostObservation):
                hosts += 1
                ports += len(item.endpoints)
    return hosts, ports


def run_python_nmap(path: Path) -> tuple[int, int]:
    """Count hosts and ports with python-nmap, the peer; it is imported in this child alone."""
    import nmap

    scanner = nmap.PortScanner()
    scan = scanner.analyse_nmap_xml_scan(path.read_text(encoding="utf-8"))["scan"]
    return len(scan), sum(len(host.get("tcp", ())) for host in scan.values())


RUNS: dict[str, Callable[[Path], tuple[int, int]]] = {"sentinel": run_sentinel, "python-nmap": run_python_nmap}


def peak_mb() -> float:
    """Read the largest resident size this process had, in MB of 2^20 bytes.

    `ru_maxrss` would carry over the parent's from before exec; VmHWM belongs to this program alone.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM in /proc/self/status")


def run_child(name: str, path: Path) -> None:
    """Parse once and print the measurement as a line of JSON."""
    began = time.perf_counter()
    hosts, ports = RUNS[name](path)
    wall = time.perf_counter() - began
    print(json.dumps({"hosts": hosts, "ports": ports, "wall_s": wall, "peak_mb": peak_mb()}))


def measure(name: str, path: Path) -> dict[str, float]:
    """Run one parser in a process of its own."""
    command = [sys.executable, __file__, "--child", name, "--file", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    """Generate the file, let the parsers take turns, print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    parser.add_argument("--ports", type=int, default=PORTS)
    parser.add_argument("--only", choices=sorted(RUNS), help="measure this parser alone")
    parser.add_argument("--child", choices=sorted(RUNS), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help="parse this file instead of a generated one")
    options = parser.parse_args()
    if options.child:
        run_child(options.child, options.file)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = options.file or Path(folder) / "scan.xml"
        if not options.file:
            write_scan(path, options.hosts, options.ports)
        print(f"{path.stat().st_size / 1e6:.1f} MB, {options.rounds} rounds")
        names = [options.only] if options.only else list(RUNS)
        results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for _ in range(options.rounds):
            for name in names:
                results[name].append(measure(name, path))
        for name, rounds in results.items():
            wall, peak = (statistics.median(one[key] for one in rounds) for key in ("wall_s", "peak_mb"))
            counts = f"{rounds[0]['hosts']:,} hosts {rounds[0]['ports']:,} ports"
            print(f"{name:12} {wall:6.2f} s  {peak:7.1f} MB  {counts}")


if __name__ == "__main__":
    main()
