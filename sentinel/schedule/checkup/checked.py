"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sentinel.errors import SentinelError

State = Literal["ok", "limited", "missing"]


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at.

    Attributes:
        name: what.
        state: ok, limited (something costs more or less is seen), or missing.
        detail: what was found, and what it costs.
        remedy: the command or step that mends it; empty when nothing is to do.
        error: what commands on this home end with because of it; None: most still work.
    """

    name: str
    state: State
    detail: str
    remedy: str = ""
    error: SentinelError | None = None
