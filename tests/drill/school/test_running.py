"""The practice school as a whole: plans, the process that serves it, and what the real nmap sees of it."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from sentinel.drill.school.plan import MAX_SIZE, Phase, PlannedChange, PlantedPort, School, plan_school, served_port
from sentinel.drill.school.running import RunningSchool, foreign_listeners, start_school
from sentinel.drill.servers.certificate import CertificateKind
from sentinel.errors import SentinelError, UsageError
from sentinel.model.endpoint import ChangeKind

ROOT = Path(__file__).resolve().parents[3]
# Schools of several test processes at once must not meet.
SECOND = 80 + os.getpid() % 170


def own_base(number: int) -> str:
    return f"127.{SECOND}.{number}.0/24"


@dataclass(frozen=True)
class SeenPort:
    """An open port as nmap wrote it; a name from the port table is no finding."""

    service: str
    product: str
    version: str
    tunnel: str
    title: str
    certificate: x509.Certificate | None


Map = dict[tuple[IPv4Address, int], SeenPort]


def scan(addresses: set[IPv4Address], ports: set[int], *options: str) -> subprocess.Popen[str]:
    words = ["nmap", "-Pn", "-n", "-sT", "-sV", *options, "-p", ",".join(map(str, sorted(ports))), "-oX", "-"]
    return subprocess.Popen(
        [*words, *map(str, sorted(addresses))], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def unescaped(text: str) -> str:
    """Read the \\xE7\\x94… that nmap writes for bytes beyond ASCII."""
    return re.sub(rb"\\x([0-9A-F]{2})", lambda hit: bytes.fromhex(hit[1].decode()), text.encode()).decode()


def seen_port(port: ElementTree.Element) -> SeenPort:
    service = port.find("service[@method='probed']")
    told = {} if service is None else service.attrib
    title = port.find("script[@id='http-title']/elem[@key='title']")
    pem = port.find("script[@id='ssl-cert']/elem[@key='pem']")
    return SeenPort(
        *(told.get(key, "") for key in ("name", "product", "version", "tunnel")),
        title="" if title is None else unescaped(title.text or ""),
        certificate=None if pem is None else x509.load_pem_x509_certificate((pem.text or "").encode()),
    )


def read(process: subprocess.Popen[str]) -> Map:
    output, _ = process.communicate(timeout=120)
    found: Map = {}
    for host in ElementTree.fromstring(output).iter("host"):
        address = IPv4Address(host.find("address").get("addr"))
        for port in host.iter("port"):
            if port.find("state").get("state") == "open":
                found[address, int(port.get("portid"))] = seen_port(port)
    return found


@dataclass(frozen=True)
class Watched:
    """One school scanned before and after its cue."""

    school: RunningSchool
    before: Map
    after: Map
    every_probe: Map
    certificates_before: dict[tuple[IPv4Address, int], str]
    seconds: float


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with start_school(base=own_base(0)) as school:
        addresses = {host.address for host in school.plan.after}
        ports = {row.port for phase in Phase for row in school.truth(phase)}
        unnamed = [row for row in school.truth() if not row.service]
        started = time.monotonic()
        scripts = ("--script", "ssl-cert,http-title")
        first = scan(addresses, ports, *scripts)
        rare = scan({row.address for row in unnamed}, {row.port for row in unnamed}, "--version-all")
        before, every_probe, certificates = read(first), read(rare), dict(school.certificates)
        school.cue("change")
        after = read(scan(addresses, ports, *scripts))
        yield Watched(school, before, after, every_probe, certificates, time.monotonic() - started)


RANGES = {"mongodb", "postgresql"}
"""Services of which nmap 7.95 tells a range of versions where 7.93 tells a version or a narrower range."""


def named(found: Map) -> dict[tuple[IPv4Address, int], tuple[str, ...]]:
    return {key: told(port.service, port.product, port.version, port.tunnel) for key, port in found.items()}


def promised(rows: tuple[PlantedPort, ...]) -> dict[tuple[IPv4Address, int], tuple[str, ...]]:
    return {(row.address, row.port): told(row.service, row.product, row.version, row.tunnel) for row in rows}


def told(service: str, product: str, version: str, tunnel: str) -> tuple[str, ...]:
    return service, product, "" if service in RANGES else version, tunnel


@pytest.mark.nmap
def test_scan_when_nothing_has_changed_then_it_shows_exactly_the_truth(watched: Watched) -> None:
    truth = watched.school.truth(Phase.BEFORE)

    assert len(truth) >= 26
    assert len({row.address for row in truth}) >= 12
    assert named(watched.before) == promised(truth)


@pytest.mark.nmap
def test_scan_when_the_cue_was_played_then_it_shows_exactly_the_new_truth(watched: Watched) -> None:
    assert named(watched.after) == promised(watched.school.truth(Phase.AFTER))


@pytest.mark.nmap
def test_scan_when_every_probe_is_sent_then_rare_services_are_named(watched: Watched) -> None:
    unnamed = [row for row in watched.school.truth(Phase.BEFORE) if not row.service]

    found = {key: (port.service, port.product) for key, port in watched.every_probe.items()}

    assert found == {(row.address, row.port): (row.full.service, row.full.product) for row in unnamed}
    assert {service for service, _ in found.values()} == {"mqtt", "hp-pjl", ""}


@pytest.mark.nmap
def test_scans_when_compared_then_the_difference_is_exactly_the_expected_one(watched: Watched) -> None:
    before, after = watched.before, watched.after
    changes = [PlannedChange(ChangeKind.NEW, *key, "tcp") for key in after.keys() - before.keys()]
    changes += [PlannedChange(ChangeKind.GONE, *key, "tcp") for key in before.keys() - after.keys()]
    for key in before.keys() & after.keys():
        names = ("certificate", "product", "service", "version")
        what = tuple(name for name in names if getattr(before[key], name) != getattr(after[key], name))
        changes += [PlannedChange(ChangeKind.CHANGED, *key, "tcp", what)] if what else []

    assert tuple(sorted(changes, key=lambda change: (change.address, change.port))) == watched.school.expected_changes()


@pytest.mark.nmap
def test_scan_when_a_port_speaks_tls_then_its_certificate_has_the_planned_flaw(watched: Watched) -> None:
    authority = x509.load_pem_x509_certificate(watched.school.authority_pem.encode())
    kinds = Counter()
    for row in watched.school.truth(Phase.BEFORE):
        if row.certificate is None:
            continue
        shown = watched.before[row.address, row.port].certificate
        assert shown.fingerprint(hashes.SHA256()).hex() == watched.certificates_before[row.address, row.port]
        key, kind = shown.public_key(), row.certificate.kind
        assert (shown.issuer == shown.subject) == (kind is CertificateKind.SELF_SIGNED)
        shown.verify_directly_issued_by(shown if kind is CertificateKind.SELF_SIGNED else authority)
        assert isinstance(key, rsa.RSAPublicKey) == (kind is CertificateKind.WEAK_KEY)
        left_days = (shown.not_valid_after_utc.timestamp() - time.time()) / 86400
        assert (left_days < 0) == (kind is CertificateKind.EXPIRED)
        assert (0 < left_days < 6) == (kind is CertificateKind.EXPIRING)
        own_name = (
            shown.subject.rfc4514_string().partition("CN=")[2].partition(",")[0].endswith(watched.school.plan.domain)
        )
        assert own_name == (kind is not CertificateKind.WRONG_NAME)
        kinds[kind] += 1
    assert set(kinds) == set(CertificateKind)


@pytest.mark.nmap
def test_scan_when_pages_have_titles_then_they_are_read_whole(watched: Watched) -> None:
    titles = {port.title for port in watched.before.values()}

    assert {"示例市第一中学 门户网站", "示例市第一中学 教务管理系统登录", "Index of /", "网络摄像机"} <= titles


@pytest.mark.nmap
def test_scans_when_both_are_done_then_they_were_short(watched: Watched) -> None:
    assert watched.seconds < 55


@pytest.fixture
def school() -> Iterator[RunningSchool]:
    with start_school(base=own_base(1), size=5, seed=2) as running:
        yield running


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_gone(pid: int, seconds: float = 2.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not is_alive(pid):
            return True
        time.sleep(0.02)
    return False


def test_start_when_the_full_school_starts_then_it_is_quick_and_small() -> None:
    with start_school(base=own_base(2)) as running:
        status = Path(f"/proc/{running.pid}/status").read_text("utf-8")
        peak_kib = int(status.partition("VmHWM:")[2].split()[0])

    assert running.start_s < 2
    assert peak_kib < 80 * 1024


def test_start_when_a_school_is_already_there_then_one_line_names_the_port(school: RunningSchool) -> None:
    first = min(school.truth(), key=lambda row: row.port)

    with pytest.raises(SentinelError, match=r"^practice school: 127\.[\d.]+:\d+ already in use; .+\?$") as caught:
        start_school(base=own_base(1), size=5, seed=2)

    assert "\n" not in str(caught.value)
    assert socket.create_connection((str(first.address), first.port), 2).close() is None


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("/bin/false", r"^practice school: it ended: no reason given$"),
        ("/bin/sh", r"^practice school: it ended: .*sh: .*[Ii]llegal option.*$"),
    ],
)
def test_start_when_the_process_cannot_start_then_its_last_words_are_told(
    program: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)

    with pytest.raises(SentinelError, match=message):
        start_school(base=own_base(3), size=3)


def test_start_when_three_schools_run_at_once_then_each_answers_with_its_own_name() -> None:
    wishes = ((8, 1, 14), (9, 2, 5), (10, 3, 3))
    with ExitStack() as stack:
        schools = [
            stack.enter_context(start_school(base=own_base(number), seed=seed, size=size))
            for number, seed, size in wishes
        ]
        pages = []
        for running in schools:
            with socket.create_connection((str(running.plan.before[0].address), 10080), 2) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                pages.append(b"".join(iter(lambda: client.recv(4096), b"")).decode())

    assert [running.plan.name in page for running, page in zip(schools, pages, strict=True)] == [True] * 3
    assert len({running.plan.name for running in schools}) == 3


def test_start_when_the_first_has_stopped_then_the_same_school_starts_again() -> None:
    truths = []
    for _ in range(2):
        with start_school(base=own_base(3), size=3) as running:
            socket.create_connection((str(running.truth()[0].address), running.truth()[0].port), 2).close()
            truths.append(running.truth())

    assert truths[0] == truths[1]


def test_stop_when_called_twice_then_nothing_is_left(school: RunningSchool) -> None:
    row = school.truth()[0]
    school.stop()
    school.stop()

    assert not is_alive(school.pid)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(row.address), row.port), 2)


def test_stop_when_the_process_hangs_then_it_is_killed(school: RunningSchool) -> None:
    os.kill(school.pid, signal.SIGSTOP)
    school.stop()

    assert not is_alive(school.pid)


def test_cue_when_played_twice_then_the_second_changes_nothing(school: RunningSchool) -> None:
    before = dict(school.certificates)
    school.cue("change")
    once = dict(school.certificates)
    school.cue("change")

    assert school.phase is Phase.AFTER
    assert school.truth() == school.plan.truth(Phase.AFTER)
    assert once == school.certificates != before


def test_cue_when_unknown_then_it_is_a_usage_error(school: RunningSchool) -> None:
    with pytest.raises(UsageError, match="explode: unknown cue"):
        school.cue("explode")


def test_cue_when_the_school_has_died_then_it_says_so(school: RunningSchool) -> None:
    os.kill(school.pid, signal.SIGKILL)
    wait_gone(school.pid)

    with pytest.raises(SentinelError, match="practice school: it "):
        school.cue("change")


def test_cue_when_the_school_does_not_answer_then_it_says_so(school: RunningSchool) -> None:
    os.kill(school.pid, signal.SIGSTOP)

    with pytest.raises(SentinelError, match="practice school: it does not answer"):
        school.cue("change", timeout_s=0.2)


PARENT = """
import sys, time
from sentinel.drill.school.running import start_school
school = start_school(base=sys.argv[1], size=3)
print(school.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_school_when_its_parent_is_killed_then_it_is_gone_within_two_seconds(blow: signal.Signals) -> None:
    words = [sys.executable, "-c", PARENT, own_base(4)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT, text=True) as parent:
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.send_signal(blow)

        assert wait_gone(child)


def serve(parent: int, base: str, words: bytes) -> subprocess.CompletedProcess[bytes]:
    options = ["--base", base, "--seed", "1", "--size", "3", "--offset", "10000", "--parent", str(parent)]
    command = [sys.executable, "-m", "sentinel.drill.school.process", *options]
    return subprocess.run(command, input=words, capture_output=True, cwd=ROOT, timeout=20, check=False)


def test_server_when_its_input_ends_then_it_ends_in_peace() -> None:
    done = serve(os.getpid(), own_base(5), b"")

    assert (done.returncode, done.stderr) == (0, b"")


def test_server_when_told_nonsense_then_it_answers_and_goes_on() -> None:
    done = serve(os.getpid(), own_base(5), b"nonsense\nchange\nstop\n")
    answers = done.stdout.splitlines()

    assert done.returncode == 0
    assert [b"error" in answer for answer in answers] == [False, True, False]


def test_server_when_its_parent_has_gone_then_it_does_not_start() -> None:
    done = serve(1, own_base(5), b"")

    assert done.returncode == 1
    assert done.stdout == b'{"error": "practice school: its parent has gone"}\n'


def test_school_when_strangers_throw_bytes_at_it_then_it_lives_and_answers(school: RunningSchool) -> None:
    dice = random.Random(20261122)
    places = [(str(row.address), row.port) for row in school.truth()]
    for turn in range(400):
        with socket.create_connection(places[turn % len(places)], 2) as stranger:
            stranger.sendall(dice.randbytes(dice.choice((1, 7, 60, 3000))))
    time.sleep(0.2)

    assert is_alive(school.pid)
    assert Path(f"/proc/{school.pid}/fd/2").read_bytes() == b""
    school.cue("change")
    for row in school.truth():
        socket.create_connection((str(row.address), row.port), 2).close()


TRUE_PORTS = """
import socket, sys
from sentinel.drill.school.running import start_school
with start_school(offset=0, base=sys.argv[1]) as school:
    for row in school.truth():
        socket.create_connection((str(row.address), row.port), 2).close()
    print(min(row.port for row in school.truth()))
"""


def in_namespace(program: str, base: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a network of its own, where low ports may be bound."""
    inside = 'ip link set lo up && exec "$0" -c "$1" "$2"'
    words = ["unshare", "-rn", "sh", "-c", inside, sys.executable, program, base]
    return subprocess.run(words, capture_output=True, cwd=ROOT, text=True, timeout=30, check=False)


WILDCARD = """
import socket, sys
from sentinel.drill.school.running import foreign_listeners, start_school
from sentinel.errors import SentinelError
with socket.create_server(("0.0.0.0", 10443)):
    print(foreign_listeners())
    try:
        start_school(base=sys.argv[1])
    except SentinelError as error:
        print(error)
"""


@pytest.mark.namespace
def test_start_when_a_program_listens_on_every_address_then_the_message_says_so() -> None:
    done = in_namespace(WILDCARD, own_base(6))

    assert done.returncode == 0, done.stderr
    listed, message = done.stdout.splitlines()
    assert listed == "(('tcp', 10443),)"
    assert re.match(
        r"practice school: 127\.[\d.]+:10443 is taken by a program of this machine that listens on", message
    )


@pytest.mark.namespace
def test_school_when_it_may_bind_low_ports_then_an_offset_of_zero_gives_the_true_ones() -> None:
    done = in_namespace(TRUE_PORTS, own_base(6))

    assert (done.returncode, done.stdout) == (0, "21\n"), done.stderr


@pytest.mark.parametrize("size", range(3, MAX_SIZE + 1))
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_plan_when_any_size_is_asked_then_it_has_it_and_the_cue_makes_one_change_of_each_kind(
    seed: int, size: int
) -> None:
    plan = plan_school(IPv4Network(own_base(7)), seed, size)
    changes = plan.expected_changes()
    newcomer = plan.after[-1].address

    assert len(plan.before) == size
    assert len(plan.services(Phase.BEFORE)) == len(plan.truth()) >= 2 * (size - 2)
    assert len({row.port for row in plan.truth() if row.port < 1024}) == 0
    assert Counter(change.what for change in changes if change.kind is ChangeKind.CHANGED) == {
        ("certificate",): 1,
        ("version",): 1,
    }
    assert len([change for change in changes if change.kind is ChangeKind.GONE]) == 1
    assert [change.address for change in changes if change.kind is ChangeKind.NEW].count(newcomer) == 2
    assert len([change for change in changes if change.kind is ChangeKind.NEW]) == 3


def signature(plan: School) -> tuple[object, ...]:
    return plan.name, tuple((row.port, row.product, row.version) for row in plan.truth()), plan.expected_changes()


def test_plan_when_the_seed_is_the_same_then_the_school_is_and_another_seed_gives_another() -> None:
    plans = [signature(plan_school(seed=seed, size=5)) for seed in (1, 2, 3)]

    assert plans[0] == signature(plan_school(seed=1, size=5))
    assert len(set(plans)) == 3


def test_plan_when_large_then_every_kind_of_flaw_is_planted_and_the_renewal_mends_one() -> None:
    before, after = ({name for row in plan_school().truth(phase) for name in row.weaknesses} for phase in Phase)

    assert before - after == {"certificate.expired", "exposure.vnc"}
    assert {name for name in before if name.startswith("certificate.")} == {
        "certificate.expired",
        "certificate.expires-7",
        "certificate.name-mismatch",
        "certificate.rsa-short",
        "certificate.self-signed",
    }
    assert len(before) >= 20


def test_plan_when_large_then_a_silent_host_and_one_that_only_resets_belong_to_it() -> None:
    hosts = {host.role: host for host in plan_school().before}

    assert hosts["closed"].services == ()
    assert [service.seen.service for service in hosts["silent"].services] == [""]
    assert plan_school().expected_changes()[-1].address == IPv4Address("127.77.0.25")


def test_plan_when_ports_are_the_true_ones_then_own_probes_tell_more() -> None:
    truth = {(row.address, row.port): row for row in plan_school(offset=0).truth()}
    cache, printer = IPv4Address("127.77.0.14"), IPv4Address("127.77.0.19")

    moved = {(row.address, row.port): row for row in plan_school().truth()}

    assert truth[cache, 6379].version == "3.2.12"
    assert truth[cache, 6379].weaknesses == ("exposure.redis-no-auth",)
    assert moved[cache, 16379].version == ""
    assert moved[cache, 16379].weaknesses == ("exposure.redis",)
    assert truth[printer, 9100].full.service == ""


@pytest.mark.parametrize(
    ("base", "size", "offset", "message"),
    [
        ("10.0.0.0/24", 5, 10000, "loopback network"),
        ("127.77.0.0/27", 5, 10000, "at least 64 addresses"),
        ("127.77.0.0/24", 2, 10000, "3 to 14 hosts"),
        ("127.77.0.0/24", 15, 10000, "3 to 14 hosts"),
        ("127.77.0.0/24", 5, -1, "offset"),
        ("127.77.0.0/24", 5, 60000, "offset"),
        ("127.77.0.5/24", 5, 0, "not an IPv4 network"),
        ("::1/64", 5, 0, "not an IPv4 network"),
    ],
)
def test_start_when_the_wish_is_no_school_then_it_is_a_usage_error(
    base: str, size: int, offset: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        start_school(offset=offset, base=base, size=size)


@pytest.mark.parametrize(
    ("port", "offset", "served"),
    [(21, 10000, 10021), (6379, 10000, 16379), (55535, 10000, 65535), (55536, 10000, 1024), (80, 0, 80)],
)
def test_served_port_when_moved_then_it_stays_a_port(port: int, offset: int, served: int) -> None:
    assert served_port(port, offset) == served


# Written to the columns of proc_pid_net(5).
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 00000000:0050 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
"""
TCP6 = """  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: 00000000000000000000000001000000:0019 00000000000000000000000000000000:0000 0A 00000000:00000000
   2: 00000000000000000000000000000000:07E8 00000000000000000000000000000000:0000 0A 00000000:00000000
"""


def test_foreign_listeners_when_sockets_listen_on_every_address_then_each_port_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(TCP, "ascii")
    (tmp_path / "tcp6").write_text(TCP6, "ascii")

    assert foreign_listeners(tmp_path) == (("tcp", 22), ("tcp", 2024))


def test_foreign_listeners_when_there_is_no_ipv6_then_the_rest_is_told(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(TCP, "ascii")

    assert foreign_listeners(tmp_path) == (("tcp", 2024),)


def test_foreign_listeners_when_a_school_runs_then_it_is_not_among_them(school: RunningSchool) -> None:
    assert {("tcp", row.port) for row in school.truth()}.isdisjoint(foreign_listeners())
