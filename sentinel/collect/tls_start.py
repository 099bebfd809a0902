"""What is said to a mail or file server in clear before TLS begins, by the service; an open line ready for it out.

Source: RFC 3207 for SMTP, RFC 2595 and 9051 for IMAP and POP3, RFC 4217 for FTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from sentinel.collect.dialer import Line, NoAnswerError

_MAX_ANSWER = 16 * 1024
_MAX_LINES = 64


class NoStartError(NoAnswerError):
    """The server greets as it should and does not begin TLS when it is asked to."""


async def _start_smtp(line: Line) -> None:
    await _expect(line, b"220", "greet as a mail server does")
    await line.send(b"EHLO sentinel.invalid\r\n")
    offers = await _expect(line, b"250", "answer as a mail server does")
    if b"STARTTLS" not in offers.upper():
        raise NoStartError("it offers no tls")
    await _ask(line, b"STARTTLS\r\n", b"220")


async def _start_ftp(line: Line) -> None:
    await _expect(line, b"220", "greet as a file server does")
    await _ask(line, b"AUTH TLS\r\n", b"234")


async def _start_imap(line: Line) -> None:
    await _expect(line, b"* OK", "greet as a mail server does")
    await _ask(line, b"s1 STARTTLS\r\n", b"s1 OK")


async def _start_pop3(line: Line) -> None:
    await _expect(line, b"+OK", "greet as a mail server does")
    await _ask(line, b"STLS\r\n", b"+OK")


STARTS: Mapping[str, Callable[[Line], Awaitable[None]]] = MappingProxyType(
    {
        "smtp": _start_smtp,
        "submission": _start_smtp,
        "imap": _start_imap,
        "pop3": _start_pop3,
        "ftp": _start_ftp,
    }
)
"""How TLS is begun, by the name of the service."""


async def _ask(line: Line, command: bytes, wanted: bytes) -> None:
    await line.send(command)
    answer = await _read_reply(line)
    if not answer.upper().startswith(wanted.upper()):
        raise NoStartError("it does not begin tls when it is asked to")


async def _expect(line: Line, wanted: bytes, words: str) -> bytes:
    answer = await _read_reply(line)
    if not answer.upper().startswith(wanted):
        raise NoAnswerError(f"it does not {words}")
    return answer


async def _read_reply(line: Line) -> bytes:
    """Read a reply of one line, or of several where each but the last has a hyphen after its number."""
    data = b""
    for _ in range(_MAX_LINES):
        more = await line.read_until(b"\n", _MAX_ANSWER - len(data))
        data += more
        if not more.endswith(b"\n") or len(data) >= _MAX_ANSWER:
            break
        last = data.rstrip(b"\r\n").rpartition(b"\n")[2]
        if last[3:4] != b"-":
            break
    return data
