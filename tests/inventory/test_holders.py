from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from sentinel.inventory.holders import Owners, RegisterIndex, read_subject
from tests.inventory.test_reconcile import NOW, PAST, line

REGISTER = (
    line(1, "10.0.0.0/8", department="信息中心"),
    line(2, "10.0.0.0/24", department="后勤处"),
    line(3, "10.0.0.5", "443", department="教务处"),
    line(4, "10.0.0.5", "6379", department="图书馆"),
    line(5, "www.school.example", department="宣传部"),
    line(6, "10.0.0.6", department="已撤部门", valid_to=PAST),
    line(7, "10.0.0.6", department="现任部门"),
    line(8, "10.0.0.7"),
    line(9, "2001:db8::/64", department="网络部"),
)


@pytest.mark.parametrize(
    ("subject", "department"),
    [
        ("10.0.0.5:443/tcp", "教务处"),
        ("10.0.0.5:6379/tcp", "图书馆"),
        ("10.0.0.5:22/tcp", "教务处"),
        ("10.0.0.5", "教务处"),
        ("10.0.0.5 stratum", "教务处"),
        ("10.0.0.6", "现任部门"),
        ("10.0.0.7:80/tcp", "后勤处"),
        ("10.0.0.9:80/tcp", "宣传部"),
        ("10.9.9.9", "信息中心"),
        ("[2001:db8::1]:22/tcp", "网络部"),
        ("2001:db8::1:22/tcp", "网络部"),
        ("www.School.example", "宣传部"),
        ("192.0.2.1", ""),
        ("school", ""),
        ("999.0.0.1:80/tcp", ""),
    ],
)
def test_department_when_asked_then_the_closest_line_that_tells_one_answers(subject: str, department: str) -> None:
    owners = Owners(RegisterIndex(REGISTER), {ip_address("10.0.0.9"): ("www.school.example",)}, NOW)
    assert owners.department(subject) == department


def test_department_when_only_an_expired_line_holds_it_then_that_one_answers() -> None:
    owners = Owners(RegisterIndex((replace(REGISTER[5]),)), {}, NOW)
    assert owners.department("10.0.0.6:80/tcp") == "已撤部门"


@pytest.mark.parametrize("subject", ["", "::", "1:2:3/tcp", "a" * 10_000, "10.0.0.5:999999/tcp"])
def test_read_subject_when_it_is_odd_then_nothing_breaks(subject: str) -> None:
    address, _, _ = read_subject(subject)
    assert address is None or str(address) in subject
