"""Servers of a practice school: a school's draft in, what each server host serves out."""

from __future__ import annotations

import ssl
from dataclasses import replace

from sentinel.drill.school.host import FIRST_HOST, AnyService, Draft
from sentinel.drill.servers import consoles, mail, middleware, planted_sites, sites, unix, windows
from sentinel.drill.servers import databases as data
from sentinel.drill.servers import lines as text
from sentinel.drill.servers.certificate import CertificateKind
from sentinel.drill.servers.conversation import Service
from sentinel.drill.servers.datagrams import memcached_over_udp, netbios, ntp
from sentinel.drill.servers.mongodb import mongodb
from sentinel.drill.servers.names import NameServer, dns_over_tcp, dns_over_udp
from sentinel.drill.servers.rpcbind import rpcbind_over_tcp, rpcbind_over_udp

Servers = tuple[AnyService, ...]
SSH_NOW, SSH_NEXT = "9.2", "9.6"
_NGINX = ("1.18.0", "1.20.2", "1.22.1")
_LIGHTTPD = ("1.4.45", "1.4.59")
_BIND = ("9.11.4", "9.16.27")


def new_ssh(version: str) -> Service:
    """Build a current SSH server."""
    return text.ssh(22, f"OpenSSH_{version}", version, old=False)


def _nginx(draft: Draft) -> str:
    return draft.draw.choice(_NGINX)


def _https(draft: Draft, kind: CertificateKind, label: str, port: int = 443) -> Service:
    return sites.portal(port, draft.school, _nginx(draft), draft.certificate(kind, label))


def portal(draft: Draft) -> Servers:
    """Serve the school's portal, with a good certificate."""
    version = _nginx(draft)
    good = draft.certificate(CertificateKind.GOOD, "www")
    return sites.portal(80, draft.school, version), sites.portal(443, draft.school, version, good), new_ssh(SSH_NOW)


def affairs(draft: Draft) -> Servers:
    """Serve teaching affairs: a login in clear, an expired certificate, a database anybody may knock at."""
    return (
        sites.login_form(8080, draft.school, "教务管理系统"),
        _https(draft, CertificateKind.EXPIRED, "jw", 8443),
        data.mysql(3306, draft.draw.choice(("5.5.40", "5.5.62"))),
        new_ssh(SSH_NOW),
    )


def legacy(draft: Draft) -> Servers:
    """Serve a forgotten site on software without support."""
    return (
        sites.default_page(80, draft.draw.choice(("2.2.3", "2.2.15"))),
        text.ssh(22, "OpenSSH_5.3", "5.3", old=True),
        text.ftp(21, draft.draw.choice(("2.2.2", "3.0.2"))),
    )


def cache(draft: Draft) -> Servers:
    """Serve caches, of which one asks for a login."""
    version = draft.draw.choice(("1.4.15", "1.5.22"))
    return (
        data.redis(6379, draft.draw.choice(("3.2.12", "5.0.14")), login=False),
        data.redis(6380, "6.2.7", login=True),
        data.memcached(11211, version),
        memcached_over_udp(11211, version),
    )


def platform(draft: Draft) -> Servers:
    """Serve databases of a data platform."""
    return (
        mongodb(27017, draft.draw.choice(("3.4.24", "3.6.23"))),
        data.elasticsearch(9200, draft.domain.partition(".")[0], draft.draw.choice(("5.6.16", "6.8.23"))),
        data.postgresql(5432, draft.draw.choice(("12.9 - 12.12", "13.5 - 13.8"))),
    )


def post(draft: Draft) -> Servers:
    """Serve mail as it should be, but for fetching it in clear and a self-made certificate."""
    own = draft.certificate(CertificateKind.SELF_SIGNED, "mail")
    return (
        text.smtp(25, f"mail.{draft.domain}"),
        text.pop3(110),
        text.imap(143),
        sites.login_form(443, draft.school, "邮件系统", own),
    )


def relay(draft: Draft) -> Servers:
    """Serve mail for the whole world."""
    return mail.open_relay(25, f"relay.{draft.domain}"), new_ssh(SSH_NOW)


def library(draft: Draft) -> Servers:
    """Serve the library: folders to browse, a certificate of another name, one that expires."""
    return (
        sites.directory_listing(80, draft.draw.choice(_LIGHTTPD)),
        _https(draft, CertificateKind.WRONG_NAME, "lib"),
        _https(draft, CertificateKind.EXPIRING, "lib", 8443),
    )


