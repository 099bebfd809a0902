"""A trace: the stored facts it is made of, and the chain from an address and a moment to a card and a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sentinel.model.endpoint import Endpoint
from sentinel.model.finding import Finding
from sentinel.model.flow import FlowDetection
from sentinel.model.register import RegisterEntry
from sentinel.model.sighting import HoldingSource
from sentinel.model.unit import IPAddress, Zone


class Told(StrEnum):
    """How a source told a holding.

    Seen: at moments, joined where they follow each other. Held: from a beginning to an end. Begun: a beginning, its end
    untold; renewals join. Ended: an end, its beginning untold.
    """

    SEEN = "seen"
    HELD = "held"
    BEGUN = "begun"
    ENDED = "ended"


class LogKind(StrEnum):
    """A kind of log a trace needs."""

    NAT = "nat"
    RADIUS = "radius"
    PORTAL = "portal"
    DHCP = "dhcp"
    ARP = "arp"
    NEIGHBOUR = "neighbour"
    MAC = "mac"


class Certainty(StrEnum):
    """How sure a link is, the surest first."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"

    @property
    def rank(self) -> int:
        """0 for the surest."""
        return tuple(Certainty).index(self)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who or what held an address, as one source tells it.

    Attributes:
        source: what told it.
        mac: `aa:bb:cc:dd:ee:ff` or empty.
        name: host name the client gave.
        client_id: DHCP client identifier.
        device: who told it.
        port: switch port, access point or SSID.
        vlan: VLAN.
        account: row id of the account name, which is sealed; None without one.
    """

    source: HoldingSource
    mac: str = ""
    name: str = ""
    client_id: str = ""
    device: str = ""
    port: str = ""
    vlan: str = ""
    account: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A stretch of time in which an address was held.

    Attributes:
        network: row id of the network of the address.
        address: the address.
        holder: who held it.
        told: how it was told, which says what `since` and `until` mean.
        since: first moment.
        until: last moment.
        evidence: SHA-256 of a file that told it.
    """

    network: int
    address: IPAddress
    holder: Holder
    told: Told
    since: datetime
    until: datetime
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Attached:
    """A stretch of time in which a switch or access controller knew a card on a port.

    Attributes:
        mac: the card.
        device: switch or controller.
        port: port, access point or SSID.
        vlan: VLAN.
        since: first moment.
        until: last moment.
        evidence: SHA-256 of a file that told it.
    """

    mac: str
    device: str
    port: str
    vlan: str
    since: datetime
    until: datetime
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Translated:
    """What a NAT made of an inside address.

    Attributes:
        network: row id of the network of the inside address.
        proto: `tcp`, `udp`, `icmp` or empty for all.
        outside: public address.
        ports: first and last outside port.
        since: first moment.
        until: last moment; None where the log does not tell.
        inside: address inside.
        inside_port: port inside; None for a block.
        peer: the other end, where told.
        peer_port: its port.
        device: firewall that told it.
        evidence: SHA-256 of the file that told it.
        declared: no log told it: it is a publication (公网映射) in force.
    """

    network: int
    proto: str
    outside: IPAddress
    ports: tuple[int, int]
    since: datetime
    until: datetime | None
    inside: IPAddress
    inside_port: int | None = None
    peer: IPAddress | None = None
    peer_port: int | None = None
    device: str = ""
    evidence: str = ""
    declared: bool = False

    @property
    def is_whole(self) -> bool:
        """The whole address is translated, not a port of it."""
        return self.ports == (0, 65_535)


