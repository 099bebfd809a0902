"""The truth of a full practice school held against the real nmap: `-sS` and `-sU` in a namespace, `-sT` on loopback."""

import time
from collections.abc import Mapping

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from sentinel.drill.school.cues import Cue
from sentinel.drill.school.plan import AFTER, BEFORE, Place, PlantedPort
from sentinel.drill.servers.certificate import CertificateKind
from sentinel.model.endpoint import ChangeKind
from tests.drill.school.looking import GROUNDS, NOBODY, Look, SeenPort, plan_of

pytestmark = [pytest.mark.nmap, pytest.mark.namespace]

KINDS = tuple(GROUNDS)
RANGES = {"mongodb", "postgresql"}
"""Services of which nmap 7.95 tells a range of versions where 7.93 tells a version or a narrower range."""


def told(service: str, product: str, version: str, tunnel: str) -> tuple[str, ...]:
    return service, product, "" if service in RANGES else version, tunnel


def named(found: Mapping[Place, SeenPort]) -> dict[Place, tuple[str, ...]]:
    return {place: told(port.service, port.product, port.version, port.tunnel) for place, port in found.items()}


def promised(rows: tuple[PlantedPort, ...]) -> dict[Place, tuple[str, ...]]:
    return {row.place: told(row.service, row.product, row.version, row.tunnel) for row in rows}


@pytest.mark.parametrize("kind", KINDS)
def test_scan_when_nothing_has_happened_then_it_shows_exactly_the_truth(looks: Mapping[str, Look], kind: str) -> None:
    assert named(looks[kind].before) == promised(plan_of(kind).truth(BEFORE))


@pytest.mark.parametrize("kind", KINDS)
def test_scan_when_every_cue_was_played_then_it_shows_exactly_the_new_truth(
    looks: Mapping[str, Look], kind: str
) -> None:
    assert named(looks[kind].after) == promised(plan_of(kind).truth(AFTER))


@pytest.mark.parametrize("kind", KINDS)
def test_scans_when_compared_then_the_difference_is_exactly_the_expected_one(
    looks: Mapping[str, Look], kind: str
) -> None:
    before, after = looks[kind].before, looks[kind].after
    expected = plan_of(kind).expected_changes()

    assert differences(before, after) == {(one.proto, one.address, one.port): (one.kind, one.what) for one in expected}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("played", [BEFORE, AFTER], ids=["before", "after"])
def test_scan_when_a_port_speaks_tls_then_its_certificate_has_exactly_the_planned_flaw(
    looks: Mapping[str, Look], kind: str, played: frozenset[Cue]
) -> None:
    plan, look = plan_of(kind), looks[kind]
    seen, certificates = (look.after, look.certificates_after) if played else (look.before, look.certificates)
    authority = x509.load_pem_x509_certificate(look.authority.encode())
    kinds = set()
    for row in plan.truth(played):
        if row.certificate is None or row.certificate.newest_tls is not None:
            continue  # nmap's OpenSSL does not speak TLS 1.0
        shown = x509.load_pem_x509_certificate(seen[row.place].pem.encode())
        assert shown.fingerprint(hashes.SHA256()).hex() == certificates[row.address, row.port]
        assert flaws_of(shown, authority, plan.domain) == {row.certificate.kind} - {CertificateKind.GOOD}, row
        kinds.add(row.certificate.kind)
    assert set(CertificateKind) - kinds == ({CertificateKind.EXPIRED} if played else set())


@pytest.mark.parametrize("kind", KINDS)
def test_scan_when_a_server_speaks_old_tls_alone_then_no_certificate_is_read(
    looks: Mapping[str, Look], kind: str
) -> None:
    old = [row.place for row in plan_of(kind).truth() if "tls.old-version" in row.flaws]

    assert [looks[kind].before[place].pem for place in old] == [""]


@pytest.mark.parametrize("kind", KINDS)
def test_scan_when_pages_have_titles_then_they_are_read_whole(looks: Mapping[str, Look], kind: str) -> None:
    titles = {port.title for port in looks[kind].before.values()}

    assert {"示例市第一中学 门户网站", "示例市第一中学 教务管理系统登录", "Index of /", "网络摄像机"} <= titles


