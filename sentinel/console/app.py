"""The pages and their addresses on FastAPI: each handler opens the home for reading, builds a page, and prints it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response

from sentinel.config import data_folder
from sentinel.console import page_assets, page_changes, page_findings, page_map, page_overview, page_reports
from sentinel.console.access import SESSION_LIFE, Access, Throttle
from sentinel.console.builds import Builds
from sentinel.console.guard import ENTER, Guard
from sentinel.console.page import SECTIONS, Links, Page
from sentinel.console.query import Query
from sentinel.console.reading import Desk, Reading
from sentinel.console.static import StaticFiles
from sentinel.errors import SentinelError, UsageError
from sentinel.log import error as log_error
from sentinel.model.rule import Severity
from sentinel.model.unit import Unit
from sentinel.report.render import LANGUAGES, render_page
from sentinel.report.words import term
from sentinel.store.audit import newest_audit

_FOREVER: Final = "public, max-age=31536000, immutable"
_ROW_DIGITS: Final = 18
"""Row ids are 64-bit numbers; Python refuses to read numbers of thousands of digits."""


@dataclass(frozen=True)
class Console:
    """What the handlers share.

    Attributes:
        desk: opens the home.
        access: tokens and sessions.
        throttle: waits of wrong tokens.
        cookie: name of the session's cookie.
        secure: the pages go over TLS.
    """

    desk: Desk
    access: Access
    throttle: Throttle
    builds: Builds
    static: StaticFiles
    cookie: str
    secure: bool

    def language(self, request: Request) -> str:
        """Give the language asked for, else the setting's."""
        asked = request.query_params.get("lang", "")
        return asked if asked in LANGUAGES else self.desk.settings.language

    def print_page(
        self, request: Request, page: Page, unit: Unit | None = None, reading: Reading | None = None
    ) -> Response:
        """Print a page with the frame every page has."""
        lang = self.language(request)
        links = Links(unit.code if unit else "", lang if lang != self.desk.settings.language else "")
        query = reading.query if reading else Query(request.query_params)
        values = {
            "page": page,
            "unit": unit,
            "link": links,
            "home_link": Links("", links.lang),
            "query": {name: value for name, value in query.items() if name != "lang"},
            "other_lang": "en" if lang == "zh" else "zh",
            "path": request.url.path,
            "static": self.static.names,
            "sections": SECTIONS,
            "now": self.desk.clock(),
            "severity_of": {severity.value: term(severity) for severity in Severity},
            **page.values,
        }
        body = render_page(f"console/{page.template}.html.j2", lang, data_folder("reports"), values)
        return HTMLResponse(body, status_code=page.status)

    def show(self, request: Request, code: str, build: Callable[[Reading], Page]) -> Response:
        """Read, build and print a page about a unit; what cannot be shown is told on a page too."""
        try:
            with self.desk.read(code, Query(request.query_params), self.language(request)) as reading:
                page = build(reading)
                return self.print_page(request, page, reading.unit, reading)
        except SentinelError as error:
            return self.print_trouble(request, error)

    def print_trouble(self, request: Request, error: SentinelError) -> Response:
        """Print what went wrong: 404 for what is not there, 503 for what cannot be read now."""
        status = 404 if isinstance(error, UsageError) else 503
        if status == 503:
            log_error("page not shown", path=request.url.path[:100], reason=error)
        return self.print_page(request, Page("trouble", "", {"words": str(error)}, status=status))


def warm(console: Console) -> None:
    """Begin to make what the pages of the only unit need before anybody asks for it: the quick thing first."""
    with console.desk.open() as context:
        units = console.desk.read_units(context)
        stamp = newest_audit(context.database.connection)
    if len(units) == 1:
        now = console.desk.clock()
        page_changes.ask_changes(console.builds, console.desk, units[0], stamp, now)
        page_overview.ask_digest(console.builds, console.desk, units[0], stamp, now)


