"""`probe` from the shell: a Redis and a mail server in, findings and their proof out; nothing is sent unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Sentinel
from tests.cli.written import host, nmap, service
from tests.collect.agreeable import OPEN, SHUT, Ear
from tests.collect.test_mail_look import OPEN_RELAY, talks
from tests.collect.test_probing import HERE, serving


def prepare(sentinel: Sentinel, folder: Path, level: str, **ports: int) -> None:
    """Let a map know ports by the names of their services, and authorise looks at them."""
    told = [
        service(port, name, product="Redis key-value store" if name == "redis" else "") for name, port in ports.items()
    ]
    path = folder / "scan.xml"
    asked = ",".join(str(port) for port in ports.values())
    path.write_text(nmap(host(str(HERE), *told), asked=asked, target=str(HERE)), "utf-8")
    sentinel.run("import", path)
    sentinel.authorise(f"{HERE}/32", level=level)


def rules(sentinel: Sentinel) -> set[str]:
    """Rules of services with an open finding."""
    rows = [row for row in sentinel.rows("finding", "list") if row["state"] == "open"]
    return {row["rule"] for row in rows if row["rule"].startswith(("exposure.", "mail."))}


def test_probe_when_redis_wants_no_login_then_the_finding_says_so_until_it_does(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    peer = {"talk": OPEN["redis"]}
    with serving(lambda line: peer["talk"](Ear(line, []))) as port:
        prepare(sentinel, tmp_path, "check", redis=port)
        assert rules(sentinel) == {"exposure.redis"}
        look, last = sentinel.rows("probe", "--kind", "login")
        assert (look["event"], look["values"]["no_login"]) == ("look", True)
        assert last["summary"]["answered"] == 1
        assert rules(sentinel) == {"exposure.redis-no-auth"}
        peer["talk"] = SHUT["redis"]
        assert sentinel.rows("probe", "--kind", "login")[0]["values"]["no_login"] is False
    assert rules(sentinel) == {"exposure.redis"}


@pytest.mark.parametrize(("level", "found"), [("service", False), ("check", True)])
def test_probe_when_a_mail_server_relays_then_that_is_found_only_with_leave_to_check(
    level: str, found: bool, sentinel: Sentinel, tmp_path: Path
) -> None:
    with serving(lambda line: talks(OPEN_RELAY)(Ear(line, []))) as port:
        prepare(sentinel, tmp_path, level, smtp=port)
        rows = sentinel.rows("probe", "--kind", "mail")
    assert ("mail_open_relay" in rows[0]["values"]) is found
    assert ("mail.relay-inside" in rules(sentinel)) is found
    assert "mail.plain-login" in rules(sentinel)


def test_probe_when_the_public_read_is_not_allowed_then_it_says_how_to_allow_it(untouched: Sentinel) -> None:
    assert "probe_snmp_public = true" in untouched.run("probe", "--kind", "snmp", expect=2).complaint
    assert untouched.rows("probe", "--plan")[0]["summary"]["planned"] == 0


def test_plan_when_asked_for_then_it_names_what_would_be_looked_at_and_sends_nothing(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    met: list[int] = []
    with serving(lambda line: met.append(1)) as port:
        prepare(sentinel, tmp_path, "check", redis=port)
        planned, last = sentinel.rows("probe", "--plan")
        text = sentinel.run("probe", "--plan").out
    assert planned == {
        "event": "planned", "kind": "login", "address": str(HERE), "port": port, "name": None, "level": "check"
    }  # fmt: skip
    assert last["summary"]["planned"] == 1
    assert text.splitlines()[0] == f"{HERE}:{port}/tcp  免登录访问"
    assert "未发送任何报文" in text
    assert met == []
