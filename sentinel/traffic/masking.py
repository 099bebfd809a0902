"""Logins, passwords and wallets in, text that may be shown out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from sentinel.traffic.coins import ADDRESS_SHAPES

EVIDENCE_LENGTH = 300
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_PARTS = re.compile(r"[./+:,;@%|#=\s]+")
_HIDDEN = "***"


def mask_login(login: str) -> str:
    """Give the first and last four letters of the address in a login (`43AR…9kQd`); of a short login less.

    A login may carry a worker, an e-mail address and more behind the address; its longest part is taken.
    """
    part = max(_PARTS.split(login), key=len)
    if len(part) >= 16:
        return f"{part[:4]}…{part[-4:]}"
    return f"{part[:2]}…" if len(part) > 2 else "…"


def mask_text(text: str, logins: Iterable[str], passwords: Iterable[str]) -> str:
    """Give `text` printable and cut, with the given JSON strings and everything shaped like an address masked."""
    replaced = {login: mask_login(login) for login in logins if login}
    replaced.update({password: _HIDDEN for password in passwords if password})
    if replaced:
        text = _STRING.sub(lambda match: _mask_string(match[0], replaced), text)
    for _, shape in ADDRESS_SHAPES:
        text = shape.sub(lambda match: mask_login(match[0]), text)
    return printable(text)[:EVIDENCE_LENGTH]


def printable(text: str) -> str:
    """Give `text` on one line: spaces for line ends, a point for what cannot be shown."""
    return "".join(letter if letter.isprintable() else " " if letter.isspace() else "." for letter in text).strip()


def _mask_string(token: str, replaced: dict[str, str]) -> str:
    try:
        value = json.loads(token)
    except ValueError:
        return token
    mask = replaced.get(value)
    return token if mask is None else json.dumps(mask, ensure_ascii=False)