def build_app(console: Console, hosts: tuple[str, ...]) -> Guard:
    """Build the application with its door."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    _add_door(app, console)
    _add_pages(app, console)
    _add_reports(app, console)

    @app.exception_handler(404)
    def missing(request: Request, _error: Exception) -> Response:
        return console.print_page(request, Page("trouble", "", {"words": ""}, status=404))

    return Guard(app, console.access, hosts, console.cookie, secure=console.secure)


def _add_door(app: FastAPI, console: Console) -> None:
    @app.get("/static/{name}")
    def static(name: str) -> Response:
        found = console.static.find(name)
        if found is None:
            return PlainTextResponse("not found\n", status_code=404)
        return Response(found.body, media_type=found.kind, headers={"cache-control": _FOREVER})

    @app.get(ENTER)
    def door(request: Request) -> Response:
        return console.print_page(request, Page("enter", "", {"wrong": ""}))

    @app.post(ENTER)
    async def enter(request: Request) -> Response:
        given = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=4).get("token", [""])[0]
        secret = console.access.enter(given)
        if secret is not None:
            answer = RedirectResponse(f"/?{request.url.query}" if request.url.query else "/", status_code=303)
            answer.set_cookie(
                console.cookie,
                secret,
                max_age=int(SESSION_LIFE.total_seconds()),
                secure=console.secure,
                httponly=True,
                samesite="strict",
            )
            return answer
        return await _refuse(console, request)

    @app.post("/leave")
    def leave(request: Request) -> Response:
        console.access.leave(request.scope["session"])
        answer = RedirectResponse(ENTER, status_code=303)
        answer.delete_cookie(console.cookie, secure=console.secure, httponly=True, samesite="strict")
        return answer


async def _refuse(console: Console, request: Request) -> Response:
    """Answer a wrong token after its wait."""
    address = request.client.host if request.client else "unknown"
    wait = console.throttle.start(address)
    if wait is None:
        return console.print_page(request, Page("enter", "", {"wrong": "busy"}, status=429))
    try:
        await asyncio.sleep(wait)
    finally:
        console.throttle.end(address)
    return console.print_page(request, Page("enter", "", {"wrong": "wrong"}, status=403))


def _add_pages(app: FastAPI, console: Console) -> None:
    desk, builds = console.desk, console.builds

    @app.get("/")
    def units(request: Request) -> Response:
        try:
            with desk.open() as context:
                found = desk.read_units(context)
        except SentinelError as error:
            return console.print_trouble(request, error)
        if len(found) == 1:
            lang = console.language(request)
            return RedirectResponse(Links(found[0].code, lang if lang != desk.settings.language else "")(), 303)
        return console.print_page(request, Page("units", "", {"units": found}))

    @app.get("/unit/{code}/")
    def overview(request: Request, code: str) -> Response:
        return console.show(request, code, lambda reading: page_overview.build_overview(reading, desk, builds))

    @app.get("/unit/{code}/map")
    def pictures(request: Request, code: str) -> Response:
        return console.show(request, code, lambda reading: page_map.build_map_page(reading, desk, builds))

    @app.get("/unit/{code}/assets")
    def assets(request: Request, code: str) -> Response:
        return console.show(request, code, page_assets.build_assets)

    @app.get("/unit/{code}/assets/{network}/{address}")
    def asset(request: Request, code: str, network: str, address: str) -> Response:
        return console.show(request, code, lambda reading: page_assets.build_asset(reading, _row(network), address))

    @app.get("/unit/{code}/findings")
    def findings(request: Request, code: str) -> Response:
        return console.show(request, code, page_findings.build_findings)

    @app.get("/unit/{code}/findings/{number}")
    def finding(request: Request, code: str, number: str) -> Response:
        return console.show(request, code, lambda reading: page_findings.build_finding(reading, _row(number)))

    @app.get("/unit/{code}/changes")
    def changes(request: Request, code: str) -> Response:
        return console.show(request, code, lambda reading: page_changes.build_changes(reading, desk, builds))


def _row(text: str) -> int:
    """Read a row id from an address; 0, which no row has, for what can be none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _ROW_DIGITS else 0


def _add_reports(app: FastAPI, console: Console) -> None:
    sandbox = {"content-security-policy": page_reports.SANDBOX}

    @app.get("/unit/{code}/reports")
    def reports(request: Request, code: str) -> Response:
        return console.show(request, code, page_reports.build_reports)

    @app.get("/unit/{code}/reports/file/{name}")
    def report_file(request: Request, code: str, name: str) -> Response:
        try:
            with console.desk.read(code, Query(request.query_params), console.language(request)) as reading:
                path = page_reports.find_file(reading, name)
        except SentinelError as error:
            return console.print_trouble(request, error)
        if name.endswith(".html"):
            return FileResponse(
                path, media_type="text/html; charset=utf-8", headers={**sandbox, "cache-control": "no-store"}
            )
        return FileResponse(
            path, media_type="application/octet-stream", filename=name, headers={**sandbox, "cache-control": "no-store"}
        )

    @app.get("/unit/{code}/reports/current/{name}")
    def current(request: Request, code: str, name: str) -> Response:
        try:
            with console.desk.read(code, Query(request.query_params), console.language(request)) as reading:
                built = page_reports.ask_report(reading, console.desk, console.builds, name)
                if isinstance(built.value, str) and not built.building:
                    return HTMLResponse(built.value, headers=sandbox)
                return console.print_page(request, page_reports.build_waiting(name, built), reading.unit, reading)
        except SentinelError as error:
            return console.print_trouble(request, error)
