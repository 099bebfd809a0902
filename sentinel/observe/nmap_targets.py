"""nmap's command line and the addresses it listed in, the addresses that were asked and stayed silent out."""

from __future__ import annotations

import shlex
from array import array
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import pairwise, product

from sentinel.model.plain import plain_prefix
from sentinel.model.unit import IPAddress

MAX_ADDRESSES = 2**20
"""Above this many addresses asked, nothing is said about silent ones."""

MAX_RANGES = 2**16
"""Ranges the targets may fall into; `*.*.*.1` would be sixteen million."""

MAX_COMMAND = 64 * 1024
"""Characters of a command line that is looked at; a longer one tells nothing."""

Range = tuple[int, int, int]
"""Version, first and last address as integers."""

# Source: nmap 7.93, nmap.cc, parse_options. getopt_long_only takes long options with one dash or two.
_VALUE_LONG = frozenset((
    "data", "data-length", "data-string", "datadir", "dns-servers", "exclude-ports", "host-timeout",
    "initial-rtt-timeout", "ip-options", "max-hostgroup", "max-os-tries", "max-parallelism", "max-rate", "max-retries",
    "max-rtt-timeout", "max-scan-delay", "min-hostgroup", "min-parallelism", "min-rate", "min-rtt-timeout", "mtu",
    "nsock-engine", "oA", "oG", "oH", "oJ", "oM", "oN", "oS", "oX", "port-ratio", "proxies", "proxy", "route-dst",
    "scan-delay", "scanflags", "script", "script-args", "script-args-file", "script-timeout", "servicedb", "sI",
    "source-port", "spoof-mac", "stats-every", "stylesheet", "top-ports", "ttl", "version-intensity", "versiondb",
))  # fmt: skip
_FLAG_LONG = frozenset((
    "adler32", "allports", "append-output", "badsum", "defeat-icmp-ratelimit", "defeat-rst-ratelimit",
    "deprecated-xml-osclass", "disable-arp-ping", "discovery-ignore-rst", "ff", "fuzzy", "log-errors", "no-stylesheet",
    "nogcc", "noninteractive", "osscan-guess", "osscan-limit", "packet-trace", "privileged", "randomize-hosts",
    "reason", "release-memory", "resolve-all", "script-trace", "script-updatedb", "send-eth", "send-ip", "system-dns",
    "traceroute", "unique", "unprivileged", "version-all", "version-light", "version-trace", "vv", "vvv", "webxml",
))  # fmt: skip
_VALUE_SHORT = frozenset("bDegimMopST")
_ATTACHED_SHORT = frozenset("dOPsv")
_FLAG_SHORT = frozenset("46AFfnqrRV")
# Targets that come from elsewhere, and runs that leave out or never look at hosts: nothing follows from silence.
_OPAQUE = frozenset({"iL", "iR", "excludefile", "exclude-file", "resume", "open", "sL", "iflist", "script-help", "h"})


class SilentAddresses:
    """The addresses a command line asked for, less those the run listed."""

    __slots__ = ("_asked", "_listed4", "_listed6")

    def __init__(self, arguments: str) -> None:
        self._asked = read_targets(arguments)
        self._listed4 = array("L")
        self._listed6: list[int] = []

    def add(self, addresses: tuple[IPAddress, ...]) -> None:
        """Take note of the addresses of one listed host."""
        if self._asked:
            for address in addresses:
                (self._listed4 if address.version == 4 else self._listed6).append(int(address))

    def ranges(self, total: str) -> tuple[tuple[IPAddress, IPAddress], ...]:
        """Give the silent addresses as inclusive ranges; none unless the run's total is what the command line asks."""
        if not self._asked or total != str(sum(high - low + 1 for _, low, high in self._asked)):
            return ()
        listed = {4: sorted(set(self._listed4)), 6: sorted(set(self._listed6))}
        return tuple(_gaps(self._asked, listed))


def read_targets(arguments: str) -> tuple[Range, ...] | None:
    """Read the targets of nmap's command line, less its exclusions, as sorted disjoint ranges.

    None when a target is a name or comes from a file, when an option is unknown, when hosts may be left out of the
    output (`--open`) or are not looked at (`-sL`), or when there are more than `MAX_ADDRESSES`.
    """
    if len(arguments) > MAX_COMMAND:
        return None
    try:
        words = shlex.split(arguments)
        targets, excluded = _split_words(words[1:])
        return _subtract(_merge(_expand_all(targets)), _merge(_expand_all(excluded)))
    except ValueError:
        return None


