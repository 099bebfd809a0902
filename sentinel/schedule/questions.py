"""What somebody asks the whitelist on the command line in; the question, with the side its peer stands on, out."""

from __future__ import annotations

import re

from sentinel.assess.explain import Question
from sentinel.errors import UsageError
from sentinel.model.plain import read_plain_address
from sentinel.model.unit import IPAddress, Unit, choose_network
from sentinel.model.whitelist import Direction, Peer, PeerKind
from sentinel.schedule.context import Context
from sentinel.schedule.entries import parse_domain
from sentinel.store.units import read_networks

_PLACE = re.compile(
    r"(?:\[([0-9A-Fa-f:.]+)\]|([\d.]+))(?::(\d{1,5})(?:/(tcp|udp))?)?\Z|([0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)\Z"
)


def read_question(context: Context, unit: Unit, text: str, *, peer: str, direction: str, service: str = "") -> Question:
    """Read `10.0.0.5`, `10.0.0.5:443/tcp`, `[2001:db8::5]:443` or a domain.

    Raises:
        UsageError: it is none of these, or the peer or the direction is none.
    """
    if direction not in set(Direction):
        raise UsageError(f"--direction: no such direction: {direction!r} ({', '.join(Direction)})")
    found = _PLACE.match(text.strip())
    side = _read_peer(context, unit, peer)
    try:
        if found is None:
            return Question(name=parse_domain(text), peer=side, direction=Direction(direction))
        port = int(found[3]) if found[3] else None
        if port is not None and port > 65535:
            raise ValueError("ports run from 0 to 65535")
        return Question(
            address=read_plain_address(found[1] or found[2] or found[5]),
            port=port,
            proto=found[4] or "tcp",
            service=service.strip().lower(),
            peer=side,
            direction=Direction(direction),
        )
    except ValueError as error:
        raise UsageError(f"{text!r}: {error}") from error


def _read_peer(context: Context, unit: Unit, text: str) -> Peer:
    word = text.strip().lower()
    if word in {PeerKind.CAMPUS, PeerKind.INTERNET}:
        return Peer(PeerKind(word))
    try:
        address = read_plain_address(word)
    except ValueError as error:
        raise UsageError(f"--peer: {text!r} is neither campus, internet, nor an address") from error
    return Peer(PeerKind.CAMPUS if _is_on_campus(context, unit, address) else PeerKind.INTERNET, address)


def _is_on_campus(context: Context, unit: Unit, address: IPAddress) -> bool:
    """Tell whether an address is the unit's own, or one the internet does not know."""
    _, in_scope = choose_network(read_networks(context.database, unit.code), address)
    return in_scope or not address.is_global
