"""The process of a crowd's school: one JSON line with links, rules and backends in, a namespace that answers out.

It ends with its parent or with its standard input, and its namespace, the wire and the rules with it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Any

from sentinel.drill.crowd import wire
from sentinel.drill.crowd.commands import load_rules, run_ip
from sentinel.drill.crowd.counters import Counters
from sentinel.drill.crowd.rules import SCHOOL_SIDE
from sentinel.drill.place.namespace import die_with_parent, leave_network
from sentinel.errors import SentinelError


def say(words: dict[str, Any]) -> None:
    """Answer the parent with one line."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def hear() -> dict[str, Any]:
    """Wait for one line of the parent.

    Raises:
        SentinelError: it has closed the pipe.
    """
    line = sys.stdin.readline()
    if not line:
        raise SentinelError("practice crowd: its parent has gone")
    words: dict[str, Any] = json.loads(line)
    return words


def start_alone(words: Sequence[str] | None, name: str) -> None:
    """Tie this process to the parent named on the command line and give it an empty network namespace.

    Raises:
        NamespaceRefusedError: the kernel gives no namespace.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {name}")
    parser.add_argument("--parent", type=int, required=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    die_with_parent(parser.parse_args(words).parent)
    leave_network(as_user=False)
    wire.no_ipv6("default")


def _settle(order: dict[str, Any]) -> None:
    run_ip(order["links"])
    wire.offloads_off(SCHOOL_SIDE)
    wire.answer_for_all(SCHOOL_SIDE)
    for rules in order["rules"]:
        load_rules(rules)
    wire.forget_connections_soon()


async def _serve(order: dict[str, Any]) -> None:
    counters = Counters(IPv4Address(order["address"]), datetime.now(UTC))
    try:
        await counters.open(order["places"])
    except OSError as error:
        raise SentinelError(f"practice crowd: no backends: {error}") from error
    say({"ready": True})
    ended = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(ended), sys.stdin)
    await ended.read()


def main(words: Sequence[str] | None = None) -> int:
    """Serve a crowd until standard input ends; 0, or 1 after telling why it could not start."""
    try:
        start_alone(words, "sentinel.drill.crowd.process")
        order = hear()
        _settle(order)
        asyncio.run(_serve(order))
    except SentinelError as error:
        say({"error": str(error)})
        return 1
    except BrokenPipeError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
