"""One conversation as written: who speaks which protocol in, and as it is planned and was held, out."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import ClassVar

Serve = Callable[[StreamReader, StreamWriter], Awaitable[None]]
Answer = Callable[[bytes], bytes]
"""A datagram in, its answer out; empty for none."""
Ask = Callable[[bytes], Awaitable[bytes]]
"""Sends a datagram and waits for its answer."""


@dataclass(frozen=True, slots=True)
class Script:
    """One conversation over TCP.

    Attributes:
        name: e.g. `xmrig` or `electrum`.
        family: mining family it speaks; empty for an ordinary conversation.
        port: port the server listens on.
        serve: the server's part.
        call: the client's part.
        domain: name the client asks TLS for; empty: it speaks in clear.
        expected: class the analysis must give it, e.g. `mining`; empty: none.
    """

    proto: ClassVar[str] = "tcp"

    name: str
    family: str
    port: int
    serve: Serve
    call: Serve
    domain: str = ""
    expected: str = ""

    @property
    def is_encrypted(self) -> bool:
        """It travels inside TLS."""
        return bool(self.domain)


@dataclass(frozen=True, slots=True)
class Datagrams:
    """One conversation over UDP.

    Attributes:
        name: e.g. `lookup` or `clock`.
        port: port the server listens on.
        answer: the server's part.
        call: the client's part.
        domain: name asked for; empty for none.
        expected: class the analysis must give it, e.g. `name`; empty: none.
    """

    proto: ClassVar[str] = "udp"
    family: ClassVar[str] = ""
    is_encrypted: ClassVar[bool] = False

    name: str
    port: int
    answer: Answer
    call: Callable[[Ask], Awaitable[None]]
    domain: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation that was held: a part of the truth.

    Attributes:
        name: name of its script.
        family: mining family; empty for an ordinary conversation.
        client: address of the client (the miner's side).
        client_port: its port.
        server: address of the server.
        server_port: its port.
        proto: `tcp` or `udp`.
        encrypted: inside TLS.
        domain: name asked for, by DNS or TLS; empty for none.
        expected: class of detection that must come of it: `mining` for this connection, `name` for this client and
            domain; empty: none.
        started: when it was held, in seconds since the epoch.
        ended: when it was over.
    """

    name: str
    family: str
    client: str
    client_port: int
    server: str
    server_port: int
    proto: str = "tcp"
    encrypted: bool = False
    domain: str = ""
    expected: str = ""
    started: float = field(default=0.0, compare=False)
    ended: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Planned:
    """A conversation with its parties and its time.

    Attributes:
        script: what is said.
        client: address of the client.
        client_port: its port.
        server: address of the server; conversations with the same one and the same script's port share it.
        start_s: when it begins, in seconds from the start of the session.
    """

    script: Script | Datagrams
    client: IPv4Address
    client_port: int
    server: IPv4Address
    start_s: float = 0.0

    @property
    def endpoint(self) -> tuple[str, int]:
        """Address and port of the server."""
        return str(self.server), self.script.port

    @property
    def conversation(self) -> Conversation:
        """What is true of it once it was held."""
        script = self.script
        return Conversation(
            script.name,
            script.family,
            str(self.client),
            self.client_port,
            *self.endpoint,
            script.proto,
            script.is_encrypted,
            script.domain,
            script.expected,
        )
