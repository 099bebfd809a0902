"""Certificates of the practice school: each has its planned flaw and no other, and real clients notice it."""

import socket
import ssl
import warnings
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from sentinel.drill.servers import sites
from sentinel.drill.servers.certificate import Authority, CertificateKind, CertificatePlan, flaws_of, rules_of
from sentinel.drill.servers.conversation import Seen
from tests.drill.servers.speaking import ADDRESS, get, opened

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
NAME = "www.school1.example"
VALIDITY = {
    CertificateKind.EXPIRED: (-400, -35),
    CertificateKind.EXPIRING: (-360, 5),
    CertificateKind.EXPIRING_FORTNIGHT: (-350, 11),
    CertificateKind.EXPIRING_MONTH: (-340, 22),
    CertificateKind.NOT_YET_VALID: (40, 400),
    CertificateKind.TOO_LONG: (-30, 3600),
}


def issuer_of(kind: CertificateKind, authority: Authority, own: x509.Certificate) -> x509.Certificate:
    return {CertificateKind.SELF_SIGNED: own, CertificateKind.INCOMPLETE_CHAIN: authority.intermediate}.get(
        kind, authority.certificate
    )


@pytest.mark.parametrize("kind", CertificateKind)
def test_authority_when_it_issues_then_the_certificate_has_the_planned_flaw_and_no_other(kind: CertificateKind) -> None:
    authority = Authority("school1.example", NOW)

    certificate = authority.issue(CertificatePlan(kind, NAME)).certificate

    days = VALIDITY.get(kind, (-1, 364))
    assert certificate.not_valid_before_utc == NOW + timedelta(days=days[0])
    assert certificate.not_valid_after_utc == NOW + timedelta(days=days[1])
    assert (days[1] - days[0] > 398) == (kind is CertificateKind.TOO_LONG)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [NAME]
    assert certificate.issuer == issuer_of(kind, authority, certificate).subject
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey if kind is CertificateKind.WEAK_KEY else ec.EllipticCurvePublicKey)
    assert key.key_size == (1024 if kind is CertificateKind.WEAK_KEY else 256)
    digest = "sha1" if kind is CertificateKind.SHA1 else "sha256"
    assert certificate.signature_algorithm_oid._name.lower() == f"ecdsa-with-{digest}"


@pytest.mark.parametrize("kind", [kind for kind in CertificateKind if kind is not CertificateKind.SHA1])
def test_authority_when_it_issues_then_the_issuer_has_signed(kind: CertificateKind) -> None:
    authority = Authority("school1.example", NOW)
    certificate = authority.issue(CertificatePlan(kind, NAME)).certificate

    certificate.verify_directly_issued_by(issuer_of(kind, authority, certificate))
    authority.intermediate.verify_directly_issued_by(authority.certificate)


def talk_tls(plan: CertificatePlan, *trusted: str, ciphers: str = "DEFAULT", old: bool = False) -> tuple[str, bytes]:
    """Serve a page with the certificate and fetch it as a client who checks; tell protocol and answer."""
    authority = Authority("school1.example", datetime.now(UTC))
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.set_ciphers(ciphers)
    if old:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            client.minimum_version = ssl.TLSVersion.TLSv1
    for name in trusted:
        client.load_verify_locations(cadata=getattr(authority, name).public_bytes(Encoding.PEM).decode())
    page = sites.portal(443, "x", "1.22.1", plan)
    with (
        opened(page, authority.issue(plan).context) as port,
        socket.create_connection((str(ADDRESS), port), 5) as plain,
        client.wrap_socket(plain, server_hostname=plan.name) as secure,
    ):
        secure.sendall(get("/"))
        return str(secure.version()), secure.recv(17)


@pytest.mark.parametrize("kind", [CertificateKind.GOOD, CertificateKind.EXPIRING_MONTH, CertificateKind.TOO_LONG])
def test_client_when_nothing_is_wrong_with_the_chain_then_it_trusts(kind: CertificateKind) -> None:
    assert talk_tls(CertificatePlan(kind, NAME), "certificate") == ("TLSv1.3", b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (CertificateKind.EXPIRED, "expired"),
        (CertificateKind.NOT_YET_VALID, "not yet valid"),
        (CertificateKind.SELF_SIGNED, "self-signed"),
        (CertificateKind.INCOMPLETE_CHAIN, "unable to get local issuer certificate"),
        (CertificateKind.SHA1, "signature digest algorithm too weak"),
    ],
)
def test_client_when_the_certificate_is_flawed_then_it_refuses_for_that_reason(
    kind: CertificateKind, reason: str
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        talk_tls(CertificatePlan(kind, NAME), "certificate")


@pytest.mark.parametrize(
    ("kind", "trusted", "ciphers"),
    [
        pytest.param(
            CertificateKind.INCOMPLETE_CHAIN, ("certificate", "intermediate"), "DEFAULT", id="the-missing-link"
        ),
        pytest.param(CertificateKind.SHA1, ("certificate",), "DEFAULT@SECLEVEL=0", id="sha1-accepted"),
    ],
)
def test_client_when_it_makes_up_for_the_flaw_then_the_signatures_are_right(
    kind: CertificateKind, trusted: tuple[str, ...], ciphers: str
) -> None:
    assert talk_tls(CertificatePlan(kind, NAME), *trusted, ciphers=ciphers)[1] == b"HTTP/1.1 200 OK\r\n"


def test_client_when_the_server_speaks_tls_1_0_only_then_an_old_one_is_served_and_a_new_one_refused() -> None:
    plan = CertificatePlan(CertificateKind.GOOD, NAME, newest_tls=ssl.TLSVersion.TLSv1)

    assert talk_tls(plan, "certificate", ciphers="DEFAULT@SECLEVEL=0", old=True)[0] == "TLSv1"
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol"):
        talk_tls(plan, "certificate")


def test_plan_when_it_is_flawed_then_rule_or_flaw_is_named_and_never_both() -> None:
    plans = [CertificatePlan(kind, NAME) for kind in CertificateKind if kind is not CertificateKind.GOOD]

    assert [len(rules_of(plan)) + len(flaws_of(plan)) for plan in plans] == [1] * len(plans)
    assert rules_of(CertificatePlan(CertificateKind.GOOD, NAME)) == ()


def test_page_when_its_server_speaks_an_old_protocol_only_then_its_truth_is_that_flaw_alone() -> None:
    old = sites.login_form(443, "x", "y", CertificatePlan(CertificateKind.GOOD, NAME, 1, ssl.TLSVersion.TLSv1))

    assert (old.seen, old.weaknesses, old.flaws, old.plain_answer) == (Seen(), (), ("tls.old-version",), b"")
