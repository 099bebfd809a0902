"""The rows of a sheet in; its head row, and which column says what, out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sentinel.observe.table import Sheet, TableRow, fold_width

HEAD_ROWS = 20
"""Rows from the top among which the head is looked for; a title, a unit and a date may stand above it."""


class Field(StrEnum):
    """What a column says, as far as a whitelist entry is made of it."""

    ADDRESS = "address"
    DOMAIN = "domain"
    PORTS = "ports"
    PROTOCOL = "protocol"
    SERVICE = "service"
    SYSTEM = "system"
    APPROVAL = "approval"
    VALID_FROM = "valid_from"
    VALID_TO = "valid_to"


_PLACES = frozenset({Field.ADDRESS, Field.DOMAIN})

# Titles without blanks and signs, lower case. The second of a pair counts only where a sheet has none of the first:
# `地址` beside `IP地址` is where the house stands.
_TITLES: dict[Field, tuple[str, str]] = {
    Field.ADDRESS: (
        (
            "ip ip地址 ipv4 ipv4地址 ipv6 ipv6地址 主机ip 主机地址 服务器ip 服务器地址 服务器ip地址 内网ip 内网地址 "
            "内网ip地址 公网ip 公网地址 公网ip地址 外网ip 外网地址 外网ip地址 互联网ip 互联网ip地址 网段 ip段 ip地址段 "
            "ipaddress ipaddresses hostaddress"
        ),
        "地址 address addresses host",
    ),
    Field.DOMAIN: (
        "域名 网站域名 系统域名 访问域名 主域名 域名地址 网址 访问网址 访问地址 url domain domains domainname fqdn",
        "hostname",
    ),
    Field.PORTS: ("端口 端口号 开放端口 服务端口 访问端口 使用端口 port ports openport openports portnumber", ""),
    Field.PROTOCOL: ("协议 协议类型 传输协议 通信协议 protocol proto", ""),
    Field.SERVICE: ("服务 服务名 服务协议 应用协议 service servicename", ""),
    Field.SYSTEM: (
        (
            "系统名称 信息系统 信息系统名称 业务系统 业务系统名称 应用系统 应用系统名称 网站名称 应用名称 资产名称 "
            "system systemname application"
        ),
        "名称 系统 用途 用途说明 业务用途 name purpose reason",
    ),
    Field.APPROVAL: ("审批人 批准人 审批部门 批准部门 审批单位 批准单位 审批 批准 approvedby approver approval", ""),
    Field.VALID_FROM: ("生效日期 生效时间 启用日期 启用时间 开始日期 validfrom startdate", ""),
    Field.VALID_TO: (
        (
            "有效期 有效期至 有效期限 有效日期 失效日期 失效时间 到期日期 到期时间 到期日 截止日期 截止时间 "
            "validto validuntil expiry expires expirydate expirationdate until"
        ),
        "",
    ),
}
_STRONG = {title: field for field, (first, _) in _TITLES.items() for title in first.split()}
_WEAK = {title: field for field, (_, second) in _TITLES.items() for title in second.split()}

_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")
_OR = re.compile("[/或、]")
_SIGNS = re.compile(r"[\s*:/_\-.、]+")


@dataclass(frozen=True, slots=True)
class Head:
    """Where a sheet's head is and what its columns say.

    Attributes:
        row: number of the head row.
        columns: columns that say something, from 1, by what they say.
        titles: what stands over each of these columns.
    """

    row: int
    columns: dict[Field, tuple[int, ...]]
    titles: dict[int, str]

    def first(self, *fields: Field) -> int:
        """Give the leftmost column of the first of these fields the sheet has; 0 when it has none."""
        return next((self.columns[field][0] for field in fields if field in self.columns), 0)


def find_head(sheet: Sheet) -> Head | None:
    """Find the row near the top in which most columns are known; None where none names an address or a domain.

    A title that stands over two rows of the head, or over several columns, counts for the cells below it that are
    blank.
    """
    best: Head | None = None
    for place, row in enumerate(sheet.rows[:HEAD_ROWS]):
        above = [one for one in sheet.rows[max(place - 2, 0) : place] if row.number - one.number <= 2]
        head = _read_head(row, above)
        if _PLACES & set(head.columns) and (best is None or len(head.titles) > len(best.titles)):
            best = head
    return best


def _read_head(row: TableRow, above: Sequence[TableRow]) -> Head:
    """Read a row as the head; a row of which no own cell is a known title is none."""
    width = max(len(one.cells) for one in (row, *above))
    titles = {}
    for column in range(1, width + 1):
        stack = [one.at(column).text for one in (row, *reversed(above))]
        titles[column] = next((text for text in stack if text), "")
    if not any(_find_field(cell.text, _STRONG | _WEAK) for cell in row.cells):
        return Head(row.number, {}, {})
    strong = {column: _find_field(title, _STRONG) for column, title in titles.items()}
    weak = {column: _find_field(title, _WEAK) for column, title in titles.items()}
    columns: dict[Field, tuple[int, ...]] = {}
    for field in Field:
        found = [column for column, one in strong.items() if one is field]
        found = found or [column for column, one in weak.items() if one is field]
        if found:
            columns[field] = tuple(found)
    said = {column for found in columns.values() for column in found}
    return Head(row.number, columns, {column: title for column, title in titles.items() if column in said})


def _find_field(title: str, known: dict[str, Field]) -> Field | None:
    """Give what a title says; one of two names (`域名/网址`) says something when both say the same."""
    clean = _BRACKETED.sub("", fold_width(title)).lower()
    whole = known.get(_SIGNS.sub("", clean))
    if whole is not None:
        return whole
    said = {known.get(_SIGNS.sub("", piece)) for piece in _OR.split(clean)}
    return said.pop() if len(said) == 1 else None
