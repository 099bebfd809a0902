"""Web servers of the practice school: a site in, an HTTP/1.x conversation and its truth out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate

from sentinel.drill.servers.certificate import CertificatePlan, flaws_of, rules_of
from sentinel.drill.servers.conversation import Conversation, HangupError, Seen, Service, Talk

HTML = "text/html; charset=utf-8"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
}
_REQUESTS_PER_SESSION = 100
_HEADER_LINES = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a site.

    Attributes:
        body: as sent.
        kind: media type.
        status: HTTP status.
        headers: further headers.
        order: names of the headers it is sent with, in that order; empty: the usual ones.
    """

    body: bytes
    kind: str = HTML
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A web server's pages.

    Attributes:
        server: the Server header.
        pages: pages by path.
        protocol: `HTTP/1.1`, or `HTTP/1.0` for servers that never learned more, or `same` to answer as asked.
        missing: answer to any other path.
        bare: send no Date and no Connection header, as some programs do that are no web servers in the first place.
        options: answer to OPTIONS; None: the methods it knows.
    """

    server: str
    pages: Mapping[str, Page]
    protocol: str = "HTTP/1.1"
    missing: Page = field(default_factory=lambda: Page(html("404 Not Found", "<h1>Not Found</h1>"), status=404))
    bare: bool = False
    options: Page | None = None


def html(title: str, body: str, head: str = "") -> bytes:
    """Wrap a body in a page."""
    return (
        f'<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n{head}</head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    ).encode()


def render(page: Page, site: Site, protocol: str, close: bool, head_only: bool = False) -> bytes:
    """Write a page as an HTTP answer."""
    headers = {
        "Date": formatdate(usegmt=True),
        "Server": site.server,
        "Content-Type": page.kind,
        "Content-Length": str(len(page.body)),
        **dict(page.headers),
        "Connection": "close" if close else "keep-alive",
    }
    dropped = ("Date", "Server", "Connection") if site.bare else ()
    names = page.order or [name for name in headers if name not in dropped]
    lines = [f"{protocol} {page.status} {_REASONS[page.status]}", *(f"{name}: {headers[name]}" for name in names)]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if head_only else page.body)


def _error(status: int) -> Page:
    title = f"{status} {_REASONS[status]}"
    return Page(html(title, f"<h1>{title}</h1>"), status=status)


async def _headers(conversation: Conversation) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_HEADER_LINES):
        line = await conversation.line()
        if not line:
            return headers
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    raise HangupError("too many headers")


async def _request_line(conversation: Conversation) -> list[str]:
    """Read the first line of a request into its parts; what cannot begin one is not waited for."""
    while (first := await conversation.exactly(1)) in b"\r\n":
        pass  # RFC 9112 section 2.2: empty lines before a request are ignored
    if not first.isalpha():
        return []
    return (first + await conversation.line()).decode("latin-1").split(" ")


def _answer(site: Site, method: str, path: str) -> Page:
    page = site.pages.get(path, site.missing)
    if method in ("GET", "HEAD"):
        return page
    if method == "OPTIONS":
        return site.options or Page(b"", headers=(("Allow", "GET, HEAD, OPTIONS, POST"),))
    if method == "POST" and page.status < 400:
        return _error(403)  # every login is refused: nobody has an account here
    return _error(405)


def http(site: Site) -> Talk:
    """Build the conversation of a web server."""

    async def talk(conversation: Conversation) -> None:
        for _ in range(_REQUESTS_PER_SESSION):
            parts = await _request_line(conversation)
            if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
                conversation.say(render(_error(400), site, "HTTP/1.1", close=True))
                return
            method, target, asked = parts
            headers = await _headers(conversation)
            path = target.partition("?")[0]
            protocol = asked if site.protocol == "same" else site.protocol
            lasting = asked == protocol == "HTTP/1.1" and method != "POST"
            close = not lasting or headers.get("connection", "").lower() == "close"
            conversation.say(render(_answer(site, method, path), site, protocol, close, method == "HEAD"))
            if close:
                return

    return talk


def web(
    port: int,
    site: Site,
    seen: Seen,
    weaknesses: tuple[str, ...] = (),
    certificate: CertificatePlan | None = None,
    flaws: tuple[str, ...] = (),
) -> Service:
    """Build a web server, inside TLS when it has a certificate.

    nmap 7.93 with OpenSSL 3 cannot shake hands with a server limited to an old protocol: it tells TLS and nothing more.
    """
    plain, is_old = b"", certificate is not None and certificate.newest_tls is not None
    if certificate is not None and not is_old and site.server.startswith("nginx"):
        title = "400 The plain HTTP request was sent to HTTPS port"
        refusal = Page(html(title, "<center><h1>400 Bad Request</h1></center>"), status=400)
        plain = render(refusal, site, "HTTP/1.1", close=True)
    rules = rules_of(certificate) if certificate else ()
    return Service(
        port=port,
        talk=http(site),
        seen=Seen() if is_old else seen,
        certificate=certificate,
        plain_answer=plain,
        weaknesses=() if is_old else (*weaknesses, *rules),
        flaws=(*flaws, *(flaws_of(certificate) if certificate else ())),
    )
