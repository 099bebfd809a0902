"""A school's ground in; one more host, on which real programs run, and its rows of the truth file out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sentinel.drill.native.plan import LeftOut, find_left_out, plan_native
from sentinel.drill.native.program import Program, find_programs
from sentinel.drill.native.running import RunningNative, start_native
from sentinel.drill.place.ground import SCANNER, Lot, served_port
from sentinel.drill.place.link import own_address
from sentinel.drill.school.host import Manner
from sentinel.drill.school.truth import port_words

NUMBER = 60
"""Its address in the school's network, after those of all other hosts."""

ROLE, LABEL = "native", "真实的 Debian 服务"


class RunningHost:
    """The host while it runs; a context manager that ends it.

    Attributes:
        name: its DNS name.
        running: its programs.
        left_out: programs it does without, and why.
    """

    def __init__(self, name: str, running: RunningNative, left_out: tuple[LeftOut, ...]) -> None:
        self.name = name
        self.running = running
        self.left_out = left_out

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running.stop()

    def words(self) -> dict[str, Any]:
        """Give its row under `hosts` of the truth file."""
        return {
            "role": ROLE,
            "label": LABEL,
            "name": self.name,
            "addresses": [str(self.running.address)],
            "mac": "",
            "manner": Manner.SERVES.value,
            "open_ports": len(self.running.services),
        }


@dataclass(frozen=True, slots=True)
class NativeHost:
    """A host of a practice school for real programs.

    Attributes:
        programs: what was found for it.
    """

    programs: tuple[Program, ...]

    @property
    def true_ports(self) -> frozenset[int]:
        """Ports of its services in the real world."""
        return frozenset(service.port for service in plan_native(self.programs))

    def start(self, lot: Lot, domain: str) -> RunningHost:
        """Start it on the ground of a school, whose addresses must be this process's to give.

        Raises:
            SentinelError: nothing could be started at all, or the address cannot be had.
        """
        address, name = lot.base[NUMBER], f"{ROLE}.{domain}"
        if lot.has_own_network:
            own_address(address, SCANNER)
        running = start_native(
            plan_native(self.programs, name),
            address,
            partial(served_port, offset=lot.offset),
            host=name,
            own_network=lot.has_own_network,
        )
        return RunningHost(name, running, (*find_left_out(self.programs), *running.left_out))


def find_native_host(extra: Path | None = None) -> NativeHost:
    """Look for the programs of this host on this machine, and first among the packages unpacked in `extra`.

    Raises:
        UsageError: `extra` is no folder.
    """
    return NativeHost(find_programs(extra))


def add_truth(truth: dict[str, Any], host: RunningHost) -> None:
    """Add it to the values of a truth file, behind the school's own hosts and ports."""
    truth["hosts"].append(host.words())
    truth["ports"].extend(port_words(row) for row in host.running.truth())
