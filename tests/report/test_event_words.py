from __future__ import annotations

import pytest

from sentinel.report.event_words import event_reason


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("first seen", "首次发现"),
        ("re-test failed", "复测未通过"),
        ("closed by its issuer", "由通报单位销号"),
        ("closed by its issuer: 已提交报告", "由通报单位销号：已提交报告"),
        ("ordered by 整改-2026-0001", "已下达整改通知书：整改-2026-0001"),
        ("notice 7号", "与通报关联：7号"),
        ("reply of 任务-2026-0001", "任务答复已整改：任务-2026-0001"),
        ("return of 任务-2026-0001", "任务答复被退回：任务-2026-0001"),
        ("withdraw of 任务-2026-0001", "任务已撤回：任务-2026-0001"),
    ],
)
def test_event_reason_when_kept_by_the_program_then_it_is_told_in_chinese(kept: str, told: str) -> None:
    assert event_reason(kept).zh == told
    assert event_reason(kept).en == kept


@pytest.mark.parametrize("words", ["", "厂家已确认", "accepted until the summer"])
def test_event_reason_when_a_person_wrote_it_then_it_stays(words: str) -> None:
    assert event_reason(words).zh == words
