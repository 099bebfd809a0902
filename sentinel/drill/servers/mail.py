"""A mail server of the practice school that takes mail for everybody, and throws it away."""

from __future__ import annotations

from sentinel.drill.servers.conversation import Conversation, Seen, Service

_COMMANDS_PER_SESSION = 100
# How far a mail has come: nothing, a sender, a recipient; what a command needs, and where it leads.
_NEEDS = {"RCPT": 1, "DATA": 2}
_LEADS = {"HELO": 0, "EHLO": 0, "RSET": 0, "MAIL": 1, "RCPT": 2}


async def _swallow(conversation: Conversation) -> None:
    """Read a message to its end and keep nothing. Source: RFC 5321 section 4.1.1.4."""
    conversation.say(b"354 End data with <CR><LF>.<CR><LF>\r\n")
    while await conversation.line() != b".":
        pass
    conversation.say(b"250 2.0.0 Ok: queued as 4TPRACTICE\r\n")


def open_relay(port: int, host: str) -> Service:
    """Build a mail server that takes mail of any sender for any recipient; nothing is kept or passed on."""
    answers = {
        "HELO": f"250 {host}\r\n",
        "EHLO": f"250-{host}\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250 8BITMIME\r\n",
        "MAIL": "250 2.1.0 Ok\r\n",
        "RCPT": "250 2.1.5 Ok\r\n",
        "RSET": "250 2.0.0 Ok\r\n",
        "NOOP": "250 2.0.0 Ok\r\n",
        "QUIT": "221 2.0.0 Bye\r\n",
    }

    async def talk(conversation: Conversation) -> None:
        conversation.say(f"220 {host} ESMTP Postfix\r\n".encode())
        step = 0
        for _ in range(_COMMANDS_PER_SESSION):
            command = (await conversation.line()).decode("latin-1").split(" ", 1)[0].upper()
            if step < _NEEDS.get(command, 0):
                conversation.say(b"503 5.5.1 Error: bad sequence of commands\r\n")
            elif command == "DATA":
                await _swallow(conversation)
                step = 0
            else:
                conversation.say(answers.get(command, "502 5.5.2 Error: command not recognized\r\n").encode())
                step = _LEADS.get(command, step)
            if command == "QUIT":
                return

    return Service(port, talk, Seen("smtp", "Postfix smtpd"), flaws=("smtp.open-relay",))
