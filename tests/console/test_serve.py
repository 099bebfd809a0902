from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from cryptography import x509

from tests.cli.command import PROGRAM, environment, run
from tests.console.served import FORM, Served, serving
from tests.homes import NOW, copy_home, opened

SCHOOL = "/unit/school/"
PAGES = ("", "map", "assets", "findings", "changes", "reports")


@pytest.mark.parametrize("path", ["/", SCHOOL, f"{SCHOOL}assets", "/nowhere", f"{SCHOOL}reports/current/school"])
def test_page_when_not_entered_leads_to_the_door(served: Served, path: str) -> None:
    for cookie in ("", "sentinel=x", f"{served.cookie.partition('=')[0]}=wrong"):
        answer, text = served.ask(path, headers={"cookie": cookie})
        assert (answer.status, answer.getheader("location")) == (303, "/enter")
        assert "示例学校" not in text


def test_page_when_htmx_asks_without_a_session_is_sent_to_the_door(served: Served) -> None:
    answer, _ = served.ask(f"{SCHOOL}assets", headers={"cookie": "", "hx-request": "true"})
    assert (answer.status, answer.getheader("hx-redirect")) == (401, "/enter")


@pytest.mark.parametrize("path", ["/enter", "/nowhere", *(f"{SCHOOL}{page}" for page in PAGES)])
def test_answer_when_given_has_strict_headers(served: Served, path: str) -> None:
    answer, _ = served.ask(path)
    policy = answer.getheader("content-security-policy") or ""
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.getheader("x-content-type-options") == "nosniff"
    assert answer.getheader("referrer-policy") == "no-referrer"
    assert answer.getheader("cross-origin-opener-policy") == "same-origin"
    assert answer.getheader("cross-origin-resource-policy") == "same-origin"
    assert answer.getheader("permissions-policy")
    assert answer.getheader("cache-control") == "no-store"
    assert answer.getheader("server") is None
    assert answer.getheader("strict-transport-security") is None


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.nip.io:80", "10.0.0.1"])
def test_request_when_its_host_is_another_name_is_refused(served: Served, host: str) -> None:
    answer, _ = served.ask(SCHOOL, headers={"host": host})
    assert answer.status == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_request_when_it_would_change_something_is_refused(served: Served, method: str) -> None:
    assert served.ask(f"{SCHOOL}assets", method)[0].status == 405


def test_request_when_it_comes_from_another_site_is_refused(served: Served) -> None:
    answer, _ = served.ask("/enter", "POST", "token=x", {**FORM, "sec-fetch-site": "cross-site"})
    assert answer.status == 403


def test_request_when_too_large_is_refused(served: Served) -> None:
    assert served.ask("/enter", "POST", "token=" + "x" * 5000, FORM)[0].status == 413
    assert served.ask(f"{SCHOOL}assets?q=" + "x" * 5000)[0].status == 414


def test_request_when_it_does_not_come_whole_is_ended(served: Served) -> None:
    place = urlsplit(served.base)
    with socket.create_connection((place.hostname, place.port), timeout=90) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        began = time.monotonic()
        assert connection.recv(100) == b""
        assert 8 < time.monotonic() - began < 60


def test_token_when_wrong_is_answered_late_and_logged_without_it(small_home: Path, tmp_path: Path) -> None:
    home = copy_home(tmp_path / "home")
    with serving(home.path) as server:
        began = time.monotonic()
        assert server.try_token("WRONG-TOKEN").status == 403
        first = time.monotonic() - began
        began = time.monotonic()
        assert server.try_token("WRONG-TOKEN").status == 403
        second = time.monotonic() - began
        assert first >= 0.5
        assert second >= 1.0
        server.enter()
        assert server.try_token(server.token).status == 403  # it is spent
    assert "wrong token address=127.0.0.1 times=1" in server.complaints
    assert "WRONG" not in server.complaints
    assert server.token not in server.complaints


def test_cookie_when_set_is_for_this_server_alone(tmp_path: Path) -> None:
    with serving(copy_home(tmp_path / "home").path) as server:
        answer = server.try_token(server.token)
        cookie = answer.getheader("set-cookie") or ""
    assert cookie.startswith(f"sentinel-{urlsplit(server.base).port}=")
    assert {"httponly", "samesite=strict"} <= {part.strip().lower() for part in cookie.split(";")}
    assert len(cookie.partition("=")[2].partition(";")[0]) >= 43  # 256 bits


