"""nuclei's findings as JSON lines (`-jsonl`) or one JSON list (`-json-export`) in; hosts, or what is wrong, out.

Source: nuclei 2.9 and 3, output `ResultEvent` and template `info`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO
from urllib.parse import urlsplit

from sentinel.model.moment import EARLIEST
from sentinel.model.observation import OPEN, EndpointObservation, HostObservation, Loss, Observation, RunObservation
from sentinel.model.reported import ReportedFlaw, rate_score
from sentinel.model.rule import Severity
from sentinel.model.unit import IPAddress
from sentinel.observe.lines import BOM, Tally, read_lines
from sentinel.observe.text import (
    LATEST,
    clean_name,
    cut_text,
    is_host,
    parse_address,
    parse_port,
    parse_utc,
    plain_text,
)

NAME = "nuclei-json"
TOOL = "nuclei"

MAX_SOLUTION = 1_000
MAX_REFERENCES = 20

_HEAD = re.compile(rb'\s*\[?\s*\{[^\n]{0,4000}?"template(?:-id|ID)?"\s*:')
_LEVELS = {
    "info": Severity.INFORMATIONAL,
    "informational": Severity.INFORMATIONAL,
    "low": Severity.LOW,
    "medium": Severity.MEDIUM,
    "high": Severity.HIGH,
    "critical": Severity.CRITICAL,
}
_SCHEME_PORTS = {"http": 80, "https": 443, "ftp": 21, "ssh": 22, "redis": 6379, "mysql": 3306}
_NUMBER = re.compile(r"(?:CVE|CNVD|CNNVD)-\d{4,6}-\d{2,7}", re.IGNORECASE)

Result = dict[str, object]


def sniff(head: bytes) -> bool:
    """Tell whether a file's first bytes look like nuclei's results."""
    text = head.removeprefix(BOM)
    return bool(_HEAD.match(text)) and (b'"matcher-' in text or b'"info"' in text) and b'"host"' in text


def parse(stream: BinaryIO) -> Iterator[Observation]:
    """Yield the run, a host for each result that tells an address and a port that answered, and what was lost.

    Raises:
        ParseError: there are rows, and none of them can be read.
    """
    yield RunObservation(TOOL)
    for one in _results(stream):
        if isinstance(one, Loss):
            yield one
            continue
        address, port = _address(one), _port(one)
        if address is None:
            continue
        ports: tuple[EndpointObservation, ...] = ()
        if port and _kind(one) != "dns":
            is_tls = plain_text(one.get("scheme")) == "https" or _place(one).startswith(("https:", "tls:"))
            service = "http" if _kind(one) in {"http", "headless"} else ""
            ports = (EndpointObservation("tcp", port, OPEN, "report", service, tunnel="ssl" if is_tls else ""),)
        yield HostObservation(address, up=True, answered=bool(ports), time=_time(one), endpoints=ports, reason="report")


def read_flaws(stream: BinaryIO) -> Iterator[ReportedFlaw | Loss]:
    """Yield what the results say is wrong, informational ones among them.

    Raises:
        ParseError: there are rows, and none of them can be read.
    """
    for one in _results(stream):
        if isinstance(one, Loss):
            yield one
        elif (flaw := _build(one)) is not None:
            yield flaw


def _results(stream: BinaryIO) -> Iterator[Result | Loss]:
    """Yield each result; nuclei writes one a line, also inside a list."""
    tally = Tally()
    for number, line in read_lines(stream):
        text = (line or b"").strip()
        if line is not None and text in {b"", b"[", b"]", b","}:
            continue
        for one in _load(text):
            if one is None:
                tally.drop(f"line {number}", "no result of nuclei's")
                continue
            tally.good += 1
            yield one
    yield from tally.losses()


def _load(text: bytes) -> list[Result | None]:
    """Read a line: an object, an object with the commas of a list around it, or a whole list."""
    bare = text.removesuffix(b",")
    if bare.startswith(b"[") and not bare.endswith(b"]"):
        bare = bare[1:]
    elif bare.endswith(b"]") and not bare.startswith(b"["):
        bare = bare[:-1].rstrip()
    try:
        value = json.loads(bare.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return [None]
    rows = value if isinstance(value, list) else [value]
    return [row if isinstance(row, dict) and _template(row) else None for row in rows]


def _template(row: Result) -> str:
    return plain_text(row.get("template-id") or row.get("templateID"))


def _kind(row: Result) -> str:
    return plain_text(row.get("type")).lower()


def _place(row: Result) -> str:
    return plain_text(row.get("matched-at") or row.get("matched") or row.get("host"))[:2_000]


def _split(row: Result) -> tuple[str, int]:
    """Give host and port of the place, as far as they are told; 0 for no port."""
    place = _place(row)
    try:
        parts = urlsplit(place if "://" in place else f"//{place}")
        return parts.hostname or "", parts.port or _SCHEME_PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", 0


def _address(row: Result) -> IPAddress | None:
    address = parse_address(plain_text(row.get("ip"))) or parse_address(_split(row)[0])
    return address if address is not None and is_host(address) else None


def _port(row: Result) -> int:
    return _split(row)[1] or parse_port(plain_text(row.get("port"))) or 0


def _time(row: Result) -> datetime | None:
    moment = parse_utc(re.sub(r"(\.\d{6})\d+", r"\1", plain_text(row.get("timestamp"))[:40]))
    return moment if moment is not None and EARLIEST <= moment < LATEST else None


def _part(row: Result, name: str) -> Result:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    values = value[:MAX_REFERENCES] if isinstance(value, list) else [value]
    return [plain_text(one) for one in values if plain_text(one)]


def _build(row: Result) -> ReportedFlaw | None:
    info = _part(row, "info")
    kinds = _part(info, "classification")
    address, port = _address(row), _port(row)
    name = "" if address is not None else clean_name(_split(row)[0])
    if address is None and not name:
        return None
    score = kinds.get("cvss-score")
    level = _LEVELS.get(plain_text(info.get("severity")).lower())
    if level is None:
        is_score = isinstance(score, (int, float)) and not isinstance(score, bool)
        level = rate_score(float(str(score))) if is_score else Severity.INFORMATIONAL
    words = [*_texts(kinds.get("cve-id")), _template(row), *_texts(info.get("reference"))]
    numbers = dict.fromkeys(found.upper() for word in words for found in _NUMBER.findall(word[:500]))
    matcher = plain_text(row.get("matcher-name"))
    check = f"{_template(row)}.{matcher}" if matcher else _template(row)
    return ReportedFlaw(
        check=cut_text(check, 80),
        title=cut_text(plain_text(info.get("name")) or check),
        severity=level,
        address=address,
        name=name,
        proto="tcp" if port and _kind(row) != "dns" else "",
        port=port if _kind(row) != "dns" else 0,
        service=cut_text(plain_text(row.get("scheme")), 40),
        references=tuple(numbers),
        solution=cut_text(plain_text(info.get("remediation")), MAX_SOLUTION),
        time=_time(row),
    )
