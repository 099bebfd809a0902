"""Certificates of the practice school: a plan of flaws in, keys and signed certificates out."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class CertificateKind(StrEnum):
    """What is planted in a certificate; each flawed one has exactly one flaw."""

    GOOD = "good"
    EXPIRED = "expired"
    SELF_SIGNED = "self-signed"
    WEAK_KEY = "weak-key"
    WRONG_NAME = "wrong-name"
    EXPIRING = "expiring"


@dataclass(frozen=True, slots=True)
class CertificatePlan:
    """A certificate to be made.

    Attributes:
        kind: its flaw.
        name: DNS name it is made for; the server's own name except for `wrong-name`.
        generation: counts renewals on the same port, from 1.
    """

    kind: CertificateKind
    name: str
    generation: int = 1


_RULES = {
    CertificateKind.GOOD: (),
    CertificateKind.EXPIRED: ("certificate.expired",),
    CertificateKind.SELF_SIGNED: ("certificate.self-signed",),
    CertificateKind.WEAK_KEY: ("certificate.rsa-short",),
    CertificateKind.WRONG_NAME: ("certificate.name-mismatch",),
    CertificateKind.EXPIRING: ("certificate.expires-7",),
}


def rules_of(plan: CertificatePlan) -> tuple[str, ...]:
    """Name the rules that must find the planted flaw."""
    return _RULES[plan.kind]


# Validity in days relative to now: (from, to).
_VALIDITY_DAYS = {CertificateKind.EXPIRED: (-400, -35), CertificateKind.EXPIRING: (-360, 5)}
_YEAR_DAYS = (-1, 364)


def _context(key: _Key, certificate: x509.Certificate, chain: x509.Certificate | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The weak key is the exercise: OpenSSL refuses RSA 1024 at its default level.
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    parts = (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        certificate.public_bytes(Encoding.PEM),
        chain.public_bytes(Encoding.PEM) if chain else b"",
    )
    # The ssl module loads keys from files only; this one never touches a disk.
    handle = os.memfd_create("school-certificate")
    try:
        os.write(handle, b"".join(parts))
        context.load_cert_chain(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)
    return context


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate ready to serve.

    Attributes:
        context: TLS settings with key and chain.
        certificate: the certificate itself.
    """

    context: ssl.SSLContext
    certificate: x509.Certificate

    @property
    def sha256(self) -> str:
        """Hex digest over the DER."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()


class Authority:
    """The school's own certificate authority, made anew at each start."""

    def __init__(self, organisation: str, now: datetime) -> None:
        self._now = now.replace(microsecond=0)
        self._organisation = organisation
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = self._name("Practice School CA")
        self.certificate = (
            self._draft(name, name, self._key, (-800, 3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def issue(self, plan: CertificatePlan) -> Issued:
        """Make a key and a certificate as planned; RSA keys cost time, so only where the length is the point."""
        weak = plan.kind is CertificateKind.WEAK_KEY
        # RSA 1024 on purpose: the rules must find it.
        key: _Key = rsa.generate_private_key(65537, 1024) if weak else ec.generate_private_key(ec.SECP256R1())  # noqa: S505
        own = plan.kind is CertificateKind.SELF_SIGNED
        subject = self._name(plan.name)
        draft = (
            self._draft(
                subject, subject if own else self.certificate.subject, key, _VALIDITY_DAYS.get(plan.kind, _YEAR_DAYS)
            )
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(plan.name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
        certificate = draft.sign(key if own else self._key, hashes.SHA256())
        return Issued(_context(key, certificate, None if own else self.certificate), certificate)

    def _name(self, common: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self._organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )

    def _draft(
        self, subject: x509.Name, issuer: x509.Name, key: _Key, days: tuple[int, int]
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now + timedelta(days=days[0]))
            .not_valid_after(self._now + timedelta(days=days[1]))
        )