@pytest.mark.parametrize("kind", KINDS)
def test_miner_when_the_school_runs_then_it_and_nobody_else_talks_to_the_pool(
    looks: Mapping[str, Look], kind: str
) -> None:
    (miner,) = (host.address for host in plan_of(kind).before if host.role == "miner")

    assert looks[kind].mining == [str(miner)]


@pytest.mark.parametrize("kind", KINDS)
def test_scans_when_both_are_done_then_they_were_short(looks: Mapping[str, Look], kind: str) -> None:
    assert looks[kind].seconds < 300


@pytest.mark.parametrize(
    ("role", "tcp", "udp"),
    [
        ("answering", ["open", "syn-ack"], ["closed", "port-unreach"]),
        ("closed", ["closed", "reset"], ["closed", "port-unreach"]),
        ("silent", ["filtered", "no-response"], ["open|filtered", "no-response"]),
        ("", ["filtered", "no-response"], ["open|filtered", "no-response"]),
    ],
)
def test_scan_when_a_host_serves_nothing_then_every_port_of_it_says_the_same(
    looks: Mapping[str, Look], role: str, tcp: list[str], udp: list[str]
) -> None:
    hosts = {host.role: str(host.address) for host in plan_of("namespace").before} | {"": NOBODY}

    assert looks["namespace"].quiet[hosts[role]] == {"tcp": [tcp], "udp": [udp]}


def differences(
    before: Mapping[Place, SeenPort], after: Mapping[Place, SeenPort]
) -> dict[Place, tuple[ChangeKind, tuple[str, ...]]]:
    """Compare two scans as the plan does: certificates by what was shown, versions as told."""
    found: dict[Place, tuple[ChangeKind, tuple[str, ...]]] = {}
    found |= dict.fromkeys(after.keys() - before.keys(), (ChangeKind.NEW, ()))
    found |= dict.fromkeys(before.keys() - after.keys(), (ChangeKind.GONE, ()))
    fields = {"certificate": "pem", "product": "product", "service": "service", "version": "version"}
    for place in before.keys() & after.keys():
        old, new = before[place], after[place]
        if what := tuple(name for name, field in fields.items() if getattr(old, field) != getattr(new, field)):
            found[place] = (ChangeKind.CHANGED, what)
    return found


def flaws_of(shown: x509.Certificate, authority: x509.Certificate, domain: str) -> set[CertificateKind]:
    """Tell what is wrong with a certificate, without a look at how it was made."""
    moment = time.time()
    begins, ends = shown.not_valid_before_utc.timestamp(), shown.not_valid_after_utc.timestamp()
    left_days = (ends - moment) / 86_400
    key = shown.public_key()
    (name,) = shown.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    own = shown.issuer == shown.subject
    is_sha1 = isinstance(shown.signature_hash_algorithm, hashes.SHA1)  # which cryptography does not verify
    if not is_sha1 and (own or shown.issuer == authority.subject):
        shown.verify_directly_issued_by(shown if own else authority)
    soon = (
        (0, 7, CertificateKind.EXPIRING),
        (7, 14, CertificateKind.EXPIRING_FORTNIGHT),
        (14, 30, CertificateKind.EXPIRING_MONTH),
    )
    wrong = {
        CertificateKind.EXPIRED: left_days < 0,
        CertificateKind.NOT_YET_VALID: begins > moment,
        CertificateKind.TOO_LONG: ends - begins > 825 * 86_400,
        CertificateKind.WEAK_KEY: isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048,
        CertificateKind.SHA1: is_sha1,
        CertificateKind.WRONG_NAME: not str(name.value).endswith(domain),
        CertificateKind.SELF_SIGNED: own,
        CertificateKind.INCOMPLETE_CHAIN: not own and shown.issuer != authority.subject,
        **{kind: low < left_days < high for low, high, kind in soon},
    }
    return {kind for kind, is_so in wrong.items() if is_so}
