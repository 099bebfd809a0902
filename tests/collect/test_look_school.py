"""The servers of the practice school looked at: what is planted there and can be proven is found, and nothing else."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import threading
from contextlib import suppress
from typing import Any

import pytest

from sentinel.assess.pack import load_pack
from sentinel.collect import dialer
from sentinel.collect.login_products import product_of
from sentinel.collect.look import ProbeTarget
from sentinel.collect.probe_login import ASKERS
from sentinel.collect.probing import probe
from sentinel.drill.school.plan import plan_school
from sentinel.drill.servers.conversation import Conversation, HangupError, Service
from sentinel.drill.servers.datagram import DatagramService, answers_to
from sentinel.model.probe import ProbeKind, ProbeObservation
from sentinel.model.rule import Category
from sentinel.model.scope import Level
from tests.collect.allow import permit_for, utc_now
from tests.collect.peers import ROOT
from tests.collect.test_probing import HERE, serving
from tests.drill.school.lots import NAMESPACE

SCHOOL = plan_school(NAMESPACE)
PLANTED = {(host.role, one.proto, one.port): one for host in SCHOOL.before for one in host.services}
PACK = [one for one in load_pack([ROOT / "rules"]).compiled if one.rule.category is Category.SERVICE]
MAIL = {"smtp", "pop3", "imap"}

FOUND: dict[tuple[str, int], set[str]] = {
    ("lab", 1883): {"exposure.mqtt", "exposure.mqtt-no-login"},
    ("platform", 27017): {"exposure.mongodb-no-auth"},
    ("platform", 9200): {"exposure.elasticsearch-no-auth"},
    ("directory", 5984): {"exposure.couchdb-no-login"},
    ("store", 873): {"exposure.rsync", "exposure.rsync-list"},
    ("cache", 6379): {"exposure.redis-no-auth"},
    ("cache", 6380): {"exposure.redis"},
    ("cache", 11211): {"exposure.memcached-no-auth"},
    ("middleware", 2181): {"exposure.zookeeper"},
    ("console", 8888): {"exposure.jupyter-no-auth"},
    ("office", 5900): {"exposure.vnc"},
    ("workstation", 6002): {"exposure.x11-open"},
    ("container", 2375): {"exposure.docker-api"},
    ("relay", 25): {"mail.relay-inside", "mail.no-starttls"},
    ("mail", 25): {"mail.no-starttls"},
    ("mail", 110): {"mail.plain-login", "mail.no-starttls"},
    ("mail", 143): {"mail.plain-login", "mail.no-starttls"},
    ("legacy", 22): {
        "exposure.eol-openssh",
        "ssh.weak-kex",
        "ssh.kex-sha1",
        "ssh.weak-host-key",
        "ssh.host-key-sha1",
        "ssh.weak-cipher",
        "ssh.cipher-cbc",
        "ssh.weak-mac",
    },
}
"""What the looks alone prove, without the version a scan knows; all other ports that are asked: nothing."""

UNKNOWN = {("console", 5601)}
"""A Kibana too old for the request it is asked: that proves nothing."""


class Wire:
    """The stream of a practice server over a socket."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    async def read(self) -> bytes:
        return self._line.recv(4096)

    async def write(self, data: bytes) -> None:
        self._line.sendall(data)


def hold(service: Service, line: socket.socket) -> None:
    async def talk() -> None:
        conversation = Conversation(Wire(line))
        with suppress(HangupError):
            await service.talk(conversation)
        await conversation.flush()

    line.settimeout(20)
    asyncio.run(talk())


def kind_of(service: Service) -> tuple[ProbeKind, str] | None:
    """What such a port is asked by the planner, and as what."""
    seen = service.seen
    if seen.service == "ssh":
        return ProbeKind.SSH, "ssh"
    if seen.service in MAIL:
        return ProbeKind.MAIL, seen.service
    product = product_of(seen.service, seen.product, service.port, guessed=not seen.service)
    return (ProbeKind.LOGIN, product) if product in ASKERS and product != "nfs" and not service.certificate else None


def fired(service: Service | DatagramService, found: ProbeObservation) -> set[str]:
    seen = service.seen
    fields: dict[str, Any] = {
        "port": service.port,
        "proto": service.proto,
        "service": seen.service,
        "guessed": False,
        "product": seen.product,
        "internet": False,
        "whitelist": "none",
        **dict(found.values),
    }
    return {
        one.rule.name for one in PACK if one.part.holds({name: value for name, value in fields.items() if value != ""})
    }


ASKED = [key for key, one in PLANTED.items() if isinstance(one, Service) and kind_of(one)]


def look(key) -> ProbeObservation:
    service = PLANTED[key]
    kind, product = kind_of(service)
    found: list[ProbeObservation] = []
    with serving(lambda line: hold(service, line)) as port:
        target = ProbeTarget(kind, HERE, "tcp", port, service=product)
        probe(permit_for(str(HERE), level=Level.CHECK), [target], found.append, now=utc_now)
    return found[0]


@pytest.mark.parametrize("key", ASKED, ids=lambda key: f"{key[0]}-{key[2]}")
def test_server_of_the_school_when_looked_at_then_just_what_is_planted_is_found(key) -> None:
    role, _, port = key
    found = look(key)
    if (role, port) in UNKNOWN:
        assert not found.answered
        return
    assert found.answered, found.reason
    assert fired(PLANTED[key], found) == FOUND.get((role, port), set())


def test_servers_of_the_school_when_counted_then_all_that_is_expected_was_asked() -> None:
    asked = {(role, port) for role, _, port in ASKED}
    assert set(FOUND) | UNKNOWN <= asked
    assert len(asked - set(FOUND) - UNKNOWN) >= 6


@pytest.mark.parametrize(("role", "wanted"), [("printer", True), ("switch", True), ("old-switch", False)])
def test_agent_of_the_school_when_public_is_tried_then_just_the_planted_one_answers(role, wanted, monkeypatch) -> None:
    service = PLANTED[role, "udp", 161]
    monkeypatch.setattr(dialer, "ANSWER_S", 0.5)
    found: list[ProbeObservation] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, line = self.request
            for answer in answers_to(service, data):
                line.sendto(answer, self.client_address)

    with socketserver.UDPServer((str(HERE), 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        target = ProbeTarget(ProbeKind.SNMP, HERE, "udp", server.server_address[1], service="snmp")
        probe(permit_for(str(HERE), level=Level.CHECK), [target], found.append, now=utc_now)
        server.shutdown()
    assert found[0].answered, found[0].reason
    assert dict(found[0].values)["snmp_public"] is wanted
    assert fired(service, found[0]) == ({"exposure.snmp-public"} if wanted else set())
