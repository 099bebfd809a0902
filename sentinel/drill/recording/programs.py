"""Ordinary conversations of programs that talk line by line or in messages of their own."""

from __future__ import annotations

import json
from asyncio import StreamReader, StreamWriter

from sentinel.drill.recording.script import Script
from sentinel.drill.recording.wire import (
    Json,
    ask_json,
    ask_lines,
    read_exactly,
    read_http,
    read_line,
    send,
    serve_json,
    serve_lines,
)

_MAIL = (b"EHLO pc.example", b"MAIL FROM:<a@example>", b"RCPT TO:<b@mail.example>", b"DATA")
_LETTER = b"Subject: exercise\r\n\r\nNobody reads this.\r\n."

_MQTT_CONNECT = bytes.fromhex("10130004") + b"MQTT" + bytes.fromhex("0402003c0007") + b"sensor1"
_MQTT_CONNACK = bytes.fromhex("20020000")
_MQTT_PUBLISH = bytes.fromhex("3011000a") + b"room/1/tmp" + b"21.50"
_MQTT_PING, _MQTT_PONG = bytes.fromhex("c000"), bytes.fromhex("d000")

_XMPP_OPEN = (
    b"<stream:stream xmlns='jabber:%s' xmlns:stream='http://etherx.jabber.org/streams' %s='im.example' version='1.0'>"
)


async def _serve_mail(reader: StreamReader, writer: StreamWriter) -> None:
    answers = {b"DATA": b"354 end with a point\r\n", b"QUIT": b"221 bye\r\n", b".": b"250 taken\r\n"}
    is_letter = False

    def answer(line: bytes) -> bytes:
        nonlocal is_letter
        if is_letter and line != b".":
            return b""
        is_letter = line == b"DATA"
        return answers.get(line, b"250 ok\r\n")

    await send(writer, b"220 mail.example ESMTP\r\n")
    await serve_lines(reader, writer, answer)


async def _send_mail(reader: StreamReader, writer: StreamWriter) -> None:
    await read_line(reader)
    await ask_lines(reader, writer, *((line, 1) for line in (*_MAIL, _LETTER, b"QUIT")))


async def _serve_mqtt(reader: StreamReader, writer: StreamWriter) -> None:
    await read_exactly(reader, len(_MQTT_CONNECT))
    await send(writer, _MQTT_CONNACK)
    for _ in range(3):
        await read_exactly(reader, len(_MQTT_PUBLISH) + len(_MQTT_PING))
        await send(writer, _MQTT_PONG)


async def _publish(reader: StreamReader, writer: StreamWriter) -> None:
    await send(writer, _MQTT_CONNECT)
    await read_exactly(reader, len(_MQTT_CONNACK))
    for _ in range(3):
        await send(writer, _MQTT_PUBLISH)
        await send(writer, _MQTT_PING)
        await read_exactly(reader, len(_MQTT_PONG))


async def _serve_electrum(reader: StreamReader, writer: StreamWriter) -> None:
    answers: dict[str, tuple[Json, ...]] = {
        "server.version": ({"jsonrpc": "2.0", "result": ["Exercise 1.0", "1.4"]},),
        "blockchain.headers.subscribe": ({"jsonrpc": "2.0", "result": {"height": 1, "hex": "00" * 80}},),
        "blockchain.scripthash.get_balance": ({"jsonrpc": "2.0", "result": {"confirmed": 0, "unconfirmed": 0}},),
    }
    await serve_json(reader, writer, answers)


async def _use_wallet(reader: StreamReader, writer: StreamWriter) -> None:
    await ask_json(
        reader,
        writer,
        ({"id": 0, "method": "server.version", "params": ["exercise", "1.4"]}, 1),
        ({"id": 1, "method": "blockchain.headers.subscribe", "params": []}, 1),
        ({"id": 2, "method": "blockchain.scripthash.get_balance", "params": ["ab" * 32]}, 1),
    )


def _editor_message(value: Json) -> bytes:
    """Write a message of the language server protocol. Source: its specification 3.17, base protocol."""
    body = json.dumps({"jsonrpc": "2.0", **value}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


async def _serve_editor(reader: StreamReader, writer: StreamWriter) -> None:
    for result in ({"capabilities": {"hoverProvider": True}}, {"contents": "mining"}, None):
        request = json.loads(await read_http(reader))
        await send(writer, _editor_message({"id": request["id"], "result": result}))


async def _edit(reader: StreamReader, writer: StreamWriter) -> None:
    place = {"textDocument": {"uri": "file:///lesson.py"}, "position": {"line": 3, "character": 7}}
    calls: tuple[tuple[str, Json], ...] = (("initialize", {"processId": None}), ("textDocument/hover", place))
    for number, (method, params) in enumerate((*calls, ("shutdown", {})), start=1):
        await send(writer, _editor_message({"id": number, "method": method, "params": params}))
        await read_http(reader)


async def _serve_messenger(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.readuntil(b">")
    await send(writer, _XMPP_OPEN % (b"client", b"from") + b"<stream:features/>\n")
    await reader.readuntil(b"</message>")
    await send(writer, b"<message from='b@im.example'><body>ok</body></message>\n</stream:stream>\n")


async def _message(reader: StreamReader, writer: StreamWriter) -> None:
    await send(writer, _XMPP_OPEN % (b"client", b"to"))
    await read_line(reader)
    await send(writer, b"<message to='b@im.example'><body>hello</body></message>")
    for _ in range(2):
        await read_line(reader)


async def _serve_irc(reader: StreamReader, writer: StreamWriter) -> None:
    def answer(line: bytes) -> bytes:
        command, _, rest = line.partition(b" ")
        known = {
            b"USER": b":irc.example 001 pupil :welcome\r\n",
            b"JOIN": b":pupil JOIN " + rest + b"\r\n",
            b"PING": b":irc.example PONG " + rest + b"\r\n",
        }
        return known.get(command, b"")

    await serve_lines(reader, writer, answer)


async def _use_irc(reader: StreamReader, writer: StreamWriter) -> None:
    await ask_lines(
        reader,
        writer,
        (b"NICK pupil", 0),
        (b"USER pupil 0 * :exercise", 1),
        (b"JOIN #mining", 1),
        (b"PRIVMSG #mining :what does mining.subscribe do?", 0),
        (b"PING :1", 1),
    )


MAIL = Script("mail", "", 25, _serve_mail, _send_mail)
MQTT = Script("mqtt", "", 1883, _serve_mqtt, _publish)
ELECTRUM = Script("electrum", "", 50001, _serve_electrum, _use_wallet)
EDITOR = Script("editor", "", 2087, _serve_editor, _edit)
MESSENGER = Script("messenger", "", 5222, _serve_messenger, _message)
IRC = Script("irc", "", 6667, _serve_irc, _use_irc)
