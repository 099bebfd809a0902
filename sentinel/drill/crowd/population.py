"""Who lives in a school network: classes of devices, their shares and habits, and the servers behind their ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from sentinel.drill.crowd.netbios import netbios_session
from sentinel.drill.servers import databases as data
from sentinel.drill.servers import devices as device
from sentinel.drill.servers import lines as text
from sentinel.drill.servers import sites, windows
from sentinel.drill.servers.certificate import CertificateKind, CertificatePlan
from sentinel.drill.servers.consoles import iis
from sentinel.drill.servers.conversation import Service
from sentinel.drill.servers.mongodb import mongodb
from sentinel.drill.servers.names import NameServer, dns_over_tcp
from sentinel.drill.servers.pool import pool

SCHOOL = "示例市示范学校"
DOMAIN = "crowd.example"


class Closed(StrEnum):
    """What a host does with a TCP segment for a port that is not open."""

    DROP = "drop"
    RST = "rst"


@dataclass(frozen=True, slots=True)
class Habit:
    """A port some hosts of a class have open.

    Attributes:
        port: the port.
        chance: share of the class that has it, 0 to 1.
        backends: keys of the servers it may be; each is as likely.
    """

    port: int
    chance: float
    backends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostClass:
    """A kind of device.

    Attributes:
        key: stable word for it, e.g. `win-pc`.
        percent: share of the hosts.
        closed: what its closed ports do.
        ping: chance that it answers an ICMP echo request, 0 to 1.
        habits: the ports it may have open.
        odd: chance of one more open port at a random high place.
    """

    key: str
    percent: int
    closed: Closed
    ping: float
    habits: tuple[Habit, ...] = ()
    odd: float = 0.15


def _habits(*rows: tuple[int, float, str]) -> tuple[Habit, ...]:
    return tuple(Habit(port, chance, tuple(backends.split())) for port, chance, backends in rows)


_WEB = "nginx-old nginx apache lighttpd"

CLASSES = (
    HostClass(
        "win-pc",
        40,
        Closed.DROP,
        0.35,
        _habits((135, 0.65, "msrpc"), (139, 0.55, "netbios"), (445, 0.65, "smb"), (3389, 0.35, "rdp"))
        + _habits((5900, 0.06, "vnc"), (80, 0.05, _WEB)),
    ),
    HostClass(
        "camera",
        18,
        Closed.RST,
        0.95,
        _habits((80, 0.95, "camera"), (554, 0.95, "rtsp"), (443, 0.25, "https-weak"), (8000, 0.8, "silent"))
        + _habits((23, 0.1, "telnet")),
    ),
    HostClass(
        "linux-server",
        8,
        Closed.RST,
        0.9,
        _habits((22, 0.95, "ssh ssh-old"), (80, 0.6, _WEB), (443, 0.4, "https https-expired https-own"))
        + _habits((3306, 0.35, "mysql"), (6379, 0.2, "redis redis-locked"), (8080, 0.3, "tomcat"), (21, 0.15, "ftp"))
        + _habits((5432, 0.12, "postgresql"), (27017, 0.06, "mongodb"), (9200, 0.06, "elasticsearch"))
        + _habits((11211, 0.05, "memcached"), (53, 0.1, "dns")),
    ),
    HostClass(
        "printer",
        8,
        Closed.RST,
        0.98,
        _habits((80, 0.9, "printer"), (443, 0.45, "https-weak"), (515, 0.7, "silent"), (631, 0.7, "printer"))
        + _habits((9100, 0.95, "pjl"), (23, 0.15, "telnet"), (21, 0.15, "ftp")),
    ),
    HostClass(
        "switch",
        7,
        Closed.RST,
        0.98,
        _habits((22, 0.6, "ssh-old"), (23, 0.75, "telnet"), (80, 0.75, "switch"), (443, 0.4, "https-weak")),
    ),
    HostClass(
        "win-server",
        6,
        Closed.DROP,
        0.7,
        _habits((135, 0.9, "msrpc"), (139, 0.85, "netbios"), (445, 0.95, "smb"), (3389, 0.85, "rdp"))
        + _habits((80, 0.4, "iis apache"), (1433, 0.25, "mssql"), (21, 0.2, "ftp"), (53, 0.15, "dns")),
    ),
    HostClass(
        "iot",
        6,
        Closed.RST,
        0.85,
        _habits((80, 0.5, "switch lighttpd"), (1883, 0.45, "mqtt"), (23, 0.3, "telnet"), (8080, 0.25, "tomcat"))
        + _habits((22, 0.2, "ssh-old")),
    ),
    HostClass("ghost", 3, Closed.DROP, 0.0, odd=0.0),
    HostClass(
        "kiosk",
        2,
        Closed.DROP,
        0.5,
        _habits((3389, 0.4, "rdp"), (5900, 0.5, "vnc"), (80, 0.4, _WEB), (445, 0.4, "smb")),
    ),
    HostClass(
        "mail",
        1,
        Closed.RST,
        0.9,
        _habits((25, 1.0, "smtp"), (110, 0.9, "pop3"), (143, 0.9, "imap"), (443, 0.9, "https https-expired"))
        + _habits((80, 0.8, "nginx"), (22, 0.7, "ssh")),
    ),
    HostClass(
        "miner",
        1,
        Closed.RST,
        0.8,
        _habits((22, 0.8, "ssh-old"), (3333, 0.7, "stratum"), (80, 0.3, "lighttpd"), (6379, 0.3, "redis")),
    ),
)
"""Shares and ports as measured on a study range of the same make; the chances give about 2.85 open ports per host."""

TARPIT = HostClass("tarpit", 0, Closed.RST, 1.0, odd=0.0)
"""A host that answers on every port; its closed behaviour is never seen."""

TARPIT_BACKEND = "silent"
ODD_PORTS = range(20_000, 60_000)
ODD_BACKENDS = ("nginx", "tomcat", "lighttpd", "ssh", "ssh-old", "telnet", "mysql", "redis", "ftp", "vnc", "https-own")


@cache
def backends() -> Mapping[str, Service]:
    """Map each backend's key to its server; any of them may stand behind any port of any host."""

    def shown(kind: CertificateKind, name: str) -> CertificatePlan:
        return CertificatePlan(kind, f"{name}.{DOMAIN}")

    return {
        "nginx-old": sites.portal(80, SCHOOL, "1.18.0"),
        "nginx": sites.portal(80, SCHOOL, "1.22.1"),
        "apache": sites.default_page(80, "2.2.15"),
        "lighttpd": sites.directory_listing(80, "1.4.59"),
        "tomcat": sites.login_form(8080, SCHOOL, "教务管理系统"),
        "camera": sites.camera_page(80),
        "printer": sites.printer_page(80),
        "switch": sites.switch_page(80, SCHOOL),
        "https": sites.portal(443, SCHOOL, "1.22.1", shown(CertificateKind.GOOD, "www")),
        "https-expired": sites.portal(443, SCHOOL, "1.18.0", shown(CertificateKind.EXPIRED, "old")),
        "https-own": sites.login_form(443, SCHOOL, "邮件系统", shown(CertificateKind.SELF_SIGNED, "mail")),
        "https-weak": sites.switch_page(443, SCHOOL, shown(CertificateKind.WEAK_KEY, "device")),
        "ssh": text.ssh(22, "OpenSSH_9.2", "9.2", old=False),
        "ssh-old": text.ssh(22, "OpenSSH_5.3", "5.3", old=True),
        "ftp": text.ftp(21, "3.0.2"),
        "telnet": text.telnet(23),
        "smtp": text.smtp(25, f"mail.{DOMAIN}"),
        "pop3": text.pop3(110),
        "imap": text.imap(143),
        "rtsp": text.rtsp(554),
        "mysql": data.mysql(3306, "5.5.62"),
        "postgresql": data.postgresql(5432, "13.5 - 13.8"),
        "redis": data.redis(6379, "5.0.14", login=False),
        "redis-locked": data.redis(6379, "6.2.7", login=True),
        "memcached": data.memcached(11211, "1.5.22"),
        "elasticsearch": data.elasticsearch(9200, "crowd", "6.8.23"),
        "mongodb": mongodb(27017, "3.6.23"),
        "mqtt": device.mqtt(1883),
        "vnc": device.vnc(5900),
        "rdp": device.rdp(3389),
        "dns": dns_over_tcp(53, NameServer("9.16.27", DOMAIN)),
        "pjl": device.print_port(9100, "HP LaserJet P2055dn"),
        "silent": device.silent(9999),
        "msrpc": windows.msrpc(135),
        "netbios": netbios_session(139),
        "smb": windows.smb(445, "Microsoft Windows 7 - 10", "WORKGROUP", "PRACTICE"),
        "mssql": windows.mssql(1433),
        "iis": iis(80, "7.5"),
        "stratum": pool(3333),
    }
