"""The bytes a server answers a ClientHello with in; version, suite, certificates and alert out, nothing decrypted.

Source: RFC 8446 section 4.1.3 and 5.1, RFC 5246 section 7.4 and appendix A, RFC 6066 section 8 for stapling.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from sentinel.collect.tls_offer import HANDSHAKE, SSL_2, TLS_1_3, VERSION_NAMES
from sentinel.collect.tls_suites import FINITE_FIELD

MAX_CERTIFICATES = 16
MAX_MESSAGE = 192 * 1024
MAX_RECORDS = 256

_CHANGE, _ALERT, _APPLICATION = 20, 21, 23
_MAX_RECORD = 16_384 + 2_048
_SERVER_HELLO, _CERTIFICATE, _KEY_EXCHANGE, _DONE, _STATUS = 2, 11, 12, 14, 22
_WARNING, _CLOSE = 1, 0
_EXT_STATUS, _EXT_ALPN, _EXT_VERSION = 5, 16, 43

ALERTS: Mapping[int, str] = MappingProxyType(
    {
        0: "close notify",
        10: "unexpected message",
        20: "bad record mac",
        22: "record overflow",
        40: "handshake failure",
        42: "bad certificate",
        47: "illegal parameter",
        50: "decode error",
        70: "protocol version",
        71: "insufficient security",
        80: "internal error",
        86: "inappropriate fallback",
        109: "missing extension",
        110: "unsupported extension",
        112: "unrecognized name",
        120: "no application protocol",
    }
)
NO_PROTOCOL = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered one ClientHello with.

    Attributes:
        version: the version it chose; None: it agreed to nothing.
        suite: the cipher suite it chose; 0 for SSL 2.
        is_compressed: it chose to compress.
        protocol: the protocol it chose (ALPN).
        chain: certificates as they were sent, DER, its own first; at most 16.
        is_stapled: it sent an OCSP response; None where the answer ends before that is known.
        dh_bits: length of its Diffie-Hellman group, where such a suite was chosen.
        alert: the fatal alert it sent.
        is_tls: it sent at least one whole record of SSL or TLS.
        is_foreign: it sent bytes, and they are no SSL or TLS.
        fault: what is wrong with the answer; empty where it can be read to its end.
    """

    version: int | None = None
    suite: int = 0
    is_compressed: bool = False
    protocol: str = ""
    chain: tuple[bytes, ...] = ()
    is_stapled: bool | None = None
    dh_bits: int | None = None
    alert: int | None = None
    is_tls: bool = False
    is_foreign: bool = False
    fault: str = ""


class _BrokenError(Exception):
    """An answer that is not what it ought to be; the text says how."""


