"""Real programs of Debian to ask, unpacked and not installed, on a loopback address of their own."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.drill.native.conftest import PACKAGES, UNPACK

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "127.77.31.9"
MORE = ("memcached", "rsync", "snmpd", "xvfb", "tigervnc-standalone-server", "postfix", "etcd-server", "influxdb")
_OVER = 'mount -t overlay -o "lowerdir=$0/usr/bin:/usr/bin" overlay /usr/bin && exec "$@"'
"""X servers run /usr/bin/xkbcomp, wherever they are themselves."""


def unpack(name: str, packages: tuple[str, ...]) -> Path:
    """Give the folder some packages are unpacked in, once for all test runs."""
    cache = Path(os.environ.get("SENTINEL_TEST_CACHE") or ROOT / ".venv")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        words = ["sh", str(UNPACK), str(cache / name), *packages]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return cache / name


def unpack_native() -> Path:
    return unpack("native", PACKAGES)


def unpack_more() -> Path:
    return unpack("peers", MORE)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind((ADDRESS, 0))
        return int(one.getsockname()[1])


def free_display() -> int:
    """Give the number of a display nobody has; an X server writes it into /tmp for all to see."""
    while True:
        number = 100 + secrets.randbelow(900)
        with socket.socket() as one:
            if not Path(f"/tmp/.X{number}-lock").exists() and one.connect_ex((ADDRESS, 6000 + number)):
                return number


@contextmanager
def running(
    tree: Path,
    folder: Path,
    program: str,
    *words: object,
    port: int = 0,
    screen: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a program of a tree until the end of the block; it listens when the block begins.

    Without a port (UDP) it is only started.
    """
    libraries = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/postfix")
    env = os.environ | {
        "LD_LIBRARY_PATH": ":".join(str(tree / one) for one in libraries),
        "SNMP_PERSISTENT_DIR": str(folder / "snmp"),
        "MIBS": "",
        "HOME": str(folder),
        **(settings or {}),
    }
    said = [str(tree / program), *map(str, words)]
    if screen:
        said = ["unshare", "-rm", "sh", "-c", _OVER, str(tree), *said]
    with (folder / f"{Path(program).name}.log").open("ab") as log:
        process = subprocess.Popen(said, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        if port:
            _wait(port, process, Path(log.name))
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection((ADDRESS, port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"it does not listen: {log.read_text('utf-8', 'replace')[-2000:]}")
