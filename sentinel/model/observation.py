"""Observations: what foreign bytes say, before anybody decides what it means for the map."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sentinel.model.ports import PortSet
from sentinel.model.probe import ProbeObservation
from sentinel.model.sighting import Sighting
from sentinel.model.unit import IPAddress

OPEN = "open"
CLOSED = "closed"
FILTERED = "filtered"
OPEN_FILTERED = "open|filtered"
UNFILTERED = "unfiltered"
CLOSED_FILTERED = "closed|filtered"


@dataclass(frozen=True, slots=True)
class Certificate:
    """An X.509 certificate as a server showed it. Fields the source did not tell are None or empty.

    Attributes:
        sha256: hex digest over the DER; `sha1:<hex>` where the source tells only that; empty if neither.
        subject: common name, or the whole subject when there is none.
        issuer: common name of the issuer, or the whole issuer.
        names: DNS names and addresses it covers, lower case.
        not_before: start of validity, UTC.
        not_after: end of validity, UTC.
        key_type: `rsa`, `ec`, `ed25519`, `dsa`, `sm2` …
        key_bits: key length in bits.
        signature: algorithm, e.g. `sha256WithRSAEncryption`.
        self_signed: issuer equals subject.
    """

    sha256: str = ""
    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    key_type: str = ""
    key_bits: int | None = None
    signature: str = ""
    self_signed: bool | None = None


@dataclass(frozen=True, slots=True)
class EndpointObservation:
    """One port of one address as a source saw it.

    Attributes:
        proto: `tcp`, `udp` or `sctp`.
        port: 0 to 65535.
        state: nmap's word: open, closed, filtered, open|filtered, unfiltered, closed|filtered.
        reason: why, e.g. `syn-ack`, `reset`, `no-response`.
        service: protocol name, e.g. `http`; `tls` is told by `tunnel`, not here.
        guessed: the service name only follows from the port number (nmap method="table").
        product: e.g. `nginx`.
        version: e.g. `1.22.1`.
        extra: other words of the detector, e.g. `Ubuntu Linux; protocol 2.0`.
        tunnel: `ssl` when the service speaks inside TLS.
        cpes: CPE names, all of them.
        title: title of the page at `/`, at most 200 characters.
        certificate: what TLS showed.
        scripts: results of nmap scripts as (id, text of at most 4,000 characters).
    """

    proto: str
    port: int
    state: str
    reason: str = ""
    service: str = ""
    guessed: bool = False
    product: str = ""
    version: str = ""
    extra: str = ""
    tunnel: str = ""
    cpes: tuple[str, ...] = ()
    title: str = ""
    certificate: Certificate | None = None
    scripts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HostObservation:
    """One address as a source saw it.

    Attributes:
        address: the address; the same address may come more than once.
        up: the source says it is there. A source without the notion: it showed an open port or traffic of its own.
        answered: proof of life beyond the source's word: an open or closed port, an ICMP or layer-2 answer.
        layer2: it answered on layer 2 (ARP, NDP).
        complete: the source finished with this address: its ports not listed are as `rest` says.
        time: when; None where the timestamp is masked or impossible.
        endpoints: ports listed one by one.
        rest: state of every port of the run's port set that is not listed, by protocol: closed, filtered …;
            a protocol without an entry is `filtered` when complete. Ports named in `rest_closed` are closed.
        rest_closed: unlisted ports known one by one to be closed, by protocol (nmap 7.92 and later list them).
        names: names seen for the address, lower case, no final dot.
        mac: `aa:bb:cc:dd:ee:ff` or empty.
        vendor: maker of the network card, as the tool says.
        os: best guess of the operating system, or empty.
        reason: why the source calls it up or down, e.g. `arp-response`, `user-set`, `no-response`.
    """

    address: IPAddress
    up: bool
    answered: bool = False
    layer2: bool = False
    complete: bool = False
    time: datetime | None = None
    endpoints: tuple[EndpointObservation, ...] = ()
    rest: tuple[tuple[str, str], ...] = ()
    rest_closed: tuple[tuple[str, PortSet], ...] = ()
    names: tuple[str, ...] = ()
    mac: str = ""
    vendor: str = ""
    os: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NameObservation:
    """A domain name in use (DNS answer, TLS server name).

    Attributes:
        name: lower case, no final dot.
        address: what it pointed to, if the source tells.
        time: when; None where masked or impossible.
        source: `dns`, `tls`, `certificate` …
    """

    name: str
    address: IPAddress | None = None
    time: datetime | None = None
    source: str = "dns"


@dataclass(frozen=True, slots=True)
class RunObservation:
    """How the observations were made; comes first, at most once a file.

    Attributes:
        tool: `nmap`, `masscan`, `zeek`.
        version: the tool's version, e.g. `7.93`.
        arguments: its command line as the file tells it, at most 4,000 characters.
        started: start of the run; None where masked or impossible.
        ports: port set each complete address was asked, by protocol; empty where the source has no such notion.
    """

    tool: str
    version: str = ""
    arguments: str = ""
    started: datetime | None = None
    ports: tuple[tuple[str, PortSet], ...] = ()


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The source says it finished; comes last. A truncated file has none.

    Attributes:
        finished: end of the run; None where masked or impossible.
        silent: addresses that were asked and are not listed because nothing came back, as inclusive ranges.
        probes: packets sent, when the file tells.
        before: a moment the file must have been written before, e.g. when the first lease in it ends; it bounds the
            time of a run whose file tells none.
        accounts: the source names accounts of persons, whether the observations do or leave them out.
        passed_over: what was read and says nothing of hosts, by kind, with how many, e.g. `("alert", 12)`.
    """

    finished: datetime | None = None
    silent: tuple[tuple[IPAddress, IPAddress], ...] = ()
    probes: int | None = None
    before: datetime | None = None
    accounts: bool = False
    passed_over: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """Something in the file could not be read; what came before it stands.

    Attributes:
        what: one line for people, lower case: what is missing and why.
        where: byte offset or line, e.g. `byte 10431`, `line 17`.
        rows: how many rows or elements were dropped; 0 when it cannot be known.
    """

    what: str
    where: str = ""
    rows: int = field(default=0)


Observation = RunObservation | HostObservation | NameObservation | ProbeObservation | Sighting | RunEnd | Loss
