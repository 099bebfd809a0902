"""A configuration of nginx in; which names and addresses it passes on to which servers out.

Source: nginx.org documentation of the modules ngx_http_core, _proxy, _upstream and ngx_stream; files written
by hand after it. `include` is not followed: give `nginx -T`, which prints all files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sentinel.errors import ParseError
from sentinel.model.plain import read_plain_address
from sentinel.model.publication import Mapping, Via
from sentinel.model.unit import IPAddress
from sentinel.observe.published import Found, Unread, is_address, read_port

MOST_DEPTH, MOST_DIRECTIVES = 20, 200_000
_PIECE = re.compile(r"""#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|[^\s{};"'#]+|\n|["']""")
_PASS = re.compile(r"(?:https?|grpcs?|uwsgi|fastcgi)://([^/$]+)", re.IGNORECASE)
_NAME = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)+", re.IGNORECASE)
_HAS_BLOCK = re.compile(r"(?m)^\s*(?:server|upstream\s+\S+)\s*\{")


def is_nginx_conf(text: str) -> bool:
    """Tell whether a text is such a configuration."""
    return bool(_HAS_BLOCK.search(text)) and "proxy_pass" in text


@dataclass(slots=True)
class _Block:
    """One directive with what stands in its braces."""

    words: list[str]
    line: int
    inside: list[_Block] = field(default_factory=list)

    def all(self, name: str) -> Iterator[_Block]:
        """Give the directives of a name in it, and in `location`, `if` and `limit_except` below."""
        for one in self.inside:
            if one.words[0] == name:
                yield one
            if one.words[0] in {"location", "if", "limit_except"}:
                yield from one.all(name)


def parse_nginx_conf(lines: Iterable[str], outside: IPAddress | None = None) -> Found:
    """Yield what each server block passes on; `outside` stands for the address of a `listen` that names none.

    Without it a block that names no address is known by its names alone.

    Raises:
        ParseError: braces do not match, or there are too many directives.
    """
    root = _read_blocks("\n".join(line.rstrip("\n") for line in lines))
    for context, via_stream in _contexts(root):
        pools = {one.words[1]: one for one in context.inside if one.words[0] == "upstream" and len(one.words) > 1}
        for server in (one for one in context.inside if one.words[0] == "server"):
            yield from _read_server(server, pools, outside, via_stream)


def _contexts(root: _Block) -> Iterator[tuple[_Block, bool]]:
    """Give the blocks servers may stand in: the file itself, `http` and `stream`."""
    yield root, False
    for one in root.inside:
        if one.words[0] in {"http", "stream"}:
            yield one, one.words[0] == "stream"


def _read_blocks(text: str) -> _Block:
    root = _Block([""], 0)
    open_blocks, line, count = [root], 1, 0
    words: list[str] = []
    for piece in _PIECE.findall(text):
        if piece == "\n":
            line += 1
        elif piece[0] == "#":
            continue
        elif piece == "{" or piece == ";":
            count += 1
            block = _Block(words or [""], line)
            open_blocks[-1].inside.append(block)
            words = []
            if piece == "{":
                open_blocks.append(block)
        elif piece == "}":
            if len(open_blocks) == 1:
                raise ParseError("a brace that closes nothing", f"line {line}")
            open_blocks.pop()
            words = []
        else:
            line += piece.count("\n")
            words.append(piece.strip("\"'"))
        if len(open_blocks) > MOST_DEPTH or count > MOST_DIRECTIVES:
            raise ParseError("too many braces or directives for a configuration", f"line {line}")
    if len(open_blocks) > 1:
        raise ParseError("a brace that is not closed", f"line {open_blocks[-1].line}")
    return root


def _read_server(server: _Block, pools: dict[str, _Block], outside: IPAddress | None, is_stream: bool) -> Found:
    ends = [end for one in server.all("listen") if (end := _read_listen(one.words[1:], outside))]
    if not ends and not is_stream:
        ends = [(outside, 80, "tcp")]
    names = [name.lower() for one in server.all("server_name") for name in one.words[1:] if _NAME.fullmatch(name)] or [
        ""
    ]
    seen: set[tuple[object, ...]] = set()
    for passing in server.all("proxy_pass"):
        targets = _read_targets(passing, pools, is_stream)
        if isinstance(targets, str):
            yield Unread(passing.line, targets)
            continue
        for public, port, proto in ends:
            for name in names:
                for inside, own, line in targets:
                    try:
                        one = Mapping(public, proto, port, port, inside, own, name, Via.PROXY, line=line)
                    except ValueError as error:
                        yield Unread(line, f"{error}: give the public address with --outside")
                        continue
                    if one.key not in seen:
                        seen.add(one.key)
                        yield one


def _read_listen(words: list[str], outside: IPAddress | None) -> tuple[IPAddress | None, int, str] | None:
    """Read `443 ssl`, `203.0.113.5:443`, `[2001:db8::1]:443`, `*:80`, `53 udp`; None for a socket file."""
    if not words or words[0].startswith("unix:"):
        return None
    text, proto = words[0], "udp" if "udp" in words[1:] else "tcp"
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, port = (text, "80") if is_address(text.strip("[]")) else ("", text)
    host = host.strip("[]")
    try:
        number = read_port(port)
    except ValueError:
        return None
    named = read_plain_address(host) if is_address(host) else None
    return (outside if named is None or named.is_unspecified else named), number, proto


def _read_targets(passing: _Block, pools: dict[str, _Block], is_stream: bool) -> list[tuple[IPAddress, int, int]] | str:
    """Give address, port and line of each server a `proxy_pass` leads to, or why there is none."""
    text = passing.words[1] if len(passing.words) > 1 else ""
    found = _PASS.match(text)
    place = found[1] if found else text if is_stream else ""
    usual = 443 if text.lower().startswith("https") else 80
    if place in pools:
        read = [
            (end, one.line)
            for one in pools[place].inside
            if one.words[0] == "server" and len(one.words) > 1 and "down" not in one.words
            for end in (_read_end(one.words[1], usual),)
        ]
    else:
        read = [(_read_end(place, usual), passing.line)]
    targets = [(end[0], end[1], line) for end, line in read if end]
    return targets or "it leads to a name or a variable: enter it by hand"


def _read_end(text: str, usual: int) -> tuple[IPAddress, int] | None:
    host, colon, port = text.rpartition(":")
    if not colon or is_address(text.strip("[]")):
        host, port = text, str(usual)
    try:
        address = read_plain_address(host.strip("[]"))
        return None if address.is_loopback else (address, read_port(port))
    except ValueError:
        return None
