"""Mail servers looked at: what they offer, whom they tell of, whether they relay; peers scripted from the RFCs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sentinel.collect.look import ProbeTarget
from sentinel.collect.probing import probe
from sentinel.model.probe import ProbeKind, ProbeObservation
from sentinel.model.scope import Level
from tests.collect.agreeable import Ear, Talk
from tests.collect.allow import permit_for, utc_now
from tests.collect.practice import tls_context
from tests.collect.test_probing import HERE, serving

OPEN_RELAY = {
    "": b"220-welcome\r\n220 mail.example ESMTP\r\n",
    "EHLO": b"250-mail.example\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250-AUTH=PLAIN\r\n250 8BITMIME\r\n",
    "VRFY": b"250 postmaster\r\n",
    "EXPN": b"250-a\r\n250 b\r\n",
    "MAIL": b"250 2.1.0 Ok\r\n",
    "RCPT": b"250 2.1.5 Ok\r\n",
    "RSET": b"250 2.0.0 Ok\r\n",
    "QUIT": b"221 Bye\r\n",
}
CLOSED = {
    "": b"220 mail.example ESMTP\r\n",
    "EHLO": b"250-mail.example\r\n250-STARTTLS\r\n250 SIZE 100\r\n",
    "VRFY": b"252 2.0.0 try it\r\n",
    "EXPN": b"502 5.5.2 no\r\n",
    "MAIL": b"250 Ok\r\n",
    "RCPT": b"554 5.7.1 Relay access denied\r\n",
    "RSET": b"250 Ok\r\n",
    "QUIT": b"221 Bye\r\n",
}


def talks(answers: Mapping[str, bytes], word: Callable[[bytes], bytes] = lambda data: data.split()[0]) -> Talk:
    """Greet, then answer each line by its command."""

    def talk(ear: Ear) -> None:
        ear.say(answers[""])
        while data := ear.hear():
            ear.say(answers.get(word(data).decode().upper(), b"502 what\r\n"))

    return talk


def look_at(
    service: str, talk: Talk, *, level: Level = Level.SERVICE, heard: list[bytes] | None = None
) -> ProbeObservation:
    found: list[ProbeObservation] = []
    kept = [] if heard is None else heard
    with serving(lambda line: talk(Ear(line, kept))) as port:
        target = ProbeTarget(ProbeKind.MAIL, HERE, "tcp", port, service=service)
        probe(permit_for(str(HERE), level=level), [target], found.append, now=utc_now)
    return found[0]


def told(service: str, talk: Talk, level: Level = Level.SERVICE) -> dict[str, Any]:
    found = look_at(service, talk, level=level)
    assert found.answered, found.reason
    return {name.removeprefix("mail_"): value for name, value in found.values}


def test_smtp_when_it_relays_then_every_weakness_is_told() -> None:
    assert told("smtp", talks(OPEN_RELAY), Level.CHECK) == {
        "starttls": False,
        "auth": ("CRAM-MD5", "LOGIN", "PLAIN"),
        "plain_login": True,
        "vrfy": True,
        "expn": True,
        "open_relay": True,
    }


def test_smtp_when_it_is_well_set_up_then_that_is_told() -> None:
    found = {"starttls": True, "plain_login": False, "vrfy": False, "expn": False, "open_relay": False}
    assert told("smtp", talks(CLOSED), Level.CHECK) == found


def test_smtp_when_only_a_look_is_authorised_then_nothing_is_tried() -> None:
    heard: list[bytes] = []
    found = look_at("submission", talks(OPEN_RELAY), heard=heard)
    assert [data.split()[0] for data in heard] == [b"EHLO", b"QUIT"]
    assert {name for name, _ in found.values} == {"mail_starttls", "mail_auth", "mail_plain_login", "untold"}


@pytest.mark.parametrize(
    ("changes", "relay"),
    [
        ({"MAIL": b"530 5.7.0 Authentication required\r\n"}, False),
        ({"MAIL": b"451 later\r\n"}, None),
        ({"RCPT": b"450 4.2.0 Greylisted\r\n"}, None),
        ({"RCPT": b"251 will forward\r\n"}, True),
    ],
)
def test_smtp_when_it_puts_the_answer_off_then_nothing_is_claimed(
    changes: dict[str, bytes], relay: bool | None
) -> None:
    found = told("smtp", talks(OPEN_RELAY | changes), Level.CHECK)
    assert found.get("open_relay") is relay
    assert found.get("untold") == (("mail_open_relay",) if relay is None else None)


def test_smtp_when_it_hangs_up_at_a_question_then_what_it_told_before_is_kept() -> None:
    def talk(ear: Ear) -> None:
        for word in ("", "EHLO", "VRFY"):
            ear.say(OPEN_RELAY[word])
            ear.hear()

    found = told("smtp", talk, Level.CHECK)
    assert (found["plain_login"], found["vrfy"]) == (True, True)
    assert not {"expn", "open_relay"} & set(found)


def test_smtp_when_it_knows_no_ehlo_then_it_is_greeted_the_old_way() -> None:
    answers = OPEN_RELAY | {"EHLO": b"500 what\r\n", "HELO": b"250 mail.example\r\n"}
    assert told("smtp", talks(answers)) == {
        "starttls": False, "plain_login": False, "untold": ("mail_vrfy", "mail_expn", "mail_open_relay")
    }  # fmt: skip


POP3 = {
    "": b"+OK ready\r\n",
    "CAPA": b"+OK\r\nCAPA\r\nUIDL\r\nSTLS\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n",
    "QUIT": b"+OK\r\n",
}
IMAP = {
    "": b"* OK [CAPABILITY IMAP4rev1] ready\r\n",
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN AUTH=LOGIN\r\na1 OK done\r\n",
    "LOGOUT": b"* BYE\r\na2 OK\r\n",
}
IMAP_SHUT = IMAP | {"CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK done\r\n"}
IMAP_BARE = IMAP | {"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\na1 OK done\r\n"}


@pytest.mark.parametrize(
    ("service", "answers", "found"),
    [
        ("pop3", POP3, {"starttls": True, "auth": ("LOGIN", "PLAIN"), "plain_login": True}),
        ("pop3", POP3 | {"CAPA": b"+OK\r\nSTLS\r\n.\r\n"}, {"starttls": True, "plain_login": False}),
        ("pop3", POP3 | {"CAPA": b"-ERR what\r\n"}, {"starttls": False, "plain_login": True}),
        ("imap", IMAP, {"starttls": True, "auth": ("LOGIN", "PLAIN"), "plain_login": True}),
        ("imap", IMAP_SHUT, {"starttls": True, "plain_login": False}),
        ("imap", IMAP_BARE, {"starttls": False, "plain_login": True}),
    ],
)
def test_mailbox_when_it_tells_what_it_offers_then_a_login_in_clear_is_known(service, answers, found) -> None:
    word = (lambda data: data.split()[0]) if service == "pop3" else (lambda data: data.split()[1])
    assert told(service, talks(answers, word)) == found


def test_mailbox_when_inside_tls_then_nothing_goes_in_clear(tmp_path: Path) -> None:
    context = tls_context(tmp_path)
    found: list[ProbeObservation] = []

    def talk(line) -> None:
        with context.wrap_socket(line, server_side=True) as inside:
            talks(POP3)(Ear(inside, []))

    with serving(talk) as port:
        target = ProbeTarget(ProbeKind.MAIL, HERE, "tcp", port, service="pop3", is_tls=True)
        probe(permit_for(str(HERE)), [target], found.append, now=utc_now)
    assert dict(found[0].values) == {"mail_auth": ("LOGIN", "PLAIN"), "mail_plain_login": False}


def test_smtp_when_it_names_impossible_mechanisms_then_they_are_left_out() -> None:
    answers = OPEN_RELAY | {"EHLO": b"250-x\r\n250 AUTH PLAIN \x1b[31m " + b"X" * 60 + b" =CMD()\r\n"}
    assert told("smtp", talks(answers))["auth"] == ("PLAIN",)


@pytest.mark.parametrize("service", ["smtp", "pop3", "imap", "nntp"])
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff" * 40_000,
        b"554 no service for you\r\n",
        b"220-" + b"x" * 20_000,
        b"220-a\r\n" * 300,
        b"HTTP/1.1 400 x\r\n\r\n",
        b"+OK\r\n+OK\r\n" + b"x" * 20_000,
        b"* OK\r\na1 OK\r\n",
        b"220 x\r\n250-\r\n" * 3,
    ],
)
def test_mail_when_it_talks_nonsense_then_nothing_is_claimed(service: str, answer: bytes) -> None:
    found = look_at(service, lambda ear: ear.say(answer), level=Level.CHECK)
    assert (found.answered, found.values) == (False, ())
    assert found.reason
