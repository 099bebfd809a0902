"""A cell of a system's field in; its value out, or what is wrong with it and what to write."""

from __future__ import annotations

import re
from datetime import date

from sentinel.inventory.filing import parse_app_filing, parse_filing, parse_icp, parse_police
from sentinel.observe.table import fold_width
from sentinel.schedule.columns import Field
from sentinel.schedule.persons import MAIL
from sentinel.schedule.register_row import read_days
from sentinel.schedule.system_fields import Kind, SystemField

Value = str | int | float | bool | date | None

FAULT = re.compile(r"#(?:REF!|N/A|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|GETTING_DATA)", re.IGNORECASE)
"""What a formula that failed leaves in its cell. Source: ECMA-376, 18.18.11."""

MAX_NAME, MAX_TEXT = 120, 500
"""Characters of a name and of any other text; a longer one is at fault, not cut."""

_LEVEL = re.compile(r"(?:等保|第|定为)?([1-5一二三四五])级?(?:\([^()]*\))?")
_UNGRADED = frozenset({"未定级", "不定级", "无需定级", "未评定", "定级中", "待定级"})
_DIGITS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5}
_YES = frozenset({"是", "有", "已", "已完成", "通过", "已通过", "y", "yes", "true", "√", "1", "已审批", "已评审"})
_NO = frozenset({"否", "无", "未", "没有", "不是", "未完成", "n", "no", "false", "×", "x", "0", "未审批", "未评审"})
_COUNT = re.compile(r"约?(\d{1,3}(?:,\d{3})+|\d{1,11})(\.\d{1,4})?(万)?[人条个项名]?(?:左右)?", re.ASCII)
_RATE = re.compile(r"(\d{1,3}(?:\.\d{1,9})?)\s*(%|分)?", re.ASCII)
_PHONE = re.compile(r"[+()\d\s/、,;转分机内线短号:.-]+")
_PARSERS = {
    Kind.FILING: parse_filing,
    Kind.ICP: parse_icp,
    Kind.POLICE: parse_police,
    Kind.APP: parse_app_filing,
}


def parse_cell(told: SystemField, text: str) -> Value:
    """Read what stands in a cell of a field; None where it says that there is nothing to tell.

    Raises:
        ValueError: it cannot stand there; the message does not repeat it.
    """
    if FAULT.fullmatch(text.strip()):
        raise ValueError("a formula that failed: write the value itself")
    plain = fold_width(text).strip()
    if told.kind in _PARSERS:
        return _PARSERS[told.kind](plain)
    match told.kind:
        case Kind.LEVEL:
            return _parse_level(plain)
        case Kind.DAY:
            return _parse_day(told, plain)
        case Kind.YES_NO:
            return _parse_yes_no(plain)
        case Kind.COUNT:
            return _parse_count(plain)
        case Kind.RATE:
            return _parse_rate(plain)
        case Kind.CHOICE:
            return _parse_choice(told, plain)
        case Kind.PHONE:
            return _parse_phone(plain)
        case Kind.MAIL:
            return _parse_mail(plain)
    return _parse_text(told, text.strip())


def _parse_level(plain: str) -> int | None:
    if plain in _UNGRADED:
        return None
    found = _LEVEL.fullmatch("".join(plain.split()))
    if found is None:
        raise ValueError("no level from 1 to 5 (write 二级 or 2; leave it blank where there is none)")
    return _DIGITS.get(found[1]) or int(found[1])


def _parse_text(told: SystemField, text: str) -> str:
    most = MAX_NAME if told.what is Field.SYSTEM else MAX_TEXT
    if len(text) > most:
        raise ValueError(f"longer than {most} characters")
    return text


def _parse_day(told: SystemField, plain: str) -> date | None:
    days = read_days(plain)
    if told.what is Field.VALID_TO:
        return days[-1][1] if days else None
    if len(days) > 1 and told.what is not Field.VALID_FROM:
        raise ValueError("two dates where one day belongs")
    return days[0][0] if days else None


def _parse_yes_no(plain: str) -> bool:
    word = plain.lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError("neither yes nor no (write 是 or 否)")


def _parse_count(plain: str) -> int:
    found = _COUNT.fullmatch("".join(plain.split()))
    number = float(found[1].replace(",", "") + (found[2] or "")) * (10_000 if found[3] else 1) if found else -1
    if number < 0 or abs(number - round(number)) > 1e-6 or number > 1e10:
        raise ValueError("no whole number (write 12000 or 1.2万)")
    return round(number)


def _parse_rate(plain: str) -> float:
    found = _RATE.fullmatch(plain)
    rate = float(found[1]) if found else -1.0
    if found and not found[2] and rate <= 1:
        rate = round(rate * 100, 4)  # a cell formatted as percent holds 0.825
    if not 0 <= rate <= 100:
        raise ValueError("no rate from 0 to 100 (write 82.5)")
    return rate


def _parse_choice(told: SystemField, plain: str) -> str:
    word = "".join(plain.split()).lower()
    found = next((one for one in told.choices if "".join(one.split()).lower() == word), None)
    if found is None:
        found = next((one for one in told.choices if word in {f"{one}数据", f"{one}级"} or one == f"已{word}"), None)
    if found is None:
        raise ValueError(f"none of {'、'.join(told.choices)}")
    return found


def _parse_phone(plain: str) -> str:
    if not _PHONE.fullmatch(plain) or not 3 <= sum(one.isdigit() for one in plain) <= 40:
        raise ValueError("no phone number (write 0371-60000000)")
    return plain


def _parse_mail(plain: str) -> str:
    if not MAIL.fullmatch(plain):
        raise ValueError("no mail address (write name@school.example)")
    return plain
