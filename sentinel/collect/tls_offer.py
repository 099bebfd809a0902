"""What to offer a TLS server in; the bytes of a ClientHello out, from SSL 2 to TLS 1.3 and TLCP.

Source: RFC 8446 section 4.1.2 and 4.2, RFC 5246 section 7.4.1.2, RFC 6101 section 5.6.1.2, GB/T 38636-2020 for TLCP;
SSL 2 from the draft of Netscape, sections 1.2 and 2.5.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from types import MappingProxyType

TLS_1_3, TLS_1_2, TLS_1_1, TLS_1_0, SSL_3, SSL_2, TLCP = 0x0304, 0x0303, 0x0302, 0x0301, 0x0300, 0x0002, 0x0101

VERSION_NAMES: Mapping[int, str] = MappingProxyType(
    {
        TLS_1_3: "tls1.3",
        TLS_1_2: "tls1.2",
        TLS_1_1: "tls1.1",
        TLS_1_0: "tls1.0",
        SSL_3: "ssl3",
        SSL_2: "ssl2",
        TLCP: "tlcp",
    }
)
"""Name of each version as the values of a look give it, newest first."""

HANDSHAKE = 22
CLIENT_HELLO = 1
PROTOCOLS = ("h2", "http/1.1")

_X25519, _P256, _P384, _P521, _SM2_GROUP = 29, 23, 24, 25, 41
_CURVES = (_X25519, _P256, _P384, _P521, 30, _SM2_GROUP, 22, 21, 19)
_FINITE = (256, 257, 258)
_RENEGOTIATION_SIGNAL = 0x00FF
_SIGNATURES = (
    *(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B),
    *(0x0401, 0x0501, 0x0601, 0x0708, 0x0303, 0x0301, 0x0402, 0x0302, 0x0203, 0x0201, 0x0202, 0x0101),
)
_SHORTEST = 512
"""Bytes of an offer; some old load balancers hang on one of 256 to 511 (RFC 7685)."""

_SSL_2_SUITES = (0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700C0)


@dataclass(frozen=True, slots=True)
class Offer:
    """What one ClientHello offers.

    Attributes:
        version: the newest version it knows.
        suites: cipher suites, the dearest first.
        name: server name to ask for; none where it is empty or an address.
        has_protocols: it names the protocols of a web browser (ALPN).
        is_plain: it keeps to what the oldest servers bear: no compression, few extensions, no padding.
    """

    version: int
    suites: Sequence[int]
    name: str = ""
    has_protocols: bool = False
    is_plain: bool = False


def write_offer(offer: Offer) -> bytes:
    """Give the record of a ClientHello."""
    if offer.version == SSL_2:
        return _write_ssl2()
    old = min(offer.version, TLS_1_2)
    suites = (*offer.suites, _RENEGOTIATION_SIGNAL)
    compressions = b"\1\0" if not offer.is_plain and offer.version <= TLS_1_2 else b"\0"
    session = os.urandom(32) if offer.version == TLS_1_3 else b""
    body = struct.pack(">H", old) + os.urandom(32) + _sized(1, session)
    body += _sized(2, _numbers(suites)) + _sized(1, compressions)
    if offer.version != SSL_3:
        body += _write_extensions(offer, len(body))
    message = bytes([CLIENT_HELLO]) + _sized(3, body)
    record = {SSL_3: SSL_3, TLCP: TLCP}.get(offer.version, TLS_1_0)
    return struct.pack(">BH", HANDSHAKE, record) + _sized(2, message)


def sent_name(name: str) -> str:
    """Give the server name a look may send: a plain host name, or nothing for addresses and what is no name."""
    text = name.strip().rstrip(".").lower()
    try:
        ip_address(text)
    except ValueError:
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
        return text if 0 < len(text) < 254 and text.isprintable() and " " not in text else ""
    return ""


def _write_extensions(offer: Offer, before_bytes: int) -> bytes:
    is_newest = offer.version == TLS_1_3
    parts = [_extension(0, _sized(2, b"\0" + _sized(2, offer.name.encode())))] if offer.name else []
    parts.append(_extension(10, _sized(2, _numbers((*_CURVES, *_FINITE) if is_newest else _CURVES))))
    parts.append(_extension(11, _sized(1, b"\0")))
    if offer.version in {TLS_1_2, TLS_1_3}:
        parts.append(_extension(13, _sized(2, _numbers(_SIGNATURES))))
    if not offer.is_plain:
        parts.append(_extension(5, b"\1\0\0\0\0"))
    if offer.has_protocols:
        parts.append(_extension(16, _sized(2, b"".join(_sized(1, one.encode()) for one in PROTOCOLS))))
    if is_newest:
        parts.append(_extension(43, _sized(1, _numbers((TLS_1_3,)))))
        parts.append(_extension(45, _sized(1, b"\1")))
        # Any 32 bytes are a public value of X25519 (RFC 7748 section 6.1); the session is never used.
        share = struct.pack(">H", _X25519) + _sized(2, os.urandom(32))
        parts.append(_extension(51, _sized(2, share)))
    body = b"".join(parts)
    missing = _SHORTEST - before_bytes - len(body) - 6
    if not offer.is_plain and missing > 0:
        body += _extension(21, bytes(max(0, missing - 4)))
    return _sized(2, body)


def _write_ssl2() -> bytes:
    suites = b"".join(one.to_bytes(3, "big") for one in _SSL_2_SUITES)
    body = struct.pack(">BHHHH", CLIENT_HELLO, SSL_2, len(suites), 0, 16) + suites + os.urandom(16)
    return struct.pack(">H", 0x8000 | len(body)) + body


def _extension(number: int, body: bytes) -> bytes:
    return struct.pack(">H", number) + _sized(2, body)


def _numbers(values: Sequence[int]) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


def _sized(width: int, body: bytes) -> bytes:
    """Put the length of a body before it, in so many bytes."""
    return len(body).to_bytes(width, "big") + body
