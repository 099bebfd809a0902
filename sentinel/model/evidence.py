"""Evidence: bytes somebody or something produced, named by their SHA-256."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RunKind(StrEnum):
    """How evidence came: read from a file, or made by a collector of ours."""

    IMPORT = "import"
    SCAN = "scan"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A kept blob (证据).

    Attributes:
        sha256: 64 hex digits over the bytes as they came, before compression; the run's identity.
        size_bytes: length of those bytes.
        name: file name or job name, for people.
        format: the parser's name, e.g. `nmap-xml`.
        received_at: when sentinel got them.
    """

    sha256: str
    size_bytes: int
    name: str
    format: str
    received_at: datetime
