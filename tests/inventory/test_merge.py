from __future__ import annotations

import pytest

from sentinel.inventory.merge import amend, build_fingerprint, is_change, refine
from sentinel.model.endpoint import Fingerprint
from tests.inventory.made import certificate, endpoint, port

F = Fingerprint
NGINX = F("http", product="nginx", version="1.18.0")


@pytest.mark.parametrize(
    ("known", "seen"),
    [
        (NGINX, NGINX),
        (NGINX, F()),
        (NGINX, F("http", guessed=True)),
        (NGINX, F("https", guessed=True)),
        (NGINX, F("http-proxy", guessed=True)),
        (NGINX, F("http")),
        (NGINX, F("http", product="nginx")),
        (NGINX, F("tcpwrapped")),
        (F("tcpwrapped"), NGINX),
        (F(), NGINX),
        (F("ssh", guessed=True), NGINX),
        (F("http"), NGINX),
        (F("http", tunnel="ssl"), F("https")),
        (F("ssl/http"), F("http", tunnel="ssl")),
        (F("https"), F("ssl")),
        (F("ssl"), F("imap", tunnel="ssl")),
        (F("dns"), F("domain")),
        (F("rdp"), F("ms-wbt-server")),
        (F("netbios-ssn"), F("microsoft-ds")),
        (F("unknown"), F("ssh")),
        (F("ssh"), F("unknown")),
        (F("http", certificate="a"), F("http")),
        (F("http"), F("http", certificate="a")),
        (F("https", certificate="a" * 64), F("https", certificate="sha1:bb")),
        (F("https", certificate="sha1:bb"), F("https", certificate="a" * 64)),
    ],
)
def test_seeing_better_or_worse_is_no_change(known: Fingerprint, seen: Fingerprint) -> None:
    assert not is_change(known, seen)


@pytest.mark.parametrize(
    ("known", "seen"),
    [
        (NGINX, F("ssh")),
        (NGINX, F("http", product="Apache httpd")),
        (NGINX, F("http", product="nginx", version="1.22.1")),
        (F("http"), F("http", tunnel="ssl")),
        (F("http", tunnel="ssl"), F("http")),
        (F("https"), F("http")),
        (F("ssl/imap"), F("imap")),
        (F("ssl/imap"), F("ssl/pop3")),
        (F("https", certificate="a" * 64), F("https", certificate="b" * 64)),
        (F("https", certificate="sha1:aa"), F("https", certificate="sha1:bb")),
        (F("https", guessed=True, certificate="a" * 64), F("https", guessed=True, certificate="b" * 64)),
        (F("", certificate="a" * 64), F("http", certificate="b" * 64)),
    ],
)
def test_contradicting_what_was_told_is_a_change(known: Fingerprint, seen: Fingerprint) -> None:
    assert is_change(known, seen)
    assert is_change(seen, known)


PARTS = [
    F(),
    F("http", guessed=True),
    F("https", guessed=True),
    F("http"),
    F("http", product="nginx"),
    F("http", product="nginx", version="1.18.0"),
    F("http", tunnel="ssl"),
    F("tcpwrapped"),
    F("ssh", product="OpenSSH"),
    F("https", certificate="a" * 64),
    F("https", certificate="sha1:aa"),
]


@pytest.mark.parametrize("known", PARTS)
@pytest.mark.parametrize("seen", PARTS)
def test_partial_knowledge_joined_in_never_makes_the_next_same_look_a_change(
    known: Fingerprint, seen: Fingerprint
) -> None:
    if is_change(known, seen):
        return
    joined = refine(known, seen)
    assert not is_change(joined, seen)
    assert not is_change(joined, known)
    assert refine(joined, seen) == joined


@pytest.mark.parametrize(
    ("known", "seen", "joined"),
    [
        (F("http", guessed=True), F("ssh", product="OpenSSH"), F("ssh", product="OpenSSH")),
        (F("ssh", product="OpenSSH"), F("http", guessed=True), F("ssh", product="OpenSSH")),
        (F("http", guessed=True), F("http-alt", guessed=True), F("http-alt", guessed=True)),
        (F(), F("http", guessed=True), F("http", guessed=True)),
        (NGINX, F(), NGINX),
        (F("http"), F("http", tunnel="ssl"), F("http", tunnel="ssl")),
        (F(certificate="a" * 64), F(certificate="sha1:bb"), F(certificate="a" * 64)),
        (F(certificate="sha1:bb"), F(certificate="a" * 64), F(certificate="a" * 64)),
        (F(certificate="sha1:aa"), F(certificate="sha1:bb"), F(certificate="sha1:bb")),
    ],
)
def test_joining_two_looks_takes_told_over_untold_and_real_over_guessed(
    known: Fingerprint, seen: Fingerprint, joined: Fingerprint
) -> None:
    assert refine(known, seen) == joined


def test_fingerprint_of_a_look_takes_the_sum_of_its_certificate() -> None:
    seen = port(443, service="http", guessed=True, tunnel="ssl", certificate=certificate("a"))
    assert build_fingerprint(seen) == F("http", True, "", "", "ssl", "a" * 64)
    assert build_fingerprint(port(443)) == F()


def test_amending_takes_the_newer_word_and_keeps_what_is_not_told_anew() -> None:
    known = endpoint(extra="old", title="old", cpes=("cpe:/a:old",), fingerprint=NGINX, misses=1)
    plain = amend(known, port(80, service="http"), first_word_stands=False, in_scope=True)
    assert (plain.extra, plain.title, plain.cpes, plain.misses) == ("old", "old", ("cpe:/a:old",), 0)
    told = port(80, service="http", product="nginx", extra="new", title="new", cpes=("cpe:/a:new",))
    newer = amend(known, told, first_word_stands=False, in_scope=True)
    assert (newer.extra, newer.title, newer.cpes) == ("new", "new", ("cpe:/a:new",))
    assert newer.fingerprint == NGINX


def test_amending_with_a_product_not_named_anew_adds_cpe_names() -> None:
    known = endpoint(cpes=("cpe:/a:old",))
    seen = port(80, service="http", cpes=("cpe:/o:linux", "cpe:/a:old"))
    assert amend(known, seen, first_word_stands=False, in_scope=True).cpes == ("cpe:/a:old", "cpe:/o:linux")


def test_amending_where_the_first_word_stands_fills_blanks_only() -> None:
    known = endpoint(title="first", fingerprint=F("http", product="nginx"))
    seen = port(80, service="ssh", product="OpenSSH", version="9.2", extra="more", title="second")
    better = amend(known, seen, first_word_stands=True, in_scope=True)
    assert better.fingerprint == F("http", product="nginx", version="9.2")
    assert (better.title, better.extra) == ("first", "more")


def test_amending_keeps_the_certificate_that_belongs_to_the_sum() -> None:
    full, short = certificate("a", subject="full"), certificate("a", subject="again")
    old = endpoint(443, fingerprint=F(certificate="a" * 64), certificate=full)
    assert amend(old, port(443, certificate=short), first_word_stands=False, in_scope=True).certificate == short
    assert amend(old, port(443), first_word_stands=False, in_scope=True).certificate == full
    by_sha1 = port(443, certificate=certificate("b").__class__(sha256="sha1:bb", subject="sha1"))
    kept = amend(old, by_sha1, first_word_stands=False, in_scope=True)
    assert (kept.certificate, kept.fingerprint.certificate) == (full, "a" * 64)
