from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

import pytest

from sentinel.model.observation import Certificate, EndpointObservation
from sentinel.observe.nmap_script import common_name, read_alternatives
from sentinel.observe.text import MAX_SCRIPT
from tests.observe.written import nmap_host, port

DER = bytes(range(256)) * 3
PEM = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(DER).decode()}-----END CERTIFICATE-----\n"
FIRST, LAST = datetime(2020, 11, 22, 17, 6, 58, tzinfo=UTC), datetime(2021, 11, 22, 17, 6, 58, tzinfo=UTC)


def with_script(name: str, output: str, inside: str = "") -> EndpointObservation:
    text = f"<script id={quoteattr(name)} output={quoteattr(output)}>{inside}</script>"
    (endpoint,) = nmap_host(f"<ports>{port(443, inside=text)}</ports>").endpoints
    return endpoint


@pytest.mark.parametrize(
    "inside", ["", '<elem key="title">转到 http://a.example/x?token=abc#me</elem>'], ids=["text", "structure"]
)
def test_title_that_is_a_web_address_is_kept_without_its_query(inside: str) -> None:
    output = "转到 http://a.example/x?token=abc#me\nRequested resource was http://b.example/?t=1"
    assert with_script("http-title", output, inside).title == "转到 http://a.example/x?…"


def elem(key: str, text: str) -> str:
    return f'<elem key="{key}">{escape(text)}</elem>'


def table(key: str, *inside: str) -> str:
    return f'<table key="{key}">{"".join(inside)}</table>'


def structure(issuer: str = "Root", pem: str = PEM, extra: str = "") -> str:
    return (
        table("subject", elem("commonName", "www.school.example"), elem("organizationName", "School"))
        + table("issuer", elem("organizationName", "School"), elem("commonName", issuer))
        + table("pubkey", elem("type", "rsa"), elem("bits", "2048"), elem("modulus", "ABC"))
        + "<table key='extensions'>"
        + "<table>" + elem("name", "X509v3 Basic Constraints") + elem("value", "CA:FALSE") + "</table>"
        + "<table>" + elem("name", "X509v3 Subject Alternative Name")
        + elem("value", "DNS:WWW.school.example, DNS:mail.school.example., IP Address:192.0.2.1, email:a@b.example")
        + "</table></table>"
        + elem("sig_algo", "sha256WithRSAEncryption")
        + table("validity", elem("notBefore", "2020-11-22T17:06:58"), elem("notAfter", "2021-11-22T17:06:58+00:00"))
        + elem("md5", "0" * 32) + elem("sha1", "AB" * 20) + elem("pem", pem) + extra
    )  # fmt: skip


TEXT = (
    "Subject: commonName=www.school.example/organizationName=School/countryName=CN\n"
    "Subject Alternative Name: DNS:www.school.example, DNS:*.school.example\n"
    "Issuer: commonName=Root/organizationName=School\n"
    "Public Key type: rsa\nPublic Key bits: 1024\nSignature Algorithm: sha1WithRSAEncryption\n"
    "Not valid before: 2020-11-22 17:06:58\nNot valid after:  2021-11-22T17:06:58\n"
    "MD5:   0000 0000\nSHA-1: " + " ".join(["abcd"] * 10)
)


def test_scripts_when_present_are_kept_with_their_text_cut() -> None:
    endpoint = with_script("banner", "a\tb\nc\x7f" + "x" * 5_000)
    ((name, text),) = endpoint.scripts
    assert (name, len(text), text[:6]) == ("banner", MAX_SCRIPT, "a\tb\nc ")


@pytest.mark.parametrize("name", ["http-title", "html-title", "HTML title"])
@pytest.mark.parametrize(
    ("output", "title"),
    [
        ("示例市第一中学", "示例市第一中学"),
        ("\\xE4\\xB8\\xAD\\xE5\\xAD\\xA6", "中学"),
        ("\\xE4\\xB8\\xAD\\xE5\\xAD\\xA6\\xE4\\xB8...", "中学..."),
        ("\\xD6\\xD0\\xD1\\xA7", "中学"),
        ("\\xFF\\xFF", "\ufffd\ufffd"),
        ("Login\nRequested resource was /login.php", "Login"),
        ("Login\nRequested resource was http://192.0.2.1/a\nDid not follow redirect to x", "Login"),
        ("Did not follow redirect to https://www.school.example/", ""),
        ("  Did not follow redirect to https://www.school.example/\n", ""),
        ("Site doesn't have a title (text/html; charset=utf-8).", ""),
        ("", ""),
        ("a" * 300, "a" * 200),
    ],
)
def test_title_when_told_as_text_is_the_title_alone(name: str, output: str, title: str) -> None:
    assert with_script(name, output).title == title


