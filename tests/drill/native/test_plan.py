"""What found programs are planned to serve, and why some are not."""

from pathlib import Path

import pytest

from sentinel.assess.pack import load_pack
from sentinel.drill.native.plan import NOT_FOUND, find_left_out, plan_native
from sentinel.drill.native.program import Kind, Program
from sentinel.drill.servers.conversation import Seen

ROOT = Path(__file__).resolve().parents[3]
SOUND = {
    Kind.NGINX: "1.22.1",
    Kind.REDIS: "7.0.15",
    Kind.SSHD: "9.2p1 Debian-2+deb12u2",
    Kind.POSTGRES: "15.18",
    Kind.MOSQUITTO: "2.0.11",
}


def program(kind: Kind, version: str = "", trouble: str = "") -> Program:
    return Program(kind, Path("/usr/sbin") / kind.value, version or SOUND[kind], trouble=trouble)


def test_plan_when_all_are_found_then_each_has_its_true_port_and_is_named_after_its_version() -> None:
    planned = {one.port: one.seen for one in plan_native(map(program, Kind))}

    assert planned == {
        80: Seen("http", "nginx", "1.22.1"),
        443: Seen("http", "nginx", "1.22.1"),
        6379: Seen("redis", "Redis key-value store", "7.0.15"),
        22: Seen("ssh", "OpenSSH", "9.2p1 Debian 2+deb12u2"),
        5432: Seen("postgresql", "PostgreSQL DB", "9.6.0 or later"),
        1883: Seen("mqtt"),
    }
    assert find_left_out(map(program, Kind)) == ()


def test_plan_when_made_then_its_rules_are_rules_of_the_product_and_the_certificate_has_the_name() -> None:
    known = {rule.name for rule in load_pack([ROOT / "rules"]).rules}
    services = plan_native(map(program, Kind), "native.school7.example")
    promised = {name for one in services for name in (*one.weaknesses, *(one.weaknesses_elsewhere or ()))}

    assert promised <= known
    assert len(promised) >= 6
    assert {one.certificate.name for one in services if one.certificate} == {"native.school7.example"}


@pytest.mark.parametrize(
    ("version", "rules"),
    [("6.6.1p1 Ubuntu-2ubuntu2.13", ("exposure.eol-openssh",)), ("7.2p2", ()), ("10.0p2 Debian-7", ())],
)
def test_plan_when_openssh_is_old_then_a_rule_must_find_it(version: str, rules: tuple[str, ...]) -> None:
    (service,) = plan_native([program(Kind.SSHD, version)])

    assert service.weaknesses == rules


@pytest.mark.parametrize(
    ("kind", "version"),
    [(Kind.REDIS, "5.0.14"), (Kind.POSTGRES, "9.6.24"), (Kind.POSTGRES, "13.8"), (Kind.POSTGRES, "15.0")],
)
def test_plan_when_a_version_cannot_be_served_safely_or_named_then_it_is_left_out(kind: Kind, version: str) -> None:
    found = [program(kind, version)]

    assert plan_native(found) == ()
    assert f"version {version} " in dict(find_left_out(found))[kind.value]


@pytest.mark.parametrize(
    ("kind", "version"), [(Kind.REDIS, "6.0.16"), (Kind.POSTGRES, "13.9"), (Kind.POSTGRES, "17.6")]
)
def test_plan_when_a_version_is_new_enough_then_it_is_served(kind: Kind, version: str) -> None:
    (service,) = plan_native([program(kind, version)])

    assert service.program.version == version


def test_left_out_when_programs_are_missing_or_broken_then_each_has_its_reason() -> None:
    found = [program(Kind.NGINX), program(Kind.SSHD, trouble="ssh-keygen is missing beside it")]

    assert find_left_out(found) == (
        ("redis-server", NOT_FOUND),
        ("sshd", "ssh-keygen is missing beside it"),
        ("postgres", NOT_FOUND),
        ("mosquitto", NOT_FOUND),
    )
