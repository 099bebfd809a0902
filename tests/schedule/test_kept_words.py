"""What may be shown of a row that names what stays out, and what is still asked for."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from sentinel.collect.gate import parse_target
from sentinel.model.register import KeepOut
from sentinel.model.scope import Authorisation, Level
from sentinel.schedule.keep_out import build_kept_out
from sentinel.schedule.kept_words import Kept, join_state, show_prefixes, show_targets
from sentinel.schedule.scanning import read_scannable
from sentinel.store.declared import write_keep_out
from sentinel.store.scopes import write_authorisation
from tests.homes import NOW, SCHOOL, opened

KEPT = build_kept_out([ip_network("10.1.0.4/31"), ip_network("10.9.0.0/16")])


@pytest.mark.parametrize(
    ("texts", "line", "kept"),
    [
        ((), "", Kept.NONE),
        (("10.1.0.6",), "10.1.0.6", Kept.NONE),
        (("10.1.0.5",), "（已排除）", Kept.WHOLE),
        (("10.1.0.4/31", "10.9.3.0/24"), "（已排除）", Kept.WHOLE),
        (("10.1.0.0/24",), "10.1.0.0/24", Kept.PART),
        (("10.1.0.5", "10.1.0.6"), "10.1.0.6、（已排除）", Kept.PART),
        (("www.school.example", "10.1.0.5"), "www.school.example、（已排除）", Kept.PART),
    ],
)
def test_row_is_shown_without_what_stays_out(texts: tuple[str, ...], line: str, kept: Kept) -> None:
    shown = show_targets(KEPT, map(parse_target, texts))
    assert (shown.line, shown.kept) == (line, kept)


def test_state_says_why_a_row_has_no_effect() -> None:
    shown = show_prefixes(KEPT, [ip_network("10.9.1.0/24")])
    assert join_state("有效", shown.kept) == "地址已排除，不生效"
    assert join_state("有效", Kept.PART) == "有效，部分地址已排除"
    assert join_state("有效", show_prefixes(build_kept_out([]), [ip_network("10.9.1.0/24")]).kept) == "有效"


def test_cycle_asks_for_nothing_that_stays_out_as_a_whole(tmp_path: Path) -> None:
    def sign(*texts: str, level: Level = Level.SERVICE) -> Authorisation:
        until = NOW + timedelta(days=1)
        return Authorisation(0, SCHOOL.code, tuple(map(parse_target, texts)), "办", "文", NOW, until, level)

    with opened(tmp_path / "home") as context:
        with context.database.transaction("tester", NOW, objects=True) as transaction:
            write_authorisation(transaction, sign("10.1.0.5", "10.1.0.0/24", "*.school.example", "www.school.example"))
            write_authorisation(transaction, sign("10.1.0.0/24", "10.1.0.9"))
            write_authorisation(transaction, sign("10.2.0.0/24", level=Level.PASSIVE))
            write_keep_out(transaction, KeepOut(0, SCHOOL.code, (ip_network("10.1.0.4/31"),), "按规定"))
        assert read_scannable(context, SCHOOL) == ["10.1.0.0/24", "www.school.example", "10.1.0.9"]
