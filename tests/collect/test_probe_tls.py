"""Looks at real TLS servers of every age, and at servers that do not mean well."""

from __future__ import annotations

import asyncio
import base64
import socket
import struct
import subprocess
import time
import warnings
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from sentinel.collect import tls_exchange
from sentinel.collect.look import ProbeTarget
from sentinel.collect.probe_tls import TLS, look_at_tls
from sentinel.collect.probing import PROBERS, probe
from sentinel.collect.tls_answer import Answer
from sentinel.collect.tls_exchange import Asker, End, Exchange
from sentinel.collect.tls_offer import SSL_2, SSL_3, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, VERSION_NAMES, Offer
from sentinel.collect.tls_search import VersionSearch, find_weak_suites
from sentinel.model.probe import ProbeKind, ProbeObservation
from tests.collect.allow import permit_for, utc_now
from tests.collect.test_probing import HERE, serving
from tests.collect.tls_servers import NAME, SOUND, Plan, openssl_server, write

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it loads asyncore, of which Python warns
    from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
    from tlslite.errors import TLSError


def look(port: int, name: str = "", service: str = "https", is_tls: bool = True) -> tuple[ProbeObservation, int]:
    found: list[ProbeObservation] = []
    target = ProbeTarget(ProbeKind.TLS, HERE, "tcp", port, name, service, is_tls)
    sent = probe(permit_for(str(HERE)), [target], found.append, now=utc_now)
    return found[0], sent


def values(port: int, name: str = "", **more) -> dict:
    one, _ = look(port, name, **more)
    assert one.answered, one.reason
    return dict(one.values)


