"""The settings real programs are given."""

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from sentinel.drill.native.plan import plan_native
from sentinel.drill.native.program import Kind, Program
from sentinel.drill.native.settings import CERTIFICATE, Order, Recipe, write_recipe

ADDRESS = IPv4Address("10.77.1.60")
FOLDER = Path("/tmp/sentinel-native-abc")


def recipe(kind: Kind, tree: Path | None = None) -> Recipe:
    made = Program(kind, Path("/usr/sbin") / kind.value, "15.18", tree, Path("/usr/bin/beside"))
    ports = {service.port: service.port + 10_000 for service in plan_native([made])}
    return write_recipe(Order(made, ADDRESS, ports, FOLDER / kind.value))


@pytest.mark.parametrize("kind", Kind)
def test_recipe_when_written_then_it_names_the_one_address_its_ports_and_no_other_place(kind: Kind) -> None:
    written = recipe(kind)
    told = "\n".join([*written.files.values(), *written.command])

    assert str(ADDRESS) in told
    assert not {"0.0.0.0", "::", "localhost", "127.0.0.1", "*:"} & set(told.replace("=", " ").split())
    assert str(FOLDER / kind.value) in told
    for part in ("/var/", "/run", "/etc", "/dev"):
        assert part not in told


@pytest.mark.parametrize(("kind", "command"), [(kind, recipe(kind).command) for kind in Kind])
def test_recipe_when_written_then_the_program_itself_is_started_and_stays_in_the_foreground(
    kind: Kind, command: tuple[str, ...]
) -> None:
    told = "\n".join([*recipe(kind).files.values(), *command])
    stays = {Kind.NGINX: "daemon off;\n", Kind.REDIS: "daemonize no\n", Kind.SSHD: "\n-D\n"}

    assert command[0] == f"/usr/sbin/{kind.value}"
    assert stays.get(kind, "") in told
    assert not {"-d", "-B", "--daemonize"} & set(command)


def test_recipe_of_sshd_when_written_then_no_way_to_log_in_is_left() -> None:
    lines = recipe(Kind.SSHD).files["sshd_config"].splitlines()

    ways = {"Pubkey", "Password", "KbdInteractive", "Hostbased"}
    assert {f"{way}Authentication no" for way in ways} | {"DenyUsers *", "PermitRootLogin no", "UsePAM no"} <= {*lines}
    assert not any("Session" in line for line in lines)


def test_recipe_of_sshd_when_its_helpers_lie_in_the_tree_then_they_are_named(tmp_path: Path) -> None:
    helper = tmp_path / "usr/lib/openssh/sshd-session"
    helper.parent.mkdir(parents=True)
    helper.touch()

    lines = recipe(Kind.SSHD, tmp_path).files["sshd_config"].splitlines()
    assert f"SshdSessionPath {helper}" in lines
    assert not any(line.startswith("SshdAuthPath") for line in lines)


def test_recipe_of_nginx_when_written_then_it_wants_the_certificate_it_names() -> None:
    written = recipe(Kind.NGINX)

    assert written.needs_certificate
    assert f'ssl_certificate "{FOLDER}/nginx/{CERTIFICATE}";' in written.files["nginx.conf"]
    assert [kind for kind in Kind if recipe(kind).needs_certificate] == [Kind.NGINX]


def test_recipe_of_postgres_when_written_then_everybody_is_rejected_by_its_only_rules() -> None:
    written = recipe(Kind.POSTGRES)

    assert {line.split()[-1] for line in written.files["pg_hba.conf"].splitlines()} == {"reject"}
    assert f"hba_file={FOLDER}/postgres/pg_hba.conf" in written.command
    assert "reject" in written.prepare
