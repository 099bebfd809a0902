"""What is true of real programs on a ground: `python -m tests.drill.native.looking MODE TREE` tells it in JSON.

Nothing of it leaves a network namespace: the host takes its own, or lives on the loopback interface of one that was
made for the test.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from sentinel.drill.native.host import NUMBER, RunningHost, find_native_host
from sentinel.drill.place.ground import Mode, take_ground
from sentinel.drill.place.link import add_route

ROOT = Path(__file__).resolve().parents[3]
NAMESPACE = ("unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
AROUND: dict[Mode, tuple[str, ...]] = {
    Mode.USER_NAMESPACE: (),
    Mode.NETWORK_NAMESPACE: ("unshare", "-r"),  # there anybody is root
    Mode.LOOPBACK: NAMESPACE,
}


def children(parent: int) -> dict[str, int]:
    """Give the processes whose parent this is, by the name of their program."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text("utf-8", "replace")
        except OSError:
            continue
        if int(words.rpartition(")")[2].split()[1]) == parent:
            found[words.partition("(")[2].rpartition(")")[0]] = int(path.parent.name)
    return found


def listening() -> list[list[Any]]:
    """List every listening TCP socket of this network. Source: proc_pid_net(5)."""
    found: list[list[Any]] = []
    for name in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{name}").read_text("ascii").splitlines()[1:]:
            address, _, port = row.split()[1].partition(":")
            if row.split()[3] == "0A":
                own = str(IPv4Address(bytes.fromhex(address)[::-1])) if name == "tcp" else address
                found.append([own, int(port, 16)])
    return sorted(found)


def writable(pid: int) -> list[str]:
    """List where the mounts of a process lie that are not read-only. Source: proc_pid_mountinfo(5)."""
    rows = [line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text("utf-8").splitlines()]
    return [row[4] for row in rows if "rw" in row[5].split(",")]


def say(address: str, port: int, words: bytes) -> str:
    """Send words and give the answer up to the end, or what has come in a second."""
    with socket.create_connection((address, port), 2) as client:
        client.settimeout(1)
        client.sendall(words)
        heard = b""
        try:
            while part := client.recv(65536):
                heard += part
        except TimeoutError:
            pass
    return heard.decode("utf-8", "replace")


def try_to_log_in(address: str, ports: dict[int, int], ssh: Path) -> dict[str, str]:
    """Try what a visitor would."""
    redis = ("PING", "SET a b", "CONFIG GET *", "SAVE", "KEYS *", "EVAL 1 0", "FLUSHALL", "INFO server")
    startup = b"\0\x03\0\0user\0exercise\0database\0postgres\0\0"
    settings = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null")
    words = [str(ssh), "-F", "none", *(word for one in settings for word in ("-o", one))]
    words += ["-p", str(ports[22]), f"root@{address}", "id"]
    return {
        **{one: say(address, ports[6379], f"{one}\r\n".encode()) for one in redis},
        "postgres": say(address, ports[5432], (len(startup) + 4).to_bytes(4, "big") + startup),
        "ssh": subprocess.run(words, capture_output=True, text=True, timeout=20, check=False).stderr,
    }


def tell(host: RunningHost, offset: int) -> dict[str, Any]:
    rows = host.running.truth()
    address = str(rows[0].address)
    kept = children(host.running.pid)
    ports = {row.port - offset: row.port for row in rows}
    (sshd,) = (one for one in host.running.programs if one.beside is not None and one.beside.name == "ssh-keygen")
    options = ["-n", "-Pn", "-T4", "-sT", "-sV", "--version-intensity", "7", "--script", "ssl-cert,http-title"]
    started = time.monotonic()
    told = {
        "left_out": host.left_out,
        "listening": listening(),
        "writable": {name: writable(pid) for name, pid in kept.items()},
        "rights": {name: right_of(pid) for name, pid in kept.items()},
        "answers": try_to_log_in(address, ports, sshd.beside.parent / "ssh"),
    }
    asked = [*options, "-p", ",".join(str(row.port) for row in rows), "-oX", "-", address]
    scan = subprocess.run(["nmap", *asked], capture_output=True, text=True, timeout=120, check=True)
    return told | {"xml": scan.stdout, "seconds": time.monotonic() - started}


def right_of(pid: int) -> str:
    (line,) = (one for one in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines() if one.startswith("CapEff"))
    return line.split()[1].strip("0")


def watch(mode: Mode, tree: Path) -> dict[str, Any]:
    """Run this program where nothing of it can reach the machine, and give what it told."""
    words = [*AROUND[mode], sys.executable, "-W", "error", "-m", "tests.drill.native.looking", mode.value, str(tree)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def main(mode: Mode, tree: Path) -> None:
    ground = take_ground(mode)
    lot = ground.lot(1)
    if ground.has_own_network:
        add_route(lot.base)
    started = time.monotonic()
    with find_native_host(tree).start(lot, "school1.example") as host:
        start_s = time.monotonic() - started
        folder = host.running.folder
        assert folder is not None
        told = tell(host, lot.offset)
        rows = host.running.truth()
        truth = [[row.port, row.service, row.product, row.version, row.tunnel, row.weaknesses] for row in rows]
        pids = [host.running.pid, *children(host.running.pid).values()]
    told |= {
        "address": str(lot.base[NUMBER]),
        "truth": truth,
        "start_s": start_s,
        "folder": str(folder),
        "left": [str(folder)] * folder.exists() + [pid for pid in pids if Path(f"/proc/{pid}").exists()] + listening(),
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(Mode(sys.argv[1]), Path(sys.argv[2]))
