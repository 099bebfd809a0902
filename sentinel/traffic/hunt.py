"""Capture files in, detections and what could not be read out."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from sentinel.errors import ParseError
from sentinel.model.flow import FlowDetection, Unreadable
from sentinel.traffic.capture import read_packets
from sentinel.traffic.flows import FlowTable
from sentinel.traffic.fragments import Fragments
from sentinel.traffic.packet import find_segment, is_known_link
from sentinel.traffic.pools import PoolFeed

Progress = Callable[[str, int, int], None]
"""Called with file, bytes read and size of the file."""

_BUFFER_BYTES = 1024 * 1024
_PROGRESS_PACKETS = 8_192


def analyze(
    paths: Iterable[str | Path], pools: PoolFeed, on_progress: Progress | None = None
) -> Iterator[FlowDetection | Unreadable]:
    """Yield what each capture holds, in the order of `paths`: flows as they end, names, then what was unreadable.

    One detection per connection, one per host and listed name. Captures are pcap or pcapng; one that breaks off keeps
    what was whole, and a bad file never stops the rest. Memory is bounded whatever the files hold.
    """
    for path in paths:
        yield from _analyze_file(str(path), pools, on_progress)


def _analyze_file(file: str, pools: PoolFeed, on_progress: Progress | None) -> Iterator[FlowDetection | Unreadable]:
    try:
        stream, size = _open(file)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        yield Unreadable(file, f"cannot be opened: {error}")
        return
    table = FlowTable(file, pools)
    fragments = Fragments()
    packets = 0
    strange: dict[int, int] = {}
    trouble = ""
    with stream:
        try:
            for link, when, data, _ in read_packets(stream):
                packets += 1
                segment = find_segment(link, data, fragments)
                if segment is not None:
                    table.add(segment, when)
                    if table.finished:
                        yield from table.take()
                elif not is_known_link(link):
                    strange[link] = strange.get(link, 0) + 1
                if on_progress is not None and not packets % _PROGRESS_PACKETS:
                    on_progress(file, stream.tell(), size)
        except (ParseError, OSError) as error:
            trouble = str(error)
    yield from table.end()
    if on_progress is not None:
        on_progress(file, size, size)
    if trouble:
        yield Unreadable(file, trouble, fatal=packets == 0)
    for link, count in strange.items():
        yield Unreadable(file, f"link type {link} is not decoded; {count} packets skipped", fatal=False)


def _open(file: str) -> tuple[BinaryIO, int]:
    """Open a regular file and give its size; a pipe or device could block for ever."""
    status = Path(file).stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    return Path(file).open("rb", buffering=_BUFFER_BYTES), status.st_size
