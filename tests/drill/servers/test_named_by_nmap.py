"""What the real nmap makes of the servers, at their own port and elsewhere, and which rules then fire."""

import io
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from sentinel.assess.judge import judge
from sentinel.assess.listing import Listing
from sentinel.assess.pack import Pack, load_pack
from sentinel.assess.subjects import build_certificate_subject, build_service_subject
from sentinel.drill.servers.conversation import Seen, Service
from sentinel.model.endpoint import Endpoint, EndpointKey, EndpointState, Fingerprint, MapRow
from sentinel.model.observation import EndpointObservation, HostObservation
from sentinel.model.unit import IPAddress, Zone
from sentinel.observe.nmap_xml import parse
from tests.drill.servers.stand import OFFSET, SERVICES, address_of

ROOT = Path(__file__).resolve().parents[3]
INSIDE = 'ip link set lo up && exec "$@"'

pytestmark = pytest.mark.xdist_group("named")  # one look serves all its tests


@dataclass(frozen=True)
class Look:
    """One run of nmap over every server."""

    ports: dict[tuple[IPAddress, int], EndpointObservation]
    seconds: float


@pytest.fixture(scope="module")
def look() -> Look:
    words = ["unshare", "-rn", "sh", "-c", INSIDE, "sh", sys.executable, "-m", "tests.drill.servers.stand"]
    started = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    hosts = [one for one in parse(io.BytesIO(done.stdout)) if isinstance(one, HostObservation)]
    ports = {(host.address, port.port): port for host in hosts for port in host.endpoints if port.state == "open"}
    return Look(ports, time.monotonic() - started)


@cache
def pack() -> Pack:
    return load_pack([ROOT / "rules"])


def fired(address: IPAddress, seen: EndpointObservation, now: datetime) -> set[str]:
    """Judge one open port by the rules of the product."""
    mark = Fingerprint(seen.service, seen.guessed, seen.product, seen.version, seen.tunnel)
    endpoint = Endpoint(
        EndpointKey(1, "inside", address, seen.proto, seen.port),
        EndpointState.OPEN,
        mark,
        now,
        extra=seen.extra,
        title=seen.title,
        certificate=seen.certificate,
    )
    row = MapRow("school", "campus", Zone.UNKNOWN, endpoint)
    subjects = [build_service_subject(row, Listing((), now), now), build_certificate_subject(row, now)]
    found = judge(pack(), [subject for subject in subjects if subject is not None], now)
    return {one.rule.name for one in found if one.rule.name.startswith(("exposure.", "certificate."))}


def told(service: Service, port: int) -> tuple[Seen, tuple[str, ...]]:
    """Give what the server promises on a port: what nmap sees, and the rules that must fire."""
    at_home = port == service.port
    seen = service.seen if at_home or service.elsewhere is None else service.elsewhere
    rules = service.weaknesses if at_home or service.weaknesses_elsewhere is None else service.weaknesses_elsewhere
    return seen, rules


CASES = [
    pytest.param(name, port, id=f"{name}-{port}")
    for name, service in SERVICES.items()
    for port in (service.port, service.port + OFFSET)
]
# nmap finds no name for it; what it wrote down of the answer is enough for our own reading.
READ_FROM_THE_ANSWER = {"miner": ("http", "", "")}
# nmap 7.95 tells a range of versions where 7.93 tells another.
RANGES = {"mongodb"}


@pytest.mark.nmap
@pytest.mark.namespace
@pytest.mark.parametrize(("name", "port"), CASES)
def test_scan_when_it_meets_a_server_then_it_names_it_as_promised(look: Look, name: str, port: int) -> None:
    service = SERVICES[name]
    seen = look.ports[address_of(name), port]
    promised, _ = told(service, port)

    named = ("", "", "") if seen.guessed else (seen.service, seen.product, seen.version)
    expected = (promised.service.lower(), promised.product, promised.version)
    kept = 2 if name in RANGES else 3
    assert named[:kept] == READ_FROM_THE_ANSWER.get(name, expected)[:kept]
    assert seen.tunnel == ("ssl" if service.certificate else "")


@pytest.mark.nmap
@pytest.mark.namespace
@pytest.mark.parametrize(("name", "port"), CASES)
def test_rules_when_a_server_was_scanned_then_exactly_the_promised_ones_fire(look: Look, name: str, port: int) -> None:
    _, rules = told(SERVICES[name], port)

    assert fired(address_of(name), look.ports[address_of(name), port], datetime.now(UTC)) == set(rules)


@pytest.mark.nmap
@pytest.mark.namespace
def test_scan_when_all_are_open_then_nothing_else_is_and_it_was_short(look: Look) -> None:
    assert set(look.ports) == {
        (address_of(name), port) for name, service in SERVICES.items() for port in (service.port, service.port + OFFSET)
    }
    assert look.seconds < 240
