"""Sockets of the machine itself that answer on every address, so that nobody takes them for the school's."""

from __future__ import annotations

from pathlib import Path

_TCP_LISTEN = "0A"


def foreign_listeners(proc_net: Path = Path("/proc/net")) -> tuple[tuple[str, int], ...]:
    """List (`tcp`, port) of sockets of this machine that listen on every address, sorted.

    They answer on the school's addresses too and are not the school's. Tables that cannot be read are empty.

    Source: proc_pid_net(5), columns local_address and st.
    """
    ports: set[int] = set()
    for name in ("tcp", "tcp6"):
        try:
            rows = (proc_net / name).read_text("ascii").split("\n")[1:]
        except OSError:
            continue  # a kernel without IPv6 has no tcp6
        for row in rows:
            columns = row.split()
            if len(columns) > 3 and columns[3] == _TCP_LISTEN:
                address, _, port = columns[1].partition(":")
                if not address.strip("0"):
                    ports.add(int(port, 16))
    return tuple(("tcp", port) for port in sorted(ports))
