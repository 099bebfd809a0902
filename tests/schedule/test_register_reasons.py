from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentinel.observe.nginx_conf import parse_nginx_conf
from sentinel.observe.published import Unread
from sentinel.schedule.register_reasons import reason_in_chinese

PACKAGE = Path(__file__).parents[2] / "sentinel"
PUBLISHING = (
    "observe/published.py",
    "observe/fortinet_vip.py",
    "observe/iptables_dnat.py",
    "observe/nat_server.py",
    "model/publication.py",
    "schedule/publication_sheet.py",
)
ELSEWHERE = ("no such way (",)  # said again without the words of the model


def said(file: str) -> Iterator[str]:
    """Give what a module tells of what it could not read, with 9 for what is filled in."""
    tree = ast.parse((PACKAGE / file).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        raised = isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.func
        told = isinstance(node, ast.Call) and node.func
        name = getattr(raised or told, "id", "")
        if name not in {"ValueError", "_CellFaultError", "Unread"}:
            continue
        call = node.exc if isinstance(node, ast.Raise) else node
        for argument in call.args:  # type: ignore[union-attr]  # it is a call
            for part in ast.walk(argument):
                if isinstance(part, ast.JoinedStr):
                    yield "".join(str(one.value) if isinstance(one, ast.Constant) else "9" for one in part.values)
                    break
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value:
                    yield part.value


@pytest.mark.parametrize("file", PUBLISHING)
def test_reason_of_a_publication_that_cannot_be_read_is_told_in_chinese(file: str) -> None:
    reasons = {one for one in said(file) if not one.startswith(ELSEWHERE) and not one.startswith("9")}
    assert reasons
    assert [one for one in reasons if reason_in_chinese(one) == one] == []


def test_reason_of_an_nginx_configuration_is_told_in_chinese() -> None:
    lines = (
        "server { listen 80; location / { proxy_pass http://backend; } }",
        "server { listen 80; proxy_pass http://10.0.0.5; }",
    )
    reasons = [one.reason for one in parse_nginx_conf(lines) if isinstance(one, Unread)]
    assert len(reasons) == 2
    assert [one for one in reasons if reason_in_chinese(one) == one] == []


def test_reason_nobody_translated_stays_as_it_is() -> None:
    assert reason_in_chinese("a wholly new reason") == "a wholly new reason"
