"""A run of bytes from one direction of a TCP connection in, what it shows out: signs of mining, names, full nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sentinel.traffic.masking import mask_text
from sentinel.traffic.messages import read_messages
from sentinel.traffic.names import parse_greeting
from sentinel.traffic.nodes import Node, parse_node
from sentinel.traffic.signatures import Sign, Transport, add_head, read_head_sign, read_sign
from sentinel.traffic.web import HttpMessage, is_http, read_http
from sentinel.traffic.websocket import read_websocket

_FRAME_STARTS = b"\x81\x82\xc1"


@dataclass(frozen=True, slots=True)
class NameSeen:
    """A name a client asked for.

    Attributes:
        family: `dns`, `tls` or `http`.
        name: lower case.
        text: where it stood, for people.
    """

    family: str
    name: str
    text: str


Seen = Sign | NameSeen | Node


def read_run(data: bytes) -> Iterator[Seen]:
    """Yield what the run shows, in order; nothing for a protocol that is not read."""
    if is_http(data):
        for message in read_http(data):
            yield from _read_http_message(message)
        return
    node = parse_node(data)
    if node is not None:
        yield node
    elif data[:1] and data[0] in _FRAME_STARTS:
        yield from _read_frames(data)
    else:
        yield from _read_json(data, Transport.PLAIN)


def _read_http_message(message: HttpMessage) -> Iterator[Seen]:
    if message.target:
        yield NameSeen("http", message.target, mask_text(f"{message.start[:120]} Host: {message.target}", [], []))
    head = read_head_sign(message)
    signs = list(_read_json(message.body, Transport.HTTP)) if message.body.lstrip()[:1] in (b"{", b"[") else []
    for sign in signs:
        certainty = max(sign.certainty, head.certainty) if head else sign.certainty
        yield add_head(replace(sign, certainty=certainty), message)
    if head and not signs:
        yield head
    if message.is_websocket:
        yield from _read_frames(message.tunnel)
    elif message.tunnel:
        yield from _read_tunnel(message.tunnel)


def _read_tunnel(data: bytes) -> Iterator[Seen]:
    """Read what goes through a proxy: plain JSON, or TLS of which only the name shows."""
    if data[:1] == b"\x16":
        if name := parse_greeting(data).name:
            yield NameSeen("tls", name, f"TLS SNI {name}")
    else:
        yield from _read_json(data, Transport.PLAIN)


def _read_frames(data: bytes) -> Iterator[Sign]:
    for content in read_websocket(data):
        if content.lstrip()[:1] in (b"{", b"["):
            yield from _read_json(content, Transport.WEBSOCKET)


def _read_json(data: bytes, transport: Transport) -> Iterator[Sign]:
    for message in read_messages(data):
        sign = read_sign(message, transport)
        if sign is not None:
            yield sign
