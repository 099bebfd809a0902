"""What the UDP servers and their TCP sides say nmap makes of them, held against the real nmap in a namespace.

Run as a program it is the child in the namespace: it opens every server on an address of its own, scans, and prints
nmap's XML.
"""

import asyncio
import subprocess
import sys
import xml.etree.ElementTree as ET
from ipaddress import IPv4Address

import pytest

from sentinel.drill.servers import datagrams, gadgets, names, rpcbind, snmp
from sentinel.drill.servers.conversation import Seen, Service
from sentinel.drill.servers.datagram import DatagramDoor, DatagramService, reserve_datagram
from sentinel.drill.servers.door import Door, reserve

SCANNER = IPv4Address("10.77.0.1")
BASE = IPv4Address("10.77.1.10")
_HOSTS = (("ns1", IPv4Address("10.77.1.2")), ("www", IPv4Address("10.77.1.11")))
CLOSED = names.NameServer("9.18.24", "school1.example", _HOSTS)
RESOLVER = names.NameServer("9.11.4", "school1.example", _HOSTS, recursion=True)
TRANSFER = names.NameServer("9.16.27", "school1.example", _HOSTS, transfer=True)
HOSTS: tuple[tuple[Service | DatagramService, ...], ...] = (
    (names.dns_over_udp(53, CLOSED), names.dns_over_tcp(53, CLOSED)),
    (names.dns_over_udp(53, RESOLVER), datagrams.ntp(123, monlist=True), datagrams.ipmi(623)),
    (names.dns_over_udp(53, TRANSFER), names.dns_over_tcp(53, TRANSFER), datagrams.ntp(123)),
    (snmp.snmp(161, snmp.printer_agent("print-01")), datagrams.memcached_over_udp(11211, "1.5.22")),
    (snmp.snmp(161, snmp.switch_agent("sw-core")), datagrams.tftp(69)),
    (snmp.snmp_v3(161), gadgets.sip_exchange(5060, "16.2.1")),
    (datagrams.netbios(137, "TEACHER-01", "SCHOOL"), gadgets.sip_phone(5060)),
    (rpcbind.rpcbind_over_udp(111), rpcbind.rpcbind_over_tcp(111)),
    (gadgets.ssdp(1900), gadgets.coap(5683)),
)
# Elsewhere nmap tries its probes in turn, 5 s each: only those it comes to early.
QUICK_ELSEWHERE = {53, 69, 111, 1900}
Row = tuple[str, str, int, str, str, str, str]


def planted(offset: int) -> list[tuple[IPv4Address, int, Service | DatagramService]]:
    return [
        (BASE + place, service.port + offset, service)
        for place, services in enumerate(HOSTS)
        for service in services
        if offset == 0 or service.port in QUICK_ELSEWHERE
    ]


async def serve_and_scan(offset: int) -> bytes:
    doors: list[Door | DatagramDoor] = []
    asked: dict[str, set[int]] = {"tcp": set(), "udp": set()}
    for address, port, service in planted(offset):
        if isinstance(service, DatagramService):
            doors.append(DatagramDoor(reserve_datagram(address, port), service))
        else:
            doors.append(Door(reserve(address, port), service, None))
        asked[service.proto].add(port)
    for door in doors:
        await door.open()
    ports = "T:{tcp},U:{udp}".format(**{proto: ",".join(map(str, some)) for proto, some in asked.items()})
    options = ["-n", "-Pn", "-T4", "--max-retries", "1", "-sS", "-sU", "-sV", "--version-intensity", "7"]
    targets = sorted({str(address) for address, _, _ in planted(offset)})
    scan = await asyncio.create_subprocess_exec(
        "nmap", "-oX", "-", *options, "-p", ports, *targets, stdout=subprocess.PIPE
    )
    xml, _ = await scan.communicate()
    for door in doors:
        await door.close()
    return xml


def rows(xml: bytes) -> set[Row]:
    """List what is not closed: address, protocol, port, state, and what was recognised there."""
    found = set()
    for host in ET.fromstring(xml).iter("host"):
        address = next(each.attrib["addr"] for each in host.iter("address"))
        for port in host.iter("port"):
            state, service = port.find("state"), port.find("service")
            named = {} if service is None or service.attrib["method"] != "probed" else service.attrib
            words = (named.get("name", ""), named.get("product", ""), named.get("version", ""))
            if state is not None and state.attrib["state"] != "closed":
                place = (address, port.attrib["protocol"], int(port.attrib["portid"]), state.attrib["state"])
                found.add((*place, *words))
    return found


def expected(offset: int) -> set[Row]:
    found = set()
    for address, port, service in planted(offset):
        seen: Seen = service.seen if offset == 0 or service.elsewhere is None else service.elsewhere
        found.add((str(address), service.proto, port, "open", seen.service, seen.product, seen.version))
    return found


@pytest.mark.nmap
@pytest.mark.namespace
@pytest.mark.parametrize("offset", [0, 10000])
def test_servers_when_nmap_scans_them_then_it_finds_the_stated_truth_and_nothing_else(offset: int) -> None:
    # One source address for all: nmap scans addresses the machine has itself one after another.
    routes = "; ".join(f"ip route add local {BASE + place}/32 dev lo src {SCANNER}" for place in range(len(HOSTS)))
    inside = f'ip link set lo up; ip addr add {SCANNER}/32 dev lo; {routes}; exec "$0" "$@"'
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", inside, sys.executable, __file__, str(offset)],
        capture_output=True,
        timeout=120,
        check=True,
    )

    assert rows(done.stdout) == expected(offset)
    # What exposure.snmp-public reads beside the product.
    agents = sum("exposure.snmp-public" in service.weaknesses for _, _, service in planted(offset))
    assert done.stdout.count(b'extrainfo="public"') == agents


if __name__ == "__main__":
    sys.stdout.buffer.write(asyncio.run(serve_and_scan(int(sys.argv[1]))))
