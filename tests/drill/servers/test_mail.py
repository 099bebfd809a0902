"""The mail servers of the practice school, spoken to with smtplib."""

import smtplib

import pytest

from sentinel.drill.servers import lines
from sentinel.drill.servers.mail import open_relay
from tests.drill.servers.speaking import ADDRESS, opened, speak

HOST = "mail.school1.example"
MESSAGE = "Subject: x\r\n\r\nline\r\n..dots\r\n.\tmore\r\n"


def test_open_relay_when_a_stranger_writes_to_a_stranger_then_it_takes_the_mail() -> None:
    with opened(open_relay(25, HOST)) as port, smtplib.SMTP(str(ADDRESS), port, timeout=5) as client:
        refused = client.sendmail("a@one.example", ["b@two.example", "c@three.example"], MESSAGE)
        again = client.sendmail("a@one.example", ["d@four.example"], MESSAGE)

    assert refused == again == {}


def test_smtp_when_a_stranger_writes_to_a_stranger_then_it_refuses_every_recipient() -> None:
    with (
        opened(lines.smtp(25, HOST)) as port,
        smtplib.SMTP(str(ADDRESS), port, timeout=5) as client,
        pytest.raises(smtplib.SMTPRecipientsRefused) as caught,
    ):
        client.sendmail("a@one.example", ["b@two.example"], MESSAGE)

    assert caught.value.recipients == {"b@two.example": (554, b"5.7.1 Relay access denied")}


@pytest.mark.parametrize(
    "first", [b"DATA", b"RCPT TO:<a@b.example>", b"MAIL FROM:<a@b.example>\r\nRSET\r\nRCPT TO:<c>"]
)
def test_open_relay_when_a_step_is_missing_then_it_says_so(first: bytes) -> None:
    heard = speak(open_relay(25, HOST), first + b"\r\nQUIT\r\n")

    assert b"503 5.5.1" in heard
    assert heard.endswith(b"221 2.0.0 Bye\r\n")


def test_open_relay_when_a_mail_never_ends_then_it_hangs_up() -> None:
    head = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"

    assert b"queued" not in speak(open_relay(25, HOST), head, *(b"x" * 70 + b"\r\n",) * 20_000)


def test_open_relay_when_a_command_is_unknown_then_it_says_so() -> None:
    assert b"502 5.5.2" in speak(open_relay(25, HOST), b"VRFY root\r\nQUIT\r\n")