def names(draft: Draft) -> Servers:
    """Serve the school's zone, to be taken as a whole by anybody."""
    hosts = (("www", draft.lot.base[FIRST_HOST]),)
    server = NameServer(draft.draw.choice(_BIND), draft.domain, hosts, transfer=True)
    return dns_over_tcp(53, server), dns_over_udp(53, server), new_ssh(SSH_NOW)


def resolver(draft: Draft) -> Servers:
    """Resolve names, and tell the time, for anybody, with answers larger than the questions."""
    server = NameServer(draft.draw.choice(_BIND), draft.domain, recursion=True)
    return dns_over_tcp(53, server), dns_over_udp(53, server), ntp(123, monlist=True)


def source(draft: Draft) -> Servers:
    """Serve a site that lays its source and a backup open, with a SHA-1 certificate."""
    return planted_sites.leaking_site(80, draft.school, _nginx(draft)), _https(draft, CertificateKind.SHA1, "git")


def tampered(draft: Draft) -> Servers:
    """Serve a site with a hidden link and a mining script, whose certificate lacks its chain."""
    chain = _https(draft, CertificateKind.INCOMPLETE_CHAIN, "club")
    return planted_sites.tampered_site(80, draft.school, _nginx(draft)), chain


def personnel(draft: Draft) -> Servers:
    """Serve a page with personal data, and TLS 1.0 alone."""
    old = replace(draft.certificate(CertificateKind.GOOD, "hr"), newest_tls=ssl.TLSVersion.TLSv1)
    page = planted_sites.register_page(80, draft.school, _nginx(draft))
    return page, sites.portal(443, draft.school, _nginx(draft), old)


def application(draft: Draft) -> Servers:
    """Serve an application's innards, and a certificate from the future."""
    return (
        planted_sites.phpinfo_site(80, draft.school),
        planted_sites.actuator_site(8080, draft.school, _nginx(draft)),
        _https(draft, CertificateKind.NOT_YET_VALID, "app", 8443),
    )


def console(draft: Draft) -> Servers:
    """Serve consoles that belong behind a login, and a certificate made for ten years."""
    return (
        consoles.phpmyadmin(80),
        consoles.kibana(5601, "4.6.6"),
        consoles.jupyter(8888, "6.1"),
        _https(draft, CertificateKind.TOO_LONG, "ops"),
    )


def container(draft: Draft) -> Servers:
    """Serve Docker to everybody, and the dashboard of a tunnel."""
    return consoles.docker_api(2375, "20.10.5"), consoles.tunnel_dashboard(7500, _nginx(draft)), new_ssh(SSH_NOW)


def middle(_draft: Draft) -> Servers:
    """Serve middleware without a border."""
    return (
        consoles.tomcat(8080, "7.0.70"),
        middleware.ajp(8009),
        consoles.weblogic(7001, "10.3.6"),
        middleware.zookeeper(2181, "3.4.13"),
    )


def enterprise(_draft: Draft) -> Servers:
    """Serve as an old Windows server does."""
    return (
        consoles.iis(80, "7.5"),
        windows.mssql(1433),
        middleware.oracle(1521),
        windows.msrpc(135),
        windows.smb(445, "Microsoft Windows XP", "SCHOOL", "OLD-SRV"),
        netbios(137, "OLD-SRV", "SCHOOL"),
    )


def store(_draft: Draft) -> Servers:
    """Serve files in every way at once."""
    return (
        text.ftp(21, "2.3.4"),
        rpcbind_over_tcp(111),
        rpcbind_over_udp(111),
        unix.nfs(2049),
        middleware.rsync(873),
        windows.smb(445, "Microsoft Windows 7 - 10", "SCHOOL", "FILES"),
    )


def directory(draft: Draft) -> Servers:
    """Serve the directory, and a CouchDB."""
    base = ",".join(f"dc={label}" for label in draft.domain.split("."))
    return middleware.ldap(389, base), consoles.couchdb(5984, "2.3.1")


def workstation(_draft: Draft) -> Servers:
    """Serve what Unix machines of old had open."""
    return unix.daytime(13), unix.finger(79), unix.rexec(512), unix.x11(6002)


def proxy(draft: Draft) -> Servers:
    """Serve proxies, and a certificate with three weeks left."""
    return (
        middleware.socks(1080, login=False),
        consoles.http_proxy(3128, "3.5.20"),
        _https(draft, CertificateKind.EXPIRING_MONTH, "proxy"),
    )
