"""Ordinary conversations over HTTP, clear and inside TLS, some of which look like mining to a careless eye."""

from __future__ import annotations

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from functools import partial

from sentinel.drill.recording.mining import ETH_WALLET
from sentinel.drill.recording.script import Script
from sentinel.drill.recording.wire import (
    Json,
    accept_websocket,
    open_websocket,
    read_frame,
    read_http,
    send_frame,
    send_http,
)

DOWNLOAD_BYTES = 2 * 1024 * 1024
_PIECE_BYTES, _PIECE_PAUSE_S = 32 * 1024, 0.005

_HEAD = "<!doctype html><html lang=zh><meta charset=utf-8><title>示例网站</title>"
_ARTICLE = "<p>这是演练用的网页，内容没有意义。</p>" * 60
PAGES = {
    "/": f"{_HEAD}<link rel=stylesheet href=/style.css>{_ARTICLE}",
    "/style.css": "body { font-family: sans-serif; margin: 2em }\n" * 20,
    "/news.html": f"{_HEAD}{_ARTICLE * 4}",
}
_MINING_PAGE = {
    "/mining.html": f"{_HEAD}<p>mining.subscribe is a word on this page.<pre>\n"
    '{"id": 1, "method": "mining.subscribe", "params": []}\n'
    '{"id": 2, "method": "mining.authorize", "params": ["a", "b"]}\n'
    f"</pre>{_ARTICLE}"
}


async def _serve_pages(reader: StreamReader, writer: StreamWriter, pages: dict[str, str]) -> None:
    for page in pages.values():
        await read_http(reader)
        await send_http(writer, "HTTP/1.1 200 OK", {"Content-Type": "text/html; charset=utf-8"}, page.encode())


async def _read_pages(reader: StreamReader, writer: StreamWriter, host: str, pages: dict[str, str]) -> None:
    for path in pages:
        await send_http(writer, f"GET {path} HTTP/1.1", {"Host": host, "User-Agent": "exercise-browser/1.0"})
        await read_http(reader)


def page(host: str, name: str = "page", pages: dict[str, str] = PAGES) -> Script:
    """Read a web site in clear."""
    return Script(name, "", 80, partial(_serve_pages, pages=pages), partial(_read_pages, host=host, pages=pages))


def mining_page(host: str) -> Script:
    """Read a page that explains mining, with its very messages in the text."""
    return page(host, "mining-page", _MINING_PAGE)


def secure_page(host: str) -> Script:
    """Read a web site inside TLS."""
    return Script(
        "secure-page",
        "",
        443,
        partial(_serve_pages, pages=PAGES),
        partial(_read_pages, host=host, pages=PAGES),
        domain=host,
    )


async def _serve_download(reader: StreamReader, writer: StreamWriter) -> None:
    await read_http(reader)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {DOWNLOAD_BYTES}\r\n\r\n"
    writer.write(head.encode())
    piece = bytes(range(256)) * (_PIECE_BYTES // 256)
    for _ in range(DOWNLOAD_BYTES // _PIECE_BYTES):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(_PIECE_PAUSE_S)  # a recorder that shares this thread must keep up


async def _download(reader: StreamReader, writer: StreamWriter, host: str) -> None:
    await send_http(writer, "GET /update.bin HTTP/1.1", {"Host": host, "User-Agent": "exercise-updater/1.0"})
    await read_http(reader)


def download(host: str) -> Script:
    """Fetch a file of DOWNLOAD_BYTES in clear."""
    return Script("download", "", 80, _serve_download, partial(_download, host=host))


async def _serve_call(reader: StreamReader, writer: StreamWriter, answer: Json) -> None:
    request = json.loads(await read_http(reader))
    identity = {"id": request["id"]} if "id" in request else {}
    body = json.dumps({**identity, **answer}).encode()
    await send_http(writer, "HTTP/1.1 200 OK", {"Content-Type": "application/json"}, body)


async def _call(reader: StreamReader, writer: StreamWriter, host: str, path: str, request: Json) -> None:
    headers = {"Host": host, "Content-Type": "application/json"}
    await send_http(writer, f"POST {path} HTTP/1.1", headers, json.dumps(request).encode())
    await read_http(reader)


def ethereum_wallet(host: str) -> Script:
    """Ask a node for a balance, as a wallet does: the wallet's methods are not the miner's."""
    request: Json = {"jsonrpc": "2.0", "id": 7, "method": "eth_getBalance", "params": [ETH_WALLET, "latest"]}
    serve = partial(_serve_call, answer={"jsonrpc": "2.0", "result": "0x0"})
    return Script("ethereum-wallet", "", 8545, serve, partial(_call, host=host, path="/", request=request))


def transmission(host: str) -> Script:
    """Ask a download program for its list. Source: Transmission RPC specification."""
    request: Json = {"method": "torrent-get", "arguments": {"fields": ["id", "name", "totalSize"]}, "tag": 39}
    serve = partial(_serve_call, answer={"result": "success", "arguments": {"torrents": []}, "tag": 39})
    return Script("transmission", "", 9091, serve, partial(_call, host=host, path="/transmission/rpc", request=request))


def office_login(host: str) -> Script:
    """Log in to an office system by JSON-RPC: others than miners have a method `login` with `pass`."""
    request: Json = {"jsonrpc": "2.0", "id": 1, "method": "login", "params": {"login": "teacher", "pass": "exercise"}}
    serve = partial(_serve_call, answer={"jsonrpc": "2.0", "result": {"status": "OK", "session": "5e5e"}})
    return Script("office-login", "", 8069, serve, partial(_call, host=host, path="/jsonrpc", request=request))


async def _serve_chat(reader: StreamReader, writer: StreamWriter) -> None:
    await accept_websocket(reader, writer)
    for number in range(3):
        await read_frame(reader)
        await send_frame(writer, {"type": "message", "params": {"id": number, "text": "收到"}}, masked=False)


async def _chat(reader: StreamReader, writer: StreamWriter, host: str) -> None:
    await open_websocket(reader, writer, host, "/chat")
    for text in ("auth", "job", "submit"):
        await send_frame(writer, {"type": "message", "params": {"text": text}}, masked=True)
        await read_frame(reader)


def chat(host: str) -> Script:
    """Talk over a WebSocket."""
    return Script("chat", "", 8081, _serve_chat, partial(_chat, host=host))
