"""The certificates of a server as it sent them in; what a look keeps of them out, whatever they hold.

SM2 keys cannot be read by `cryptography`: they are told by their object identifiers. Nothing is ever fetched.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from sentinel.model.hostname import covers

_Value = TypeVar("_Value")

_SIGNATURES: Mapping[str, str] = MappingProxyType(
    {
        "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
        "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
        "1.3.14.3.2.29": "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.14": "sha224WithRSAEncryption",
        "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
        "1.2.840.113549.1.1.10": "rsassaPss",
        "1.2.840.10045.4.1": "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1": "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
        "1.2.840.10040.4.3": "dsa-with-SHA1",
        "2.16.840.1.101.3.4.3.2": "dsa-with-SHA256",
        "1.3.101.112": "ed25519",
        "1.3.101.113": "ed448",
        "1.2.156.10197.1.501": "SM2-with-SM3",
    }
)
"""Signature algorithms by object identifier, named as OpenSSL and nmap do."""

_EC_KEY = "1.2.840.10045.2.1"
_RSA_KEYS = frozenset({"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"})
_SM2_CURVE = bytes.fromhex("06082a811ccf5501822d")
"""1.2.156.10197.1.301 as it stands in a key."""

_SM2_SIGNATURE = "1.2.156.10197.1.501"
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


def read_certificates(chain: Sequence[bytes], asked_name: str = "", *, has_two: bool = False) -> dict[str, object]:
    """Give what a look keeps of a chain, the server's own certificate first; `has_two`: TLCP, where a second follows.

    The chain is whole as far as can be told: the own certificate signed itself, or the one that signed it was sent.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cryptography warns of what is old or bent; that is what is looked for
        read = [_load(one) for one in chain]
        if not read or read[0] is None:
            return {"certificate_unreadable": True} if read else {}
        own = read[0]
        names = _names(own)
        values: dict[str, object] = _facts(own) | _key(own) | {"names": names, "chain_length": len(chain)}
        others = [one for one in read[2 if has_two else 1 :] if one is not None and one != own]
        values |= _links(own, others)
        if asked_name and names:
            values["name_mismatch"] = not any(covers(name, asked_name) for name in names)
        values["sm2"] = values.get("key_type") == "sm2" or _oid(own) == _SM2_SIGNATURE
        return values


def _load(der: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(der)
    except _UNREADABLE:
        return None


def _attempt(read: Callable[[], _Value], otherwise: _Value) -> _Value:
    """Read one part of a certificate: most are parsed when they are asked for, and may be broken."""
    try:
        return read()
    except _UNREADABLE:
        return otherwise


def _facts(one: x509.Certificate) -> dict[str, object]:
    subject, issuer = _attempt(lambda: one.subject, None), _attempt(lambda: one.issuer, None)
    return {
        "certificate_sha256": one.fingerprint(SHA256()).hex(),
        "subject": _common_name(subject),
        "issuer": _common_name(issuer),
        "self_signed": subject == issuer if subject is not None and issuer is not None else None,
        "not_before": _attempt(lambda: one.not_valid_before_utc.isoformat(), None),
        "not_after": _attempt(lambda: one.not_valid_after_utc.isoformat(), None),
        "signature": _signature(one),
    }


def _oid(one: x509.Certificate) -> str:
    return _attempt(lambda: one.signature_algorithm_oid.dotted_string, "")


def _signature(one: x509.Certificate) -> str:
    oid = _oid(one)
    name = _SIGNATURES.get(oid, oid)
    if name == "rsassaPss":  # its hash stands in its parameters
        algorithm = _attempt(lambda: one.signature_hash_algorithm, None)
        name += f"-{algorithm.name}" if algorithm is not None else ""
    return name


def _key(one: x509.Certificate) -> dict[str, object]:
    try:
        key = one.public_key()
    except _UNREADABLE:
        return _unread_key(one)
    if isinstance(key, rsa.RSAPublicKey):
        return {"key_type": "rsa", "key_bits": key.key_size}
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {"key_type": "ec", "key_bits": key.curve.key_size}
    if isinstance(key, dsa.DSAPublicKey):
        return {"key_type": "dsa", "key_bits": key.key_size}
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return {"key_type": "ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "ed448"}
    return {}


def _unread_key(one: x509.Certificate) -> dict[str, object]:
    """Tell of a key that cannot be read what kind it is, by its object identifiers."""
    oid = _attempt(lambda: one.public_key_algorithm_oid.dotted_string, "")
    if oid == _EC_KEY and _SM2_CURVE in _attempt(lambda: one.tbs_certificate_bytes, b""):
        return {"key_type": "sm2", "key_bits": 256}
    return {"key_type": "ec" if oid == _EC_KEY else "rsa" if oid in _RSA_KEYS else oid}


def _names(one: x509.Certificate) -> list[str]:
    """Give the names a certificate covers, lower case; its common name where it lists none."""
    try:
        found = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        name = _common_name(_attempt(lambda: one.subject, None)).lower()
        return [name] if "." in name and " " not in name else []
    except _UNREADABLE:
        return []
    none: list[str] = []
    hosts = _attempt(lambda: found.get_values_for_type(x509.DNSName), none)
    places = _attempt(lambda: [str(one) for one in found.get_values_for_type(x509.IPAddress)], none)
    return [*dict.fromkeys([*(name.lower().rstrip(".") for name in hosts), *places])]


def _common_name(name: x509.Name | None) -> str:
    if name is None:
        return ""
    common = [str(one.value) for one in name.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return common[0].strip() if common else _attempt(name.rfc4514_string, "")


def _links(own: x509.Certificate, others: Sequence[x509.Certificate]) -> dict[str, object]:
    """Follow the chain from the own certificate through those sent with it, in whatever order they came."""
    path, left = [own], list(others)
    while not _is_issuer(path[-1], path[-1]):
        found = next((one for one in left if _is_issuer(one, path[-1])), None)
        if found is None:
            break
        left.remove(found)
        path.append(found)
    whole = len(path) > 1 or _is_issuer(own, own)
    return {
        "chain_complete": whole,
        "chain_broken": not whole and bool(others),
        "chain_signatures": [_signature(one) for one in path[1:] if not _is_issuer(one, one)],
    }


def _is_issuer(issuer: x509.Certificate, one: x509.Certificate) -> bool:
    """Tell whether one certificate signed another; where the signature is of a kind unknown here, names decide."""
    if not _attempt(lambda: one.issuer == issuer.subject, False):
        return False
    try:
        one.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    except _UNREADABLE:
        return _is_old_signature(issuer, one)
    return True


def _is_old_signature(issuer: x509.Certificate, one: x509.Certificate) -> bool:
    """Check a signature over MD5 or SHA-1, which `cryptography` checks of bytes and not of certificates."""
    try:
        key, digest = issuer.public_key(), one.signature_hash_algorithm
        if digest is not None and isinstance(key, rsa.RSAPublicKey):
            key.verify(one.signature, one.tbs_certificate_bytes, PKCS1v15(), digest)
        elif digest is not None and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(one.signature, one.tbs_certificate_bytes, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    except _UNREADABLE:
        return True
    return True
