"""Who holds which public prefix, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sentinel.model.unit import IPNetwork


@dataclass(frozen=True, slots=True)
class Owner:
    """A public prefix in the hands of a unit.

    Attributes:
        unit: code of the unit.
        network: name of the network it was declared with.
        prefix: the prefix.
        valid_from: first moment.
        valid_to: first moment after it; None: it lasts.
    """

    unit: str
    network: str
    prefix: IPNetwork
    valid_from: datetime
    valid_to: datetime | None = None
