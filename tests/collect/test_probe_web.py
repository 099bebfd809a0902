"""Sites of the practice school and sites that misbehave, looked at over real sockets."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from sentinel.collect import web_paths
from sentinel.collect.look import ProbeTarget
from sentinel.collect.probe_web import WEB
from sentinel.collect.probing import probe
from sentinel.drill.servers import planted_sites as planted
from sentinel.drill.servers import sites
from sentinel.drill.servers.certificate import Authority, CertificateKind, CertificatePlan
from sentinel.drill.servers.conversation import Service
from sentinel.model.probe import ProbeKind, ProbeObservation
from sentinel.model.scope import Level
from tests.collect.allow import permit_for, utc_now
from tests.collect.standing import standing
from tests.collect.test_probing import HERE, serving

SCHOOL = "示例市第一中学"
NAME = "www.school1.example"


def visit(port: int, name: str = NAME, *, is_tls: bool = False, permit=None) -> ProbeObservation:
    """Look at a port as far as the permit reaches, level check by default."""
    found: list[ProbeObservation] = []
    permit = permit or permit_for(str(HERE), level=Level.CHECK)
    target = ProbeTarget(ProbeKind.WEB, HERE, "tcp", port, name, "http", is_tls)
    probe(permit, [target], found.append, now=utc_now, probers={ProbeKind.WEB: WEB})
    return found[0]


def see(service: Service, name: str = NAME) -> dict[str, object]:
    with standing(service, address=str(HERE)) as (port,):
        one = visit(port, name)
    assert one.answered, one.reason
    return dict(one.values)


@pytest.mark.parametrize(
    ("service", "exposed"),
    [
        (planted.leaking_site(80, SCHOOL, "1.22.1"), ("git", "backup")),
        (planted.actuator_site(80, SCHOOL, "1.22.1"), ("actuator",)),
        (planted.phpinfo_site(80, SCHOOL), ("phpinfo",)),
        (sites.portal(80, SCHOOL, "1.22.1"), None),
        (sites.directory_listing(80, "1.4.59"), ("backup",)),
    ],
)
def test_site_when_something_lies_about_then_exactly_that_is_told(service: Service, exposed) -> None:
    if service.seen.product == "lighttpd":  # it lists backup.sql and does not have it
        exposed = None
    found = see(service)
    assert (found["status"], found["soft_404"], found.get("exposed")) == (200, False, exposed)


def test_site_when_it_is_a_good_portal_then_what_it_is_stands_there() -> None:
    found = see(sites.portal(80, SCHOOL, "1.22.1"))
    assert found["title"] == f"{SCHOOL} 门户网站"
    assert (found["server"], found["icp"]) == ("nginx/1.22.1", sites.ICP)
    assert found["missing_headers"] == ("csp", "frame", "nosniff")
    assert not {"dark_links", "mining_signs", "tampered_words", "pii_masked", "default_page", "redirect_to"} & set(
        found
    )
    assert (found["pii_id_cards"], found["login_form"], found["redirect_https"]) == (0, False, False)


def test_site_when_tampered_with_then_links_and_miner_are_told() -> None:
    found = see(planted.tampered_site(80, SCHOOL, "1.22.1"))
    assert found["dark_links"] == ("slots.example", "lottery.example", "casino.practice.invalid")
    assert found["mining_signs"] == ("CoinHive",)
    assert found["script_hosts"] == ("coinhive.com.practice.invalid",)


def test_site_when_it_shows_pupils_then_they_are_counted() -> None:
    found = see(planted.register_page(80, SCHOOL, "1.22.1"))
    assert (found["pii_id_cards"], found["pii_phones"]) == (20, 20)


def test_site_when_inside_tls_then_it_is_looked_at_whoever_it_says_it_is() -> None:
    plan = CertificatePlan(CertificateKind.SELF_SIGNED, "other.example")
    issued = Authority("示例", datetime.now(UTC)).issue(plan)
    with standing(sites.login_form(443, SCHOOL, "教务系统", plan), address=str(HERE), tls=issued.context) as (port,):
        found = dict(visit(port, is_tls=True).values)
        by_address = dict(visit(port, "", is_tls=True).values)
        clear = visit(port)
    assert (found["tls"], found["login_form"], found["login_plain"]) == (True, True, False)
    assert "hsts" in found["missing_headers"]
    assert "redirect_https" not in found
    assert by_address["title"] == found["title"]
    assert not clear.answered


def test_site_when_the_permit_does_not_reach_check_then_no_path_is_asked() -> None:
    asked: list[bytes] = []

    def talk(line) -> None:
        asked.append(line.recv(4096).split(b"\r\n")[0])
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>x</title>")

    with serving(talk) as port:
        found = dict(visit(port, permit=permit_for(str(HERE))).values)
    assert asked == [b"GET / HTTP/1.1"]
    assert not {"exposed", "soft_404", "robots"} & set(found)


def answering(pages: dict[str, str]):
    """A server that gives each path its answer; `*` stands for any other."""
    asked: list[str] = []

    def talk(line) -> None:
        path = line.recv(4096).decode().split(" ")[1]
        asked.append(path)
        line.sendall(pages.get(path, pages.get("*", "HTTP/1.1 404 Not Found\r\n\r\n")).encode())

    return talk, asked


def page(body: str, kind: str = "text/html") -> str:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n{body}"


def to(where: str, status: int = 302) -> str:
    return f"HTTP/1.1 {status} Found\r\nLocation: {where}\r\n\r\n"


def test_site_when_every_path_is_there_then_nothing_is_concluded_from_paths() -> None:
    talk, asked = answering({"*": page("ref: refs/heads/master\n")})
    with serving(talk) as port:
        found = dict(visit(port).values)
    assert found["soft_404"] is True
    assert "exposed" not in found
    assert not any(".git" in path for path in asked)


def test_site_when_a_path_holds_something_else_then_it_is_no_leak() -> None:
    wrong = {
        "/.git/HEAD": "<p>ref: refs/heads/master",
        "/.env": "<html>DB_PASSWORD",
        "/wwwroot.zip": "<html>PK",
        "/backup.sql": "<html>login first",
        "/actuator": '{"_links":{"self":{},"health":{},"info":{}}}',
        "/phpinfo.php": "<title>about phpinfo</title>",
        "/.svn/entries": "<p>12",
        "/server-status": "<title>Status</title>",
    }
    talk, asked = answering({path: page(body) for path, body in wrong.items()} | {"/": page("<title>x</title>")})
    with serving(talk) as port:
        found = dict(visit(port).values)
    assert set(wrong) <= set(asked)
    assert "exposed" not in found
    right = {
        "/.git/HEAD": "1234567890abcdef1234567890abcdef12345678\n",
        "/.env": "# x\nDB_PASSWORD=practice\n",
        "/web.rar": "Rar!\x1a\x07\x00",
        "/.svn/entries": "10\n\ndir\n1\n",
        "/env": '{"activeProfiles": []}',
        "/info.php": "<title>PHP 7.4.3 - phpinfo()</title>",
        "/server-status": "<title>Apache Status</title>",
        "/robots.txt": "User-agent: *\nDisallow: /admin/\nDisallow: /admin/\ndisallow: /x y\n",
    }
    kinds = {"/robots.txt": "text/plain"}
    talk, asked = answering({path: page(body, kinds.get(path, "text/html")) for path, body in right.items()})
    with serving(talk) as port:
        found = dict(visit(port).values)
    assert found["exposed"] == ("git", "svn", "env", "backup", "actuator", "phpinfo", "server-status")
    assert found["robots"] == ("/admin/", "/x")
    assert "practice" not in repr(found)


def test_site_when_it_stops_answering_then_what_was_found_stays() -> None:
    count = 0

    def talk(line) -> None:
        nonlocal count
        path = line.recv(4096).decode().split(" ")[1]
        if path == "/":
            line.sendall(page("<title>x</title>").encode())
        elif path.startswith("/.git"):
            line.sendall(page("ref: refs/heads/main\n").encode())
        elif ".svn" in path:
            count += 1
        else:
            line.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")

    with serving(talk) as port:
        found = dict(visit(port).values)
    assert (found["exposed"], count) == (("git",), 1)
    assert found["untold"] == ("exposed",)


def test_site_when_it_is_slow_then_no_more_paths_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_paths, "BUDGET_S", -1.0)
    talk, asked = answering({"/": page("<title>x</title>")})
    with serving(talk) as port:
        found = dict(visit(port).values)
    assert found["soft_404"] is False
    assert len(asked) == 3
    assert found["untold"] == ("exposed",)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_site_when_it_shows_an_excuse_for_its_page_then_nothing_is_said_of_the_page(status: int) -> None:
    talk, _ = answering({"/": f"HTTP/1.1 {status} x\r\nContent-Type: text/html\r\n\r\n<title>later</title>"})
    with serving(talk) as port:
        found = dict(visit(port).values)
    assert {"dark_links", "login_plain", "missing_headers"} <= set(found["untold"])
    with serving(answering({"/": page("<title>x</title>")})[0]) as port:
        assert "untold" not in dict(visit(port).values)


def test_redirect_when_it_stays_at_the_place_then_the_page_it_leads_to_is_looked_at() -> None:
    talk, _ = answering({"/": to("/a"), "/a": to("b?x=1"), "/b?x=1": page("<title>首页</title>")})
    with serving(talk) as port:
        found = dict(visit(port).values)
    assert (found["status"], found["title"]) == (200, "首页")
    assert found["redirect_to"] == f"http://{NAME}:{port}/b"
    assert found["redirect_https"] is False
    assert "redirect_outside" not in found
    talk, _ = answering(
        {"/": page('<meta http-equiv="Refresh" content="0; URL=/m.html">'), "/m.html": page("<title>m</title>")}
    )
    with serving(talk) as port:
        assert dict(visit(port).values)["title"] == "m"


@pytest.mark.parametrize(
    "where",
    ["http://other.example/", "https://evil.example/x?token=1", "http://127.77.21.9:{port}/", "http://[::1]:{port}/"],
)
def test_redirect_when_it_leaves_then_it_is_recorded_and_not_followed(where: str) -> None:
    met = threading.Event()
    with serving(lambda line: met.set(), "127.77.21.9") as other:
        talk, asked = answering({"/": to(where.format(port=other))})
        with serving(talk) as port:
            found = dict(visit(port).values)
    assert (found["status"], found["redirect_outside"]) == (302, True)
    assert "token" not in str(found["redirect_to"])
    assert not met.is_set()
    assert asked[0] == "/"
    assert "title" not in found


@pytest.mark.parametrize("address", ["127.77.21.9", str(HERE)])
def test_redirect_when_a_page_sends_it_to_another_device_or_port_then_nobody_there_hears_of_it(address: str) -> None:
    talk, asked = answering({"*": page("<title>there</title>")})
    with serving(talk, address) as other:
        first, _ = answering({"/": to(f"http://{address}:{other}/reboot")})
        with serving(first) as port:
            found = dict(visit(port, permit=permit_for(str(HERE), "127.77.21.9")).values)
    assert asked == []
    assert (found["status"], found["redirect_to"]) == (302, f"http://{address}:{other}/reboot")
    assert found["redirect_outside"] is True


def test_redirect_when_it_names_the_address_instead_of_the_name_then_it_is_followed() -> None:
    pages: dict[str, str] = {"/in": page("<title>there</title>")}
    talk, asked = answering(pages)
    with serving(talk) as port:
        pages["/"] = to(f"http://{HERE}:{port}/in")
        visit(port)
    assert asked[:2] == ["/", "/in"]


@pytest.mark.parametrize("pages", [{"*": to("/")}, {"/": to("/a"), "/a": to("/b"), "/b": to("/a")}])
def test_redirect_when_it_has_no_end_then_it_is_told(pages: dict[str, str]) -> None:
    talk, asked = answering(pages)
    with serving(talk) as port:
        found = dict(visit(port, permit=permit_for(str(HERE))).values)
    assert len(asked) <= 6
    assert found["redirect_https"] is False
    assert found.get("redirect_loop", False) is (len(pages) > 1)


def test_redirect_when_https_is_there_then_it_is_told_though_nobody_answers_there() -> None:
    talk, _ = answering({"/": to(f"https://{NAME}:1/", 301)})
    with serving(talk) as port:
        found = dict(visit(port).values)
    assert (found["status"], found["redirect_https"]) == (301, True)


def test_site_when_it_wants_a_login_of_http_then_the_way_is_told() -> None:
    talk, _ = answering(
        {"/": "HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm=x\r\nWWW-Authenticate: Digest y\r\n\r\n"}
    )
    with serving(talk) as port:
        found = dict(visit(port).values)
    assert (found["status"], found["auth_schemes"]) == (401, ("basic", "digest"))


def test_site_when_its_name_is_none_then_nothing_is_sent() -> None:
    met = threading.Event()
    with serving(lambda line: met.set()) as port:
        one = visit(port, "a\r\nX: y")
    assert one.reason == "its name is none a host can have"
    assert not met.is_set()


@contextmanager
def python_server(folder: Path) -> Iterator[int]:
    handler = partial(
        type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None}), directory=str(folder)
    )
    with http.server.ThreadingHTTPServer((str(HERE), 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_site_when_python_serves_a_folder_then_listing_and_backup_are_told(tmp_path: Path) -> None:
    (tmp_path / "db.sql").write_text("-- MySQL dump 10.13\nCREATE TABLE x (y int);\n", encoding="utf-8")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
    with python_server(tmp_path) as port:
        found = dict(visit(port).values)
    assert (found["directory_listing"], found["exposed"]) == (True, ("git", "backup"))
    assert found["server"].startswith("SimpleHTTP/")
