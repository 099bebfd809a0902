"""Unit files as systemd itself reads them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sentinel.errors import UsageError
from sentinel.schedule.service.program import find_program
from sentinel.schedule.service.unitfile import MARKER, Service, build_unit, quote_word

PROGRAM = Path(sys.executable)
HARD = "/srv/数据 of \"a\" 100%h $HOME \\n 'b'; x"
"""A path with all that means something to systemd."""


def service(**words: object) -> Service:
    given: dict[str, object] = {"command": "run", "program": PROGRAM, "home": Path("/srv/sentinel"), "system": True}
    return Service(**(given | words))  # type: ignore[arg-type]


EVERY = [
    service(),
    service(user="daemon", raw=True, key=Path("/etc/a key"), writable=(Path("/mnt/backup"),)),
    service(command="serve", user="daemon"),
    service(system=False),
    service(home=Path(HARD), key=Path("/srv/100% key"), writable=(Path(HARD),)),
]


@pytest.mark.parametrize("one", EVERY)
def test_unit_file_always_passes_systemds_own_check_without_a_word(one: Service, tmp_path: Path) -> None:
    file = tmp_path / one.name
    file.write_text(build_unit(one), encoding="utf-8")
    kind = () if one.system else ("--user",)
    done = subprocess.run(
        ["systemd-analyze", *kind, "verify", "--man=no", file],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
        check=False,
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if one.name in line]) == (0, [])


def test_unit_file_of_the_machine_always_is_rated_as_well_confined(tmp_path: Path) -> None:
    file = tmp_path / "sentinel-run.service"
    file.write_text(build_unit(service(user="daemon", raw=True)), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=35", "--no-pager", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-500:]


def lines(one: Service) -> dict[str, str]:
    return dict(line.split("=", 1) for line in build_unit(one).splitlines() if "=" in line)


def test_unit_file_grants_raw_sockets_when_asked_only() -> None:
    plain, raw = lines(service()), lines(service(raw=True))
    assert (plain["CapabilityBoundingSet"], plain["AmbientCapabilities"]) == ("", "")
    assert (raw["CapabilityBoundingSet"], raw["AmbientCapabilities"]) == ("CAP_NET_RAW", "CAP_NET_RAW")
    assert "AF_PACKET" not in plain["RestrictAddressFamilies"]
    assert "AF_PACKET" in raw["RestrictAddressFamilies"]


def test_unit_file_lets_it_write_to_the_home_and_its_backups_only() -> None:
    one = lines(service(writable=(Path("/mnt/b"),)))
    assert (one["ProtectSystem"], one["ReadWritePaths"]) == ("strict", '"/srv/sentinel" "-/mnt/b"')


def test_unit_file_keeps_the_machines_tmp_where_the_home_lies_in_it() -> None:
    assert lines(service(program=Path("/usr/bin/python3")))["PrivateTmp"] == "yes"
    assert "PrivateTmp" not in lines(service(program=Path("/usr/bin/python3"), home=Path("/tmp/home")))


def test_unit_file_always_begins_with_the_mark_of_ours() -> None:
    assert build_unit(service()).splitlines()[0] == MARKER


@pytest.mark.parametrize("path", ["/srv/a\nExecStart=/bin/sh", "/srv/a\x00b", "/srv/a\tb"])
def test_path_that_could_add_a_line_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in a unit file"):
        build_unit(service(home=Path(path)))


@pytest.mark.parametrize(
    ("text", "written"),
    [("a b", '"a b"'), ("50%", '"50%%"'), ("$A", '"$$A"'), ('q"q', '"q\\"q"'), ("b\\s", '"b\\\\s"')],
)
def test_word_is_written_so_that_systemd_reads_it_back(text: str, written: str) -> None:
    assert quote_word(text, command=True) == written


def test_program_of_an_offline_bundle_is_started_through_the_link_an_upgrade_moves(tmp_path: Path) -> None:
    python = tmp_path / "versions" / "1.x" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert find_program(python) == python, "not installed by install.sh"
    (tmp_path / ".installed-by-sentinel").touch()
    (tmp_path / "current").symlink_to("versions/1.x")
    assert find_program(python) == tmp_path / "current" / "bin" / "python"
    assert find_program(tmp_path / "current" / "bin" / "python") == tmp_path / "current" / "bin" / "python"
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to("versions/2.x")
    assert find_program(python) == python, "an older version that still runs names itself"
    assert find_program(PROGRAM) == PROGRAM


def test_pages_whose_address_is_not_there_yet_are_tried_again() -> None:
    assert lines(service(command="serve"))["RestartPreventExitStatus"] == "6 7"
    assert lines(service())["RestartPreventExitStatus"] == "2 6 7"


def test_database_server_that_is_not_there_yet_is_tried_as_long_as_it_takes() -> None:
    assert lines(service(command="serve", server=True))["RestartPreventExitStatus"] == "7"
    assert lines(service(server=True))["RestartPreventExitStatus"] == "2 7"
    assert lines(service(server=True))["StartLimitIntervalSec"] == "0"
    assert lines(service())["StartLimitIntervalSec"] == "600"
    assert lines(service(server=True))["After"] == "network-online.target postgresql.service"
    assert "postgresql" not in build_unit(service(system=True))
