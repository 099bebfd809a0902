"""Web sites with something wrong on them, fetched as a browser or a searcher would."""

import http.client
import io
import json
import re
import zipfile

import pytest

from sentinel.drill.servers import planted_sites as planted
from sentinel.drill.servers.conversation import Service
from tests.drill.servers.speaking import ADDRESS, opened

SCHOOL = "示例市第一中学"
NGINX = "1.22.1"
LEAKING = planted.leaking_site(80, SCHOOL, NGINX)
TAMPERED = planted.tampered_site(80, SCHOOL, NGINX)
REGISTER = planted.register_page(80, SCHOOL, NGINX)
ACTUATOR = planted.actuator_site(80, SCHOOL, NGINX)
PHPINFO = planted.phpinfo_site(80, SCHOOL)


def fetch(service: Service, path: str) -> tuple[int, str, bytes]:
    with opened(service) as port:
        client = http.client.HTTPConnection(str(ADDRESS), port, timeout=5)
        client.request("GET", path)
        answer = client.getresponse()
        body = answer.read()
        client.close()
    return answer.status, answer.getheader("Content-Type", ""), body


@pytest.mark.parametrize(
    ("service", "path", "word"),
    [
        (LEAKING, "/.git/HEAD", b"ref: refs/heads/"),
        (LEAKING, "/.git/config", b"[core]"),
        (LEAKING, "/backup.sql", b"CREATE TABLE"),
        (TAMPERED, "/", b"coinhive.min.js"),
        (TAMPERED, "/", b"display:none"),
        (TAMPERED, "/", b"left:-9999px"),
        (ACTUATOR, "/actuator", b'"_links"'),
        (ACTUATOR, "/actuator/env", b"propertySources"),
        (PHPINFO, "/phpinfo.php", b"<title>phpinfo()</title>"),
    ],
)
def test_site_when_the_planted_thing_is_fetched_then_it_is_there(service: Service, path: str, word: bytes) -> None:
    status, _, body = fetch(service, path)

    assert status == 200
    assert word in body


@pytest.mark.parametrize("service", [LEAKING, TAMPERED, REGISTER, ACTUATOR, PHPINFO])
def test_site_when_its_home_page_is_fetched_then_it_bears_the_school_and_a_flaw(service: Service) -> None:
    status, kind, body = fetch(service, "/")

    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert f"<title>{SCHOOL} " in body.decode()
    assert service.flaws
    assert fetch(service, "/none")[0] == 404


def test_leaking_site_when_its_backup_is_fetched_then_it_can_be_unpacked() -> None:
    _, kind, body = fetch(LEAKING, "/wwwroot.zip")

    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["wwwroot/index.html", "wwwroot/readme.txt"]
    assert kind == "application/zip"


@pytest.mark.parametrize("service", [LEAKING, TAMPERED, REGISTER, ACTUATOR, PHPINFO])
def test_site_when_it_links_outwards_then_only_to_names_that_cannot_exist(service: Service) -> None:
    hosts = re.findall(r"https?://([^/\s\"']+)", fetch(service, "/")[2].decode())

    assert [host for host in hosts if not host.endswith((".example", ".invalid"))] == []


def test_actuator_when_asked_for_health_then_it_answers_json() -> None:
    assert json.loads(fetch(ACTUATOR, "/actuator/health")[2]) == {"status": "UP"}


def has_right_check_digit(number: str) -> bool:
    """Check as ISO 7064 MOD 11-2 says, which GB 11643 uses: the weighted sum of all 18 digits leaves 1."""
    total = 0
    for digit in number[:17]:
        total = (total + int(digit)) * 2 % 11
    last = 10 if number[17] == "X" else int(number[17])
    return (total + last) % 11 == 1


def test_register_when_it_is_fetched_then_it_lists_invented_numbers_with_right_check_digits() -> None:
    text = fetch(REGISTER, "/")[2].decode()
    numbers, phones = re.findall(r"\b\d{17}[\dX]\b", text), re.findall(r"\b1[3-9]\d{9}\b", text)

    assert len(set(numbers)) == len(set(phones)) == 20
    assert all(has_right_check_digit(number) for number in numbers)
    assert {number[:6] for number in numbers} == {"110199"}
    assert {phone[:3] for phone in phones} == {"154"}


@pytest.mark.parametrize("order", range(12))
def test_identity_number_when_invented_then_it_checks(order: int) -> None:
    assert has_right_check_digit(planted.identity_number(order))
