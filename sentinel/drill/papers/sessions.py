"""NAT sessions in, the log lines of a firewall out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address

from sentinel.model.moment import SHANGHAI

DEVICE = "SCHOOL-FW"
_PRIORITY = 190
"""Facility local7, severity informational. Source: RFC 3164, 4.1.1."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class NatSession:
    """One connection that went out through the firewall.

    Attributes:
        start: when it began.
        end: when it ended; None while it lasts.
        proto: `tcp`, `udp` or `icmp`.
        inside: address of the machine in the school.
        inside_port: its port.
        public: address the world saw.
        public_port: port the world saw.
        peer: whom it spoke to.
        peer_port: the peer's port.
    """

    start: datetime
    end: datetime | None
    proto: str
    inside: IPv4Address
    inside_port: int
    public: IPv4Address
    public_port: int
    peer: IPv4Address
    peer_port: int


def nat_sessions(sessions: Sequence[NatSession]) -> bytes:
    """Write two lines a session, when it was created and when it ended, all in the order of their time.

    The lines are made after the published format of H3C Comware 7 firewalls (message NAT_FLOW, fields with their
    numbers), not recorded from a device. The head of a line is in Asia/Shanghai, as such devices are set up; begin and
    end are in UTC, as Comware writes them.
    """
    lines = [(one.start, _write_line(one, None)) for one in sessions]
    lines += [(one.end, _write_line(one, one.end)) for one in sessions if one.end is not None]
    return "".join(f"{line}\n" for _, line in sorted(lines, key=lambda pair: pair[0])).encode()


def _write_line(one: NatSession, end: datetime | None) -> str:
    local = (end or one.start).astimezone(SHANGHAI)
    fields = (
        ("Protocol(1001)", one.proto.upper()),
        ("Application(1002)", f"general_{one.proto}"),
        ("SrcIPAddr(1003)", one.inside),
        ("SrcPort(1004)", one.inside_port),
        ("NatSrcIPAddr(1005)", one.public),
        ("NatSrcPort(1006)", one.public_port),
        ("DstIPAddr(1007)", one.peer),
        ("DstPort(1008)", one.peer_port),
        ("NatDstIPAddr(1009)", one.peer),
        ("NatDstPort(1010)", one.peer_port),
        ("RcvVPNInstance(1042)", ""),
        ("SndVPNInstance(1043)", ""),
        ("BeginTime_e(1013)", _write_time(one.start)),
        ("EndTime_e(1014)", _write_time(end) if end else ""),
        ("Event(1048)", "(1)Normal over" if end else "(8)Session created"),
    )
    stamp = f"{_MONTHS[local.month - 1]} {local:%d %H:%M:%S %Y}"
    return f"<{_PRIORITY}>{stamp} {DEVICE} %%10NAT/6/NAT_FLOW: " + "".join(f"{name}={value};" for name, value in fields)


def _write_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%m%d%Y%H%M%S}"
