from __future__ import annotations

import pytest

from sentinel.inventory.marks import (
    is_own_certificate,
    is_random_card,
    is_steady_card,
    read_holding_marks,
    read_host_marks,
    weigh,
)
from sentinel.model.asset import MarkKind, MarkName, Weight
from sentinel.model.observation import Certificate
from sentinel.model.sighting import HoldingObservation, HoldingSource
from tests.inventory.made import ADDRESS, certificate, host, port

SSH = (
    "\n  2048 1e:b1:5a:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd (RSA)"
    "\n  256 SHA256:Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4 (ED25519)"
)


def texts(names: tuple[MarkName, ...]) -> list[str]:
    return [str(name) for name in names]


def test_host_when_read_shows_its_card_name_system_and_ports() -> None:
    seen = host(port(443), port(22), port(23, "closed"), mac="00:00:5e:00:53:01", names=("a.example",), os="Linux 5")
    assert texts(read_host_marks(seen)) == [
        "mac:00:00:5e:00:53:01",
        "fqdn:a.example",
        "os:Linux 5",
        "ports:22/tcp,443/tcp",
    ]


@pytest.mark.parametrize(
    ("script", "text", "marks"),
    [
        (
            "ssh-hostkey",
            SSH,
            [
                "ssh_host_key:rsa 1e:b1:5a:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd",
                "ssh_host_key:ed25519 SHA256:Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4",
            ],
        ),
        ("snmp-info", "\n  engineIDFormat: mac\n  engineIDData: 80:00:1F:88:04\n", ["snmp_engine:80001f8804"]),
        ("snmp-info", "engineIDData: 0xDEADBEEF01", ["snmp_engine:deadbeef01"]),
        ("s7-info", "\n  Serial Number: S C-X4U421302009\n  Version: 3", []),
        ("s7-info", "\n  Serial Number: SC-X4U421302009\n", ["serial:SC-X4U421302009"]),
        (
            "http-favicon",
            "Unknown favicon MD5: 0488FACA4C19046B94D07C3EE83CF9D6",
            ["favicon:0488faca4c19046b94d07c3ee83cf9d6"],
        ),
        ("http-title", "Serial number: 12345", []),
        ("ssh-hostkey", "garbage (RSA)", []),
    ],
)
def test_script_when_it_tells_a_key_or_number_marks_the_host(script: str, text: str, marks: list[str]) -> None:
    seen = host(port(22, scripts=((script, text),)))
    assert texts(read_host_marks(seen)) == ["ports:22/tcp", *marks]


def test_host_when_it_gave_no_sign_has_no_marks() -> None:
    assert read_host_marks(host(answered=False, mac="00:00:5e:00:53:01")) == ()
    assert read_host_marks(host(port(22), up=False)) == ()


def test_host_when_it_answers_everywhere_is_not_known_by_its_ports() -> None:
    assert read_host_marks(host(*(port(number) for number in range(1, 70)))) == ()


@pytest.mark.parametrize(
    ("one", "own"),
    [
        (certificate("a", self_signed=True, names=("a.example", "b.example")), True),
        (certificate("a", self_signed=False, names=("a.example",)), True),
        (certificate("a", names=("*.example",)), False),
        (certificate("a", self_signed=False, names=("a.example", "b.example")), False),
        (certificate("a", self_signed=False), False),
        (Certificate(self_signed=True), False),
    ],
    ids=["self-signed", "one name", "pattern", "two names", "no names", "no sum"],
)
def test_certificate_when_self_signed_or_of_one_name_stands_for_one_host(one: Certificate, own: bool) -> None:
    assert is_own_certificate(one) is own
    marks = read_host_marks(host(port(443, certificate=one)))
    assert any(name.kind is MarkKind.TLS_CERT for name in marks) is own


def test_card_when_given_by_its_maker_is_steady_and_when_made_up_or_shared_is_not() -> None:
    assert is_steady_card("3c:22:fb:00:53:01")
    assert is_random_card("da:a1:19:00:53:01")
    assert not is_steady_card("da:a1:19:00:53:01")
    assert not is_steady_card("00:00:5e:00:01:0a")  # VRRP
    assert not is_steady_card("00:00:0c:07:ac:01")  # HSRP
    assert not is_steady_card("01:00:5e:00:00:01")  # a group address
    assert not is_steady_card("")
    assert not is_random_card("")


@pytest.mark.parametrize(
    ("kind", "value", "weight"),
    [
        (MarkKind.SSH_HOST_KEY, "rsa aa", Weight.STRONG),
        (MarkKind.TLS_CERT, "aa", Weight.STRONG),
        (MarkKind.SNMP_ENGINE, "aa", Weight.STRONG),
        (MarkKind.SERIAL, "aa", Weight.STRONG),
        (MarkKind.DHCP_CLIENT_ID, "aa", Weight.STRONG),
        (MarkKind.MAC, "3c:22:fb:00:53:01", Weight.STRONG),
        (MarkKind.MAC, "da:a1:19:00:53:01", Weight.WEAK),
        (MarkKind.FQDN, "a.example", Weight.MEDIUM),
        (MarkKind.OS, "Linux", Weight.MEDIUM),
        (MarkKind.PORTS, "22/tcp", Weight.MEDIUM),
        (MarkKind.FAVICON, "aa", Weight.MEDIUM),
        (MarkKind.IP, "10.0.0.1", Weight.WEAK),
    ],
)
def test_mark_when_weighed_is_as_the_facts_say(kind: MarkKind, value: str, weight: Weight) -> None:
    assert weigh(MarkName(kind, value)) is weight


def test_lease_when_read_shows_card_name_and_client_id_unless_that_is_the_card_again() -> None:
    mac = "3c:22:fb:00:53:01"
    lease = HoldingObservation(ADDRESS, HoldingSource.DHCP, mac, name="pc-7", client_id="00:01:00:01:aa")
    assert texts(read_holding_marks(lease)) == [f"mac:{mac}", "dhcp_client_id:00010001aa", "fqdn:pc-7"]
    again = HoldingObservation(ADDRESS, HoldingSource.DHCP, mac, client_id="01:3c:22:fb:00:53:01")
    assert texts(read_holding_marks(again)) == [f"mac:{mac}"]
