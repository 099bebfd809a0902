"""What was seen on one connection in, its detection out: which side mines, how sure that is, which coin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sentinel.model.flow import FlowClass, FlowDetection
from sentinel.traffic.moments import Span
from sentinel.traffic.names import address_text
from sentinel.traffic.nodes import Node
from sentinel.traffic.signatures import LEAST, PROOF, Sign

_OWN_NODE = 0.5
"""A machine that asks itself for a block template mines, or its owner looks at his own node: suspect."""

_HEADER_PROOF = 0.95


@dataclass(frozen=True, slots=True)
class Parties:
    """The two ends of a flow, in the direction seen first.

    Attributes:
        source: packed address.
        target: packed address.
        source_port: its port.
        target_port: its port.
        opener: 0 when the source sent the SYN, 1 when the target did, -1 when it was not captured.
    """

    source: bytes
    target: bytes
    source_port: int
    target_port: int
    opener: int

    def end(self, side: int) -> tuple[bytes, int]:
        """Give address and port of one side."""
        return (self.target, self.target_port) if side else (self.source, self.source_port)


def judge_flow(
    file: str,
    parties: Parties,
    span: Span,
    signs: Sequence[tuple[int, Sign]],
    node: tuple[int, Node] | None,
    coin_of: Callable[[bytes], str],
) -> FlowDetection | None:
    """Build the detection of a flow; None when neither a sign nor a node was seen.

    `coin_of` gives the coin of an address that a listed name led to.
    """
    side = miner_side(parties, signs)
    (host, host_port), (peer, peer_port) = parties.end(side), parties.end(1 - side)
    best = max((sign for _, sign in signs), key=_weight, default=None)
    if best is not None and best.certainty >= LEAST:
        certainty = best.certainty
        if best.family == "getblocktemplate" and host == peer and certainty < _HEADER_PROOF:
            certainty = _OWN_NODE
        flow_class = FlowClass.MINING if certainty >= PROOF else FlowClass.SUSPECT
        family, text = best.family, best.text
        coin = coin_of(peer) or _coin(signs, family)
        agent, wallet = _first(signs, "agent"), _first(signs, "wallet")
    elif node is not None:
        family, certainty, coin, text = node[1].family, node[1].certainty, node[1].coin, node[1].text
        flow_class, agent, wallet = FlowClass.NODE, "", ""
    else:
        return None
    return FlowDetection(
        file=file,
        host=address_text(host),
        host_port=host_port,
        peer=address_text(peer),
        peer_port=peer_port,
        family=family,
        flow_class=flow_class,
        certainty=certainty,
        coin=coin,
        first_seen=span.first_seen,
        last_seen=span.last_seen,
        packets=span.packets,
        payload_bytes=span.size_bytes,
        evidence=text,
        agent=agent,
        wallet=wallet,
    )


def miner_side(parties: Parties, signs: Sequence[tuple[int, Sign]]) -> int:
    """Tell which side mines: who speaks as client, else who hears a server, else who sent the SYN, else by port."""
    for by_client in (True, False):
        votes = [0.0, 0.0]
        for side, sign in signs:
            if sign.by_client is by_client:
                votes[side if by_client else 1 - side] += sign.certainty
        if votes[0] != votes[1]:
            return 0 if votes[0] > votes[1] else 1
    if parties.opener >= 0:
        return parties.opener
    return 0 if parties.source_port >= parties.target_port else 1


def _weight(sign: Sign) -> tuple[float, bool]:
    return sign.certainty, sign.by_client


def _coin(signs: Sequence[tuple[int, Sign]], family: str) -> str:
    """Take what a job says before what a login says: a wallet tells where the money goes, not what is mined."""
    by_server = next((sign.coin for _, sign in signs if sign.coin and not sign.by_client), "")
    return by_server or _first(signs, "coin") or ("ETH" if family == "ethproxy" else "")


def _first(signs: Sequence[tuple[int, Sign]], name: str) -> str:
    return next((value for _, sign in signs if (value := getattr(sign, name))), "")
