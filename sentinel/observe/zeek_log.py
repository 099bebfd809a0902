"""One row of a Zeek log in, the hosts and names it shows out; one function per log."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sentinel.model.observation import (
    CLOSED,
    OPEN,
    Certificate,
    EndpointObservation,
    HostObservation,
    NameObservation,
    Observation,
)
from sentinel.model.ports import PROTOCOLS
from sentinel.model.unit import IPAddress
from sentinel.observe.nmap_script import is_hex
from sentinel.observe.text import (
    clean_name,
    cut_text,
    is_host,
    parse_address,
    parse_port,
)
from sentinel.observe.zeek_holding import observe_lease, observe_login
from sentinel.observe.zeek_row import Found, Row, read_moment, row_address, row_text

ACCEPTED = frozenset({"SF", "S1", "S2", "S3", "RSTO", "RSTR"})
"""States of TCP connections the responder had accepted. Source: Zeek 6, base/protocols/conn/main.zeek."""

REJECTED = "REJ"

MAX_NAMES = 500
"""Names and answers looked at in one row."""

_WEB_PROTOCOLS = frozenset({"h2", "http/1.1", "http/1.0", "h3"})
_TLS_NAMES = frozenset({"ssl", "tls"})
_REVERSE = (".in-addr.arpa", ".ip6.arpa")
_COMMON_NAME = re.compile(r"(?:^|,)\s*CN=((?:\\.|[^,\\])*)")
_SELF_SIGNED = frozenset({"self signed certificate", "self-signed certificate"})


@dataclass(frozen=True, slots=True)
class Log:
    """A kind of log.

    Attributes:
        path: its name, as in `#path`.
        required: fields without which it says nothing.
        optional: further fields that are looked at.
        lists: fields that hold several values, whatever the header says of types.
        marks: sets of fields by which a log without a path is known.
        observe: reads a row.
    """

    path: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    lists: frozenset[str]
    marks: tuple[frozenset[str], ...]
    observe: Callable[[Row], Found]

    @property
    def fields(self) -> frozenset[str]:
        """All fields that are looked at."""
        return frozenset((*self.required, *self.optional))


def observe_conn(row: Row) -> Found:
    """Read a connection: the responder has an open port when it accepted, a closed one when it refused.

    One that proves nothing of the responder is kept as a sight of its originator, which is not called up: anybody can
    write a sender's address.
    """
    address, port = row_address(row, "id.resp_h"), _port(row, "id.resp_p")
    if address is None or port is None:
        return None
    if not is_host(address) or row_text(row, "local_resp") == "F":
        return _originator(row)
    proto, state = row_text(row, "proto").lower(), row_text(row, "conn_state")
    services = _services(row.get("service", []))
    if proto == "tcp" and state == REJECTED:
        return (_host(row, address, EndpointObservation(proto, port, CLOSED, state)),)
    has_answer = any(row_text(row, name).strip("0") for name in ("resp_pkts", "resp_bytes"))
    if (proto == "tcp" and state in ACCEPTED) or (proto == "udp" and services and has_answer):
        return (_host(row, address, _open(proto, port, services, cut_text(state))),)
    return _originator(row)


def _originator(row: Row) -> Found:
    address = row_address(row, "id.orig_h")
    if address is None or not is_host(address):
        return ()
    return (HostObservation(address, up=False, time=read_moment(row)),)


def observe_dns(row: Row) -> Found:
    """Read a query: the name with each address answered, or alone; reverse lookups are no names."""
    name = clean_name(row_text(row, "query"))
    if not name or name.endswith(_REVERSE):
        return ()
    answers = [address for text in row.get("answers", [])[:MAX_NAMES] if (address := parse_address(text)) is not None]
    time = read_moment(row)
    if not answers:
        return (NameObservation(name, None, time, "dns"),)
    return tuple(NameObservation(name, address, time, "dns") for address in answers)


def observe_ssl(row: Row) -> Found:
    """Read a TLS session: the name asked for, and an open port that speaks TLS when it was established."""
    address, port = row_address(row, "id.resp_h"), _port(row, "id.resp_p")
    if address is None or port is None:
        return None
    if not is_host(address):
        return ()
    found: list[Observation] = []
    name = clean_name(row_text(row, "server_name"))
    if name and parse_address(name) is None:
        found.append(NameObservation(name, address, read_moment(row), "tls"))
    if row_text(row, "established") == "T":
        service = "http" if row_text(row, "next_protocol").lower() in _WEB_PROTOCOLS else ""
        certificate = _certificate(row, "subject", "issuer")
        found.append(
            _host(
                row,
                address,
                EndpointObservation("tcp", port, OPEN, "established", service, tunnel="ssl", certificate=certificate),
            )
        )
    return tuple(found)


def observe_x509(row: Row) -> Found:
    """Read a certificate: the names it covers; the log does not tell who showed it."""
    names = [*row.get("san.dns", [])[:MAX_NAMES]]
    subject = common_name(row_text(row, "certificate.subject"))
    if "." in subject and " " not in subject:
        names.insert(0, subject)
    time = read_moment(row)
    clean = dict.fromkeys(clean_name(name) for name in names)
    return tuple(
        NameObservation(name, None, time, "certificate") for name in clean if name and parse_address(name) is None
    )


def observe_http(row: Row) -> Found:
    """Read a request: the responder has an open web port, and the name asked for points to it unless it is a proxy."""
    address, port = row_address(row, "id.resp_h"), _port(row, "id.resp_p")
    if address is None or port is None:
        return None
    if not is_host(address):
        return ()
    found: list[Observation] = [_host(row, address, _open("tcp", port, ["http"], "request"))]
    name = clean_name(_without_port(row_text(row, "host")))
    if name and parse_address(name) is None:
        is_proxy = row_text(row, "method").upper() == "CONNECT" or row_text(row, "uri").lower().startswith("http://")
        found.append(NameObservation(name, None if is_proxy else address, read_moment(row), "http"))
    return tuple(found)


def observe_known_hosts(row: Row) -> Found:
    """Read a host that completed a handshake."""
    address = row_address(row, "host")
    if address is None:
        return None
    return (_host(row, address),) if is_host(address) else ()


def observe_known_services(row: Row) -> Found:
    """Read an open port with the protocols Zeek recognised on it."""
    address, port, proto = row_address(row, "host"), _port(row, "port_num"), row_text(row, "port_proto").lower()
    if address is None or port is None:
        return None
    if not is_host(address) or proto not in PROTOCOLS:
        return ()
    return (_host(row, address, _open(proto, port, _services(row.get("service", [])), "")),)


def observe_known_certs(row: Row) -> Found:
    """Read a certificate shown by a host of the network."""
    address, port = row_address(row, "host"), _port(row, "port_num")
    if address is None or port is None:
        return None
    if not is_host(address):
        return ()
    certificate = _certificate(row, "subject", "issuer_subject")
    return (_host(row, address, EndpointObservation("tcp", port, OPEN, tunnel="ssl", certificate=certificate)),)


def observe_software(row: Row) -> Found:
    """Read a piece of software: an open port for a server with a known port, else only the host that runs it."""
    address = row_address(row, "host")
    if address is None:
        return None
    if not is_host(address):
        return ()
    kind, port = row_text(row, "software_type").upper(), parse_port(row_text(row, "host_p"))
    product = cut_text(row_text(row, "name"))
    version = cut_text(_version(row))
    system = f"{product} {version}".strip() if kind.startswith("OS::") else ""
    if port is None or not ("SERVER" in kind or "APPLICATION" in kind):
        return (_host(row, address, system=system),)
    service = cut_text(kind.partition("::")[0].lower())
    endpoint = EndpointObservation(
        "udp" if service == "dhcp" else "tcp", port, OPEN, "", service, product=product, version=version,
        extra=cut_text(row_text(row, "unparsed_version")),
    )  # fmt: skip
    return (_host(row, address, endpoint),)


def common_name(distinguished: str) -> str:
    r"""Give the common name of `CN=a,O=b\, c`, or the whole where it has none."""
    found = _COMMON_NAME.search(distinguished[:4_096])
    return cut_text((found[1].replace("\\", "") if found else distinguished).strip())


def guess_log(names: tuple[str, ...]) -> Log | None:
    """Find the log whose marks are among the field names; None when there is none."""
    have = frozenset(names)
    for log in LOGS.values():
        if any(marks <= have for marks in log.marks) and (log.path != "known_hosts" or have <= {"ts", "host"}):
            return log
    return None


def _port(row: Row, name: str) -> int | None:
    return parse_port(row_text(row, name))


def _host(row: Row, address: IPAddress, *endpoints: EndpointObservation, system: str = "") -> HostObservation:
    return HostObservation(address, up=True, answered=True, time=read_moment(row), endpoints=endpoints, os=system)


def _services(values: list[str]) -> list[str]:
    """Give the protocols recognised, lower case; a leading minus marks one that turned out to be wrong."""
    names = [cut_text(name.strip().lower()) for value in values for name in value.split(",")]
    return list(dict.fromkeys(name for name in names if name and not name.startswith("-")))


def _open(proto: str, port: int, services: list[str], reason: str) -> EndpointObservation:
    plain = [name for name in services if name not in _TLS_NAMES]
    return EndpointObservation(
        proto=proto,
        port=port,
        state=OPEN,
        reason=reason,
        service=plain[0] if plain else "",
        extra=cut_text("; ".join(plain[1:])),
        tunnel="ssl" if len(plain) < len(services) else "",
    )


def _certificate(row: Row, subject_field: str, issuer_field: str) -> Certificate | None:
    subject, issuer = row_text(row, subject_field), row_text(row, issuer_field)
    digest = row_text(row, "cert_chain_fps").lower()
    if not (subject or issuer or digest):
        return None
    self_signed: bool | None = subject == issuer if subject and issuer else None
    if row_text(row, "validation_status").lower() in _SELF_SIGNED:
        self_signed = True
    sha = digest if is_hex(digest, 64) else f"sha1:{digest}" if is_hex(digest, 40) else ""
    return Certificate(sha256=sha, subject=common_name(subject), issuer=common_name(issuer), self_signed=self_signed)


def _version(row: Row) -> str:
    numbers = [row_text(row, f"version.{part}") for part in ("major", "minor", "minor2", "minor3")]
    text = ".".join(number for number in numbers if number)
    addition = row_text(row, "version.addl")
    return f"{text}-{addition}" if text and addition else text or addition


def _without_port(host: str) -> str:
    """Take the port from a Host header; an IPv6 address stands in brackets there."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _log(
    path: str, required: str, optional: str, marks: tuple[str, ...], observe: Callable[[Row], Found], lists: str = ""
) -> Log:
    sets = tuple(frozenset(mark.split()) for mark in marks)
    return Log(path, tuple(required.split()), ("ts", *optional.split()), frozenset(lists.split()), sets, observe)


