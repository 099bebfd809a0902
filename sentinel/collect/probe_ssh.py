"""Look at an SSH server as far as it shows itself before anybody logs in: version and algorithms.

Source: RFC 4253 sections 4.2 and 7.1.
"""

from __future__ import annotations

import re
import struct

from sentinel.collect.dialer import Dialer, Line, NoAnswerError
from sentinel.collect.look import Prober, ProbeTarget
from sentinel.model.scope import Level

_BANNER = re.compile(rb"SSH-(\d+\.\d+)-([\x20-\x7e]{0,200})\r?$", re.MULTILINE)
_MAX_GREETING = 16 * 1024
_MAX_PACKET = 64 * 1024
_KEXINIT = 20
_LISTS = ("ssh_kex", "ssh_host_keys", "ssh_ciphers", None, "ssh_macs", None, "ssh_compression", None, None, None)
"""Fields of the ten name lists of a KEXINIT; of both directions the one towards the server is kept."""


async def look_at_ssh(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
    """Read the greeting and the offer of algorithms; nothing but the own greeting is sent.

    Raises:
        NoAnswerError: it is no SSH server, or it says too little.
    """
    async with dialer.open(target.address, target.port, Level.SERVICE) as line:
        version, software, rest = await _read_greeting(line)
        values: dict[str, object] = {"ssh_protocol": version, "ssh_software": software}
        if version in {"2.0", "1.99"}:
            await line.send(b"SSH-2.0-sentinel\r\n")
            values |= _read_offer(await _read_packet(line, rest))
        return values


async def _read_greeting(line: Line) -> tuple[str, str, bytes]:
    """Read lines up to the one that names the version; a server may say others before."""
    data = b""
    while len(data) < _MAX_GREETING:
        more = await line.read(4096)
        data += more
        found = _BANNER.search(data)
        if found and b"\n" in data[found.start() :]:
            end = data.index(b"\n", found.start()) + 1
            return found[1].decode(), found[2].decode("ascii", "replace").strip(), data[end:]
        if not more:
            break
    raise NoAnswerError("it does not greet as an ssh server does")


async def _read_packet(line: Line, data: bytes) -> bytes:
    while len(data) < 5:
        data += await line.read_exactly(5 - len(data))
    length, padding = struct.unpack(">IB", data[:5])
    if not 12 <= length <= _MAX_PACKET or padding >= length:
        raise NoAnswerError("its first packet has no possible length")
    if len(data) < length + 4:
        data += await line.read_exactly(length + 4 - len(data))
    return data[5 : 4 + length - padding]


def _read_offer(payload: bytes) -> dict[str, object]:
    """Read a KEXINIT."""
    if len(payload) < 17 or payload[0] != _KEXINIT:
        raise NoAnswerError("its first packet offers no algorithms")
    values: dict[str, object] = {}
    place = 17
    for field in _LISTS:
        if place + 4 > len(payload):
            raise NoAnswerError("its offer of algorithms is cut off")
        (length,) = struct.unpack_from(">I", payload, place)
        text = payload[place + 4 : place + 4 + length]
        if len(text) < length:
            raise NoAnswerError("its offer of algorithms is cut off")
        place += 4 + length
        if field:
            names = [one for one in text.decode("ascii", "replace").split(",") if one]
            values[field] = [one[:80] for one in names]
    return values


SSH = Prober(Level.SERVICE, look_at_ssh)
