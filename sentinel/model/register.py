"""The declared layer: what a unit's own register (资产台账) says it has, who answers for it, and what must stay out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentinel.model.ports import PortSet
from sentinel.model.unit import IPNetwork


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to call; personal data, sealed at rest and masked unless asked for.

    Attributes:
        name: as on papers.
        phone: as written, e.g. `0371-6000 0000`.
        mail: address, or empty.
    """

    name: str = ""
    phone: str = ""
    mail: str = ""

    @property
    def is_nobody(self) -> bool:
        """Nothing is known of the person."""
        return not (self.name or self.phone or self.mail)

    @property
    def masked(self) -> Person:
        """The same with all but what tells one person from another hidden: `张*`, `138****1234`, `z***@a.example`."""
        digits = "".join(one for one in self.phone if one.isdigit())
        head, at, host = self.mail.partition("@")
        return Person(
            self.name[:1] + "*" * min(max(len(self.name) - 1, 1), 2) if self.name else "",
            f"{digits[:3] if len(digits) >= 8 else ''}****{digits[-4:] if len(digits) >= 11 else digits[-2:]}"
            if self.phone
            else "",
            f"{head[:1]}***{at}{host}" if self.mail else "",
        )


class ContactRole(StrEnum):
    """What a unit names somebody for."""

    SECURITY = "security"
    HEAD = "head"
    LEADER = "leader"
    TECHNICAL = "technical"
    GENERAL = "general"
    DUTY = "duty"

    @property
    def zh(self) -> str:
        """The word on Chinese papers."""
        return _ROLE_WORDS[self].split()[0]


_ROLE_WORDS = {
    ContactRole.SECURITY: "网络安全联系人 网络安全",
    ContactRole.HEAD: "网络安全负责人 负责人",
    ContactRole.LEADER: "分管领导 分管校领导 分管负责人",
    ContactRole.TECHNICAL: "技术联系人 管理员 网络管理员",
    ContactRole.GENERAL: "联系人 一般联系人",
    ContactRole.DUTY: "值班 值班人员 值班电话",
}


def parse_role(text: str) -> ContactRole:
    """Read what a contact is for, by its English or Chinese word.

    Raises:
        ValueError: it is none of them.
    """
    word = text.strip().lower()
    for role, words in _ROLE_WORDS.items():
        if word == role.value or word in words.split():
            return role
    raise ValueError(f"no such role ({'、'.join(f'{role.value} {role.zh}' for role in ContactRole)})")


@dataclass(frozen=True, slots=True)
class Contact:
    """A person a unit names for a task (联系人), from a day on.

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit.
        role: what for, a `ContactRole`, e.g. `security` (网络安全联系人).
        person: None when it cannot be opened: the key is not on this machine.
        since: when it was entered.
        verified: when it was last found right.
    """

    id: int
    unit: str
    role: str
    person: Person | None
    since: datetime
    verified: datetime


@dataclass(frozen=True, slots=True)
class Exit:
    """A way from a unit to the internet (出口) with the public addresses seen outside.

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit.
        name: as people call it, e.g. `教育网出口`.
        prefixes: its public addresses.
        provider: who runs it (运营商), e.g. `中国教育和科研计算机网`.
        line: number of the line (线路号、专线号).
    """

    id: int
    unit: str
    name: str
    prefixes: tuple[IPNetwork, ...]
    provider: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True)
class KeepOut:
    """Addresses sentinel neither touches nor stores anything of (涉密 and the like).

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit.
        prefixes: the addresses.
        reason: why, without any detail of what stands there.
    """

    id: int
    unit: str
    prefixes: tuple[IPNetwork, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One line of a unit's register as the unit wrote it.

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit.
        source: file it came from.
        source_sha256: sum of that file; the file itself is not kept, for it names persons.
        sheet: name of the sheet; empty for CSV.
        row: row as the spreadsheet shows it.
        system: name of the system.
        addresses: its addresses and prefixes.
        domains: its names.
        ports: its ports by protocol, in the order written.
        department: who answers for it (责任部门).
        person: who in it; None when it cannot be opened: the key is not on this machine.
        mlps_level: graded-protection level as written, e.g. `二级`.
        filing: number of the filing (等保备案号).
        kind: what it is, e.g. `服务器`.
        place: where it stands.
        note: what else is said.
        valid_from: first moment; None: always.
        valid_to: last moment; None: without end.
        imported_at: when it was read.
    """

    id: int
    unit: str
    source: str
    source_sha256: str
    sheet: str
    row: int
    system: str = ""
    addresses: tuple[IPNetwork, ...] = ()
    domains: tuple[str, ...] = ()
    ports: tuple[tuple[str, PortSet], ...] = ()
    department: str = ""
    person: Person | None = Person()
    mlps_level: str = ""
    filing: str = ""
    kind: str = ""
    place: str = ""
    note: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    imported_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Tell whether the register says that it is in use at `now`."""
        return (self.valid_from is None or self.valid_from <= now) and (self.valid_to is None or now <= self.valid_to)
