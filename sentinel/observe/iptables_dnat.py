"""The nat table `iptables-save` or `ip6tables-save` prints in; what its DNAT rules publish out.

Source: iptables-save(8), iptables-extensions(8) of iptables 1.8; rules written by hand after them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator

from sentinel.model.plain import read_plain_address, read_plain_prefix
from sentinel.model.publication import Mapping
from sentinel.model.unit import IPAddress
from sentinel.observe.published import Found, Unread, numbered, read_ports, read_proto

_TARGET = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<four>[0-9.]+|[0-9A-Fa-f:]+?))(?::(?P<ports>\d+(?:-\d+)?))?\Z")
_COUNTERS = re.compile(r"\A\[\d+:\d+\]\s*")
_RULE = re.compile(r"-A\s")


def is_iptables_dnat(text: str) -> bool:
    """Tell whether a text is such a table."""
    return "\n*nat" in f"\n{text}" and "DNAT" in text


def parse_iptables_dnat(lines: Iterable[str], outside: IPAddress | None = None) -> Found:
    """Yield what each DNAT rule publishes; `outside` stands for the address of a rule that names none."""
    table = ""
    for number, line in numbered(lines):
        if line.startswith("*"):
            table = line[1:].strip()
        rule = _COUNTERS.sub("", line)
        if table != "nat" or not _RULE.match(rule) or "DNAT" not in rule:
            continue
        try:
            yield from _read_rule(shlex.split(rule), number, outside)
        except ValueError as error:
            told = str(error)
            yield Unread(number, told if told.islower() else "a rule that cannot be read")


def _read_rule(words: list[str], number: int, outside: IPAddress | None) -> Iterator[Mapping]:
    options = _read_options(words)
    if options.get("jump") != "DNAT":
        return
    found = _TARGET.match(options.get("to", ""))
    if found is None:
        raise ValueError("it leads to a range of addresses or to none: enter it by hand")
    inside = read_plain_address(found["six"] or found["four"])
    proto = read_proto(options.get("proto", ""))
    own, end = read_ports(found["ports"]) if found["ports"] else (0, 0)
    public = _read_public(options.get("destination", "")) or outside
    if public is None:
        raise ValueError("no public address in it: give it with --outside")
    for piece in filter(None, options.get("ports", "").split(",")) if "ports" in options else ("",):
        first, last = read_ports(piece) if piece else (0, 0)
        if own and (own, end) != (first, last) and (end > own or last > first or not first):
            raise ValueError("several ports that lead to other ones: enter them by hand")
        note = options.get("comment", "")[:60]
        yield Mapping(public, proto, first, last, inside, own, note=note, line=number)


_OPTIONS = {
    "-d": "destination",
    "--destination": "destination",
    "-p": "proto",
    "--protocol": "proto",
    "--dport": "ports",
    "--destination-port": "ports",
    "--dports": "ports",
    "--destination-ports": "ports",
    "-j": "jump",
    "--jump": "jump",
    "--to-destination": "to",
    "--comment": "comment",
}


def _read_options(words: list[str]) -> dict[str, str]:
    """Read the options that matter.

    Raises:
        ValueError: one of them is negated.
    """
    found: dict[str, str] = {}
    for place, word in enumerate(words[:-1]):
        name = _OPTIONS.get(word)
        if name is None:
            continue
        if words[place - 1] == "!" or words[place + 1] == "!":
            raise ValueError("a rule for everything but something: enter it by hand")
        found[name] = words[place + 1]
    return found


def _read_public(text: str) -> IPAddress | None:
    if not text:
        return None
    network = read_plain_prefix(text, strict=False)
    if network.prefixlen != network.max_prefixlen:
        raise ValueError("a rule for a whole prefix: enter it by hand")
    return network.network_address
