"""The truth of a practice school: as a file, and held against what the real nmap sees of it on either ground."""

import json
import time
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from sentinel.drill.place.ground import Lot
from sentinel.drill.school.cues import ALL_CUES, Cue
from sentinel.drill.school.host import Manner
from sentinel.drill.school.plan import AFTER, BEFORE, Place, PlantedPort, plan_school
from sentinel.drill.school.truth import FORMAT, build_truth
from sentinel.drill.servers.certificate import CertificateKind
from sentinel.model.endpoint import ChangeKind
from tests.drill.school.looking import GROUNDS, NOBODY, Look, SeenPort, plan_of
from tests.drill.school.lots import LOTS, NAMESPACE

KINDS = tuple(GROUNDS)
RANGES = {"mongodb", "postgresql"}
"""Services of which nmap 7.95 tells a range of versions where 7.93 tells a version or a narrower range."""

real = [pytest.mark.nmap, pytest.mark.namespace]


def told(service: str, product: str, version: str, tunnel: str) -> tuple[str, ...]:
    return service, product, "" if service in RANGES else version, tunnel


def named(found: Mapping[Place, SeenPort]) -> dict[Place, tuple[str, ...]]:
    return {place: told(port.service, port.product, port.version, port.tunnel) for place, port in found.items()}


def promised(rows: tuple[PlantedPort, ...]) -> dict[Place, tuple[str, ...]]:
    return {row.place: told(row.service, row.product, row.version, row.tunnel) for row in rows}


class TestScan:
    """The real nmap: `-sS` and `-sU` at the true ports of a namespace, `-sT` at the moved ones of a loopback."""

    pytestmark = real

    @pytest.mark.parametrize("kind", KINDS)
    def test_scan_when_nothing_has_happened_then_it_shows_exactly_the_truth(
        self, looks: Mapping[str, Look], kind: str
    ) -> None:
        assert named(looks[kind].before) == promised(plan_of(kind).truth(BEFORE))

    @pytest.mark.parametrize("kind", KINDS)
    def test_scan_when_every_cue_was_played_then_it_shows_exactly_the_new_truth(
        self, looks: Mapping[str, Look], kind: str
    ) -> None:
        assert named(looks[kind].after) == promised(plan_of(kind).truth(AFTER))

    @pytest.mark.parametrize("kind", KINDS)
    def test_scans_when_compared_then_the_difference_is_exactly_the_expected_one(
        self, looks: Mapping[str, Look], kind: str
    ) -> None:
        before, after = looks[kind].before, looks[kind].after
        expected = plan_of(kind).expected_changes()

        assert differences(before, after) == {
            (one.proto, one.address, one.port): (one.kind, one.what) for one in expected
        }

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("played", [BEFORE, AFTER], ids=["before", "after"])
    def test_scan_when_a_port_speaks_tls_then_its_certificate_has_exactly_the_planned_flaw(
        self, looks: Mapping[str, Look], kind: str, played: frozenset[Cue]
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
        self, looks: Mapping[str, Look], kind: str
    ) -> None:
        old = [row.place for row in plan_of(kind).truth() if "tls.old-version" in row.flaws]

        assert [looks[kind].before[place].pem for place in old] == [""]

    @pytest.mark.parametrize("kind", KINDS)
    def test_scan_when_pages_have_titles_then_they_are_read_whole(self, looks: Mapping[str, Look], kind: str) -> None:
        titles = {port.title for port in looks[kind].before.values()}

        assert {"示例市第一中学 门户网站", "示例市第一中学 教务管理系统登录", "Index of /", "网络摄像机"} <= titles

    @pytest.mark.parametrize("kind", KINDS)
    def test_miner_when_the_school_runs_then_it_and_nobody_else_talks_to_the_pool(
        self, looks: Mapping[str, Look], kind: str
    ) -> None:
        (miner,) = (host.address for host in plan_of(kind).before if host.role == "miner")

        assert looks[kind].mining == [str(miner)]

    @pytest.mark.parametrize("kind", KINDS)
    def test_scans_when_both_are_done_then_they_were_short(self, looks: Mapping[str, Look], kind: str) -> None:
        assert looks[kind].seconds < 90

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
        self, looks: Mapping[str, Look], role: str, tcp: list[str], udp: list[str]
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


@pytest.mark.parametrize("lot", LOTS.values(), ids=LOTS)
def test_truth_when_built_then_json_keeps_all_of_it(lot: Lot) -> None:
    truth = build_truth(plan_school(lot, 3))

    assert json.loads(json.dumps(truth)) == truth
    assert truth["format"] == FORMAT
    assert (truth["seed"], truth["domain"], truth["offset"]) == (3, "school3.example", lot.offset)
    assert truth["networks"] == [str(lot.base), str(lot.base6)]


@pytest.mark.parametrize("played", [BEFORE, {Cue.HOST_APPEARS}, AFTER])
def test_truth_when_built_then_its_ports_are_the_rows_of_the_plan(played: frozenset[Cue]) -> None:
    plan = plan_school(NAMESPACE)
    truth = build_truth(plan, played)

    assert truth["played"] == sorted(played)
    for told_port, row in zip(truth["ports"], plan.truth(played), strict=True):
        assert (told_port["proto"], told_port["address"], told_port["port"]) == tuple(map(str_or_int, row.place))
        assert tuple(told_port["weaknesses"]) == row.weaknesses
        assert tuple(told_port["flaws"]) == row.flaws
        assert (told_port["service"], told_port["product"]) == (row.service, row.product)
        assert (told_port["version"], told_port["tunnel"], told_port["host"]) == (row.version, row.tunnel, row.host)
        assert (told_port["certificate"] is None) == (row.certificate is None)


def str_or_int(value: str | int | IPv4Address | IPv6Address) -> str | int:
    return value if isinstance(value, int) else str(value)


def test_truth_when_built_then_every_host_is_told_also_those_without_ports() -> None:
    plan = plan_school(NAMESPACE)
    hosts = {host["role"]: host for host in build_truth(plan)["hosts"]}

    assert list(hosts) == [host.role for host in plan.before]
    assert hosts["portal"]["addresses"] == ["10.77.1.11", "fd77:0:0:1::b"]
    assert hosts["closed"]["open_ports"] == 0
    assert hosts["silent"]["manner"] == Manner.SILENT.value
    assert (hosts["answering"]["manner"], hosts["answering"]["open_ports"]) == (Manner.ANSWERS_ALL.value, None)


def test_truth_when_built_then_each_cue_tells_its_differences_and_the_word_for_all_tells_them_together() -> None:
    plan = plan_school(NAMESPACE)
    cues = build_truth(plan, AFTER)["cues"]

    assert list(cues) == [*plan.steps, ALL_CUES]
    assert [len(cues[cue]) for cue in plan.steps] == [len(plan.expected_changes(BEFORE, {cue})) for cue in plan.steps]
    single = [tuple(change.items()) for cue in plan.steps for change in cues[cue]]
    assert sorted(map(str, single)) == sorted(str(tuple(change.items())) for change in cues[ALL_CUES])
    (renewed,) = cues["certificate-changes"]
    assert (renewed["kind"], renewed["what"]) == ("changed", ["certificate"])
