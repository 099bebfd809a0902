"""A department that moves comes under the keep-outs of its new school, as if they had been declared there."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path

import pytest

from sentinel.errors import UsageError
from sentinel.model.evidence import RunKind
from sentinel.model.register import KeepOut
from sentinel.model.unit import Network, Unit, UnitLevel, Zone
from sentinel.schedule.context import Context
from sentinel.schedule.declaring import change_declared, move_unit
from sentinel.schedule.importing import take_file
from sentinel.schedule.intake import Origin, take_in
from sentinel.schedule.reading import read_map
from sentinel.schedule.removal import Removed
from sentinel.schedule.unit_import import import_units
from sentinel.store.declared import read_campus, write_keep_out
from sentinel.store.register import read_register
from sentinel.store.units import find_unit, write_network, write_unit
from tests.cli.written import host, nmap, service
from tests.homes import NOW, SCHOOL, opened

ROOM = Unit("room", "信息处", UnitLevel.DEPARTMENT, parent=SCHOOL.code)
LAB = Unit("lab", "实验室", UnitLevel.DEPARTMENT, parent="room")
OTHER = Unit("other", "另一学校")


def plant(context: Context, tmp_path: Path) -> None:
    """Give the first school a department with another below it, which saw two hosts; the other school keeps one out."""
    with context.database.transaction("tester", NOW, objects=True) as transaction:
        for unit in (ROOM, LAB, OTHER):
            write_unit(transaction, unit)
        write_keep_out(transaction, KeepOut(0, OTHER.code, (ip_network("10.1.0.5/32"),), "按规定"))
    sheet = tmp_path / "台账.csv"
    sheet.write_text("系统名称,IP地址\n教务系统,10.1.0.5\n网站,10.1.0.9\n", encoding="utf-8")
    text = nmap(host("10.1.0.5", service(22, "ssh")), host("10.1.0.9", service(22, "ssh"))).encode()
    for unit in (ROOM, LAB):
        take_file(context, unit, sheet, "inside")
        take_in(context, unit, BytesIO(text), Origin("a.xml", RunKind.IMPORT, "inside"))


def move(context: Context, above: Unit) -> tuple[Unit, Removed]:
    return move_unit(context, get(context, "room"), get(context, above.code), NOW, "文号")


def get(context: Context, code: str) -> Unit:
    found = find_unit(context.database, code)
    assert found is not None
    return found


def seen(context: Context, unit: Unit) -> list[str]:
    return [str(row.endpoint.key.address) for row in read_map(context, unit)]


def told(context: Context, unit: Unit) -> list[str]:
    return [str(prefix) for one in read_register(context.database, unit.code) for prefix in one.addresses]


def test_department_that_moves_loses_what_stays_out_of_its_new_school_with_all_below_it(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        plant(context, tmp_path)
        moved, gone = move(context, OTHER)
        assert moved.path == "other/room"
        for unit in (ROOM, LAB):
            assert seen(context, unit) == ["10.1.0.9"]
            assert told(context, unit) == ["10.1.0.9/32"]
        assert (gone.hosts, gone.lines) == (2, 2)
        # back under its first school nothing stays out: the evidence counts again, the lines stay withdrawn
        move(context, SCHOOL)
        assert seen(context, ROOM) == ["10.1.0.5", "10.1.0.9"]
        assert told(context, ROOM) == ["10.1.0.9/32"]


def test_department_that_moves_brings_its_own_keep_outs_to_its_new_school(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        plant(context, tmp_path)
        text = nmap(host("10.1.0.9", service(22, "ssh"))).encode()
        take_in(context, OTHER, BytesIO(text), Origin("b.xml", RunKind.IMPORT, "inside"))
        with context.database.transaction("tester", NOW) as transaction:
            write_keep_out(transaction, KeepOut(0, LAB.code, (ip_network("10.1.0.9/32"),), "按规定"))
        move(context, OTHER)
        assert seen(context, OTHER) == seen(context, ROOM) == []


def test_department_whose_network_would_stay_out_as_a_whole_is_not_moved(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        plant(context, tmp_path)
        network = Network(0, "lab", "lan", Zone.SERVER, (ip_network("10.1.0.5/32"),))
        with context.database.transaction("tester", NOW, objects=True) as transaction:
            write_network(transaction, network)
        with pytest.raises(UsageError, match="network 'lan' of unit lab declares"):
            move(context, OTHER)
        assert get(context, "room").parent == SCHOOL.code
        assert seen(context, ROOM) == ["10.1.0.5", "10.1.0.9"]


def test_school_that_becomes_a_department_comes_under_the_keep_outs_above_it(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        plant(context, tmp_path)
        branch = Unit("branch", "分校", parent=OTHER.code)
        with context.database.transaction("tester", NOW, objects=True) as transaction:
            branch = write_unit(transaction, branch)
        text = nmap(host("10.1.0.5", service(22, "ssh"))).encode()
        take_in(context, branch, BytesIO(text), Origin("b.xml", RunKind.IMPORT, "inside"))
        changed = change_declared(context, branch, replace(branch, level=UnitLevel.DEPARTMENT, code="b2"))
        assert seen(context, changed) == []


def test_list_that_moves_a_department_takes_out_what_stays_out_there(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        plant(context, tmp_path)
        sheet = tmp_path / "名单.csv"
        sheet.write_text("单位代码,单位名称,上级单位\nroom,信息处,other\n", encoding="utf-8")
        done = import_units(context, sheet, NOW)
        assert [after.parent for _, after in done.plan.changed] == ["other"]
        assert seen(context, ROOM) == seen(context, LAB) == ["10.1.0.9"]
        assert told(context, LAB) == ["10.1.0.9/32"]


def test_campus_is_a_school_with_departments_of_departments_and_no_school_below(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as context:
        plant(context, tmp_path)
        with context.database.transaction("tester", NOW, objects=True) as transaction:
            write_unit(transaction, Unit("branch", "分校", parent=SCHOOL.code))
            write_unit(transaction, Unit("desk", "教务处", UnitLevel.DEPARTMENT, parent="branch"))
        assert [one.code for one in read_campus(context.database, "lab")] == [SCHOOL.code, "room", "lab"]
        assert [one.code for one in read_campus(context.database, "desk")] == ["branch", "desk"]
        assert read_campus(context.database, "absent") == ()
