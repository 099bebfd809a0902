r"""Results of nmap scripts in, page titles and certificates out; nmap writes bytes beyond ASCII as `\xNN`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from itertools import pairwise
from xml.etree.ElementTree import Element  # elements come from XmlDocument, which refuses entities

from sentinel.model.links import cut_links
from sentinel.model.observation import Certificate
from sentinel.observe.text import clean_name, cut_text, decode_escapes, parse_utc

TITLE_SCRIPTS = frozenset({"http-title", "html-title", "HTML title"})
"""The script's names since nmap 5.35, in 4.9 to 5.3, and in 4.5."""

CERTIFICATE_SCRIPTS = frozenset({"ssl-cert"})

MAX_CERTIFICATE_NAMES = 500

MAX_OUTPUT = 64 * 1024
"""Characters of a script's output that are looked at."""

_NO_TITLE = ("did not follow redirect", "site doesn't have a title", "no title", "error:")
_NOTES = ("requested resource was", "did not follow redirect", "redirected to")
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_COMMON_NAME = re.compile(r"(?:^|/)(?:commonName|CN)=(.*?)(?=/[A-Za-z0-9.]+=|$)")
_ALTERNATIVE = "X509v3 Subject Alternative Name"

MAX_LEAVES = 2_000
MAX_TABLES = 8
"""Tables inside each other; ssl-cert nests three."""

Leaves = list[tuple[str, str]]
"""Elements of a script's structured result in order, as (keys from the outermost table joined by `/`, text)."""


def read_title(output: str, script: Element) -> str:
    """Give the page's title from an http-title result; empty where the page has none or was only a redirect."""
    for element in script.iterfind("elem"):
        if element.get("key") == "title" and element.text:
            return cut_text(cut_links(decode_escapes(element.text[:MAX_OUTPUT]).strip()))
    lines = [line.strip() for line in decode_escapes(output[:MAX_OUTPUT]).splitlines()]
    if any(line.lower().startswith(_NO_TITLE) for line in lines[:1]):
        return ""
    return cut_text(cut_links(" ".join(line for line in lines if line and not line.lower().startswith(_NOTES))))


def read_certificate(output: str, script: Element) -> Certificate | None:
    """Read an ssl-cert result, from its structure where nmap wrote one, else from its text; None if neither has any."""
    leaves: Leaves = []
    _collect_leaves(script, "", leaves, MAX_TABLES)
    return _from_leaves(leaves, output) if leaves else _from_text(output)


def read_alternatives(text: str) -> tuple[str, ...]:
    """Read `DNS:a.example, IP Address:192.0.2.1` into names and addresses, in order, each once."""
    names: dict[str, None] = {}
    for piece in text.split(",")[:MAX_CERTIFICATE_NAMES]:
        kind, colon, value = piece.strip().partition(":")
        if colon and kind.strip().lower() in ("dns", "ip address", "ip"):
            names[clean_name(value)] = None
    return tuple(name for name in names if name)


def common_name(distinguished: str) -> str:
    """Give the common name of `commonName=a/organizationName=b`, or the whole where it has none."""
    found = _COMMON_NAME.search(distinguished)
    return cut_text((found[1] if found else distinguished).strip())


def _collect_leaves(element: Element, prefix: str, leaves: Leaves, depth: int) -> None:
    for part in element:
        if len(leaves) >= MAX_LEAVES:
            return
        if part.tag == "elem":
            leaves.append((prefix + part.get("key", ""), decode_escapes((part.text or "")[:MAX_OUTPUT])))
        elif part.tag == "table" and depth:
            _collect_leaves(part, f"{prefix}{part.get('key', '')}/", leaves, depth - 1)


def _from_leaves(leaves: Leaves, output: str) -> Certificate | None:
    values = dict(leaves)
    subject = _part(leaves, "subject/")
    issuer = _part(leaves, "issuer/")
    digest = _digest(values.get("pem", ""), values.get("sha256", ""), values.get("sha1", ""))
    if not (subject or issuer or digest):
        return _from_text(output)
    return Certificate(
        sha256=digest,
        subject=_name_of(subject),
        issuer=_name_of(issuer),
        names=read_alternatives(_alternative_of(leaves)),
        not_before=parse_utc(values.get("validity/notBefore", "")),
        not_after=parse_utc(values.get("validity/notAfter", "")),
        key_type=cut_text(values.get("pubkey/type", "").lower()),
        key_bits=_bits(values.get("pubkey/bits", "")),
        signature=cut_text(values.get("sig_algo", "")),
        self_signed=sorted(subject) == sorted(issuer) if subject and issuer else None,
    )


def _from_text(output: str) -> Certificate | None:
    values: dict[str, str] = {}
    for line in decode_escapes(output[:MAX_OUTPUT]).splitlines():
        key, _, text = line.partition(":")
        values.setdefault(key.strip().lower(), text.strip())
    subject, issuer = values.get("subject", ""), values.get("issuer", "")
    digest = _digest(output[:MAX_OUTPUT], values.get("sha-256", ""), values.get("sha-1", ""))
    if not (subject or issuer or digest):
        return None
    return Certificate(
        sha256=digest,
        subject=common_name(subject),
        issuer=common_name(issuer),
        names=read_alternatives(values.get("subject alternative name", "")),
        not_before=parse_utc(values.get("not valid before", "")),
        not_after=parse_utc(values.get("not valid after", "")),
        key_type=cut_text(values.get("public key type", "").lower()),
        key_bits=_bits(values.get("public key bits", "")),
        signature=cut_text(values.get("signature algorithm", "")),
        self_signed=subject == issuer if subject and issuer else None,
    )


def _digest(pem: str, sha256: str, sha1: str) -> str:
    start, stop = pem.find(_BEGIN), pem.find(_END)
    if 0 <= start < stop:
        try:
            body = "".join(pem[start + len(_BEGIN) : stop].split())
            return hashlib.sha256(base64.b64decode(body, validate=True)).hexdigest()
        except (binascii.Error, ValueError):
            pass  # not base64 (also not ASCII): the digests nmap printed are the next best
    if is_hex(plain := _plain_hex(sha256), 64):
        return plain
    if is_hex(plain := _plain_hex(sha1), 40):
        return f"sha1:{plain}"
    return ""


def _plain_hex(text: str) -> str:
    return "".join(text.lower().replace(":", "").split())


def is_hex(text: str, digits: int) -> bool:
    """Tell whether the text is that many lower-case hex digits."""
    return len(text) == digits and not text.strip("0123456789abcdef")


def _part(leaves: Leaves, prefix: str) -> Leaves:
    return [(path.removeprefix(prefix), text) for path, text in leaves if path.startswith(prefix)]


def _name_of(parts: Leaves) -> str:
    for key, text in parts:
        if key == "commonName":
            return cut_text(text.strip())
    return cut_text("/".join(f"{key}={text}" for key, text in parts))


def _alternative_of(leaves: Leaves) -> str:
    """Find the alternative names: nmap writes each extension as a nameless table of a name and a value."""
    for (path, text), (next_path, next_text) in pairwise(leaves):
        if path == "extensions//name" and text == _ALTERNATIVE and next_path == "extensions//value":
            return next_text
    return ""


def _bits(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None
