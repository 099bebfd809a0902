"""Real TLS servers of any age for tests: `openssl s_server` with the keys and certificates a test plans."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.collect.test_probing import HERE
from tests.homes import NOW

NAME = "www.school.example"
SOUND = ("-cipher", "ECDHE:DHE:!aNULL:!eNULL:@SECLEVEL=0")
"""Sound suites, with the old versions, short keys and old signatures OpenSSL refuses by default."""


@cache
def key_of(kind: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """A key of `rsa-1024`, `ec-secp256r1` and the like; made once."""
    family, _, size = kind.partition("-")
    if family == "rsa":
        return rsa.generate_private_key(65537, int(size))
    return ec.generate_private_key({"secp256r1": ec.SECP256R1(), "secp192r1": ec.SECP192R1()}[size])


@dataclass(frozen=True)
class Plan:
    """A certificate: its key, its name, days of validity around NOW, and what is sent with it.

    `chain`: `whole` sends the one that signed it, `none` nothing, `wrong` another one; `self` signs itself.
    """

    key: str = "ec-secp256r1"
    name: str = NAME
    days: tuple[int, int] = (-10, 80)
    chain: str = "whole"


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _make(subject: str, issuer: str, key, signer, days: tuple[int, int], *, is_authority: bool) -> x509.Certificate:
    draft = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if not is_authority:
        draft = draft.add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
    return draft.sign(signer, hashes.SHA256())


@cache
def authority(name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """An intermediate authority of that name, signed by a root nobody sends."""
    key, root = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    return _make(name, "示例根", key, root, (-300, 3000), is_authority=True), key


def issue(plan: Plan) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """Make a certificate and what is sent along."""
    middle, signer = authority("示例中间证书")
    key = key_of(plan.key)
    own = plan.chain == "self"
    made = _make(
        plan.name, plan.name if own else "示例中间证书", key, key if own else signer, plan.days, is_authority=False
    )
    others = {"whole": (middle,), "wrong": (authority("另一中间证书")[0],)}.get(plan.chain, ())
    return made, others


def write(folder: Path, plan: Plan) -> tuple[str, ...]:
    """Write key and certificates; gives the arguments for s_server."""
    made, others = issue(plan)
    key = key_of(plan.key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(key)
    (folder / "own.pem").write_bytes(made.public_bytes(Encoding.PEM))
    arguments: tuple[str, ...] = ("-cert", str(folder / "own.pem"), "-key", str(folder / "key.pem"))
    if others:
        (folder / "chain.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in others))
        arguments += ("-cert_chain", str(folder / "chain.pem"))
    return arguments


@contextmanager
def openssl_server(*arguments: str) -> Iterator[int]:
    """Run s_server until the end; gives its port."""
    command = ["openssl", "s_server", "-accept", f"{HERE}:0", "-www", *arguments]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            said = b""
            for line in process.stdout:
                said += line
                if line.startswith(b"ACCEPT"):
                    break
            else:
                raise AssertionError(f"s_server did not start: {said!r} {process.stderr and process.stderr.read()!r}")
            yield int(line.rsplit(b":", 1)[1])
        finally:
            process.kill()