@pytest.mark.parametrize(
    ("option", "version", "suite"),
    [
        ("-tls1", "tls1.0", "ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
        ("-tls1_1", "tls1.1", "ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
        ("-tls1_2", "tls1.2", "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        ("-tls1_3", "tls1.3", "AES_256_GCM_SHA384"),
    ],
)
def test_tls_when_a_server_speaks_one_version_then_that_one_is_told(tmp_path: Path, option, version, suite) -> None:
    with openssl_server(*write(tmp_path, Plan()), option, *SOUND) as port:
        found = values(port)
    assert (found["tls"], found["versions"], found["suites"]) == (True, (version,), (f"{version} {suite}",))
    assert found["forward_secrecy"] is True
    assert found["tlcp"] is False
    assert "untold_versions" not in found
    assert (found["key_type"], found["key_bits"], found["chain_length"]) == ("ec", 256, 2)
    assert (found["names"], found["signature"]) == ((NAME,), "ecdsa-with-SHA256")
    assert (found["chain_complete"], found["chain_broken"], found["self_signed"]) == (True, False, False)


def test_tls_when_a_server_speaks_several_versions_then_each_is_told_and_few_connections_are_made(tmp_path) -> None:
    with openssl_server(*write(tmp_path, Plan()), "-min_protocol", "TLSv1", *SOUND) as port:
        one, sent = look(port)
    found = dict(one.values)
    assert found["versions"] == ("tls1.3", "tls1.2", "tls1.1", "tls1.0")
    assert "weak_suites" not in found
    assert sent <= 10


@pytest.mark.parametrize(
    ("cipher", "families"),
    [
        ("NULL-SHA256:AES128-SHA", ("null",)),
        ("NULL-MD5:AES128-SHA", ("md5", "null")),
        ("ADH-AES128-SHA:AES128-SHA", ("anon",)),
        ("AES128-SHA:NULL-SHA:ADH-AES256-SHA:NULL-MD5", ("anon", "md5", "null")),
        ("AES128-SHA", None),
    ],
)
def test_tls_when_weak_suites_are_accepted_then_every_family_is_found(tmp_path, cipher, families) -> None:
    plan = Plan(key="rsa-2048")
    with openssl_server(*write(tmp_path, plan), "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0") as port:
        found = values(port)
    assert found.get("weak_suites") == families
    assert found["forward_secrecy"] is False
    assert found["compression"] is False


def test_tls_when_only_weak_suites_are_known_then_the_version_is_told_all_the_same(tmp_path) -> None:
    arguments = write(tmp_path, Plan(key="rsa-2048"))
    with openssl_server(*arguments, "-tls1", "-cipher", "NULL-SHA:@SECLEVEL=0") as port:
        found = values(port)
    assert (found["versions"], found["suites"]) == (("tls1.0",), ("tls1.0 RSA_WITH_NULL_SHA",))


@pytest.mark.parametrize(
    ("bits", "kind"), [(1024, "rsa-1024"), (2048, "rsa-2048"), (3072, "rsa-3072"), (4096, "rsa-4096")]
)
def test_tls_when_a_key_is_rsa_then_its_length_is_told(tmp_path, bits, kind) -> None:
    with openssl_server(*write(tmp_path, Plan(key=kind)), *SOUND) as port:
        found = values(port)
    assert (found["key_type"], found["key_bits"]) == ("rsa", bits)


def test_tls_when_the_group_is_short_then_its_length_is_told(tmp_path) -> None:
    group = tmp_path / "dh.pem"
    # The group of 1024 bits of RFC 2409 section 6.2, as `openssl dhparam` writes one.
    prime = int(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
        "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
        "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
        16,
    )
    number = b"\0" + prime.to_bytes(128, "big")
    body = b"\x02\x81\x81" + number + b"\x02\x01\x02"
    der = b"\x30\x81" + bytes([len(body)]) + body
    group.write_bytes(b"-----BEGIN DH PARAMETERS-----\n" + base64.encodebytes(der) + b"-----END DH PARAMETERS-----\n")
    arguments = write(tmp_path, Plan(key="rsa-2048"))
    with openssl_server(*arguments, "-tls1_2", *SOUND, "-dhparam", str(group)) as port:
        assert values(port)["dh_bits"] == 1024


def test_tls_when_asked_by_name_and_nothing_differs_then_only_the_certificate_is_looked_at(tmp_path) -> None:
    with openssl_server(*write(tmp_path, Plan()), "-tls1_2", *SOUND) as port:
        right, sent = look(port, NAME)
        wrong = values(port, "other.school.example")
    assert sent == 2
    found = dict(right.values)
    assert (found["name_mismatch"], wrong["name_mismatch"]) == (False, True)
    assert found["needs_name"] is False
    assert "versions" not in found


def test_tls_when_only_tls_1_3_is_spoken_then_names_are_compared_there(tmp_path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    second = write(other, Plan())
    more = ("-servername", NAME, "-cert2", second[1], "-key2", second[3])
    with openssl_server(*write(tmp_path, Plan(name="default.example")), *more, "-tls1_3") as port:
        same, sent = look(port, "default.example")
        found = values(port, NAME)
    assert (dict(same.values)["needs_name"], dict(same.values)["name_mismatch"], sent) == (False, False, 4)
    assert "versions" not in dict(same.values)
    assert (found["subject"], found["needs_name"], found["versions"]) == (NAME, False, ("tls1.3",))


def test_tls_when_a_name_has_a_certificate_of_its_own_then_that_one_is_told(tmp_path) -> None:
    arguments = write(tmp_path, Plan(name="default.example"))
    other = tmp_path / "other"
    other.mkdir()
    second = write(other, Plan())
    more = ("-servername", NAME, "-cert2", second[1], "-key2", second[3])
    with openssl_server(*arguments, *more, "-tls1_2", *SOUND) as port:
        assert values(port)["subject"] == "default.example"
        found = values(port, NAME)
    assert (found["subject"], found["name_mismatch"], found["versions"]) == (NAME, False, ("tls1.2",))


def test_tls_when_a_server_needs_a_name_then_it_is_told() -> None:
    def talk(line) -> None:
        offer = line.recv(4096)
        line.sendall(server_hello(TLS_1_2, 0xC02F) if NAME.encode() in offer else alert(112))

    with serving(talk) as port:
        found = values(port, NAME)
        bare, _ = look(port)
    assert (found["needs_name"], found["versions"]) == (True, ("tls1.2",))
    assert (bare.answered, bare.reason) == (False, "it refuses every offer of tls: unrecognized name")


def test_tls_when_a_server_warns_of_the_name_and_goes_on_then_it_is_not_a_refusal(tmp_path) -> None:
    own = write(tmp_path, Plan())
    more = ("-servername", "x.example", "-cert2", own[1], "-key2", own[3])
    with openssl_server(*own, *more, "-tls1_2", *SOUND) as port:
        assert values(port, NAME)["key_type"] == "ec"


def test_tls_when_its_protocols_are_others_then_it_is_asked_without_any(tmp_path) -> None:
    with openssl_server(*write(tmp_path, Plan()), "-alpn", "imap", "-tls1_2", *SOUND) as port:
        assert values(port)["versions"] == ("tls1.2",)
    with openssl_server(*write(tmp_path, Plan()), "-alpn", "http/1.1", *SOUND) as port:
        assert values(port)["alpn"] == "http/1.1"
    with openssl_server(*write(tmp_path, Plan()), "-alpn", "h2", "-tls1_3") as port:
        assert values(port)["alpn"] == "h2"


def test_tls_when_a_response_is_stapled_then_it_is_told() -> None:
    stapled = message(22, b"\1" + b"\0\0\3abc")
    answer = record(22, hello_body(TLS_1_2, 0xC02F, b"\0\5\0\0") + certificates(b"x") + stapled + message(14, b""))
    with serving(lambda line: line.sendall(answer) if line.recv(4096) else None) as port:
        found = values(port)
    assert (found["ocsp_stapled"], found["certificate_unreadable"]) == (True, True)


@pytest.mark.parametrize("version", [(3, 0), (3, 1)])
def test_tls_when_tlslite_serves_old_versions_then_they_are_told(tmp_path, version) -> None:
    write(tmp_path, Plan(key="rsa-2048", chain="self"))
    chain = X509CertChain()
    chain.parsePemList((tmp_path / "own.pem").read_text())
    key = parsePEMKey((tmp_path / "key.pem").read_text(), private=True)
    settings = HandshakeSettings()
    settings.minVersion, settings.maxVersion = version, version
    settings.cipherNames = ["aes128", "3des", "rc4"]
    settings.macNames = ["sha", "md5"]

    def talk(line) -> None:
        with suppress(TLSError, OSError, ValueError):
            TLSConnection(line).handshakeServer(certChain=chain, privateKey=key, settings=settings)

    with serving(talk) as port:
        found = values(port)
    assert found["versions"] == ({(3, 0): "ssl3", (3, 1): "tls1.0"}[version],)
    assert found["weak_suites"] == ("3des", "md5", "rc4")
    assert (found["key_type"], found["key_bits"], found["self_signed"]) == ("rsa", 2048, True)


# What follows is synthetic: answers written by hand, as no server of that kind is to be had.


def record(kind: int, body: bytes, version: int = TLS_1_0) -> bytes:
    return struct.pack(">BHH", kind, version, len(body)) + body


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def hello_body(version: int, suite: int, extensions: bytes = b"", compression: int = 0) -> bytes:
    body = struct.pack(">H", version) + bytes(range(32)) + b"\0" + struct.pack(">HB", suite, compression)
    return message(2, body + (struct.pack(">H", len(extensions)) + extensions if extensions else b""))


def server_hello(version: int, suite: int, extensions: bytes = b"", compression: int = 0) -> bytes:
    return record(22, hello_body(version, suite, extensions, compression), min(version, TLS_1_2))


def alert(number: int, level: int = 2) -> bytes:
    return record(21, bytes([level, number]))


def certificates(*ders: bytes) -> bytes:
    listed = b"".join(len(one).to_bytes(3, "big") + one for one in ders)
    return message(11, len(listed).to_bytes(3, "big") + listed)


def sm2_certificate(folder: Path, name: str = NAME) -> bytes:
    """A self-signed SM2 certificate, by OpenSSL."""
    key, made = folder / "sm2.key", folder / "sm2.der"
    subprocess.run(["openssl", "genpkey", "-algorithm", "SM2", "-out", key], check=True, capture_output=True)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-new", "-key", key, "-sm3", "-subj", f"/CN={name}", "-days", "30"),
            *("-addext", f"subjectAltName=DNS:{name}", "-outform", "DER", "-out", made),
        ],
        check=True,
        capture_output=True,
    )
    return made.read_bytes()


def test_tls_when_synthetic_tlcp_shows_sm2_certificates_then_they_are_told(tmp_path) -> None:
    signing = sm2_certificate(tmp_path)
    answer = record(22, hello_body(0x0101, 0xE013) + certificates(signing, signing), 0x0101) + record(
        22, message(14, b""), 0x0101
    )

    def talk(line) -> None:
        offer = line.recv(4096)
        line.sendall(answer if offer[1:3] == b"\1\1" else alert(70))

    with serving(talk) as port:
        found = values(port)
    assert (found["versions"], found["suites"], found["tlcp"]) == (("tlcp",), ("tlcp ECC_SM4_CBC_SM3",), True)
    assert (found["sm2"], found["key_type"], found["key_bits"], found["signature"]) == (
        True,
        "sm2",
        256,
        "SM2-with-SM3",
    )
    assert (found["self_signed"], found["chain_complete"], found["names"]) == (True, True, (NAME,))


def test_tls_when_a_synthetic_server_shows_sm2_without_tlcp_then_both_are_told(tmp_path) -> None:
    answer = record(22, hello_body(TLS_1_2, 0xC02B) + certificates(sm2_certificate(tmp_path)) + message(14, b""))

    def talk(line) -> None:
        offer = line.recv(4096)
        line.sendall(answer if offer[1:3] == b"\3\1" and offer[9:11] == b"\3\3" else alert(70))

    with serving(talk) as port:
        found = values(port)
    assert (found["sm2"], found["tlcp"], found["versions"]) == (True, False, ("tls1.2",))


def test_tls_when_a_synthetic_server_speaks_ssl2_then_it_is_told() -> None:
    answer = struct.pack(">BBBHHHH", 4, 0, 1, 2, 3, 3, 16) + b"der" + b"\1\0\x80" + bytes(16)

    def talk(line) -> None:
        if line.recv(4096)[0] & 0x80:
            line.sendall(struct.pack(">H", 0x8000 | len(answer)) + answer)

    with serving(talk) as port:
        found = values(port)
    assert (found["versions"], found["certificate_unreadable"]) == (("ssl2",), True)
    assert "suites" not in found


def test_tls_when_a_synthetic_server_compresses_then_it_is_told() -> None:
    with serving(
        lambda line: line.sendall(server_hello(TLS_1_2, 0xC02F, compression=1)) if line.recv(4096) else None
    ) as port:
        assert values(port)["compression"] is True


def test_tls_when_a_server_does_not_bear_long_offers_then_a_plain_one_is_made() -> None:
    def talk(line) -> None:
        offer = line.recv(4096)
        if len(offer) < 256 and offer[9:11] == b"\3\3":
            line.sendall(server_hello(TLS_1_2, 0xC02F))

    with serving(talk) as port:
        found = values(port)
    assert found["versions"] == ("tls1.2",)


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail ESMTP\r\n"]
)
def test_tls_when_a_server_speaks_something_else_then_that_is_what_is_told(said) -> None:
    with serving(lambda line: line.sendall(said)) as port:
        one, sent = look(port)
    assert (dict(one.values), sent) == ({"tls": False}, 2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "hangs up"),
        (alert(40), "it refuses every offer of tls: handshake failure"),
        (alert(199), "it refuses every offer of tls: alert 199"),
        (record(21, b"\2"), "an alert is cut off"),
        (b"\x16\3\1\xff\xff", "no possible length"),
        (record(22, b"\2\xff\xff\xff"), "no possible length"),
        (record(22, message(11, b"\0\0\0")), "speaks before it greets"),
        (record(20, b"\1"), "speaks before it greets"),
        (record(22, message(2, b"\3\3")), "its greeting is cut off"),
        (server_hello(0x0999, 0xC02F), "a version nobody knows"),
        (record(22, b"") * 300, "the answer has no end"),
        (record(22, message(0, b"")) * 300, "the answer has no end"),
    ],
)
def test_tls_when_the_answer_is_none_then_the_reason_is_told_and_nothing_else(answer, words) -> None:
    with serving(lambda line: line.sendall(answer) if line.recv(4096) else None) as port:
        one, sent = look(port)
    assert (one.answered, one.values) == (False, ())
    assert words in one.reason
    assert sent <= 9


