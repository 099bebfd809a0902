"""Values in, lines of JSON, HTTP messages and WebSocket frames on a connection out; and back."""

from __future__ import annotations

import asyncio
import json
import os
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import Callable, Mapping
from itertools import cycle

PAUSE_S = 0.03
Json = dict[str, object]
Answers = Mapping[str, tuple[Json, ...]]

_KEY, _ACCEPT = "ZXhlcmNpc2Utb25seS0wMQ==", "m9MFApsb5bu4zAnDo7KX5U6Ep6E="
"""Always the same key, so that the answer to it (RFC 6455 section 4.2.2) need not be computed."""

_TEXT, _MASKED = 0x81, 0x80
_SHORT, _SIZE_FOLLOWS = 125, 126


async def send(writer: StreamWriter, data: bytes) -> None:
    """Send bytes, and pause so that they travel in packets of their own."""
    writer.write(data)
    await writer.drain()
    await asyncio.sleep(PAUSE_S)


async def send_json(writer: StreamWriter, value: Json) -> None:
    """Send one line of JSON."""
    await send(writer, json.dumps(value).encode() + b"\n")


async def read_line(reader: StreamReader) -> bytes:
    """Read one line.

    Raises:
        ConnectionResetError: the other side hung up.
    """
    line = await reader.readline()
    if not line:
        raise ConnectionResetError("the other side hung up within the conversation")
    return line


async def read_exactly(reader: StreamReader, size_bytes: int) -> bytes:
    """Read exactly so many bytes.

    Raises:
        ConnectionResetError: the other side hung up before.
    """
    try:
        return await reader.readexactly(size_bytes)
    except IncompleteReadError as error:
        raise ConnectionResetError("the other side hung up within the conversation") from error


async def ask_json(reader: StreamReader, writer: StreamWriter, *requests: tuple[Json, int]) -> None:
    """Send each request as a line and wait for the number of lines that stands beside it.

    Raises:
        ConnectionResetError: the other side hung up.
    """
    for request, lines in requests:
        await send_json(writer, request)
        for _ in range(lines):
            await read_line(reader)


async def serve_json(reader: StreamReader, writer: StreamWriter, answers: Answers) -> None:
    """Answer each line by its method until the client hangs up; results take over its id, calls go as they are."""
    while line := await reader.readline():
        request = json.loads(line)
        for answer in answers[request["method"]]:
            await send_json(writer, {"id": request["id"], **answer} if "result" in answer else answer)


async def serve_lines(reader: StreamReader, writer: StreamWriter, answer: Callable[[bytes], bytes]) -> None:
    """Answer each line, without its end, until the client hangs up; an empty answer is not sent."""
    while line := await reader.readline():
        if said := answer(line.rstrip(b"\r\n")):
            await send(writer, said)


async def ask_lines(reader: StreamReader, writer: StreamWriter, *requests: tuple[bytes, int]) -> None:
    """Send each line and wait for the number of lines that stands beside it.

    Raises:
        ConnectionResetError: the other side hung up.
    """
    for request, lines in requests:
        await send(writer, request + b"\r\n")
        for _ in range(lines):
            await read_line(reader)


async def read_http(reader: StreamReader) -> bytes:
    """Read one HTTP message; gives its body, empty without a Content-Length.

    Raises:
        ConnectionResetError: the other side hung up.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except IncompleteReadError as error:
        raise ConnectionResetError("the other side hung up within the conversation") from error
    lines = head.decode("latin-1").lower().split("\r\n")
    length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)
    return await read_exactly(reader, length)


async def send_http(writer: StreamWriter, start: str, headers: Mapping[str, str], body: bytes = b"") -> None:
    """Send one HTTP message."""
    lines = [start, *(f"{name}: {value}" for name, value in headers.items()), f"Content-Length: {len(body)}", "", ""]
    await send(writer, "\r\n".join(lines).encode("latin-1") + body)


async def open_websocket(reader: StreamReader, writer: StreamWriter, host: str, path: str) -> None:
    """Ask for a WebSocket. Source: RFC 6455 section 4.1.

    Raises:
        ConnectionResetError: the other side hung up.
    """
    headers = {
        "Host": host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": _KEY,
        "Sec-WebSocket-Version": "13",
    }
    await send_http(writer, f"GET {path} HTTP/1.1", headers)
    await read_http(reader)


async def accept_websocket(reader: StreamReader, writer: StreamWriter) -> None:
    """Grant a WebSocket; the accept value answers the one key `open_websocket` sends.

    Raises:
        ConnectionResetError: the other side hung up.
    """
    await read_http(reader)
    lines = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
    await send(writer, "\r\n".join((*lines, f"Sec-WebSocket-Accept: {_ACCEPT}", "", "")).encode("ascii"))


async def send_frame(writer: StreamWriter, value: Json, *, masked: bool) -> None:
    """Send JSON as one text frame, masked as a client must. Source: RFC 6455 section 5.2."""
    content = json.dumps(value).encode()
    flag = _MASKED if masked else 0
    length = len(content)
    size = bytes([flag | _SIZE_FOLLOWS]) + length.to_bytes(2, "big") if length > _SHORT else bytes([flag | length])
    if masked:
        mask = os.urandom(4)
        content = mask + bytes(a ^ b for a, b in zip(content, cycle(mask), strict=False))
    await send(writer, bytes([_TEXT]) + size + content)


async def read_frame(reader: StreamReader) -> bytes:
    """Read one frame and give its content, unmasked.

    Raises:
        ConnectionResetError: the other side hung up.
    """
    _, second = await read_exactly(reader, 2)
    length = second & ~_MASKED
    if length == _SIZE_FOLLOWS:
        length = int.from_bytes(await read_exactly(reader, 2), "big")
    mask = await read_exactly(reader, 4) if second & _MASKED else b"\0"
    return bytes(a ^ b for a, b in zip(await read_exactly(reader, length), cycle(mask), strict=False))
