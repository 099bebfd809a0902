"""The machine and the home in; what works, what is limited, what is missing and what mends it out."""

from __future__ import annotations

from pathlib import Path

from sentinel.schedule.checkup.checked import Checked, State
from sentinel.schedule.checkup.machine import examine_machine
from sentinel.schedule.checkup.place import examine_home
from sentinel.store.home import Home

__all__ = ["Checked", "State", "examine"]


def examine(home: Path) -> tuple[Checked, ...]:
    """Look at the machine and at a home; nothing is sent."""
    return (*examine_machine(), *examine_home(Home(home)))
