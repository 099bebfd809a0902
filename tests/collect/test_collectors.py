"""Every sender of packets is in the table, takes a permit, and asks it."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import sentinel.collect
from sentinel.collect import COLLECTORS
from sentinel.model.scope import Level
from tests.collect.wire import run_inside

FOLDER = Path(sentinel.collect.__file__).parent
SENDING = {
    "aiohttp", "asyncio", "concurrent", "ctypes", "dns", "ftplib", "http", "httpx", "httpx2", "imaplib", "importlib",
    "masscan", "multiprocessing", "nmap", "paramiko", "poplib", "pty", "requests", "scapy", "selectors", "smtplib",
    "socket", "socketserver", "ssl", "subprocess", "telnetlib", "urllib", "urllib3", "uvloop", "xmlrpc",
}  # fmt: skip
SENDING_OS_CALLS = {"system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "execv", "execvp", "execve"}
NOT_TO_TARGETS = {
    "child": "runs what a collector gives it; only collectors and tool.py import it",
    "tool": "runs nmap --version",
    "privilege": "opens raw sockets and closes them",
    "names": "asks the system's resolver, for the gate",
    "dns_asking": "asks a resolver; name servers it asks through the dialer",
}
LOOKING = {"dialer", "probing", "tls_newest"}
"""They look more closely at targets: the dialer takes a permit and asks it before each attempt."""


def modules() -> dict[str, ast.Module]:
    return {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in FOLDER.rglob("*.py")}


def imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def can_send(tree: ast.Module) -> bool:
    reached = imports(tree)
    if any(name.split(".")[0] in SENDING for name in reached) or "sentinel.collect.child" in reached:
        return True
    return any(isinstance(node, ast.Attribute) and node.attr in SENDING_OS_CALLS for node in ast.walk(tree))


def collector_modules() -> set[str]:
    return {collector.entry.__module__.rsplit(".", 1)[-1] for collector in COLLECTORS.values()}


def test_modules_when_walked_then_every_sender_is_a_listed_collector() -> None:
    senders = {name for name, tree in modules().items() if can_send(tree)}
    assert senders == collector_modules() | set(NOT_TO_TARGETS) | LOOKING


def test_modules_when_the_child_runner_is_imported_then_only_by_collectors_and_the_version_check() -> None:
    users = {name for name, tree in modules().items() if "sentinel.collect.child" in imports(tree)}
    assert users == {"nmap", "tool"}


def test_modules_when_a_permit_is_sealed_then_only_by_the_gate() -> None:
    sealers = {
        name
        for name, tree in modules().items()
        if any(isinstance(node, ast.Name) and node.id in {"seal", "_SEAL"} for node in ast.walk(tree))
    }
    assert sealers == {"permit", "gate", "domains"}  # domains: a permit over nothing, where only a resolver is asked


def test_modules_when_python_nmap_is_imported_then_only_in_second_opinion_and_only_when_called() -> None:
    assert not any("nmap" in imports(tree) for tree in modules().values())
    users = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value == "nmap" and "importlib" in imports(tree)
    }
    assert users == {"second_opinion"}
    source = "import sys, sentinel.collect; sys.exit('nmap' in sys.modules or 'scapy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], cwd=FOLDER.parents[1], check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("name", COLLECTORS)
def test_collector_when_listed_then_its_first_parameter_is_the_permit_it_asks(name: str) -> None:
    collector = COLLECTORS[name]
    assert collector.name == name
    assert collector.level > Level.PASSIVE
    assert next(iter(inspect.signature(collector.entry).parameters)) == "permit"
    source = inspect.getsource(collector.entry)
    assert "require_permit(permit)" in source
    assert "permit.check(" in source


@pytest.mark.namespace
@pytest.mark.nmap
def test_collectors_when_the_permit_is_missing_forged_over_or_elsewhere_then_no_packet() -> None:
    seen = run_inside("refused")
    assert seen["silence"] == 0
    assert seen["accepted"] == 0
    assert seen["refusals"] == dict.fromkeys(COLLECTORS, 4)
    assert "127.77.3.9 is outside" in str(seen["beyond"])
    assert seen["heard"] == {name: ["127.77.3.1"] for name in COLLECTORS}


@pytest.mark.parametrize(
    ("source", "sends"),
    [
        ("import socket", True),
        ("from asyncio import open_connection", True),
        ("def probe():\n    import subprocess", True),
        ("import scapy.all", True),
        ("import os\nos.system('nmap')", True),
        ("from sentinel.collect.child import run_child", True),
        ("from sentinel.collect import child\nchild.run_child", True),
        ("import re\nfrom sentinel.collect.permit import Permit", False),
    ],
)
def test_can_send_when_a_module_reaches_for_the_network_then_it_is_noticed(source: str, sends: bool) -> None:
    assert can_send(ast.parse(source)) is sends
