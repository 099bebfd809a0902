"""Numbers of filings and licences as people write them in; their one form out, or what is wrong with them."""

from __future__ import annotations

import re
from typing import Final

PROVINCES: Final = {
    "11": "北京", "12": "天津", "13": "河北", "14": "山西", "15": "内蒙古", "21": "辽宁", "22": "吉林", "23": "黑龙江",
    "31": "上海", "32": "江苏", "33": "浙江", "34": "安徽", "35": "福建", "36": "江西", "37": "山东", "41": "河南",
    "42": "湖北", "43": "湖南", "44": "广东", "45": "广西", "46": "海南", "50": "重庆", "51": "四川", "52": "贵州",
    "53": "云南", "54": "西藏", "61": "陕西", "62": "甘肃", "63": "青海", "64": "宁夏", "65": "新疆", "71": "台湾",
    "81": "香港", "82": "澳门",
}  # fmt: skip
"""First two digits of an administrative code. Source: GB/T 2260-2007."""

_LETTERS: Final = {
    "京": "11", "津": "12", "冀": "13", "晋": "14", "蒙": "15", "辽": "21", "吉": "22", "黑": "23", "沪": "31",
    "苏": "32", "浙": "33", "皖": "34", "闽": "35", "赣": "36", "鲁": "37", "豫": "41", "鄂": "42", "湘": "43",
    "粤": "44", "桂": "45", "琼": "46", "渝": "50", "川": "51", "蜀": "51", "黔": "52", "贵": "52", "滇": "53",
    "云": "53", "藏": "54", "陕": "61", "秦": "61", "甘": "62", "陇": "62", "青": "63", "宁": "64", "新": "65",
}  # fmt: skip
"""The one-letter names of provinces, by their digits."""

_WIDE: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | dict.fromkeys(
    map(ord, "‐‑‒–—―−"), "-"
)  # full width and the dashes of Chinese keyboards
_FILING: Final = re.compile(r"([0-9]{11})-?([0-9]{5})")
_ICP: Final = re.compile(r"([一-鿿])ICP([备证])([0-9]{6,10})号?(-[0-9]{1,4})?", re.IGNORECASE)
_POLICE: Final = re.compile(r"([一-鿿])公网安备([0-9]{14})号?")
_APP: Final = re.compile(r"教APP备([0-9]{7})号?", re.IGNORECASE)


def parse_filing(text: str) -> str:
    """Give the number of a graded-protection filing as `41010012345-00001`.

    The agency that issued it cannot be told from it with certainty, so its digits are checked for a province only.

    Source: the filing form's notes: 6 digits of the agency, 5 of the unit, 5 of the system.

    Raises:
        ValueError: it has another shape, or begins with no province.
    """
    found = _FILING.fullmatch(_fold(text))
    if found is None:
        raise ValueError("no filing number (11 digits, a dash and 5 digits, e.g. 41010012345-00001)")
    if found[1][:2] not in PROVINCES:
        raise ValueError("a filing number whose first two digits are no province (41 is Henan, 22 is Jilin)")
    return f"{found[1]}-{found[2]}"


def parse_icp(text: str) -> str:
    """Give the number of an ICP filing as `豫ICP备12345678号-1`.

    Raises:
        ValueError: it has another shape, or begins with no province.
    """
    found = _ICP.fullmatch(_fold(text))
    if found is None or found[1] not in _LETTERS:
        raise ValueError("no ICP number (e.g. 豫ICP备12345678号-1)")
    return f"{found[1]}ICP{found[2]}{found[3]}号{found[4] or ''}"


def parse_police(text: str) -> str:
    """Give the number of a filing with the police as `豫公网安备41010002000001号`.

    Raises:
        ValueError: it has another shape, or its letter and its digits name different provinces.
    """
    found = _POLICE.fullmatch(_fold(text))
    if found is None or found[1] not in _LETTERS:
        raise ValueError("no police filing number (e.g. 豫公网安备41010002000001号)")
    if _LETTERS[found[1]] != found[2][:2]:
        raise ValueError("a police filing number whose letter and digits name different provinces")
    return f"{found[1]}公网安备{found[2]}号"


def parse_app_filing(text: str) -> str:
    """Give the number of an education app filing as `教APP备4100001号`.

    Raises:
        ValueError: it has another shape, or begins with no province.
    """
    found = _APP.fullmatch(_fold(text))
    if found is None or found[1][:2] not in PROVINCES:
        raise ValueError("no number of an education app (e.g. 教APP备4100001号)")
    return f"教APP备{found[1]}号"


def filing_province(filing: str) -> str:
    """Name the province the digits of a filing point to: a hint, no proof of who issued it."""
    return PROVINCES.get(filing[:2], "")


def _fold(text: str) -> str:
    return "".join(text.translate(_WIDE).split())
