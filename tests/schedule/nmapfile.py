"""Small nmap runs as values, written out as the XML nmap 7.93 would write (format: nmap.dtd of that version)."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sentinel.model.evidence import RunKind
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.schedule.intake import Intake, Origin, take_in
from tests.homes import NOW, SCHOOL

SERVICES = {
    "open": '<service name="http" method="table" conf="3"/>',
    "nginx": '<service name="http" product="nginx" method="probed" conf="10"/>',
    "https": '<service name="http" product="nginx" tunnel="ssl" method="probed" conf="10"/>',
    "apache": '<service name="http" product="Apache httpd" method="probed" conf="10"/>',
    "wrapped": '<service name="tcpwrapped" method="probed" conf="8"/>',
    "telnet": '<service name="telnet" method="probed" conf="10"/>',
    "redis": '<service name="redis" product="Redis key-value store" method="probed" conf="10"/>',
    "mongod": '<service name="mongod" method="table" conf="3"/>',
    "elastic": '<service name="http" product="Elasticsearch REST API" method="probed" conf="10"/>',
    "ftp": '<service name="ftp" product="vsftpd" method="probed" conf="10"/>',
    "smtp": '<service name="smtp" product="Postfix smtpd" method="probed" conf="10"/>',
    "imaps": '<service name="imap" tunnel="ssl" method="probed" conf="10"/>',
    "ssh": '<service name="ssh" product="OpenSSH" version="9.2" method="probed" conf="10"/>',
}
"""What an open port speaks: its number suggests it (`open`), or a probe told."""


@dataclass(frozen=True)
class HostRow:
    """One `<host>`: ports as `{22: "nginx", 80: "closed", 443: "filtered"}`; ports in state `rest` are not listed."""

    address: str
    ports: tuple[tuple[int, str], ...] = ()
    up: bool = True
    reason: str = "echo-reply"
    rest: str = "filtered"
    name: str = ""
    mac: str = ""
    timed_out: bool = False


@dataclass(frozen=True)
class NmapRun:
    """One run: addresses asked that have no row were silent."""

    hosts: tuple[HostRow, ...] = ()
    asked: tuple[str, ...] = ()
    ports: str = "22,80,443"
    finished: datetime | None = NOW
    whole: bool = True
    mark: str = ""
    arguments: str = field(default="nmap -oX -")

    def write(self) -> bytes:
        """Give the XML."""
        asked = tuple(dict.fromkeys((*self.asked, *(row.address for row in self.hosts))))
        stamp = "" if self.finished is None else f'time="{int(self.finished.timestamp())}"'
        end = (
            f'<runstats><finished {stamp} exit="success"/>'
            f'<hosts up="{sum(row.up for row in self.hosts)}" down="0" total="{len(asked)}"/></runstats></nmaprun>'
        )
        return (
            f'<?xml version="1.0"?><!DOCTYPE nmaprun><!-- {self.mark} -->\n'
            f'<nmaprun scanner="nmap" args="{self.arguments} {" ".join(asked)}" version="7.93">\n'
            f'<scaninfo type="syn" protocol="tcp" services="{self.ports}"/>\n'
            f"{''.join(_write_host(row) for row in self.hosts)}{end if self.whole else '<host><status '}"
        ).encode()


def _write_host(row: HostRow) -> str:
    listed = "".join(_write_port(number, state) for number, state in row.ports if state != row.rest)
    hidden = sum(1 for _, state in row.ports if state == row.rest)
    rest = f'<extraports state="{row.rest}" count="{hidden}"/>' if hidden else ""
    name = f'<hostnames><hostname name="{row.name}" type="PTR"/></hostnames>' if row.name else ""
    mac = f'<address addr="{row.mac}" addrtype="mac" vendor="Maker"/>' if row.mac else ""
    kind = "ipv6" if ":" in row.address else "ipv4"
    return (
        f"<host{' timedout=' if row.timed_out else ''}{chr(34) + 'true' + chr(34) if row.timed_out else ''}>"
        f'<status state="{"up" if row.up else "down"}" reason="{row.reason if row.up else "no-response"}"/>'
        f'<address addr="{row.address}" addrtype="{kind}"/>{mac}{name}<ports>{rest}{listed}</ports></host>\n'
    )


def _write_port(number: int, state: str) -> str:
    service = SERVICES.get(state, "")
    word = "open" if service else state
    return f'<port protocol="tcp" portid="{number}"><state state="{word}" reason="x"/>{service}</port>'


def host(number: int, reason: str = "echo-reply", rest: str = "filtered", **ports: str) -> HostRow:
    """`host(1, p22="ssh", p80="closed")` is 10.0.0.1 with its ports."""
    return HostRow(
        f"10.0.0.{number}", tuple((int(name[1:]), state) for name, state in ports.items()), reason=reason, rest=rest
    )


def at(days: float) -> datetime:
    """Days after the first day of these tests, all of them before `NOW`."""
    return NOW - timedelta(days=100) + timedelta(days=days)


def give(
    context: Context,
    data: NmapRun | bytes,
    *,
    unit: Unit = SCHOOL,
    name: str = "scan.xml",
    kind: RunKind = RunKind.IMPORT,
    vantage: str = "inside",
    scan: str = "",
) -> Intake:
    """Take a run in."""
    raw = data.write() if isinstance(data, NmapRun) else data
    return take_in(context, unit, io.BytesIO(raw), Origin(name, kind, vantage, scan))
