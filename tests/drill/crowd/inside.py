"""What the tests of the crowd do inside a network namespace: `python inside.py NAME`, one JSON object out.

Run under `unshare -rn`; nothing in here leaves that namespace.
"""

import json
import os
import random
import signal
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from xml.etree import ElementTree

from sentinel.drill.crowd.plan import Crowd, CrowdTruth, plan_crowd
from sentinel.drill.crowd.running import start_crowd
from sentinel.errors import SentinelError

SMALL = plan_crowd(IPv4Network("10.32.0.0/24"), 143, 1)
LARGE = plan_crowd(IPv4Network("10.32.0.0/20"), 1415, 1)
NEVER_OPEN = 7
PINGS = 5000


def nmap(*options: str) -> ElementTree.Element:
    done = subprocess.run(["nmap", "-n", "-oX", "-", *options], capture_output=True, text=True, check=True)
    return ElementTree.fromstring(done.stdout)


def fast_scan(crowd: Crowd, ports: set[int]) -> ElementTree.Element:
    words = ("-Pn", "-sS", "-T4", "--max-retries", "1", "--min-rate", "5000")
    return nmap(*words, "--exclude", str(crowd.scanner), "-p", ",".join(map(str, sorted(ports))), str(crowd.base))


def states(root: ElementTree.Element) -> dict[str, dict[int, str]]:
    """Give the state of every asked port, by address, of hosts that are up."""
    asked = [int(port) for piece in root.find("scaninfo").get("services").split(",") for port in ports_of(piece)]
    found = {}
    for host in root.iter("host"):
        if host.find("status").get("state") != "up":
            continue
        told = {int(port.get("portid")): port.find("state").get("state") for port in host.iter("port")}
        extra = {one.get("state") for one in host.iter("extraports")}
        (rest,) = extra or {"none"}
        found[host.find("address[@addrtype='ipv4']").get("addr")] = {port: told.get(port, rest) for port in asked}
    return found


def ports_of(piece: str) -> range:
    first, _, last = piece.partition("-")
    return range(int(first), int(last or first) + 1)


def expected(crowd: Crowd, ports: set[int]) -> dict[str, dict[int, str]]:
    told = {}
    for host in crowd.hosts:
        rest = {"drop": "filtered", "rst": "closed"}[host.closed]
        own = {one.port for one in host.ports} if not host.is_tarpit else ports
        told[str(host.address)] = {port: "open" if port in own else rest for port in ports}
    return told


def differences(crowd: Crowd, ports: set[int]) -> list[object]:
    """Scan and list everything that is not as the plan says; what was missed for want of an answer is asked again."""
    wanted, seen = expected(crowd, ports), states(fast_scan(crowd, ports))
    empty = dict.fromkeys(ports, "filtered")
    return [
        (address, port, wanted.get(address, empty)[port], state)
        for address, row in seen.items()
        for port, state in row.items()
        if state != wanted.get(address, empty)[port]
    ] + [(address, "missing") for address in wanted.keys() - seen.keys()]


def scan() -> dict[str, object]:
    """Every state of every port of the /24 as nmap sees it, and who answers a ping."""
    ports = {row.port for row in SMALL.truth()} | {NEVER_OPEN}
    with start_crowd(SMALL) as running:
        wrong = differences(SMALL, ports)
        pinged = nmap("-sn", "-PE", "--disable-arp-ping", str(SMALL.base))
        up = {one.get("addr") for one in pinged.findall("host/address[@addrtype='ipv4']")}
        arp = nmap("-sn", "-PR", str(SMALL.base))
        present = {one.get("addr") for one in arp.findall("host/address[@addrtype='ipv4']")}
        tarpit = [connects(SMALL.tarpits[0], port) for port in (1, 4444, 65535)]
        begun = time.monotonic()
        running.stop()
        stop_s = time.monotonic() - begun
    return {
        "wrong": wrong,
        "ports": len(SMALL.truth()),
        "pings": sorted(up - {str(SMALL.scanner)}),
        "present": sorted(present - {str(SMALL.scanner)}),
        "tarpit": tarpit,
        "stop_s": stop_s,
        "left": [name for _, name in socket.if_nameindex()],
        "netns": sorted(one.name for one in Path("/run/netns").glob("*")),
    }


def connects(address: IPv4Address, port: int) -> bool:
    with socket.create_connection((str(address), port), 3):
        return True


