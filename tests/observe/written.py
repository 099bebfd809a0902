"""Small files written by hand to the formats' documentation, and ways to read them."""

from __future__ import annotations

import io
from collections.abc import Iterable

from sentinel.model.observation import HostObservation, Loss, Observation, RunEnd, RunObservation
from sentinel.observe import choose_parser

START = 1_790_000_000
"""2026-09-21T14:13:20Z."""


def read(data: bytes | str, name: str = "file") -> list[Observation]:
    """Choose a parser for the bytes and read them whole."""
    raw = data.encode() if isinstance(data, str) else data
    return list(choose_parser(raw, name).parse(io.BytesIO(raw)))


def hosts_of(observations: Iterable[Observation]) -> list[HostObservation]:
    return [one for one in observations if isinstance(one, HostObservation)]


def run_of(observations: Iterable[Observation]) -> RunObservation:
    (run,) = [one for one in observations if isinstance(one, RunObservation)]
    return run


def losses_of(observations: Iterable[Observation]) -> list[Loss]:
    return [one for one in observations if isinstance(one, Loss)]


def ends_of(observations: Iterable[Observation]) -> list[RunEnd]:
    return [one for one in observations if isinstance(one, RunEnd)]


def port(number: int, state: str = "open", service: str = "", inside: str = "", proto: str = "tcp") -> str:
    """Write a `<port>`; `service` is the attributes of its `<service>`, `inside` what follows that."""
    words = f"<service {service}/>" if service else ""
    return f'<port protocol="{proto}" portid="{number}"><state state="{state}" reason="syn-ack"/>{words}{inside}</port>'


def host(
    address: str, inside: str = "", status: str = '<status state="up" reason="echo-reply"/>', times: str = ""
) -> str:
    """Write a `<host>` with one address."""
    kind = "ipv6" if ":" in address else "ipv4"
    return f'<host {times}>{status}<address addr="{address}" addrtype="{kind}"/>{inside}</host>\n'


def extraports(state: str, reasons: str = "", count: int = 10) -> str:
    return f'<extraports state="{state}" count="{count}">{reasons}</extraports>'


def nmap(
    *hosts: str,
    args: str = "nmap -oX - 192.0.2.0/29",
    scaninfo: str = '<scaninfo type="syn" protocol="tcp" numservices="3" services="22,80,443"/>',
    total: int = 8,
    finished: str = 'exit="success"',
    doctype: str = "<!DOCTYPE nmaprun>",
) -> str:
    """Write a whole nmap document."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}\n'
        f'<nmaprun scanner="nmap" args="{args}" start="{START}" version="7.93" xmloutputversion="1.05">\n'
        f'{scaninfo}\n<verbose level="0"/>\n{"".join(hosts)}'
        f'<runstats><finished time="{START + 60}" elapsed="60" {finished}/>'
        f'<hosts up="{len(hosts)}" down="0" total="{total}"/></runstats>\n</nmaprun>\n'
    )


def nmap_host(inside: str = "", **words: str) -> HostObservation:
    """Read one host of an nmap document."""
    (found,) = hosts_of(read(nmap(host("192.0.2.1", inside, **words))))
    return found


CONN_FIELDS = (
    "ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "orig_bytes", "resp_bytes",
    "conn_state", "local_orig", "local_resp", "orig_pkts", "resp_pkts",
)  # fmt: skip
CONN_TYPES = (
    "time", "string", "addr", "port", "addr", "port", "enum", "string", "count", "count", "string", "bool", "bool",
    "count", "count",
)  # fmt: skip


def conn(**cells: str) -> str:
    """Write a row of conn.log: an accepted SSH connection unless told otherwise; `__` in a name is a dot."""
    row = {
        "ts": "1790000000.5", "uid": "C1", "id.orig_h": "192.0.2.9", "id.orig_p": "50000", "id.resp_h": "192.0.2.1",
        "id.resp_p": "22", "proto": "tcp", "service": "ssh", "orig_bytes": "10", "resp_bytes": "20", "conn_state": "SF",
        "local_orig": "T", "local_resp": "T", "orig_pkts": "3", "resp_pkts": "3",
        **{name.replace("__", "."): cell for name, cell in cells.items()},
    }  # fmt: skip
    return "\t".join(row[name] for name in CONN_FIELDS)


def zeek(path: str, fields: Iterable[str], types: Iterable[str], *rows: str, close: bool = True) -> str:
    """Write a tab-separated Zeek log."""
    head = [
        "#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", f"#path\t{path}",
        "#open\t2026-09-21-22-00-00", "\t".join(("#fields", *fields)), "\t".join(("#types", *types)),
    ]  # fmt: skip
    return "\n".join([*head, *rows, *(["#close\t2026-09-21-23-00-00"] if close else [])]) + "\n"


def conn_log(*rows: str) -> str:
    return zeek("conn", CONN_FIELDS, CONN_TYPES, *rows)
