from __future__ import annotations

import pytest

from sentinel.model.register import Person


@pytest.mark.parametrize(
    ("person", "masked"),
    [
        (Person("张三丰", "13800001234", "zhang@school.example"), Person("张**", "138****1234", "z***@school.example")),
        (Person("张三", "0371-60000000", ""), Person("张*", "037****0000", "")),
        (Person("欧阳某某某", "8001", ""), Person("欧**", "****01", "")),
        (Person("张三", "13800001234", "zs@school.example"), Person("张*", "138****1234", "z***@school.example")),
        (Person("欧阳修之", "0371-60001234", ""), Person("欧**", "037****1234", "")),
        (Person("张", "8801", ""), Person("张*", "****01", "")),
        (Person(), Person()),
        (Person("张", "无", "x"), Person("张*", "****", "x***")),
    ],
)
def test_person_when_masked_shows_what_tells_one_from_another(person: Person, masked: Person) -> None:
    assert person.masked == masked