def sample(rows: tuple[CrowdTruth, ...]) -> list[CrowdTruth]:
    """Choose hosts until every backend has been seen, and give all ports of those hosts."""
    draw = random.Random(5)
    order = list(rows)
    draw.shuffle(order)
    seen: set[str] = set()
    hosts = set()
    for row in order:
        if row.backend not in seen and row.address not in hosts:
            hosts.add(row.address)
            seen |= {one.backend for one in rows if one.address == row.address}
    return [row for row in rows if row.address in hosts]


def without_range(words: list[str]) -> list[str]:
    """Leave out the version of services of which nmap 7.95 tells a range where 7.93 tells another."""
    service, product, version, tunnel = words
    return [service, product, "" if service in {"mongodb", "postgresql"} else version, tunnel]


def versions() -> dict[str, object]:
    """Compare what `nmap -sV` names with the truth, for hosts that show every backend."""
    rows = sample(SMALL.truth())
    ports = ",".join(map(str, sorted({row.port for row in rows})))
    hosts = sorted({str(row.address) for row in rows})
    with start_crowd(SMALL):
        root = nmap("-Pn", "-sS", "-sV", "-T4", "--min-hostgroup", "64", "-p", ports, *hosts)
    seen = {}
    for host in root.iter("host"):
        address = host.find("address[@addrtype='ipv4']").get("addr")
        for port in host.iter("port"):
            service = port.find("service[@method='probed']")
            told = {} if service is None else service.attrib
            tunnel = port.find("service").get("tunnel", "") if port.find("service") is not None else ""
            words = [told.get(name, "") for name in ("name", "product", "version")]
            if port.find("state").get("state") == "open":
                seen[f"{address}:{port.get('portid')}"] = without_range([*words, tunnel])
    wanted = {
        f"{row.address}:{row.port}": without_range([row.service, row.product, row.version, row.tunnel]) for row in rows
    }
    backends = {f"{row.address}:{row.port}": row.backend for row in rows}
    wrong = [
        (place, backends[place], wanted[place], seen.get(place)) for place in wanted if wanted[place] != seen.get(place)
    ]
    return {
        "asked": len(wanted),
        "backends": sorted(set(backends.values())),
        "wrong": wrong,
        "invented": sorted(seen.keys() - wanted.keys()),
    }


def echo(sock: socket.socket, number: int) -> None:
    packet = struct.pack(">BBHHH", 8, 0, 0, os.getpid() & 0xFFFF, number) + struct.pack(">d", time.monotonic())
    total = sum(struct.unpack(f">{len(packet) // 2}H", packet))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    sock.send(packet[:2] + struct.pack(">H", ~total & 0xFFFF) + packet[4:])


def pinged(address: IPv4Address, count: int) -> list[float]:
    """Send echo requests, 10 each 5 ms; the round trips of those answered, in ms."""
    trips = []
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.connect((str(address), 0))
        sock.settimeout(0.005)
        sent, quiet = 0, 0.0
        while quiet < 0.3:
            for _ in range(min(10, count - sent)):
                echo(sock, sent)
                sent += 1
            begun = time.monotonic()
            try:
                while time.monotonic() - begun < 0.005:
                    packet = sock.recv(2048)
                    if packet[20] == 0:
                        trips.append((time.monotonic() - struct.unpack(">d", packet[28:36])[0]) * 1000)
                        quiet = 0.0
            except TimeoutError:
                quiet += 0.005 if sent == count else 0.0
    return trips


def distance() -> dict[str, object]:
    """Loss and delay as they arrive, and a page through both."""
    host = next(host for host in SMALL.hosts if host.answers_ping)
    site = next(row for row in SMALL.truth() if row.tunnel and row.port == 443)
    with start_crowd(SMALL, loss=0.05) as running:
        answered = len(pinged(host.address, PINGS)) / PINGS
    with start_crowd(SMALL, loss=0.02, delay_ms=20) as running:
        trips = pinged(host.address, 200)
        page = fetched(site)
        memory = running.memory_bytes
    with start_crowd(SMALL):
        near = pinged(host.address, 200)
    return {
        "loss": 1 - answered**0.5,
        "delay": statistics.median(trips),
        "least": min(trips),
        "near": statistics.median(near),
        "near_answered": len(near),
        "page": page,
        "memory": memory,
    }