def test_session_when_left_is_over(tmp_path: Path) -> None:
    with serving(copy_home(tmp_path / "home").path) as server:
        server.enter()
        server.page(SCHOOL)
        assert server.ask("/leave", "POST")[0].status == 303
        assert server.ask(SCHOOL)[0].status == 303


def test_new_token_when_a_server_runs_lets_another_in(tmp_path: Path) -> None:
    home = copy_home(tmp_path / "home").path
    with serving(home) as server:
        done = run("--home", home, "serve", "--new-token")
        assert done.status == 0
        token = done.out.partition("/enter#")[2].split()[0]
        assert server.try_token(server.token).status == 403
        assert server.try_token(token).status == 303


def test_new_token_when_no_server_runs_says_so(tmp_path: Path) -> None:
    done = run("--home", copy_home(tmp_path / "home").path, "serve", "--new-token")
    assert done.status == 6
    assert "start it first" in done.complaint


def test_serve_when_the_port_is_taken_says_so_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("--home", copy_home(tmp_path / "home").path, "serve", "--port", port)
    assert done.status == 2
    assert "--port" in done.complaint


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("--host", "no.such.name.invalid"), 2),
        (("--host", "192.0.2.1"), 2),
        (("--unit", "nobody"), 2),
        (("--name", "两 个"), 2),
        (("--certificate", "x.pem"), 2),
        (("--certificate", "/nonexistent/x.pem", "--key", "/nonexistent/y.pem"), 7),
    ],
)
def test_serve_when_it_cannot_be_done_as_asked_says_so(tmp_path: Path, words: tuple[str, ...], status: int) -> None:
    done = run("--home", copy_home(tmp_path / "home").path, "serve", "--port", "0", *words)
    assert done.status == status
    assert done.complaint


def test_serve_when_there_is_no_home_or_another_server_says_so(tmp_path: Path) -> None:
    assert run("--home", tmp_path / "none", "serve", "--port", "0").status == 6
    home = copy_home(tmp_path / "home").path
    with serving(home):
        done = run("--home", home, "serve", "--port", "0")
    assert done.status == 6
    assert "another" in done.complaint


def test_serve_when_interrupted_ends_cleanly(tmp_path: Path) -> None:
    with serving(copy_home(tmp_path / "home").path) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(20) == 0


