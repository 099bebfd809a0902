from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sentinel.collect import child, nmap
from sentinel.collect.nmap import Job, JobResult, ScanEvent, build_options, plan_jobs, scan
from sentinel.errors import CollectError, ScopeError, StoreError
from sentinel.model.ports import PortSet, parse_ports
from sentinel.model.scope import Level
from tests.collect.allow import permit_for, utc_now
from tests.collect.practice import Service, answer_https, answer_nothing, answer_ssh, serve, tls_context

TCP = parse_ports("2222")
NET = f"127.77.{10 + int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0')[2:])}"
XML_OF_ONE = '<nmaprun>\n<host><status state="up"/></host>\n</nmaprun>'


@dataclass(frozen=True)
class Practice:
    results: list[JobResult]
    six: int
    events: list[ScanEvent]
    spared: Service

    def ports(self) -> dict[tuple[str, int], ElementTree.Element]:
        found: dict[tuple[str, int], ElementTree.Element] = {}
        for result in self.results:
            assert result.path is not None
            for host in ElementTree.parse(result.path).iter("host"):
                address = host.find("address")
                assert address is not None
                for port in host.iter("port"):
                    found[address.attrib["addr"], int(port.attrib["portid"])] = port
        return found


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """One scan at level service, without raw sockets, of four services and a neighbour nobody authorised."""
    folder = tmp_path_factory.mktemp("practice")
    events: list[ScanEvent] = []
    with ExitStack() as stack:
        stack.enter_context(serve(f"{NET}.1", 8081))
        stack.enter_context(serve(f"{NET}.1", 2222, answer_ssh))
        stack.enter_context(serve(f"{NET}.2", 8443, answer_https(tls_context(folder))))
        six = stack.enter_context(serve("::1", 0, answer_ssh)).port
        spared = stack.enter_context(serve(f"{NET}.3", 2222, answer_ssh))
        permit = permit_for(f"{NET}.0/30", "::1", excluded=(f"{NET}.3",))
        ports = parse_ports(f"2222,8081,8443,9000-9008,{six}")
        results = list(
            scan(permit, ports, workdir=folder / "jobs", now=utc_now, on_event=events.append, unprivileged=True)
        )
        yield Practice(results, six, events, spared)


@pytest.mark.nmap
def test_scan_when_services_listen_then_each_is_found_and_none_invented(practice: Practice) -> None:
    ports = practice.ports()
    states = {where: port.find("state").attrib["state"] for where, port in ports.items()}  # type: ignore[union-attr]
    assert {where for where, state in states.items() if state == "open"} == {
        (f"{NET}.1", 2222),
        (f"{NET}.1", 8081),
        (f"{NET}.2", 8443),
        ("::1", practice.six),
    }
    assert set(states.values()) == {"open", "closed"}


@pytest.mark.nmap
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ((f"{NET}.1", 2222), {"name": "ssh", "product": "OpenSSH"}),
        ((f"{NET}.1", 8081), {"name": "http", "product": "nginx", "version": "1.22.1"}),
        ((f"{NET}.2", 8443), {"name": "http", "product": "nginx", "tunnel": "ssl"}),
        (("::1", 0), {"name": "ssh", "product": "OpenSSH"}),
    ],
)
def test_scan_when_level_is_service_then_names_are_probed(
    practice: Practice, where: tuple[str, int], expected: dict[str, str]
) -> None:
    service = practice.ports()[where[0], where[1] or practice.six].find("service")
    assert service is not None
    assert {key: service.attrib.get(key) for key in expected} == expected
    assert service.attrib["method"] == "probed"


@pytest.mark.nmap
def test_scan_when_level_is_service_then_title_and_certificate(practice: Practice) -> None:
    scripts = {script.attrib["id"]: script for script in practice.ports()[f"{NET}.2", 8443].iter("script")}
    assert scripts["http-title"].attrib["output"] == "Practice school"
    assert "commonName=www.school.example" in scripts["ssl-cert"].attrib["output"]


@pytest.mark.nmap
def test_scan_when_an_address_is_excluded_then_nobody_connects_there(practice: Practice) -> None:
    assert practice.spared.connections == []