def test_tls_when_a_suite_was_never_offered_then_the_version_does_not_count() -> None:
    with serving(lambda line: line.sendall(server_hello(TLS_1_2, 0x00FF)) if line.recv(4096) else None) as port:
        one, _ = look(port)
    assert (one.answered, one.values) == (False, ())


def test_tls_when_a_server_takes_every_offer_then_the_search_ends() -> None:
    """A server that agrees to whatever comes first, in the version asked for."""

    def talk(line) -> None:
        offer = line.recv(4096)
        if offer[0] == 22:
            version, place = int.from_bytes(offer[9:11], "big"), 43 + 1 + offer[43] + 2
            line.sendall(server_hello(version, int.from_bytes(offer[place : place + 2], "big")))

    with serving(talk) as port:
        one, sent = look(port)
    found = dict(one.values)
    assert found["versions"] == ("tls1.2", "tls1.1", "tls1.0", "ssl3", "tlcp")
    assert found["weak_suites"] == ("3des", "anon", "des", "export", "md5", "null", "rc4")
    assert sent < 30


def test_tls_when_a_server_resets_then_that_is_a_refusal() -> None:
    def talk(line) -> None:
        line.recv(10)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()

    with serving(talk) as port:
        one, _ = look(port)
    assert (one.answered, one.reason) == (False, "it hangs up on the offer")


