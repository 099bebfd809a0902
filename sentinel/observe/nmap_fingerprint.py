"""What a service answered that nmap could not name, in; the protocol it plainly speaks, if it does, out.

nmap names a service only where the whole answer matches one of its patterns. A web server with an unusual `Server:`
header is `unknown` to it although it answers `HTTP/1.0 200 OK`; the answers stand in the XML as `servicefp`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sentinel.observe.text import cut_text, decode_bytes

MAX_FINGERPRINT = 64 * 1024
"""Characters of one `servicefp` that are looked at; nmap writes a few thousand."""

_ANSWER = re.compile(r'%r\((\w{1,40}),([0-9A-F]{1,6}),"((?:[^"\\]|\\.){0,8192})"\)', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_CONTROLS = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_SERVER = re.compile(rb"\r?\nServer:[ \t]*([^\r\n]{1,200})", re.IGNORECASE)
_PRODUCT = re.compile(r"([^/\s]+)(?:/(\S+))?\s*(.*)\Z")
_BEGINNINGS = (
    (re.compile(rb"HTTP/1\.[01] \d{3}"), "http"),
    (re.compile(rb"RTSP/1\.0 \d{3}"), "rtsp"),
    (re.compile(rb"SSH-[12]\.\d"), "ssh"),
    (re.compile(rb"220[ -][^\r\n]*SMTP", re.IGNORECASE), "smtp"),
    (re.compile(rb"220[ -][^\r\n]*FTP", re.IGNORECASE), "ftp"),
    (re.compile(rb"RFB \d{3}\.\d{3}\n"), "vnc"),
    (re.compile(rb"\+OK "), "pop3"),
    (re.compile(rb"\* OK "), "imap"),
)
"""How a protocol's first answer begins, for protocols that begin so and no other way."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What an answer shows.

    Attributes:
        service: the protocol, in nmap's word.
        product: from an HTTP `Server:` header, else empty.
        version: as above.
        extra: the rest of that header.
    """

    service: str
    product: str = ""
    version: str = ""
    extra: str = ""


def read_fingerprint(text: str) -> Spoken | None:
    """Read a `servicefp` attribute; None where no answer begins as a known protocol does."""
    for match in _ANSWER.finditer(text[:MAX_FINGERPRINT].replace("\nSF:", "")):
        answer = _unescape(match[3])
        for beginning, service in _BEGINNINGS:
            if beginning.match(answer):
                return _spoken(service, answer)
    return None


def _spoken(service: str, answer: bytes) -> Spoken:
    server = _SERVER.search(answer) if service == "http" else None
    if server is None:
        return Spoken(service)
    words = _PRODUCT.match(decode_bytes(server[1]).strip())
    if words is None:
        return Spoken(service)
    return Spoken(service, *(cut_text(word or "") for word in words.groups()))


def _unescape(text: str) -> bytes:
    def plain(match: re.Match[bytes]) -> bytes:
        if match[1]:
            return bytes.fromhex(match[1].decode())
        return _CONTROLS.get(match[2], match[2])

    return _ESCAPE.sub(plain, text.encode("utf-8", "replace"))