@pytest.mark.nmap
def test_scan_when_done_then_results_and_events_add_up(practice: Practice) -> None:
    four, six = practice.results
    assert [str(address) for address in four.addresses] == [f"{NET}.0", f"{NET}.1", f"{NET}.2"]
    assert [str(address) for address in six.addresses] == ["::1"]
    assert (four.planned, four.covered, six.planned, six.covered) == (39, 39, 13, 13)
    assert (four.probes, six.probes) == (39 + 3, 13 + 1)
    for result in practice.results:
        assert (result.ok, result.reason, result.exit_status) == (True, "", 0)
        assert result.started < result.finished
    turns = [event for event in practice.events if event.kind != "progress"]
    assert [(event.kind, event.job, event.jobs) for event in turns] == [
        ("job_started", 0, 2),
        ("job_finished", 0, 2),
        ("job_started", 1, 2),
        ("job_finished", 1, 2),
    ]
    assert {event.detail.rpartition(" ")[2] for event in practice.events if event.kind == "progress"} == {"%"}


def test_plan_jobs_when_planned_then_at_most_64_addresses_of_one_version() -> None:
    permit = permit_for("127.77.0.0/25", "127.77.1.1", "::1")
    jobs = plan_jobs(permit, parse_ports("T:22,80,U:53"), unprivileged=True)
    assert [(job.index, len(job.addresses), job.addresses[0].version) for job in jobs] == [
        (0, 64, 4),
        (1, 64, 4),
        (2, 1, 4),
        (3, 1, 6),
    ]
    assert [job.planned for job in jobs] == [192, 192, 3, 3]
    assert [address for job in jobs for address in job.addresses] == list(permit.addresses())
    assert all(dict(job.sent).keys() == {"tcp"} for job in jobs)
    assert "-6" in jobs[3].command
    assert "-6" not in jobs[2].command


def test_plan_jobs_when_seen_then_the_command_holds_no_text_a_person_typed() -> None:
    (job,) = plan_jobs(permit_for("127.77.0.1", rate_pps=30), parse_ports("22,80-90"), unprivileged=True)
    assert " ".join(job.command) == (
        "nmap -oX - -n -Pn -v --stats-every 3s -T4 --max-retries 1 --max-rate 30 --max-parallelism 30"
        " --unprivileged -sT -sV --version-intensity 7 --script ssl-cert,http-title -p T:22,80-90 -- 127.77.0.1"
    )


@pytest.mark.parametrize("size", [0, 65, -1])
def test_plan_jobs_when_job_size_is_out_of_bounds_then_value_error(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        plan_jobs(permit_for("127.77.0.1"), TCP, size)


@pytest.mark.parametrize("ports", [{}, {"tcp": PortSet()}, {"tcp": TCP["tcp"], "sctp": TCP["tcp"]}])
def test_plan_jobs_when_ports_do_not_fit_then_value_error(ports: dict[str, PortSet]) -> None:
    with pytest.raises(ValueError, match="tcp or udp ports"):
        plan_jobs(permit_for("127.77.0.1"), ports)


@pytest.mark.parametrize(
    ("level", "protocols", "raw", "wanted", "unwanted"),
    [
        (Level.DISCOVER, ["tcp"], True, {"-sS", "--privileged"}, {"-sU", "-sV", "--script", "-sT"}),
        (Level.DISCOVER, ["tcp"], False, {"-sT", "--unprivileged"}, {"-sS", "-sU", "-sV", "--script"}),
        (Level.SERVICE, ["tcp", "udp"], True, {"-sS", "-sU", "-sV"}, {"-sT"}),
        (Level.CHECK, ["udp"], True, {"-sU", "-sV", "--privileged"}, {"-sS", "-sT"}),
    ],
)
def test_build_options_when_level_and_privilege_differ_then_fitting_scan(
    level: Level, protocols: list[str], raw: bool, wanted: set[str], unwanted: set[str]
) -> None:
    options = set(build_options(level, 200, 4, protocols, raw=raw))
    assert options >= {"-n", "-Pn", "--max-rate", "200", *wanted}
    assert not options & {"--max-parallelism", *unwanted}


def test_scan_when_permit_is_no_permit_then_scope_error_before_anything(tmp_path: Path) -> None:
    with pytest.raises(ScopeError):
        scan(None, TCP, workdir=tmp_path / "jobs", now=utc_now)  # type: ignore[arg-type]  # that is the point
    assert not (tmp_path / "jobs").exists()


def test_scan_when_nmap_is_missing_then_collect_error_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    permit = permit_for("127.77.0.1")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CollectError, match="nmap is not installed: run"):
        scan(permit, TCP, workdir=tmp_path, now=utc_now)