def test_tls_when_a_server_says_nothing_then_it_is_left_alone_soon(monkeypatch) -> None:
    monkeypatch.setattr(tls_exchange, "PAUSE_S", 0.05)
    with serving(lambda line: [line.recv(4096), line.recv(1)]) as port:  # until it hangs up
        one, sent = look(port)
    assert (one.answered, one.reason, sent) == (False, "it does not answer the offer", 5)


def test_tls_when_a_server_drips_then_it_is_given_up(monkeypatch) -> None:
    """Its clock goes four seconds on with every look at it, so nothing is waited for."""
    monkeypatch.setattr(tls_exchange, "monotonic", count(0, 4).__next__)

    def talk(line) -> None:
        line.recv(4096)
        for byte in record(22, bytes(2000)):
            line.sendall(bytes([byte]))
            time.sleep(0.01)

    with serving(talk) as port:
        one, _ = look(port)
    assert (one.answered, one.reason) == (False, "it answers too slowly")


class ScriptedAsker(Asker):
    """Answers of a server by the version it is offered, without any server."""

    def __init__(self, exchanges: dict[int, Exchange]) -> None:
        super().__init__(ProbeTarget(ProbeKind.TLS, HERE, "tcp", 443), None)  # type: ignore[arg-type]  # it dials nobody
        self.exchanges = exchanges
        self.asked: list[int] = []

    async def ask(self, offer: Offer, *, only_hello: bool = False) -> Exchange:
        self.asked.append(offer.version)
        return self.exchanges.get(offer.version, Exchange(Answer(alert=70, is_tls=True), End.TOLD))


