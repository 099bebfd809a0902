"""Certificates as servers send them: whole, odd, broken."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ed448, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.collect.tls_certificate import read_certificates
from sentinel.model.probe import clean_values
from tests.collect.test_probe_tls import sm2_certificate
from tests.collect.tls_servers import NAME, Plan, authority, issue
from tests.homes import NOW


def der(one: x509.Certificate) -> bytes:
    return one.public_bytes(Encoding.DER)


def chain_of(plan: Plan) -> list[bytes]:
    made, others = issue(plan)
    return [der(made), *map(der, others)]


WHOLE = chain_of(Plan())


def self_made(folder: Path, *arguments: str | Path) -> bytes:
    """A self-signed certificate of the OpenSSL command."""
    made = folder / "made.der"
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-keyout", folder / "k.pem", "-outform", "DER", "-out", made, *arguments],
        check=True,
        capture_output=True,
    )
    return made.read_bytes()


@pytest.mark.parametrize(
    ("plan", "complete", "broken"),
    [
        (Plan(), True, False),
        (Plan(chain="none"), False, False),
        (Plan(chain="wrong"), False, True),
        (Plan(chain="self"), True, False),
    ],
)
def test_chain_when_read_then_it_is_told_whether_it_holds(plan: Plan, complete: bool, broken: bool) -> None:
    found = read_certificates(chain_of(plan))
    assert (found["chain_complete"], found["chain_broken"]) == (complete, broken)


def test_chain_when_out_of_order_or_sent_twice_then_it_holds_all_the_same() -> None:
    stranger = der(authority("另一中间证书")[0])
    found = read_certificates([WHOLE[0], WHOLE[0], stranger, WHOLE[1]])
    assert (found["chain_complete"], found["chain_broken"], found["chain_length"]) == (True, False, 4)
    assert found["chain_signatures"] == ["ecdsa-with-SHA256"]


@pytest.mark.parametrize(("digest", "key"), [("md5", "rsa:2048"), ("sha1", "rsa:2048"), ("sha1", "ec")])
def test_chain_when_signed_with_an_old_hash_then_it_is_held_against_the_key_all_the_same(
    tmp_path: Path, digest: str, key: str
) -> None:
    kind = ("-newkey", key, *(("-pkeyopt", "ec_paramgen_curve:prime256v1") if key == "ec" else ()))
    (tmp_path / "other").mkdir()
    middle, other = (self_made(place, *kind, "-subj", "/CN=middle") for place in (tmp_path, tmp_path / "other"))
    (tmp_path / "middle.der").write_bytes(middle)
    own = self_made(
        tmp_path / "other", *kind, f"-{digest}", "-subj", "/CN=x", "-CA", tmp_path / "middle.der",
        "-CAkey", tmp_path / "k.pem",
    )  # fmt: skip
    assert read_certificates([own, middle])["chain_complete"] is True
    assert read_certificates([own, other])["chain_broken"] is True


def test_chain_when_tlcp_then_the_second_certificate_is_no_issuer() -> None:
    found = read_certificates([WHOLE[0], WHOLE[1]], has_two=True)
    assert (found["chain_complete"], found["chain_broken"]) == (False, False)


@pytest.mark.parametrize(
    ("asked", "mismatch"),
    [(NAME, False), ("other.school.example", True), ("", None)],
)
def test_name_when_asked_by_one_then_it_is_told_whether_it_is_covered(asked: str, mismatch: bool | None) -> None:
    assert read_certificates(WHOLE, asked).get("name_mismatch") is mismatch


def test_names_when_there_are_many_then_the_last_one_still_counts(tmp_path: Path) -> None:
    many = ",".join(f"DNS:n{number}.school.example" for number in range(100))
    made = self_made(tmp_path, "-newkey", "rsa:2048", "-subj", "/CN=x", "-addext", f"subjectAltName={many},IP:10.0.0.1")
    found = read_certificates([made], "n99.school.example")
    assert found["name_mismatch"] is False
    assert found["names"][-1] == "10.0.0.1"
    assert len(dict(clean_values(found))["names"]) == 64


def test_names_when_none_are_listed_then_the_common_name_counts(tmp_path: Path) -> None:
    made = self_made(tmp_path, "-newkey", "rsa:2048", "-subj", "/CN=WWW.school.example")
    assert read_certificates([made], NAME)["names"] == [NAME]
    made = self_made(tmp_path, "-newkey", "rsa:2048", "-subj", "/O=示例学校", "-utf8")
    found = read_certificates([made], NAME)
    assert (found["names"], found["subject"], found.get("name_mismatch")) == ([], "O=示例学校", None)


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha384"])
def test_signature_when_read_then_it_has_the_name_other_tools_give_it(tmp_path: Path, digest: str) -> None:
    made = self_made(tmp_path, "-newkey", "rsa:2048", f"-{digest}", "-subj", "/CN=x")
    assert read_certificates([made])["signature"] == f"{digest}WithRSAEncryption"


def test_signature_when_its_hash_stands_in_its_parameters_then_it_is_told(tmp_path: Path) -> None:
    pss = ("-sigopt", "rsa_padding_mode:pss", "-sha1")
    made = self_made(tmp_path, "-newkey", "rsa:2048", *pss, "-subj", "/CN=x")
    assert read_certificates([made])["signature"] == "rsassaPss-sha1"


@pytest.mark.parametrize(
    ("key", "kind", "bits"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "ed25519", None),
        (ed448.Ed448PrivateKey.generate(), "ed448", None),
        (dsa.generate_private_key(2048), "dsa", 2048),
    ],
)
def test_key_when_it_is_rare_then_it_is_told(key, kind: str, bits: int | None) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    draft = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    draft = draft.serial_number(5).not_valid_before(NOW).not_valid_after(NOW)
    found = read_certificates([der(draft.sign(key, hashes.SHA256() if kind == "dsa" else None))])
    assert (found["key_type"], found.get("key_bits")) == (kind, bits)


def test_key_when_its_curve_is_unknown_then_it_is_an_elliptic_curve_all_the_same(tmp_path: Path) -> None:
    made = self_made(tmp_path, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp112r1", "-subj", "/CN=x")
    found = read_certificates([made])
    assert (found["key_type"], found["sm2"]) == ("ec", False)


def test_sm2_when_read_then_it_is_told_by_its_numbers(tmp_path: Path) -> None:
    found = read_certificates([sm2_certificate(tmp_path)], NAME)
    assert (found["key_type"], found["signature"], found["sm2"], found["self_signed"]) == (
        "sm2",
        "SM2-with-SM3",
        True,
        True,
    )
    assert (found["chain_complete"], found["name_mismatch"]) == (True, False)


def test_certificate_when_it_cannot_be_read_then_that_is_told_and_nothing_else() -> None:
    assert read_certificates([b"no certificate"]) == {"certificate_unreadable": True}
    assert read_certificates([]) == {}
    found = read_certificates([WHOLE[0], b"no certificate"])
    assert (found["chain_complete"], found["chain_broken"]) == (False, False)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(WHOLE[0]) - 1), st.binary(min_size=1, max_size=3))
def test_certificate_when_bytes_of_it_change_then_reading_it_ends_in_values(place: int, change: bytes) -> None:
    bent = WHOLE[0][:place] + change + WHOLE[0][place + len(change) :]
    clean_values(read_certificates([bent, WHOLE[1]], NAME))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_certificate_when_it_is_anything_then_reading_it_ends_in_values(data: bytes) -> None:
    clean_values(read_certificates([data, data], NAME, has_two=True))
