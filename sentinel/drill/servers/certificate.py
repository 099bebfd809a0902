"""Certificates of the practice school: a plan of flaws in, keys and signed certificates out."""

from __future__ import annotations

import hashlib
import os
import ssl
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
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
    EXPIRING_FORTNIGHT = "expiring-fortnight"
    EXPIRING_MONTH = "expiring-month"
    NOT_YET_VALID = "not-yet-valid"
    TOO_LONG = "too-long"
    SHA1 = "sha1"
    INCOMPLETE_CHAIN = "incomplete-chain"


@dataclass(frozen=True, slots=True)
class CertificatePlan:
    """A certificate to be made, and how it is served.

    Attributes:
        kind: its flaw.
        name: DNS name it is made for; the server's own name except for `wrong-name`.
        generation: counts renewals on the same port, from 1.
        newest_tls: the newest protocol its server speaks; None: all from TLS 1.2 on.
    """

    kind: CertificateKind
    name: str
    generation: int = 1
    newest_tls: ssl.TLSVersion | None = None


_RULES = {
    CertificateKind.EXPIRED: "certificate.expired",
    CertificateKind.SELF_SIGNED: "certificate.self-signed",
    CertificateKind.WEAK_KEY: "certificate.rsa-short",
    CertificateKind.WRONG_NAME: "certificate.name-mismatch",
    CertificateKind.EXPIRING: "certificate.expires-7",
    CertificateKind.EXPIRING_FORTNIGHT: "certificate.expires-14",
    CertificateKind.EXPIRING_MONTH: "certificate.expires-30",
    CertificateKind.NOT_YET_VALID: "certificate.not-yet-valid",
    CertificateKind.TOO_LONG: "certificate.valid-too-long",
    CertificateKind.SHA1: "certificate.weak-signature",
}


def rules_of(plan: CertificatePlan) -> tuple[str, ...]:
    """Name the rules that must find the planted flaw."""
    return (_RULES[plan.kind],) if plan.kind in _RULES else ()


def flaws_of(plan: CertificatePlan) -> tuple[str, ...]:
    """Name the planted flaws no rule names yet."""
    chain = ("tls.incomplete-chain",) if plan.kind is CertificateKind.INCOMPLETE_CHAIN else ()
    return (*chain, "tls.old-version") if plan.newest_tls is not None else chain


# Validity in days relative to now: (from, to).
_VALIDITY_DAYS = {
    CertificateKind.EXPIRED: (-400, -35),
    CertificateKind.EXPIRING: (-360, 5),
    CertificateKind.EXPIRING_FORTNIGHT: (-350, 11),
    CertificateKind.EXPIRING_MONTH: (-340, 22),
    CertificateKind.NOT_YET_VALID: (40, 400),
    CertificateKind.TOO_LONG: (-30, 3600),
}
_YEAR_DAYS = (-1, 364)


def _pem(key: _Key, certificate: x509.Certificate, chain: x509.Certificate | None) -> bytes:
    parts = (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        certificate.public_bytes(Encoding.PEM),
        chain.public_bytes(Encoding.PEM) if chain else b"",
    )
    return b"".join(parts)


def _context(pem: bytes, newest: ssl.TLSVersion | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The weak key is the exercise: OpenSSL refuses RSA 1024, SHA-1 and TLS 1.0 at its default level.
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    if newest is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # an old protocol is the exercise
            context.minimum_version = context.maximum_version = newest
    # The ssl module loads keys from files only; this one never touches a disk.
    handle = os.memfd_create("school-certificate")
    try:
        os.write(handle, pem)
        context.load_cert_chain(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)
    return context


# AlgorithmIdentifiers of RFC 3279 section 2.2.3 and RFC 5758 section 3.2, as they stand in a certificate.
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_ECDSA_SHA1 = bytes.fromhex("300906072a8648ce3d0401")
_SEQUENCE, _BIT_STRING = 0x30, 0x03


def _element(tag: int, body: bytes) -> bytes:
    """Write a DER element."""
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def _sign_with_sha1(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Sign the same contents again with SHA-1, which cryptography refuses to do by itself.

    ECDSA reads a digest as a number, so the 20 bytes of SHA-1 behind 12 zeros are the same number in the length of
    SHA-256. Source: FIPS 186-5 section 6.4.1; RFC 5280 section 4.1.
    """
    old = certificate.tbs_certificate_bytes
    head_bytes = 2 + (old[1] & 0x7F if old[1] & 0x80 else 0)
    contents = _element(_SEQUENCE, old[head_bytes:].replace(_ECDSA_SHA256, _ECDSA_SHA1, 1))
    digest = hashlib.sha1(contents, usedforsecurity=False).digest()
    signature = key.sign(digest.rjust(32, b"\0"), ec.ECDSA(Prehashed(hashes.SHA256())))
    return x509.load_der_x509_certificate(
        _element(_SEQUENCE, contents + _ECDSA_SHA1 + _element(_BIT_STRING, b"\0" + signature))
    )


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate ready to serve.

    Attributes:
        context: TLS settings with key and chain.
        certificate: the certificate itself.
        pem: key, certificate and chain, for a server that reads them from a file.
    """

    context: ssl.SSLContext
    certificate: x509.Certificate
    pem: bytes

    @property
    def sha256(self) -> str:
        """Hex digest over the DER."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()


class Authority:
    """The school's own certificate authority, made anew at each start.

    Attributes:
        certificate: the root, which everybody in the school trusts.
        intermediate: signed by the root; it signs what is served with an incomplete chain.
    """

    def __init__(self, organisation: str, now: datetime) -> None:
        self._now = now.replace(microsecond=0)
        self._organisation = organisation
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._middle_key = ec.generate_private_key(ec.SECP256R1())
        root, middle = self._name("Practice School CA"), self._name("Practice School Intermediate CA")
        self.certificate = self._authority(root, self._key, path_length=1)
        self.intermediate = self._authority(middle, self._middle_key, path_length=0)

    def issue(self, plan: CertificatePlan) -> Issued:
        """Make a key and a certificate as planned; RSA keys cost time, so only where the length is the point."""
        weak = plan.kind is CertificateKind.WEAK_KEY
        # RSA 1024 on purpose: the rules must find it.
        key: _Key = rsa.generate_private_key(65537, 1024) if weak else ec.generate_private_key(ec.SECP256R1())  # noqa: S505
        own = plan.kind is CertificateKind.SELF_SIGNED
        broken = plan.kind is CertificateKind.INCOMPLETE_CHAIN
        subject = self._name(plan.name)
        issuer = subject if own else (self.intermediate if broken else self.certificate).subject
        draft = (
            self._draft(subject, issuer, key, _VALIDITY_DAYS.get(plan.kind, _YEAR_DAYS))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(plan.name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
        certificate = draft.sign(key if own else self._middle_key if broken else self._key, hashes.SHA256())
        if plan.kind is CertificateKind.SHA1:
            certificate = _sign_with_sha1(certificate, self._key)
        chain = None if own or broken else self.certificate
        pem = _pem(key, certificate, chain)
        return Issued(_context(pem, plan.newest_tls), certificate, pem)

    def _authority(self, name: x509.Name, key: _Key, path_length: int) -> x509.Certificate:
        return (
            self._draft(name, self._name("Practice School CA"), key, (-800, 3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .sign(self._key, hashes.SHA256())
        )

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
