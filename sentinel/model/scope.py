"""What may be touched: levels, authorisations, targets, and refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from sentinel.model.unit import IPNetwork


class Level(IntEnum):
    """How far an authorisation reaches; a higher level contains the lower ones."""

    PASSIVE = 0
    DISCOVER = 1
    SERVICE = 2
    CHECK = 3

    @classmethod
    def named(cls, text: str) -> Level:
        """Read `passive`, `discover`, `service` or `check`.

        Raises:
            ValueError: it is none of them.
        """
        try:
            return cls[text.strip().upper()]
        except KeyError as error:
            raise ValueError(f"no such level: {text!r} (passive, discover, service, check)") from error

    @property
    def word(self) -> str:
        """The lower-case name used in text and JSON."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to look at, validated: an address, a prefix, or a domain name.

    Attributes:
        text: canonical text, e.g. `192.0.2.0/24`, `www.school.example`.
        network: address or prefix as a network; None for a name.
        name: lower-case name without the final dot; empty for addresses.
    """

    text: str
    network: IPNetwork | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A row that allows looking (扫描授权).

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit whose addresses they are.
        targets: what it covers.
        excluded: addresses and names inside the targets that stay untouched.
        by: who authorised, as on the document.
        document: number or title of the document.
        valid_from: first moment it holds.
        valid_to: last moment it holds.
        level: how far it reaches.
        allow_loopback: loopback addresses may be touched (practice on one's own machine).
        rate_pps: packets or connection attempts a second at most, over all its targets.
        withdrawn_at: when it was withdrawn, if it was.
    """

    id: int
    unit: str
    targets: tuple[Target, ...]
    by: str
    document: str
    valid_from: datetime
    valid_to: datetime
    level: Level
    allow_loopback: bool = False
    rate_pps: int = 100
    excluded: tuple[Target, ...] = ()
    withdrawn_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Tell whether it holds at `now`."""
        return self.withdrawn_at is None and self.valid_from <= now <= self.valid_to


class RefusalReason(StrEnum):
    """Why the gate said no."""

    MALFORMED = "malformed"
    FORBIDDEN = "forbidden"
    LOOPBACK = "loopback"
    UNAUTHORISED = "unauthorised"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    LEVEL = "level"
    RATE = "rate"
    EXCLUDED = "excluded"
    LOGS_ONLY = "logs_only"
    TOO_LARGE = "too_large"
    UNRESOLVED = "unresolved"
    OUTSIDE = "outside"
    KEPT_OUT = "kept_out"
    NO_CONSENT = "no_consent"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One target the gate refused; nothing was sent to it.

    Attributes:
        target: as the caller wrote it, cut to 200 characters and made printable.
        reason: the kind of refusal.
        detail: a sentence for people, lower case.
    """

    target: str
    reason: RefusalReason
    detail: str