def test_scan_when_workdir_cannot_be_made_then_store_error(tmp_path: Path, fake_nmap: Callable[[str], Path]) -> None:
    fake_nmap("exit 0")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot make"):
        scan(permit_for("127.77.0.1"), TCP, workdir=tmp_path / "file" / "jobs", now=utc_now)


def test_scan_when_disk_is_full_then_store_error_and_nmap_is_ended(
    tmp_path: Path, fake_nmap: Callable[[str], Path]
) -> None:
    fake_nmap(f"echo $$ > {tmp_path}/pid; echo '<nmaprun>'; exec sleep 30")
    (tmp_path / "job-00000.xml").symlink_to("/dev/full")
    with pytest.raises(StoreError, match="No space left on device"):
        list(scan(permit_for("127.77.0.1"), TCP, workdir=tmp_path, now=utc_now))
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def only(permit_ports: dict[str, PortSet], workdir: Path, **more: object) -> JobResult:
    (result,) = scan(permit_for("127.77.0.1"), permit_ports, workdir=workdir, now=utc_now, **more)  # type: ignore[arg-type]
    return result


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "echo '<nmaprun>'; echo 'no route to host' >&2; echo QUITTING! >&2; exit 1",
            "exit status 1: no route to host",
        ),
        ("echo '<nmaprun>'; exit 2", "nmap failed with exit status 2"),
        ("echo '<nmaprun>'; kill -11 $$", "nmap was ended by signal 11"),
        ("echo '<nmaprun>'; exit 0", "nmap's output has no end"),
        ("echo '<nmaprun></nmaprun>'; exit 0", "nmap finished 0 of 1 addresses"),
    ],
)
def test_scan_when_nmap_fails_then_not_ok_with_the_reason(
    tmp_path: Path, fake_nmap: Callable[[str], Path], script: str, reason: str
) -> None:
    fake_nmap(script)
    result = only(TCP, tmp_path)
    assert not result.ok
    assert reason in result.reason
    assert (result.covered, result.planned) == (0, 1)
    assert result.path is not None
    assert result.path.read_text(encoding="ascii").startswith("<nmaprun>")


def test_scan_when_job_takes_too_long_then_stopped_and_the_file_kept(
    tmp_path: Path, fake_nmap: Callable[[str], Path]
) -> None:
    fake_nmap("echo '<nmaprun>'; exec sleep 30")
    result = only(TCP, tmp_path, job_timeout_s=0.3)
    assert result.reason == "stopped by sentinel: its time was used up"
    assert result.path is not None
    assert result.path.read_bytes() == b"<nmaprun>\n"


def test_scan_when_output_is_endless_then_stopped(
    tmp_path: Path, fake_nmap: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nmap, "MAX_XML_BYTES", 100000)
    monkeypatch.setattr(child, "_GRACE_S", 0.3)
    fake_nmap("exec cat /dev/zero")
    assert only(TCP, tmp_path).reason == "stopped by sentinel: more than 100000 bytes of output"


