"""What a new look at an endpoint makes of what was known of it."""

from __future__ import annotations

from dataclasses import replace

from sentinel.model.endpoint import Endpoint, Fingerprint
from sentinel.model.observation import Certificate, EndpointObservation

SAME_SERVICE = {
    "dns": "domain",
    "https": "http",
    "ssl": "",
    "tls": "",
    "unknown": "",
    "http-alt": "http",
    "http-proxy": "http",
    "https-alt": "http",
    "rdp": "ms-wbt-server",
    "mongod": "mongodb",
    "postgres": "postgresql",
    "smb": "microsoft-ds",
    "netbios-ssn": "microsoft-ds",
    "redis-server": "redis",
}
"""Names that different tools, or one tool on different days, give to one protocol; comparing goes by the right side."""

INSIDE_TLS = frozenset({"ssl", "tls", "https", "https-alt"})
"""Names that say TLS and nothing, or only HTTP, of what is inside."""


def build_fingerprint(seen: EndpointObservation) -> Fingerprint:
    """Give the fingerprint of one look."""
    return Fingerprint(
        service=seen.service,
        guessed=seen.guessed,
        product=seen.product,
        version=seen.version,
        tunnel=seen.tunnel,
        certificate=seen.certificate.sha256 if seen.certificate else "",
    )


def is_change(known: Fingerprint, seen: Fingerprint) -> bool:
    """Tell whether the endpoint itself changed, as against being seen better or worse.

    A guess from the port number never contradicts, nor does something not told; a first real answer after a guess
    is better knowledge, not a change.
    """
    if known.is_identified and seen.is_identified:
        old_service, old_tunnel = _protocol(known)
        new_service, new_tunnel = _protocol(seen)
        if old_tunnel != new_tunnel or _differs(old_service, new_service):
            return True
        if _differs(known.product, seen.product) or _differs(known.version, seen.version):
            return True
    return _differs(known.certificate, seen.certificate)


def refine(known: Fingerprint, seen: Fingerprint) -> Fingerprint:
    """Join two looks at an unchanged endpoint: told beats untold, a real answer beats a guess, the newer word wins."""
    if seen.service and (not seen.guessed or known.guessed or not known.service):
        service, guessed = seen.service, seen.guessed
    else:
        service, guessed = known.service, known.guessed
    return Fingerprint(
        service=service,
        guessed=guessed,
        product=seen.product or known.product,
        version=seen.version or known.version,
        tunnel=seen.tunnel or known.tunnel,
        certificate=_better_sum(known.certificate, seen.certificate),
    )


def amend(endpoint: Endpoint, seen: EndpointObservation, *, first_word_stands: bool, in_scope: bool) -> Endpoint:
    """Give the endpoint with what this look adds; with `first_word_stands` only blanks are filled."""
    mark = build_fingerprint(seen)
    joined = refine(mark, endpoint.fingerprint) if first_word_stands else refine(endpoint.fingerprint, mark)
    older, newer = (endpoint.title, seen.title) if not first_word_stands else (seen.title, endpoint.title)
    return replace(
        endpoint,
        fingerprint=joined,
        extra=(endpoint.extra or seen.extra) if first_word_stands else (seen.extra or endpoint.extra),
        cpes=tuple(dict.fromkeys((*endpoint.cpes, *seen.cpes))) if not _is_news(seen) else seen.cpes,
        title=newer or older,
        certificate=_certificate(endpoint.certificate, seen.certificate, joined.certificate),
        misses=0,
        in_scope=in_scope,
    )


def _certificate(known: Certificate | None, seen: Certificate | None, wanted: str) -> Certificate | None:
    return next((one for one in (seen, known) if one is not None and one.sha256 == wanted), known or seen)


def _is_news(seen: EndpointObservation) -> bool:
    """The detector named products anew, so CPE names of an older look do not stand beside them."""
    return bool(seen.cpes) and not seen.guessed and bool(seen.product)


def _protocol(mark: Fingerprint) -> tuple[str, str]:
    """Give (protocol, tunnel) in one vocabulary; a protocol not told, or hidden inside TLS, is empty."""
    bare = mark.service.removeprefix("ssl/")
    tunnel = "ssl" if mark.tunnel or bare != mark.service or bare in INSIDE_TLS else ""
    return SAME_SERVICE.get(bare, bare), tunnel


def _differs(old: str, new: str) -> bool:
    """Both told and not the same; a sum over SHA-1 cannot contradict one over SHA-256."""
    return bool(old) and bool(new) and old != new and old.startswith("sha1:") == new.startswith("sha1:")


def _better_sum(known: str, seen: str) -> str:
    if known and seen.startswith("sha1:") and not known.startswith("sha1:"):
        return known
    return seen or known