_RESPONDER = "id.resp_h id.resp_p"

LOGS = {
    log.path: log
    for log in (
        _log("conn", f"{_RESPONDER} proto conn_state", "id.orig_h service local_resp resp_pkts resp_bytes",
             ("conn_state",), observe_conn),
        _log("dns", "query", "answers", ("AA RD", "query rcode", "query qtype"), observe_dns, "answers"),
        _log("dhcp", "assigned_addr", "mac host_name client_fqdn msg_types lease_time server_addr",
             ("assigned_addr mac", "msg_types mac"), observe_lease, "msg_types"),
        _log("radius", "framed_addr", "id.orig_h username mac result",
             ("framed_addr username", "username connect_info"), observe_login),
        _log("ssl", _RESPONDER, "server_name established next_protocol cert_chain_fps subject issuer validation_status",
             ("established cipher", "established id.resp_h"), observe_ssl, "cert_chain_fps"),
        _log("x509", "certificate.subject", "san.dns", ("certificate.subject", "certificate.version"), observe_x509,
             "san.dns"),
        _log("http", _RESPONDER, "host uri method", ("trans_depth id.resp_h",), observe_http),
        _log("known_services", "host port_num port_proto", "service", ("port_num port_proto",), observe_known_services,
             "service"),
        _log("known_certs", "host port_num", "subject issuer_subject", ("port_num subject", "port_num issuer_subject"),
             observe_known_certs),
        _log("software", "host software_type", "host_p name version.major version.minor version.minor2 version.minor3 "
             "version.addl unparsed_version", ("software_type",), observe_software),
        _log("known_hosts", "host", "", ("host",), observe_known_hosts),
    )
}  # fmt: skip
"""The logs sentinel reads, by path."""
