"""The hosts of a full practice school: everything promised of it is there, at the host and port meant for it."""

import random
import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from sentinel.drill.place.ground import Lot
from sentinel.drill.school.cues import Cue
from sentinel.drill.school.host import AnyService, Manner, PlannedHost
from sentinel.drill.school.plan import AFTER, PlantedPort, plan_school
from sentinel.drill.school.roles import NEEDED, OTHERS, PORTAL, QUIET, newly_opened
from sentinel.drill.servers.conversation import Service
from tests.drill.school.lots import LOTS, NAMESPACE
from tests.drill.servers.speaking import get, speak

ROOT = Path(__file__).resolve().parents[3]
FULL = plan_school(NAMESPACE)
HOSTS = {host.role: host for host in FULL.before}


@dataclass(frozen=True)
class Wish:
    """Something every full school must have: at which host, and by what its truth tells it."""

    role: str
    proto: str = "tcp"
    port: int = 0
    service: str = ""
    version: str = ""
    weakness: str = ""
    flaw: str = ""
    certificate: str = ""
    tls: str = ""


WISHES = {
    "a login form in clear": Wish("affairs", port=8080, service="http", weakness="exposure.plain-login"),
    "a default page": Wish("legacy", port=80, weakness="exposure.default-page"),
    "a directory listing": Wish("library", port=80, weakness="exposure.directory-listing"),
    "an exposed .git": Wish("source", port=80, flaw="web.git-exposed"),
    "an exposed backup": Wish("source", port=80, flaw="web.backup-exposed"),
    "a dark link": Wish("tampered", port=80, flaw="web.dark-link"),
    "a mining script": Wish("tampered", port=80, flaw="web.mining-script"),
    "personal data": Wish("personnel", port=80, flaw="web.personal-data"),
    "a good certificate": Wish("portal", port=443, certificate="good"),
    "an expired certificate": Wish("affairs", certificate="expired", weakness="certificate.expired"),
    "a self-signed certificate": Wish("mail", certificate="self-signed", weakness="certificate.self-signed"),
    "a weak key": Wish("switch", certificate="weak-key", weakness="certificate.rsa-short"),
    "a wrong name": Wish("library", certificate="wrong-name", weakness="certificate.name-mismatch"),
    "a SHA-1 certificate": Wish("source", certificate="sha1", weakness="certificate.weak-signature"),
    "an incomplete chain": Wish("tampered", certificate="incomplete-chain", flaw="tls.incomplete-chain"),
    "a certificate of five more days": Wish("library", certificate="expiring", weakness="certificate.expires-7"),
    "a certificate of eleven more days": Wish("management", weakness="certificate.expires-14"),
    "a certificate of three more weeks": Wish("proxy", weakness="certificate.expires-30"),
    "a certificate of the future": Wish("application", weakness="certificate.not-yet-valid"),
    "a certificate of ten years": Wish("console", weakness="certificate.valid-too-long"),
    "TLS 1.0 alone": Wish("personnel", port=443, flaw="tls.old-version", tls="TLSv1"),
    "an SSH of old": Wish("legacy", port=22, service="ssh", version="5.3", weakness="exposure.eol-openssh"),
    "an SSH of today": Wish("portal", port=22, service="ssh", version="9.2"),
    "FTP": Wish("legacy", port=21, service="ftp", weakness="exposure.ftp"),
    "telnet": Wish("switch", port=23, service="telnet", weakness="exposure.telnet"),
    "an open relay": Wish("relay", port=25, service="smtp", flaw="smtp.open-relay"),
    "a zone to be transferred": Wish("names", port=53, service="domain", flaw="dns.zone-transfer"),
    "an open resolver": Wish("resolver", "udp", 53, "domain", flaw="dns.open-resolver"),
    "a Redis without login": Wish("cache", port=6379, service="redis", weakness="exposure.redis-no-auth"),
    "a Redis with login": Wish("cache", port=6380, service="redis", weakness="exposure.redis"),
    "a MongoDB without login": Wish("platform", port=27017, weakness="exposure.mongodb-no-auth"),
    "an Elasticsearch without login": Wish("platform", port=9200, weakness="exposure.elasticsearch-no-auth"),
    "MySQL": Wish("affairs", port=3306, service="mysql", weakness="exposure.mysql"),
    "PostgreSQL": Wish("platform", port=5432, service="postgresql", weakness="exposure.postgresql"),
    "MQTT": Wish("lab", port=1883, service="mqtt", weakness="exposure.mqtt"),
    "SNMP for the public": Wish("switch", "udp", 161, "snmp", weakness="exposure.snmp-public"),
    "a camera's video": Wish("camera", port=554, service="rtsp", weakness="exposure.rtsp"),
    "a printer": Wish("printer", port=9100, weakness="exposure.printer-port"),
    "a printer's page": Wish("printer", port=80, service="http"),
    "a switch's page": Wish("switch", port=80, weakness="exposure.device-web-plain"),
    "VNC": Wish("office", port=5900, service="vnc", weakness="exposure.vnc"),
    "RDP": Wish("office", port=3389, service="ms-wbt-server", weakness="exposure.rdp"),
    "a miner": Wish("miner", flaw="mining.miner-api"),
    "a host that resets": Wish("resetting", service="tcpwrapped"),
    "a slow host": Wish("slow", port=80, service="http"),
}