SILENCE = Exchange(Answer(), End.SILENT, "it does not answer the offer")


def search(exchanges: dict[int, Exchange]) -> VersionSearch:
    found = VersionSearch(ScriptedAsker(exchanges), "")
    asyncio.run(found.run())
    return found


def test_search_when_some_versions_are_met_with_silence_then_they_are_untold_and_not_denied() -> None:
    old = Exchange(Answer(version=TLS_1_0, suite=0x002F, is_tls=True), End.TOLD)
    found = search({TLS_1_3: SILENCE, TLS_1_2: SILENCE, TLS_1_0: old})
    assert (list(found.accepted), found.untold) == ([TLS_1_0], {TLS_1_3, TLS_1_2})
    assert SSL_3 in found.refused


def test_search_when_nothing_but_silence_comes_then_the_rest_is_not_asked() -> None:
    found = search(dict.fromkeys(VERSION_NAMES, SILENCE))
    assert found.asker.asked == [TLS_1_3, TLS_1_2, TLS_1_2, TLS_1_1, TLS_1_0]
    assert found.untold == set(VERSION_NAMES)


def test_search_when_a_connection_does_not_come_about_then_the_version_is_untold() -> None:
    found = search({SSL_2: Exchange(Answer(), End.CLOSED, "no connection: it took too long")})
    assert (found.untold, found.reason) == ({SSL_2}, "it refuses every offer of tls: protocol version")


