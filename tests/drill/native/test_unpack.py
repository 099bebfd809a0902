"""The script that unpacks packages without installing them."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.drill.native.conftest import PACKAGES, UNPACK


def unpack(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(UNPACK), *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("words", [(), ("folder",)])
def test_unpack_when_no_package_is_named_then_it_says_how_and_makes_nothing(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = unpack(*words)

    assert (done.returncode, done.stderr) == (2, "usage: sh scripts/unpack.sh DIR PACKAGE...\n")
    assert list(tmp_path.iterdir()) == []


def test_unpack_when_there_is_no_such_package_then_it_fails_and_names_it(tmp_path: Path) -> None:
    done = unpack(tmp_path / "tree", "no-such-package-of-debian")

    assert done.returncode != 0
    assert "no-such-package-of-debian" in done.stderr
    assert list((tmp_path / "tree").iterdir()) == []


def test_unpack_when_called_again_then_it_does_nothing(unpacked: Path) -> None:
    started = time.monotonic()
    done = unpack(unpacked, *PACKAGES)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - started < 1


def test_unpack_when_it_is_done_then_the_servers_lie_there_and_none_was_installed(unpacked: Path) -> None:
    lying = {path.name for path in (*unpacked.glob("usr/sbin/*"), *unpacked.glob("usr/bin/*"))}

    assert {"nginx", "redis-server", "sshd", "mosquitto"} <= lying
    asked = ["dpkg-query", "--show", "--showformat=${Status}", "nginx-common"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    assert ("installed" in told.split()) == Path("/etc/nginx/nginx.conf").exists()
