"""The door every request goes through: host name, method, size, time, session; strict headers on every answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final

from sentinel.console.access import Access
from sentinel.log import error

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ENTER: Final = "/enter"
STATIC: Final = "/static/"
_POSTS: Final = {ENTER, "/leave"}
_BODY_BYTES: Final = 2048
_QUERY_BYTES: Final = 2048
_TIME_S: Final = 60.0

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (
        b"permissions-policy",
        (
            b"accelerometer=(), camera=(), clipboard-read=(), display-capture=(), geolocation=(), gyroscope=(), "
            b"microphone=(), midi=(), payment=(), usb=()"
        ),
    ),
    (b"x-robots-tag", b"noindex, nofollow"),
)


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, access: Access, hosts: Iterable[str], cookie: str, *, secure: bool) -> None:
        self._app = app
        self._access = access
        self._hosts = frozenset(host.lower() for host in hosts)
        self._cookie = cookie
        self._headers = _HEADERS + (((b"strict-transport-security", b"max-age=31536000"),) if secure else ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it in one line."""
        if scope["type"] != "http":
            return
        answer = _Answer(send, self._headers)
        try:
            async with asyncio.timeout(_TIME_S):
                refusal = self._refusal(scope)
                if refusal is not None:
                    await answer.refuse(*refusal)
                    return
                await self._app(scope, receive, answer)
        except TimeoutError:
            await answer.refuse(503, "took too long")
        except Exception as failure:  # noqa: BLE001  the job boundary: one request; the others go on
            error("page lost", path=scope["path"][:100], reason=f"{type(failure).__name__}: {failure}")
            await answer.refuse(500, "a fault of sentinel itself; its log tells more")

    def _refusal(self, scope: Scope) -> tuple[int, str, tuple[tuple[bytes, bytes], ...]] | None:
        headers = dict(scope["headers"])
        path = scope["path"]
        if host_name(headers.get(b"host", b"").decode("latin-1")) not in self._hosts:
            return 421, "this server is not known by that name; `sentinel serve --name` adds one", ()
        if scope["method"] != "GET" and not (scope["method"] == "POST" and path in _POSTS):
            return 405, "pages are read-only", ((b"allow", b"GET"),)
        if len(scope["query_string"]) > _QUERY_BYTES:
            return 414, "address too long", ()
        if not _is_small(headers):
            return 413, "request too large, or of unknown size", ()
        if scope["method"] == "POST" and headers.get(b"sec-fetch-site", b"none") not in {b"same-origin", b"none"}:
            return 403, "sent from another site", ()
        secret = self._read_cookie(headers.get(b"cookie", b""))
        scope["session"] = secret if self._access.is_open(secret) else ""
        if scope["session"] or path == ENTER or path.startswith(STATIC):
            return None
        if b"hx-request" in headers:
            return 401, "enter again", ((b"hx-redirect", ENTER.encode()),)
        return 303, "enter first", ((b"location", ENTER.encode()),)

    def _read_cookie(self, header: bytes) -> str:
        try:
            morsel = SimpleCookie(header.decode("latin-1")).get(self._cookie)
        except CookieError:
            return ""
        return morsel.value[:100] if morsel else ""


def host_name(header: str) -> str:
    """Give the host of a Host header without its port, in lower case: `[::1]:8642` is `::1`."""
    header = header.lower().strip()
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].rstrip(".")


def _is_small(headers: dict[bytes, bytes]) -> bool:
    """Tell whether a body, which the server cuts at the length it states, is no longer than a form needs."""
    length = headers.get(b"content-length", b"0")
    return b"transfer-encoding" not in headers and length.isdigit() and int(length[:9]) <= _BODY_BYTES


class _Answer:
    """Hands an answer on with the headers every answer has."""

    def __init__(self, send: Send, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        self._send = send
        self._headers = headers
        self._started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            own = list(message.get("headers", ()))
            names = {name.lower() for name, _ in own}
            own += [one for one in self._headers if one[0] not in names]
            if b"content-security-policy" not in names:
                own.append((b"content-security-policy", POLICY.encode()))
            if b"cache-control" not in names:
                own.append((b"cache-control", b"no-store"))
            message = {**message, "headers": own}
        await self._send(message)

    async def refuse(self, status: int, words: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """Answer in one line, unless an answer has begun."""
        if self._started:
            return
        body = f"{words}\n".encode()
        length = (b"content-length", str(len(body)).encode())
        own = [(b"content-type", b"text/plain; charset=utf-8"), length, *headers]
        await self({"type": "http.response.start", "status": status, "headers": own})
        await self({"type": "http.response.body", "body": body})
