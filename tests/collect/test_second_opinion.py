from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import pytest

from sentinel.collect import second_opinion
from sentinel.collect.second_opinion import has_python_nmap, look_again, tool_version
from sentinel.errors import CollectError, ScopeError
from sentinel.model.ports import PortSet, parse_ports
from sentinel.model.scope import Level
from tests.collect.allow import permit_for, utc_now
from tests.collect.practice import answer_ssh, serve
from tests.collect.wire import ROOT

HERE = ip_address("127.77.2.1")
TCP = parse_ports("2222")


def without_python_nmap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nmap", None)


@pytest.mark.nmap
def test_tool_version_when_python_nmap_is_there_or_not_then_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_python_nmap()
    with_package = tool_version()
    without_python_nmap(monkeypatch)
    assert not has_python_nmap()
    assert tool_version() == with_package
    assert with_package.number >= (7, 0)


def test_tool_version_when_nmap_is_missing_then_collect_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CollectError, match="not installed: run"):
        tool_version()


def test_tool_version_when_the_two_do_not_agree_then_collect_error(fake_nmap: Callable[..., Path]) -> None:
    program = fake_nmap("")
    other = 'case "$1" in -V) echo "Nmap version 7.92 ( https://nmap.org )"; exit 0;; esac'
    program.write_text(program.read_text(encoding="utf-8").replace("\n", f"\n{other}\n", 1), encoding="utf-8")
    with pytest.raises(CollectError, match=r"python-nmap reads version \(7, 92\), .* prints 7\.93"):
        tool_version()


def test_tool_version_when_python_nmap_does_not_accept_it_then_collect_error(fake_nmap: Callable[..., Path]) -> None:
    fake_nmap("", version="Nmap version 7.93")
    with pytest.raises(CollectError, match="python-nmap does not accept"):
        tool_version()


@pytest.mark.nmap
def test_look_again_when_a_service_listens_then_named_as_a_second_opinion() -> None:
    with serve(str(HERE), 0, answer_ssh) as service:
        seen = look_again(permit_for(str(HERE)), HERE, parse_ports(f"{service.port},23"), now=utc_now)
    by_port = {endpoint.port: endpoint for endpoint in seen.endpoints}
    assert (seen.address, seen.up, seen.answered, seen.complete) == (HERE, True, True, False)
    assert (by_port[service.port].state, by_port[service.port].service, by_port[service.port].product) == (
        "open",
        "ssh",
        "OpenSSH",
    )
    assert (by_port[service.port].guessed, by_port[23].guessed) == (False, True)
    assert by_port[23].state == "closed"


@pytest.mark.nmap
def test_look_again_when_ipv6_then_it_works() -> None:
    with serve("::1", 0, answer_ssh) as service:
        seen = look_again(permit_for("::1"), ip_address("::1"), parse_ports(str(service.port)), now=utc_now)
    assert [(endpoint.port, endpoint.service) for endpoint in seen.endpoints] == [(service.port, "ssh")]


def test_look_again_when_python_nmap_is_missing_then_collect_error_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    without_python_nmap(monkeypatch)
    with pytest.raises(CollectError, match=r"pip install 'sentinel-campus\[second-opinion\]'"):
        look_again(permit_for(str(HERE)), HERE, TCP, now=utc_now)


@pytest.mark.parametrize(
    ("level", "address"), [(Level.DISCOVER, "127.77.2.1"), (Level.SERVICE, "127.77.2.2"), (Level.SERVICE, "::1")]
)
def test_look_again_when_permit_does_not_cover_it_then_scope_error(level: Level, address: str) -> None:
    with pytest.raises(ScopeError):
        look_again(permit_for(str(HERE), level=level), ip_address(address), TCP, now=utc_now)


@pytest.mark.parametrize(
    "ports",
    [{}, {"tcp": PortSet()}, {"sctp": TCP["tcp"]}, {"tcp": PortSet.of([(1, 4000)]), "udp": PortSet.of([(1, 97)])}],
)
def test_look_again_when_ports_do_not_fit_then_value_error(ports: dict[str, PortSet]) -> None:
    with pytest.raises(ValueError, match="1 to 4096"):
        look_again(permit_for(str(HERE)), HERE, ports, now=utc_now)


def test_look_again_when_udp_cannot_be_sent_then_collect_error(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = second_opinion.raw_sockets().__class__(False, "no")
    monkeypatch.setattr(second_opinion, "raw_sockets", lambda: refused)
    with pytest.raises(CollectError, match="udp ports cannot be asked: no"):
        look_again(permit_for(str(HERE)), HERE, parse_ports("U:53"), now=utc_now)


def answer(elapsed: str, host: str = "") -> str:
    stats = f'<finished timestr="x" elapsed="{elapsed}"/><hosts up="0" down="0" total="0"/>'
    return f"echo '<nmaprun args=\"x\"><runstats>{stats}</runstats>{host}</nmaprun>'"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo broken", r"no second opinion of 127.77.2.1"),
        ("echo '<nmaprun/>'", r"no second opinion of 127.77.2.1"),
        ("echo no route >&2; exit 1", r"no second opinion of 127.77.2.1: .*no route"),
        (f"{answer('0.1')}; echo no route >&2", r"no second opinion .*: no route"),
        (answer("0.1"), r"nmap names no host"),
        (
            answer("300.5", '<host><address addr="127.77.2.1" addrtype="ipv4"/></host>'),
            r"gave 127.77.2.1 up after 300 s",
        ),
    ],
)
def test_look_again_when_nmap_answers_badly_then_collect_error(
    fake_nmap: Callable[..., Path], script: str, words: str
) -> None:
    fake_nmap(script)
    with pytest.raises(CollectError, match=words):
        look_again(permit_for(str(HERE)), HERE, TCP, now=utc_now)


def test_look_again_when_nmap_hangs_then_collect_error(fake_nmap: Callable[..., Path]) -> None:
    fake_nmap("exec sleep 30")
    script = (
        "from sentinel.collect import second_opinion\n"
        "from tests.collect.test_second_opinion import HERE, TCP, permit_for, utc_now\n"
        "second_opinion._BACKSTOP_S = 0\n"
        "second_opinion.look_again(permit_for(str(HERE)), HERE, TCP, now=utc_now, timeout_s=1)\n"
    )
    # In a process of its own, because python-nmap 0.7.1 leaves the killed child and its pipes to the collector.
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "CollectError: nmap did not end within 1 s looking again at 127.77.2.1" in done.stderr


def test_look_again_when_called_then_nothing_typed_reaches_the_command_line(
    fake_nmap: Callable[..., Path], tmp_path: Path
) -> None:
    fake_nmap(f"for each; do echo \"$each\" >> {tmp_path}/arguments; done; echo '<nmaprun/>'")
    with pytest.raises(CollectError):
        look_again(permit_for(str(HERE)), HERE, parse_ports("22,80-90"), now=utc_now, timeout_s=9)
    arguments = (tmp_path / "arguments").read_text(encoding="ascii").splitlines()
    assert arguments[:5] == ["-oX", "-", "127.77.2.1", "-p", "T:22,80-90"]
    assert arguments[-2:] == ["--host-timeout", "9s"]
    assert "--max-rate" in arguments
