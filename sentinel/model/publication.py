"""Publications (公网映射): which public address, port or name leads to which inside host, and through what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentinel.model.unit import IPAddress

LAST_PORT = 65_535


class Via(StrEnum):
    """What stands between outside and inside."""

    NAT = "nat"
    WAF = "waf"
    PROXY = "proxy"
    SITE_GROUP = "site_group"
    BALANCER = "balancer"
    OTHER = "other"

    @property
    def zh(self) -> str:
        """The Chinese word."""
        return _VIA_WORDS[self].split()[0]


_VIA_WORDS = {
    Via.NAT: "NAT 地址映射 端口映射 静态映射 目的nat dnat nat_server 防火墙",
    Via.WAF: "WAF web应用防火墙 应用防火墙",
    Via.PROXY: "反向代理 代理 nginx",
    Via.SITE_GROUP: "站群 站群系统 网站群",
    Via.BALANCER: "负载均衡 负载",
    Via.OTHER: "其他 其它",
}


def parse_via(text: str) -> Via:
    """Read what stands between, by its English or Chinese word.

    Raises:
        ValueError: it is none of them.
    """
    word = "".join(text.split()).lower()
    for via, words in _VIA_WORDS.items():
        if word == via.value or word in words.lower().split():
            return via
    raise ValueError(f"no such way ({'、'.join(f'{via.value} {via.zh}' for via in Via)})")


class PublicationState(StrEnum):
    """Where a publication stands: only those in force join the two views."""

    IN_FORCE = "in_force"
    PROPOSED = "proposed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Mapping:
    """What one rule of a firewall or proxy says.

    Attributes:
        outside: public address; None: not told, so the name alone leads in.
        proto: `tcp`, `udp`, or empty: any.
        first_port: first public port; 0: all ports.
        last_port: last public port.
        inside: inside address.
        inside_port: port inside that answers for the first public port; 0: the same ports.
        name: domain name asked for; empty: any.
        via: what stands between.
        note: name of the rule, or what is said of it.
        line: line or row it was read from.
    """

    outside: IPAddress | None
    proto: str
    first_port: int
    last_port: int
    inside: IPAddress
    inside_port: int = 0
    name: str = ""
    via: Via = Via.NAT
    note: str = ""
    line: int = 0

    def __post_init__(self) -> None:
        """Refuse what leads nowhere.

        Raises:
            ValueError: ports out of range, neither an address nor a name, or the same address on both sides.
        """
        if not 0 <= self.first_port <= self.last_port <= LAST_PORT or bool(self.first_port) != bool(self.last_port):
            raise ValueError("no range of ports")
        if not self.inside_port >= 0 or self.inside_port + self.last_port - self.first_port > LAST_PORT:
            raise ValueError("no range of ports inside")
        if self.proto not in {"", "tcp", "udp"} or (self.first_port and not self.proto):
            raise ValueError("a port needs its protocol: tcp or udp")
        if self.outside is None and not self.name:
            raise ValueError("neither a public address nor a name")
        if self.outside == self.inside:
            raise ValueError("the same address outside and inside")

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two of them the same."""
        inside = self.inside_port or self.first_port
        return (self.outside, self.proto, self.first_port, self.last_port, self.inside, inside, self.name)

    def inside_of(self, proto: str, port: int) -> int | None:
        """Give the inside port of a public one; None when it is not published."""
        if (self.proto and self.proto != proto) or (self.first_port and not self.first_port <= port <= self.last_port):
            return None
        return self.inside_port + port - self.first_port if self.inside_port else port

    def outside_of(self, proto: str, port: int) -> int | None:
        """Give the public port that leads to an inside one; None when none does."""
        if self.proto and self.proto != proto:
            return None
        if not self.first_port:
            return port
        outside = port - (self.inside_port or self.first_port) + self.first_port
        return outside if self.first_port <= outside <= self.last_port else None


@dataclass(frozen=True, slots=True)
class Publication:
    """A mapping of a unit, with where it comes from and how it stands.

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit.
        mapping: what leads where.
        source: `declared`, the format of a file, `certificate` or `title`.
        reason: why it was proposed, for people; empty when nobody had to guess.
        state: how it stands.
        created: when it was entered.
        valid_from: first moment; None: as long as anybody knows.
        valid_to: last moment; None: without end.
        decided: when a person decided.
        decided_by: who.
        why: reason of the decision.
    """

    id: int
    unit: str
    mapping: Mapping
    source: str
    reason: str = ""
    state: PublicationState = PublicationState.IN_FORCE
    created: datetime | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    decided: datetime | None = None
    decided_by: str = ""
    why: str = ""

    def holds(self, at: datetime) -> bool:
        """Tell whether it leads anywhere at a moment."""
        began = self.valid_from is None or self.valid_from <= at
        return self.state is PublicationState.IN_FORCE and began and (self.valid_to is None or at <= self.valid_to)
