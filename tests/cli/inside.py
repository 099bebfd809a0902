"""Refused scans inside a network namespace: prints what each said and every packet that left, as one JSON line."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from sentinel.collect.gate import parse_target
from sentinel.config import load_settings
from sentinel.model.register import KeepOut
from sentinel.model.scope import Authorisation, Level
from sentinel.model.unit import Unit
from sentinel.schedule.context import open_context
from sentinel.store.declared import write_keep_out
from sentinel.store.scopes import withdraw_authorisation, write_authorisation
from sentinel.store.units import write_unit
from tests.cli.command import UNIT, Sentinel
from tests.collect.wire import capture, raise_loopback

PORTS = ("--ports", "2222")

REASONS = {
    "127.78.4.1": "unauthorised",
    "127.78.3.200": "unauthorised",
    "127.78.3.0/24": "unauthorised",
    "127.78.10.1": "unauthorised",
    "127.78.5.1": "loopback",
    "127.78.6.1": "expired",
    "127.78.7.1": "not_yet",
    "127.78.8.1": "withdrawn",
    "127.78.9.1": "level",
    "127.78.3.9": "excluded",
    "127.78.11.7": "kept_out",
    "127.78.11.0/29": "kept_out",
    "127.78.12.1": "kept_out",
    "224.0.0.1": "forbidden",
    "255.255.255.255": "forbidden",
    "0.0.0.0": "forbidden",
    "-oX": "malformed",
    "--script=http-title": "malformed",
    "127.78.3.1 -iL /etc/passwd": "malformed",
    "127.78.3.1\n127.78.4.1": "malformed",
    "127.78.3.1;id": "malformed",
    "127.78.3.1-5": "malformed",
}
"""Targets that must get no packet, and why."""

SCANS = {
    "all kinds": ["--", *REASONS],
    "too fast": ["127.78.3.1", "--rate", "5001"],
    "only a plan": ["127.78.4.1", "--plan"],
}


def prepare(home: Path) -> Sentinel:
    """Make a home with authorisations of every kind that does not help."""
    sentinel = Sentinel(home)
    sentinel.run("init", "--unit", UNIT)
    now = datetime.now(UTC)
    with (
        open_context(home, load_settings(home)) as context,
        context.database.transaction("test", now, objects=True) as transaction,
    ):
        write_unit(transaction, Unit("other", "另一所"))
        write_authorisation(transaction, allow("127.78.3.0/25", excluded=(parse_target("127.78.3.9"),)))
        write_authorisation(transaction, allow("127.78.5.0/24", allow_loopback=False))
        write_authorisation(transaction, allow("127.78.6.0/24", valid_to=now - timedelta(days=1)))
        write_authorisation(transaction, allow("127.78.7.0/24", valid_from=now + timedelta(days=1)))
        stored = write_authorisation(transaction, allow("127.78.8.0/24"))
        withdraw_authorisation(transaction, stored.id, "测试")
        write_authorisation(transaction, allow("127.78.9.0/24", level=Level.PASSIVE))
        write_authorisation(transaction, allow("127.78.10.0/24", unit="other"))
        write_authorisation(transaction, allow("127.78.11.0/24", level=Level.CHECK))
        write_keep_out(transaction, KeepOut(0, UNIT, (ip_network("127.78.11.0/29"), ip_network("127.78.12.0/24")), "x"))
        write_keep_out(transaction, KeepOut(0, UNIT, (ip_network("127.78.3.65/32"),), "x"))
    return sentinel


def allow(target: str, **changes: Any) -> Authorisation:
    """Authorise a loopback prefix for some days, as fast as 5000 a second."""
    now = datetime.now(UTC)
    allowed = Authorisation(
        id=0,
        unit=UNIT,
        targets=(parse_target(target),),
        by="信息中心",
        document="演练授权",
        valid_from=now - timedelta(days=9),
        valid_to=now + timedelta(days=9),
        level=Level.SERVICE,
        allow_loopback=True,
        rate_pps=5000,
    )
    return replace(allowed, **changes)


def main() -> None:
    """Run every refused scan, then one that is allowed in part, so that silence is known to mean something."""
    raise_loopback()
    answer: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        sentinel = prepare(Path(folder) / "home")
        with capture() as packets:
            for name, words in SCANS.items():
                done = sentinel.run("scan", "--json", *PORTS, *words, expect=5)
                answer[name] = {
                    "events": [[row["target"], row["reason"]] for row in done.rows if row.get("event") == "refused"],
                    "summary": done.rows[-1]["summary"],
                    "complaint": done.complaint,
                }
            sentinel.run("scan", "127.78.3.1", *PORTS, "--plan")
            silence = len(packets)
            partly = sentinel.run("scan", "127.78.3.0/30", "127.78.4.1", *PORTS, "--json", "--no-check", expect=3)
            around = sentinel.run("scan", "127.78.3.64/30", *PORTS, "--json", "--no-check", expect=3)
        answer["around"] = around.rows[-1]["summary"]
        answer["packets while refused"] = silence
        answer["partly"] = partly.rows[-1]["summary"]
        answer["asked"] = sorted({packet.destination for packet in packets if packet.port == 2222})
        answer["touched elsewhere"] = sorted(
            {packet.destination for packet in packets if packet.destination.startswith("127.78.4.")}
        )
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
