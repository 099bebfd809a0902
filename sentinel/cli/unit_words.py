"""How a unit is described on the command line and shown: options, checks, words for people and for JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from sentinel.cli.output import print_note
from sentinel.errors import UsageError
from sentinel.model.unit import Unit
from sentinel.model.unit_kind import check_credit_code, check_region, is_unit_code, parse_kind

LEVEL_WORDS = {"province": "省", "city": "市", "county": "县", "school": "学校", "department": "二级单位"}
MAX_WORD, MAX_ALIASES = 60, 20

RegionOption = Annotated[
    str | None, typer.Option("--region", help="所在地（属地）：6 位行政区划代码或地名", show_default=False)
]
KindOption = Annotated[
    str | None,
    typer.Option(
        "--kind", help="学校类别：幼儿园、小学、初中、高中、中职、高校、教育局、直属单位等", show_default=False
    ),
]
CreditOption = Annotated[
    str | None, typer.Option("--credit", help="统一社会信用代码，18 位，核对校验码", show_default=False)
]
AffiliationOption = Annotated[
    str | None, typer.Option("--affiliation", help="举办者、隶属关系，如 地方公办", show_default=False)
]
AliasOption = Annotated[
    list[str] | None, typer.Option("--alias", help="别名，可多次；代替原有的，空为清除", show_default=False)
]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="公网网段自何日起归本单位，默认现在", show_default=False)
]


def describe(
    unit: Unit,
    region: str | None,
    kind: str | None,
    credit: str | None,
    affiliation: str | None,
    alias: list[str] | None,
) -> Unit:
    """Give a unit with what options say of it; None says nothing, an empty text takes away.

    Raises:
        UsageError: one of them cannot be read.
    """
    try:
        wanted = replace(
            unit,
            region=unit.region if region is None else check_region(region),
            kind=unit.kind if kind is None else parse_kind(kind) if kind.strip() else type(unit.kind)(""),
            credit=unit.credit if credit is None else check_credit_code(credit) if credit.strip() else "",
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    if affiliation is not None:
        wanted = replace(wanted, affiliation=_read_word(affiliation, "--affiliation"))
    if alias is not None:
        names = tuple(dict.fromkeys(filter(None, (_read_word(one, "--alias") for one in alias))))
        if len(names) > MAX_ALIASES:
            raise UsageError(f"--alias: at most {MAX_ALIASES}")
        wanted = replace(wanted, aliases=names)
    return wanted


def _read_word(text: str, option: str) -> str:
    word = text.strip()
    if len(word) > MAX_WORD or not word.isprintable():
        raise UsageError(f"{option}: at most {MAX_WORD} printable characters")
    return word


def note_code(code: str) -> None:
    """Say on standard error that a code is not the 10-digit one upper units ask for; it is taken all the same."""
    if not is_unit_code(code):
        print_note(f"注意：{code} 不是 10 位学校（机构）标识码，已照写；取得标识码后 sentinel unit set --code 代码")


def build_unit_words(one: Unit) -> dict[str, object]:
    """Write a unit as plain values, for JSON."""
    return {
        "code": one.code,
        "name": one.name,
        "level": one.level,
        "parent": one.parent,
        "path": one.path,
        "region": one.region,
        "kind": one.kind,
        "credit": one.credit,
        "affiliation": one.affiliation,
        "aliases": list(one.aliases),
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "since": one.since,
    }
