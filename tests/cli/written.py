"""Input files written by hand to the formats' documentation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import quoteattr

START = 1_790_000_000
"""2026-09-21T14:13:20Z."""


def service(port: int, name: str = "", *, state: str = "open", **words: str) -> str:
    """Write a `<port>` of nmap; `words` are attributes of its `<service>`."""
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in {"name": name, **words}.items() if value)
    told = f'<service{attributes} method="probed" conf="10"/>' if name else ""
    return f'<port protocol="tcp" portid="{port}"><state state="{state}" reason="syn-ack"/>{told}</port>'


def host(address: str, *ports: str, names: Iterable[str] = ()) -> str:
    """Write a `<host>` of nmap that is up."""
    known = "".join(f"<hostname name={quoteattr(name)} type='PTR'/>" for name in names)
    return (
        f'<host><status state="up" reason="echo-reply"/><address addr="{address}" addrtype="ipv4"/>'
        f"<hostnames>{known}</hostnames><ports>{''.join(ports)}</ports></host>\n"
    )


def nmap(*hosts: str, asked: str = "1-1024", target: str = "192.0.2.0/29", start: int | str = START) -> str:
    """Write a whole nmap document over tcp ports `asked` of `target`."""
    end = start + 60 if isinstance(start, int) else start
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n'
        f'<nmaprun scanner="nmap" args="nmap -sV -oX - -p {asked} {target}" start="{start}" version="7.93" '
        f'xmloutputversion="1.05">\n<scaninfo type="syn" protocol="tcp" numservices="1" services="{asked}"/>\n'
        f'{"".join(hosts)}<runstats><finished time="{end}" elapsed="60" exit="success"/>'
        f'<hosts up="{len(hosts)}" down="0" total="{len(hosts)}"/></runstats>\n</nmaprun>\n'
    )


def school(first: int, last: int, *, start: int = START, release: int = 0) -> str:
    """Write an nmap document of many hosts with five to eight open ports each; `release` moves some versions."""
    made = []
    for number in range(first, last):
        address = f"10.{20 + number // 65536}.{number // 256 % 256}.{number % 256}"
        version = f"9.{number % 7 + release}"
        ports = [service(22, "ssh", product="OpenSSH", version=version), service(80, "http", product="nginx")]
        ports += [service(1000 + number % 900 + step, "http", product=f"page {step}") for step in range(3 + number % 4)]
        made.append(host(address, *ports, names=(f"host{number}.school.example",)))
    return nmap(*made, asked="1-9999", target="10.20.0.0/16", start=start)


def masscan_json(rows: Iterable[tuple[str, int]], start: int = START) -> str:
    """Write masscan's JSON."""
    lines = [
        json.dumps(
            {
                "ip": address,
                "timestamp": str(start),
                "ports": [{"port": port, "proto": "tcp", "status": "open", "reason": "syn-ack", "ttl": 64}],
            }
        )
        for address, port in rows
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def zeek_known_services(rows: Iterable[tuple[str, str, int, str]]) -> str:
    """Write Zeek's known_services.log; each row is (time as printed, address, port, service)."""
    head = [
        "#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tknown_services",
        "#open\tXXXX-XX-XX-XX-XX-XX", "#fields\tts\thost\tport_num\tport_proto\tservice",
        "#types\ttime\taddr\tport\tenum\tset[string]",
    ]  # fmt: skip
    body = [f"{moment}\t{address}\t{port}\ttcp\t{name}" for moment, address, port, name in rows]
    return "\n".join([*head, *body, "#close\tXXXX-XX-XX-XX-XX-XX"]) + "\n"


def row_fields(row: Mapping[str, object], *, without: Sequence[str]) -> dict[str, object]:
    """Give a row without the fields that differ from run to run."""
    return {name: value for name, value in row.items() if name not in without}
