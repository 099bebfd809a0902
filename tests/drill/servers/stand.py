"""Every server that came to the school later, and a program that opens them all and lets the real nmap look."""

import asyncio
import ipaddress
import ssl
import sys
from datetime import UTC, datetime

from sentinel.drill.servers import (
    behaviours,
    consoles,
    databases,
    devices,
    lines,
    mail,
    middleware,
    sites,
    unix,
    windows,
)
from sentinel.drill.servers import planted_sites as planted
from sentinel.drill.servers.certificate import Authority, CertificateKind, CertificatePlan
from sentinel.drill.servers.conversation import Service
from sentinel.drill.servers.door import Door, reserve
from sentinel.drill.servers.mongodb import mongodb

SCHOOL = "示例市第一中学"
HOST = "www.school1.example"
NGINX = "1.22.1"
OFFSET = 10000


def page_with(kind: CertificateKind, newest: ssl.TLSVersion | None = None) -> Service:
    return sites.portal(443, SCHOOL, NGINX, CertificatePlan(kind, HOST, newest_tls=newest))


SERVICES: dict[str, Service] = {
    "leaking": planted.leaking_site(80, SCHOOL, NGINX),
    "tampered": planted.tampered_site(80, SCHOOL, NGINX),
    "register": planted.register_page(80, SCHOOL, NGINX),
    "actuator": planted.actuator_site(80, SCHOOL, NGINX),
    "phpinfo": planted.phpinfo_site(80, SCHOOL),
    "sha1": page_with(CertificateKind.SHA1),
    "chain": page_with(CertificateKind.INCOMPLETE_CHAIN),
    "fortnight": page_with(CertificateKind.EXPIRING_FORTNIGHT),
    "month": page_with(CertificateKind.EXPIRING_MONTH),
    "future": page_with(CertificateKind.NOT_YET_VALID),
    "long": page_with(CertificateKind.TOO_LONG),
    "tls10": page_with(CertificateKind.GOOD, ssl.TLSVersion.TLSv1),
    "relay": mail.open_relay(25, "mail.school1.example"),
    "huawei": lines.telnet(23, "Huawei"),
    "vsftpd": lines.ftp(21, "2.3.4"),
    "winftp": lines.windows_ftp(21),
    "locked": databases.redis(6379, "6.2.7", login=True),
    "iis": consoles.iis(80, "7.5"),
    "tomcat": consoles.tomcat(8080, "7.0.70"),
    "weblogic": consoles.weblogic(7001, "10.3.6"),
    "phpmyadmin": consoles.phpmyadmin(80),
    "jupyter": consoles.jupyter(8888, "6.1"),
    "kibana": consoles.kibana(5601, "4.6.6"),
    "frp": consoles.tunnel_dashboard(7500, NGINX),
    "couchdb": consoles.couchdb(5984, "2.3.1"),
    "docker": consoles.docker_api(2375, "20.10.5"),
    "miner": consoles.miner_api(18088),
    "squid": consoles.http_proxy(3128, "3.5.20"),
    "xp": windows.smb(445, "Microsoft Windows XP", "SCHOOL", "OLD-PC"),
    "win7": windows.smb(445, "Microsoft Windows 7 - 10", "SCHOOL", "PC-07"),
    "msrpc": windows.msrpc(135),
    "mssql": windows.mssql(1433),
    "zookeeper": middleware.zookeeper(2181, "3.4.13"),
    "ajp": middleware.ajp(8009),
    "rsync": middleware.rsync(873),
    "ldap": middleware.ldap(389, "dc=school1,dc=example"),
    "oracle": middleware.oracle(1521),
    "socks": middleware.socks(1080, login=False),
    "socks-login": middleware.socks(1080, login=True),
    "daytime": unix.daytime(13),
    "finger": unix.finger(79),
    "rexec": unix.rexec(512),
    "x11": unix.x11(6002),
    "nfs": unix.nfs(2049),
    "modbus": devices.modbus(502),
    "mongodb": mongodb(27017, "4.4.18", login=True),
    "silent": devices.silent(1521),
    "slow": behaviours.slow(lines.ftp(21, "3.0.2"), 1.0),
    "slow-web": behaviours.slow(sites.portal(80, SCHOOL, NGINX), 1.0),
    "reset": behaviours.resetting(8000),
}


def address_of(name: str) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address("127.78.0.1") + list(SERVICES).index(name)


async def look(names: list[str]) -> int:
    """Open every server at its own port and at that plus the offset, run nmap over them, and tell its exit status."""
    authority = Authority("school1.example", datetime.now(UTC))
    doors, ports = [], set()
    for name in names:
        service = SERVICES[name]
        tls = authority.issue(service.certificate).context if service.certificate else None
        for port in (service.port, service.port + OFFSET):
            door = Door(reserve(address_of(name), port), service, tls)
            await door.open()
            doors.append(door)
            ports.add(port)
    words = [
        "-T5",
        "-Pn",
        "-n",
        "-sT",
        "-sV",
        "--version-intensity",
        "7",
        "--script",
        "ssl-cert,http-title",
        "-oX",
        "-",
    ]
    where = ["-p", ",".join(map(str, sorted(ports))), *(str(address_of(name)) for name in names)]
    nmap = await asyncio.create_subprocess_exec("nmap", *words, *where, stdin=asyncio.subprocess.DEVNULL)
    status = await nmap.wait()
    for door in doors:
        await door.close()
    return status


if __name__ == "__main__":
    sys.exit(asyncio.run(look(sys.argv[1:] or list(SERVICES))))