def fulfils(row: PlantedPort, wish: Wish) -> bool:
    shown = row.certificate
    return all(
        (
            row.address == HOSTS[wish.role].address,
            row.proto == wish.proto,
            wish.port in {0, row.port},
            wish.service in {"", row.service},
            wish.version in {"", row.version},
            not wish.weakness or wish.weakness in row.weaknesses,
            not wish.flaw or wish.flaw in row.flaws,
            not wish.certificate or (shown is not None and shown.kind.value == wish.certificate),
            not wish.tls or (shown is not None and shown.newest_tls is not None and shown.newest_tls.name == wish.tls),
        )
    )


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
def test_full_school_when_planned_then_it_has_what_is_promised(wish: Wish) -> None:
    assert len([row for row in FULL.truth() if fulfils(row, wish)]) >= 1


@pytest.mark.parametrize("wish", [wish for wish in WISHES.values() if wish.flaw], ids=lambda wish: wish.flaw)
def test_flaw_when_planted_then_nobody_else_has_it(wish: Wish) -> None:
    assert {row.host for row in FULL.truth() if wish.flaw in row.flaws} == {HOSTS[wish.role].name}


def test_mail_server_when_it_is_no_relay_then_it_has_no_such_flaw() -> None:
    (row,) = (row for row in FULL.truth() if row.address == HOSTS["mail"].address and row.port == 25)

    assert (row.service, row.flaws) == ("smtp", ())


@pytest.mark.parametrize(
    ("role", "manner", "ports"),
    [
        ("answering", Manner.ANSWERS_ALL, 0),
        ("silent", Manner.SILENT, 0),
        ("closed", Manner.SERVES, 0),
        ("hushed", Manner.SERVES, 1),
        ("resetting", Manner.SERVES, 2),
        ("slow", Manner.SERVES, 2),
    ],
)
def test_strange_host_when_planned_then_it_behaves_as_promised(role: str, manner: Manner, ports: int) -> None:
    assert (HOSTS[role].manner, len(HOSTS[role].services)) == (manner, ports)


def service_of(host: PlannedHost, port: int) -> AnyService:
    (found,) = (service for service in host.services if service.port == port and service.proto == "tcp")
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_portal_when_fetched_then_it_bears_title_and_filing_number(seed: int) -> None:
    plan = plan_school(NAMESPACE, seed)
    service = service_of(plan.before[0], 80)
    assert isinstance(service, Service)

    page = speak(service, get("/")).decode()

    assert f"<title>{plan.name} 门户网站</title>" in page
    assert re.search(r"ICP备\d{8}号", page)


def test_slow_host_when_spoken_to_then_its_answer_is_a_second_late() -> None:
    service = service_of(HOSTS["slow"], 80)
    assert isinstance(service, Service)

    begun = time.monotonic()
    answer = speak(service, get("/"))

    assert answer.startswith(b"HTTP/1.")
    assert time.monotonic() - begun >= 0.9


@pytest.mark.parametrize("lot", LOTS.values(), ids=LOTS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_weakness_when_planted_then_a_rule_of_that_name_exists(seed: int, lot: Lot) -> None:
    texts = [path.read_text("utf-8") for path in (ROOT / "rules").rglob("*.yml")]
    rules = {name for text in texts for name in re.findall(r"^name: (\S+)$", text, re.MULTILINE)}
    plan = plan_school(lot, seed)
    planted = {name for played in (frozenset(), AFTER) for row in plan.truth(played) for name in row.weaknesses}

    assert len(planted) > 40
    assert planted <= rules


def test_flaws_when_planted_then_none_of_them_has_a_rules_name() -> None:
    flaws = {name for row in FULL.truth() for name in row.flaws}
    weaknesses = {name for row in FULL.truth() for name in row.weaknesses}

    assert all(re.fullmatch(r"[a-z]+\.[a-z-]+", name) for name in flaws)
    assert flaws.isdisjoint(weaknesses)


def test_roles_when_listed_then_each_has_a_word_a_name_and_a_label_of_its_own() -> None:
    roles = (PORTAL, *OTHERS, *QUIET)

    assert len({role.key for role in roles}) == len({role.label for role in roles}) == len(roles)
    assert len({role.name for role in roles}) == len(roles)
    assert set(NEEDED) <= {role.key for role in OTHERS}


@pytest.mark.parametrize("seed", range(1, 31))
def test_service_that_opens_when_it_does_then_the_host_had_no_such_port(seed: int) -> None:
    plan = plan_school(NAMESPACE, seed)
    step = plan.steps[Cue.SERVICE_OPENS]
    (host,) = (host for host in plan.before if host.address == step.address)
    (opened,) = step.opens

    assert opened.port not in {service.port for service in host.services}


def test_service_that_opens_when_others_are_taken_then_the_free_one_is_drawn() -> None:
    assert newly_opened({6379, 3306, 21}, random.Random(1)).port == 23
