"""Who may read the pages: a token used once in, a session out; wrong tokens are answered late."""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final

from sentinel.log import warning
from sentinel.store.database import wrap_errors

TOKEN_LIFE: Final = timedelta(minutes=30)
SESSION_LIFE: Final = timedelta(hours=12)
SESSION_IDLE: Final = timedelta(hours=1)
LONGEST_WAIT_S: Final = 8.0

_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP = 5, 5
_SESSIONS = 64
_ADDRESSES = 1024
_WAITING, _WAITING_EACH = 16, 2
_FORGET = timedelta(minutes=15)
_FILE = "token.json"


def issue_token(folder: Path, now: datetime) -> str:
    """Make the one token that opens the pages and leave its sum where the server looks; an older one ends.

    Twenty-five letters of 31 carry 123 bits.

    Raises:
        StoreError: the folder cannot be written.
    """
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_GROUPS * _GROUP))
    body = json.dumps({"sha256": _sum(letters), "until": (now + TOKEN_LIFE).isoformat()})
    with wrap_errors(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".{_FILE}.{os.getpid()}"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(body)
        draft.replace(folder / _FILE)
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def _sum(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class _Session:
    born: datetime
    seen: datetime


class Access:
    """Tokens and sessions; only their sums are held, and sessions end with the process."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._file = folder / _FILE
        self._clock = clock
        self._spent: set[str] = set()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def enter(self, given: str) -> str | None:
        """Exchange the token for the secret of a new session, once; None when it is wrong, spent or too old."""
        letters = "".join(letter for letter in given.upper() if letter.isalnum())[:200]
        wanted = self._wanted()
        right = hmac.compare_digest(_sum(letters), wanted or "-" * 64)
        if not right or wanted in self._spent:
            return None
        self._spent.add(wanted)
        with suppress(OSError):
            self._file.unlink()  # a server that starts again must not take it a second time
        secret = secrets.token_urlsafe(32)
        now = self._clock()
        self._sessions[_sum(secret)] = _Session(now, now)
        while len(self._sessions) > _SESSIONS:
            self._sessions.popitem(last=False)
        return secret

    def is_open(self, secret: str) -> bool:
        """Tell whether a session lasts, and note that it was used."""
        key = _sum(secret)
        session = self._sessions.get(key)
        if session is None:
            return False
        now = self._clock()
        if now - session.born > SESSION_LIFE or now - session.seen > SESSION_IDLE:
            del self._sessions[key]
            return False
        session.seen = now
        return True

    def leave(self, secret: str) -> None:
        """End a session."""
        self._sessions.pop(_sum(secret), None)

    def _wanted(self) -> str:
        try:
            body = json.loads(self._file.read_text(encoding="ascii"))
            until = datetime.fromisoformat(body["until"])
            return str(body["sha256"]) if self._clock() <= until else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""


@dataclass(slots=True)
class _Failures:
    count: int
    last: datetime
    waiting: int = 0


class Throttle:
    """How long a wrong token waits for its answer.

    A right token is let in at once whatever others do, so nobody can keep the admin out by guessing; what bounds a
    guesser is the length of the token, and the wait keeps him from costing anything meanwhile.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._waiting = 0
        self._all = _Failures(0, clock())

    def start(self, address: str) -> float | None:
        """Note a wrong token and give the seconds it waits, doubling by address; None: too many are waiting already."""
        now = self._clock()
        if now - self._all.last > _FORGET:
            self._all.count = 0
        self._all.count += 1
        self._all.last = now
        one = self._of(address, now)
        one.count += 1
        one.last = now
        if one.count & (one.count - 1) == 0:
            warning("wrong token", address=_group(address), times=one.count)
        if self._waiting >= _WAITING or one.waiting >= _WAITING_EACH:
            return None
        one.waiting += 1
        self._waiting += 1
        return min(LONGEST_WAIT_S, 0.5 * 2.0 ** min(max(one.count - 1, self._all.count // 16), 10))

    def end(self, address: str) -> None:
        """Note that a wrong token was answered."""
        self._waiting -= 1
        one = self._failures.get(_group(address))
        if one is not None and one.waiting:
            one.waiting -= 1

    def _of(self, address: str, now: datetime) -> _Failures:
        key = _group(address)
        one = self._failures.pop(key, None)
        if one is None or (now - one.last > _FORGET and not one.waiting):
            one = _Failures(0, now)
        self._failures[key] = one
        while len(self._failures) > _ADDRESSES:
            self._failures.popitem(last=False)
        return one


def _group(address: str) -> str:
    """Give an IPv4 address, or the /64 of an IPv6 address, which belongs to one person."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    return str(known) if known.version == 4 else str(ip_network((known, 64), strict=False))
