"""What a unit is (学校类别) and the codes it carries: words and codes as people write them in, checked values out."""

from __future__ import annotations

import re
from enum import StrEnum


class UnitKind(StrEnum):
    """The kind of a unit (学校类别); the value is the English word."""

    UNKNOWN = ""
    KINDERGARTEN = "kindergarten"
    PRIMARY = "primary"
    JUNIOR = "junior"
    SENIOR = "senior"
    COMPLETE = "complete"
    NINE_YEAR = "nine_year"
    TWELVE_YEAR = "twelve_year"
    VOCATIONAL = "vocational"
    SPECIAL = "special"
    UNIVERSITY = "university"
    BUREAU = "bureau"
    AFFILIATED = "affiliated"
    OTHER = "other"

    @property
    def zh(self) -> str:
        """The word on Chinese papers; empty where the kind is not known."""
        return _WORDS[self].split()[0] if self else ""


_WORDS = {
    UnitKind.KINDERGARTEN: "幼儿园 附设幼儿班 托儿所",
    UnitKind.PRIMARY: "小学 小学教学点 教学点 附设小学班",
    UnitKind.JUNIOR: "初中 初级中学 职业初中 附设普通初中班",
    UnitKind.SENIOR: "高中 高级中学 普通高中",
    UnitKind.COMPLETE: "完全中学 中学",
    UnitKind.NINE_YEAR: "九年一贯制学校 九年一贯制",
    UnitKind.TWELVE_YEAR: "十二年一贯制学校 十二年一贯制",
    UnitKind.VOCATIONAL: (
        "中职 中等职业学校 中职学校 职业高中 职业高中学校 职高 普通中专 中专 成人中专 "
        "调整后中等职业学校 技工学校 技校 中等技术学校 中等师范学校"
    ),
    UnitKind.SPECIAL: "特殊教育学校 特殊教育 特教学校 盲人学校 聋人学校 培智学校 其他特教学校 工读学校 专门学校",
    UnitKind.UNIVERSITY: (
        "高校 高等学校 普通高等学校 大学 学院 独立学院 本科 高职 高职高专 专科 高等专科学校 高等职业学校 "
        "成人高等学校 成人高校 本科层次职业学校 职业技术大学"
    ),
    UnitKind.BUREAU: "教育局 教育厅 教育委员会 教委 教育行政部门 教体局 教育体育局 教育主管部门 主管部门",
    UnitKind.AFFILIATED: "直属单位 直属事业单位 事业单位 电教馆 教研室 信息中心 教育技术装备中心 考试院 招生办",
    UnitKind.OTHER: "其他 其它",
}
_BY_WORD = {word: kind for kind, words in _WORDS.items() for word in (*words.split(), kind.value)}


def parse_kind(text: str) -> UnitKind:
    """Read a kind by its Chinese or English word.

    Raises:
        ValueError: it is none of the words.
    """
    word = "".join(text.split()).lower()
    found = _BY_WORD.get(word)
    if found is None:
        words = "、".join(kind.zh for kind in UnitKind if kind)
        raise ValueError(f"no such kind of unit ({words})")
    return found


_UNIT_CODE = re.compile(r"[0-9]{10}")
_CREDIT_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_REGION_CODE = re.compile(r"[0-9]{6}")
_PROVINCES = frozenset(
    (
        *("11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37"),
        *("41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54"),
        *("61", "62", "63", "64", "65", "71", "81", "82"),
    )
)
"""First two figures of a region. Source: GB/T 2260, codes of provinces."""


def is_unit_code(text: str) -> bool:
    """Tell whether a text is a 10-digit code of a school or institution (学校(机构)标识码)."""
    return _UNIT_CODE.fullmatch(text) is not None


def check_credit_code(text: str) -> str:
    """Give a unified social credit code (统一社会信用代码) in capitals.

    Source: GB 32100-2015: 18 characters of 31, each but the last weighted by 3 to the power of its place, modulo 31.

    Raises:
        ValueError: its length, a letter or its check character is wrong.
    """
    code = text.strip().upper()
    if len(code) != 18:
        raise ValueError(f"a credit code has 18 characters, not {len(code)}")
    if any(letter not in _CREDIT_LETTERS for letter in code):
        raise ValueError("a credit code has figures and capitals without I, O, S, V and Z")
    total = sum(_CREDIT_LETTERS.index(letter) * pow(3, place, 31) for place, letter in enumerate(code[:17]))
    if _CREDIT_LETTERS[-total % 31] != code[17]:
        raise ValueError("the check character of the credit code is wrong: a figure was mistyped")
    return code


def is_region_code(text: str) -> bool:
    """Tell whether a text is a 6-digit code of a place; the first two figures must be a province's."""
    return _REGION_CODE.fullmatch(text) is not None and text[:2] in _PROVINCES


def check_region(text: str) -> str:
    """Give a region: a 6-digit code, or the name of a place.

    Raises:
        ValueError: it is written in figures and no code.
    """
    region = " ".join(text.split())
    if not region.isprintable() or len(region) > 60:
        raise ValueError("a region is a 6-digit code or a name of at most 60 characters")
    if region.isascii() and region.isdigit() and not is_region_code(region):
        raise ValueError("a region code has 6 digits and begins with a province's (GB/T 2260)")
    return region
