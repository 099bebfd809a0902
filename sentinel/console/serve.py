"""`sentinel serve`: a socket, a certificate where the network is not this machine alone, a token, and uvicorn."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sentinel.config import Settings, data_folder
from sentinel.console.access import Access, Throttle, issue_token
from sentinel.console.builds import Builds
from sentinel.console.certificate import keep_certificate, load_tls, read_fingerprint, read_names
from sentinel.console.machine import is_loopback, names_of_machine
from sentinel.errors import StoreError, UsageError
from sentinel.log import add_log_file, info
from sentinel.schedule.context import open_context, read_clock
from sentinel.store.database import wrap_errors
from sentinel.store.home import Home, hold_lock

if TYPE_CHECKING:
    import ssl

    from sentinel.console.guard import Guard

PORT: Final = 8642
BUSY: Final = "another `sentinel serve` shows this home; `sentinel serve --new-token` lets somebody else in"
_CONNECTIONS: Final = 256
_HEAD_BYTES: Final = 16_384
_ENDING_S: Final = 3

_NAME: Final = re.compile(r"[a-z0-9_:](?:[a-z0-9._:-]{0,251}[a-z0-9_:])?\Z")
"""Host names and addresses, in ASCII as they stand in certificates and Host headers."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Address:
    """Where the pages are served.

    Attributes:
        host: address or name to listen on.
        port: port; 0: any free one.
        unit: the only unit shown; None: all of them.
        names: further names the server is known by.
        certificate: own certificate; None: one is made where it is needed.
        key: its key.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    unit: str | None = None
    names: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None


def folder_of(home: Home) -> Path:
    """Where token, certificate and address lie: of this machine alone, and no part of a backup."""
    return home.var / "console"


def run_console(path: Path, settings: Settings, where: Address, tell: Tell) -> None:
    """Serve the pages until SIGINT or SIGTERM.

    Raises:
        UsageError: the address or port cannot be used, or there is no such unit.
        StoreError: there is no home, or its pages are served already.
        ConfigError: the certificate or the key cannot be used.
    """
    if (where.certificate is None) != (where.key is None):
        raise UsageError("--certificate and --key belong together")
    with open_context(path, settings) as context:
        home = context.home
        unit = context.choose_unit(where.unit or None).code if where.unit is not None or settings.unit else None
    with hold_lock(home, "serve", BUSY), _listen(where) as listener:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: stop.set())
        port = listener.getsockname()[1]
        names = _names(where)
        tls = _prepare_tls(home, where, names, tell)
        builds = Builds()
        app = _build(home, settings, unit, names, port, builds, secure=tls is not None)
        base = _base(names[0], port, secure=tls is not None)
        add_log_file(home.logs / "serve.log", settings.log_size_mib, settings.log_keep)
        info("serve begins", address=base, pid=os.getpid())
        _write_address(home, base)
        _announce(home, base, tell)
        _serve(app, listener, tls, stop)
        info("serve ends")
    tell("已结束。")
    if builds.is_busy:
        # Python cannot end a thread that is inside a C++ library: the process would die of it ("terminate called").
        os._exit(0)


def new_token(path: Path, tell: Tell) -> None:
    """Make another token for the server that shows a home.

    Raises:
        StoreError: no server shows this home.
    """
    home = Home(path)
    if not home.is_made():
        raise StoreError(f"{path}: no home here; make one with `sentinel --home {path} init --unit NAME`")
    try:
        with hold_lock(home, "serve", BUSY):
            pass
    except StoreError:
        with wrap_errors(path):
            base = json.loads((folder_of(home) / "address.json").read_text(encoding="utf-8"))["base"]
        _tell_token(home, base, tell)
        return
    raise StoreError(f"{path}: no `sentinel serve` shows this home; start it first")


@contextmanager
def _listen(where: Address) -> Iterator[socket.socket]:
    try:
        family, _, _, _, place = socket.getaddrinfo(
            where.host, where.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise UsageError(f"--host {where.host}: no address of this machine: {error.strerror or error}") from error
    with listener:
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(128)
        except OSError as error:
            hint = "; choose another with --port" if error.errno == 98 else ""
            raise UsageError(f"{where.host} port {where.port}: {error.strerror or error}{hint}") from error
        yield listener


def _names(where: Address) -> tuple[str, ...]:
    """Give the names the server answers to, the one to print first.

    Raises:
        UsageError: `--name` is no name a certificate can carry.
    """
    named = tuple(name.lower().rstrip(".") for name in where.names)
    for name in named:
        if not _NAME.match(name):
            raise UsageError(f"--name {name[:60]!r}: no host name (write sentinel.school.edu.cn)")
    given = (where.host.lower(),) if not _is_wildcard(where.host) else ()
    own = read_names(where.certificate) if where.certificate else ()
    if is_loopback(where.host):
        return tuple(dict.fromkeys((*given, *named, *own, "localhost", "127.0.0.1", "::1")))
    machine = names_of_machine()
    machine = machine if _is_wildcard(where.host) else machine[-1:]
    return tuple(dict.fromkeys((*named, *given, *own, *filter(_NAME.match, machine), "localhost")))


def _is_wildcard(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _prepare_tls(home: Home, where: Address, names: tuple[str, ...], tell: Tell) -> ssl.SSLContext | None:
    """Give the TLS settings; none are needed where only this machine listens and no certificate was named."""
    if where.certificate is None and is_loopback(where.host):
        return None
    certificate, key = where.certificate, where.key
    if certificate is None or key is None:
        certificate, key = keep_certificate(folder_of(home), names, read_clock())
        tell(f"自签名证书：{certificate}；浏览器首次打开时会提示，请核对 SHA-256 指纹：")
    else:
        tell("证书的 SHA-256 指纹：")
    tell(f"  {read_fingerprint(certificate)}")
    return load_tls(certificate, key)


def _build(
    home: Home, settings: Settings, unit: str | None, names: tuple[str, ...], port: int, builds: Builds, *, secure: bool
) -> Guard:
    from sentinel.console.app import Console, build_app, warm
    from sentinel.console.reading import Desk
    from sentinel.console.static import StaticFiles

    console = Console(
        desk=Desk(home, settings, unit),
        access=Access(folder_of(home), read_clock),
        throttle=Throttle(read_clock),
        builds=builds,
        static=StaticFiles(data_folder("reports")),
        # Cookies do not tell ports apart: two servers of one machine must not take each other's.
        cookie="__Host-sentinel" if secure else f"sentinel-{port}",
        secure=secure,
    )
    warm(console)
    return build_app(console, names)


def _base(name: str, port: int, *, secure: bool) -> str:
    host = f"[{name}]" if ":" in name else name
    return f"{'https' if secure else 'http'}://{host}:{port}"


def _write_address(home: Home, base: str) -> None:
    folder = folder_of(home)
    with wrap_errors(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / ".address.json"
        draft.write_text(json.dumps({"base": base, "pid": os.getpid()}), encoding="utf-8")
        draft.replace(folder / "address.json")


def _announce(home: Home, base: str, tell: Tell) -> None:
    if _is_journal():
        tell(f"页面已启动：{base}；进入口令用 `sentinel serve --new-token` 领取。")
        return
    _tell_token(home, base, tell)
    tell("只读页面，Ctrl-C 结束；再要一个口令：sentinel serve --new-token")


def _is_journal() -> bool:
    """Tell whether a journal keeps what is printed, which has other readers. Source: systemd.exec(5)."""
    with suppress(OSError):
        status = os.fstat(1)
        return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
    return False


def _tell_token(home: Home, base: str, tell: Tell) -> None:
    token = issue_token(folder_of(home), read_clock())
    tell("用浏览器打开（30 分钟内有效，用一次即失效）：")
    tell(f"  {base}/enter#{token}")
    tell(f"或打开 {base} 后填写口令 {token}")


def _serve(app: Guard, listener: socket.socket, tls: ssl.SSLContext | None, stop: threading.Event) -> None:
    import uvicorn

    from sentinel.console.connection import PatientProtocol

    for name in ("asyncio", "uvicorn", "uvicorn.error", "uvicorn.access"):
        log = logging.getLogger(name)
        log.handlers[:] = [logging.NullHandler()]
        log.propagate = False
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=_ENDING_S,
        ssl_context_factory=(lambda _config, _default: tls) if tls else None,
    )

    class Quiet(uvicorn.Server):
        """Leaves signals to us: uvicorn raises them again at its end, which would not be a clean one."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def on_tick(self, counter: int) -> bool:
            return stop.is_set() or await super().on_tick(counter)

    Quiet(config).run([listener])