class AnswerReader:
    """Reads an answer as it comes in; what was read before a mistake is kept.

    Attributes:
        answer: what is known so far.
        is_done: nothing more is wanted.
    """

    def __init__(self, *, only_hello: bool = False) -> None:
        self.answer = Answer()
        self.is_done = False
        self._only_hello = only_hello
        self._records = bytearray()
        self._messages = bytearray()
        self._count = 0
        self._awaits_status = False

    def feed(self, data: bytes) -> None:
        """Take the bytes that came next."""
        if self.is_done:
            return
        self._records += data
        try:
            self._read_records()
        except _BrokenError as error:
            self._end(fault=str(error))

    def _end(self, **changes: object) -> None:
        self.answer = replace(self.answer, **changes)  # type: ignore[arg-type]  # the changes are fields by name
        self.is_done = True

    def _read_records(self) -> None:
        while not self.is_done and len(self._records) >= 5:
            kind, major, minor, size = struct.unpack_from(">BBBH", self._records)
            if kind not in {_CHANGE, _ALERT, HANDSHAKE, _APPLICATION} or (major, minor) not in _RECORD_VERSIONS:
                self._end(is_foreign=not self.answer.is_tls, fault="it answers with what is no tls")
                return
            if size > _MAX_RECORD:
                raise _BrokenError("a record has no possible length")
            if len(self._records) < 5 + size:
                return
            body = bytes(self._records[5 : 5 + size])
            del self._records[: 5 + size]
            self._count += 1
            if self._count > MAX_RECORDS:
                raise _BrokenError("the answer has no end")
            self.answer = replace(self.answer, is_tls=True)
            self._read_record(kind, body)

    def _read_record(self, kind: int, body: bytes) -> None:
        if kind == _ALERT:
            if len(body) < 2:
                raise _BrokenError("an alert is cut off")
            if body[0] != _WARNING or body[1] == _CLOSE:
                self._end(alert=body[1])
        elif kind == HANDSHAKE:
            self._messages += body
            self._read_messages()
        else:
            self._end(fault="" if self.answer.version is not None else "it speaks before it greets")

    def _read_messages(self) -> None:
        while not self.is_done and len(self._messages) >= 4:
            kind, size = self._messages[0], int.from_bytes(self._messages[1:4], "big")
            if size > MAX_MESSAGE:
                raise _BrokenError("a message has no possible length")
            if len(self._messages) < 4 + size:
                return
            body = bytes(self._messages[4 : 4 + size])
            del self._messages[: 4 + size]
            if self.answer.version is None and kind not in {0, _SERVER_HELLO}:
                raise _BrokenError("it speaks before it greets")
            reads = self._READS.get(kind)
            if reads is not None:
                reads(self, body)

    def _read_hello(self, body: bytes) -> None:
        if self.answer.version is not None:
            raise _BrokenError("it greets twice")
        place = 35 + (body[34] if len(body) > 34 else 0)
        if len(body) < place + 3:
            raise _BrokenError("its greeting is cut off")
        version, (suite, compression) = int.from_bytes(body[:2], "big"), struct.unpack_from(">HB", body, place)
        extensions = _read_extensions(body[place + 3 :])
        if len(chosen := extensions.get(_EXT_VERSION, b"")) == 2:
            version = int.from_bytes(chosen, "big")
        if version not in VERSION_NAMES or version == SSL_2:
            raise _BrokenError("it chooses a version nobody knows")
        self._awaits_status = _EXT_STATUS in extensions
        self.answer = replace(
            self.answer,
            version=version,
            suite=suite,
            is_compressed=compression != 0,
            protocol=_read_protocol(extensions.get(_EXT_ALPN, b"")),
        )
        if self._only_hello or version == TLS_1_3:
            self.is_done = True  # what follows in TLS 1.3 is encrypted

    def _read_chain(self, body: bytes) -> None:
        chain: list[bytes] = []
        place, end = 3, 3 + int.from_bytes(body[:3], "big")
        if len(body) < 3 or end > len(body):
            raise _BrokenError("its certificates are cut off")
        while place < end and len(chain) < MAX_CERTIFICATES:
            size = int.from_bytes(body[place : place + 3], "big")
            one = body[place + 3 : place + 3 + size]
            if place + 3 + size > end or not one:
                raise _BrokenError("its certificates are cut off")
            chain.append(one)
            place += 3 + size
        self.answer = replace(self.answer, chain=tuple(chain), is_stapled=None if self._awaits_status else False)

    def _read_status(self, body: bytes) -> None:
        self.answer = replace(self.answer, is_stapled=len(body) > 4 and body[0] == 1)

    def _read_exchange(self, body: bytes) -> None:
        """Read the prime of an exchange over a finite field; on curves the first byte says so."""
        if self.answer.is_stapled is None and self.answer.chain:
            self.answer = replace(self.answer, is_stapled=False)
        size = int.from_bytes(body[:2], "big")
        if self.answer.suite in FINITE_FIELD and 0 < size <= len(body) - 2:
            self.answer = replace(self.answer, dh_bits=int.from_bytes(body[2 : 2 + size], "big").bit_length())

    def _read_done(self, _body: bytes) -> None:
        stapled = self.answer.is_stapled
        self._end(is_stapled=False if stapled is None and self.answer.chain else stapled)

    _READS: Mapping[int, Callable[[AnswerReader, bytes], None]] = MappingProxyType(
        {
            _SERVER_HELLO: _read_hello,
            _CERTIFICATE: _read_chain,
            _STATUS: _read_status,
            _KEY_EXCHANGE: _read_exchange,
            _DONE: _read_done,
        }
    )


_RECORD_VERSIONS = frozenset({(3, minor) for minor in range(5)} | {(1, 1)})


def _read_extensions(data: bytes) -> dict[int, bytes]:
    """Read what follows the compression of a greeting; a list that is cut off gives what came before."""
    found: dict[int, bytes] = {}
    place = 2
    while place + 4 <= len(data):
        number, size = struct.unpack_from(">HH", data, place)
        found.setdefault(number, data[place + 4 : place + 4 + size])
        place += 4 + size
    return found


def _read_protocol(body: bytes) -> str:
    return body[3 : 3 + body[2]].decode("ascii", "replace")[:40] if len(body) > 3 else ""


def read_ssl2_answer(data: bytes) -> Answer | None:
    """Read the answer to an offer of SSL 2; None: more bytes are needed.

    A server that knows SSL 2 and offers no suite of it cannot be talked to that way, so it agreed to nothing.
    """
    if len(data) < 2:
        return None
    size, head = (int.from_bytes(data[:2], "big") & 0x7FFF, 2) if data[0] & 0x80 else (0, 0)
    if size < 11 or size > MAX_MESSAGE:
        return Answer(is_tls=data[0] in {_ALERT, HANDSHAKE}, is_foreign=data[0] not in {_ALERT, HANDSHAKE})
    if len(data) < head + size:
        return None
    kind, _, _, version, certificate, suites, _ = struct.unpack_from(">BBBHHHH", data, head)
    if kind != 4 or version != SSL_2:
        return Answer(is_foreign=True)
    shown = data[head + 11 : head + 11 + certificate]
    return Answer(version=SSL_2 if suites >= 3 else None, is_tls=True, chain=(shown,) if shown else ())
