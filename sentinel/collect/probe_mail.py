"""Look at a mail server as far as it goes with strangers: what it offers, whether it names users, whether it relays.

No message is ever sent: a recipient is named and taken back. Source: RFC 5321, RFC 2449, RFC 3501 section 6.1.1.
"""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address

from sentinel.collect.dialer import Dialer, Line, NoAnswerError
from sentinel.collect.http_read import open_line
from sentinel.collect.look import Prober, ProbeTarget
from sentinel.model.probe import UNTOLD
from sentinel.model.scope import Level

SENDER, RECIPIENT = "test@example.com", "test@example.org"
"""Both are names of documentation (RFC 2606): neither is the server's, and nobody gets anything."""

_MAX_REPLY = 16 * 1024
_MECHANISM = re.compile(r"[A-Z0-9_-]{1,20}")
"""Source: RFC 4422 section 3.1."""

_CHECKED = ("mail_vrfy", "mail_expn", "mail_open_relay")
_CLEAR_TEXT = frozenset({"PLAIN", "LOGIN"})
_SMTP, _POP3, _IMAP = (
    frozenset({"smtp", "smtps", "submission"}),
    frozenset({"pop3", "pop3s"}),
    frozenset({"imap", "imaps"}),
)


async def look_at_mail(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
    """Ask a mail server what it offers; with leave to check, SMTP is also asked for users and to relay.

    Raises:
        NoAnswerError: it does not speak as such a server does.
    """
    async with open_line(target, dialer, Level.SERVICE) as line:
        if target.service in _POP3:
            return _tell(target, *await _read_pop3(line))
        if target.service in _IMAP:
            return _tell(target, *await _read_imap(line))
        if target.service not in _SMTP:
            raise NoAnswerError("it is no mail server this sentinel knows")
        await _read_reply(line, "220")
        offers = await _greet(line)
        starttls, mechanisms = _read_offers(offers)
        values = _tell(target, starttls, mechanisms, bool(_CLEAR_TEXT & set(mechanisms)))
        if dialer.allows(target.address, Level.CHECK):
            with suppress(NoAnswerError):  # one that hangs up at such questions has told what it offers all the same
                await _check(line, values)
        values[UNTOLD] = [field for field in _CHECKED if values.get(field) is None]
        await _leave(line, b"QUIT\r\n")
        return values


def _tell(target: ProbeTarget, starttls: bool, mechanisms: list[str], is_clear: bool) -> dict[str, object]:
    """Give the fields; inside TLS nothing goes in clear, and there is nothing left to start."""
    return {
        "mail_starttls": None if target.is_tls else starttls,
        "mail_auth": [one for one in mechanisms if _MECHANISM.fullmatch(one)],
        "mail_plain_login": is_clear and not target.is_tls,
    }


async def _leave(line: Line, words: bytes) -> None:
    """Say goodbye to one who may have hung up."""
    with suppress(NoAnswerError):
        await line.send(words)


async def _greet(line: Line) -> list[str]:
    """Greet with the address one speaks from, which no server can find wrong; gives the lines of its offers."""
    own = ip_address(str(line.writer.get_extra_info("sockname")[0]).partition("%")[0])
    literal = f"[IPv6:{own}]" if own.version == 6 else f"[{own}]"
    await line.send(f"EHLO {literal}\r\n".encode())
    code, rows = await _read_reply(line)
    if code == "250":
        return rows[1:]
    await line.send(f"HELO {literal}\r\n".encode())
    await _read_reply(line, "250")
    return []


def _read_offers(rows: list[str]) -> tuple[bool, list[str]]:
    words = [row.upper().replace("AUTH=", "AUTH ").split() for row in rows]
    mechanisms = {word for row in words if row[:1] == ["AUTH"] for word in row[1:]}
    return any(row[:1] == ["STARTTLS"] for row in words), sorted(mechanisms)


async def _check(line: Line, found: dict[str, object]) -> None:
    """Ask whether it knows its postmaster, and whether it would take mail of a stranger for a stranger."""
    for field, command in (("mail_vrfy", "VRFY postmaster"), ("mail_expn", "EXPN postmaster")):
        await line.send(f"{command}\r\n".encode())
        code, _ = await _read_reply(line)
        found[field] = code in {"250", "251"}
    found["mail_open_relay"] = await _is_relay(line)
    await line.send(b"RSET\r\n")
    await _read_reply(line)


async def _is_relay(line: Line) -> bool | None:
    """Name a foreign sender and recipient; None where it puts the answer off."""
    for command, good in ((f"MAIL FROM:<{SENDER}>", {"250"}), (f"RCPT TO:<{RECIPIENT}>", {"250", "251"})):
        await line.send(f"{command}\r\n".encode())
        code, _ = await _read_reply(line)
        if code not in good:
            return False if code.startswith("5") else None
    return True


async def _read_reply(line: Line, wanted: str = "") -> tuple[str, list[str]]:
    """Read a reply of one or several lines; gives its code and texts."""
    rows: list[str] = []
    data = b""
    while len(rows) < 100:
        data += await line.read_until(b"\n", _MAX_REPLY)
        if b"\n" not in data:
            break
        *whole, data = data.split(b"\n")
        for row in whole:
            found = re.fullmatch(r"(\d{3})([ -]?)(.*)", row.decode("latin-1").strip("\r"))
            if not found:
                raise NoAnswerError("it does not answer as a mail server does")
            rows.append(found[3].strip()[:200])
            if found[2] != "-":
                if wanted and found[1] != wanted:
                    raise NoAnswerError(f"it turns everybody away at the moment ({found[1]})")
                return found[1], rows
    raise NoAnswerError("its reply has no end")


async def _read_pop3(line: Line) -> tuple[bool, list[str], bool]:
    """Read the capabilities of a POP3 server; one without the command takes USER, as the protocol has it."""
    if not (await line.read_until(b"\n", _MAX_REPLY)).startswith(b"+OK"):
        raise NoAnswerError("it does not greet as a pop3 server does")
    await line.send(b"CAPA\r\n")
    data = await line.read_until(b"\n", _MAX_REPLY)
    if data.startswith(b"-ERR"):
        return False, [], True
    while not re.search(rb"\n\.\r?\n", data) and len(data) < _MAX_REPLY:
        more = await line.read(4096)
        if not more:
            raise NoAnswerError("its reply has no end")
        data += more
    rows = [row.upper().split() for row in data.decode("latin-1").splitlines()[1:]]
    mechanisms = sorted({word for row in rows if row[:1] == ["SASL"] for word in row[1:]})
    await _leave(line, b"QUIT\r\n")
    return ["STLS"] in rows, mechanisms, ["USER"] in rows or bool(_CLEAR_TEXT & set(mechanisms))


async def _read_imap(line: Line) -> tuple[bool, list[str], bool]:
    """Read the capabilities of an IMAP server; it takes LOGIN unless it says otherwise."""
    if not (await line.read_until(b"\n", _MAX_REPLY)).startswith(b"* OK"):
        raise NoAnswerError("it does not greet as an imap server does")
    await line.send(b"a1 CAPABILITY\r\n")
    data = await line.read_until(b"a1 ", _MAX_REPLY)
    found = re.search(rb"^\* CAPABILITY ([^\r\n]{1,4000})", data, re.MULTILINE)
    if not found:
        raise NoAnswerError("it does not tell what it offers")
    words = found[1].decode("latin-1").upper().split()
    mechanisms = sorted(word.removeprefix("AUTH=") for word in words if word.startswith("AUTH="))
    await _leave(line, b"a2 LOGOUT\r\n")
    return "STARTTLS" in words, mechanisms, "LOGINDISABLED" not in words or bool(_CLEAR_TEXT & set(mechanisms))


MAIL = Prober(Level.SERVICE, look_at_mail, further=Level.CHECK)
