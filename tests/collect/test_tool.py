from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import pytest

from sentinel.collect import tool
from sentinel.collect.names import resolve_name
from sentinel.collect.tool import install_command, installed_nmap
from sentinel.errors import CollectError


@pytest.mark.nmap
def test_installed_nmap_when_installed_then_path_and_version() -> None:
    found = installed_nmap()
    assert found.name == "nmap"
    assert Path(found.path).name == "nmap"
    assert found.number >= (7, 0)
    assert found.version.startswith(f"{found.number[0]}.{found.number[1]}")


def test_installed_nmap_when_missing_then_one_line_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CollectError) as caught:
        installed_nmap()
    assert str(caught.value) == "nmap is not installed: run `apt-get install nmap`"


def test_install_command_when_another_package_tool_is_there_then_its_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "dnf").write_text("#!/bin/sh\n", encoding="ascii")
    (tmp_path / "dnf").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install_command() == "dnf install nmap"


def test_installed_nmap_when_too_old_then_collect_error(fake_nmap: Callable[..., Path]) -> None:
    fake_nmap("", version="Nmap version 6.47 ( http://nmap.org )")
    with pytest.raises(CollectError, match=r"nmap 6\.47 is too old, 7\.00 is needed"):
        installed_nmap()


def test_installed_nmap_when_a_later_build_then_suffix_is_kept(fake_nmap: Callable[..., Path]) -> None:
    fake_nmap("", version="Nmap version 7.94SVN ( https://nmap.org )")
    assert (installed_nmap().version, installed_nmap().number) == ("7.94SVN", (7, 94))


@pytest.mark.parametrize("version", ["hello", ""])
def test_installed_nmap_when_it_is_something_else_then_collect_error(
    fake_nmap: Callable[..., Path], version: str
) -> None:
    fake_nmap("", version=version)
    with pytest.raises(CollectError, match="does not answer as nmap does"):
        installed_nmap()


def test_installed_nmap_when_it_hangs_then_collect_error(
    fake_nmap: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = fake_nmap("")
    program.write_text("#!/bin/sh\nexec sleep 30\n", encoding="ascii")
    monkeypatch.setattr(tool, "_ANSWER_S", 0.2)
    with pytest.raises(CollectError, match="does not answer"):
        installed_nmap()


def test_resolve_name_when_localhost_then_loopback_addresses() -> None:
    found = resolve_name("localhost")
    assert ip_address("127.0.0.1") in found or ip_address("::1") in found
    assert all(address.is_loopback for address in found)
    assert len(set(found)) == len(found)


def test_resolve_name_when_reserved_name_then_os_error() -> None:
    with pytest.raises(OSError, match=r".+"):
        resolve_name("nowhere.invalid")
