"""nmap's XML as it streams by in, counts of what was finished and sent out; nothing is kept of the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX_LINE = 1 << 20

# nmap escapes `<` in everything it heard, so these byte strings are its own words (checked against 7.93).
_SILENT = re.compile(rb'<state state="[a-z|]+" reason="no-responses?"')
_SILENT_REST = re.compile(rb'<extrareasons reason="no-responses?" count="(\d{1,6})"')
_PROGRESS = re.compile(
    rb'<task(?:begin|progress) task="([A-Za-z0-9 -]{1,40})"[^>]*?(?: percent="(\d{1,3}(?:\.\d+)?)"|/>)'
)


@dataclass(slots=True)
class Tally:
    """Counts over nmap XML, fed in chunks of any size.

    Attributes:
        hosts: addresses finished, whether they answered or not.
        down: of these, addresses that showed no sign of life on layer 2 and were not asked further.
        open: ports in state exactly open.
        silent: ports that never answered; each was asked twice.
        ended: the document has its end.
        stage: what nmap is at, e.g. `service scan`; empty before it says so.
        percent: how much of that is done, 0 to 100.
    """

    hosts: int = 0
    down: int = 0
    open: int = 0
    silent: int = 0
    ended: bool = False
    stage: str = ""
    percent: float = 0.0
    _rest: bytes = b""

    def feed(self, chunk: bytes) -> None:
        """Count what `chunk` completes; lines longer than 1 MiB are counted in pieces."""
        text = self._rest + chunk
        cut = text.rfind(b"\n") + 1
        if not cut and len(text) > _MAX_LINE:
            cut = len(text)
        self._count(text[:cut])
        self._rest = text[cut:]

    def finish(self) -> None:
        """Count what stands after the last line break."""
        self._count(self._rest)
        self._rest = b""

    def probes(self, pairs_per_host: int, *, services: bool) -> int:
        """Give the least number of packets or connection attempts that were sent to the finished addresses.

        One for every port asked, a second for every silent one (`--max-retries 1`), one for every address that was
        only asked on layer 2, and with service detection one connection for every open port. Not counted, so that the
        figure is a lower bound: repeats to ports that answered late, the second and later connections of service
        detection, and addresses not finished when a job was cut short.
        """
        asked = (self.hosts - self.down) * pairs_per_host
        return asked + self.silent + self.down + (self.open if services else 0)

    def _count(self, text: bytes) -> None:
        self.hosts += text.count(b"</host>")
        self.down += text.count(b'<status state="down"')
        self.open += text.count(b'<state state="open"')
        self.silent += len(_SILENT.findall(text)) + sum(int(count) for count in _SILENT_REST.findall(text))
        self.ended = self.ended or b"</nmaprun>" in text
        for task, percent in _PROGRESS.findall(text):
            self.stage, self.percent = task.decode("ascii").lower(), float(percent or 0)
