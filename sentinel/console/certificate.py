"""The server's own certificate: made on the first run for the names and addresses of this machine, kept, and loaded."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sentinel.errors import ConfigError
from sentinel.store.database import wrap_errors

if TYPE_CHECKING:
    from cryptography import x509

LIFE: Final = timedelta(days=825)
"""The longest life browsers of all makers accept for a certificate a person trusts by hand."""

_RENEW: Final = timedelta(days=30)
_CERTIFICATE, _KEY = "certificate.pem", "key.pem"


def keep_certificate(folder: Path, names: Iterable[str], now: datetime) -> tuple[Path, Path]:
    """Give the files of the own certificate and its key, made anew when it is missing, ending, or lacks a name.

    Raises:
        StoreError: the folder cannot be written.
    """
    wanted = tuple(dict.fromkeys(name.lower() for name in names))
    certificate, key = folder / _CERTIFICATE, folder / _KEY
    if not _still_good(certificate, key, wanted, now):
        with wrap_errors(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(certificate, key, wanted, now)
    return certificate, key


def _still_good(certificate: Path, key: Path, wanted: Iterable[str], now: datetime) -> bool:
    try:
        known = _load(certificate)
    except (OSError, ValueError):
        return False
    lasts = known.not_valid_before_utc <= now < known.not_valid_after_utc - _RENEW
    return key.exists() and lasts and set(wanted) <= set(_names_in(known))


def _make(certificate: Path, key: Path, names: Iterable[str], now: datetime) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sentinel")])
    began = now - timedelta(hours=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + LIFE)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    _write(key, private.private_bytes(encoding, form, serialization.NoEncryption()), 0o600)
    _write(certificate, made.public_bytes(encoding), 0o644)


def _write(path: Path, body: bytes, mode: int) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        draft.unlink()
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(body)
    draft.replace(path)


def _general_name(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _load(path: Path) -> x509.Certificate:
    from cryptography import x509

    return x509.load_pem_x509_certificate(path.read_bytes())


def read_names(path: Path) -> tuple[str, ...]:
    """Give the names and addresses a certificate is for.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return _names_in(_load(path))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: no certificate in PEM") from error


def _names_in(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        value = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = [name.lower() for name in value.get_values_for_type(x509.DNSName)]
    return (*names, *map(str, value.get_values_for_type(x509.IPAddress)))


def read_fingerprint(path: Path) -> str:
    """Give the SHA-256 a browser shows for a certificate, in pairs.

    Raises:
        ConfigError: it cannot be read.
    """
    from cryptography.hazmat.primitives import hashes

    try:
        return _load(path).fingerprint(hashes.SHA256()).hex(":").upper()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: no certificate in PEM") from error


def load_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """Load a certificate with its key for a server that speaks TLS 1.2 and newer.

    Raises:
        ConfigError: they cannot be read, or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password function OpenSSL asks the terminal for one.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{certificate}, {key}: {getattr(error, 'reason', '') or error}; need PEM without a password"
        ) from error
    return context
