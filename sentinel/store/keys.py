"""Small questions about keys, the same on both kinds of database: how addresses sort, a subject's host, a row's id.

SQLite calls these functions, PostgreSQL has them as functions of its own (`sentinel.store.postgres_schema`).
"""

from __future__ import annotations

from ipaddress import ip_address


def address_key(address: str) -> bytes:
    """Give bytes that sort as addresses do: version, then number."""
    if ":" in address:
        return b"\x06" + ip_address(address).packed
    return b"\x04" + bytes(map(int, address.split(".")))


def host_of(subject: str) -> str:
    """Give the host of a finding's subject: `10.0.0.5` of `10.0.0.5:443/tcp`, `10.0.0.5` of `10.0.0.5 stratum`."""
    place = subject.partition(" ")[0]
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return place.partition(":")[0] if place.count(":") == 1 else place


MOST = (1 << 63) - 1
"""The largest number either kind of database holds."""


def clip_row_id(number: int) -> int:
    """Give a number a person typed as one the database can compare; a huge one is no row's."""
    return number if 0 <= number <= MOST else -1


def read_row_id(text: str) -> int | None:
    """Read a row's number, however many digits it has; None: it is a text."""
    if not (text.isascii() and text.isdigit()):
        return None
    return clip_row_id(int(text)) if len(text) < 20 else -1


def escape_like(text: str) -> str:
    """Take their meaning from `%` and `_`, for a LIKE that escapes by a backslash."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
