"""One row of Zeek's dhcp.log or radius.log in; the host and who held its address out."""

from __future__ import annotations

from datetime import datetime, timedelta

from sentinel.model.observation import HostObservation, Observation
from sentinel.model.sighting import HoldingObservation, HoldingSource
from sentinel.observe.text import clean_mac, clean_name, cut_text, is_host, parse_address, read_mac
from sentinel.observe.zeek_row import Found, Row, read_moment, row_address, row_text

MAX_LEASE_S = 100 * 366 * 86_400
"""A longer lease has no end."""


def observe_lease(row: Row) -> Found:
    """Read a DHCP conversation: the host that was given an address, with its network card and its name.

    One that ended before the server's acknowledgement (offers, refusals, questions without a lease) shows nothing.
    """
    kinds = {kind.upper() for kind in row.get("msg_types", [])}
    text = row_text(row, "assigned_addr")
    if not text or (kinds and "ACK" not in kinds):
        return ()
    address = row_address(row, "assigned_addr")
    if address is None:
        return None
    if not is_host(address):
        return ()
    names = dict.fromkeys(clean_name(row_text(row, name)) for name in ("host_name", "client_fqdn"))
    known = tuple(name for name in names if name and parse_address(name) is None)
    mac, since = clean_mac(row_text(row, "mac")), read_moment(row)
    host = HostObservation(address, up=True, answered=True, time=since, names=known, mac=mac, reason="dhcp-active")
    if not mac and not known:
        return (host,)
    server = row_address(row, "server_addr")
    holding = HoldingObservation(
        address,
        HoldingSource.DHCP,
        mac,
        since,
        end_of_lease(since, row_text(row, "lease_time")),
        name=known[0] if known else "",
        device=str(server) if server else "",
    )
    return host, holding


def observe_login(row: Row) -> Found:
    """Read a RADIUS conversation: who was given which address; a refused one, or one without an address, nothing."""
    address = row_address(row, "framed_addr")
    if address is None:
        return None if row_text(row, "framed_addr") else ()
    if row_text(row, "result").lower() == "failed" or not is_host(address):
        return ()
    mac, user = read_mac(row_text(row, "mac")), cut_text(row_text(row, "username"))
    found: list[Observation] = [
        HoldingObservation(
            address,
            HoldingSource.RADIUS,
            mac,
            read_moment(row),
            user="" if mac and read_mac(user) == mac else user,
            device=cut_text(row_text(row, "id.orig_h")),
        )
    ]
    return tuple(found)


def names_account(row: Row) -> bool:
    """Tell whether a row names an account, also one that was refused or given no address; a card's address is none."""
    user, mac = row_text(row, "username"), read_mac(row_text(row, "mac"))
    return bool(user) and not (mac and read_mac(user) == mac)


def end_of_lease(since: datetime | None, seconds: str) -> datetime | None:
    """Give when a lease of so many seconds ends; None where it cannot be told."""
    try:
        length = float(seconds)
    except ValueError:
        return None
    if since is None or not 0 < length <= MAX_LEASE_S:
        return None
    return since + timedelta(seconds=length)
