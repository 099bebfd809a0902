"""Real TLS servers of each kind: looked at, recorded, taken in, and judged by exactly the rules that fit."""

from __future__ import annotations

import warnings
from contextlib import suppress

import pytest

from sentinel.model.probe import ProbeKind
from sentinel.model.scope import Level
from sentinel.schedule.context import Context
from sentinel.schedule.judging import judge_unit
from sentinel.schedule.probing import LookTotal, find_targets, plan_looks, run_looks
from sentinel.store.findings import read_findings
from tests.collect.test_probe_tls import alert, certificates, hello_body, message, record, sm2_certificate
from tests.collect.test_probing import HERE, serving
from tests.collect.tls_servers import NAME, SOUND, Plan, openssl_server, write
from tests.homes import SCHOOL
from tests.schedule.nmapfile import HostRow, NmapRun, give
from tests.schedule.test_probing import authorise

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it loads asyncore, of which Python warns
    from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
    from tlslite.errors import TLSError

ABOUT = ("tls.", "certificate.")


def judged(
    context: Context, port: int, name: str = NAME, service: str = "https", looks: int = 2
) -> dict[str, list[str]]:
    """Look at a server of the map; gives the rules about TLS and certificates that fire, and on what."""
    give(context, NmapRun((HostRow(str(HERE), ((port, service),), name=name),), ports=str(port)))
    authorise(context, str(HERE), Level.SERVICE)
    planned = plan_looks(context, SCHOOL, find_targets(context, SCHOOL, (ProbeKind.TLS,)))
    total = LookTotal()
    run_looks(context, SCHOOL, planned, total, vantage="inside")
    assert (total.planned, total.failed) == (looks, {})
    judge_unit(context, SCHOOL)
    found: dict[str, list[str]] = {}
    for one in read_findings(context.database, [SCHOOL.code]):
        if one.key.rule.startswith(ABOUT) and one.state.is_live:
            found.setdefault(one.key.rule, []).append(one.key.subject.removeprefix(f"{HERE}:{port}/tcp").strip())
    return found


GOOD = Plan()
RSA = Plan(key="rsa-2048")
NEWER = ("-min_protocol", "TLSv1.2", *SOUND)


@pytest.mark.parametrize(
    ("plan", "arguments", "rules"),
    [
        (GOOD, ("-tls1_3",), set()),
        (GOOD, ("-tls1_2", *SOUND), set()),
        (GOOD, NEWER, set()),
        (GOOD, ("-tls1_1", *SOUND), {"tls.tls-1-1", "tls.old-version"}),
        (GOOD, ("-tls1", *SOUND), {"tls.tls-1-0", "tls.old-version"}),
        (GOOD, ("-min_protocol", "TLSv1", *SOUND), {"tls.tls-1-0", "tls.tls-1-1"}),
        (Plan(key="rsa-1024"), ("-tls1_2", "-no_dhe", *SOUND), {"certificate.rsa-short"}),
        (Plan(key="rsa-1024"), ("-tls1_2", *SOUND), {"certificate.rsa-short", "tls.dh-short"}),
        (Plan(key="rsa-1024"), ("-tls1_3", *SOUND), {"certificate.rsa-short"}),
        (RSA, ("-tls1_2", *SOUND), set()),
        (Plan(key="rsa-3072"), ("-tls1_2", *SOUND), set()),
        (Plan(key="rsa-4096"), ("-tls1_2", *SOUND), set()),
        (Plan(key="ec-secp192r1"), ("-tls1_2", *SOUND), {"certificate.ec-short"}),
        (Plan(days=(-90, -5)), NEWER, {"certificate.expired"}),
        (Plan(days=(-90, 5)), NEWER, {"certificate.expires-7"}),
        (Plan(days=(-90, 12)), ("-tls1_3",), {"certificate.expires-14"}),
        (Plan(days=(-90, 25)), NEWER, {"certificate.expires-30"}),
        (Plan(days=(5, 90)), NEWER, {"certificate.not-yet-valid"}),
        (Plan(name="other.example"), NEWER, {"certificate.name-mismatch"}),
        (Plan(chain="none"), NEWER, {"tls.incomplete-chain"}),
        (Plan(chain="wrong"), ("-tls1_3",), {"tls.broken-chain"}),
        (Plan(chain="self"), NEWER, {"certificate.self-signed"}),
        (RSA, ("-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"), {"tls.no-forward-secrecy"}),
        (RSA, ("-tls1_2", "-cipher", "ECDHE:NULL-SHA256:@SECLEVEL=0"), {"tls.null-suite"}),
        (RSA, ("-tls1_2", "-cipher", "ECDHE:NULL-MD5:@SECLEVEL=0"), {"tls.null-suite", "tls.md5-suite"}),
        (RSA, ("-tls1_2", "-cipher", "ECDHE:ADH-AES128-SHA:!eNULL:@SECLEVEL=0"), {"tls.anon-suite"}),
    ],
)
def test_server_when_looked_at_then_exactly_the_rules_that_fit_fire(context, tmp_path, plan, arguments, rules) -> None:
    with openssl_server(*write(tmp_path, plan), *arguments) as port:
        found = judged(context, port)
    assert set(found) == rules
    assert all(places == [""] for places in found.values())  # once, though it was asked twice


