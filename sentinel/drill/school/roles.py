"""The hosts a practice school is drawn from: a role in, its servers with their planted weaknesses out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from sentinel.drill.servers import databases as data
from sentinel.drill.servers import devices as device
from sentinel.drill.servers import lines as text
from sentinel.drill.servers import sites
from sentinel.drill.servers.certificate import CertificateKind, CertificatePlan
from sentinel.drill.servers.conversation import Service
from sentinel.drill.servers.mongodb import mongodb


@dataclass(frozen=True, slots=True)
class Draft:
    """What a role needs to know of its school."""

    school: str
    domain: str
    draw: random.Random

    def certificate(self, kind: CertificateKind, label: str) -> CertificatePlan:
        """Plan a certificate for one of the school's names, or with the flaw of another name."""
        name = "old-server.elsewhere.example" if kind is CertificateKind.WRONG_NAME else f"{label}.{self.domain}"
        return CertificatePlan(kind, name)


_NGINX = ("1.18.0", "1.20.2", "1.22.1")
SSH_NOW, SSH_NEXT = "9.2", "9.6"


def new_ssh(version: str) -> Service:
    """Build a current SSH server."""
    return text.ssh(22, f"OpenSSH_{version}", version, old=False)


def _portal(draft: Draft) -> tuple[Service, ...]:
    version = draft.draw.choice(_NGINX)
    good = draft.certificate(CertificateKind.GOOD, "www")
    return (
        sites.portal(80, draft.school, version),
        sites.portal(443, draft.school, version, good),
        new_ssh(SSH_NOW),
    )


def _affairs(draft: Draft) -> tuple[Service, ...]:
    expired = draft.certificate(CertificateKind.EXPIRED, "jw")
    return (
        sites.login_form(8080, draft.school, "教务管理系统"),
        sites.portal(8443, draft.school, draft.draw.choice(_NGINX), expired),
        data.mysql(3306, draft.draw.choice(("5.5.40", "5.5.62"))),
    )


def _legacy(draft: Draft) -> tuple[Service, ...]:
    return (
        sites.default_page(80, draft.draw.choice(("2.2.3", "2.2.15"))),
        text.ssh(22, "OpenSSH_5.3", "5.3", old=True),
        text.ftp(21, draft.draw.choice(("2.2.2", "3.0.2"))),
    )


def _cache(draft: Draft) -> tuple[Service, ...]:
    return (
        data.redis(6379, draft.draw.choice(("3.2.12", "5.0.14")), login=False),
        data.redis(6380, "6.2.7", login=True),
        data.memcached(11211, draft.draw.choice(("1.4.15", "1.5.22"))),
    )


def _data(draft: Draft) -> tuple[Service, ...]:
    return (
        mongodb(27017, draft.draw.choice(("3.4.24", "3.6.23"))),
        data.elasticsearch(9200, draft.domain.partition(".")[0], draft.draw.choice(("5.6.16", "6.8.23"))),
        data.postgresql(5432, draft.draw.choice(("12.9 - 12.12", "13.5 - 13.8"))),
    )


def _mail(draft: Draft) -> tuple[Service, ...]:
    own = draft.certificate(CertificateKind.SELF_SIGNED, "mail")
    return (
        text.smtp(25, f"mail.{draft.domain}"),
        text.pop3(110),
        text.imap(143),
        sites.login_form(443, draft.school, "邮件系统", own),
    )


def _switch(draft: Draft) -> tuple[Service, ...]:
    weak = draft.certificate(CertificateKind.WEAK_KEY, "sw")
    return text.telnet(23), sites.switch_page(80, draft.school), sites.switch_page(443, draft.school, weak)


def _camera(_draft: Draft) -> tuple[Service, ...]:
    return sites.camera_page(80), text.rtsp(554)


def _printer(_draft: Draft) -> tuple[Service, ...]:
    return sites.printer_page(80), device.print_port(9100, "HP LaserJet P2055dn")


def _library(draft: Draft) -> tuple[Service, ...]:
    version = draft.draw.choice(("1.4.45", "1.4.59"))
    wrong = draft.certificate(CertificateKind.WRONG_NAME, "lib")
    expiring = draft.certificate(CertificateKind.EXPIRING, "lib")
    return (
        sites.directory_listing(80, version),
        sites.portal(443, draft.school, draft.draw.choice(_NGINX), wrong),
        sites.portal(8443, draft.school, draft.draw.choice(_NGINX), expiring),
    )


def _office(_draft: Draft) -> tuple[Service, ...]:
    return device.vnc(5900), device.rdp(3389)


def _lab(draft: Draft) -> tuple[Service, ...]:
    return device.dns(53, draft.draw.choice(("9.11.4", "9.16.27"))), device.mqtt(1883)


def _silent(_draft: Draft) -> tuple[Service, ...]:
    return (device.silent(9999),)


def _closed(_draft: Draft) -> tuple[Service, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of host.

    Attributes:
        key: stable word for it.
        label: what it is, for people.
        name: first label of its DNS name.
        build: makes its servers.
    """

    key: str
    label: str
    name: str
    build: Callable[[Draft], tuple[Service, ...]]


def _newcomer(_draft: Draft) -> tuple[Service, ...]:
    return sites.directory_listing(8000, "1.4.59"), new_ssh(SSH_NOW)


PORTAL = Role("portal", "门户网站", "www", _portal)
OTHERS = (
    Role("affairs", "教务系统", "jw", _affairs),
    Role("legacy", "旧网站", "old", _legacy),
    Role("cache", "缓存服务器", "cache", _cache),
    Role("data", "数据平台", "data", _data),
    Role("mail", "邮件服务器", "mail", _mail),
    Role("switch", "核心交换机", "sw", _switch),
    Role("camera", "校门摄像机", "cam", _camera),
    Role("printer", "打印机", "print", _printer),
    Role("library", "图书馆", "lib", _library),
    Role("office", "办公电脑", "pc", _office),
    Role("lab", "物联网实验室", "lab", _lab),
)
# Hosts without a service of a name; they join the larger schools.
QUIET = (Role("silent", "无应答主机", "quiet", _silent), Role("closed", "无开放端口主机", "closed", _closed))
QUIET_FROM_SIZE = 8
NEWCOMER = Role("newcomer", "新增测试服务器", "test", _newcomer)


def newly_opened(taken: set[int], draw: random.Random) -> Service:
    """Draw the service that opens on cue, on a port the host does not have."""
    offers = (
        data.redis(6379, "5.0.14", login=False),
        text.telnet(23),
        data.mysql(3306, "5.5.62"),
        text.ftp(21, "3.0.2"),
    )
    return draw.choice([service for service in offers if service.port not in taken])
