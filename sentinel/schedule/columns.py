"""The rows of a sheet in; its head row, and which column says what, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sentinel.observe.table import Sheet, TableRow, fold_width
from sentinel.schedule.persons import hide_persons

HEAD_ROWS = 20
"""Rows from the top among which the head is looked for; a title, a unit and a date may stand above it."""


class Field(StrEnum):
    """What a column says: of a whitelist entry, a line of a register, a system, a flaw, a unit or a publication."""

    ADDRESS = "address"
    DOMAIN = "domain"
    PORTS = "ports"
    PROTOCOL = "protocol"
    SERVICE = "service"
    SYSTEM = "system"
    APPROVAL = "approval"
    VALID_FROM = "valid_from"
    VALID_TO = "valid_to"
    DEPARTMENT = "department"
    PERSON = "person"
    PHONE = "phone"
    MAIL = "mail"
    LEVEL = "mlps_level"
    FILING = "filing"
    KIND = "kind"
    PLACE = "place"
    NOTE = "note"
    CODE = "code"
    CLASSIFIED = "classified"
    PARENT = "parent"
    LEADER = "leader"
    LEADER_PHONE = "leader_phone"
    OPERATOR = "operator"
    OPERATOR_PERSON = "operator_person"
    OPERATOR_PHONE = "operator_phone"
    BUSINESS = "business"
    SCOPE = "scope"
    BUSINESS_LEVEL = "business_level"
    SERVICE_LEVEL = "service_level"
    GRADED_ON = "graded_on"
    AUTHORITY = "authority_approved"
    EXPERT = "expert_review"
    FILING_ISSUED = "filing_issued"
    FILING_EXPIRES = "filing_expires"
    ASSESSOR = "assessor"
    ASSESSED_ON = "assessed_on"
    RESULT = "assessment_result"
    RATE = "assessment_rate"
    MAJOR_RISKS = "major_risks"
    MAJOR_FIXED = "major_fixed"
    CII = "cii"
    DATA_GRADE = "data_grade"
    PERSONAL_COUNT = "personal_count"
    APP_FILING = "app_filing"
    ICP = "icp"
    POLICE = "police_filing"
    IPV6 = "ipv6"
    CRYPTO = "crypto"
    CRYPTO_ON = "crypto_on"
    INTERACTIVE = "interactive"
    HOSTING = "hosting"
    FLAW = "flaw"
    SEVERITY = "severity"
    SCORE = "score"
    CHECK = "check"
    REFERENCE = "reference"
    SOLUTION = "solution"
    FOUND = "found"
    STATUS = "status"
    UNIT_CODE = "unit_code"
    UNIT_NAME = "unit_name"
    UNIT_PARENT = "unit_parent"
    UNIT_LEVEL = "unit_level"
    REGION = "region"
    UNIT_KIND = "unit_kind"
    CREDIT = "credit"
    AFFILIATION = "affiliation"
    ALIASES = "aliases"
    OUTSIDE = "outside"
    OUTSIDE_PORT = "outside_port"
    INSIDE = "inside"
    INSIDE_PORT = "inside_port"
    VIA = "via"


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
TITLES: Mapping[Field, tuple[str, str]] = _TITLES


class Vocabulary:
    """The titles a kind of sheet is known by.

    Attributes:
        purpose: name of the kind, under which corrections are kept.
        fields: what its columns may say.
        places: fields of which a head must have one.
        words: what people call fields that other kinds of sheets have another word for.
    """

    def __init__(
        self,
        purpose: str,
        titles: Mapping[Field, tuple[str, str]],
        places: frozenset[Field],
        words: Mapping[Field, str] | None = None,
    ) -> None:
        self.purpose, self.fields, self.places, self.words = purpose, tuple(titles), places, dict(words or {})
        self.strong = {title: what for what, (first, _) in titles.items() for title in first.split()}
        self.weak = {title: what for what, (_, second) in titles.items() for title in second.split()}


WHITELIST = Vocabulary("whitelist", _TITLES, _PLACES)

Corrections = Callable[[tuple[str, ...]], Mapping[str, Field | None]]
"""What a person said of a sheet with these heads: by title without signs, what the column says; None: nothing."""

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
        unknown: titles of columns nobody understood, or that say nothing by correction.
        heads: all titles without signs, in order; what a sheet of the same form has too.
        corrected: columns a person said something of.
    """

    row: int
    columns: dict[Field, tuple[int, ...]]
    titles: dict[int, str]
    unknown: dict[int, str] = field(default_factory=dict)
    heads: tuple[str, ...] = ()
    corrected: frozenset[int] = frozenset()

    def first(self, *fields: Field) -> int:
        """Give the leftmost column of the first of these fields the sheet has; 0 when it has none."""
        return next((self.columns[what][0] for what in fields if what in self.columns), 0)


