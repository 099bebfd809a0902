"""Consoles of the practice school, asked over HTTP as their own clients ask."""

import http.client
import json

import pytest

from sentinel.drill.servers import consoles
from sentinel.drill.servers.conversation import Service
from tests.drill.servers.speaking import ADDRESS, get, opened, speak

DOCKER = consoles.docker_api(2375, "20.10.5")
MINER = consoles.miner_api(18088)


def ask(service: Service, path: str, method: str = "GET") -> tuple[int, str]:
    with opened(service) as port:
        client = http.client.HTTPConnection(str(ADDRESS), port, timeout=5)
        client.request(method, path)
        answer = client.getresponse()
        text = answer.read().decode()
        client.close()
    return answer.status, text


@pytest.mark.parametrize(
    ("service", "title"),
    [
        (consoles.iis(80, "7.5"), "IIS7"),
        (consoles.iis(80, "8.5"), "IIS Windows Server"),
        (consoles.tomcat(8080, "7.0.70"), "Apache Tomcat/7.0.70"),
        (consoles.phpmyadmin(80), "phpMyAdmin"),
        (consoles.jupyter(8888, "6.1"), "Home Page - Select or create a notebook"),
        (consoles.kibana(5601, "4.6.6"), "Kibana"),
        (consoles.tunnel_dashboard(7500, "1.22.1"), "frps dashboard"),
    ],
)
def test_console_when_its_home_page_is_fetched_then_the_title_tells_what_it_is(service: Service, title: str) -> None:
    status, text = ask(service, "/")

    assert status == 200
    assert f"<title>{title}</title>" in text


@pytest.mark.parametrize(
    ("service", "path", "fact"),
    [
        (DOCKER, "/version", ("Version", "20.10.5")),
        (DOCKER, "/info", ("Containers", 0)),
        (MINER, "/1/summary", ("algo", "rx/0")),
        (MINER, "/2/summary", ("ua", "XMRig/6.21.0")),
        (consoles.couchdb(5984, "2.3.1"), "/", ("version", "2.3.1")),
        (consoles.jupyter(8888, "6.1"), "/api", ("version", "6.4.12")),
        (consoles.kibana(5601, "4.6.6"), "/none", ("statusCode", 404)),
    ],
)
def test_interface_when_asked_then_it_answers_json(service: Service, path: str, fact: tuple[str, object]) -> None:
    assert json.loads(ask(service, path)[1])[fact[0]] == fact[1]


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
def test_docker_when_told_to_do_something_then_it_does_not(method: str) -> None:
    assert ask(DOCKER, "/containers/json", method)[0] in (403, 405)


def test_docker_when_asked_for_its_options_then_only_the_headers_of_docker_come_in_their_order() -> None:
    head = speak(DOCKER, get("/", method="OPTIONS")).decode().partition("\r\n\r\n")[0].split("\r\n")

    assert head[0] == "HTTP/1.0 200 OK"
    names = [line.partition(":")[0] for line in head[1:]]
    assert names == ["Api-Version", "Docker-Experimental", "Ostype", "Server", "Date", "Content-Length"]


def test_proxy_when_asked_for_a_foreign_page_then_it_fetches_nothing() -> None:
    heard = speak(consoles.http_proxy(3128, "3.5.20"), get("http://www.example/"))

    assert heard.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"Server: squid/3.5.20\r\n" in heard


def test_weblogic_when_asked_then_its_header_tells_the_version() -> None:
    assert b"Server: WebLogic WebLogic Server 10.3.6 " in speak(consoles.weblogic(7001, "10.3.6"), get("/"))
