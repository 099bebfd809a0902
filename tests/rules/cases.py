"""Cases of rule files as the fields of a subject."""

from __future__ import annotations

from ipaddress import ip_address

from sentinel.assess.fields import FIELDS, Kind
from sentinel.model.rule import Category, FieldValue


def case_fields(category: Category, case: dict) -> dict[str, FieldValue]:
    fields: dict[str, FieldValue] = {}
    for name, value in case.items():
        known = FIELDS[category][name]
        values = value if isinstance(value, list) else [value]
        read = tuple(ip_address(item) if known.kind is Kind.ADDRESS else item for item in values)
        fields[name] = read if known.many else read[0]
    return fields