def test_serve_when_a_journal_keeps_its_words_tells_no_token(tmp_path: Path) -> None:
    home = copy_home(tmp_path / "home").path
    reading, writing = os.pipe()
    status = os.fstat(writing)
    env = environment({"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
    command = [*PROGRAM, "--home", str(home), "serve", "--port", "0"]
    with (
        subprocess.Popen(command, env=env, stdout=writing, stderr=subprocess.PIPE) as process,
        os.fdopen(reading) as told,
    ):
        os.close(writing)
        line = told.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert "--new-token" in line
    assert "#" not in line


def test_serve_when_not_of_this_machine_alone_speaks_tls_with_its_own_certificate(tmp_path: Path) -> None:
    home = copy_home(tmp_path / "home").path
    with serving(home, "--host", "0.0.0.0", "--name", "sentinel.school.example") as server:
        port = urlsplit(server.base).port
        assert server.base == f"https://sentinel.school.example:{port}"
        server.base = f"https://127.0.0.1:{port}"
        answer, _ = server.ask("/enter", headers={"host": f"sentinel.school.example:{port}"})
        assert answer.status == 200
        assert answer.getheader("strict-transport-security")
        assert server.ask("/enter", headers={"host": "other.example"})[0].status == 421
        token = server.ask("/enter", "POST", f"token={server.token}", {**FORM, "host": "localhost"})[0]
        assert token.status == 303
        cookie = token.getheader("set-cookie") or ""
        shown = ssl.get_server_certificate(("127.0.0.1", port))
    folder = home / "var" / "console"
    assert cookie.startswith("__Host-sentinel=")
    assert "secure" in cookie.lower()
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
    known = x509.load_pem_x509_certificate(shown.encode())
    names = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "sentinel.school.example" in names.get_values_for_type(x509.DNSName)
    assert socket.gethostname().lower() in names.get_values_for_type(x509.DNSName)
    assert (known.not_valid_after_utc - known.not_valid_before_utc).days == 825
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest().upper()
    assert fingerprint in server.told.replace(":", "")


def test_certificate_when_it_still_serves_is_kept_and_another_name_makes_another(tmp_path: Path) -> None:
    home = copy_home(tmp_path / "home").path
    file = home / "var" / "console" / "certificate.pem"
    sums = []
    for words in ((), (), ("--name", "other.example")):
        with serving(home, "--host", "0.0.0.0", *words):
            sums.append(hashlib.sha256(file.read_bytes()).hexdigest())
    assert sums[0] == sums[1] != sums[2]


def test_pages_when_read_change_nothing_in_the_home(small_home: Path, served: Served) -> None:
    def state() -> dict[str, tuple[int, int]]:
        files = [path for path in small_home.rglob("*") if path.is_file() and "-shm" not in path.name]
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}

    before = state()
    for page in (*PAGES, "assets?q=nginx", "findings?state=all", "reports/current/school"):
        served.page(SCHOOL + page)
    assert state() == before


def test_finding_when_shown_tells_its_steps_in_the_language_of_the_page(served: Served) -> None:
    found = re.search(r"findings/(\d+)", served.page(f"{SCHOOL}findings?state=all"))
    assert found
    assert "首次发现</bdi>" in served.page(f"{SCHOOL}findings/{found[1]}")
    assert "first seen</bdi>" in served.page(f"{SCHOOL}findings/{found[1]}?lang=en")


def test_pages_when_a_scan_writes_are_served_as_before(tmp_path: Path) -> None:
    home = copy_home(tmp_path / "home").path
    with serving(home) as server, opened(home) as context:
        server.enter()
        with context.database.transaction("tester", NOW) as transaction:
            transaction.execute("UPDATE unit SET name='改名学校'")
            transaction.audit("test", "unit")
            began = time.monotonic()
            assert "示例学校" in server.page(f"{SCHOOL}assets")
            assert time.monotonic() - began < 25, "it waited for the writer"
        assert "改名学校" in server.page(f"{SCHOOL}assets")


@pytest.mark.parametrize(
    "path",
    [
        "/unit/nobody/",
        f"{SCHOOL}assets/1/10.99.99.99",
        f"{SCHOOL}assets/999999999999999999999/10.20.0.1",
        f"{SCHOOL}assets/1/{quote('<script>', safe='')}",
        f"{SCHOOL}findings/99999999",
        f"{SCHOOL}findings/99999999999999999999999",
        f"{SCHOOL}findings/{'9' * 5000}",
        f"{SCHOOL}findings/x",
        f"{SCHOOL}assets/{'9' * 5000}/10.77.1.1",
        f"{SCHOOL}reports/file/..%2f..%2fsentinel.db",
        f"{SCHOOL}reports/file/nothing.html",
        f"{SCHOOL}reports/current/nothing",
        "/static/nothing.js",
        "/docs",
        "/openapi.json",
    ],
)
def test_page_when_there_is_none_says_so(served: Served, path: str) -> None:
    answer, text = served.ask(path)
    assert answer.status == 404, text[:300]
    assert "<script>alert" not in text


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=%25%5F",
        "q=" + quote("' OR 1=1 --"),
        "q=10.20.0.0/8+10.20.1.0/24",
        "after=x",
        "after=0.1.999.1.1.1",
        "after=99999999999999999999.1.10.0.0.1",
        "order=nothing&severity=nothing&state=nothing&days=9999&network=x&zone=x",
        "page=-1",
        "page=99999999",
        "q=" + quote("长" * 90),
        "lang=fr",
        "q=%ff%fe",
    ],
)
@pytest.mark.parametrize("page", ["assets", "findings", "changes"])
def test_listing_when_asked_nonsense_is_a_page_all_the_same(served: Served, page: str, query: str) -> None:
    assert "<h1>" in served.page(f"{SCHOOL}{page}?{query}")


def test_static_file_when_asked_is_kept_for_ever_and_is_the_packages_own(served: Served) -> None:
    page = served.page(SCHOOL)
    address = page.partition('src="/static/htmx.')[2].partition('"')[0]
    answer, text = served.ask(f"/static/htmx.{address}", headers={"cookie": ""})
    assert "immutable" in (answer.getheader("cache-control") or "")
    assert hashlib.sha256(text.encode()).hexdigest().startswith(address.partition(".")[0])
    assert "htmx" in text[:40]


def test_unit_when_one_is_named_is_the_only_one_shown(tmp_path: Path) -> None:
    home = copy_home(tmp_path / "home").path
    assert run("--home", home, "unit", "add", "second", "第二学校").status == 0
    with serving(home, env=environment({"SENTINEL_UNIT": ""})) as server:
        server.enter()
        both = server.page("/")
        assert "示例学校" in both
        assert "第二学校" in both
    with serving(home, "--unit", "second") as server:
        server.enter()
        assert server.ask("/")[0].getheader("location") == "/unit/second/"
        assert server.ask(SCHOOL)[0].status == 404
