from __future__ import annotations

from dataclasses import replace

from sentinel.store.home import Home
from sentinel.store.mappings import KeptMapping, read_mappings, remove_mapping, write_mapping
from tests.homes import NOW, opened

ONE = KeptMapping("register", ("系统名称", "", "甲"), {"甲": "address", "乙": ""}, NOW)


def test_correction_when_kept_is_read_the_same_and_replaced_for_the_same_heads(home: Home) -> None:
    with opened(home.path, server=home.server) as context:
        other = replace(ONE, purpose="report")
        for one in (ONE, other, replace(ONE, columns={"甲": "note"})):
            with context.database.transaction("tester", NOW) as transaction:
                write_mapping(transaction, "school", one)
                transaction.audit("mapping.set", "test")
        assert read_mappings(context.database, "school") == (replace(ONE, columns={"甲": "note"}), other)
        assert read_mappings(context.database, "elsewhere") == ()
        with context.database.transaction("tester", NOW) as transaction:
            remove_mapping(transaction, "school", ONE)
            transaction.audit("mapping.forget", "test")
        assert read_mappings(context.database, "school") == (other,)