@pytest.mark.parametrize(("end", "is_whole"), [(End.SILENT, False), (End.CLOSED, False), (End.HUNG_UP, True)])
def test_weak_suites_when_the_search_breaks_off_then_it_says_so(end: End, is_whole: bool) -> None:
    asker = ScriptedAsker({TLS_1_2: Exchange(Answer(), end)})
    found = asyncio.run(find_weak_suites(asker, "", (TLS_1_2, TLS_1_0), (0x0005, 0x002F)))
    assert (found.families, found.suites, found.is_whole) == (("rc4",), (0x0005,), is_whole)


def test_tls_when_tls_1_3_breaks_off_in_the_handshake_then_the_version_is_known_all_the_same() -> None:
    chosen = struct.pack(">HHH", 43, 2, TLS_1_3)

    def talk(line) -> None:
        offer = line.recv(4096)
        line.sendall(server_hello(TLS_1_2, 0x1301, chosen) if b"\x13\x01" in offer else alert(70))

    with serving(talk) as port:
        found = values(port)
    assert (found["versions"], found["forward_secrecy"]) == (("tls1.3",), True)
    assert "key_type" not in found


MAIL = {
    "smtp": (
        (b"220-mail\r\n220 ESMTP\r\n", b"EHLO"),
        (b"250-mail\r\n250-STARTTLS\r\n250 8BITMIME\r\n", b"STARTTLS"),
        (b"220 go\r\n", b""),
    ),
    "imap": ((b"* OK mail\r\n", b"s1 STARTTLS"), (b"s1 OK go\r\n", b"")),
    "pop3": ((b"+OK mail\r\n", b"STLS"), (b"+OK go\r\n", b"")),
    "ftp": ((b"220 files\r\n", b"AUTH TLS"), (b"234 go\r\n", b"")),
}


def mail_server(service: str, last: bytes | None = None):
    def talk(line) -> None:
        for number, (said, wanted) in enumerate(MAIL[service]):
            line.sendall(last if last is not None and number == len(MAIL[service]) - 1 else said)
            if wanted and not line.recv(4096).startswith(wanted):
                return
        offer = line.recv(4096)
        line.sendall(server_hello(TLS_1_0, 0x002F) if offer[9:11] >= b"\3\1" and offer[0] == 22 else alert(70))

    return talk


@pytest.mark.parametrize("service", MAIL)
def test_tls_when_it_begins_in_the_middle_then_it_is_looked_at_all_the_same(service) -> None:
    with serving(mail_server(service)) as port:
        found = values(port, service=service, is_tls=False)
    assert (found["starttls"], found["versions"]) == (True, ("tls1.0",))


@pytest.mark.parametrize("service", MAIL)
def test_tls_when_it_is_refused_in_the_middle_then_there_is_none(service) -> None:
    with serving(mail_server(service, b"500 no\r\n")) as port:
        assert values(port, service=service, is_tls=False) == {"tls": False, "starttls": False}


def test_tls_when_a_mail_server_offers_none_then_there_is_none() -> None:
    def talk(line) -> None:
        line.sendall(b"220 mail\r\n")
        line.recv(100)
        line.sendall(b"250 mail\r\n")

    with serving(talk) as port:
        assert values(port, service="smtp", is_tls=False) == {"tls": False, "starttls": False}


@pytest.mark.parametrize("said", [b"", b"x" * 20_000, b"hello\r\n", b"220-x\r\n" * 3000])
def test_tls_when_a_mail_server_is_none_then_the_reason_is_told(said) -> None:
    with serving(lambda line: line.sendall(said)) as port:
        one, _ = look(port, service="smtp", is_tls=False)
    assert (one.answered, one.values) == (False, ())
    assert "mail server" in one.reason


def test_prober_is_among_all() -> None:
    assert PROBERS[ProbeKind.TLS] is TLS
    assert TLS.look is look_at_tls
