"""What a range can hold, a school or a crowd, under one face for its keeper."""

from __future__ import annotations

import json
from typing import Any, Protocol

from sentinel.drill.crowd.running import RunningCrowd
from sentinel.drill.native.host import RunningHost, add_truth
from sentinel.drill.place.ground import Ground
from sentinel.drill.school.running import RunningSchool
from sentinel.drill.school.truth import build_truth
from sentinel.errors import UsageError


class Stand(Protocol):
    """Something a keeper keeps up."""

    @property
    def is_running(self) -> bool:
        """All of it lives."""

    def play(self, cue: str) -> None:
        """Play a cue.

        Raises:
            UsageError: it has no such cue.
        """

    def status(self) -> dict[str, Any]:
        """Tell what it holds now."""

    def truth(self) -> dict[str, Any]:
        """Give its truth file as values."""


class SchoolStand:
    """A practice school, and beside it the host of real programs where one was wanted."""

    def __init__(self, ground: Ground, school: RunningSchool, native: RunningHost | None = None) -> None:
        self._ground = ground
        self._school = school
        self._native = native

    @property
    def is_running(self) -> bool:
        """The processes that serve it live."""
        return self._school.alive and (self._native is None or self._native.running.alive)

    def play(self, cue: str) -> None:
        """Play a cue, or all with `change`.

        Raises:
            UsageError: this school has no such cue.
        """
        self._school.cue(cue)

    def status(self) -> dict[str, Any]:
        """Tell where it stands and what it holds now."""
        plan, lot, native = self._school.plan, self._school.plan.lot, self._native
        truth = (*self._school.truth(), *(native.running.truth() if native else ()))
        return {
            "kind": "school",
            "school": plan.name,
            "seed": plan.seed,
            "offset": lot.offset,
            "networks": [str(prefix) for prefix in (lot.base, lot.base6) if prefix is not None],
            "hosts": len(plan.hosts(self._school.played)) + (native is not None),
            "tcp": sum(row.proto == "tcp" for row in truth),
            "udp": sum(row.proto == "udp" for row in truth),
            "ipv6": sum(row.address.version == 6 for row in truth),
            "cues": [cue.value for cue in plan.steps],
            "played": sorted(self._school.played),
            "losses": [loss.value for loss in self._ground.losses],
            "native": [f"{program.kind} {program.version}" for program in native.running.programs] if native else [],
            "left_out": [list(one) for one in native.left_out] if native else [],
        }

    def truth(self) -> dict[str, Any]:
        """Give the truth as the school is now."""
        truth = build_truth(self._school.plan, self._school.played)
        if self._native is not None:
            add_truth(truth, self._native)
        return truth


class CrowdStand:
    """A crowd of hundreds or thousands of addresses; nothing happens in it on cue."""

    def __init__(self, crowd: RunningCrowd, loss: float, delay_ms: float) -> None:
        self._running = crowd
        self._loss = loss
        self._delay_ms = delay_ms

    @property
    def is_running(self) -> bool:
        """All its processes live."""
        return self._running.is_running

    def play(self, cue: str) -> None:
        """Refuse.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{cue}: a crowd has no cues")

    def status(self) -> dict[str, Any]:
        """Tell what it holds."""
        crowd = self._running.crowd
        return {
            "kind": "crowd",
            "school": "",
            "seed": crowd.seed,
            "offset": 0,
            "networks": [str(crowd.base)],
            "hosts": len(crowd.hosts),
            "tcp": len(crowd.truth()),
            "udp": 0,
            "ipv6": 0,
            "cues": [],
            "played": [],
            "losses": [],
            "native": [],
            "left_out": [],
            "loss": self._loss,
            "delay_ms": self._delay_ms,
        }

    def truth(self) -> dict[str, Any]:
        """Give the truth of all hosts."""
        truth: dict[str, Any] = json.loads(self._running.crowd.truth_json())
        return truth