def _split_words(words: list[str]) -> tuple[list[str], list[str]]:
    """Part targets from options; give the targets and what `--exclude` takes away.

    Raises:
        ValueError: an option is unknown or makes the targets unknowable.
    """
    targets: list[str] = []
    excluded: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            targets.extend(rest)
        elif not word.startswith("-") or word == "-":
            targets.append(word)
        elif (name := word.lstrip("-").partition("=")[0].replace("_", "-")) == "exclude":
            value = word.partition("=")[2] if "=" in word else next(rest, "")
            excluded.extend(piece for piece in value.split(",") if piece)
        elif name in _OPAQUE:
            raise ValueError(f"targets unknown with {word}")
        elif name in _VALUE_LONG:
            if "=" not in word:
                next(rest, "")
        elif name not in _FLAG_LONG:
            _skip_short(word, rest)
    return targets, excluded


def _skip_short(word: str, rest: Iterator[str]) -> None:
    """Step over a word of short options, and over the value that follows it.

    Raises:
        ValueError: a letter is no option, or names targets in a file.
    """
    letters = word[1:]
    if word.startswith("--") or letters.startswith(("iL", "iR", "sL")):
        raise ValueError(f"option {word} is not known")
    for place, letter in enumerate(letters):
        if letter in _ATTACHED_SHORT:
            return
        if letter in _VALUE_SHORT:
            if place == len(letters) - 1:
                next(rest, "")
            return
        if letter not in _FLAG_SHORT:
            raise ValueError(f"option {word} is not known")


def _expand_all(targets: list[str]) -> list[Range]:
    ranges: list[Range] = []
    count = 0
    for target in targets:
        for version, low, high in _expand(target):
            ranges.append((version, low, high))
            count += high - low + 1
            if count > MAX_ADDRESSES or len(ranges) > MAX_RANGES:
                raise ValueError("too many addresses")
    return ranges


def _expand(target: str) -> Iterator[Range]:
    """Read an address, a prefix, or nmap's octet ranges such as `10.0.0-3.1,5-9`.

    Raises:
        ValueError: it is something else, a host name for instance.
    """
    if ":" in target:
        prefix6 = plain_prefix(IPv6Network(target, strict=False))
        yield prefix6.version, int(prefix6.network_address), int(prefix6.broadcast_address)
        return
    text, slash, length = target.partition("/")
    if slash:
        prefix4 = IPv4Network((text, int(length)), strict=False)
        yield 4, int(prefix4.network_address), int(prefix4.broadcast_address)
        return
    octets = [_read_octet(piece) for piece in text.split(".")]
    if len(octets) != 4:
        raise ValueError(f"no address: {target!r}")
    for first, second, third in product(*([*_numbers(octet)] for octet in octets[:3])):
        base = first << 24 | second << 16 | third << 8
        for low, high in octets[3]:
            yield 4, base | low, base | high


def _read_octet(text: str) -> list[tuple[int, int]]:
    """Read `*`, `7`, `1-9`, `-9`, `200-`, and lists of them.

    Raises:
        ValueError: it is none of these.
    """
    if text == "*":
        return [(0, 255)]
    ranges: list[tuple[int, int]] = []
    for piece in text.split(","):
        low, dash, high = piece.partition("-")
        first, last = int(low or "0" if dash else low), int((high or "255") if dash else low)
        if not 0 <= first <= last <= 255:
            raise ValueError(f"no octet: {text!r}")
        ranges.append((first, last))
    return ranges


def _numbers(ranges: list[tuple[int, int]]) -> Iterator[int]:
    for low, high in ranges:
        yield from range(low, high + 1)


def _merge(ranges: list[Range]) -> list[Range]:
    merged: list[Range] = []
    for version, low, high in sorted(ranges):
        if merged and merged[-1][0] == version and low <= merged[-1][2] + 1:
            merged[-1] = (version, merged[-1][1], max(high, merged[-1][2]))
        else:
            merged.append((version, low, high))
    return merged


def _subtract(ranges: list[Range], excluded: list[Range]) -> tuple[Range, ...]:
    """Take sorted disjoint ranges from sorted disjoint ranges."""
    left: list[Range] = []
    for version, low, high in ranges:
        start = low
        for other, first, last in excluded:
            if other == version and first <= high and last >= start:
                if first > start:
                    left.append((version, start, first - 1))
                start = last + 1
        if start <= high:
            left.append((version, start, high))
    return tuple(left)


def _gaps(asked: tuple[Range, ...], listed: dict[int, list[int]]) -> Iterator[tuple[IPAddress, IPAddress]]:
    """Give what of the ranges is not listed."""
    for version, low, high in asked:
        known = [address for address in listed[version] if low <= address <= high]
        for before, after in pairwise([low - 1, *known, high + 1]):
            if after - before > 1:
                first, last = before + 1, after - 1
                yield (
                    (IPv4Address(first), IPv4Address(last)) if version == 4 else (IPv6Address(first), IPv6Address(last))
                )
