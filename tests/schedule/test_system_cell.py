from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.schedule.columns import Field
from sentinel.schedule.register_reasons import reason_in_chinese
from sentinel.schedule.system_cell import Value, parse_cell
from sentinel.schedule.system_fields import BY_FIELD, SYSTEM_FIELDS, SystemField
from sentinel.schedule.vocabularies import REGISTER, WORDS


@pytest.mark.parametrize(
    ("what", "text", "value"),
    [
        (Field.BUSINESS_LEVEL, "第三级（S3A2）", 3),
        (Field.BUSINESS_LEVEL, "２", 2),
        (Field.BUSINESS_LEVEL, "未定级", None),
        (Field.GRADED_ON, "2025年3月", date(2025, 3, 1)),
        (Field.GRADED_ON, "45352", date(2024, 3, 1)),
        (Field.VALID_TO, "2025-01-01 至 2026-12-31", date(2026, 12, 31)),
        (Field.VALID_TO, "长期", None),
        (Field.VALID_FROM, "2025-01-01 至 2026-12-31", date(2025, 1, 1)),
        (Field.EXPERT, "√", True),
        (Field.EXPERT, "未评审", False),
        (Field.PERSONAL_COUNT, "约1.2万人", 12000),
        (Field.PERSONAL_COUNT, "12,000", 12000),
        (Field.RATE, "0.825", 82.5),
        (Field.RATE, "1", 100.0),
        (Field.RATE, "82.5 %", 82.5),
        (Field.RATE, "0.5%", 0.5),
        (Field.DATA_GRADE, "核心数据", "核心"),
        (Field.CRYPTO, "通过", "已通过"),
        (Field.RESULT, " 基本符合 ", "基本符合"),
        (Field.LEADER_PHONE, "0371－60000000 转 12", "0371-60000000 转 12"),
        (Field.SCOPE, " 全校师生 ", "全校师生"),
    ],
)
def test_cell_of_every_kind_is_read(what: Field, text: str, value: Value) -> None:
    assert parse_cell(BY_FIELD[what], text) == value


@pytest.mark.parametrize("told", BY_FIELD.values(), ids=lambda one: one.what.value)
@given(text=st.one_of(st.text(max_size=40), st.from_regex(r"[0-9,.%万号\-京ICP备公网安教A-]{1,60}", fullmatch=True)))
def test_cell_with_any_text_is_read_or_named_and_never_repeated(told: SystemField, text: str) -> None:
    try:
        parse_cell(told, text)
    except ValueError as error:
        reason = str(error)
        assert "\n" not in reason
        assert reason_in_chinese(reason) != reason
        assert len(text.strip()) < 6 or text.strip() not in reason


def test_every_field_has_one_word_and_no_title_means_two_things() -> None:
    words = [one.word for one in SYSTEM_FIELDS]
    assert len(set(words)) == len(words)
    own = [title for one in SYSTEM_FIELDS if one.titles for title in (one.word.lower(), *one.titles.split())]
    assert len(set(own)) == len(own), sorted(title for title in own if own.count(title) > 1)
    assert all(
        REGISTER.strong[title] is one.what for one in SYSTEM_FIELDS if one.titles for title in one.titles.split()
    )
    assert all(WORDS[one.what] for one in SYSTEM_FIELDS)
