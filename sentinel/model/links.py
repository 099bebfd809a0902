"""Web addresses in a text in; the same without what stands in them for one visitor: accounts, queries, fragments.

A query or a fragment may hold a token, a ticket or an account name, which nobody who keeps an address needs.
"""

from __future__ import annotations

import re

CUT = "?…"
"""What stands where a query or a fragment stood."""

_END = r"\s\"'<>（），。；、"
_LOGIN = re.compile(rf"\b([a-z][a-z0-9+.-]{{1,11}}://)[^/?#@{_END}]*@", re.IGNORECASE)
_QUERY = re.compile(rf"\b([a-z][a-z0-9+.-]{{1,11}}://[^?#{_END}]*)[?#][^{_END}]+", re.IGNORECASE)
_LINE = re.compile(r"[?#]\S+")


def cut_links(text: str) -> str:
    """Leave out the account, the query and the fragment of every web address in a text; `?…` stands for the latter."""
    if "://" not in text:
        return text
    return _QUERY.sub(rf"\1{CUT}", _LOGIN.sub(r"\1", text))


def cut_request(line: str) -> str:
    """Leave out the query of the request line of HTTP: `POST /?… HTTP/1.1`."""
    return _LINE.sub(CUT, line, count=1)