def find_head(sheet: Sheet, vocabulary: Vocabulary = WHITELIST, corrections: Corrections | None = None) -> Head | None:
    """Find the row near the top in which most columns are known; None where none says the place of anything.

    A title that stands over two rows of the head, or over several columns, counts for the cells below it that are
    blank.
    """
    best: Head | None = None
    for place, row in enumerate(sheet.rows[:HEAD_ROWS]):
        above = [one for one in sheet.rows[max(place - 2, 0) : place] if row.number - one.number <= 2]
        head = _read_head(row, above, vocabulary, corrections)
        if vocabulary.places & set(head.columns) and (best is None or len(head.titles) > len(best.titles)):
            best = head
    return best


def clean_title(title: str) -> str:
    """Give a title in half-width lower case, without signs and without what stands in brackets."""
    return _SIGNS.sub("", _BRACKETED.sub("", fold_width(hide_persons(title))).lower())


def _read_head(
    row: TableRow, above: Sequence[TableRow], vocabulary: Vocabulary, corrections: Corrections | None
) -> Head:
    """Read a row as the head; a row of which no own cell is a known title is none."""
    width = max(len(one.cells) for one in (row, *above))
    titles = {}
    for column in range(1, width + 1):
        stack = [one.at(column).text for one in (row, *reversed(above))]
        titles[column] = hide_persons(next((text for text in stack if text), ""))
    heads = tuple(clean_title(title) for title in titles.values())
    said = dict(corrections(heads)) if corrections else {}
    both = vocabulary.strong | vocabulary.weak
    if not any(_find_field(cell.text, both) or said.get(clean_title(cell.text)) for cell in row.cells):
        return Head(row.number, {}, {})
    strong = _choose(titles, vocabulary.strong, said)
    weak = _choose(titles, vocabulary.weak, dict.fromkeys(said))
    columns: dict[Field, tuple[int, ...]] = {}
    for what in vocabulary.fields:
        found = [column for column, one in strong.items() if one is what]
        found = found or [column for column, one in weak.items() if one is what and strong[column] is None]
        if found:
            columns[what] = tuple(found)
    known = {column for found in columns.values() for column in found}
    return Head(
        row.number,
        columns,
        {column: title for column, title in titles.items() if column in known},
        {column: title for column, title in titles.items() if title and column not in known},
        heads,
        frozenset(column for column, title in titles.items() if clean_title(title) in said),
    )


def _choose(
    titles: Mapping[int, str], known: Mapping[str, Field], said: Mapping[str, Field | None]
) -> dict[int, Field | None]:
    """Give what each column says; what a person said of it goes first."""
    found = {}
    for column, title in titles.items():
        clean = clean_title(title)
        found[column] = said[clean] if clean in said else _find_field(title, known)
    return found


def _find_field(title: str, known: Mapping[str, Field]) -> Field | None:
    """Give what a title says; one of two names (`域名/网址`) says something when both say the same."""
    clean = _BRACKETED.sub("", fold_width(title)).lower()
    whole = known.get(_SIGNS.sub("", clean))
    if whole is not None:
        return whole
    said = {known.get(_SIGNS.sub("", piece)) for piece in _OR.split(clean)}
    return said.pop() if len(said) == 1 else None