def fetched(row: CrowdTruth) -> int:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with socket.create_connection((str(row.address), row.port), 10) as plain, context.wrap_socket(plain) as tls:
        tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return len(tls.recv(65536))


def large() -> dict[str, object]:
    """The /20: how soon it stands, how much it weighs, and whether it is all there."""
    with start_crowd(LARGE) as running:
        told = {"start_s": running.start_s, "memory_mb": running.memory_bytes / 1e6, "ports": len(running.truth())}
        seen = states(fast_scan(LARGE, {80, 443}))
    opened = {(address, port) for address, row in seen.items() for port, state in row.items() if state == "open"}
    wanted = {(str(row.address), row.port) for row in LARGE.truth() if row.port in (80, 443)}
    wanted |= {(str(address), port) for address in LARGE.tarpits for port in (80, 443)}
    return {**told, "wanted": len(wanted), "missed": sorted(wanted - opened), "invented": sorted(opened - wanted)}


def network_of(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/net").readlink())


def networks() -> set[str]:
    """The network namespaces in which any process lives."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.add(network_of(int(folder.name)))
        except OSError:
            continue
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait() -> dict[str, object]:
    """Start a crowd, say so and wait to be killed."""
    with start_crowd(SMALL, delay_ms=1.0) as running:
        print(json.dumps({"pids": running.pids}), flush=True)
        time.sleep(60)
    return {}


def killed() -> dict[str, object]:
    """Kill the caller of a crowd with signal 9 and look for what is left; then start another at once."""
    victim = subprocess.Popen([sys.executable, __file__, "wait"], stdout=subprocess.PIPE)
    pids = json.loads(victim.stdout.readline())["pids"]
    own = {network_of(pid) for pid in pids}
    victim.kill()
    victim.wait()
    victim.stdout.close()
    begun = time.monotonic()
    with start_crowd(SMALL) as running:
        again_s = time.monotonic() - begun
        places = {network_of(pid) for pid in running.pids}
        listed = [name for _, name in socket.if_nameindex()]
    rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    return {
        "networks": len(own),
        "again_s": again_s,
        "during": listed,
        "alive": [pid for pid in pids if is_alive(pid)],
        "kept": sorted(networks() & (own | places)),
        "interfaces": [name for _, name in socket.if_nameindex()],
        "rules": rules,
    }


def refused() -> dict[str, object]:
    """Everything that must be said in one line and leave nothing behind."""
    with start_crowd(SMALL):
        second = error_of(lambda: start_crowd(SMALL))
    subprocess.run(["ip", "link", "add", "other0", "type", "veth", "peer", "name", "other1"], check=True)
    subprocess.run(["ip", "link", "set", "other0", "up"], check=True)
    network = error_of(lambda: start_crowd(SMALL))
    subprocess.run(["ip", "link", "delete", "other0"], check=True)
    lost = error_of(start_and_lose)
    subprocess.run([sys.executable, "-c", WITHOUT_RIGHTS], check=True)
    return {
        "second": second,
        "network": network,
        "lost": lost,
        "without": Path(os.environ["ANSWER"]).read_text(),
        "left": [name for _, name in socket.if_nameindex()],
    }


WITHOUT_RIGHTS = """
import ctypes, os, struct
from pathlib import Path
libc = ctypes.CDLL(None)
# capset version 3 with nothing in it
libc.capset(struct.pack("II", 0x20080522, 0), struct.pack("IIIIII", 0, 0, 0, 0, 0, 0))
from ipaddress import IPv4Network
from sentinel.drill.crowd.plan import plan_crowd
from sentinel.drill.crowd.running import start_crowd
from sentinel.errors import SentinelError
try:
    start_crowd(plan_crowd(IPv4Network("10.32.0.0/24"), 20, 1))
except SentinelError as error:
    Path(os.environ["ANSWER"]).write_text(str(error))
"""


def start_and_lose() -> None:
    """Lose the school behind the caller's back: it is noticed, and the stop that follows still clears everything."""
    with start_crowd(SMALL) as running:
        assert running.is_running
        os.kill(running.pids[0], signal.SIGKILL)
        time.sleep(0.3)
        assert not running.is_running
        _ = running.memory_bytes


def error_of(call: Callable[[], object]) -> str:
    try:
        call()
    except SentinelError as error:
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    done = {one.__name__: one for one in (scan, versions, distance, large, wait, killed, refused)}[sys.argv[1]]()
    print(json.dumps(done))
