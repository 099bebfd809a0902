"""What asking a service without a login gives: the values all askers share."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sentinel.collect.dialer import Dialer
from sentinel.collect.look import ProbeTarget
from sentinel.model.scope import Level

LEVEL = Level.CHECK
_VERSION = re.compile(r"\d[\w.+~-]{0,39}")


@dataclass(frozen=True, slots=True)
class LoginAnswer:
    """What a service answered to one who did not log in.

    Attributes:
        no_login: it answered the request; False: it asks for a login, or lets nobody in.
        proof: what shows it, in the words of the protocol, e.g. `INFO server`, `NOAUTH`, `HTTP 401`.
        version: the version it told.
        listed: how many databases, modules or shares it lists; None: that is not what it was asked.
    """

    no_login: bool
    proof: str
    version: str = ""
    listed: int | None = None


Asker = Callable[[ProbeTarget, Dialer], Awaitable[LoginAnswer]]
"""Asks one kind of service; raises NoAnswerError where the answer proves neither the one nor the other."""


def clean_version(value: object) -> str:
    """Give a version as far as it looks like one; empty for anything else."""
    found = _VERSION.match(value.strip().lstrip("v")) if isinstance(value, str) else None
    return found[0] if found else ""
