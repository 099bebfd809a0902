"""The reason of a step in a finding's life, as it was kept, in; the same for people, in both languages, out."""

from __future__ import annotations

import re
from typing import Final

from sentinel.report.values import Text

_WHOLE: Final = {
    "first seen": "首次发现",
    "first reported": "首次报来",
    "reported again": "再次报来",
    "told": "登记",
    "told again": "再次登记",
    "came back": "复发",
    "exemption ended": "豁免到期",
    "proven gone by a later look": "再次核查，问题已不存在",
    "re-test passed": "复测通过",
    "re-test failed": "复测未通过",
    "declared to stay out": "已声明排除该地址",
}
_BEGUN: Final = (
    (re.compile(r"closed by its issuer(?:: (.+))?"), "由通报单位销号"),
    (re.compile(r"ordered by (.+)"), "已下达整改通知书"),
    (re.compile(r"notice (.+)"), "与通报关联"),
    (re.compile(r"reply of (.+)"), "任务答复已整改"),
    (re.compile(r"return of (.+)"), "任务答复被退回"),
    (re.compile(r"withdraw of (.+)"), "任务已撤回"),
)
"""How a reason begins whose end is a number or what a person wrote."""


def event_reason(reason: str) -> Text:
    """Give a reason for people; what a person wrote stays as it is."""
    if reason in _WHOLE:
        return Text(_WHOLE[reason], reason)
    for pattern, words in _BEGUN:
        if found := pattern.fullmatch(reason):
            return Text(f"{words}：{found[1]}" if found[1] else words, reason)
    return Text(reason, reason)
