"""A permit and one address in, what python-nmap makes of it out: a second look beside the scheduled scans.

python-nmap is GPL-3.0-or-later and optional. It is imported here and nowhere else, only when asked for. It reads the
whole answer into memory, forgets the tunnel of a service and all CPEs but the last (0.7.1), so its answer is shown
beside the map and never becomes it.
"""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sentinel.collect.nmap import build_options
from sentinel.collect.permit import Permit, require_permit
from sentinel.collect.privilege import raw_sockets
from sentinel.collect.target import printable
from sentinel.collect.tool import ToolVersion, installed_nmap
from sentinel.errors import CollectError
from sentinel.model.observation import CLOSED, OPEN, EndpointObservation, HostObservation
from sentinel.model.ports import PortSet, format_ports
from sentinel.model.scope import Level
from sentinel.model.unit import IPAddress

MAX_PORTS = 4096
"""Ports of one second opinion, both protocols together."""

_BACKSTOP_S = 30
_CONF_OF_TABLE = "3"
_SCRIPT_CHARACTERS = 4000
_TITLE_CHARACTERS = 200
_INSTALL = "python-nmap is not installed: run `pip install 'sentinel-campus[second-opinion]'`"


class _NoPythonNmapError(Exception):
    """The optional package is not there."""


def tool_version() -> ToolVersion:
    """Find nmap and its version, with or without python-nmap; where both can tell, they must agree.

    Raises:
        CollectError: nmap is missing or too old, or python-nmap reads another version.
    """
    found = installed_nmap()
    try:
        package = _import()
    except _NoPythonNmapError:
        return found
    number = tuple(_scanner(package, found).nmap_version())
    if number != found.number:
        raise CollectError(f"python-nmap reads version {number}, {found.path} prints {found.version}")
    return found


def has_python_nmap() -> bool:
    """Tell whether python-nmap can be imported."""
    try:
        _import()
    except _NoPythonNmapError:
        return False
    return True


def look_again(
    permit: Permit,
    address: IPAddress,
    ports: Mapping[str, PortSet],
    *,
    now: Callable[[], datetime],
    timeout_s: int = 300,
) -> HostObservation:
    """Ask one address once more, at level service, and give what python-nmap read.

    The observation is never `complete`: python-nmap drops the ports nmap only counts. UDP needs raw sockets.

    Raises:
        ScopeError: it is no permit, or it does not cover this now.
        CollectError: nmap or python-nmap is missing, failed, or took longer than `timeout_s`.
        ValueError: no ports, more than 4,096, another protocol than TCP and UDP, or a time under a second.
    """
    permit = require_permit(permit)
    if timeout_s < 1 or set(ports) - {"tcp", "udp"} or not 1 <= sum(len(each) for each in ports.values()) <= MAX_PORTS:
        raise ValueError(f"1 to {MAX_PORTS} tcp and udp ports and a second of time are needed")
    raw = raw_sockets()
    if ports.get("udp") and not raw.usable:
        raise CollectError(f"udp ports cannot be asked: {raw.reason}")
    found = installed_nmap()
    try:
        package = _import()
    except _NoPythonNmapError as error:
        raise CollectError(_INSTALL) from error
    scanner = _scanner(package, found)
    asked = tuple(proto for proto in ports if ports[proto])
    options = build_options(Level.SERVICE, permit.rate_pps, address.version, asked, raw=raw.usable)
    started = now()
    permit.check((address,), Level.SERVICE, started)
    try:
        # python-nmap splits both strings as a shell would: one is an address object's text, the other constants.
        answer: dict[str, Any] = scanner.scan(
            hosts=str(address),
            ports=format_ports(dict(ports)),
            arguments=shlex.join((*options, "--host-timeout", f"{timeout_s}s")),
            timeout=timeout_s + _BACKSTOP_S,
        )
    except package.PortScannerTimeout as error:
        raise CollectError(f"nmap did not end within {timeout_s + _BACKSTOP_S} s looking again at {address}") from error
    except (package.PortScannerError, AttributeError, KeyError, OSError, ValueError) as error:
        raise CollectError(f"no second opinion of {address}: {printable(str(error))}") from error
    return _read_answer(answer, address, started, timeout_s)


def _import() -> Any:  # noqa: ANN401  # the package has no types
    try:
        return importlib.import_module("nmap")
    except ImportError as error:
        raise _NoPythonNmapError from error


def _scanner(package: Any, found: ToolVersion) -> Any:  # noqa: ANN401
    try:
        return package.PortScanner(nmap_search_path=(found.path,))
    except package.PortScannerError as error:
        raise CollectError(f"python-nmap does not accept {found.path}: {printable(str(error))}") from error


def _read_answer(answer: dict[str, Any], address: IPAddress, started: datetime, timeout_s: int) -> HostObservation:
    hosts = list(answer["scan"].values())
    if len(hosts) != 1:
        errors = "; ".join(answer["nmap"]["scaninfo"].get("error", ()))
        raise CollectError(f"no second opinion of {address}: {printable(errors) or 'nmap names no host'}")
    if float(answer["nmap"]["scanstats"]["elapsed"]) >= timeout_s:
        raise CollectError(f"nmap gave {address} up after {timeout_s} s")
    host = hosts[0]
    endpoints = tuple(
        _endpoint(proto, port, row) for proto in ("tcp", "udp") for port, row in sorted(host.get(proto, {}).items())
    )
    return HostObservation(
        address=address,
        up=host["status"]["state"] == "up",
        answered=any(endpoint.state in (OPEN, CLOSED) for endpoint in endpoints),
        time=started,
        endpoints=endpoints,
        reason=host["status"]["reason"],
    )


def _endpoint(proto: str, port: int, row: Mapping[str, Any]) -> EndpointObservation:
    scripts = {str(name): str(text)[:_SCRIPT_CHARACTERS] for name, text in row.get("script", {}).items()}
    return EndpointObservation(
        proto=proto,
        port=port,
        state=row["state"],
        reason=row["reason"],
        service=row["name"],
        guessed=row["conf"] == _CONF_OF_TABLE,
        product=row["product"],
        version=row["version"],
        extra=row["extrainfo"],
        cpes=(row["cpe"],) if row["cpe"] else (),
        title=scripts.get("http-title", "")[:_TITLE_CHARACTERS],
        scripts=tuple(sorted(scripts.items())),
    )
