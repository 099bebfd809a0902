"""Fragments of IP datagrams in, whole datagrams out, within a bounded store."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_DATAGRAMS = 512
"""Half-built datagrams kept; the oldest goes first (512 x 64 KiB is the most memory this can take)."""

_LARGEST = 65_535
_MOST_PIECES = 256
"""64 KiB in the smallest packets that networks carry come in fewer pieces."""


@dataclass(slots=True)
class _Parts:
    """The pieces of one datagram: offset to bytes; `total` is known once the last piece came."""

    pieces: dict[int, bytes] = field(default_factory=dict)
    total: int | None = None


class Fragments:
    """Joins fragments; the first copy of a piece wins, as most receivers do it."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[bytes, _Parts] = {}

    def join(self, datagram: bytes, offset: int, last: bool, piece: bytes) -> bytes | None:
        """Give the whole payload once all pieces of `datagram` (its addresses, id and protocol) came, else None."""
        if not piece or offset + len(piece) > _LARGEST:
            return None
        parts = self._waiting.get(datagram)
        if parts is None:
            if len(self._waiting) >= MOST_DATAGRAMS:
                del self._waiting[next(iter(self._waiting))]
            parts = self._waiting[datagram] = _Parts()
        if len(parts.pieces) >= _MOST_PIECES:
            del self._waiting[datagram]
            return None
        parts.pieces.setdefault(offset, piece)
        if last:
            parts.total = offset + len(piece)
        whole = _assemble(parts)
        if whole is not None:
            del self._waiting[datagram]
        return whole


def _assemble(parts: _Parts) -> bytes | None:
    if parts.total is None or sum(map(len, parts.pieces.values())) < parts.total:
        return None
    whole = bytearray()
    for offset in sorted(parts.pieces):
        if offset > len(whole):
            break
        piece = parts.pieces[offset]
        if offset + len(piece) > len(whole):
            whole += piece[len(whole) - offset :]
    return bytes(whole[: parts.total]) if len(whole) >= parts.total else None
