"""What somebody else hosts (a cloud, a vendor), and their written consent to look at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sentinel.model.scope import Target


@dataclass(frozen=True, slots=True)
class Hosting:
    """Addresses and names of a unit that stand with a third party (托管).

    Attributes:
        id: row id; 0 before it is stored.
        unit: code of the unit.
        party: who hosts them, e.g. `某云服务商`.
        targets: addresses, prefixes and names.
        document: number or title of the written consent; empty: there is none.
        valid_from: first moment of the consent.
        valid_to: last moment of the consent.
        created: when it was entered.
        withdrawn_at: when the consent was withdrawn; what is hosted stays so.
    """

    id: int
    unit: str
    party: str
    targets: tuple[Target, ...]
    document: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    created: datetime | None = None
    withdrawn_at: datetime | None = None

    def is_consent(self, now: datetime) -> bool:
        """Tell whether the party consents at `now`."""
        if not self.document or self.withdrawn_at is not None or self.valid_from is None or self.valid_to is None:
            return False
        return self.valid_from <= now <= self.valid_to