def test_title_when_told_as_structure_is_whole_though_the_text_is_cut() -> None:
    endpoint = with_script("http-title", "A long ti...", elem("title", " A long title ") + elem("redirect_url", "/a"))
    assert endpoint.title == "A long title"


def test_title_when_another_script_has_that_structure_is_empty() -> None:
    assert with_script("http-favicon", "x", elem("title", "no")).title == ""


def test_certificate_when_structured_is_read_from_the_structure() -> None:
    assert with_script("ssl-cert", "Subject: commonName=wrong", structure()).certificate == Certificate(
        sha256=hashlib.sha256(DER).hexdigest(),
        subject="www.school.example",
        issuer="Root",
        names=("www.school.example", "mail.school.example", "192.0.2.1"),
        not_before=FIRST,
        not_after=LAST,
        key_type="rsa",
        key_bits=2048,
        signature="sha256WithRSAEncryption",
        self_signed=False,
    )


def test_certificate_when_issuer_and_subject_agree_in_all_parts_is_self_signed() -> None:
    certificate = with_script("ssl-cert", "", structure(issuer="www.school.example")).certificate
    assert certificate is not None
    assert certificate.self_signed is True


@pytest.mark.parametrize(
    ("pem", "extra", "digest"),
    [
        ("", "", "sha1:" + "ab" * 20),
        ("-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----", "", "sha1:" + "ab" * 20),
        ("-----BEGIN CERTIFICATE-----\n中\n-----END CERTIFICATE-----", "", "sha1:" + "ab" * 20),
        ("-----END CERTIFICATE----- -----BEGIN CERTIFICATE-----", elem("sha256", "CD" * 32), "cd" * 32),
    ],
)
def test_digest_when_the_pem_cannot_be_read_is_what_nmap_printed(pem: str, extra: str, digest: str) -> None:
    certificate = with_script("ssl-cert", "", structure(pem=pem, extra=extra)).certificate
    assert certificate is not None
    assert certificate.sha256 == digest


def test_certificate_when_only_text_is_read_from_the_text() -> None:
    assert with_script("ssl-cert", TEXT).certificate == Certificate(
        sha256="sha1:" + "abcd" * 10,
        subject="www.school.example",
        issuer="Root",
        names=("www.school.example", "*.school.example"),
        not_before=FIRST,
        not_after=LAST,
        key_type="rsa",
        key_bits=1024,
        signature="sha1WithRSAEncryption",
        self_signed=False,
    )


def test_certificate_when_the_text_holds_the_pem_has_its_real_digest() -> None:
    certificate = with_script("ssl-cert", TEXT + "\n" + PEM).certificate
    assert certificate is not None
    assert certificate.sha256 == hashlib.sha256(DER).hexdigest()


def test_certificate_when_the_text_is_terse_leaves_the_rest_unknown() -> None:
    certificate = with_script("ssl-cert", "Subject: organizationName=School/countryName=CN").certificate
    assert certificate == Certificate(subject="organizationName=School/countryName=CN")


@pytest.mark.parametrize("output", ["", "ERROR: timeout", "Not valid before: Can't parse; string is x"])
def test_certificate_when_there_is_none_is_none(output: str) -> None:
    assert with_script("ssl-cert", output).certificate is None


def test_certificate_when_the_structure_holds_no_name_falls_back_to_the_text() -> None:
    certificate = with_script("ssl-cert", TEXT, elem("error", "x")).certificate
    assert certificate is not None
    assert certificate.subject == "www.school.example"


def test_certificate_when_the_subject_has_no_common_name_is_named_by_all_of_it() -> None:
    inside = table("subject", elem("organizationName", "School"), elem("countryName", "CN"))
    assert with_script("ssl-cert", "", inside).certificate == Certificate(
        subject="organizationName=School/countryName=CN"
    )


def test_certificate_when_its_tables_nest_without_end_is_still_read() -> None:
    inside = structure() + "<table key='x'>" * 40 + elem("y", "z") + "</table>" * 40
    certificate = with_script("ssl-cert", "", inside).certificate
    assert certificate is not None
    assert certificate.subject == "www.school.example"


def test_certificate_when_its_structure_has_no_end_is_cut() -> None:
    certificate = with_script("ssl-cert", "", structure() + elem("x", "y") * 3_000).certificate
    assert certificate is not None
    assert certificate.key_bits == 2048


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("commonName=a b/organizationName=c", "a b"),
        ("organizationName=c/commonName=a/b", "a/b"),
        ("CN=x", "x"),
        ("organizationName=c", "organizationName=c"),
        ("", ""),
    ],
)
def test_common_name_when_absent_is_the_whole(text: str, expected: str) -> None:
    assert common_name(text) == expected


def test_alternatives_when_odd_are_left_out() -> None:
    assert read_alternatives("DNS:a.example,DNS:A.example., URI:http://x, nothing, IP:192.0.2.1, DNS:") == (
        "a.example",
        "192.0.2.1",
    )
