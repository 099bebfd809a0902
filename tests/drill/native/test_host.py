"""The host of real programs on each ground: what the real nmap sees, what visitors may do, and what is left of it."""

import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from sentinel.drill.native.host import NUMBER
from sentinel.drill.native.program import Program
from sentinel.drill.place.ground import Ground, Mode
from sentinel.drill.school.host import FIRST_HOST
from sentinel.drill.school.plan import MAX_SIZE
from sentinel.model.observation import EndpointObservation, HostObservation
from sentinel.observe.nmap_xml import parse
from tests.drill.servers.test_named_by_nmap import fired

pytestmark = [pytest.mark.nmap, pytest.mark.namespace]

PORTS = (22, 80, 443, 1883, 5432, 6379)
Looks = Mapping[Mode, dict[str, Any]]


def seen(look: dict[str, Any]) -> dict[int, EndpointObservation]:
    (host,) = (one for one in parse(io.BytesIO(look["xml"].encode())) if isinstance(one, HostObservation))
    return {port.port: port for port in host.endpoints if port.state == "open"}


@pytest.mark.parametrize("mode", Mode)
def test_host_when_it_starts_then_every_program_serves_its_true_ports_and_nothing_else_listens(
    looks: Looks, mode: Mode
) -> None:
    look, offset = looks[mode], 10_000 if mode is Mode.LOOPBACK else 0
    wanted = sorted([look["address"], port + offset] for port in PORTS)

    assert look["left_out"] == []
    assert look["listening"] == wanted
    assert sorted(row[0] for row in look["truth"]) == [port for _, port in wanted]
    assert look["start_s"] < 90


@pytest.mark.parametrize("mode", Mode)
def test_scan_when_nmap_looks_then_it_names_every_port_as_planned_from_the_programs_own_version(
    looks: Looks, mode: Mode
) -> None:
    ports = seen(looks[mode])
    named = {
        port: ("", "", "") if one.guessed else (one.service, one.product, one.version) for port, one in ports.items()
    }

    assert named == {port: tuple(words) for port, *words, _, _ in looks[mode]["truth"]}
    assert {port: one.tunnel for port, one in ports.items()} == {row[0]: row[4] for row in looks[mode]["truth"]}


@pytest.mark.parametrize("mode", Mode)
def test_rules_when_the_host_was_scanned_then_exactly_the_promised_ones_fire(looks: Looks, mode: Mode) -> None:
    ports, now = seen(looks[mode]), datetime.now(UTC)
    found = {port: fired(ip_address(looks[mode]["address"]), one, now) for port, one in ports.items()}

    assert found == {row[0]: set(row[5]) for row in looks[mode]["truth"]}


@pytest.mark.parametrize("mode", Mode)
def test_scan_when_nmap_looks_then_it_is_not_slowed(looks: Looks, mode: Mode) -> None:
    assert looks[mode]["seconds"] < 240


def test_scan_when_programs_tell_their_versions_then_nmap_tells_the_same(
    looks: Looks, programs: tuple[Program, ...]
) -> None:
    told = {one.version.replace("Debian ", "Debian-") for one in seen(looks[Mode.USER_NAMESPACE]).values()}
    versions = {one.kind.value: one.version for one in programs}

    assert {versions["nginx"], versions["redis-server"], versions["sshd"]} <= told


@pytest.mark.parametrize("mode", Mode)
def test_programs_when_they_run_then_they_have_no_rights_and_one_folder_to_write_to(looks: Looks, mode: Mode) -> None:
    look = looks[mode]

    assert set(look["rights"].values()) == {""}
    assert look["writable"] == {name: [f"{look['folder']}/{name}"] for name in look["writable"]}
    assert set(look["writable"]) == {"nginx", "redis-server", "sshd", "postgres", "mosquitto"}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("command", ["SET a b", "CONFIG GET *", "SAVE", "KEYS *", "EVAL 1 0", "FLUSHALL"])
def test_redis_when_a_visitor_wants_more_than_to_look_then_he_is_refused(
    looks: Looks, mode: Mode, command: str
) -> None:
    answers = looks[mode]["answers"]

    assert answers[command].startswith("-NOPERM ")
    assert answers["PING"] == "+PONG\r\n"
    assert "redis_version:" in answers["INFO server"]


@pytest.mark.parametrize("mode", Mode)
def test_sshd_when_a_visitor_logs_in_then_keys_are_exchanged_and_no_way_is_offered(looks: Looks, mode: Mode) -> None:
    told = looks[mode]["answers"]["ssh"]

    assert "(ED25519) to the list of known hosts." in told
    assert re.search(r"root@[\d.]+: Permission denied \(\)\.", told)


@pytest.mark.parametrize("mode", Mode)
def test_postgres_when_a_visitor_logs_in_then_its_rules_reject_him(looks: Looks, mode: Mode) -> None:
    assert "pg_hba.conf rejects connection" in looks[mode]["answers"]["postgres"]


@pytest.mark.parametrize("mode", Mode)
def test_host_when_it_has_ended_then_no_process_port_or_file_is_left(looks: Looks, mode: Mode) -> None:
    assert looks[mode]["left"] == []
    assert not Path(looks[mode]["folder"]).exists()


def test_address_when_the_school_is_as_large_as_can_be_then_it_lies_after_all_others() -> None:
    newcomers = 1
    assert FIRST_HOST + MAX_SIZE + newcomers <= NUMBER < 63
    assert Ground(Mode.LOOPBACK, ipv6=True).lot(1).base[NUMBER] == ip_address("127.77.1.60")