def test_scan_when_permit_ends_during_a_job_then_the_job_is_stopped_and_the_rest_not_started(
    tmp_path: Path, fake_nmap: Callable[[str], Path]
) -> None:
    fake_nmap("echo '<nmaprun>'; exec sleep 30")
    events: list[ScanEvent] = []
    permit = permit_for("127.77.0.0/30", valid_to=utc_now() + timedelta(seconds=0.5))
    jobs = plan_jobs(permit, TCP, 1)
    results = list(scan(permit, TCP, workdir=tmp_path, now=utc_now, jobs=jobs, on_event=events.append))
    assert [result.path is None for result in results] == [False, True, True, True]
    assert results[0].reason == "stopped by sentinel: the authorisation ended"
    assert all("authorisation 7 ended" in result.reason for result in results[1:])
    assert not any(result.ok for result in results)
    assert [event.kind for event in events] == ["job_started", "job_finished", "stopped"]
    assert sum(result.covered for result in results) == 0
    assert sum(result.planned for result in results) == 4


def test_scan_when_permit_is_over_at_the_start_then_scope_error(tmp_path: Path) -> None:
    with pytest.raises(ScopeError, match="ended"):
        scan(permit_for("127.77.0.1"), TCP, workdir=tmp_path, now=lambda: utc_now() + timedelta(days=3))


def test_scan_when_a_job_lies_about_its_command_then_only_its_checked_addresses_count(
    tmp_path: Path, fake_nmap: Callable[[str], Path]
) -> None:
    fake_nmap(f"echo \"$@\" >> {tmp_path}/arguments; echo '{XML_OF_ONE}'")
    permit = permit_for("127.77.0.1")
    (job,) = plan_jobs(permit, TCP)
    liar = replace(job, command=("nmap", "-iL", "/etc/passwd"))
    stranger = Job(1, (ip_address("127.77.0.2"),), job.sent, 1, job.command)
    results = list(scan(permit, TCP, workdir=tmp_path, now=utc_now, jobs=[liar, stranger]))
    assert [result.ok for result in results] == [True, False]
    assert "127.77.0.2 is outside" in results[1].reason
    (line,) = (tmp_path / "arguments").read_text(encoding="ascii").splitlines()
    assert line.endswith("-p T:2222 -- 127.77.0.1")
    assert "passwd" not in line


def test_scan_when_generator_is_closed_then_no_further_job(tmp_path: Path, fake_nmap: Callable[[str], Path]) -> None:
    fake_nmap(f"echo run >> {tmp_path}/runs; echo '{XML_OF_ONE}'")
    permit = permit_for("127.77.0.0/30")
    results = scan(permit, TCP, workdir=tmp_path, now=utc_now, jobs=plan_jobs(permit, TCP, 1))
    assert next(results).ok
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert (tmp_path / "runs").read_text(encoding="ascii") == "run\n"


def test_scan_when_ports_are_too_many_for_a_command_line_then_collect_error(tmp_path: Path) -> None:
    odd = PortSet.of_ports(range(1, 65536, 2))
    with pytest.raises(CollectError, match=r"cannot start .*nmap"):
        list(scan(permit_for("127.77.0.1"), {"tcp": odd}, workdir=tmp_path, now=utc_now))


def _running_nmap(workdir: Path) -> int:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text() == "nmap\n" and (entry / "cwd").readlink() == workdir:
                    return int(entry.name)
            except OSError:
                continue
    return 0


@pytest.mark.nmap
def test_scan_when_nmap_is_killed_in_mid_job_then_the_partial_file_stays(tmp_path: Path) -> None:
    killed: list[int] = []

    def kill() -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and not killed:
            pid = _running_nmap(tmp_path)
            if pid and (tmp_path / "job-00000.xml").stat().st_size:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            time.sleep(0.05)

    killer = threading.Thread(target=kill)
    with serve("127.77.0.1", 0, answer_nothing) as mute:
        killer.start()
        ports = parse_ports(str(mute.port))
        results = list(scan(permit_for("127.77.0.1", "::1"), ports, workdir=tmp_path, now=utc_now))
        killer.join()
    first, second = results
    assert killed
    assert (first.ok, first.reason, first.exit_status) == (False, "nmap was ended by signal 9", -9)
    assert first.path is not None
    text = first.path.read_text(encoding="ascii")
    assert text.startswith("<?xml")
    assert "127.77.0.1" in text
    assert "</nmaprun>" not in text
    assert (first.covered, first.planned) == (0, 1)
    assert second.ok