def test_server_when_only_one_of_its_names_is_covered_then_the_other_one_is_named(context, tmp_path) -> None:
    with openssl_server(*write(tmp_path, GOOD), *NEWER) as port:
        give(context, NmapRun((HostRow(str(HERE), ((port, "https"),), name="old.school.example"),), ports=str(port)))
        found = judged(context, port, looks=3)
    assert found == {"tls.name-mismatch": ["old.school.example"]}


def serve_by_tlslite(folder, version: tuple[int, int], ciphers: list[str], macs: list[str]):
    """A server of tlslite-ng, which still speaks SSL 3, RC4 and 3DES."""
    write(folder, Plan(key="rsa-2048"))
    chain = X509CertChain()
    chain.parsePemList((folder / "own.pem").read_text() + (folder / "chain.pem").read_text())
    key = parsePEMKey((folder / "key.pem").read_text(), private=True)
    settings = HandshakeSettings()
    settings.minVersion, settings.maxVersion = version, version
    settings.cipherNames, settings.macNames = ciphers, macs

    def talk(line) -> None:
        with suppress(TLSError, OSError, ValueError):
            TLSConnection(line).handshakeServer(certChain=chain, privateKey=key, settings=settings)

    return talk


@pytest.mark.parametrize(
    ("version", "ciphers", "macs", "rules"),
    [
        ((3, 0), ["aes128"], ["sha"], {"tls.ssl3", "tls.old-version"}),
        ((3, 3), ["aes128", "rc4"], ["sha"], {"tls.rc4-suite"}),
        ((3, 3), ["aes128", "3des"], ["sha"], {"tls.3des-suite"}),
        ((3, 1), ["rc4"], ["md5"], {"tls.tls-1-0", "tls.old-version", "tls.rc4-suite", "tls.md5-suite"}),
    ],
)
def test_server_when_it_is_tlslite_then_exactly_the_rules_that_fit_fire(
    context, tmp_path, version, ciphers, macs, rules
) -> None:
    with serving(serve_by_tlslite(tmp_path, version, ciphers, macs)) as port:
        found = set(judged(context, port))
    assert found - {"tls.no-forward-secrecy"} == rules


def test_synthetic_tlcp_when_it_shows_sm2_then_nothing_is_wrong_with_it(context, tmp_path) -> None:
    signing = sm2_certificate(tmp_path)
    answer = record(22, hello_body(0x0101, 0xE013) + certificates(signing, signing) + message(14, b""), 0x0101)

    def talk(line) -> None:
        line.sendall(answer if line.recv(4096)[1:3] == b"\1\1" else alert(70))

    with serving(talk) as port:
        found = judged(context, port)
    assert [rule for rule in found if rule.startswith("tls.")] == []  # its dates are those of the real clock
    assert "certificate.self-signed" in found


def test_synthetic_sm2_when_tlcp_is_not_spoken_then_that_is_told(context, tmp_path) -> None:
    answer = record(22, hello_body(0x0303, 0xC02B) + certificates(sm2_certificate(tmp_path)) + message(14, b""))

    def talk(line) -> None:
        offer = line.recv(4096)
        line.sendall(answer if offer[1:3] == b"\3\1" and offer[9:11] == b"\3\3" else alert(70))

    with serving(talk) as port:
        found = judged(context, port)
    assert [rule for rule in found if rule.startswith("tls.")] == ["tls.sm2-without-tlcp"]


def test_server_when_it_no_longer_speaks_tls_then_its_findings_are_gone(context) -> None:
    """The answers are written by hand: the same port changes what it speaks."""
    answers = [record(22, hello_body(0x0301, 0xC013)), b"HTTP/1.1 400 Bad Request\r\n\r\n"]

    def talk(line) -> None:
        offer = line.recv(4096)
        line.sendall(answers[0] if answers[0][:1] == b"H" or offer[9:11] in (b"\3\1", b"\3\3") else alert(70))

    with serving(talk) as port:
        assert set(judged(context, port, name="", looks=1)) == {"tls.tls-1-0", "tls.old-version"}
        answers.pop(0)
        assert judged(context, port, name="", looks=1) == {}


def test_mail_server_when_it_begins_tls_in_the_middle_then_it_is_judged_too(context) -> None:
    """The answers are written by hand."""

    def talk(line) -> None:
        line.sendall(b"220 mail\r\n")
        line.recv(100)
        line.sendall(b"250-mail\r\n250 STARTTLS\r\n")
        line.recv(100)
        line.sendall(b"220 go\r\n")
        line.sendall(record(22, hello_body(0x0301, 0xC013)) if line.recv(4096)[9:11] == b"\3\3" else alert(70))

    with serving(talk) as port:
        assert set(judged(context, port, name="", service="smtp", looks=1)) == {"tls.tls-1-0", "tls.old-version"}