@dataclass(frozen=True, slots=True)
class LogSpan:
    """A stretch of time an imported log speaks of.

    Attributes:
        kind: what kind of log.
        device: who wrote it; empty where the log does not tell.
        subject: for NAT the public address it speaks of; None for others.
        since: first line.
        until: last line; there is no hole in between, see `sentinel.inventory.joining.Busy`.
        evidence: SHA-256 of the file.
    """

    kind: LogKind
    device: str
    subject: IPAddress | None
    since: datetime
    until: datetime
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        address: inside or public.
        at: the moment.
        port: public port; None: not told.
        proto: `tcp` or `udp`; empty: either.
        peer: the other end of the connection, where known.
        peer_port: its port.
        tolerance_s: by how much clocks may disagree.
    """

    address: IPAddress
    at: datetime
    port: int | None = None
    proto: str = ""
    peer: IPAddress | None = None
    peer_port: int | None = None
    tolerance_s: int = 120


class Gap(StrEnum):
    """Why a link is missing."""

    NO_NAT_LOG = "no_nat_log"
    PORT_NOT_NAMED = "port_not_named"
    PORT_NEEDED = "port_needed"
    NO_HOLDING_LOG = "no_holding_log"
    NOT_HELD = "not_held"
    NO_CARD = "no_card"
    NO_MAC_TABLE = "no_mac_table"
    NOT_ATTACHED = "not_attached"
    NO_ACCOUNT = "no_account"
    ACCOUNT_NOT_NAMED = "account_not_named"
    ACCOUNT_SEALED = "account_sealed"
    NO_OWNER = "no_owner"
    RANDOM_CARD = "random_card"
    PURGED = "purged"


@dataclass(frozen=True, slots=True)
class Break:
    """A missing link.

    Attributes:
        gap: why.
        subject: what it is about: an address, card or public address.
        kinds: the logs that would tell.
        nearest: end of the newest such log before, and beginning of the oldest after; None where there is none.
    """

    gap: Gap
    subject: str = ""
    kinds: tuple[LogKind, ...] = ()
    nearest: tuple[datetime | None, datetime | None] = (None, None)


@dataclass(frozen=True, slots=True)
class HoldingLink:
    """One source's word on who held the address, judged.

    Attributes:
        held: the stretch.
        until: when it ended at the latest; None where nothing tells.
        certainty: how sure it is that it held at the moment asked for.
        off_s: seconds between the stretch and the moment; 0 inside.
    """

    held: Held
    until: datetime | None
    certainty: Certainty
    off_s: int = 0


@dataclass(frozen=True, slots=True)
class AttachmentLink:
    """Where a card was, judged; fields as in `HoldingLink`.

    Attributes:
        cards: how many cards were known on that port around then; many on an uplink, one or few where it is plugged in.
    """

    attached: Attached
    certainty: Certainty
    off_s: int = 0
    cards: int = 0


@dataclass(frozen=True, slots=True)
class TranslationLink:
    """What a NAT did, judged; fields as in `HoldingLink`."""

    translated: Translated
    certainty: Certainty
    off_s: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """A candidate: one card, or one holder whose card is not told.

    Attributes:
        mac: the card, or empty.
        vendor: its maker, or empty.
        is_random: the address of the card was made up by its system (locally administered).
        names: host names it gave.
        accounts: row ids of account names, see `Trace.accounts`.
        holdings: what says that it held the address, the surest first.
        attachments: where it was, the surest first; a core switch sees all cards on its way up.
        others: what else the card or account held around that time.
        certainty: of the surest holding.
        breaks: what is missing.
    """

    mac: str
    vendor: str
    is_random: bool
    names: tuple[str, ...]
    accounts: tuple[int, ...]
    holdings: tuple[HoldingLink, ...]
    attachments: tuple[AttachmentLink, ...]
    others: tuple[Held, ...]
    certainty: Certainty
    breaks: tuple[Break, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """An inside address with all that belongs to it at the moment.

    Attributes:
        address: the address.
        network: name of its network.
        zone: what the network serves.
        in_scope: a declared network holds it.
        certainty: that it was this one; certain where the address was asked for itself.
        translations: how the public address led here.
        cards: candidates, the surest first.
        names: names known for it in DNS and scans.
        os: best guess of the operating system.
        department: who answers for it by the register.
        line: the line of the register that holds it.
        endpoints: open ports then.
        findings: findings that lived then.
        flows: mining flows around then.
        asset: number of the asset it belonged to; None for none.
        breaks: what is missing.
    """

    address: IPAddress
    network: str
    zone: Zone
    in_scope: bool
    certainty: Certainty
    translations: tuple[TranslationLink, ...] = ()
    cards: tuple[Card, ...] = ()
    names: tuple[str, ...] = ()
    os: str = ""
    department: str = ""
    line: RegisterEntry | None = None
    endpoints: tuple[Endpoint, ...] = ()
    findings: tuple[Finding, ...] = ()
    flows: tuple[tuple[str, FlowDetection], ...] = ()
    asset: int | None = None
    breaks: tuple[Break, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """An answer.

    Attributes:
        unit: code of the unit.
        question: what was asked.
        places: the inside addresses it may have been, the surest first.
        exit: name of the exit the public address belongs to, or empty.
        breaks: what is missing before any place.
        accounts: account names by row id; None where the contact key is not here, masked unless asked for.
    """

    unit: str
    question: Question
    places: tuple[Place, ...]
    exit: str = ""
    breaks: tuple[Break, ...] = ()
    accounts: dict[int, str | None] = field(default_factory=dict)
