"""Sightings as values, written as a log only the parser here reads, so that they come in the way every file does."""

from __future__ import annotations

import base64
import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import BinaryIO

import pytest

import sentinel.observe
from sentinel.model.evidence import RunKind
from sentinel.model.observation import Observation
from sentinel.model.sighting import (
    AttachmentObservation,
    HoldingObservation,
    HoldingSource,
    Sighting,
    TranslationObservation,
)
from sentinel.model.unit import Unit
from sentinel.observe import Parser
from sentinel.schedule.context import Context
from sentinel.schedule.intake import Intake, Origin, take_in
from tests.homes import NOW, SCHOOL

RADIUS = HoldingSource.RADIUS
CARD, OTHER = "3c:22:fb:00:53:01", "3c:22:fb:00:53:02"
OUTSIDE = "198.51.100.7"
_HEAD = b"a log of the tests\n"


def minute(number: float) -> datetime:
    """So many minutes after two days before `NOW`."""
    return NOW - timedelta(days=2) + timedelta(minutes=number)


def held(
    start: float | None,
    end: float | None = None,
    address: str = "10.0.0.1",
    mac: str = CARD,
    source: HoldingSource = HoldingSource.DHCP,
    **words: str,
) -> HoldingObservation:
    """Somebody held an address from and to some minutes."""
    since = None if start is None else minute(start)
    until = None if end is None else minute(end)
    return HoldingObservation(ip_address(address), source, mac, since, until, **words)


def nat(
    start: float | None,
    end: float | None = None,
    ports: tuple[int, int] = (40001, 40001),
    inside: str = "10.0.0.1",
    outside: str = OUTSIDE,
    proto: str = "tcp",
    peer: str = "203.0.113.9",
    device: str = "fw-1",
) -> TranslationObservation:
    """A NAT gave an inside address some outside ports."""
    single = ports[0] == ports[1]
    return TranslationObservation(
        proto,
        ip_address(inside),
        ip_address(outside),
        ports,
        51_000 if single else None,
        ip_address(peer) if single else None,
        443 if single else None,
        None if start is None else minute(start),
        None if end is None else minute(end),
        device,
    )


def plugged(at: float, port: str = "GE1/0/7", mac: str = CARD, device: str = "sw-3") -> AttachmentObservation:
    """A switch knew a card on a port."""
    return AttachmentObservation(mac, device, port, "102", minute(at))


def parse(stream: BinaryIO) -> Iterator[Observation]:
    stream.readline()
    yield from pickle.loads(base64.b64decode(stream.read().partition(b"\n")[0]))


def write_log(*seen: Sighting, mark: str = "") -> bytes:
    return _HEAD + base64.b64encode(pickle.dumps(list(seen))) + b"\n" + mark.encode()


@contextmanager
def reading_logs() -> Iterator[None]:
    """Let imports read the logs of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        parser = Parser("made-log", lambda head: head.startswith(_HEAD), parse)
        patch.setattr(sentinel.observe, "PARSERS", (parser, *sentinel.observe.PARSERS))
        yield


def give_log(context: Context, *seen: Sighting, mark: str = "", unit: Unit = SCHOOL, name: str = "made.log") -> Intake:
    """Take a log in."""
    return take_in(context, unit, io.BytesIO(write_log(*seen, mark=mark)), Origin(name, RunKind.IMPORT, "inside"))
